/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "monitor/link.h"

#include "core/deadline.h"
#include "core/effects.h"
#include "util.h"

void
bnd_link_init(struct bnd_link *link, bool up)
{
    link->state = up ? BND_LINK_UP : BND_LINK_DOWN;
    link->deadline = BND_NEVER;
}

bool
bnd_link_is_enabled(const struct bnd_link *link)
{
    return link->state == BND_LINK_UP || link->state == BND_LINK_GOING_DOWN;
}

/* Which state?  'good' is the verdict, 'expired' says that the delay of the
 * present state is over. */
static enum bnd_link_state
link_next(enum bnd_link_state state, bool good, bool expired)
{
    switch (state) {
    case BND_LINK_UP:
        return good ? state : BND_LINK_GOING_DOWN;
    case BND_LINK_GOING_DOWN:
        return good ? BND_LINK_UP : expired ? BND_LINK_DOWN : state;
    case BND_LINK_DOWN:
        return good ? BND_LINK_COMING_BACK : state;
    case BND_LINK_COMING_BACK:
        return !good ? BND_LINK_DOWN : expired ? BND_LINK_UP : state;
    case BND_N_LINK_STATES:
    default:
        OVS_NOT_REACHED();
    }
}

static void
trace(struct bnd_member *m, enum bnd_trace_type type, bool on,
      long long int ms, long long int now, struct bnd_effects *fx)
{
    struct bnd_trace *t = bnd_fx_trace(fx, type, now, m->id, m->name);
    t->on = on;
    t->ms = ms;
}

/* Starts a delay of 'delay' ms towards 'on'. */
static void
start_delay(struct bnd_member *m, bool on, long long int delay,
            long long int now, struct bnd_effects *fx)
{
    m->link.deadline = bnd_deadline_in(now, delay);
    trace(m, BND_TRACE_LINK, on, 0, now, fx);
    if (delay) {
        trace(m, BND_TRACE_LINK_DELAY, on, delay, now, fx);
    }
}

static void
link_enter(struct bnd_member *m, enum bnd_link_state state,
           long long int updelay, long long int downdelay,
           long long int now, struct bnd_effects *fx)
{
    enum bnd_link_state old = m->link.state;

    m->link.state = state;
    m->link.deadline = BND_NEVER;
    switch (state) {
    case BND_LINK_UP:
        m->risen = true;
        if (old == BND_LINK_GOING_DOWN) {
            trace(m, BND_TRACE_LINK, true, 0, now, fx);
            trace(m, BND_TRACE_LINK_RELAPSE, false, 0, now, fx);
        }
        break;

    case BND_LINK_GOING_DOWN:
        start_delay(m, false, downdelay, now, fx);
        break;

    case BND_LINK_DOWN:
        m->n_failures += m->n_failures < UINT32_MAX;
        if (old == BND_LINK_COMING_BACK) {
            trace(m, BND_TRACE_LINK, false, 0, now, fx);
            trace(m, BND_TRACE_LINK_RELAPSE, true, 0, now, fx);
        }
        break;

    case BND_LINK_COMING_BACK:
        start_delay(m, true, updelay, now, fx);
        break;

    case BND_N_LINK_STATES:
    default:
        OVS_NOT_REACHED();
    }
}

void
bnd_link_step(struct bnd_member *m, long long int updelay,
              long long int downdelay, long long int now,
              struct bnd_effects *fx)
{
    for (int i = 0; i < BND_N_LINK_STATES; i++) {
        bool expired = bnd_deadline_expired(m->link.deadline, now);
        enum bnd_link_state next = link_next(m->link.state, m->good, expired);

        if (next == m->link.state) {
            return;
        }
        link_enter(m, next, updelay, downdelay, now, fx);
    }
    OVS_NOT_REACHED();          /* link_next() cycles on constant input. */
}

void
bnd_link_put(struct bnd_member *m, enum bnd_link_state state,
             long long int now, struct bnd_effects *fx)
{
    bool was_up = m->link.state == BND_LINK_UP;
    bool up = state == BND_LINK_UP;

    m->link.state = state;
    m->link.deadline = BND_NEVER;
    if (up != was_up) {
        m->risen |= up;
        m->n_failures += !up && m->n_failures < UINT32_MAX;
        trace(m, BND_TRACE_LINK, up, 0, now, fx);
    }
}

long long int
bnd_link_wake_time(const struct bnd_link *link)
{
    return link->deadline;
}
