/* SPDX-License-Identifier: Apache-2.0 */

/* What is told of LACP over and above lacp/show: by bond/show, by bond/status,
 * and by bond/proc as Linux tells it. */

#include <config.h>
#include "bond/status-text.h"

#include <inttypes.h>
#include "bond/json-put.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "util.h"

/* JSON.  What the keys mean, docs/status-json.md says. */

static void
put_info(struct json *o, const char *side,
         const struct bnd_status_lacp_info *info)
{
    struct json *j = json_object_create();

    bnd_put_num(j, "system_priority", info->system_priority);
    bnd_put_mac(j, "system", info->system);
    bnd_put_num(j, "key", info->key);
    bnd_put_num(j, "port_priority", info->port_priority);
    bnd_put_num(j, "port_number", info->port_id);
    bnd_put_num(j, "port_state", info->state);
    json_object_put(o, side, j);
}

static struct json *
machines_to_json(const struct bnd_status_lacp_port *p)
{
    struct json *j = json_object_create();

    bnd_put_str(j, "receive", p->receive);
    bnd_put_str(j, "periodic", p->periodic);
    bnd_put_str(j, "mux", p->mux);
    bnd_put_str(j, "actor_churn", p->actor_churn);
    bnd_put_num(j, "actor_churn_count", p->n_actor_churn);
    bnd_put_str(j, "partner_churn", p->partner_churn);
    bnd_put_num(j, "partner_churn_count", p->n_partner_churn);
    return j;
}

/* By the names that Linux has for them. */
static struct json *
counters_to_json(const struct bnd_status_lacp_port *p)
{
    struct json *j = json_object_create();

    bnd_put_num(j, "lacpdu_rx", p->lacpdu_rx);
    bnd_put_num(j, "lacpdu_tx", p->lacpdu_tx);
    bnd_put_num(j, "unknown_rx", p->unknown_rx);
    bnd_put_num(j, "illegal_rx", p->illegal_rx);
    bnd_put_num(j, "marker_rx", p->marker_rx);
    bnd_put_num(j, "marker_tx", 0); /* We never ask. */
        bnd_put_num(j, "marker_resp_rx", p->marker_resp_rx);
    bnd_put_num(j, "marker_resp_tx", p->marker_resp_tx);
    bnd_put_num(j, "marker_unknown_rx", p->marker_unknown_rx);
    return j;
}

/* Bounds as they are in core/late.h. */
static const long long int gap_bounds[BND_N_LATE_GAPS] = {
#define BND_LATE_GAP(MS) MS,
    BND_LATE_GAPS
#undef BND_LATE_GAP
};
static const long long int delay_bounds[BND_N_LATE_DELAYS] = {
#define BND_LATE_DELAY(MS) MS,
    BND_LATE_DELAYS
#undef BND_LATE_DELAY
};

/* The last one has no bound. */
static struct json *
histogram_to_json(const uint32_t counts[], const long long int bounds[],
                  size_t n)
{
    struct json *array = json_array_create_empty();

    for (size_t i = 0; i < n; i++) {
        struct json *j = json_object_create();

        json_object_put(j, "below_ms", (bounds[i]
                                        ? json_integer_create(bounds[i])
                                        : json_null_create()));
        bnd_put_num(j, "count", counts[i]);
        json_array_add(array, j);
    }
    return array;
}

static struct json *
late_to_json(const struct bnd_late *late)
{
    struct json *j = json_object_create();

    json_object_put(j, "rx_gaps", histogram_to_json(late->gaps, gap_bounds,
                                                    BND_N_LATE_GAPS));
    bnd_put_num(j, "rx_worst_gap_ms", late->worst_gap);
    bnd_put_bool(j, "partner_silent", late->silent);
    bnd_put_num(j, "partner_silent_count", late->n_silent);
    json_object_put(j, "tx_delays", histogram_to_json(late->delays,
                                                      delay_bounds,
                                                      BND_N_LATE_DELAYS));
    bnd_put_num(j, "tx_worst_delay_ms", late->worst_delay);
    bnd_put_bool(j, "overdue", late->overdue);
    bnd_put_num(j, "overdue_count", late->n_overdue);
    return j;
}

