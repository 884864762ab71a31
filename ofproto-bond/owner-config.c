/* SPDX-License-Identifier: Apache-2.0 */

/* The owner's ears for Open vSwitch: handles that come and go, settings, LACP,
 * members and their ports.  Main thread throughout; see owner.h. */

#include <config.h>
#include "ofproto-bond/owner-private.h"

#include <stdlib.h>
#include <string.h>
#include "monitor/probe.h"
#include "netdev.h"
#include "odp-util.h"
#include "ofproto-bond/buckets.h"
#include "ofproto-bond/bundles.h"
#include "ofproto-bond/carrier.h"
#include "ofproto-bond/cuts.h"
#include "ofproto-bond/device.h"
#include "ofproto-bond/fastpath.h"
#include "ofproto-bond/guard.h"
#include "ofproto-bond/handle.h"
#include "ofproto-bond/hosts.h"
#include "ofproto-bond/keep.h"
#include "ofproto-bond/listen.h"
#include "ofproto-bond/ob-config.h"
#include "ofproto-bond/sense.h"
#include "ofproto-bond/slow.h"
#include "ofproto-bond/taps.h"

/* Handles. */

void
ob_owner_attach_bond(struct ob_owner *o, struct bond *bond,
                     struct ofproto_dpif *ofproto)
{
    if (o->bond) {
        ob_owner_detach_bond(o);
    }
    if (!o->had_bond) {
        struct ob_past past;

        ob_sense_get_past(o, NULL, &past);
        ovs_mutex_lock(&o->mutex);
        bnd_set_address_hint(o->engine, past.bond_mac);
        ovs_mutex_unlock(&o->mutex);
    }
    ovs_mutex_lock(&o->mutex);
    o->bond = bond;
    ob_owner_status_changed__(o);
    o->had_bond = true;
    bond->owner = o;
    ovs_mutex_unlock(&o->mutex);
    o->buckets = ob_buckets_create(ofproto);
    ob_guard_start();
    ob_carrier_start();
}

/* Takes members that are registered nowhere any more off their ports, but
 * remembers them. */
static void
remember_members(struct ob_owner *o)
{
    for (size_t i = 0; i < o->n_members; i++) {
        struct ob_member *m = &o->members[i];

        if (m->aux && !m->in_bond && !m->in_lacp) {
            struct bnd_event e = { .type = BND_EV_MEMBER_DEL, .id = m->id,
                                   .del = { .remember = true } };

            ob_owner_event(o, &e);
            ovs_mutex_lock(&o->mutex);
            ovs_mutex_lock(&o->tx_mutex);
            m->aux = NULL;
            o->has_absent = true;
            ovs_mutex_unlock(&o->tx_mutex);
            ovs_mutex_unlock(&o->mutex);
            ob_owner_set_netdev(o, m, NULL);
        }
    }
}

void
ob_owner_detach_bond(struct ob_owner *o)
{
    struct bond *bond = o->bond;

    ob_sources_remove(bond);
    ob_listen_stop(bond);
    ob_owner_update_taps(o);
    ob_buckets_destroy(o->buckets, bond);
    o->buckets = NULL;

    ovs_mutex_lock(&ob_host_mutex);     /* Not under a sender's feet. */
    ovs_mutex_lock(&o->mutex);
    bnd_reconfigure(o->engine, NULL, ob_owner_now(o), &o->fx);
    ob_bond_publish(bond, NULL);
    bond->owner = NULL;
    o->bond = NULL;
    ob_owner_status_changed__(o);
    for (size_t i = 0; i < o->n_members; i++) {
        o->members[i].in_bond = false;
        o->members[i].ofp_port = OFPP_NONE;
        o->members[i].odp_port = ODPP_NONE;
    }
    ob_owner_touched(o);
    ovs_mutex_unlock(&o->mutex);
    ovs_mutex_unlock(&ob_host_mutex);
    o->host.wanted = false;
    remember_members(o);
    ob_owner_pass(o, false);
    ob_device_run(o);           /* Nobody else may be there to do it. */
}

void
ob_owner_attach_lacp(struct ob_owner *o, struct lacp *lacp)
{
    if (o->lacp) {
        ob_owner_detach_lacp(o);
    }
    ovs_mutex_lock(&o->mutex);
    o->lacp = lacp;
    lacp->owner = o;
    ovs_mutex_unlock(&o->mutex);
    atomic_count_inc(&ob_n_lacp);
    ob_guard_start();
    ob_keep_restore(o);
    ob_keep_start();
}

