/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "policy/check.h"

#include <stdlib.h>
#include "openvswitch/dynamic-string.h"
#include "policy/policy.h"
#include "util.h"

/* May a bond with settings 's' have to work as active-backup? */
static bool
falls_back(const struct bnd_settings *s)
{
    return (bnd_settings_num(s, BND_OPT_FALLBACK)
            || (bnd_settings_num(s, BND_OPT_LACP_FALLBACK) == BND_LACP_FB_AB
                && bnd_settings_mode(s) == BND_MODE_8023AD));
}

/* Is the mode of 's', or the one that it may fall back to, in set 'modes'? */
static bool
is_in_mode(const struct bnd_settings *s, unsigned int modes)
{
    return ((modes & (1u << bnd_settings_mode(s)))
            || (falls_back(s) && (modes & BND_IN(AB))));
}

/* Starts a message about 'row' with value 'num' or 'str'. */
static void
start_message(const struct bnd_row *row, long long int num, const char *str,
              struct ds *ds)
{
    ds_put_format(ds, "%s: \"", row->name);
    bnd_row_format(row, num, str, ds);
    ds_put_cstr(ds, "\"");
}

/* Appends what is wrong with an option that 'row' describes under settings
 * 's', whatever its value.  Returns false if nothing is. */
static bool
check_row(const struct bnd_row *row, const struct bnd_settings *s,
          struct ds *ds)
{
    unsigned int modes = bnd_row_modes(row);
    bool combine = bnd_settings_is_given(s, BND_OPT_MONITOR_COMBINE);

    if (!is_in_mode(s, modes | (combine ? row->combined : 0))) {
        ds_put_format(ds, ": mode %s does not have this option, only ",
                      bnd_mode_name(bnd_settings_mode(s)));
        bnd_modes_format(modes, ds);
        if (row->combined && !combine) {
            ds_put_cstr(ds, ", and with monitor-combine ");
            bnd_modes_format(row->combined, ds);
        }
        return true;
    }
    if (row->later) {
        ds_put_cstr(ds, ": this option is not supported yet");
        return true;
    }
    return false;
}

static bool
check_mode(enum bnd_mode mode, bool lacp, struct ds *ds)
{
    if (mode == BND_MODE_8023AD && !lacp) {
        ds_put_cstr(ds, " needs LACP (column lacp must not be off)");
        return true;
    }
    return false;
}

/* Appends what is wrong with the value of 'opt' beside those of the monitors.
 * Where two that exclude one another are asked for, the MII monitor stays, as
 * when the Linux driver is loaded with both; there, of two that are asked for
 * one after the other, the last one does, but settings have no order. */
static bool
check_monitors(const struct bnd_settings *s, enum bnd_opt opt, struct ds *ds)
{
    long long int miimon = bnd_settings_num(s, BND_OPT_MIIMON);

    if (bnd_opt_is_delay(opt) && s->num[opt] && !miimon
        && bnd_settings_is_given(s, BND_OPT_MIIMON)) {
        ds_put_cstr(ds, ": there is no such delay with miimon=0");
        return true;
    }
    if (opt == BND_OPT_ARP_INTERVAL && s->num[opt] && miimon
        && !bnd_settings_is_given(s, BND_OPT_MONITOR_COMBINE)) {
        ds_put_format(ds, ": not together with miimon=%lld, unless "
                      "monitor-combine is given", miimon);
        return true;
    }
    return false;
}

char *
bnd_policy_check(const struct bnd_settings *s, bool lacp, enum bnd_opt opt)
{
    const struct bnd_row *row = bnd_opt_row(opt);
    struct ds ds = DS_EMPTY_INITIALIZER;

    if (!bnd_settings_is_given(s, opt)) {
        return NULL;
    }
    start_message(row, s->num[opt], s->str[opt], &ds);
    if (opt == BND_OPT_MODE
        ? check_mode(bnd_settings_mode(s), lacp, &ds)
        : check_row(row, s, &ds)) {
        return ds_steal_cstr(&ds);
    }
    if (check_monitors(s, opt, &ds)) {
        return ds_steal_cstr(&ds);
    }
    ds_destroy(&ds);
    return NULL;
}

/* Notes. */

/* Appends a note if 'row', whose value is 'num' or 'str', does nothing under
 * settings 's'. */
static void
note_effect(const struct bnd_row *row, long long int num, const char *str,
            const struct bnd_settings *s, struct ds *ds)
{
    bool combine = bnd_settings_is_given(s, BND_OPT_MONITOR_COMBINE);

    if (!row->quiet
        && !is_in_mode(s, (bnd_row_effect(row)
                           | (combine ? row->combined : 0)))) {
        start_message(row, num, str, ds);
        ds_put_format(ds, ": of no effect in mode %s\n",
                      bnd_mode_name(bnd_settings_mode(s)));
    }
}

