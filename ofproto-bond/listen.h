/* SPDX-License-Identifier: Apache-2.0 */

/* Hearing what comes in by members
 * ================================
 *
 * A monitor that probes has to see ARP and neighbour discovery that arrive at
 * the members, on backups, too, and whatever flow tables make of it.  So
 * translation looks, before it does anything else, whether a packet came in by
 * a member that listens.  If it is one that the monitor can use, a copy goes
 * to the bond's inbox and the cached flow sends each packet to us; it is
 * forwarded all the same.
 *
 * What the monitor cannot use stays in the datapath, at the price of cached
 * flows that tell ARP by its addresses (which NORMAL does anyway, on bonds)
 * and, if there are IPv6 targets, neighbour discovery from other IPv6.  So a
 * storm of foreign ARP costs what it costs without a monitor.  'arp_validate'
 * with "filter" is the exception: it wants to know of all ARP.
 *
 * Two kinds of packets end here instead of being forwarded.
 *
 *   - Our own probes and other frames with an address of a member or of the
 *     host's ports, seen back through the network: NORMAL would learn that
 *     address behind the bond.
 *   - Answers to the address of a member, unless it is the host's, too: nobody
 *     in this switch has it, and NORMAL would flood them.
 *
 * Where members have addresses by which peers reach the host (balance-tlb,
 * balance-alb), all frames are looked at, so cached flows tell them apart by
 * both Ethernet addresses.  Those to such an address, by whatever member they
 * come (that of one that was lost is taught elsewhere), get that of the host
 * for a destination before any flow table sees them.  Those that come from
 * such an address, or from the host's own, are our own, seen back, and end
 * here.  ARP about the host's own IP addresses goes to the bond's inbox, if it
 * asks for it.
 *
 * Packets that a controller sends out with a member as the input port prove
 * nothing and are not heard.
 *
 * Devices of the kernel have sockets for that, too, which hear what a busy
 * datapath drops (taps.h); then this is for the two kinds alone.
 *
 * We simplify: of packets with more tags than Open vSwitch looks at
 * (Open_vSwitch.other_config:vlan-limit, of old one) it cannot be told what
 * they are, so they are not heard.
 *
 * Threads: ob_listen_update(), ob_listen_stop() main, all else any.
 *
 * Source: Linux Documentation/networking/bonding.rst, arp_validate. */

#ifndef OB_LISTEN_H
#define OB_LISTEN_H 1

#include <stdbool.h>
#include "openvswitch/types.h"

struct bond;
struct dp_packet;
struct flow;
struct flow_wildcards;
struct ob_ears;
struct ob_owner;
struct ofproto_dpif;

/* Is there any bond that listens? */
bool ob_listen_wanted(void);

/* Can the monitor of 'o' use ARP and neighbour discovery whoever it is from,
 * and not only what is about a target?  Main thread. */
bool ob_listen_to_any(const struct ob_owner *o);

/* Does what 'bond' listens for include what comes back of probes?  Main
 * thread. */
bool ob_listen_has_taps(const struct bond *bond);

/* Makes the bond of 'o' listen, or not, as its view wants it to, for what its
 * settings name.  Returns true if cached flows must be translated anew for
 * that. */
bool ob_listen_update(struct ob_owner *o);

/* 'bond' is going: it must not be found any more. */
void ob_listen_stop(struct bond *bond);

/* What a packet is to a member that listens. */
struct ob_heard {
    struct bond *bond;          /* Of the member, good until the thread
                                 * quiesces; null if there is none... */
    const void *aux;            /* ...and its port. */
    uint8_t looked_at;          /* OB_LOOKED_*. */
    bool wanted;                /* The engine can use it... */
    bool soon;                  /* ...and does not wait for its next pass... */
    bool ends;                  /* ...and nobody else must get it. */
    bool for_host;              /* It is the host's, and to get... */
    struct eth_addr host_mac;   /* ...this for a destination. */
};

/* Fields that the answer depends on, over and above the Ethernet type. */
#define OB_LOOKED_PROTO 0x1     /* IPv6: protocol... */
#define OB_LOOKED_ICMP  0x2     /* ...type of ICMPv6... */
#define OB_LOOKED_ADDRS 0x4     /* ...ARP, too: addresses of the protocol... */
#define OB_LOOKED_MACS  0x8     /* ...and of Ethernet. */

/* Looks at a packet like 'flow' that came into 'bridge'. */
struct ob_heard ob_listen_look(const struct ofproto_dpif *bridge,
                               const struct flow *flow);

/* Adds to 'wc' what was looked at. */
void ob_listen_mask(const struct ob_heard *, struct flow_wildcards *wc);

/* Hands 'packet' over to the monitor. */
void ob_listen_take(const struct ob_heard *, const struct dp_packet *packet);

#endif /* listen.h */
