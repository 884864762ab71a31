/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "wire/arp.h"

#define HARDWARE_ETHERNET 1

enum bnd_drop_reason
bnd_arp_decode(struct bnd_cursor c, struct bnd_arp *arp)
{
    bool ok = bnd_cursor_u16(&c) == HARDWARE_ETHERNET;

    ok = bnd_cursor_u16(&c) == BND_ETH_TYPE_IP && ok;
    ok = bnd_cursor_u8(&c) == sizeof arp->sha && ok;
    ok = bnd_cursor_u8(&c) == sizeof arp->spa && ok;
    arp->op = bnd_cursor_u16(&c);
    arp->sha = bnd_cursor_mac(&c);
    arp->spa = bnd_cursor_u32(&c);
    arp->tha = bnd_cursor_mac(&c);
    arp->tpa = bnd_cursor_u32(&c);
    return (c.bad ? BND_DROP_SHORT
            : ok && (arp->op == BND_ARP_REQUEST || arp->op == BND_ARP_REPLY)
            ? BND_DROP_NONE : BND_DROP_PROTOCOL);
}

void
bnd_arp_encode(struct bnd_writer *w, struct eth_addr dst,
               struct eth_addr src, const struct bnd_tags *tags,
               const struct bnd_arp *arp)
{
    bnd_eth_encode_tagged(w, dst, src, tags, BND_ETH_TYPE_ARP);
    bnd_writer_u16(w, HARDWARE_ETHERNET);
    bnd_writer_u16(w, BND_ETH_TYPE_IP);
    bnd_writer_u8(w, sizeof arp->sha);
    bnd_writer_u8(w, sizeof arp->spa);
    bnd_writer_u16(w, arp->op);
    bnd_writer_mac(w, arp->sha);
    bnd_writer_u32(w, arp->spa);
    bnd_writer_mac(w, arp->tha);
    bnd_writer_u32(w, arp->tpa);
}

void
bnd_arp_set_sha(uint8_t *data, size_t len, struct eth_addr sha)
{
    enum { SHA = 8 };           /* What stands before it. */
    struct bnd_cursor c = bnd_cursor(data, len);
    struct bnd_writer w = bnd_writer(data, len);

    bnd_eth_decode(&c);
    bnd_cursor_skip(&c, SHA);
    w.pos = c.pos;
    bnd_writer_mac(&w, sha);
}

void
bnd_arp_gratuitous(struct bnd_writer *w, struct eth_addr mac, uint32_t ip)
{
    struct bnd_arp arp = { .op = BND_ARP_REQUEST, .sha = mac, .spa = ip,
                           .tpa = ip };

    bnd_arp_encode(w, bnd_eth_broadcast(), mac, NULL, &arp);
}

void
bnd_arp_request(struct bnd_writer *w, struct eth_addr mac,
                const struct bnd_tags *tags, uint32_t source,
                uint32_t target)
{
    struct bnd_arp arp = { .op = BND_ARP_REQUEST, .sha = mac, .spa = source,
                           .tpa = target };

    bnd_arp_encode(w, bnd_eth_broadcast(), mac, tags, &arp);
}
