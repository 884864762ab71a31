/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "wire/marker.h"

#include "util.h"
#include "wire/eth.h"
#include "wire/lacpdu.h"

#define MARKER_VERSION 1

/* Length of the TLV, as the standard has it and as Linux has it. */
#define MARKER_LEN 0x10
#define MARKER_LEN_LINUX 0x16

enum bnd_drop_reason
bnd_marker_decode(struct bnd_cursor c, struct bnd_marker *marker)
{
    if (bnd_cursor_u8(&c) != BND_SLOW_MARKER) {
        return BND_DROP_SUBTYPE;
    }
    bnd_cursor_u8(&c);          /* Version. */
    marker->type = bnd_cursor_u8(&c);
    marker->tlv_len = bnd_cursor_u8(&c);
    marker->port_id = bnd_cursor_u16(&c);
    marker->system = bnd_cursor_mac(&c);
    marker->transaction = bnd_cursor_u32(&c);
    if (c.bad) {
        return BND_DROP_SHORT;
    }
    return ((marker->tlv_len == MARKER_LEN
             || marker->tlv_len == MARKER_LEN_LINUX)
            && (marker->type == BND_MARKER_INFORMATION
                || marker->type == BND_MARKER_RESPONSE)
            ? BND_DROP_NONE : BND_DROP_TLV);
}

uint8_t *
bnd_marker_encode(const struct bnd_marker *marker, struct eth_addr src)
{
    uint8_t *frame = xmalloc(BND_SLOW_FRAME_LEN);
    struct bnd_writer w = bnd_writer(frame, BND_SLOW_FRAME_LEN);

    bnd_eth_encode(&w, bnd_eth_slow_protocols(), src, BND_ETH_TYPE_SLOW);
    bnd_writer_u8(&w, BND_SLOW_MARKER);
    bnd_writer_u8(&w, MARKER_VERSION);
    bnd_writer_u8(&w, marker->type);
    bnd_writer_u8(&w, marker->tlv_len);
    bnd_writer_u16(&w, marker->port_id);
    bnd_writer_mac(&w, marker->system);
    bnd_writer_u32(&w, marker->transaction);
    bnd_writer_zeros(&w, BND_SLOW_FRAME_LEN - w.pos);
    ovs_assert(!w.bad);
    return frame;
}
