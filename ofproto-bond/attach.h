/* SPDX-License-Identifier: Apache-2.0 */

/* How we hook into this version of Open vSwitch
 * =============================================
 *
 * Whatever differs between the releases that we build against stands here and
 * in attach.c, so that a new release is a change of two files.  Open vSwitch
 * 3.1 is the reference.
 *
 * Threads: main. */

#ifndef OB_ATTACH_H
#define OB_ATTACH_H 1

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include "openflow/openflow.h"
#include "openvswitch/hmap.h"
#include "openvswitch/types.h"

struct dp_packet;
struct dpif;
struct dpif_backer;
struct netdev;
struct ofproto_dpif;
struct rule;
struct uuid;

/* Declares the two halves of 'FN', a function of OVS that the linker has us
 * interpose (--wrap; BND_HOOKS in vswitchd-ext/automake.mk). */
#define OB_HOOK(FN) \
    extern __typeof__(FN) __real_##FN; \
    extern __typeof__(FN) __wrap_##FN

/* Rules of priority 20 in the internal table, one per bucket, that match what
 * comes back from recirculation under 'recirc_id' with 'bucket' in the low 8
 * bits of dp_hash, and send it out by 'port'.  ob_attach_set_rule() adds or
 * changes one and returns it, or null on failure. */
struct rule *ob_attach_set_rule(struct ofproto_dpif *, uint32_t recirc_id,
                                int bucket, ofp_port_t port);
void ob_attach_delete_rule(struct ofproto_dpif *, uint32_t recirc_id,
                           int bucket);

/* The same for a rule that matches everything that comes back under
 * 'recirc_id', and sends it out by 'n' ports, each of which gets a copy. */
struct rule *ob_attach_set_flood_rule(struct ofproto_dpif *,
                                      uint32_t recirc_id,
                                      const ofp_port_t ports[], size_t n);
void ob_attach_delete_flood_rule(struct ofproto_dpif *, uint32_t recirc_id);

/* The same for one that sends it out by 'port' with the source 'mac'.
 * ob_attach_delete_flood_rule() deletes it. */
struct rule *ob_attach_set_source_rule(struct ofproto_dpif *,
                                       uint32_t recirc_id,
                                       struct eth_addr mac, ofp_port_t port);

/* What 'rule' has forwarded since it was added. */
void ob_attach_rule_stats(const struct ofproto_dpif *, struct rule *rule,
                          uint64_t *n_packets, uint64_t *n_bytes);

/* Reads the bytes per bucket of lb_output's 'id' into 'bytes'.  False if the
 * datapath does not tell. */
bool ob_attach_lb_output_bytes(const struct ofproto_dpif *, uint32_t id,
                               uint64_t *bytes);

/* The datapath of a bridge, and what OVS keeps of it.  ob_attach_is_dummy():
 * is it the one for tests?  ob_attach_is_userspace(): is it Open vSwitch's
 * own, with real devices?  ob_attach_odp_port() returns the datapath's number
 * for the port of 'netdev', or ODPP_NONE. */
struct dpif *ob_attach_dpif(const struct ofproto_dpif *);
bool ob_attach_is_dummy(const struct ofproto_dpif *);
bool ob_attach_is_userspace(const struct ofproto_dpif *);
const struct dpif_backer *ob_attach_backer(const struct ofproto_dpif *);
odp_port_t ob_attach_odp_port(const struct ofproto_dpif *,
                              const struct netdev *netdev);

/* Returns the priority that packets of OpenFlow queue 'queue_id' have in the
 * datapath, or 0 if that queue cannot be told from none. */
uint32_t ob_attach_queue_priority(const struct ofproto_dpif *,
                                  uint32_t queue_id);

/* Packets of the statistics that this thread is handing on to whoever keeps
 * some, at this moment: bond_account() is told of bytes only. */
uint64_t ob_attach_packets_now(void);

/* What dpif-netdev passes to its callback, as far as the action "output" is
 * concerned: its thread, and a flow that output does not look at.  Copied, it
 * is good for as long as the thread is. */
struct ob_datapath_aux {
    const void *pmd;
    const void *flow;
};

static inline struct ob_datapath_aux
ob_attach_copy_aux(const void *aux_)
{
    const struct ob_datapath_aux *aux = aux_;

    return (struct ob_datapath_aux) { .pmd = aux->pmd };
}

/* A bond has chosen a member for the flow that this thread translates. */
void ob_attach_chosen(void);

/* Sends 'packet' out by 'port', one of OVS's struct ofport_dpif, past all flow
 * tables.  Returns 0 or a positive errno. */
int ob_attach_send_packet(const void *port, struct dp_packet *packet);

/* An address that a bridge has learned. */
struct ob_address {
    struct eth_addr mac;
    uint16_t vlan;              /* 0: untagged. */
    const void *bundle;         /* Where it is, a struct ofbundle. */
};

/* Goes on through the addresses of bridge 'ofproto' from '*pos' (zeroed: from
 * the beginning), looking at no more than 'n_look'.  Stores in 'addresses' up
 * to 'n' of those that were not learned on 'bundle', a struct ofbundle, and
 * returns their number.  '*done' says whether the end was reached. */
size_t ob_attach_next_addresses(const struct ofproto_dpif *ofproto,
                                const void *bundle, struct hmap_position *pos,
                                size_t n_look, struct ob_address addresses[],
                                size_t n, bool *done);

/* 'mac' in 'vlan' is learned behind 'bundle', as if a packet had come from
 * there. */
void ob_attach_learn(const struct ofproto_dpif *ofproto, struct eth_addr mac,
                     uint16_t vlan, const void *bundle);

/* The same as if that packet had been a gratuitous ARP: what comes back of it by
 * a bond in the next seconds does not move 'mac' there. */
void ob_attach_learn_told(const struct ofproto_dpif *ofproto,
                          struct eth_addr mac, uint16_t vlan,
                          const void *bundle);

/* Has 'ofproto' learned 'mac' in 'vlan', wherever that is? */
bool ob_attach_is_learned(const struct ofproto_dpif *ofproto,
                          struct eth_addr mac, uint16_t vlan);

/* A multicast group that somebody behind a bridge wants. */
struct ob_group {
    struct in6_addr addr;       /* IPv4 ones are mapped. */
    uint16_t vlan;
    const void *bundle;         /* Where he is, a struct ofbundle. */
    const void *table;          /* It stands in, a struct mcast_snooping. */
};

/* The same for the groups of the bridge's multicast snooping table that are
 * wanted by others than 'bundle'. */
size_t ob_attach_next_groups(const struct ofproto_dpif *ofproto,
                             const void *bundle, struct hmap_position *pos,
                             size_t n_look, struct ob_group groups[],
                             size_t n, bool *done);

/* The name of the bridge's LOCAL port. */
const char *ob_attach_local_name(const struct ofproto_dpif *);

/* Gives 'netdev' the address 'mac', whatever bonds want it to have.  Returns 0
 * or a positive errno. */
int ob_attach_set_etheraddr(struct netdev *, struct eth_addr mac);

/* Does the bridge that had 'uuid' still exist? */
bool ob_attach_ofproto_exists(const struct uuid *uuid);
struct uuid ob_attach_ofproto_uuid(const struct ofproto_dpif *);

#endif /* attach.h */
