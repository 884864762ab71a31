/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/sources.h"

#include <stdlib.h>
#include <string.h>
#include "cmap.h"
#include "hash.h"
#include "netlink.h"
#include "odp-netlink.h"
#include "odp-util.h"
#include "ofproto-bond/attach.h"
#include "ofproto-bond/handle.h"
#include "ofproto-bond/owner.h"
#include "openvswitch/list.h"
#include "ovs-rcu.h"
#include "packets.h"
#include "random.h"
#include "timeval.h"
#include "util.h"

/* How often to look for sources that do not count any more, ms. */
#define SWEEP_INTERVAL 1000

/* A member to look for. */
struct watch {
    struct cmap_node out_node;  /* In 'outs'... */
    struct cmap_node in_node;   /* ...and in 'ins'. */
    struct ovs_list list_node;  /* In the bond's list. */
    struct bond *bond;
    const void *aux;            /* The member's port. */
    const struct dpif_backer *backer; /* Number 'odp_port' of this... */
    odp_port_t odp_port;
    const struct ofproto_dpif *bridge; /* ...and 'ofp_port' of that. */
    ofp_port_t ofp_port;
};

/* Changed by the main thread alone. */
static struct cmap outs = CMAP_INITIALIZER;
static struct cmap ins = CMAP_INITIALIZER;

static uint32_t
hash_out(const struct dpif_backer *backer, odp_port_t port)
{
    return hash_pointer(backer, odp_to_u32(port));
}

static uint32_t
hash_in(const struct ofproto_dpif *bridge, ofp_port_t port)
{
    return hash_pointer(bridge, ofp_to_u16(port));
}

bool
ob_sources_wanted(void)
{
    return cmap_count(&outs);
}

/* Sources. */

void
ob_sources_init(struct ob_sources *s)
{
    ovs_mutex_init(&s->mutex);
    hmap_init(&s->all);
    atomic_count_init(&s->n, 0);
    atomic_init(&s->exact, false);
    s->next_sweep = 0;
    s->secret = random_uint32();
    ovs_list_init(&s->watches);
}

void
ob_sources_uninit(struct ob_sources *s)
{
    struct ob_source *source;

    HMAP_FOR_EACH_POP (source, node, &s->all) {
        free(source);
    }
    hmap_destroy(&s->all);
    ovs_mutex_destroy(&s->mutex);
}

static void
forget(struct ob_sources *s, struct ob_source *source)
    OVS_REQUIRES(s->mutex)
{
    hmap_remove(&s->all, &source->node);
    atomic_count_dec(&s->n);
    free(source);
}

/* Makes room for one more.  Returns true if there is some. */
static bool
make_room(struct ob_sources *s, long long int now)
    OVS_REQUIRES(s->mutex)
{
    struct ob_source *source;

    if (hmap_count(&s->all) < OB_SOURCES_MAX) {
        return true;
    } else if (now < s->next_sweep) {
        return false;           /* Not for each source, if there are many. */
    }
    s->next_sweep = now + SWEEP_INTERVAL;
    HMAP_FOR_EACH_SAFE (source, node, &s->all) {
        if (source->heard + OB_SOURCE_AGE < now) {
            forget(s, source);
        }
    }
    return hmap_count(&s->all) < OB_SOURCES_MAX;
}

static void
note(struct ob_sources *s, struct eth_addr mac, const struct ob_tags *tags)
{
    uint32_t hash = hash_mac(mac, 0, s->secret);
    long long int now = time_msec();
    struct ob_source *source;

    ovs_mutex_lock(&s->mutex);
    HMAP_FOR_EACH_WITH_HASH (source, node, hash, &s->all) {
        if (eth_addr_equals(source->mac, mac)
            && !memcmp(&source->tags, tags, sizeof *tags)) {
            source->heard = now;
            goto out;
        }
    }
    if (make_room(s, now)) {
        source = xmalloc(sizeof *source);
        source->mac = mac;
        source->tags = *tags;
        source->heard = now;
        hmap_insert(&s->all, &source->node, hash);
        atomic_count_inc(&s->n);
    }
out:
    ovs_mutex_unlock(&s->mutex);
}

