/* SPDX-License-Identifier: Apache-2.0 */

/* The inline functions of xmit/hash.h behind one name, for tests. */

#ifndef HASH_QUICK_H
#define HASH_QUICK_H 1

#include "util.h"
#include "xmit/hash.h"

static inline uint32_t
hash_quick(enum bnd_policy policy, const uint8_t *frame, size_t len)
{
    switch (policy) {
    case BND_POLICY_LAYER2:
        return bnd_hash_layer2(frame, len);
    case BND_POLICY_LAYER34:
        return bnd_hash_layer34(frame, len);
    case BND_POLICY_LAYER23:
        return bnd_hash_layer23(frame, len);
    case BND_POLICY_ENCAP23:
        return bnd_hash_encap23(frame, len);
    case BND_POLICY_ENCAP34:
        return bnd_hash_encap34(frame, len);
    case BND_POLICY_VLAN_SRCMAC:
        return bnd_hash_vlan_srcmac(frame, len);
    case BND_N_POLICIES:
    default:
        OVS_NOT_REACHED();
    }
}

#endif /* hash-quick.h */
