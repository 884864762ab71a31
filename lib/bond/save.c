/* SPDX-License-Identifier: Apache-2.0 */

/* What a bond with LACP leaves behind, as text, and takes up again: its ports
 * (lacp/lacp-save.h), and who has which bucket, so that flows stay where they
 * are.  A line for each member, a second one for its port:
 *
 *     member NAME
 *     lacp ...
 *     slots ...
 *
 * where each bucket has two digits: in hexadecimal the number of its member's
 * line, from 0, or "--" if it is nobody's.
 * Bytes of names that a line cannot hold are in hexadecimal, after "%". */

#include <config.h>
#include "bond/bond.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "bond/bond-private.h"
#include "core/deadline.h"
#include "lacp/lacp-save.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

/* Members that are not in use so long after the bond has begun get their
 * buckets back in the ordinary way, ms. */
#define SLOTS_WAIT 3000

#define NO_INDEX UINT16_MAX

struct saved_member {
    char *name;
    bool has_lacp;              /* The next one is still of use. */
    struct bnd_lacp_saved lacp;
};

struct bnd_saved {
    struct saved_member *members;
    size_t n_members;
    size_t n_slots;             /* 0 once buckets have been given back. */
    uint16_t owner[BND_N_SLOTS]; /* Index in 'members', or NO_INDEX. */
    long long int slots_by;     /* When to do so at the latest, ms. */
};

/* Saving. */

static void
put_name(const char *name, struct ds *ds)
{
    for (const uint8_t *p = (const uint8_t *) name; *p; p++) {
        if (*p > ' ' && *p < 0x7f && *p != '%') {
            ds_put_char(ds, *p);
        } else {
            ds_put_format(ds, "%%%02x", *p);
        }
    }
}

/* Returns the number of the line of member 'id', or -1. */
static int
member_index(const struct bnd_bond *b, bnd_id id)
{
    int n = 0;

    for (size_t i = 0; i < b->n_members; i++) {
        if (b->members[i]->id == id) {
            return b->members[i]->present && n <= UINT8_MAX ? n : -1;
        }
        n += b->members[i]->present;
    }
    return -1;
}

static void
save_slots(const struct bnd_bond *b, const struct bnd_slots *slots,
           struct ds *ds)
{
    ds_put_cstr(ds, "slots ");
    for (size_t i = 0; i < slots->n_slots; i++) {
        int index = member_index(b, slots->owner[i]);

        /* Often: this is not the place for a format. */
        ds_put_char(ds, index < 0 ? '-' : "0123456789abcdef"[index >> 4]);
        ds_put_char(ds, index < 0 ? '-' : "0123456789abcdef"[index & 15]);
    }
    ds_put_char(ds, '\n');
}

char *
bnd_save(const struct bnd_bond *b)
{
    struct ds ds = DS_EMPTY_INITIALIZER;
    bool any = false;

    if (!b->lacp) {
        return NULL;
    }
    for (size_t i = 0; i < b->n_members; i++) {
        const struct bnd_member *m = b->members[i];
        struct ds port = DS_EMPTY_INITIALIZER;

        if (!m->present) {
            continue;
        }
        ds_put_cstr(&ds, "member ");
        put_name(m->name, &ds);
        ds_put_char(&ds, '\n');
        if (bnd_lacp_port_save(b->lacp, m->id, &port)) {
            ds_put_format(&ds, "lacp %s\n", ds_cstr(&port));
            any = true;
        }
        ds_destroy(&port);
    }
    if (any && b->bonded && b->class->slots) {
        save_slots(b, b->class->slots(b->priv), &ds);
    }
    if (!any) {
        ds_destroy(&ds);
        return NULL;
    }
    return ds_steal_cstr(&ds);
}

/* Parsing. */

void
bnd_saved_destroy(struct bnd_saved *s)
{
    if (s) {
        for (size_t i = 0; i < s->n_members; i++) {
            free(s->members[i].name);
        }
        free(s->members);
        free(s);
    }
}

/* Returns the name that 's' spells, for the caller to free. */
static char *
parse_name(const char *s)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    for (; *s; s++) {
        unsigned int c;

        if (*s == '%' && sscanf(s + 1, "%2x", &c) == 1 && s[1] && s[2]) {
            ds_put_char(&ds, c);
            s += 2;
        } else {
            ds_put_char(&ds, *s);
        }
    }
    return ds_steal_cstr(&ds);
}

/* Parses two digits for each bucket. */
static bool
parse_slots(const char *p, struct bnd_saved *s)
{
    size_t n = 0;

    for (; *p; p += 2) {
        unsigned int index = NO_INDEX;
        int len = 0;

        if (n >= BND_N_SLOTS
            || (strncmp(p, "--", 2)
                && (sscanf(p, "%2x%n", &index, &len) != 1 || len != 2
                    || index >= s->n_members))) {
            return false;
        }
        s->owner[n++] = index;
    }
    s->n_slots = n;
    return true;
}

