/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "vswitchd-ext/appctl.h"

#include <stdlib.h>
#include "bond/status-text.h"
#include "ofproto-bond/ob-options.h"
#include "ofproto-bond/owner.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "packets.h"
#include "policy/policy.h"
#include "timeval.h"
#include "unixctl.h"
#include "util.h"
#include "xmit/choose.h"

/* Which half of an owner a command is about. */
static bool
is_bond(const struct ob_owner *o)
{
    return o->bond != NULL;
}

static bool
is_lacp(const struct ob_owner *o)
{
    return o->lacp != NULL;
}

/* Commands that show. */

struct show {
    bool (*applies)(const struct ob_owner *);
    void (*format)(const char *name, const struct bnd_status *,
                   const struct bnd_status_extra *, struct ds *);
    struct ds ds;
};

static void
show_one(struct ob_owner *o, void *show_)
{
    struct show *show = show_;
    struct bnd_status_extra extra;
    struct bnd_status status;

    if (show->applies(o)) {
        ob_owner_get_status(o, &status, &extra);
        show->format(o->name, &status, &extra, &show->ds);
        bnd_status_uninit(&status);
    }
}

/* Replies with what 'show' formats for the port named by argument 1, or for
 * all ports if there is none; 'missing' is the error for an unknown one. */
static void
show_reply(struct unixctl_conn *conn, int argc, const char *argv[],
           struct show *show, const char *missing)
{
    if (argc > 1) {
        struct ob_owner *o = ob_owner_find(argv[1]);

        if (!o || !show->applies(o)) {
            unixctl_command_reply_error(conn, missing);
            ds_destroy(&show->ds);
            return;
        }
        show_one(o, show);
    } else {
        ob_owners_for_each(show_one, show);
    }
    unixctl_command_reply(conn, ds_cstr(&show->ds));
    ds_destroy(&show->ds);
}

static void
format_bond(const char *name, const struct bnd_status *status,
            const struct bnd_status_extra *extra, struct ds *ds)
{
    bnd_format_bond(name, status, extra, time_msec(), ds);
}

static void
format_lacp(const char *name, const struct bnd_status *status,
            const struct bnd_status_extra *extra OVS_UNUSED, struct ds *ds)
{
    bnd_format_lacp(name, status, ds);
}

static void
format_lacp_stats(const char *name, const struct bnd_status *status,
                  const struct bnd_status_extra *extra OVS_UNUSED,
                  struct ds *ds)
{
    bnd_format_lacp_stats(name, status, ds);
}

static void
cmd_bond_list(struct unixctl_conn *conn, int argc, const char *argv[],
              void *aux OVS_UNUSED)
{
    struct show show = { is_bond, bnd_format_bond_row, DS_EMPTY_INITIALIZER };

    ds_put_cstr(&show.ds, "bond\ttype\trecircID\tmembers\n");
    show_reply(conn, argc, argv, &show, "no such bond");
}

static void
cmd_bond_show(struct unixctl_conn *conn, int argc, const char *argv[],
              void *aux OVS_UNUSED)
{
    struct show show = { is_bond, format_bond, DS_EMPTY_INITIALIZER };

    show_reply(conn, argc, argv, &show, "no such bond");
}

static void
cmd_bond_buckets(struct unixctl_conn *conn, int argc, const char *argv[],
                 void *aux OVS_UNUSED)
{
    struct show show = { is_bond, bnd_format_buckets, DS_EMPTY_INITIALIZER };

    show_reply(conn, argc, argv, &show, "no such bond");
}

/* Replies that 'name' is no bond, and why if it was one. */
static void
reply_no_bond(struct unixctl_conn *conn, const char *name)
{
    const struct ob_owner *o = ob_owner_find(name);

    if (o && !o->bond && o->had_bond) {
        char *error = xasprintf("%s is not a bond just now, as it has fewer "
                                "than two members", name);

        unixctl_command_reply_error(conn, error);
        free(error);
    } else {
        unixctl_command_reply_error(conn, "no such bond");
    }
}

