/* SPDX-License-Identifier: Apache-2.0 */

/* Neighbours in IPv6
 * ==================
 *
 * A neighbour solicitation is the question, a neighbour advertisement the
 * answer.  An unsolicited advertisement is for IPv6 what a gratuitous ARP is
 * for IPv4 (wire/arp.h): with the override flag it replaces the Ethernet
 * address that neighbours remember.
 *
 * Thread-safety
 * -------------
 * Pure functions.
 *
 * Source: RFC 4861, sections 4.3, 4.4, 7.1, 7.2.2 and 7.2.6. */

#ifndef BND_WIRE_ND_H
#define BND_WIRE_ND_H 1

#include "wire/eth.h"
#include "wire/ip.h"

/* Bytes of an untagged frame, and of one with as many tags as there can be. */
#define BND_ND_FRAME_LEN 86
#define BND_ND_FRAME_MAX (BND_ND_FRAME_LEN + 4 * BND_ETH_MAX_TAGS)

struct bnd_nd {
    bool is_advert;             /* Otherwise it is a solicitation. */
    struct bnd_ip6 src;         /* Of the packet; all zeros: has none yet. */
    struct bnd_ip6 dst;
    struct bnd_ip6 target;      /* Whom it is about. */
};

/* Reads what follows the Ethernet header.  Returns BND_DROP_NONE,
 * BND_DROP_SHORT, BND_DROP_PROTOCOL if it is something else,
 * BND_DROP_FORWARDED or BND_DROP_CHECKSUM; '*nd' is meaningful only in the
 * first case. */
enum bnd_drop_reason bnd_nd_decode(struct bnd_cursor, struct bnd_nd *nd);

/* ff02::1:ffXX:XXXX, which whoever has 'addr' listens to. */
struct bnd_ip6 bnd_nd_solicited_node(const struct bnd_ip6 *addr);

/* Writes a frame by which 'mac' with the address 'src' asks who has 'target'.
 * If it has none ('src' is all zeros) it does not say where it is, either, and
 * the answer goes to all nodes. */
void bnd_nd_solicit(struct bnd_writer *, struct eth_addr mac,
                    const struct bnd_tags *tags, const struct bnd_ip6 *src,
                    const struct bnd_ip6 *target);

/* The same to 'dst', at 'dst_mac', alone: not to find it, but to tell it where
 * 'src' is. */
void bnd_nd_solicit_one(struct bnd_writer *, struct eth_addr mac,
                        struct eth_addr dst_mac, const struct bnd_tags *tags,
                        const struct bnd_ip6 *src, const struct bnd_ip6 *dst);

/* Makes 'mac' the sender's Ethernet address in the message of the frame of
 * 'len' bytes at 'data', which bnd_nd_decode() has read.  Returns false if it
 * does not tell one. */
bool bnd_nd_set_link(uint8_t *data, size_t len, struct eth_addr mac);

/* Writes an untagged frame that says to all nodes that 'mac' has 'addr', and
 * whether its owner is a 'router'. */
void bnd_nd_unsolicited(struct bnd_writer *, struct eth_addr mac,
                        const struct bnd_ip6 *addr, bool router);

#endif /* wire/nd.h */
