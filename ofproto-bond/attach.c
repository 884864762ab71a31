/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/attach.h"

#include "dpif.h"
#include "ofproto/ofproto-dpif.h"
#include "ofproto/ofproto-provider.h"
#include "openvswitch/match.h"
#include "openvswitch/ofp-actions.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(bond_attach);

/* Above the rule that drops stray recirculated packets, below OVS's own. */
#define BUCKET_RULE_PRIORITY 20

static void
bucket_match(uint32_t recirc_id, int bucket, struct match *match)
{
    match_init_catchall(match);
    match_set_recirc_id(match, recirc_id);
    match_set_dp_hash_masked(match, bucket, BOND_BUCKETS - 1);
}

struct rule *
ob_attach_set_rule(struct ofproto_dpif *ofproto, uint32_t recirc_id,
                   int bucket, ofp_port_t port)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
    uint64_t stub[128 / 8];
    struct ofpbuf ofpacts;
    struct rule *rule = NULL;
    struct match match;

    ofpbuf_use_stub(&ofpacts, stub, sizeof stub);
    ofpact_put_OUTPUT(&ofpacts)->port = port;
    bucket_match(recirc_id, bucket, &match);

    int error = ofproto_dpif_add_internal_flow(ofproto, &match,
                                               BUCKET_RULE_PRIORITY, 0,
                                               &ofpacts, &rule);
    if (error) {
        VLOG_ERR_RL(&rl, "bucket %d of recirculation id %"PRIu32": cannot "
                    "set its rule (%s)", bucket, recirc_id,
                    ovs_strerror(error));
        rule = NULL;
    }
    ofpbuf_uninit(&ofpacts);
    return rule;
}

void
ob_attach_delete_rule(struct ofproto_dpif *ofproto, uint32_t recirc_id,
                      int bucket)
{
    struct match match;

    bucket_match(recirc_id, bucket, &match);
    ofproto_dpif_delete_internal_flow(ofproto, &match, BUCKET_RULE_PRIORITY);
}

uint64_t
ob_attach_rule_bytes(const struct ofproto_dpif *ofproto, struct rule *rule)
{
    struct pkt_stats stats;
    long long int used;

    ofproto->up.ofproto_class->rule_get_stats(rule, &stats, &used);
    return stats.n_bytes;
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
