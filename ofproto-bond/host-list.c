/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/host-list.h"

#include <stdlib.h>
#include <string.h>
#include "connectivity.h"
#include "netdev.h"
#include "ofproto-bond/attach.h"
#include "ofproto-bond/carrier.h"
#include "ofproto-bond/handle.h"
#include "ofproto-bond/hosts.h"
#include "ofproto-bond/owner-private.h"
#include "ofproto-bond/routes.h"
#include "packets.h"
#include "seq.h"
#include "util.h"

void
ob_host_list_uninit(struct ob_host_list *h)
{
    free(h->macs);
    free(h->own);
    free(h->seats);
}

void
ob_host_list_configure(struct ob_owner *o)
{
    struct ob_host_list *h = &o->host;

    ovs_mutex_lock(&o->mutex);
    h->wanted = bnd_wants_host(o->engine);
    ovs_mutex_unlock(&o->mutex);
    h->n_targets = 0;
    if (h->wanted) {
        ob_hosts_start();
        ob_routes_start();
        bnd_add_targets(&o->settings, BND_OPT_ARP_TARGETS, h->targets,
                        &h->n_targets);
        bnd_add_targets(&o->settings, BND_OPT_NS_TARGETS, h->targets,
                        &h->n_targets);
        h->stale = true;
        h->next = 0;
    }
}

/* Gathering. */

struct entry {
    struct bnd_host host;
    bool is_local;              /* Of the bridge itself. */
    int ifindex;
    size_t pos;                 /* Among the addresses of its device. */
};

struct gather {
    const struct ob_owner *o;
    const struct ob_bundle *out; /* Of the bond, or null. */
    const struct ob_bundle *in; /* Of the port that is being looked at. */
    bool is_local;              /* It is the bridge's. */

    struct entry *entries;
    size_t n_entries, allocated_entries;
    struct way {                /* Devices whose frames leave by the bond. */
        int ifindex;
        struct bnd_tags tags;
    } *ways;
    size_t n_ways, allocated_ways;
    struct eth_addr local_mac;  /* Of the bridge's own port, or zero. */
    struct eth_addr *macs;
    size_t n_macs, allocated_macs;
    struct bnd_ip *own;
    size_t n_own, allocated_own;
    struct ob_host_seat *seats;
    size_t n_seats, allocated_seats;
    bool in_kernel;
};

static void
add_entry(struct gather *g, const struct bnd_host *host, bool is_local,
          int ifindex, size_t pos)
{
    if (g->n_entries == g->allocated_entries) {
        g->entries = x2nrealloc(g->entries, &g->allocated_entries,
                                sizeof *g->entries);
    }
    g->entries[g->n_entries++] = (struct entry) {
        .host = *host,
        .is_local = is_local,
        .ifindex = ifindex,
        .pos = pos,
    };
}

static void
add_mac(struct gather *g, struct eth_addr mac)
{
    for (size_t i = 0; i < g->n_macs; i++) {
        if (eth_addr_equals(g->macs[i], mac)) {
            return;
        }
    }
    if (g->n_macs == g->allocated_macs) {
        g->macs = x2nrealloc(g->macs, &g->allocated_macs, sizeof *g->macs);
    }
    g->macs[g->n_macs++] = mac;
}

static void
add_own(struct gather *g, const struct bnd_ip *ip)
{
    if (g->n_own == g->allocated_own) {
        g->own = x2nrealloc(g->own, &g->allocated_own, sizeof *g->own);
    }
    g->own[g->n_own++] = *ip;
}

static void
add_seat(struct gather *g, struct eth_addr mac, uint16_t vlan)
{
    if (g->n_seats == g->allocated_seats) {
        g->seats = x2nrealloc(g->seats, &g->allocated_seats,
                              sizeof *g->seats);
    }
    g->seats[g->n_seats++] = (struct ob_host_seat) {
        .mac = mac, .vlan = vlan, .bundle = g->in->bundle
    };
}

static const struct way *
find_way(const struct gather *g, int ifindex)
{
    for (size_t i = 0; i < g->n_ways; i++) {
        if (g->ways[i].ifindex == ifindex) {
            return &g->ways[i];
        }
    }
    return NULL;
}

static void
add_way(struct gather *g, int ifindex, const struct bnd_tags *tags)
{
    if (ifindex && !find_way(g, ifindex)) {
        if (g->n_ways == g->allocated_ways) {
            g->ways = x2nrealloc(g->ways, &g->allocated_ways,
                                 sizeof *g->ways);
        }
        g->ways[g->n_ways++] = (struct way) {
            .ifindex = ifindex,
            .tags = *tags,
        };
    }
}

