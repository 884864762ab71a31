/* SPDX-License-Identifier: Apache-2.0 */

/* What must hold after every pass, whatever happened before.  The property
 * test asks after each step; the list is that of the design. */

#include <config.h>
#include "bond/bond.h"

#include <stdlib.h>
#include "bond/bond-private.h"
#include "monitor/link.h"
#include "util.h"

/* Each member: what is enabled must have good reasons. */
static char *
check_members(const struct bnd_bond *b)
{
    for (size_t i = 0; i < b->n_members; i++) {
        const struct bnd_member *m = b->members[i];

        for (size_t j = 0; j < i; j++) {
            if (b->members[j]->id == m->id) {
                return xasprintf("two members have id %u", m->id);
            }
        }
        if (m->enabled && !b->bonded) {
            return xasprintf("%s is enabled outside a bond", m->name);
        }
        if (m->enabled && !m->present) {
            return xasprintf("%s is enabled but absent", m->name);
        }
        if (m->enabled && m->options.admin != BND_ADMIN_UP) {
            return xasprintf("%s is enabled against bond-admin", m->name);
        }
        if (m->lingers && (m->out || m->enabled)) {
            return xasprintf("%s lingers, but does not drain", m->name);
        }
        if (m->enabled && !bnd_link_is_enabled(&m->link)) {
            return xasprintf("%s is enabled over a link that is %s", m->name,
                             bnd_link_state_name(m->link.state));
        }
        if (m->enabled && b->lacp && !m->lacp_ok) {
            return xasprintf("%s is enabled against LACP", m->name);
        }
    }
    return NULL;
}

/* Linux does not choose a member whose link is failing. */
static bool
is_choosable(const struct bnd_bond *b, const struct bnd_member *m)
{
    return (m->enabled
            && (!bnd_chooses_as_linux(b) || m->link.state == BND_LINK_UP));
}

/* The active member works, and there is one if any member works. */
static char *
check_active(const struct bnd_bond *b)
{
    const struct bnd_member *active = bnd_find_member(b, b->active);
    bool any = false;

    for (size_t i = 0; i < b->n_members; i++) {
        any |= is_choosable(b, b->members[i]);
    }
    if (b->active && !active) {
        return xasprintf("active member %u does not exist", b->active);
    }
    if (active && !active->enabled) {
        return xasprintf("active member %s is not enabled", active->name);
    }
    if (any && !active) {
        return xstrdup("some member works but none is active");
    }
    return NULL;
}

/* Each bucket has a backup that works and is another than its member. */
static bool
check_backups(const struct bnd_view *v)
{
    for (size_t i = 0; i < v->n_slots; i++) {
        uint8_t to = v->backup[i];

        if (to >= v->n_members || to == v->slots[i]
            || !v->members[to].enabled) {
            return false;
        }
    }
    return true;
}

/* The same of the buckets of the host's frames, and addresses. */
static char *
check_host_view(const struct bnd_view *v, bool any, size_t n_enabled)
{
    for (size_t i = 0; i < v->n_host_slots; i++) {
        uint8_t to = v->host_slots[i], then = v->host_backup[i];

        if (to == BND_VIEW_NONE ? any : !v->members[to].enabled) {
            return xasprintf("bucket %"PRIuSIZE" of the host goes astray", i);
        }
        if (n_enabled > 1
            && (then == BND_VIEW_NONE || then == to
                || !v->members[then].enabled)) {
            return xasprintf("bucket %"PRIuSIZE" of the host has no fit "
                             "backup", i);
        }
    }
    return NULL;
}

