/* SPDX-License-Identifier: Apache-2.0 */

/* The active member: when it is chosen, by whom it is set, and why it has
 * changed.  How it is chosen is in select/select.h.
 *
 * There is a choice when the active member does not work any more or there is
 * none, and otherwise only when something calls for one: a member joins, the
 * primary or one of higher priority comes up, or the configuration changes.
 * So a member that was made active by command stays, as in Linux, until then.
 * Open vSwitch knows less patience: it returns to a primary that works at
 * once, and a member in downdelay is as good to it as any other.  We do so
 * where nothing is configured that it does not know, which is to say neither
 * miimon, arp-interval, primary-reselect nor active-slave. */

#include <config.h>
#include "bond/bond-private.h"

#include <stdlib.h>
#include <string.h>
#include "core/deadline.h"
#include "monitor/link.h"
#include "util.h"

bool
bnd_chooses_as_linux(const struct bnd_bond *b)
{
    return (bnd_is_polled(b)
            || bnd_settings_is_given(&b->settings, BND_OPT_PRIMARY_RESELECT)
            || bnd_settings_is_given(&b->settings, BND_OPT_ACTIVE_MEMBER));
}

/* What there is to choose from; 'members' has room for all.  'present' is
 * active now, 'without' cannot be. */
static struct bnd_select_input
select_input(const struct bnd_bond *b, const struct bnd_member **members,
             bnd_id present, bnd_id without)
{
    const struct bnd_settings *s = &b->settings;
    bool as_linux = bnd_chooses_as_linux(b);
    struct bnd_pass pass;

    bnd_make_pass(b, b->last_now, members, &pass);

    struct bnd_select_input in = {
        .members = pass.members,
        .n_members = pass.n_members,
        .active = present,
        .without = without,
        .primary = bnd_settings_str(s, BND_OPT_PRIMARY),
        .force = b->force_primary,
        .reselect = bnd_settings_num(s, BND_OPT_PRIMARY_RESELECT),
        .up_only = as_linux,
        .one_by_one = as_linux && !b->had_active,
        .coming_until = BND_NEVER,
    };

    /* Linux forgets who was active before all failed. */
    if (!b->drop_active && !(as_linux && b->had_active)) {
        in.sticky = b->sticky;
    }
    /* LACP does not start before updelay is over; a member that is being
     * probed has no updelay. */
    if (b->lacp || bnd_has_probe(b)) {
        in.coming_until = -1;
    } else if (bnd_has_mii(b)) {
        struct bnd_mii_input mii_in = bnd_mii_input(b);

        in.coming_until = bnd_mii_coming_until(&b->mii, &mii_in);
    }
    return in;
}

bnd_id
bnd_choose_active(const struct bnd_bond *b, bnd_id present, bnd_id without)
{
    const struct bnd_member **members = xcalloc(b->n_members + 1,
                                                sizeof *members);
    struct bnd_select_input in = select_input(b, members, present, without);
    bnd_id id = bnd_select_active(&in);

    free(members);
    return id;
}

/* Could 'm', which may be null, be chosen? */
static bool
works(const struct bnd_bond *b, const struct bnd_member *m)
{
    return (m && m->enabled
            && (!bnd_chooses_as_linux(b) || m->link.state == BND_LINK_UP));
}

void
bnd_set_active(struct bnd_bond *b, bnd_id id, long long int now,
               enum bnd_cause cause, struct bnd_effects *fx)
{
    struct bnd_member *m = bnd_find_member(b, id);
    bool again = id == b->active;

    if (again && (!m || m->enabled)) {
        return;
    }
    if (!again) {
        bnd_history_active(b, m, cause, m && b->had_active, now);
    }
    if (m) {
        long long int left = 0;

        if (!m->enabled) {
            left = m->link.deadline - now;
            bnd_link_init(&m->link, true);
        }
        bnd_fx_trace(fx, BND_TRACE_ACTIVE, now, id, m->name)->ms = left;
        bnd_update_enabled(b, m, now, fx);
        b->n_failovers += b->had_active && !again;
        b->had_active = true;
        b->sticky = m->perm_mac;
        bnd_probes_activated(b, m, now);
        b->announce = b->new_active = true;
    } else {
        bnd_fx_trace(fx, BND_TRACE_NO_ACTIVE, now, BND_NO_MEMBER, NULL);
    }
    b->active = id;
    bnd_fx_simple(fx, BND_FX_ACTIVE);
}

/* By command or option. */

