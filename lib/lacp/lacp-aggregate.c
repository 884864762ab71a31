/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "lacp/lacp-private.h"

#include <string.h>
#include "core/effects.h"
#include "util.h"
#include "wire/eth.h"

/* Selection Logic of the standard's flavour.  [802.1AX-2008 5.4.14]
 *
 * The standard leaves open how ports are assigned to aggregators and which of
 * these a host uses.  We do what Linux does, so that of two hosts, one with
 * Linux and one with us, both use the same links whatever happens:
 *
 *   - each port owns an aggregator.  A port without one looks for the first
 *     one, in the order of owners, that is for its partner and key, or takes
 *     the first that is empty.  So ports without partners stay apart;
 *   - one aggregator carries traffic.  It is chosen anew when a port has
 *     joined one, when a link goes up or down, and when the last link of the
 *     one in use has been released; not at other times, such as when the
 *     policy is changed;
 *   - a link that is down stays where it is.
 *
 * An aggregator keeps what it was made with: the key of the port that made it
 * and the identity of its partner.
 *
 * We differ in one point: a link whose partner says that it cannot be
 * aggregated shares with nobody, as the standard has it.
 *
 * Source: Linux Documentation/networking/bonding.rst, ad_select; observation
 * of Linux 6.1. */

bool
bnd_agg_has_partner(const struct bnd_aggregator *agg)
{
    return !bnd_eth_addr_is_zero(agg->partner_system);
}

/* Policies. */

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

int
bnd_agg_n_enabled(const struct bnd_lacp *lacp,
                  const struct bnd_aggregator *agg)
{
    int n = 0;

    for (size_t i = 0; i < lacp->n_ports; i++) {
        n += lacp->ports[i]->agg == agg && lacp->ports[i]->enabled;
    }
    return n;
}

/* Has some port of 'agg' carrier, whatever the link monitor thinks of it? */
static bool
has_device_up(const struct bnd_lacp *lacp, const struct bnd_aggregator *agg)
{
    for (size_t i = 0; i < lacp->n_ports; i++) {
        if (lacp->ports[i]->agg == agg && lacp->ports[i]->carrier) {
            return true;
        }
    }
    return false;
}

/* As in Linux all ports count as fast as the one that joined last, which has
 * no speed if its link is down. */
uint64_t
bnd_agg_bandwidth(const struct bnd_lacp *lacp,
                  const struct bnd_aggregator *agg)
{
    const struct bnd_lacp_port *last = NULL;

    for (size_t i = 0; i < lacp->n_ports; i++) {
        const struct bnd_lacp_port *port = lacp->ports[i];

        if (port->agg == agg && (!last || port->joined > last->joined)) {
            last = port;
        }
    }
    return (last && last->enabled
            ? (uint64_t) bnd_agg_n_enabled(lacp, agg) * last->speed_mbps : 0);
}

static unsigned int
port_prio_sum(const struct bnd_lacp *lacp, const struct bnd_aggregator *agg)
{
    unsigned int sum = 0;

    for (size_t i = 0; i < lacp->n_ports; i++) {
        const struct bnd_lacp_port *port = lacp->ports[i];

        if (port->agg == agg && port->enabled) {
            sum += bnd_lacp_actor(port).port_priority;
        }
    }
    return sum;
}

/* Does the policy prefer 'b' to 'a'?  Of equals it does not. */
static bool
policy_prefers(const struct bnd_lacp *lacp, const struct bnd_aggregator *b,
               const struct bnd_aggregator *a)
{
    int n_a = bnd_agg_n_enabled(lacp, a);
    int n_b = bnd_agg_n_enabled(lacp, b);

    switch (lacp->config.select) {
    case BND_AD_PORT_PRIO:
        if (port_prio_sum(lacp, a) != port_prio_sum(lacp, b)) {
            return port_prio_sum(lacp, b) > port_prio_sum(lacp, a);
        }
        /* Fall through. */
    case BND_AD_COUNT:
        if (n_a != n_b) {
            return n_b > n_a;
        }
        /* Fall through. */
    case BND_AD_STABLE:
    case BND_AD_BANDWIDTH:
        return bnd_agg_bandwidth(lacp, b) > bnd_agg_bandwidth(lacp, a);
    default:
        OVS_NOT_REACHED();
    }
}

/* Is 'b' better than 'a', which may be null? */
static bool
is_better(const struct bnd_lacp *lacp, const struct bnd_aggregator *b,
          const struct bnd_aggregator *a)
{
    if (!a) {
        return true;
    } else if (a->individual != b->individual) {
        return a->individual;
    } else if (bnd_agg_has_partner(a) != bnd_agg_has_partner(b)) {
        return bnd_agg_has_partner(b);
    }
    return policy_prefers(lacp, b, a);
}

/* Is 'active' to be kept though 'best' may be better? */
static bool
is_kept(const struct bnd_lacp *lacp, const struct bnd_aggregator *active,
        const struct bnd_aggregator *best)
{
    return (lacp->config.select == BND_AD_STABLE
            && bnd_agg_n_enabled(lacp, active)
            && (bnd_agg_has_partner(active) || !bnd_agg_has_partner(best))
            && (active->actor_key || !best->actor_key));
}

struct bnd_aggregator *
bnd_agg_active(const struct bnd_lacp *lacp)
{
    for (size_t i = 0; i < lacp->n_ports; i++) {
        if (lacp->ports[i]->own.active) {
            return &lacp->ports[i]->own;
        }
    }
    return NULL;
}

