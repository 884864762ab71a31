/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "lacp/lacp-private.h"

#include <stdlib.h>
#include <string.h>
#include "util.h"
#include "core/deadline.h"
#include "core/effects.h"
#include "wire/eth.h"

/* The system: ports and aggregators, the order of the machines, wake time and
 * status.  The order of a run is that of the data: what Receive has learned,
 * whom Selection Logic chooses, what Mux makes of it, and only then what there
 * is to tell the partner.  Nothing later changes the input of something
 * earlier, but for Periodic, which waits for Transmit. */

#define N_AGGREGATORS 1

/* System. */

struct bnd_lacp *
bnd_lacp_create(const struct bnd_lacp_config *config, long long int now)
{
    struct bnd_lacp *lacp = xzalloc(sizeof *lacp);

    lacp->config = *config;
    lacp->now = now;
    lacp->last_run = now;
    lacp->n_aggs = N_AGGREGATORS;
    lacp->aggs = xcalloc(lacp->n_aggs, sizeof *lacp->aggs);
    for (size_t i = 0; i < lacp->n_aggs; i++) {
        lacp->aggs[i].id = i + 1;
    }
    return lacp;
}

static void
port_destroy(struct bnd_lacp_port *port)
{
    free(port->name);
    free(port);
}

void
bnd_lacp_destroy(struct bnd_lacp *lacp)
{
    if (lacp) {
        for (size_t i = 0; i < lacp->n_ports; i++) {
            port_destroy(lacp->ports[i]);
        }
        free(lacp->ports);
        free(lacp->aggs);
        free(lacp);
    }
}

/* Something comes in at 'now', so that there is reason to run. */
static void
take_in(struct bnd_lacp *lacp, long long int now)
{
    lacp->now = MAX(lacp->now, now);
    lacp->dirty = true;
}

/* What we announce follows from the configuration by itself.  A partner that
 * is in doubt about us answers, so no port has to be restarted. */
void
bnd_lacp_configure(struct bnd_lacp *lacp,
                   const struct bnd_lacp_config *config, long long int now)
{
    const struct bnd_lacp_config old = lacp->config;

    take_in(lacp, now);
    lacp->config = *config;
    if (!bnd_eth_addr_equal(old.system, config->system)
        || old.system_priority != config->system_priority
        || old.fallback != config->fallback) {
        lacp->reselect = true;
    }
    if (old.flavour != config->flavour) {
        for (size_t i = 0; i < lacp->n_ports; i++) {
            lacp->ports[i]->begin = true;
        }
    }
}

/* Ports. */

static struct bnd_lacp_port *
find_port(const struct bnd_lacp *lacp, bnd_id id)
{
    for (size_t i = 0; i < lacp->n_ports; i++) {
        if (lacp->ports[i]->id == id) {
            return lacp->ports[i];
        }
    }
    return NULL;
}

static struct bnd_lacp_port *
port_create(struct bnd_lacp *lacp, bnd_id id)
{
    struct bnd_lacp_port *port = xzalloc(sizeof *port);

    port->id = id;
    port->lacp = lacp;
    port->carrier = true;
    port->lacp_enabled = true;
    port->begin = true;
    port->current_while = BND_NEVER;
    port->wait_while = BND_NEVER;
    port->periodic_timer = lacp->now; /* A LACPDU is due from the start. */
    for (size_t i = 0; i < ARRAY_SIZE(port->sent); i++) {
        port->sent[i] = BND_NEVER;
    }

    lacp->ports = xrealloc(lacp->ports,
                           (lacp->n_ports + 1) * sizeof *lacp->ports);
    lacp->ports[lacp->n_ports++] = port;
    lacp->reselect = true;
    return port;
}

static void
set_name(struct bnd_lacp_port *port, const char *name)
{
    if (!port->name || strcmp(port->name, name)) {
        free(port->name);
        port->name = xstrdup(name);
    }
}

void
bnd_lacp_port_set(struct bnd_lacp *lacp, bnd_id id, const char *name,
                  const struct bnd_lacp_port_config *config,
                  long long int now)
{
    struct bnd_lacp_port *port = find_port(lacp, id);

    take_in(lacp, now);
    if (!port) {
        port = port_create(lacp, id);
    } else if (port->config.port_id != config->port_id
               || port->config.priority != config->priority
               || port->config.key != config->key) {
        port->restart = true;
        lacp->reselect = true;
    }
    set_name(port, name);
    port->config = *config;
}

