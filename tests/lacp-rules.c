/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "lacp-rules.h"

#include <string.h>
#include "util.h"
#include "wire/eth.h"

/* At all times. */

static bool
is_ovs(const struct net_system *sys)
{
    return sys->config.flavour == BND_LACP_FLAVOUR_OVS;
}

/* Did the partner of 'port' last say that 'bits' are set, not too long ago,
 * and about us? */
static bool
partner_says(const struct net_port *port, uint8_t bits)
{
    const struct net_heard *h = &port->heard;

    return (h->any && (h->pdu.actor.state & bits) == bits
            && port->system->net->now < h->arrival + h->timeout
            && (h->matched || is_ovs(port->system)));
}

static const struct bnd_lacp_agg_status *
active_aggregator(const struct net_system *sys)
{
    for (int i = 0; i < sys->n_aggs; i++) {
        if (sys->aggs[i].active) {
            return &sys->aggs[i];
        }
    }
    return NULL;
}

/* Does 'port' carry traffic without that a partner has a say? */
static bool
is_on_its_own(const struct net_port *port)
{
    const struct bnd_lacp_agg_status *active
        = active_aggregator(port->system);

    switch (port->system->fallback) {
    case BND_LACP_FB_AB:
    case BND_LACP_FB_ALL:
        return true;
    case BND_LACP_FB_LINUX:
        return port->status.in_active && active && !active->has_partner;
    case BND_LACP_FB_NONE:
    default:
        return false;
    }
}

static bool
is_mux(const struct net_port *port, const char *state)
{
    return !strcmp(port->status.mux_state, state);
}

/* A port that was in use on its own and then meets a partner may go on until
 * both have agreed, as in Linux. */
static void
check_standard(struct net_port *port)
{
    struct net *net = port->system->net;
    const struct bnd_lacp_config *config = &port->system->config;
    const struct bnd_lacp_port_status *s = &port->status;
    uint8_t state = s->actor.state;

    if (is_mux(port, "DISTRIBUTING")
        && !partner_says(port, BND_LACP_SYNC | BND_LACP_COLLECTING)) {
        net_fail(net, "%s: distributing, but the partner is not collecting",
                 port->name);
    }
    if ((is_mux(port, "COLLECTING_DISTRIBUTING") || is_mux(port, "COLLECTING"))
        && !partner_says(port, BND_LACP_SYNC)) {
        net_fail(net, "%s: in use, but the partner is not in sync",
                 port->name);
    }
    if ((state & BND_LACP_DISTRIBUTING && !(state & BND_LACP_COLLECTING))
        || (state & BND_LACP_COLLECTING && !(state & BND_LACP_SYNC))) {
        net_fail(net, "%s: state %#x", port->name, state);
    }

    if (!s->may_enable) {
        port->kept = false;
        return;
    } else if (is_on_its_own(port)) {
        port->kept = true;
        return;
    }
    if (!s->in_active) {
        net_fail(net, "%s: enabled, in an aggregator that is not in use",
                 port->name);
    }
    if (state & BND_LACP_DISTRIBUTING) {
        port->kept = false;
    } else if (!port->kept) {
        net_fail(net, "%s: enabled, but not distributing", port->name);
    }
    if ((config->strict || config->fallback_kind == BND_LACP_FB_NONE)
        && !partner_says(port, BND_LACP_SYNC | BND_LACP_COLLECTING)) {
        net_fail(net, "%s: strictly enabled, but the partner is not"
                 " collecting", port->name);
    }
}

static void
check_ovs(struct net_port *port)
{
    const struct bnd_lacp_port_status *s = &port->status;

    if (s->may_enable && !(s->actor.state & BND_LACP_DISTRIBUTING)) {
        net_fail(port->system->net, "%s: enabled, but not distributing",
                 port->name);
    }
    if (s->may_enable
        && !(port->system->config.fallback && s->rx == BND_LACP_RX_DEFAULTED)
        && !partner_says(port, BND_LACP_SYNC)) {
        net_fail(port->system->net,
                 "%s: enabled, but the partner is not in sync", port->name);
    }
}

