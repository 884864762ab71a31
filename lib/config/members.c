/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "config/members.h"

#include <stdlib.h>
#include <string.h>
#include "config/settings.h"
#include "util.h"

static const struct bnd_row rows[BND_N_MOPTS] = {
#define BND_MOPT(ENUM, NAME, TYPE, DOC, ...) \
    [BND_MOPT_##ENUM] = { .name = NAME, TYPE, .apply = BND_APPLY_LIVE, \
                          .doc = DOC, __VA_ARGS__ },
#include "config/member-options.def"
#undef BND_MOPT
};

const struct bnd_row *
bnd_mopt_row(enum bnd_mopt opt)
{
    ovs_assert(opt < BND_N_MOPTS);
    return &rows[opt];
}

bool
bnd_mopt_from_name(const char *name, enum bnd_mopt *opt)
{
    for (enum bnd_mopt i = 0; i < BND_N_MOPTS; i++) {
        if (bnd_row_is_called(&rows[i], name)) {
            *opt = i;
            return true;
        }
    }
    return false;
}

static void
clear_wrong(struct bnd_msettings *m)
{
    for (enum bnd_mopt opt = 0; opt < BND_N_MOPTS; opt++) {
        free(m->values[opt].wrong);
        m->values[opt].wrong = NULL;
    }
}

void
bnd_members_uninit(struct bnd_members *ms)
{
    for (size_t i = 0; i < ms->n; i++) {
        clear_wrong(&ms->members[i]);
        free(ms->members[i].name);
    }
    free(ms->members);
    memset(ms, 0, sizeof *ms);
}

void
bnd_members_begin(struct bnd_members *ms)
{
    for (size_t i = 0; i < ms->n; i++) {
        struct bnd_msettings *m = &ms->members[i];

        m->seen = false;
        clear_wrong(m);
        for (enum bnd_mopt opt = 0; opt < BND_N_MOPTS; opt++) {
            m->values[opt].given = false;
            m->values[opt].bad = false;
            m->values[opt].fallen = false;
        }
    }
}

void
bnd_members_end(struct bnd_members *ms)
{
    size_t n = 0;

    for (size_t i = 0; i < ms->n; i++) {
        struct bnd_msettings *m = &ms->members[i];

        if (!m->seen) {
            clear_wrong(m);
            free(m->name);
            continue;
        }
        for (enum bnd_mopt opt = 0; opt < BND_N_MOPTS; opt++) {
            struct bnd_mvalue *v = &m->values[opt];

            if (!v->bad) {
                v->had_good = v->given;
                v->good = v->num;
            }
        }
        ms->members[n++] = *m;
    }
    ms->n = n;
}

const struct bnd_msettings *
bnd_members_find(const struct bnd_members *ms, const char *name)
{
    for (size_t i = 0; i < ms->n; i++) {
        if (!strcmp(ms->members[i].name, name)) {
            return &ms->members[i];
        }
    }
    return NULL;
}

struct bnd_msettings *
bnd_members_add(struct bnd_members *ms, const char *name)
{
    size_t i = 0;

    while (i < ms->n && strcmp(ms->members[i].name, name) < 0) {
        i++;
    }
    if (i == ms->n || strcmp(ms->members[i].name, name)) {
        ms->members = xrealloc(ms->members,
                               (ms->n + 1) * sizeof *ms->members);
        memmove(&ms->members[i + 1], &ms->members[i],
                (ms->n - i) * sizeof *ms->members);
        ms->n++;
        memset(&ms->members[i], 0, sizeof ms->members[i]);
        ms->members[i].name = xstrdup(name);
    }
    ms->members[i].seen = true;
    return &ms->members[i];
}

/* Lets the last good value serve, if there is one. */
static void
fall_back(struct bnd_mvalue *v)
{
    v->given = v->had_good;
    v->num = v->good;
    v->bad = v->fallen = true;
}

char *
bnd_msettings_parse(struct bnd_msettings *m, const char *name,
                    const char *text)
{
    struct bnd_value value;
    enum bnd_mopt opt;

    if (!bnd_mopt_from_name(name, &opt)) {
        enum bnd_opt bond;

        if (bnd_opt_from_name(name, &bond)) {
            return xasprintf("%s: \"%s\": this is an option of the bond "
                             "(Port.other_config:bond-%s)", name, text,
                             bnd_opt_name(bond));
        }
        return xasprintf("%s: \"%s\": there is no such option of a member",
                         name, text);
    }

    struct bnd_mvalue *v = &m->values[opt];
    char *error = bnd_row_parse(&rows[opt], text, &value);
    if (v->given || v->bad) {
        if (!error && v->given && v->num == value.num) {
            return NULL;
        }
        free(error);
        return xasprintf("%s: \"%s\": the option has another key already, "
                         "which counts", name, text);
    }
    if (error) {
        fall_back(v);
        return error;
    }
    v->given = true;
    v->num = value.num;
    return NULL;
}

bool
bnd_msettings_refuse(struct bnd_msettings *m, enum bnd_mopt opt)
{
    struct bnd_mvalue *v = &m->values[opt];
    bool first = !v->bad;

    if (v->fallen || (v->had_good && v->good == v->num)) {
        v->given = false;
        v->bad = v->fallen = true;
    } else {
        fall_back(v);
    }
    return first;
}

long long int
bnd_msettings_num(const struct bnd_msettings *m, enum bnd_mopt opt)
{
    return m->values[opt].given ? m->values[opt].num : rows[opt].def;
}

struct bnd_member_options
bnd_msettings_get(const struct bnd_msettings *m)
{
    return (struct bnd_member_options) {
        .prio = bnd_msettings_num(m, BND_MOPT_PRIO),
        .queue_id = bnd_msettings_num(m, BND_MOPT_QUEUE_ID),
        .admin = bnd_msettings_num(m, BND_MOPT_ADMIN),
        .actor_port_prio
            = (m->values[BND_MOPT_ACTOR_PORT_PRIO].given
               ? bnd_msettings_num(m, BND_MOPT_ACTOR_PORT_PRIO) : 0),
    };
}
