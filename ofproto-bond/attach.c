/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/attach.h"

#include <stdlib.h>
#include <string.h>
#include "dp-packet.h"
#include "dpif.h"
#include "mac-learning.h"
#include "mcast-snooping.h"
#include "netdev.h"
#include "netdev-vport.h"
#include "odp-util.h"
#include "ofproto/ofproto-dpif.h"
#include "ofproto/ofproto-dpif-xlate.h"
#include "ofproto/ofproto-dpif-xlate-cache.h"
#include "ofproto/ofproto-provider.h"
#include "ofproto-bond/bundles.h"
#include "ofproto-bond/groups.h"
#include "ofproto-bond/handle.h"
#include "ofproto-bond/host-mac.h"
#include "ofproto-bond/hosts.h"
#include "ofproto-bond/lb-host.h"
#include "ofproto-bond/listen.h"
#include "ofproto-bond/ob-config.h"
#include "ofproto-bond/owner.h"
#include "ofproto-bond/sources.h"
#include "openvswitch/match.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vlog.h"
#include "util.h"
#include "wire/mld.h"

VLOG_DEFINE_THIS_MODULE(bond_attach);

/* Above the rule that drops stray recirculated packets, below OVS's own. */
#define BUCKET_RULE_PRIORITY 20

static void
flood_match(uint32_t recirc_id, struct match *match)
{
    match_init_catchall(match);
    match_set_recirc_id(match, recirc_id);
}

static void
bucket_match(uint32_t recirc_id, int bucket, struct match *match)
{
    flood_match(recirc_id, match);
    match_set_dp_hash_masked(match, bucket, BOND_BUCKETS - 1);
}

/* Adds or changes the rule with 'match': output to 'n' 'ports', with source
 * 'mac' unless that is null. */
static struct rule *
set_rule(struct ofproto_dpif *ofproto, struct match *match,
         const struct eth_addr *mac, const ofp_port_t ports[], size_t n)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
    uint64_t stub[256 / 8];
    struct ofpbuf ofpacts;
    struct rule *rule = NULL;

    ofpbuf_use_stub(&ofpacts, stub, sizeof stub);
    if (mac) {
        ofpact_put_set_field(&ofpacts, mf_from_id(MFF_ETH_SRC), mac, NULL);
    }
    for (size_t i = 0; i < n; i++) {
        ofpact_put_OUTPUT(&ofpacts)->port = ports[i];
    }

    int error = ofproto_dpif_add_internal_flow(ofproto, match,
                                               BUCKET_RULE_PRIORITY, 0,
                                               &ofpacts, &rule);
    if (error) {
        char *s = match_to_string(match, NULL, BUCKET_RULE_PRIORITY);

        VLOG_ERR_RL(&rl, "cannot set the internal rule %s (%s)", s,
                    ovs_strerror(error));
        free(s);
        rule = NULL;
    }
    ofpbuf_uninit(&ofpacts);
    return rule;
}

struct rule *
ob_attach_set_rule(struct ofproto_dpif *ofproto, uint32_t recirc_id,
                   int bucket, ofp_port_t port)
{
    struct match match;

    bucket_match(recirc_id, bucket, &match);
    return set_rule(ofproto, &match, NULL, &port, 1);
}

struct rule *
ob_attach_set_flood_rule(struct ofproto_dpif *ofproto, uint32_t recirc_id,
                         const ofp_port_t ports[], size_t n)
{
    struct match match;

    flood_match(recirc_id, &match);
    return set_rule(ofproto, &match, NULL, ports, n);
}

struct rule *
ob_attach_set_source_rule(struct ofproto_dpif *ofproto, uint32_t recirc_id,
                          struct eth_addr mac, ofp_port_t port)
{
    struct match match;

    flood_match(recirc_id, &match);
    return set_rule(ofproto, &match, &mac, &port, 1);
}

void
ob_attach_delete_flood_rule(struct ofproto_dpif *ofproto, uint32_t recirc_id)
{
    struct match match;

    flood_match(recirc_id, &match);
    ofproto_dpif_delete_internal_flow(ofproto, &match, BUCKET_RULE_PRIORITY);
}

void
ob_attach_delete_rule(struct ofproto_dpif *ofproto, uint32_t recirc_id,
                      int bucket)
{
    struct match match;

    bucket_match(recirc_id, bucket, &match);
    ofproto_dpif_delete_internal_flow(ofproto, &match, BUCKET_RULE_PRIORITY);
}

