/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "lacp/lacp-save.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "core/deadline.h"
#include "core/effects.h"
#include "lacp/lacp-private.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"
#include "wire/eth.h"

/* An information as text, and back. */
#define INFO_FMT "%u/%02x%02x%02x%02x%02x%02x/%u/%u/%u/%u"
#define INFO_ARGS(I) \
    (I)->system_priority, \
    (I)->system.ea[0], (I)->system.ea[1], (I)->system.ea[2], \
    (I)->system.ea[3], (I)->system.ea[4], (I)->system.ea[5], \
    (I)->key, (I)->port_priority, (I)->port_id, (I)->state
#define INFO_SCAN \
    "%"SCNu16"/%2"SCNx8"%2"SCNx8"%2"SCNx8"%2"SCNx8"%2"SCNx8"%2"SCNx8 \
    "/%"SCNu16"/%"SCNu16"/%"SCNu16"/%"SCNu8
#define INFO_SCAN_ARGS(I) \
    &(I)->system_priority, \
    &(I)->system.ea[0], &(I)->system.ea[1], &(I)->system.ea[2], \
    &(I)->system.ea[3], &(I)->system.ea[4], &(I)->system.ea[5], \
    &(I)->key, &(I)->port_priority, &(I)->port_id, &(I)->state
#define INFO_COUNT 11

/* No clock shows more, ms. */
#define MAX_TIME (LLONG_MAX / 4)

/* Does a port in 'state' get on with its partner? */
static bool
collects(int state)
{
    return (state == BND_MUX_COLLECTING || state == BND_MUX_DISTRIBUTING
            || state == BND_MUX_COLLECTING_DISTRIBUTING);
}

bool
bnd_lacp_port_save(const struct bnd_lacp *lacp, bnd_id id, struct ds *ds)
{
    const struct bnd_lacp_port *port = bnd_lacp_find_port(lacp, id);
    unsigned int order = 0;

    if (!port || port->rx != BND_RX_CURRENT || port->begin
        || port->selected != BND_SELECTED || !port->agg
        || !collects(port->mux) || port->watch.last_tx == BND_NEVER
        || bnd_eth_addr_is_zero(port->partner.system)) {
        return false;
    }
    while (lacp->ports[order] != port) {
        order++;
    }

    struct bnd_lacp_info actor = bnd_lacp_actor(port);
    ds_put_format(ds, "%u %d %d %u "INFO_FMT" "INFO_FMT,
                  order, (int) lacp->config.flavour, (int) port->mux,
                  port->actor_state, INFO_ARGS(&actor),
                  INFO_ARGS(&port->partner));
    ds_put_format(ds, " %"PRIu32" %"PRIu32" %d %d %"PRIu64" %d %d %lld %lld",
                  port->own.id, port->agg->id, port->agg->active, port->role,
                  port->joined, (int) port->actor_churn,
                  (int) port->partner_churn, port->watch.last_tx,
                  port->current_while);
    return true;
}

char *
bnd_lacp_saved_parse(const char *line, struct bnd_lacp_saved *s)
{
    int active, role, n = -1;

    memset(s, 0, sizeof *s);
    if (sscanf(line, "%u %d %d %"SCNu8" "INFO_SCAN" "INFO_SCAN" %"SCNu32
               " %"SCNu32" %d %d %"SCNu64" %d %d %lld %lld%n",
               &s->order, &s->flavour, &s->mux, &s->actor_state,
               INFO_SCAN_ARGS(&s->actor), INFO_SCAN_ARGS(&s->partner),
               &s->own_agg, &s->agg, &active, &role, &s->joined,
               &s->actor_churn, &s->partner_churn, &s->last_tx,
               &s->current_while, &n) != 4 + 2 * INFO_COUNT + 9
        || n < 0 || line[n]) {
        return xasprintf("\"%s\": not understood", line);
    }
    s->active = active;
    s->role = role;
    if ((s->flavour != BND_LACP_FLAVOUR_OVS
         && s->flavour != BND_LACP_FLAVOUR_STANDARD)
        || !collects(s->mux)
        || s->actor_churn < 0 || s->actor_churn >= BND_N_CHURN_STATES
        || s->partner_churn < 0 || s->partner_churn >= BND_N_CHURN_STATES
        || s->last_tx < 0 || s->last_tx > MAX_TIME
        || s->current_while < 0 || s->current_while > MAX_TIME
        || s->joined >= UINT32_MAX || s->own_agg >= UINT16_MAX
        || bnd_eth_addr_is_zero(s->partner.system)) {
        return xasprintf("\"%s\": out of range", line);
    }
    return NULL;
}