static void
check_state(struct net_port *port)
{
    const struct bnd_lacp_port_status *s = &port->status;

    if (s->may_enable && (!port->enabled || port->drained)) {
        net_fail(port->system->net, "%s: enabled %s", port->name,
                 port->drained ? "though drained" : "without a link");
    }
    if (s->may_enable && !s->may_collect) {
        net_fail(port->system->net, "%s: sends but does not take",
                 port->name);
    }
    if (is_ovs(port->system)) {
        check_ovs(port);
    } else {
        check_standard(port);
    }
}

/* Aggregators: one in use at most, ports in those that there are, and no more
 * than allowed that have come farther than to wait. */
static void
check_aggregators(struct net_system *sys)
{
    int n_active = 0;

    for (int i = 0; i < sys->n_aggs; i++) {
        const struct bnd_lacp_agg_status *agg = &sys->aggs[i];
        int n_ports = 0, n_enabled = 0, n_selected = 0;

        n_active += agg->active;
        for (int j = 0; j < sys->n_ports; j++) {
            const struct net_port *port = &sys->ports[j];

            if (!port->exists || port->status.aggregator != agg->id) {
                continue;
            }
            n_ports++;
            n_enabled += port->enabled;
            n_selected += (!port->status.standby && !is_mux(port, "DETACHED")
                           && !is_mux(port, "WAITING"));
            if (port->status.in_active != agg->active) {
                net_fail(sys->net, "%s: is in the aggregator in use, or not?",
                         port->name);
            }
        }
        if (!is_ovs(sys)
            && (n_ports != agg->n_ports || n_enabled != agg->n_enabled)) {
            net_fail(sys->net, "%c: aggregator %u has %d ports, or %d",
                     sys->letter, agg->id, n_ports, agg->n_ports);
        }
        if (!is_ovs(sys) && sys->config.max_links
            && n_selected > sys->config.max_links) {
            net_fail(sys->net, "%c: aggregator %u has %d ports SELECTED, more"
                     " than %d", sys->letter, agg->id, n_selected,
                     sys->config.max_links);
        }
    }
    if (n_active > 1) {
        net_fail(sys->net, "%c: %d aggregators are in use", sys->letter,
                 n_active);
    }
}

/* Without anything special: as many links as min_links wants, of the
 * aggregator in use. */
static void
check_carrier(struct net_system *sys)
{
    const struct bnd_lacp_config *config = &sys->config;
    const struct bnd_lacp_agg_status *active = active_aggregator(sys);
    bool carrier = bnd_lacp_has_carrier(sys->lacp);

    if (!is_ovs(sys) && !config->strict && !config->fallback
        && config->fallback_kind == BND_LACP_FB_LINUX
        && carrier != (active && active->n_enabled >= config->min_links)) {
        net_fail(sys->net, "%c: has %scarrier", sys->letter,
                 carrier ? "" : "no ");
    }
}

/* The OVS flavour lets three LACPDUs pass each second, that of the standard
 * one each 300 ms. */
static void
check_rate(struct net_port *port)
{
    bool ovs = is_ovs(port->system);
    long long int then = port->sent[ovs ? 3 : 1];

    if (then != BND_NEVER && port->sent[0] - then < (ovs ? 1000 : 300)) {
        net_fail(port->system->net, "%s: too many LACPDUs within %lld ms",
                 port->name, port->sent[0] - then);
    }
}

static uint32_t
port_bit(const struct net_port *port)
{
    const struct net_system *sys = port->system;

    return UINT32_C(1) << ((sys - sys->net->systems) * NET_PORTS
                           + (port - sys->ports));
}

static void
check_held(struct net_port *port)
{
    if (port->system->net->held & port_bit(port)
        && !port->status.may_enable) {
        net_fail(port->system->net, "%s: carries no traffic any more",
                 port->name);
    }
}

