/* SPDX-License-Identifier: Apache-2.0 */

/* Neighbours in IPv6
 * ==================
 *
 * An unsolicited neighbour advertisement is for IPv6 what a gratuitous ARP is
 * for IPv4 (wire/arp.h): with the override flag it replaces the Ethernet
 * address that neighbours remember.
 *
 * Thread-safety
 * -------------
 * Pure functions.
 *
 * Source: RFC 4861, sections 4.4 and 7.2.6. */

#ifndef BND_WIRE_ND_H
#define BND_WIRE_ND_H 1

#include "wire/ip.h"

/* Bytes of an untagged frame. */
#define BND_ND_FRAME_LEN 86

/* Writes an untagged frame that says to all nodes that 'mac' has 'addr', and
 * whether its owner is a 'router'. */
void bnd_nd_unsolicited(struct bnd_writer *, struct eth_addr mac,
                        const struct bnd_ip6 *addr, bool router);

#endif /* wire/nd.h */
