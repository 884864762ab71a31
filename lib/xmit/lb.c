/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "xmit/lb.h"

#include <string.h>
#include "util.h"
#include "wire/ip.h"

#define ND_SOLICIT 135
#define ND_ADVERT 136

/* What balancing looks at. */
struct lb_fields {
    struct eth_addr dst;
    uint8_t key;                /* XOR of the octets of the destination. */
    bool balanced;              /* As far as the IP header goes. */
};

/* Reads an IPv4 header. */
static void
read_ip4(struct bnd_cursor *c, bool alb, struct lb_fields *f)
{
    uint8_t proto;
    uint32_t dst;

    bnd_cursor_skip(c, 9);
    proto = bnd_cursor_u8(c);
    bnd_cursor_skip(c, 6);
    dst = bnd_cursor_u32(c);
    f->key = bnd_lb_xor(dst);
    f->balanced = (!alb || (!c->bad && proto != BND_IP_PROTO_IGMP
                            && dst != UINT32_MAX));
}

static void
read_ip6(struct bnd_cursor *c, bool alb, struct lb_fields *f)
{
    static const struct bnd_ip6 none;
    struct bnd_ip6_header ip;
    uint8_t type = 0;

    bnd_ip6_decode(c, &ip);
    if (ip.next_header == BND_IP_PROTO_ICMPV6) {
        type = bnd_cursor_u8(c);
    }
    for (size_t i = 0; i < sizeof ip.dst.b; i++) {
        f->key ^= ip.dst.b[i];
    }
    f->balanced = (!c->bad && type != ND_SOLICIT && type != ND_ADVERT
                   && !(alb && !memcmp(&ip.src, &none, sizeof none)));
}

/* Is what goes to 'dst' for all stations, or all that speak IPv6? */
static bool
is_to_all(struct eth_addr dst)
{
    struct bnd_ip6 all = bnd_ip6_link_multicast(1);

    return (bnd_eth_addr_equal(dst, bnd_eth_broadcast())
            || bnd_eth_addr_equal(dst, bnd_ip6_multicast_mac(&all)));
}

int
bnd_lb_slot__(const struct bnd_view *view, const uint8_t *frame, size_t len)
{
    struct bnd_cursor c = bnd_cursor(frame, len);
    bool alb = view->lb_rule == BND_LB_ALB;
    struct lb_fields f;
    uint16_t type;

    memset(&f, 0, sizeof f);
    f.dst = bnd_cursor_mac(&c);
    bnd_cursor_mac(&c);
    type = bnd_cursor_u16(&c);
    if (bnd_peek_is_tag(type)) {
        bnd_cursor_u16(&c);
        type = bnd_cursor_u16(&c);
    }
    if (type == BND_ETH_TYPE_IP) {
        read_ip4(&c, alb, &f);
    } else if (type == BND_ETH_TYPE_IPV6) {
        read_ip6(&c, alb, &f);
    }
    if (!f.balanced
        || (alb ? is_to_all(f.dst) : bnd_eth_addr_is_multicast(f.dst))) {
        return -1;
    }
    return (view->lb_by_ip ? f.key
            : bnd_lb_bucket(view, bnd_lb_hash(view, frame, len)));
}
