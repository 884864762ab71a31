/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "balance/slots.h"

#include <stdlib.h>
#include <string.h>
#include "core/deadline.h"
#include "core/effects.h"
#include "util.h"

/* A member is significantly more loaded than another if it carries this many
 * bytes more... */
#define MIN_OVERLOAD 100000
/* ...and at least 1/32 (about 3 %) more than the other one carries. */
#define MIN_OVERLOAD_SHIFT 5
/* A move must lower the ratio of the two loads by this much. */
#define MIN_GAIN 0.1

/* What the planner knows of one enabled member. */
struct share {
    const struct bnd_member *member;
    uint64_t weight;            /* What its share is in proportion to... */
    double scale;               /* ...of which this is the inverse. */
    uint64_t load;              /* Bytes in all its buckets. */
    size_t n_slots;             /* All its buckets... */
    size_t n_loaded;            /* ...and those with any load. */
    bool fresh;                 /* Was not there at the last assignment. */
    bool done;                  /* Nothing useful can be taken from it. */
};

void
bnd_slots_init(struct bnd_slots *s, bool is_static, long long int interval,
               long long int now)
{
    memset(s, 0, sizeof *s);
    s->stale = true;
    s->is_static = is_static;
    s->n_slots = BND_N_SLOTS;
    s->interval = -1;
    bnd_slots_set_interval(s, interval, now);
}

void
bnd_slots_uninit(struct bnd_slots *s)
{
    bnd_homes_uninit(&s->homes);
    free(s->known);
    free(s->known_weight);
    s->known = NULL;
    s->known_weight = NULL;
    free(s->seen);
    s->seen = NULL;
}

void
bnd_slots_set_interval(struct bnd_slots *s, long long int interval,
                       long long int now)
{
    if (interval != s->interval) {
        s->stale = true;
        s->interval = interval;
        s->next_rebalance = (interval
                             ? bnd_deadline_in(now, interval) : BND_NEVER);
    }
}

void
bnd_slots_set_weighted(struct bnd_slots *s, bool weighted)
{
    s->stale |= s->weighted != weighted;
    s->weighted = weighted;
}

void
bnd_slots_set_patient(struct bnd_slots *s)
{
    s->patient = true;
}

/* Returns the shares of the enabled ones of 'n' members, '*n_shares' of them;
 * the caller frees them. */
static struct share *
make_shares(const struct bnd_slots *s,
            const struct bnd_member *const *members, size_t n,
            size_t *n_shares)
{
    struct share *shares = xcalloc(n + 1, sizeof *shares);
    uint64_t *weights = xcalloc(n + 1, sizeof *weights);
    uint64_t lowest = UINT64_MAX;
    size_t k = 0;

    bnd_weigh_members(members, n, s->weighted, weights);
    for (size_t i = 0; i < n; i++) {
        lowest = MIN(lowest, weights[i]);
    }
    for (size_t i = 0; i < n; i++) {
        if (!members[i]->enabled) {
            continue;
        }
        shares[k].member = members[i];
        shares[k].weight = weights[i];
        shares[k].scale = (double) lowest / weights[i];
        for (size_t j = 0; j < s->n_slots; j++) {
            if (s->owner[j] == members[i]->id) {
                shares[k].load += s->load[j];
                shares[k].n_slots++;
                shares[k].n_loaded += s->load[j] > 0;
            }
        }
        k++;
    }
    free(weights);
    *n_shares = k;
    return shares;
}

static struct share *
share_of(struct share *shares, size_t n, bnd_id id)
{
    for (size_t i = 0; i < n; i++) {
        if (shares[i].member->id == id) {
            return &shares[i];
        }
    }
    return NULL;
}

/* Has 'a' fewer buckets than 'b', for its weight, if each got one more? */
static bool
has_fewer(const struct share *a, const struct share *b)
{
    return (a->n_slots + 1) * b->weight < (b->n_slots + 1) * a->weight;
}

/* Returns the share with the fewest buckets for its weight, the first one of
 * several; of those that are fresh only if 'fresh', and never 'except'.  Null
 * if there is none. */
static struct share *
fewest_slots(struct share *shares, size_t n, bool fresh,
             const struct share *except)
{
    struct share *min = NULL;

    for (size_t i = 0; i < n; i++) {
        if ((shares[i].fresh || !fresh) && &shares[i] != except
            && (!min || has_fewer(&shares[i], min))) {
            min = &shares[i];
        }
    }
    return min;
}

static bool
was_known(const struct bnd_slots *s, bnd_id id)
{
    for (size_t i = 0; i < s->n_known; i++) {
        if (s->known[i] == id) {
            return true;
        }
    }
    return false;
}

/* Is the set of members in 'shares' the one of the last assignment?  Marks
 * those that are new, and takes note of the set in any case.  If somebody's
 * weight has changed, backups are to be planned anew. */
