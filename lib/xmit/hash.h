/* SPDX-License-Identifier: Apache-2.0 */

/* Transmit hash policies
 * ======================
 *
 * From a frame that leaves to a number of 32 bits; the member is that number
 * modulo the count of members.  The formulas and their values are those of the
 * Linux bonding driver on x86, on any host.
 *
 *     L2       last octet of dst ^ last octet of src ^ Ethernet type
 *     A        XOR of all 32-bit words of both IP addresses
 *     X        source and destination port, or what stands for them
 *     fold(x)  mixes the high bits into the low ones
 *
 *     layer2       L2
 *     layer2+3     fold(L2 ^ A), or L2 without IP
 *     layer3+4     fold(X ^ A) >> 1, or L2 without IP
 *     encap2+3     the same two with the innermost IP header.  What has no
 *     encap3+4     addresses, like ARP, counts as A = X = 0.
 *     vlan+srcmac  tag ^ both halves of src
 *
 * One VLAN tag is taken off before all else; a frame with two of them is, to
 * layer2+3 and layer3+4, not IP.  Fragments, the first one too, have no ports.
 *
 * bnd_hash_frame() knows everything.  For the packet path there is one inline
 * function per policy that gives the same result, does common frames itself,
 * with or without a tag, and calls bnd_hash_frame() for the others.  Calling
 * code chooses among them once per batch.
 *
 * encap3+4 takes a layer-4 hash that the packet already carries, if it can be
 * trusted; whether it can, our caller knows, not we.
 *
 * We simplify: an IP header of a wrong version, or of a length below 20,
 * counts as a missing one.
 *
 * Thread-safety
 * -------------
 * Pure functions.
 *
 * Source: Linux Documentation/networking/bonding.rst, xmit_hash_policy; and
 * what Linux 6.1 was seen to do (tests/vectors/hash-linux). */

#ifndef BND_HASH_H
#define BND_HASH_H 1

#include "core/bnd-types.h"
#include "wire/dissect.h"

/* Returns the hash under 'policy' of the 'len' bytes at 'frame', which begin
 * with an Ethernet header.  A frame too short for that has 0.  With
 * 'compat26' the policies layer2, layer2+3 and layer3+4 are those of Linux
 * 2.6: not folded, without Ethernet type, for IPv4 only. */
uint32_t bnd_hash_frame(enum bnd_policy policy, bool compat26,
                        const uint8_t *frame, size_t len);

static inline uint32_t
bnd_hash_fold(uint32_t x)
{
    x ^= x >> 16;
    return x ^ x >> 8;
}

/* Protocols below 64 with ports, and without anything else behind them that
 * some policy looks at: TCP, UDP, DCCP, ESP. */
#define BND_HASH_PORT_PROTOS \
    (UINT64_C(1) << 6 | UINT64_C(1) << 17 | UINT64_C(1) << 33 \
     | UINT64_C(1) << 50)

static inline bool
bnd_hash_has_ports__(uint32_t proto)
{
    return proto < 64 && BND_HASH_PORT_PROTOS >> proto & 1;
}

/* Tries to hash for layer2+3 or, with 'encap', encap2+3.  Returns false if the
 * frame is not a common one. */
static inline bool
bnd_hash_try23__(const uint8_t *frame, size_t len, size_t ofs, bool encap,
                 uint32_t *hash)
{
    uint32_t addrs, proto, icmp, type;

    if (bnd_peek_is_ip4(frame, len, ofs, 0)) {
        type = BND_ETH_TYPE_IP4;
        icmp = 1;
        proto = bnd_peek_ip4_proto(frame, ofs);
        addrs = bnd_peek_ip4_addrs(frame, ofs);
    } else if (bnd_peek_is_ip6(frame, len, ofs, 0)) {
        type = BND_ETH_TYPE_IP6;
        icmp = 58;
        proto = bnd_peek_ip6_proto(frame, ofs);
        addrs = bnd_peek_ip6_addrs(frame, ofs);
    } else {
        return false;
    }
    /* Only ICMP matters, unless there may be tunnels. */
    if (OVS_UNLIKELY(encap ? !bnd_hash_has_ports__(proto) : proto == icmp)) {
        return false;
    }
    *hash = bnd_hash_fold(bnd_peek_last_octets(frame) ^ type ^ addrs);
    return true;
}

