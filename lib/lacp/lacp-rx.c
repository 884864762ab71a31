/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "lacp/lacp-private.h"

#include <string.h>
#include "util.h"
#include "core/deadline.h"
#include "core/effects.h"
#include "wire/eth.h"

/* Receive machine.  [802.1AX-2008 5.4.12]
 *
 * What is true in each state:
 *   INITIALIZE     The port is new.
 *   PORT_DISABLED  The link is down.
 *   EXPIRED        The partner fell silent, or has not spoken yet.  It gets
 *                  BND_LACP_SHORT_TIMEOUT to show that it is there.
 *   LACP_DISABLED  The link is not one that can be aggregated.
 *   DEFAULTED      There is no partner; defaults stand in for its data.
 *   CURRENT        The partner's data are those of its last LACPDU.
 *
 *   INITIALIZE -> PORT_DISABLED -> EXPIRED -> DEFAULTED
 *                       |             ^ |         |
 *                       v             | v         |
 *                 LACP_DISABLED     CURRENT <-----'
 *
 * Besides, any state but INITIALIZE goes to PORT_DISABLED when the link does.
 *
 * In the standard's flavour a port that begins anew is in PORT_DISABLED for a
 * tick of Linux, unless it hears its partner first, so that others see of it
 * what they see of Linux.
 *
 * The OVS flavour differs in two inputs.  'restart': stock Open vSwitch sends
 * a port back to EXPIRED when its carrier changes or it is configured anew,
 * and keeps the partner's data meanwhile, so that traffic resumes with the
 * next LACPDU.  'quiet': a passive system, which must not speak first, has no
 * use for EXPIRED before it has heard anybody, and starts in DEFAULTED; and
 * only CURRENT is restarted. */

const char *
bnd_rx_state_name(enum bnd_rx_state state)
{
    switch (state) {
#define BND_RX_STATE(NAME) case BND_RX_##NAME: return #NAME;
    BND_RX_STATES
#undef BND_RX_STATE
    case BND_N_RX_STATES:
    default:
        OVS_NOT_REACHED();
    }
}

enum bnd_rx_state
bnd_rx_next(enum bnd_rx_state state, const struct bnd_rx_input *in)
{
    if (in->begin) {
        return BND_RX_INITIALIZE;
    } else if (!in->port_enabled) {
        return BND_RX_PORT_DISABLED;
    }

    switch (state) {
    case BND_RX_INITIALIZE:
        return BND_RX_PORT_DISABLED;
    case BND_RX_PORT_DISABLED:
        return (!in->lacp_enabled ? BND_RX_LACP_DISABLED
                : in->quiet ? BND_RX_DEFAULTED
                : BND_RX_EXPIRED);
    case BND_RX_EXPIRED:
        return (in->pdu ? BND_RX_CURRENT
                : in->restart && !in->quiet ? state
                : in->timer_expired ? BND_RX_DEFAULTED
                : state);
    case BND_RX_LACP_DISABLED:
        return state;
    case BND_RX_DEFAULTED:
        return (in->pdu ? BND_RX_CURRENT
                : in->restart && !in->quiet ? BND_RX_EXPIRED
                : state);
    case BND_RX_CURRENT:
        return (in->pdu ? state
                : in->restart || in->timer_expired ? BND_RX_EXPIRED
                : state);
    case BND_N_RX_STATES:
    default:
        OVS_NOT_REACHED();
    }
}

/* Is the entry of 'state' to be acted on though the machine was in it? */
static bool
reenters(enum bnd_rx_state state, const struct bnd_rx_input *in)
{
    return ((state == BND_RX_INITIALIZE && in->begin)
            || (state == BND_RX_CURRENT && in->pdu)
            || (state == BND_RX_EXPIRED && in->restart && !in->quiet));
}

static void
unselect(struct bnd_lacp_port *port)
{
    port->selected = BND_UNSELECTED;
    port->lacp->reselect = true;
}

/* The same because of what is known of the partner.  In the standard's flavour
 * it takes effect when Selection Logic looks again, before anything else has
 * noticed. */
static void
move(struct bnd_lacp_port *port)
{
    struct bnd_lacp *lacp = port->lacp;

    if (bnd_lacp_is_ovs(lacp)) {
        unselect(port);
    } else {
        port->moved = true;
        lacp->select_at
            = bnd_deadline_min(lacp->select_at,
                               bnd_deadline_in(lacp->now, BND_LACP_GATHER));
    }
}

