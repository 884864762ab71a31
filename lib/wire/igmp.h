/* SPDX-License-Identifier: Apache-2.0 */

/* Reports of IPv4 multicast groups
 * ================================
 *
 * Switches forward a group to the ports by which they heard a report for it.
 * When a path changes, its groups must be reported anew, in the version that
 * the querier speaks: routers of version 1 and 2 do not understand version 3.
 *
 * A report of version 3 says that the group is wanted from all sources
 * ("mode is exclude" of an empty list), which is what Linux sends.
 *
 * We simplify: source filters are not repeated, so that sources that nobody
 * wants may come until the querier asks the next time.
 *
 * IPv4 addresses are numbers in host byte order.
 *
 * Thread-safety
 * -------------
 * Pure functions.
 *
 * Source: RFC 1112 appendix I, RFC 2236, RFC 3376 section 4.2. */

#ifndef BND_WIRE_IGMP_H
#define BND_WIRE_IGMP_H 1

#include "wire/ip.h"

/* 224.0.0.1, which is never reported. */
#define BND_IGMP_ALL_HOSTS 0xe0000001

/* The greatest untagged frame. */
#define BND_IGMP_FRAME_LEN 54

/* Writes an untagged frame by which 'mac', which has 'src' (0: no address),
 * reports 'group' in 'version' 1, 2 or 3. */
void bnd_igmp_report(struct bnd_writer *, struct eth_addr mac, uint32_t src,
                     uint32_t group, int version);

#endif /* wire/igmp.h */