const char *
bnd_why_not_active(const struct bnd_bond *b, bnd_id id)
{
    const struct bnd_member *m = bnd_find_member(b, id);

    if (!b->bonded) {
        return "there is no bond";
    } else if (!m || !m->present) {
        return "it is not a member";
    } else if (m->options.admin != BND_ADMIN_UP) {
        return "it is out of use by bond-admin";
    } else if (!m->carrier && bnd_chooses_as_linux(b)) {
        return "it has no carrier";
    } else if (bnd_has_probe(b) && m->link.state != BND_LINK_UP) {
        return "its probes are not answered";
    } else if (m->link.state == BND_LINK_COMING_BACK) {
        return "its updelay is not over";
    } else if (!m->enabled) {
        return (!bnd_link_is_enabled(&m->link) ? "its link is down"
                : b->lacp && !m->lacp_ok ? "LACP does not let it work"
                : !m->may_enable ? "BFD or CFM does not let it work"
                : "it is disabled");
    } else if (bnd_chooses_as_linux(b) && m->link.state != BND_LINK_UP) {
        return "its link is going down";
    }
    return NULL;
}

void
bnd_order_active(struct bnd_bond *b, bnd_id id, long long int now,
                 struct bnd_effects *fx)
{
    if (id == BND_NO_MEMBER) {
        b->reselect = BND_CAUSE_COMMAND;
        b->drop_active = true;
    } else if (!bnd_why_not_active(b, id)) {
        bnd_set_active(b, id, now, BND_CAUSE_COMMAND, fx);
        b->interim_until = 0;
    }
}

/* Carries out the option "active-slave".  It is an order, not a state: it is
 * given once, when its value is new and the member is there.  (A member that
 * is there but waits for the end of updelay is waited for.) */
static void
carry_out(struct bnd_bond *b, long long int now, struct bnd_effects *fx)
{
    const char *name = bnd_settings_str(&b->settings, BND_OPT_ACTIVE_MEMBER);
    const struct bnd_member *m = bnd_find_member(b, b->active);
    const char *why;

    if (b->refusal && m && name && !strcmp(m->name, name)) {
        /* What was refused has come about otherwise. */
        free(b->refusal);
        b->refusal = NULL;
        b->want_active = false;
        bnd_fx_simple(fx, BND_FX_STATUS);
    }
    if (!b->want_active || !name) {
        return;
    }
    m = NULL;
    for (size_t i = 0; i < b->n_members && !m; i++) {
        m = (b->members[i]->present && !strcmp(b->members[i]->name, name)
             ? b->members[i] : NULL);
    }
    why = bnd_why_not_active(b, m ? m->id : BND_NO_MEMBER);
    if (!why) {
        bnd_set_active(b, m->id, now, BND_CAUSE_CONFIG, fx);
        b->interim_until = 0;
    }
    b->want_active = !m || m->link.state == BND_LINK_COMING_BACK;

    char *refusal = why ? xasprintf("active-slave: \"%s\": %s", name, why)
                    : NULL;
    if (!nullable_string_is_equal(refusal, b->refusal)) {
        if (why) {
            bnd_fx_trace(fx, BND_TRACE_REFUSED, now, BND_NO_MEMBER, name)->to
                = why;
        }
        bnd_fx_simple(fx, BND_FX_STATUS);
    }
    free(b->refusal);
    b->refusal = refusal;
}

/* What calls for a choice. */

void
bnd_active_reconfigure(struct bnd_bond *b, const struct bnd_settings *new)
{
    const struct bnd_settings *old = &b->settings;
    const char *order = bnd_settings_str(new, BND_OPT_ACTIVE_MEMBER);

    if (!nullable_string_is_equal(bnd_settings_str(old, BND_OPT_PRIMARY),
                                  bnd_settings_str(new, BND_OPT_PRIMARY))) {
        b->force_primary = true;
        b->reselect = BND_CAUSE_CONFIG;
    }
    if (bnd_settings_num(old, BND_OPT_PRIMARY_RESELECT)
        != bnd_settings_num(new, BND_OPT_PRIMARY_RESELECT)) {
        b->reselect = BND_CAUSE_CONFIG;
    }
    if (!nullable_string_is_equal(bnd_settings_str(old, BND_OPT_ACTIVE_MEMBER),
                                  order)) {
        free(b->refusal);
        b->refusal = NULL;
        b->want_active = order && *order;
        if (!b->want_active) {
            b->reselect = BND_CAUSE_CONFIG;
            b->drop_active = true;
        }
    }
}

static bool
is_primary(const struct bnd_bond *b, const struct bnd_member *m)
{
    return nullable_string_is_equal(bnd_settings_str(&b->settings,
                                                     BND_OPT_PRIMARY),
                                    m->name);
}

void
bnd_active_joined(struct bnd_bond *b, const struct bnd_member *m)
{
    b->force_primary |= is_primary(b, m);
    if (!b->reselect) {
        b->reselect = BND_CAUSE_PRIMARY;
    }
}

