/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "bond/bond.h"

#include <stdlib.h>
#include <string.h>
#include "bond/bond-private.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

static const char *
rx_name(enum bnd_lacp_rx_summary rx)
{
    switch (rx) {
    case BND_LACP_RX_CURRENT:
        return "current";
    case BND_LACP_RX_EXPIRED:
        return "expired";
    case BND_LACP_RX_DEFAULTED:
        return "defaulted";
    default:
        OVS_NOT_REACHED();
    }
}

static struct bnd_status_lacp_info
fill_info(const struct bnd_lacp_info *info)
{
    return (struct bnd_status_lacp_info) {
        .system_priority = info->system_priority,
        .system = info->system,
        .key = info->key,
        .port_priority = info->port_priority,
        .port_id = info->port_id,
        .state = info->state,
    };
}

static void
fill_lacp_port(const struct bnd_lacp_port_status *ps,
               struct bnd_status_lacp_port *out)
{
    *out = (struct bnd_status_lacp_port) {
        .rx = rx_name(ps->rx),
        .attached = ps->attached,
        .may_enable = ps->may_enable,
        .may_collect = ps->may_collect,
        .in_active = ps->in_active,
        .individual = ps->individual,
        .standby = ps->standby,
        .receive = ps->rx_state,
        .mux = ps->mux_state,
        .periodic = ps->periodic_state,
        .actor_churn = bnd_churn_name(ps->actor_churn),
        .partner_churn = bnd_churn_name(ps->partner_churn),
        .n_actor_churn = ps->n_actor_churn,
        .n_partner_churn = ps->n_partner_churn,
        .port_id = ps->port_id,
        .port_priority = ps->port_priority,
        .aggregator = ps->aggregator,
        .actor = fill_info(&ps->actor),
        .partner = fill_info(&ps->partner),
        .n_tx = ps->n_tx,
        .n_rx = ps->n_rx,
        .n_bad = ps->n_bad,
        .n_marker_rx = ps->n_marker_rx,
        .n_expired = ps->n_expired,
        .n_defaulted = ps->n_defaulted,
        .n_carrier = ps->n_carrier,
        .lacpdu_rx = ps->n_lacpdu_rx,
        .lacpdu_tx = ps->n_lacpdu_tx,
        .unknown_rx = ps->n_unknown_rx,
        .illegal_rx = ps->n_illegal_rx,
        .marker_rx = ps->n_marker_info_rx,
        .marker_resp_tx = ps->n_marker_resp_tx,
        .marker_resp_rx = ps->n_marker_resp_rx,
        .marker_unknown_rx = ps->n_marker_unknown_rx,
        .rx_late_max = ps->rx_late_max,
        .late = ps->late,
    };
}

static const char *
fallback_name(enum bnd_lacp_fallback fallback)
{
    switch (fallback) {
    case BND_LACP_FB_NONE:
        return NULL;
    case BND_LACP_FB_LINUX:
        return "individual";
    case BND_LACP_FB_AB:
        return "active-backup";
    case BND_LACP_FB_ALL:
        return "all-active";
    default:
        OVS_NOT_REACHED();
    }
}

static void
fill_lacp(const struct bnd_bond *b, struct bnd_status *s)
{
    const struct bnd_lacp_config *lacp = &b->lacp_config;
    struct bnd_lacp_agg_status *aggs;

    s->has_lacp = true;
    s->lacp_standard = lacp->flavour == BND_LACP_FLAVOUR_STANDARD;
    s->lacp_active = lacp->active;
    s->lacp_fast = lacp->fast;
    s->lacp_system = lacp->system;
    s->lacp_system_priority = lacp->system_priority;
    s->lacp_key = bnd_lacp_default_key(b->lacp);
    s->lacp_fallback = fallback_name(bnd_lacp_fallback_now(b));
    s->n_aggs = bnd_lacp_aggregators(b, &aggs);
    s->aggs = xcalloc(s->n_aggs + 1, sizeof *s->aggs);
    for (size_t i = 0; i < s->n_aggs; i++) {
        const struct bnd_lacp_agg_status *agg = &aggs[i];

        s->aggs[i] = (struct bnd_status_aggregator) {
            .id = agg->id,
            .active = agg->active,
            .individual = agg->individual,
            .has_partner = agg->has_partner,
            .n_ports = agg->n_ports,
            .n_enabled = agg->n_enabled,
            .actor_key = agg->actor_key,
            .partner_key = agg->partner_key,
            .partner_priority = agg->partner_priority,
            .partner_system = agg->partner_system,
            .bandwidth = agg->bandwidth,
        };
    }
    free(aggs);
}

