/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "lacp/lacp-private.h"

#include "core/effects.h"
#include "wire/eth.h"

/* Selection Logic of the OVS flavour.  [802.1AX-2008 5.4.14]
 *
 * Of the system's aggregators only the first is given ports, so
 * the question is only which partner it is for.  That is the partner of the
 * *lead*, the port that is best among those with a partner; ports with the
 * same partner and key join it, all others stay out.
 *
 * Better is a port that is in already and hears its partner (so that a
 * newcomer does not push traffic aside), then the one preferred by the
 * stronger one of the two systems at its ends: system priority, system id,
 * port priority, port id, all of that system, less being better; last its id.
 *
 * A port that hears this very system is never the lead.  A drained port is in
 * no aggregator, and the lead only if there is no other: so a bond that is
 * drained altogether still has its partner.
 *
 * When it runs: whenever something has set 'reselect', and not otherwise, as
 * stock Open vSwitch does.  In particular a port that falls from CURRENT to
 * EXPIRED keeps its place until somebody has something new to say.
 *
 * Source: the order and the occasions are those of ovs-vswitchd 3.1, as
 * observed. */

/* Who decides about a link, and how it likes it. */
struct preference {
    uint16_t system_priority;
    struct eth_addr system;
    uint16_t port_priority;
    uint16_t port_id;
};

static int
compare_u16(uint16_t a, uint16_t b)
{
    return a < b ? -1 : a > b;
}

static int
compare_system(const struct preference *a, const struct preference *b)
{
    int cmp = compare_u16(a->system_priority, b->system_priority);

    return cmp ? cmp : bnd_eth_addr_compare(a->system, b->system);
}

static int
compare_preference(const struct preference *a, const struct preference *b)
{
    int cmp = compare_system(a, b);

    cmp = cmp ? cmp : compare_u16(a->port_priority, b->port_priority);
    return cmp ? cmp : compare_u16(a->port_id, b->port_id);
}

static struct preference
preference_of(const struct bnd_lacp_info *info)
{
    return (struct preference) {
        .system_priority = info->system_priority,
        .system = info->system,
        .port_priority = info->port_priority,
        .port_id = info->port_id,
    };
}

/* The view of the stronger system on 'port'. */
static struct preference
port_preference(const struct bnd_lacp_port *port)
{
    struct bnd_lacp_info actor_info = bnd_lacp_actor(port);
    struct preference actor = preference_of(&actor_info);
    struct preference partner = preference_of(&port->partner);

    return compare_system(&actor, &partner) < 0 ? actor : partner;
}

int
bnd_lacp_compare(const struct bnd_lacp_port *a, const struct bnd_lacp_port *b)
{
    struct preference pa = port_preference(a);
    struct preference pb = port_preference(b);
    int cmp = compare_preference(&pa, &pb);

    return cmp ? cmp : a->id < b->id ? -1 : a->id > b->id;
}

static bool
is_incumbent(const struct bnd_lacp_port *port)
{
    return port->selected == BND_SELECTED && port->rx == BND_RX_CURRENT;
}

static bool
is_better(const struct bnd_lacp_port *a, const struct bnd_lacp_port *b)
{
    if (a->drained != b->drained) {
        return b->drained;
    }
    if (is_incumbent(a) != is_incumbent(b)) {
        return is_incumbent(a);
    }
    return bnd_lacp_compare(a, b) < 0;
}

/* May 'port' be aggregated at all?  A partner that is all zeros, state
 * included, is as good as none. */
static bool
is_candidate(const struct bnd_lacp_port *port)
{
    static const struct bnd_lacp_info none;

    return ((port->rx == BND_RX_CURRENT || port->rx == BND_RX_EXPIRED)
            && !bnd_lacp_info_equal(&port->partner, &none, UINT8_MAX)
            && !bnd_lacp_is_loopback(port));
}

/* Does 'port' belong to the aggregator of 'lead'?  It takes no more than the
 * same partner system and key, not the same LAG ID. */
static bool
is_mate(const struct bnd_lacp_port *port, const struct bnd_lacp_port *lead)
{
    const struct bnd_lacp_info *a = &port->partner;
    const struct bnd_lacp_info *b = &lead->partner;

    return (is_candidate(port) && a->key == b->key
            && bnd_eth_addr_equal(a->system, b->system));
}

static struct bnd_lacp_port *
choose_lead(const struct bnd_lacp *lacp, long long int now,
            struct bnd_effects *fx)
{
    struct bnd_lacp_port *lead = NULL;

    for (size_t i = 0; i < lacp->n_ports; i++) {
        struct bnd_lacp_port *port = lacp->ports[i];

        if (bnd_lacp_is_loopback(port)) {
            bnd_fx_trace(fx, BND_TRACE_LOOPBACK, now, port->id, port->name);
        } else if (is_candidate(port) && (!lead || is_better(port, lead))) {
            lead = port;
        }
    }
    return lead;
}

static void
set_aggregator(struct bnd_aggregator *agg, const struct bnd_lacp_port *lead)
{
    agg->in_use = lead != NULL;
    if (lead) {
        agg->actor_key = bnd_lacp_actor(lead).key;
        agg->partner_system_priority = lead->partner.system_priority;
        agg->partner_system = lead->partner.system;
        agg->partner_key = lead->partner.key;
    }
}

void
bnd_lacp_select(struct bnd_lacp *lacp, long long int now,
                struct bnd_effects *fx)
{
    if (!lacp->reselect) {
        return;
    }
    lacp->reselect = false;

    struct bnd_lacp_port *lead = choose_lead(lacp, now, fx);
    struct bnd_aggregator *agg = &lacp->aggs[0];

    set_aggregator(agg, lead);
    for (size_t i = 0; i < lacp->n_ports; i++) {
        struct bnd_lacp_port *port = lacp->ports[i];
        bool in = (!port->drained
                   && (lead ? is_mate(port, lead)
                       : (lacp->config.fallback
                          && port->rx == BND_RX_DEFAULTED)));

        port->selected = in ? BND_SELECTED : BND_UNSELECTED;
        port->agg = in ? agg : NULL;
    }
}
