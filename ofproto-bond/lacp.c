/* SPDX-License-Identifier: Apache-2.0 */

/* Open vSwitch's lib/lacp.h
 * =========================
 *
 * The interface that ofproto-dpif and its translation call, in terms of an
 * owner.  There is no decision here; the protocol is in lib/lacp.
 *
 * 'struct lacp' may be null wherever OVS says "no LACP on this port". */

#include <config.h>
#include "lacp.h"

#include <stdlib.h>
#include "dp-packet.h"
#include "netdev.h"
#include "netdev-provider.h"
#include "ofproto-bond/handle.h"
#include "ofproto-bond/ob-config.h"
#include "ofproto-bond/owner.h"
#include "ofproto-bond/slow.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(lacp);

void
lacp_init(void)
{
    ob_owners_init();
}

struct lacp *
lacp_create(void)
{
    struct lacp *lacp = xzalloc(sizeof *lacp);

    ovs_refcount_init(&lacp->ref_cnt);
    ob_inbox_init(&lacp->inbox);
    atomic_init(&lacp->heard_since, LLONG_MAX);
    return lacp;
}

struct lacp *
lacp_ref(const struct lacp *lacp_)
{
    struct lacp *lacp = CONST_CAST(struct lacp *, lacp_);

    if (lacp) {
        ovs_refcount_ref(&lacp->ref_cnt);
    }
    return lacp;
}

void
lacp_unref(struct lacp *lacp)
{
    if (lacp && ovs_refcount_unref(&lacp->ref_cnt) == 1) {
        ob_lacp_retire(lacp);
    }
}

void
lacp_configure(struct lacp *lacp, const struct lacp_settings *s)
{
    struct bnd_lacp_config config = {
        .system = s->id,
        .system_priority = s->priority,
        .active = s->active,
        .fast = s->fast,
        .fallback = s->fallback_ab_cfg,
        .flavour = BND_LACP_FLAVOUR_OVS,
    };

    if (!lacp->owner) {
        ob_owner_attach_lacp(ob_owner_get(s->name), lacp);
    }
    if (!lacp->owner->bond) {
        ob_config_lacp(lacp->owner, &config);
    }
    ob_owner_configure_lacp(lacp->owner, &config);
}

bool
lacp_is_active(const struct lacp *lacp)
{
    struct bnd_status_extra extra;
    struct bnd_status status;
    bool active = false;

    if (lacp && lacp->owner) {
        ob_owner_get_status(lacp->owner, &status, &extra);
        active = status.lacp_active;
        bnd_status_uninit(&status);
    }
    return active;
}

/* Translation threads.  The answer "may be enabled now" would have to be
 * decided here, which is not for these threads; the pass that the frame wakes
 * gives it. */
bool
lacp_process_packet(struct lacp *lacp, const void *aux,
                    const struct dp_packet *packet)
{
    if (!ob_slow_hears_all(lacp)) {
        ob_inbox_put(&lacp->inbox, aux, packet, OB_INBOX_NOW);
    }
    return false;
}

enum lacp_status
lacp_status(const struct lacp *lacp)
{
    if (!lacp || !lacp->owner) {
        return LACP_DISABLED;
    }

    switch (ob_owner_lacp_status(lacp->owner)) {
    case BND_LACP_OFF:          /* Configured, but no pass has run yet. */
    case BND_LACP_CONFIGURED:
        return LACP_CONFIGURED;
    case BND_LACP_NEGOTIATED:
        return LACP_NEGOTIATED;
    case BND_N_LACP_STATUSES:
    default:
        OVS_NOT_REACHED();
    }
}

const char *
lacp_status_description(enum lacp_status status)
{
    switch (status) {
    case LACP_DISABLED:
        return bnd_lacp_status_name(BND_LACP_OFF);
    case LACP_CONFIGURED:
        return bnd_lacp_status_name(BND_LACP_CONFIGURED);
    case LACP_NEGOTIATED:
        return bnd_lacp_status_name(BND_LACP_NEGOTIATED);
    default:
        return "<unknown>";
    }
}

