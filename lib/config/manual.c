/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "config/manual.h"

#include <string.h>
#include "config/members.h"
#include "config/settings.h"
#include "openvswitch/dynamic-string.h"
#include "util.h"

/* Lines are no longer than this. */
#define WIDTH 76

void
bnd_manual_default(const struct bnd_row *row, struct ds *ds)
{
    if (row->unset) {
        ds_put_cstr(ds, row->unset);
    } else if (bnd_row_is_text(row)) {
        ds_put_cstr(ds, "none");
    } else {
        bnd_row_format(row, row->def, NULL, ds);
    }
}

/* Appends the choices of 'row' with their numbers. */
static void
put_choices(const struct bnd_row *row, struct ds *ds)
{
    const char *p = row->choices;

    for (int i = 0; ; i++) {
        size_t n = strcspn(p, "|");

        ds_put_cstr(ds, i ? ", " : "");
        ds_put_buffer(ds, p, n);
        if (i < row->n_numbered) {
            ds_put_format(ds, " (%d)", i);
        }
        if (!p[n]) {
            break;
        }
        p += n + 1;
    }
    if (row->words & BND_W_DEF) {
        ds_put_cstr(ds, ", or default");
    }
}

void
bnd_manual_values(const struct bnd_row *row, struct ds *ds)
{
    if (row->type == BND_ROW_ENUM) {
        put_choices(row, ds);
    } else {
        bnd_row_allowed(row, ds);
    }
    if (row->unit) {
        ds_put_format(ds, "; unit: %s", row->unit);
    }
}

void
bnd_manual_rest(const struct bnd_row *row, struct ds *ds)
{
    unsigned int modes = bnd_row_modes(row);
    unsigned int effect = bnd_row_effect(row);
    size_t start = ds->length;

    if (modes != BND_IN_ALL) {
        ds_put_cstr(ds, "Only in ");
        bnd_modes_format(modes, ds);
        if (row->combined) {
            ds_put_cstr(ds, "; with monitor-combine also in ");
            bnd_modes_format(row->combined, ds);
        }
        ds_put_cstr(ds, ".  ");
    }
    if (effect != modes) {
        ds_put_cstr(ds, "Of effect in ");
        bnd_modes_format(effect, ds);
        ds_put_cstr(ds, ".  ");
    }
    if (row->aliases) {
        ds_put_format(ds, "Also called %s.  ", row->aliases);
    }
    if (row->column) {
        ds_put_format(ds, "Comes before the column %s.  ", row->column);
    }
    if (row->later) {
        ds_put_cstr(ds, "Not supported yet.  ");
    }
    if (ds->length > start) {
        ds_truncate(ds, ds->length - 2);
    }
}

static void
list_row(const char *where, const struct bnd_row *row, struct ds *ds)
{
    struct ds def = DS_EMPTY_INITIALIZER;

    bnd_manual_default(row, &def);
    ds_put_format(ds, "%s%s%s: ", where, row->name,
                  row->later ? " (not supported yet)" : "");
    bnd_manual_values(row, ds);
    ds_put_format(ds, "; default %s\n", ds_cstr(&def));
    ds_destroy(&def);
}

void
bnd_manual_list(struct ds *ds)
{
    for (enum bnd_opt opt = 0; opt < BND_N_OPTS; opt++) {
        list_row("", bnd_opt_row(opt), ds);
    }
    for (enum bnd_mopt opt = 0; opt < BND_N_MOPTS; opt++) {
        list_row("member ", bnd_mopt_row(opt), ds);
    }
}

/* Appends 'text' in lines that begin with two blanks. */
static void
put_wrapped(const char *text, struct ds *ds)
{
    size_t column = 0;

    for (const char *p = text; *p; ) {
        size_t gap = strspn(p, " ");
        size_t len = strcspn(p + gap, " ");

        if (!column || column + gap + len > WIDTH) {
            ds_put_cstr(ds, column ? "\n  " : "  ");
            column = 2;
        } else {
            ds_put_buffer(ds, p, gap);
            column += gap;
        }
        ds_put_buffer(ds, p + gap, len);
        column += len;
        p += gap + len;
    }
    if (column) {
        ds_put_char(ds, '\n');
    }
}

static void
describe(const struct bnd_row *row, const char *table, struct ds *ds)
{
    struct ds line = DS_EMPTY_INITIALIZER;

    ds_put_format(ds, "%s%s%s\n", row->name, row->aliases ? ", " : "",
                  row->aliases ? row->aliases : "");
    put_wrapped(row->doc, ds);

    ds_put_cstr(&line, "Takes ");
    bnd_manual_values(row, &line);
    ds_put_cstr(&line, ".  Default: ");
    bnd_manual_default(row, &line);
    ds_put_cstr(&line, ".  ");
    bnd_manual_rest(row, &line);
    put_wrapped(ds_cstr(&line), ds);

    ds_clear(&line);
    if (row->ovs_key) {
        ds_put_format(&line, "%s.other_config:%s", table, row->ovs_key);
    } else {
        ds_put_format(&line, "%s.other_config:bond-%s", table, row->name);
    }
    put_wrapped(ds_cstr(&line), ds);
    ds_destroy(&line);
}

bool
bnd_manual_option(const char *name, struct ds *ds)
{
    enum bnd_mopt mopt;
    enum bnd_opt opt;

    if (bnd_opt_from_name(name, &opt)) {
        describe(bnd_opt_row(opt), "Port", ds);
    } else if (bnd_mopt_from_name(name, &mopt)) {
        describe(bnd_mopt_row(mopt), "Interface", ds);
    } else {
        return false;
    }
    return true;
}
