/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/ob-options.h"

#include <stdlib.h>
#include <string.h>
#include "config/manual.h"
#include "ofproto-bond/owner.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "util.h"

/* Returns where the value of 'opt' comes from. */
static const char *
option_source(const struct ob_owner *o, enum bnd_opt opt)
{
    enum bnd_source source;

    if (!bnd_settings_is_given(&o->settings, opt)) {
        return "default";
    }
    if (!bnd_overlay_source(&o->overlay, opt, &source)) {
        return "column";
    }
    return source == BND_SOURCE_KEY ? "key" : "string";
}

static void
format_option(const struct ob_owner *o, enum bnd_opt opt, struct ds *ds)
{
    const struct bnd_row *row = bnd_opt_row(opt);
    const char *source = option_source(o, opt);
    bool given = bnd_settings_is_given(&o->settings, opt);
    bool is_none = bnd_row_is_text(row) && !(o->settings.str[opt]
                                             && *o->settings.str[opt]);

    ds_put_format(ds, "%s: ", row->name);
    if (is_none || (!given && row->unset)) {
        bnd_manual_default(row, ds);
    } else {
        bnd_settings_show(&o->settings, opt, ds);
        ds_put_format(ds, "%s%s", row->unit ? " " : "",
                      row->unit ? row->unit : "");
    }
    if (row->later) {
        source = "not supported yet";
    }
    ds_put_format(ds, " (%s%s%s)\n", source,
                  !strcmp(source, "column") && row->column ? " " : "",
                  !strcmp(source, "column") && row->column ? row->column : "");
    if (o->overlay.wrong[opt]) {
        ds_put_format(ds, "  refused: %s\n", o->overlay.wrong[opt]);
    }
}

static void
format_member(const struct bnd_msettings *m, struct ds *ds)
{
    for (enum bnd_mopt opt = 0; opt < BND_N_MOPTS; opt++) {
        const struct bnd_row *row = bnd_mopt_row(opt);
        const struct bnd_mvalue *v = &m->values[opt];

        ds_put_format(ds, "member %s %s: ", m->name, row->name);
        bnd_row_show(row, bnd_msettings_num(m, opt), NULL, ds);
        ds_put_format(ds, " (%s)\n", (row->later ? "not supported yet"
                                      : v->given ? "key" : "default"));
        if (v->wrong) {
            ds_put_format(ds, "  refused: %s\n", v->wrong);
        }
    }
}

void
ob_options_format(const struct ob_owner *o, struct ds *ds)
{
    ds_put_format(ds, "---- %s ----\n", o->name);
    for (enum bnd_opt opt = 0; opt < BND_N_OPTS; opt++) {
        format_option(o, opt, ds);
    }
    for (size_t i = 0; i < o->overlay.members.n; i++) {
        format_member(&o->overlay.members.members[i], ds);
    }
}

/* JSON. */

static struct json *
value_to_json(const struct bnd_row *row, long long int num, const char *str)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    if (row->type == BND_ROW_INT) {
        return json_integer_create(num);
    }
    if (row->type == BND_ROW_BOOL) {
        return json_boolean_create(num);
    }
    if (bnd_row_is_text(row) && !(str && *str)) {
        return json_null_create();
    }
    bnd_row_format(row, num, str, &ds);
    return json_string_create_nocopy(ds_steal_cstr(&ds));
}

static struct json *
option_to_json(const struct bnd_row *row, long long int num, const char *str,
               const char *source)
{
    struct json *json = json_object_create();

    if (row->unset && !strcmp(source, "default")) {
        json_object_put(json, "value", json_null_create());
        json_object_put_string(json, "unset", row->unset);
    } else {
        json_object_put(json, "value", value_to_json(row, num, str));
        if (row->type == BND_ROW_ENUM && num < row->n_numbered) {
            json_object_put(json, "number", json_integer_create(num));
        }
    }
    json_object_put_string(json, "source", source);
    if (row->later) {
        json_object_put(json, "later", json_boolean_create(true));
    }
    return json;
}

/* Puts 'value' into 'object' under the 'len' bytes of 'name', spelt as Linux
 * does. */
static void
put_named(struct json *object, const char *name, size_t len,
          const struct json *value)
{
    char *key = xmemdup0(name, len);

    for (char *c = key; *c; c++) {
        *c = *c == '-' ? '_' : *c;
    }
    json_object_put(object, key, json_clone(value));
    free(key);
}

/* Puts 'value' into 'object' under each name of 'row', and takes it over. */
static void
put_option(struct json *object, const struct bnd_row *row, struct json *value)
{
    put_named(object, row->name, strlen(row->name), value);
    for (const char *p = row->aliases; p && *p; ) {
        size_t len = strcspn(p, "|");

        put_named(object, p, len, value);
        p += len + (p[len] == '|');
    }
    json_destroy(value);
}

struct json *
ob_options_to_json(const struct ob_owner *o)
{
    const struct bnd_settings *s = &o->settings;
    struct json *options = json_object_create();

    for (enum bnd_opt opt = 0; opt < BND_N_OPTS; opt++) {
        const struct bnd_row *row = bnd_opt_row(opt);
        bool is_text = bnd_row_is_text(row);
        long long int num = (is_text ? 0
                             : bnd_opt_is_delay(opt)
                             ? bnd_settings_ticks(s, opt)
                             : bnd_settings_num(s, opt));
        struct json *json
            = option_to_json(row, num, is_text ? s->str[opt] : NULL,
                             option_source(o, opt));

        if (o->overlay.wrong[opt]) {
            json_object_put_string(json, "error", o->overlay.wrong[opt]);
        }
        put_option(options, row, json);
    }
    return options;
}

struct json *
ob_member_options_to_json(const struct ob_owner *o, const char *member)
{
    const struct bnd_msettings *m = bnd_members_find(&o->overlay.members,
                                                     member);
    if (!m) {
        return NULL;
    }

    struct json *options = json_object_create();
    for (enum bnd_mopt opt = 0; opt < BND_N_MOPTS; opt++) {
        const struct bnd_row *row = bnd_mopt_row(opt);
        struct json *json
            = option_to_json(row, bnd_msettings_num(m, opt), NULL,
                             m->values[opt].given ? "key" : "default");

        if (m->values[opt].wrong) {
            json_object_put_string(json, "error", m->values[opt].wrong);
        }
        put_option(options, row, json);
    }
    return options;
}
