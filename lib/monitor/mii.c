/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "monitor/mii.h"

#include "core/deadline.h"
#include "core/effects.h"
#include "monitor/link.h"
#include "util.h"

void
bnd_mii_set_interval(struct bnd_mii *mii, long long int interval,
                     long long int now)
{
    if (interval != mii->interval) {
        mii->interval = interval;
        mii->next = now;
        mii->fresh = true;
    }
}

/* Would 'm' be fit to be used, as far as its speed goes? */
static bool
has_speed(const struct bnd_mii_input *in, const struct bnd_member *m)
{
    return !in->needs_speed || !m->speed_lost;
}

void
bnd_mii_join(const struct bnd_mii *mii, const struct bnd_mii_input *in,
             struct bnd_member *m)
{
    bool up = m->carrier && has_speed(in, m);

    bnd_link_init(&m->link, up);
    if (up && in->updelay) {
        m->link.state = BND_LINK_COMING_BACK;
        m->link.deadline = bnd_deadline_in(mii->next, in->updelay);
    }
}

/* Returns the first tick at 'when' or later. */
static long long int
tick_at(const struct bnd_mii *mii, long long int when)
{
    long long int n;

    if (when == BND_NEVER || when <= mii->next) {
        return when == BND_NEVER ? when : mii->next;
    }
    n = DIV_ROUND_UP(when - mii->next, mii->interval);
    return (n > (BND_NEVER - mii->next) / mii->interval
            ? BND_NEVER : mii->next + n * mii->interval);
}

/* Returns the first tick that finds something to do on 'm'. */
static long long int
member_tick(const struct bnd_mii *mii, const struct bnd_mii_input *in,
            const struct bnd_member *m)
{
    bool usable = m->good && has_speed(in, m);
    bool soon = false;

    switch (m->link.state) {
    case BND_LINK_UP:
        soon = !usable;
        break;
    case BND_LINK_GOING_DOWN:
        soon = m->good;
        break;
    case BND_LINK_DOWN:
        soon = usable;
        break;
    case BND_LINK_COMING_BACK:
        soon = !m->good || in->none_usable;
        break;
    case BND_N_LINK_STATES:
    default:
        OVS_NOT_REACHED();
    }
    return soon ? mii->next : tick_at(mii, m->link.deadline);
}

long long int
bnd_mii_wake_time(const struct bnd_mii *mii, const struct bnd_mii_input *in)
{
    long long int wake = BND_NEVER;

    for (size_t i = 0; i < in->n_members; i++) {
        if (in->members[i]->present) {
            wake = bnd_deadline_min(wake, member_tick(mii, in,
                                                      in->members[i]));
        }
    }
    return wake;
}

void
bnd_mii_skip(struct bnd_mii *mii, const struct bnd_mii_input *in,
             long long int now)
{
    if (!mii->fresh && bnd_mii_wake_time(mii, in) > now) {
        mii->next = tick_at(mii, now + 1);
    }
}

long long int
bnd_mii_coming_until(const struct bnd_mii *mii,
                     const struct bnd_mii_input *in)
{
    return bnd_deadline_in(mii->next, in->updelay) - 1;
}

/* Returns the index of the member whose updelay is to be cut short at tick
 * 'now': the one that has least of it left, in order of joining. */
static size_t
choose_early(const struct bnd_mii_input *in, long long int now)
{
    long long int least = BND_NEVER;
    size_t best = SIZE_MAX;

    for (size_t i = 0; in->none_usable && i < in->n_members; i++) {
        const struct bnd_member *m = in->members[i];
        long long int end;

        if (!m->present || !m->good || !has_speed(in, m)
            || bnd_link_is_enabled(&m->link)) {
            continue;
        }
        end = (m->link.state == BND_LINK_DOWN
               ? bnd_deadline_in(now, in->updelay) : m->link.deadline);
        if (best == SIZE_MAX || end < least) {
            least = end;
            best = i;
        }
    }
    return best;
}

/* A link that is up is of no use without its speed.  That is no failure, so
 * it does not count as one. */
static void
lose_speed(struct bnd_member *m, long long int now, struct bnd_effects *fx)
{
    bnd_link_init(&m->link, false);
    bnd_fx_trace(fx, BND_TRACE_NO_SPEED, now, m->id, m->name);
}

/* Tick 'now' for one member.  'early': its updelay is over. */
static void
inspect(const struct bnd_mii_input *in, struct bnd_member *m, bool early,
        long long int now, struct bnd_effects *fx)
{
    if (m->link.state == BND_LINK_DOWN && !has_speed(in, m)) {
        return;
    }
    if (early && m->link.state == BND_LINK_COMING_BACK) {
        m->link.deadline = now;
    }
    bnd_link_step(m, early ? 0 : in->updelay, in->downdelay, now, fx);
    if (m->link.state == BND_LINK_UP && !has_speed(in, m)) {
        lose_speed(m, now, fx);
    }
}

/* Looks at links that are lost without waiting for the tick, if there is no
 * delay to wait for either.  Returns true if there was one. */
static bool
look_early(const struct bnd_mii_input *in, long long int now,
           struct bnd_effects *fx)
{
    bool any = false;

    for (size_t i = 0; !in->downdelay && i < in->n_members; i++) {
        struct bnd_member *m = in->members[i];

        if (m->present && !m->good && m->link.state == BND_LINK_UP) {
            bnd_link_step(m, in->updelay, 0, now, fx);
            any = true;
        }
    }
    return any;
}

void
bnd_mii_run(struct bnd_mii *mii, const struct bnd_mii_input *in,
            long long int now, struct bnd_effects *fx)
{
    mii->early = look_early(in, now, fx) && now < mii->next;
    if (now >= mii->next) {
        long long int tick = now - (now - mii->next) % mii->interval;
        size_t early = choose_early(in, tick);

        for (size_t i = 0; i < in->n_members; i++) {
            if (in->members[i]->present) {
                inspect(in, in->members[i], i == early, tick, fx);
            }
        }
        mii->next = bnd_deadline_in(tick, mii->interval);
        mii->fresh = false;
    }
}
