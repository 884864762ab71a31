/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "wire/nd.h"

#include "wire/eth.h"

#define ND_ADVERT 136
#define ND_ADVERT_LEN 32
#define ND_ROUTER   0x80000000
#define ND_OVERRIDE 0x20000000
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
