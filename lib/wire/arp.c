/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "wire/arp.h"

#include "wire/eth.h"

#define HARDWARE_ETHERNET 1

void
bnd_arp_encode(struct bnd_writer *w, struct eth_addr dst,
               struct eth_addr src, const struct bnd_arp *arp)
{
    bnd_eth_encode(w, dst, src, BND_ETH_TYPE_ARP);
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
bnd_arp_gratuitous(struct bnd_writer *w, struct eth_addr mac, uint32_t ip)
{
    struct bnd_arp arp = { .op = BND_ARP_REQUEST, .sha = mac, .spa = ip,
                           .tpa = ip };

    bnd_arp_encode(w, bnd_eth_broadcast(), mac, &arp);
}
