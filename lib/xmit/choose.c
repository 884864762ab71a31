/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "xmit/choose.h"

#include <hash.h>
#include <string.h>
#include "util.h"
#include "xmit/resolve.h"

#define ETH_ADDR_SIZE ((int) sizeof(struct eth_addr))

uint32_t
bnd_hash_src(struct eth_addr mac, uint16_t vlan, uint32_t basis)
{
    uint64_t key = vlan;

    for (int i = 0; i < ETH_ADDR_SIZE; i++) {
        key = key << 8 | mac.ea[i];
    }
    return hash_uint64_basis(key, basis);
}

uint8_t
bnd_choose(const struct bnd_view *view, uint32_t hash)
{
    if (view->blocked) {
        return BND_VIEW_NONE;
    }
    switch ((enum bnd_xmit) view->xmit) {
    case BND_XMIT_ACTIVE:
    case BND_XMIT_BROADCAST:
        return view->active;

    case BND_XMIT_SRC_MAC:
    case BND_XMIT_L4:
    case BND_XMIT_POLICY:
    case BND_XMIT_LB:
        return (view->n_slots
                ? view->slots[hash % view->n_slots] : BND_VIEW_NONE);

    case BND_XMIT_RR:
        return (view->n_members
                ? bnd_view_turn(view, NULL, hash % view->n_members)
                : BND_VIEW_NONE);

    case BND_N_XMITS:
    default:
        OVS_NOT_REACHED();
    }
}

static bool
is_broadcast(struct eth_addr dst)
{
    static const struct eth_addr all = { .ea = { 255, 255, 255, 255, 255,
                                                 255 } };

    return !memcmp(&dst, &all, sizeof dst);
}

/* 01:80:c2:00:00:00 to 01:80:c2:00:00:0f. */
static bool
is_link_local(struct eth_addr dst)
{
    static const struct eth_addr first = { .ea = { 1, 0x80, 0xc2, 0, 0, 0 } };

    dst.ea[5] &= 0xf0;
    return !memcmp(&dst, &first, sizeof dst);
}

enum bnd_verdict
bnd_admit(const struct bnd_view *view, uint8_t i, struct eth_addr dst)
{
    if (i >= view->n_members) {
        return BND_DROP;
    }

    const struct bnd_view_member *m = &view->members[i];
    if (view->xmit == BND_XMIT_LB
        && !memcmp(&dst, &view->host_mac, sizeof dst)) {
        return m->admit_host;
    }
    return (!(dst.ea[0] & 1) ? m->admit_unicast
            : is_broadcast(dst) || is_link_local(dst) ? m->admit_broadcast
            : m->admit_multicast);
}
