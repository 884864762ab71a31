/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/fastpath.h"

#include <stdlib.h>
#include <string.h>
#include "hash.h"
#include "odp-util.h"
#include "ofproto-bond/fastpath-private.h"
#include "ofproto-bond/thread-slot.h"
#include "ovs-thread.h"
#include "packets.h"
#include "util.h"
#include "wire/dissect.h"

/* Threads that may come up while a view lives, beyond those that are there, or
 * beyond two for each core (one that polls, one that handles). */
#define SPARE_BLOCKS 4
static unsigned int n_usual;    /* Main thread writes, before any view. */

static struct cmap all = CMAP_INITIALIZER; /* Main thread writes. */

/* Those ids that come by most often meet here without a search. */
#define N_DIRECT 1024
static OVSRCU_TYPE(struct ob_fast *) direct[N_DIRECT];

struct ob_fast *
ob_fast_find(uint32_t id)
{
    struct ob_fast *f = ovsrcu_get(struct ob_fast *, &direct[id % N_DIRECT]);

    if (OVS_LIKELY(f && f->id == id)) {
        return f;
    }
    CMAP_FOR_EACH_WITH_HASH (f, node, hash_int(id, 0), &all) {
        if (f->id == id) {
            return f;
        }
    }
    return NULL;
}

/* Statistics. */

void
ob_stats_uninit(struct ob_stats *stats)
{
    free(stats->members);
    memset(stats, 0, sizeof *stats);
}

struct ob_counts *
ob_stats_member(struct ob_stats *stats, bnd_id id)
{
    for (size_t i = 0; i < stats->n_members; i++) {
        if (stats->members[i].id == id) {
            return &stats->members[i].counts;
        }
    }

    stats->members = xrealloc(stats->members, ((stats->n_members + 1)
                                               * sizeof *stats->members));

    struct ob_member_counts *m = &stats->members[stats->n_members++];
    memset(m, 0, sizeof *m);
    m->id = id;
    return &m->counts;
}

static void
add_counts(struct ob_counts *to, const struct ob_counts *more)
{
    ob_counts_add(to, more->n_packets, more->n_bytes);
}

void
ob_stats_add(struct ob_stats *stats, const struct ob_stats *more)
{
    for (size_t i = 0; i < OB_N_PLACES; i++) {
        add_counts(&stats->places[i], &more->places[i]);
    }
    for (size_t i = 0; i < more->n_members; i++) {
        add_counts(ob_stats_member(stats, more->members[i].id),
                   &more->members[i].counts);
    }
}

/* Adds what one thread counted in 'view' to 'stats'. */
static void
add_block(const struct ob_fast_view *view, const struct ob_count_block *block,
          struct ob_stats *stats)
{
    bool has_places = ob_fast_has_places(view);
    size_t n = has_places ? ob_fast_n_counters(view) : view->n_members;

    for (size_t i = 0; block && i < n; i++) {
        const struct ob_counts *c = &block->counts[i];
        uint8_t m = has_places ? view->places[i] : i;

        if (!c->n_packets || m >= view->n_members) {
            continue;
        }
        if (has_places) {
            add_counts(&stats->places[i], c);
        }
        add_counts(ob_stats_member(stats, view->ids[m]), c);
    }
    for (size_t i = 0; block && block->moved && i < view->n_members; i++) {
        add_counts(ob_stats_member(stats, view->ids[i]), &block->moved[i]);
    }
}

static void
add_view(const struct ob_fast_view *view, struct ob_stats *stats)
{
    for (size_t i = 0; i < view->n_blocks; i++) {
        struct ob_count_block *block;

        atomic_read_explicit(&view->blocks[i], &block, memory_order_acquire);
        add_block(view, block, stats);
    }

    struct ob_count_block *shared;

    atomic_read_explicit(&view->shared, &shared, memory_order_acquire);
    add_block(view, shared, stats);
}

static struct ob_count_block *
block_create(const struct ob_fast_view *view)
{
    return xzalloc_cacheline(offsetof(struct ob_count_block, counts)
                             + (ob_fast_n_counters(view)
                                * sizeof(struct ob_counts)));
}