static bool
same_members(struct bnd_slots *s, struct share *shares, size_t n)
{
    bool same = n == s->n_known;

    for (size_t i = 0; i < n; i++) {
        shares[i].fresh = !was_known(s, shares[i].member->id);
        same &= !shares[i].fresh;
    }
    if (!same) {
        s->known = xrealloc(s->known, (n + 1) * sizeof *s->known);
        s->known_weight = xrealloc(s->known_weight,
                                   (n + 1) * sizeof *s->known_weight);
        for (size_t i = 0; i < n; i++) {
            s->known[i] = shares[i].member->id;
        }
        s->n_known = n;
        s->dirty = true;
    }
    for (size_t i = 0; i < n; i++) {
        s->dirty |= s->known_weight[i] != shares[i].weight;
        s->known_weight[i] = shares[i].weight;
    }
    return same;
}

/* Gives new members buckets without load of those that have more, up to a fair
 * share. */
static void
level_slots(struct bnd_slots *s, struct share *shares, size_t n)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < n; i++) {
        sum += shares[i].weight;
    }
    for (size_t slot = 0; slot < s->n_slots; slot++) {
        struct share *to = fewest_slots(shares, n, true, NULL);
        struct share *from = share_of(shares, n, s->owner[slot]);

        if (!to || to->n_slots >= DIV_ROUND_UP(s->n_slots * to->weight,
                                               sum)) {
            break;
        }
        bool movable = !s->load[slot] || !s->interval;

        if (movable
            && from->n_slots * to->weight > (to->n_slots + 1) * from->weight) {
            s->owner[slot] = to->member->id;
            from->n_slots--;
            to->n_slots++;
        }
    }
}

/* Brings buckets whose home can be used there, after making the homes fit the
 * members.  Buckets whose home is down stay where they were put up. */
static void
go_home(struct bnd_slots *s, const struct bnd_member *const *members,
        size_t n)
{
    bnd_homes_update(&s->homes, members, n, s->weighted);
    s->n_slots = s->homes.n_slots;
    for (size_t slot = 0; slot < s->n_slots; slot++) {
        bnd_id home = s->homes.home[slot];

        if (s->owner[slot] == home) {
            continue;
        }
        for (size_t i = 0; i < n; i++) {
            if (members[i]->id == home && members[i]->enabled) {
                s->owner[slot] = home;
                s->dirty = true;
            }
        }
    }
}

void
bnd_slots_plan(struct bnd_slots *s, const struct bnd_member *const *members,
               size_t n_members)
{
    if (!s->dirty) {
        return;
    }

    size_t n;
    struct share *shares = make_shares(s, members, n_members, &n);

    s->dirty = false;
    for (size_t i = 0; i < n; i++) {
        const struct share *lost = &shares[i];
        struct share *left = xmemdup(shares, (n + 1) * sizeof *shares);

        for (size_t slot = 0; slot < s->n_slots; slot++) {
            if (s->owner[slot] == lost->member->id) {
                struct share *to = fewest_slots(left, n, false, &left[i]);

                s->backup[slot] = to ? to->member->id : BND_NO_MEMBER;
                if (to) {
                    to->n_slots++;
                }
            }
        }
        free(left);
    }
    free(shares);
}

/* Is everything that an assignment looks at as it was the last time?  Takes
 * note of it.  Most passes are about something else. */
static bool
nothing_new(struct bnd_slots *s, const struct bnd_member *const *members,
            size_t n)
{
    bool same = n == s->n_seen && !s->stale;

    for (size_t i = 0; i < n && same; i++) {
        same = (s->seen[i].id == members[i]->id
                && s->seen[i].enabled == members[i]->enabled
                && s->seen[i].speed_mbps == members[i]->speed_mbps);
    }
    if (!same) {
        s->seen = xrealloc(s->seen, (n + 1) * sizeof *s->seen);
        for (size_t i = 0; i < n; i++) {
            s->seen[i].id = members[i]->id;
            s->seen[i].enabled = members[i]->enabled;
            s->seen[i].speed_mbps = members[i]->speed_mbps;
        }
        s->n_seen = n;
        s->stale = false;
    }
    return same;
}

void
bnd_slots_assign(struct bnd_slots *s,
                 const struct bnd_member *const *members, size_t n_members)
{
    size_t n;

    if (nothing_new(s, members, n_members)) {
        return;
    }

    if (s->is_static) {
        go_home(s, members, n_members);
    }

    struct share *shares = make_shares(s, members, n_members, &n);
    bool same = same_members(s, shares, n);

    for (size_t slot = 0; slot < s->n_slots; slot++) {
        if (!n) {
            s->owner[slot] = BND_NO_MEMBER;
        } else if (!share_of(shares, n, s->owner[slot])) {
            struct share *to = fewest_slots(shares, n, false, NULL);
            s->owner[slot] = to->member->id;
            to->n_slots++;
            s->dirty = true;
        }
    }
    if (!same && n > 1 && !s->is_static) {
        if (s->patient && s->counted && s->interval) {
            s->waits = true;
        } else {
            level_slots(s, shares, n);
        }
    }
    free(shares);
}

