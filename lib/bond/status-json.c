/* SPDX-License-Identifier: Apache-2.0 */

/* Status as JSON.  What the keys mean, docs/status-json.md says: a key is
 * added there, too, and one that changes its meaning takes a new number of
 * SCHEMA. */

#include <config.h>
#include "bond/status-text.h"

#include <inttypes.h>
#include <string.h>
#include "bond/json-put.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "util.h"

#define SCHEMA 1

static void
put(struct json *o, const char *key, struct json *value)
{
    json_object_put(o, key, value);
}

/* Null unless 'known'. */
static void
put_if(struct json *o, const char *key, bool known, uint64_t value)
{
    put(o, key, known ? json_integer_create(value) : json_null_create());
}

/* Null for zero. */
static void
put_known(struct json *o, const char *key, uint64_t value)
{
    put_if(o, key, value, value);
}

/* Null for zero. */
static void
put_known_mac(struct json *o, const char *key, struct eth_addr mac)
{
    static const struct eth_addr zero;

    if (memcmp(&mac, &zero, sizeof mac)) {
        bnd_put_mac(o, key, mac);
    } else {
        bnd_put_str(o, key, NULL);
    }
}

/* Null for a time that never was. */
static void
put_time(struct json *o, const char *key, long long int wall)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    if (wall) {
        bnd_format_time(wall, &ds);
    }
    bnd_put_str(o, key, wall ? ds_cstr(&ds) : NULL);
    ds_destroy(&ds);
}

/* Null for a duplex that is not known. */
static void
put_duplex(struct json *o, enum bnd_duplex duplex)
{
    bnd_put_str(o, "duplex", duplex == BND_DUPLEX_UNKNOWN ? NULL
                             : bnd_duplex_name(duplex));
}

/* Null for a deadline that does not run. */
static void
put_left(struct json *o, const char *key, long long int deadline,
         long long int now)
{
    put(o, key, deadline == BND_NEVER ? json_null_create()
                : json_integer_create(MAX(deadline - now, 0)));
}

/* An array of the lines of 'text', which may be null. */
static struct json *
lines(const char *text)
{
    struct json *array = json_array_create_empty();

    for (const char *p = text; p && *p; ) {
        size_t len = strcspn(p, "\n");

        json_array_add(array,
                       json_string_create_nocopy(xmemdup0(p, len)));
        p += len + (p[len] == '\n');
    }
    return array;
}

/* Members. */

static void
put_member_link(struct json *j, const struct bnd_status_member *m,
                const struct bnd_status_extra *x, long long int now)
{
    bnd_put_str(j, "mii_status", bnd_link_state_name(m->link));
    put_left(j, "mii_delay_left_ms", m->deadline, now);
    bnd_put_num(j, "link_failure_count", m->n_failures);
    put_time(j, "last_change", m->last_change ? m->last_change + x->wall : 0);
    bnd_put_bool(j, "carrier", m->carrier);
    put_known(j, "speed", m->speed_mbps);
    put_duplex(j, m->duplex);
    put_known_mac(j, "perm_hwaddr", m->perm_mac);
    put_known_mac(j, "address", m->mac);
    put_known_mac(j, "logical_address", m->logical_mac);
    put_known(j, "mtu", m->mtu);
    put_known(j, "own_mtu", m->own_mtu);
    bnd_put_str(j, "address_trouble", m->mac_trouble == BND_MAC_FINE ? NULL
                                      : bnd_mac_trouble_name(m->mac_trouble));
}

static struct json *
member(const struct bnd_status *s, const struct bnd_status_member *m,
       const struct bnd_status_extra *x, long long int now)
{
    struct json *j = json_object_create();

    bnd_put_str(j, "name", m->name);
    bnd_put_str(j, "state", m->backup ? "backup" : "active");
    bnd_put_bool(j, "enabled", m->enabled);
    bnd_put_bool(j, "may_enable", m->may_enable);
    put_member_link(j, m, x, now);
    bnd_put_num(j, "queue_id", m->options.queue_id);
    put(j, "prio", json_integer_create(m->options.prio));
    bnd_put_str(j, "admin", bnd_admin_name(m->options.admin));
    put_left(j, "drain_left_ms", m->drain_end, now);
    bnd_put_bool(j, "out_of_use", m->out);
    put(j, "probes", bnd_probed_to_json(s, m, x));
    put_if(j, "tx_packets", m->has_tx, m->tx_packets);
    put_if(j, "tx_bytes", m->has_tx, m->tx_bytes);
    put_if(j, "buckets", s->slots, bnd_status_n_buckets(s, m->id));
    if (m->has_lacp) {
        put_known(j, "ad_aggregator_id", m->lacp.aggregator);
        bnd_put_num(j, "ad_actor_oper_port_state", m->lacp.actor.state);
        bnd_put_num(j, "ad_partner_oper_port_state", m->lacp.partner.state);
        put(j, "lacp", bnd_lacp_port_to_json(&m->lacp));
    } else {
        bnd_put_str(j, "ad_aggregator_id", NULL);
        bnd_put_str(j, "ad_actor_oper_port_state", NULL);
        bnd_put_str(j, "ad_partner_oper_port_state", NULL);
        bnd_put_str(j, "lacp", NULL);
    }
    return j;
}

