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

struct linux_row {
    const char *name;
    bool later;                 /* Else taken if it is in this range. */
    long long int min, max;
};

static const struct linux_row linux_rows[] = {
#define BND_LINUX_LATER(NAME) { NAME, true, 0, 0 },
#define BND_LINUX_TAKEN(NAME, MIN, MAX, WHY) { NAME, false, MIN, MAX },
#include "config/linux-options.def"
#undef BND_LINUX_LATER
#undef BND_LINUX_TAKEN
};

void
bnd_overlay_init(struct bnd_overlay *o)
{
    memset(o, 0, sizeof *o);
    ds_init(&o->errors);
}

void
bnd_overlay_uninit(struct bnd_overlay *o)
{
    for (int i = 0; i < BND_N_SOURCES; i++) {
        bnd_settings_uninit(&o->good[i]);
        bnd_settings_uninit(&o->now[i]);
    }
    bnd_members_uninit(&o->members);
    ds_destroy(&o->errors);
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
    ds_clear(&o->errors);
    o->n_errors = 0;
}

static void
add_error(struct bnd_overlay *o, const char *message)
{
    if (o->n_errors++ >= MAX_ERRORS) {
        return;
    }
    for (const char *p = message; *p; p++) {
        unsigned char c = *p;

        ds_put_char(&o->errors, c < ' ' || c == 0x7f ? '?' : c);
    }
    ds_put_char(&o->errors, '\n');
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

/* Lets the last good value of 'opt' from 'source' serve. */
static void
fall_back(struct bnd_overlay *o, enum bnd_source source, enum bnd_opt opt)
{
    o->bad[source][opt] = true;
    o->fallen[source][opt] = true;
    bnd_settings_copy(&o->now[source], &o->good[source], opt);
}

/* Returns what is wrong with 'text' as the value of the driver's option
 * 'name', which has no row among ours, or null. */
static char *
check_linux(const char *name, const char *text)
{
    for (size_t i = 0; i < ARRAY_SIZE(linux_rows); i++) {
        const struct linux_row *row = &linux_rows[i];
        long long int value;

        if (!bnd_opt_name_equal(row->name, name)) {
            continue;
        }
        if (row->later) {
            return xasprintf("%s: \"%s\": this option is not supported yet",
                             row->name, text);
        }
        if (!bnd_parse_number(text, row->min, row->max, &value)) {
            return xasprintf("%s: \"%s\" is not a whole number from %lld to "
                             "%lld", row->name, text, row->min, row->max);
        }
        return NULL;
    }
    return xasprintf("%s: \"%s\": there is no such option", name, text);
}

/* Takes 'name' = 'text' from 'source'. */
static void
take(struct bnd_overlay *o, enum bnd_source source, const char *name,
     const char *text)
{
    enum bnd_opt opt;

    if (!bnd_opt_from_name(name, &opt)) {
        char *error = check_linux(name, text);

        if (error) {
            add_error_nocopy(o, error);
        }
        return;
    }

    char *error = bnd_settings_parse(&o->now[source], name, text);
    if (!error) {
        o->bad[source][opt] = o->fallen[source][opt] = false;
        return;
    }
    add_error_nocopy(o, error);
    fall_back(o, source, opt);
}

void
bnd_overlay_key(struct bnd_overlay *o, const char *name, const char *text)
{
    enum bnd_opt opt;

    if (bnd_opt_from_name(name, &opt)
        && (o->now[BND_SOURCE_KEY].given[opt]
            || o->bad[BND_SOURCE_KEY][opt])) {
        add_error_nocopy(o, xasprintf("%s: \"%s\": the option has another "
                                      "key already, which counts",
                                      name, text));
        return;
    }
    take(o, BND_SOURCE_KEY, name, text);
}

void
bnd_overlay_string(struct bnd_overlay *o, const char *text)
{
    char *copy = xstrdup(text);
    char *save = NULL;
    char *word = strtok_r(copy, BLANKS, &save);

    if (word && !strcmp(word, "options")) {
        strtok_r(NULL, BLANKS, &save);
        word = strtok_r(NULL, BLANKS, &save);
    }
    for (; word; word = strtok_r(NULL, BLANKS, &save)) {
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

    if (error) {
        bnd_overlay_error(o, "member %s: %s", name, error);
        free(error);
    }
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
            add_error(o, why);
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
