/* SPDX-License-Identifier: Apache-2.0 */

/* Homes of buckets
 * ================
 *
 * In the modes whose hash is a formula that users know, a bucket has a home:
 * the member that it belongs to while all members work.  To begin with bucket
 * b is at home with member b mod n, and there are as many buckets as the
 * largest multiple of n that fits, so that all members get exactly the same
 * share and a packet leaves by the member that Linux would choose.
 *
 * When a member is added for good, it takes just its share from those that
 * have most; when one is removed for good, its buckets move in with those that
 * have least; nothing else moves.  A member that is merely down keeps its home
 * (slots.h puts its buckets up elsewhere meanwhile).
 *
 * With weights a member's share is in proportion to its speed.
 *
 * A bucket that rebalancing or a command moved is at home where it went, until
 * members come, go or change their weight.
 *
 * Thread-safety
 * -------------
 * One thread at a time per instance, as for all of lib/ (see bond/bond.h).
 *
 * Source: Linux Documentation/networking/bonding.rst, xmit_hash_policy ("...
 * modulo slave count"). */

#ifndef BND_HOMES_H
#define BND_HOMES_H 1

#include <stddef.h>
#include "core/member.h"

struct bnd_home_owner {
    bnd_id id;
    uint64_t weight;
};

struct bnd_homes {
    size_t n_slots;             /* Buckets in use, 0 if nobody has any. */
    bnd_id home[BND_N_SLOTS];   /* 'n_slots' of them. */
    struct bnd_home_owner *owners;  /* That the homes fit; owned... */
    size_t n_owners;            /* ...so many of them. */
};

/* Frees what zeroed homes have come to own. */
void bnd_homes_uninit(struct bnd_homes *);

/* Stores in 'weights' what the shares of 'n' members are in proportion to:
 * their speeds in Mb/s, or 1 each unless 'weighted'.  A speed that was never
 * known counts as the lowest of the others. */
void bnd_weigh_members(const struct bnd_member *const *, size_t n,
                       bool weighted, uint64_t weights[]);

/* Makes the homes fit 'n' members, which are all that the bond has, up or
 * down, in order.  No members: nothing changes. */
void bnd_homes_update(struct bnd_homes *, const struct bnd_member *const *,
                      size_t n, bool weighted);

#endif /* homes.h */
