/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "config/overlay.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "util.h"

/* A reading tells no more mistakes than these. */
#define MAX_ERRORS 16

#define BLANKS " \t\r\n\v\f"

/* An option of the driver that we read over, as it is about the module. */
static const struct bnd_row max_bonds_row = {
    .name = "max-bonds", BND_T_INT(INT_MIN, INT_MAX, 1)
};

void
bnd_overlay_init(struct bnd_overlay *o)
{
    memset(o, 0, sizeof *o);
    ds_init(&o->errors);
    ds_init(&o->notes);
}

static void
clear_wrong(struct bnd_overlay *o)
{
    for (enum bnd_opt opt = 0; opt < BND_N_OPTS; opt++) {
        free(o->wrong[opt]);
        o->wrong[opt] = NULL;
    }
}

void
bnd_overlay_uninit(struct bnd_overlay *o)
{
    for (int i = 0; i < BND_N_SOURCES; i++) {
        bnd_settings_uninit(&o->good[i]);
        bnd_settings_uninit(&o->now[i]);
    }
    clear_wrong(o);
    bnd_members_uninit(&o->members);
    ds_destroy(&o->errors);
    ds_destroy(&o->notes);
}

void
bnd_overlay_begin(struct bnd_overlay *o)
{
    for (int i = 0; i < BND_N_SOURCES; i++) {
        bnd_settings_uninit(&o->now[i]);
    }
    bnd_members_begin(&o->members);
    memset(o->bad, 0, sizeof o->bad);
    memset(o->fallen, 0, sizeof o->fallen);
    clear_wrong(o);
    ds_clear(&o->errors);
    ds_clear(&o->notes);
    o->n_errors = 0;
}

/* Appends 'message' as one printable line, whatever the user wrote. */
static void
put_line(const char *message, struct ds *ds)
{
    for (const char *p = message; *p; p++) {
        unsigned char c = *p;

        ds_put_char(ds, c < ' ' || c == 0x7f ? '?' : c);
    }
    ds_put_char(ds, '\n');
}

static void
add_error(struct bnd_overlay *o, const char *message)
{
    if (o->n_errors++ < MAX_ERRORS) {
        put_line(message, &o->errors);
    }
}

/* Remembers 'message' in '*wrong', if it is the first one there. */
static void
keep_wrong(char **wrong, const char *message)
{
    if (!*wrong) {
        struct ds ds = DS_EMPTY_INITIALIZER;

        put_line(message, &ds);
        ds_chomp(&ds, '\n');
        *wrong = ds_steal_cstr(&ds);
    }
}

/* Adds 'message', which is about 'opt'. */
static void
add_opt_error(struct bnd_overlay *o, enum bnd_opt opt, const char *message)
{
    add_error(o, message);
    keep_wrong(&o->wrong[opt], message);
}

/* Adds 'message' and frees it. */
static void
add_error_nocopy(struct bnd_overlay *o, char *message)
{
    add_error(o, message);
    free(message);
}

void
bnd_overlay_error(struct bnd_overlay *o, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    add_error_nocopy(o, xvasprintf(format, args));
    va_end(args);
}

void
bnd_overlay_note(struct bnd_overlay *o, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    char *note = xvasprintf(format, args);
    va_end(args);
    put_line(note, &o->notes);
    free(note);
}

/* Lets the last good value of 'opt' from 'source' serve. */
static void
fall_back(struct bnd_overlay *o, enum bnd_source source, enum bnd_opt opt)
{
    o->bad[source][opt] = true;
    o->fallen[source][opt] = true;
    bnd_settings_copy(&o->now[source], &o->good[source], opt);
}

/* Returns what there is to say of 'name' = 'text', which is no option of a
 * bond; or null, and maybe takes a note. */
