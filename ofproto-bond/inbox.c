/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/inbox.h"

#include <stdlib.h>
#include <string.h>
#include "core/bnd-types.h"
#include "dp-packet.h"
#include "hash.h"
#include "ofproto-bond/owner.h"
#include "timeval.h"
#include "util.h"

void
ob_inbox_init(struct ob_inbox *in)
{
    mpsc_queue_init(&in->frames);
    atomic_init(&in->n_frames, 0);
    atomic_init(&in->due, BND_NEVER);
    atomic_init(&in->n_dropped, 0);
    for (int i = 0; i < OB_FRAME_PORTS; i++) {
        atomic_init(&in->n_by_port[i], 0);
        atomic_init(&in->last_hash[i], 0);
    }
}

static void
forget_frame(const struct ob_frame *f OVS_UNUSED, void *aux OVS_UNUSED)
{
}

void
ob_inbox_uninit(struct ob_inbox *in)
{
    ob_inbox_drain(in, forget_frame, NULL);
    mpsc_queue_destroy(&in->frames);
}

/* Is 'f' the same as the one before of its port? */
static bool
is_old_news(struct ob_inbox *in, const struct ob_frame *f)
{
    uint32_t hash = hash_bytes(f->data, f->len, hash_pointer(f->aux, 0));
    uint32_t last;

    atomic_read_relaxed(&in->last_hash[f->port], &last);
    atomic_store_relaxed(&in->last_hash[f->port], hash);
    return hash == last;
}

static struct ob_frame *
copy_frame(const void *aux, size_t port, const struct dp_packet *packet,
           long long int arrival, bool by_socket)
{
    size_t len = MIN(dp_packet_size(packet), OB_MAX_FRAME);
    struct ob_frame *f = xmalloc(sizeof *f + len);

    f->aux = aux;
    f->port = port;
    f->by_socket = by_socket;
    f->arrival = arrival;
    f->len = len;
    memcpy(f->data, dp_packet_data(packet), len);
    return f;
}

static void
put(struct ob_inbox *in, const void *aux, const struct dp_packet *packet,
    long long int arrival, bool by_socket, enum ob_inbox_urgency urgency)
{
    size_t port = hash_pointer(aux, 0) % OB_FRAME_PORTS;
    uint32_t n, before;
    bool now;

    atomic_add_explicit(&in->n_by_port[port], 1, &before,
                        memory_order_relaxed);
    if (before >= OB_MAX_FRAMES) {
        atomic_sub_explicit(&in->n_by_port[port], 1, &n,
                            memory_order_relaxed);
        atomic_count_inc64(&in->n_dropped);
        return;
    }

    struct ob_frame *f = copy_frame(aux, port, packet, arrival, by_socket);
    long long int later = BND_NEVER;
    if (urgency == OB_INBOX_NOW) {
        now = !is_old_news(in, f) || !ob_owners_many_lacp();
        later = f->arrival + OB_LACP_GRID;
    } else {
        now = before == OB_MAX_FRAMES / 2;
        later = (urgency == OB_INBOX_SOON ? f->arrival + OB_LACP_GRID
                 : BND_NEVER);
    }

    atomic_add_explicit(&in->n_frames, 1, &n, memory_order_relaxed);
    if (now) {
        atomic_store_relaxed(&in->due, f->arrival);
    } else if (!n) {
        atomic_store_relaxed(&in->due, later);
    }
    mpsc_queue_insert(&in->frames, &f->node);
    if (now || (urgency == OB_INBOX_SOON && !n)) {
        ob_owners_wake();
    }
}

void
ob_inbox_put(struct ob_inbox *in, const void *aux,
             const struct dp_packet *packet, enum ob_inbox_urgency urgency)
{
    put(in, aux, packet, time_msec(), false, urgency);
}

void
ob_inbox_put_heard(struct ob_inbox *in, const void *aux,
                   const struct dp_packet *packet, long long int arrival,
                   enum ob_inbox_urgency urgency)
{
    put(in, aux, packet, arrival, true, urgency);
}

long long int
ob_inbox_due(const struct ob_inbox *in_)
{
    struct ob_inbox *in = CONST_CAST(struct ob_inbox *, in_);
    long long int due = BND_NEVER;
    uint32_t n;

    atomic_read_explicit(&in->n_frames, &n, memory_order_acquire);
    if (n) {
        atomic_read_relaxed(&in->due, &due);
    }
    return due;
}

void
ob_inbox_drain(struct ob_inbox *in,
               void (*cb)(const struct ob_frame *, void *aux), void *aux)
{
    struct mpsc_queue_node *node;
    uint32_t orig;

    mpsc_queue_acquire(&in->frames);
    MPSC_QUEUE_FOR_EACH_POP (node, &in->frames) {
        struct ob_frame *f = CONTAINER_OF(node, struct ob_frame, node);

        atomic_sub_explicit(&in->n_frames, 1, &orig, memory_order_relaxed);
        atomic_sub_explicit(&in->n_by_port[f->port], 1, &orig,
                            memory_order_relaxed);
        cb(f, aux);
        free(f);
    }
    mpsc_queue_release(&in->frames);
}