void
bnd_lacp_saved_translate(struct bnd_lacp_saved *s, long long int saved_at,
                         long long int then, long long int now)
{
    s->last_tx += now - then;
    s->current_while += now - saved_at;
}

void
bnd_lacp_port_remember(struct bnd_lacp *lacp, bnd_id id,
                       const struct bnd_lacp_saved *saved, long long int now)
{
    struct bnd_lacp_port *port = bnd_lacp_find_port(lacp, id);

    if (port) {
        bnd_lacp_take_in(lacp, now);
        free(port->saved);
        port->saved = xmemdup(saved, sizeof *saved);
    }
}

/* Does 'a', of two ports that join together, come before 'b'?  By name, as
 * there is no other order, unless they have one from before. */
bool
bnd_lacp_comes_before(const struct bnd_lacp_port *a,
                      const struct bnd_lacp_port *b)
{
    if (a->saved && b->saved) {
        return a->saved->order < b->saved->order;
    }
    return (a->saved || b->saved ? a->saved != NULL
            : bnd_compare_names(a->name, b->name) < 0);
}

/* The number of 'port', which is new; 0 if it has none yet. */
uint16_t
bnd_lacp_saved_number(const struct bnd_lacp_port *port)
{
    return (port->config.port_id || !port->saved
            ? port->config.port_id : port->saved->actor.port_id);
}

/* The id for the aggregator that belongs to 'port', which is new. */
uint32_t
bnd_lacp_saved_aggregator(const struct bnd_lacp_port *port)
{
    struct bnd_lacp *lacp = port->lacp;
    uint32_t id = port->saved ? port->saved->own_agg : 0;

    for (size_t i = 0; i < lacp->n_ports; i++) {
        if (lacp->ports[i]->own.id == id) {
            id = 0;
        }
    }
    id = id ? id : lacp->last_agg_id + 1;
    lacp->last_agg_id = MAX(lacp->last_agg_id, id);
    return id;
}

/* Restoring. */

static bool
is_expired(const struct bnd_lacp_saved *s, long long int now)
{
    long long int timeout = (s->partner.state & BND_LACP_TIMEOUT
                             ? BND_LACP_SHORT_TIMEOUT
                             : BND_LACP_LONG_TIMEOUT);

    return (now >= bnd_deadline_in(s->last_tx, timeout)
            || now >= s->current_while);
}

static bool
is_empty(const struct bnd_lacp *lacp, const struct bnd_aggregator *agg)
{
    for (size_t i = 0; i < lacp->n_ports; i++) {
        if (lacp->ports[i]->agg == agg) {
            return false;
        }
    }
    return true;
}

/* Is 'agg', which is not empty, for the partner of 's'? */
static bool
is_fit(const struct bnd_aggregator *agg, const struct bnd_lacp_saved *s)
{
    return (agg->actor_key == s->actor.key
            && agg->partner_key == s->partner.key
            && agg->partner_system_priority == s->partner.system_priority
            && bnd_eth_addr_equal(agg->partner_system, s->partner.system)
            && !agg->alone && !agg->individual);
}

/* Will a port that is still to be restored want 'agg'? */
static bool
is_wanted(const struct bnd_lacp *lacp, const struct bnd_aggregator *agg)
{
    for (size_t i = 0; i < lacp->n_ports; i++) {
        if (lacp->ports[i]->saved && lacp->ports[i]->saved->agg == agg->id) {
            return true;
        }
    }
    return false;
}

/* Returns an aggregator for 'port' instead of the one that it was in, whose
 * owner is not there, or had nothing to save: the one that a port with the same
 * partner got, or one that nobody needs.  Null if there is none. */
static struct bnd_aggregator *
find_substitute(const struct bnd_lacp_port *port,
                const struct bnd_lacp_saved *s)
{
    const struct bnd_lacp *lacp = port->lacp;
    struct bnd_aggregator *spare = NULL;

    for (size_t i = 0; i < lacp->n_ports; i++) {
        struct bnd_aggregator *own = &lacp->ports[i]->own;

        if (!is_empty(lacp, own)) {
            if (is_fit(own, s)) {
                return own;
            }
        } else if (!spare && !is_wanted(lacp, own)) {
            spare = own;
        }
    }
    return spare;
}

