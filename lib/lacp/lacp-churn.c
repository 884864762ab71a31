/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "lacp/lacp-private.h"

#include "core/deadline.h"
#include "core/effects.h"
#include "util.h"

/* Churn detection, of the actor and of the partner.  [802.1AX-2008 5.4.17]
 *
 * What is true in each state:
 *   MONITORING  churn_timer runs, and nothing is known yet.
 *   NONE        The side was in sync when it ended.
 *   CHURNED     It was not: the two systems do not get on with each other.
 *
 * We simplify, as Linux does: the verdict is that of the moment at which the
 * timer ends.  Both machines begin anew when the port is new, falls silent or
 * hears its partner again. */

enum bnd_churn
bnd_churn_next(enum bnd_churn state, const struct bnd_churn_input *in)
{
    if (in->begin) {
        return BND_CHURN_MONITORING;
    } else if (state != BND_CHURN_MONITORING || !in->timer_expired) {
        return state;
    }
    return in->sync ? BND_CHURN_NONE : BND_CHURN_CHURNED;
}

/* Returns the number of times that '*state' has become CHURNED thereby. */
static uint32_t
step(struct bnd_lacp_port *port, const char *machine, enum bnd_churn *state,
     bool sync, long long int now, struct bnd_effects *fx)
{
    struct bnd_churn_input in = {
        .begin = port->churn_begin,
        .timer_expired = bnd_deadline_expired(port->churn_timer, now),
        .sync = sync,
    };
    enum bnd_churn next = bnd_churn_next(*state, &in);

    if (next == *state) {
        return 0;
    }
    bnd_fx_trace_fsm(fx, now, port->id, port->name, machine,
                     bnd_churn_name(*state), bnd_churn_name(next));
    *state = next;
    return next == BND_CHURN_CHURNED;
}

void
bnd_churn_step(struct bnd_lacp_port *port, long long int now,
               struct bnd_effects *fx)
{
    struct bnd_lacp_port_status *stats = &port->stats;

    stats->n_actor_churn += step(port, "Actor Churn", &port->actor_churn,
                                 port->actor_state & BND_LACP_SYNC, now, fx);
    stats->n_partner_churn += step(port, "Partner Churn",
                                   &port->partner_churn,
                                   port->partner.state & BND_LACP_SYNC, now,
                                   fx);
    if (port->churn_begin) {
        port->churn_begin = false;
        port->churn_timer = bnd_deadline_in(now, BND_LACP_CHURN_TIME);
    } else if (bnd_deadline_expired(port->churn_timer, now)) {
        port->churn_timer = BND_NEVER;
    }
}

long long int
bnd_churn_wake_time(const struct bnd_lacp_port *port)
{
    return port->churn_timer;
}