struct json *
bnd_lacp_port_to_json(const struct bnd_status_lacp_port *p)
{
    struct json *j = json_object_create();

    bnd_put_str(j, "rx_state", p->rx);
    bnd_put_bool(j, "attached", p->attached);
    bnd_put_bool(j, "may_enable", p->may_enable);
    bnd_put_bool(j, "may_collect", p->may_collect);
    bnd_put_bool(j, "in_active_aggregator", p->in_active);
    bnd_put_bool(j, "individual", p->individual);
    bnd_put_bool(j, "standby", p->standby);
    put_info(j, "actor", &p->actor);
    put_info(j, "partner", &p->partner);
    json_object_put(j, "machines", machines_to_json(p));
    bnd_put_num(j, "tx_pdus", p->n_tx);
    bnd_put_num(j, "rx_pdus", p->n_rx);
    bnd_put_num(j, "rx_bad_pdus", p->n_bad);
    bnd_put_num(j, "rx_marker_pdus", p->n_marker_rx);
    bnd_put_num(j, "expired", p->n_expired);
    bnd_put_num(j, "defaulted", p->n_defaulted);
    bnd_put_num(j, "carrier_changed", p->n_carrier);
    json_object_put(j, "counters", counters_to_json(p));
    bnd_put_num(j, "rx_late_max_ms", p->rx_late_max);
    bnd_put_num(j, "tx_late_max_ms", p->late.worst_delay);
    json_object_put(j, "late", late_to_json(&p->late));
    return j;
}

static struct json *
aggregator_to_json(const struct bnd_status *s,
                   const struct bnd_status_aggregator *agg)
{
    struct json *members = json_array_create_empty();
    struct json *j = json_object_create();

    bnd_put_num(j, "id", agg->id);
    bnd_put_bool(j, "active", agg->active);
    bnd_put_bool(j, "individual", agg->individual);
    bnd_put_num(j, "num_ports", agg->n_ports);
    bnd_put_num(j, "num_ports_up", agg->n_enabled);
    bnd_put_num(j, "actor_key", agg->actor_key);
    bnd_put_bool(j, "has_partner", agg->has_partner);
    bnd_put_num(j, "partner_key", agg->partner_key);
    bnd_put_mac(j, "partner_mac", agg->partner_system);
    bnd_put_num(j, "partner_priority", agg->partner_priority);
    bnd_put_num(j, "bandwidth", agg->bandwidth);
    for (size_t i = 0; i < s->n_members; i++) {
        const struct bnd_status_member *m = &s->members[i];

        if (m->has_lacp && m->lacp.aggregator == agg->id) {
            json_array_add(members, json_string_create(m->name));
        }
    }
    json_object_put(j, "members", members);
    return j;
}

struct json *
bnd_lacp_to_json(const struct bnd_status *s)
{
    struct json *aggs, *j;

    if (!s->has_lacp) {
        return json_null_create();
    }
    aggs = json_array_create_empty();
    for (size_t i = 0; i < s->n_aggs; i++) {
        json_array_add(aggs, aggregator_to_json(s, &s->aggs[i]));
    }
    j = json_object_create();
    bnd_put_bool(j, "active", s->lacp_active);
    bnd_put_str(j, "rate", s->lacp_fast ? "fast" : "slow");
    bnd_put_mac(j, "system", s->lacp_system);
    bnd_put_num(j, "system_priority", s->lacp_system_priority);
    bnd_put_num(j, "key", s->lacp_key);
    bnd_put_str(j, "fallback", s->lacp_fallback);
    json_object_put(j, "aggregators", aggs);
    return j;
}

struct json *
bnd_ad_info_to_json(const struct bnd_status *s)
{
    const struct bnd_status_aggregator *agg;
    struct json *j;
    int n;

    if (!s->has_lacp) {
        return json_null_create();
    }
    agg = bnd_status_active_agg(s, &n);
    j = json_object_create();
    bnd_put_num(j, "aggregator", agg ? agg->id : 0);
    bnd_put_num(j, "num_ports", n);
    bnd_put_num(j, "actor_key", agg ? agg->actor_key : 0);
    bnd_put_num(j, "partner_key", agg ? agg->partner_key : 0);
    if (agg) {
        bnd_put_mac(j, "partner_mac", agg->partner_system);
    } else {
        bnd_put_str(j, "partner_mac", NULL);
    }
    return j;
}

/* bond/show. */

static void
format_port(const struct bnd_status_member *m, struct ds *ds)
{
    const struct bnd_status_lacp_port *p = &m->lacp;
    const struct bnd_late *late = &p->late;

    ds_put_format(ds, "lacp of %s: ", m->name);
    if (p->aggregator) {
        ds_put_format(ds, "aggregator %"PRIu32", ", p->aggregator);
    }
    ds_put_format(ds, "receive: %s, mux: %s%s%s\n", p->receive, p->mux,
                  p->individual ? ", individual" : "",
                  p->standby ? ", in reserve" : "");
    ds_put_format(ds, "late LACPDUs of %s: longest gap %lld ms, worst delay of "
                  "ours %lld ms, alarms: %"PRIu32" (partner silent%s), "
                  "%"PRIu32" (ours overdue%s)\n", m->name, late->worst_gap,
                  late->worst_delay, late->n_silent,
                  late->silent ? ", just now" : "", late->n_overdue,
                  late->overdue ? ", just now" : "");
}

