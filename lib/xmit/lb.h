/* SPDX-License-Identifier: Apache-2.0 */

/* Buckets of the host's frames
 * ============================
 *
 * In balance-tlb and balance-alb (BND_XMIT_LB) the host's own frames, those
 * from its Ethernet address, have buckets of their own, and leave with the
 * address of the member that they leave by.  What is not balanced leaves by
 * the active member:
 *
 *   balance-tlb   what goes to more than one station; what is neither IPv4 nor
 *                 IPv6; neighbour discovery
 *   balance-alb   IPv4: to all stations, to 255.255.255.255, IGMP; IPv6: to
 *                 all stations or all nodes, neighbour discovery, from nobody;
 *                 what is neither
 *   both          what is too short to tell
 *
 * One VLAN tag is taken off before all else, as for hashes (xmit/hash.h).
 *
 * The bucket is the XOR of all octets of the destination's IP address, or that
 * of the transmit hash policy.  As there, common frames are recognized inline
 * and all others by bnd_lb_slot__(), with the same results; as there, the packet
 * path chooses among policies once per batch.
 *
 * Thread-safety
 * -------------
 * Pure functions.
 *
 * Source: Linux Documentation/networking/bonding.rst, balance-tlb,
 * balance-alb; what Linux 6.1 was seen to do. */

#ifndef BND_LB_H
#define BND_LB_H 1

#include "compiler.h"
#include "xmit/hash.h"
#include "xmit/view.h"

/* The same as bnd_lb_slot(), slowly. */
int bnd_lb_slot__(const struct bnd_view *, const uint8_t *frame, size_t len);

/* Is the frame the host's?  It must have an Ethernet header. */
static inline bool
bnd_lb_is_host(const struct bnd_view *view, const uint8_t *frame)
{
    return (bnd_peek_src_is(frame, &view->host_mac)
            && !bnd_eth_addr_is_zero(view->host_mac));
}

/* Returns the hash of a frame by the policy of 'view'. */
static inline uint32_t
bnd_lb_hash(const struct bnd_view *view, const uint8_t *frame, size_t len)
{
    return (OVS_UNLIKELY(view->compat)
            ? bnd_hash_frame(view->policy, true, frame, len)
            : bnd_hash_quick(view->policy, frame, len));
}

/* The bucket for hash 'h'. */
static inline int
bnd_lb_bucket(const struct bnd_view *view, uint32_t h)
{
    return (OVS_LIKELY(view->n_host_slots == BND_N_SLOTS) ? h % BND_N_SLOTS
            : view->n_host_slots ? h % view->n_host_slots : 0);
}

/* XOR of the octets of 'x'. */
static inline uint8_t
bnd_lb_xor(uint32_t x)
{
    x ^= x >> 16;
    return x ^ x >> 8;
}

/* Is one of the host's frames so common that it is balanced by 'policy', or, if
 * 'by_ip', by its destination?  Then '*slot' becomes its bucket; else it is for
 * bnd_lb_slot__().  For calling code that knows both at compile time. */
static inline ALWAYS_INLINE bool
bnd_lb_try_slot(const struct bnd_view *view, bool by_ip,
                enum bnd_policy policy, const uint8_t *frame, size_t len,
                int *slot)
{
    enum { IGMP = 2, ICMPV6 = 58 };
    size_t ofs = (OVS_UNLIKELY(bnd_peek_is_tagged(frame, len))
                  ? BND_VLAN_TAG_LEN : 0);
    uint32_t dst;

    /* What is only nearly common is for the other function. */
    if (bnd_peek_is_ip4(frame, len, ofs, 0)) {
        dst = bnd_peek_ip4_dst(frame, ofs);
        if (OVS_UNLIKELY(bnd_peek_is_multicast(frame) || dst == UINT32_MAX
                         || (bnd_peek_ip4_proto(frame, ofs) & 0xff)
                            == IGMP)) {
            return false;
        }
    } else if (bnd_peek_is_ip6(frame, len, ofs, 0)) {
        dst = bnd_peek_ip6_dst(frame, ofs);
        if (OVS_UNLIKELY(bnd_peek_is_multicast(frame)
                         || bnd_peek_ip6_proto(frame, ofs) == ICMPV6
                         || bnd_peek_ip6_is_anonymous(frame, ofs))) {
            return false;
        }
    } else {
        return false;
    }
    *slot = (by_ip ? bnd_lb_xor(dst)
             : bnd_lb_bucket(view, bnd_hash_quick(policy, frame, len)));
    return true;
}

/* Returns the bucket of one of the host's frames, from 0 to
 * BND_N_SLOTS - 1 (and below 'view->n_host_slots' if there are any), or -1 if
 * it leaves by the active member. */
static inline int
bnd_lb_slot(const struct bnd_view *view, const uint8_t *frame, size_t len)
{
    int slot;

    return (OVS_LIKELY(!view->compat)
            && bnd_lb_try_slot(view, view->lb_by_ip, view->policy, frame,
                               len, &slot)
            ? slot : bnd_lb_slot__(view, frame, len));
}

#endif /* lb.h */
