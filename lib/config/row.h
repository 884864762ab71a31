/* SPDX-License-Identifier: Apache-2.0 */

/* What is known about an option
 * =============================
 *
 * One row for each option of a bond (options.def) or of a member
 * (member-options.def).  The syntax of values, messages, documentation and
 * tests all follow from it, so that none of them can say something else.
 *
 * A value is written as the Linux bonding driver takes it: text after the
 * first newline is ignored; if the rest is digits and blanks, the first number
 * counts; otherwise the first word does, case and all.  Words are the names of
 * choices and, for the options to which the driver gives them, off, on,
 * minval, maxval and default.  Over and above that we take true and false for
 * yes and no, and negative numbers where the range has any.  Names, addresses
 * and lists are taken as they stand.
 *
 * Thread-safety
 * -------------
 * Constants and pure functions.
 *
 * Source: Linux Documentation/networking/bonding.rst, bonding driver options;
 * the driver's answers to what was written to its sysfs files. */

#ifndef BND_ROW_H
#define BND_ROW_H 1

#include "core/bnd-types.h"

struct ds;

enum bnd_row_type {
    BND_ROW_INT,                /* Whole number. */
    BND_ROW_BOOL,               /* Yes or no. */
    BND_ROW_ENUM,               /* One of several words. */
    BND_ROW_STR,                /* Text; empty for none. */
    BND_ROW_MAC,                /* Ethernet address of one station. */
    BND_ROW_MAC_OR_0,           /* The same, or all zeros. */
    BND_ROW_IP4,                /* Up to 'max' IPv4 addresses... */
    BND_ROW_IP6                 /* ...or IPv6 addresses, none of them twice,
                                 * with commas or blanks between them. */
};

#define BND_MAX_TARGETS 16

/* What a change costs, cheapest first. */
enum bnd_apply {
    BND_APPLY_NONE,             /* Nothing has changed. */
    BND_APPLY_LIVE,             /* Values and deadlines are replaced. */
    BND_APPLY_RESELECT,         /* Members are chosen anew. */
    BND_APPLY_REBUILD           /* The mode starts anew. */
};

/* Words that stand for a number. */
#define BND_W_OFF 0x1           /* off: 0. */
#define BND_W_MIN 0x2           /* minval. */
#define BND_W_MAX 0x4           /* maxval. */
#define BND_W_DEF 0x8           /* default. */

/* Sets of modes. */
#define BND_IN(MODE) (1u << (BND_MODE_##MODE))
#define BND_IN_ALL ((1u << BND_N_MODES) - 1)

struct bnd_row {
    const char *name;
    const char *aliases;        /* Other names of it, "a|b", or null. */
    enum bnd_row_type type;
    long long int min, max;     /* INT only; 'max' of lists, too. */
    const char *choices;        /* ENUM only: "a|b|c", numbered from 0... */
    int n_numbered;             /* ...so many of which have numbers. */
    long long int def;          /* Not for text, addresses and lists. */
    const char *unset;          /* What it is not to give it, where that is
                                 * something else than 'def', or null. */
    const char *unit;           /* Of a number, or null. */
    unsigned int words;         /* BND_W_*, over and above 'choices'. */
    unsigned int modes;         /* Modes that take it, 0 for all... */
    unsigned int combined;      /* ...and others that do with the option
                                 * monitor-combine... */
    unsigned int effect;        /* ...and in which it does something, 0 for
                                 * 'modes'. */
    bool quiet;                 /* Open vSwitch has it, too, and says nothing
                                 * where it has no effect. */
    bool named;                 /* Shown by name, too (BOOL). */
    bool later;                 /* Its value is looked at, then refused. */
    enum bnd_apply apply;
    const char *column;         /* Of table Port that says the same, or
                                 * null. */
    const char *ovs_key;        /* The only key that it can stand in, or null
                                 * for any. */
    const char *doc;            /* For users; sentences. */
};

/* Types, as they stand in rows. */
#define BND_T_INT(MIN, MAX, DEF) \
    .type = BND_ROW_INT, .min = MIN, .max = MAX, .def = DEF
#define BND_T_BOOL(DEF) .type = BND_ROW_BOOL, .def = DEF
#define BND_T_ENUM(CHOICES, N, DEF) \
    .type = BND_ROW_ENUM, .choices = CHOICES, .n_numbered = N, .def = DEF
#define BND_T_STR .type = BND_ROW_STR
#define BND_T_MAC .type = BND_ROW_MAC
#define BND_T_MAC_OR_0 .type = BND_ROW_MAC_OR_0
#define BND_T_IP4(MAX) .type = BND_ROW_IP4, .max = MAX
#define BND_T_IP6 .type = BND_ROW_IP6, .max = BND_MAX_TARGETS

/* A value: a number, or allocated text in 'str'. */
struct bnd_value {
    long long int num;
    char *str;
};

/* Is 'name' that of 'row', or one of its aliases?  '_' and '-' are alike. */
bool bnd_row_is_called(const struct bnd_row *, const char *name);

/* Are the names 'a' and 'b' the same, '_' and '-' being alike? */
bool bnd_opt_name_equal(const char *a, const char *b);

/* Is the value a 'str'? */
bool bnd_row_is_text(const struct bnd_row *);

/* Reads 'text'.  Returns null if successful, in which case the caller frees
 * '*value's text, otherwise a message that names the option, the value and
 * what is allowed, which the caller frees. */
char *bnd_row_parse(const struct bnd_row *, const char *text,
                    struct bnd_value *value);

/* Appends a value as bnd_row_parse() reads it. */
void bnd_row_format(const struct bnd_row *, long long int num,
                    const char *str, struct ds *);

/* Appends a value as Linux shows it in sysfs: text and number of a choice,
 * the number alone of all others. */
void bnd_row_show(const struct bnd_row *, long long int num, const char *str,
                  struct ds *);

/* Appends what is allowed: "a whole number from 1 to 9, or default". */
void bnd_row_allowed(const struct bnd_row *, struct ds *);

/* Appends the names of the modes in 'set', with ", " between them. */
void bnd_modes_format(unsigned int set, struct ds *);

/* The sets of modes that take an option and in which it does something. */
unsigned int bnd_row_modes(const struct bnd_row *);
unsigned int bnd_row_effect(const struct bnd_row *);

/* Reads an Ethernet address: six octets of two digits, with colons or hyphens
 * between them; what follows is ignored. */
bool bnd_parse_mac(const char *text, struct eth_addr *);

#endif /* row.h */