static void
fill_members(const struct bnd_bond *b, struct bnd_status *s)
{
    s->members = xcalloc(b->n_members + 1, sizeof *s->members);
    for (size_t i = 0; i < b->n_members; i++) {
        const struct bnd_member *m = b->members[i];
        struct bnd_lacp_port_status ps;

        if (!m->present) {
            continue;
        }

        struct bnd_status_member *sm = &s->members[s->n_members++];
        sm->id = m->id;
        sm->name = xstrdup(m->name);
        sm->mac = m->mac;
        sm->perm_mac = m->perm_mac;
        sm->mac_trouble = m->mac_trouble;
        sm->options = m->options;
        sm->speed_mbps = m->told_mbps;
        sm->duplex = m->told_duplex;
        sm->enabled = m->enabled;
        sm->active = m->id == b->active;
        sm->carrier = m->carrier;
        sm->may_enable = m->may_enable;
        sm->link = m->link.state;
        sm->deadline = m->link.deadline;
        sm->out = m->options.admin != BND_ADMIN_UP && m->out;
        sm->drain_end = (m->options.admin == BND_ADMIN_DRAIN && !m->out
                         ? m->drain_end : BND_NEVER);
        sm->n_failures = m->n_failures;
        sm->last_change = m->last_change;
        sm->has_lacp = b->lacp && bnd_lacp_get_port_status(b->lacp, m->id,
                                                           &ps);
        if (sm->has_lacp) {
            fill_lacp_port(&ps, &sm->lacp);
        }
    }
}

static void
fill_slots(const struct bnd_slots *slots, struct bnd_status *s)
{
    s->next_rebalance = slots->next_rebalance;
    s->n_slots = slots->n_slots;
    s->slots = xcalloc(BND_N_SLOTS, sizeof *s->slots);
    for (int i = 0; i < BND_N_SLOTS; i++) {
        s->slots[i] = (struct bnd_status_slot) {
            .owner = slots->owner[i],
            .load = slots->load[i],
            .total = slots->total[i],
        };
    }
}

/* What the bond as a link looks like.  Its speed is what the members that send
 * have together, or the slowest of them where all send the same. */
static void
fill_link(const struct bnd_bond *b, struct bnd_status *s)
{
    enum bnd_xmit xmit = b->view ? b->view->xmit : BND_XMIT_ACTIVE;

    for (size_t i = 0; i < s->n_members; i++) {
        struct bnd_status_member *m = &s->members[i];

        m->backup = (xmit == BND_XMIT_ACTIVE ? !m->active
                     : m->options.admin != BND_ADMIN_UP
                       || (b->lacp && !m->enabled));
        if (!m->enabled || (xmit == BND_XMIT_ACTIVE && !m->active)) {
            continue;
        }
        if (s->duplex == BND_DUPLEX_UNKNOWN) {
            s->duplex = m->duplex;
        }
        if (xmit != BND_XMIT_BROADCAST || !s->speed_mbps) {
            s->speed_mbps += m->speed_mbps;
        } else if (m->speed_mbps) {
            s->speed_mbps = MIN(s->speed_mbps, m->speed_mbps);
        }
    }
}

static void
fill_options(const struct bnd_settings *cfg, struct bnd_status *s)
{
    s->n_options = BND_N_OPTS;
    s->options = xcalloc(BND_N_OPTS, sizeof *s->options);
    for (enum bnd_opt opt = 0; opt < BND_N_OPTS; opt++) {
        struct ds ds = DS_EMPTY_INITIALIZER;

        bnd_settings_put_value(cfg, opt, &ds);
        s->options[opt] = (struct bnd_status_option) {
            .name = bnd_opt_name(opt),
            .given = bnd_settings_is_given(cfg, opt),
            .value = ds_steal_cstr(&ds),
        };
    }
}

static const char *
mac_policy_name(const struct bnd_address *a)
{
    switch (a->policy) {
    case BND_ADDRESS_FREE:
        return NULL;
    case BND_ADDRESS_SAME:
        return "none";
    case BND_ADDRESS_ACTIVE:
        return "active";
    case BND_ADDRESS_FOLLOW:
        return "follow";
    default:
        OVS_NOT_REACHED();
    }
}

