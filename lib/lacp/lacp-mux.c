/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "lacp/lacp-private.h"

#include "util.h"
#include "core/deadline.h"
#include "core/effects.h"

/* Mux machine, independent control.  [802.1AX-2008 5.4.15]
 *
 * What is true in each state:
 *   DETACHED      In no aggregator.  Sends and takes nothing.
 *   WAITING       Aggregator chosen; wait_while runs so that peers can join.
 *   ATTACHED      In the aggregator, in sync, not yet receiving.
 *   COLLECTING    Frames received are delivered.
 *   DISTRIBUTING  Frames are sent, too.
 *
 *   DETACHED -> WAITING -> ATTACHED <-> COLLECTING <-> DISTRIBUTING
 *      ^------------'-----------'
 *
 * In the OVS flavour a port that is selected passes all states at once: it
 * announces SYNC, COLLECTING and DISTRIBUTING together, and whether it really
 * carries traffic is decided by the partner's SYNC alone
 * (bnd_lacp_port_may_enable()). */

const char *
bnd_mux_state_name(enum bnd_mux_state state)
{
    switch (state) {
#define BND_MUX_STATE(NAME) case BND_MUX_##NAME: return #NAME;
    BND_MUX_STATES
#undef BND_MUX_STATE
    case BND_N_MUX_STATES:
    default:
        OVS_NOT_REACHED();
    }
}

enum bnd_mux_state
bnd_mux_next(enum bnd_mux_state state, const struct bnd_mux_input *in)
{
    bool sel = in->selected == BND_SELECTED;

    switch (state) {
    case BND_MUX_DETACHED:
        return in->selected != BND_UNSELECTED ? BND_MUX_WAITING : state;
    case BND_MUX_WAITING:
        return (in->selected == BND_UNSELECTED ? BND_MUX_DETACHED
                : sel && in->ready ? BND_MUX_ATTACHED
                : state);
    case BND_MUX_ATTACHED:
        return (!sel ? BND_MUX_DETACHED
                : in->partner_sync ? BND_MUX_COLLECTING
                : state);
    case BND_MUX_COLLECTING:
        return (!sel || !in->partner_sync ? BND_MUX_ATTACHED
                : in->partner_collecting ? BND_MUX_DISTRIBUTING
                : state);
    case BND_MUX_DISTRIBUTING:
        return (!sel || !in->partner_sync || !in->partner_collecting
                ? BND_MUX_COLLECTING
                : state);
    case BND_N_MUX_STATES:
    default:
        OVS_NOT_REACHED();
    }
}

static void
mux_enter(struct bnd_lacp_port *port, enum bnd_mux_state state,
          long long int now)
{
    port->mux = state;
    port->wait_while = BND_NEVER;
    switch (state) {
    case BND_MUX_DETACHED:
        /* Detach_Mux_From_Aggregator; Sync := FALSE; Disable_Distributing;
         * Distributing := FALSE; Collecting := FALSE; Disable_Collecting;
         * NTT := TRUE. */
        port->actor_state &= ~(BND_LACP_SYNC | BND_LACP_COLLECTING
                               | BND_LACP_DISTRIBUTING);
        break;

    case BND_MUX_WAITING:
        /* Start wait_while_timer. */
        port->wait_while = bnd_deadline_in(now, BND_LACP_AGGREGATE_WAIT);
        return;

    case BND_MUX_ATTACHED:
        /* Attach_Mux_To_Aggregator; Sync := TRUE; Collecting := FALSE;
         * Disable_Collecting; NTT := TRUE. */
        port->actor_state |= BND_LACP_SYNC;
        port->actor_state &= ~(BND_LACP_COLLECTING | BND_LACP_DISTRIBUTING);
        break;

    case BND_MUX_COLLECTING:
        /* Enable_Collecting; Collecting := TRUE; Disable_Distributing;
         * Distributing := FALSE; NTT := TRUE. */
        port->actor_state |= BND_LACP_COLLECTING;
        port->actor_state &= ~BND_LACP_DISTRIBUTING;
        break;

    case BND_MUX_DISTRIBUTING:
        /* Distributing := TRUE; Enable_Distributing. */
        port->actor_state |= BND_LACP_DISTRIBUTING;
        return;

    case BND_N_MUX_STATES:
    default:
        OVS_NOT_REACHED();
    }

    /* In the OVS flavour lacp-tx.c finds out by itself. */
    if (!bnd_lacp_is_ovs(port->lacp)) {
        port->ntt = true;
    }
}

/* Returns when the last one of the ports that wait for 'agg' will have waited
 * long enough. */
static long long int
ready_time(const struct bnd_lacp *lacp, const struct bnd_aggregator *agg)
{
    long long int ready = 0;

    for (size_t i = 0; i < lacp->n_ports; i++) {
        const struct bnd_lacp_port *port = lacp->ports[i];

        if (port->mux == BND_MUX_WAITING && port->selected == BND_SELECTED
            && port->agg == agg) {
            ready = MAX(ready, port->wait_while);
        }
    }
    return ready;
}

static struct bnd_mux_input
mux_input(const struct bnd_lacp_port *port, long long int now)
{
    bool ovs = bnd_lacp_is_ovs(port->lacp);

    return (struct bnd_mux_input) {
        .selected = port->begin ? BND_UNSELECTED : port->selected,
        .ready = ovs || (port->mux == BND_MUX_WAITING
                         && now >= ready_time(port->lacp, port->agg)),
        .partner_sync = ovs || port->partner.state & BND_LACP_SYNC,
        .partner_collecting = (ovs
                               || port->partner.state & BND_LACP_COLLECTING),
    };
}

void
bnd_mux_step(struct bnd_lacp_port *port, long long int now,
             struct bnd_effects *fx)
{
    for (int i = 0; i < BND_N_MUX_STATES; i++) {
        struct bnd_mux_input in = mux_input(port, now);
        enum bnd_mux_state next = bnd_mux_next(port->mux, &in);

        if (next == port->mux) {
            return;
        }
        bnd_fx_trace_fsm(fx, now, port->id, port->name, "Mux",
                         bnd_mux_state_name(port->mux),
                         bnd_mux_state_name(next));
        mux_enter(port, next, now);
    }
    OVS_NOT_REACHED();          /* bnd_mux_next() cycles on constant input. */
}

long long int
bnd_mux_wake_time(const struct bnd_lacp_port *port)
{
    return (port->mux == BND_MUX_WAITING && port->selected == BND_SELECTED
            ? ready_time(port->lacp, port->agg) : BND_NEVER);
}