void
ob_owner_detach_lacp(struct ob_owner *o)
{
    ob_slow_close_all(o);
    ovs_mutex_lock(&o->mutex);
    bnd_set_lacp(o->engine, NULL, ob_owner_now(o));
    o->lacp->owner = NULL;
    o->lacp = NULL;
    atomic_count_dec(&ob_n_lacp);
    /* Let OVS ask again whether the ports may be enabled. */
    o->todo_connectivity = true;
    ob_owner_touched(o);
    ovs_mutex_unlock(&o->mutex);

    for (size_t i = 0; i < o->n_members; i++) {
        o->members[i].in_lacp = false;
    }
    remember_members(o);
    ob_owner_pass(o, false);
}

bool
ob_owner_configure(struct ob_owner *o, const struct bnd_settings *settings)
{
    bool changed;

    ovs_mutex_lock(&o->mutex);
    size_t before = o->fx.n;
    bnd_reconfigure(o->engine, settings, ob_owner_now(o), &o->fx);
    o->announce_rate = bnd_settings_num(settings, BND_OPT_ANNOUNCE_RATE);
    changed = o->fx.n > before;
    if (changed) {
        ob_owner_status_changed__(o);
    }
    ob_owner_touched(o);
    ovs_mutex_unlock(&o->mutex);
    ob_sense_configure(o, settings);
    ob_device_configure(o, settings);
    ob_host_list_configure(o);
    o->ears_stale = true;

    /* The way to detect a link (bond-detect-mode) may be another one now, of
     * which devices say nothing. */
    for (size_t i = 0; i < o->n_members; i++) {
        o->members[i].change_seq = 0;
    }
    return changed;
}

/* LACP. */

void
ob_owner_configure_lacp(struct ob_owner *o,
                        const struct bnd_lacp_config *config)
{
    ovs_mutex_lock(&o->mutex);
    bnd_set_lacp(o->engine, config, ob_owner_now(o));
    ob_owner_touched(o);
    ovs_mutex_unlock(&o->mutex);
}

void
ob_owner_configure_lacp_port(struct ob_owner *o, struct ob_member *m,
                             const struct bnd_lacp_port_config *config)
{
    ovs_mutex_lock(&o->mutex);
    bnd_set_lacp_port(o->engine, m->id, config, ob_owner_now(o), &o->fx);
    ob_owner_touched(o);
    ovs_mutex_unlock(&o->mutex);
}

enum bnd_lacp_status
ob_owner_lacp_status(struct ob_owner *o)
{
    int status;

    atomic_read_relaxed(&o->lacp_status, &status);
    return status;
}

bool
ob_owner_lacp_may_enable(struct ob_owner *o, const void *aux)
{
    struct ob_member *m = ob_owner_find_member(o, aux);
    bool may_enable = false;

    if (m) {
        atomic_read_relaxed(&m->lacp_ok, &may_enable);
    }
    return may_enable;
}

bool
ob_owner_lacp_is_current(struct ob_owner *o, const void *aux)
{
    struct ob_member *m = ob_owner_find_member(o, aux);
    bool current = false;

    if (m) {
        atomic_read_relaxed(&m->lacp_current, &current);
    }
    return current;
}

const struct ofproto_dpif *
ob_owner_ofproto(const struct ob_owner *o)
{
    return o->bond ? ob_buckets_ofproto(o->buckets) : NULL;
}

unsigned int
ob_owner_announce_rate(const struct ob_owner *o)
{
    return o->announce_rate;
}

bool
ob_owner_lacp_port_status(struct ob_owner *o, const void *aux,
                          struct bnd_lacp_port_status *ps)
{
    const struct ob_member *m = ob_owner_find_member(o, aux);
    bool ok = false;

    if (m) {
        ovs_mutex_lock(&o->mutex);
        ok = bnd_member_lacp_status(o->engine, m->id, ps);
        ovs_mutex_unlock(&o->mutex);
    }
    return ok;
}

/* Members. */

struct ob_member *
ob_owner_find_member(struct ob_owner *o, const void *aux)
{
    for (size_t i = 0; i < o->n_members; i++) {
        if (o->members[i].aux == aux) {
            return aux ? &o->members[i] : NULL;
        }
    }
    return NULL;
}