/* False if they are too many. */
static bool
convert_tags(const struct ob_tags *from, struct bnd_tags *to)
{
    memset(to, 0, sizeof *to);
    for (int i = 0; i < OB_MAX_TAGS && from->tag[i].tpid; i++) {
        if (to->n == BND_ETH_MAX_TAGS) {
            return false;
        }
        to->tag[to->n].tpid = from->tag[i].tpid;
        to->tag[to->n++].vid = from->tag[i].vid;
    }
    return true;
}

static struct bnd_ip
address(const struct ob_host_addr *a)
{
    struct bnd_ip ip;

    memset(&ip, 0, sizeof ip);
    ip.is_ip6 = a->is_ip6;
    ip.ip4 = a->is_ip6 ? 0 : a->ip4;
    if (a->is_ip6) {
        ip.ip6 = a->ip6;
    }
    return ip;
}

/* A device of the host on a port of the switch, of which frames have 'tags' at
 * that port. */
static void
gather_device(const struct ob_device *d, const struct ob_tags *tags,
              void *g_)
{
    struct gather *g = g_;
    struct ob_tags inside, outside;
    struct bnd_host host;

    add_mac(g, d->mac);
    memset(&host, 0, sizeof host);
    if (!g->out || !g->in || !ob_bundle_enter(g->in, tags, &inside)
        || !ob_bundle_leave(g->out, &inside, &outside)
        || !convert_tags(&outside, &host.tags)) {
        return;
    }
    add_way(g, d->ifindex, &host.tags);
    add_seat(g, d->mac, inside.tag[0].tpid ? inside.tag[0].vid : 0);
    host.kind = BND_HOST_ADDR;
    host.is_addr = true;
    host.mac = d->mac;
    for (size_t i = 0; i < d->n_addrs; i++) {
        if (ob_host_addr_is_ours(&d->addrs[i])) {
            host.ip = address(&d->addrs[i]);
            host.plen = d->addrs[i].plen;
            add_entry(g, &host, g->is_local, d->ifindex, i);
            add_own(g, &host.ip);
        }
    }
}

static void
gather_port(const struct ob_host_port *p, void *g_)
{
    struct gather *g = g_;
    struct eth_addr mac;

    g->in = ob_bundles_find(p->bundle);
    g->is_local = p->is_local;
    g->in_kernel |= ob_carrier_in_kernel(p->netdev);
    if (!netdev_get_etheraddr(p->netdev, &mac)) {
        add_mac(g, mac);
        if (p->is_local) {
            g->local_mac = mac;
        }
    }
    ob_hosts_for_each(p->netdev, gather_device, g);
}

/* Does 'a' say something of a target? */
static bool
is_about_target(const struct ob_host_list *h, const struct ob_host_addr *a)
{
    for (size_t i = 0; i < h->n_targets; i++) {
        const struct bnd_ip *t = &h->targets[i];
        struct in6_addr mask = ipv6_create_mask(a->plen);
        struct in6_addr x, y;

        if (t->is_ip6 != a->is_ip6) {
            continue;
        }
        if (!t->is_ip6) {
            if (!((t->ip4 ^ a->ip4)
                  & ntohl(be32_prefix_mask(a->plen)))) {
                return true;
            }
            continue;
        }
        memcpy(&x, &t->ip6, sizeof x);
        memcpy(&y, &a->ip6, sizeof y);
        x = ipv6_addr_bitand(&x, &mask);
        y = ipv6_addr_bitand(&y, &mask);
        if (ipv6_addr_equals(&x, &y)) {
            return true;
        }
    }
    return false;
}

/* Any device of the host. */
static void
gather_elsewhere(const struct ob_device *d, const struct ob_tags *tags
                 OVS_UNUSED, void *g_)
{
    struct gather *g = g_;

    if (find_way(g, d->ifindex)) {
        return;
    }
    for (size_t i = 0; i < d->n_addrs; i++) {
        if (is_about_target(&g->o->host, &d->addrs[i])) {
            struct bnd_host host;

            memset(&host, 0, sizeof host);
            host.kind = BND_HOST_ELSEWHERE;
            host.ip = address(&d->addrs[i]);
            host.plen = d->addrs[i].plen;
            host.is_addr = true;
            add_entry(g, &host, false, d->ifindex, i);
        }
    }
}

static bool
is_link_local(const struct bnd_ip *ip)
{
    struct in6_addr ip6;

    memcpy(&ip6, &ip->ip6, sizeof ip6);
    return ip->is_ip6 && in6_is_lla(&ip6);
}