/* The same for layer3+4 and encap3+4, which agree where there is no tunnel. */
static inline bool
bnd_hash_try34__(const uint8_t *frame, size_t len, size_t ofs, uint32_t *hash)
{
    uint32_t proto, x;

    if (bnd_peek_is_ip4(frame, len, ofs, 4)) {
        proto = bnd_peek_ip4_proto(frame, ofs);
        x = bnd_peek_ip4_addrs(frame, ofs) ^ bnd_peek_ip4_ports(frame, ofs);
    } else if (bnd_peek_is_ip6(frame, len, ofs, 4)) {
        proto = bnd_peek_ip6_proto(frame, ofs);
        x = bnd_peek_ip6_addrs(frame, ofs) ^ bnd_peek_ip6_ports(frame, ofs);
    } else {
        return false;
    }
    if (OVS_UNLIKELY(!bnd_hash_has_ports__(proto))) {
        return false;
    }
    *hash = bnd_hash_fold(x) >> 1;
    return true;
}

/* bnd_hash_frame(BND_POLICY_..., false, frame, len), quickly
 * ---------------------------------------------------------- */

static inline uint32_t
bnd_hash_layer2(const uint8_t *frame, size_t len)
{
    uint16_t type;

    if (OVS_UNLIKELY(!bnd_peek_is_eth(len, 0))) {
        return 0;
    }
    type = bnd_peek_type(frame, 0);
    if (bnd_peek_is_tag(type) && bnd_peek_is_eth(len, BND_VLAN_TAG_LEN)) {
        type = bnd_peek_type(frame, BND_VLAN_TAG_LEN);
    }
    return bnd_peek_last_octets(frame) ^ type;
}

static inline uint32_t
bnd_hash_layer23(const uint8_t *frame, size_t len)
{
    uint32_t hash;

    if (OVS_LIKELY(bnd_hash_try23__(frame, len, 0, false, &hash))
        || (bnd_peek_is_tagged(frame, len)
            && bnd_hash_try23__(frame, len, BND_VLAN_TAG_LEN, false,
                                &hash))) {
        return hash;
    }
    return bnd_hash_frame(BND_POLICY_LAYER23, false, frame, len);
}

static inline uint32_t
bnd_hash_layer34(const uint8_t *frame, size_t len)
{
    uint32_t hash;

    if (OVS_LIKELY(bnd_hash_try34__(frame, len, 0, &hash))
        || (bnd_peek_is_tagged(frame, len)
            && bnd_hash_try34__(frame, len, BND_VLAN_TAG_LEN, &hash))) {
        return hash;
    }
    return bnd_hash_frame(BND_POLICY_LAYER34, false, frame, len);
}

static inline uint32_t
bnd_hash_encap23(const uint8_t *frame, size_t len)
{
    uint32_t hash;

    if (OVS_LIKELY(bnd_hash_try23__(frame, len, 0, true, &hash))
        || (bnd_peek_is_tagged(frame, len)
            && bnd_hash_try23__(frame, len, BND_VLAN_TAG_LEN, true, &hash))) {
        return hash;
    }
    return bnd_hash_frame(BND_POLICY_ENCAP23, false, frame, len);
}

static inline uint32_t
bnd_hash_encap34(const uint8_t *frame, size_t len)
{
    uint32_t hash;

    if (OVS_LIKELY(bnd_hash_try34__(frame, len, 0, &hash))
        || (bnd_peek_is_tagged(frame, len)
            && bnd_hash_try34__(frame, len, BND_VLAN_TAG_LEN, &hash))) {
        return hash;
    }
    return bnd_hash_frame(BND_POLICY_ENCAP34, false, frame, len);
}

static inline uint32_t
bnd_hash_vlan_srcmac(const uint8_t *frame, size_t len)
{
    if (OVS_UNLIKELY(!bnd_peek_is_eth(len, 0))) {
        return 0;
    }
    return (bnd_peek_src_halves(frame)
            ^ (bnd_peek_is_tagged(frame, len) ? bnd_peek_tci(frame) : 0));
}

/* Any of them by 'policy', for code that knows it at compile time. */
static inline uint32_t
bnd_hash_quick(enum bnd_policy policy, const uint8_t *frame, size_t len)
{
    switch (policy) {
    case BND_POLICY_LAYER2:
        return bnd_hash_layer2(frame, len);
    case BND_POLICY_LAYER23:
        return bnd_hash_layer23(frame, len);
    case BND_POLICY_LAYER34:
        return bnd_hash_layer34(frame, len);
    case BND_POLICY_ENCAP23:
        return bnd_hash_encap23(frame, len);
    case BND_POLICY_ENCAP34:
        return bnd_hash_encap34(frame, len);
    case BND_POLICY_VLAN_SRCMAC:
        return bnd_hash_vlan_srcmac(frame, len);
    case BND_N_POLICIES:
    default:
        return 0;
    }
}

#endif /* hash.h */
