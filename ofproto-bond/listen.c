/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/listen.h"

#include <netinet/icmp6.h>
#include <stdlib.h>
#include <string.h>
#include "cmap.h"
#include "flow.h"
#include "hash.h"
#include "monitor/probe.h"
#include "ofproto-bond/handle.h"
#include "ofproto-bond/host-list.h"
#include "ofproto-bond/inbox.h"
#include "ofproto-bond/owner.h"
#include "packets.h"
#include "util.h"

/* What a bond listens for.  Immutable once it can be found. */
struct ob_ears {
    struct bond *bond;
    uint8_t watch;              /* BND_WATCH_*. */
    bool any;                   /* All of that, whoever it is from. */
    size_t n_ip4;               /* Targets. */
    ovs_be32 ip4[BND_MAX_TARGETS];
    size_t n_ip6;
    struct in6_addr ip6[BND_MAX_TARGETS];
    struct eth_addr *hosts;     /* Addresses of the host's own ports. */
    size_t n_hosts;
    bool balances;              /* Members have addresses of their own, for the
                                 * host (BND_XMIT_LB)... */
    uint8_t own;                /* ...and BND_WATCH_* is wanted if it is about
                                 * the host's addresses: */
    struct bnd_ip *own_ips;
    size_t n_own_ips;
    struct ear *members;        /* Where it listens. */
    size_t n_members;
};

/* A member that listens. */
struct ear {
    struct cmap_node node;      /* In 'all'. */
    const struct ob_ears *of;
    const struct ofproto_dpif *bridge; /* Port 'ofp_port' of this bridge... */
    ofp_port_t ofp_port;
    const void *aux;            /* ...is that port of OVS's. */
    struct eth_addr mac;        /* Its present address. */
};

/* Changed by the main thread alone. */
static struct cmap all = CMAP_INITIALIZER;

static uint32_t
hash_port(const struct ofproto_dpif *bridge, ofp_port_t port)
{
    return hash_pointer(bridge, ofp_to_u16(port));
}

bool
ob_listen_wanted(void)
{
    return cmap_count(&all);
}

bool
ob_listen_to_any(const struct ob_owner *o)
{
    return (bnd_settings_num(&o->settings, BND_OPT_ARP_VALIDATE)
            & BND_VALIDATE_FILTER) != 0;
}

/* Making them. */

static void
ears_free(struct ob_ears *e)
{
    if (e) {
        free(e->hosts);
        free(e->own_ips);
        free(e->members);
        free(e);
    }
}

static void
copy_targets(struct ob_ears *e, const struct ob_host_list *h)
{
    for (size_t i = 0; i < h->n_targets; i++) {
        const struct bnd_ip *t = &h->targets[i];

        if (!t->is_ip6 && e->n_ip4 < ARRAY_SIZE(e->ip4)) {
            e->ip4[e->n_ip4++] = htonl(t->ip4);
        } else if (t->is_ip6 && e->n_ip6 < ARRAY_SIZE(e->ip6)) {
            memcpy(&e->ip6[e->n_ip6++], &t->ip6, sizeof *e->ip6);
        }
    }
}

/* Returns what the bond of 'o' shall listen for, null for nothing. */
static struct ob_ears *
ears_create(const struct ob_owner *o)
{
    const struct ob_view *ov = ob_bond_view(o->bond);

    bool balances = ov && ov->view->xmit == BND_XMIT_LB;

    if (!ov || !(ov->view->watch || balances) || !ob_owner_ofproto(o)) {
        return NULL;
    }

    struct ob_ears *e = xzalloc(sizeof *e);
    e->bond = o->bond;
    e->balances = balances;
    if (balances) {
        e->own = ((ov->view->take_arp ? BND_WATCH_ARP : 0)
                  | (ov->view->take_nd ? BND_WATCH_ND : 0));
        e->n_own_ips = o->host.n_own;
        e->own_ips = xcalloc(e->n_own_ips + 1, sizeof *e->own_ips);
        for (size_t i = 0; i < e->n_own_ips; i++) {
            e->own_ips[i] = o->host.own[i];
        }
    } else {
        e->watch = ov->view->watch;
        e->any = ob_listen_to_any(o);
        copy_targets(e, &o->host);
    }
    e->n_hosts = o->host.n_macs;
    e->hosts = xcalloc(e->n_hosts + 1, sizeof *e->hosts);
    for (size_t i = 0; i < e->n_hosts; i++) {
        e->hosts[i] = o->host.macs[i];
    }
    e->members = xcalloc(o->n_members + 1, sizeof *e->members);
    for (size_t i = 0; i < o->n_members; i++) {
        const struct ob_member *m = &o->members[i];

        if (m->in_bond && m->ofp_port != OFPP_NONE) {
            struct ear *ear = &e->members[e->n_members++];

            ear->of = e;
            ear->bridge = ob_owner_ofproto(o);
            ear->ofp_port = m->ofp_port;
            ear->aux = m->aux;
            ear->mac = m->facts.mac;
        }
    }
    return e;
}

