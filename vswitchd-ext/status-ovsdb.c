/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "vswitchd-ext/status-ovsdb.h"

#include <inttypes.h>
#include <stdlib.h>
#include "ofproto-bond/device.h"
#include "ofproto-bond/ethtool.h"
#include "ofproto-bond/owner.h"
#include "ofproto-bond/sense.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/shash.h"
#include "ovsdb-idl.h"
#include "packets.h"
#include "smap.h"
#include "timeval.h"
#include "util.h"
#include "vswitch-idl.h"
#include "vswitchd-ext/config-ovsdb.h"

/* Statistics are written no more often than this, ms. */
#define STATS_INTERVAL 1000

/* What the row of a bond shall say. */
struct bond_row {
    bool bonded;                /* Is it a bond just now? */
    bool seen;                  /* To be kept after the present sweep. */
    bool know;                  /* 'seq' and 'status' mean something. */
    bool write_status;          /* To be written. */
    bool write_stats;
    uint64_t seq;               /* Of the owner when 'status' was made. */
    struct smap status;
};

static struct shash rows = SHASH_INITIALIZER(&rows);
static struct ovsdb_idl_txn *txn;
static bool failed;             /* Write all that we have again. */
static unsigned int seen_seq;   /* Of all owners, at the last sweep. */
static long long int next_stats; /* When to look at statistics again, ms. */

static struct bond_row *
get_row(const char *name)
{
    struct bond_row *row = shash_find_data(&rows, name);

    if (!row) {
        row = xzalloc(sizeof *row);
        smap_init(&row->status);
        shash_add(&rows, name, row);
    }
    return row;
}

static void
delete_row(struct shash_node *node)
{
    struct bond_row *row = node->data;

    smap_destroy(&row->status);
    free(row);
    shash_delete(&rows, node);
}

/* Status. */

/* Adds the lines of 'errors' and 'refusal', either of which may be null. */
static void
add_errors(struct smap *smap, const char *errors, const char *refusal)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    for (const char *p = errors; p && *p; p++) {
        if (*p != '\n') {
            ds_put_char(&ds, *p);
        } else if (p[1]) {
            ds_put_cstr(&ds, "; ");
        }
    }
    if (refusal) {
        ds_put_format(&ds, "%s%s", ds.length ? "; " : "", refusal);
    }
    smap_add_nocopy(smap, xstrdup("bond_error"), ds_steal_cstr(&ds));
}

/* What the next daemon has to know of what we have changed, see find_past(). */
static void
add_past(const struct bnd_status *s, struct smap *smap)
{
    if (!eth_addr_is_zero(s->mac)) {
        smap_add_format(smap, "bond_address", ETH_ADDR_FMT,
                        ETH_ADDR_ARGS(s->mac));
    }
    for (size_t i = 0; i < s->n_members; i++) {
        const struct bnd_status_member *m = &s->members[i];

        if (m->mac_changed) {
            smap_add_nocopy(smap, xasprintf("%s_perm_hwaddr", m->name),
                            xasprintf(ETH_ADDR_FMT,
                                      ETH_ADDR_ARGS(m->perm_mac)));
        }
        if (m->own_mtu) {
            smap_add_nocopy(smap, xasprintf("%s_own_mtu", m->name),
                            xasprintf("%d", m->own_mtu));
        }
    }
}

/* Is 'mac', which 'member' has at present, that of another interface of
 * 'port', or the one that the bond is to have?  Then we have put it there,
 * but the database, which has been restarted too, does not know any more. */
static bool
is_borrowed(const struct ovsrec_port *port, const char *member,
            struct eth_addr mac)
{
    const char *address = smap_get_def(&port->other_config, "bond-address",
                                       "");
    struct eth_addr other;

    if (eth_addr_from_string(address, &other)
        && eth_addr_equals(mac, other)) {
        return true;
    }
    for (size_t i = 0; i < port->n_interfaces; i++) {
        const char *name = port->interfaces[i]->name;

        if (strcmp(name, member)
            && ((!ob_ethtool_mac(name, &other)
                 && eth_addr_equals(mac, other))
                || (!ob_ethtool_perm_mac(name, &other)
                    && eth_addr_equals(mac, other)))) {
            return true;
        }
    }
    return false;
}

/* Finds what was before the daemon started.  Of the address of a device the
 * database knows best; failing that, the device itself, if it does not look as
 * if the operator had chosen another one. */