/* The same if 'opt', which is given, is for probes and there are none, or for
 * another monitor than that of probes. */
static void
note_probes(const struct bnd_settings *s, enum bnd_opt opt, struct ds *ds)
{
    bool on = bnd_settings_num(s, BND_OPT_ARP_INTERVAL);
    bool alone = on && !bnd_settings_is_given(s, BND_OPT_MONITOR_COMBINE);
    const char *why = NULL;

    switch ((int) opt) {
    case BND_OPT_ARP_VALIDATE:
    case BND_OPT_ARP_ALL_TARGETS:
    case BND_OPT_ARP_MISSED_MAX:
    case BND_OPT_ARP_PIN_MAC:
    case BND_OPT_ARP_VLAN:
    case BND_OPT_ARP_SOURCE:
        if (!on && s->num[opt] != bnd_opt_row(opt)->def) {
            why = "of no effect without arp-interval";
        }
        break;
    case BND_OPT_UPDELAY:
    case BND_OPT_DOWNDELAY:
        why = (alone && s->num[opt]
               ? "of no effect with arp-interval, unless monitor-combine is "
                 "given" : NULL);
        break;
    case BND_OPT_ARP_INTERVAL:
        why = (on && !bnd_settings_str(s, BND_OPT_ARP_TARGETS)
               && !bnd_settings_str(s, BND_OPT_NS_TARGETS)
               ? alone ? "there is no target that could answer, so no link "
                         "stays up"
                 : "of no effect without a target"
               : NULL);
        break;
    default:
        break;
    }
    if (why) {
        start_message(bnd_opt_row(opt), s->num[opt], s->str[opt], ds);
        ds_put_format(ds, ": %s\n", why);
    }
}

/* The same for what LACP does without a partner. */
static void
note_fallback(const struct bnd_settings *s, enum bnd_opt opt, struct ds *ds)
{
    bool strict = bnd_settings_num(s, BND_OPT_LACP_STRICT);
    enum bnd_lacp_fallback kind = bnd_settings_num(s, BND_OPT_LACP_FALLBACK);
    const char *why = NULL;

    if (opt == BND_OPT_LACP_FALLBACK && strict && kind != BND_LACP_FB_NONE) {
        why = "of no effect with lacp-strict";
    } else if (opt == BND_OPT_LACP_FALLBACK_TIMEOUT
               && (strict || (kind != BND_LACP_FB_AB
                              && kind != BND_LACP_FB_ALL
                              && !bnd_settings_num(s, BND_OPT_FALLBACK)))) {
        why = "of no effect with this lacp-fallback";
    }
    if (why) {
        start_message(bnd_opt_row(opt), s->num[opt], s->str[opt], ds);
        ds_put_format(ds, ": %s\n", why);
    }
}

void
bnd_policy_notes(const struct bnd_settings *s, struct ds *ds)
{
    long long int miimon = bnd_settings_num(s, BND_OPT_MIIMON);

    for (enum bnd_opt opt = 0; opt < BND_N_OPTS; opt++) {
        const struct bnd_row *row = bnd_opt_row(opt);

        if (!bnd_settings_is_given(s, opt)) {
            continue;
        }
        note_effect(row, s->num[opt], s->str[opt], s, ds);
        note_probes(s, opt, ds);
        note_fallback(s, opt, ds);
        if (bnd_opt_is_delay(opt)
            && bnd_settings_ticks(s, opt) != s->num[opt]) {
            start_message(row, s->num[opt], NULL, ds);
            ds_put_format(ds, ": rounded down to %lld ms, a multiple of "
                          "miimon=%lld\n", bnd_settings_ticks(s, opt),
                          miimon);
        }
    }
    if (!bnd_settings_num(s, BND_OPT_USE_CARRIER) && !miimon) {
        ds_put_cstr(ds, "use-carrier: \"false\": of no effect without "
                    "miimon\n");
    }
}

bool
bnd_policy_heeds_primary(const struct bnd_settings *s)
{
    return is_in_mode(s, bnd_row_effect(bnd_opt_row(BND_OPT_PRIMARY)));
}

/* Members. */

/* Returns what is wrong with 'num' for option 'opt' of a member of a bond with
 * settings 's', for the caller to free, or null. */
static char *
check_member(const struct bnd_settings *s, enum bnd_mopt opt,
             long long int num)
{
    const struct bnd_row *row = bnd_mopt_row(opt);
    long long int n_queues = bnd_settings_num(s, BND_OPT_TX_QUEUES);
    struct ds ds = DS_EMPTY_INITIALIZER;

    start_message(row, num, NULL, &ds);
    if (check_row(row, s, &ds)) {
        return ds_steal_cstr(&ds);
    }
    if (opt == BND_MOPT_QUEUE_ID && num > n_queues) {
        ds_put_format(&ds, " is not a whole number from 0 to %lld "
                      "(tx-queues)", n_queues);
        return ds_steal_cstr(&ds);
    }
    ds_destroy(&ds);
    return NULL;
}