struct ob_member *
ob_owner_member_by_name(struct ob_owner *o, const char *name)
{
    for (size_t i = 0; i < o->n_members; i++) {
        if (!strcmp(o->members[i].name, name) && o->members[i].aux) {
            return &o->members[i];
        }
    }
    return NULL;
}

/* Returns the entry for a member called 'name' that has no port: a remembered
 * one, else a new one. */
static struct ob_member *
vacant_member(struct ob_owner *o, const char *name)
    OVS_REQUIRES(o->mutex, o->tx_mutex)
{
    for (size_t i = 0; i < o->n_members; i++) {
        if (!o->members[i].aux && !strcmp(o->members[i].name, name)) {
            return &o->members[i];
        }
    }

    o->members = xrealloc(o->members,
                          (o->n_members + 1) * sizeof *o->members);

    struct ob_member *m = &o->members[o->n_members++];
    memset(m, 0, sizeof *m);
    m->id = o->next_id++;
    m->tap = m->slow = -1;
    m->name = xstrdup(name);
    return m;
}

/* Has Open vSwitch begun to remove the bond of 'o', and its members with it? */
static bool
bond_goes(const struct ob_owner *o)
{
    return o->bond && o->bond->bundle && !ob_bundles_find(o->bond->bundle);
}

/* Takes entry 'm' out of the list. */
static void
forget_member(struct ob_owner *o, struct ob_member *m)
{
    struct bnd_event e = { .type = BND_EV_MEMBER_DEL, .id = m->id,
                           .del = { .bond_goes = bond_goes(o) } };

    ob_slow_close(o, m);

    struct ob_member gone = *m;

    ob_owner_event(o, &e);

    ovs_mutex_lock(&o->mutex);
    ovs_mutex_lock(&o->tx_mutex);
    size_t i = m - o->members;
    memmove(m, m + 1, (o->n_members - i - 1) * sizeof *m);
    o->n_members--;
    ovs_mutex_unlock(&o->tx_mutex);
    ovs_mutex_unlock(&o->mutex);

    o->ears_stale = true;
    ob_device_release(&gone);
    ob_device_members_changed(o);
    ob_sense_set_netdev(&gone, NULL);
    netdev_close(gone.counted);
    ob_tap_close(gone.tap);
    free(gone.name);
}

void
ob_owner_update_taps(struct ob_owner *o)
{
    bool any = ob_listen_to_any(o);

    for (size_t i = 0; i < o->n_members; i++) {
        struct ob_member *m = &o->members[i];
        bool wanted = (o->bond && ob_listen_has_taps(o->bond) && m->in_bond
                       && m->netdev);

        if (wanted != (m->tap >= 0)) {
            int tap = wanted ? ob_tap_open(m->netdev, OB_TAP_PROBES) : -1;

            ovs_mutex_lock(&o->mutex);
            ovs_mutex_lock(&o->tx_mutex);
            ob_tap_close(m->tap);
            m->tap = tap;
            ovs_mutex_unlock(&o->tx_mutex);
            ovs_mutex_unlock(&o->mutex);
        }
        if (m->tap >= 0) {
            ob_tap_listen_for(m->tap, any, o->host.targets,
                              o->host.n_targets);
        }
    }
}

/* Gives 'm' the device 'netdev', which may be null. */
static void
set_netdev(struct ob_owner *o, struct ob_member *m, struct netdev *netdev)
{
    struct netdev *old;

    ob_slow_close(o, m);
    ovs_mutex_lock(&o->mutex);
    ovs_mutex_lock(&o->tx_mutex);
    old = m->counted;
    m->counted = netdev_ref(netdev);
    ob_tap_close(m->tap);       /* Another one comes with the ears. */
    m->tap = -1;
    o->ears_stale = true;
    ovs_mutex_unlock(&o->tx_mutex);
    ovs_mutex_unlock(&o->mutex);
    netdev_close(old);
    ob_sense_set_netdev(m, netdev);
}

struct ob_member *
ob_owner_add_member(struct ob_owner *o, const void *aux, const char *name,
                    struct netdev *netdev)
{
    struct ob_member *m = ob_owner_find_member(o, aux);

