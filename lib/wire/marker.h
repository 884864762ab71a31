/* SPDX-License-Identifier: Apache-2.0 */

/* Marker PDUs
 * ===========
 *
 * A partner that wants to move a conversation from one link to another asks
 * with a Marker whether all frames it sent before have arrived; we answer at
 * once, since we deliver in order.
 *
 * Thread-safety
 * -------------
 * Pure functions.
 *
 * Source: [802.1AX-2008 5.5], which says that a TLV is 16 (0x10) bytes long;
 * the Linux bonding driver sends 0x16.  We take both and answer in kind. */

#ifndef BND_WIRE_MARKER_H
#define BND_WIRE_MARKER_H 1

#include "core/bnd-types.h"
#include "wire/cursor.h"

/* The TLV type says which of the two a Marker PDU is. */
enum {
    BND_MARKER_INFORMATION = 1,
    BND_MARKER_RESPONSE = 2
};

struct bnd_marker {
    uint8_t type;               /* BND_MARKER_*. */
    uint8_t tlv_len;            /* 0x10 or, from Linux, 0x16. */
    uint16_t port_id;           /* Requester's port, */
    struct eth_addr system;     /* system, */
    uint32_t transaction;       /* and transaction. */
};

/* Decodes 'body', as bnd_slow_open() left it, into '*marker'.  Returns
 * BND_DROP_NONE, BND_DROP_SUBTYPE, BND_DROP_TLV or BND_DROP_SHORT. */
enum bnd_drop_reason bnd_marker_decode(struct bnd_cursor body,
                                       struct bnd_marker *marker);

/* Encodes '*marker' as a whole frame from 'src' of BND_SLOW_FRAME_LEN bytes,
 * which the caller frees. */
uint8_t *bnd_marker_encode(const struct bnd_marker *marker,
                           struct eth_addr src);

#endif /* wire/marker.h */