static void
cmd_bond_proc(struct unixctl_conn *conn, int argc, const char *argv[],
              void *aux OVS_UNUSED)
{
    struct show show = { is_bond, bnd_format_proc, DS_EMPTY_INITIALIZER };
    const struct ob_owner *o = ob_owner_find(argv[1]);

    if (o && is_bond(o)) {
        show_reply(conn, argc, argv, &show, "no such bond");
    } else {
        reply_no_bond(conn, argv[1]);
    }
}

static void
format_rlb(const char *name, const struct bnd_status *status,
           const struct bnd_status_extra *extra OVS_UNUSED, struct ds *ds)
{
    if (status->has_rlb) {
        bnd_format_rlb(name, status, time_msec(), ds);
    }
}

/* Replies that bond 'name' has no peers to tell of. */
static void
reply_no_rlb(struct unixctl_conn *conn, const char *name)
{
    char *error = xasprintf("%s does not balance what it receives, as only "
                            "balance-alb does", name);

    unixctl_command_reply_error(conn, error);
    free(error);
}

static void
cmd_bond_rlb(struct unixctl_conn *conn, int argc, const char *argv[],
             void *aux OVS_UNUSED)
{
    struct show show = { is_bond, format_rlb, DS_EMPTY_INITIALIZER };
    const struct ob_owner *o = argc > 1 ? ob_owner_find(argv[1]) : NULL;

    if (argc > 1 && !(o && is_bond(o))) {
        reply_no_bond(conn, argv[1]);
    } else if (o && !(bnd_policy_get(bnd_settings_mode(&o->settings))->traits
                      & BND_MT_HOST_ARP)) {
        reply_no_rlb(conn, argv[1]);
    } else {
        show_reply(conn, argc, argv, &show, "no such bond");
    }
}

/* Null if 'o' is no bond, now. */
static struct json *
make_json(struct ob_owner *o)
{
    struct bnd_status_extra extra;
    struct bnd_status status;
    struct json *json = NULL;

    if (is_bond(o)) {
        ob_owner_get_status(o, &status, &extra);

        struct json **members = xcalloc(status.n_members + 1,
                                        sizeof *members);
        for (size_t i = 0; i < status.n_members; i++) {
            members[i] = ob_member_options_to_json(o, status.members[i].name);
        }
        json = bnd_status_to_json(o->name, &status, &extra, time_msec(),
                                  ob_options_to_json(o), members);
        free(members);
        bnd_status_uninit(&status);
    }
    return json;
}

static void
add_json(struct ob_owner *o, void *array_)
{
    struct json *array = array_;
    struct json *json = make_json(o);

    if (json) {
        json_array_add(array, json);
    }
}

/* An object for the bond that is named, an array of objects for all. */
static void
cmd_bond_status(struct unixctl_conn *conn, int argc, const char *argv[],
                void *aux OVS_UNUSED)
{
    struct ds ds = DS_EMPTY_INITIALIZER;
    struct json *json;

    if (argc > 1) {
        struct ob_owner *o = ob_owner_find(argv[1]);

        json = o ? make_json(o) : NULL;
        if (!json) {
            reply_no_bond(conn, argv[1]);
            return;
        }
    } else {
        json = json_array_create_empty();
        ob_owners_for_each(add_json, json);
    }
    json_to_ds(json, JSSF_PRETTY | JSSF_SORT, &ds);
    ds_put_char(&ds, '\n');
    unixctl_command_reply(conn, ds_cstr(&ds));
    ds_destroy(&ds);
    json_destroy(json);
}

static void
cmd_lacp_show(struct unixctl_conn *conn, int argc, const char *argv[],
              void *aux OVS_UNUSED)
{
    struct show show = { is_lacp, format_lacp, DS_EMPTY_INITIALIZER };

    show_reply(conn, argc, argv, &show, "no such lacp object");
}

static void
cmd_lacp_show_stats(struct unixctl_conn *conn, int argc, const char *argv[],
                    void *aux OVS_UNUSED)
{
    struct show show = { is_lacp, format_lacp_stats, DS_EMPTY_INITIALIZER };

    show_reply(conn, argc, argv, &show, "no such lacp object");
}

/* Commands that change. */

/* Finds the bond and its member by name; replies with an error and returns
 * false if either is missing. */
static bool
find_member(struct unixctl_conn *conn, const char *bond, const char *member,
            struct ob_owner **o, struct ob_member **m)
{
    *o = ob_owner_find(bond);
    if (!*o || !is_bond(*o)) {
        unixctl_command_reply_error(conn, "no such bond");
        return false;
    }

