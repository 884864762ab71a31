/* SPDX-License-Identifier: Apache-2.0 */

/* Probes by ARP: a request for the target, which a reply answers. */

#include <config.h>
#include "monitor/trust.h"

#include "wire/arp.h"

bool
bnd_arp_claim(const struct bnd_eth *eth, struct bnd_cursor c,
              struct bnd_claim *claim)
{
    struct bnd_arp arp;

    if (bnd_arp_decode(c, &arp) != BND_DROP_NONE) {
        return false;
    }
    *claim = (struct bnd_claim) {
        .is_answer = arp.op == BND_ARP_REPLY,
        .tags = bnd_eth_tags(eth),
        .from = { .ip4 = arp.spa },
        .from_mac = arp.sha,
        .to = { .ip4 = arp.tpa },
        .to_mac = arp.tha,
        .dst = eth->dst,
    };
    return true;
}

void
bnd_arp_ask(struct bnd_writer *w, struct eth_addr mac,
            const struct bnd_target *t)
{
    bnd_arp_request(w, mac, &t->route.tags, t->route.src.ip4, t->ip.ip4);
}
