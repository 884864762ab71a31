/* SPDX-License-Identifier: Apache-2.0 */

/* ARP for IPv4 over Ethernet
 * ==========================
 *
 * A gratuitous ARP is a request for one's own address: whoever has it in his
 * table puts the sender's Ethernet address there, and every switch on the way
 * learns where that is.
 *
 * IPv4 addresses are numbers in host byte order.
 *
 * Thread-safety
 * -------------
 * Pure functions.
 *
 * Source: RFC 826, RFC 5227. */

#ifndef BND_WIRE_ARP_H
#define BND_WIRE_ARP_H 1

#include "core/bnd-types.h"
#include "wire/cursor.h"
#include "wire/eth.h"

#define BND_ARP_REQUEST 1
#define BND_ARP_REPLY   2

/* Bytes of an untagged frame with ARP in it, without padding. */
#define BND_ARP_FRAME_LEN 42

/* The same with as many tags as there can be. */
#define BND_ARP_FRAME_MAX (BND_ARP_FRAME_LEN + 4 * BND_ETH_MAX_TAGS)

struct bnd_arp {
    uint16_t op;                /* BND_ARP_*. */
    struct eth_addr sha;        /* Sender... */
    uint32_t spa;
    struct eth_addr tha;        /* ...and target. */
    uint32_t tpa;
};

/* Reads what follows the Ethernet header.  Returns BND_DROP_NONE,
 * BND_DROP_SHORT, or BND_DROP_PROTOCOL if it is ARP for something else than
 * IPv4 over Ethernet; '*arp' is meaningful only in the first case. */
enum bnd_drop_reason bnd_arp_decode(struct bnd_cursor, struct bnd_arp *arp);

/* Writes a frame from 'src' to 'dst' with 'tags', which may be null. */
void bnd_arp_encode(struct bnd_writer *, struct eth_addr dst,
                    struct eth_addr src, const struct bnd_tags *tags,
                    const struct bnd_arp *);

/* Makes 'sha' the sender's Ethernet address in the frame of 'len' bytes at
 * 'data', which bnd_arp_decode() has read. */
void bnd_arp_set_sha(uint8_t *data, size_t len, struct eth_addr sha);

/* Writes one by which 'mac' asks all who has 'target'; it says that it has
 * 'source' itself, or 0 for nothing. */
void bnd_arp_request(struct bnd_writer *, struct eth_addr mac,
                     const struct bnd_tags *tags, uint32_t source,
                     uint32_t target);

/* Writes one that says to all that 'mac' has 'ip'. */
void bnd_arp_gratuitous(struct bnd_writer *, struct eth_addr mac,
                        uint32_t ip);

#endif /* wire/arp.h */
