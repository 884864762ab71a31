/* SPDX-License-Identifier: Apache-2.0 */

/* Dissecting a frame for hashing
 * ==============================
 *
 * Turns the bytes of a frame that leaves into the few numbers that the
 * transmit hash policies are made of.  There are two ways in:
 *
 *   - bnd_dissect() understands everything that a policy has to understand,
 *     one header after the other, through a cursor.
 *
 *   - The bnd_peek_*() functions recognize the frames that there are most of
 *     with one load per question.  The packet path uses them before anything
 *     else; what they do not recognize goes to bnd_dissect().
 *
 * Exactly one VLAN tag is taken off the frame first, because in Linux a tag
 * travels beside the frame and the policies do not see it.  A second tag is a
 * type like any other.
 *
 * How much of a frame there is, its length alone tells, never a length field
 * inside of it: a policy reads addresses and ports where headers are, padding
 * or not.
 *
 * Thread-safety
 * -------------
 * Pure functions.
 *
 * Source: RFC 791, 792, 1701, 2516, 2784, 2890, 3032, 4443, 8200; IEEE 802.1Q;
 * Linux Documentation/networking/bonding.rst, xmit_hash_policy. */

#ifndef BND_WIRE_DISSECT_H
#define BND_WIRE_DISSECT_H 1

#include <stddef.h>
#include <string.h>
#include "byte-order.h"
#include "core/bnd-types.h"
#include "wire/eth.h"

#define BND_ETH_TYPE_IP4    0x0800
#define BND_ETH_TYPE_ARP    0x0806
#define BND_ETH_TYPE_TEB    0x6558      /* Ethernet inside of GRE. */
#define BND_ETH_TYPE_RARP   0x8035
#define BND_ETH_TYPE_IP6    0x86dd
#define BND_ETH_TYPE_MPLS   0x8847
#define BND_ETH_TYPE_MPLS_M 0x8848      /* With upstream-assigned label. */
#define BND_ETH_TYPE_PPPOE  0x8864      /* Session stage. */

#define BND_VLAN_TAG_LEN 4

/* How far bnd_dissect() goes. */
enum bnd_dissect_depth {
    BND_DISSECT_OUTER,          /* Outer IP header and its ports. */
    BND_DISSECT_ERRORS,         /* The same; ICMP errors count as packets of
                                 * the flow that they speak about. */
    BND_DISSECT_TUNNELS         /* Innermost IP header; errors do not count. */
};

/* What was found behind the Ethernet header. */
enum bnd_l3 {
    BND_L3_UNKNOWN,             /* Nothing understood, or cut off. */
    BND_L3_NO_ADDRESS,          /* Understood, but has no IP addresses. */
    BND_L3_IP4,
    BND_L3_IP6
};

/* Words called "le32" have the first byte of the frame in their low bits,
 * whatever the host. */
struct bnd_fields {
    struct eth_addr dst;
    struct eth_addr src;
    uint16_t tci;               /* Of the tag that was taken off, or 0. */
    uint16_t type;              /* Ethernet type, behind that tag. */
    enum bnd_l3 l3;             /* What follows is zero if it is not IP. */
    uint8_t proto;              /* IP protocol; 0 for a fragment. */
    uint32_t addrs;             /* XOR of the le32 words of both addresses. */
    uint32_t ports;             /* The 4 bytes of the ports as le32, the SPI of
                                 * ESP or AH, or 0. */
    uint32_t icmp;              /* Type, code << 8, identifier << 16 (1 if it
                                 * is 0) of a query; 0 for anything else. */
};

/* Fills '*f' from the 'len' bytes at 'frame'.  Returns false if they do not
 * hold an Ethernet header; then '*f' is zero. */
bool bnd_dissect(const uint8_t *frame, size_t len, enum bnd_dissect_depth,
                 struct bnd_fields *f);

