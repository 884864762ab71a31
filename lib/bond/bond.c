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

static void
member_destroy(struct bnd_member *m)
{
    free(m->name);
    free(m);
}

static void
drop_class(struct bnd_bond *b)
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
        drop_class(b);
        for (size_t i = 0; i < b->n_members; i++) {
            member_destroy(b->members[i]);
        }
        free(b->members);
        bnd_lacp_destroy(b->lacp);
        bnd_settings_uninit(&b->settings);
        free(b->view);
        free(b);
    }
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

static void
advance(struct bnd_bond *b, long long int now)
{
    ovs_assert(now >= b->last_now);
    b->last_now = now;
}

/* Configuration. */

void
bnd_reconfigure(struct bnd_bond *b, const struct bnd_settings *settings,
                long long int now, struct bnd_effects *fx)
{
    advance(b, now);
    b->settled = false;
    b->bonded = settings != NULL;
    if (!settings) {
        /* Where there is no bond there is no view; the next one is new. */
        free(b->view);
        b->view = NULL;
        bnd_fx_simple(fx, BND_FX_VIEW);
        return;
    }

    enum bnd_apply apply = bnd_settings_diff(&b->settings, settings);
    bnd_settings_uninit(&b->settings);
    bnd_settings_clone(&b->settings, settings);

    const struct bnd_member **present = xcalloc(b->n_members + 1,
                                                sizeof *present);
    const struct bnd_mode_class *class
        = bnd_policy_get(bnd_settings_mode(settings));
    struct bnd_pass pass;

    bnd_make_pass(b, now, present, &pass);
    if (class != b->class
        || (apply != BND_APPLY_NONE && class->reconfigure
            && !class->reconfigure(b->priv, &pass))) {
        drop_class(b);
        b->class = class;
        b->priv = xzalloc(class->priv_size + 1);
        if (class->init) {
            class->init(b->priv, &pass);
        }
    }
    if (apply != BND_APPLY_NONE) {
        bnd_fx_simple(fx, BND_FX_STATUS);
    }
    free(present);
}

void
bnd_set_sticky(struct bnd_bond *b, struct eth_addr mac)
{
    b->sticky = mac;
}

void
bnd_set_lacp(struct bnd_bond *b, const struct bnd_lacp_config *config,
             long long int now)
{
    advance(b, now);
    b->settled = false;
    if (!config) {
        bnd_lacp_destroy(b->lacp);
        b->lacp = NULL;
        return;
    }
    b->lacp_config = *config;
    if (!b->lacp) {
        b->lacp = bnd_lacp_create(config, now);
    } else {
        bnd_lacp_configure(b->lacp, config, now);
    }
}

void
bnd_set_lacp_port(struct bnd_bond *b, bnd_id id,
                  const struct bnd_lacp_port_config *config,
                  long long int now)
{
    struct bnd_member *m = bnd_find_member(b, id);

    advance(b, now);
    b->settled = false;
    if (!b->lacp || !m) {
        return;
    }
    if (config) {
        bnd_lacp_port_set(b->lacp, id, m->name, config, now);
        bnd_lacp_port_set_mac(b->lacp, id, m->mac);
    } else {
        bnd_lacp_port_del(b->lacp, id);
    }
}

/* Events. */

/* A member joins, or comes back from being only remembered.  A new link is
 * believed at once: there is nothing to protect against yet. */
static void
event_member_add(struct bnd_bond *b, const struct bnd_event *e)
{
    struct bnd_member *m = bnd_find_member(b, e->id);

    if (!m) {
        m = xzalloc(sizeof *m);
        m->id = e->id;
        m->name = xstrdup(e->add.name);
        b->members = xrealloc(b->members,
                              (b->n_members + 1) * sizeof *b->members);
        b->members[b->n_members++] = m;
    }
    m->present = true;
    m->mac = e->add.mac;
    m->carrier = e->add.carrier;
    m->may_enable = true;
    bnd_link_init(&m->link, m->carrier);
}

