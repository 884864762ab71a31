/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "lacp/lacp-private.h"

#include <stdlib.h>
#include <string.h>
#include "core/deadline.h"
#include "core/effects.h"
#include "util.h"

/* Ports: what is told of them, and what follows at once. */

void
bnd_lacp_take_in(struct bnd_lacp *lacp, long long int now)
{
    lacp->now = MAX(lacp->now, now);
    lacp->dirty = true;
}

void
bnd_lacp_port_reset(struct bnd_lacp_port *port)
{
    port->begin = true;
    port->mux_begin = false;
    port->mux = BND_MUX_DETACHED;
    port->periodic = BND_PERIODIC_NO_PERIODIC;
    port->actor_state = 0;
    port->selected = BND_UNSELECTED;
    port->moved = false;
    port->agg = NULL;
    port->own = (struct bnd_aggregator) { .id = 0 };
    port->fresh = true;
    port->role = false;
    port->has_believed = false;
    port->lacp_enabled = true;
    port->enabled = port->told_enabled;
    port->wait_while = BND_NEVER;
    port->churn_timer = BND_NEVER;
}

/* Keys. */

/* The number by which Linux calls a speed.  Keys count in one system alone,
 * but a look at both ends shows the same. */
static uint8_t
speed_code(uint32_t mbps)
{
    static const uint32_t speeds[] = {
        1, 10, 100, 1000, 2500, 5000, 10000, 14000, 20000, 25000, 40000,
        50000, 56000, 100000, 200000, 400000, 800000, 1600000,
    };

    for (size_t i = 0; i < ARRAY_SIZE(speeds); i++) {
        if (speeds[i] == mbps) {
            return i + 1;
        }
    }
    return 0;
}

/* A device that does not tell its duplex is one that has no half. */
void
bnd_lacp_update_key(struct bnd_lacp_port *port, bool up)
{
    bool full = port->duplex != BND_DUPLEX_HALF;
    uint8_t code = port->enabled ? speed_code(port->speed_mbps) : 0;
    uint16_t key = port->config.key;

    if (bnd_lacp_is_ovs(port->lacp)) {
        return;
    }
    if (!key) {
        key = port->lacp->config.user_key << 6;
        key |= port->enabled ? code << 1 | full : 0;
    }
    port->begin |= (port->enabled
                    && (up || code != port->speed_code
                        || full != port->lacp_enabled));
    port->key = key;
    port->speed_code = code;
    port->lacp_enabled = full;
}

/* Ports. */

void
bnd_lacp_port_destroy(struct bnd_lacp_port *port)
{
    free(port->name);
    free(port->saved);
    free(port);
}

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
    bnd_lacp_port_reset(port);
    port->current_while = BND_NEVER;
    bnd_late_init(&port->watch);
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
    uint16_t key, had_key;

    bnd_lacp_take_in(lacp, now);
    if (!port) {
        port = port_create(lacp, id);
    } else if (port->config.port_id != config->port_id
               || port->config.priority != config->priority
               || port->config.key != config->key) {
        port->restart = true;
        lacp->reselect = true;
        port->ntt |= !bnd_lacp_is_ovs(lacp);
        port->begin |= (!bnd_lacp_is_ovs(lacp)
                        && port->config.port_id != config->port_id);
        port->number = config->port_id ? config->port_id : port->number;
    }
    key = port->key;
    had_key = port->config.key;
    set_name(port, name);
    port->config = *config;
    bnd_lacp_update_key(port, false);
    port->begin |= (!bnd_lacp_is_ovs(lacp) && port->enabled
                    && had_key != config->key && key != port->key);
}

/* Takes 'port' out of its aggregator, and, if it is 'gone', away from those who
 * are in its own; then chooses another one to be in use if that was the last
 * port of which it lived. */
void
bnd_lacp_port_retire(struct bnd_lacp_port *port, bool gone,
                     long long int now, struct bnd_effects *fx)
{
    struct bnd_lacp *lacp = port->lacp;
    struct bnd_aggregator *agg = port->agg;
    bool active = agg && agg->active;

    port->selected = BND_UNSELECTED;
    port->role = false;
    bnd_agg_leave(port);
    active &= !bnd_agg_n_enabled(lacp, agg);
    if (gone) {
        bnd_agg_disown(port);
    }
    if (active) {
        bnd_agg_choose(lacp, now, fx);
    }
}

void
bnd_lacp_port_del(struct bnd_lacp *lacp, bnd_id id, long long int now,
                  struct bnd_effects *fx)
{
    struct bnd_lacp_port *port = bnd_lacp_find_port(lacp, id);
    size_t i = 0;

    if (!port) {
        return;
    }
    bnd_lacp_take_in(lacp, now);
    if (!bnd_lacp_is_ovs(lacp) && !port->fresh) {
        bnd_tx_farewell(port, fx);
        bnd_lacp_port_retire(port, true, now, fx);
    }
    while (lacp->ports[i] != port) {
        i++;
    }
    memmove(&lacp->ports[i], &lacp->ports[i + 1],
            (lacp->n_ports - i - 1) * sizeof *lacp->ports);
    lacp->n_ports--;
    lacp->reselect = true;
    if (!lacp->n_ports) {
        lacp->last_agg_id = 0;
    }
    bnd_lacp_port_destroy(port);
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

    if (port && port->told_enabled != enabled) {
        bnd_lacp_take_in(lacp, now);
        port->told_enabled = enabled;
        if (bnd_lacp_is_ovs(lacp)) {
            port->enabled = enabled;
        }
    }
}

void
bnd_lacp_port_set_link(struct bnd_lacp *lacp, bnd_id id, uint32_t speed_mbps,
                       enum bnd_duplex duplex, long long int now)
{
    struct bnd_lacp_port *port = bnd_lacp_find_port(lacp, id);

    if (port && (port->speed_mbps != speed_mbps || port->duplex != duplex)) {
        bnd_lacp_take_in(lacp, now);
        port->speed_mbps = speed_mbps;
        port->duplex = duplex;
        bnd_lacp_update_key(port, false);
    }
}

void
bnd_lacp_port_set_priority(struct bnd_lacp *lacp, bnd_id id,
                           uint16_t priority, long long int now)
{
    struct bnd_lacp_port *port = bnd_lacp_find_port(lacp, id);

    if (port && port->wanted_priority != priority) {
        bnd_lacp_take_in(lacp, now);
        port->wanted_priority = priority;
        port->restart = true;
        port->ntt |= !bnd_lacp_is_ovs(lacp);
        lacp->reselect = true;
    }
}

void
bnd_lacp_port_set_carrier(struct bnd_lacp *lacp, bnd_id id, bool carrier,
                          long long int now)
{
    struct bnd_lacp_port *port = bnd_lacp_find_port(lacp, id);

    if (port && port->carrier != carrier) {
        bnd_lacp_take_in(lacp, now);
        port->carrier = carrier;
    }
}

void
bnd_lacp_port_set_drained(struct bnd_lacp *lacp, bnd_id id, bool drained,
                          long long int now)
{
    struct bnd_lacp_port *port = bnd_lacp_find_port(lacp, id);

    if (port && port->drained != drained) {
        bnd_lacp_take_in(lacp, now);
        port->drained = drained;
        lacp->reselect = true;
    }
}

void
bnd_lacp_port_carrier_changed(struct bnd_lacp *lacp, bnd_id id,
                              long long int now)
{
    struct bnd_lacp_port *port = bnd_lacp_find_port(lacp, id);

    bnd_lacp_take_in(lacp, now);
    if (port) {
        port->stats.n_carrier++;
        port->restart = true;
    }
}
