/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "balance/tlb.h"

#include <stdlib.h>
#include <string.h>
#include "balance/homes.h"
#include "core/deadline.h"
#include "util.h"

/* A bucket may stay where it is if another place is better by less than
 * 1/SLACK of what a member would carry were the load even. */
#define SLACK 20

/* The number of a member's idle buckets may be off by 1/IDLE_SLACK of what it
 * should be, and one. */
#define IDLE_SLACK 4

/* What is known of one member. */
struct tlb_share {
    bnd_id id;
    int64_t speed;              /* Bits a second, roughly... */
    int64_t load;               /* ...and this is what it carries of them. */
    size_t n_idle;              /* Buckets without load. */
};

void
bnd_tlb_init(struct bnd_tlb *t, long long int interval, long long int now)
{
    memset(t, 0, sizeof *t);
    t->interval = -1;
    t->last = now;
    bnd_tlb_set_interval(t, interval, now);
}

void
bnd_tlb_uninit(struct bnd_tlb *t)
{
    free(t->known);
    t->known = NULL;
    t->n_known = 0;
}

void
bnd_tlb_set_interval(struct bnd_tlb *t, long long int interval,
                     long long int now)
{
    if (interval != t->interval) {
        t->interval = interval;
        t->next = interval ? bnd_deadline_in(now, interval) : BND_NEVER;
    }
}

void
bnd_tlb_account(struct bnd_tlb *t, const uint64_t bytes[BND_N_SLOTS],
                uint64_t unbalanced)
{
    for (size_t i = 0; bytes && i < BND_N_SLOTS; i++) {
        t->slots[i].bytes += bytes[i];
    }
    t->unbalanced += unbalanced;
}

/* Shares. */

/* Stores in '*shares' those of 'n' members, without any load; the caller frees
 * them. */
static struct tlb_share *
make_shares(const struct bnd_member *const *members, size_t n)
{
    struct tlb_share *shares = xcalloc(n + 1, sizeof *shares);
    uint64_t *weights = xcalloc(n + 1, sizeof *weights);
    enum { NOMINAL_MBPS = 10000 };
    bool known = false;

    bnd_weigh_members(members, n, true, weights);
    for (size_t i = 0; i < n; i++) {
        known |= members[i]->speed_mbps != 0;
    }
    for (size_t i = 0; i < n; i++) {
        shares[i].id = members[i]->id;
        shares[i].speed = (int64_t) (known ? weights[i] : NOMINAL_MBPS) << 20;
    }
    free(weights);
    return shares;
}

static struct tlb_share *
share_of(struct tlb_share *shares, size_t n, bnd_id id)
{
    for (size_t i = 0; i < n; i++) {
        if (shares[i].id == id) {
            return &shares[i];
        }
    }
    return NULL;
}

static int64_t
bits(uint64_t bytes)
{
    return MIN(bytes, INT64_MAX / 4096) * 8;
}

static int64_t
gap(const struct tlb_share *s)
{
    return s->speed - s->load;
}

static int64_t
largest_gap(const struct tlb_share *shares, size_t n)
{
    int64_t largest = INT64_MIN;

    for (size_t i = 0; i < n; i++) {
        largest = MAX(largest, gap(&shares[i]));
    }
    return largest;
}

/* Adds the load of the buckets, and what has none, to the shares. */
static void
add_loads(const struct bnd_tlb *t, struct tlb_share *shares, size_t n,
          bnd_id active)
{
    struct tlb_share *s = share_of(shares, n, active);

    if (s) {
        s->load += bits(t->unbalanced_load);
    }
    for (size_t i = 0; i < BND_N_SLOTS; i++) {
        s = share_of(shares, n, t->slots[i].owner);
        if (s) {
            s->load += bits(t->slots[i].load);
            s->n_idle += !t->slots[i].load;
        }
    }
}

/* May idle buckets go to 's'? */
static bool
is_inviting(const struct tlb_share *s, int64_t largest)
{
    return largest <= 0 || gap(s) * 2 >= largest;
}

/* What the number of idle buckets is to be in proportion to. */
static double
idle_weight(const struct tlb_share *s)
{
    return MAX(gap(s), 1);
}

/* Returns who is to have one idle bucket more: of the inviting ones, the first
 * that has fewest for its gap.  Null if there is nobody. */
static struct tlb_share *
neediest(struct tlb_share *shares, size_t n, const struct tlb_share *except)
{
    int64_t largest = INT64_MIN;
    struct tlb_share *best = NULL;

    for (size_t i = 0; i < n; i++) {
        if (&shares[i] != except) {
            largest = MAX(largest, gap(&shares[i]));
        }
    }
    for (size_t i = 0; i < n; i++) {
        struct tlb_share *s = &shares[i];

        if (s != except && is_inviting(s, largest)
            && (!best || ((s->n_idle + 1) * idle_weight(best)
                          < (best->n_idle + 1) * idle_weight(s)))) {
            best = s;
        }
    }
    return best;
}