static char *
parse_line(const char *line, struct bnd_saved *s)
{
    struct saved_member *last = (s->n_members
                                 ? &s->members[s->n_members - 1] : NULL);

    if (!strncmp(line, "member ", 7)) {
        s->members = xrealloc(s->members,
                              (s->n_members + 1) * sizeof *s->members);
        last = &s->members[s->n_members++];
        memset(last, 0, sizeof *last);
        last->name = parse_name(line + 7);
        return NULL;
    } else if (!strncmp(line, "lacp ", 5) && last && !last->has_lacp) {
        char *error = bnd_lacp_saved_parse(line + 5, &last->lacp);

        last->has_lacp = !error;
        return error;
    } else if (!strncmp(line, "slots ", 6) && parse_slots(line + 6, s)) {
        return NULL;
    }
    return xasprintf("\"%s\": not understood", line);
}

char *
bnd_restore(struct bnd_bond *b, const char *text, long long int saved_at,
            long long int then, long long int now)
{
    struct bnd_saved *s = xzalloc(sizeof *s);
    char *copy = xstrdup(text), *save_ptr = NULL, *error = NULL;

    for (char *line = strtok_r(copy, "\n", &save_ptr); line && !error;
         line = strtok_r(NULL, "\n", &save_ptr)) {
        error = parse_line(line, s);
    }
    free(copy);
    if (error || then < saved_at) {
        bnd_saved_destroy(s);
        return error ? error : xstrdup("it is of the future");
    }
    for (size_t i = 0; i < s->n_members; i++) {
        bnd_lacp_saved_translate(&s->members[i].lacp, saved_at, then, now);
    }
    s->slots_by = bnd_deadline_in(now, SLOTS_WAIT);
    bnd_saved_destroy(b->saved);
    b->saved = s;
    for (size_t i = 0; b->lacp && i < b->n_members; i++) {
        bnd_saved_port(b, b->members[i], now);
    }
    return NULL;
}

/* Taking up. */

void
bnd_saved_port(struct bnd_bond *b, const struct bnd_member *m,
               long long int now)
{
    for (size_t i = 0; b->saved && i < b->saved->n_members; i++) {
        struct saved_member *sm = &b->saved->members[i];

        if (sm->has_lacp && !strcmp(sm->name, m->name)) {
            bnd_lacp_port_remember(b->lacp, m->id, &sm->lacp, now);
            sm->has_lacp = false;
        }
    }
}

/* Stores in 'ids' whom the members of 's' are now, if they are in use, or
 * BND_NO_MEMBER.  Returns true if all of them are that have a bucket. */
static bool
find_owners(const struct bnd_bond *b, const struct bnd_saved *s, bnd_id ids[])
{
    bool all = true;

    for (size_t i = 0; i < s->n_members; i++) {
        ids[i] = BND_NO_MEMBER;
        for (size_t j = 0; j < b->n_members; j++) {
            const struct bnd_member *m = b->members[j];

            if (m->enabled && !strcmp(m->name, s->members[i].name)) {
                ids[i] = m->id;
            }
        }
    }
    for (size_t i = 0; i < s->n_slots; i++) {
        all &= s->owner[i] == NO_INDEX || ids[s->owner[i]] != BND_NO_MEMBER;
    }
    return all;
}

void
bnd_saved_slots(struct bnd_bond *b, long long int now)
{
    struct bnd_saved *s = b->saved;
    const struct bnd_slots *slots = (s && s->n_slots && b->class->slots
                                     ? b->class->slots(b->priv) : NULL);
    bnd_id *ids;

    if (!slots || slots->n_slots != s->n_slots || !slots->n_known) {
        return;                 /* Not yet. */
    }
    ids = xcalloc(s->n_members + 1, sizeof *ids);
    if (find_owners(b, s, ids) || now >= s->slots_by) {
        for (size_t i = 0; i < s->n_slots; i++) {
            bnd_id id = (s->owner[i] == NO_INDEX ? BND_NO_MEMBER
                         : ids[s->owner[i]]);
            struct bnd_event e = { .type = BND_EV_MIGRATE, .id = id,
                                   .slot = i };

            if (id != BND_NO_MEMBER && id != slots->owner[i]) {
                b->class->event(b->priv, &e);
            }
        }
        s->n_slots = 0;
    }
    free(ids);
}

long long int
bnd_saved_wake_time(const struct bnd_bond *b)
{
    return (b->saved && b->saved->n_slots
            && b->saved->slots_by > b->last_now
            ? b->saved->slots_by : BND_NEVER);
}

void
bnd_refresh(struct bnd_bond *b, long long int now)
{
    if (b->lacp) {
        bnd_advance(b, now);
        b->settled = false;
        bnd_lacp_refresh(b->lacp, now);
    }
}
