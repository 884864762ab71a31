/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "select/select.h"

#include <string.h>
#include "util.h"

/* Does 'm' work, so that it can be chosen? */
static bool
works(const struct bnd_select_input *in, const struct bnd_member *m)
{
    return (m->id != in->without && m->enabled
            && (!in->up_only || m->link.state == BND_LINK_UP));
}

static bool
is_sticky(const struct bnd_select_input *in, const struct bnd_member *m)
{
    static const struct eth_addr zero;

    return (memcmp(&in->sticky, &zero, sizeof zero)
            && !memcmp(&in->sticky, &m->perm_mac, sizeof m->perm_mac));
}

/* Is 'm' preferred to 'best', which joined before it? */
static bool
is_preferred(const struct bnd_select_input *in, const struct bnd_member *m,
             const struct bnd_member *best)
{
    return (m->options.prio != best->options.prio
            ? m->options.prio > best->options.prio
            : is_sticky(in, m) && !is_sticky(in, best));
}

/* Does the link of 'm' promise more than that of 'active'? */
static bool
is_better(const struct bnd_member *m, const struct bnd_member *active)
{
    return (m->speed_mbps != active->speed_mbps
            ? m->speed_mbps > active->speed_mbps
            : m->duplex > active->duplex);
}

/* Returns the member whose updelay is to be cut short, or null. */
static const struct bnd_member *
choose_coming(const struct bnd_select_input *in)
{
    const struct bnd_member *best = NULL;

    for (size_t i = 0; i < in->n_members; i++) {
        const struct bnd_member *m = in->members[i];

        if (m->link.state == BND_LINK_COMING_BACK
            && m->good && m->fits && m->options.admin == BND_ADMIN_UP
            && m->id != in->without
            && m->link.deadline <= in->coming_until
            && (!best || m->link.deadline < best->link.deadline)) {
            best = m;
        }
    }
    return best;
}

bnd_id
bnd_select_active(const struct bnd_select_input *in)
{
    const struct bnd_member *active = NULL, *primary = NULL, *best = NULL;

    for (size_t i = 0; i < in->n_members; i++) {
        const struct bnd_member *m = in->members[i];

        if (!works(in, m)) {
            continue;
        }
        if (m->id == in->active
            || (in->one_by_one && (!active || is_sticky(in, m)))) {
            active = m;
        }
        if (in->primary && !strcmp(m->name, in->primary)) {
            primary = m;
        }
        if (!best || is_preferred(in, m, best)) {
            best = m;
        }
    }

    if (primary) {
        best = primary;
    } else if (!best) {
        best = choose_coming(in);
    } else if (active && active->options.prio >= best->options.prio) {
        return active->id;
    }
    if (active && !(primary && in->force)
        && (in->reselect == BND_RESELECT_FAILURE
            || (in->reselect == BND_RESELECT_BETTER
                && !is_better(best, active)))) {
        return active->id;
    }
    return best ? best->id : BND_NO_MEMBER;
}
