/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "wire/igmp.h"

#include "byte-order.h"
#include "csum.h"
#include "wire/eth.h"

#define IGMP_V1_REPORT 0x12
#define IGMP_V2_REPORT 0x16
#define IGMP_V3_REPORT 0x22

#define IGMP_V3_ROUTERS 0xe0000016      /* 224.0.0.22. */
#define IGMP_MODE_IS_EXCLUDE 2
#define IGMP_MAX_LEN 16

static void
put_checksum(struct bnd_writer *w)
{
    enum { CHECKSUM_AT = 2 };

    bnd_writer_set_u16(w, CHECKSUM_AT, ntohs(csum(w->data, w->pos)));
}

void
bnd_igmp_report(struct bnd_writer *w, struct eth_addr mac, uint32_t src,
                uint32_t group, int version)
{
    uint32_t dst = version >= 3 ? IGMP_V3_ROUTERS : group;
    uint8_t body[IGMP_MAX_LEN];
    struct bnd_writer b = bnd_writer(body, sizeof body);

    bnd_writer_u8(&b, (version >= 3 ? IGMP_V3_REPORT
                       : version == 2 ? IGMP_V2_REPORT : IGMP_V1_REPORT));
    bnd_writer_u8(&b, 0);
    bnd_writer_u16(&b, 0);      /* Checksum. */
    if (version >= 3) {
        bnd_writer_u16(&b, 0);
        bnd_writer_u16(&b, 1);  /* Records... */
        bnd_writer_u8(&b, IGMP_MODE_IS_EXCLUDE);
        bnd_writer_u8(&b, 0);
        bnd_writer_u16(&b, 0);  /* ...and sources in it. */
    }
    bnd_writer_u32(&b, group);
    put_checksum(&b);

    bnd_eth_encode(w, bnd_ip4_multicast_mac(dst), mac, BND_ETH_TYPE_IP);
    bnd_ip4_alert(w, src, dst, BND_IP_PROTO_IGMP, b.pos);
    bnd_writer_bytes(w, body, b.pos);
}