/* Returns who has the largest gap, the first one of several. */
static struct tlb_share *
roomiest(struct tlb_share *shares, size_t n, const struct tlb_share *except)
{
    struct tlb_share *best = NULL;

    for (size_t i = 0; i < n; i++) {
        if (&shares[i] != except && (!best || gap(&shares[i]) > gap(best))) {
            best = &shares[i];
        }
    }
    return best;
}

/* Gives a bucket to the one of 'shares' but 'except' who should have it, and
 * returns that. */
static struct tlb_share *
give(const struct bnd_tlb_slot *slot, struct tlb_share *shares, size_t n,
     const struct tlb_share *except)
{
    struct tlb_share *to = (slot->load ? roomiest(shares, n, except)
                            : neediest(shares, n, except));

    if (to) {
        to->load += bits(slot->load);
        to->n_idle += !slot->load;
    }
    return to;
}

/* Assignment. */

static bool
is_in(const struct bnd_member *const *members, size_t n, bnd_id id)
{
    for (size_t i = 0; i < n; i++) {
        if (members[i]->id == id) {
            return true;
        }
    }
    return false;
}

/* Are the members those of the last time?  Takes note of them; if there is a
 * new one, it is time to look at loads soon. */
static bool
same_members(struct bnd_tlb *t, const struct bnd_member *const *members,
             size_t n, const struct bnd_member *const *spare, size_t n_spare,
             long long int now)
{
    bool same = n == t->n_known && n_spare == t->n_known_spare, fresh = false;
    bnd_id *ids = xcalloc(n + n_spare + 1, sizeof *ids);

    for (size_t i = 0; i < n + n_spare; i++) {
        ids[i] = (i < n ? members[i] : spare[i - n])->id;
        same = same && ids[i] == t->known[i];
    }
    for (size_t i = 0; i < n; i++) {
        bool known = false;

        for (size_t j = 0; j < t->n_known; j++) {
            known |= ids[i] == t->known[j];
        }
        fresh |= !known;
    }
    if (fresh && t->interval) {
        t->next = bnd_deadline_min(t->next,
                                   bnd_deadline_in(now, BND_TLB_SOON));
    }
    free(t->known);
    t->known = ids;
    t->n_known = n;
    t->n_known_spare = n_spare;
    return same;
}

void
bnd_tlb_assign(struct bnd_tlb *t, const struct bnd_member *const *members,
               size_t n, const struct bnd_member *const *spare,
               size_t n_spare, long long int now)
{
    struct tlb_share *shares;

    if (same_members(t, members, n, spare, n_spare, now)) {
        return;
    }
    shares = make_shares(members, n);
    add_loads(t, shares, n, BND_NO_MEMBER);
    for (size_t i = 0; i < BND_N_SLOTS; i++) {
        struct bnd_tlb_slot *slot = &t->slots[i];
        struct tlb_share *to;

        if (is_in(members, n, slot->owner)) {
            continue;
        }
        to = share_of(shares, n, slot->backup);
        if (to) {
            to->load += bits(slot->load);
            to->n_idle += !slot->load;
        } else {
            to = give(slot, shares, n, NULL);
        }
        slot->owner = to ? to->id : BND_NO_MEMBER;
    }
    free(shares);
    bnd_tlb_plan(t, members, n, spare, n_spare);
}

void
bnd_tlb_plan(struct bnd_tlb *t, const struct bnd_member *const *members,
             size_t n, const struct bnd_member *const *spare, size_t n_spare)
{
    /* Who is the last one is followed by those that are not used without
     * need. */
    const struct bnd_member *const *heirs = n > 1 ? members : spare;
    size_t n_heirs = n > 1 ? n : n_spare;
    struct tlb_share *shares = make_shares(heirs, n_heirs);

    add_loads(t, shares, n_heirs, BND_NO_MEMBER);
    for (size_t i = 0; i < n; i++) {
        struct tlb_share *left = xmemdup(shares,
                                         (n_heirs + 1) * sizeof *left);
        bnd_id lost = members[i]->id;

        for (size_t j = 0; j < BND_N_SLOTS; j++) {
            struct bnd_tlb_slot *slot = &t->slots[j];

            if (slot->owner == lost) {
                struct tlb_share *to = give(slot, left, n_heirs,
                                            share_of(left, n_heirs, lost));

                slot->backup = to ? to->id : BND_NO_MEMBER;
            }
        }
        free(left);
    }
    free(shares);
}

/* Rebalancing. */

/* Turns bytes into loads. */
static void
take_stock(struct bnd_tlb *t, long long int now)
{
    long long int elapsed = MAX(now - t->last, 1);

    for (size_t i = 0; i < BND_N_SLOTS; i++) {
        struct bnd_tlb_slot *slot = &t->slots[i];

        slot->load = slot->bytes * 1000 / elapsed;
        slot->load += slot->bytes && !slot->load;
        slot->bytes = 0;
    }
    t->unbalanced_load = t->unbalanced * 1000 / elapsed;
    t->unbalanced = 0;
    t->last = now;
    t->next = bnd_deadline_in(now, t->interval);
}

struct heavy {
    size_t slot;
    uint64_t load;
};