static bool
ears_equal(const struct ob_ears *a, const struct ob_ears *b)
{
    if (!a || !b) {
        return a == b;
    }
    if (a->watch != b->watch || a->any != b->any || a->n_ip4 != b->n_ip4
        || a->n_ip6 != b->n_ip6 || a->n_hosts != b->n_hosts
        || a->n_members != b->n_members
        || a->balances != b->balances || a->own != b->own
        || a->n_own_ips != b->n_own_ips
        || (a->n_own_ips && memcmp(a->own_ips, b->own_ips,
                                   a->n_own_ips * sizeof *a->own_ips))
        || memcmp(a->ip4, b->ip4, sizeof a->ip4)
        || memcmp(a->ip6, b->ip6, sizeof a->ip6)
        || memcmp(a->hosts, b->hosts, a->n_hosts * sizeof *a->hosts)) {
        return false;
    }
    for (size_t i = 0; i < a->n_members; i++) {
        const struct ear *x = &a->members[i], *y = &b->members[i];

        if (x->bridge != y->bridge || x->ofp_port != y->ofp_port
            || x->aux != y->aux || !eth_addr_equals(x->mac, y->mac)) {
            return false;
        }
    }
    return true;
}

static void
install(struct ob_ears *e)
{
    for (size_t i = 0; e && i < e->n_members; i++) {
        struct ear *ear = &e->members[i];

        cmap_insert(&all, &ear->node, hash_port(ear->bridge, ear->ofp_port));
    }
}

static void
uninstall(struct ob_ears *e)
{
    for (size_t i = 0; e && i < e->n_members; i++) {
        struct ear *ear = &e->members[i];

        cmap_remove(&all, &ear->node, hash_port(ear->bridge, ear->ofp_port));
    }
    if (e) {
        ovsrcu_postpone(ears_free, e);
    }
}

bool
ob_listen_update(struct ob_owner *o)
{
    struct ob_ears *new = ears_create(o);

    if (ears_equal(o->bond->ears, new)) {
        ears_free(new);
        return false;
    }
    install(new);
    uninstall(o->bond->ears);
    o->bond->ears = new;
    return true;
}

void
ob_listen_stop(struct bond *bond)
{
    uninstall(bond->ears);
    bond->ears = NULL;
}

/* Translation. */

static const struct ear *
find_ear(const struct ofproto_dpif *bridge, ofp_port_t port)
{
    const struct ear *ear;

    CMAP_FOR_EACH_WITH_HASH (ear, node, hash_port(bridge, port), &all) {
        if (ear->bridge == bridge && ear->ofp_port == port) {
            return ear;
        }
    }
    return NULL;
}

static bool
is_ip4_target(const struct ob_ears *e, ovs_be32 ip)
{
    for (size_t i = 0; i < e->n_own_ips; i++) {
        if (!e->own_ips[i].is_ip6 && htonl(e->own_ips[i].ip4) == ip) {
            return true;
        }
    }
    for (size_t i = 0; i < e->n_ip4; i++) {
        if (e->ip4[i] == ip) {
            return true;
        }
    }
    return false;
}

/* Is 'ip' 'target' or the group in which neighbours ask for it? */
static bool
is_about_ip6(const struct in6_addr *ip, const struct in6_addr *target)
{
    struct in6_addr group;

    in6_addr_solicited_node(&group, target);
    return ipv6_addr_equals(ip, target) || ipv6_addr_equals(ip, &group);
}

static bool
is_ip6_target(const struct ob_ears *e, const struct in6_addr *ip)
{
    for (size_t i = 0; i < e->n_own_ips; i++) {
        struct in6_addr own;

        memcpy(&own, &e->own_ips[i].ip6, sizeof own);
        if (e->own_ips[i].is_ip6 && is_about_ip6(ip, &own)) {
            return true;
        }
    }
    for (size_t i = 0; i < e->n_ip6; i++) {
        if (is_about_ip6(ip, &e->ip6[i])) {
            return true;
        }
    }
    return false;
}

/* Is 'flow' one that the engine can use? */
static bool
is_wanted(const struct ob_ears *e, const struct flow *flow,
          struct ob_heard *heard)
{
    uint8_t watch = e->watch | e->own;

