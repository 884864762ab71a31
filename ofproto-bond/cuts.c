/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/cuts.h"

#include "core/deadline.h"
#include "core/event.h"
#include "ofproto-bond/handle.h"
#include "ofproto-bond/owner-private.h"

static enum ob_cut
state_of(const struct ob_member *m)
{
    int cut;

    atomic_read_relaxed(&CONST_CAST(struct ob_member *, m)->cut, &cut);
    return cut;
}

static void
set_state(struct ob_member *m, enum ob_cut cut)
{
    atomic_store_relaxed(&m->cut, cut);
}

bool
ob_cut_heard(struct ob_member *m, bool up)
{
    if (!up) {
        m->cut_at = m->cut_at ? m->cut_at : time_msec();
        return false;
    }
    m->cut_at = 0;
    if (state_of(m) == OB_CUT_NONE) {
        return false;
    }
    set_state(m, OB_CUT_OVER);
    return true;
}

/* Is 'm' one that the engine takes for good although it was heard that it has
 * no carrier? */
static bool
is_untold(const struct ob_owner *o, const struct ob_member *m)
    OVS_REQUIRES(o->mutex)
{
    if (!m->cut_at || !m->told.carrier || !m->in_bond) {
        return false;
    }

    const struct ob_view *ov = ob_bond_view(o->bond);
    uint8_t i = ov ? bnd_view_index(ov->view, m->id) : BND_VIEW_NONE;

    return (i != BND_VIEW_NONE && ov->view->members[i].enabled
            && ov->view->members[i].cuttable);
}

long long int
ob_cut_due(const struct ob_owner *o)
{
    long long int due = BND_NEVER;

    for (size_t i = 0; o->bond && i < o->n_members; i++) {
        if (is_untold(o, &o->members[i])) {
            due = MIN(due, o->members[i].cut_at + OB_CUT_MS);
        }
    }
    return due;
}

void
ob_cut_tell(struct ob_owner *o)
{
    for (size_t i = 0; o->bond && i < o->n_members; i++) {
        struct ob_member *m = &o->members[i];

        if (is_untold(o, m)) {
            m->told.carrier = m->told.speed_lost = false;
            struct bnd_event e = {
                .type = BND_EV_LINK,
                .id = m->id,
                .link = { .facts = m->told },
            };

            set_state(m, OB_CUT_HELD);
            bnd_event(o->engine, &e, ob_owner_now(o), &o->fx);
        }
    }
}

void
ob_cut_note_told(struct ob_owner *o, const struct bnd_event *e)
{
    for (size_t i = 0; i < o->n_members; i++) {
        struct ob_member *m = &o->members[i];

        if (m->id == e->id && e->type == BND_EV_LINK) {
            m->told = e->link.facts;
        } else if (m->id == e->id && e->type == BND_EV_MEMBER_ADD) {
            m->told = e->add.facts;
        }
    }
}

bool
ob_cut_carrier(struct ob_member *m, bool up)
{
    if (!up && state_of(m) == OB_CUT_HELD) {
        set_state(m, OB_CUT_NONE);      /* The device knows by now. */
    }
    return up && state_of(m) != OB_CUT_HELD;
}

bool
ob_cut_is_over(const struct ob_member *m)
{
    return state_of(m) == OB_CUT_OVER;
}

bool
ob_cut_settle(struct ob_owner *o, struct ob_member *m)
{
    bool differs = false;

    if (state_of(m) != OB_CUT_NONE) {
        ovs_mutex_lock(&o->mutex);
        differs = m->told.carrier != m->facts.carrier;
        if (!m->cut_at) {
            set_state(m, OB_CUT_NONE);
        }
        ovs_mutex_unlock(&o->mutex);
    }
    return differs;
}
