/* SPDX-License-Identifier: Apache-2.0 */

/* LACPDUs and other slow protocol frames
 * ======================================
 *
 * A frame of Ethernet type 0x8809 names its protocol in the first byte, the
 * subtype: 1 is LACP, 2 is the Marker protocol.  Both have bodies of exactly
 * 110 bytes when sent; when received, what follows them is ignored and
 * anything shorter is refused.
 *
 * What makes an LACPDU valid follows Open vSwitch as observed: the subtype and
 * the type and length of the actor and partner TLVs must be right; the
 * version is not looked at (later versions promise to keep this layout), nor
 * are collector and terminator TLVs, reserved bytes, and the destination
 * address, which the datapath has already judged.  Frames that carry a VLAN
 * tag are taken.
 *
 * Thread-safety
 * -------------
 * Pure functions.
 *
 * Source: [802.1AX-2008 5.4.2], [802.3-2008 57A]; observation of
 * ovs-vswitchd 3.1. */

#ifndef BND_WIRE_LACPDU_H
#define BND_WIRE_LACPDU_H 1

#include "core/bnd-types.h"
#include "wire/cursor.h"

/* Bits of a state octet.  [802.1AX-2008 5.4.2.2] */
#define BND_LACP_ACTIVITY     0x01
#define BND_LACP_TIMEOUT      0x02
#define BND_LACP_AGGREGATION  0x04
#define BND_LACP_SYNC         0x08
#define BND_LACP_COLLECTING   0x10
#define BND_LACP_DISTRIBUTING 0x20
#define BND_LACP_DEFAULTED    0x40
#define BND_LACP_EXPIRED      0x80

/* One side's data as an LACPDU carries it.  [802.1AX-2008 5.4.2.2] */
struct bnd_lacp_info {
    uint16_t system_priority;
    struct eth_addr system;
    uint16_t key;
    uint16_t port_priority;
    uint16_t port_id;
    uint8_t state;              /* BND_LACP_*. */
};

struct bnd_lacpdu {
    struct bnd_lacp_info actor;   /* The sender. */
    struct bnd_lacp_info partner; /* What the sender believes of us. */
    uint16_t collector_max_delay; /* Tens of microseconds. */
};

/* First byte of a slow protocol's body. */
enum {
    BND_SLOW_LACP = 1,
    BND_SLOW_MARKER = 2
};

#define BND_SLOW_BODY_LEN 110           /* Least and sent length of a body. */
#define BND_SLOW_FRAME_LEN 124          /* With an untagged header. */

/* Looks at 'frame' of 'len' bytes.  If it is a slow protocol frame of
 * sufficient length, sets '*body' to stand on the subtype, stores that in
 * '*subtype' and returns BND_DROP_NONE.  Otherwise returns BND_DROP_ETHERTYPE
 * or BND_DROP_SHORT. */
enum bnd_drop_reason bnd_slow_open(const uint8_t *frame, size_t len,
                                   struct bnd_cursor *body, uint8_t *subtype);

/* Decodes 'body', as bnd_slow_open() left it, into '*pdu'.  Returns
 * BND_DROP_NONE, BND_DROP_SUBTYPE, BND_DROP_TLV or BND_DROP_SHORT; '*pdu' is
 * meaningful only in the first case. */
enum bnd_drop_reason bnd_lacpdu_decode(struct bnd_cursor body,
                                       struct bnd_lacpdu *pdu);

/* Encodes '*pdu' as a whole frame from 'src' of BND_SLOW_FRAME_LEN bytes,
 * which the caller frees. */
uint8_t *bnd_lacpdu_encode(const struct bnd_lacpdu *pdu, struct eth_addr src);

/* Do 'a' and 'b' agree in all but their states? */
bool bnd_lacp_info_same_port(const struct bnd_lacp_info *a,
                             const struct bnd_lacp_info *b);

/* Do 'a' and 'b' agree, looking at 'state_mask' bits of their states? */
bool bnd_lacp_info_equal(const struct bnd_lacp_info *a,
                         const struct bnd_lacp_info *b, uint8_t state_mask);

#endif /* wire/lacpdu.h */