void
bnd_active_prio_changed(struct bnd_bond *b)
{
    for (size_t i = 0; i < b->n_members; i++) {
        if (b->members[i]->present && is_primary(b, b->members[i])) {
            return;
        }
    }
    if (!b->reselect) {
        b->reselect = BND_CAUSE_PRIMARY;
    }
}

/* Does 'm', which works, challenge 'active', which may be null, now? */
static bool
challenges(const struct bnd_bond *b, const struct bnd_member *m,
           const struct bnd_member *active)
{
    bool eager = !bnd_chooses_as_linux(b);

    return (m != active
            && (is_primary(b, m) ? m->risen || eager
                : m->risen && (!active || (m->options.prio
                                           > active->options.prio))));
}

/* Is there to be a choice because of what the active member is?  Where there is
 * none, the MII monitor says when a member is to take the place before its
 * updelay is over: not before the next tick. */
static bool
lacks_active(const struct bnd_bond *b, const struct bnd_member *active)
{
    return (active ? !active->enabled
            : (b->active || !b->was_bonded || !bnd_has_mii(b)
               || bnd_needs_carrier(b)));
}

/* Why is 'old', which may be null, not the active member any more? */
static enum bnd_cause
why_changed(const struct bnd_bond *b, const struct bnd_member *old)
{
    if (b->active == BND_NO_MEMBER) {
        return BND_CAUSE_RETURN;
    } else if (!old || !old->present) {
        return BND_CAUSE_LEFT;
    } else if (works(b, old)) {
        return b->reselect ? b->reselect : BND_CAUSE_PRIMARY;
    } else if (old->options.admin != BND_ADMIN_UP) {
        return BND_CAUSE_ADMIN;
    } else if (!old->may_enable && old->carrier) {
        return b->lacp && !old->lacp_ok ? BND_CAUSE_LACP : BND_CAUSE_FORBIDDEN;
    } else if (old->carrier && old->link.state != BND_LINK_UP
               && bnd_probes_say(b, old) < 0) {
        return BND_CAUSE_PROBE;
    } else if (old->link.state != BND_LINK_UP || !old->carrier) {
        return BND_CAUSE_LINK;
    } else {
        return b->lacp && !old->lacp_ok ? BND_CAUSE_LACP : BND_CAUSE_CONFIG;
    }
}

/* The MII monitor does not wait for its tick to give up a link, and so we have
 * the next active member before Linux has.  A member that has its carrier back
 * by then, but waits for the tick, is one that Linux chooses from in any case,
 * be its tick before or after the loss.  So then we choose once more. */

/* Is this pass the one of that tick? */
static bool
is_interim_over(const struct bnd_bond *b)
{
    return (b->interim_until && bnd_has_mii(b)
            && b->mii.next - b->mii.interval == b->interim_until);
}

/* There is about to be a choice because of 'active', which may be null: is it
 * one that comes before the tick? */
static void
note_interim(struct bnd_bond *b, const struct bnd_member *active)
{
    bool early = (bnd_has_mii(b) && b->mii.early && !b->reselect
                  && active && active->link.state == BND_LINK_DOWN);

    b->interim_until = 0;
    for (size_t i = 0; early && i < b->n_members; i++) {
        const struct bnd_member *m = b->members[i];

        if (m->good && m->link.state == BND_LINK_DOWN) {
            b->interim_until = b->mii.next;
        }
    }
}

void
bnd_stage_active(struct bnd_bond *b, long long int now,
                 struct bnd_effects *fx)
{
    const struct bnd_member *active = bnd_find_member(b, b->active);
    bool choose = lacks_active(b, active) || b->reselect;
    bool risen = false, has_primary = false;

    for (size_t i = 0; i < b->n_members; i++) {
        struct bnd_member *m = b->members[i];

        /* Members that work again only as there is a bond again have not come
         * up. */
        choose |= b->was_bonded && works(b, m) && challenges(b, m, active);
        has_primary |= works(b, m) && is_primary(b, m);
        risen |= works(b, m) && m->risen;
        m->risen = false;
    }

    bool again = risen && is_interim_over(b);
    if (choose || again) {
        bnd_id present = b->drop_active || again ? BND_NO_MEMBER : b->active;
        bnd_id id = bnd_choose_active(b, present, BND_NO_MEMBER);
        enum bnd_cause cause = again ? BND_CAUSE_LINK : why_changed(b, active);

        note_interim(b, active);
        bnd_set_active(b, id, now, cause, fx);
        b->force_primary &= !has_primary;
    } else if (now >= b->interim_until) {
        b->interim_until = 0;
    }
    b->reselect = BND_CAUSE_NONE;
    b->drop_active = false;
    b->was_bonded = true;
    carry_out(b, now, fx);
}
