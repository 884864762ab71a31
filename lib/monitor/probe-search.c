/* SPDX-License-Identifier: Apache-2.0 */

/* The active member, and the search for one
 * =========================================
 *
 * What is true of a member in each state of the monitor:
 *
 *   UP           Heard of; may be the active one.
 *   DOWN         Not heard of.
 *   COMING_BACK  It is the candidate: there is no active member, and it alone
 *                was probed at the last tick.
 *   GOING_DOWN   It was the candidate, in vain.
 *
 * At each tick all are judged first.  An active member must have been probed
 * and heard of within missed_max intervals, a backup must have been heard of
 * within one more; neither is judged in the two intervals after it has come up
 * or become active.  Whoever is not up must have been heard of within one.
 *
 * Then, if there is an active member, it is probed; otherwise the next one is
 * tried.
 *
 * Source: Linux Documentation/networking/bonding.rst, arp_interval,
 * arp_validate. */

#include <config.h>
#include "monitor/probe.h"

#include <stdlib.h>
#include "core/effects.h"
#include "monitor/trust.h"
#include "util.h"

#define GRACE 2                 /* Intervals. */

struct verdict {
    enum bnd_link_state state;
    enum bnd_probe_reason reason;
};

static struct verdict
judge_down(const struct bnd_probe *p, const struct bnd_probe_input *in,
           const struct bnd_member *m, long long int now)
{
    const struct bnd_probed *s = &m->probed[p->index];

    if (bnd_probe_has_heard(p, in, m, 1, now)) {
        return (struct verdict) { BND_LINK_UP, BND_PROBE_HEARD };
    } else if (s->state == BND_LINK_COMING_BACK) {
        return (struct verdict) { BND_LINK_GOING_DOWN,
                                  BND_PROBE_TRIED_SILENT };
    }
    return (struct verdict) { s->state, s->reason };
}

static struct verdict
judge_up(const struct bnd_probe *p, const struct bnd_probe_input *in,
         const struct bnd_member *m, long long int now)
{
    const struct bnd_probed *s = &m->probed[p->index];
    int k = p->config.missed_max;

    if (bnd_probe_is_fresh(p, s->last_up, GRACE, now)) {
        return (struct verdict) { BND_LINK_UP,
                                  (bnd_probe_has_heard(p, in, m, k, now)
                                   ? BND_PROBE_HEARD : BND_PROBE_GRACE) };
    }
    if (bnd_probe_is_active(p, in, m)) {
        if (!bnd_probe_is_fresh(p, s->last_tx, k, now)) {
            return (struct verdict) { BND_LINK_DOWN, BND_PROBE_UNSENT };
        }
    } else if (p->candidate) {
        return (struct verdict) { BND_LINK_UP, s->reason };
    } else {
        k++;
    }
    return (bnd_probe_has_heard(p, in, m, k, now)
            ? (struct verdict) { BND_LINK_UP, BND_PROBE_HEARD }
            : (struct verdict) { BND_LINK_DOWN,
                                 bnd_probe_silence(p, in, m) });
}

/* What another state of 'm' does to the search. */
static void
end_search(struct bnd_probe *p, const struct bnd_probe_input *in,
           const struct bnd_member *m, enum bnd_link_state state)
{
    if (state == BND_LINK_UP
        || (state == BND_LINK_DOWN && m->id == in->active)
        || (state == BND_LINK_GOING_DOWN && in->active)) {
        p->candidate = BND_NO_MEMBER;
    }
}

void
bnd_search_judge(struct bnd_probe *p, const struct bnd_probe_input *in,
                 long long int now, struct bnd_effects *fx)
{
    struct verdict *verdicts = xcalloc(in->n_members + 1, sizeof *verdicts);

    for (size_t i = 0; i < in->n_members; i++) {
        const struct bnd_member *m = in->members[i];

        verdicts[i] = (m->probed[p->index].state == BND_LINK_UP
                       ? judge_up(p, in, m, now) : judge_down(p, in, m, now));
    }
    for (size_t i = 0; i < in->n_members; i++) {
        struct bnd_member *m = in->members[i];

        if (m->present) {
            if (verdicts[i].state != m->probed[p->index].state) {
                end_search(p, in, m, verdicts[i].state);
            }
            bnd_probe_put(p, m, verdicts[i].state, verdicts[i].reason, now,
                          fx);
        }
    }
    free(verdicts);
}

/* Could 'm' be the active member, as far as anybody but the monitor goes? */
static bool
is_eligible(const struct bnd_member *m)
{
    return m->present && m->carrier && m->options.admin == BND_ADMIN_UP;
}

/* Where does the walk for the next candidate start: behind the present one, or
 * the first member? */
static size_t
walk_start(const struct bnd_probe *p, const struct bnd_probe_input *in)
{
    size_t first = in->n_members;

    for (size_t i = 0; i < in->n_members; i++) {
        if (in->members[i]->present
            && (first == in->n_members
                || in->members[i]->id == p->candidate)) {
            first = i;
        }
    }
    return first;
}

/* Returns the member to be tried next, or null.  On the way, those that are up
 * without carrier are found out. */
static struct bnd_member *
find_candidate(const struct bnd_probe *p, const struct bnd_probe_input *in,
               long long int now, struct bnd_effects *fx)
{
    size_t start = walk_start(p, in);

    for (size_t step = 1; step <= in->n_members; step++) {
        struct bnd_member *m = in->members[(start + step) % in->n_members];

        if (!m->present) {
            continue;
        } else if (m->probed[p->index].state != BND_LINK_UP) {
            if (is_eligible(m)) {
                return m;
            }
        } else if (!m->carrier) {
            bnd_probe_put(p, m, BND_LINK_DOWN, BND_PROBE_NO_CARRIER, now, fx);
        }
    }
    return NULL;
}

/* There is an active member.  The candidate's trial ends with the next tick, if
 * it is one: the bond may have worked in another mode for a while. */
static void
end_trial(struct bnd_probe *p, const struct bnd_probe_input *in)
{
    for (size_t i = 0; i < in->n_members; i++) {
        const struct bnd_member *m = in->members[i];

        if (m->id == p->candidate
            && m->probed[p->index].state != BND_LINK_COMING_BACK) {
            p->candidate = BND_NO_MEMBER;
        }
    }
}

bool
bnd_search_send(struct bnd_probe *p, const struct bnd_probe_input *in,
                long long int now, struct bnd_effects *fx)
{
    size_t n_before = fx->n;
    struct bnd_member *m;

    if (in->active) {
        end_trial(p, in);
        for (size_t i = 0; i < in->n_members; i++) {
            if (in->members[i]->id == in->active
                && in->members[i]->present) {
                bnd_probe_ask(p, in, in->members[i], now, fx);
            }
        }
        return false;
    }

    m = find_candidate(p, in, now, fx);
    p->candidate = m ? m->id : BND_NO_MEMBER;
    if (m) {
        bnd_probe_put(p, m, BND_LINK_COMING_BACK, BND_PROBE_TRIED, now, fx);
        bnd_probe_ask(p, in, m, now, fx);
    }

    bool changed = fx->n != n_before;
    for (size_t i = 0; i < in->n_members; i++) {
        if (in->members[i]->present && in->members[i]->carrier
            && in->members[i]->probed[p->index].state == BND_LINK_UP) {
            bnd_probe_ask(p, in, in->members[i], now, fx);
        }
    }
    return changed;
}
