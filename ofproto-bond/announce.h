/* SPDX-License-Identifier: Apache-2.0 */

/* Announcing the addresses behind a bond
 * ======================================
 *
 * When a path changes, peers must learn anew where the addresses are that they
 * reach by the bond.  Open vSwitch asks us to compose a packet for each address
 * that it has learned elsewhere, and would send them all at once: with 50,000
 * addresses its main loop does nothing else for a quarter of a second, and
 * where that loop forwards packets, too, these wait.  So we only note what is
 * to be announced, and send it bit by bit.
 *
 * Threads: main.
 *
 * Source: Open vSwitch, bond_compose_learning_packet(). */

#ifndef OB_ANNOUNCE_H
#define OB_ANNOUNCE_H 1

#include <stddef.h>
#include <stdint.h>
#include "openvswitch/types.h"

struct dp_packet;
struct ob_owner;

struct ob_address {
    struct eth_addr mac;
    uint16_t vlan;              /* 0: untagged. */
};

struct ob_announcer {
    struct ob_address *queue;   /* What is to be announced, in order... */
    size_t n, allocated;
    size_t next;                /* ...from here on. */
    long long int since;        /* When sending began, ms... */
    size_t n_since;             /* ...and how many have been sent since. */
};

/* Open vSwitch is about to name the addresses, all of them. */
void ob_announce_begin(struct ob_owner *);

/* It names one, and gets a packet, for the caller to free, and a port.  The
 * packet will not be sent, provided that it is the next that this thread asks
 * translation to send, after others of its kind. */
struct dp_packet *ob_announce_add(struct ob_owner *, struct eth_addr mac,
                                  uint16_t vlan, const void **port);

/* Sends what is due, and says when the next is, in ms, or BND_NEVER. */
void ob_announce_run(struct ob_owner *);
long long int ob_announce_wake_time(const struct ob_owner *);

void ob_announce_uninit(struct ob_announcer *);

#endif /* announce.h */