/* Members. */

void
lacp_member_register(struct lacp *lacp, void *aux,
                     const struct lacp_member_settings *s)
{
    struct bnd_lacp_port_config config = {
        .port_id = s->id,
        .priority = s->priority,
        .key = s->key,
    };
    struct ob_owner *o = lacp->owner;

    if (o) {
        struct netdev *netdev = netdev_from_name(s->name);

        if (!netdev) {
            VLOG_WARN("member %s: there is no such device", s->name);
        }

        struct ob_member *m = ob_owner_add_member(o, aux, s->name, netdev);
        ob_owner_configure_lacp_port(o, m, &config);
        if (!m->in_lacp) {
            /* OVS will enable the port when LACP lets it, not before. */
            struct bnd_event e = { .type = BND_EV_MAY_ENABLE, .id = m->id };

            m->in_lacp = true;
            m->may_enable = false;
            ob_slow_update(o);  /* Hear what comes from now on. */
            ob_owner_event(o, &e);
        }
        netdev_close(netdev);
    }
}

void
lacp_member_unregister(struct lacp *lacp, const void *aux)
{
    struct ob_owner *o = lacp->owner;
    struct ob_member *m = o ? ob_owner_find_member(o, aux) : NULL;

    if (m) {
        ob_owner_configure_lacp_port(o, m, NULL);
        ob_owner_pass(o, false);        /* The partner may be told of it. */
        ob_slow_close(o, m);
        m->in_lacp = false;
        ob_owner_release_member(o, m);
    }
}

/* The owner watches the devices itself (sense.c) and so has heard of it, or is
 * about to. */
void
lacp_member_carrier_changed(const struct lacp *lacp OVS_UNUSED,
                            const void *aux OVS_UNUSED,
                            bool carrier_up OVS_UNUSED)
{
}

bool
lacp_member_may_enable(const struct lacp *lacp, const void *aux)
{
    return !lacp || (lacp->owner
                     && ob_owner_lacp_may_enable(lacp->owner, aux));
}

bool
lacp_member_is_current(const struct lacp *lacp, const void *aux)
{
    return (lacp && lacp->owner
            && ob_owner_lacp_is_current(lacp->owner, aux));
}

bool
lacp_get_member_stats(const struct lacp *lacp, const void *aux,
                      struct lacp_member_stats *stats)
{
    struct bnd_lacp_port_status ps;

    if (!lacp || !lacp->owner
        || !ob_owner_lacp_port_status(lacp->owner, aux, &ps)) {
        return false;
    }

    memset(stats, 0, sizeof *stats);
    stats->dot3adAggPortActorSystemID = ps.actor.system;
    stats->dot3adAggPortPartnerOperSystemID = ps.partner.system;
    /* As stock OVS, which has one aggregator and knows it by its key. */
    stats->dot3adAggPortAttachedAggID = ps.actor.key;
    stats->dot3adAggPortActorAdminState
        = ps.actor.state & (BND_LACP_ACTIVITY | BND_LACP_TIMEOUT
                            | BND_LACP_AGGREGATION);
    stats->dot3adAggPortActorOperState = ps.actor.state;
    stats->dot3adAggPortPartnerAdminState = 0;
    stats->dot3adAggPortPartnerOperState = ps.partner.state;
    stats->dot3adAggPortStatsLACPDUsRx = ps.n_rx;
    stats->dot3adAggPortStatsIllegalRx = ps.n_bad;
    stats->dot3adAggPortStatsLACPDUsTx = ps.n_tx;
    return true;
}

/* Main loop.  The pass sends its frames itself, since another thread than this
 * one may run it; 'send' is not needed. */

void
lacp_run(struct lacp *lacp, lacp_send_pdu *send OVS_UNUSED)
{
    if (lacp->owner) {
        ob_owner_run(lacp->owner);
    }
}

void
lacp_wait(struct lacp *lacp)
{
    if (lacp->owner) {
        ob_owner_wait(lacp->owner);
    }
}
