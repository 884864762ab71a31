/* SPDX-License-Identifier: Apache-2.0 */

/* What translation asks of a bond
 * ===============================
 *
 * These functions of ofproto/bond.h run on handler, revalidator and PMD
 * threads.  They read the published view and add to counters; nothing here
 * locks, waits or decides.  A bond without a view drops everything. */

#include <config.h>
#include "ofproto/bond.h"

#include "dp-packet.h"
#include "flow.h"
#include "ofproto-bond/attach.h"
#include "ofproto-bond/handle.h"
#include "ofproto-bond/lb-flow.h"
#include "ofproto-bond/lb-host.h"
#include "ofproto-bond/owner.h"
#include "openvswitch/ofp-actions.h"
#include "packets.h"
#include "util.h"
#include "xmit/choose.h"
#include "xmit/hash.h"

/* Hash of 'flow' by a policy, from what it has of an Ethernet header: of the
 * two policies for which translation chooses that is all there is. */
static uint32_t
policy_hash(const struct bnd_view *view, const struct flow *flow,
            struct flow_wildcards *wc, uint16_t vlan)
{
    struct vlan_eth_header h = {
        .veth_dst = flow->dl_dst,
        .veth_src = flow->dl_src,
        .veth_type = htons(ETH_TYPE_VLAN),
        .veth_tci = htons(!vlan ? 0
                          : vlan | (vlan_tci_to_pcp(flow->vlans[0].tci)
                                    << VLAN_PCP_SHIFT)),
        .veth_next_type = (flow->vlans[1].tci
                           ? flow->vlans[1].tpid : flow->dl_type),
    };

    if (wc) {
        wc->masks.dl_dst = wc->masks.dl_src = eth_addr_exact;
        wc->masks.vlans[0].tci |= htons(VLAN_PCP_MASK | VLAN_CFI);
        wc->masks.vlans[1].tpid = OVS_BE16_MAX;
        wc->masks.vlans[1].tci |= htons(VLAN_CFI);
    }
    return bnd_hash_frame(view->policy, view->compat, (const uint8_t *) &h,
                          sizeof h);
}

/* Hash of 'flow' as 'view' wants it; 'wc', if not null, gets the fields that
 * it depends on. */
static uint32_t
hash_flow(const struct bnd_view *view, const struct flow *flow,
          struct flow_wildcards *wc, uint16_t vlan)
{
    switch ((enum bnd_xmit) view->xmit) {
    case BND_XMIT_ACTIVE:
    case BND_XMIT_BROADCAST:
    case BND_N_XMITS:
        return 0;

    case BND_XMIT_SRC_MAC:
        if (wc) {
            flow_mask_hash_fields(flow, wc, NX_HASH_FIELDS_ETH_SRC);
        }
        return bnd_hash_src(flow->dl_src, vlan, view->basis);

    case BND_XMIT_LB:
        return ob_lb_place(view, flow, wc, vlan);

    case BND_XMIT_POLICY:
        return policy_hash(view, flow, wc, vlan);

    case BND_XMIT_L4:
    case BND_XMIT_RR:
        if (wc) {
            flow_mask_hash_fields(flow, wc, NX_HASH_FIELDS_SYMMETRIC_L4);
            if (view->xmit == BND_XMIT_RR && is_ip_any(flow)) {
                /* The hash covers the ports of UDP, too. */
                flow_unwildcard_tp_ports(flow, wc);
            }
        }
        return flow_hash_5tuple(flow, view->basis);

    default:
        OVS_NOT_REACHED();
    }
}

/* Is 'flow' one that stays on the active member although the mode deals? */
static bool
sticks_to_active(const struct bnd_view *view, const struct flow *flow,
                 struct flow_wildcards *wc)
{
    if (view->xmit != BND_XMIT_RR || flow->dl_type != htons(ETH_TYPE_IP)) {
        return false;
    }
    if (wc) {
        wc->masks.nw_proto = UINT8_MAX;
    }
    return flow->nw_proto == IPPROTO_IGMP;
}

/* Returns the index of the member that has the queue of 'flow' for its own, or
 * BND_VIEW_NONE. */
static uint8_t
pinned_member(const struct ob_view *ov, const struct flow *flow,
              struct flow_wildcards *wc)
{
    const struct bnd_view *view = ov->view;

    if (OVS_LIKELY(!view->pinned)) {
        return BND_VIEW_NONE;
    }
    if (wc) {
        wc->masks.skb_priority = UINT32_MAX;
    }
    for (size_t i = 0; i < view->n_members && flow->skb_priority; i++) {
        if (ov->priority[i] == flow->skb_priority) {
            return i;
        }
    }
    return BND_VIEW_NONE;
}

/* Returns the index of the member that 'flow' leaves by, or BND_VIEW_NONE. */
static uint8_t
choose(const struct ob_view *ov, const struct flow *flow,
       struct flow_wildcards *wc, uint16_t vlan)
{
    const struct bnd_view *view = ov->view;
    uint8_t pinned = pinned_member(ov, flow, wc);

