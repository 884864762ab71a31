/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "wire/mld.h"

#include <string.h>
#include "wire/eth.h"

#define MLD_V1_REPORT 131
#define MLD_V2_REPORT 143
#define MLD_MODE_IS_EXCLUDE 2
#define MLD_MAX_LEN 28

#define ALL_NODES 1             /* ff02::1... */
#define V2_ROUTERS 0x16         /* ...and ff02::16. */

#define SCOPE_MASK 0x0f
#define SCOPE_LINK 2

bool
bnd_mld_is_reported(const struct bnd_ip6 *group)
{
    struct bnd_ip6 all = bnd_ip6_link_multicast(ALL_NODES);

    return ((group->b[1] & SCOPE_MASK) >= SCOPE_LINK
            && memcmp(group, &all, sizeof all));
}

bool
bnd_mld_decode_v1(struct bnd_cursor c, struct bnd_ip6 *group)
{
    enum { REST = 7 };          /* Code, checksum, delay, reserved. */
    bool is_report = bnd_cursor_u8(&c) == MLD_V1_REPORT;

    bnd_cursor_skip(&c, REST);
    bnd_cursor_bytes(&c, group, sizeof *group);
    return is_report && !c.bad;
}

void
bnd_mld_report(struct bnd_writer *w, struct eth_addr mac,
               const struct bnd_ip6 *src, const struct bnd_ip6 *group,
               int version)
{
    struct bnd_ip6 dst = (version >= 2 ? bnd_ip6_link_multicast(V2_ROUTERS)
                          : *group);
    uint8_t body[MLD_MAX_LEN];
    struct bnd_writer b = bnd_writer(body, sizeof body);

    bnd_writer_u8(&b, version >= 2 ? MLD_V2_REPORT : MLD_V1_REPORT);
    bnd_writer_u8(&b, 0);
    bnd_writer_u16(&b, 0);      /* Checksum. */
    bnd_writer_u16(&b, 0);
    if (version >= 2) {
        bnd_writer_u16(&b, 1);  /* Records... */
        bnd_writer_u8(&b, MLD_MODE_IS_EXCLUDE);
        bnd_writer_u8(&b, 0);
        bnd_writer_u16(&b, 0);  /* ...and sources in it. */
    } else {
        bnd_writer_u16(&b, 0);
    }
    bnd_writer_bytes(&b, group, sizeof *group);

    bnd_eth_encode(w, bnd_ip6_multicast_mac(&dst), mac, BND_ETH_TYPE_IPV6);
    bnd_ip6_icmp(w, src, &dst, 1, true, body, b.pos);
}
