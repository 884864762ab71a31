/* SPDX-License-Identifier: Apache-2.0 */

/* Stages 2 and 3 of a pass: is each link good, and, after the delays, is it
 * still or again in use?  Two monitors answer the second question: that of
 * Linux, if there is "miimon" (monitor/mii.h), else that of Open vSwitch
 * (monitor/link.h).  A third one, that of probes (monitor/probe.h), answers
 * both in their place, or, if the option "monitor-combine" says so, has a say
 * in the first one. */

#include <config.h>
#include "bond/bond-private.h"

#include "core/deadline.h"
#include "monitor/link.h"
#include "util.h"

bool
bnd_has_mii(const struct bnd_bond *b)
{
    return b->mii.interval;
}

bool
bnd_has_probe(const struct bnd_bond *b)
{
    return b->probes[0].config.interval && b->combine == BND_COMBINE_NONE;
}

bool
bnd_is_polled(const struct bnd_bond *b)
{
    return bnd_has_mii(b) || bnd_has_probe(b);
}

bool
bnd_needs_carrier(const struct bnd_bond *b)
{
    uint32_t traits;

    if (!b->bonded) {
        return false;
    }
    traits = bnd_effective(b)->traits;
    return (traits & BND_MT_NEEDS_CARRIER
            || (bnd_has_probe(b) && !(traits & BND_MT_ONE_ACTIVE)));
}

/* Is there no member that updelay could wait for?  Where LACP or the mode ask
 * for carrier, members in downdelay cannot be used either. */
static bool
none_usable(const struct bnd_bond *b)
{
    const struct bnd_member *active = bnd_find_member(b, b->active);

    if (!b->lacp && !bnd_needs_carrier(b)) {
        return !active || !active->present;
    }
    for (size_t i = 0; i < b->n_members; i++) {
        const struct bnd_member *m = b->members[i];

        if (m->present && m->good && m->link.state == BND_LINK_UP
            && m->options.admin == BND_ADMIN_UP) {
            return false;
        }
    }
    return true;
}

struct bnd_mii_input
bnd_mii_input(const struct bnd_bond *b)
{
    return (struct bnd_mii_input) {
        .members = b->members,
        .n_members = b->n_members,
        .updelay = bnd_settings_ticks(&b->settings, BND_OPT_UPDELAY),
        .downdelay = bnd_settings_ticks(&b->settings, BND_OPT_DOWNDELAY),
        .none_usable = none_usable(b),
        .needs_speed = b->class && b->class->traits & BND_MT_NEEDS_SPEED,
    };
}

/* Is the link of 'm' good, of all that has a say?  With LACP it is the
 * protocol, not the link, that waits for OVS's word.  Open vSwitch forbids
 * what has no carrier, too, which is not what BFD or CFM says. */
static bool
is_good(const struct bnd_bond *b, const struct bnd_member *m)
{
    bool allowed = m->may_enable || b->lacp;
    int probes = bnd_probes_say(b, m);

    if (!m->present) {
        return false;
    }
    switch (b->combine) {
    case BND_COMBINE_NONE:
        return (bnd_has_probe(b) ? probes > 0 && (allowed || !m->carrier)
                : m->carrier && allowed);
    case BND_COMBINE_ANY:
        return (m->carrier || probes > 0 || (b->lacp && m->lacp_ok));
    case BND_COMBINE_ALL:
        return m->carrier && allowed && probes >= 0;
    default:
        OVS_NOT_REACHED();
    }
}

/* Stage 2. */
static void
judge(struct bnd_bond *b)
{
    for (size_t i = 0; i < b->n_members; i++) {
        b->members[i]->good = is_good(b, b->members[i]);
    }
}

/* Without the MII monitor a new link is believed at once: there is nothing to
 * protect against yet. */
void
bnd_links_join(struct bnd_bond *b, struct bnd_member *m)
{
    if (bnd_has_mii(b)) {
        struct bnd_mii_input in = bnd_mii_input(b);

        bnd_mii_join(&b->mii, &in, m);
    } else {
        bnd_link_init(&m->link, m->carrier);
    }
}

void
bnd_links_before(struct bnd_bond *b, long long int now)
{
    if (bnd_has_mii(b)) {
        judge(b);

        struct bnd_mii_input in = bnd_mii_input(b);
        bnd_mii_skip(&b->mii, &in, now);
        if (b->mii.next > b->interim_until) {
            b->interim_until = 0;       /* That tick had nothing to do. */
        }
    }
}

/* The monitor of Open vSwitch.  With LACP on its delays do not count: the
 * protocol itself tells when the link is usable at both ends. */
static void
step_links(struct bnd_bond *b, long long int now, struct bnd_effects *fx)
{
    bool delays = b->bonded && !b->lacp;
    long long int up = delays ? bnd_settings_num(&b->settings,
                                                 BND_OPT_UPDELAY) : 0;
    long long int down = delays ? bnd_settings_num(&b->settings,
                                                   BND_OPT_DOWNDELAY) : 0;

    for (size_t i = 0; i < b->n_members; i++) {
        struct bnd_member *m = b->members[i];

        if (m->present) {
            if (b->lacp && m->link.deadline != BND_NEVER) {
                m->link.deadline = now;
            }
            bnd_link_step(m, up, down, now, fx);
        }
    }
}

/* Probes alone: links are what these say. */
static void
follow_probes(struct bnd_bond *b, long long int now, struct bnd_effects *fx)
{
    for (size_t i = 0; i < b->n_members; i++) {
        struct bnd_member *m = b->members[i];

        if (m->present) {
            bnd_link_put(m, m->probed[0].state, now, fx);
        }
    }
}

void
bnd_stage_link(struct bnd_bond *b, long long int now, struct bnd_effects *fx)
{
    if (b->combine) {
        /* What other monitors say is a fact to that of MII, which a tick of
         * the same time sees. */
        bnd_links_before(b, now - 1);
    }
    bnd_probes_judge(b, now, fx);
    judge(b);
    if (bnd_has_probe(b)) {
        follow_probes(b, now, fx);
    } else if (bnd_has_mii(b)) {
        struct bnd_mii_input in = bnd_mii_input(b);

        bnd_mii_run(&b->mii, &in, now, fx);
    } else {
        step_links(b, now, fx);
    }
}

long long int
bnd_links_wake_time(const struct bnd_bond *b)
{
    long long int wake = BND_NEVER;

    if (bnd_has_probe(b)) {
        return BND_NEVER;       /* Whatever is due, a tick brings. */
    }
    if (bnd_has_mii(b)) {
        struct bnd_mii_input in = bnd_mii_input(b);

        return bnd_mii_wake_time(&b->mii, &in);
    }
    for (size_t i = 0; i < b->n_members; i++) {
        const struct bnd_member *m = b->members[i];

        if (m->present) {
            wake = bnd_deadline_min(wake, bnd_link_wake_time(&m->link));
        }
    }
    return wake;
}

bool
bnd_has_carrier(const struct bnd_bond *b)
{
    if (b->lacp && b->bonded && b->class->traits & BND_MT_AGGREGATORS) {
        return b->lacp_carrier;
    }
    for (size_t i = 0; b->bonded && i < b->n_members; i++) {
        const struct bnd_member *m = b->members[i];

        if (m->present && !m->out && m->link.state == BND_LINK_UP) {
            return true;
        }
    }
    return false;
}