void
ob_attach_rule_stats(const struct ofproto_dpif *ofproto, struct rule *rule,
                     uint64_t *n_packets, uint64_t *n_bytes)
{
    struct pkt_stats stats;
    long long int used;

    ofproto->up.ofproto_class->rule_get_stats(rule, &stats, &used);
    *n_packets = stats.n_packets;
    *n_bytes = stats.n_bytes;
}

struct dpif *
ob_attach_dpif(const struct ofproto_dpif *ofproto)
{
    return ofproto->backer->dpif;
}

uint32_t
ob_attach_queue_priority(const struct ofproto_dpif *ofproto,
                         uint32_t queue_id)
{
    uint32_t priority;

    /* Zero on failure. */
    dpif_queue_to_priority(ofproto->backer->dpif, queue_id, &priority);
    return priority;
}

const struct dpif_backer *
ob_attach_backer(const struct ofproto_dpif *ofproto)
{
    return ofproto->backer;
}

bool
ob_attach_is_dummy(const struct ofproto_dpif *ofproto)
{
    return !strcmp(dpif_type(ofproto->backer->dpif), "dummy");
}

bool
ob_attach_is_userspace(const struct ofproto_dpif *ofproto)
{
    return !strcmp(dpif_type(ofproto->backer->dpif), "netdev");
}

odp_port_t
ob_attach_odp_port(const struct ofproto_dpif *ofproto,
                   const struct netdev *netdev)
{
    char buf[NETDEV_VPORT_NAME_BUFSIZE];
    struct dpif_port port;

    if (dpif_port_query_by_name(ofproto->backer->dpif,
                                netdev_vport_get_dpif_port(netdev, buf,
                                                           sizeof buf),
                                &port)) {
        return ODPP_NONE;
    }

    odp_port_t port_no = port.port_no;
    dpif_port_destroy(&port);
    return port_no;
}

static __thread uint64_t packets_now;

uint64_t
ob_attach_packets_now(void)
{
    return packets_now;
}

/* The type of IGMP message that this thread is translating, or 0. */
static __thread uint16_t igmp_now;

OB_HOOK(xlate_actions);
OB_HOOK(xlate_push_stats);
OB_HOOK(xlate_push_stats_entry);

/* Did a bond choose a member in this translation? */
static __thread bool chosen_now;

void
ob_attach_chosen(void)
{
    chosen_now = true;
}

/* What a bond has had recirculated is on its way by its member. */
static void
describe_source(const struct xlate_in *xin, struct ob_source_before *before)
{
    const struct flow *flow = &xin->flow;
    ofp_port_t port = flow->in_port.ofp_port;

    memset(before, 0, sizeof *before);
    before->mac = flow->dl_src;
    before->in_port = port;
    before->is_guest = (!(xin->frozen_state
                          && xin->frozen_state->table_id == TBL_INTERNAL)
                        && flow->packet_type == htonl(PT_ETH)
                        && (ofp_to_u16(port) < ofp_to_u16(OFPP_MAX)
                            || port == OFPP_LOCAL)
                        && !eth_addr_is_zero(flow->dl_src)
                        && !eth_addr_is_multicast(flow->dl_src)
                        && !eth_addr_is_reserved(flow->dl_dst));
    for (int i = 0; i < MIN(FLOW_MAX_VLAN_HEADERS, OB_MAX_TAGS); i++) {
        if (flow->vlans[i].tci & htons(VLAN_CFI)) {
            before->tags.tag[i].tpid = ntohs(flow->vlans[i].tpid);
            before->tags.tag[i].vid = vlan_tci_to_vid(flow->vlans[i].tci);
        }
    }
}

/* What a source needs to be heard of from now on: an entry in the cache that
 * OVS uses as often as the cached flow has been, and a flow of its own. */
