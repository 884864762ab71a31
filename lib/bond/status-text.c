/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "bond/status-text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "lacp/lacp.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

static int
compare_names(const void *a_, const void *b_)
{
    const struct bnd_status_member *const *a = a_;
    const struct bnd_status_member *const *b = b_;

    return strcmp((*a)->name, (*b)->name);
}

/* Returns the members in the order of their names; the caller frees. */
static const struct bnd_status_member **
sorted_members(const struct bnd_status *s)
{
    const struct bnd_status_member **sorted = xcalloc(s->n_members + 1,
                                                      sizeof *sorted);

    for (size_t i = 0; i < s->n_members; i++) {
        sorted[i] = &s->members[i];
    }
    qsort(sorted, s->n_members, sizeof *sorted, compare_names);
    return sorted;
}

static const char *
yes_no(bool b, const char *yes, const char *no)
{
    return b ? yes : no;
}

static void
format_header(const char *name, const struct bnd_status *s,
              const struct bnd_status_extra *x, long long int now,
              struct ds *ds)
{
    const struct bnd_status_member *active = bnd_status_active(s);
    /* These two lines tell of settings in the modes of stock OVS. */
    bool lb = x->lb_output && x->datapath_id && s->lb_output;
    bool recirc = (s->recirculates
                   || (x->mechanism && !strcmp(x->mechanism,
                                               "recirculation")));

    ds_put_format(ds, "---- %s ----\n", name);
    ds_put_format(ds, "bond_mode: %s\n", bnd_mode_name(s->mode));
    ds_put_format(ds, "bond may use recirculation: %s, Recirc-ID : %d\n",
                  yes_no(recirc, "yes", "no"),
                  recirc ? (int) x->datapath_id : -1);
    ds_put_format(ds, "bond-hash-basis: %"PRIu32"\n", s->basis);
    ds_put_format(ds, "lb_output action: %s, bond-id: %d\n",
                  yes_no(lb, "enabled", "disabled"),
                  lb ? (int) x->datapath_id : -1);
    if (s->shows_all_active) {
        ds_put_format(ds, "all members active: %s\n",
                      yes_no(s->all_active, "true", "false"));
    }
    ds_put_format(ds, "updelay: %lld ms\n", s->updelay);
    ds_put_format(ds, "downdelay: %lld ms\n", s->downdelay);
    if (s->next_rebalance != BND_NEVER) {
        ds_put_format(ds, "next rebalance: %lld ms\n",
                      MAX(s->next_rebalance - now, 0));
    }
    ds_put_format(ds, "lacp_status: %s\n",
                  bnd_lacp_status_name(s->lacp_status));
    ds_put_format(ds, "lacp_fallback_ab: %s\n",
                  yes_no(s->fallback_configured, "true", "false"));
    ds_put_format(ds, "active-backup primary: %s%s\n",
                  s->primary ? s->primary : "<none>",
                  s->primary && !s->primary_present ? " (no such member)"
                  : "");
    ds_put_format(ds, "active member mac: "BND_MAC_FMT"(%s)\n",
                  BND_MAC_ARGS(s->active_mac), active ? active->name : "none");
}

static void
format_member(const struct bnd_status *s, const struct bnd_status_member *m,
              long long int now, struct ds *ds)
{
    ds_put_format(ds, "\nmember %s: %s\n", m->name,
                  yes_no(m->enabled, "enabled", "disabled"));
    if (m->active) {
        ds_put_cstr(ds, "  active member\n");
    }
    if (m->deadline != BND_NEVER) {
        ds_put_format(ds, "  %s expires in %lld ms\n",
                      yes_no(m->link == BND_LINK_GOING_DOWN,
                             "downdelay", "updelay"), m->deadline - now);
    }
    ds_put_format(ds, "  may_enable: %s\n",
                  yes_no(m->may_enable, "true", "false"));

    for (int i = 0; s->slots && i < BND_N_SLOTS; i++) {
        uint64_t kb = s->slots[i].load / 1024;

        if (s->slots[i].owner == m->id && kb) {
            ds_put_format(ds, "  hash %d: %"PRIu64" kB load\n", i, kb);
        }
    }
}

/* Appends 'lines', which may be null, each with 'what' before it. */
static void
format_lines(const char *what, const char *lines, struct ds *ds)
{
    for (const char *p = lines; p && *p; ) {
        size_t len = strcspn(p, "\n");

        ds_put_format(ds, "config %s: ", what);
        ds_put_buffer(ds, p, len);
        ds_put_char(ds, '\n');
        p += len + (p[len] == '\n');
    }
}