/* A member leaves for good, or, with 'remember', loses its port only. */
static void
event_member_del(struct bnd_bond *b, struct bnd_member *m, bool remember)
{
    if (b->lacp) {
        bnd_lacp_port_del(b->lacp, m->id);
    }
    if (remember) {
        m->present = false;
        return;
    }

    for (size_t i = 0; i < b->n_members; i++) {
        if (b->members[i] == m) {
            memmove(&b->members[i], &b->members[i + 1],
                    (b->n_members - i - 1) * sizeof *b->members);
            b->n_members--;
            break;
        }
    }
    member_destroy(m);
}

static void
event_link(struct bnd_bond *b, struct bnd_member *m,
           const struct bnd_event *e, long long int now,
           struct bnd_effects *fx)
{
    bool lacp = b->lacp && bnd_lacp_has_port(b->lacp, m->id);

    if (memcmp(&m->mac, &e->link.mac, sizeof m->mac)) {
        m->mac = e->link.mac;
        if (lacp) {
            bnd_lacp_port_set_mac(b->lacp, m->id, m->mac);
        }
    }
    if (lacp && (e->link.carrier != m->carrier || e->link.reset)) {
        bnd_lacp_port_carrier_changed(b->lacp, m->id, now);
    }
    if (e->link.reset && e->link.carrier && m->carrier && !b->lacp) {
        /* The link was lost and is back: its delays start anew. */
        m->good = false;
        bnd_link_step(m, 0, bnd_settings_num(&b->settings, BND_OPT_DOWNDELAY),
                      now, fx);
    }
    m->carrier = e->link.carrier;
}

static void
event_frame(struct bnd_bond *b, struct bnd_member *m,
            const struct bnd_event *e, long long int now,
            struct bnd_effects *fx)
{
    enum bnd_drop_reason reason;

    reason = (b->lacp && bnd_lacp_has_port(b->lacp, m->id)
              ? bnd_lacp_receive(b->lacp, m->id, e->frame.data, e->frame.len,
                                 e->frame.arrival, now, fx)
              : BND_DROP_NO_MEMBER);
    if (reason != BND_DROP_NONE) {
        bnd_fx_trace(fx, BND_TRACE_BAD_FRAME, now, m->id, m->name)->reason
            = reason;
    }
}

static void set_active(struct bnd_bond *, bnd_id, long long int now,
                       struct bnd_effects *);

void
bnd_event(struct bnd_bond *b, const struct bnd_event *e, long long int now,
          struct bnd_effects *fx)
{
    struct bnd_member *m = bnd_find_member(b, e->id);

    advance(b, now);
    b->settled = false;
    if (!m && e->type != BND_EV_MEMBER_ADD && e->type != BND_EV_TX_BYTES) {
        return;
    }

    switch (e->type) {
    case BND_EV_MEMBER_ADD:
        event_member_add(b, e);
        break;

    case BND_EV_MEMBER_DEL:
        event_member_del(b, m, e->on);
        break;

    case BND_EV_LINK:
        event_link(b, m, e, now, fx);
        break;

    case BND_EV_MAY_ENABLE:
        m->may_enable = e->on;
        break;

    case BND_EV_FRAME_RX:
        event_frame(b, m, e, now, fx);
        break;

    case BND_EV_FORCE:
        bnd_link_init(&m->link, e->on);
        break;

    case BND_EV_SET_ACTIVE:
        if (m->enabled && b->bonded) {
            set_active(b, m->id, now, fx);
        }
        break;

    case BND_EV_TX_BYTES:
    case BND_EV_MIGRATE:
        if (b->class && b->class->event) {
            b->class->event(b->priv, e);
        }
        break;

    case BND_N_EVENTS:
    default:
        OVS_NOT_REACHED();
    }
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
    bool enabled = (b->bonded && m->present && bnd_link_is_enabled(&m->link)
                    && (!b->lacp || (m->lacp_ok && m->may_enable)));
    bool fell = m->enabled && !enabled;

    if (enabled != m->enabled) {
        m->enabled = enabled;
        bnd_fx_trace(fx, BND_TRACE_ENABLED, now, m->id, m->name)->on = enabled;
    }
    return fell;
}

static bnd_id
choose_active(struct bnd_bond *b, bnd_id present)
{
    const struct bnd_member **members = xcalloc(b->n_members + 1,
                                                sizeof *members);
    struct bnd_pass pass;

    bnd_make_pass(b, b->last_now, members, &pass);

    struct bnd_select_input in = {
        .members = pass.members,
        .n_members = pass.n_members,
        .active = present,
        .primary = bnd_settings_str(&b->settings, BND_OPT_PRIMARY),
        .sticky = b->sticky,
    };
    bnd_id id = bnd_select_active(&in);
    free(members);
    return id;
}