/* The view sends to enabled members alone, and drops nothing without need. */
static char *
check_view(const struct bnd_bond *b)
{
    const struct bnd_view *v = b->view;
    bool any = false, choosable = false;
    size_t n_enabled = 0;

    for (size_t i = 0; i < v->n_members; i++) {
        const struct bnd_member *m = bnd_find_member(b, v->members[i].id);

        if (!m || !m->present || m->enabled != v->members[i].enabled) {
            return xasprintf("view and member %u differ", v->members[i].id);
        }
        if (v->members[i].queue_id && (!m->enabled || !m->carrier
                                       || !v->pinned || v->blocked)) {
            return xasprintf("a queue goes astray by %s", m->name);
        }
        if (m->out && (v->members[i].admit_unicast != BND_DROP
                       || v->members[i].admit_broadcast != BND_DROP)) {
            return xasprintf("%s takes packets, but is out of use", m->name);
        }
        any |= m->enabled;
        choosable |= is_choosable(b, m);
        n_enabled += m->enabled;
    }
    if (v->active != BND_VIEW_NONE && !v->members[v->active].enabled) {
        return xstrdup("the view's active member is not enabled");
    }
    if (choosable && v->active == BND_VIEW_NONE) {
        return xstrdup("the view lacks an active member");
    }
    for (size_t i = 0; i < v->n_slots; i++) {
        uint8_t to = v->slots[i];

        if (to == BND_VIEW_NONE ? any : !v->members[to].enabled) {
            return xasprintf("bucket %"PRIuSIZE" goes astray", i);
        }
    }
    if (n_enabled > 1 && !check_backups(v)) {
        return xstrdup("a bucket has no fit backup");
    }

    char *msg = check_host_view(v, any, n_enabled);
    if (msg) {
        return msg;
    }
    if (v->next_active != BND_VIEW_NONE
        && (v->next_active == v->active
            || !v->members[v->next_active].enabled)) {
        return xstrdup("who follows the active member cannot");
    }
    if (v->blocked && b->lacp_status == BND_LACP_NEGOTIATED
        && (b->lacp_carrier || !(b->class->traits & BND_MT_AGGREGATORS))) {
        return xstrdup("nothing is sent although LACP has negotiated");
    }
    return NULL;
}

/* Monitors that send probes: links are as they say, once a pass has seen to
 * it; who is being tried is there; and the next tick is to come. */
static char *
check_probes(const struct bnd_bond *b)
{
    for (int i = 0; i < BND_N_PROBES; i++) {
        const struct bnd_probe *p = &b->probes[i];
        const struct bnd_member *tried = bnd_find_member(b, p->candidate);

        if (p->candidate && (!tried || !tried->present)) {
            return xasprintf("member %u is tried but absent", p->candidate);
        }
        if (p->send) {
            return xstrdup("probes of a tick that has been are still due");
        }
    }
    for (size_t i = 0; i < b->n_members && bnd_has_probe(b); i++) {
        const struct bnd_member *m = b->members[i];

        if (m->enabled && m->probed[0].state != BND_LINK_UP) {
            return xasprintf("%s is enabled though its probes are not "
                             "answered", m->name);
        }
        if (m->present && b->settled
            && m->link.state != m->probed[0].state) {
            return xasprintf("link and probes of %s differ", m->name);
        }
    }
    return NULL;
}

/* What the mode has to say of its own state. */
static char *
check_mode(const struct bnd_bond *b)
{
    const struct bnd_member **present = xcalloc(b->n_members + 1,
                                                sizeof *present);
    struct bnd_pass pass;
    char *msg;

    bnd_make_pass(b, b->last_now, present, &pass);
    msg = b->class->check(b->priv, &pass);
    free(present);
    return msg;
}

char *
bnd_check_invariants(const struct bnd_bond *b, long long int now)
{
    char *msg = check_members(b);

    if (b->last_now > now) {
        free(msg);
        return xstrdup("time went backwards");
    }
    if (!msg && b->bonded) {
        msg = check_active(b);
    }
    if (!msg) {
        msg = bnd_check_addresses(b);
    }
    if (!msg) {
        msg = check_probes(b);
    }
    if (!msg && b->view) {
        msg = check_view(b);
    }
    if (!msg && b->bonded && b->class->check) {
        msg = check_mode(b);
    }
    if (!msg && b->bonded && !b->view) {
        msg = xstrdup("a bond without a view");
    }
    return msg;
}