static void
follow_source(struct xlate_in *xin, const struct ob_source_before *before,
              const struct ob_source_found *found)
{
    if (found->bond && xin->xcache
        && ovs_refcount_try_ref_rcu(&found->bond->ref_cnt)) {
        struct xc_entry *entry = xlate_cache_add_entry(xin->xcache, XC_BOND);

        entry->bond.bond = found->bond;
        entry->bond.flow = xzalloc(sizeof *entry->bond.flow);
        entry->bond.flow->dl_src = found->mac;
        entry->bond.vid = OB_SOURCE_VLAN;
    }
    if (found->exact && xin->wc && xin->flow.packet_type == htonl(PT_ETH)) {
        xin->wc->masks.dl_src = eth_addr_exact;
        if (before->tags.tag[0].tpid) {
            xin->wc->masks.vlans[0].tci |= htons(VLAN_VID_MASK | VLAN_CFI);
        }
    }
}

/* Translates, and looks for sources that nobody else learns. */
static enum xlate_error
translate_and_look(struct xlate_in *xin, struct xlate_out *xout)
{
    uint64_t stub[1024 / 8];
    struct ofpbuf actions = OFPBUF_STUB_INITIALIZER(stub);
    struct ofpbuf *asked_for = xin->odp_actions;
    struct ob_source_before before;
    struct ob_source_found found;
    enum xlate_error error;

    describe_source(xin, &before);
    if (!asked_for) {
        xin->odp_actions = &actions;
    }

    size_t start = xin->odp_actions->size;
    chosen_now = false;
    error = __real_xlate_actions(xin, xout);
    if (!error && !xin->trace) {
        ob_sources_look(xin->ofproto, xin->ofproto->backer, &before,
                        chosen_now,
                        ofpbuf_at(xin->odp_actions, start, 0),
                        xin->odp_actions->size - start, &found);
        follow_source(xin, &before, &found);
    }
    xin->odp_actions = asked_for;
    ofpbuf_uninit(&actions);
    return error;
}

static enum xlate_error
translate(struct xlate_in *xin, struct xlate_out *xout)
{
    return (ob_sources_wanted() ? translate_and_look(xin, xout)
            : __real_xlate_actions(xin, xout));
}

/* Appends to 'ofpacts': go through the flow tables as a frame to 'mac'. */
static void
put_readdress(struct ofpbuf *ofpacts, struct eth_addr mac)
{
    struct ofpact_resubmit *resubmit;

    ofpact_put_set_field(ofpacts, mf_from_id(MFF_ETH_DST), &mac, NULL);
    resubmit = ofpact_put_RESUBMIT(ofpacts);
    resubmit->in_port = OFPP_IN_PORT;
    resubmit->table_id = 0;
}

/* Translates, and hears answers to probes and what is for the host.  What the
 * engine wants is sent up each time, for a reason that all datapaths know. */
static enum xlate_error
translate_and_listen(struct xlate_in *xin, struct xlate_out *xout)
{
    static const struct ofpact nothing;
    uint64_t stub[128 / 8];
    struct ofpbuf ofpacts = OFPBUF_STUB_INITIALIZER(stub);
    struct ob_heard heard = ob_listen_look(xin->ofproto, &xin->flow);
    enum xlate_error error;

    if (!heard.bond) {
        return translate(xin, xout);
    }
    if (heard.wanted && xin->packet && xin->allow_side_effects
        && !xin->in_packet_out) {
        ob_listen_take(&heard, xin->packet);
    }
    if (heard.ends && !xin->rule && !xin->ofpacts) {
        xin->ofpacts = &nothing;        /* Of length 0: drop. */
        xin->ofpacts_len = 0;
    } else if (heard.for_host && !xin->rule && !xin->ofpacts) {
        put_readdress(&ofpacts, heard.host_mac);
        xin->ofpacts = ofpacts.data;
        xin->ofpacts_len = ofpacts.size;
    }
    error = translate(xin, xout);
    ofpbuf_uninit(&ofpacts);
    if (heard.wanted) {
        xout->slow |= SLOW_LACP;
    }
    if (xin->wc) {
        ob_listen_mask(&heard, xin->wc);
    }
    return error;
}

/* Translates, and takes what the host sends for the engine. */
static enum xlate_error
translate_and_take(struct xlate_in *xin, struct xlate_out *xout)
{
    struct ob_lb_now before = ob_lb_begin(xin);
    enum xlate_error error;

    error = (ob_listen_wanted() && !xin->frozen_state
             ? translate_and_listen(xin, xout) : translate(xin, xout));
    if (ob_lb_end(before)) {
        xout->slow |= SLOW_LACP;
    }
    return error;
}

