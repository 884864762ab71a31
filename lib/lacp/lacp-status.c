/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "lacp/lacp-private.h"

#include <stdlib.h>
#include "util.h"
#include "wire/eth.h"

#define DEFAULT_PRIORITY 255

/* Answers: what the system says of itself, to its partners and to those who
 * ask.  None of them changes anything. */

const char *
bnd_churn_name(enum bnd_churn churn)
{
    switch (churn) {
#define BND_CHURN_STATE(ENUM, NAME) case BND_CHURN_##ENUM: return NAME;
    BND_CHURN_STATES
#undef BND_CHURN_STATE
    case BND_N_CHURN_STATES:
    default:
        OVS_NOT_REACHED();
    }
}

bool
bnd_lacp_is_negotiated(const struct bnd_lacp *lacp)
{
    if (!bnd_lacp_is_ovs(lacp)) {
        const struct bnd_aggregator *active = bnd_agg_active(lacp);

        return active && bnd_agg_has_partner(active);
    }
    for (size_t i = 0; i < lacp->n_aggs; i++) {
        if (lacp->aggs[i].in_use) {
            return true;
        }
    }
    return false;
}

bool
bnd_lacp_is_loopback(const struct bnd_lacp_port *port)
{
    return ((port->rx == BND_RX_CURRENT || port->rx == BND_RX_EXPIRED)
            && bnd_eth_addr_equal(port->partner.system,
                                  port->lacp->config.system));
}

/* Linux's default takes the place of Open vSwitch's, 65535. */
static uint16_t
port_priority(const struct bnd_lacp_port *port)
{
    uint16_t given = port->config.priority;

    return (port->wanted_priority ? port->wanted_priority
            : bnd_lacp_is_ovs(port->lacp) || (given && given != UINT16_MAX)
            ? given : DEFAULT_PRIORITY);
}

/* In the OVS flavour all ports share one key; in the standard each has one of
 * its own.  The OVS flavour says AGGREGATION only if there are two ports, and
 * COLLECTING and DISTRIBUTING also if no port has a partner. */
struct bnd_lacp_info
bnd_lacp_actor(const struct bnd_lacp_port *port)
{
    const struct bnd_lacp *lacp = port->lacp;
    const struct bnd_lacp_config *config = &lacp->config;
    bool ovs = bnd_lacp_is_ovs(lacp);
    struct bnd_lacp_info info = {
        .system_priority = config->system_priority,
        .system = config->system,
        .key = ovs ? bnd_lacp_default_key(lacp) : port->key,
        .port_priority = port_priority(port),
        .port_id = ovs ? port->config.port_id : port->number,
        .state = port->actor_state,
    };

    info.state |= config->active ? BND_LACP_ACTIVITY : 0;
    info.state |= config->fast ? BND_LACP_TIMEOUT : 0;
    info.state |= !ovs || lacp->n_ports > 1 ? BND_LACP_AGGREGATION : 0;
    if (ovs && !bnd_lacp_is_negotiated(lacp)) {
        info.state |= BND_LACP_COLLECTING | BND_LACP_DISTRIBUTING;
    }
    if (port->drained) {
        info.state &= ~(BND_LACP_SYNC | BND_LACP_COLLECTING
                        | BND_LACP_DISTRIBUTING);
    }
    return info;
}

enum bnd_lacp_status
bnd_lacp_get_status(const struct bnd_lacp *lacp)
{
    return (bnd_lacp_is_negotiated(lacp) ? BND_LACP_NEGOTIATED
            : BND_LACP_CONFIGURED);
}

/* Ports that have no partner are in an aggregator of the OVS flavour only by
 * way of fallback, and then may carry traffic. */
static bool
may_enable(const struct bnd_lacp_port *port)
{
    const struct bnd_lacp *lacp = port->lacp;

    if (bnd_lacp_is_ovs(lacp)) {
        return (port->mux == BND_MUX_DISTRIBUTING
                && (port->rx == BND_RX_DEFAULTED
                    || port->partner.state & BND_LACP_SYNC));
    } else if (!port->enabled || port->drained) {
        return false;
    }
    return (lacp->fallback
            || (port->role && (!bnd_lacp_is_strict(lacp)
                               || port->partner.state
                                  & BND_LACP_COLLECTING)));
}

/* As opposed to Linux, a port that says that it collects does. */
static bool
may_collect(const struct bnd_lacp_port *port)
{
    return (may_enable(port)
            || (!bnd_lacp_is_ovs(port->lacp) && port->enabled
                && !port->drained && port->agg && port->agg->active
                && port->actor_state & BND_LACP_COLLECTING));
}

