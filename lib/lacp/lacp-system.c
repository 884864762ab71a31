/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "lacp/lacp-private.h"

#include <stdlib.h>
#include <string.h>
#include "util.h"
#include "core/deadline.h"
#include "core/effects.h"
#include "wire/eth.h"

/* The system: ports and aggregators, the order of the machines, and wake time.
 * The order of a run is that of the data: what Receive has learned,
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

struct bnd_lacp_port *
bnd_lacp_find_port(const struct bnd_lacp *lacp, bnd_id id)
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
    bnd_late_init(&port->watch);
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
    struct bnd_lacp_port *port = bnd_lacp_find_port(lacp, id);

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
bnd_lacp_port_del(struct bnd_lacp *lacp, bnd_id id,
                  long long int now OVS_UNUSED,
                  struct bnd_effects *fx OVS_UNUSED)
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
    return bnd_lacp_find_port(lacp, id) != NULL;
}

void
bnd_lacp_port_set_mac(struct bnd_lacp *lacp, bnd_id id, struct eth_addr mac)
{
    struct bnd_lacp_port *port = bnd_lacp_find_port(lacp, id);

    if (port) {
        port->mac = mac;
    }
}

void
bnd_lacp_port_set_enabled(struct bnd_lacp *lacp, bnd_id id, bool enabled,
                          long long int now)
{
    struct bnd_lacp_port *port = bnd_lacp_find_port(lacp, id);

    if (port && port->enabled != enabled) {
        take_in(lacp, now);
        port->enabled = enabled;
    }
}

void
bnd_lacp_port_set_link(struct bnd_lacp *lacp, bnd_id id, uint32_t speed_mbps,
                       enum bnd_duplex duplex, long long int now)
{
    struct bnd_lacp_port *port = bnd_lacp_find_port(lacp, id);

    if (port && (port->speed_mbps != speed_mbps || port->duplex != duplex)) {
        take_in(lacp, now);
        port->speed_mbps = speed_mbps;
        port->duplex = duplex;
    }
}

void
bnd_lacp_port_set_carrier(struct bnd_lacp *lacp, bnd_id id, bool carrier,
                          long long int now)
{
    struct bnd_lacp_port *port = bnd_lacp_find_port(lacp, id);

    if (port && port->carrier != carrier) {
        take_in(lacp, now);
        port->carrier = carrier;
    }
}

void
bnd_lacp_port_set_drained(struct bnd_lacp *lacp, bnd_id id, bool drained,
                          long long int now)
{
    struct bnd_lacp_port *port = bnd_lacp_find_port(lacp, id);

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
    struct bnd_lacp_port *port = bnd_lacp_find_port(lacp, id);

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

    port->stats.n_unknown_rx += reason == BND_DROP_SUBTYPE;
    port->stats.n_lacpdu_rx += reason != BND_DROP_SUBTYPE;
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
    struct bnd_lacp_port *port = bnd_lacp_find_port(lacp, id);
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
        port->stats.n_illegal_rx += reason == BND_DROP_SHORT;
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
        bnd_late_check(lacp->ports[i], now, fx);
    }
    lacp->last_run = now;
}

static long long int
port_wake_time(const struct bnd_lacp_port *port)
{
    long long int wake = port->current_while;

    wake = bnd_deadline_min(wake, bnd_mux_wake_time(port));
    wake = bnd_deadline_min(wake, bnd_periodic_wake_time(port));
    wake = bnd_deadline_min(wake, bnd_late_wake_time(port));
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
