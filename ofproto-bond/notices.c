/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/notices.h"

#include <string.h>
#include "dp-packet.h"
#include "flow.h"
#include "ofproto/bond.h"
#include "ofproto-bond/attach.h"
#include "ofproto-bond/handle.h"
#include "ofproto-bond/hosts.h"
#include "ofproto-bond/owner.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "util.h"
#include "wire/arp.h"
#include "wire/nd.h"

VLOG_DEFINE_THIS_MODULE(bond_notices);

/* Room for a frame and its tags. */
#define MAX_FRAME 128
#define TAG_ROOM (OB_MAX_TAGS * VLAN_HEADER_LEN)

/* Returns the port by which 'bond' sends what 'src' sends in 'vlan'. */
static void *
choose_port(struct bond *bond, struct eth_addr src, uint16_t vlan,
            enum ob_notice_by by)
{
    struct flow flow;

    if (by == OB_NOTICE_BY_ACTIVE) {
        return ob_bond_active_port(bond);
    }
    memset(&flow, 0, sizeof flow);
    flow.dl_src = src;
    return bond_choose_output_member(bond, &flow, NULL, vlan);
}

bool
ob_notice_send_tagged(struct ob_owner *o, struct dp_packet *packet,
                      struct eth_addr src, const struct ob_tags *tags,
                      enum ob_notice_by by)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
    void *port = choose_port(o->bond, src, tags->tag[0].vid, by);

    if (!port) {
        return false;           /* Nobody to send to: it will be asked for. */
    }
    for (int i = OB_MAX_TAGS - 1; i >= 0; i--) {
        if (tags->tag[i].tpid) {
            eth_push_vlan(packet, htons(tags->tag[i].tpid),
                          htons(tags->tag[i].vid));
        }
    }

    int error = ob_attach_send_packet(port, packet);
    if (error) {
        VLOG_WARN_RL(&rl, "bond %s: cannot announce "ETH_ADDR_FMT" (%s)",
                     o->name, ETH_ADDR_ARGS(src), ovs_strerror(error));
    }
    return !error;
}

bool
ob_notice_send(struct ob_owner *o, struct dp_packet *packet,
               struct eth_addr src, const struct ob_tags *inside,
               enum ob_notice_by by)
{
    const struct ob_bundle *b = ob_bundles_find(o->bond->bundle);
    struct ob_tags tags;

    return (b && ob_bundle_leave(b, inside, &tags)
            && ob_notice_send_tagged(o, packet, src, &tags, by));
}

bool
ob_notice_send_frame(struct ob_owner *o, const void *frame, size_t len,
                     struct eth_addr src, const struct ob_tags *inside,
                     enum ob_notice_by by)
{
    struct dp_packet packet;
    bool sent;

    dp_packet_init(&packet, TAG_ROOM + len);
    dp_packet_reserve(&packet, TAG_ROOM);
    dp_packet_put(&packet, frame, len);
    sent = ob_notice_send(o, &packet, src, inside, by);
    dp_packet_uninit(&packet);
    return sent;
}

/* The host. */

struct host_aux {
    struct ob_owner *owner;
    const struct ob_bundle *in; /* Of the port that is being looked at. */
};

static bool
notice_addr(struct ob_owner *o, const struct ob_device *d,
            const struct ob_host_addr *addr, const struct ob_tags *inside)
{
    uint8_t frame[MAX_FRAME];
    struct bnd_writer w = bnd_writer(frame, sizeof frame);

    if (addr->is_ip6) {
        bnd_nd_unsolicited(&w, d->mac, &addr->ip6, d->forwards);
    } else {
        bnd_arp_gratuitous(&w, d->mac, addr->ip4);
    }
    ovs_assert(!w.bad);
    return ob_notice_send_frame(o, w.data, w.pos, d->mac, inside,
                                OB_NOTICE_BY_SOURCE);
}

/* Does the engine tell each of the host's peers by itself where it is?  Then
 * nobody must hear that 'addr' is at the host's own address.  Switches hear
 * where that is with those of guests, by RARP. */
static bool
is_told_otherwise(const struct ob_owner *o, const struct ob_device *d,
                  const struct ob_host_addr *addr)
{
    const struct ob_view *ov = ob_bond_view(o->bond);

    return (ov && eth_addr_equals(d->mac, ov->view->host_mac)
            && (addr->is_ip6 ? ov->view->take_nd : ov->view->take_arp));
}

static void
notice_device(const struct ob_device *d, const struct ob_tags *tags,
              void *aux_)
{
    const struct host_aux *aux = aux_;
    struct ob_tags inside;
    bool told = false;

    if (d->flags & IFF_NOARP || eth_addr_is_zero(d->mac)
        || eth_addr_is_multicast(d->mac)
        || !ob_bundle_enter(aux->in, tags, &inside)) {
        return;
    }
    for (size_t i = 0; i < d->n_addrs; i++) {
        const struct ob_host_addr *addr = &d->addrs[i];

        if (ob_host_addr_is_ours(addr)) {
            /* NORMAL would believe what comes back if it did not know that. */
            ob_attach_learn_told(aux->in->ofproto, d->mac,
                                 inside.tag[0].vid, aux->in->bundle);
            told |= (!is_told_otherwise(aux->owner, d, addr)
                     && notice_addr(aux->owner, d, addr, &inside));
        }
    }
    if (told) {
        struct in6_addr key = in6addr_any;

        memcpy(&key, &d->mac, sizeof d->mac);
        ob_told_add(&aux->owner->announcer.told, &key, inside.tag[0].vid);
    }
}

static void
notice_port(const struct ob_host_port *p, void *aux_)
{
    struct host_aux *aux = aux_;

    aux->in = ob_bundles_find(p->bundle);
    if (aux->in) {
        ob_hosts_for_each(p->netdev, notice_device, aux);
    }
}

void
ob_notice_host(struct ob_owner *o)
{
    struct host_aux aux = { .owner = o };

    ob_host_ports_for_each(ob_bundles_ofproto(o->bond->bundle), notice_port,
                           &aux);
}