struct ob_count_block *
ob_fast_block(struct ob_fast_view *view)
{
    unsigned int slot = ob_thread_slot();
    struct ob_count_block *block;

    if (OVS_UNLIKELY(slot >= view->n_blocks)) {
        return NULL;
    }
    atomic_read_relaxed(&view->blocks[slot], &block);
    if (OVS_UNLIKELY(!block)) {
        block = block_create(view);
        atomic_store_explicit(&view->blocks[slot], block,
                              memory_order_release);
    }
    return block;
}

void
ob_fast_count_shared(struct ob_fast_view *view,
                     const struct ob_count_block *more)
{
    /* A lock, as an exception: there are not so many threads. */
    ovs_mutex_lock(&view->fast->mutex);

    struct ob_count_block *shared;
    atomic_read_relaxed(&view->shared, &shared);
    if (!shared) {
        shared = block_create(view);
        atomic_store_explicit(&view->shared, shared, memory_order_release);
    }
    for (size_t i = 0; i < ob_fast_n_counters(view); i++) {
        add_counts(&shared->counts[i], &more->counts[i]);
    }
    ovs_mutex_unlock(&view->fast->mutex);
}

void
ob_fast_count_moved(struct ob_fast_view *view, const struct ob_counts moved[])
{
    struct ob_count_block *block = ob_fast_block(view);

    if (block) {
        if (!block->moved) {
            block->moved = xcalloc(view->n_members + 1, sizeof *block->moved);
        }
        for (size_t i = 0; i < view->n_members; i++) {
            add_counts(&block->moved[i], &moved[i]);
        }
    }
}

void
ob_fast_count_past(struct ob_fast *f, bnd_id id, struct ob_counts more)
{
    ovs_mutex_lock(&f->mutex);
    add_counts(ob_stats_member(&f->past, id), &more);
    ovs_mutex_unlock(&f->mutex);
}

void
ob_fast_get_stats(struct ob_fast *f, struct ob_stats *stats)
{
    const struct ob_fast_view *view;

    ovs_mutex_lock(&f->mutex);
    *stats = f->past;
    stats->members = xmemdup(f->past.members, (f->past.n_members
                                               * sizeof *stats->members));
    LIST_FOR_EACH (view, node, &f->views) {
        add_view(view, stats);
    }
    ovs_mutex_unlock(&f->mutex);
}

/* Life and death. */

static void
fast_unref(struct ob_fast *f)
{
    if (ovs_refcount_unref(&f->ref_cnt) == 1) {
        ob_stats_uninit(&f->past);
        ovs_mutex_destroy(&f->mutex);
        free(f->base);
        free(f->ports);
        free(f->priorities);
        free(f);
    }
}

static void
block_free(struct ob_count_block *block)
{
    if (block) {
        free(block->moved);
        free_cacheline(block);
    }
}

/* Nobody uses 'view' any more: what it counted will not change. */
static void
view_free(struct ob_fast_view *view)
{
    struct ob_fast *f = view->fast;

    ovs_mutex_lock(&f->mutex);
    add_view(view, &f->past);
    ovs_list_remove(&view->node);
    ovs_mutex_unlock(&f->mutex);

    struct ob_count_block *block;
    for (size_t i = 0; i < view->n_blocks; i++) {
        atomic_read_relaxed(&view->blocks[i], &block);
        block_free(block);
    }
    free(view->blocks);
    atomic_read_relaxed(&view->shared, &block);
    block_free(block);
    free(view->outputs);
    free(view->ids);
    free(view->pins);
    free(view->srcs);
    free(view->base);
    free_cacheline(view);
    fast_unref(f);
}

struct ob_fast *
ob_fast_create(uint32_t id)
{
    struct ob_fast *f = xzalloc(sizeof *f);

    if (!n_usual) {
        n_usual = 2 * MAX(count_total_cores(), 1);
    }
    f->id = id;
    ovs_refcount_init(&f->ref_cnt);
    ovsrcu_init(&f->view, NULL);
    atomic_init(&f->turn, 0);
    ovs_mutex_init(&f->mutex);
    ovs_list_init(&f->views);
    cmap_insert(&all, &f->node, hash_int(id, 0));
    ovsrcu_set(&direct[id % N_DIRECT], f);
    return f;
}

