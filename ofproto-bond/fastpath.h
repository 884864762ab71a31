/* SPDX-License-Identifier: Apache-2.0 */

/* The packet path of the userspace datapath
 * =========================================
 *
 * Where the datapath is OVS's own (netdev, DPDK, AF_XDP, dummy), a flow to a
 * bond ends in the action lb_output(id), whoever sends what, and here the id
 * meets a view: for each packet of a batch a member, for each member one
 * output.  So a mode that deals packet by packet really does; there is one
 * cached flow however many connections it carries; and a member that is lost is
 * replaced in the view without any flow knowing.
 *
 * Of a bnd_view this module makes a 'fast view' that is flat, immutable and
 * published by RCU: members by bucket or by turn, and for each member the
 * output action ready to be executed.  Whoever learns first that a link has
 * lost its carrier may cut it out at once (ob_fast_cut()); the view that the
 * engine makes of it later agrees (xmit/resolve.h).
 *
 * Where the host's frames are balanced apart from all others (BND_XMIT_LB), by
 * buckets of their own, those that leave by another member than the active one
 * get that one's address for a source, here and nowhere else.
 *
 * Counters
 * --------
 * Each fast view has, for each thread, a counter per bucket (or per member,
 * where there are no buckets).  Nobody but that thread writes it, so there are
 * no atomic operations in the path; and as a view's buckets never change their
 * members, the sums per member are exact as well.
 *
 * Threads
 * -------
 * Datapath threads read; they neither lock nor wait.  They allocate once per
 * view, for their counters.  ob_fast_publish(), ob_fast_cut() and
 * ob_fast_get_stats() may be called by any thread; the others by the main one.
 *
 * Source: Open vSwitch, enum ovs_action_attr, OVS_ACTION_ATTR_LB_OUTPUT. */

#ifndef OB_FASTPATH_H
#define OB_FASTPATH_H 1

#include <stddef.h>
#include "odp-netlink.h"
#include "xmit/view.h"

struct dpif;
struct ob_fast;

struct ob_counts {
    uint64_t n_packets;
    uint64_t n_bytes;
};

static inline void
ob_counts_add(struct ob_counts *counts, uint64_t n_packets, uint64_t n_bytes)
{
    counts->n_packets += n_packets;
    counts->n_bytes += n_bytes;
}

/* Places of counters: buckets; those of the host's frames, where they have
 * some of their own (BND_XMIT_LB); and what the host sends outside of them. */
#define OB_HOST_PLACE(SLOT) (BND_N_SLOTS + (SLOT))
#define OB_UNBALANCED (2 * BND_N_SLOTS)
#define OB_N_PLACES (2 * BND_N_SLOTS + 1)

struct ob_member_counts {
    bnd_id id;
    struct ob_counts counts;
};

/* What a bond has sent since its id was made. */
struct ob_stats {
    struct ob_counts places[OB_N_PLACES];   /* Zero in modes without. */
    struct ob_member_counts *members;       /* 'n_members' of them; owned. */
    size_t n_members;                       /* Those that left, too. */
};

void ob_stats_uninit(struct ob_stats *);

/* Returns the counters of member 'id' in '*stats', adding them if need be. */
struct ob_counts *ob_stats_member(struct ob_stats *, bnd_id id);

/* Adds 'more' to '*stats'. */
void ob_stats_add(struct ob_stats *stats, const struct ob_stats *more);

/* Finds out how the datapath 'dpif', which must support lb_output, executes
 * actions, unless that is known already.  Returns false if it cannot be found
 * out, in which case the fast path stays out of use. */
bool ob_fast_learn(struct dpif *dpif);

/* Creates the fast path of a bond whose id in the datapath is 'id'.  Until a
 * view is published the datapath does with the id whatever it knows. */
struct ob_fast *ob_fast_create(uint32_t id);

/* Takes it out of the datapath; packets on their way finish.  Null is fine. */
void ob_fast_destroy(struct ob_fast *);

/* Publishes 'view', whose members have the datapath's port numbers 'ports'
 * (ODPP_NONE: cannot send), and whose queues have the priorities 'priorities'
 * (0: none) there.  All are copied.  A null view is one without members: every
 * packet is dropped. */
void ob_fast_publish(struct ob_fast *, const struct bnd_view *view,
                     const odp_port_t ports[], const uint32_t priorities[]);

/* Says that member 'id' has ('cut') or has not lost its carrier, whatever the
 * last view says.  Returns true if that may change where packets go. */
bool ob_fast_cut(struct ob_fast *, bnd_id id, bool cut);

/* Fills in '*stats', which the caller uninits. */
void ob_fast_get_stats(struct ob_fast *, struct ob_stats *stats);

#endif /* fastpath.h */