static void
find_past(const char *bond, const char *member, struct eth_addr mac,
          struct ob_past *past)
{
    const struct ovsrec_port *port = bx_find_port(bond);
    struct eth_addr perm;
    char *key;

    if (!port) {
        return;
    }
    if (!member) {
        eth_addr_from_string(smap_get_def(&port->status, "bond_address", ""),
                             &past->bond_mac);
        return;
    }

    key = xasprintf("%s_perm_hwaddr", member);
    if (!eth_addr_from_string(smap_get_def(&port->status, key, ""),
                              &past->perm_mac)
        && !ob_ethtool_perm_mac(member, &perm)
        && !eth_addr_equals(perm, mac)
        && is_borrowed(port, member, mac)) {
        past->perm_mac = perm;
    }
    free(key);
    key = xasprintf("%s_own_mtu", member);
    past->own_mtu = smap_get_int(&port->status, key, 0);
    free(key);
}

/* Is 'member' one of a bond 'port'? */
static bool
has_member(const struct ovsrec_port *port, const char *member)
{
    for (size_t i = 0; i < port->n_interfaces; i++) {
        if (!strcmp(port->interfaces[i]->name, member)) {
            return port->n_interfaces > 1;
        }
    }
    return false;
}

/* Returns the member of which 'key' tells, with 'suffix' after its name, for
 * the caller to free; or null if there is none, or it is still in the bond
 * 'port', or gone altogether. */
static char *
former_member(const struct ovsrec_port *port, const char *key,
              const char *suffix)
{
    size_t len = strlen(key);
    size_t cut = strlen(suffix);
    struct eth_addr mac;

    if (len <= cut || strcmp(key + len - cut, suffix)) {
        return NULL;
    }
    char *member = xmemdup0(key, len - cut);
    if (has_member(port, member) || ob_ethtool_mac(member, &mac)) {
        free(member);
        return NULL;
    }
    return member;
}

/* Gives members that left while no daemon ran, or whose bond has become an
 * ordinary port, back what they had.  To be called before Open vSwitch empties
 * the status of ports. */
static void
settle_past(struct ovsdb_idl *idl)
{
    const struct ovsrec_port *port;

    OVSREC_PORT_FOR_EACH (port, idl) {
        const struct smap_node *node;

        SMAP_FOR_EACH (node, &port->status) {
            char *member = former_member(port, node->key, "_perm_hwaddr");
            struct eth_addr mac;

            if (member && eth_addr_from_string(node->value, &mac)) {
                ob_device_give_back(member, mac, 0);
            }
            free(member);

            member = former_member(port, node->key, "_own_mtu");
            if (member) {
                ob_device_give_back(member, eth_addr_zero, atoi(node->value));
            }
            free(member);
        }
    }
}

void
bx_status_read(struct ovsdb_idl *idl)
{
    static bool settled;

    if (!settled && ovsdb_idl_has_ever_connected(idl)
        && ovsdb_idl_has_lock(idl)) {
        settled = true;
        settle_past(idl);
    }
}

static void
add_lacp(const struct bnd_status *s, struct smap *smap)
{
    const struct bnd_status_aggregator *agg;
    struct ds alarms = DS_EMPTY_INITIALIZER;
    int n;

    smap_add(smap, "bond_carrier", s->carrier ? "up" : "down");
    smap_add(smap, "bond_lacp_status", bnd_lacp_status_name(s->lacp_status));
    if (s->lacp_fallback) {
        smap_add(smap, "bond_lacp_fallback", s->lacp_fallback);
    }
    agg = bnd_status_active_agg(s, &n);
    if (agg) {
        smap_add_format(smap, "bond_ad_aggregator", "%"PRIu32, agg->id);
        smap_add_format(smap, "bond_ad_num_ports", "%d", n);
        smap_add_format(smap, "bond_ad_partner_mac", ETH_ADDR_FMT,
                        ETH_ADDR_ARGS(agg->partner_system));
    }
    for (size_t i = 0; i < s->n_members; i++) {
        const struct bnd_status_member *m = &s->members[i];

        if (m->has_lacp && (m->lacp.late.silent || m->lacp.late.overdue)) {
            ds_put_format(&alarms, "%s%s %s", alarms.length ? ", " : "",
                          m->name, (m->lacp.late.silent ? "partner silent"
                                    : "overdue"));
        }
    }
    if (alarms.length) {
        smap_add(smap, "bond_lacp_late", ds_cstr(&alarms));
    }
    ds_destroy(&alarms);
}