void
ob_fast_destroy(struct ob_fast *f)
{
    if (!f) {
        return;
    }
    if (ovsrcu_get_protected(struct ob_fast *, &direct[f->id % N_DIRECT])
        == f) {
        ovsrcu_set(&direct[f->id % N_DIRECT], NULL);
    }
    cmap_remove(&all, &f->node, hash_int(f->id, 0));

    ovs_mutex_lock(&f->mutex);
    struct ob_fast_view *view = ovsrcu_get_protected(struct ob_fast_view *,
                                                     &f->view);
    ovs_mutex_unlock(&f->mutex);
    if (view) {
        /* Readers that found 'f' may still count in it. */
        ovsrcu_postpone(view_free, view);
    }
    ovsrcu_postpone(fast_unref, f);
}

/* Publishing. */

/* Returns what x % n is to be multiplied with, see slot_of(). */
static uint64_t
inverse_of(uint32_t n)
{
    return n ? UINT64_MAX / n + 1 : 0;
}

static void
copy_resolved(struct ob_fast_view *fv, const struct bnd_resolved *r)
{
    fv->active = r->active;
    memcpy(fv->places, r->slots, sizeof r->slots);
    memcpy(&fv->places[OB_HOST_PLACE(0)], r->host_slots,
           sizeof r->host_slots);
    fv->places[OB_UNBALANCED] = r->active;
    memcpy(fv->turns, r->turns, sizeof fv->turns);
    memcpy(fv->senders, r->senders, sizeof fv->senders);
    fv->n_senders = r->n_senders;

    fv->gaps = !fv->n_slots;
    for (size_t i = 0; i < fv->n_slots; i++) {
        fv->gaps |= fv->places[i] == BND_VIEW_NONE;
    }
    for (size_t i = OB_HOST_PLACE(0);
         i < OB_N_PLACES && fv->xmit == BND_XMIT_LB; i++) {
        fv->gaps |= fv->places[i] == BND_VIEW_NONE;
    }
    fv->in_turn = true;
    for (size_t i = 0; i < fv->n_members; i++) {
        fv->in_turn &= fv->turns[i] == i;
    }
}

static void
copy_pins(struct ob_fast_view *fv, const struct bnd_resolved *r,
          const uint32_t priorities[])
{
    fv->pins = xcalloc(r->n_pins + 1, sizeof *fv->pins);
    for (size_t i = 0; i < r->n_pins; i++) {
        uint8_t m = r->pins[i];

        if (priorities[m]) {
            fv->pins[fv->n_pins++] = (struct ob_pin) {
                .priority = priorities[m],
                .member = m,
            };
        }
    }
}

/* What frames of the host need: by the active member they leave with their own
 * address, by others with that member's. */
static void
copy_host(struct ob_fast_view *fv, const struct bnd_view *base)
{
    fv->host_src = UINT64_MAX;
    if (fv->xmit != BND_XMIT_LB) {
        return;
    }
    if (!eth_addr_is_zero(base->host_mac)) {
        struct eth_header like = { .eth_src = base->host_mac };

        fv->host_src = bnd_peek_src((const uint8_t *) &like);
    }
    fv->base = xmemdup(base, bnd_view_size(base));
    fv->srcs = xcalloc(BND_VIEW_MAX + 1, sizeof *fv->srcs);
    for (size_t i = 0; i < base->n_members; i++) {
        fv->srcs[i] = base->members[i].mac;
    }
    fv->srcs[fv->active] = base->host_mac;
}

