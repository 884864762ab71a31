/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/fast-lanes.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "netdev.h"
#include "ovs-thread.h"
#include "util.h"

__thread struct ob_thread_lanes *ob_thread_lanes;

/* Does the calling thread know yet whether it has lanes? */
static __thread bool known;

static pthread_key_t key;       /* Its destructor empties and frees lanes. */

/* Emptying lanes. */

static bool
is_empty(const struct ob_lanes *l)
{
    for (size_t i = 0; i < l->n_lanes; i++) {
        if (l->lanes[i].n) {
            return false;
        }
    }
    return true;
}

/* Empties 'lane' into 'batch'. */
static void
take_lane(struct ob_lane *lane, struct dp_packet_batch *batch)
{
    dp_packet_batch_init(batch);
    batch->count = lane->n;
    memcpy(batch->packets, lane->packets, lane->n * sizeof lane->packets[0]);
    lane->n = 0;
}

static void
drop_packets(struct ob_lanes *l)
{
    for (size_t i = 0; i < l->n_lanes; i++) {
        struct dp_packet_batch batch;

        take_lane(&l->lanes[i], &batch);
        dp_packet_delete_batch(&batch, true);
    }
}

/* Returns the index of member 'id' among those that may send by 'view'. */
static uint8_t
sender_index(const struct ob_fast_view *view, bnd_id id)
{
    for (size_t i = 0; i < view->n_senders; i++) {
        uint8_t m = view->senders[i];

        if (view->ids[m] == id) {
            return m;
        }
    }
    return BND_VIEW_NONE;
}

/* Takes what was counted for member 'id' and not sent by it off 'moved'. */
static void
uncount(struct ob_fast_view *view, bnd_id id,
        const struct dp_packet_batch *lane, struct ob_counts moved[])
{
    struct ob_counts minus = { 0, 0 };

    for (size_t j = 0; j < lane->count; j++) {
        minus.n_packets--;
        minus.n_bytes -= dp_packet_size(lane->packets[j]);
    }
    for (size_t i = 0; i < view->n_members; i++) {
        if (view->ids[i] == id) {
            ob_counts_add(&moved[i], minus.n_packets, minus.n_bytes);
            return;
        }
    }
    ob_fast_count_past(view->fast, id, minus);
}

/* Gives frames of the host in 'batch', which got the address of the lane that
 * they are in, their own one back. */
static void
restore_sources(const struct ob_lanes *l, size_t lane,
                const struct dp_packet_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct eth_header *eth = dp_packet_data(batch->packets[i]);

        if (eth_addr_equals(eth->eth_src, l->srcs[lane])) {
            eth->eth_src = l->host_mac;
        }
    }
}

/* Sends what is in 'l', which an older view than 'view' chose. */
static void
send_by_new_view(struct ob_lanes *l, struct ob_fast_view *view)
{
    struct ob_counts moved[BND_VIEW_MAX];
    bool any_moved = false;

    memset(moved, 0, sizeof moved);
    for (size_t i = 0; i < l->n_lanes; i++) {
        struct dp_packet_batch batch;
        uint8_t m = sender_index(view, l->ids[i]);

        if (!l->lanes[i].n) {
            continue;
        }
        take_lane(&l->lanes[i], &batch);
        if (l->srcs) {
            /* Members may have exchanged their addresses. */
            restore_sources(l, i, &batch);
        }
        if (m != BND_VIEW_NONE && !l->srcs) {
            l->cb(&l->aux, &batch, &view->outputs[m].nla, true);
        } else {
            any_moved = true;
            uncount(view, l->ids[i], &batch, moved);
            ob_fast_deal_anew(view, &l->aux, l->cb, &batch, moved);
        }
    }
    if (any_moved) {
        ob_fast_count_moved(view, moved);
    }
}