static void
make_status(const struct bnd_status *s, const struct bnd_status_extra *x,
            struct smap *smap)
{
    const struct bnd_failover *last = bnd_status_last_failover(s);
    size_t n_up = 0;

    smap_add(smap, "bond_mode", bnd_mode_name(s->mode));
    if (x->mechanism) {
        smap_add(smap, "bond_mechanism", x->mechanism);
    }
    for (size_t i = 0; i < s->n_members; i++) {
        n_up += s->members[i].enabled;
        if (s->members[i].active) {
            smap_replace(smap, "bond_active_member", s->members[i].name);
        }
    }
    smap_add_format(smap, "bond_members_up", "%"PRIuSIZE, n_up);
    if (last) {
        smap_add_nocopy(smap, xstrdup("bond_last_failover"),
                        xastrftime_msec("%Y-%m-%dT%H:%M:%S.###Z", last->wall,
                                        true));
        smap_add(smap, "bond_last_failover_cause",
                 bnd_cause_name(last->cause));
    }
    if (x->errors || s->refusal) {
        add_errors(smap, x->errors, s->refusal);
    }
    if (s->has_lacp) {
        add_lacp(s, smap);
    }
    add_past(s, smap);
}

/* Brings 'row' up to date with 'o'. */
static void
refresh(struct ob_owner *o, struct bond_row *row)
{
    uint64_t seq = ob_owner_status_seq(o);

    if (row->know && row->seq == seq) {
        return;
    }
    row->know = true;
    row->seq = seq;

    struct smap status = SMAP_INITIALIZER(&status);
    bool was = row->bonded;
    row->bonded = o->bond != NULL;
    if (row->bonded) {
        struct bnd_status_extra extra;
        struct bnd_status s;

        ob_owner_get_brief(o, &s, &extra);
        make_status(&s, &extra, &status);
        bnd_status_uninit(&s);
    }
    row->write_status = row->bonded && (row->write_status
                                        || !smap_equal(&status, &row->status));
    row->write_stats |= was || row->bonded;
    smap_destroy(&row->status);
    row->status = status;
    hmap_moved(&row->status.map);
}

/* Statistics. */

struct stats {
    const char **keys;          /* Owned, as 'free_keys' too. */
    char **free_keys;
    int64_t *values;
    size_t n, n_free;
};

static void
add_stat(struct stats *st, const char *key, uint64_t value)
{
    st->keys[st->n] = key;
    st->values[st->n++] = MIN(value, INT64_MAX);
}

static void
add_member_stat(struct stats *st, const char *member, const char *what,
                uint64_t value)
{
    char *key = xasprintf("%s_%s", member, what);

    st->free_keys[st->n_free++] = key;
    add_stat(st, key, value);
}

static void
write_stats(struct ob_owner *o, const struct ovsrec_port *port)
{
    struct bnd_status_extra x;
    struct bnd_status s;
    struct stats st;

    ob_owner_get_counters(o, &s, &x);
    memset(&st, 0, sizeof st);
    st.keys = xcalloc(3 + 2 * s.n_members, sizeof *st.keys);
    st.free_keys = xcalloc(1 + 2 * s.n_members, sizeof *st.free_keys);
    st.values = xcalloc(3 + 2 * s.n_members, sizeof *st.values);

    add_stat(&st, "bond_failovers", s.n_failovers);
    if (x.has_tx) {
        add_stat(&st, "bond_tx_packets", x.tx_packets);
        add_stat(&st, "bond_tx_bytes", x.tx_bytes);
    }
    for (size_t i = 0; i < s.n_members; i++) {
        const struct bnd_status_member *m = &s.members[i];

        add_member_stat(&st, m->name, "link_failures", m->n_failures);
        if (m->has_tx) {
            add_member_stat(&st, m->name, "tx_bytes", m->tx_bytes);
        }
    }
    ovsrec_port_set_statistics(port, st.keys, st.values, st.n);

    for (size_t i = 0; i < st.n_free; i++) {
        free(st.free_keys[i]);
    }
    free(st.keys);
    free(st.free_keys);
    free(st.values);
    bnd_status_uninit(&s);
}

/* The sweep. */

struct sweep {
    struct ovsdb_idl *idl;
    bool stats;                 /* It is time for statistics. */
    struct ovsdb_idl_txn *txn;  /* Null until there is something to write. */
};

