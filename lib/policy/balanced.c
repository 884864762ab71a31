/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "policy/balanced.h"

#include <string.h>
#include "core/effects.h"
#include "util.h"

/* Milliseconds between rebalances.  Where users know the formula by which a
 * packet finds its member, nothing moves unless they ask for it. */
static long long int
interval(const struct bnd_settings *s, bool is_static)
{
    return (is_static && !bnd_settings_is_given(s, BND_OPT_REBALANCE)
            ? 0 : bnd_settings_num(s, BND_OPT_REBALANCE));
}

static void
init(struct bnd_balanced *b, bool is_static, const struct bnd_pass *pass)
{
    bnd_slots_init(&b->slots, is_static, interval(pass->settings, is_static),
                   pass->now);
    bnd_slots_set_weighted(&b->slots, bnd_settings_num(pass->settings,
                                                       BND_OPT_WEIGHTED));
}

void
bnd_balanced_init(void *b, const struct bnd_pass *pass)
{
    init(b, false, pass);
}

void
bnd_balanced_init_static(void *b, const struct bnd_pass *pass)
{
    init(b, true, pass);
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
                           interval(pass->settings, b->slots.is_static),
                           pass->now);
    bnd_slots_set_weighted(&b->slots, bnd_settings_num(pass->settings,
                                                       BND_OPT_WEIGHTED));
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
        bnd_slots_level(&b->slots, pass->members, pass->n_members);
        bnd_slots_rebalance(&b->slots, pass->members, pass->n_members,
                            pass->now, fx);
    }
    bnd_slots_plan(&b->slots, pass->members, pass->n_members);
}

const struct bnd_slots *
bnd_balanced_slots(const void *b_)
{
    const struct bnd_balanced *b = b_;

    return &b->slots;
}

/* Indexes that were looked up before, as there are many buckets and few
 * members.  An id of BND_NO_MEMBER marks a free place. */
#define N_MEMO 16
struct index_memo {
    bnd_id id[N_MEMO];
    uint8_t index[N_MEMO];
};

/* The same as bnd_view_index(). */
static uint8_t
index_of(const struct bnd_view *view, bnd_id id, struct index_memo *memo)
{
    size_t i = id % N_MEMO;

    if (id == BND_NO_MEMBER) {
        return BND_VIEW_NONE;
    }
    if (memo->id[i] != id) {
        memo->id[i] = id;
        memo->index[i] = bnd_view_index(view, id);
    }
    return memo->index[i];
}

void
bnd_balanced_view(const void *b_, const struct bnd_pass *pass,
                  struct bnd_view *view)
{
    const struct bnd_balanced *b = b_;

    view->basis = bnd_settings_num(pass->settings, BND_OPT_HASH_BASIS);
    view->n_slots = b->slots.n_slots;

    struct index_memo memo;
    memset(&memo, 0, sizeof memo);
    for (size_t slot = 0; slot < b->slots.n_slots; slot++) {
        view->slots[slot] = index_of(view, b->slots.owner[slot], &memo);
        view->backup[slot] = index_of(view, b->slots.backup[slot], &memo);
    }
}