/* Peeking
 * -------
 *
 * 'ofs' is what comes before the Ethernet type in addition to the addresses:
 * 0, or BND_VLAN_TAG_LEN to look behind one tag.  A function that may be
 * called only after another one has said yes tells so; no other one reads
 * beyond 'len'. */

static inline uint32_t
bnd_peek_le32__(const uint8_t *frame, size_t pos)
{
    uint32_t x;

    memcpy(&x, frame + pos, sizeof x);
#ifdef WORDS_BIGENDIAN
    x = uint32_byteswap(x);
#endif
    return x;
}

static inline uint64_t
bnd_peek_le64__(const uint8_t *frame, size_t pos)
{
#ifdef WORDS_BIGENDIAN
    return (bnd_peek_le32__(frame, pos)
            | (uint64_t) bnd_peek_le32__(frame, pos + 4) << 32);
#else
    uint64_t x;

    memcpy(&x, frame + pos, sizeof x);
    return x;
#endif
}

static inline uint16_t
bnd_peek_be16__(const uint8_t *frame, size_t pos)
{
    uint16_t x;

    memcpy(&x, frame + pos, sizeof x);
    return ntohs((OVS_FORCE ovs_be16) x);
}

/* Is there an Ethernet header (behind a tag, if 'ofs' says so)? */
static inline bool
bnd_peek_is_eth(size_t len, size_t ofs)
{
    return len >= ofs + BND_ETH_HEADER_LEN;
}

/* The Ethernet type.  Only if bnd_peek_is_eth(). */
static inline uint16_t
bnd_peek_type(const uint8_t *frame, size_t ofs)
{
    return bnd_peek_be16__(frame, ofs + 12);
}

/* Does 'type' announce a tag?  The two types differ in five bits, so that one
 * comparison without them dismisses nearly all that are neither. */
static inline bool
bnd_peek_is_tag(uint16_t type)
{
    const uint16_t differ = BND_ETH_TYPE_VLAN ^ BND_ETH_TYPE_SVLAN;

    return (OVS_UNLIKELY((type & ~differ) == (BND_ETH_TYPE_VLAN & ~differ))
            && (type == BND_ETH_TYPE_VLAN || type == BND_ETH_TYPE_SVLAN));
}

/* Does the frame have a tag, and all of it? */
static inline bool
bnd_peek_is_tagged(const uint8_t *frame, size_t len)
{
    return (bnd_peek_is_eth(len, BND_VLAN_TAG_LEN)
            && bnd_peek_is_tag(bnd_peek_type(frame, 0)));
}

/* Tag control information.  Only if bnd_peek_is_tagged(). */
static inline uint16_t
bnd_peek_tci(const uint8_t *frame)
{
    return bnd_peek_be16__(frame, 14);
}

/* XOR of the last octets of the two addresses.  Only if bnd_peek_is_eth(). */
static inline uint8_t
bnd_peek_last_octets(const uint8_t *frame)
{
    return frame[5] ^ frame[11];
}

/* The source address, as a number to compare, below 1 << 48.  Only if
 * bnd_peek_is_eth(). */
static inline uint64_t
bnd_peek_src(const uint8_t *frame)
{
    return bnd_peek_le64__(frame, 6) & ((UINT64_C(1) << 48) - 1);
}

/* XOR of the two halves of the source address, each a number of 24 bits.  Only
 * if bnd_peek_is_eth(). */
static inline uint32_t
bnd_peek_src_halves(const uint8_t *frame)
{
    /* From bit 0 on the first half, from bit 24 on the second one; their XOR
     * has the first octet lowest, where the last one belongs. */
    uint64_t x = bnd_peek_le64__(frame, 6);

    return uint32_byteswap((uint32_t) (x ^ x >> 24) << 8);
}

/* Is the source 'mac'?  Only if bnd_peek_is_eth(). */
static inline bool
bnd_peek_src_is(const uint8_t *frame, const struct eth_addr *mac)
{
    return !memcmp(frame + 6, mac, sizeof *mac);
}

/* Is it for more than one station?  Only if bnd_peek_is_eth(). */
static inline bool
bnd_peek_is_multicast(const uint8_t *frame)
{
    return frame[0] & 1;
}

