/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "lacp/lacp-private.h"

#include "core/deadline.h"
#include "core/effects.h"

/* Transmit machine.  [802.1AX-2008 5.4.16]
 *
 * A LACPDU is needed (NTT) if a machine said so, or if the partner does not
 * know us as we are.  What it knows is what its last LACPDU said or, if that
 * is newer, what we have sent since; of the state only the bits in
 * BND_LACP_NTT_BITS matter.  This is the standard's update_NTT, except that
 * it is asked not only when a LACPDU comes: so it also covers what we
 * announce anew ourselves, without anybody having to say so.
 *
 * That is so in the OVS flavour.  In that of the standard it is the machines
 * that say so, and update_NTT when a LACPDU comes.
 *
 * No more than BND_LACP_TX_LIMIT LACPDUs leave a port within any
 * BND_LACP_FAST_PERIODIC; one that is needed beyond that leaves as soon as it
 * may, with the data of that moment.  (Stock Open vSwitch has no such limit.)
 * Linux keeps its LACPDUs apart instead; so does the standard's flavour.
 *
 * When is sending allowed at all?  Never without carrier: what is due then
 * leaves when the carrier is back.  In the OVS flavour a passive system does
 * not answer before it has heard somebody. */

bool
bnd_tx_is_allowed(const struct bnd_lacp_port *port)
{
    return (port->enabled && port->carrier && port->lacp_enabled
            && !port->begin
            && (!bnd_lacp_is_ovs(port->lacp)
                || port->lacp->config.active
                || port->rx != BND_RX_DEFAULTED));
}

/* NTT, from whatever source? */
static bool
is_needed(const struct bnd_lacp_port *port)
{
    struct bnd_lacp_info actor;

    if (port->ntt || !bnd_lacp_is_ovs(port->lacp)) {
        return port->ntt;
    }
    actor = bnd_lacp_actor(port);
    return (!port->has_believed
            || !bnd_lacp_info_equal(&actor, &port->believed,
                                    BND_LACP_NTT_BITS));
}

/* When the rate limit next lets a LACPDU pass. */
static long long int
limit_time(const struct bnd_lacp_port *port)
{
    long long int oldest = port->sent[port->next_sent];
    long long int last = port->sent[(port->next_sent + BND_LACP_TX_LIMIT - 1)
                                    % BND_LACP_TX_LIMIT];

    if (!bnd_lacp_is_ovs(port->lacp)) {
        return (last == BND_NEVER ? 0
                : bnd_deadline_in(last, BND_LACP_TX_SPACE));
    }
    return (oldest == BND_NEVER ? 0
            : bnd_deadline_in(oldest, BND_LACP_FAST_PERIODIC));
}

/* What is sent of the port's own state; its partner has the rest. */
static void
send(struct bnd_lacp_port *port, uint8_t state, struct bnd_effects *fx)
{
    struct bnd_lacpdu pdu = {
        .actor = bnd_lacp_actor(port),
        .partner = port->partner,
    };

    pdu.actor.state = state;
    bnd_fx_frame(fx, port->id, bnd_lacpdu_encode(&pdu, port->mac),
                 BND_SLOW_FRAME_LEN);
    port->stats.n_tx++;
}

void
bnd_tx_farewell(struct bnd_lacp_port *port, struct bnd_effects *fx)
{
    uint8_t state = bnd_lacp_actor(port).state;

    if (bnd_tx_is_allowed(port) && !bnd_lacp_is_ovs(port->lacp)) {
        send(port, state & ~(BND_LACP_AGGREGATION | BND_LACP_SYNC
                             | BND_LACP_COLLECTING | BND_LACP_DISTRIBUTING
                             | BND_LACP_EXPIRED), fx);
    }
}

static void
transmit(struct bnd_lacp_port *port, long long int now,
         struct bnd_effects *fx)
{
    struct bnd_lacp_info actor = bnd_lacp_actor(port);

    send(port, actor.state, fx);
    bnd_late_sent(port, now, fx);
    port->ntt = false;
    port->believed = actor;
    port->has_believed = true;
    port->sent[port->next_sent] = now;
    port->next_sent = (port->next_sent + 1) % BND_LACP_TX_LIMIT;
    if (bnd_lacp_is_ovs(port->lacp)) {
        bool fast = port->partner.state & BND_LACP_TIMEOUT;

        port->short_sampled = fast;
        port->periodic_timer
            = bnd_deadline_in(now, (fast ? BND_LACP_FAST_PERIODIC
                                    : BND_LACP_SLOW_PERIODIC));
    }
}

void
bnd_tx_step(struct bnd_lacp_port *port, long long int now,
            struct bnd_effects *fx)
{
    if (is_needed(port) && bnd_tx_is_allowed(port)
        && now >= limit_time(port)) {
        transmit(port, now, fx);
    }
}

long long int
bnd_tx_wake_time(const struct bnd_lacp_port *port)
{
    return (is_needed(port) && bnd_tx_is_allowed(port)
            ? limit_time(port) : BND_NEVER);
}