    if (pinned != BND_VIEW_NONE) {
        return pinned;
    }
    if (sticks_to_active(view, flow, wc)) {
        return view->blocked ? BND_VIEW_NONE : view->active;
    }
    return bnd_choose(view, hash_flow(view, flow, wc, vlan));
}

/* The same for BND_XMIT_LB. */
static uint8_t
choose_lb(struct bond *bond, const struct ob_view *ov,
          const struct flow *flow, struct flow_wildcards *wc, uint16_t vlan)
{
    const struct bnd_view *view = ov->view;

    if (ob_lb_take(bond, ov, flow, vlan)) {
        return BND_VIEW_NONE;
    }
    if (ob_lb_is_translating(flow) && !bond_use_lb_output_action(bond)) {
        if (!wc) {
            ob_lb_account(bond, flow, vlan);
        } else if (ob_lb_is_host(view, flow)) {
            /* What is for another member is recirculated, if it can be. */
            return view->blocked ? BND_VIEW_NONE : view->active;
        }
    }
    return ob_lb_member(view, ob_lb_place(view, flow, wc, vlan));
}

void *
bond_choose_output_member(struct bond *bond, const struct flow *flow,
                          struct flow_wildcards *wc, uint16_t vlan)
{
    const struct ob_view *ov = ob_bond_view(bond);
    uint8_t i = (!ov ? BND_VIEW_NONE
                 : ov->view->xmit == BND_XMIT_LB
                 ? choose_lb(bond, ov, flow, wc, vlan)
                 : choose(ov, flow, wc, vlan));

    return i == BND_VIEW_NONE ? NULL : CONST_CAST(void *, ov->aux[i]);
}

void *
ob_bond_active_port(const struct bond *bond)
{
    const struct ob_view *ov = ob_bond_view(bond);

    return (!ov || ov->view->blocked || ov->view->active == BND_VIEW_NONE
            ? NULL : CONST_CAST(void *, ov->aux[ov->view->active]));
}

enum bond_verdict
bond_check_admissibility(struct bond *bond, const void *aux,
                         const struct eth_addr dst)
{
    const struct ob_view *ov = ob_bond_view(bond);

    if (ov) {
        for (size_t i = 0; i < ov->view->n_members; i++) {
            if (ov->aux[i] == aux) {
                return (enum bond_verdict) bnd_admit(ov->view, i, dst);
            }
        }
    }
    return BV_DROP;
}

void
bond_account(struct bond *bond, const struct flow *flow, uint16_t vlan,
             uint64_t n_bytes)
{
    if (vlan == OB_SOURCE_VLAN) {
        ob_sources_heard(&bond->sources, flow->dl_src);
        return;
    }

    const struct ob_view *ov = ob_bond_view(bond);

    if (ov) {
        const struct bnd_view *view = ov->view;
        uint32_t hash = hash_flow(view, flow, NULL, vlan);
        uint8_t pinned = pinned_member(ov, flow, NULL);
        size_t i = (pinned != BND_VIEW_NONE ? ob_flow_slot(view, pinned)
                    : sticks_to_active(view, flow, NULL)
                    && view->active != BND_VIEW_NONE ? view->active
                    : view->xmit == BND_XMIT_LB ? hash
                    : view->n_slots ? hash % view->n_slots
                    : view->xmit == BND_XMIT_RR && view->n_members
                    ? hash % view->n_members : 0);
        uint64_t orig;

        atomic_add_relaxed(&bond->bytes[i], n_bytes, &orig);
        atomic_add_relaxed(&bond->packets[i], ob_attach_packets_now(), &orig);
    }
}

/* The buckets stand before their id does (buckets.c), so there is nothing to
 * update here and both functions are one. */
void
bond_get_recirc_id_and_hash_basis(struct bond *bond, uint32_t *recirc_id,
                                  uint32_t *hash_basis)
{
    const struct ob_view *ov = ob_bond_view(bond);

    *recirc_id = 0;
    *hash_basis = 0;
    if (ov) {
        atomic_read_explicit(&bond->recirc_id, recirc_id,
                             memory_order_acquire);
        *hash_basis = ov->view->basis;
        if (ov->view->xmit == BND_XMIT_LB && !*recirc_id) {
            *recirc_id = ob_lb_recirc_id(bond, ov);
        }
    }
}

void
bond_update_post_recirc_rules(struct bond *bond, uint32_t *recirc_id,
                              uint32_t *hash_basis)
{
    bond_get_recirc_id_and_hash_basis(bond, recirc_id, hash_basis);
}

bool
bond_use_lb_output_action(const struct bond *bond)
{
    bool lb_output;

    atomic_read_explicit(&CONST_CAST(struct bond *, bond)->lb_output,
                         &lb_output, memory_order_acquire);
    return lb_output;
}

/* Never called, as bond_should_send_learning_packets() never says yes: see
 * announce.h. */
struct dp_packet *
bond_compose_learning_packet(struct bond *bond OVS_UNUSED,
                             const struct eth_addr eth_src OVS_UNUSED,
                             uint16_t vlan OVS_UNUSED,
                             void **port_aux OVS_UNUSED)
{
    OVS_NOT_REACHED();
}
