/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "bond/bond.h"

#include <stdlib.h>
#include <string.h>
#include "bond/bond-private.h"
#include "core/deadline.h"
#include "monitor/link.h"
#include "select/select.h"
#include "util.h"

struct bnd_bond *
bnd_create(uint64_t seed, long long int now)
{
    struct bnd_bond *b = xzalloc(sizeof *b);

    b->seed = seed;
    b->last_now = now;
    b->settled = true;
    bnd_settings_init(&b->settings);
    return b;
}

void
bnd_member_destroy(struct bnd_member *m)
{
    free(m->name);
    free(m);
}

void
bnd_drop_class(struct bnd_bond *b)
{
    if (b->class && b->class->destroy) {
        b->class->destroy(b->priv);
    }
    free(b->priv);
    b->priv = NULL;
    b->class = NULL;
}

void
bnd_destroy(struct bnd_bond *b)
{
    if (b) {
        bnd_drop_class(b);
        for (size_t i = 0; i < b->n_members; i++) {
            bnd_member_destroy(b->members[i]);
        }
        free(b->members);
        bnd_lacp_destroy(b->lacp);
        bnd_history_uninit(b);
        bnd_settings_uninit(&b->settings);
        free(b->view);
        free(b);
    }
}

void
bnd_advance(struct bnd_bond *b, long long int now)
{
    ovs_assert(now >= b->last_now);
    b->last_now = now;
}

struct bnd_member *
bnd_find_member(const struct bnd_bond *b, bnd_id id)
{
    for (size_t i = 0; i < b->n_members; i++) {
        if (b->members[i]->id == id) {
            return b->members[i];
        }
    }
    return NULL;
}

void
bnd_make_pass(const struct bnd_bond *b, long long int now,
              const struct bnd_member **present, struct bnd_pass *pass)
{
    size_t n = 0;

    for (size_t i = 0; i < b->n_members && n < BND_VIEW_MAX; i++) {
        if (b->members[i]->present) {
            present[n++] = b->members[i];
        }
    }
    *pass = (struct bnd_pass) {
        .settings = &b->settings,
        .members = present,
        .n_members = n,
        .active = b->active,
        .lacp_status = b->lacp_status,
        .now = now,
    };
}

/* The pass. */

/* Stage 2 and 3.  With LACP on the delays do not count: the protocol itself
 * tells when the link is usable at both ends, and it, not the link, waits for
 * OVS's word. */
static void
stage_link(struct bnd_bond *b, long long int now, struct bnd_effects *fx)
{
    bool delays = b->bonded && !b->lacp;
    long long int up = delays ? bnd_settings_num(&b->settings,
                                                 BND_OPT_UPDELAY) : 0;
    long long int down = delays ? bnd_settings_num(&b->settings,
                                                   BND_OPT_DOWNDELAY) : 0;

    for (size_t i = 0; i < b->n_members; i++) {
        struct bnd_member *m = b->members[i];

        if (m->present) {
            m->good = m->carrier && (m->may_enable || b->lacp);
            if (b->lacp && m->link.deadline != BND_NEVER) {
                m->link.deadline = now;
            }
            bnd_link_step(m, up, down, now, fx);
        }
    }
}

/* Stage 4.  As in Open vSwitch a port speaks LACP as long as it is there, with
 * or without carrier; a change of carrier makes it doubt its partner. */
static void
stage_lacp(struct bnd_bond *b, long long int now, struct bnd_effects *fx)
{
    enum bnd_lacp_status old = b->lacp_status;

    if (b->lacp) {
        for (size_t i = 0; i < b->n_members; i++) {
            struct bnd_member *m = b->members[i];

            bnd_lacp_port_set_enabled(b->lacp, m->id, m->present, now);
        }
        bnd_lacp_run(b->lacp, now, fx);
    }

    b->lacp_status = b->lacp ? bnd_lacp_get_status(b->lacp) : BND_LACP_OFF;
    for (size_t i = 0; i < b->n_members; i++) {
        struct bnd_member *m = b->members[i];
        bool ok = !b->lacp || bnd_lacp_port_may_enable(b->lacp, m->id);
        bool current = b->lacp && bnd_lacp_port_is_current(b->lacp, m->id);

        if (ok != m->lacp_ok || current != m->lacp_current) {
            m->lacp_ok = ok;
            m->lacp_current = current;
            if (b->lacp) {
                bnd_fx_enable(fx, m->id, ok);
            }
        }
    }
    if (old != b->lacp_status) {
        struct bnd_trace *t = bnd_fx_trace(fx, BND_TRACE_LACP_STATUS, now,
                                           BND_NO_MEMBER, NULL);
        t->from = bnd_lacp_status_name(old);
        t->to = bnd_lacp_status_name(b->lacp_status);
    }
}