/* The bond. */

static void
put_failovers(struct json *o, const struct bnd_status *s)
{
    struct json *array = json_array_create_empty();

    for (size_t i = 0; i < s->n_kept; i++) {
        const struct bnd_failover *f = &s->failovers[i];
        struct json *j = json_object_create();

        put_time(j, "time", f->wall);
        bnd_put_str(j, "cause", bnd_cause_name(f->cause));
        bnd_put_str(j, "from", f->from);
        bnd_put_str(j, "to", f->to);
        bnd_put_bool(j, "counted", f->counted);
        json_array_add(array, j);
    }
    bnd_put_num(o, "failover_count", s->n_failovers);
    put(o, "failovers", array);
}

static void
put_mechanism(struct json *o, const struct bnd_status_extra *x)
{
    struct json *j = x->mechanism ? json_object_create() : NULL;

    if (j) {
        bnd_put_str(j, "name", x->mechanism);
        bnd_put_str(j, "why", x->why);
        put_known(j, "id", x->datapath_id);
    }
    put(o, "mechanism", j ? j : json_null_create());
}

/* How well the daemon keeps up. */
static void
put_health(struct json *o, const struct bnd_status_extra *x)
{
    struct json *j = json_object_create();

    bnd_put_num(j, "passes", x->n_passes);
    bnd_put_num(j, "late_passes", x->n_late);
    bnd_put_num(j, "guard_passes", x->n_guard);
    bnd_put_num(j, "worst_late_ms", x->worst_late);
    bnd_put_num(j, "rx_late_ms", x->rx_late);
    bnd_put_num(j, "control_frames_dropped", x->n_dropped);
    put(o, "health", j);
}

static void
put_link(struct json *o, const struct bnd_status *s)
{
    bnd_put_str(o, "mii_status", s->carrier ? "up" : "down");
    put_known(o, "speed", s->speed_mbps);
    put_duplex(o, s->duplex);
    bnd_put_str(o, "monitor", s->n_probes && !s->combine ? "arp_interval"
                              : s->miimon ? "miimon" : "carrier events");
    bnd_put_str(o, "monitor_combine", s->combine);
    put(o, "probes", bnd_probes_to_json(s));
    bnd_put_num(o, "miimon", s->miimon);
    bnd_put_num(o, "updelay", s->updelay);
    bnd_put_num(o, "downdelay", s->downdelay);
    bnd_put_num(o, "peer_notif_delay", s->peer_notif_delay);
}

struct json *
bnd_status_to_json(const char *name, const struct bnd_status *s,
                   const struct bnd_status_extra *x, long long int now,
                   struct json *options, struct json *const member_options[])
{
    static const struct eth_addr zero;
    const struct bnd_status_member *active = bnd_status_active(s);
    struct json *members = json_array_create_empty();
    struct json *errors = lines(x->errors);
    struct json *o = json_object_create();

    if (s->refusal) {
        json_array_add(errors, json_string_create(s->refusal));
    }
    bnd_put_num(o, "schema", SCHEMA);
    bnd_put_str(o, "version", BND_VERSION);
    bnd_put_str(o, "name", name);
    bnd_put_str(o, "mode", bnd_mode_name(s->mode));
    bnd_put_bool(o, "fallback", s->fallback);
    put_link(o, s);
    bnd_put_str(o, "active_slave", active ? active->name : NULL);
    put_known_mac(o, "active_mac", active ? s->active_mac : zero);
    put_known_mac(o, "address", s->mac);
    bnd_put_str(o, "fail_over_mac", s->mac_policy);
    bnd_put_bool(o, "fail_over_mac_forced", s->mac_forced);
    bnd_put_str(o, "primary", s->primary_present ? s->primary : NULL);
    put_mechanism(o, x);
    put_if(o, "tx_packets", x->has_tx, x->tx_packets);
    put_if(o, "tx_bytes", x->has_tx, x->tx_bytes);
    put_left(o, "next_rebalance_ms", s->next_rebalance, now);
    bnd_lb_to_json(s, now, o);
    put_failovers(o, s);
    bnd_put_str(o, "lacp_status", bnd_lacp_status_name(s->lacp_status));
    put(o, "lacp", bnd_lacp_to_json(s));
    put(o, "ad_info", bnd_ad_info_to_json(s));
    put(o, "options", options ? options : json_null_create());
    put(o, "errors", errors);
    put(o, "notes", lines(x->notes));
    put_health(o, x);
    for (size_t i = 0; i < s->n_members; i++) {
        struct json *j = member(s, &s->members[i], x, now);

        put(j, "options", (member_options && member_options[i]
                           ? member_options[i] : json_null_create()));
        json_array_add(members, j);
    }
    put(o, "slaves", members);
    return o;
}
