/* SPDX-License-Identifier: Apache-2.0 */

/* What fastpath.c (who publishes) and fast-output.c (who sends) share. */

#ifndef OB_FASTPATH_PRIVATE_H
#define OB_FASTPATH_PRIVATE_H 1

#include "cmap.h"
#include "netlink-protocol.h"
#include "odp-execute.h"
#include "ofproto-bond/fastpath.h"
#include "openvswitch/list.h"
#include "openvswitch/thread.h"
#include "ovs-atomic.h"
#include "ovs-rcu.h"
#include "xmit/resolve.h"

/* The action "output to this port", as the datapath reads it. */
struct ob_output_action {
    struct nlattr nla;
    odp_port_t port;
};

/* Packets of this priority leave by this member: it is the priority of an
 * OpenFlow queue of its own. */
struct ob_pin {
    uint32_t priority;
    uint8_t member;
};

/* Counters of one thread.  Only as many as the view has are allocated. */
struct ob_count_block {
    struct ob_counts *moved;    /* By member, to be added; or null.  Packets
                                 * that were counted for another one before
                                 * they were sent. */
    struct ob_counts counts[OB_N_PLACES]; /* By place, or by member. */
};

/* Immutable, but for the counters. */
struct ob_fast_view {
    /* Read by datapath threads, what every packet needs first. */
    uint8_t xmit;               /* enum bnd_xmit. */
    uint8_t policy;             /* enum bnd_policy. */
    bool compat;
    bool gaps;                  /* Some bucket has no member. */
    uint8_t active;             /* Index of a member, or BND_VIEW_NONE. */
    bool in_turn;               /* Every turn is its own member's. */
    uint16_t packets_per;
    uint32_t n_slots;
    uint32_t n_members;
    uint64_t inverse;           /* Of 'n_slots', see slot_of(). */
    uint32_t basis;
    uint32_t n_pins;            /* In 'pins'. */
    struct ob_fast *fast;
    uint64_t generation;        /* No other view, of any bond, has it. */
    uint8_t places[OB_N_PLACES]; /* Members, as in struct bnd_resolved, like
                                 * these. */
    uint8_t turns[BND_VIEW_MAX];
    uint8_t senders[BND_VIEW_MAX];
    size_t n_senders;

    /* BND_XMIT_LB. */
    uint64_t host_src;          /* The host's address as bnd_peek_src() tells
                                 * it, or what no frame has. */
    struct eth_addr *srcs;      /* By which address the host's frames leave by
                                 * each member: BND_VIEW_MAX + 1 of them... */
    struct bnd_view *base;      /* ...and what their buckets depend on.  Both
                                 * null otherwise. */

    struct ob_output_action *outputs;   /* Of each member. */
    bnd_id *ids;                        /* Of each member. */
    struct ob_pin *pins;

    /* Counters: 'n_blocks' of threads, allocated when a thread first needs
     * its own, and those of all other threads, which are atomic. */
    ATOMIC(struct ob_count_block *) *blocks;
    size_t n_blocks;
    ATOMIC(struct ob_count_block *) shared;

    struct ovs_list node;       /* In fast->views. */
};

/* The fast path of one bond. */
struct ob_fast {
    struct cmap_node node;      /* In the table of all, by 'id'. */
    uint32_t id;                /* In the datapath. */
    struct ovs_refcount ref_cnt; /* Its views, and whoever created it. */
    OVSRCU_TYPE(struct ob_fast_view *) view; /* Null: not in use yet. */
    atomic_uint32_t turn;       /* balance-rr: packets dealt so far. */

    struct ovs_mutex mutex;     /* Protects what follows. */
    struct bnd_view *base;      /* What was published, or null... */
    odp_port_t *ports;          /* ...with these port numbers... */
    uint32_t *priorities;       /* ...and priorities of members' queues. */
    uint8_t cut[BND_VIEW_MAX];  /* Bool: members of 'base' cut out. */
    struct ovs_list views;      /* Of struct ob_fast_view: not freed yet. */
    struct ob_stats past;       /* Counters of those that are. */
};

/* Counters that 'view' has: of places, if 'has_places', or of members. */
static inline bool
ob_fast_has_places(const struct ob_fast_view *view)
{
    return view->n_slots || view->xmit == BND_XMIT_LB;
}

static inline size_t
ob_fast_n_counters(const struct ob_fast_view *view)
{
    return (view->xmit == BND_XMIT_LB ? OB_N_PLACES : BND_N_SLOTS);
}

/* Returns the fast path with 'id' in the datapath, or null. */
struct ob_fast *ob_fast_find(uint32_t id);

/* Returns the calling thread's counters in 'view', or null if it has none of
 * its own.  Then it must count elsewhere, and add that to those of all such
 * threads with ob_fast_count_shared(). */
struct ob_count_block *ob_fast_block(struct ob_fast_view *);
void ob_fast_count_shared(struct ob_fast_view *,
                          const struct ob_count_block *);

/* Adds to the counters of the members, of the calling thread. */
void ob_fast_count_moved(struct ob_fast_view *,
                         const struct ob_counts moved[]);

/* The same for a member that has left.  Takes a lock. */
void ob_fast_count_past(struct ob_fast *, bnd_id id, struct ob_counts more);

/* Sends 'batch', which is used up, as 'view' says, at once.  Its packets have
 * been counted before; adds to 'moved' what each member has got. */
void ob_fast_deal_anew(struct ob_fast_view *view, void *dp,
                       odp_execute_cb, struct dp_packet_batch *batch,
                       struct ob_counts moved[]);

#endif /* fastpath-private.h */
