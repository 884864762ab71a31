/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/bundles.h"

#include <stdlib.h>
#include <string.h>
#include "bitmap.h"
#include "hash.h"
#include "netdev.h"
#include "ofproto-bond/hosts.h"
#include "packets.h"
#include "util.h"
#include "vlan-bitmap.h"

static struct hmap bundles = HMAP_INITIALIZER(&bundles);
static struct hmap host_ports = HMAP_INITIALIZER(&host_ports);
static uint64_t seq;            /* Counts changes. */

uint64_t
ob_bundles_seq(void)
{
    return seq;
}

/* Bundles. */

static struct ob_bundle *
find(const void *bundle)
{
    struct ob_bundle *b;

    HMAP_FOR_EACH_WITH_HASH (b, node, hash_pointer(bundle, 0), &bundles) {
        if (b->bundle == bundle) {
            return b;
        }
    }
    return NULL;
}

const struct ob_bundle *
ob_bundles_find(const void *bundle)
{
    return find(bundle);
}

const struct ofproto_dpif *
ob_bundles_ofproto(const void *bundle)
{
    const struct ob_bundle *b = find(bundle);

    return b ? b->ofproto : NULL;
}

static void
set_vlans(unsigned long **to, const unsigned long *from)
{
    if (!vlan_bitmap_equal(*to, from)) {
        seq++;
        free(*to);
        *to = vlan_bitmap_clone(from);
    }
}

void
ob_bundles_set(const struct ob_bundle *config)
{
    struct ob_bundle *b = find(config->bundle);

    ovs_mutex_lock(&ob_host_mutex);
    if (!b) {
        b = xzalloc(sizeof *b);
        b->bundle = config->bundle;
        hmap_insert(&bundles, &b->node, hash_pointer(b->bundle, 0));
        seq++;
    }
    seq += (b->ofproto != config->ofproto || b->mode != config->mode
            || b->qinq_ethtype != config->qinq_ethtype
            || b->vlan != config->vlan
            || b->priority_tags != config->priority_tags);
    b->ofproto = config->ofproto;
    b->mode = config->mode;
    b->qinq_ethtype = config->qinq_ethtype;
    b->vlan = config->vlan;
    set_vlans(&b->trunks, config->trunks);
    set_vlans(&b->cvlans, config->cvlans);
    b->priority_tags = config->priority_tags;
    ovs_mutex_unlock(&ob_host_mutex);
}

static void
bundle_free(struct ob_bundle *b)
{
    ovs_mutex_lock(&ob_host_mutex);
    seq++;
    hmap_remove(&bundles, &b->node);
    ovs_mutex_unlock(&ob_host_mutex);
    free(b->trunks);
    free(b->cvlans);
    free(b);
}

void
ob_bundles_remove(const void *bundle)
{
    struct ob_bundle *b = find(bundle);

    if (b) {
        bundle_free(b);
    }
}

/* Host ports. */

/* Is 'netdev' an end of the switch in the host itself? */
static bool
is_host_port(const struct netdev *netdev)
{
    const char *type = netdev_get_type(netdev);

    return (!strcmp(type, "internal") || !strcmp(type, "tap")
            || !strcmp(type, "dummy-internal"));
}

static void
host_port_free(struct ob_host_port *p)
{
    ovs_mutex_lock(&ob_host_mutex);
    seq++;
    hmap_remove(&host_ports, &p->node);
    ovs_mutex_unlock(&ob_host_mutex);
    netdev_close(p->netdev);
    free(p);
}

static struct ob_host_port *
find_port(const void *port)
{
    struct ob_host_port *p;

    HMAP_FOR_EACH_WITH_HASH (p, node, hash_pointer(port, 0), &host_ports) {
        if (p->port == port) {
            return p;
        }
    }
    return NULL;
}

void
ob_host_ports_remove(const void *port)
{
    struct ob_host_port *p = find_port(port);

    if (p) {
        host_port_free(p);
    }
}

void
ob_host_ports_set(const struct ofproto_dpif *ofproto, const void *bundle,
                  const void *port, ofp_port_t ofp_port,
                  const struct netdev *netdev)
{
    struct ob_host_port *p = find_port(port);

    if (p && (!bundle || p->netdev != netdev)) {
        host_port_free(p);
        p = NULL;
    }
    ovs_mutex_lock(&ob_host_mutex);
    if (!p && bundle && is_host_port(netdev)) {
        p = xzalloc(sizeof *p);
        p->port = port;
        p->netdev = netdev_ref(netdev);
        hmap_insert(&host_ports, &p->node, hash_pointer(port, 0));
        seq++;
    }
    if (p) {
        seq += p->ofproto != ofproto || p->bundle != bundle;
        p->ofproto = ofproto;
        p->bundle = bundle;
        p->is_local = ofp_port == OFPP_LOCAL;
    }
    ovs_mutex_unlock(&ob_host_mutex);
}

void
ob_host_ports_for_each(const struct ofproto_dpif *ofproto,
                       ob_host_port_cb *cb, void *aux)
{
    const struct ob_host_port *p;

    HMAP_FOR_EACH (p, node, &host_ports) {
        if (p->ofproto == ofproto) {
            cb(p, aux);
        }
    }
}

