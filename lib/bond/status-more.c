/* SPDX-License-Identifier: Apache-2.0 */

/* What bond/show tells of options and links that stock Open vSwitch does not
 * have.  Where nobody asked for any of them, and the datapath is the one of
 * Open vSwitch's own tests, that is nothing. */

#include <config.h>
#include "bond/status-text.h"

#include <inttypes.h>
#include <string.h>
#include "openvswitch/dynamic-string.h"
#include "util.h"

/* Options that stock Open vSwitch has, too, and shows as it likes. */
static const char *const stock_options[] = {
    "all-members-active",
    "detect-mode",
    "downdelay",
    "hash-basis",
    "lacp-fallback-ab",
    "lb-output",
    "mode",
    "primary",
    "rebalance-interval",
    "updelay",
};

static bool
is_stock_option(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(stock_options); i++) {
        if (!strcmp(name, stock_options[i])) {
            return true;
        }
    }
    return false;
}

/* Is anything asked for that stock Open vSwitch does not know? */
static bool
asks_for_ours(const struct bnd_status *s)
{
    for (size_t i = 0; i < s->n_options; i++) {
        if (s->options[i].given && !is_stock_option(s->options[i].name)) {
            return true;
        }
    }
    for (size_t i = 0; i < s->n_members; i++) {
        const struct bnd_member_options *o = &s->members[i].options;

        if (o->prio || o->queue_id || o->admin != BND_ADMIN_UP) {
            return true;
        }
    }
    return false;
}

/* A line for option 'name' if it was given. */
static void
format_given(const struct bnd_status *s, const char *name, const char *label,
             struct ds *ds)
{
    if (bnd_status_is_given(s, name)) {
        ds_put_format(ds, "%s: %s\n", label, bnd_status_option(s, name));
    }
}

/* Has the bond an address of its own? */
static bool
has_mac(const struct bnd_status *s)
{
    static const struct eth_addr zero;

    return memcmp(&s->mac, &zero, sizeof zero);
}

static void
format_options(const struct bnd_status *s, struct ds *ds)
{
    ds_put_format(ds, "mii_status: %s\n", s->carrier ? "up" : "down");
    if (s->miimon) {
        ds_put_format(ds, "monitor: miimon, every %lld ms, use_carrier: %s\n",
                      s->miimon, bnd_status_option(s, "use-carrier"));
    } else if (!s->n_probes || s->combine) {
        ds_put_cstr(ds, "monitor: carrier events (miimon: 0)\n");
    }
    bnd_format_probe_monitors(s, ds);
    if (s->primary_present || bnd_status_is_given(s, "primary-reselect")) {
        ds_put_format(ds, "primary_reselect: %s\n",
                      bnd_status_option(s, "primary-reselect"));
    }
    if (s->mac_policy) {
        ds_put_format(ds, "fail_over_mac: %s%s\n", s->mac_policy,
                      s->mac_forced ? " (as a member cannot change its "
                      "address)" : "");
    }
    if (has_mac(s)) {
        ds_put_format(ds, "address: "BND_MAC_FMT"\n", BND_MAC_ARGS(s->mac));
    }
    if (s->all_active && !s->shows_all_active) {
        ds_put_cstr(ds, "all_slaves_active: true\n");
    }
    format_given(s, "num-grat-arp", "num_grat_arp", ds);
    ds_put_format(ds, "peer_notif_delay: %lld ms\n", s->peer_notif_delay);
    format_given(s, "resend-igmp", "resend_igmp", ds);
}

static void
format_link(const struct bnd_status_member *m, long long int now,
            struct ds *ds)
{
    ds_put_format(ds, "link of %s: %s", m->name,
                  bnd_link_state_name(m->link));
    if (m->speed_mbps) {
        ds_put_format(ds, ", %"PRIu32" Mbps", m->speed_mbps);
    }
    if (m->duplex != BND_DUPLEX_UNKNOWN) {
        ds_put_format(ds, ", %s duplex", bnd_duplex_name(m->duplex));
    }
    ds_put_format(ds, ", link failures: %"PRIu32", permanent address: "
                  BND_MAC_FMT", queue_id: %u", m->n_failures,
                  BND_MAC_ARGS(m->perm_mac), m->options.queue_id);
    if (m->options.prio) {
        ds_put_format(ds, ", prio: %"PRId32, m->options.prio);
    }
    if (m->options.admin != BND_ADMIN_UP) {
        ds_put_format(ds, ", admin: %s", bnd_admin_name(m->options.admin));
        if (m->drain_end != BND_NEVER) {
            ds_put_format(ds, " (%lld ms left)",
                          MAX(m->drain_end - now, 0));
        } else if (m->out) {
            ds_put_cstr(ds, " (out of use)");
        }
    }
    if (m->mac_trouble != BND_MAC_FINE) {
        ds_put_format(ds, ", address: "BND_MAC_FMT", not as it should be: %s",
                      BND_MAC_ARGS(m->mac),
                      bnd_mac_trouble_name(m->mac_trouble));
    }
    ds_put_char(ds, '\n');
}

static void
format_failover(const struct bnd_status *s, struct ds *ds)
{
    const struct bnd_failover *f = bnd_status_last_failover(s);

    if (f) {
        ds_put_cstr(ds, "last failover: ");
        bnd_format_time(f->wall, ds);
        ds_put_format(ds, ", %s to %s, cause: %s, number %"PRIu32"\n",
                      f->from ? f->from : "none", f->to ? f->to : "none",
                      bnd_cause_name(f->cause), s->n_failovers);
    }
}

void
bnd_format_more(const struct bnd_status *s, const struct bnd_status_extra *x,
                const struct bnd_status_member *const sorted[],
                long long int now, struct ds *ds)
{
    if ((!x->mechanism || x->as_stock) && !asks_for_ours(s)) {
        return;
    }
    format_options(s, ds);
    for (size_t i = 0; i < s->n_members; i++) {
        format_link(sorted[i], now, ds);
        bnd_format_probes(s, x, sorted[i], now, ds);
    }
    bnd_format_more_lacp(s, sorted, ds);
    format_failover(s, ds);
    ds_put_char(ds, '\n');
}
