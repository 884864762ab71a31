/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/lb-flow.h"

#include <string.h>
#include "flow.h"
#include "ofproto-bond/fastpath.h"
#include "packets.h"
#include "util.h"
#include "wire/cursor.h"
#include "wire/eth.h"
#include "xmit/choose.h"
#include "xmit/lb.h"

/* Room for the longest headers: a tag, IPv6, ports. */
#define MAX_HEADERS (VLAN_ETH_HEADER_LEN + IPV6_HEADER_LEN + 8)

bool
ob_lb_is_host(const struct bnd_view *view, const struct flow *flow)
{
    return (eth_addr_equals(flow->dl_src, view->host_mac)
            && !eth_addr_is_zero(view->host_mac));
}

/* Ports, or what ICMP has there. */
static void
put_l4(struct bnd_writer *w, const struct flow *flow)
{
    bool is_icmp = (flow->nw_proto == IPPROTO_ICMP
                    || flow->nw_proto == IPPROTO_ICMPV6
                    || flow->nw_proto == IPPROTO_IGMP);

    if (is_icmp) {
        bnd_writer_u8(w, ntohs(flow->tp_src));
        bnd_writer_u8(w, ntohs(flow->tp_dst));
        bnd_writer_u16(w, 0);
    } else {
        bnd_writer_u16(w, ntohs(flow->tp_src));
        bnd_writer_u16(w, ntohs(flow->tp_dst));
    }
    bnd_writer_u32(w, 0);
}

static void
put_ip4(struct bnd_writer *w, const struct flow *flow)
{
    bool is_fragment = flow->nw_frag & FLOW_NW_FRAG_ANY;
    bool is_later = flow->nw_frag & FLOW_NW_FRAG_LATER;

    bnd_writer_u8(w, 0x45);
    bnd_writer_u8(w, flow->nw_tos);
    bnd_writer_u16(w, IP_HEADER_LEN + 8);
    bnd_writer_u16(w, 0);
    bnd_writer_u16(w, is_later ? 1 : is_fragment ? IP_MORE_FRAGMENTS : 0);
    bnd_writer_u8(w, flow->nw_ttl);
    bnd_writer_u8(w, flow->nw_proto);
    bnd_writer_u16(w, 0);
    bnd_writer_u32(w, ntohl(flow->nw_src));
    bnd_writer_u32(w, ntohl(flow->nw_dst));
    put_l4(w, flow);
}

static void
put_ip6(struct bnd_writer *w, const struct flow *flow)
{
    bnd_writer_u32(w, 0x60000000);
    bnd_writer_u16(w, 8);
    bnd_writer_u8(w, flow->nw_proto);
    bnd_writer_u8(w, flow->nw_ttl);
    bnd_writer_bytes(w, &flow->ipv6_src, sizeof flow->ipv6_src);
    bnd_writer_bytes(w, &flow->ipv6_dst, sizeof flow->ipv6_dst);
    put_l4(w, flow);
}

/* What the bucket depends on.  The two addresses of Ethernet, and types, are
 * in every flow of NORMAL. */
static void
mask_fields(const struct bnd_view *view, const struct flow *flow,
            struct flow_wildcards *wc, uint16_t vlan)
{
    struct flow *m = &wc->masks;

    m->dl_dst = m->dl_src = eth_addr_exact;
    m->vlans[1].tci |= htons(VLAN_CFI);
    if (flow->dl_type == htons(ETH_TYPE_IP)) {
        m->nw_dst = OVS_BE32_MAX;
    } else if (flow->dl_type == htons(ETH_TYPE_IPV6)) {
        m->ipv6_src = m->ipv6_dst = in6addr_exact;
    } else {
        return;
    }
    m->nw_proto = UINT8_MAX;
    if (flow->nw_proto == IPPROTO_ICMPV6) {
        m->tp_src |= htons(UINT8_MAX);
    }
    if (view->lb_by_ip || view->policy == BND_POLICY_LAYER2) {
        return;
    }
    if (view->policy == BND_POLICY_VLAN_SRCMAC) {
        m->vlans[0].tci |= htons(vlan ? VLAN_PCP_MASK | VLAN_CFI : 0);
        return;
    }
    if (flow->dl_type == htons(ETH_TYPE_IP)) {
        m->nw_src = OVS_BE32_MAX;
    }
    if (view->policy == BND_POLICY_LAYER34
        || view->policy == BND_POLICY_ENCAP34) {
        m->nw_frag |= FLOW_NW_FRAG_MASK;
        flow_unwildcard_tp_ports(flow, wc);
    }
}

int
ob_lb_place(const struct bnd_view *view, const struct flow *flow,
            struct flow_wildcards *wc, uint16_t vlan)
{
    uint8_t headers[MAX_HEADERS];
    struct bnd_writer w = bnd_writer(headers, sizeof headers);
    struct bnd_tags tags = { .n = vlan != 0 };

    if (!ob_lb_is_host(view, flow)) {
        uint32_t hash = bnd_hash_src(flow->dl_src, vlan, view->basis);

        if (wc) {
            wc->masks.dl_src = eth_addr_exact;
        }
        return view->n_slots ? hash % view->n_slots : 0;
    }

    tags.tag[0] = (struct bnd_tag) {
        .tpid = BND_ETH_TYPE_VLAN,
        .vid = vlan | (vlan_tci_to_pcp(flow->vlans[0].tci)
                       << VLAN_PCP_SHIFT),
    };
    ovs_be16 type = (flow->vlans[1].tci
                     ? flow->vlans[1].tpid : flow->dl_type);
    bnd_eth_encode_tagged(&w, flow->dl_dst, flow->dl_src, &tags, ntohs(type));
    if (type == htons(ETH_TYPE_IP)) {
        put_ip4(&w, flow);
    } else if (type == htons(ETH_TYPE_IPV6)) {
        put_ip6(&w, flow);
    }
    ovs_assert(!w.bad);
    if (wc) {
        mask_fields(view, flow, wc, vlan);
    }

    int slot = bnd_lb_slot(view, headers, w.pos);
    return slot < 0 ? OB_UNBALANCED : OB_HOST_PLACE(slot);
}

uint8_t
ob_lb_member(const struct bnd_view *view, int place)
{
    size_t slot = place - OB_HOST_PLACE(0);

    if (view->blocked) {
        return BND_VIEW_NONE;
    }
    return (place < OB_HOST_PLACE(0) ? bnd_choose(view, place)
            : place == OB_UNBALANCED ? view->active
            : view->n_host_slots ? view->host_slots[slot % view->n_host_slots]
            : BND_VIEW_NONE);
}
