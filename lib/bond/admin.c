/* SPDX-License-Identifier: Apache-2.0 */

/* What the operator wants of members (option "admin").  A member that drains
 * sends no more from the start, and its LACP partner is told to do likewise,
 * but what still comes to it is taken until 'drain_end'; then it is out of
 * use, as one that is down is at once.  All of that is configuration, so it
 * outlasts a restart, after which there is nothing left to drain. */

#include <config.h>
#include "bond/bond-private.h"

#include "core/deadline.h"

/* Starts to drain 'm', which was in use until now. */
static void
start_draining(struct bnd_bond *b, struct bnd_member *m, long long int now)
{
    bool negotiated = b->lacp_status == BND_LACP_NEGOTIATED;

    m->drain_end = bnd_deadline_in(now, bnd_settings_num(&b->settings,
                                                         BND_OPT_DRAIN_TIME));
    m->lingers = negotiated ? m->lacp_ok : m->id == b->active;
}

void
bnd_admin_changed(struct bnd_bond *b, struct bnd_member *m,
                  enum bnd_admin old, long long int now,
                  struct bnd_effects *fx)
{
    struct bnd_trace *t;

    m->drain_end = now;
    m->lingers = false;
    if (m->options.admin == BND_ADMIN_UP) {
        m->drain_end = BND_NEVER;
    } else if (m->options.admin == BND_ADMIN_DRAIN && old == BND_ADMIN_UP
               && m->enabled) {
        start_draining(b, m, now);
    }
    if (m->drain_end > now) {
        t = bnd_fx_trace(fx, BND_TRACE_ADMIN, now, m->id, m->name);
        t->on = m->options.admin == BND_ADMIN_UP;
        t->ms = t->on ? 0 : m->drain_end - now;
    }
}

void
bnd_stage_admin(struct bnd_bond *b, long long int now, struct bnd_effects *fx)
{
    for (size_t i = 0; i < b->n_members; i++) {
        struct bnd_member *m = b->members[i];
        bool out = (m->options.admin != BND_ADMIN_UP
                    && bnd_deadline_expired(m->drain_end, now));

        if (out && !m->out) {
            bnd_fx_trace(fx, BND_TRACE_ADMIN, now, m->id, m->name);
        }
        m->out = out;
        m->lingers &= !out;
        if (b->lacp) {
            bnd_lacp_port_set_drained(b->lacp, m->id,
                                      (b->bonded
                                       && m->options.admin != BND_ADMIN_UP),
                                      now);
        }
    }
}

long long int
bnd_admin_wake_time(const struct bnd_bond *b)
{
    long long int wake = BND_NEVER;

    for (size_t i = 0; i < b->n_members; i++) {
        const struct bnd_member *m = b->members[i];

        if (m->options.admin != BND_ADMIN_UP && !m->out) {
            wake = bnd_deadline_min(wake, m->drain_end);
        }
    }
    return wake;
}