static void
check_counters(struct net_port *port)
{
    const struct bnd_lacp_port_status *old = &port->seen;
    const struct bnd_lacp_port_status *new = &port->status;
    bool ok = true;

#define COUNTER(NAME) ok &= new->NAME >= old->NAME
    COUNTER(n_tx);
    COUNTER(n_rx);
    COUNTER(n_bad);
    COUNTER(n_marker_rx);
    COUNTER(n_lacpdu_rx);
    COUNTER(n_lacpdu_tx);
    COUNTER(n_unknown_rx);
    COUNTER(n_illegal_rx);
    COUNTER(n_marker_info_rx);
    COUNTER(n_marker_resp_tx);
    COUNTER(n_marker_resp_rx);
    COUNTER(n_marker_unknown_rx);
    COUNTER(n_expired);
    COUNTER(n_defaulted);
    COUNTER(n_carrier);
    COUNTER(n_actor_churn);
    COUNTER(n_partner_churn);
    COUNTER(rx_late_max);
    COUNTER(late.worst_delay);
#undef COUNTER
    if (!ok || new->n_lacpdu_tx != new->n_tx
        || new->n_marker_resp_tx != new->n_marker_info_rx
        || new->n_bad + new->n_marker_rx > new->n_rx
        || (new->n_lacpdu_rx + new->n_unknown_rx + new->n_illegal_rx
            + new->n_marker_rx) > new->n_rx) {
        net_fail(port->system->net, "%s: a counter is wrong", port->name);
    }
}

void
net_rules_ran(struct net *net OVS_UNUSED, struct net_system *sys)
{
    for (int i = 0; i < sys->n_ports; i++) {
        struct net_port *port = &sys->ports[i];

        if (port->exists) {
            check_state(port);
            check_held(port);
            check_rate(port);
            check_counters(port);
            port->seen = port->status;
        }
    }
    check_aggregators(sys);
    check_carrier(sys);
}

/* When all is quiet. */

/* Is there a whole wire from 'port' to another system that is up? */
static bool
is_linked(const struct net_port *port)
{
    const struct net_port *peer = port->peer;

    return (peer && peer->system != port->system
            && net_port_is_up(port) && net_port_is_up(peer));
}

/* Does 'port' speak LACP?  The standard's flavour does not on links of half
 * duplex. */
static bool
is_speaker(const struct net_port *port)
{
    return is_ovs(port->system) || port->full_duplex;
}

/* Will the ends of the wire of 'port' hear each other? */
static bool
will_talk(const struct net_port *port)
{
    return (is_linked(port) && is_speaker(port) && is_speaker(port->peer)
            && (port->system->config.active
                || port->peer->system->config.active));
}

/* May 'a' and 'b', links of one system, be aggregated? */
static bool
is_same_lag(const struct net_port *a, const struct net_port *b)
{
    return (a->peer->system == b->peer->system
            && a->status.actor.key == b->status.actor.key
            && a->peer->status.actor.key == b->peer->status.actor.key);
}

/* Is 'port' one of a system that has links that cannot be aggregated? */
static bool
is_mixed(const struct net_port *port)
{
    const struct net_system *sys = port->system;

    for (int i = 0; i < sys->n_ports; i++) {
        const struct net_port *other = &sys->ports[i];

        if (is_linked(other) && !is_same_lag(port, other)) {
            return true;
        }
    }
    return false;
}

static bool
falls_back(const struct net_port *port)
{
    return is_ovs(port->system) && port->system->config.fallback;
}

/* Does the wire of 'port' never come to rest?
 *
 * Two passive systems forget each other for ever and again.  In the OVS
 * flavour, a link that is not in the aggregator at both ends, or was in it
 * without a partner, may do so, too: who has heard nobody sends each 30 s, and
 * goes on so when somebody has spoken, until he sends again; which is too late
 * for a partner with the short timeout. */
