/* SPDX-License-Identifier: Apache-2.0 */

/* Handles: what Open vSwitch holds of us
 * ======================================
 *
 * 'struct bond' and 'struct lacp' are what ofproto-dpif, its translation and
 * its caches refer to, with reference counts, from any thread.  They hold no
 * more than what those threads touch: the published view and counters, and
 * the queue of received frames.  Everything else is the owner's (owner.h).
 *
 * The last reference may go away on any thread; such a handle goes to the
 * main thread to be taken off its owner and freed (ob_handles_reap()).
 *
 * Source: ofproto/bond.h, lib/lacp.h. */

#ifndef OB_HANDLE_H
#define OB_HANDLE_H 1

#include "ofproto-bond/fastpath.h"
#include "ofproto-bond/inbox.h"
#include "ofproto-bond/sources.h"
#include "openvswitch/list.h"
#include "ovs-atomic.h"
#include "ovs-rcu.h"
#include "xmit/view.h"

struct bnd_settings;
struct bond_settings;
struct ob_ears;
struct ob_lb_rules;
struct ob_owner;

/* A view with OVS's own names for the members beside the engine's.
 * Immutable. */
struct ob_view {
    struct bnd_view *view;
    const void **aux;           /* 'view->n_members' of struct ofport_dpif. */
    ofp_port_t *ofp_port;       /* As many... */
    odp_port_t *odp_port;       /* ...each... */
    uint32_t *priority;         /* ...and the priority, in the datapath, of
                                 * the queue that leaves by it, or 0. */
};

/* OpenFlow queues that a member may have for its own are below this. */
#define OB_N_QUEUES 256

struct bond {
    struct ovs_refcount ref_cnt;
    struct ovs_list reap_node;
    struct ob_owner *owner;     /* Null once detached.  Written by the main
                                 * thread under the owner's mutex. */

    /* Read by the packet path. */
    OVSRCU_TYPE(struct ob_view *) view; /* Null: drop everything. */
    atomic_uint32_t recirc_id;  /* Buckets are ready under this id, or 0. */
    atomic_bool lb_output;      /* They are lb_output's. */
    /* What flows have sent that are a member's own, not read yet, by place
     * or turn.  See ob_flow_slot() for those of a queue. */
    atomic_uint64_t bytes[OB_N_PLACES];
    atomic_uint64_t packets[OB_N_PLACES];
    OVSRCU_TYPE(struct ob_lb_rules *) lb_rules; /* See lb-rules.h. */

    const void *bundle;         /* OVS's struct ofbundle (hosts.h). */
    struct ob_sources sources;  /* Who sends by its members. */
    struct ob_inbox inbox;      /* Answers to probes. */
    struct ob_ears *ears;       /* What it listens for, or null.  Main
                                 * thread. */

    bool is_dummy;              /* On a datapath of tests.  Does not change. */

    /* What each queue is to the datapath.  Does not change: whoever publishes,
     * on whatever thread, needs it. */
    uint32_t priority[OB_N_QUEUES];

    /* Where the datapath chooses, or null.  Written by the main thread; like
     * all who publish, under the owner's mutex. */
    struct ob_fast *fast;
};

struct lacp {
    struct ovs_refcount ref_cnt;
    struct ovs_list reap_node;
    struct ob_owner *owner;     /* Null once detached.  Written by the main
                                 * thread under the owner's mutex. */

    struct ob_inbox inbox;      /* LACPDUs. */
    atomic_llong heard_since;   /* See ob_slow_hears_all(). */
};

/* Returns the view that 'bond' has published, or null.  Good until the calling
 * thread quiesces. */
static inline const struct ob_view *
ob_bond_view(const struct bond *bond)
{
    return ovsrcu_get(struct ob_view *, &bond->view);
}

/* Where flows are counted that leave by the member with index 'i' in 'view' for
 * the sake of their queue: as its turn, or, where there are no turns and place
 * 0 is for the active member, behind that. */
static inline size_t
ob_flow_slot(const struct bnd_view *view, uint8_t i)
{
    return view->xmit == BND_XMIT_ACTIVE ? i + 1 : i;
}

/* Makes '*out' what Open vSwitch says in 's'. */
void ob_bond_settings(const struct bond_settings *s, struct bnd_settings *out);

/* The port, a struct ofport_dpif, of the member that is active in what 'bond'
 * has published, or null. */
void *ob_bond_active_port(const struct bond *bond);

/* Publishes 'view' (taken over, may be null) on 'bond' with the names of the
 * owner's members.  The old one is freed after a grace period. */
void ob_bond_publish(struct bond *, struct bnd_view *view);

/* Has 'fast' (null: nothing) from now on follow what is published.  Main
 * thread; the caller keeps 'fast'. */
void ob_bond_set_fast(struct bond *, struct ob_fast *fast);

/* Puts handles whose last reference is gone in line, from any thread. */
void ob_bond_retire(struct bond *);
void ob_lacp_retire(struct lacp *);

/* Detaches and frees the handles in line, once they have announced what there
 * is.  Returns true if there was one that
 * was attached.  Main thread. */
bool ob_handles_reap(void);

#endif /* handle.h */
