/* SPDX-License-Identifier: Apache-2.0 */

/* What is told of monitors that send probes: by bond/show and bond/status; of
 * bond/proc the lines that Linux has. */

#include <config.h>
#include "bond/status-text.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "bond/bond-private.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "util.h"

/* Filling in. */

static struct bnd_status_target
fill_target(const struct bnd_bond *b, const struct bnd_target *t)
{
    bool apart = bnd_probes_are_apart(b, t);
    struct bnd_status_target st = {
        .address = bnd_ip_to_string(&t->ip),
        .source = (!apart ? bnd_ip_to_string(&t->route.src)
                   : t->ip.is_ip6 ? NULL : xstrdup("0.0.0.0")),
        .is_ip6 = t->ip.is_ip6,
        .elsewhere = t->route.elsewhere,
        .covered = t->route.covered,
        .n_vlans = t->route.tags.n,
    };

    for (int i = 0; i < st.n_vlans; i++) {
        st.vlans[i] = t->route.tags.tag[i].vid;
    }
    return st;
}

void
bnd_fill_probes(const struct bnd_bond *b, struct bnd_status *s)
{
    static const char *const combinations[] = { NULL, "any", "all" };

    s->combine = combinations[b->combine];
    for (int i = 0; i < BND_N_PROBES; i++) {
        const struct bnd_probe *p = &b->probes[i];
        struct bnd_status_probe *sp = &s->probes[s->n_probes];

        if (!p->config.interval) {
            continue;
        }
        sp->index = i;
        sp->interval = p->config.interval;
        sp->missed_max = p->config.missed_max;
        sp->n_targets = p->n_targets;
        sp->targets = xcalloc(p->n_targets + 1, sizeof *sp->targets);
        for (size_t j = 0; j < p->n_targets; j++) {
            sp->targets[j] = fill_target(b, &p->targets[j]);
        }
        s->n_probes++;
    }
    for (size_t i = 0; i < s->n_members && s->n_probes; i++) {
        const struct bnd_member *m = bnd_find_member(b, s->members[i].id);

        s->members[i].probed = xmemdup(m->probed, sizeof m->probed);
    }
}

/* bond/proc. */

/* Appends a line with the targets of option 'name'. */
static void
format_targets(const struct bnd_status *s, const char *label,
               const char *name, struct ds *ds)
{
    const char *list = bnd_status_option(s, name);

    ds_put_format(ds, "%s:%s", label, *list ? " " : "");
    for (; *list; list++) {
        ds_put_char(ds, *list);
        if (*list == ',') {
            ds_put_char(ds, ' ');
        }
    }
    ds_put_char(ds, '\n');
}

void
bnd_format_proc_probes(const struct bnd_status *s, struct ds *ds)
{
    if (s->n_probes) {
        ds_put_format(ds, "ARP Polling Interval (ms): %lld\n",
                      s->probes[0].interval);
        ds_put_format(ds, "ARP Missed Max: %d\n", s->probes[0].missed_max);
        format_targets(s, "ARP IP target/s (n.n.n.n form)", "arp-ip-target",
                       ds);
        format_targets(s, "NS IPv6 target/s (xx::xx form)", "ns-ip6-target",
                       ds);
    }
}

/* bond/show. */

/* Appends how long ago 'when' was. */
static void
format_ago(long long int when, long long int now, struct ds *ds)
{
    if (when == BND_LONG_AGO) {
        ds_put_cstr(ds, "never");
    } else {
        ds_put_format(ds, "%lld ms ago", MAX(now - when, 0));
    }
}

static void
format_target(const struct bnd_status_target *t, struct ds *ds)
{
    ds_put_format(ds, "target %s: ", t->address);
    if (t->elsewhere) {
        ds_put_cstr(ds, "not probed, as the host does not reach it by the "
                    "bond\n");
        return;
    }
    ds_put_format(ds, "%s from %s", t->is_ip6 ? "ND" : "ARP",
                  t->source ? t->source : "each member's own address");
    for (int i = 0; i < t->n_vlans; i++) {
        ds_put_format(ds, "%s%u", i ? "." : ", VLAN ", t->vlans[i]);
    }
    if (!t->covered) {
        ds_put_cstr(ds, " (the host has no address or route for it)");
    }
    ds_put_char(ds, '\n');
}

void
bnd_format_probe_monitors(const struct bnd_status *s, struct ds *ds)
{
    if (!s->n_probes) {
        return;
    }
    ds_put_format(ds, "monitor: arp_interval, every %lld ms, "
                  "arp_missed_max: %d, arp_validate: %s, "
                  "arp_all_targets: %s\n", s->probes[0].interval,
                  s->probes[0].missed_max,
                  bnd_status_option(s, "arp-validate"),
                  bnd_status_option(s, "arp-all-targets"));
    if (s->combine) {
        ds_put_format(ds, "monitor_combine: %s\n", s->combine);
    }
    for (size_t i = 0; i < s->n_probes; i++) {
        for (size_t j = 0; j < s->probes[i].n_targets; j++) {
            format_target(&s->probes[i].targets[j], ds);
        }
    }
}