    if (m && strcmp(m->name, name)) {
        /* OVS freed the port behind our back and made another one there. */
        forget_member(o, m);
        m = NULL;
    }
    if (!m) {
        ovs_mutex_lock(&o->mutex);
        ovs_mutex_lock(&o->tx_mutex);
        m = vacant_member(o, name);
        m->aux = aux;
        m->ofp_port = OFPP_NONE;
        m->odp_port = ODPP_NONE;
        m->may_enable = true;
        ovs_mutex_unlock(&o->tx_mutex);
        ovs_mutex_unlock(&o->mutex);

        set_netdev(o, m, netdev);
        ob_sense_read(o, m);
        m->replaced = false;
        ob_device_members_changed(o);

        struct bnd_event e = {
            .type = BND_EV_MEMBER_ADD,
            .id = m->id,
            .add = { .name = name, .facts = m->facts,
                     .perm_mac = m->perm_mac },
        };
        ob_owner_event(o, &e);
        ob_config_member(o, m);
    }
    return m;
}

void
ob_owner_release_member(struct ob_owner *o, struct ob_member *m)
{
    if (!m->in_bond && !m->in_lacp) {
        forget_member(o, m);
        /* Readers must not find the port any more once we return. */
        ob_owner_pass(o, false);
        ob_owners_member_left();
        for (size_t i = 0; i < o->n_members; i++) {
            if (o->members[i].in_bond) {
                return;
            }
        }
        ob_buckets_clear(o->buckets, o->bond);
    }
}

void
ob_owner_set_netdev(struct ob_owner *o, struct ob_member *m,
                    struct netdev *netdev)
{
    if (netdev != m->netdev) {
        /* What was heard of the old device says nothing of the new one. */
        ovs_mutex_lock(&o->mutex);
        if (o->bond && o->bond->fast) {
            ob_fast_cut(o->bond->fast, m->id, false);
        }
        ob_cut_heard(m, true);
        ovs_mutex_unlock(&o->mutex);
        ob_device_release(m);
        ob_device_members_changed(o);
        set_netdev(o, m, netdev);
    }
}

void
ob_owner_set_ports(struct ob_owner *o, struct ob_member *m,
                   ofp_port_t ofp_port, odp_port_t odp_port)
{
    if (m->ofp_port != ofp_port || m->odp_port != odp_port) {
        bool known = m->ofp_port != OFPP_NONE;

        ovs_mutex_lock(&o->mutex);
        m->ofp_port = ofp_port;
        m->odp_port = odp_port;
        o->ears_stale = true;
        if (known && o->bond) {
            ob_bond_publish(o->bond, bnd_make_view(o->engine));
            o->todo_view = true;
        }
        ovs_mutex_unlock(&o->mutex);
    }
}

void
ob_owner_set_sticky(struct ob_owner *o, struct eth_addr mac)
{
    if (!o->had_bond) {
        ovs_mutex_lock(&o->mutex);
        bnd_set_sticky(o->engine, mac);
        ovs_mutex_unlock(&o->mutex);
    }
}

struct eth_addr
ob_owner_active_mac(struct ob_owner *o)
{
    struct eth_addr mac;

    ovs_mutex_lock(&o->mutex);
    mac = bnd_active_mac(o->engine);
    ovs_mutex_unlock(&o->mutex);
    return mac;
}

bool
ob_owner_account_is_due(struct ob_owner *o, long long int now)
{
    bool due;

    ovs_mutex_lock(&o->mutex);
    due = (bnd_is_balanced(o->engine)
           && (now >= o->next_account
               || now >= bnd_next_rebalance(o->engine)));
    ovs_mutex_unlock(&o->mutex);
    return due;
}

void
ob_owner_event(struct ob_owner *o, const struct bnd_event *e)
{
    ovs_mutex_lock(&o->mutex);
    ob_cut_note_told(o, e);
    bnd_event(o->engine, e, ob_owner_now(o), &o->fx);
    ob_owner_touched(o);
    ovs_mutex_unlock(&o->mutex);
}

/* Forgets remembered members that the new configuration does not have. */
void
ob_owner_drop_absent_members(struct ob_owner *o)
{
    for (size_t i = 0; i < o->n_members; ) {
        if (o->members[i].aux) {
            i++;
        } else {
            forget_member(o, &o->members[i]);
        }
    }
    o->has_absent = false;
}
