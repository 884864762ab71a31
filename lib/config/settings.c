/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "config/settings.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "openvswitch/dynamic-string.h"
#include "util.h"

enum opt_type {
    OPT_INT,
    OPT_BOOL,
    OPT_ENUM,
    OPT_STR
};

struct opt_row {
    const char *name;
    enum opt_type type;
    long long int min, max;     /* OPT_INT only. */
    const char *choices;        /* OPT_ENUM only: "a|b|c"... */
    int n_numbered;             /* ...so many of which have numbers. */
    long long int def;          /* Not for OPT_STR. */
    enum bnd_apply apply;
    const char *doc;
};

static const struct opt_row opts[BND_N_OPTS] = {
#define BND_OPT_INT(ENUM, NAME, MIN, MAX, DEF, APPLY, DOC) \
    [BND_OPT_##ENUM] = { NAME, OPT_INT, MIN, MAX, NULL, 0, DEF, \
                         BND_APPLY_##APPLY, DOC },
#define BND_OPT_BOOL(ENUM, NAME, DEF, APPLY, DOC) \
    [BND_OPT_##ENUM] = { NAME, OPT_BOOL, 0, 1, NULL, 0, DEF, \
                         BND_APPLY_##APPLY, DOC },
#define BND_OPT_ENUM(ENUM, NAME, CHOICES, N, DEF, APPLY, DOC) \
    [BND_OPT_##ENUM] = { NAME, OPT_ENUM, 0, 0, CHOICES, N, DEF, \
                         BND_APPLY_##APPLY, DOC },
#define BND_OPT_STR(ENUM, NAME, APPLY, DOC) \
    [BND_OPT_##ENUM] = { NAME, OPT_STR, 0, 0, NULL, 0, 0, \
                         BND_APPLY_##APPLY, DOC },
#include "config/options.def"
#undef BND_OPT_INT
#undef BND_OPT_BOOL
#undef BND_OPT_ENUM
#undef BND_OPT_STR
};

/* Other names of options. */
static const struct {
    const char *name;
    enum bnd_opt opt;
} aliases[] = {
    { "all-slaves-active", BND_OPT_ALL_ACTIVE },
    { "lb-output-action", BND_OPT_LB_OUTPUT },
    { "num-unsol-na", BND_OPT_NUM_PEER_NOTIF },
};

const char *
bnd_opt_name(enum bnd_opt opt)
{
    ovs_assert(opt < BND_N_OPTS);
    return opts[opt].name;
}

bool
bnd_opt_is_text(enum bnd_opt opt)
{
    return opts[opt].type == OPT_STR;
}

const char *
bnd_opt_doc(enum bnd_opt opt)
{
    ovs_assert(opt < BND_N_OPTS);
    return opts[opt].doc;
}

void
bnd_settings_init(struct bnd_settings *s)
{
    memset(s, 0, sizeof *s);
}

void
bnd_settings_uninit(struct bnd_settings *s)
{
    for (enum bnd_opt i = 0; i < BND_N_OPTS; i++) {
        free(s->str[i]);
    }
    bnd_settings_init(s);
}

void
bnd_settings_clone(struct bnd_settings *dst, const struct bnd_settings *src)
{
    *dst = *src;
    for (enum bnd_opt i = 0; i < BND_N_OPTS; i++) {
        dst->str[i] = nullable_xstrdup(src->str[i]);
    }
}

long long int
bnd_settings_num(const struct bnd_settings *s, enum bnd_opt opt)
{
    ovs_assert(opts[opt].type != OPT_STR);
    return s->given[opt] ? s->num[opt] : opts[opt].def;
}

long long int
bnd_settings_ticks(const struct bnd_settings *s, enum bnd_opt opt)
{
    long long int miimon = bnd_settings_num(s, BND_OPT_MIIMON);
    long long int delay = bnd_settings_num(s, opt);

    return miimon ? delay - delay % miimon : delay;
}

const char *
bnd_settings_str(const struct bnd_settings *s, enum bnd_opt opt)
{
    ovs_assert(opts[opt].type == OPT_STR);
    return s->str[opt];
}

bool
bnd_settings_is_given(const struct bnd_settings *s, enum bnd_opt opt)
{
    return s->given[opt];
}

enum bnd_mode
bnd_settings_mode(const struct bnd_settings *s)
{
    return bnd_settings_num(s, BND_OPT_MODE);
}

void
bnd_settings_set_num(struct bnd_settings *s, enum bnd_opt opt,
                     long long int value)
{
    ovs_assert(opts[opt].type != OPT_STR);
    s->given[opt] = true;
    s->num[opt] = value;
}

void
bnd_settings_set_str(struct bnd_settings *s, enum bnd_opt opt,
                     const char *value)
{
    ovs_assert(opts[opt].type == OPT_STR);
    char *copy = xstrdup(value);
    free(s->str[opt]);
    s->given[opt] = true;
    s->str[opt] = copy;
}

void
bnd_settings_unset(struct bnd_settings *s, enum bnd_opt opt)
{
    free(s->str[opt]);
    s->str[opt] = NULL;
    s->given[opt] = false;
    s->num[opt] = 0;
}

void
bnd_settings_copy(struct bnd_settings *dst, const struct bnd_settings *src,
                  enum bnd_opt opt)
{
    char *str = nullable_xstrdup(src->str[opt]);

    free(dst->str[opt]);
    dst->given[opt] = src->given[opt];
    dst->num[opt] = src->num[opt];
    dst->str[opt] = str;
}

bool
bnd_opt_from_name(const char *name, enum bnd_opt *opt)
{
    for (enum bnd_opt i = 0; i < BND_N_OPTS; i++) {
        if (bnd_opt_name_equal(opts[i].name, name)) {
            *opt = i;
            return true;
        }
    }
    for (size_t i = 0; i < ARRAY_SIZE(aliases); i++) {
        if (bnd_opt_name_equal(aliases[i].name, name)) {
            *opt = aliases[i].opt;
            return true;
        }
    }
    return false;
}

/* Returns the number of 'text' among 'choices', or -1. */
static int
choice_index(const char *choices, const char *text)
{
    size_t len = strlen(text);

    for (int i = 0; ; i++) {
        size_t n = strcspn(choices, "|");
        if (n == len && !memcmp(choices, text, n)) {
            return i;
        }
        if (!choices[n]) {
            return -1;
        }
        choices += n + 1;
    }
}

/* Appends the 'i'th of 'choices' to 'ds'. */
static void
format_choice(const char *choices, long long int i, struct ds *ds)
{
    while (i-- > 0) {
        choices += strcspn(choices, "|") + 1;
    }
    ds_put_buffer(ds, choices, strcspn(choices, "|"));
}

bool
bnd_parse_number(const char *text, long long int min, long long int max,
                 long long int *value)
{
    char *end;

    if (*text != '-' && !isdigit((unsigned char) *text)) {
        return false;
    }
    errno = 0;
    *value = strtoll(text, &end, 10);
    return (end != text && !*end && !errno
            && *value >= min && *value <= max);
}

char *
bnd_settings_parse(struct bnd_settings *s, const char *name, const char *text)
{
    long long int value;
    enum bnd_opt opt;
    int bit;

    if (!bnd_opt_from_name(name, &opt)) {
        return xasprintf("%s: unknown option", name);
    }

    const struct opt_row *row = &opts[opt];
    switch (row->type) {
    case OPT_INT:
        if (!bnd_parse_number(text, row->min, row->max, &value)) {
            return xasprintf("%s: \"%s\" is not a whole number from %lld to "
                             "%lld", row->name, text, row->min, row->max);
        }
        bnd_settings_set_num(s, opt, value);
        return NULL;

    case OPT_BOOL:
        bit = choice_index("false|true|off|on|0|1", text);
        if (bit < 0) {
            return xasprintf("%s: \"%s\" is neither true (on, 1) nor false "
                             "(off, 0)", row->name, text);
        }
        bnd_settings_set_num(s, opt, bit % 2);
        return NULL;

    case OPT_ENUM:
        bit = choice_index(row->choices, text);
        if (bit < 0
            && bnd_parse_number(text, 0, row->n_numbered - 1, &value)) {
            bit = value;
        }
        if (bit < 0) {
            return xasprintf("%s: \"%s\" is not one of %s",
                             row->name, text, row->choices);
        }
        bnd_settings_set_num(s, opt, bit);
        return NULL;

    case OPT_STR:
        if (!*text) {
            return xasprintf("%s: an empty value is not allowed", row->name);
        }
        bnd_settings_set_str(s, opt, text);
        return NULL;

    default:
        OVS_NOT_REACHED();
    }
}

void
bnd_settings_put_value(const struct bnd_settings *s, enum bnd_opt opt,
                       struct ds *ds)
{
    const struct opt_row *row = &opts[opt];

    switch (row->type) {
    case OPT_INT:
        ds_put_format(ds, "%lld", bnd_settings_num(s, opt));
        break;
    case OPT_BOOL:
        format_choice("false|true", bnd_settings_num(s, opt), ds);
        break;
    case OPT_ENUM:
        format_choice(row->choices, bnd_settings_num(s, opt), ds);
        break;
    case OPT_STR:
        if (s->str[opt]) {
            ds_put_cstr(ds, s->str[opt]);
        }
        break;
    default:
        OVS_NOT_REACHED();
    }
}

void
bnd_settings_format(const struct bnd_settings *s, struct ds *ds)
{
    size_t start = ds->length;

    for (enum bnd_opt i = 0; i < BND_N_OPTS; i++) {
        if (s->given[i]) {
            if (ds->length > start) {
                ds_put_char(ds, ' ');
            }
            ds_put_format(ds, "%s=", opts[i].name);
            bnd_settings_put_value(s, i, ds);
        }
    }
}

enum bnd_apply
bnd_settings_diff(const struct bnd_settings *a, const struct bnd_settings *b)
{
    enum bnd_apply worst = BND_APPLY_NONE;

    for (enum bnd_opt i = 0; i < BND_N_OPTS; i++) {
        bool same = (opts[i].type == OPT_STR
                     ? nullable_string_is_equal(a->str[i], b->str[i])
                     : bnd_settings_num(a, i) == bnd_settings_num(b, i));
        if (!same && opts[i].apply > worst) {
            worst = opts[i].apply;
        }
    }
    return worst;
}
