/* SPDX-License-Identifier: Apache-2.0 */

/* Each member by itself
 * =====================
 *
 * A member that is up must have been probed, and heard of, within missed_max
 * intervals; one that is not, within one.  Every member with carrier is probed
 * at every tick.
 *
 * Source: Linux Documentation/networking/bonding.rst, arp_interval. */

#include <config.h>
#include "monitor/probe.h"

static void
judge(struct bnd_probe *p, const struct bnd_probe_input *in,
      struct bnd_member *m, long long int now, struct bnd_effects *fx)
{
    const struct bnd_probed *s = &m->probed[p->index];
    bool up = s->state == BND_LINK_UP;
    int k = up ? p->config.missed_max : 1;
    bool asked = bnd_probe_is_fresh(p, s->last_tx, k, now);
    bool heard = bnd_probe_has_heard(p, in, m, k, now);

    if (asked && heard) {
        bnd_probe_put(p, m, BND_LINK_UP, BND_PROBE_HEARD, now, fx);
    } else if (!up || !s->joined) {
        bnd_probe_put(p, m, BND_LINK_DOWN,
                      (!heard && asked ? bnd_probe_silence(p, in, m)
                       : !m->carrier ? BND_PROBE_NO_CARRIER
                       : BND_PROBE_UNSENT), now, fx);
    }
}

void
bnd_each_judge(struct bnd_probe *p, const struct bnd_probe_input *in,
               long long int now, struct bnd_effects *fx)
{
    for (size_t i = 0; i < in->n_members; i++) {
        if (in->members[i]->present) {
            judge(p, in, in->members[i], now, fx);
        }
    }
}

bool
bnd_each_send(struct bnd_probe *p, const struct bnd_probe_input *in,
              long long int now, struct bnd_effects *fx)
{
    for (size_t i = 0; i < in->n_members; i++) {
        if (in->members[i]->present && in->members[i]->carrier) {
            bnd_probe_ask(p, in, in->members[i], now, fx);
        }
    }
    return false;
}