static bool
is_restless_wire(const struct net_port *port)
{
    const struct net_port *peer = port->peer;

    return (is_linked(port)
            && (!will_talk(port)
                || ((is_ovs(port->system) || is_ovs(peer->system))
                    && !(port->status.attached && peer->status.attached)
                    && (is_mixed(port) || is_mixed(peer)
                        || falls_back(port) || falls_back(peer)))));
}

static bool
has_restless_wire(const struct net_system *sys)
{
    for (int i = 0; i < sys->n_ports; i++) {
        if (is_restless_wire(&sys->ports[i])) {
            return true;
        }
    }
    return false;
}

/* Is there a link from 'sys' into 'systems', a mask? */
static bool
has_link_to(const struct net_system *sys, unsigned int systems)
{
    for (int i = 0; i < sys->n_ports; i++) {
        const struct net_port *port = &sys->ports[i];

        if (is_linked(port)
            && systems & 1u << (port->peer->system - sys->net->systems)) {
            return true;
        }
    }
    return false;
}

bool
net_is_restless(const struct net_system *sys)
{
    const struct net *net = sys->net;
    unsigned int restless = 0, old;

    do {
        old = restless;
        for (int i = 0; i < net->n_systems; i++) {
            if (has_restless_wire(&net->systems[i])
                || has_link_to(&net->systems[i], restless)) {
                restless |= 1u << i;
            }
        }
    } while (restless != old);
    return restless & 1u << (sys - net->systems);
}

/* A LACPDU is sent each 30 s at least; the answer comes at once, or when the
 * rate limit lets it; ports wait 2 s for each other; then SYNC, COLLECTING and
 * their answers.  A partner that is gone is forgotten after our timeout, and 3
 * s in EXPIRED.  Links that have just come up begin in EXPIRED, and
 * speak at once, but for the OVS flavour. */
long long int
net_settle_time(const struct net *net, bool bounced)
{
    long long int end, fallback = 0;

    for (int i = 0; i < net->n_systems; i++) {
        const struct net_system *sys = &net->systems[i];

        bounced &= !is_ovs(sys);
        if (sys->config.fallback || sys->config.fallback_kind) {
            fallback = MAX(fallback, sys->config.fallback_timeout);
        }
    }
    end = net->now + (bounced ? 3000 : 30000);

    for (int i = 0; i < net->n_systems; i++) {
        for (int j = 0; j < net->systems[i].n_ports; j++) {
            const struct net_heard *h = &net->systems[i].ports[j].heard;

            if (h->any) {
                end = MAX(end, h->arrival + h->timeout + 3000);
            }
        }
    }
    return end - net->now + fallback + 8000;
}

/* Does 'port' say that it is in sync, to a partner? */
static bool
is_wanted(const struct net_port *port)
{
    return port->status.attached && port->status.in_active;
}

/* What is told without being asked. */
#define TOLD_BITS (BND_LACP_ACTIVITY | BND_LACP_TIMEOUT \
                   | BND_LACP_AGGREGATION | BND_LACP_SYNC)

static void
check_wire(struct net_port *port)
{
    struct net *net = port->system->net;
    struct net_port *peer = port->peer;

    if (port->status.rx != BND_LACP_RX_CURRENT) {
        net_fail(net, "%s: does not hear %s", port->name, peer->name);
    } else if (!bnd_lacp_info_equal(&port->status.partner,
                                    &peer->status.actor, TOLD_BITS)) {
        net_fail(net, "%s: does not know %s as it is", port->name,
                 peer->name);
    } else if (is_wanted(port) && is_wanted(peer)
               && !(port->status.may_enable && peer->status.may_enable)) {
        net_fail(net, "%s and %s are in sync, but not in use", port->name,
                 peer->name);
    } else if (port->status.may_enable && !peer->status.attached
               && !port->kept) {
        net_fail(net, "%s is in use, %s is not in sync", port->name,
                 peer->name);
    }
}

