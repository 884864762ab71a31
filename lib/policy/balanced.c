/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "policy/balanced.h"

#include "core/effects.h"
#include "util.h"

void
bnd_balanced_init(void *b_, const struct bnd_pass *pass)
{
    struct bnd_balanced *b = b_;

    bnd_slots_init(&b->slots,
                   bnd_settings_num(pass->settings, BND_OPT_REBALANCE),
                   pass->now);
}

void
bnd_balanced_destroy(void *b_)
{
    struct bnd_balanced *b = b_;

    bnd_slots_uninit(&b->slots);
}

bool
bnd_balanced_reconfigure(void *b_, const struct bnd_pass *pass)
{
    struct bnd_balanced *b = b_;

    bnd_slots_set_interval(&b->slots,
                           bnd_settings_num(pass->settings,
                                            BND_OPT_REBALANCE), pass->now);
    return true;
}

void
bnd_balanced_event(void *b_, const struct bnd_event *event)
{
    struct bnd_balanced *b = b_;

    if (event->type == BND_EV_TX_BYTES) {
        if (event->bytes) {
            bnd_slots_account(&b->slots, event->bytes);
        }
        b->rebalance = true;
    } else if (event->type == BND_EV_MIGRATE) {
        bnd_slots_migrate(&b->slots, event->slot, event->id);
    }
}

void
bnd_balanced_decide(void *b_, const struct bnd_pass *pass,
                    struct bnd_effects *fx)
{
    struct bnd_balanced *b = b_;

    bnd_slots_assign(&b->slots, pass->members, pass->n_members);
    if (b->rebalance) {
        b->rebalance = false;
        bnd_slots_rebalance(&b->slots, pass->members, pass->n_members,
                            pass->now, fx);
    }
}

const struct bnd_slots *
bnd_balanced_slots(const void *b_)
{
    const struct bnd_balanced *b = b_;

    return &b->slots;
}

void
bnd_balanced_view(const void *b_, const struct bnd_pass *pass,
                  struct bnd_view *view)
{
    const struct bnd_balanced *b = b_;

    view->basis = bnd_settings_num(pass->settings, BND_OPT_HASH_BASIS);
    for (int slot = 0; slot < BND_N_SLOTS; slot++) {
        view->slots[slot] = bnd_view_index(view, b->slots.owner[slot]);
    }
}
