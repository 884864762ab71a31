/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "policy/check.h"

#include <stdlib.h>
#include "address/address.h"
#include "openvswitch/dynamic-string.h"
#include "policy/policy.h"
#include "util.h"

/* Is the mode of 's', or the one that it may fall back to, in set 'modes'? */
static bool
is_in_mode(const struct bnd_settings *s, unsigned int modes)
{
    return ((modes & (1u << bnd_settings_mode(s)))
            || (bnd_settings_num(s, BND_OPT_FALLBACK)
                && (modes & BND_IN(AB))));
}

char *
bnd_policy_check(const struct bnd_settings *s, bool lacp, enum bnd_opt *opt)
{
    enum bnd_mode mode = bnd_settings_mode(s);

    *opt = BND_OPT_MODE;
    if (!bnd_policy_get(mode)) {
        return xasprintf("mode: \"%s\" is not supported yet",
                         bnd_mode_name(mode));
    }
    if (mode == BND_MODE_8023AD && !lacp) {
        return xasprintf("mode: \"%s\" needs LACP (column lacp must be active "
                         "or passive)", bnd_mode_name(mode));
    }

    const char *address = bnd_settings_str(s, BND_OPT_ADDRESS);
    struct eth_addr mac;
    const char *wrong = address ? bnd_address_parse(address, &mac) : NULL;

    *opt = BND_OPT_ADDRESS;
    if (wrong) {
        return xasprintf("address: \"%s\" %s; it must be that of one host, "
                         "such as 00:11:22:33:44:55", address, wrong);
    }

    *opt = BND_OPT_PACKETS_PER;
    if (mode != BND_MODE_RR && bnd_settings_is_given(s, BND_OPT_PACKETS_PER)) {
        return xasprintf("packets-per-slave: \"%lld\": only mode %s has this "
                         "option", bnd_settings_num(s, BND_OPT_PACKETS_PER),
                         bnd_mode_name(BND_MODE_RR));
    }
    return NULL;
}

bool
bnd_policy_heeds_primary(const struct bnd_settings *s)
{
    return (bnd_settings_mode(s) == BND_MODE_AB
            || bnd_settings_num(s, BND_OPT_FALLBACK));
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

    ds_put_format(&ds, "%s: \"", row->name);
    bnd_row_format(row, num, NULL, &ds);
    ds_put_cstr(&ds, "\"");
    if (!is_in_mode(s, bnd_row_modes(row))) {
        ds_put_format(&ds, ": mode %s does not have this option, only ",
                      bnd_mode_name(bnd_settings_mode(s)));
        bnd_modes_format(bnd_row_modes(row), &ds);
        return ds_steal_cstr(&ds);
    }
    if (row->later) {
        ds_put_cstr(&ds, ": this option is not supported yet");
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
            bnd_overlay_error(o, "member %s: %s", m->name, why);
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
        bnd_overlay_error(o, "member %s: queue-id: \"%lld\" is that of "
                          "member %s already", loser->name, queue,
                          b_keeps ? b->name : a->name);
    }
    settle_member(s, o, loser, BND_MOPT_QUEUE_ID);
    return true;
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
}

void
bnd_policy_settle(struct bnd_overlay *o, const struct bnd_settings *base,
                  bool lacp, struct bnd_settings *merged)
{
    enum bnd_opt opt;
    bool again;

    do {
        bnd_settings_clone(merged, base);
        bnd_overlay_merge(o, merged);

        char *why = bnd_policy_check(merged, lacp, &opt);
        again = why && bnd_overlay_refuse(o, opt, why);
        free(why);
        if (again) {
            bnd_settings_uninit(merged);
        }
    } while (again);
    settle_members(merged, o);
    bnd_overlay_end(o);
}
