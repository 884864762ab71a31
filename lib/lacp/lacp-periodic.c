/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "lacp/lacp-private.h"

#include "util.h"
#include "core/deadline.h"
#include "core/effects.h"

/* Periodic Transmission machine.  [802.1AX-2008 5.4.13]
 *
 * What is true in each state:
 *   NO_PERIODIC  Nobody is to be kept informed.
 *   FAST         A LACPDU is due BND_LACP_FAST_PERIODIC after the last.
 *   SLOW         A LACPDU is due BND_LACP_SLOW_PERIODIC after the last.
 *   TX           A LACPDU is due.
 *
 *   NO_PERIODIC -> FAST <-> SLOW
 *                    ^'-> TX <-'^
 *
 * The standard's period starts at the last periodic LACPDU, and a partner that
 * turns to the short timeout gets one at once.  In the OVS flavour the period
 * starts at the last LACPDU sent for any reason, and its length is what the
 * partner wanted at that moment; TX therefore lasts until the LACPDU has
 * gone. */

const char *
bnd_periodic_state_name(enum bnd_periodic_state state)
{
    switch (state) {
#define BND_PERIODIC_STATE(NAME) case BND_PERIODIC_##NAME: return #NAME;
    BND_PERIODIC_STATES
#undef BND_PERIODIC_STATE
    case BND_N_PERIODIC_STATES:
    default:
        OVS_NOT_REACHED();
    }
}

enum bnd_periodic_state
bnd_periodic_next(enum bnd_periodic_state state,
                  const struct bnd_periodic_input *in)
{
    if (!in->enabled) {
        return BND_PERIODIC_NO_PERIODIC;
    }

    switch (state) {
    case BND_PERIODIC_NO_PERIODIC:
        return BND_PERIODIC_FAST;
    case BND_PERIODIC_FAST:
        return (in->timer_expired ? BND_PERIODIC_TX
                : !in->short_timeout ? BND_PERIODIC_SLOW
                : state);
    case BND_PERIODIC_SLOW:
        return (in->timer_expired ? BND_PERIODIC_TX
                : !in->short_timeout ? state
                : in->sampled ? BND_PERIODIC_FAST
                : BND_PERIODIC_TX);
    case BND_PERIODIC_TX:
        return (in->sampled && in->timer_expired ? state
                : in->short_timeout ? BND_PERIODIC_FAST
                : BND_PERIODIC_SLOW);
    case BND_N_PERIODIC_STATES:
    default:
        OVS_NOT_REACHED();
    }
}

/* A LACPDU of a port that was in state 'from' is late if its time came after
 * the last run.  One whose time came earlier, or while none were wanted, was
 * held back for some reason, not by a late run. */
static void
count_lateness(struct bnd_lacp_port *port, enum bnd_periodic_state from,
               long long int now)
{
    if ((from == BND_PERIODIC_FAST || from == BND_PERIODIC_SLOW)
        && port->periodic_timer > port->lacp->last_run
        && port->periodic_timer <= now) {
        bnd_late_delayed(port, now - port->periodic_timer);
    }
}

static void
periodic_enter(struct bnd_lacp_port *port, enum bnd_periodic_state state,
               long long int now)
{
    bool ovs = bnd_lacp_is_ovs(port->lacp);

    port->periodic = state;
    switch (state) {
    case BND_PERIODIC_NO_PERIODIC:
        /* periodic_timer := 0. */
        if (!ovs) {
            port->periodic_timer = BND_NEVER;
        }
        break;

    case BND_PERIODIC_FAST:
        /* Start periodic_timer (Fast_Periodic_Time). */
        if (!ovs) {
            port->periodic_timer = bnd_deadline_in(now,
                                                   BND_LACP_FAST_PERIODIC);
        }
        break;

    case BND_PERIODIC_SLOW:
        /* Start periodic_timer (Slow_Periodic_Time). */
        if (!ovs) {
            port->periodic_timer = bnd_deadline_in(now,
                                                   BND_LACP_SLOW_PERIODIC);
        }
        break;

    case BND_PERIODIC_TX:
        /* NTT := TRUE. */
        port->ntt = true;
        break;

    case BND_N_PERIODIC_STATES:
    default:
        OVS_NOT_REACHED();
    }
}

/* The OVS flavour is never silent but for a passive system that hears nobody;
 * the standard is if neither side is active. */
static struct bnd_periodic_input
periodic_input(const struct bnd_lacp_port *port, long long int now)
{
    bool ovs = bnd_lacp_is_ovs(port->lacp);
    bool active = port->lacp->config.active;

    return (struct bnd_periodic_input) {
        .enabled = (port->enabled && port->lacp_enabled && !port->begin
                    && (active
                        || (ovs ? port->rx != BND_RX_DEFAULTED
                            : port->partner.state & BND_LACP_ACTIVITY))),
        .short_timeout = (ovs ? port->short_sampled
                          : port->partner.state & BND_LACP_TIMEOUT),
        .timer_expired = bnd_deadline_expired(port->periodic_timer, now),
        .sampled = ovs,
    };
}

void
bnd_periodic_step(struct bnd_lacp_port *port, long long int now,
                  struct bnd_effects *fx)
{
    enum bnd_periodic_state from = port->periodic;

    /* NO_PERIODIC, FAST, TX and SLOW may all be passed. */
    for (int i = 0; i <= BND_N_PERIODIC_STATES; i++) {
        struct bnd_periodic_input in = periodic_input(port, now);
        enum bnd_periodic_state next = bnd_periodic_next(port->periodic, &in);

        if (next == port->periodic) {
            return;
        }
        bnd_fx_trace_fsm(fx, now, port->id, port->name, "Periodic",
                         bnd_periodic_state_name(port->periodic),
                         bnd_periodic_state_name(next));
        if (next == BND_PERIODIC_TX) {
            count_lateness(port, from, now);
        }
        periodic_enter(port, next, now);
    }
    OVS_NOT_REACHED();          /* bnd_periodic_next() cycles. */
}

long long int
bnd_periodic_wake_time(const struct bnd_lacp_port *port)
{
    return (port->periodic == BND_PERIODIC_FAST
            || port->periodic == BND_PERIODIC_SLOW
            ? port->periodic_timer : BND_NEVER);
}