    if (flow->dl_type == htons(ETH_TYPE_ARP)) {
        if (!(watch & BND_WATCH_ARP)) {
            return false;
        } else if (e->any) {
            return true;
        }
        heard->looked_at |= OB_LOOKED_ADDRS;
        return (is_ip4_target(e, flow->nw_src)
                || is_ip4_target(e, flow->nw_dst));
    }
    if (flow->dl_type == htons(ETH_TYPE_IPV6) && watch & BND_WATCH_ND) {
        heard->looked_at |= OB_LOOKED_PROTO;
        if (flow->nw_proto != IPPROTO_ICMPV6) {
            return false;
        }
        heard->looked_at |= OB_LOOKED_ICMP;
        if (flow->tp_src != htons(ND_NEIGHBOR_SOLICIT)
            && flow->tp_src != htons(ND_NEIGHBOR_ADVERT)) {
            return false;
        } else if (e->any) {
            return true;
        }
        heard->looked_at |= OB_LOOKED_ADDRS;
        return (is_ip6_target(e, &flow->ipv6_src)
                || is_ip6_target(e, &flow->ipv6_dst));
    }
    return false;
}

static bool
is_members(const struct ob_ears *e, struct eth_addr mac)
{
    for (size_t i = 0; i < e->n_members; i++) {
        if (eth_addr_equals(e->members[i].mac, mac)) {
            return true;
        }
    }
    return false;
}

static bool
is_hosts(const struct ob_ears *e, struct eth_addr mac)
{
    for (size_t i = 0; i < e->n_hosts; i++) {
        if (eth_addr_equals(e->hosts[i], mac)) {
            return true;
        }
    }
    return false;
}

/* Is 'mac' an address of a member, or one that the host sends by it? */
static bool
is_in_view(const struct bnd_view *view, struct eth_addr mac)
{
    for (size_t i = 0; i < view->n_members; i++) {
        if (eth_addr_equals(view->members[i].mac, mac)
            || eth_addr_equals(view->members[i].perm_mac, mac)) {
            return true;
        }
    }
    return false;
}

/* Finds out what becomes of 'flow' where members have addresses for the
 * host. */
static void
look_for_host(const struct ob_ears *e, const struct flow *flow,
              struct ob_heard *heard)
{
    const struct ob_view *ov = ob_bond_view(e->bond);

    if (!ov || ov->view->xmit != BND_XMIT_LB
        || eth_addr_is_zero(ov->view->host_mac)) {
        return;
    }
    heard->host_mac = ov->view->host_mac;
    heard->looked_at |= OB_LOOKED_MACS;
    if (eth_addr_equals(flow->dl_src, heard->host_mac)
        || is_in_view(ov->view, flow->dl_src)) {
        heard->ends = true;
        heard->wanted = false;
    } else {
        heard->for_host = (!eth_addr_equals(flow->dl_dst, heard->host_mac)
                           && is_in_view(ov->view, flow->dl_dst));
    }
}

struct ob_heard
ob_listen_look(const struct ofproto_dpif *bridge, const struct flow *flow)
{
    const struct ear *ear = find_ear(bridge, flow->in_port.ofp_port);
    struct ob_heard heard = { .bond = NULL };

    if (ear && flow->packet_type == htonl(PT_ETH)) {
        const struct ob_ears *e = ear->of;

        heard.bond = e->bond;
        heard.aux = ear->aux;
        heard.wanted = is_wanted(e, flow, &heard);
        heard.soon = e->own;
        if (e->balances) {
            look_for_host(e, flow, &heard);
        } else if (heard.wanted) {
            heard.looked_at |= OB_LOOKED_MACS;
            heard.ends = (is_members(e, flow->dl_src)
                          || is_hosts(e, flow->dl_src)
                          || (is_members(e, flow->dl_dst)
                              && !is_hosts(e, flow->dl_dst)));
        }
    }
    return heard;
}

bool
ob_listen_has_taps(const struct bond *bond)
{
    return bond->ears && !bond->ears->balances;
}

void
ob_listen_mask(const struct ob_heard *heard, struct flow_wildcards *wc)
{
    struct flow *m = &wc->masks;

    if (heard->looked_at & OB_LOOKED_PROTO) {
        m->nw_proto = UINT8_MAX;
    }
    if (heard->looked_at & OB_LOOKED_ICMP) {
        m->tp_src |= htons(UINT8_MAX);
    }
    if (heard->looked_at & OB_LOOKED_ADDRS
        && heard->looked_at & OB_LOOKED_PROTO) {
        m->ipv6_src = m->ipv6_dst = in6addr_exact;
    } else if (heard->looked_at & OB_LOOKED_ADDRS) {
        m->nw_src = m->nw_dst = OVS_BE32_MAX;
    }
    if (heard->looked_at & OB_LOOKED_MACS) {
        m->dl_src = m->dl_dst = eth_addr_exact;
    }
}

void
ob_listen_take(const struct ob_heard *heard, const struct dp_packet *packet)
{
    ob_inbox_put(&heard->bond->inbox, heard->aux, packet,
                 heard->soon ? OB_INBOX_SOON : OB_INBOX_NEXT_PASS);
}
