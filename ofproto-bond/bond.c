/* SPDX-License-Identifier: Apache-2.0 */

/* Open vSwitch's ofproto/bond.h
 * =============================
 *
 * The interface that ofproto-dpif, its translation and its caches call, in
 * terms of an owner.  There is no decision here.  What the packet path calls
 * stands in xlate.c. */

#include <config.h>
#include "ofproto/bond.h"

#include <stdlib.h>
#include "dp-packet.h"
#include "flow.h"
#include "lacp.h"
#include "netdev.h"
#include "odp-util.h"
#include "ofproto-bond/attach.h"
#include "ofproto-bond/buckets.h"
#include "ofproto-bond/groups.h"
#include "ofproto-bond/handle.h"
#include "ofproto-bond/hosts.h"
#include "ofproto-bond/ob-config.h"
#include "ofproto-bond/owner.h"
#include "policy/policy.h"
#include "timeval.h"
#include "util.h"

/* Buckets are read no more often than this, ms. */
#define ACCOUNT_INTERVAL 1000

BUILD_ASSERT_DECL((int) BND_ACCEPT == (int) BV_ACCEPT);
BUILD_ASSERT_DECL((int) BND_DROP == (int) BV_DROP);
BUILD_ASSERT_DECL((int) BND_DROP_IF_MOVED == (int) BV_DROP_IF_MOVED);

/* Modes that OVS knows, in the engine's words and in its own. */
static const struct {
    enum bnd_mode mode;
    enum bond_mode balance;
} ovs_modes[] = {
    { BND_MODE_AB, BM_AB },
    { BND_MODE_SLB, BM_SLB },
    { BND_MODE_TCP, BM_TCP },
};

static enum bnd_mode
mode_from_ovs(enum bond_mode balance)
{
    for (size_t i = 0; i < ARRAY_SIZE(ovs_modes); i++) {
        if (ovs_modes[i].balance == balance) {
            return ovs_modes[i].mode;
        }
    }
    OVS_NOT_REACHED();
}

void
bond_init(void)
{
    ob_owners_init();
}

bool
bond_mode_from_string(enum bond_mode *balance, const char *s)
{
    enum bnd_mode mode;

    if (bnd_mode_from_name(s, &mode)) {
        for (size_t i = 0; i < ARRAY_SIZE(ovs_modes); i++) {
            if (ovs_modes[i].mode == mode) {
                *balance = ovs_modes[i].balance;
                return true;
            }
        }
    }
    return false;
}

const char *
bond_mode_to_string(enum bond_mode balance)
{
    return bnd_mode_name(mode_from_ovs(balance));
}

/* Settings. */

void
ob_bond_settings(const struct bond_settings *s, struct bnd_settings *out)
{
    bnd_settings_init(out);
    bnd_settings_set_num(out, BND_OPT_MODE, mode_from_ovs(s->balance));
    bnd_settings_set_num(out, BND_OPT_UPDELAY, s->up_delay);
    bnd_settings_set_num(out, BND_OPT_DOWNDELAY, s->down_delay);
    bnd_settings_set_num(out, BND_OPT_HASH_BASIS, s->basis);
    bnd_settings_set_num(out, BND_OPT_REBALANCE, s->rebalance_interval);
    bnd_settings_set_num(out, BND_OPT_ALL_ACTIVE, s->all_members_active);
    if (s->use_lb_output_action) {
        bnd_settings_set_num(out, BND_OPT_LB_OUTPUT, true);
    }
    bnd_settings_set_num(out, BND_OPT_FALLBACK, s->lacp_fallback_ab_cfg);
    if (s->primary) {
        bnd_settings_set_str(out, BND_OPT_PRIMARY, s->primary);
    }
}

static bool
configure(struct bond *bond, const struct bond_settings *s)
{
    struct ob_owner *o = bond->owner;
    struct bnd_settings settings;
    bool changed;

    ob_bond_settings(s, &settings);
    ob_config_overlay(o, &settings);

    const struct bnd_mode_class *class
        = bnd_policy_get(bnd_settings_mode(&settings));
    changed = ob_owner_configure(o, &settings);
    o->announces = class->traits & BND_MT_ANNOUNCE;
    atomic_store_relaxed(&bond->sources.exact,
                         bnd_settings_num(&settings,
                                          BND_OPT_ANNOUNCE_SOURCES));
    bnd_settings_uninit(&settings);
    ob_sources_update(o);

    ob_buckets_want_id(o->buckets, bond,
                       class->traits & BND_MT_DATAPATH_ID);
    if (class->traits & (BND_MT_ANNOUNCE | BND_MT_REPORT)) {
        ob_hosts_start();
    }
    if (class->traits & BND_MT_REPORT) {
        ob_groups_start();
    }
    return changed;
}

struct bond *
bond_create(const struct bond_settings *s, struct ofproto_dpif *ofproto)
{
    struct bond *bond = xzalloc(sizeof *bond);
    struct ob_owner *o = ob_owner_get(s->name);

    ovs_refcount_init(&bond->ref_cnt);
    ovsrcu_init(&bond->view, NULL);
    atomic_init(&bond->recirc_id, 0);
    atomic_init(&bond->lb_output, false);
    ob_sources_init(&bond->sources);
    ob_inbox_init(&bond->inbox);
    ovsrcu_init(&bond->lb_rules, NULL);
    for (int i = 0; i < OB_N_PLACES; i++) {
        atomic_init(&bond->bytes[i], 0);
        atomic_init(&bond->packets[i], 0);
    }
    bond->is_dummy = ob_attach_is_dummy(ofproto);
    for (uint32_t i = 1; i < OB_N_QUEUES; i++) {
        bond->priority[i] = ob_attach_queue_priority(ofproto, i);
    }

    ob_owner_set_sticky(o, s->active_member_mac);
    ob_owner_attach_bond(o, bond, ofproto);
    configure(bond, s);
    return bond;
}

