/* SPDX-License-Identifier: Apache-2.0 */

/* What balance-tlb and balance-alb tell: by whom the host's frames leave, and
 * by whom its peers send to it. */

#include <config.h>
#include "bond/status-text.h"

#include <inttypes.h>
#include "openvswitch/dynamic-string.h"
#include "openvswitch/json.h"
#include "util.h"

static bool
is_known(struct eth_addr mac)
{
    return mac.be16[0] || mac.be16[1] || mac.be16[2];
}

static void
put_mac(struct eth_addr mac, struct ds *ds)
{
    if (is_known(mac)) {
        ds_put_format(ds, BND_MAC_FMT, BND_MAC_ARGS(mac));
    } else {
        ds_put_cstr(ds, "unknown");
    }
}

static void
format_clients(const struct bnd_status *s, long long int now, struct ds *ds)
{
    for (size_t i = 0; i < s->n_rlb; i++) {
        const struct bnd_status_rlb *r = &s->rlb[i];

        ds_put_format(ds, "client %s (", r->client);
        put_mac(r->client_mac, ds);
        ds_put_format(ds, ") of %s", r->server);
        for (int j = 0; j < r->n_vlans; j++) {
            ds_put_format(ds, "%s%u", j ? "." : " in VLAN ", r->vlans[j]);
        }
        ds_put_format(ds, ": member %s for %lld ms, told ",
                      bnd_status_member_name(s, r->member, "none"),
                      now - r->since);
        put_mac(r->server_mac, ds);
        ds_put_format(ds, "%s\n", r->pending ? ", to be told again" : "");
    }
}

void
bnd_format_rlb(const char *name, const struct bnd_status *s,
               long long int now, struct ds *ds)
{
    ds_put_format(ds, "---- %s ----\n", name);
    format_clients(s, now, ds);
}

void
bnd_format_lb(const struct bnd_status *s,
              const struct bnd_status_member *const sorted[],
              long long int now, struct ds *ds)
{
    if (!s->has_tlb) {
        return;
    }
    ds_put_cstr(ds, "host address: ");
    put_mac(s->host_mac, ds);
    ds_put_format(ds, "\ntlb_dynamic_lb: %s, lp_interval: %s s\n",
                  bnd_status_option(s, "tlb-dynamic-lb"),
                  bnd_status_option(s, "lp-interval"));
    for (size_t i = 0; i < s->n_members; i++) {
        const struct bnd_status_member *m = sorted[i];
        uint64_t load = m->active ? s->unbalanced : 0;
        size_t n = 0;

        for (size_t j = 0; j < s->n_tlb; j++) {
            if (s->tlb[j].member == m->id) {
                load += s->tlb[j].load;
                n++;
            }
        }
        ds_put_format(ds, "logical address of %s: ", m->name);
        put_mac(m->logical_mac, ds);
        ds_put_format(ds, ", %"PRIuSIZE" of %"PRIuSIZE" buckets of the host, "
                      "load: %"PRIu64" bytes/s\n", n, s->n_tlb, load);
    }
    for (size_t i = 0; i < s->n_tlb; i++) {
        if (s->tlb[i].load) {
            ds_put_format(ds, "host bucket %"PRIuSIZE": member %s, load: "
                          "%"PRIu64" bytes/s\n", i,
                          bnd_status_member_name(s, s->tlb[i].member, "none"),
                          s->tlb[i].load);
        }
    }
    format_clients(s, now, ds);
    ds_put_char(ds, '\n');
}

/* JSON. */

static struct json *
mac_to_json(struct eth_addr mac)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    if (!is_known(mac)) {
        return json_null_create();
    }
    put_mac(mac, &ds);
    return json_string_create_nocopy(ds_steal_cstr(&ds));
}

static struct json *
member_to_json(const struct bnd_status *s, bnd_id id)
{
    const char *name = bnd_status_member_name(s, id, NULL);

    return name ? json_string_create(name) : json_null_create();
}

static struct json *
buckets_to_json(const struct bnd_status *s)
{
    struct json *array = json_array_create_empty();

    for (size_t i = 0; i < s->n_tlb; i++) {
        struct json *j = json_object_create();

        json_object_put(j, "slave", member_to_json(s, s->tlb[i].member));
        json_object_put(j, "load", json_integer_create(s->tlb[i].load));
        json_array_add(array, j);
    }
    return array;
}

static struct json *
client_to_json(const struct bnd_status *s, const struct bnd_status_rlb *r,
               long long int now)
{
    struct json *vlans = json_array_create_empty();
    struct json *j = json_object_create();

    for (int i = 0; i < r->n_vlans; i++) {
        json_array_add(vlans, json_integer_create(r->vlans[i]));
    }
    json_object_put_string(j, "client", r->client);
    json_object_put_string(j, "server", r->server);
    json_object_put(j, "vlans", vlans);
    json_object_put(j, "client_mac", mac_to_json(r->client_mac));
    json_object_put(j, "server_mac", mac_to_json(r->server_mac));
    json_object_put(j, "slave", member_to_json(s, r->member));
    json_object_put(j, "age_ms", json_integer_create(now - r->since));
    json_object_put(j, "pending", json_boolean_create(r->pending));
    return j;
}

void
bnd_lb_to_json(const struct bnd_status *s, long long int now, struct json *o)
{
    struct json *tlb = json_null_create(), *rlb = json_null_create();

    if (s->has_tlb) {
        json_destroy(tlb);
        tlb = json_object_create();
        json_object_put(tlb, "unbalanced", json_integer_create(s->unbalanced));
        json_object_put(tlb, "buckets", buckets_to_json(s));
    }
    if (s->has_rlb) {
        json_destroy(rlb);
        rlb = json_array_create_empty();
        for (size_t i = 0; i < s->n_rlb; i++) {
            json_array_add(rlb, client_to_json(s, &s->rlb[i], now));
        }
    }
    json_object_put(o, "host_address", mac_to_json(s->host_mac));
    json_object_put(o, "tlb", tlb);
    json_object_put(o, "rlb", rlb);
}