enum xlate_error
__wrap_xlate_actions(struct xlate_in *xin, struct xlate_out *xout)
{
    packets_now = xin->resubmit_stats ? xin->resubmit_stats->n_packets : 0;
    igmp_now = (xin->flow.dl_type == htons(ETH_TYPE_IP)
                && xin->flow.nw_proto == IPPROTO_IGMP
                ? ntohs(xin->flow.tp_src) : 0);
    return translate_and_take(xin, xout);
}

void
__wrap_xlate_push_stats(struct xlate_cache *xcache,
                        struct dpif_flow_stats *stats, bool offloaded)
{
    packets_now = stats->n_packets;
    __real_xlate_push_stats(xcache, stats, offloaded);
}

/* Packets that OVS was told to send out. */
void
__wrap_xlate_push_stats_entry(struct xc_entry *entry,
                              struct dpif_flow_stats *stats, bool offloaded)
{
    packets_now = stats->n_packets;
    __real_xlate_push_stats_entry(entry, stats, offloaded);
}

OB_HOOK(mcast_snooping_add_group4);
OB_HOOK(mcast_snooping_add_mld);

/* The snooping table does not say which version a report was of.  OVS calls
 * this for versions 1 and 2. */
bool
__wrap_mcast_snooping_add_group4(struct mcast_snooping *ms, ovs_be32 ip4,
                                 uint16_t vlan, void *port)
{
    struct in6_addr group = in6_addr_mapped_ipv4(ip4);

    ob_groups_note(ms, &group, vlan,
                   igmp_now == IGMP_HOST_MEMBERSHIP_REPORT ? 1 : 2);
    return __real_mcast_snooping_add_group4(ms, ip4, vlan, port);
}

int
__wrap_mcast_snooping_add_mld(struct mcast_snooping *ms,
                              const struct dp_packet *p, uint16_t vlan,
                              void *port)
{
    struct bnd_cursor c = bnd_cursor(dp_packet_l4(p), dp_packet_l4_size(p));
    struct bnd_ip6 ip6;

    if (bnd_mld_decode_v1(c, &ip6)) {
        struct in6_addr group;

        memcpy(&group, &ip6, sizeof group);
        ob_groups_note(ms, &group, vlan, 1);
    }
    return __real_mcast_snooping_add_mld(ms, p, vlan, port);
}

OB_HOOK(ofproto_bundle_register);

/* Fills in 'members' as the rows of 's' say, their names from its ports. */
static void
lacp_members(const struct ofproto *ofproto,
             const struct ofproto_bundle_settings *s,
             struct lacp_member_settings members[])
{
    for (size_t i = 0; i < s->n_members; i++) {
        const struct ofport *port = ofproto_get_port(ofproto, s->members[i]);
        struct ob_lacp_member_keys keys;

        members[i].name = xstrdup(port ? netdev_get_name(port->netdev) : "");
        ob_config_lacp_member(s->name, members[i].name, &keys);
        members[i].id = keys.port_id;
        members[i].priority = keys.priority;
        members[i].key = keys.key;
    }
}

static bool
needs_lacp(const struct ofproto_bundle_settings *s, struct ob_lacp_keys *keys)
{
    struct bnd_settings base;
    bool needs;

    if (!s->bond) {
        return ob_config_needs_lacp(s->name, NULL, keys);
    }
    ob_bond_settings(s->bond, &base);
    needs = ob_config_needs_lacp(s->name, &base, keys);
    bnd_settings_uninit(&base);
    return needs;
}

/* A mode that needs LACP as Linux has it gets it, though its users may not know
 * Open vSwitch's columns; and what these do not say is for the engine to
 * choose.  So does a port that has only one interface left, or not more yet,
 * and is no bond to Open vSwitch. */
