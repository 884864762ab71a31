/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "lacp/lacp-private.h"

#include "util.h"
#include "core/deadline.h"
#include "core/effects.h"

/* Mux machine.  [802.1AX-2008 5.4.15]
 *
 * What is true in each state:
 *   DETACHED      In no aggregator.  Sends and takes nothing.
 *   WAITING       Aggregator chosen; wait_while runs so that peers can join.
 *   ATTACHED      In the aggregator, in sync if that is in use, not yet
 *                 receiving.
 *   COLLECTING    Frames received are delivered.
 *   DISTRIBUTING  Frames are sent, too.
 *   COLLECTING_DISTRIBUTING  Both, by coupled control.
 *
 *   DETACHED -> WAITING -> ATTACHED <-> COLLECTING <-> DISTRIBUTING
 *      ^------------'-----------' ^
 *                                 '---> COLLECTING_DISTRIBUTING
 *
 * A port leaves ATTACHED only if its aggregator is the one in use.  If another
 * one takes over later the port stays where it is, and only loses its role; it
 * has that again at once when its aggregator has.
 *
 * In the OVS flavour a port that is selected passes all states at once: it
 * announces SYNC, COLLECTING and DISTRIBUTING together, and whether it really
 * carries traffic is decided by the partner's SYNC alone
 * (bnd_lacp_port_may_enable()).
 *
 * Source of what is not in the standard: observation of Linux 6.1. */

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
    bool fall = !sel || !in->partner_sync || !in->actor_sync;

    switch (state) {
    case BND_MUX_DETACHED:
        return in->selected != BND_UNSELECTED ? BND_MUX_WAITING : state;
    case BND_MUX_WAITING:
        return (in->selected == BND_UNSELECTED ? BND_MUX_DETACHED
                : sel && in->ready ? BND_MUX_ATTACHED
                : state);
    case BND_MUX_ATTACHED:
        return (!sel ? BND_MUX_DETACHED
                : !in->partner_sync || !in->active ? state
                : in->coupled ? BND_MUX_COLLECTING_DISTRIBUTING
                : BND_MUX_COLLECTING);
    case BND_MUX_COLLECTING:
        return (fall ? BND_MUX_ATTACHED
                : in->partner_collecting ? BND_MUX_DISTRIBUTING
                : state);
    case BND_MUX_DISTRIBUTING:
        return (fall || !in->partner_collecting ? BND_MUX_COLLECTING
                : state);
    case BND_MUX_COLLECTING_DISTRIBUTING:
        return fall ? BND_MUX_ATTACHED : state;
    case BND_N_MUX_STATES:
    default:
        OVS_NOT_REACHED();
    }
}

/* Is the aggregator of 'port' in use?  That of the OVS flavour always is. */
static bool
is_in_use(const struct bnd_lacp_port *port)
{
    return bnd_lacp_is_ovs(port->lacp) || (port->agg && port->agg->active);
}

/* A port that carries traffic without a partner, where that may be, goes
 * on. */
static void
drop_role(struct bnd_lacp_port *port)
{
    port->role &= (is_in_use(port) && port->agg
                   && !bnd_agg_has_partner(port->agg)
                   && bnd_lacp_is_individual_ok(port->lacp));
}

#define BITS (BND_LACP_SYNC | BND_LACP_COLLECTING | BND_LACP_DISTRIBUTING)

static void
mux_enter(struct bnd_lacp_port *port, enum bnd_mux_state state,
          long long int now)
{
    uint8_t *bits = &port->actor_state;

    port->mux = state;
    port->wait_while = BND_NEVER;
    port->ntt |= (state != BND_MUX_WAITING && state != BND_MUX_DISTRIBUTING
                  && !bnd_lacp_is_ovs(port->lacp)); /* It finds out itself. */
    switch (state) {
    case BND_MUX_DETACHED:
        /* Detach_Mux_From_Aggregator; Sync := FALSE; Disable_Distributing;
         * Distributing := FALSE; Collecting := FALSE; Disable_Collecting;
         * NTT := TRUE. */
        *bits &= ~BITS;
        drop_role(port);
        break;

    case BND_MUX_WAITING:
        /* Start wait_while_timer. */
        port->wait_while = bnd_deadline_in(now, BND_LACP_AGGREGATE_WAIT);
        break;

    case BND_MUX_ATTACHED:
        /* Attach_Mux_To_Aggregator; Sync := TRUE; Collecting := FALSE;
         * Disable_Collecting; NTT := TRUE. */
        *bits &= ~BITS;
        *bits |= is_in_use(port) ? BND_LACP_SYNC : 0;
        drop_role(port);
        break;

    case BND_MUX_COLLECTING:
        /* Enable_Collecting; Collecting := TRUE; Disable_Distributing;
         * Distributing := FALSE; NTT := TRUE. */
        *bits |= BND_LACP_SYNC | BND_LACP_COLLECTING;
        *bits &= ~BND_LACP_DISTRIBUTING;
        port->role = false;
        break;

    case BND_MUX_DISTRIBUTING:
        /* Distributing := TRUE; Enable_Distributing. */
        *bits |= BND_LACP_DISTRIBUTING;
        break;

    case BND_MUX_COLLECTING_DISTRIBUTING:
        /* Enable_Collecting_Distributing; both := TRUE; NTT := TRUE. */
        *bits |= BITS;
        break;

    case BND_N_MUX_STATES:
    default:
        OVS_NOT_REACHED();
    }
}