/* Mistakes in the configuration, and what is worth telling of it. */
static void
format_config(const struct bnd_status *s, const struct bnd_status_extra *x,
              struct ds *ds)
{
    size_t start = ds->length;

    format_lines("error", x->errors, ds);
    format_lines("error", s->refusal, ds);
    format_lines("note", x->notes, ds);
    if (ds->length > start) {
        ds_put_char(ds, '\n');
    }
}

/* What stock Open vSwitch does not tell; nothing while all is well. */
static void
format_extra(const struct bnd_status_extra *x, struct ds *ds)
{
    if (x->n_late || x->n_guard) {
        ds_put_format(ds, "late passes: %"PRIu64" of %"PRIu64" (over %lld ms)"
                      ", worst %lld ms, run by the guard: %"PRIu64"\n",
                      x->n_late, x->n_passes, x->late_ms, x->worst_late,
                      x->n_guard);
        ds_put_format(ds, "late PDUs: longest wait %lld ms\n", x->rx_late);
    }
    if (x->n_dropped) {
        ds_put_format(ds, "control frames dropped by the limit: %"PRIu64"\n",
                      x->n_dropped);
    }
    if (x->n_late || x->n_guard || x->n_dropped) {
        ds_put_char(ds, '\n');
    }
}

/* How packets find their member, and how many did. */
static void
format_xmit(const struct bnd_status *s, const struct bnd_status_extra *x,
            const struct bnd_status_member *const sorted[], struct ds *ds)
{
    if (!x->mechanism || x->as_stock) {
        return;
    }
    ds_put_format(ds, "bond_mechanism: %s (%s)", x->mechanism, x->why);
    if (x->datapath_id) {
        ds_put_format(ds, ", id: %"PRIu32, x->datapath_id);
    }
    ds_put_char(ds, '\n');
    if (s->has_policy) {
        ds_put_format(ds, "xmit_hash_policy: %s (%d)%s\n",
                      bnd_policy_name(s->policy), s->policy,
                      yes_no(s->policy_compat, ", formulas of Linux 2.6",
                             ""));
    }
    if (s->has_turns) {
        ds_put_format(ds, "packets_per_slave: %d\n", s->packets_per);
    }
    for (size_t i = 0; i < s->n_members; i++) {
        const struct bnd_status_member *m = sorted[i];

        ds_put_format(ds, "member %s sent %"PRIu64" packets, %"PRIu64
                      " bytes", m->name, m->tx_packets, m->tx_bytes);
        if (s->slots) {
            ds_put_format(ds, "; %"PRIuSIZE" of %"PRIuSIZE" buckets",
                          bnd_status_n_buckets(s, m->id), s->n_slots);
        }
        ds_put_char(ds, '\n');
    }
    ds_put_char(ds, '\n');
}

void
bnd_format_bond(const char *name, const struct bnd_status *s,
                const struct bnd_status_extra *x, long long int now,
                struct ds *ds)
{
    const struct bnd_status_member **sorted = sorted_members(s);

    format_header(name, s, x, now, ds);
    for (size_t i = 0; i < s->n_members; i++) {
        format_member(s, sorted[i], now, ds);
    }
    ds_put_char(ds, '\n');
    format_config(s, x, ds);
    bnd_format_more(s, x, sorted, now, ds);
    bnd_format_lb(s, sorted, now, ds);
    format_xmit(s, x, sorted, ds);
    format_extra(x, ds);
    free(sorted);
}

void
bnd_format_bond_row(const char *name, const struct bnd_status *s,
                    const struct bnd_status_extra *x, struct ds *ds)
{
    ds_put_format(ds, "%s\t%s\t%"PRIu32"\t", name, bnd_mode_name(s->mode),
                  s->has_datapath_id ? x->datapath_id : 0);
    for (size_t i = 0; i < s->n_members; i++) {
        ds_put_format(ds, "%s%s", i ? ", " : "", s->members[i].name);
    }
    ds_put_char(ds, '\n');
}

void
bnd_format_buckets(const char *name, const struct bnd_status *s,
                   const struct bnd_status_extra *x OVS_UNUSED,
                   struct ds *ds)
{
    ds_put_format(ds, "---- %s ----\n", name);
    for (size_t i = 0; s->slots && i < s->n_slots; i++) {
        ds_put_format(ds, "bucket %"PRIuSIZE": %s, %"PRIu64" packets, %"PRIu64
                      " bytes\n", i,
                      bnd_status_member_name(s, s->slots[i].owner, "none"),
                      s->slots[i].tx_packets, s->slots[i].tx_bytes);
    }
}