bool
bond_reconfigure(struct bond *bond, const struct bond_settings *s)
{
    return bond->owner && configure(bond, s);
}

struct bond *
bond_ref(const struct bond *bond_)
{
    struct bond *bond = CONST_CAST(struct bond *, bond_);

    if (bond) {
        ovs_refcount_ref(&bond->ref_cnt);
        if (!ob_bond_view(bond)
            && bond->owner && !bond->owner->lacp) {
            /* Translation is about to use a bond for the first time (and we
             * are on the main thread).  Its members are all registered: do
             * not let it drop packets until bond_run() comes.  With LACP it
             * must drop them anyway, and the first LACPDUs would be lost, as
             * translation does not know the ports yet. */
            ob_host_list_run(bond->owner);
            ob_owner_pass(bond->owner, false);
        }
    }
    return bond;
}

void
bond_unref(struct bond *bond)
{
    if (bond && ovs_refcount_unref(&bond->ref_cnt) == 1) {
        ob_bond_retire(bond);
    }
}

/* Members. */

void
bond_member_register(struct bond *bond, void *aux, ofp_port_t ofport,
                     struct netdev *netdev)
{
    struct ob_owner *o = bond->owner;

    if (o) {
        struct ob_member *m = ob_owner_add_member(o, aux,
                                                  netdev_get_name(netdev),
                                                  netdev);
        m->in_bond = true;
        ob_owner_set_netdev(o, m, netdev);
        if (m->ofp_port != ofport || m->odp_port == ODPP_NONE) {
            ob_owner_set_ports(o, m, ofport,
                               ob_buckets_odp_port(o->buckets, netdev));
        }
        ob_sources_update(o);
    }
}

void
bond_member_set_netdev(struct bond *bond, void *aux, struct netdev *netdev)
{
    struct ob_owner *o = bond->owner;
    struct ob_member *m = o ? ob_owner_find_member(o, aux) : NULL;

    if (m) {
        ob_owner_set_netdev(o, m, netdev);
    }
}

void
bond_member_unregister(struct bond *bond, const void *aux)
{
    struct ob_owner *o = bond->owner;
    struct ob_member *m = o ? ob_owner_find_member(o, aux) : NULL;

    if (m) {
        ob_buckets_forget_port(o->buckets, m->ofp_port);
        m->in_bond = false;
        ob_sources_update(o);
        ob_owner_release_member(o, m);
    }
}

/* OVS calls this from translation too, but only when lacp_process_packet()
 * returned true, which ours does not; so this is the main thread. */
void
bond_member_set_may_enable(struct bond *bond, void *aux, bool may_enable)
{
    struct ob_owner *o = bond->owner;
    struct ob_member *m = o ? ob_owner_find_member(o, aux) : NULL;

    if (m && m->may_enable != may_enable) {
        struct bnd_event e = { .type = BND_EV_MAY_ENABLE, .id = m->id,
                               .on = may_enable };

        m->may_enable = may_enable;
        ob_owner_event(o, &e);
    }
}

/* Main loop. */

bool
bond_run(struct bond *bond, enum lacp_status lacp_status)
{
    struct ob_owner *o = bond->owner;

    if (!o) {
        return false;
    }
    if (lacp_status == LACP_DISABLED && o->lacp) {
        /* The bundle has dropped LACP.  Others may go on to refer to it until
         * flows are revalidated, for which they wait for us. */
        ob_owner_detach_lacp(o);
    }
    ob_owner_run(o);
    return ob_owner_take_revalidate(o);
}

void
bond_wait(struct bond *bond)
{
    if (bond->owner) {
        ob_owner_wait(bond->owner);
    }
}

/* Returns a constant that names the mechanism in use, or null. */
static const char *
mechanism(const struct ob_owner *o)
{
    const char *name, *why;
    bool as_stock;

    ob_buckets_describe(o->buckets, &name, &why, &as_stock);
    return name;
}

/* The revalidators have just brought all counters up to date. */
void
bond_rebalance(struct bond *bond)
{
    struct ob_owner *o = bond->owner;
    long long int now = time_msec();

    if (o && ob_owner_account_is_due(o, now)) {
        uint64_t bytes[OB_N_PLACES] = { 0 };
        struct bnd_event e = { .type = BND_EV_TX_BYTES, .bytes = bytes,
                               .host_bytes = &bytes[OB_HOST_PLACE(0)] };

        o->next_account = now + ACCOUNT_INTERVAL;
        ob_buckets_account(o->buckets, bond, bytes);
        e.unbalanced = bytes[OB_UNBALANCED];
        ob_owner_event(o, &e);
    }
    if (o) {
        const char *before = mechanism(o);

        /* All flows have been translated anew, none refers to the past. */
        if (ob_buckets_settle(o->buckets, bond)) {
            ob_owner_want_revalidate(o);
        }
        if (mechanism(o) != before) {
            ob_owner_status_changed(o);
        }
    }
}

bool
bond_should_send_learning_packets(struct bond *bond OVS_UNUSED)
{
    return false;               /* We do it ourselves: announce.h. */
}

bool
bond_get_changed_active_member(const char *name, struct eth_addr *mac,
                               bool force)
{
    struct ob_owner *o = ob_owner_find(name);

    if (!o || !o->bond) {
        return false;
    }
    ob_owner_write(o);
    if (ob_owner_take_active_changed(o) || force) {
        *mac = ob_owner_active_mac(o);
        return true;
    }
    return false;
}