void
bnd_format_more_lacp(const struct bnd_status *s,
                     const struct bnd_status_member *const sorted[],
                     struct ds *ds)
{
    if (!s->has_lacp) {
        return;
    }
    if (s->lacp_standard) {
        ds_put_format(ds, "ad_select: %s, min_links: %s, max_links: %s\n",
                      bnd_status_option(s, "ad-select"),
                      bnd_status_option(s, "min-links"),
                      bnd_status_option(s, "max-links"));
    }
    if (s->lacp_fallback) {
        ds_put_format(ds, "lacp fallback in force: %s\n", s->lacp_fallback);
    }
    for (size_t i = 0; i < s->n_aggs; i++) {
        const struct bnd_status_aggregator *agg = &s->aggs[i];

        ds_put_format(ds, "aggregator %"PRIu32": %s, ports: %d (%d up), key: "
                      "%u, ", agg->id, agg->active ? "active" : "backup",
                      agg->n_ports, agg->n_enabled, agg->actor_key);
        if (agg->has_partner) {
            ds_put_format(ds, "partner: "BND_MAC_FMT", its key: %u\n",
                          BND_MAC_ARGS(agg->partner_system),
                          agg->partner_key);
        } else {
            ds_put_cstr(ds, "no partner\n");
        }
    }
    for (size_t i = 0; i < s->n_members; i++) {
        if (sorted[i]->has_lacp) {
            format_port(sorted[i], ds);
        }
    }
}

/* bond/proc. */

void
bnd_format_proc_lacp(const char *name, const struct bnd_status *s,
                     struct ds *ds)
{
    bool ad = s->lacp_standard;
    const struct bnd_status_aggregator *agg;
    int n;

    ds_put_cstr(ds, "\n802.3ad info\n");
    ds_put_format(ds, "LACP active: %s\n", s->lacp_active ? "on" : "off");
    ds_put_format(ds, "LACP rate: %s\n", s->lacp_fast ? "fast" : "slow");
    /* In other modes one is enough. */
    ds_put_format(ds, "Min links: %s\n",
                  ad ? bnd_status_option(s, "min-links") : "0");
    if (ad) {
        ds_put_format(ds, "Aggregator selection policy (ad_select): %s\n",
                      bnd_status_option(s, "ad-select"));
    }
    ds_put_format(ds, "System priority: %u\n", s->lacp_system_priority);
    ds_put_format(ds, "System MAC address: "BND_MAC_FMT"\n",
                  BND_MAC_ARGS(s->lacp_system));

    agg = bnd_status_active_agg(s, &n);
    if (!agg) {
        ds_put_format(ds, "bond %s has no active aggregator\n", name);
        return;
    }
    ds_put_cstr(ds, "Active Aggregator Info:\n");
    ds_put_format(ds, "\tAggregator ID: %"PRIu32"\n", agg->id);
    ds_put_format(ds, "\tNumber of ports: %d\n", n);
    ds_put_format(ds, "\tActor Key: %u\n", agg->actor_key);
    ds_put_format(ds, "\tPartner Key: %u\n", agg->partner_key);
    ds_put_format(ds, "\tPartner Mac Address: "BND_MAC_FMT"\n",
                  BND_MAC_ARGS(agg->partner_system));
}

static void
format_info(const char *side, const char *key,
            const struct bnd_status_lacp_info *info, struct ds *ds)
{
    ds_put_format(ds, "details %s lacp pdu:\n", side);
    ds_put_format(ds, "    system priority: %u\n", info->system_priority);
    ds_put_format(ds, "    system mac address: "BND_MAC_FMT"\n",
                  BND_MAC_ARGS(info->system));
    ds_put_format(ds, "    %s key: %u\n", key, info->key);
    ds_put_format(ds, "    port priority: %u\n", info->port_priority);
    ds_put_format(ds, "    port number: %u\n", info->port_id);
    ds_put_format(ds, "    port state: %u\n", info->state);
}

void
bnd_format_proc_lacp_port(const struct bnd_status *s,
                          const struct bnd_status_lacp_port *p, struct ds *ds)
{
    if (!p->aggregator) {
        ds_put_cstr(ds, "Aggregator ID: N/A\n");
        return;
    }
    ds_put_format(ds, "Aggregator ID: %"PRIu32"\n", p->aggregator);
    if (s->lacp_standard) {
        ds_put_format(ds, "Actor Churn State: %s\n", p->actor_churn);
        ds_put_format(ds, "Partner Churn State: %s\n", p->partner_churn);
        ds_put_format(ds, "Actor Churned Count: %"PRIu32"\n",
                      p->n_actor_churn);
        ds_put_format(ds, "Partner Churned Count: %"PRIu32"\n",
                      p->n_partner_churn);
    }
    format_info("actor", "port", &p->actor, ds);
    format_info("partner", "oper", &p->partner, ds);
}