static char *
check_other(struct bnd_overlay *o, const char *name, const char *text)
{
    const char *close = bnd_opt_closest(name);
    struct bnd_value value;
    enum bnd_mopt mopt;

    if (bnd_row_is_called(&max_bonds_row, name)) {
        char *error = bnd_row_parse(&max_bonds_row, text, &value);

        if (!error) {
            bnd_overlay_note(o, "max-bonds: \"%s\": of no effect, as it is "
                             "about the driver, not a bond", text);
        }
        return error;
    }
    if (bnd_opt_name_equal(name, "slaves")) {
        return xasprintf("slaves: \"%s\": the members are the port's "
                         "interfaces (column interfaces)", text);
    }
    if (bnd_mopt_from_name(name, &mopt)) {
        return xasprintf("%s: \"%s\": this is an option of a member "
                         "(Interface.other_config:bond-%s)",
                         bnd_mopt_row(mopt)->name, text,
                         bnd_mopt_row(mopt)->name);
    }
    return xasprintf("%s: \"%s\": there is no such option%s%s%s", name, text,
                     close ? " (" : "", close ? close : "",
                     close ? "?)" : "");
}

/* Takes 'name' = 'text' from 'source'. */
static void
take(struct bnd_overlay *o, enum bnd_source source, const char *name,
     const char *text)
{
    enum bnd_opt opt;
    char *error;

    if (!bnd_opt_from_name(name, &opt)) {
        error = check_other(o, name, text);
        if (error) {
            add_error_nocopy(o, error);
        }
        return;
    }

    const struct bnd_row *row = bnd_opt_row(opt);
    error = (row->ovs_key
             ? xasprintf("%s: \"%s\": it can stand in Port.other_config:%s "
                         "alone", row->name, text, row->ovs_key)
             : bnd_settings_parse(&o->now[source], name, text));
    if (!error) {
        o->bad[source][opt] = o->fallen[source][opt] = false;
        return;
    }
    add_opt_error(o, opt, error);
    free(error);
    if (!row->ovs_key) {
        fall_back(o, source, opt);
    }
}

/* Does 'text' say of 'opt' what its key has said already? */
static bool
says_the_same(const struct bnd_overlay *o, enum bnd_opt opt, const char *text)
{
    struct bnd_settings s;
    bool same = false;

    bnd_settings_init(&s);
    char *error = bnd_settings_parse(&s, bnd_opt_name(opt), text);
    if (!error && !o->bad[BND_SOURCE_KEY][opt]) {
        const struct bnd_settings *now = &o->now[BND_SOURCE_KEY];

        same = (s.num[opt] == now->num[opt]
                && nullable_string_is_equal(s.str[opt], now->str[opt]));
    }
    free(error);
    bnd_settings_uninit(&s);
    return same;
}

void
bnd_overlay_key(struct bnd_overlay *o, const char *name, const char *text)
{
    enum bnd_opt opt;

    if (bnd_opt_from_name(name, &opt)
        && (o->now[BND_SOURCE_KEY].given[opt]
            || o->bad[BND_SOURCE_KEY][opt])) {
        if (!says_the_same(o, opt, text)) {
            char *error = xasprintf("%s: \"%s\": the option has another key "
                                    "already, which counts", name, text);
            add_opt_error(o, opt, error);
            free(error);
        }
        return;
    }
    take(o, BND_SOURCE_KEY, name, text);
}

/* Takes the quotation marks 'mark' out of 'text' unless one has no partner. */
static void
drop_quotes(char *text, char mark)
{
    int n = 0;

    for (const char *p = text; *p; p++) {
        n += *p == mark;
    }
    if (n % 2) {
        return;
    }

    char *to = text;
    for (const char *p = text; *p; p++) {
        if (*p != mark) {
            *to++ = *p;
        }
    }
    *to = '\0';
}

/* Returns the first word of an option string that is about an option, where
 * 'word' is the very first, or null: over "options MODULE [-o NAME]" of
 * modprobe.conf and over the names of variables we read. */
static char *
skip_head(char *word, char **save)
{
    static const char *const variables[] = { "BONDING_OPTS=",
                                             "BONDING_MODULE_OPTS=" };

    if (!strcmp(word, "options")) {
        strtok_r(NULL, BLANKS, save);
        word = strtok_r(NULL, BLANKS, save);
        if (word && !strcmp(word, "-o")) {
            strtok_r(NULL, BLANKS, save);
            word = strtok_r(NULL, BLANKS, save);
        }
        return word;
    }
    for (size_t i = 0; i < ARRAY_SIZE(variables); i++) {
        size_t len = strlen(variables[i]);

        if (!strncmp(word, variables[i], len)) {
            return word[len] ? word + len : strtok_r(NULL, BLANKS, save);
        }
    }
    return word;
}

