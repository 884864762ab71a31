/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "wire/nd.h"

#include <string.h>

#define ND_SOLICIT 135
#define ND_ADVERT 136
#define ND_SOLICIT_LEN 24       /* Without the option. */
#define ND_ADVERT_LEN 32
#define ND_ROUTER   0x80000000
#define ND_OVERRIDE 0x20000000
#define ND_OPT_SOURCE 1
#define ND_OPT_TARGET 2

#define ALL_NODES 1             /* ff02::1. */

/* Routers must not forward them, which a hop limit of 255 proves. */
#define HOP_LIMIT 255

void
bnd_nd_unsolicited(struct bnd_writer *w, struct eth_addr mac,
                   const struct bnd_ip6 *addr, bool router)
{
    struct bnd_ip6 all = bnd_ip6_link_multicast(ALL_NODES);
    uint8_t body[ND_ADVERT_LEN];
    struct bnd_writer b = bnd_writer(body, sizeof body);

    bnd_writer_u8(&b, ND_ADVERT);
    bnd_writer_u8(&b, 0);       /* Code. */
    bnd_writer_u16(&b, 0);      /* Checksum. */
    bnd_writer_u32(&b, ND_OVERRIDE | (router ? ND_ROUTER : 0));
    bnd_writer_bytes(&b, addr, sizeof *addr);
    bnd_writer_u8(&b, ND_OPT_TARGET);
    bnd_writer_u8(&b, 1);       /* Of 8 bytes. */
    bnd_writer_mac(&b, mac);

    bnd_eth_encode(w, bnd_ip6_multicast_mac(&all), mac, BND_ETH_TYPE_IPV6);
    bnd_ip6_icmp(w, addr, &all, HOP_LIMIT, false, body, b.pos);
}

struct bnd_ip6
bnd_nd_solicited_node(const struct bnd_ip6 *addr)
{
    struct bnd_ip6 group = { { 0xff, 0x02, [11] = 1, [12] = 0xff } };

    memcpy(&group.b[13], &addr->b[13], 3);
    return group;
}

/* Writes one from 'mac' to 'dst', at 'dst_mac'. */
static void
encode_solicit(struct bnd_writer *w, struct eth_addr mac,
               struct eth_addr dst_mac, const struct bnd_tags *tags,
               const struct bnd_ip6 *src, const struct bnd_ip6 *dst,
               const struct bnd_ip6 *target)
{
    static const struct bnd_ip6 none;
    uint8_t body[ND_ADVERT_LEN];
    struct bnd_writer b = bnd_writer(body, sizeof body);

    bnd_writer_u8(&b, ND_SOLICIT);
    bnd_writer_u8(&b, 0);       /* Code. */
    bnd_writer_u16(&b, 0);      /* Checksum. */
    bnd_writer_u32(&b, 0);
    bnd_writer_bytes(&b, target, sizeof *target);
    if (memcmp(src, &none, sizeof none)) {
        bnd_writer_u8(&b, ND_OPT_SOURCE);
        bnd_writer_u8(&b, 1);   /* Of 8 bytes. */
        bnd_writer_mac(&b, mac);
    }

    bnd_eth_encode_tagged(w, dst_mac, mac, tags, BND_ETH_TYPE_IPV6);
    bnd_ip6_icmp(w, src, dst, HOP_LIMIT, false, body, b.pos);
}

void
bnd_nd_solicit(struct bnd_writer *w, struct eth_addr mac,
               const struct bnd_tags *tags, const struct bnd_ip6 *src,
               const struct bnd_ip6 *target)
{
    struct bnd_ip6 dst = bnd_nd_solicited_node(target);

    encode_solicit(w, mac, bnd_ip6_multicast_mac(&dst), tags, src, &dst,
                   target);
}

void
bnd_nd_solicit_one(struct bnd_writer *w, struct eth_addr mac,
                   struct eth_addr dst_mac, const struct bnd_tags *tags,
                   const struct bnd_ip6 *src, const struct bnd_ip6 *dst)
{
    encode_solicit(w, mac, dst_mac, tags, src, dst, dst);
}

/* Moves 'c', which stands on an option, to the address in the one of 'type'.
 * Returns false if there is none within 'len' bytes. */
static bool
find_link(struct bnd_cursor *c, size_t len, uint8_t type)
{
    enum { UNIT = 8 };

    while (len >= UNIT && !c->bad) {
        struct bnd_cursor option = *c;
        uint8_t this = bnd_cursor_u8(c);
        size_t n = bnd_cursor_u8(c) * UNIT;

        if (this == type && n == UNIT) {
            return !c->bad;
        } else if (!n || n > len) {
            return false;
        }
        *c = option;
        bnd_cursor_skip(c, n);
        len -= n;
    }
    return false;
}

bool
bnd_nd_set_link(uint8_t *data, size_t len, struct eth_addr mac)
{
    enum { CHECKSUM = 2 };
    struct bnd_cursor c = bnd_cursor(data, len);
    struct bnd_writer w = bnd_writer(data, len);
    struct bnd_ip6_header ip;
    struct bnd_cursor body;

    bnd_eth_decode(&c);
    if (!bnd_ip6_decode(&c, &ip) || ip.len < ND_SOLICIT_LEN
        || ip.len > bnd_cursor_left(&c)) {
        return false;
    }
    body = c;
    uint8_t type = bnd_cursor_u8(&c);

    bnd_cursor_skip(&c, ND_SOLICIT_LEN - 1);
    if (!find_link(&c, ip.len - ND_SOLICIT_LEN,
                   type == ND_ADVERT ? ND_OPT_TARGET : ND_OPT_SOURCE)) {
        return false;
    }
    w.pos = c.pos;
    bnd_writer_mac(&w, mac);
    bnd_writer_set_u16(&w, body.pos + CHECKSUM, 0);

    struct bnd_cursor sum = body;
    bnd_writer_set_u16(&w, body.pos + CHECKSUM, bnd_ip6_icmp_sum(&ip, &sum));
    return true;
}

enum bnd_drop_reason
bnd_nd_decode(struct bnd_cursor c, struct bnd_nd *nd)
{
    struct bnd_ip6_header ip;
    struct bnd_cursor body;
    uint8_t type, code;

    if (!bnd_ip6_decode(&c, &ip)) {
        return c.bad ? BND_DROP_SHORT : BND_DROP_PROTOCOL;
    }
    body = c;
    type = bnd_cursor_u8(&body);
    code = bnd_cursor_u8(&body);
    bnd_cursor_skip(&body, 6);  /* Checksum; reserved or flags. */
    bnd_cursor_bytes(&body, &nd->target, sizeof nd->target);
    if (ip.next_header != BND_IP_PROTO_ICMPV6
        || (type != ND_SOLICIT && type != ND_ADVERT) || code) {
        return body.bad ? BND_DROP_SHORT : BND_DROP_PROTOCOL;
    }
    if (body.bad || ip.len < ND_SOLICIT_LEN || ip.len > bnd_cursor_left(&c)) {
        return BND_DROP_SHORT;
    } else if (ip.hop_limit != HOP_LIMIT) {
        return BND_DROP_FORWARDED;
    } else if (!bnd_ip6_icmp_is_good(&ip, c)) {
        return BND_DROP_CHECKSUM;
    }
    nd->is_advert = type == ND_ADVERT;
    nd->src = ip.src;
    nd->dst = ip.dst;
    return BND_DROP_NONE;
}