/* recordDefault, and, where it says 'unselect' or the partner was another one
 * than that, update_Default_Selected.  The default of the standard's flavour
 * is that of Linux, nobody; that of OVS is all zeros. */
static void
record_default(struct bnd_lacp_port *port, bool always)
{
    static const struct bnd_lacp_info zeros;
    static const struct bnd_lacp_info nobody = {
        .system_priority = 65535,
        .key = 1,
        .port_priority = 255,
        .port_id = 1,
    };
    bool ovs = bnd_lacp_is_ovs(port->lacp);

    if (always) {
        unselect(port);
    } else if (ovs || !bnd_lacp_info_equal(&port->partner, &nobody,
                                           BND_LACP_AGGREGATION)) {
        move(port);
    }
    port->partner = ovs ? zeros : nobody;
    port->actor_state |= BND_LACP_DEFAULTED;
}

/* choose_matched: does the sender of 'pdu' know us as we are, so that its
 * claim to be in sync is about us? */
static bool
is_matched(const struct bnd_lacp_port *port, const struct bnd_lacpdu *pdu)
{
    struct bnd_lacp_info actor = bnd_lacp_actor(port);

    return (!(pdu->actor.state & BND_LACP_AGGREGATION)
            || bnd_lacp_info_equal(&pdu->partner, &actor,
                                   BND_LACP_AGGREGATION));
}

/* update_Selected, update_NTT, recordPDU.
 *
 * Of update_NTT the OVS flavour does the half that remembers what the partner
 * knows of us; lacp-tx.c compares that with what we announce once Selection
 * Logic has run.  It keeps the port selected until Selection Logic has looked
 * again, which it does if anything at all is new; and it believes a partner
 * that says that it is in sync. */
static void
record_pdu(struct bnd_lacp_port *port, const struct bnd_lacpdu *pdu)
{
    struct bnd_lacp *lacp = port->lacp;
    struct bnd_lacp_info partner = pdu->actor;

    if (bnd_lacp_is_ovs(lacp)) {
        if (!bnd_lacp_info_equal(&partner, &port->partner, UINT8_MAX)) {
            lacp->reselect = true;
        }
    } else {
        struct bnd_lacp_info actor = bnd_lacp_actor(port);

        if (!bnd_lacp_info_equal(&partner, &port->partner,
                                 BND_LACP_AGGREGATION)) {
            move(port);
        }
        port->ntt |= !bnd_lacp_info_equal(&pdu->partner, &actor,
                                          BND_LACP_NTT_BITS);
        if (!is_matched(port, pdu)) {
            partner.state &= ~BND_LACP_SYNC;
        }
    }
    port->partner = partner;
    port->believed = pdu->partner;
    port->has_believed = true;
    port->actor_state &= ~BND_LACP_DEFAULTED;
}

static void
enter_defaulted(struct bnd_lacp_port *port, bool always)
{
    /* update_Default_Selected; recordDefault; Expired := FALSE. */
    record_default(port, always);
    port->actor_state &= ~BND_LACP_EXPIRED;
    port->current_while = BND_NEVER;
}