    *m = ob_owner_member_by_name(*o, member);
    if (!*m || !(*m)->in_bond) {
        unixctl_command_reply_error(conn, "no such member");
        return false;
    }
    return true;
}

/* Is member 'm' enabled, is it the active one, and is there anything about its
 * link that stock Open vSwitch does not know? */
static void
member_state(struct ob_owner *o, const struct ob_member *m, bool *enabled,
             bool *active, bool *ours)
{
    struct bnd_status_extra extra;
    struct bnd_status status;

    *enabled = *active = *ours = false;
    ob_owner_get_brief(o, &status, &extra);
    for (size_t i = 0; i < status.n_members; i++) {
        const struct bnd_status_member *sm = &status.members[i];

        if (sm->id == m->id) {
            *enabled = sm->enabled;
            *active = sm->active;
            *ours = status.miimon || sm->options.admin != BND_ADMIN_UP;
        }
    }
    bnd_status_uninit(&status);
}

static bool
keeps_source_buckets(struct ob_owner *o)
{
    struct bnd_status_extra extra;
    struct bnd_status status;
    bool slb;

    ob_owner_get_status(o, &status, &extra);
    slb = status.buckets_by_source;
    bnd_status_uninit(&status);
    return slb;
}

/* Buckets may be written in C's ways, and also as a longer hash, of which the
 * low bits count. */
static bool
parse_bucket(const char *s, int *bucket)
{
    return (strspn(s, "0123456789") == strlen(s)
            && str_to_int(s, 10, bucket));
}

static void
apply(struct ob_owner *o, const struct bnd_event *e)
{
    ob_owner_event(o, e);
    ob_owner_pass(o, false);
}

static void
cmd_bond_migrate(struct unixctl_conn *conn, int argc OVS_UNUSED,
                 const char *argv[], void *aux OVS_UNUSED)
{
    struct ob_owner *o = ob_owner_find(argv[1]);
    struct ob_member *m;
    bool enabled, active, ours;
    int bucket;

    if (!o || !is_bond(o)) {
        unixctl_command_reply_error(conn, "no such bond");
        return;
    }
    if (!keeps_source_buckets(o)) {
        unixctl_command_reply_error(conn, "not an SLB bond");
        return;
    }
    if (!parse_bucket(argv[2], &bucket)) {
        unixctl_command_reply_error(conn, "bad hash");
        return;
    }
    if (!find_member(conn, argv[1], argv[3], &o, &m)) {
        return;
    }
    member_state(o, m, &enabled, &active, &ours);
    if (!enabled) {
        unixctl_command_reply_error(conn, "cannot migrate to disabled member");
        return;
    }

    struct bnd_event e = { .type = BND_EV_MIGRATE, .id = m->id,
                           .slot = bucket % BND_N_SLOTS };
    apply(o, &e);
    unixctl_command_reply(conn, "migrated");
}

static void
cmd_set_active(struct unixctl_conn *conn, int argc OVS_UNUSED,
               const char *argv[], void *aux OVS_UNUSED)
{
    bool enabled, active, ours;
    struct ob_owner *o;
    struct ob_member *m;
    const char *why;

    if (!find_member(conn, argv[1], argv[2], &o, &m)) {
        return;
    }
    member_state(o, m, &enabled, &active, &ours);
    if (!enabled && !ours) {
        unixctl_command_reply_error(conn, "cannot make disabled member "
                                    "active");
        return;
    }
    if (active) {
        unixctl_command_reply(conn, "no change");
        return;
    }
    why = ob_owner_why_not_active(o, m);
    if (why) {
        char *error = xasprintf("cannot make %s active: %s", m->name, why);

        unixctl_command_reply_error(conn, error);
        free(error);
        return;
    }

    struct bnd_event e = { .type = BND_EV_SET_ACTIVE, .id = m->id };
    apply(o, &e);
    unixctl_command_reply(conn, "done");
}

