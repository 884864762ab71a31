/* SPDX-License-Identifier: Apache-2.0 */

/* Probes by neighbour solicitations, which an advertisement answers.  Who it
 * comes from and goes to, the addresses of the packet say; Ethernet addresses
 * are those of the frame, as the options that repeat them may be missing. */

#include <config.h>
#include "monitor/trust.h"

#include "wire/nd.h"

bool
bnd_nd_claim(const struct bnd_eth *eth, struct bnd_cursor c,
             struct bnd_claim *claim)
{
    struct bnd_nd nd;

    if (bnd_nd_decode(c, &nd) != BND_DROP_NONE) {
        return false;
    }
    *claim = (struct bnd_claim) {
        .is_answer = true,
        .tags = bnd_eth_tags(eth),
        .from = { .is_ip6 = true, .ip6 = nd.src },
        .from_mac = eth->src,
        .to = { .is_ip6 = true, .ip6 = nd.dst },
        .to_mac = eth->dst,
        .dst = eth->dst,
    };
    return true;
}

void
bnd_nd_ask(struct bnd_writer *w, struct eth_addr mac,
           const struct bnd_target *t)
{
    bnd_nd_solicit(w, mac, &t->route.tags, &t->route.src.ip6, &t->ip.ip6);
}
