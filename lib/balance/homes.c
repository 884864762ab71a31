/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "balance/homes.h"

#include <stdlib.h>
#include "util.h"

/* What one member has and should have. */
struct tenant {
    bnd_id id;
    uint64_t weight;
    size_t has;                 /* Buckets at home with it... */
    size_t target;              /* ...and how many it should have. */
    uint64_t rest;              /* Remainder of the division by weight. */
    bool extra;                 /* Got one of those left by rounding. */
};

void
bnd_weigh_members(const struct bnd_member *const *members, size_t n,
                  bool weighted, uint64_t weights[])
{
    uint64_t lowest = UINT64_MAX;

    for (size_t i = 0; i < n && weighted; i++) {
        if (members[i]->speed_mbps) {
            lowest = MIN(lowest, members[i]->speed_mbps);
        }
    }
    for (size_t i = 0; i < n; i++) {
        weights[i] = (lowest == UINT64_MAX ? 1
                      : members[i]->speed_mbps ? members[i]->speed_mbps
                      : lowest);
    }
}

static struct tenant *
find_tenant(struct tenant *tenants, size_t n, bnd_id id)
{
    for (size_t i = 0; i < n; i++) {
        if (tenants[i].id == id) {
            return &tenants[i];
        }
    }
    return NULL;
}

/* Should 'a' get a bucket left by rounding rather than 'b'?  Of two that are
 * as close, who has more than its target keeps it, so that nothing moves
 * without need, and nothing at all if this is asked again. */
static bool
goes_first(const struct tenant *a, const struct tenant *b)
{
    return (a->rest != b->rest ? a->rest > b->rest
            : a->has + b->target > b->has + a->target);
}

static void
set_targets(struct tenant *tenants, size_t n, size_t n_slots)
{
    uint64_t sum = 0;
    size_t left = n_slots;

    for (size_t i = 0; i < n; i++) {
        sum += tenants[i].weight;
    }
    for (size_t i = 0; i < n; i++) {
        uint64_t share = n_slots * tenants[i].weight;

        tenants[i].target = share / sum;
        tenants[i].rest = share % sum;
        left -= tenants[i].target;
    }
    for (; left; left--) {
        struct tenant *best = NULL;

        for (size_t i = 0; i < n; i++) {
            if (!tenants[i].extra
                && (!best || goes_first(&tenants[i], best))) {
                best = &tenants[i];
            }
        }
        best->extra = true;
        best->target++;
    }
}

/* Returns the tenant that lacks most of its target, in proportion; the first
 * one of several. */
static struct tenant *
neediest(struct tenant *tenants, size_t n)
{
    struct tenant *best = NULL;

    for (size_t i = 0; i < n; i++) {
        struct tenant *t = &tenants[i];

        if (t->has < t->target
            && (!best || t->has * best->target < best->has * t->target)) {
            best = t;
        }
    }
    return best;
}

/* Returns what each of 'n' members has, for the caller to free.  Where nobody
 * has anything the number of buckets is chosen anew. */
static struct tenant *
make_tenants(struct bnd_homes *h, const struct bnd_member *const *members,
             size_t n, bool weighted)
{
    struct tenant *tenants = xcalloc(n, sizeof *tenants);
    uint64_t *weights = xcalloc(n, sizeof *weights);
    size_t n_housed = 0;

    bnd_weigh_members(members, n, weighted, weights);
    for (size_t i = 0; i < n; i++) {
        tenants[i].id = members[i]->id;
        tenants[i].weight = weights[i];
    }
    free(weights);

    for (size_t b = 0; b < h->n_slots; b++) {
        struct tenant *t = find_tenant(tenants, n, h->home[b]);

        if (t) {
            t->has++;
            n_housed++;
        }
    }
    if (!n_housed) {
        h->n_slots = weighted ? BND_N_SLOTS : BND_N_SLOTS / n * n;
        for (size_t b = 0; b < h->n_slots; b++) {
            h->home[b] = BND_NO_MEMBER;
        }
    }
    return tenants;
}

/* Are 'tenants' those that the homes fit already?  They are from now on. */
static bool
fits_already(struct bnd_homes *h, const struct tenant *tenants, size_t n)
{
    bool same = n == h->n_owners;

    for (size_t i = 0; i < n && same; i++) {
        same = (tenants[i].id == h->owners[i].id
                && tenants[i].weight == h->owners[i].weight);
    }
    if (!same) {
        h->owners = xrealloc(h->owners, n * sizeof *h->owners);
        for (size_t i = 0; i < n; i++) {
            h->owners[i].id = tenants[i].id;
            h->owners[i].weight = tenants[i].weight;
        }
        h->n_owners = n;
    }
    return same;
}

void
bnd_homes_uninit(struct bnd_homes *h)
{
    free(h->owners);
    h->owners = NULL;
    h->n_owners = 0;
}

void
bnd_homes_update(struct bnd_homes *h, const struct bnd_member *const *members,
                 size_t n, bool weighted)
{
    if (!n) {
        return;
    }

    struct tenant *tenants = make_tenants(h, members, n, weighted);

    if (fits_already(h, tenants, n)) {
        free(tenants);
        return;
    }
    set_targets(tenants, n, h->n_slots);
    for (size_t b = h->n_slots; b-- > 0; ) {
        struct tenant *t = find_tenant(tenants, n, h->home[b]);

        if (!t || t->has > t->target) {
            h->home[b] = BND_NO_MEMBER;
            if (t) {
                t->has--;
            }
        }
    }
    for (size_t b = 0; b < h->n_slots; b++) {
        if (h->home[b] == BND_NO_MEMBER) {
            struct tenant *t = neediest(tenants, n);

            h->home[b] = t->id;
            t->has++;
        }
    }
    free(tenants);
}
