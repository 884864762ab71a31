/* SPDX-License-Identifier: Apache-2.0 */

/* What the user asks over and above Open vSwitch
 * ==============================================
 *
 * Two more sources of settings lie over the ones that Open vSwitch hands us:
 * a string of options as the Linux bonding driver takes it, and single keys.
 * A key wins over the string, and the string over what lies below.
 *
 * A mistake never stops a bond.  The option keeps the last good value that
 * the same source gave it, or is unset in that source if there was none, and a
 * message says so for as long as the mistake stands.  So one object of this
 * kind lives as long as the bond is known, and each reading of the
 * configuration goes
 *
 *   begin -> key, string, set, member... -> merge -> (refuse -> merge)... -> end
 *
 * where "refuse" is for what only a look at all options can find out.
 *
 * Thread-safety
 * -------------
 * Plain data; one thread at a time per object.
 *
 * Source: Linux Documentation/networking/bonding.rst, option names and their
 * values. */

#ifndef BND_OVERLAY_H
#define BND_OVERLAY_H 1

#include "config/members.h"
#include "config/settings.h"
#include "openvswitch/compiler.h"
#include "openvswitch/dynamic-string.h"

/* Where a setting comes from, weakest first. */
enum bnd_source {
    BND_SOURCE_STRING,
    BND_SOURCE_KEY,
    BND_N_SOURCES
};

struct bnd_overlay {
    struct bnd_settings good[BND_N_SOURCES]; /* Last good values... */
    struct bnd_settings now[BND_N_SOURCES]; /* ...and those being read. */
    bool bad[BND_N_SOURCES][BND_N_OPTS]; /* Something is wrong with it. */
    bool fallen[BND_N_SOURCES][BND_N_OPTS]; /* 'good' serves already. */
    struct bnd_members members; /* Options of the members. */
    char *wrong[BND_N_OPTS];    /* What is wrong with an option, or null. */
    struct ds errors;           /* A line each, of this reading. */
    int n_errors;
    struct ds notes;            /* A line each: in force, but worth telling. */
};

void bnd_overlay_init(struct bnd_overlay *);
void bnd_overlay_uninit(struct bnd_overlay *);

/* Starts a reading. */
void bnd_overlay_begin(struct bnd_overlay *);

/* Takes the value 'text' of the single key for option 'name', '_' and '-'
 * being alike.  Of two names of one option the first one counts, and the
 * second one is a mistake if it says something else. */
void bnd_overlay_key(struct bnd_overlay *, const char *name,
                     const char *text);

/* Takes options as they stand in modprobe.conf or BONDING_OPTS: NAME=VALUE,
 * separated by white space.  As there, the last one of a name counts, the
 * whole or a value may be in quotation marks, what follows '#' is a comment,
 * and "options MODULE" or "BONDING_OPTS=" may stand before them. */
void bnd_overlay_string(struct bnd_overlay *, const char *text);

/* Takes note that the bond has member 'name'; takes the value 'text' of key
 * 'option' of that member. */
void bnd_overlay_member(struct bnd_overlay *, const char *name);
void bnd_overlay_member_key(struct bnd_overlay *, const char *name,
                            const char *option, const char *text);

/* Adds a message about option 'opt' of member 'm'. */
void bnd_overlay_member_error(struct bnd_overlay *, struct bnd_msettings *m,
                              enum bnd_mopt opt, const char *message);

/* Adds a message of one line. */
void bnd_overlay_error(struct bnd_overlay *, const char *format, ...)
    OVS_PRINTF_FORMAT(2, 3);

/* Adds a note of one line: something that is in force but worth telling. */
void bnd_overlay_note(struct bnd_overlay *, const char *format, ...)
    OVS_PRINTF_FORMAT(2, 3);

/* Take a value that someone else has parsed as that of a single key. */
void bnd_overlay_set_num(struct bnd_overlay *, enum bnd_opt, long long int);
void bnd_overlay_set_str(struct bnd_overlay *, enum bnd_opt, const char *);

/* Lays what was read over 's'. */
void bnd_overlay_merge(const struct bnd_overlay *, struct bnd_settings *s);

/* Refuses the value of 'opt' that came of the last merge, with 'why' as the
 * message if it is the first about this option.  Returns true if another
 * value takes its place (merge again, into what lies below), false if it did
 * not come from here. */
bool bnd_overlay_refuse(struct bnd_overlay *, enum bnd_opt opt,
                        const char *why);

/* Ends a reading: what is right in it is good from now on. */
void bnd_overlay_end(struct bnd_overlay *);

/* Returns the messages of this reading, each a line, or null for none.  They
 * are of one printable line each, whatever the user wrote. */
const char *bnd_overlay_errors(const struct bnd_overlay *);

/* The same for the notes. */
const char *bnd_overlay_notes(const struct bnd_overlay *);

/* Where does the value of 'opt' come from, after a reading?  False if it does
 * not come from here. */
bool bnd_overlay_source(const struct bnd_overlay *, enum bnd_opt opt,
                        enum bnd_source *);

#endif /* overlay.h */
