/* SPDX-License-Identifier: Apache-2.0 */

/* VLANs of the switch's ports
 * ===========================
 *
 * Frames that we make ourselves pass no flow table, so nobody else gives them
 * the tags that NORMAL would.  This remembers how Open vSwitch has configured
 * its ports ("bundles": a port or a bond), as it tells translation, and says
 * with which tags a frame that came in by one leaves by another; and which
 * ports are the host's own.
 *
 * Threads: main, but for functions on tags; and others may look while they hold
 * 'ob_host_mutex' (hosts.h).
 *
 * Source: ovs-vswitchd.conf.db(5), Port, VLAN Configuration. */

#ifndef OB_BUNDLES_H
#define OB_BUNDLES_H 1

#include <stdbool.h>
#include <stdint.h>
#include "ofproto/ofproto.h"
#include "openvswitch/hmap.h"

struct netdev;
struct ofproto_dpif;

/* Tags of a frame, outermost first.  What does not exist is all zeros. */
#define OB_MAX_TAGS 3

struct ob_tag {
    uint16_t tpid;              /* Ethernet type of the tag. */
    uint16_t vid;
};

struct ob_tags {
    struct ob_tag tag[OB_MAX_TAGS];
};

/* Puts 'tag' outside or inside of those that are there.  False if they are too
 * many; one that is all zeros changes nothing. */
bool ob_tags_push(struct ob_tags *, struct ob_tag);
bool ob_tags_append(struct ob_tags *, struct ob_tag);

/* Removes the outermost one. */
void ob_tags_pop(struct ob_tags *);

struct ob_bundle {
    struct hmap_node node;      /* By 'bundle'. */
    const void *bundle;         /* OVS's struct ofbundle... */
    const struct ofproto_dpif *ofproto; /* ...in this bridge. */
    enum port_vlan_mode mode;
    uint16_t qinq_ethtype;      /* Of the tag that dot1q-tunnel adds. */
    int vlan;                   /* Unless it is a trunk. */
    unsigned long *trunks;      /* VLANs that it carries, null for all. */
    unsigned long *cvlans;      /* The same for those within a tunnel. */
    enum port_priority_tags_mode priority_tags;
};

/* A port whose other end is the host itself. */
struct ob_host_port {
    struct hmap_node node;      /* By 'port'. */
    const void *port;           /* OVS's struct ofport_dpif... */
    const void *bundle;         /* ...in this struct ofbundle... */
    const struct ofproto_dpif *ofproto; /* ...of this bridge. */
    struct netdev *netdev;      /* A reference of ours. */
    bool is_local;              /* It is the bridge itself. */
};

/* OVS has configured 'config->bundle', or is about to remove it, or all of a
 * bridge.  'config' is copied. */
void ob_bundles_set(const struct ob_bundle *config);
void ob_bundles_remove(const void *bundle);
void ob_bundles_remove_bridge(const struct ofproto_dpif *);

/* The same for ports; those that are not the host's are let be. */
void ob_host_ports_set(const struct ofproto_dpif *, const void *bundle,
                       const void *port, ofp_port_t, const struct netdev *);
void ob_host_ports_remove(const void *port);

/* Counts changes of all that. */
uint64_t ob_bundles_seq(void);

/* Returns the configuration of 'bundle', or null. */
const struct ob_bundle *ob_bundles_find(const void *bundle);

/* Returns its bridge, or null. */
const struct ofproto_dpif *ob_bundles_ofproto(const void *bundle);

/* Calls 'cb' for each host port of a bridge. */
typedef void ob_host_port_cb(const struct ob_host_port *, void *aux);
void ob_host_ports_for_each(const struct ofproto_dpif *, ob_host_port_cb *,
                            void *aux);

/* As what do frames go through the switch that 'bundle' (null: unknown) takes
 * to be in 'vlan' (0: none)? */
struct ob_tags ob_bundles_tags(const void *bundle, uint16_t vlan);

/* Stores in '*inside' as what a frame with 'tags' goes through the switch that
 * comes in by a bundle, or in '*tags' how it leaves by one.  False if it does
 * not. */
bool ob_bundle_enter(const struct ob_bundle *, const struct ob_tags *tags,
                     struct ob_tags *inside);
bool ob_bundle_leave(const struct ob_bundle *, const struct ob_tags *inside,
                     struct ob_tags *tags);

#endif /* bundles.h */