/* Who of all is to be in use?  Null if no link is up. */
static struct bnd_aggregator *
find_best(const struct bnd_lacp *lacp)
{
    struct bnd_aggregator *active = bnd_agg_active(lacp);
    struct bnd_aggregator *best = NULL;

    if (active && has_device_up(lacp, active)) {
        best = active;
    }
    for (size_t i = 0; i < lacp->n_ports; i++) {
        struct bnd_aggregator *agg = &lacp->ports[i]->own;

        if (bnd_agg_n_enabled(lacp, agg) && has_device_up(lacp, agg)
            && is_better(lacp, agg, best)) {
            best = agg;
        }
    }
    return best && active && is_kept(lacp, active, best) ? active : best;
}

/* The ports of the other aggregator lose their part at once; those of the new
 * one get it from Mux. */
void
bnd_agg_choose(struct bnd_lacp *lacp, long long int now,
               struct bnd_effects *fx)
{
    struct bnd_aggregator *active = bnd_agg_active(lacp);
    struct bnd_aggregator *best = find_best(lacp);

    if (best != active) {
        struct bnd_trace *t;

        for (size_t i = 0; i < lacp->n_ports; i++) {
            struct bnd_lacp_port *port = lacp->ports[i];

            port->own.active = &port->own == best;
            port->role &= best && port->agg == best;
        }
        t = bnd_fx_trace(fx, BND_TRACE_AGGREGATOR, now, BND_NO_MEMBER, NULL);
        t->slot = best ? best->id : 0;
        t->on = best && bnd_agg_has_partner(best);
    }
}

/* Ports and aggregators. */

/* Makes 'agg' an empty one. */
static void
clear(struct bnd_aggregator *agg)
{
    *agg = (struct bnd_aggregator) { .id = agg->id };
}

void
bnd_agg_leave(struct bnd_lacp_port *port)
{
    struct bnd_aggregator *agg = port->agg;

    port->agg = NULL;
    if (agg && is_empty(port->lacp, agg)) {
        clear(agg);
    }
}

/* May 'port' join 'agg', which is not empty? */
static bool
is_fit(const struct bnd_lacp_port *port, const struct bnd_aggregator *agg)
{
    const struct bnd_lacp_info *partner = &port->partner;

    return (!agg->individual && !agg->alone
            && bnd_agg_has_partner(agg)
            && partner->state & BND_LACP_AGGREGATION
            && agg->actor_key == port->key
            && bnd_eth_addr_equal(agg->partner_system, partner->system)
            && agg->partner_system_priority == partner->system_priority
            && agg->partner_key == partner->key);
}

static struct bnd_aggregator *
find_fit(const struct bnd_lacp_port *port)
{
    const struct bnd_lacp *lacp = port->lacp;

    for (size_t i = 0; i < lacp->n_ports; i++) {
        struct bnd_aggregator *agg = &lacp->ports[i]->own;

        if (!is_empty(lacp, agg) && is_fit(port, agg)) {
            return agg;
        }
    }
    return NULL;
}

/* There is one as long as some port is in none. */
static struct bnd_aggregator *
find_empty(const struct bnd_lacp *lacp, const struct bnd_aggregator *but)
{
    for (size_t i = 0; i < lacp->n_ports; i++) {
        struct bnd_aggregator *agg = &lacp->ports[i]->own;

        if (agg != but && is_empty(lacp, agg)) {
            return agg;
        }
    }
    OVS_NOT_REACHED();
}

/* Makes 'agg' one for 'port'. */
static void
found(struct bnd_aggregator *agg, const struct bnd_lacp_port *port)
{
    const struct bnd_lacp_info *partner = &port->partner;

    agg->individual = !port->lacp_enabled;
    agg->alone = (!bnd_eth_addr_is_zero(partner->system)
                  && !(partner->state & BND_LACP_AGGREGATION));
    agg->actor_key = port->key;
    agg->partner_system = partner->system;
    agg->partner_system_priority = partner->system_priority;
    agg->partner_key = partner->key;
}

void
bnd_agg_join(struct bnd_lacp_port *port, long long int now,
             struct bnd_effects *fx)
{
    bnd_agg_leave(port);

    struct bnd_aggregator *agg = find_fit(port);
    if (!agg) {
        agg = find_empty(port->lacp, NULL);
        found(agg, port);
    }
    port->agg = agg;
    port->joined = ++port->lacp->n_joined;
    port->selected = BND_SELECTED;
    port->moved = false;
    port->was_standby = false;
    bnd_agg_choose(port->lacp, now, fx);
    if (!agg->active) {
        port->role = false;
        port->actor_state &= ~BND_LACP_SYNC;
    }
}

void
bnd_agg_disown(struct bnd_lacp_port *port)
{
    struct bnd_lacp *lacp = port->lacp;
    struct bnd_aggregator *own = &port->own;

    if (is_empty(lacp, own)) {
        return;
    }

    struct bnd_aggregator *heir = find_empty(lacp, own);
    uint32_t id = heir->id;
    *heir = *own;
    heir->id = id;
    clear(own);
    for (size_t i = 0; i < lacp->n_ports; i++) {
        if (lacp->ports[i]->agg == own) {
            lacp->ports[i]->agg = heir;
        }
    }
}
