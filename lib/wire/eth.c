/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "wire/eth.h"

#include <string.h>
#include "util.h"

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
        eth.tpid[eth.n_tags] = eth.type;
        eth.tci[eth.n_tags++] = bnd_cursor_u16(c);
        eth.type = bnd_cursor_u16(c);
    }
    return eth;
}

void
bnd_eth_encode(struct bnd_writer *w, struct eth_addr dst,
               struct eth_addr src, uint16_t type)
{
    bnd_eth_encode_tagged(w, dst, src, NULL, type);
}

void
bnd_eth_encode_tagged(struct bnd_writer *w, struct eth_addr dst,
                      struct eth_addr src, const struct bnd_tags *tags,
                      uint16_t type)
{
    bnd_writer_mac(w, dst);
    bnd_writer_mac(w, src);
    for (int i = 0; tags && i < tags->n; i++) {
        bnd_writer_u16(w, tags->tag[i].tpid);
        bnd_writer_u16(w, tags->tag[i].vid);
    }
    bnd_writer_u16(w, type);
}

void
bnd_eth_set_src(uint8_t *data, size_t len, struct eth_addr src)
{
    struct bnd_writer w = bnd_writer(data, len);

    w.pos = MIN(len, sizeof src);       /* Behind the destination. */
    bnd_writer_mac(&w, src);
}

struct bnd_tags
bnd_eth_tags(const struct bnd_eth *eth)
{
    struct bnd_tags tags;

    memset(&tags, 0, sizeof tags);
    for (int i = 0; i < eth->n_tags; i++) {
        uint16_t vid = eth->tci[i] & BND_ETH_VID_MASK;

        if (vid) {
            tags.tag[tags.n].tpid = eth->tpid[i];
            tags.tag[tags.n++].vid = vid;
        }
    }
    return tags;
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
