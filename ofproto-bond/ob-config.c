/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/ob-config.h"

#include <stdlib.h>
#include <string.h>
#include "ofproto-bond/event-log.h"
#include "ofproto-bond/owner.h"
#include "policy/check.h"
#include "util.h"

static ob_config_source *source;

void
ob_config_set_source(ob_config_source *source_)
{
    source = source_;
}

/* Is one of the lines of 'lines', which may be null, 'line' of 'len' bytes? */
static bool
has_line(const char *lines, const char *line, size_t len)
{
    for (const char *p = lines; p && *p; p += strcspn(p, "\n") + 1) {
        if (strcspn(p, "\n") == len && !memcmp(p, line, len)) {
            return true;
        }
    }
    return false;
}

/* Makes 'errors', which may be null, those of 'o'. */
static void
keep_errors(struct ob_owner *o, const char *errors)
{
    char *old = o->config_errors;

    if (nullable_string_is_equal(old, errors)) {
        return;
    }
    for (const char *p = errors; p && *p; p += strcspn(p, "\n") + 1) {
        if (!has_line(old, p, strcspn(p, "\n"))) {
            char *line = xmemdup0(p, strcspn(p, "\n"));
            ob_log_config_error(o->name, line);
            free(line);
        }
    }
    o->config_errors = nullable_xstrdup(errors);
    free(old);
    ob_owner_status_changed(o);
}

void
ob_config_overlay(struct ob_owner *o, struct bnd_settings *s)
{
    struct bnd_settings merged;
    enum bnd_opt opt;
    bool lacp = false;
    bool again;

    if (!source) {
        return;
    }
    bnd_overlay_begin(&o->overlay);
    if (!source(o->name, &o->overlay, s, &lacp)) {
        return;
    }

    do {
        bnd_settings_clone(&merged, s);
        bnd_overlay_merge(&o->overlay, &merged);

        char *why = bnd_policy_check(&merged, lacp, &opt);
        again = why && bnd_overlay_refuse(&o->overlay, opt, why);
        free(why);
        if (again) {
            bnd_settings_uninit(&merged);
        }
    } while (again);
    bnd_overlay_end(&o->overlay);

    if (!bnd_policy_heeds_primary(&merged)) {
        bnd_settings_unset(&merged, BND_OPT_PRIMARY);
    }
    bnd_settings_uninit(s);
    *s = merged;
    keep_errors(o, bnd_overlay_errors(&o->overlay));
}
