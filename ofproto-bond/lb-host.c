/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/lb-host.h"

#include <netinet/icmp6.h>
#include <string.h>
#include "dp-packet.h"
#include "flow.h"
#include "ofproto/bond.h"
#include "ofproto/ofproto-dpif-xlate.h"
#include "ofproto/ofproto-dpif-xlate-cache.h"
#include "ofproto-bond/handle.h"
#include "ofproto-bond/lb-flow.h"
#include "ofproto-bond/lb-rules.h"
#include "packets.h"
#include "util.h"

static __thread struct ob_lb_now now;

struct ob_lb_now
ob_lb_begin(struct xlate_in *xin)
{
    struct ob_lb_now before = now;

    now.xin = xin;
    now.taken = false;
    return before;
}

bool
ob_lb_end(struct ob_lb_now before)
{
    bool taken = now.taken;

    now = before;
    return taken;
}

bool
ob_lb_is_translating(const struct flow *flow)
{
    return now.xin && flow == &now.xin->flow;
}

/* The host's ARP. */

/* Is 'mac' an address by which peers know the host? */
static bool
is_hosts(const struct bnd_view *view, struct eth_addr mac)
{
    for (size_t i = 0; i < view->n_members; i++) {
        if (eth_addr_equals(mac, view->members[i].mac)) {
            return true;
        }
    }
    return eth_addr_equals(mac, view->host_mac);
}

/* Is 'flow', which is the host's, one that the engine is to have?  'wc' gets
 * what that depends on. */
static bool
is_engines(const struct bnd_view *view, const struct flow *flow,
           struct flow_wildcards *wc)
{
    struct flow *m = &wc->masks;

    if (flow->dl_type == htons(ETH_TYPE_ARP) && view->take_arp) {
        m->nw_proto = UINT8_MAX;
        m->arp_sha = eth_addr_exact;
        return ((flow->nw_proto == ARP_OP_REQUEST
                 || flow->nw_proto == ARP_OP_REPLY)
                && is_hosts(view, flow->arp_sha));
    }
    if (flow->dl_type == htons(ETH_TYPE_IPV6) && view->take_nd) {
        m->nw_proto = UINT8_MAX;
        if (flow->nw_proto != IPPROTO_ICMPV6) {
            return false;
        }
        m->tp_src |= htons(UINT8_MAX);
        if (flow->tp_src == htons(ND_NEIGHBOR_SOLICIT)) {
            m->arp_sha = eth_addr_exact;
            return is_hosts(view, flow->arp_sha);
        } else if (flow->tp_src == htons(ND_NEIGHBOR_ADVERT)) {
            m->arp_tha = eth_addr_exact;
            return is_hosts(view, flow->arp_tha);
        }
    }
    return false;
}

/* Puts the header of 'flow' before the contents of 'packet', as it leaves in
 * 'vlan': a tag of the flow's is that VLAN's, or goes, or is within it. */
static void
put_header(struct dp_packet *packet, const struct flow *flow, uint16_t vlan)
{
    uint16_t vid = vlan_tci_to_vid(flow->vlans[0].tci);
    bool within = vlan && vid && vid != vlan;
    struct eth_header *eth = dp_packet_push_zeros(packet, sizeof *eth);

    eth->eth_dst = flow->dl_dst;
    eth->eth_src = flow->dl_src;
    eth->eth_type = flow->dl_type;
    for (int i = FLOW_MAX_VLAN_HEADERS - 1; i >= !within; i--) {
        if (flow->vlans[i].tci & htons(VLAN_CFI)) {
            eth_push_vlan(packet, flow->vlans[i].tpid,
                          flow->vlans[i].tci & htons(VLAN_VID_MASK));
        }
    }
    if (vlan) {
        eth_push_vlan(packet, vid == vlan ? flow->vlans[0].tpid
                      : htons(ETH_TYPE_VLAN_8021Q), htons(vlan));
    }
}