static struct ob_source *
find(struct ob_sources *s, struct eth_addr mac)
    OVS_REQUIRES(s->mutex)
{
    struct ob_source *source;

    HMAP_FOR_EACH_WITH_HASH (source, node, hash_mac(mac, 0, s->secret), &s->all) {
        if (eth_addr_equals(source->mac, mac)) {
            return source;
        }
    }
    return NULL;
}

/* 'mac' is behind the bond. */
static void
forget_mac(struct ob_sources *s, struct eth_addr mac)
{
    struct ob_source *source;

    if (atomic_count_get(&s->n)) {
        ovs_mutex_lock(&s->mutex);
        while ((source = find(s, mac)) != NULL) {
            forget(s, source);
        }
        ovs_mutex_unlock(&s->mutex);
    }
}

void
ob_sources_heard(struct ob_sources *s, struct eth_addr mac)
{
    uint32_t hash = hash_mac(mac, 0, s->secret);
    long long int now = time_msec();
    struct ob_source *source;

    ovs_mutex_lock(&s->mutex);
    HMAP_FOR_EACH_WITH_HASH (source, node, hash, &s->all) {
        if (eth_addr_equals(source->mac, mac)) {
            source->heard = now;
        }
    }
    ovs_mutex_unlock(&s->mutex);
}

size_t
ob_sources_next(struct ob_sources *s, struct hmap_position *pos,
                struct ob_source out[], size_t n, bool *done)
{
    long long int now = time_msec();
    size_t found = 0;

    *done = false;
    ovs_mutex_lock(&s->mutex);
    while (found < n) {
        struct hmap_node *node = hmap_at_position(&s->all, pos);

        if (!node) {
            *done = true;
            break;
        }

        const struct ob_source *source
            = CONTAINER_OF(node, struct ob_source, node);
        if (now <= source->heard + OB_SOURCE_AGE) {
            out[found++] = *source;
        }
    }
    ovs_mutex_unlock(&s->mutex);
    return found;
}

/* Members. */

static void
unwatch(struct watch *w)
{
    cmap_remove(&outs, &w->out_node, hash_out(w->backer, w->odp_port));
    cmap_remove(&ins, &w->in_node, hash_in(w->bridge, w->ofp_port));
    ovs_list_remove(&w->list_node);
    ovsrcu_postpone(free, w);
}

void
ob_sources_remove(struct bond *bond)
{
    struct watch *w;

    LIST_FOR_EACH_SAFE (w, list_node, &bond->sources.watches) {
        unwatch(w);
    }
}

static bool
is_watched(const struct ob_owner *o, const struct ob_member *m)
{
    return o->announces && m->in_bond && m->ofp_port != OFPP_NONE;
}

/* Is what is watched of 'o' what should be? */
static bool
is_up_to_date(const struct ob_owner *o)
{
    const struct ofproto_dpif *bridge = ob_owner_ofproto(o);
    size_t wanted = 0, right = 0;
    const struct watch *w;

    LIST_FOR_EACH (w, list_node, &o->bond->sources.watches) {
        bool found = false;

        for (size_t i = 0; i < o->n_members && !found; i++) {
            const struct ob_member *m = &o->members[i];

            found = (is_watched(o, m) && w->odp_port != ODPP_NONE
                     && w->aux == m->aux
                     && w->ofp_port == m->ofp_port && w->bridge == bridge);
        }
        if (!found) {
            return false;
        }
        right++;
    }
    for (size_t i = 0; i < o->n_members; i++) {
        wanted += is_watched(o, &o->members[i]);
    }
    return right == wanted;
}

static void
watch(struct ob_owner *o, const struct ob_member *m)
{
    const struct ofproto_dpif *bridge = ob_owner_ofproto(o);
    struct watch *w = xmalloc(sizeof *w);

    w->bond = o->bond;
    w->aux = m->aux;
    w->backer = ob_attach_backer(bridge);
    w->odp_port = ob_attach_odp_port(bridge, m->netdev);
    w->bridge = bridge;
    w->ofp_port = m->ofp_port;
    cmap_insert(&outs, &w->out_node, hash_out(w->backer, w->odp_port));
    cmap_insert(&ins, &w->in_node, hash_in(bridge, w->ofp_port));
    ovs_list_push_back(&o->bond->sources.watches, &w->list_node);
}

