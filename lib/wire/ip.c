/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "wire/ip.h"

#include <arpa/inet.h>
#include <string.h>
#include "csum.h"
#include "byte-order.h"
#include "openvswitch/types.h"
#include "util.h"

#define IP4_HEADER_LEN 24       /* With router alert. */
#define IP4_DONT_FRAGMENT 0x4000
#define IP4_NETWORK_CONTROL 0xc0
#define IP4_ROUTER_ALERT 0x94040000

#define IP6_HOP_BY_HOP 0
#define IP6_HOP_BY_HOP_LEN 8    /* With router alert. */
#define IP6_ROUTER_ALERT 0x05020000
#define IP6_PADN_2 0x0100

char *
bnd_ip_to_string(const struct bnd_ip *ip)
{
    char text[INET6_ADDRSTRLEN] = "";

    if (ip->is_ip6) {
        inet_ntop(AF_INET6, &ip->ip6, text, sizeof text);
        return xstrdup(text);
    }
    return xasprintf("%u.%u.%u.%u", ip->ip4 >> 24, ip->ip4 >> 16 & 0xff,
                     ip->ip4 >> 8 & 0xff, ip->ip4 & 0xff);
}

struct bnd_ip6
bnd_ip6_link_multicast(uint8_t last)
{
    return (struct bnd_ip6) { { 0xff, 0x02, [15] = last } };
}

struct bnd_ip6
bnd_ip6_link_local(struct eth_addr mac)
{
    return (struct bnd_ip6) { { 0xfe, 0x80, [8] = mac.ea[0] ^ 2, mac.ea[1],
                                mac.ea[2], 0xff, 0xfe, mac.ea[3], mac.ea[4],
                                mac.ea[5] } };
}

struct eth_addr
bnd_ip4_multicast_mac(uint32_t group)
{
    return (struct eth_addr) {{{ 0x01, 0x00, 0x5e, group >> 16 & 0x7f,
                                 group >> 8, group }}};
}

struct eth_addr
bnd_ip6_multicast_mac(const struct bnd_ip6 *group)
{
    return (struct eth_addr) {{{ 0x33, 0x33, group->b[12], group->b[13],
                                 group->b[14], group->b[15] }}};
}

void
bnd_ip4_alert(struct bnd_writer *w, uint32_t src, uint32_t dst,
              uint8_t proto, size_t len)
{
    uint8_t header[IP4_HEADER_LEN];
    struct bnd_writer h = bnd_writer(header, sizeof header);

    bnd_writer_u8(&h, 4 << 4 | IP4_HEADER_LEN / 4);
    bnd_writer_u8(&h, IP4_NETWORK_CONTROL);
    bnd_writer_u16(&h, IP4_HEADER_LEN + len);
    bnd_writer_u16(&h, 0);      /* Identification. */
    bnd_writer_u16(&h, IP4_DONT_FRAGMENT);
    bnd_writer_u8(&h, 1);       /* TTL. */
    bnd_writer_u8(&h, proto);

    size_t at = h.pos;
    bnd_writer_u16(&h, 0);
    bnd_writer_u32(&h, src);
    bnd_writer_u32(&h, dst);
    bnd_writer_u32(&h, IP4_ROUTER_ALERT);
    bnd_writer_set_u16(&h, at, ntohs(csum(header, h.pos)));
    bnd_writer_bytes(w, header, h.pos);
}

/* Checksum of ICMPv6 over the pseudo-header and 'len' bytes at 'body'. */
static uint16_t
icmp6_checksum(const struct bnd_ip6 *src, const struct bnd_ip6 *dst,
               const void *body, size_t len)
{
    uint32_t sum = 0;

    sum = csum_continue(sum, src, sizeof *src);
    sum = csum_continue(sum, dst, sizeof *dst);
    sum = csum_add32(sum, htonl(len));
    sum = csum_add16(sum, htons(BND_IP_PROTO_ICMPV6));
    return ntohs(csum_finish(csum_continue(sum, body, len)));
}

void
bnd_ip6_icmp(struct bnd_writer *w, const struct bnd_ip6 *src,
             const struct bnd_ip6 *dst, uint8_t hop_limit, bool alert,
             const void *body, size_t len)
{
    enum { CHECKSUM_AT = 2 };

    bnd_writer_u32(w, 6u << 28);
    bnd_writer_u16(w, (alert ? IP6_HOP_BY_HOP_LEN : 0) + len);
    bnd_writer_u8(w, alert ? IP6_HOP_BY_HOP : BND_IP_PROTO_ICMPV6);
    bnd_writer_u8(w, hop_limit);
    bnd_writer_bytes(w, src, sizeof *src);
    bnd_writer_bytes(w, dst, sizeof *dst);
    if (alert) {
        bnd_writer_u8(w, BND_IP_PROTO_ICMPV6);
        bnd_writer_u8(w, 0);    /* No more than 8 bytes. */
        bnd_writer_u32(w, IP6_ROUTER_ALERT);
        bnd_writer_u16(w, IP6_PADN_2);
    }

    size_t at = w->pos + CHECKSUM_AT;
    bnd_writer_bytes(w, body, len);
    bnd_writer_set_u16(w, at, icmp6_checksum(src, dst, body, len));
}

bool
bnd_ip6_decode(struct bnd_cursor *c, struct bnd_ip6_header *h)
{
    uint32_t first = bnd_cursor_u32(c);

    h->len = bnd_cursor_u16(c);
    h->next_header = bnd_cursor_u8(c);
    h->hop_limit = bnd_cursor_u8(c);
    bnd_cursor_bytes(c, &h->src, sizeof h->src);
    bnd_cursor_bytes(c, &h->dst, sizeof h->dst);
    return !c->bad && first >> 28 == 6;
}

uint16_t
bnd_ip6_icmp_sum(const struct bnd_ip6_header *h, struct bnd_cursor *c)
{
    uint32_t sum = 0;

    sum = csum_continue(sum, &h->src, sizeof h->src);
    sum = csum_continue(sum, &h->dst, sizeof h->dst);
    sum = csum_add32(sum, htonl(h->len));
    sum = csum_add16(sum, htons(BND_IP_PROTO_ICMPV6));
    for (size_t i = 0; i + 1 < h->len; i += 2) {
        sum = csum_add16(sum, htons(bnd_cursor_u16(c)));
    }
    if (h->len % 2) {
        sum = csum_add16(sum, htons(bnd_cursor_u8(c) << 8));
    }
    return ntohs(csum_finish(sum));
}

bool
bnd_ip6_icmp_is_good(const struct bnd_ip6_header *h, struct bnd_cursor c)
{
    return !bnd_ip6_icmp_sum(h, &c) && !c.bad;
}
