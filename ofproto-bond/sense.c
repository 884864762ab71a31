/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/sense.h"

#include <stdlib.h>
#include <string.h>
#include "netdev.h"
#include "ofproto-bond/carrier.h"
#include "ofproto-bond/cuts.h"
#include "ofproto-bond/device.h"
#include "ofproto-bond/ethtool.h"
#include "ofproto-bond/owner.h"
#include "packets.h"
#include "smap.h"
#include "timeval.h"
#include "util.h"

static ob_sense_past *past_source;

void
ob_sense_set_past(ob_sense_past *source)
{
    past_source = source;
}

void
ob_sense_get_past(const struct ob_owner *o, const struct ob_member *m,
                  struct ob_past *past)
{
    memset(past, 0, sizeof *past);
    if (past_source && !o->knows_past) {
        past_source(o->name, m ? m->name : NULL,
                    m ? m->facts.mac : eth_addr_zero, past);
    }
}

/* Speed that 'netdev' tells as text alone, such as "25Gbps", in Mb/s; else
 * 0. */
static uint32_t
read_status_speed(const struct netdev *netdev)
{
    struct smap status = SMAP_INITIALIZER(&status);
    double speed = 0;

    if (!netdev_get_status(netdev, &status)) {
        const char *text = smap_get_def(&status, "link_speed", "");
        char *unit;

        speed = strtod(text, &unit);
        speed *= *unit == 'G' ? 1000 : *unit == 'M' ? 1 : 0;
    }
    smap_destroy(&status);
    return speed;
}

static void
read_link(struct ob_member *m)
{
    enum netdev_features features;
    struct bnd_facts *f = &m->facts;

    f->speed_mbps = 0;
    f->duplex = BND_DUPLEX_UNKNOWN;
    if (!m->in_kernel
        || ob_ethtool_link(netdev_get_name(m->netdev), &f->speed_mbps,
                           &f->duplex)) {
        if (!netdev_get_features(m->netdev, &features, NULL, NULL, NULL)) {
            f->speed_mbps = netdev_features_to_bps(features, 0) / 1000000;
            f->duplex = (netdev_features_is_full_duplex(features)
                         ? BND_DUPLEX_FULL
                         : f->speed_mbps ? BND_DUPLEX_HALF
                         : BND_DUPLEX_UNKNOWN);
        }
        if (!f->speed_mbps && !m->in_kernel) {
            f->speed_mbps = read_status_speed(m->netdev);
            if (f->speed_mbps > 1000) {
                f->duplex = BND_DUPLEX_FULL;    /* There is no other. */
            }
        }
    }
    m->tells_speed |= f->speed_mbps != 0;
    f->speed_lost = m->tells_speed && !f->speed_mbps && f->carrier;
}

/* Has the device of 'm' a link? */
static bool
read_carrier(const struct ob_owner *o, struct ob_member *m)
{
    const char *name = netdev_get_name(m->netdev);
    enum netdev_flags flags;
    bool up;

    if (!o->ask_links || !m->in_kernel) {
        return ob_cut_carrier(m, netdev_get_carrier(m->netdev));
    }
    if (netdev_get_flags(m->netdev, &flags) || !(flags & NETDEV_UP)) {
        return false;
    }
    return ((ob_ethtool_mii_link(name, &up)
             && ob_ethtool_link_detected(name, &up)) || up);
}

/* Finds out what the device of 'm' is to have when it leaves: what it has now,
 * unless an earlier life of ours gave it that. */
static void
read_past(const struct ob_owner *o, struct ob_member *m)
{
    struct ob_past past;

    m->perm_mac = m->facts.mac;
    ob_sense_get_past(o, m, &past);
    if (!eth_addr_is_zero(past.perm_mac)) {
        m->perm_mac = past.perm_mac;
        m->mac_changed = !eth_addr_equals(m->perm_mac, m->facts.mac);
    }
    m->own_mtu = past.own_mtu;
}

void
ob_sense_set_netdev(struct ob_member *m, struct netdev *netdev)
{
    ob_carrier_unwatch(m->netdev);
    netdev_close(m->netdev);
    m->netdev = netdev_ref(netdev);
    m->in_kernel = netdev && ob_carrier_in_kernel(netdev);
    m->change_seq = 0;
    m->perm_mac = eth_addr_zero;
    m->replaced = true;
    m->tells_speed = m->mac_changed = m->mtu_set = m->link_unread = false;
    m->own_mtu = 0;
    m->set_mac = eth_addr_zero;
    ob_carrier_watch(m->netdev);
}

