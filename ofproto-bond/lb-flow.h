/* SPDX-License-Identifier: Apache-2.0 */

/* The host's frames, flow by flow
 * ===============================
 *
 * Where flows choose members and not the datapath, this is the bucket of a
 * flow for what the fast path finds in a frame (xmit/lb.h): the headers are
 * written as the flow has them, and looked at by the same function.
 *
 * A flow does not know the identifier of a ping, what is in a tunnel, and
 * where frames are cut off; it may come to another bucket then than the fast
 * path would.
 *
 * Thread-safety
 * -------------
 * Pure functions.
 *
 * Source: Linux Documentation/networking/bonding.rst, balance-tlb,
 * balance-alb. */

#ifndef OB_LB_FLOW_H
#define OB_LB_FLOW_H 1

#include <stdbool.h>
#include <stdint.h>

struct bnd_view;
struct flow;
struct flow_wildcards;

/* Is 'flow' of the host, to 'view', which is one of BND_XMIT_LB? */
bool ob_lb_is_host(const struct bnd_view *view, const struct flow *flow);

/* Returns the place (fastpath.h) of 'flow', which leaves in 'vlan' (0:
 * untagged); 'wc', if not null, gets the fields that it depends on. */
int ob_lb_place(const struct bnd_view *view, const struct flow *flow,
                struct flow_wildcards *wc, uint16_t vlan);

/* Returns the index of the member of 'place', or BND_VIEW_NONE.  Of one that
 * the view has no buckets for, it is the active one. */
uint8_t ob_lb_member(const struct bnd_view *view, int place);

#endif /* lb-flow.h */
