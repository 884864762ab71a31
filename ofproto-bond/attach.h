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

#include <stdbool.h>
#include <stdint.h>
#include "openflow/openflow.h"
#include "openvswitch/types.h"

struct ofproto_dpif;
struct rule;
struct uuid;

/* Rules of priority 20 in the internal table, one per bucket, that match what
 * comes back from recirculation under 'recirc_id' with 'bucket' in the low 8
 * bits of dp_hash, and send it out by 'port'.  ob_attach_set_rule() adds or
 * changes one and returns it, or null on failure. */
struct rule *ob_attach_set_rule(struct ofproto_dpif *, uint32_t recirc_id,
                                int bucket, ofp_port_t port);
void ob_attach_delete_rule(struct ofproto_dpif *, uint32_t recirc_id,
                           int bucket);

/* Bytes that 'rule' has forwarded since it was added. */
uint64_t ob_attach_rule_bytes(const struct ofproto_dpif *, struct rule *rule);

/* Reads the bytes per bucket of lb_output's 'id' into 'bytes'.  False if the
 * datapath does not tell. */
bool ob_attach_lb_output_bytes(const struct ofproto_dpif *, uint32_t id,
                               uint64_t *bytes);

/* Does the bridge that had 'uuid' still exist? */
bool ob_attach_ofproto_exists(const struct uuid *uuid);
struct uuid ob_attach_ofproto_uuid(const struct ofproto_dpif *);

#endif /* attach.h */