/* Brings 'm->enabled' up to date.  Returns true if it fell. */
static bool
update_enabled(struct bnd_bond *b, struct bnd_member *m, long long int now,
               struct bnd_effects *fx)
{
    bool enabled = (b->bonded && m->present && m->fits
                    && bnd_link_is_enabled(&m->link)
                    && (!b->lacp || (m->lacp_ok && m->may_enable)));
    bool fell = m->enabled && !enabled;

    if (enabled != m->enabled) {
        m->enabled = enabled;
        bnd_fx_trace(fx, BND_TRACE_ENABLED, now, m->id, m->name)->on = enabled;
    }
    return fell;
}

/* Returns the member that should be active while 'present' is, 'without'
 * being out of the question. */
static bnd_id
choose_active(const struct bnd_bond *b, bnd_id present, bnd_id without)
{
    const struct bnd_member **members = xcalloc(b->n_members + 1,
                                                sizeof *members);
    struct bnd_pass pass;

    bnd_make_pass(b, b->last_now, members, &pass);

    struct bnd_select_input in = {
        .members = pass.members,
        .n_members = pass.n_members,
        .active = present,
        .without = without,
        .primary = bnd_settings_str(&b->settings, BND_OPT_PRIMARY),
        .sticky = b->sticky,
    };
    bnd_id id = bnd_select_active(&in);
    free(members);
    return id;
}

void
bnd_set_active(struct bnd_bond *b, bnd_id id, long long int now,
               enum bnd_cause cause, struct bnd_effects *fx)
{
    struct bnd_member *m = bnd_find_member(b, id);
    bool again = id == b->active;

    if (again && (!m || m->enabled)) {
        return;
    }
    if (!again) {
        bnd_history_active(b, m, cause, m && b->had_active, now);
    }
    if (m) {
        long long int left = 0;

        if (!m->enabled) {
            left = m->link.deadline - now;
            bnd_link_init(&m->link, true);
        }
        bnd_fx_trace(fx, BND_TRACE_ACTIVE, now, id, m->name)->ms = left;
        update_enabled(b, m, now, fx);
        b->n_failovers += b->had_active && !again;
        b->had_active = true;
        b->sticky = m->perm_mac;
        b->announce = b->new_active = true;
    } else {
        bnd_fx_trace(fx, BND_TRACE_NO_ACTIVE, now, BND_NO_MEMBER, NULL);
    }
    b->active = id;
    bnd_fx_simple(fx, BND_FX_ACTIVE);
}

/* Stage 5. */
static void
stage_mode(struct bnd_bond *b, long long int now, struct bnd_effects *fx)
{
    bool fell = b->lost;
    size_t n_present = 0;

    b->lost = false;
    for (size_t i = 0; i < b->n_members; i++) {
        struct bnd_member *m = b->members[i];

        n_present += m->present;
        m->fits = n_present <= BND_VIEW_MAX;
        fell |= update_enabled(b, m, now, fx);
    }
    if (!b->bonded) {
        return;
    }
    bnd_set_active(b, choose_active(b, b->active, BND_NO_MEMBER), now,
                   BND_CAUSE_NONE, fx);

    const struct bnd_mode_class *effective
        = bnd_policy_effective(&b->settings, b->lacp_status);
    if (fell && b->active && effective->traits & BND_MT_BALANCED) {
        b->announce = true;     /* Its addresses moved to other members. */
    }

    if (b->class->decide) {
        const struct bnd_member **present = xcalloc(b->n_members + 1,
                                                    sizeof *present);
        struct bnd_pass pass;

        bnd_make_pass(b, now, present, &pass);
        b->class->decide(b->priv, &pass, fx);
        free(present);
    }
}

/* Stage 6.  Peers that do not know of the bond learned our addresses from
 * what we sent; they must hear that the path has changed.  A partner of LACP
 * does know. */
