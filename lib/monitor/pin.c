/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "monitor/pin.h"

#include <string.h>
#include "util.h"
#include "wire/eth.h"

static bool
is_known(const struct bnd_probed_target *t, struct eth_addr mac)
{
    for (int i = 0; i < t->n_macs; i++) {
        if (bnd_eth_addr_equal(t->macs[i], mac)) {
            return true;
        }
    }
    return false;
}

/* Remembers 'mac', in the place of the oldest one if they are many. */
static void
learn(struct bnd_probed_target *t, struct eth_addr mac)
{
    if (t->n_macs == BND_MAX_PINS) {
        memmove(&t->macs[0], &t->macs[1],
                (BND_MAX_PINS - 1) * sizeof t->macs[0]);
        t->n_macs--;
    }
    t->macs[t->n_macs++] = mac;
}

/* Does another member than 'm' know target 'i' by 'mac', and was there
 * something of it lately? */
static bool
others_know(const struct bnd_probe *p, const struct bnd_probe_input *in,
            const struct bnd_member *m, size_t i, struct eth_addr mac,
            long long int arrival)
{
    for (size_t j = 0; j < in->n_members; j++) {
        const struct bnd_member *other = in->members[j];
        const struct bnd_probed_target *t
            = &other->probed[p->index].targets[i];

        if (other != m && other->present
            && other->probed[p->index].state == BND_LINK_UP
            && bnd_probe_is_fresh(p, t->heard, 1, arrival)
            && is_known(t, mac)) {
            return true;
        }
    }
    return false;
}

/* Is any member up? */
static bool
any_up(const struct bnd_probe *p, const struct bnd_probe_input *in)
{
    for (size_t i = 0; i < in->n_members; i++) {
        if (in->members[i]->present
            && in->members[i]->probed[p->index].state == BND_LINK_UP) {
            return true;
        }
    }
    return false;
}

bool
bnd_pin_check(const struct bnd_probe *p, const struct bnd_probe_input *in,
              struct bnd_member *m, size_t i, struct eth_addr mac,
              long long int arrival)
{
    bool is_up = m->probed[p->index].state == BND_LINK_UP;
    struct bnd_probed_target *t = &m->probed[p->index].targets[i];

    if (is_known(t, mac)) {
        if (is_up && t->stranger_at > t->heard
            && !bnd_probe_is_fresh(p, t->heard, 1, arrival)
            && !is_known(t, t->stranger)) {
            learn(t, t->stranger);
        }
        return true;
    }
    if (!t->n_macs || !any_up(p, in)
        || others_know(p, in, m, i, mac, arrival)) {
        learn(t, mac);
        return true;
    }
    t->stranger = mac;
    t->stranger_at = arrival;
    return false;
}

void
bnd_pin_forget(const struct bnd_probe *p, const struct bnd_probe_input *in,
               long long int now)
{
    for (size_t i = 0; i < in->n_members; i++) {
        struct bnd_probed *s = &in->members[i]->probed[p->index];

        for (size_t j = 0; j < p->n_targets && s->state == BND_LINK_UP; j++) {
            struct bnd_probed_target *t = &s->targets[j];

            if (!bnd_probe_is_fresh(p, t->heard, p->config.missed_max + 1,
                                    now)) {
                t->n_macs = 0;
            }
        }
    }
}
