/* SPDX-License-Identifier: Apache-2.0 */

/* The four-state link machine
 * ===========================
 *
 * A verdict says whether a link is good right now.  Links flap, so the verdict
 * does not count before it has lasted: 'updelay' for the better, 'downdelay'
 * for the worse.  Meanwhile the link is "going back" or "going down" and is
 * used as before.
 *
 * What is true in each state:
 *   UP           Good, in use.
 *   GOING_DOWN   Bad, still in use until the deadline (downdelay).
 *   DOWN         Bad, not in use.
 *   COMING_BACK  Good, not yet in use until the deadline (updelay).
 *
 *   UP <-> GOING_DOWN -> DOWN <-> COMING_BACK -> UP
 *
 * Thread-safety
 * -------------
 * One thread at a time per instance, as for all of lib/ (see bond/bond.h).
 *
 * Source: ovs-vswitchd.conf.db(5), Port.bond_updelay and bond_downdelay;
 * Linux bonding.rst, updelay and downdelay. */

#ifndef BND_LINK_H
#define BND_LINK_H 1

#include "core/member.h"

struct bnd_effects;

/* Puts 'link' into UP or DOWN without any delay.  The next step starts from
 * there, so an order against the verdict lasts for one delay. */
void bnd_link_init(struct bnd_link *, bool up);

/* Is a link in this state in use? */
bool bnd_link_is_enabled(const struct bnd_link *);

/* Lets the machine of 'm' see the verdict 'm->good' and the time.  Delays are
 * in ms, not negative.  Says what happened by trace records. */
void bnd_link_step(struct bnd_member *m, long long int updelay,
                   long long int downdelay, long long int now,
                   struct bnd_effects *fx);

/* Another monitor, which has delays of its own or none, has put the link of 'm'
 * into 'state'. */
void bnd_link_put(struct bnd_member *m, enum bnd_link_state state,
                  long long int now, struct bnd_effects *fx);

/* When the machine will move by itself, or BND_NEVER. */
long long int bnd_link_wake_time(const struct bnd_link *);

#endif /* link.h */
