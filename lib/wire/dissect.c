/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "wire/dissect.h"

#include "wire/cursor.h"

/* IP protocols. */
enum {
    PROTO_HOP_BY_HOP = 0,
    PROTO_ICMP = 1,
    PROTO_IP4 = 4,
    PROTO_TCP = 6,
    PROTO_UDP = 17,
    PROTO_DCCP = 33,
    PROTO_IP6 = 41,
    PROTO_ROUTING = 43,
    PROTO_GRE = 47,
    PROTO_ESP = 50,
    PROTO_AH = 51,
    PROTO_ICMP6 = 58,
    PROTO_DST_OPTS = 60,
    PROTO_SCTP = 132,
    PROTO_UDP_LITE = 136
};

/* What a function that has read a header says about the next one: an Ethernet
 * type, or an IP protocol plus NEXT_PROTO, or one of the other two. */
enum {
    NEXT_PROTO = 0x10000,
    NEXT_NONE = 0x20000,        /* All was read that there is to be read. */
    NEXT_BAD = 0x30000          /* Unknown, malformed or cut off. */
};

/* More headers than these in a row, ports included, are an attack on the
 * packet path and are not understood. */
#define MAX_HEADERS 15

/* GRE flags. */
#define GRE_CHECKSUM 0x8000
#define GRE_ROUTING  0x4000
#define GRE_KEY      0x2000
#define GRE_SEQUENCE 0x1000
#define GRE_VERSION  0x0007

/* PPP protocols. */
#define PPP_IP4    0x0021
#define PPP_IP6    0x0057
#define PPP_MPLS   0x0281
#define PPP_MPLS_M 0x0283

/* Takes a header of 'n' bytes.  Returns null, and takes nothing, if there are
 * not that many. */
static const uint8_t *
take(struct bnd_cursor *c, size_t n)
{
    const uint8_t *h = c->data + c->pos;

    if (n > bnd_cursor_left(c)) {
        return NULL;
    }
    c->pos += n;
    return h;
}

/* XOR of the 'n' words of 32 bits from 'pos' in 'h' on. */
static uint32_t
xor_words(const uint8_t *h, size_t pos, int n)
{
    uint32_t x = 0;

    for (int i = 0; i < n; i++) {
        x ^= bnd_peek_le32__(h, pos + 4 * i);
    }
    return x;
}

static uint32_t
read_ip4(struct bnd_cursor *c, struct bnd_fields *f)
{
    const uint8_t *h = take(c, 20);

    if (!h || h[0] >> 4 != 4 || (h[0] & 15) < 5) {
        return NEXT_BAD;
    }
    bnd_cursor_skip(c, (h[0] & 15) * 4 - 20);
    f->l3 = BND_L3_IP4;
    f->addrs = xor_words(h, 12, 2);

    /* More fragments, or not the first one. */
    if (bnd_peek_be16__(h, 6) & 0x3fff) {
        f->proto = 0;
        return NEXT_NONE;
    }
    f->proto = h[9];
    return NEXT_PROTO + h[9];
}

static uint32_t
read_ip6(struct bnd_cursor *c, struct bnd_fields *f)
{
    const uint8_t *h = take(c, 40);

    if (!h || h[0] >> 4 != 6) {
        return NEXT_BAD;
    }
    f->l3 = BND_L3_IP6;
    f->addrs = xor_words(h, 8, 8);
    f->proto = h[6];
    return NEXT_PROTO + h[6];
}

/* Reads an IP header of the version that 'l3' says. */
static uint32_t
read_ip(struct bnd_cursor *c, enum bnd_l3 l3, struct bnd_fields *f)
{
    return (l3 == BND_L3_IP4 ? read_ip4(c, f)
            : l3 == BND_L3_IP6 ? read_ip6(c, f)
            : NEXT_BAD);
}