/* What a state does as long as it lasts, in the standard's flavour.  The
 * partner is told, as it might wait a long time otherwise. */
static void
mux_stay(struct bnd_lacp_port *port)
{
    bool agreed = (port->mux == BND_MUX_DISTRIBUTING
                   || port->mux == BND_MUX_COLLECTING_DISTRIBUTING);
    bool alone_ok = bnd_lacp_is_individual_ok(port->lacp);

    port->role &= agreed || alone_ok;
    if (!is_in_use(port)) {
        return;
    }
    if (port->mux == BND_MUX_ATTACHED
        && !(port->actor_state & BND_LACP_SYNC)) {
        port->actor_state |= BND_LACP_SYNC;
        port->ntt = true;
    }
    port->role |= (port->enabled
                   && (agreed
                       || (alone_ok && port->carrier
                           && !bnd_agg_has_partner(port->agg))));
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

/* When 'port', which is WAITING, may go on.  One that was in reserve has
 * nobody to wait for. */
static long long int
own_ready_time(const struct bnd_lacp_port *port)
{
    return (port->was_standby ? port->wait_while
            : ready_time(port->lacp, port->agg));
}

static struct bnd_mux_input
mux_input(const struct bnd_lacp_port *port, long long int now)
{
    bool ovs = bnd_lacp_is_ovs(port->lacp);

    return (struct bnd_mux_input) {
        .selected = port->begin ? BND_UNSELECTED : port->selected,
        .ready = ovs || (port->mux == BND_MUX_WAITING
                         && now >= own_ready_time(port)),
        .partner_sync = ovs || port->partner.state & BND_LACP_SYNC,
        .partner_collecting = (ovs
                               || port->partner.state & BND_LACP_COLLECTING),
        .actor_sync = ovs || port->actor_state & BND_LACP_SYNC,
        .active = is_in_use(port) && !port->moved,
        .coupled = !ovs && port->lacp->config.coupled,
    };
}

/* BEGIN, which Selection Logic has already answered. */
static void
mux_begin(struct bnd_lacp_port *port, long long int now,
          struct bnd_effects *fx)
{
    port->mux_begin = false;
    if (port->mux != BND_MUX_DETACHED) {
        bnd_fx_trace_fsm(fx, now, port->id, port->name, "Mux",
                         bnd_mux_state_name(port->mux),
                         bnd_mux_state_name(BND_MUX_DETACHED));
    }
    mux_enter(port, BND_MUX_DETACHED, now);
}

void
bnd_mux_step(struct bnd_lacp_port *port, long long int now,
             struct bnd_effects *fx)
{
    if (port->mux_begin) {
        mux_begin(port, now, fx);
    }
    for (int i = 0; i < BND_N_MUX_STATES; i++) {
        struct bnd_mux_input in = mux_input(port, now);
        enum bnd_mux_state next = bnd_mux_next(port->mux, &in);

        if (next == port->mux) {
            if (!bnd_lacp_is_ovs(port->lacp)) {
                mux_stay(port);
            }
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
    if (port->mux != BND_MUX_WAITING) {
        return BND_NEVER;
    } else if (port->selected == BND_SELECTED) {
        return own_ready_time(port);
    }
    /* In reserve: from then on it may replace others. */
    return (port->selected == BND_STANDBY
            && port->wait_while > port->lacp->last_run
            ? port->wait_while : BND_NEVER);
}