void
bnd_format_probes(const struct bnd_status *s,
                  const struct bnd_status_extra *x,
                  const struct bnd_status_member *m, long long int now,
                  struct ds *ds)
{
    for (size_t i = 0; i < s->n_probes; i++) {
        const struct bnd_status_probe *p = &s->probes[i];
        const struct bnd_probed *r = &m->probed[p->index];

        ds_put_format(ds, "probes of %s: %s (%s), last sent ", m->name,
                      bnd_link_state_name(r->state),
                      bnd_probe_reason_name(r->reason));
        format_ago(r->last_tx, now, ds);
        ds_put_cstr(ds, ", sign of life ");
        format_ago(r->ever ? r->last_rx : BND_LONG_AGO, now, ds);
        ds_put_format(ds, ", believed %"PRIu64" of %"PRIu64" messages, "
                      "failures: %"PRIu32, r->n_believed, r->n_messages,
                      r->n_failures);
        if (r->n_failures) {
            ds_put_cstr(ds, ", last ");
            bnd_format_time(r->last_failure + x->wall, ds);
        }
        ds_put_char(ds, '\n');
        for (size_t j = 0; j < p->n_targets; j++) {
            const struct bnd_probed_target *t = &r->targets[j];

            ds_put_format(ds, "  %s: heard of ", p->targets[j].address);
            format_ago(t->ever ? t->heard : BND_LONG_AGO, now, ds);
            ds_put_format(ds, ", probes unanswered: %"PRIu32"\n",
                          t->n_unanswered);
        }
    }
}

/* bond/status. */

static void
put(struct json *o, const char *key, struct json *value)
{
    json_object_put(o, key, value);
}

/* Null for a time that never was. */
static void
put_time(struct json *o, const char *key, long long int when,
         const struct bnd_status_extra *x)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    if (when != BND_LONG_AGO) {
        bnd_format_time(when + x->wall, &ds);
    }
    put(o, key, (when != BND_LONG_AGO ? json_string_create(ds_cstr(&ds))
                 : json_null_create()));
    ds_destroy(&ds);
}

static struct json *
target_to_json(const struct bnd_status_target *t)
{
    struct json *vlans = json_array_create_empty();
    struct json *o = json_object_create();

    for (int i = 0; i < t->n_vlans; i++) {
        json_array_add(vlans, json_integer_create(t->vlans[i]));
    }
    json_object_put_string(o, "address", t->address);
    put(o, "probed", json_boolean_create(!t->elsewhere));
    put(o, "routed", json_boolean_create(t->covered));
    put(o, "source", (t->elsewhere || !t->source ? json_null_create()
                      : json_string_create(t->source)));
    put(o, "vlans", vlans);
    return o;
}

struct json *
bnd_probes_to_json(const struct bnd_status *s)
{
    struct json *array = json_array_create_empty();

    for (size_t i = 0; i < s->n_probes; i++) {
        const struct bnd_status_probe *p = &s->probes[i];
        struct json *targets = json_array_create_empty();
        struct json *o = json_object_create();

        for (size_t j = 0; j < p->n_targets; j++) {
            json_array_add(targets, target_to_json(&p->targets[j]));
        }
        put(o, "interval", json_integer_create(p->interval));
        put(o, "missed_max", json_integer_create(p->missed_max));
        json_object_put_string(o, "validate",
                               bnd_status_option(s, "arp-validate"));
        json_object_put_string(o, "all_targets",
                               bnd_status_option(s, "arp-all-targets"));
        put(o, "targets", targets);
        json_array_add(array, o);
    }
    return array;
}

static struct json *
heard_to_json(const struct bnd_status_target *t,
              const struct bnd_probed_target *heard,
              const struct bnd_status_extra *x)
{
    struct json *o = json_object_create();

    json_object_put_string(o, "address", t->address);
    put_time(o, "last_heard", heard->ever ? heard->heard : BND_LONG_AGO, x);
    put_time(o, "last_probe", heard->asked, x);
    put(o, "unanswered", json_integer_create(heard->n_unanswered));
    return o;
}

struct json *
bnd_probed_to_json(const struct bnd_status *s,
                   const struct bnd_status_member *m,
                   const struct bnd_status_extra *x)
{
    struct json *array = json_array_create_empty();

    for (size_t i = 0; i < s->n_probes; i++) {
        const struct bnd_status_probe *p = &s->probes[i];
        const struct bnd_probed *r = &m->probed[p->index];
        struct json *targets = json_array_create_empty();
        struct json *o = json_object_create();

        for (size_t j = 0; j < p->n_targets; j++) {
            json_array_add(targets, heard_to_json(&p->targets[j],
                                                  &r->targets[j], x));
        }
        json_object_put_string(o, "state", bnd_link_state_name(r->state));
        json_object_put_string(o, "reason", bnd_probe_reason_name(r->reason));
        put_time(o, "last_tx", r->last_tx, x);
        put_time(o, "last_rx", r->ever ? r->last_rx : BND_LONG_AGO, x);
        put(o, "messages", json_integer_create(r->n_messages));
        put(o, "believed", json_integer_create(r->n_believed));
        put(o, "failure_count", json_integer_create(r->n_failures));
        put_time(o, "last_failure",
                 r->n_failures ? r->last_failure : BND_LONG_AGO, x);
        put(o, "targets", targets);
        json_array_add(array, o);
    }
    return array;
}
