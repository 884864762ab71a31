/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "config/settings.h"

#include <stdlib.h>
#include <string.h>
#include "openvswitch/dynamic-string.h"
#include "util.h"

static const struct bnd_row opts[BND_N_OPTS] = {
#define BND_OPT(ENUM, NAME, TYPE, APPLY, DOC, ...) \
    [BND_OPT_##ENUM] = { .name = NAME, TYPE, .apply = BND_APPLY_##APPLY, \
                         .doc = DOC, __VA_ARGS__ },
#include "config/options.def"
#undef BND_OPT
};

const struct bnd_row *
bnd_opt_row(enum bnd_opt opt)
{
    ovs_assert(opt < BND_N_OPTS);
    return &opts[opt];
}

const char *
bnd_opt_name(enum bnd_opt opt)
{
    return bnd_opt_row(opt)->name;
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
    ovs_assert(!bnd_row_is_text(&opts[opt]));
    return s->given[opt] ? s->num[opt] : opts[opt].def;
}

long long int
bnd_settings_ticks(const struct bnd_settings *s, enum bnd_opt opt)
{
    long long int miimon = bnd_settings_num(s, BND_OPT_MIIMON);
    long long int delay = bnd_settings_num(s, opt);

    return miimon ? delay - delay % miimon : delay;
}

bool
bnd_opt_is_delay(enum bnd_opt opt)
{
    return (opt == BND_OPT_UPDELAY || opt == BND_OPT_DOWNDELAY
            || opt == BND_OPT_PEER_NOTIF_DELAY);
}

bool
bnd_settings_mac(const struct bnd_settings *s, enum bnd_opt opt,
                 struct eth_addr *mac)
{
    return s->str[opt] && bnd_parse_mac(s->str[opt], mac);
}

const char *
bnd_settings_str(const struct bnd_settings *s, enum bnd_opt opt)
{
    ovs_assert(bnd_row_is_text(&opts[opt]));
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
    ovs_assert(!bnd_row_is_text(&opts[opt]));
    s->given[opt] = true;
    s->num[opt] = value;
}

void
bnd_settings_set_str(struct bnd_settings *s, enum bnd_opt opt,
                     const char *value)
{
    ovs_assert(bnd_row_is_text(&opts[opt]));
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
        if (bnd_row_is_called(&opts[i], name)) {
            *opt = i;
            return true;
        }
    }
    return false;
}

/* Do 'a' and 'b' differ by one letter that is too many, missing, wrong or
 * swapped with its neighbour? */
static bool
is_slip(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    return (bnd_opt_name_equal(a, b + !!*b)
            || bnd_opt_name_equal(a + !!*a, b)
            || bnd_opt_name_equal(a + !!*a, b + !!*b)
            || (*a && a[1] && a[0] == b[1] && a[1] == b[0]
                && bnd_opt_name_equal(a + 2, b + 2)));
}

const char *
bnd_opt_closest(const char *name)
{
    char *spelt = xstrdup(name);
    const char *close = NULL;

    for (char *p = spelt; *p; p++) {
        *p = *p == '_' ? '-' : *p;
    }
    for (enum bnd_opt i = 0; i < BND_N_OPTS && !close; i++) {
        if (is_slip(spelt, opts[i].name)) {
            close = opts[i].name;
        }
    }
    free(spelt);
    return close;
}

char *
bnd_settings_parse(struct bnd_settings *s, const char *name, const char *text)
{
    struct bnd_value value;
    enum bnd_opt opt;

    if (!bnd_opt_from_name(name, &opt)) {
        return xasprintf("%s: unknown option", name);
    }

    char *error = bnd_row_parse(&opts[opt], text, &value);
    if (!error) {
        free(s->str[opt]);
        s->given[opt] = true;
        s->num[opt] = value.num;
        s->str[opt] = value.str;
    }
    return error;
}

void
bnd_settings_put_value(const struct bnd_settings *s, enum bnd_opt opt,
                       struct ds *ds)
{
    const struct bnd_row *row = &opts[opt];

    if (!bnd_row_is_text(row)) {
        bnd_row_format(row, bnd_settings_num(s, opt), NULL, ds);
    } else if (s->str[opt]) {
        bnd_row_format(row, 0, s->str[opt], ds);
    }
}

void
bnd_settings_show(const struct bnd_settings *s, enum bnd_opt opt,
                  struct ds *ds)
{
    const struct bnd_row *row = &opts[opt];

    if (bnd_row_is_text(row)) {
        bnd_row_show(row, 0, s->str[opt], ds);
    } else {
        bnd_row_show(row, (bnd_opt_is_delay(opt) ? bnd_settings_ticks(s, opt)
                           : bnd_settings_num(s, opt)), NULL, ds);
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
        bool same = (bnd_row_is_text(&opts[i])
                     ? nullable_string_is_equal(a->str[i], b->str[i])
                     : bnd_settings_num(a, i) == bnd_settings_num(b, i));
        if (!same && opts[i].apply > worst) {
            worst = opts[i].apply;
        }
    }
    return worst;
}
