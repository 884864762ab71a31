/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/sense.h"

#include "netdev.h"
#include "ofproto-bond/carrier.h"
#include "ofproto-bond/owner.h"
#include "packets.h"
#include "util.h"

/* In Mb/s, 0 if 'netdev' does not tell. */
static uint32_t
read_speed(const struct netdev *netdev)
{
    enum netdev_features current;

    return (netdev_get_features(netdev, &current, NULL, NULL, NULL)
            ? 0 : netdev_features_to_bps(current, 0) / 1000000);
}

void
ob_sense_set_netdev(struct ob_member *m, struct netdev *netdev)
{
    ob_carrier_unwatch(m->netdev);
    netdev_close(m->netdev);
    m->netdev = netdev_ref(netdev);
    m->in_kernel = netdev && ob_carrier_in_kernel(netdev);
    m->change_seq = 0;
    ob_carrier_watch(m->netdev);
}

void
ob_sense_read(struct ob_member *m)
{
    if (!m->netdev) {
        return;
    }
    m->change_seq = netdev_get_change_seq(m->netdev);
    m->carrier_resets = netdev_get_carrier_resets(m->netdev);
    m->facts.carrier = netdev_get_carrier(m->netdev);
    m->facts.speed_mbps = read_speed(m->netdev);
    if (netdev_get_etheraddr(m->netdev, &m->facts.mac)) {
        m->facts.mac = eth_addr_zero;
    }
    if (eth_addr_is_zero(m->perm_mac)) {
        m->perm_mac = m->facts.mac;
    }
}

void
ob_sense_run(struct ob_owner *o)
{
    for (size_t i = 0; i < o->n_members; i++) {
        struct ob_member *m = &o->members[i];

        if (!m->netdev || netdev_get_change_seq(m->netdev) == m->change_seq) {
            continue;
        }

        struct bnd_facts old = m->facts;
        long long int resets = m->carrier_resets;
        ob_sense_read(m);

        bool reset = m->carrier_resets != resets;
        if (reset || m->facts.carrier != old.carrier
            || m->facts.speed_mbps != old.speed_mbps
            || !eth_addr_equals(m->facts.mac, old.mac)) {
            struct bnd_event e = {
                .type = BND_EV_LINK,
                .id = m->id,
                .link = { .facts = m->facts, .reset = reset },
            };
            ob_owner_event(o, &e);
        }
    }
}
