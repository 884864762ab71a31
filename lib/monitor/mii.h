/* SPDX-License-Identifier: Apache-2.0 */

/* The MII monitor
 * ===============
 *
 * With the option "miimon" links are looked at every so many milliseconds, as
 * the Linux bonding driver does, and nothing is decided in between.  The four
 * states are those of monitor/link.h, but they change at a tick only, and
 * delays count from the tick that saw the change, so that both ends of a delay
 * are ticks.  What comes and goes between two ticks was never there.
 *
 * Ticks stand on a grid that starts, with a tick at once, when the monitor
 * does.  A tick that would find nothing to do is left out: a bond at rest does
 * not wake up, and yet behaves as if it had.
 *
 * We differ from Linux:
 *
 *   - Without downdelay a link that is lost is down at once, not at the next
 *     tick.  (What waits for that tick to come up is still there to choose from
 *     then; see bond/active.c.)
 *   - updelay is ignored in every mode when no member can be used, as the
 *     documentation of Linux says; of several the one is taken that has least
 *     to wait.
 *   - In a mode that needs to know the speed, a link that has lost it is down
 *     from the next tick until that is known again; updelay begins then.
 *   - A delay that runs ends when it was to end, though 'miimon' changes.
 *
 * Thread-safety
 * -------------
 * One thread at a time per instance, as for all of lib/ (see bond/bond.h).
 *
 * Source: Linux Documentation/networking/bonding.rst, miimon, updelay,
 * downdelay. */

#ifndef BND_MII_H
#define BND_MII_H 1

#include <stddef.h>
#include "core/member.h"

struct bnd_effects;

/* Zeroed: off. */
struct bnd_mii {
    long long int interval;     /* ms between ticks, 0 if it is off. */
    long long int next;         /* Next tick, ms; may be long past if nothing
                                 * has been left to do since. */
    bool fresh;                 /* It has just been turned on: the first tick
                                 * is still to come. */
    bool early;                 /* The last run has seen a loss for which Linux
                                 * would wait until 'next'. */
};

/* What the monitor works on.  Members that are absent are left alone. */
struct bnd_mii_input {
    struct bnd_member *const *members;  /* In order of joining. */
    size_t n_members;
    long long int updelay;      /* ms, multiples of the interval. */
    long long int downdelay;
    bool none_usable;           /* updelay is not to be waited for. */
    bool needs_speed;           /* A link without known speed is no link. */
};

/* Puts 'interval' in force, 0 to turn the monitor off.  If it is another one
 * than before the monitor starts anew. */
void bnd_mii_set_interval(struct bnd_mii *, long long int interval,
                          long long int now);

/* A member joins: gives its link the state that it begins with. */
void bnd_mii_join(const struct bnd_mii *, const struct bnd_mii_input *,
                  struct bnd_member *);

/* Something is about to change at 'now': ticks up to then that had nothing to
 * do have been. */
void bnd_mii_skip(struct bnd_mii *, const struct bnd_mii_input *,
                  long long int now);

/* Runs the ticks that are due, looking at 'good' of each member. */
void bnd_mii_run(struct bnd_mii *, const struct bnd_mii_input *,
                 long long int now, struct bnd_effects *);

/* Returns the latest end of an updelay that may be cut short if no member is
 * left.  That of a member which no tick has seen yet ends later. */
long long int bnd_mii_coming_until(const struct bnd_mii *,
                                   const struct bnd_mii_input *);

/* When the next tick is due that has something to do, or BND_NEVER. */
long long int bnd_mii_wake_time(const struct bnd_mii *,
                                const struct bnd_mii_input *);

#endif /* mii.h */
