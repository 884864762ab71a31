/* SPDX-License-Identifier: Apache-2.0 */

/* Devices of the host and their addresses
 * =======================================
 *
 * After a failover the host's neighbours must hear at once where it is now, so
 * we cannot begin to ask the kernel then which addresses it has, and on which
 * devices on top of which others.  This keeps a copy: read once, when the
 * first bond needs it, and from then on fed by the kernel's notifications.
 *
 * What stands on a port of the switch belongs to the port: VLAN devices, also
 * nested ones, macvlan and ipvlan, and the bridge or bond that the port is in.
 * A tunnel over the port does not: its addresses are elsewhere.
 *
 * Devices in other network namespaces are not seen.
 *
 * Threads: main, or any that holds 'ob_host_mutex' meanwhile.
 *
 * Source: rtnetlink(7); Linux, Documentation/networking/bonding.rst,
 * num_grat_arp. */

#ifndef OB_HOSTS_H
#define OB_HOSTS_H 1

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include "ofproto-bond/bundles.h"
#include "openvswitch/hmap.h"
#include "openvswitch/thread.h"
#include "wire/ip.h"

struct netdev;

/* Protects what is known of the host's devices and of the switch's ports
 * (bundles.h), and 'bond->bundle', from threads other than the main one: that
 * one writes with it and may read ports without.  Taken before an owner's. */
extern struct ovs_mutex ob_host_mutex;

/* An address of a device. */
struct ob_host_addr {
    bool is_ip6;
    uint32_t ip4;               /* One of the two. */
    struct bnd_ip6 ip6;
    uint8_t plen;               /* Length of the prefix that is on the link. */
    uint32_t flags;             /* IFA_F_*. */
};

struct ob_device {
    struct hmap_node node;      /* By 'ifindex'. */
    struct hmap_node link_node; /* By 'link'. */
    int ifindex;
    char name[IFNAMSIZ];
    struct eth_addr mac;
    unsigned int flags;         /* IFF_*. */
    int link;                   /* Ifindex of the device that it stands on, if
                                 * it shares that one's link, or 0. */
    int master;                 /* Of the one that it is a part of, or 0. */
    bool is_relay;              /* Stands on its parts: bridge, bond, team. */
    struct ob_tag tag;          /* Of what it sends by 'link'. */
    bool forwards;              /* It is a router's, for IPv6. */
    struct ob_host_addr *addrs;
    size_t n_addrs;
    size_t allocated_addrs;
};

/* Begins to follow the kernel; idempotent.  Main thread. */
void ob_hosts_start(void);

/* Takes in what the kernel has said, and wakes for it.  Whoever reads right
 * after ob_hosts_run() knows all that has happened until then. */
void ob_hosts_run(void)
    OVS_REQUIRES(ob_host_mutex);
void ob_hosts_wait(void);

/* Calls 'cb' for the device of 'netdev', a port of a switch, and all that stand
 * on it, as far as they are up; 'tags' are those of their frames at the
 * port. */
typedef void ob_hosts_cb(const struct ob_device *, const struct ob_tags *tags,
                         void *aux);
void ob_hosts_for_each(const struct netdev *, ob_hosts_cb *, void *aux);

/* Calls 'cb' for all devices of the kernel that are up, in no particular
 * order, without tags. */
void ob_hosts_for_all(ob_hosts_cb *, void *aux);

/* Returns the device, or null. */
const struct ob_device *ob_hosts_find(int ifindex);

/* Counts changes of devices and addresses, but not of carriers. */
uint64_t ob_hosts_seq(void);

/* Is 'addr' one that may be used, not one that others may have? */
bool ob_host_addr_is_ours(const struct ob_host_addr *);

#endif /* hosts.h */