static void
empty(struct ob_lanes *l)
{
    if (is_empty(l)) {
        return;
    }

    struct ob_fast *f = ob_fast_find(l->id);
    struct ob_fast_view *view
        = f ? ovsrcu_get(struct ob_fast_view *, &f->view) : NULL;

    if (!view) {
        drop_packets(l);        /* The bond is gone. */
    } else if (view->generation != l->generation) {
        send_by_new_view(l, view);
    } else {
        for (size_t i = 0; i < l->n_lanes; i++) {
            if (l->lanes[i].n) {
                ob_lane_send(l, view, i, l->lanes[i].n);
            }
        }
    }
}

static void
empty_all(struct ob_thread_lanes *t)
{
    t->pending = false;
    for (size_t i = 0; i < OB_LANES_PER_THREAD; i++) {
        if (t->lanes[i]) {
            empty(t->lanes[i]);
        }
    }
}

/* Lanes of a thread. */

static void
lanes_free(struct ob_lanes *l)
{
    if (l) {
        drop_packets(l);
        free(l->srcs);
        free(l->ids);
        free(l->lanes);
        free(l);
    }
}

/* A PMD thread ends. */
static void
thread_exits(void *t_)
{
    struct ob_thread_lanes *t = t_;

    ob_thread_lanes = NULL;
    for (size_t i = 0; i < OB_LANES_PER_THREAD; i++) {
        lanes_free(t->lanes[i]);
    }
    free(t);
}

static void
thread_begins(void)
{
    static struct ovsthread_once once = OVSTHREAD_ONCE_INITIALIZER;

    if (ovsthread_once_start(&once)) {
        xpthread_key_create(&key, thread_exits);
        ovsthread_once_done(&once);
    }
    known = true;
    if (!strncmp(get_subprogram_name(), "pmd", 3)) {
        ob_thread_lanes = xzalloc(sizeof *ob_thread_lanes);
        xpthread_setspecific(key, ob_thread_lanes);
    }
}

/* The lanes that there are, if any, are those of another bond or view. */
struct ob_lanes *
ob_lanes_get__(struct ob_fast_view *view, const void *dp, odp_execute_cb cb,
               enum dp_packet_source source)
{
    struct ob_lanes **lp
        = &ob_thread_lanes->lanes[view->fast->id % OB_LANES_PER_THREAD];
    struct ob_lanes *l = *lp;

    if (l) {
        empty(l);
    }
    if (!l || l->n_lanes != view->n_members) {
        lanes_free(l);
        *lp = l = xzalloc(sizeof *l);
        l->n_lanes = view->n_members;
        l->ids = xcalloc(l->n_lanes, sizeof *l->ids);
        l->lanes = xcalloc(l->n_lanes, sizeof *l->lanes);
    }
    l->id = view->fast->id;
    l->generation = view->generation;
    l->aux = ob_attach_copy_aux(dp);
    l->cb = cb;
    l->source = source;
    memcpy(l->ids, view->ids, l->n_lanes * sizeof *l->ids);
    free(l->srcs);
    l->srcs = NULL;
    if (view->srcs) {
        l->srcs = xmemdup(view->srcs, l->n_lanes * sizeof *l->srcs);
        l->host_mac = view->base->host_mac;
    }
    return l;
}

/* Receiving. */

OB_HOOK(netdev_rxq_recv);

/* A queue is asked: the packets that it yielded before have been dealt
 * with. */
int
__wrap_netdev_rxq_recv(struct netdev_rxq *rxq, struct dp_packet_batch *batch,
                       int *qfill)
{
    int error = __real_netdev_rxq_recv(rxq, batch, qfill);
    struct ob_thread_lanes *t = ob_thread_lanes;

    if (OVS_UNLIKELY(!t)) {
        if (!known) {
            thread_begins();
        }
        return error;
    }

    t->queue = rxq;
    t->burst = !error && batch->count == NETDEV_MAX_BURST;
    if (t->pending) {
        bool dry = !t->burst && (rxq == t->origin || batch->count);

        /* What came in by this queue before must leave before this. */
        t->polls++;
        t->rounds += t->burst;
        if (dry || t->rounds >= OB_LANE_ROUNDS || t->polls >= OB_LANE_POLLS) {
            empty_all(t);
        }
    }
    return error;
}