/* Is 'port', or the other end of its wire, in reserve? */
static bool
is_standby(const struct net_port *port)
{
    return port->status.standby || port->peer->status.standby;
}

/* The OVS flavour says that links cannot be aggregated while it has but one;
 * a partner of the other flavour then does not aggregate that with others. */
static void
check_pair(struct net_port *a, struct net_port *b)
{
    bool same = (is_same_lag(a, b)
                 && a->peer->status.actor.state & BND_LACP_AGGREGATION);

    if (!same && is_wanted(a) && is_wanted(b)
        && a->status.aggregator == b->status.aggregator) {
        net_fail(a->system->net, "%s and %s are aggregated", a->name,
                 b->name);
    } else if (same && is_wanted(a) != is_wanted(b)
               && !is_standby(a) && !is_standby(b)) {
        net_fail(a->system->net, "of %s and %s one is in sync", a->name,
                 b->name);
    } else if (same && !is_ovs(a->system)
               && a->status.aggregator != b->status.aggregator) {
        net_fail(a->system->net, "%s and %s are not aggregated", a->name,
                 b->name);
    }
}

/* Ports are not in reserve in vain. */
static void
check_reserve(struct net_system *sys)
{
    for (int i = 0; i < sys->n_aggs; i++) {
        int n_standby = 0, n_attached = 0;

        for (int j = 0; j < sys->n_ports; j++) {
            const struct net_port *port = &sys->ports[j];

            if (port->exists && port->status.aggregator == sys->aggs[i].id) {
                n_standby += port->status.standby;
                n_attached += !port->status.standby;
            }
        }
        if (n_standby && n_attached != sys->config.max_links) {
            net_fail(sys->net, "%c: %d ports in reserve, %d in use",
                     sys->letter, n_standby, n_attached);
        }
    }
}

static void
check_settled(struct net_system *sys)
{
    int n_talking = 0, n_wanted = 0;

    for (int i = 0; i < sys->n_ports; i++) {
        struct net_port *port = &sys->ports[i];

        if (!net_port_is_up(port)) {
            continue;
        }
        n_wanted += port->status.in_active;
        if (!will_talk(port)) {
            if ((!port->peer || port->peer->system == sys)
                && port->status.may_enable && !is_on_its_own(port)) {
                net_fail(sys->net, "%s: in use, but leads nowhere",
                         port->name);
            }
            continue;
        }
        n_talking++;
        check_wire(port);
        for (int j = 0; j < i; j++) {
            if (will_talk(&sys->ports[j])) {
                check_pair(port, &sys->ports[j]);
            }
        }
    }
    if (n_talking && !n_wanted) {
        net_fail(sys->net, "%c: has no aggregator", sys->letter);
    }
    check_reserve(sys);
}

void
net_rules_settled(struct net *net)
{
    for (int i = 0; i < net->n_systems; i++) {
        struct net_system *sys = &net->systems[i];

        if (sys->lacp && !net_is_restless(sys)) {
            check_settled(sys);
        }
    }
}

/* Does 'port' carry traffic by agreement with its partner? */
static bool
is_agreed(const struct net_port *port)
{
    return (will_talk(port) && port->status.may_enable
            && port->status.rx == BND_LACP_RX_CURRENT
            && port->status.actor.state & BND_LACP_DISTRIBUTING);
}

uint32_t
net_in_use(const struct net *net, bool agreed)
{
    uint32_t mask = 0;

    for (int i = 0; i < net->n_systems; i++) {
        const struct net_system *sys = &net->systems[i];

        for (int j = 0; j < sys->n_ports; j++) {
            const struct net_port *port = &sys->ports[j];

            if (!net_is_restless(sys) && port->status.may_enable
                && (!agreed || (is_agreed(port) && is_agreed(port->peer)))) {
                mask |= port_bit(port);
            }
        }
    }
    return mask;
}