void
bnd_overlay_string(struct bnd_overlay *o, const char *text)
{
    char *copy = xstrdup(text);
    char *save = NULL;

    drop_quotes(copy, '"');
    drop_quotes(copy, '\'');

    char *word = strtok_r(copy, BLANKS, &save);
    word = word ? skip_head(word, &save) : NULL;
    for (; word && *word != '#'; word = strtok_r(NULL, BLANKS, &save)) {
        char *value = strchr(word, '=');

        if (value && value > word) {
            *value++ = '\0';
            take(o, BND_SOURCE_STRING, word, value);
        } else {
            add_error_nocopy(o, xasprintf("bonding: \"%s\" is not of the form "
                                          "NAME=VALUE", word));
        }
    }
    free(copy);
}

void
bnd_overlay_member(struct bnd_overlay *o, const char *name)
{
    bnd_members_add(&o->members, name);
}

void
bnd_overlay_member_key(struct bnd_overlay *o, const char *name,
                       const char *option, const char *text)
{
    struct bnd_msettings *m = bnd_members_add(&o->members, name);
    char *error = bnd_msettings_parse(m, option, text);
    enum bnd_mopt opt;

    if (error && bnd_mopt_from_name(option, &opt)) {
        bnd_overlay_member_error(o, m, opt, error);
    } else if (error) {
        bnd_overlay_error(o, "member %s: %s", name, error);
    }
    free(error);
}

void
bnd_overlay_member_error(struct bnd_overlay *o, struct bnd_msettings *m,
                         enum bnd_mopt opt, const char *message)
{
    bnd_overlay_error(o, "member %s: %s", m->name, message);
    keep_wrong(&m->values[opt].wrong, message);
}

void
bnd_overlay_set_num(struct bnd_overlay *o, enum bnd_opt opt,
                    long long int value)
{
    bnd_settings_set_num(&o->now[BND_SOURCE_KEY], opt, value);
}

void
bnd_overlay_set_str(struct bnd_overlay *o, enum bnd_opt opt, const char *value)
{
    bnd_settings_set_str(&o->now[BND_SOURCE_KEY], opt, value);
}

void
bnd_overlay_merge(const struct bnd_overlay *o, struct bnd_settings *s)
{
    for (int i = 0; i < BND_N_SOURCES; i++) {
        for (enum bnd_opt opt = 0; opt < BND_N_OPTS; opt++) {
            if (o->now[i].given[opt]) {
                bnd_settings_copy(s, &o->now[i], opt);
            }
        }
    }
}

bool
bnd_overlay_refuse(struct bnd_overlay *o, enum bnd_opt opt, const char *why)
{
    bool again = false;

    for (int i = BND_N_SOURCES - 1; i >= 0; i--) {
        again |= o->bad[i][opt];
        if (!o->now[i].given[opt]) {
            continue;
        }
        if (!again) {
            add_opt_error(o, opt, why);
        }
        if (o->fallen[i][opt]) {
            bnd_settings_unset(&o->now[i], opt);
        } else {
            fall_back(o, i, opt);
        }
        return true;
    }
    return false;
}

void
bnd_overlay_end(struct bnd_overlay *o)
{
    for (int i = 0; i < BND_N_SOURCES; i++) {
        for (enum bnd_opt opt = 0; opt < BND_N_OPTS; opt++) {
            if (!o->bad[i][opt]) {
                bnd_settings_copy(&o->good[i], &o->now[i], opt);
            }
        }
    }
    bnd_members_end(&o->members);
    if (o->n_errors > MAX_ERRORS) {
        ds_put_format(&o->errors, "and %d more\n", o->n_errors - MAX_ERRORS);
    }
}

const char *
bnd_overlay_errors(const struct bnd_overlay *o)
{
    return o->n_errors ? ds_cstr_ro(&o->errors) : NULL;
}

const char *
bnd_overlay_notes(const struct bnd_overlay *o)
{
    return o->notes.length ? ds_cstr_ro(&o->notes) : NULL;
}

bool
bnd_overlay_source(const struct bnd_overlay *o, enum bnd_opt opt,
                   enum bnd_source *source)
{
    for (int i = BND_N_SOURCES - 1; i >= 0; i--) {
        if (o->now[i].given[opt]) {
            *source = i;
            return true;
        }
    }
    return false;
}
