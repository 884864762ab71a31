/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/ob-config.h"

#include <stdlib.h>
#include <string.h>
#include "ofproto-bond/event-log.h"
#include "ofproto-bond/owner.h"
#include "policy/check.h"
#include "policy/policy.h"
#include "util.h"

static ob_config_source *source;

void
ob_config_set_source(ob_config_source *source_)
{
    source = source_;
}

static ob_config_lacp_source *lacp_source;
static ob_config_lacp_member_source *lacp_member_source;

void
ob_config_set_lacp_sources(ob_config_lacp_source *lacp_source_,
                           ob_config_lacp_member_source *member_source)
{
    lacp_source = lacp_source_;
    lacp_member_source = member_source;
}

/* Is LACP that of Linux in the mode of 's'? */
static bool
is_standard(const struct bnd_settings *s)
{
    return (bnd_policy_get(bnd_settings_mode(s))->traits
            & BND_MT_AGGREGATORS) != 0;
}

/* Does the mode of the bond called 'name' need LACP, with 'base_' or null as
 * for ob_config_needs_lacp(), and 'overlay', which knows what was right
 * before? */
static bool
needs_lacp(const char *name, struct bnd_overlay *overlay,
           const struct bnd_settings *base_)
{
    struct bnd_settings base, merged;
    bool lacp = false, needs = false;

    if (base_) {
        bnd_settings_clone(&base, base_);
    } else {
        bnd_settings_init(&base);
    }
    bnd_overlay_begin(overlay);
    if (source(name, overlay, &base, &lacp)) {
        bnd_policy_settle(overlay, &base, lacp, &merged);
        needs = is_standard(&merged);
        bnd_settings_uninit(&merged);
    }
    bnd_settings_uninit(&base);
    return needs;
}

bool
ob_config_needs_lacp(const char *name, const struct bnd_settings *base,
                     struct ob_lacp_keys *keys)
{
    bool needs;

    memset(keys, 0, sizeof *keys);
    if (!source || !lacp_source || !lacp_source(name, keys)) {
        return false;
    }
    if (base) {
        needs = needs_lacp(name, &ob_owner_get(name)->overlay, base);
    } else if (!keys->any) {
        needs = false;          /* Of such ports there may be thousands. */
    } else {
        struct bnd_overlay overlay;

        bnd_overlay_init(&overlay);
        needs = needs_lacp(name, &overlay, NULL);
        bnd_overlay_uninit(&overlay);
    }
    return needs;
}

void
ob_config_lacp(struct ob_owner *o, struct bnd_lacp_config *config)
{
    struct bnd_settings base, merged;
    bool lacp = false;

    bnd_settings_init(&base);
    bnd_overlay_begin(&o->overlay);
    if (source && source(o->name, &o->overlay, &base, &lacp)) {
        bnd_policy_settle(&o->overlay, &base, lacp, &merged);
        bnd_lacp_overlay(&merged, config);
        bnd_settings_uninit(&merged);
    }
    bnd_settings_uninit(&base);
}

void
ob_config_lacp_member(const char *name, const char *member,
                      struct ob_lacp_member_keys *keys)
{
    memset(keys, 0, sizeof *keys);
    if (lacp_member_source) {
        lacp_member_source(name, member, keys);
    }
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

static void
keep_notes(struct ob_owner *o, const char *notes)
{
    if (!nullable_string_is_equal(o->config_notes, notes)) {
        free(o->config_notes);
        o->config_notes = nullable_xstrdup(notes);
        ob_owner_status_changed(o);
    }
}

void
ob_config_member(struct ob_owner *o, struct ob_member *m)
{
    const struct bnd_msettings *ms = bnd_members_find(&o->overlay.members,
                                                      m->name);
    struct bnd_event e = { .type = BND_EV_MEMBER_SET, .id = m->id };

    if (ms) {
        e.set = bnd_msettings_get(ms);
        if (e.set.prio != m->options.prio
            || e.set.queue_id != m->options.queue_id
            || e.set.admin != m->options.admin
            || e.set.actor_port_prio != m->options.actor_port_prio) {
            m->options = e.set;
            ob_owner_event(o, &e);
        }
    }
}

void
ob_config_overlay(struct ob_owner *o, struct bnd_settings *s)
{
    struct bnd_settings merged;
    bool lacp = false;

    if (!source) {
        return;
    }
    bnd_overlay_begin(&o->overlay);
    if (!source(o->name, &o->overlay, s, &lacp)) {
        return;
    }

    bnd_policy_settle(&o->overlay, s, lacp, &merged);
    for (size_t i = 0; i < o->n_members; i++) {
        ob_config_member(o, &o->members[i]);
    }

    /* What is shown back is what was given, of effect or not. */
    bnd_settings_uninit(&o->settings);
    bnd_settings_clone(&o->settings, &merged);
    if (!bnd_policy_heeds_primary(&merged)) {
        bnd_settings_unset(&merged, BND_OPT_PRIMARY);
    }
    bnd_settings_uninit(s);
    *s = merged;
    keep_errors(o, bnd_overlay_errors(&o->overlay));
    keep_notes(o, bnd_overlay_notes(&o->overlay));
}