/* Reads the ports that follow the header of 'f->proto', if it has some. */
static void
read_ports(struct bnd_cursor *c, struct bnd_fields *f)
{
    const uint8_t *h;

    switch (f->proto) {
    case PROTO_TCP:
    case PROTO_UDP:
    case PROTO_DCCP:
    case PROTO_SCTP:
    case PROTO_UDP_LITE:
    case PROTO_ESP:
        h = take(c, 4);
        f->ports = h ? bnd_peek_le32__(h, 0) : 0;
        break;
    case PROTO_AH:
        h = take(c, 8);
        f->ports = h ? bnd_peek_le32__(h, 4) : 0;
        break;
    }
}

static bool
is_icmp(const struct bnd_fields *f)
{
    return (f->l3 == BND_L3_IP4 ? f->proto == PROTO_ICMP
            : f->proto == PROTO_ICMP6);
}

/* Reads an ICMP header.  Returns true if it is an error, which is followed by
 * the packet that it is about. */
static bool
read_icmp(struct bnd_cursor *c, struct bnd_fields *f)
{
    const uint8_t *h = take(c, 8);

    if (!h) {
        return false;
    }

    uint8_t type = h[0];
    if (type == 0 || type == 8 || type == 13 || type == 14
        || type == 128 || type == 129) {
        uint32_t id = bnd_peek_be16__(h, 4);

        f->icmp = type | h[1] << 8 | (id ? id : 1) << 16;
    }
    return (f->l3 == BND_L3_IP4
            ? (type >= 3 && type <= 5) || type == 11 || type == 12
            : type < 128);
}

/* Reads the IP header that 'f->type' says and what follows it. */
static void
dissect_outer(struct bnd_cursor *c, bool errors, struct bnd_fields *f)
{
    enum bnd_l3 l3 = (f->type == BND_ETH_TYPE_IP4 ? BND_L3_IP4
                      : f->type == BND_ETH_TYPE_IP6 ? BND_L3_IP6
                      : BND_L3_UNKNOWN);
    uint32_t next = read_ip(c, l3, f);

    if (next < NEXT_NONE && errors && is_icmp(f) && read_icmp(c, f)) {
        next = read_ip(c, l3, f);
    }
    if (next == NEXT_BAD) {
        f->l3 = BND_L3_UNKNOWN;
    } else if (next != NEXT_NONE) {
        read_ports(c, f);
    }
}

static uint32_t
read_gre(struct bnd_cursor *c)
{
    const uint8_t *h = take(c, 4);

    if (!h) {
        return NEXT_BAD;
    }

    uint16_t flags = bnd_peek_be16__(h, 0);
    uint16_t type = bnd_peek_be16__(h, 2);
    if (flags & (GRE_ROUTING | GRE_VERSION)) {
        return NEXT_NONE;
    }
    if (!take(c, 4 * (!!(flags & GRE_CHECKSUM) + !!(flags & GRE_KEY)
                      + !!(flags & GRE_SEQUENCE)))) {
        return NEXT_BAD;
    }
    if (type == BND_ETH_TYPE_TEB) {
        h = take(c, BND_ETH_HEADER_LEN);
        return h ? bnd_peek_type(h, 0) : NEXT_BAD;
    }
    return type;
}

static uint32_t
read_pppoe(struct bnd_cursor *c)
{
    const uint8_t *h = take(c, 8);

    /* Version 1, type 1, code "session data". */
    if (!h || h[0] != 0x11 || h[1] != 0) {
        return NEXT_BAD;
    }
    switch (bnd_peek_be16__(h, 6)) {
    case PPP_IP4:
        return BND_ETH_TYPE_IP4;
    case PPP_IP6:
        return BND_ETH_TYPE_IP6;
    case PPP_MPLS:
    case PPP_MPLS_M:
        return BND_ETH_TYPE_MPLS;
    default:
        return NEXT_BAD;
    }
}

/* Has the header that was reached no addresses of its own?  Then those of an
 * IP header around it stay. */