/* Makes 'id' the active member, ending its updelay if that still runs. */
static void
set_active(struct bnd_bond *b, bnd_id id, long long int now,
           struct bnd_effects *fx)
{
    struct bnd_member *m = bnd_find_member(b, id);

    if (id == b->active) {
        return;
    }
    if (m) {
        long long int left = 0;

        if (!m->enabled) {
            left = m->link.deadline - now;
            bnd_link_init(&m->link, true);
        }
        bnd_fx_trace(fx, BND_TRACE_ACTIVE, now, id, m->name)->ms = left;
        update_enabled(b, m, now, fx);
        b->n_failovers += b->had_active;
        b->had_active = true;
        b->sticky = m->mac;
        b->announce = true;
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
    bool fell = false;

    for (size_t i = 0; i < b->n_members; i++) {
        fell |= update_enabled(b, b->members[i], now, fx);
    }
    if (!b->bonded) {
        return;
    }
    set_active(b, choose_active(b, b->active), now, fx);

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
 * what we sent; they must hear that the path has changed. */
static void
stage_announce(struct bnd_bond *b, struct bnd_effects *fx)
{
    if (b->announce && b->bonded) {
        const struct bnd_mode_class *effective
            = bnd_policy_effective(&b->settings, b->lacp_status);

        if (effective->traits & BND_MT_ANNOUNCE && b->active) {
            bnd_fx_simple(fx, BND_FX_WANT_ADDRS);
        }
    }
    b->announce = false;
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

    advance(b, now);
    stage_link(b, now, fx);
    stage_lacp(b, now, fx);
    stage_mode(b, now, fx);
    stage_announce(b, fx);
    stage_publish(b, fx, n_before);
}

long long int
bnd_wake_time(const struct bnd_bond *b)
{
    long long int wake = b->settled ? BND_NEVER : b->last_now;

    for (size_t i = 0; i < b->n_members; i++) {
        wake = bnd_deadline_min(wake,
                                bnd_link_wake_time(&b->members[i]->link));
    }
    if (b->lacp) {
        wake = bnd_deadline_min(wake, bnd_lacp_wake_time(b->lacp));
    }
    return wake;
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
        if (present[i]->id == b->active && present[i]->enabled) {
            view->active = i;
        }
    }

    const struct bnd_mode_class *effective
        = bnd_policy_effective(&b->settings, b->lacp_status);
    effective->view(effective == b->class ? b->priv : NULL, &pass, view);
    free(present);
    return view;
}

/* Answers. */

enum bnd_lacp_status
bnd_lacp_state(const struct bnd_bond *b)
{
    return b->lacp_status;
}

bool
bnd_member_lacp_may_enable(const struct bnd_bond *b, bnd_id id)
{
    const struct bnd_member *m = bnd_find_member(b, id);

    return m && m->lacp_ok;
}

bool
bnd_member_lacp_current(const struct bnd_bond *b, bnd_id id)
{
    const struct bnd_member *m = bnd_find_member(b, id);

    return m && m->lacp_current;
}

bool
bnd_member_lacp_status(const struct bnd_bond *b, bnd_id id,
                       struct bnd_lacp_port_status *ps)
{
    return b->lacp && bnd_lacp_get_port_status(b->lacp, id, ps);
}

long long int
bnd_next_rebalance(const struct bnd_bond *b)
{
    return (bnd_is_balanced(b)
            ? b->class->slots(b->priv)->next_rebalance : BND_NEVER);
}

bool
bnd_is_balanced(const struct bnd_bond *b)
{
    return (b->bonded
            && bnd_policy_effective(&b->settings, b->lacp_status)->traits
               & BND_MT_BALANCED);
}

struct eth_addr
bnd_active_mac(const struct bnd_bond *b)
{
    const struct bnd_member *m = bnd_find_member(b, b->active);
    struct eth_addr zero;

    memset(&zero, 0, sizeof zero);
    return m ? m->mac : b->had_active ? zero : b->sticky;
}
