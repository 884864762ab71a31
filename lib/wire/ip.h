/* SPDX-License-Identifier: Apache-2.0 */

/* Headers of IPv4 and IPv6
 * ========================
 *
 * As much as messages of the link need that never go further than it: those of
 * neighbours (ICMPv6) and of multicast groups (IGMP, MLD), which routers must
 * look at although they are not sent to them ("router alert").
 *
 * IPv4 addresses are numbers in host byte order.
 *
 * Thread-safety
 * -------------
 * Pure functions.
 *
 * Source: RFC 791, RFC 2113, RFC 8200, RFC 2711, RFC 4443. */

#ifndef BND_WIRE_IP_H
#define BND_WIRE_IP_H 1

#include "core/bnd-types.h"
#include "wire/cursor.h"

#define BND_IP_PROTO_IGMP   2
#define BND_IP_PROTO_ICMPV6 58

/* An IPv6 address. */
struct bnd_ip6 {
    uint8_t b[16];
};

/* An address of either kind. */
struct bnd_ip {
    bool is_ip6;
    uint32_t ip4;               /* Zero if 'is_ip6'... */
    struct bnd_ip6 ip6;         /* ...and this one if not. */
};

/* Returns the address as text, for the caller to free. */
char *bnd_ip_to_string(const struct bnd_ip *);

/* ff02::'last'. */
struct bnd_ip6 bnd_ip6_link_multicast(uint8_t last);

/* The link-local address made of 'mac' (RFC 4291, appendix A). */
struct bnd_ip6 bnd_ip6_link_local(struct eth_addr mac);

/* Where frames to a multicast address go. */
struct eth_addr bnd_ip4_multicast_mac(uint32_t group);
struct eth_addr bnd_ip6_multicast_mac(const struct bnd_ip6 *group);

/* Writes an IPv4 header with router alert for 'len' bytes of 'proto', with a
 * TTL of 1 and the precedence of network control. */
void bnd_ip4_alert(struct bnd_writer *, uint32_t src, uint32_t dst,
                   uint8_t proto, size_t len);

/* Writes an IPv6 header, one with router alert if 'alert', and the 'len' bytes
 * of ICMPv6 at 'body', whose checksum it fills in. */
void bnd_ip6_icmp(struct bnd_writer *, const struct bnd_ip6 *src,
                  const struct bnd_ip6 *dst, uint8_t hop_limit, bool alert,
                  const void *body, size_t len);

/* An IPv6 header. */
struct bnd_ip6_header {
    size_t len;                 /* Of what follows, in bytes. */
    uint8_t next_header;
    uint8_t hop_limit;
    struct bnd_ip6 src;
    struct bnd_ip6 dst;
};

/* Reads one.  Returns false if there is none, or not all of it. */
bool bnd_ip6_decode(struct bnd_cursor *, struct bnd_ip6_header *);

/* Returns the checksum over the ICMPv6 message that 'c' stands on, behind
 * 'header', and the checksum that is in there: 0 if that is right; what it is
 * to be if it is 0 now. */
uint16_t bnd_ip6_icmp_sum(const struct bnd_ip6_header *header,
                          struct bnd_cursor *c);

/* Is the checksum right of the ICMPv6 message that 'c' stands on, behind
 * 'header'? */
bool bnd_ip6_icmp_is_good(const struct bnd_ip6_header *header,
                          struct bnd_cursor c);

#endif /* wire/ip.h */