static uint32_t
no_address(struct bnd_fields *f)
{
    if (f->l3 == BND_L3_UNKNOWN) {
        f->l3 = BND_L3_NO_ADDRESS;
    }
    f->proto = 0;
    return NEXT_NONE;
}

/* Reads what Ethernet type 'type' announces. */
static uint32_t
read_type(struct bnd_cursor *c, uint16_t type, struct bnd_fields *f)
{
    const uint8_t *h;

    switch (type) {
    case BND_ETH_TYPE_VLAN:
    case BND_ETH_TYPE_SVLAN:
        h = take(c, BND_VLAN_TAG_LEN);
        return h ? bnd_peek_be16__(h, 2) : NEXT_BAD;
    case BND_ETH_TYPE_IP4:
        return read_ip4(c, f);
    case BND_ETH_TYPE_IP6:
        return read_ip6(c, f);
    case BND_ETH_TYPE_PPPOE:
        return read_pppoe(c);
    case BND_ETH_TYPE_MPLS:
    case BND_ETH_TYPE_MPLS_M:
        return take(c, 4) ? no_address(f) : NEXT_BAD;
    case BND_ETH_TYPE_ARP:
    case BND_ETH_TYPE_RARP:
        return no_address(f);
    default:
        return NEXT_BAD;
    }
}

/* Reads an IPv6 extension header. */
static uint32_t
read_extension(struct bnd_cursor *c, struct bnd_fields *f)
{
    const uint8_t *h = take(c, 8);

    if (!h || !take(c, h[1] * 8)) {
        return NEXT_BAD;
    }
    f->proto = h[0];
    return NEXT_PROTO + h[0];
}

/* Reads what IP protocol 'f->proto' announces. */
static uint32_t
read_proto(struct bnd_cursor *c, struct bnd_fields *f)
{
    switch (f->proto) {
    case PROTO_IP4:
        return read_ip4(c, f);
    case PROTO_IP6:
        return read_ip6(c, f);
    case PROTO_GRE:
        return read_gre(c);
    case PROTO_HOP_BY_HOP:
    case PROTO_ROUTING:
    case PROTO_DST_OPTS:
        return f->l3 == BND_L3_IP6 ? read_extension(c, f) : NEXT_NONE;
    case PROTO_ICMP:
    case PROTO_ICMP6:
        if (is_icmp(f)) {
            read_icmp(c, f);
        }
        return NEXT_NONE;
    default:
        read_ports(c, f);
        return NEXT_NONE;
    }
}

/* Reads headers until the innermost one. */
static void
dissect_tunnels(struct bnd_cursor *c, struct bnd_fields *f)
{
    uint32_t next = f->type;

    for (int i = 0; i < MAX_HEADERS && next < NEXT_NONE; i++) {
        next = (next & NEXT_PROTO ? read_proto(c, f)
                : read_type(c, next, f));
    }
    if (next != NEXT_NONE) {
        f->l3 = BND_L3_UNKNOWN;
    }
}

bool
bnd_dissect(const uint8_t *frame, size_t len, enum bnd_dissect_depth depth,
            struct bnd_fields *f)
{
    struct bnd_cursor c = bnd_cursor(frame, len);

    memset(f, 0, sizeof *f);
    if (!bnd_peek_is_eth(len, 0)) {
        return false;
    }
    f->dst = bnd_cursor_mac(&c);
    f->src = bnd_cursor_mac(&c);
    f->type = bnd_cursor_u16(&c);
    if (bnd_peek_is_tagged(frame, len)) {
        f->tci = bnd_cursor_u16(&c);
        f->type = bnd_cursor_u16(&c);
    }
    if (depth == BND_DISSECT_TUNNELS) {
        dissect_tunnels(&c, f);
    } else {
        dissect_outer(&c, depth == BND_DISSECT_ERRORS, f);
    }
    if (f->l3 < BND_L3_IP4) {
        f->proto = 0;
        f->addrs = f->ports = f->icmp = 0;
    }
    return true;
}
