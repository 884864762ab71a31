/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/host-mac.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "netdev-provider.h"
#include "ofproto-bond/device.h"
#include "openvswitch/shash.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(bond_host_mac);

/* A LOCAL port that some bond has claimed. */
struct host {
    struct eth_addr asked;      /* What Open vSwitch asked for last. */
    struct shash claims;        /* Struct eth_addr, by the bond's name. */
};

static struct shash hosts = SHASH_INITIALIZER(&hosts);

/* What Open vSwitch last asked any device to have, by its name. */
static struct shash asked = SHASH_INITIALIZER(&asked);

/* The claim that counts, or null. */
static const struct shash_node *
first_claim(const struct host *h)
{
    const struct shash_node *first = NULL;
    const struct shash_node *node;

    SHASH_FOR_EACH (node, &h->claims) {
        if (!first || strcmp(node->name, first->name) < 0) {
            first = node;
        }
    }
    return first;
}

/* Has LOCAL port 'local' have what it should have.  Returns 0 or a positive
 * errno. */
static int
apply(const char *local, const struct host *h)
{
    const struct shash_node *claim = first_claim(h);
    struct eth_addr mac = h->asked;
    struct netdev *netdev = netdev_from_name(local);
    int error = ENODEV;

    if (claim) {
        mac = *(struct eth_addr *) claim->data;
    }
    if (netdev) {
        error = (eth_addr_is_zero(mac) ? 0
                 : ob_device_set_mac(netdev, mac));
        netdev_close(netdev);
    }
    if (error && error != ENODEV) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 5);

        VLOG_WARN_RL(&rl, "%s: cannot be given the address "ETH_ADDR_FMT
                     " of bond %s (%s)", local, ETH_ADDR_ARGS(mac),
                     claim ? claim->name : "<none>", ovs_strerror(error));
    }
    return error;
}

/* Takes the claim of 'bond' away from all but 'keep', which may be null. */
static void
drop_claims(const char *bond, const struct host *keep)
{
    struct shash_node *node;

    SHASH_FOR_EACH_SAFE (node, &hosts) {
        struct host *h = node->data;
        struct eth_addr *mac = (h == keep ? NULL
                                : shash_find_and_delete(&h->claims, bond));

        if (mac) {
            free(mac);
            apply(node->name, h);
            if (shash_is_empty(&h->claims)) {
                shash_destroy(&h->claims);
                free(h);
                shash_delete(&hosts, node);
            }
        }
    }
}

int
ob_host_mac_claim(const char *bond, const char *local, struct eth_addr mac)
{
    struct host *h = shash_find_data(&hosts, local);

    if (!h) {
        struct netdev *netdev = netdev_from_name(local);

        h = xzalloc(sizeof *h);
        shash_init(&h->claims);
        if (netdev) {
            netdev_get_etheraddr(netdev, &h->asked);
            netdev_close(netdev);
        }
        shash_add(&hosts, local, h);
    }
    drop_claims(bond, h);       /* It may have been in another bridge. */

    struct eth_addr *old = shash_replace(&h->claims, bond,
                                         xmemdup(&mac, sizeof mac));
    free(old);
    return apply(local, h);
}

void
ob_host_mac_release(const char *bond)
{
    drop_claims(bond, NULL);
}

const char *
ob_host_mac_winner(const char *bond)
{
    const struct shash_node *node;

    SHASH_FOR_EACH (node, &hosts) {
        const struct host *h = node->data;
        const struct shash_node *first = first_claim(h);

        if (shash_find(&h->claims, bond) && strcmp(first->name, bond)) {
            return first->name;
        }
    }
    return NULL;
}

bool
ob_host_mac_asked(const char *local, struct eth_addr *mac)
{
    const struct eth_addr *last = shash_find_data(&asked, local);

    if (last) {
        *mac = *last;
    }
    return last != NULL;
}

void
ob_host_mac_filter(const struct netdev *netdev, struct eth_addr *mac)
{
    free(shash_replace(&asked, netdev_get_name(netdev),
                       xmemdup(mac, sizeof *mac)));
    if (!shash_is_empty(&hosts)) {
        struct host *h = shash_find_data(&hosts, netdev_get_name(netdev));

        if (h) {
            h->asked = *mac;
            *mac = *(struct eth_addr *) first_claim(h)->data;
        }
    }
}