/* Does the row in the database lack what ours has?  It may, if a transaction
 * failed, or overtook another one; or have what it should not any more?  Of a
 * port that is no bond Open vSwitch writes the status. */
static bool
has_drifted(const struct bond_row *row, const struct ovsrec_port *port)
{
    return (row->bonded
            ? !smap_equal(&port->status, &row->status)
            : smap_get_node(&port->status, "bond_mode") != NULL);
}

static void
sweep_one(struct ob_owner *o, void *sweep_)
{
    struct sweep *sweep = sweep_;
    struct bond_row *row = shash_find_data(&rows, o->name);

    if (!row && !o->bond) {
        return;                 /* Never was a bond. */
    }
    row = row ? row : get_row(o->name);
    row->seen = true;
    refresh(o, row);
    if (!row->write_status && !sweep->stats) {
        return;
    }

    const struct ovsrec_port *port = bx_find_port(o->name);
    if (!port) {
        return;
    }
    bool stats = sweep->stats && (row->write_stats || row->bonded);
    bool status = (row->write_status
                   || (sweep->stats && has_drifted(row, port)));
    if (sweep->stats && !row->bonded) {
        row->seen = status || stats;    /* Done with it. */
    }
    if (!sweep->txn && (status || stats)) {
        sweep->txn = ovsdb_idl_txn_create(sweep->idl);
    }
    if (status) {
        ovsrec_port_set_status(port, &row->status);
        row->write_status = false;
    }
    if (stats) {
        if (row->bonded) {
            write_stats(o, port);
        } else {
            ovsrec_port_set_statistics(port, NULL, NULL, 0);
        }
        row->write_stats = false;
    }
}

static void
sweep_all(struct sweep *sweep)
{
    struct shash_node *node;

    SHASH_FOR_EACH (node, &rows) {
        struct bond_row *row = node->data;

        row->seen = false;
        row->write_stats |= failed;
    }
    failed = false;
    ob_owners_for_each(sweep_one, sweep);
    SHASH_FOR_EACH_SAFE (node, &rows) {
        if (!((struct bond_row *) node->data)->seen) {
            delete_row(node);
        }
    }
}

static void
commit(void)
{
    enum ovsdb_idl_txn_status status = ovsdb_idl_txn_commit(txn);

    if (status != TXN_INCOMPLETE) {
        ovsdb_idl_txn_destroy(txn);
        txn = NULL;
        failed = status != TXN_SUCCESS && status != TXN_UNCHANGED;
    }
}

void
bx_status_run(struct ovsdb_idl *idl)
{
    if (txn) {
        commit();
    }
    if (txn || !ovsdb_idl_has_lock(idl)) {
        return;
    }

    struct sweep sweep = { .idl = idl, .stats = time_msec() >= next_stats };
    unsigned int seq = ob_owners_status_seq();
    if (seq == seen_seq && (!sweep.stats || shash_is_empty(&rows))) {
        return;
    }
    seen_seq = seq;
    if (sweep.stats) {
        next_stats = time_msec() + STATS_INTERVAL;
    }
    sweep_all(&sweep);
    if (sweep.txn) {
        txn = sweep.txn;
        commit();
    }
}

void
bx_status_wait(struct ovsdb_idl *idl)
{
    if (txn) {
        ovsdb_idl_txn_wait(txn);
    } else if (ovsdb_idl_has_lock(idl)) {
        if (ob_owners_status_seq() != seen_seq) {
            poll_immediate_wake();
        } else if (!shash_is_empty(&rows)) {
            poll_timer_wait_until(next_stats);
        }
    }
}

/* Open vSwitch writes the row of 'o' just now and has emptied its status. */
static void
write_along(struct ob_owner *o)
{
    const struct ovsrec_port *port = bx_find_port(o->name);

    if (port) {
        struct bond_row *row = get_row(o->name);

        refresh(o, row);
        ovsrec_port_set_status(port, &row->status);
        row->write_status = false;
    }
}

void
bx_status_init(void)
{
    ob_owners_set_writer(write_along);
    ob_sense_set_past(find_past);
}

void
bx_status_exit(void)
{
    struct shash_node *node;

    SHASH_FOR_EACH_SAFE (node, &rows) {
        delete_row(node);
    }
    if (txn) {
        ovsdb_idl_txn_destroy(txn);
        txn = NULL;
    }
    ob_owners_set_writer(NULL);
}
