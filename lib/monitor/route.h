/* SPDX-License-Identifier: Apache-2.0 */

/* The way to a target
 * ===================
 *
 * A target is probed where the host itself would look for it: on the link on
 * which the host has an address, or a route without a gateway, that covers the
 * target, the longest prefix first; with the VLAN tags that frames to there
 * have at the bond, and from the host's own address there.
 *
 *   - Nothing covers it: it is probed all the same, untagged, from 0.0.0.0.
 *     Gateways are not followed, so a default route covers nothing.
 *   - What covers it has nothing to do with the bond, or it is an address of
 *     the host itself: no probe.
 *
 * 'vlan' and 'source' are the user's: frames go to that VLAN whatever the host
 * has, and come from that address where the host has none of its own.
 *
 * Whoever is asked takes note of who asks: a target sends to the host what it
 * has for it by the Ethernet address that stood in the last question from the
 * host's address.  So a question from that address comes from the device that
 * has it, as the host's own do.
 *
 * What the host has is told from outside, as a list.  Of two entries as long
 * as one another the bond's own goes first, then the one that stands first.
 *
 * Thread-safety
 * -------------
 * Pure functions.
 *
 * Source: Linux Documentation/networking/bonding.rst, arp_ip_target; the
 * driver's probes. */

#ifndef BND_ROUTE_H
#define BND_ROUTE_H 1

#include <stddef.h>
#include "wire/eth.h"
#include "wire/ip.h"

/* Something that the host has. */
enum bnd_host_kind {
    BND_HOST_ADDR,              /* An address on the bond, or on a device that
                                 * stands on it, and its prefix. */
    BND_HOST_ROUTE,             /* A prefix there without a gateway, but for
                                 * which there is no address. */
    BND_HOST_ELSEWHERE,         /* An address or a route without a gateway on
                                 * any other device. */
    BND_N_HOST_KINDS
};

struct bnd_host {
    enum bnd_host_kind kind;
    struct bnd_ip ip;           /* Address, or any one of the prefix. */
    uint8_t plen;               /* Length of the prefix, in bits; 32 or 128 if
                                 * nobody else is on the link. */
    bool is_addr;               /* ELSEWHERE: 'ip' is the host's own, too. */
    struct bnd_tags tags;       /* ADDR, ROUTE: of its frames at the bond. */
    struct eth_addr mac;        /* ADDR: of the device that has it. */
};

/* What becomes of a target. */
struct bnd_route {
    bool covered;               /* The host has something there, or the user
                                 * says so. */
    bool elsewhere;             /* Not by the bond: it is not probed. */
    struct bnd_tags tags;
    struct bnd_ip src;          /* Zero if there is none. */
    struct eth_addr mac;        /* Of the host's device that has 'src', zero if
                                 * none has. */
};

/* Looks up the way to 'target'.  'vlan' is the VLAN to probe it in, 0 for
 * untagged, -1 to find it out; 'source' the IPv4 address to take where there is
 * none, 0 for none. */
struct bnd_route bnd_route_lookup(const struct bnd_host *, size_t n_hosts,
                                  const struct bnd_ip *target, int vlan,
                                  uint32_t source);

bool bnd_ip_equal(const struct bnd_ip *, const struct bnd_ip *);

/* Are the VLANs the same, whatever the types of the tags? */
bool bnd_tags_equal(const struct bnd_tags *, const struct bnd_tags *);

#endif /* route.h */
