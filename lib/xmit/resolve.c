/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "xmit/resolve.h"

#include <string.h>
#include "util.h"

/* May the member with index 'i', which may be none, send? */
static bool
may_send(const struct bnd_view *view, const uint8_t *cut, uint8_t i)
{
    return (i < view->n_members && view->members[i].enabled
            && !(cut && cut[i] && view->members[i].cuttable));
}

uint8_t
bnd_view_turn(const struct bnd_view *view, const uint8_t *cut, size_t i)
{
    for (size_t n = 0; n < view->n_members; n++) {
        uint8_t m = (i + n) % view->n_members;

        if (may_send(view, cut, m)) {
            return m;
        }
    }
    return BND_VIEW_NONE;
}

/* Returns 'first' if it may send, else 'second', else anyone who may. */
static uint8_t
pick(const struct bnd_view *view, const uint8_t *cut, uint8_t first,
     uint8_t second)
{
    return (may_send(view, cut, first) ? first
            : may_send(view, cut, second) ? second
            : bnd_view_turn(view, cut, first < view->n_members ? first : 0));
}

void
bnd_view_resolve(const struct bnd_view *view, const uint8_t *cut,
                 struct bnd_resolved *out)
{
    memset(out, BND_VIEW_NONE, sizeof *out);
    out->n_senders = out->n_pins = 0;
    if (view->blocked) {
        return;
    }

    out->active = pick(view, cut, view->active, view->next_active);
    for (size_t i = 0; i < BND_N_SLOTS && view->n_slots; i++) {
        size_t slot = i % view->n_slots;

        out->slots[i] = pick(view, cut, view->slots[slot],
                             view->backup[slot]);
    }
    for (size_t i = 0; i < BND_N_SLOTS && view->n_host_slots; i++) {
        size_t slot = i % view->n_host_slots;

        out->host_slots[i] = pick(view, cut, view->host_slots[slot],
                                  view->host_backup[slot]);
    }
    for (size_t i = 0; i < view->n_members; i++) {
        out->turns[i] = bnd_view_turn(view, cut, i);
        if (may_send(view, cut, i)) {
            out->senders[out->n_senders++] = i;
        }
        if (view->members[i].queue_id && may_send(view, cut, i)
            && !(cut && cut[i])) {
            out->pins[out->n_pins++] = i;
        }
    }
}