int
__wrap_ofproto_bundle_register(struct ofproto *ofproto, void *aux,
                               const struct ofproto_bundle_settings *s)
{
    struct ofproto_bundle_settings with = *s;
    struct lacp_settings lacp;
    struct ob_lacp_keys keys;
    int error;

    if (!needs_lacp(s, &keys)) {
        struct ob_owner *o = ob_owner_find(s->name);

        if (!s->bond && !s->lacp && o && o->lacp) {
            ob_owner_detach_lacp(o); /* No bond_run() will. */
        }
        return __real_ofproto_bundle_register(ofproto, aux, s);
    }
    lacp = (struct lacp_settings) {
        .name = s->name,
        .id = s->lacp ? s->lacp->id : keys.system,
        .priority = keys.system_priority,
        .active = keys.active,
        .fast = keys.fast,
        .fallback_ab_cfg = keys.fallback,
    };
    if (eth_addr_is_zero(lacp.id)
        && !ob_host_mac_asked(ofproto->name, &lacp.id)) {
        eth_addr_from_uint64(ofproto_get_datapath_id(ofproto), &lacp.id);
    }
    with.lacp = &lacp;
    with.lacp_members = xcalloc(s->n_members, sizeof *with.lacp_members);
    lacp_members(ofproto, s, with.lacp_members);
    error = __real_ofproto_bundle_register(ofproto, aux, &with);
    for (size_t i = 0; i < s->n_members; i++) {
        free(with.lacp_members[i].name);
    }
    free(with.lacp_members);
    return error;
}

OB_HOOK(xlate_bundle_set);
OB_HOOK(xlate_bundle_remove);
OB_HOOK(xlate_ofport_set);
OB_HOOK(xlate_ofport_remove);
OB_HOOK(xlate_remove_ofproto);

/* OVS does not tell otherwise which of its bundles a bond is of, and how they
 * are configured. */
void
__wrap_xlate_bundle_set(struct ofproto_dpif *ofproto, struct ofbundle *bundle,
                        const char *name, enum port_vlan_mode vlan_mode,
                        uint16_t qinq_ethtype, int vlan,
                        unsigned long *trunks, unsigned long *cvlans,
                        enum port_priority_tags_mode use_priority_tags,
                        const struct bond *bond, const struct lacp *lacp,
                        bool floodable, bool protected)
{
    const struct ob_bundle config = {
        .bundle = bundle,
        .ofproto = ofproto,
        .mode = vlan_mode,
        .qinq_ethtype = qinq_ethtype,
        .vlan = vlan,
        .trunks = trunks,
        .cvlans = cvlans,
        .priority_tags = use_priority_tags,
    };

    ob_bundles_set(&config);
    if (bond) {
        ovs_mutex_lock(&ob_host_mutex);
        CONST_CAST(struct bond *, bond)->bundle = bundle;
        ovs_mutex_unlock(&ob_host_mutex);
    }
    __real_xlate_bundle_set(ofproto, bundle, name, vlan_mode, qinq_ethtype,
                            vlan, trunks, cvlans, use_priority_tags, bond,
                            lacp, floodable, protected);
}

void
__wrap_xlate_bundle_remove(struct ofbundle *bundle)
{
    ob_bundles_remove(bundle);
    __real_xlate_bundle_remove(bundle);
}

void
__wrap_xlate_ofport_set(struct ofproto_dpif *ofproto, struct ofbundle *bundle,
                        struct ofport_dpif *port, ofp_port_t ofp_port,
                        odp_port_t odp_port, const struct netdev *netdev,
                        const struct cfm *cfm, const struct bfd *bfd,
                        const struct lldp *lldp, struct ofport_dpif *peer,
                        int stp_port_no, const struct rstp_port *rstp_port,
                        const struct ofproto_port_queue *qdscp, size_t n_qdscp,
                        enum ofputil_port_config config,
                        enum ofputil_port_state state, bool is_tunnel,
                        bool may_enable)
{
    ob_host_ports_set(ofproto, bundle, port, ofp_port, netdev);
    __real_xlate_ofport_set(ofproto, bundle, port, ofp_port, odp_port, netdev,
                            cfm, bfd, lldp, peer, stp_port_no, rstp_port,
                            qdscp, n_qdscp, config, state, is_tunnel,
                            may_enable);
}

void
__wrap_xlate_ofport_remove(struct ofport_dpif *port)
{
    ob_host_ports_remove(port);
    __real_xlate_ofport_remove(port);
}

void
__wrap_xlate_remove_ofproto(struct ofproto_dpif *ofproto)
{
    ob_bundles_remove_bridge(ofproto);
    __real_xlate_remove_ofproto(ofproto);
}

int
ob_attach_send_packet(const void *port, struct dp_packet *packet)
{
    return xlate_send_packet(port, false, packet);
}

