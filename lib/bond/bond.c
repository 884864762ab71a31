/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "bond/bond.h"

#include <stdlib.h>
#include <string.h>
#include "bond/bond-private.h"
#include "core/deadline.h"
#include "monitor/link.h"
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
        bnd_saved_destroy(b->saved);
        free(b->hosts);
        free(b->view);
        free(b->refusal);
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
        .lacp_fallback = b->lacp_fallback,
        .lacp_carrier = b->lacp_carrier,
        .host_mac = b->host_mac,
        .hosts = b->hosts,
        .n_hosts = b->n_hosts,
        .now = now,
    };
}

/* The pass. */

const struct bnd_mode_class *
bnd_effective(const struct bnd_bond *b)
{
    return bnd_policy_effective(&b->settings, b->lacp_status,
                                b->lacp_fallback);
}

/* May 'm' be used as far as its link goes?  Some modes go by carrier, others
 * use a member until its downdelay is over. */
static bool
is_link_fit(const struct bnd_bond *b, const struct bnd_member *m)
{
    if (bnd_has_probe(b)) {
        return (m->good && m->link.state == BND_LINK_UP
                && (m->carrier || !bnd_needs_carrier(b)));
    }
    return (bnd_needs_carrier(b)
            ? m->good && m->link.state == BND_LINK_UP
            : bnd_link_is_enabled(&m->link));
}

bool
bnd_update_enabled(struct bnd_bond *b, struct bnd_member *m, long long int now,
               struct bnd_effects *fx)
{
    bool enabled = (b->bonded && m->present && m->fits
                    && m->options.admin == BND_ADMIN_UP
                    && is_link_fit(b, m)
                    && (!b->lacp || (m->lacp_ok && m->may_enable)));
    bool fell = m->enabled && !enabled;

    if (enabled != m->enabled) {
        m->enabled = enabled;
        m->risen |= enabled;
        bnd_fx_trace(fx, BND_TRACE_ENABLED, now, m->id, m->name)->on = enabled;
    }
    return fell;
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
        fell |= bnd_update_enabled(b, m, now, fx);
    }
    if (!b->bonded) {
        b->was_bonded = false;
        return;
    }
    bnd_stage_active(b, now, fx);

    const struct bnd_mode_class *effective = bnd_effective(b);
    if (fell && b->active && effective->traits & BND_MT_BALANCED) {
        b->announce = true;     /* Its addresses moved to other members. */
    }

    if (b->class->decide) {
        const struct bnd_member **present = xcalloc(b->n_members + 1,
                                                    sizeof *present);
        struct bnd_pass pass;

        bnd_saved_slots(b, now);
        bnd_make_pass(b, now, present, &pass);
        b->class->decide(b->priv, &pass, fx);
        free(present);
    }
}

/* Can it be told where addresses are?  As long as it is not known which is the
 * host's, what the host sends might leave as if it were a guest's. */
static bool
can_announce(const struct bnd_bond *b)
{
    return (b->active
            && !(bnd_effective(b)->traits & BND_MT_HOST_LB
                 && bnd_eth_addr_is_zero(b->host_mac)));
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
        uint32_t traits = bnd_effective(b)->traits;
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
        if (b->retell && can_announce(b)) {
            /* Whatever the options say: else clients would be lost. */
            bnd_fx_simple(fx, BND_FX_WANT_ADDRS);
            b->notify.n_peers = MAX(b->notify.n_peers, 1);
            b->notify.next_peers = now;
            b->retell = false;
        }
        bnd_notify_step(&b->notify, &b->settings, can_announce(b), now, fx);
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

/* Does the mode's own view rule? */
static bool
has_say(const struct bnd_bond *b)
{
    return (b->bonded
            && bnd_effective(b) == b->class);
}

/* What the mode has to send is nothing new, as probes are. */
static void
stage_send(struct bnd_bond *b, long long int now, struct bnd_effects *fx)
{
    if (has_say(b) && b->class->send) {
        const struct bnd_member **present = xcalloc(b->n_members + 1,
                                                    sizeof *present);
        struct bnd_pass pass;

        bnd_make_pass(b, now, present, &pass);
        b->class->send(b->priv, &pass, fx);
        free(present);
    }
}

void
bnd_run(struct bnd_bond *b, long long int now, struct bnd_effects *fx)
{
    size_t n_before = fx->n;

    bnd_advance(b, now);
    b->n_joined = b->n_members;
    bnd_stage_link(b, now, fx);
    bnd_stage_admin(b, now, fx);
    bnd_stage_lacp(b, now, fx);
    stage_mode(b, now, fx);
    bnd_stage_address(b, fx);
    stage_announce(b, now, fx);
    stage_publish(b, fx, n_before);
    stage_send(b, now, fx);
    bnd_stage_probe(b, now, fx);
    bnd_history_links(b, now);
}

long long int
bnd_wake_time(const struct bnd_bond *b)
{
    long long int wake = b->settled ? BND_NEVER : b->last_now;

    wake = bnd_deadline_min(wake, bnd_links_wake_time(b));
    wake = bnd_deadline_min(wake, bnd_probes_wake_time(b));
    wake = bnd_deadline_min(wake, bnd_admin_wake_time(b));
    if (has_say(b) && b->class->wake_time) {
        wake = bnd_deadline_min(wake, b->class->wake_time(b->priv));
    }
    wake = bnd_deadline_min(wake, bnd_saved_wake_time(b));
    if (can_announce(b)) {
        wake = bnd_deadline_min(wake, bnd_notify_wake_time(&b->notify));
    }
    if (b->lacp) {
        wake = bnd_deadline_min(wake, bnd_lacp_wake_time(b->lacp));
    }
    return wake;
}

/* Does a member work on without carrier for some time? */
static bool
outlives_carrier(const struct bnd_bond *b)
{
    return (!bnd_needs_carrier(b)
            && (bnd_has_mii(b)
                ? bnd_settings_ticks(&b->settings, BND_OPT_DOWNDELAY)
                : !b->lacp && bnd_settings_num(&b->settings,
                                               BND_OPT_DOWNDELAY)));
}

/* Is 'm' of no use from the moment its carrier goes?  Not if a delay lets it
 * work on, if it works without carrier already, by command, or if it is not
 * carrier that counts. */
static bool
is_cuttable(const struct bnd_bond *b, const struct bnd_member *m)
{
    if (bnd_has_probe(b)) {
        return m->enabled && m->carrier && bnd_needs_carrier(b);
    }
    return (m->enabled && m->carrier && !outlives_carrier(b)
            && b->combine != BND_COMBINE_ANY
            && !bnd_settings_num(&b->settings, BND_OPT_DETECT)
            && (!bnd_has_mii(b)
                || bnd_settings_num(&b->settings, BND_OPT_USE_CARRIER)));
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
        uint8_t next = bnd_view_index(view,
                                      bnd_choose_active(b, BND_NO_MEMBER,
                                                        b->active));

        if (next != BND_VIEW_NONE && view->members[next].enabled) {
            view->next_active = next;
        }
    }
    view->watch = bnd_probes_watch(b);
    if (bnd_settings_is_given(&b->settings, BND_OPT_LB_OUTPUT)) {
        view->lb = (bnd_settings_num(&b->settings, BND_OPT_LB_OUTPUT)
                    ? BND_LB_YES : BND_LB_NO);
    }

    const struct bnd_mode_class *effective = bnd_effective(b);
    effective->view(effective == b->class ? b->priv : NULL, &pass, view);
    bnd_policy_finish_view(&pass, view);
    free(present);
    return view;
}