bool
bnd_lacp_port_may_enable(const struct bnd_lacp *lacp, bnd_id id)
{
    const struct bnd_lacp_port *port = bnd_lacp_find_port(lacp, id);

    return port && may_enable(port);
}

bool
bnd_lacp_port_may_collect(const struct bnd_lacp *lacp, bnd_id id)
{
    const struct bnd_lacp_port *port = bnd_lacp_find_port(lacp, id);

    return port && may_collect(port);
}

static enum bnd_lacp_rx_summary
rx_summary(const struct bnd_lacp_port *port)
{
    switch (port->rx) {
    case BND_RX_CURRENT:
        return BND_LACP_RX_CURRENT;
    case BND_RX_EXPIRED:
        return BND_LACP_RX_EXPIRED;
    case BND_RX_INITIALIZE:
    case BND_RX_PORT_DISABLED:
    case BND_RX_LACP_DISABLED:
    case BND_RX_DEFAULTED:
        return BND_LACP_RX_DEFAULTED;
    case BND_N_RX_STATES:
    default:
        OVS_NOT_REACHED();
    }
}

bool
bnd_lacp_port_is_current(const struct bnd_lacp *lacp, bnd_id id)
{
    const struct bnd_lacp_port *port = bnd_lacp_find_port(lacp, id);

    return port && rx_summary(port) != BND_LACP_RX_DEFAULTED;
}

bool
bnd_lacp_get_port_status(const struct bnd_lacp *lacp, bnd_id id,
                         struct bnd_lacp_port_status *status)
{
    const struct bnd_lacp_port *port = bnd_lacp_find_port(lacp, id);

    if (!port) {
        return false;
    }
    *status = port->stats;
    status->rx = rx_summary(port);
    status->attached = port->actor_state & BND_LACP_SYNC;
    status->may_enable = may_enable(port);
    status->may_collect = may_collect(port);
    status->actor = bnd_lacp_actor(port);
    status->partner = port->partner;
    status->late = port->watch.late;
    status->port_id = status->actor.port_id;
    status->port_priority = status->actor.port_priority;
    status->key = status->actor.key;
    status->aggregator = (port->agg && (status->attached
                                        || !bnd_lacp_is_ovs(lacp))
                          ? port->agg->id : 0);
    status->in_active = (bnd_lacp_is_ovs(lacp) ? status->attached
                         : port->agg && port->agg->active);
    status->individual = (!bnd_lacp_is_ovs(lacp) && port->agg
                          && !bnd_agg_has_partner(port->agg));
    status->standby = port->selected == BND_STANDBY;
    status->rx_state = bnd_rx_state_name(port->rx);
    status->mux_state = bnd_mux_state_name(port->mux);
    status->periodic_state = bnd_periodic_state_name(port->periodic);
    status->actor_churn = port->actor_churn;
    status->partner_churn = port->partner_churn;
    status->n_lacpdu_tx = status->n_tx;
    return true;
}

uint16_t
bnd_lacp_default_key(const struct bnd_lacp *lacp)
{
    const struct bnd_lacp_port_config *first;

    if (!lacp->n_ports) {
        return 0;
    }
    first = &lacp->ports[0]->config;
    return first->key ? first->key : first->port_id;
}

/* Aggregators. */

static struct bnd_lacp_agg_status
agg_status(const struct bnd_lacp *lacp, const struct bnd_aggregator *agg)
{
    struct bnd_lacp_agg_status s = {
        .id = agg->id,
        .active = agg->active || bnd_lacp_is_ovs(lacp),
        .individual = agg->individual || agg->alone,
        .has_partner = bnd_agg_has_partner(agg),
        .n_enabled = bnd_agg_n_enabled(lacp, agg),
        .actor_key = agg->actor_key,
        .partner_key = agg->partner_key,
        .partner_system = agg->partner_system,
        .partner_priority = agg->partner_system_priority,
        .bandwidth = bnd_agg_bandwidth(lacp, agg),
    };

    for (size_t i = 0; i < lacp->n_ports; i++) {
        s.n_ports += lacp->ports[i]->agg == agg;
    }
    return s;
}

size_t
bnd_lacp_get_aggregators(const struct bnd_lacp *lacp,
                         struct bnd_lacp_agg_status **aggs)
{
    bool ovs = bnd_lacp_is_ovs(lacp);
    size_t max = ovs ? lacp->n_aggs : lacp->n_ports;
    size_t n = 0;

    *aggs = xcalloc(max + 1, sizeof **aggs);
    for (size_t i = 0; i < max; i++) {
        struct bnd_lacp_agg_status s
            = agg_status(lacp, ovs ? &lacp->aggs[i] : &lacp->ports[i]->own);

        if (s.n_ports) {
            (*aggs)[n++] = s;
        }
    }
    return n;
}
