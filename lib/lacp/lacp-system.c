/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "lacp/lacp-private.h"

#include <stdlib.h>
#include <string.h>
#include "util.h"
#include "core/deadline.h"
#include "core/effects.h"
#include "lacp/lacp-save.h"
#include "wire/eth.h"

/* The system: ports and aggregators, the order of the machines, and wake time.
 *
 * The order of a run is that of the data: what Receive has learned, whom
 * Selection Logic chooses, what Mux makes of it, and only then what there is
 * to tell the partner.  Nothing later changes the input of something earlier,
 * but for Periodic, which waits for Transmit.
 *
 * In the standard's flavour Receive and Selection Logic take turns, port after
 * port, as in Linux: so it is the order of ports that decides who gets which
 * aggregator if several begin together.  Links go up and down one by one, in
 * the same order, each followed by a choice of the aggregator in use.
 * Partners that are heard of within BND_LACP_GATHER count as heard of
 * together, since to Linux they mostly are. */

#define N_AGGREGATORS 1

/* System. */

struct bnd_lacp *
bnd_lacp_create(const struct bnd_lacp_config *config, long long int now)
{
    struct bnd_lacp *lacp = xzalloc(sizeof *lacp);

    lacp->config = *config;
    lacp->now = now;
    lacp->last_run = now;
    lacp->select_at = BND_NEVER;
    lacp->alone_since = BND_NEVER;
    lacp->heard_since = BND_NEVER;
    lacp->n_aggs = N_AGGREGATORS;
    lacp->aggs = xcalloc(lacp->n_aggs, sizeof *lacp->aggs);
    for (size_t i = 0; i < lacp->n_aggs; i++) {
        lacp->aggs[i].id = i + 1;
    }
    return lacp;
}

void
bnd_lacp_destroy(struct bnd_lacp *lacp)
{
    if (lacp) {
        for (size_t i = 0; i < lacp->n_ports; i++) {
            bnd_lacp_port_destroy(lacp->ports[i]);
        }
        free(lacp->ports);
        free(lacp->aggs);
        free(lacp);
    }
}

/* What we announce follows from the configuration by itself.  A partner that
 * is in doubt about us answers, so no port has to be restarted; but it has to
 * hear of it. */
void
bnd_lacp_configure(struct bnd_lacp *lacp,
                   const struct bnd_lacp_config *config, long long int now)
{
    const struct bnd_lacp_config old = lacp->config;
    bool system = (!bnd_eth_addr_equal(old.system, config->system)
                   || old.system_priority != config->system_priority);
    bool told = (system || old.active != config->active
                 || old.fast != config->fast);

    bnd_lacp_take_in(lacp, now);
    lacp->config = *config;
    lacp->reselect |= system || old.fallback != config->fallback;
    if (old.flavour != config->flavour) {
        lacp->last_agg_id = 0;
        lacp->aggs[0].in_use = false;
        lacp->fallback = false;
    }
    for (size_t i = 0; i < lacp->n_ports; i++) {
        struct bnd_lacp_port *port = lacp->ports[i];

        if (old.flavour != config->flavour) {
            bnd_lacp_port_reset(port);
        } else if (!bnd_lacp_is_ovs(lacp)) {
            port->ntt |= told;
            if (old.fast && !config->fast) {
                bnd_rx_wait_longer(port, now);
            }
            bnd_lacp_update_key(port, old.user_key != config->user_key);
        }
    }
}

/* Runs. */

static void
run_ovs(struct bnd_lacp *lacp, long long int now, struct bnd_effects *fx)
{
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
}

static bool
has_number(const struct bnd_lacp *lacp, uint16_t number)
{
    for (size_t i = 0; i < lacp->n_ports; i++) {
        if (!lacp->ports[i]->fresh && lacp->ports[i]->number == number) {
            return true;
        }
    }
    return false;
}

/* Numbers new ports and their aggregators.  Ports that join between two runs
 * come in no order, so among themselves they go by name. */