/* 'pdu' and 'arrival' are for CURRENT. */
static void
rx_enter(struct bnd_lacp_port *port, enum bnd_rx_state state,
         const struct bnd_lacpdu *pdu, long long int arrival,
         long long int now)
{
    long long int timeout;

    port->rx = state;
    switch (state) {
    case BND_RX_INITIALIZE:
        /* Selected := UNSELECTED; recordDefault; Expired := FALSE. */
        port->begin = false;
        port->mux_begin = !bnd_lacp_is_ovs(port->lacp);
        port->churn_begin = true;
        port->start = bnd_deadline_in(now, BND_LACP_TICK);
        enter_defaulted(port, true);
        break;

    case BND_RX_PORT_DISABLED:
        /* Partner_Oper_Port_State.Synchronization := FALSE. */
        port->partner.state &= ~BND_LACP_SYNC;
        port->current_while = BND_NEVER;
        port->lacp->reselect = true;
        break;

    case BND_RX_EXPIRED:
        /* Partner_Oper_Port_State.Synchronization := FALSE; .LACP_Timeout :=
         * Short; start current_while_timer (Short); Expired := TRUE.  The OVS
         * flavour does not claim both DEFAULTED and EXPIRED. */
        port->partner.state &= ~BND_LACP_SYNC;
        port->partner.state |= BND_LACP_TIMEOUT;
        port->current_while = bnd_deadline_in(now, BND_LACP_SHORT_TIMEOUT);
        port->actor_state |= BND_LACP_EXPIRED;
        port->churn_begin = true;
        if (bnd_lacp_is_ovs(port->lacp)) {
            port->actor_state &= ~BND_LACP_DEFAULTED;
        }
        break;

    case BND_RX_LACP_DISABLED:
        /* Selected := UNSELECTED; recordDefault;
         * Partner_Oper_Port_State.Aggregation := FALSE; Expired := FALSE. */
        enter_defaulted(port, true);
        break;

    case BND_RX_DEFAULTED:
        enter_defaulted(port, false);
        break;

    case BND_RX_CURRENT:
        /* update_Selected; update_NTT; recordPDU; start current_while_timer
         * (Actor_Oper_Port_State.LACP_Timeout); Expired := FALSE. */
        record_pdu(port, pdu);
        timeout = (port->lacp->config.fast ? BND_LACP_SHORT_TIMEOUT
                   : BND_LACP_LONG_TIMEOUT);
        port->current_while = bnd_deadline_in(arrival, timeout);
        bnd_late_received(port, arrival, timeout);
        port->actor_state &= ~BND_LACP_EXPIRED;
        break;

    case BND_N_RX_STATES:
    default:
        OVS_NOT_REACHED();
    }
}

static struct bnd_rx_input
rx_input(const struct bnd_lacp_port *port, const struct bnd_lacpdu *pdu,
         long long int now)
{
    bool ovs = bnd_lacp_is_ovs(port->lacp);

    return (struct bnd_rx_input) {
        .begin = port->begin,
        .port_enabled = port->enabled && (ovs || now >= port->start),
        .lacp_enabled = port->lacp_enabled,
        .quiet = ovs && !port->lacp->config.active,
        .restart = ovs && port->restart,
        .pdu = pdu != NULL,
        .timer_expired = bnd_deadline_expired(port->current_while, now),
    };
}

void
bnd_rx_wait_longer(struct bnd_lacp_port *port, long long int now)
{
    long long int heard = port->watch.last_rx;

    if (port->rx == BND_RX_CURRENT && heard != BND_NEVER
        && !bnd_deadline_expired(port->current_while, now)) {
        port->current_while = bnd_deadline_in(heard, BND_LACP_LONG_TIMEOUT);
        bnd_late_wait(port, BND_LACP_LONG_TIMEOUT);
    }
}

static void
rx_count(struct bnd_lacp_port *port, enum bnd_rx_state next,
         const struct bnd_rx_input *in)
{
    if (port->rx == BND_RX_CURRENT && next == BND_RX_EXPIRED) {
        port->stats.n_expired += !in->restart;
    } else if (port->rx == BND_RX_EXPIRED && next == BND_RX_DEFAULTED) {
        port->stats.n_defaulted++;
    }
}

void
bnd_rx_step(struct bnd_lacp_port *port, const struct bnd_lacpdu *pdu,
            long long int arrival, long long int now, struct bnd_effects *fx)
{
    if (pdu) {
        port->start = MIN(port->start, now);
    }
    /* Events may re-enter a state, once: allow for that. */
    for (int i = 0; i < BND_N_RX_STATES + 2; i++) {
        struct bnd_rx_input in = rx_input(port, pdu, now);
        enum bnd_rx_state next = bnd_rx_next(port->rx, &in);

        if (!in.begin) {
            port->restart = false;
        }
        if (next == port->rx && !reenters(next, &in)) {
            return;
        }
        port->churn_begin |= next == BND_RX_CURRENT && next != port->rx;
        if (next != port->rx) {
            bnd_fx_trace_fsm(fx, now, port->id, port->name, "Receive",
                             bnd_rx_state_name(port->rx),
                             bnd_rx_state_name(next));
            rx_count(port, next, &in);
            port->lacp->reselect |= port->rx == BND_RX_PORT_DISABLED;
        }
        rx_enter(port, next, pdu, arrival, now);
        if (next == BND_RX_CURRENT) {
            pdu = NULL;
        }
    }
    OVS_NOT_REACHED();          /* bnd_rx_next() cycles on constant input. */
}
