/* SPDX-License-Identifier: Apache-2.0 */

/* Lanes: packets on their way to a member
 * =======================================
 *
 * A burst of 32 packets that is shared out among n members makes n small
 * outputs, and an output costs as much for two packets as for 32.  So, while a
 * receive queue yields full bursts, which means that more packets wait in it
 * than we can take at once, a PMD thread puts what it chose a member for in
 * that member's lane and sends a lane when it is full.  Each output is then of
 * 32 packets, however many members there are.
 *
 * A packet stays in a lane no longer than
 *   - until its receive queue, or any that has something, being asked again,
 *     does not yield a full burst,
 *   - or there were OB_LANE_ROUNDS of them,
 *   - or OB_LANE_POLLS queues have been asked (should its own be gone).
 * Where there is no queue of packets to wait for, nothing waits; and packets of
 * one queue keep their order.
 *
 * If the bond's view changes meanwhile, packets for a member that may not send
 * any more are dealt out anew; all are, where they get addresses of members.
 *
 * Threads
 * -------
 * Every PMD thread has lanes of its own.  No other thread has any, as only
 * those come back to their queues all the time. */

#ifndef OB_FAST_LANES_H
#define OB_FAST_LANES_H 1

#include <string.h>
#include "dp-packet.h"
#include "odp-execute.h"
#include "ofproto-bond/attach.h"
#include "ofproto-bond/fastpath-private.h"

/* About 50 microseconds at most, while packets come in faster than they can be
 * forwarded; enough for 16 members. */
#define OB_LANE_ROUNDS 16
#define OB_LANE_POLLS 256

/* Packets for one member.  Fewer than a burst, but for a moment: there is room
 * for another one. */
struct ob_lane {
    size_t n;
    struct dp_packet *packets[2 * NETDEV_MAX_BURST];
};

/* Lanes of one bond in one thread. */
struct ob_lanes {
    uint32_t id;                /* Of the bond in the datapath. */
    uint64_t generation;        /* Of the view that chose the lanes. */
    struct ob_datapath_aux aux; /* For the datapath's callback... */
    odp_execute_cb cb;          /* ...which is this. */
    enum dp_packet_source source; /* Of the packets; never mixed. */
    size_t n_lanes;             /* As many as members. */
    bnd_id *ids;                /* Of the members. */
    struct ob_lane *lanes;
    struct eth_addr host_mac;   /* BND_XMIT_LB: the host's address, in place of
                                 * which its frames... */
    struct eth_addr *srcs;      /* ...have this in each lane; else null. */
};

/* Lanes of one thread. */
#define OB_LANES_PER_THREAD 16
struct ob_thread_lanes {
    bool burst;                 /* Did the last queue yield a full one? */
    bool pending;               /* May some lane hold packets? */
    const void *queue;          /* The last queue... */
    const void *origin;         /* ...and the last one that filled a lane. */
    unsigned int rounds;        /* Full bursts since lanes were empty... */
    unsigned int polls;         /* ...and queues asked. */
    struct ob_lanes *lanes[OB_LANES_PER_THREAD]; /* By id; or null. */
};

/* Null for threads without lanes. */
extern __thread struct ob_thread_lanes *ob_thread_lanes;

/* Returns the lanes that the calling thread is to put packets of 'view' from
 * 'source' in, or null if it is to send them at once. */
struct ob_lanes *ob_lanes_get__(struct ob_fast_view *, const void *dp,
                                odp_execute_cb, enum dp_packet_source);
static inline struct ob_lanes *
ob_lanes_get(struct ob_fast_view *view, const void *dp, odp_execute_cb cb,
             enum dp_packet_source source)
{
    struct ob_thread_lanes *t = ob_thread_lanes;

    if (!t || !t->burst || view->n_members < 2) {
        return NULL;
    }

    struct ob_lanes *l = t->lanes[view->fast->id % OB_LANES_PER_THREAD];

    if (OVS_UNLIKELY(!l || l->id != view->fast->id || l->source != source
                     || l->generation != view->generation)) {
        l = ob_lanes_get__(view, dp, cb, source);
    }
    t->origin = t->queue;
    if (!t->pending) {
        t->rounds = t->polls = 0;
        t->pending = true;
    }
    return l;
}

/* Sends the first 'n' packets, a burst at most, that are in lane 'm'. */
static inline void
ob_lane_send(struct ob_lanes *l, const struct ob_fast_view *view, size_t m,
             size_t n)
{
    struct ob_lane *lane = &l->lanes[m];
    struct dp_packet_batch batch;

    batch.count = n;
    batch.trunc = false;
    memcpy(batch.packets, lane->packets, n * sizeof lane->packets[0]);
    lane->n -= n;
    memcpy(lane->packets, lane->packets + NETDEV_MAX_BURST,
           lane->n * sizeof lane->packets[0]);
    l->cb(&l->aux, &batch, &view->outputs[m].nla, true);
}

/* Lane 'm' has got packets, no more than a burst, and now holds 'n'. */
static inline void
ob_lane_filled(struct ob_lanes *l, const struct ob_fast_view *view, size_t m,
               size_t n)
{
    l->lanes[m].n = n;
    if (n >= NETDEV_MAX_BURST) {
        ob_lane_send(l, view, m, NETDEV_MAX_BURST);
    }
}

#endif /* fast-lanes.h */
