/* SPDX-License-Identifier: Apache-2.0 */

/* Reports of IPv6 multicast groups
 * ================================
 *
 * For IPv6 what wire/igmp.h is for IPv4, with the same simplification.
 *
 * Thread-safety
 * -------------
 * Pure functions.
 *
 * Source: RFC 2710, RFC 3810 section 5.2, RFC 3590. */

#ifndef BND_WIRE_MLD_H
#define BND_WIRE_MLD_H 1

#include "wire/ip.h"

/* The greatest untagged frame. */
#define BND_MLD_FRAME_LEN 90

/* Is 'group' ever reported?  Not ff02::1, and not what stays within a node. */
bool bnd_mld_is_reported(const struct bnd_ip6 *group);

/* Reads an ICMPv6 message.  True if it is a report of version 1; then stores
 * in '*group' of what. */
bool bnd_mld_decode_v1(struct bnd_cursor, struct bnd_ip6 *group);

/* Writes an untagged frame by which 'mac', which has the link-local address
 * 'src' (all zeros: none), reports 'group' in 'version' 1 or 2. */
void bnd_mld_report(struct bnd_writer *, struct eth_addr mac,
                    const struct bnd_ip6 *src, const struct bnd_ip6 *group,
                    int version);

#endif /* wire/mld.h */