static void
fill_bond(const struct bnd_bond *b, struct bnd_status *s)
{
    const struct bnd_settings *cfg = &b->settings;
    const char *primary = bnd_settings_str(cfg, BND_OPT_PRIMARY);
    uint32_t traits = b->class->traits;

    s->bonded = true;
    s->mode = b->class->mode;
    s->fallback = bnd_policy_is_fallback(cfg, b->lacp_status,
                                         b->lacp_fallback);
    s->fallback_configured = bnd_settings_num(cfg, BND_OPT_FALLBACK);
    s->recirculates = traits & BND_MT_RECIRCULATE && !s->fallback;
    s->has_datapath_id = traits & BND_MT_DATAPATH_ID;
    s->buckets_by_source = traits & BND_MT_BY_SOURCE;
    /* Of its own modes stock Open vSwitch heeds the setting in one. */
    s->lb_output = ((bnd_settings_num(cfg, BND_OPT_LB_OUTPUT)
                     && traits & BND_MT_RECIRCULATE)
                    || traits & (BND_MT_PER_PACKET | BND_MT_POLICY
                                 | BND_MT_HOST_LB));
    s->has_policy = ((traits & BND_MT_POLICY
                      || (traits & BND_MT_HOST_LB
                          && !bnd_settings_num(cfg, BND_OPT_TLB_DYNAMIC)))
                     && !s->fallback);
    s->policy = bnd_settings_num(cfg, BND_OPT_XMIT_POLICY);
    s->policy_compat = bnd_settings_num(cfg, BND_OPT_HASH_COMPAT);
    s->has_turns = traits & BND_MT_TURNS;
    s->packets_per = bnd_settings_num(cfg, BND_OPT_PACKETS_PER);
    s->shows_all_active = traits & BND_MT_ALL_ACTIVE;
    s->all_active = bnd_settings_num(cfg, BND_OPT_ALL_ACTIVE);
    s->basis = bnd_settings_num(cfg, BND_OPT_HASH_BASIS);
    s->miimon = bnd_settings_num(cfg, BND_OPT_MIIMON);
    s->updelay = bnd_settings_ticks(cfg, BND_OPT_UPDELAY);
    s->downdelay = bnd_settings_ticks(cfg, BND_OPT_DOWNDELAY);
    s->peer_notif_delay = bnd_settings_ticks(cfg, BND_OPT_PEER_NOTIF_DELAY);
    s->refusal = nullable_xstrdup(bnd_active_refusal(b));
    s->n_failovers = b->n_failovers;
    s->n_changes = b->n_changes;
    s->n_kept = bnd_history_copy(b, &s->failovers);
    s->active_mac = bnd_active_mac(b);
    s->mac = b->address.told;
    s->mac_policy = mac_policy_name(&b->address);
    s->mac_forced = b->address.forced;
    s->carrier = bnd_has_carrier(b);
    fill_link(b, s);
    if (primary) {
        s->primary = xstrdup(primary);
        for (size_t i = 0; i < s->n_members; i++) {
            s->primary_present |= !strcmp(s->members[i].name, primary);
        }
    }
}

/* What the mode itself has to tell. */
static void
fill_mode(const struct bnd_bond *b, bool brief, struct bnd_status *s)
{
    if (b->class->status && !s->fallback) {
        b->class->status(b->priv, brief, s);
    }
}

void
bnd_get_brief(const struct bnd_bond *b, struct bnd_status *s)
{
    memset(s, 0, sizeof *s);
    s->next_rebalance = BND_NEVER;
    s->lacp_status = b->lacp_status;
    fill_members(b, s);
    if (b->bonded) {
        fill_bond(b, s);
        fill_mode(b, true, s);
    }
    if (b->lacp) {
        fill_lacp(b, s);
    }
}

void
bnd_get_status(const struct bnd_bond *b, long long int now OVS_UNUSED,
               struct bnd_status *s)
{
    bnd_get_brief(b, s);
    if (b->bonded) {
        fill_options(&b->settings, s);
        bnd_fill_probes(b, s);
    }
    if (b->bonded && b->class->slots && !s->fallback) {
        fill_slots(b->class->slots(b->priv), s);
    }
    if (b->bonded) {
        fill_mode(b, false, s);
    }
}