/* Returns a flat copy of 'f->base' with what is cut out of it. */
static struct ob_fast_view *
make_view(struct ob_fast *f)
    OVS_REQUIRES(f->mutex)
{
    const struct bnd_view *base = f->base;
    struct ob_fast_view *fv = xzalloc_cacheline(sizeof *fv);
    struct bnd_resolved r;

    bnd_view_resolve(base, f->cut, &r);

    fv->xmit = base->xmit;
    fv->policy = base->policy;
    fv->compat = base->compat;
    fv->packets_per = base->packets_per;
    fv->n_slots = base->n_slots;
    fv->inverse = inverse_of(base->n_slots);
    fv->n_members = base->n_members;
    fv->basis = base->basis;
    fv->fast = f;
    ovs_refcount_ref(&f->ref_cnt);
    copy_resolved(fv, &r);
    copy_host(fv, base);
    if (r.n_pins) {
        copy_pins(fv, &r, f->priorities);
    }

    fv->outputs = xcalloc(base->n_members + 1, sizeof *fv->outputs);
    fv->ids = xcalloc(base->n_members + 1, sizeof *fv->ids);
    for (size_t i = 0; i < base->n_members; i++) {
        fv->outputs[i].nla.nla_len = sizeof fv->outputs[i];
        fv->outputs[i].nla.nla_type = OVS_ACTION_ATTR_OUTPUT;
        fv->outputs[i].port = f->ports[i];
        fv->ids[i] = base->members[i].id;
    }

    fv->n_blocks = MIN(MAX(ob_thread_slots_bound(), n_usual) + SPARE_BLOCKS,
                       OB_MAX_THREAD_SLOTS);
    fv->blocks = xcalloc(fv->n_blocks, sizeof *fv->blocks);
    return fv;
}

/* Returns a number that no view of any bond had before. */
static uint64_t
next_generation(void)
{
    static atomic_uint64_t last = ATOMIC_VAR_INIT(0);
    uint64_t orig;

    atomic_add(&last, 1, &orig);
    return orig + 1;
}

/* Makes what 'f->base' and 'f->cut' say the truth. */
static void
republish(struct ob_fast *f)
    OVS_REQUIRES(f->mutex)
{
    struct ob_fast_view *old = ovsrcu_get_protected(struct ob_fast_view *,
                                                    &f->view);
    struct ob_fast_view *new = make_view(f);

    new->generation = next_generation();
    ovs_list_push_back(&f->views, &new->node);
    ovsrcu_set(&f->view, new);
    if (old) {
        ovsrcu_postpone(view_free, old);
    }
}

void
ob_fast_publish(struct ob_fast *f, const struct bnd_view *view,
                const odp_port_t ports[], const uint32_t priorities[])
{
    struct bnd_view *base;
    uint8_t cut[BND_VIEW_MAX] = { 0 };

    base = (view
            ? xmemdup(view, bnd_view_size(view)) : bnd_view_new(0));

    ovs_mutex_lock(&f->mutex);
    for (size_t i = 0; i < base->n_members; i++) {
        if (ports[i] == ODPP_NONE) {
            base->members[i].enabled = false;
        }
        if (f->base) {
            uint8_t was = bnd_view_index(f->base, base->members[i].id);

            cut[i] = was != BND_VIEW_NONE && f->cut[was];
        }
    }
    memcpy(f->cut, cut, sizeof cut);
    free(f->base);
    free(f->ports);
    free(f->priorities);
    f->base = base;
    f->ports = xmemdup(ports, base->n_members * sizeof *ports);
    f->priorities = xmemdup(priorities,
                            base->n_members * sizeof *priorities);
    republish(f);
    ovs_mutex_unlock(&f->mutex);
}

bool
ob_fast_cut(struct ob_fast *f, bnd_id id, bool cut)
{
    bool changed = false;

    ovs_mutex_lock(&f->mutex);
    uint8_t i = f->base ? bnd_view_index(f->base, id) : BND_VIEW_NONE;

    if (i != BND_VIEW_NONE && f->cut[i] != cut) {
        f->cut[i] = cut;
        changed = (f->base->members[i].enabled
                   && (f->base->members[i].cuttable
                       || f->base->members[i].queue_id));
        if (changed) {
            republish(f);
        }
    }
    ovs_mutex_unlock(&f->mutex);
    return changed;
}
