/* SPDX-License-Identifier: Apache-2.0 */

/* What the host has
 * =================
 *
 * A monitor that probes asks where the host would look for its targets
 * (monitor/route.h), and modes that balance the host's frames want to know its
 * Ethernet address, that of the bridge's LOCAL port, and its others.  This
 * gathers the answer: the addresses of the bridge's host ports and of what
 * stands on them, with the tags that their frames have at the bond's members;
 * and, of all else that the host has, as much as is about a target.
 *
 * It is gathered anew when devices, addresses, routes or VLANs of the switch
 * have changed, though not more often than every OB_HOST_LIST_PAUSE ms, and
 * not at all while nobody asks.
 *
 * Threads: main.
 *
 * Source: Linux Documentation/networking/bonding.rst, arp_ip_target. */

#ifndef OB_HOST_LIST_H
#define OB_HOST_LIST_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "config/settings.h"
#include "core/member.h"
#include "wire/ip.h"

struct ob_owner;

#define OB_HOST_LIST_PAUSE 100

/* How often to do so. */
#define OB_HOST_LEARN_INTERVAL 1000

/* A device of the host on a port of the switch. */
struct ob_host_seat {
    struct eth_addr mac;
    uint16_t vlan;              /* In the switch. */
    const void *bundle;         /* OVS's struct ofbundle, or one that was. */
};

struct ob_host_list {
    bool wanted;                /* By the engine. */
    struct bnd_ip targets[BND_MAX_PROBED]; /* What is probed... */
    size_t n_targets;           /* ...so many. */
    struct eth_addr *macs;      /* Of the host's devices. */
    size_t n_macs;
    struct bnd_ip *own;         /* Addresses that the host has on the bond. */
    size_t n_own;
    struct ob_host_seat *seats; /* Where those are that probes come from. */
    size_t n_seats;
    long long int next_learn;   /* When to see to it that NORMAL knows, ms. */

    /* As of what it was gathered last. */
    uint64_t seq;
    bool in_kernel;             /* The host's ports are the kernel's, too. */
    bool stale;                 /* It must be gathered again... */
    long long int next;         /* ...but no earlier than this, ms. */
};

void ob_host_list_uninit(struct ob_host_list *);

/* Targets or the wish may have changed. */
void ob_host_list_configure(struct ob_owner *);

/* Gathers the list if it is out of date, and hands it to the engine. */
void ob_host_list_run(struct ob_owner *);

/* When ob_host_list_run() has something to do, or BND_NEVER. */
long long int ob_host_list_wake_time(const struct ob_owner *);

#endif /* host-list.h */
