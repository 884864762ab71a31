/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/sense.h"

#include "netdev.h"
#include "ofproto-bond/carrier.h"
#include "ofproto-bond/owner.h"
#include "packets.h"
#include "util.h"

/* Reads speed (0 if unknown) and duplex, as 'netdev' tells them. */
static void
read_speed(const struct netdev *netdev, struct bnd_facts *facts)
{
    enum netdev_features current;

    facts->speed_mbps = 0;
    facts->duplex = BND_DUPLEX_UNKNOWN;
    if (!netdev_get_features(netdev, &current, NULL, NULL, NULL)) {
        facts->speed_mbps = netdev_features_to_bps(current, 0) / 1000000;
        if (facts->speed_mbps) {
            facts->duplex = (netdev_features_is_full_duplex(current)
                             ? BND_DUPLEX_FULL : BND_DUPLEX_HALF);
        }
    }
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
    read_speed(m->netdev, &m->facts);
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
            || m->facts.duplex != old.duplex
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
