/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "wire/lacpdu.h"

#include "util.h"
#include "wire/eth.h"

/* Types and lengths of the TLVs.  [802.1AX-2008 5.4.2.2] */
enum {
    TLV_TERMINATOR = 0,
    TLV_ACTOR = 1,
    TLV_PARTNER = 2,
    TLV_COLLECTOR = 3,

    INFO_LEN = 20,              /* Actor and partner. */
    INFO_RESERVED = 3,
    COLLECTOR_LEN = 16,
    COLLECTOR_RESERVED = 12
};

#define LACP_VERSION 1

enum bnd_drop_reason
bnd_slow_open(const uint8_t *frame, size_t len, struct bnd_cursor *body,
              uint8_t *subtype)
{
    struct bnd_cursor c = bnd_cursor(frame, len);
    struct bnd_eth eth = bnd_eth_decode(&c);

    if (c.bad) {
        return BND_DROP_SHORT;
    } else if (eth.type != BND_ETH_TYPE_SLOW) {
        return BND_DROP_ETHERTYPE;
    } else if (bnd_cursor_left(&c) < BND_SLOW_BODY_LEN) {
        return BND_DROP_SHORT;
    }

    *body = c;
    *subtype = bnd_cursor_u8(&c);
    return BND_DROP_NONE;
}

/* Reads an actor or partner TLV of 'type'.  Returns false if it is not
 * one. */
static bool
decode_info(struct bnd_cursor *c, uint8_t type, struct bnd_lacp_info *info)
{
    bool ok = bnd_cursor_u8(c) == type;

    ok = bnd_cursor_u8(c) == INFO_LEN && ok;
    info->system_priority = bnd_cursor_u16(c);
    info->system = bnd_cursor_mac(c);
    info->key = bnd_cursor_u16(c);
    info->port_priority = bnd_cursor_u16(c);
    info->port_id = bnd_cursor_u16(c);
    info->state = bnd_cursor_u8(c);
    bnd_cursor_skip(c, INFO_RESERVED);
    return ok;
}

enum bnd_drop_reason
bnd_lacpdu_decode(struct bnd_cursor c, struct bnd_lacpdu *pdu)
{
    if (bnd_cursor_u8(&c) != BND_SLOW_LACP) {
        return BND_DROP_SUBTYPE;
    }
    bnd_cursor_u8(&c);          /* Version. */

    bool ok = decode_info(&c, TLV_ACTOR, &pdu->actor);

    ok = decode_info(&c, TLV_PARTNER, &pdu->partner) && ok;
    bnd_cursor_u16(&c);         /* Type and length of the collector TLV. */
    pdu->collector_max_delay = bnd_cursor_u16(&c);

    return c.bad ? BND_DROP_SHORT : ok ? BND_DROP_NONE : BND_DROP_TLV;
}

static void
encode_info(struct bnd_writer *w, uint8_t type,
            const struct bnd_lacp_info *info)
{
    bnd_writer_u8(w, type);
    bnd_writer_u8(w, INFO_LEN);
    bnd_writer_u16(w, info->system_priority);
    bnd_writer_mac(w, info->system);
    bnd_writer_u16(w, info->key);
    bnd_writer_u16(w, info->port_priority);
    bnd_writer_u16(w, info->port_id);
    bnd_writer_u8(w, info->state);
    bnd_writer_zeros(w, INFO_RESERVED);
}

uint8_t *
bnd_lacpdu_encode(const struct bnd_lacpdu *pdu, struct eth_addr src)
{
    uint8_t *frame = xmalloc(BND_SLOW_FRAME_LEN);
    struct bnd_writer w = bnd_writer(frame, BND_SLOW_FRAME_LEN);

    bnd_eth_encode(&w, bnd_eth_slow_protocols(), src, BND_ETH_TYPE_SLOW);
    bnd_writer_u8(&w, BND_SLOW_LACP);
    bnd_writer_u8(&w, LACP_VERSION);
    encode_info(&w, TLV_ACTOR, &pdu->actor);
    encode_info(&w, TLV_PARTNER, &pdu->partner);
    bnd_writer_u8(&w, TLV_COLLECTOR);
    bnd_writer_u8(&w, COLLECTOR_LEN);
    bnd_writer_u16(&w, pdu->collector_max_delay);
    bnd_writer_zeros(&w, COLLECTOR_RESERVED);
    bnd_writer_u8(&w, TLV_TERMINATOR);
    bnd_writer_zeros(&w, BND_SLOW_FRAME_LEN - w.pos);
    ovs_assert(!w.bad);
    return frame;
}

bool
bnd_lacp_info_same_port(const struct bnd_lacp_info *a,
                        const struct bnd_lacp_info *b)
{
    return a->system_priority == b->system_priority
           && bnd_eth_addr_equal(a->system, b->system)
           && a->key == b->key
           && a->port_priority == b->port_priority
           && a->port_id == b->port_id;
}

bool
bnd_lacp_info_equal(const struct bnd_lacp_info *a,
                    const struct bnd_lacp_info *b, uint8_t state_mask)
{
    return bnd_lacp_info_same_port(a, b)
           && !((a->state ^ b->state) & state_mask);
}
