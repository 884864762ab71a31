/* SPDX-License-Identifier: Apache-2.0 */

/* Ethernet headers
 * ================
 *
 * What the engine needs of Ethernet, so that it needs nothing of OVS's
 * packets.h, which pulls in the clock and half of the datapath (house.md
 * section 3).
 *
 * Thread-safety
 * -------------
 * Pure functions.
 *
 * Source: IEEE 802.3, IEEE 802.1Q. */

#ifndef BND_WIRE_ETH_H
#define BND_WIRE_ETH_H 1

#include "core/bnd-types.h"
#include "wire/cursor.h"

#define BND_ETH_HEADER_LEN 14           /* Without a tag. */

#define BND_ETH_TYPE_IP     0x0800
#define BND_ETH_TYPE_ARP    0x0806
#define BND_ETH_TYPE_IPV6   0x86dd
#define BND_ETH_TYPE_VLAN   0x8100      /* C-VLAN tag. */
#define BND_ETH_TYPE_SVLAN  0x88a8      /* S-VLAN tag. */
#define BND_ETH_TYPE_SLOW   0x8809      /* Slow protocols: LACP, Marker. */

#define BND_ETH_VID_MASK    0x0fff      /* Of a tag control word. */

/* How many tags a header may carry before we give up. */
#define BND_ETH_MAX_TAGS 2

/* VLAN tags of a frame, outermost first. */
struct bnd_tag {
    uint16_t tpid;              /* BND_ETH_TYPE_VLAN or _SVLAN. */
    uint16_t vid;               /* 1 to 4094. */
};

struct bnd_tags {
    int n;
    struct bnd_tag tag[BND_ETH_MAX_TAGS];
};

struct bnd_eth {
    struct eth_addr dst;
    struct eth_addr src;
    uint16_t tci[BND_ETH_MAX_TAGS]; /* Tag control words, outermost first... */
    uint16_t tpid[BND_ETH_MAX_TAGS]; /* ...and the types of the tags. */
    int n_tags;
    uint16_t type;              /* Behind the tags. */
};

/* Reads a header.  What follows it is where 'c' then stands.  Whether the
 * frame was long enough, 'c->bad' tells. */
struct bnd_eth bnd_eth_decode(struct bnd_cursor *c);

/* Writes an untagged header. */
void bnd_eth_encode(struct bnd_writer *, struct eth_addr dst,
                    struct eth_addr src, uint16_t type);

/* The same with 'tags', which may be null. */
void bnd_eth_encode_tagged(struct bnd_writer *, struct eth_addr dst,
                           struct eth_addr src, const struct bnd_tags *tags,
                           uint16_t type);

/* Makes 'src' the source of the frame of 'len' bytes at 'data'. */
void bnd_eth_set_src(uint8_t *data, size_t len, struct eth_addr src);

/* The VLANs of a frame: what is tagged with a priority alone (VLAN 0) is not
 * tagged. */
struct bnd_tags bnd_eth_tags(const struct bnd_eth *);

/* ff:ff:ff:ff:ff:ff. */
struct eth_addr bnd_eth_broadcast(void);

/* 01:80:c2:00:00:02, where slow protocols are sent to.  Bridges do not forward
 * it. */
struct eth_addr bnd_eth_slow_protocols(void);

/* Can 'frame', of which 'len' bytes can be read, be IGMP?  True also if it is
 * not and has the same number in one of two places, or is short.  For a first
 * look: bnd_eth_is_igmp() tells for sure. */
static inline bool
bnd_eth_may_be_igmp(const uint8_t *frame, size_t len)
{
    enum { PROTO = BND_ETH_HEADER_LEN + 9, TAG = 4, IGMP = 2 };

    return (len <= PROTO + TAG
            || (frame[PROTO] == IGMP) | (frame[PROTO + TAG] == IGMP));
}

/* Is 'frame', of which 'len' bytes can be read, IGMP over IPv4, untagged or
 * behind one tag?  Inline, as some ask it for every packet. */
static inline bool
bnd_eth_is_igmp(const uint8_t *frame, size_t len)
{
    enum { TYPE = 12, TAG = 4, PROTO = 9, IGMP = 2 };
    size_t at = TYPE;

    if (OVS_LIKELY(len >= BND_ETH_HEADER_LEN + TAG + PROTO + 1)) {
        if ((frame[at] == 0x81 && frame[at + 1] == 0)
            || (frame[at] == 0x88 && frame[at + 1] == 0xa8)) {
            at += TAG;
        }
        return (frame[at] == 0x08 && frame[at + 1] == 0
                && frame[at + 2 + PROTO] == IGMP);
    }
    return false;
}

/* Is 'mac' that of a group of stations? */
static inline bool
bnd_eth_addr_is_multicast(struct eth_addr mac)
{
    return mac.ea[0] & 1;
}

static inline bool
bnd_eth_addr_equal(struct eth_addr a, struct eth_addr b)
{
    return a.be16[0] == b.be16[0] && a.be16[1] == b.be16[1]
           && a.be16[2] == b.be16[2];
}

static inline bool
bnd_eth_addr_is_zero(struct eth_addr a)
{
    return !(a.be16[0] | a.be16[1] | a.be16[2]);
}

/* Returns a number below, equal to or above zero if 'a', read as one number,
 * is less than, equal to or greater than 'b'. */
int bnd_eth_addr_compare(struct eth_addr a, struct eth_addr b);

#endif /* wire/eth.h */