static int
compare_heavy(const void *a_, const void *b_)
{
    const struct heavy *a = a_;
    const struct heavy *b = b_;

    return (a->load != b->load ? (a->load < b->load ? 1 : -1)
            : a->slot < b->slot ? -1 : a->slot > b->slot);
}

/* Stores in 'heavy' the buckets with load, the heaviest first, and returns how
 * many there are. */
static size_t
sort_heavy(const struct bnd_tlb *t, struct heavy heavy[BND_N_SLOTS])
{
    size_t n = 0;

    for (size_t i = 0; i < BND_N_SLOTS; i++) {
        if (t->slots[i].load) {
            heavy[n].slot = i;
            heavy[n++].load = t->slots[i].load;
        }
    }
    qsort(heavy, n, sizeof *heavy, compare_heavy);
    return n;
}

/* The largest difference between what a member carries and what it would carry
 * were all of them loaded alike, as a part of its speed. */
static double
unevenness(const struct tlb_share *shares, size_t n)
{
    double load = 0, speed = 0, worst = 0;

    for (size_t i = 0; i < n; i++) {
        load += shares[i].load;
        speed += shares[i].speed;
    }
    for (size_t i = 0; i < n; i++) {
        double off = (double) shares[i].load / shares[i].speed - load / speed;

        worst = MAX(worst, off < 0 ? -off : off);
    }
    return worst;
}

/* Deals the buckets with load out anew, if that is better than what is. */
static void
deal_heavy(struct bnd_tlb *t, const struct bnd_member *const *members,
           size_t n, bnd_id active)
{
    struct tlb_share *now = make_shares(members, n);
    struct tlb_share *then = make_shares(members, n);
    struct tlb_share *s = share_of(then, n, active);
    struct heavy heavy[BND_N_SLOTS];
    bnd_id owners[BND_N_SLOTS];
    size_t n_heavy = sort_heavy(t, heavy);
    double load = 0, speed = 0;

    add_loads(t, now, n, active);
    for (size_t i = 0; i < n; i++) {
        load += now[i].load;
        speed += now[i].speed;
    }
    if (s) {
        s->load = bits(t->unbalanced_load);
    }
    for (size_t i = 0; i < n_heavy; i++) {
        struct bnd_tlb_slot *slot = &t->slots[heavy[i].slot];
        struct tlb_share *to = roomiest(then, n, NULL);
        struct tlb_share *old = share_of(then, n, slot->owner);

        if (old && gap(to) - gap(old) <= load / n / SLACK) {
            to = old;
        }
        to->load += bits(slot->load);
        owners[i] = to->id;
    }
    if (unevenness(then, n) + load / speed / SLACK < unevenness(now, n)) {
        for (size_t i = 0; i < n_heavy; i++) {
            t->slots[heavy[i].slot].owner = owners[i];
        }
    }
    free(now);
    free(then);
}

/* Stores in 'fair' how many idle buckets each of the shares is to have.
 * Returns false if they have about that many. */
static bool
fair_idle(const struct tlb_share *shares, size_t n, double fair[])
{
    int64_t largest = largest_gap(shares, n);
    double sum = 0, n_idle = 0;
    bool off = false;

    for (size_t i = 0; i < n; i++) {
        fair[i] = is_inviting(&shares[i], largest) ? idle_weight(&shares[i])
                  : 0;
        n_idle += shares[i].n_idle;
        sum += fair[i];
    }
    for (size_t i = 0; i < n; i++) {
        double slack;

        fair[i] *= n_idle / sum;
        slack = fair[i] / IDLE_SLACK + 1;
        off |= (shares[i].n_idle > fair[i] + slack
                || shares[i].n_idle + slack < fair[i]
                || (!fair[i] && shares[i].n_idle));
    }
    return off;
}

/* Moves idle buckets from where there are too many of them. */
static void
deal_idle(struct bnd_tlb *t, const struct bnd_member *const *members,
          size_t n, bnd_id active)
{
    struct tlb_share *shares = make_shares(members, n);
    double *fair = xcalloc(n + 1, sizeof *fair);
    bool off;

    add_loads(t, shares, n, active);
    off = fair_idle(shares, n, fair);
    for (size_t i = 0; i < BND_N_SLOTS && off; i++) {
        struct bnd_tlb_slot *slot = &t->slots[i];
        struct tlb_share *from = share_of(shares, n, slot->owner);
        struct tlb_share *to = neediest(shares, n, NULL);

        if (!slot->load && from && to && from != to
            && from->n_idle > fair[from - shares]) {
            slot->owner = to->id;
            from->n_idle--;
            to->n_idle++;
        }
    }
    free(fair);
    free(shares);
}

bool
bnd_tlb_rebalance(struct bnd_tlb *t, const struct bnd_member *const *members,
                  size_t n, bnd_id active, long long int now)
{
    if (!bnd_deadline_expired(t->next, now)) {
        return false;
    }
    take_stock(t, now);
    if (n > 1) {
        deal_heavy(t, members, n, active);
        deal_idle(t, members, n, active);
    }
    return true;
}
