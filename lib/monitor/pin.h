/* SPDX-License-Identifier: Apache-2.0 */

/* By which Ethernet addresses a target is known
 * =============================================
 *
 * A station on the switch at the other end may pretend to be a target, by
 * mistake or not, and would keep a member up whose path beyond that switch is
 * dead.  It cannot do so unnoticed: the target has answered by another
 * Ethernet address before.  So, where signs of life are validated, each
 * member remembers by which addresses a target has answered there, and
 * believes no other one.
 *
 * Yet targets do get other addresses, and some have several, so that this must
 * not outlast what it is for.  An address becomes known
 *
 *   - if none is;
 *   - while no member is up: there is nothing left to lose;
 *   - if another member knows it, and has heard of it within an interval;
 *   - once it has stood in for one that is known, on a member that stayed up:
 *     that one was silent for more than an interval, the new one was not, and
 *     then the known one is back.  So do the routers of a group that answer in
 *     turn.  Whoever was heard while the member was down has stood in for
 *     nobody: that is what a pretender does, and a repaired path must not make
 *     him known;
 *
 * and what is known of a target is forgotten on a member that is up, though
 * not because of this target, which has not been heard of for as long as it
 * takes to find a backup dead.
 *
 * Linux has nothing of the kind; the option arp-pin-mac=false turns it off.
 *
 * Thread-safety
 * -------------
 * One thread at a time per instance, as for all of lib/ (see bond/bond.h). */

#ifndef BND_PIN_H
#define BND_PIN_H 1

#include "monitor/probe.h"

/* Is target number 'i', of which 'm' heard at 'arrival' by 'mac', to be
 * believed to be the one that it says?  Takes note of it in any case. */
bool bnd_pin_check(const struct bnd_probe *, const struct bnd_probe_input *,
                   struct bnd_member *m, size_t i, struct eth_addr mac,
                   long long int arrival);

/* Members have just been judged: forgets what has to be. */
void bnd_pin_forget(const struct bnd_probe *, const struct bnd_probe_input *,
                    long long int now);

#endif /* pin.h */
