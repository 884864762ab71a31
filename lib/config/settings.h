/* SPDX-License-Identifier: Apache-2.0 */

/* Settings of a bond
 * ==================
 *
 * What the user asked for, as opposed to what is.  An option that was not
 * given, one that was given its default value, and one that was given another
 * are three different things, so "given" is a bit of its own and a reader who
 * does not care gets the default.
 *
 * The options and all that is known of them stand in options.def.
 *
 * Thread-safety
 * -------------
 * Plain data; one thread at a time per object.
 *
 * Source: ovs-vswitchd.conf.db(5), Port table, bonding and LACP. */

#ifndef BND_SETTINGS_H
#define BND_SETTINGS_H 1

#include <stddef.h>
#include "config/row.h"
#include "core/bnd-types.h"

struct ds;

enum bnd_opt {
#define BND_OPT(ENUM, NAME, TYPE, APPLY, DOC, ...) BND_OPT_##ENUM,
#include "config/options.def"
#undef BND_OPT
    BND_N_OPTS
};

struct bnd_settings {
    bool given[BND_N_OPTS];     /* Set explicitly? */
    long long int num[BND_N_OPTS]; /* Value, if given and not a string. */
    char *str[BND_N_OPTS];      /* Value, if given and a string; owned. */
};

void bnd_settings_init(struct bnd_settings *);
void bnd_settings_uninit(struct bnd_settings *);
void bnd_settings_clone(struct bnd_settings *dst, const struct bnd_settings *);

/* Readers.  They return the default of an option that was not given; for a
 * string that is null. */
long long int bnd_settings_num(const struct bnd_settings *, enum bnd_opt);
const char *bnd_settings_str(const struct bnd_settings *, enum bnd_opt);
enum bnd_mode bnd_settings_mode(const struct bnd_settings *);
bool bnd_settings_is_given(const struct bnd_settings *, enum bnd_opt);

/* Milliseconds of a delay that counts in intervals of the link monitor: with
 * 'miimon', rounded down to a multiple of it, otherwise as it was given.
 *
 * Source: Linux Documentation/networking/bonding.rst, updelay. */
long long int bnd_settings_ticks(const struct bnd_settings *, enum bnd_opt);

/* Is 'opt' such a delay? */
bool bnd_opt_is_delay(enum bnd_opt);

/* Reads an option that is an Ethernet address; false if it was not given. */
bool bnd_settings_mac(const struct bnd_settings *, enum bnd_opt,
                      struct eth_addr *);

/* Writers for callers that have a typed value already.  The value must be in
 * the option's range. */
void bnd_settings_set_num(struct bnd_settings *, enum bnd_opt, long long int);
void bnd_settings_set_str(struct bnd_settings *, enum bnd_opt, const char *);
void bnd_settings_unset(struct bnd_settings *, enum bnd_opt);

/* Makes option 'opt' of 'dst' what it is in 'src', be it not given. */
void bnd_settings_copy(struct bnd_settings *dst,
                       const struct bnd_settings *src, enum bnd_opt opt);

/* Gives option 'name' ('_' and '-' are alike) the value that 'text' says.
 * Returns null if successful, otherwise a message that names the option, the
 * value and what is allowed, which the caller frees; in that case '*s' is as
 * it was. */
char *bnd_settings_parse(struct bnd_settings *s, const char *name,
                         const char *text);

/* Appends the value of option 'opt', given or not, to 'ds' as text, which
 * bnd_settings_parse() reads back; nothing for a string that was not given. */
void bnd_settings_put_value(const struct bnd_settings *, enum bnd_opt,
                            struct ds *ds);

/* Appends the value of option 'opt', given or not, as Linux would show it in
 * sysfs: delays as rounded, name and number of a choice. */
void bnd_settings_show(const struct bnd_settings *, enum bnd_opt,
                       struct ds *ds);

/* Appends every given option to 'ds' as "name=value", in the order of
 * options.def, separated by spaces.  bnd_settings_parse() reads it back. */
void bnd_settings_format(const struct bnd_settings *, struct ds *ds);

/* Returns the cost of the most expensive difference between 'a' and 'b'. */
enum bnd_apply bnd_settings_diff(const struct bnd_settings *a,
                                 const struct bnd_settings *b);

/* Looks up option 'name', where '_' and '-' are alike, and which may also be
 * one that Linux or Open vSwitch has for the same thing. */
bool bnd_opt_from_name(const char *name, enum bnd_opt *);

/* Returns the name of the option that may have been meant by 'name', which is
 * none, or null. */
const char *bnd_opt_closest(const char *name);

/* What is known of an option, and its name. */
const struct bnd_row *bnd_opt_row(enum bnd_opt);
const char *bnd_opt_name(enum bnd_opt);

#endif /* settings.h */