/* What the kernel's routes say of the targets. */
static void
gather_routes(struct gather *g)
{
    static uint64_t hosts_seq;
    const struct ob_host_list *h = &g->o->host;

    if (hosts_seq != ob_hosts_seq()) {
        hosts_seq = ob_hosts_seq();
        ob_routes_flush();
    }
    for (size_t i = 0; i < h->n_targets; i++) {
        struct bnd_host host;
        struct ob_route route;

        if (is_link_local(&h->targets[i])) {
            continue;           /* Such are on each link. */
        }
        route = ob_routes_lookup(&h->targets[i]);
        if (route.on_link || route.is_local) {
            const struct way *way = find_way(g, route.ifindex);

            memset(&host, 0, sizeof host);
            host.kind = way ? BND_HOST_ROUTE : BND_HOST_ELSEWHERE;
            host.ip = h->targets[i];
            host.plen = host.ip.is_ip6 ? 128 : 32;
            host.is_addr = route.is_local;
            if (way) {
                host.tags = way->tags;
            }
            add_entry(g, &host, false, route.ifindex, i);
        }
    }
}

/* The order must be the same each time. */
static int
compare_entries(const void *a_, const void *b_)
{
    const struct entry *a = a_, *b = b_;

    return (a->host.kind != b->host.kind
            ? (a->host.kind < b->host.kind ? -1 : 1)
            : a->is_local != b->is_local ? (a->is_local ? -1 : 1)
            : a->ifindex != b->ifindex ? (a->ifindex < b->ifindex ? -1 : 1)
            : a->pos != b->pos ? (a->pos < b->pos ? -1 : 1) : 0);
}

static void
tell_engine(struct ob_owner *o, struct gather *g)
{
    struct bnd_host *hosts = xcalloc(g->n_entries + 1, sizeof *hosts);

    if (g->n_entries) {
        qsort(g->entries, g->n_entries, sizeof *g->entries, compare_entries);
    }
    for (size_t i = 0; i < g->n_entries; i++) {
        hosts[i] = g->entries[i].host;
    }
    ovs_mutex_lock(&o->mutex);
    bnd_set_host_mac(o->engine, g->local_mac, ob_owner_now(o));
    bnd_set_host(o->engine, hosts, g->n_entries, ob_owner_now(o));
    ob_owner_touched(o);
    ovs_mutex_unlock(&o->mutex);
    free(hosts);
}

static void
gather(struct ob_owner *o)
{
    struct gather g = {
        .o = o,
        .out = ob_bundles_find(o->bond->bundle),
    };

    ob_host_ports_for_each(ob_owner_ofproto(o), gather_port, &g);
    if (g.in_kernel) {
        ob_hosts_for_all(gather_elsewhere, &g);
        gather_routes(&g);
    }
    tell_engine(o, &g);
    free(o->host.macs);
    free(o->host.own);
    free(o->host.seats);
    o->host.own = g.own;
    o->host.n_own = g.n_own;
    o->host.seats = g.seats;
    o->host.n_seats = g.n_seats;
    o->host.next_learn = 0;
    o->host.macs = g.macs;
    o->host.n_macs = g.n_macs;
    o->host.in_kernel = g.in_kernel;
    free(g.entries);
    free(g.ways);
}

/* Changes whenever something has changed that matters. */
static uint64_t
current_seq(const struct ob_host_list *h)
{
    return (ob_hosts_seq() + ob_bundles_seq() + ob_routes_seq()
            + (h->in_kernel ? 0 : seq_read(connectivity_seq_get())));
}

/* Probes do not go through the flow tables, so NORMAL does not learn from them
 * whose they are and would flood the answers, if the host is silent. */
static void
learn_seats(struct ob_owner *o)
{
    const struct ofproto_dpif *ofproto = ob_owner_ofproto(o);
    struct ob_host_list *h = &o->host;

    if (!ofproto || time_msec() < h->next_learn) {
        return;
    }
    h->next_learn = time_msec() + OB_HOST_LEARN_INTERVAL;
    for (size_t i = 0; i < h->n_seats; i++) {
        const struct ob_host_seat *s = &h->seats[i];

        if (ob_bundles_find(s->bundle)
            && !ob_attach_is_learned(ofproto, s->mac, s->vlan)) {
            ob_attach_learn(ofproto, s->mac, s->vlan, s->bundle);
        }
    }
}

void
ob_host_list_run(struct ob_owner *o)
{
    struct ob_host_list *h = &o->host;
    long long int now;

    if (h->wanted) {
        learn_seats(o);
    }
    if (!h->wanted || (!h->stale && h->seq == current_seq(h))) {
        return;
    }
    h->stale = true;
    now = time_msec();
    if (now >= h->next) {
        h->next = now + OB_HOST_LIST_PAUSE;
        if (o->bond && ob_owner_ofproto(o)) {
            gather(o);
            h->stale = false;
            h->seq = current_seq(h);
            o->ears_stale = true;
        }
    }
}

long long int
ob_host_list_wake_time(const struct ob_owner *o)
{
    return o->host.wanted && o->host.stale ? o->host.next : BND_NEVER;
}