static void
stage_announce(struct bnd_bond *b, long long int now, struct bnd_effects *fx)
{
    if (!b->bonded) {
        bnd_notify_cancel(&b->notify);
    } else {
        uint32_t traits = bnd_policy_effective(&b->settings,
                                               b->lacp_status)->traits;
        bool heard = b->lacp_status != BND_LACP_NEGOTIATED;

        if (b->announce && b->active) {
            if (traits & BND_MT_ANNOUNCE && heard) {
                bnd_fx_simple(fx, BND_FX_WANT_ADDRS);
            }
            bnd_notify_arm(&b->notify, &b->settings,
                           traits & BND_MT_ANNOUNCE && heard,
                           traits & BND_MT_REPORT && heard && b->new_active,
                           now);
        }
        bnd_notify_step(&b->notify, &b->settings, b->active, now, fx);
    }
    b->announce = b->new_active = false;
}

/* Stage 7. */
static void
stage_publish(struct bnd_bond *b, struct bnd_effects *fx, size_t n_before)
{
    struct bnd_view *view = bnd_make_view(b);
    bool changed = (view && b->view ? !bnd_view_equal(view, b->view)
                    : view != b->view);

    if (changed) {
        free(b->view);
        b->view = view;
        bnd_fx_simple(fx, BND_FX_VIEW);
        bnd_fx_simple(fx, BND_FX_REVALIDATE);
    } else {
        free(view);
    }
    b->settled = fx->n == n_before;
    if (!b->settled) {
        bnd_fx_simple(fx, BND_FX_STATUS);
    }
}

void
bnd_run(struct bnd_bond *b, long long int now, struct bnd_effects *fx)
{
    size_t n_before = fx->n;

    bnd_advance(b, now);
    b->n_joined = b->n_members;
    stage_link(b, now, fx);
    stage_lacp(b, now, fx);
    stage_mode(b, now, fx);
    bnd_stage_address(b, fx);
    stage_announce(b, now, fx);
    stage_publish(b, fx, n_before);
    bnd_history_links(b, now);
}

long long int
bnd_wake_time(const struct bnd_bond *b)
{
    long long int wake = b->settled ? BND_NEVER : b->last_now;

    for (size_t i = 0; i < b->n_members; i++) {
        const struct bnd_member *m = b->members[i];

        if (m->present) {
            wake = bnd_deadline_min(wake, bnd_link_wake_time(&m->link));
        }
    }
    if (b->active) {
        wake = bnd_deadline_min(wake, bnd_notify_wake_time(&b->notify));
    }
    if (b->lacp) {
        wake = bnd_deadline_min(wake, bnd_lacp_wake_time(b->lacp));
    }
    return wake;
}

/* Is 'm' of no use from the moment its carrier goes?  Not if a delay lets it
 * work on, if it works without carrier already, by command, or if it is not
 * carrier that counts. */
static bool
is_cuttable(const struct bnd_bond *b, const struct bnd_member *m)
{
    return (m->enabled && m->carrier
            && !bnd_settings_num(&b->settings, BND_OPT_DETECT)
            && (b->lacp || !bnd_settings_num(&b->settings,
                                             BND_OPT_DOWNDELAY)));
}

struct bnd_view *
bnd_make_view(const struct bnd_bond *b)
{
    if (!b->bonded) {
        return NULL;
    }

    const struct bnd_member **present = xcalloc(b->n_members + 1,
                                                sizeof *present);
    struct bnd_pass pass;
    bnd_make_pass(b, b->last_now, present, &pass);

    struct bnd_view *view = bnd_view_new(pass.n_members);
    for (size_t i = 0; i < pass.n_members; i++) {
        view->members[i].id = present[i]->id;
        view->members[i].enabled = present[i]->enabled;
        view->members[i].cuttable = is_cuttable(b, present[i]);
        if (present[i]->id == b->active && present[i]->enabled) {
            view->active = i;
        }
    }
    if (view->active != BND_VIEW_NONE) {
        uint8_t next = bnd_view_index(view, choose_active(b, BND_NO_MEMBER,
                                                          b->active));

        if (next != BND_VIEW_NONE && view->members[next].enabled) {
            view->next_active = next;
        }
    }
    if (bnd_settings_is_given(&b->settings, BND_OPT_LB_OUTPUT)) {
        view->lb = (bnd_settings_num(&b->settings, BND_OPT_LB_OUTPUT)
                    ? BND_LB_YES : BND_LB_NO);
    }

    const struct bnd_mode_class *effective
        = bnd_policy_effective(&b->settings, b->lacp_status);
    effective->view(effective == b->class ? b->priv : NULL, &pass, view);
    bnd_policy_finish_view(&pass, view);
    free(present);
    return view;
}
