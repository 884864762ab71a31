/* SPDX-License-Identifier: Apache-2.0 */

/* Buckets in the datapath
 * =======================
 *
 * A hashing bond would need a cached flow for each 5-tuple.  Instead its flows
 * end in "hash, then recirculate under the bond's id", and 256 internal rules
 * (one per bucket) send what comes back to the members; or, where the datapath
 * has the action lb_output, in that, with a map of 256 ports.  Either way a
 * change of bucket leaves the flows alone.
 *
 * The id is handed to translation only once all buckets stand, and taken away
 * before they go, so that no new flow leads into a hole.  A flow that is cached
 * while the mechanism changes does, until it is revalidated, as in stock OVS.
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
struct ob_buckets;
struct ofproto_dpif;

/* Creates the buckets of a bond on bridge 'ofproto', empty. */
struct ob_buckets *ob_buckets_create(struct ofproto_dpif *ofproto);

/* Frees them, clearing them first, if the bridge still exists.  Null is
 * fine. */
void ob_buckets_destroy(struct ob_buckets *, struct bond *);

/* Makes the datapath agree with the view that 'bond' has published. */
void ob_buckets_update(struct ob_buckets *, struct bond *);

/* Takes everything out of the datapath. */
void ob_buckets_clear(struct ob_buckets *, struct bond *);

/* Says whether the mode owns an id at all (and shall have one). */
void ob_buckets_want_id(struct ob_buckets *, struct bond *, bool want);

/* The id, or 0. */
uint32_t ob_buckets_id(const struct ob_buckets *);

/* Port number 'port' may soon mean another device, or none. */
void ob_buckets_forget_port(struct ob_buckets *, ofp_port_t port);

/* Did the last update fail in part?  Then it should be tried again. */
bool ob_buckets_is_incomplete(const struct ob_buckets *);

/* Adds to 'bytes' what each bucket has carried since the last call. */
void ob_buckets_account(struct ob_buckets *, struct bond *,
                        uint64_t bytes[BND_N_SLOTS]);

#endif /* buckets.h */