size_t
ob_attach_next_addresses(const struct ofproto_dpif *ofproto,
                         const void *bundle, struct hmap_position *pos,
                         size_t n_look, struct ob_address addresses[],
                         size_t n, bool *done)
{
    struct mac_learning *ml = ofproto->ml;
    size_t found = 0;

    *done = false;
    ovs_rwlock_rdlock(&ml->rwlock);
    while (n_look-- > 0 && found < n) {
        struct hmap_node *node = hmap_at_position(&ml->table, pos);

        if (!node) {
            *done = true;
            break;
        }

        const struct mac_entry *e = CONTAINER_OF(node, struct mac_entry,
                                                 hmap_node);
        if (mac_entry_get_port(ml, e) != bundle) {
            addresses[found++] = (struct ob_address) {
                .mac = e->mac,
                .vlan = e->vlan,
                .bundle = mac_entry_get_port(ml, e),
            };
        }
    }
    ovs_rwlock_unlock(&ml->rwlock);
    return found;
}

bool
ob_attach_is_learned(const struct ofproto_dpif *ofproto,
                     struct eth_addr mac, uint16_t vlan)
{
    struct mac_learning *ml = ofproto->ml;
    bool learned;

    ovs_rwlock_rdlock(&ml->rwlock);
    learned = mac_learning_lookup(ml, mac, vlan) != NULL;
    ovs_rwlock_unlock(&ml->rwlock);
    return learned;
}

void
ob_attach_learn(const struct ofproto_dpif *ofproto, struct eth_addr mac,
                uint16_t vlan, const void *bundle)
{
    mac_learning_update(ofproto->ml, mac, vlan, false, false,
                        CONST_CAST(void *, bundle));
}

void
ob_attach_learn_told(const struct ofproto_dpif *ofproto, struct eth_addr mac,
                     uint16_t vlan, const void *bundle)
{
    mac_learning_update(ofproto->ml, mac, vlan, true, false,
                        CONST_CAST(void *, bundle));
}

/* Returns a port other than 'bundle' that wants group 'g', or null. */
static const void *
who_wants(const struct mcast_group *g, const void *bundle)
{
    const struct mcast_group_bundle *b;

    LIST_FOR_EACH (b, bundle_node, &g->bundle_lru) {
        if (b->port != bundle) {
            return b->port;
        }
    }
    return NULL;
}

size_t
ob_attach_next_groups(const struct ofproto_dpif *ofproto, const void *bundle,
                      struct hmap_position *pos, size_t n_look,
                      struct ob_group groups[], size_t n, bool *done)
{
    struct mcast_snooping *ms = ofproto->ms;
    size_t found = 0;

    *done = !ms;
    if (!ms) {
        return 0;
    }
    ovs_rwlock_rdlock(&ms->rwlock);
    while (n_look-- > 0 && found < n) {
        struct hmap_node *node = hmap_at_position(&ms->table, pos);

        if (!node) {
            *done = true;
            break;
        }

        const struct mcast_group *g = CONTAINER_OF(node, struct mcast_group,
                                                   hmap_node);
        const void *who = who_wants(g, bundle);
        if (who) {
            groups[found++] = (struct ob_group) {
                .addr = g->addr,
                .vlan = g->vlan,
                .bundle = who,
                .table = ms,
            };
        }
    }
    ovs_rwlock_unlock(&ms->rwlock);
    return found;
}

bool
ob_attach_lb_output_bytes(const struct ofproto_dpif *ofproto, uint32_t id,
                          uint64_t *bytes)
{
    return !dpif_bond_stats_get(ofproto->backer->dpif, id, bytes);
}

bool
ob_attach_ofproto_exists(const struct uuid *uuid)
{
    return ofproto_dpif_lookup_by_uuid(uuid) != NULL;
}

struct uuid
ob_attach_ofproto_uuid(const struct ofproto_dpif *ofproto)
{
    return ofproto->uuid;
}

const char *
ob_attach_local_name(const struct ofproto_dpif *ofproto)
{
    return ofproto->up.name;
}

OB_HOOK(netdev_set_etheraddr);

int
ob_attach_set_etheraddr(struct netdev *netdev, struct eth_addr mac)
{
    return __real_netdev_set_etheraddr(netdev, mac);
}

int
__wrap_netdev_set_etheraddr(struct netdev *netdev, const struct eth_addr mac)
{
    struct eth_addr wanted = mac;

    ob_host_mac_filter(netdev, &wanted);
    return __real_netdev_set_etheraddr(netdev, wanted);
}
