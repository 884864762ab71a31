/* SPDX-License-Identifier: Apache-2.0 */

/* Announcing a new path
 * =====================
 *
 * When a path changes, peers must learn anew where the addresses are that they
 * reach by the bond.  There are three kinds of them:
 *
 *   The host's own addresses, by gratuitous ARP and unsolicited neighbour
 *   advertisements (notices.h).  They are announced at once, before anything
 *   else is done about the failover, as often as 'num-grat-arp' says.
 *
 *   Guests: all other addresses that Open vSwitch has learned elsewhere than
 *   behind the bond, and those of which it has seen that their frames leave by
 *   a member (sources.h), by RARP, once for each time that the host's are (but
 *   at least once).
 *
 *   Multicast groups that the host or a guest has joined, by IGMP and MLD
 *   (groups.h).
 *
 * Open vSwitch would have us compose a packet for each guest, and send them all
 * at once: with 50,000 of them its main loop does nothing else for a quarter of
 * a second, and where that loop forwards packets, too, these wait.  So we go
 * through its tables ourselves, a few entries in each round of the loop, no
 * faster than 'announce-rate'.
 *
 * An address that is learned or forgotten meanwhile may be missed, or announced
 * twice if the table is made larger.
 *
 * Should the main loop be held up just then, or meanwhile, the guard (guard.h)
 * does it in its place, for neighbours cannot wait.
 *
 * Threads: main and the guard, one at a time ('ob_host_mutex', hosts.h).
 *
 * Source: Open vSwitch, lib/mac-learning.h; Linux,
 * Documentation/networking/bonding.rst, num_grat_arp and resend_igmp. */

#ifndef OB_ANNOUNCE_H
#define OB_ANNOUNCE_H 1

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "openvswitch/hmap.h"
#include "ovs-atomic.h"

struct bnd_effects;
struct ob_owner;

/* What a pass wants announced. */
struct ob_announce_todo {
    bool peers;                 /* The host, and a round of guests... */
    bool guests;                /* ...who are another failover's. */
    bool moves;                 /* Addresses change, too. */
    bool groups;                /* A round of multicast groups... */
    bool groups_anew;           /* ...likewise. */
};

/* A table that is gone through, 'rounds' more times. */
struct ob_walk {
    unsigned int rounds;
    struct hmap_position pos;   /* Where to go on. */
};

struct ob_announcer {
    struct ob_walk guests;
    bool learned_done;          /* 'guests' has come to those not learned. */
    struct ob_walk groups;
    long long int credit;       /* Thousandths of packets that may be sent... */
    long long int credit_at;    /* ...as of that time, ms. */
    atomic_llong wake;          /* When something is due, ms, or BND_NEVER. */
    struct hmap told;           /* Addresses that the host has announced by
                                 * itself (struct ob_told)... */
    struct hmap told_groups;    /* ...and groups that it has reported. */
    struct hmap speakers;       /* Who reports groups (groups.h). */
};

void ob_announce_init(struct ob_announcer *);
void ob_announce_uninit(struct ob_announcer *);

/* Notes what the effects 'fx' of a pass want announced. */
void ob_announce_note(struct ob_announce_todo *, const struct bnd_effects *fx);

/* Is there anything? */
bool ob_announce_is_todo(const struct ob_announce_todo *);

/* Announces the host's addresses and groups if passes want it, unless addresses
 * have to be set before, and sends what else is due. */
void ob_announce_run(struct ob_owner *, bool by_guard);

/* When the next is due, in ms, or BND_NEVER; and when the guard is to send it,
 * for the main loop has not. */
long long int ob_announce_wake_time(const struct ob_owner *);
long long int ob_announce_guard_time(const struct ob_owner *);

/* Sets of what has been told in VLAN 'vlan', for the sake of those who would
 * tell it again.  An Ethernet address is the beginning of an IPv6 one. */
struct ob_told {
    struct hmap_node node;
    struct in6_addr addr;
    uint16_t vlan;
};

void ob_told_add(struct hmap *, const struct in6_addr *, uint16_t vlan);
bool ob_told_has(const struct hmap *, const struct in6_addr *, uint16_t vlan);
void ob_told_clear(struct hmap *);

#endif /* announce.h */
