/* SPDX-License-Identifier: Apache-2.0 */

/* What the user asks of members
 * =============================
 *
 * The options of the members of one bond, as read from their keys, with the
 * same rules as for the bond's own (overlay.h): a mistake leaves the last good
 * value of the key, or none, and is told as long as it stands.  A member that
 * is not in a reading is forgotten.
 *
 * The options and all that is known of them stand in member-options.def.
 *
 * Thread-safety
 * -------------
 * Plain data; one thread at a time per object. */

#ifndef BND_MEMBERS_H
#define BND_MEMBERS_H 1

#include <stddef.h>
#include "config/row.h"
#include "core/member.h"

enum bnd_mopt {
#define BND_MOPT(ENUM, NAME, TYPE, DOC, ...) BND_MOPT_##ENUM,
#include "config/member-options.def"
#undef BND_MOPT
    BND_N_MOPTS
};

/* One option of one member. */
struct bnd_mvalue {
    bool given;                 /* There is a value: */
    long long int num;
    bool bad;                   /* There is something wrong with its key... */
    bool fallen;                /* ...and the last good value serves. */
    bool had_good;              /* There is one: */
    long long int good;
    char *wrong;                /* What is wrong, or null; owned. */
};

struct bnd_msettings {
    char *name;                 /* Of the member; owned. */
    bool seen;                  /* In this reading. */
    struct bnd_mvalue values[BND_N_MOPTS];
};

struct bnd_members {
    struct bnd_msettings *members; /* In the order of their names. */
    size_t n;
};

void bnd_members_uninit(struct bnd_members *);

/* Start and end a reading. */
void bnd_members_begin(struct bnd_members *);
void bnd_members_end(struct bnd_members *);

/* Takes note that the bond has member 'name'.  The result is good until the
 * next call. */
struct bnd_msettings *bnd_members_add(struct bnd_members *, const char *name);
const struct bnd_msettings *bnd_members_find(const struct bnd_members *,
                                             const char *name);

/* Takes 'text' for option 'name', '_' and '-' being alike.  Returns null or a
 * message, which the caller frees. */
char *bnd_msettings_parse(struct bnd_msettings *, const char *name,
                          const char *text);

/* Refuses the present value of 'opt': the last good one takes its place, or
 * else none.  Returns true if that is the first thing that is wrong with it,
 * so that it should be told. */
bool bnd_msettings_refuse(struct bnd_msettings *, enum bnd_mopt opt);

/* Readers; defaults for what is not given. */
long long int bnd_msettings_num(const struct bnd_msettings *, enum bnd_mopt);
struct bnd_member_options
bnd_msettings_get(const struct bnd_msettings *);

const struct bnd_row *bnd_mopt_row(enum bnd_mopt);

/* Looks up option 'name', where '_' and '-' are alike. */
bool bnd_mopt_from_name(const char *name, enum bnd_mopt *);

#endif /* members.h */
