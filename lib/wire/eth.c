/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "wire/eth.h"

#include <string.h>

static bool
is_tag(uint16_t type)
{
    return type == BND_ETH_TYPE_VLAN || type == BND_ETH_TYPE_SVLAN;
}

struct bnd_eth
bnd_eth_decode(struct bnd_cursor *c)
{
    struct bnd_eth eth = { .n_tags = 0 };

    eth.dst = bnd_cursor_mac(c);
    eth.src = bnd_cursor_mac(c);
    eth.type = bnd_cursor_u16(c);
    while (is_tag(eth.type) && eth.n_tags < BND_ETH_MAX_TAGS) {
        eth.tci[eth.n_tags++] = bnd_cursor_u16(c);
        eth.type = bnd_cursor_u16(c);
    }
    return eth;
}

void
bnd_eth_encode(struct bnd_writer *w, struct eth_addr dst,
               struct eth_addr src, uint16_t type)
{
    bnd_writer_mac(w, dst);
    bnd_writer_mac(w, src);
    bnd_writer_u16(w, type);
}

struct eth_addr
bnd_eth_broadcast(void)
{
    return (struct eth_addr) {{{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }}};
}

struct eth_addr
bnd_eth_slow_protocols(void)
{
    return (struct eth_addr) {{{ 0x01, 0x80, 0xc2, 0x00, 0x00, 0x02 }}};
}

int
bnd_eth_addr_compare(struct eth_addr a, struct eth_addr b)
{
    return memcmp(&a, &b, sizeof a);
}