void
bnd_lacp_port_del(struct bnd_lacp *lacp, bnd_id id)
{
    for (size_t i = 0; i < lacp->n_ports; i++) {
        if (lacp->ports[i]->id == id) {
            port_destroy(lacp->ports[i]);
            memmove(&lacp->ports[i], &lacp->ports[i + 1],
                    (lacp->n_ports - i - 1) * sizeof *lacp->ports);
            lacp->n_ports--;
            lacp->reselect = true;
            lacp->dirty = true;
            return;
        }
    }
}

bool
bnd_lacp_has_port(const struct bnd_lacp *lacp, bnd_id id)
{
    return find_port(lacp, id) != NULL;
}

void
bnd_lacp_port_set_mac(struct bnd_lacp *lacp, bnd_id id, struct eth_addr mac)
{
    struct bnd_lacp_port *port = find_port(lacp, id);

    if (port) {
        port->mac = mac;
    }
}

void
bnd_lacp_port_set_enabled(struct bnd_lacp *lacp, bnd_id id, bool enabled,
                          long long int now)
{
    struct bnd_lacp_port *port = find_port(lacp, id);

    if (port && port->enabled != enabled) {
        take_in(lacp, now);
        port->enabled = enabled;
    }
}

void
bnd_lacp_port_set_carrier(struct bnd_lacp *lacp, bnd_id id, bool carrier,
                          long long int now)
{
    struct bnd_lacp_port *port = find_port(lacp, id);

    if (port && port->carrier != carrier) {
        take_in(lacp, now);
        port->carrier = carrier;
    }
}

void
bnd_lacp_port_set_drained(struct bnd_lacp *lacp, bnd_id id, bool drained,
                          long long int now)
{
    struct bnd_lacp_port *port = find_port(lacp, id);

    if (port && port->drained != drained) {
        take_in(lacp, now);
        port->drained = drained;
        lacp->reselect = true;
    }
}

void
bnd_lacp_port_carrier_changed(struct bnd_lacp *lacp, bnd_id id,
                              long long int now)
{
    struct bnd_lacp_port *port = find_port(lacp, id);

    take_in(lacp, now);
    if (port) {
        port->stats.n_carrier++;
        port->restart = true;
    }
}

/* Frames. */

static enum bnd_drop_reason
receive_lacpdu(struct bnd_lacp_port *port, struct bnd_cursor body,
               long long int arrival, long long int now,
               struct bnd_effects *fx)
{
    struct bnd_lacpdu pdu;
    enum bnd_drop_reason reason = bnd_lacpdu_decode(body, &pdu);

    if (reason != BND_DROP_NONE) {
        port->stats.n_bad++;
        return reason;
    }
    if (port->begin || port->restart) {
        /* What happened before the LACPDU came. */
        bnd_rx_step(port, NULL, arrival, arrival, fx);
    }
    if (!port->enabled || !port->lacp_enabled) {
        return BND_DROP_DISABLED;
    }
    if (!bnd_lacp_is_ovs(port->lacp)
        && bnd_eth_addr_equal(pdu.actor.system, port->lacp->config.system)) {
        bnd_fx_trace(fx, BND_TRACE_LOOPBACK, now, port->id, port->name);
        return BND_DROP_LOOPBACK;
    }
    bnd_rx_step(port, &pdu, arrival, now, fx);
    return BND_DROP_NONE;
}

enum bnd_drop_reason
bnd_lacp_receive(struct bnd_lacp *lacp, bnd_id id, const uint8_t *frame,
                 size_t len, long long int arrival, long long int now,
                 struct bnd_effects *fx)
{
    struct bnd_lacp_port *port = find_port(lacp, id);
    struct bnd_cursor body;
    uint8_t subtype;

    take_in(lacp, now);
    if (!port) {
        return BND_DROP_NO_MEMBER;
    }

    port->stats.n_rx++;
    port->stats.rx_late_max = MAX(port->stats.rx_late_max, now - arrival);

