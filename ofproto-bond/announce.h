/* SPDX-License-Identifier: Apache-2.0 */

/* Announcing the addresses behind a bond
 * ======================================
 *
 * When a path changes, peers must learn anew where the addresses are that they
 * reach by the bond.  Open vSwitch would have us compose a packet for each
 * address that it has learned elsewhere, and send them all at once: with 50,000
 * addresses its main loop does nothing else for a quarter of a second, and
 * where that loop forwards packets, too, these wait.  So we go through its
 * table ourselves, a few addresses in each round of the loop.
 *
 * An address that is learned or forgotten meanwhile may be missed, or announced
 * twice if the table is made larger.
 *
 * Threads: main.
 *
 * Source: Open vSwitch, lib/mac-learning.h. */

#ifndef OB_ANNOUNCE_H
#define OB_ANNOUNCE_H 1

#include <stdbool.h>
#include <stddef.h>
#include "openvswitch/hmap.h"

struct ob_owner;

struct ob_announcer {
    bool pending;               /* There is something left. */
    struct hmap_position pos;   /* Where to go on in OVS's table. */
    long long int since;        /* When it began, ms... */
    size_t n;                   /* ...and how many have been sent since. */
};

/* Announces all addresses from now on, from the beginning. */
void ob_announce_begin(struct ob_owner *);

/* Sends what is due, and says when the next is, in ms, or BND_NEVER. */
void ob_announce_run(struct ob_owner *);
long long int ob_announce_wake_time(const struct ob_owner *);

#endif /* announce.h */
