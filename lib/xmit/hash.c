/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "xmit/hash.h"

#include "util.h"

static uint32_t
layer2(const struct bnd_fields *f)
{
    return f->dst.ea[5] ^ f->src.ea[5] ^ f->type;
}

static uint32_t
half(const uint8_t octets[3])
{
    return octets[0] << 16 | octets[1] << 8 | octets[2];
}

/* 'policy' is layer2, layer2+3 or layer3+4, as Linux 2.6 had them. */
static uint32_t
hash_26(enum bnd_policy policy, const struct bnd_fields *f)
{
    uint32_t s = f->dst.ea[5] ^ f->src.ea[5];

    if (f->l3 != BND_L3_IP4) {
        return s;
    }

    /* The low half of the addresses, and the ports, in host byte order. */
    uint32_t w = (f->addrs >> 8 & 0xff00) | f->addrs >> 24;
    bool has_ports = f->proto == 6 || f->proto == 17;
    uint32_t p = has_ports ? f->ports ^ f->ports >> 16 : 0;
    uint32_t q = (p << 8 & 0xff00) | (p >> 8 & 0xff);

    return (policy == BND_POLICY_LAYER2 ? s
            : policy == BND_POLICY_LAYER23 ? w ^ s
            : q ^ w);
}

uint32_t
bnd_hash_frame(enum bnd_policy policy, bool compat26, const uint8_t *frame,
               size_t len)
{
    bool has_26 = (policy == BND_POLICY_LAYER2 || policy == BND_POLICY_LAYER23
                   || policy == BND_POLICY_LAYER34);
    bool encap = policy == BND_POLICY_ENCAP23 || policy == BND_POLICY_ENCAP34;
    struct bnd_fields f;

    compat26 = compat26 && has_26;
    if (!bnd_dissect(frame, len,
                     (compat26 ? BND_DISSECT_OUTER
                      : encap ? BND_DISSECT_TUNNELS
                      : BND_DISSECT_ERRORS), &f)) {
        return 0;
    }
    if (compat26) {
        return hash_26(policy, &f);
    }
    switch (policy) {
    case BND_POLICY_LAYER2:
        return layer2(&f);
    case BND_POLICY_LAYER23:
    case BND_POLICY_ENCAP23:
        return (f.l3 == BND_L3_UNKNOWN ? layer2(&f)
                : bnd_hash_fold(layer2(&f) ^ f.addrs));
    case BND_POLICY_LAYER34:
    case BND_POLICY_ENCAP34:
        return (f.l3 == BND_L3_UNKNOWN ? layer2(&f)
                : bnd_hash_fold((f.icmp ? f.icmp : f.ports) ^ f.addrs) >> 1);
    case BND_POLICY_VLAN_SRCMAC:
        return f.tci ^ half(f.src.ea) ^ half(f.src.ea + 3);
    case BND_N_POLICIES:
    default:
        OVS_NOT_REACHED();
    }
}
