/* SPDX-License-Identifier: Apache-2.0 */

/* Logical addresses of members
 * ============================
 *
 * Where the host balances by itself (balance-tlb, balance-alb), the switch at
 * the other end must see each Ethernet address on one port.  So each member
 * has a logical address: the host's frames that leave by it come from there,
 * and what arrives for it is the host's.  It is a notion of the bond alone;
 * devices keep the addresses that they have.
 *
 *   - The active member's is that of the host, B.
 *   - The others' are their permanent ones to begin with.
 *   - When another member becomes active, it swaps with whoever has B.
 *   - A member that leaves gets its permanent address back, in exchange, if
 *     another one has that.
 *   - When B changes, whoever had the old one gets the new one; if a member
 *     has that already, the two swap.
 *   - One that joins with an address that a member has already gets the
 *     permanent one of another member if that is free.
 *
 * No two members ever have the same one.
 *
 * Learning packets
 * ----------------
 * A frame of no meaning tells the switch where an address is, untagged and in
 * each VLAN in which the host is: when that has changed, and again and again.
 * The address of a member that cannot be used is taught on the active member's
 * port, so that peers who still send to it are heard; a few times, and then
 * seldom.
 *
 * A switch should not see an address on two ports within a second unless
 * something failed.  So when a member comes back, it does not use its address
 * until a good second after that was taught elsewhere ("settling").
 *
 * We differ from Linux:
 *   - Who joins with a taken address while no other is free is not refused; it
 *     gets a locally administered one.
 *   - In balance-tlb, too, a change of B is that of one member's address.
 *   - There are no learning packets by members that cannot be used.
 *   - What internal ports with an address of their own send is a guest's, so
 *     there are none for those.
 *
 * Thread-safety
 * -------------
 * One thread at a time per instance, as for all of lib/ (see bond/bond.h).
 *
 * Source: Linux Documentation/networking/bonding.rst, balance-tlb,
 * balance-alb, lp_interval; what Linux 6.1 was seen to do. */

#ifndef BND_MACS_H
#define BND_MACS_H 1

#include <stddef.h>
#include "core/member.h"
#include "wire/eth.h"

struct bnd_effects;

#define BND_MACS_CALM 1100      /* ms between two ports of one address: more
                                 * than a second, as frames may be late. */
#define BND_MACS_TEACH_MANY 3   /* Lessons in a row on a port of another... */
#define BND_MACS_TEACH_AGAIN 30000 /* ...and ms between those that follow. */

struct bnd_mac_entry {
    bnd_id id;
    struct eth_addr perm_mac;
    struct eth_addr mac;        /* The logical one. */

    /* What the switch was told last: an address, by which member, zero if
     * nothing, when, and how often in a row. */
    struct eth_addr told;
    bnd_id told_by;
    long long int told_at;
    int n_told;
};

struct bnd_macs {
    struct bnd_mac_entry *entries; /* In order of joining; owned... */
    size_t n;                   /* ...so many of them. */
    struct eth_addr host;       /* B, or zero. */
    long long int interval;     /* ms between learning packets, 0 for none. */
    long long int next;         /* The next ones, ms. */
    long long int wake;         /* As of the last pass, ms. */
};

/* Nobody has one, and there are no learning packets but when something has
 * changed. */
void bnd_macs_init(struct bnd_macs *);
void bnd_macs_uninit(struct bnd_macs *);

/* Changes the interval, in ms, 0 for none. */
void bnd_macs_set_interval(struct bnd_macs *, long long int interval,
                           long long int now);

/* Makes the addresses fit the 'n' members, which are all that there are, in
 * order, 'active' of them, and the host's address. */
void bnd_macs_update(struct bnd_macs *, const struct bnd_member *const *,
                     size_t n, bnd_id active, struct eth_addr host);

/* Returns the logical address of 'id', zero if it has none. */
struct eth_addr bnd_macs_get(const struct bnd_macs *, bnd_id id);

/* Is 'mac' the host's, or a member's, logical or not? */
bool bnd_macs_is_ours(const struct bnd_macs *, struct eth_addr mac);

/* Is it too early for 'm', which can be used, to use its address? */
bool bnd_macs_is_settling(const struct bnd_macs *,
                          const struct bnd_member *m, long long int now);

/* Sends the learning packets that are due, untagged and with each of 'tags'
 * ('n_tags' of them). */
void bnd_macs_send(struct bnd_macs *, const struct bnd_member *const *,
                   size_t n, bnd_id active, const struct bnd_tags *tags,
                   size_t n_tags, long long int now, struct bnd_effects *);

/* Returns null if what must always hold does hold, otherwise a message that
 * the caller frees. */
char *bnd_macs_check(const struct bnd_macs *, bnd_id active);

#endif /* macs.h */