void
ob_sources_update(struct ob_owner *o)
{
    o->sources_stale = !ob_owner_ofproto(o);
    if (o->sources_stale || is_up_to_date(o)) {
        return;
    }
    ob_sources_remove(o->bond);
    for (size_t i = 0; i < o->n_members; i++) {
        if (is_watched(o, &o->members[i])) {
            watch(o, &o->members[i]);
        }
    }
}

/* Translation. */

static struct bond *
find_out(const struct dpif_backer *backer, odp_port_t port)
{
    const struct watch *w;

    CMAP_FOR_EACH_WITH_HASH (w, out_node, hash_out(backer, port), &outs) {
        if (w->backer == backer && w->odp_port == port) {
            return w->bond;
        }
    }
    return NULL;
}

static struct bond *
find_in(const struct ofproto_dpif *bridge, ofp_port_t port)
{
    const struct watch *w;

    CMAP_FOR_EACH_WITH_HASH (w, in_node, hash_in(bridge, port), &ins) {
        if (w->bridge == bridge && w->ofp_port == port) {
            return w->bond;
        }
    }
    return NULL;
}

/* Changes 'mac' as "set(eth(...))" does. */
static void
set_source(const struct nlattr *key, bool masked, struct eth_addr *mac)
{
    if (nl_attr_type(key) == OVS_KEY_ATTR_ETHERNET) {
        const struct ovs_key_ethernet *value = nl_attr_get(key);
        const struct ovs_key_ethernet *mask = value + 1;

        for (int i = 0; i < ETH_ADDR_LEN; i++) {
            uint8_t m = masked ? mask->eth_src.ea[i] : 0xff;

            mac->ea[i] = (mac->ea[i] & ~m) | (value->eth_src.ea[i] & m);
        }
    }
}

static bool
is_exact(struct bond *bond)
{
    bool exact;

    atomic_read_relaxed(&bond->sources.exact, &exact);
    return exact;
}

/* Follows the actions and notes sources that leave by members. */
static void
follow(const struct dpif_backer *backer, struct eth_addr mac,
       struct ob_tags tags, const struct nlattr *actions, size_t len,
       struct ob_source_found *found)
{
    const struct nlattr *a;
    unsigned int left;

    NL_ATTR_FOR_EACH_UNSAFE (a, left, actions, len) {
        const struct ovs_action_push_vlan *vlan;
        struct bond *bond;

        switch (nl_attr_type(a)) {
        case OVS_ACTION_ATTR_OUTPUT:
            bond = find_out(backer, nl_attr_get_odp_port(a));
            if (bond) {
                note(&bond->sources, mac, &tags);
                found->bond = bond;
                found->mac = mac;
                found->exact |= is_exact(bond);
            }
            break;
        case OVS_ACTION_ATTR_PUSH_VLAN:
            vlan = nl_attr_get(a);
            ob_tags_push(&tags, (struct ob_tag) {
                .tpid = ntohs(vlan->vlan_tpid),
                .vid = vlan_tci_to_vid(vlan->vlan_tci),
            });
            break;
        case OVS_ACTION_ATTR_POP_VLAN:
            ob_tags_pop(&tags);
            break;
        case OVS_ACTION_ATTR_SET:
        case OVS_ACTION_ATTR_SET_MASKED:
            set_source(nl_attr_get(a),
                       nl_attr_type(a) == OVS_ACTION_ATTR_SET_MASKED, &mac);
            break;
        default:
            break;
        }
    }
}

void
ob_sources_look(const struct ofproto_dpif *bridge,
                const struct dpif_backer *backer,
                const struct ob_source_before *before, bool normal,
                const struct nlattr *actions, size_t len,
                struct ob_source_found *found)
{
    struct bond *in = find_in(bridge, before->in_port);

    memset(found, 0, sizeof *found);
    if (in) {
        forget_mac(&in->sources, before->mac);
        found->exact = is_exact(in);
    } else if (before->is_guest && !normal) {
        follow(backer, before->mac, before->tags, actions, len, found);
    }
}