/* Reads all but speed and duplex, for which the kernel may make us wait. */
static void
read_device(const struct ob_owner *o, struct ob_member *m)
{
    struct eth_addr before = m->facts.mac;

    m->change_seq = netdev_get_change_seq(m->netdev);
    m->carrier_resets = netdev_get_carrier_resets(m->netdev);
    m->facts.carrier = read_carrier(o, m);
    if (netdev_get_mtu(m->netdev, &m->mtu)) {
        m->mtu = 0;
    }
    if (netdev_get_etheraddr(m->netdev, &m->facts.mac)) {
        m->facts.mac = eth_addr_zero;
    }
    ob_device_hold_mac(m, &m->facts.mac);
    if (eth_addr_is_zero(m->perm_mac)) {
        read_past(o, m);
    } else if (!m->mac_changed && !eth_addr_equals(m->facts.mac, before)) {
        m->perm_mac = m->facts.mac;     /* By its owner. */
    }
}

void
ob_sense_read(const struct ob_owner *o, struct ob_member *m)
{
    if (m->netdev) {
        read_device(o, m);
        read_link(m);
    }
}

/* The device of 'm' has changed. */
static void
read_changed(struct ob_owner *o, struct ob_member *m)
{
    bool had_carrier = m->facts.carrier;

    read_device(o, m);
    m->link_unread = had_carrier && !m->facts.carrier;
    if (!m->link_unread) {
        read_link(m);
    } else {
        /* First find another member. */
        m->facts.speed_lost = false;
        o->links_unread = true;
    }
}

void
ob_sense_configure(struct ob_owner *o, const struct bnd_settings *s)
{
    o->ask_links = (bnd_settings_num(s, BND_OPT_USE_CARRIER)
                    ? 0 : bnd_settings_num(s, BND_OPT_MIIMON));
    o->next_ask = 0;
}

static bool
facts_equal(const struct bnd_facts *a, const struct bnd_facts *b)
{
    return (a->carrier == b->carrier
            && eth_addr_equals(a->mac, b->mac)
            && a->speed_mbps == b->speed_mbps
            && a->speed_lost == b->speed_lost
            && a->duplex == b->duplex);
}

/* Tells the engine what of 'm' has changed. */
static void
sense_member(struct ob_owner *o, struct ob_member *m)
{
    struct bnd_facts old = m->facts;
    long long int resets = m->carrier_resets;
    int mtu = m->mtu;

    if (m->link_unread || netdev_get_change_seq(m->netdev) != m->change_seq) {
        read_changed(o, m);
    } else {
        m->facts.carrier = read_carrier(o, m);
    }

    /* Of carriers that came and went we hear only if they count. */
    bool reset = m->carrier_resets != resets && !o->ask_links;
    bool cut = ob_cut_settle(o, m);
    if (reset || cut || m->replaced || !facts_equal(&m->facts, &old)) {
        struct bnd_event e = {
            .type = BND_EV_LINK,
            .id = m->id,
            .link = { .facts = m->facts, .reset = reset,
                      .replaced = m->replaced, .perm_mac = m->perm_mac },
        };
        ob_owner_event(o, &e);
        m->replaced = false;
    }
    if (!eth_addr_equals(old.mac, m->facts.mac)) {
        o->ears_stale = true;
    }
    if (m->mtu != mtu) {
        ob_owner_status_changed(o);
    }
}

void
ob_sense_run(struct ob_owner *o)
{
    bool ask = false;

    if (o->ask_links) {
        long long int now = time_msec();

        ask = now >= o->next_ask;
        if (ask) {
            o->next_ask = now + o->ask_links;
        }
    }
    o->links_unread = false;
    for (size_t i = 0; i < o->n_members; i++) {
        struct ob_member *m = &o->members[i];

        if (m->netdev
            && (ask || m->link_unread || ob_cut_is_over(m)
                || netdev_get_change_seq(m->netdev) != m->change_seq)) {
            sense_member(o, m);
        }
    }
}

long long int
ob_sense_wake_time(const struct ob_owner *o)
{
    return (o->links_unread ? 0     /* At once. */
            : o->ask_links ? o->next_ask : BND_NEVER);
}
