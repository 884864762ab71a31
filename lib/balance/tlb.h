/* SPDX-License-Identifier: Apache-2.0 */

/* Transmit load balancing
 * =======================
 *
 * The host's frames have 256 buckets, each of which belongs to a member.
 * Every so often the load that each one has carried is looked at, and the
 * loaded ones are dealt to the members, the heaviest first, each to the one
 * with the largest gap between its speed and its load; what cannot be balanced
 * loads the active member.
 *
 * For each bucket the backup is known beforehand, as in slots.h.
 *
 * We differ from Linux:
 *   - It leaves buckets without history where the first one goes, to the
 *     member with the largest gap.  We deal them out at once, in proportion to
 *     the gaps, so that flows that begin between two looks spread, too; but
 *     not to members with less than half of what the best one has to offer, as
 *     one client alone should not find itself on a slow link.
 *   - A bucket stays where it is unless a move brings the members' loads
 *     closer to one another.
 *   - Gaps do not overflow, and loads are by the time that has passed.
 *
 * Thread-safety
 * -------------
 * One thread at a time per instance, as for all of lib/ (see bond/bond.h).
 *
 * Source: Linux Documentation/networking/bonding.rst, balance-tlb. */

#ifndef BND_TLB_H
#define BND_TLB_H 1

#include <stddef.h>
#include "core/member.h"

/* Members come and go: look at loads so soon, ms. */
#define BND_TLB_SOON 2000

struct bnd_tlb_slot {
    bnd_id owner;               /* Member, or BND_NO_MEMBER... */
    bnd_id backup;              /* ...and its heir, likewise. */
    uint64_t bytes;             /* Since the last look. */
    uint64_t load;              /* Bytes a second, between the last two. */
};

struct bnd_tlb {
    struct bnd_tlb_slot slots[BND_N_SLOTS];
    uint64_t unbalanced;        /* Bytes without a bucket, likewise... */
    uint64_t unbalanced_load;   /* ...and this. */
    long long int interval;     /* ms between looks, 0 for none. */
    long long int last;         /* The last look, ms... */
    long long int next;         /* ...and the next one, or BND_NEVER. */
    bnd_id *known;              /* Members of the last assignment, and after
                                 * them the spare ones; owned... */
    size_t n_known;             /* ...so many of the former... */
    size_t n_known_spare;       /* ...and of the latter. */
};

void bnd_tlb_init(struct bnd_tlb *, long long int interval,
                  long long int now);
void bnd_tlb_uninit(struct bnd_tlb *);

/* Changes the interval, in ms, 0 for none. */
void bnd_tlb_set_interval(struct bnd_tlb *, long long int interval,
                          long long int now);

/* Adds what each bucket carried since the last call, in bytes ('bytes' may be
 * null), and what was sent without one. */
void bnd_tlb_account(struct bnd_tlb *, const uint64_t bytes[BND_N_SLOTS],
                     uint64_t unbalanced);

/* Makes sure that every bucket belongs to one of the 'n' members, which can be
 * used, or to none if there is none.  'spare' ('n_spare' of them) are those,
 * among them the 'n', that would be used if there were no others. */
void bnd_tlb_assign(struct bnd_tlb *, const struct bnd_member *const *,
                    size_t n, const struct bnd_member *const *spare,
                    size_t n_spare, long long int now);

/* If it is time, looks at the loads, deals the buckets out among the 'n'
 * members, 'active' of them, and returns true.  Follow that by
 * bnd_tlb_plan(). */
bool bnd_tlb_rebalance(struct bnd_tlb *, const struct bnd_member *const *,
                       size_t n, bnd_id active, long long int now);

/* Plans who is to follow whom; arguments as those of bnd_tlb_assign(). */
void bnd_tlb_plan(struct bnd_tlb *, const struct bnd_member *const *, size_t n,
                  const struct bnd_member *const *spare, size_t n_spare);

#endif /* tlb.h */
