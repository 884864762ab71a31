/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/ob-options.h"

#include <string.h>
#include "config/manual.h"
#include "ofproto-bond/owner.h"
#include "openvswitch/dynamic-string.h"
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

    ds_put_format(ds, "%s: ", row->name);
    if (!given && (row->unset || bnd_row_is_text(row))) {
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
        ds_put_format(ds, " (%s%s)\n", (row->later ? "not supported yet"
                                        : v->given ? "key" : "default"),
                      v->bad ? ", another was refused" : "");
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
