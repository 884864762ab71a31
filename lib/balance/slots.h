/* SPDX-License-Identifier: Apache-2.0 */

/* Buckets of a hashing bond
 * =========================
 *
 * 256 buckets share out the members among all hashes.  Each one counts the
 * bytes it carried, older ones weighing less, and now and then the bond moves
 * buckets from the most loaded member to the least loaded one.
 *
 * A bucket stays where it is as long as its member works, because moving it
 * makes peers learn anew and may reorder packets:
 *   - When a member is lost, only its buckets move, each to the member that
 *     then has the fewest.
 *   - When a member joins, it gets buckets that carry nothing, at most its
 *     fair share; those with traffic are left to rebalancing.  Where there is
 *     no rebalancing (interval 0), the share is taken from all buckets, since
 *     nothing else would ever give the member work.  Where it matters that no
 *     peer sees an address in two places at about the same time ('patient'), it
 *     waits until counters have come that tell who is silent.
 *
 * In the modes whose hash is a formula that users know ('static') a bucket
 * has a home (homes.h), to which it returns when its member does.
 *
 * For each bucket the backup is known beforehand: where it goes if its member
 * is the next to be lost.  Whoever sees a link fall can act on that at once,
 * and the plan that follows agrees with it.
 *
 * We simplify: one bucket at a time from one member to another, never a swap
 * of two.
 *
 * Thread-safety
 * -------------
 * One thread at a time per instance, as for all of lib/ (see bond/bond.h).
 *
 * Source: Open vSwitch Documentation/topics/bonding.rst, Bond Packet Output
 * (what "significantly more loaded" means). */

#ifndef BND_SLOTS_H
#define BND_SLOTS_H 1

#include <stddef.h>
#include "balance/homes.h"
#include "core/member.h"

struct bnd_effects;

/* What the last assignment saw of a member. */
struct bnd_slots_seen {
    bnd_id id;
    bool enabled;
    uint32_t speed_mbps;
};

struct bnd_slots {
    size_t n_slots;             /* Buckets in use. */
    bnd_id owner[BND_N_SLOTS];  /* Member, or BND_NO_MEMBER. */
    bnd_id backup[BND_N_SLOTS]; /* Heir of the owner, or BND_NO_MEMBER. */
    bool is_static;             /* Buckets have homes... */
    struct bnd_homes homes;     /* ...here. */
    bool weighted;              /* Shares are in proportion to speed. */
    bool patient;               /* Who joins waits for bnd_slots_level()... */
    bool waits;                 /* ...as somebody does... */
    bool counted;               /* ...once anything has been counted. */
    bool dirty;                 /* Owners changed since backups were set. */
    uint64_t load[BND_N_SLOTS]; /* Bytes, halved at each rebalance. */
    uint64_t total[BND_N_SLOTS]; /* Bytes since the bond was made. */
    bnd_id *known;              /* Enabled members of the last one... */
    uint64_t *known_weight;     /* ...and what their shares were. */
    size_t n_known;
    struct bnd_slots_seen *seen; /* All members of the last assignment... */
    size_t n_seen;
    bool stale;                 /* ...which another setting has outdated. */
    long long int next_rebalance; /* ms, or BND_NEVER. */
    long long int interval;     /* ms between rebalances, 0 for none. */
};

void bnd_slots_init(struct bnd_slots *, bool is_static,
                    long long int interval, long long int now);
void bnd_slots_uninit(struct bnd_slots *);

/* Changes the interval, in ms, 0 for none.  The first rebalance after a change
 * comes one interval after 'now'. */
void bnd_slots_set_interval(struct bnd_slots *, long long int interval,
                            long long int now);

/* Says whether shares are in proportion to speed. */
void bnd_slots_set_weighted(struct bnd_slots *, bool weighted);

/* Has members that join wait for their share until bnd_slots_level(). */
void bnd_slots_set_patient(struct bnd_slots *);

/* Makes sure that every bucket belongs to an enabled one of the 'n' members,
 * or to none if there is none. */
void bnd_slots_assign(struct bnd_slots *, const struct bnd_member *const *,
                      size_t n);

/* Plans, if owners have changed, where each bucket goes if its member is lost:
 * to whom bnd_slots_assign() would then give it. */
void bnd_slots_plan(struct bnd_slots *, const struct bnd_member *const *,
                    size_t n);

/* Adds what each bucket carried since the last call, in bytes. */
void bnd_slots_account(struct bnd_slots *, const uint64_t bytes[BND_N_SLOTS]);

/* Gives members that wait for buckets, of the 'n', some that carry nothing.
 * Call it just after bnd_slots_account(). */
void bnd_slots_level(struct bnd_slots *, const struct bnd_member *const *,
                     size_t n);

/* If a rebalance is due at 'now', moves load among the enabled ones of 'n'
 * members and starts the next interval. */
void bnd_slots_rebalance(struct bnd_slots *, const struct bnd_member *const *,
                         size_t n, long long int now, struct bnd_effects *);

/* Gives bucket 'slot' to member 'id', whatever its load. */
void bnd_slots_migrate(struct bnd_slots *, int slot, bnd_id id);

#endif /* slots.h */