static void
take_ports(struct bnd_lacp *lacp)
{
    for (size_t i = 0; i < lacp->n_ports; i++) {
        for (size_t j = i; j > 0 && lacp->ports[j]->fresh
             && lacp->ports[j - 1]->fresh
             && bnd_lacp_comes_before(lacp->ports[j], lacp->ports[j - 1]);
             j--) {
            struct bnd_lacp_port *swap = lacp->ports[j];

            lacp->ports[j] = lacp->ports[j - 1];
            lacp->ports[j - 1] = swap;
        }
    }
    for (size_t i = 0; i < lacp->n_ports; i++) {
        struct bnd_lacp_port *port = lacp->ports[i];

        if (port->fresh) {
            port->number = bnd_lacp_saved_number(port);
            while (!port->number || (!port->config.port_id
                                     && has_number(lacp, port->number))) {
                port->number = (port->number ? port->number
                                : i ? lacp->ports[i - 1]->number : 0) + 1;
            }
            port->own.id = bnd_lacp_saved_aggregator(port);
            port->fresh = false;
            bnd_lacp_update_key(port, true);
        }
    }
}

static void
take_links(struct bnd_lacp *lacp, long long int now, struct bnd_effects *fx)
{
    for (size_t i = 0; i < lacp->n_ports; i++) {
        struct bnd_lacp_port *port = lacp->ports[i];

        if (port->enabled != port->told_enabled) {
            port->enabled = port->told_enabled;
            port->role &= port->enabled;
            bnd_lacp_update_key(port, port->enabled);
            bnd_agg_choose(lacp, now, fx);
        }
    }
}

static void
run_standard(struct bnd_lacp *lacp, long long int now, struct bnd_effects *fx)
{
    bool select = bnd_deadline_expired(lacp->select_at, now);

    take_ports(lacp);
    take_links(lacp, now, fx);
    bnd_lacp_restore(lacp, now, fx);
    for (size_t i = 0; i < lacp->n_ports; i++) {
        struct bnd_lacp_port *port = lacp->ports[i];

        bnd_rx_step(port, NULL, now, now, fx);
        if (port->drained && port->agg) {
            bnd_lacp_port_retire(port, false, now, fx);
        } else if (!port->drained && (port->selected == BND_UNSELECTED
                                      || (select && port->moved))) {
            bnd_agg_join(port, now, fx);
        }
    }
    lacp->select_at = select ? BND_NEVER : lacp->select_at;
    if (!bnd_agg_active(lacp)) {
        bnd_agg_choose(lacp, now, fx); /* A carrier may be back. */
    }
    bnd_standby_step(lacp, now);
    for (size_t i = 0; i < lacp->n_ports; i++) {
        bnd_mux_step(lacp->ports[i], now, fx);
        bnd_churn_step(lacp->ports[i], now, fx);
    }
    bnd_fallback_step(lacp, now, fx);
}

void
bnd_lacp_run(struct bnd_lacp *lacp, long long int now,
             struct bnd_effects *fx)
{
    lacp->now = MAX(lacp->now, now);
    lacp->dirty = false;
    if (bnd_lacp_is_ovs(lacp)) {
        bnd_lacp_sort_restored(lacp);
        bnd_lacp_restore(lacp, now, fx);
        run_ovs(lacp, now, fx);
    } else {
        run_standard(lacp, now, fx);
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
    if (!bnd_lacp_is_ovs(port->lacp)) {
        wake = bnd_deadline_min(wake, bnd_churn_wake_time(port));
        if (port->enabled && port->start > port->lacp->last_run) {
            wake = bnd_deadline_min(wake, port->start);
        }
    }
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
    return (bnd_lacp_is_ovs(lacp) ? wake
            : bnd_deadline_min(bnd_deadline_min(wake, lacp->select_at),
                               bnd_fallback_wake_time(lacp)));
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

/* Is there something that 'port' does not know yet? */
static bool
is_news(const struct bnd_lacp_port *port)
{
    return port->fresh || port->begin || port->enabled != port->told_enabled;
}

enum bnd_drop_reason
bnd_lacp_receive(struct bnd_lacp *lacp, bnd_id id, const uint8_t *frame,
                 size_t len, long long int arrival, long long int now,
                 struct bnd_effects *fx)
{
    struct bnd_lacp_port *port = bnd_lacp_find_port(lacp, id);
    struct bnd_cursor body;
    uint8_t subtype;

    bnd_lacp_take_in(lacp, now);
    if (!port) {
        return BND_DROP_NO_MEMBER;
    }
    if (!bnd_lacp_is_ovs(lacp) && is_news(port)) {
        bnd_lacp_run(lacp, now, fx); /* What happened before it came. */
        lacp->dirty = true;
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
