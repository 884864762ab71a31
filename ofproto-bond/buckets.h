/* SPDX-License-Identifier: Apache-2.0 */

/* How packets find their member
 * =============================
 *
 * A bond that deals packets out by hash or in turn would need a cached flow
 * for each 5-tuple, and all of them would have to be translated anew when a
 * link is lost.  There are three mechanisms:
 *
 *   - lb_output: the datapath has an action of that name, and the fast path
 *     (fastpath.h) chooses for each packet.  Wherever the datapath is OVS's own
 *     (netdev, DPDK, AF_XDP), for every mode.
 *   - recirculation: the flow ends in "hash, then recirculate under the bond's
 *     id", and 256 internal rules, one per bucket, send what comes back to the
 *     members; or one rule sends it to all of them (broadcast).  Elsewhere,
 *     that is in the kernel, for modes that hash layers 3 and 4.
 *   - flow: each flow is a member's own; translation chooses.  Where the
 *     host's frames get the address of their member, lb-rules.h sees to it.
 *
 * The id is handed to translation only once all buckets stand, and taken away
 * before they go, so that no new flow leads into a hole.  A flow that leads to
 * lb_output stays good until it has been revalidated; one that is cached while
 * rules go drops until then, as in stock OVS.
 *
 * Threads
 * -------
 * Main: these functions change flow tables and the datapath. */

#ifndef OB_BUCKETS_H
#define OB_BUCKETS_H 1

#include <stdint.h>
#include "core/bnd-types.h"
#include "openflow/openflow.h"

struct bond;
struct netdev;
struct ob_buckets;
struct ob_stats;
struct ofproto_dpif;

enum ob_mechanism {
    OB_MECH_NONE,               /* There is nothing to send, or no view. */
    OB_MECH_FLOW,
    OB_MECH_RULES,
    OB_MECH_LB_OUTPUT
};

/* Creates the buckets of a bond on bridge 'ofproto', empty. */
struct ob_buckets *ob_buckets_create(struct ofproto_dpif *ofproto);

/* Frees them, clearing them first, if the bridge still exists.  Null is
 * fine. */
void ob_buckets_destroy(struct ob_buckets *, struct bond *);

/* Makes the datapath agree with the view that 'bond' has published.  Returns
 * true if flows must be translated anew to make use of it. */
bool ob_buckets_update(struct ob_buckets *, struct bond *);

/* Takes everything out of the datapath. */
void ob_buckets_clear(struct ob_buckets *, struct bond *);

/* Says whether the mode owns an id whatever the mechanism. */
void ob_buckets_want_id(struct ob_buckets *, struct bond *, bool want);

/* The bridge, or null if it does not exist any more. */
const struct ofproto_dpif *ob_buckets_ofproto(const struct ob_buckets *);

/* The id, or 0. */
uint32_t ob_buckets_id(const struct ob_buckets *);

/* Port number 'port' may soon mean another device, or none. */
void ob_buckets_forget_port(struct ob_buckets *, ofp_port_t port);

/* Called when all cached flows have just been translated anew: lets go what
 * only old ones needed, and tries again what could not be installed.  Returns
 * as ob_buckets_update(). */
bool ob_buckets_settle(struct ob_buckets *, struct bond *);

/* The name of the mechanism in use (null: nothing can be sent yet), the reason
 * for it, and whether stock OVS would use the same in the dummy datapath, whose
 * users compare every word. */
void ob_buckets_describe(const struct ob_buckets *, const char **name,
                         const char **why, bool *as_stock);

/* The datapath's number for the port of 'netdev', or ODPP_NONE if the datapath
 * has no use for it. */
odp_port_t ob_buckets_odp_port(const struct ob_buckets *,
                               const struct netdev *netdev);

/* What the bond has sent, for the caller to uninit. */
void ob_buckets_get_stats(struct ob_buckets *, struct bond *,
                          struct ob_stats *);

/* Adds to 'bytes', by place (fastpath.h), what each has carried since the last
 * call. */
void ob_buckets_account(struct ob_buckets *, struct bond *,
                        uint64_t bytes[]);

#endif /* buckets.h */