    enum bnd_drop_reason reason = bnd_slow_open(frame, len, &body, &subtype);
    if (reason != BND_DROP_NONE) {
        port->stats.n_bad++;
        return reason;
    }
    return (subtype == BND_SLOW_MARKER
            ? bnd_marker_receive(port, body, fx)
            : receive_lacpdu(port, body, arrival, now, fx));
}

/* Runs. */

void
bnd_lacp_run(struct bnd_lacp *lacp, long long int now,
             struct bnd_effects *fx)
{
    lacp->now = MAX(lacp->now, now);
    lacp->dirty = false;
    for (size_t i = 0; i < lacp->n_ports; i++) {
        bnd_rx_step(lacp->ports[i], NULL, now, now, fx);
        /* A port that Receive took out of its aggregator leaves it before
         * Selection Logic may put it into one. */
        bnd_mux_step(lacp->ports[i], now, fx);
    }
    bnd_lacp_select(lacp, now, fx);
    for (size_t i = 0; i < lacp->n_ports; i++) {
        bnd_mux_step(lacp->ports[i], now, fx);
    }
    for (size_t i = 0; i < lacp->n_ports; i++) {
        bnd_periodic_step(lacp->ports[i], now, fx);
        bnd_tx_step(lacp->ports[i], now, fx);
        bnd_periodic_step(lacp->ports[i], now, fx);
    }
    lacp->last_run = now;
}

static long long int
port_wake_time(const struct bnd_lacp_port *port)
{
    long long int wake = port->current_while;

    wake = bnd_deadline_min(wake, bnd_mux_wake_time(port));
    wake = bnd_deadline_min(wake, bnd_periodic_wake_time(port));
    return bnd_deadline_min(wake, bnd_tx_wake_time(port));
}

long long int
bnd_lacp_wake_time(const struct bnd_lacp *lacp)
{
    long long int wake = BND_NEVER;

    if (lacp->dirty) {
        return lacp->now;
    }
    for (size_t i = 0; i < lacp->n_ports; i++) {
        wake = bnd_deadline_min(wake, port_wake_time(lacp->ports[i]));
    }
    return wake;
}

/* Answers. */

bool
bnd_lacp_is_negotiated(const struct bnd_lacp *lacp)
{
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

/* In the OVS flavour all ports share one key; in the standard a port may have
 * one of its own.  The OVS flavour says AGGREGATION only if there are two
 * ports, and COLLECTING and DISTRIBUTING also if no port has a partner. */
struct bnd_lacp_info
bnd_lacp_actor(const struct bnd_lacp_port *port)
{
    const struct bnd_lacp *lacp = port->lacp;
    const struct bnd_lacp_config *config = &lacp->config;
    bool ovs = bnd_lacp_is_ovs(lacp);
    struct bnd_lacp_info info = {
        .system_priority = config->system_priority,
        .system = config->system,
        .key = (!ovs && port->config.key ? port->config.key
                : bnd_lacp_default_key(lacp)),
        .port_priority = port->config.priority,
        .port_id = port->config.port_id,
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
    return (port->mux == BND_MUX_DISTRIBUTING
            && (!bnd_lacp_is_ovs(port->lacp)
                || port->rx == BND_RX_DEFAULTED
                || port->partner.state & BND_LACP_SYNC));
}

bool
bnd_lacp_port_may_enable(const struct bnd_lacp *lacp, bnd_id id)
{
    const struct bnd_lacp_port *port = find_port(lacp, id);

    return port && may_enable(port);
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
    const struct bnd_lacp_port *port = find_port(lacp, id);

    return port && rx_summary(port) != BND_LACP_RX_DEFAULTED;
}

bool
bnd_lacp_get_port_status(const struct bnd_lacp *lacp, bnd_id id,
                         struct bnd_lacp_port_status *status)
{
    const struct bnd_lacp_port *port = find_port(lacp, id);

    if (!port) {
        return false;
    }
    *status = port->stats;
    status->rx = rx_summary(port);
    status->attached = port->actor_state & BND_LACP_SYNC;
    status->may_enable = may_enable(port);
    status->port_id = port->config.port_id;
    status->port_priority = port->config.priority;
    status->aggregator = status->attached && port->agg ? port->agg->id : 0;
    status->actor = bnd_lacp_actor(port);
    status->partner = port->partner;
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