/* Returns the aggregator that 'port' was in, or one in its place. */
static struct bnd_aggregator *
find_aggregator(const struct bnd_lacp_port *port,
                const struct bnd_lacp_saved *s)
{
    const struct bnd_lacp *lacp = port->lacp;

    if (bnd_lacp_is_ovs(lacp)) {
        return &lacp->aggs[0];
    }
    for (size_t i = 0; i < lacp->n_ports; i++) {
        struct bnd_aggregator *own = &lacp->ports[i]->own;

        if (own->id == s->agg) {
            return is_empty(lacp, own) || is_fit(own, s) ? own : NULL;
        }
    }
    return find_substitute(port, s);
}

static void
enter_aggregator(struct bnd_lacp_port *port, struct bnd_aggregator *agg,
                 const struct bnd_lacp_saved *s)
{
    struct bnd_lacp *lacp = port->lacp;
    const struct bnd_lacp_info *partner = &s->partner;

    agg->actor_key = s->actor.key;
    agg->partner_key = partner->key;
    agg->partner_system = partner->system;
    agg->partner_system_priority = partner->system_priority;
    agg->in_use = true;
    if (!bnd_lacp_is_ovs(lacp)) {
        agg->alone = !(partner->state & BND_LACP_AGGREGATION);
        agg->active |= s->active && !bnd_agg_active(lacp);
    }
    port->agg = agg;
    port->joined = s->joined;
    port->selected = BND_SELECTED;
    lacp->n_joined = MAX(lacp->n_joined, s->joined);
    lacp->reselect = true;
}

/* Returns true if 'port' goes on from 's'. */
static bool
restore(struct bnd_lacp_port *port, const struct bnd_lacp_saved *s,
        long long int now)
{
    struct bnd_lacp_info actor = bnd_lacp_actor(port);
    struct bnd_aggregator *agg;

    if (s->flavour != (int) port->lacp->config.flavour
        || port->drained || !port->lacp_enabled
        || !bnd_lacp_info_same_port(&actor, &s->actor)
        || bnd_eth_addr_equal(s->partner.system, actor.system)) {
        return false;
    }
    agg = find_aggregator(port, s);
    if (!agg) {
        return false;
    }
    port->begin = port->mux_begin = port->restart = false;
    port->start = MIN(port->start, now);
    port->rx = BND_RX_CURRENT;
    port->partner = s->partner;
    port->current_while = s->current_while;
    port->mux = s->mux;
    port->actor_state = s->actor_state;
    enter_aggregator(port, agg, s);
    port->role = s->role && agg->active;
    port->actor_churn = s->actor_churn;
    port->partner_churn = s->partner_churn;
    port->churn_begin = (s->actor_churn == BND_CHURN_MONITORING
                         || s->partner_churn == BND_CHURN_MONITORING);
    port->churn_timer = BND_NEVER;
    port->short_sampled = s->partner.state & BND_LACP_TIMEOUT;
    port->ntt = true;
    return true;
}

/* Has 'port' begun by itself? */
static bool
has_begun(const struct bnd_lacp_port *port)
{
    return (!port->begin && port->rx != BND_RX_INITIALIZE
            && port->rx != BND_RX_PORT_DISABLED);
}

void
bnd_lacp_restore(struct bnd_lacp *lacp, long long int now,
                 struct bnd_effects *fx)
{
    for (size_t i = 0; i < lacp->n_ports; i++) {
        struct bnd_lacp_port *port = lacp->ports[i];
        struct bnd_lacp_saved *s = port->saved;

        if (!s || !port->enabled) {
            continue;           /* Its link may come up in time. */
        }

        bool late = is_expired(s, now);
        struct bnd_trace *t = bnd_fx_trace(fx, BND_TRACE_RESTORED, now,
                                           port->id, port->name);
        t->on = !late && !has_begun(port) && restore(port, s, now);
        t->to = late ? "it was away for too long" : "it is not the same port";
        free(s);
        port->saved = NULL;
    }
}

void
bnd_lacp_sort_restored(struct bnd_lacp *lacp)
{
    for (size_t i = 1; i < lacp->n_ports; i++) {
        for (size_t j = i; j > 0 && lacp->ports[j]->saved
             && lacp->ports[j]->begin && lacp->ports[j - 1]->begin
             && bnd_lacp_comes_before(lacp->ports[j], lacp->ports[j - 1]);
             j--) {
            struct bnd_lacp_port *swap = lacp->ports[j];

            lacp->ports[j] = lacp->ports[j - 1];
            lacp->ports[j - 1] = swap;
        }
    }
}

void
bnd_lacp_refresh(struct bnd_lacp *lacp, long long int now)
{
    bnd_lacp_take_in(lacp, now);
    for (size_t i = 0; i < lacp->n_ports; i++) {
        struct bnd_lacp_port *port = lacp->ports[i];

        port->ntt |= port->rx == BND_RX_CURRENT;
    }
}