static void
format_lacp_state(uint8_t state, struct ds *ds)
{
    static const struct {
        uint8_t bit;
        const char *name;
    } bits[] = {
        { BND_LACP_ACTIVITY, "activity" },
        { BND_LACP_TIMEOUT, "timeout" },
        { BND_LACP_AGGREGATION, "aggregation" },
        { BND_LACP_SYNC, "synchronized" },
        { BND_LACP_COLLECTING, "collecting" },
        { BND_LACP_DISTRIBUTING, "distributing" },
        { BND_LACP_DEFAULTED, "defaulted" },
        { BND_LACP_EXPIRED, "expired" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(bits); i++) {
        if (state & bits[i].bit) {
            ds_put_format(ds, " %s", bits[i].name);
        }
    }
    ds_put_char(ds, '\n');
}

static void
format_lacp_info(const char *side, const struct bnd_status_lacp_info *info,
                 struct ds *ds)
{
    ds_put_format(ds, "\n  %s sys_id: "BND_MAC_FMT"\n", side,
                  BND_MAC_ARGS(info->system));
    ds_put_format(ds, "  %s sys_priority: %u\n", side,
                  info->system_priority);
    ds_put_format(ds, "  %s port_id: %u\n", side, info->port_id);
    ds_put_format(ds, "  %s port_priority: %u\n", side, info->port_priority);
    ds_put_format(ds, "  %s key: %u\n", side, info->key);
    ds_put_format(ds, "  %s state:", side);
    format_lacp_state(info->state, ds);
}

void
bnd_format_lacp(const char *name, const struct bnd_status *s, struct ds *ds)
{
    const struct bnd_status_member **sorted = sorted_members(s);

    ds_put_format(ds, "---- %s ----\n", name);
    ds_put_format(ds, "  status: %s%s\n",
                  yes_no(s->lacp_active, "active", "passive"),
                  yes_no(s->lacp_status == BND_LACP_NEGOTIATED,
                         " negotiated", ""));
    ds_put_format(ds, "  sys_id: "BND_MAC_FMT"\n",
                  BND_MAC_ARGS(s->lacp_system));
    ds_put_format(ds, "  sys_priority: %u\n", s->lacp_system_priority);
    ds_put_format(ds, "  aggregation key: %u\n", s->lacp_key);
    ds_put_format(ds, "  lacp_time: %s\n",
                  yes_no(s->lacp_fast, "fast", "slow"));

    for (size_t i = 0; i < s->n_members; i++) {
        const struct bnd_status_lacp_port *p = &sorted[i]->lacp;

        if (!sorted[i]->has_lacp) {
            continue;
        }
        ds_put_format(ds, "\nmember: %s: %s %s\n", sorted[i]->name, p->rx,
                      yes_no(p->attached, "attached", "detached"));
        ds_put_format(ds, "  port_id: %u\n", p->port_id);
        ds_put_format(ds, "  port_priority: %u\n", p->port_priority);
        ds_put_format(ds, "  may_enable: %s\n",
                      yes_no(p->may_enable, "true", "false"));
        format_lacp_info("actor", &p->actor, ds);
        format_lacp_info("partner", &p->partner, ds);
    }
    free(sorted);
}

void
bnd_format_lacp_stats(const char *name, const struct bnd_status *s,
                      struct ds *ds)
{
    const struct bnd_status_member **sorted = sorted_members(s);

    ds_put_format(ds, "---- %s statistics ----\n", name);
    for (size_t i = 0; i < s->n_members; i++) {
        const struct bnd_status_lacp_port *p = &sorted[i]->lacp;

        if (!sorted[i]->has_lacp) {
            continue;
        }
        ds_put_format(ds, "\nmember: %s:\n", sorted[i]->name);
        ds_put_format(ds, "  TX PDUs: %"PRIu32"\n", p->n_tx);
        ds_put_format(ds, "  RX PDUs: %"PRIu32"\n", p->n_rx);
        ds_put_format(ds, "  RX Bad PDUs: %"PRIu32"\n", p->n_bad);
        ds_put_format(ds, "  RX Marker Request PDUs: %"PRIu32"\n",
                      p->n_marker_rx);
        ds_put_format(ds, "  Link Expired: %"PRIu32"\n", p->n_expired);
        ds_put_format(ds, "  Link Defaulted: %"PRIu32"\n", p->n_defaulted);
        ds_put_format(ds, "  Carrier Status Changed: %"PRIu32"\n",
                      p->n_carrier);
    }
    free(sorted);
}