void
bnd_slots_level(struct bnd_slots *s, const struct bnd_member *const *members,
                size_t n_members)
{
    size_t n;

    if (s->waits) {
        struct share *shares = make_shares(s, members, n_members, &n);

        for (size_t i = 0; i < n; i++) {
            shares[i].fresh = true;
        }
        if (n > 1) {
            level_slots(s, shares, n);
        }
        free(shares);
        s->waits = false;
        s->dirty = true;
    }
}

void
bnd_slots_account(struct bnd_slots *s, const uint64_t bytes[BND_N_SLOTS])
{
    s->counted = true;
    for (int slot = 0; slot < BND_N_SLOTS; slot++) {
        s->load[slot] += bytes[slot];
        s->total[slot] += bytes[slot];
    }
}

/* The ratio of two loads, at least 1; an idle member counts as one byte. */
static double
load_ratio(uint64_t a, uint64_t b)
{
    uint64_t big = MAX(MAX(a, b), 1);
    uint64_t small = MAX(MIN(a, b), 1);

    return (double) big / small;
}

/* 'load', were it carried by a member of the lowest weight instead of 'x'. */
static uint64_t
scaled(const struct share *x, uint64_t load)
{
    return x->scale == 1 ? load : load * x->scale;
}

/* Returns the bucket of 'from' whose move to 'to' levels the two best, or -1
 * if no move is worth it. */
static int
best_slot(const struct bnd_slots *s, const struct share *from,
          const struct share *to)
{
    double before = load_ratio(scaled(from, from->load),
                               scaled(to, to->load));
    double best_ratio = before - MIN_GAIN;
    int best = -1;

    for (size_t slot = 0; slot < s->n_slots; slot++) {
        uint64_t load = s->load[slot];

        if (s->owner[slot] == from->member->id && load) {
            double after = load_ratio(scaled(from, from->load - load),
                                      scaled(to, to->load + load));
            if (after <= best_ratio) {
                best_ratio = after;
                best = slot;
            }
        }
    }
    return best;
}

/* Gives bucket 'slot' to member 'id', for good. */
static void
move_slot(struct bnd_slots *s, size_t slot, bnd_id id)
{
    s->owner[slot] = id;
    s->dirty = s->stale = true;
    if (s->is_static) {
        s->homes.home[slot] = id;
    }
}

/* Moves one bucket from the most loaded member that can spare one to the least
 * loaded one.  Returns false if there is nothing left to do. */
static bool
move_one(struct bnd_slots *s, struct share *shares, size_t n,
         long long int now, struct bnd_effects *fx)
{
    struct share *from = NULL;
    struct share *to = &shares[0];

    for (size_t i = 0; i < n; i++) {
        uint64_t load = scaled(&shares[i], shares[i].load);

        if (!shares[i].done && (!from || load > scaled(from, from->load))) {
            from = &shares[i];
        }
        if (load < scaled(to, to->load)) {
            to = &shares[i];
        }
    }
    if (!from || from == to) {
        return false;
    }

    uint64_t least = scaled(to, to->load);
    uint64_t overload = scaled(from, from->load) - least;
    if (overload < MIN_OVERLOAD || overload < least >> MIN_OVERLOAD_SHIFT) {
        return false;
    }

    int slot = from->n_loaded > 1 ? best_slot(s, from, to) : -1;
    if (slot < 0) {
        from->done = true;
        return true;
    }

    struct bnd_trace *t = bnd_fx_trace(fx, BND_TRACE_SHIFT, now,
                                       from->member->id, from->member->name);
    t->peer = xstrdup(to->member->name);
    t->slot = slot;
    t->bytes = s->load[slot];

    move_slot(s, slot, to->member->id);
    from->load -= s->load[slot];
    from->n_loaded--;
    to->load += s->load[slot];
    to->n_loaded++;
    return true;
}

void
bnd_slots_rebalance(struct bnd_slots *s,
                    const struct bnd_member *const *members,
                    size_t n_members, long long int now,
                    struct bnd_effects *fx)
{
    if (!bnd_deadline_expired(s->next_rebalance, now)) {
        return;
    }
    s->next_rebalance = bnd_deadline_in(now, s->interval);

    size_t n;
    struct share *shares = make_shares(s, members, n_members, &n);
    if (n > 1) {
        /* A bucket may move more than once, but each move levels two members
         * further; the bound only cuts an unlikely long tail. */
        for (int i = 0; i < BND_N_SLOTS; i++) {
            if (!move_one(s, shares, n, now, fx)) {
                break;
            }
        }
    }
    free(shares);

    for (int slot = 0; slot < BND_N_SLOTS; slot++) {
        s->load[slot] /= 2;
    }
}

void
bnd_slots_migrate(struct bnd_slots *s, int slot, bnd_id id)
{
    move_slot(s, slot % s->n_slots, id);
}