/* Refuses value after value of 'opt' until one is right. */
static void
settle_member(const struct bnd_settings *s, struct bnd_overlay *o,
              struct bnd_msettings *m, enum bnd_mopt opt)
{
    while (m->values[opt].given) {
        char *why = check_member(s, opt, m->values[opt].num);
        if (!why) {
            return;
        }
        if (bnd_msettings_refuse(m, opt)) {
            bnd_overlay_member_error(o, m, opt, why);
        }
        free(why);
    }
}

/* Has 'm' the queue that it had at the last reading? */
static bool
kept_queue(const struct bnd_msettings *m)
{
    const struct bnd_mvalue *v = &m->values[BND_MOPT_QUEUE_ID];

    return v->given && v->had_good && v->num == v->good;
}

/* No two members have the same queue: whoever had it keeps it, else the one
 * whose name comes first.  Returns true if one of 'a' and 'b', in the order of
 * their names, had to give way. */
static bool
part_queues(const struct bnd_settings *s, struct bnd_overlay *o,
            struct bnd_msettings *a, struct bnd_msettings *b)
{
    long long int queue = bnd_msettings_num(a, BND_MOPT_QUEUE_ID);

    if (!a->seen || !b->seen || !queue
        || queue != bnd_msettings_num(b, BND_MOPT_QUEUE_ID)) {
        return false;
    }

    bool b_keeps = kept_queue(b) && !kept_queue(a);
    struct bnd_msettings *loser = b_keeps ? a : b;
    if (bnd_msettings_refuse(loser, BND_MOPT_QUEUE_ID)) {
        char *why = xasprintf("queue-id: \"%lld\" is that of member %s "
                              "already", queue, b_keeps ? b->name : a->name);

        bnd_overlay_member_error(o, loser, BND_MOPT_QUEUE_ID, why);
        free(why);
    }
    settle_member(s, o, loser, BND_MOPT_QUEUE_ID);
    return true;
}

static void
note_member(const struct bnd_settings *s, struct bnd_overlay *o,
            const struct bnd_msettings *m)
{
    for (enum bnd_mopt opt = 0; opt < BND_N_MOPTS; opt++) {
        const struct bnd_row *row = bnd_mopt_row(opt);
        struct ds ds = DS_EMPTY_INITIALIZER;

        if (m->values[opt].given && m->values[opt].num != row->def) {
            note_effect(row, m->values[opt].num, NULL, s, &ds);
        }
        if (ds.length) {
            ds_chomp(&ds, '\n');
            bnd_overlay_note(o, "member %s: %s", m->name, ds_cstr(&ds));
        }
        ds_destroy(&ds);
    }
}

/* Refuses what members ask for that does not go together with 's' or with what
 * other members ask for. */
static void
settle_members(const struct bnd_settings *s, struct bnd_overlay *o)
{
    struct bnd_members *ms = &o->members;
    bool again;

    for (size_t i = 0; i < ms->n; i++) {
        for (enum bnd_mopt opt = 0; opt < BND_N_MOPTS; opt++) {
            settle_member(s, o, &ms->members[i], opt);
        }
    }
    do {
        again = false;
        for (size_t i = 0; i < ms->n; i++) {
            for (size_t j = i + 1; j < ms->n; j++) {
                again |= part_queues(s, o, &ms->members[i],
                                     &ms->members[j]);
            }
        }
    } while (again);
    for (size_t i = 0; i < ms->n; i++) {
        note_member(s, o, &ms->members[i]);
    }
}

/* Refuses the value of 'opt' in '*merged', which 'o' over 'base' gave, until
 * it is right or from elsewhere.  Returns true if it changed. */
static bool
settle_opt(struct bnd_overlay *o, const struct bnd_settings *base, bool lacp,
           enum bnd_opt opt, struct bnd_settings *merged)
{
    bool changed = false;

    for (;;) {
        char *why = bnd_policy_check(merged, lacp, opt);
        bool refused = why && bnd_overlay_refuse(o, opt, why);

        free(why);
        if (!refused) {
            return changed;
        }
        changed = true;
        bnd_settings_uninit(merged);
        bnd_settings_clone(merged, base);
        bnd_overlay_merge(o, merged);
    }
}

void
bnd_policy_settle(struct bnd_overlay *o, const struct bnd_settings *base,
                  bool lacp, struct bnd_settings *merged)
{
    bool again;

    bnd_settings_clone(merged, base);
    bnd_overlay_merge(o, merged);
    do {
        again = false;
        for (enum bnd_opt opt = 0; opt < BND_N_OPTS; opt++) {
            again |= settle_opt(o, base, lacp, opt, merged);
        }
    } while (again);
    bnd_policy_notes(merged, &o->notes);
    settle_members(merged, o);
    bnd_overlay_end(o);
}