/* As the empty word in Linux's active_slave: the choice is made anew. */
static void
cmd_clear_active(struct unixctl_conn *conn, int argc OVS_UNUSED,
                 const char *argv[], void *aux OVS_UNUSED)
{
    struct ob_owner *o = ob_owner_find(argv[1]);

    if (!o || !is_bond(o)) {
        reply_no_bond(conn, argv[1]);
        return;
    }

    struct bnd_event e = { .type = BND_EV_SET_ACTIVE, .id = BND_NO_MEMBER };
    apply(o, &e);
    unixctl_command_reply(conn, "done");
}

static void
force_member(struct unixctl_conn *conn, const char *argv[], bool on)
{
    struct ob_owner *o;
    struct ob_member *m;

    if (find_member(conn, argv[1], argv[2], &o, &m)) {
        struct bnd_event e = { .type = BND_EV_FORCE, .id = m->id, .on = on };

        apply(o, &e);
        unixctl_command_reply(conn, on ? "enabled" : "disabled");
    }
}

static void
cmd_enable(struct unixctl_conn *conn, int argc OVS_UNUSED,
           const char *argv[], void *aux OVS_UNUSED)
{
    force_member(conn, argv, true);
}

static void
cmd_disable(struct unixctl_conn *conn, int argc OVS_UNUSED,
            const char *argv[], void *aux OVS_UNUSED)
{
    force_member(conn, argv, false);
}

static void
cmd_hash(struct unixctl_conn *conn, int argc, const char *argv[],
         void *aux OVS_UNUSED)
{
    unsigned int basis = 0;
    unsigned int vlan = 0;
    struct eth_addr mac;

    if (argc > 2 && !ovs_scan(argv[2], "%u", &vlan)) {
        unixctl_command_reply_error(conn, "invalid vlan");
        return;
    }
    if (argc > 3 && !ovs_scan(argv[3], "%u", &basis)) {
        unixctl_command_reply_error(conn, "invalid basis");
        return;
    }
    if (!ovs_scan(argv[1], ETH_ADDR_SCAN_FMT, ETH_ADDR_SCAN_ARGS(mac))) {
        unixctl_command_reply_error(conn, "invalid mac");
        return;
    }

    char *reply = xasprintf("%u", bnd_hash_src(mac, vlan, basis)
                                  % BND_N_SLOTS);
    unixctl_command_reply(conn, reply);
    free(reply);
}

void
bx_appctl_init(void)
{
    static bool inited = false;

    if (inited) {
        return;
    }
    inited = true;

    unixctl_command_register("bond/list", "", 0, 0, cmd_bond_list, NULL);
    unixctl_command_register("bond/show", "[port]", 0, 1, cmd_bond_show,
                             NULL);
    unixctl_command_register("bond/buckets", "[port]", 0, 1, cmd_bond_buckets,
                             NULL);
    unixctl_command_register("bond/proc", "port", 1, 1, cmd_bond_proc, NULL);
    unixctl_command_register("bond/status", "[port]", 0, 1, cmd_bond_status,
                             NULL);
    unixctl_command_register("bond/rlb", "[port]", 0, 1, cmd_bond_rlb, NULL);
    unixctl_command_register("bond/migrate", "port hash member", 3, 3,
                             cmd_bond_migrate, NULL);
    unixctl_command_register("bond/set-active-member", "port member", 2, 2,
                             cmd_set_active, NULL);
    unixctl_command_register("bond/clear-active-member", "port", 1, 1,
                             cmd_clear_active, NULL);
    unixctl_command_register("bond/enable-member", "port member", 2, 2,
                             cmd_enable, NULL);
    unixctl_command_register("bond/disable-member", "port member", 2, 2,
                             cmd_disable, NULL);
    unixctl_command_register("bond/hash", "mac [vlan] [basis]", 1, 3,
                             cmd_hash, NULL);
    unixctl_command_register("lacp/show", "[port]", 0, 1, cmd_lacp_show,
                             NULL);
    unixctl_command_register("lacp/show-stats", "[port]", 0, 1,
                             cmd_lacp_show_stats, NULL);

    /* The spellings of before 2.16, which list-commands does not show. */
    unixctl_command_register("bond/set-active-slave", NULL, 2, 2,
                             cmd_set_active, NULL);
    unixctl_command_register("bond/enable-slave", NULL, 2, 2, cmd_enable,
                             NULL);
    unixctl_command_register("bond/disable-slave", NULL, 2, 2, cmd_disable,
                             NULL);
}