/* Does an IPv4 header without options follow, with at least 'l4_len' bytes
 * behind it?  Type, version and header length are one word. */
static inline bool
bnd_peek_is_ip4(const uint8_t *frame, size_t len, size_t ofs, size_t l4_len)
{
    return (len >= ofs + 34 + l4_len
            && (bnd_peek_le32__(frame, ofs + 12) & 0xffffff) == 0x450008);
}

/* Does an IPv6 header follow, with at least 'l4_len' bytes behind it? */
static inline bool
bnd_peek_is_ip6(const uint8_t *frame, size_t len, size_t ofs, size_t l4_len)
{
    return (len >= ofs + 54 + l4_len
            && (bnd_peek_le32__(frame, ofs + 12) & 0xf0ffff) == 0x60dd86);
}

/* The IP protocol, plus something above 255 if the packet is a fragment.  Only
 * if bnd_peek_is_ip4(). */
static inline uint32_t
bnd_peek_ip4_proto(const uint8_t *frame, size_t ofs)
{
    /* Flags and offset without DF, TTL, protocol. */
    uint32_t x = bnd_peek_le32__(frame, ofs + 20) & 0xff00ff3f;

    return x << 8 | x >> 24;
}

/* The next header.  Only if bnd_peek_is_ip6(). */
static inline uint32_t
bnd_peek_ip6_proto(const uint8_t *frame, size_t ofs)
{
    return frame[ofs + 20];
}

/* XOR of the addresses, as in struct bnd_fields.  Only if
 * bnd_peek_is_ip4(). */
static inline uint32_t
bnd_peek_ip4_addrs(const uint8_t *frame, size_t ofs)
{
    return (bnd_peek_le32__(frame, ofs + 26)
            ^ bnd_peek_le32__(frame, ofs + 30));
}

/* XOR of the addresses, as in struct bnd_fields.  Only if
 * bnd_peek_is_ip6(). */
static inline uint32_t
bnd_peek_ip6_addrs(const uint8_t *frame, size_t ofs)
{
    uint64_t x = (bnd_peek_le64__(frame, ofs + 22)
                  ^ bnd_peek_le64__(frame, ofs + 30)
                  ^ bnd_peek_le64__(frame, ofs + 38)
                  ^ bnd_peek_le64__(frame, ofs + 46));

    return x ^ x >> 32;
}

/* The destination, as le32.  Only if bnd_peek_is_ip4(). */
static inline uint32_t
bnd_peek_ip4_dst(const uint8_t *frame, size_t ofs)
{
    return bnd_peek_le32__(frame, ofs + 30);
}

/* Has it no source address?  Only if bnd_peek_is_ip6(). */
static inline bool
bnd_peek_ip6_is_anonymous(const uint8_t *frame, size_t ofs)
{
    return !(bnd_peek_le64__(frame, ofs + 22)
             | bnd_peek_le64__(frame, ofs + 30));
}

/* XOR of the four le32 words of the destination.  Only if
 * bnd_peek_is_ip6(). */
static inline uint32_t
bnd_peek_ip6_dst(const uint8_t *frame, size_t ofs)
{
    uint64_t x = (bnd_peek_le64__(frame, ofs + 38)
                  ^ bnd_peek_le64__(frame, ofs + 46));

    return x ^ x >> 32;
}

/* The ports, as le32.  Only if bnd_peek_is_ip4() with 4 bytes behind it. */
static inline uint32_t
bnd_peek_ip4_ports(const uint8_t *frame, size_t ofs)
{
    return bnd_peek_le32__(frame, ofs + 34);
}

/* The ports, as le32.  Only if bnd_peek_is_ip6() with 4 bytes behind it. */
static inline uint32_t
bnd_peek_ip6_ports(const uint8_t *frame, size_t ofs)
{
    return bnd_peek_le32__(frame, ofs + 54);
}

#endif /* wire/dissect.h */