#define HEADER_ROOM (ETH_HEADER_LEN \
                     + (FLOW_MAX_VLAN_HEADERS + 1) * VLAN_HEADER_LEN)

static void
hand_over(struct bond *bond, const struct flow *flow, uint16_t vlan)
{
    const struct dp_packet *from = now.xin->packet;
    const void *l3 = dp_packet_l3(from);
    struct dp_packet packet;

    if (flow->dl_type == htons(ETH_TYPE_ARP)) {
        /* Nothing but what the flow knows, and flows may have changed it. */
        struct arp_eth_header arp = {
            .ar_hrd = htons(ARP_HRD_ETHERNET),
            .ar_pro = htons(ARP_PRO_IP),
            .ar_hln = ETH_ADDR_LEN,
            .ar_pln = sizeof(ovs_be32),
            .ar_op = htons(flow->nw_proto),
            .ar_sha = flow->arp_sha,
            .ar_tha = flow->arp_tha,
        };

        put_16aligned_be32(&arp.ar_spa, flow->nw_src);
        put_16aligned_be32(&arp.ar_tpa, flow->nw_dst);
        dp_packet_init(&packet, HEADER_ROOM + sizeof arp);
        dp_packet_reserve(&packet, HEADER_ROOM);
        dp_packet_put(&packet, &arp, sizeof arp);
    } else if (l3) {
        size_t len = dp_packet_l3_size(from);

        dp_packet_init(&packet, HEADER_ROOM + len);
        dp_packet_reserve(&packet, HEADER_ROOM);
        dp_packet_put(&packet, l3, len);
    } else {
        return;
    }
    put_header(&packet, flow, vlan);
    ob_inbox_put(&bond->inbox, NULL, &packet, OB_INBOX_NOW);
    dp_packet_uninit(&packet);
}

bool
ob_lb_take(struct bond *bond, const struct ob_view *ov,
           const struct flow *flow, uint16_t vlan)
{
    const struct xlate_in *xin = now.xin;
    struct flow_wildcards scratch;

    if (!(ov->view->take_arp || ov->view->take_nd)
        || !ob_lb_is_translating(flow) || xin->in_packet_out
        || flow->packet_type != htonl(PT_ETH)
        || !ob_lb_is_host(ov->view, flow)
        || !is_engines(ov->view, flow, xin->wc ? xin->wc : &scratch)) {
        return false;
    }
    if (xin->wc) {
        xin->wc->masks.dl_src = eth_addr_exact;
    }
    now.taken = true;
    if (xin->packet && xin->allow_side_effects) {
        hand_over(bond, flow, vlan);
    }
    return true;
}

/* By other members than the active one, where flows choose. */

uint32_t
ob_lb_recirc_id(const struct bond *bond, const struct ob_view *ov)
{
    const struct bnd_view *view = ov->view;
    const struct xlate_in *xin = now.xin;

    if (!xin || xin->flow.packet_type != htonl(PT_ETH)
        || !ob_lb_is_host(view, &xin->flow)) {
        return 0;
    }

    uint16_t vlan = vlan_tci_to_vid(xin->flow.vlans[0].tci);
    int place = ob_lb_place(view, &xin->flow, xin->wc, vlan);
    uint8_t m = ob_lb_member(view, place);
    return (m == BND_VIEW_NONE || m == view->active ? 0
            : ob_lb_rules_id(bond, ov->aux[m], view->members[m].mac));
}

void
ob_lb_account(struct bond *bond, const struct flow *flow, uint16_t vlan)
{
    const struct xlate_in *xin = now.xin;

    if (xin->resubmit_stats) {
        bond_account(bond, flow, vlan, xin->resubmit_stats->n_bytes);
    }
    if (xin->xcache && ovs_refcount_try_ref_rcu(&bond->ref_cnt)) {
        struct xc_entry *entry = xlate_cache_add_entry(xin->xcache, XC_BOND);

        entry->bond.bond = bond;
        entry->bond.flow = xmemdup(flow, sizeof *flow);
        entry->bond.vid = vlan;
    }
}