void
ob_bundles_remove_bridge(const struct ofproto_dpif *ofproto)
{
    struct ob_bundle *b;
    struct ob_host_port *p;

    HMAP_FOR_EACH_SAFE (b, node, &bundles) {
        if (b->ofproto == ofproto) {
            bundle_free(b);
        }
    }
    HMAP_FOR_EACH_SAFE (p, node, &host_ports) {
        if (p->ofproto == ofproto) {
            host_port_free(p);
        }
    }
}

/* Tags. */

bool
ob_tags_push(struct ob_tags *tags, struct ob_tag tag)
{
    if (tag.tpid && tags->tag[OB_MAX_TAGS - 1].tpid) {
        return false;
    } else if (tag.tpid) {
        memmove(&tags->tag[1], &tags->tag[0],
                (OB_MAX_TAGS - 1) * sizeof tags->tag[0]);
        tags->tag[0] = tag;
    }
    return true;
}

bool
ob_tags_append(struct ob_tags *tags, struct ob_tag tag)
{
    for (int i = 0; i < OB_MAX_TAGS && tag.tpid; i++) {
        if (!tags->tag[i].tpid) {
            tags->tag[i] = tag;
            tag.tpid = 0;
        }
    }
    return !tag.tpid;
}

void
ob_tags_pop(struct ob_tags *tags)
{
    memmove(&tags->tag[0], &tags->tag[1],
            (OB_MAX_TAGS - 1) * sizeof tags->tag[0]);
    memset(&tags->tag[OB_MAX_TAGS - 1], 0, sizeof tags->tag[0]);
}

static bool
has_vlan(const unsigned long *vlans, uint16_t vid)
{
    return !vlans || bitmap_is_set(vlans, vid);
}

/* Puts a frame that names no VLAN into that of 'b'. */
static void
set_vlan(const struct ob_bundle *b, struct ob_tags *tags)
{
    if (!tags->tag[0].tpid) {
        tags->tag[0].tpid = ETH_TYPE_VLAN;
    }
    tags->tag[0].vid = b->vlan;
}

struct ob_tags
ob_bundles_tags(const void *bundle, uint16_t vlan)
{
    const struct ob_bundle *b = find(bundle);
    struct ob_tags tags;

    memset(&tags, 0, sizeof tags);
    if (vlan) {
        tags.tag[0].tpid = (b && b->mode == PORT_VLAN_DOT1Q_TUNNEL
                            ? b->qinq_ethtype : ETH_TYPE_VLAN);
        tags.tag[0].vid = vlan;
    }
    return tags;
}

bool
ob_bundle_enter(const struct ob_bundle *b, const struct ob_tags *tags,
                struct ob_tags *inside)
{
    uint16_t vid = tags->tag[0].vid;
    struct ob_tag outer = { .tpid = b->qinq_ethtype, .vid = b->vlan };

    *inside = *tags;
    switch (b->mode) {
    case PORT_VLAN_ACCESS:
        set_vlan(b, inside);
        return !vid;

    case PORT_VLAN_TRUNK:
        return has_vlan(b->trunks, vid);

    case PORT_VLAN_NATIVE_TAGGED:
    case PORT_VLAN_NATIVE_UNTAGGED:
        if (!vid) {
            set_vlan(b, inside);
            return true;
        }
        return has_vlan(b->trunks, vid);

    case PORT_VLAN_DOT1Q_TUNNEL:
        return has_vlan(b->cvlans, vid) && ob_tags_push(inside, outer);

    default:
        return false;
    }
}

/* A tag without a VLAN stays only if priority tags are wanted. */
static void
drop_empty_tag(const struct ob_bundle *b, struct ob_tags *tags)
{
    if (!tags->tag[0].vid
        && b->priority_tags != PORT_PRIORITY_TAGS_ALWAYS) {
        ob_tags_pop(tags);
    }
}

bool
ob_bundle_leave(const struct ob_bundle *b, const struct ob_tags *inside,
                struct ob_tags *tags)
{
    uint16_t vid = inside->tag[0].vid;
    bool leaves;

    *tags = *inside;
    switch (b->mode) {
    case PORT_VLAN_ACCESS:
        leaves = vid == b->vlan && !inside->tag[1].vid;
        memset(tags, 0, sizeof *tags);
        break;

    case PORT_VLAN_TRUNK:
    case PORT_VLAN_NATIVE_TAGGED:
        leaves = has_vlan(b->trunks, vid);
        break;

    case PORT_VLAN_NATIVE_UNTAGGED:
        leaves = has_vlan(b->trunks, vid);
        if (vid == b->vlan) {
            ob_tags_pop(tags);
        }
        break;

    case PORT_VLAN_DOT1Q_TUNNEL:
        leaves = vid == b->vlan && has_vlan(b->cvlans, inside->tag[1].vid);
        ob_tags_pop(tags);
        break;

    default:
        return false;
    }
    drop_empty_tag(b, tags);
    return leaves;
}
