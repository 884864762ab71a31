/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/buckets.h"

#include <stdlib.h>
#include <string.h>
#include "dpif.h"
#include "ofproto/ofproto-dpif.h"
#include "ofproto/ofproto-dpif-rid.h"
#include "ofproto-bond/attach.h"
#include "ofproto-bond/handle.h"
#include "openvswitch/vlog.h"
#include "util.h"
#include "uuid.h"

BUILD_ASSERT_DECL(BND_N_SLOTS == BOND_BUCKETS);

VLOG_DEFINE_THIS_MODULE(bond_buckets);

/* Where the buckets are. */
enum mechanism {
    MECH_NONE,                  /* Nowhere: translation chooses. */
    MECH_RULES,                 /* Post-recirculation rules. */
    MECH_LB_OUTPUT              /* The datapath's map. */
};

struct ob_buckets {
    struct ofproto_dpif *ofproto;   /* Valid while 'uuid' exists. */
    struct uuid uuid;
    uint32_t id;                /* Recirculation id, or 0. */
    enum mechanism mech;
    ofp_port_t port[BND_N_SLOTS];   /* As installed, or OFPP_NONE. */
    struct rule *rule[BND_N_SLOTS]; /* MECH_RULES: as installed, or null. */
    uint64_t seen[BND_N_SLOTS]; /* Counters when they were read last. */
    bool incomplete;            /* Something could not be installed. */
};

struct ob_buckets *
ob_buckets_create(struct ofproto_dpif *ofproto)
{
    struct ob_buckets *b = xzalloc(sizeof *b);

    b->ofproto = ofproto;
    b->uuid = ob_attach_ofproto_uuid(ofproto);
    for (int i = 0; i < BND_N_SLOTS; i++) {
        b->port[i] = OFPP_NONE;
    }
    return b;
}

uint32_t
ob_buckets_id(const struct ob_buckets *b)
{
    return b ? b->id : 0;
}

/* Takes the buckets out of wherever they are. */
static void
uninstall(struct ob_buckets *b, struct bond *bond)
{
    atomic_store(&bond->recirc_id, 0);
    atomic_store(&bond->lb_output, false);

    if (b->mech == MECH_LB_OUTPUT) {
        ofproto_dpif_delete_lb_output_buckets(b->ofproto, b->id);
    }
    for (int i = 0; i < BND_N_SLOTS; i++) {
        if (b->mech == MECH_RULES && b->rule[i]) {
            ob_attach_delete_rule(b->ofproto, b->id, i);
        }
        b->rule[i] = NULL;
        b->port[i] = OFPP_NONE;
        b->seen[i] = 0;
    }
    b->mech = MECH_NONE;
}

void
ob_buckets_clear(struct ob_buckets *b, struct bond *bond)
{
    if (!b) {
        return;
    }
    if (ob_attach_ofproto_exists(&b->uuid)) {
        uninstall(b, bond);
    } else {
        /* The bridge took its rules and its datapath with it. */
        atomic_store(&bond->recirc_id, 0);
        atomic_store(&bond->lb_output, false);
        b->mech = MECH_NONE;
    }
    if (b->id) {
        recirc_free_id(b->id);
        b->id = 0;
    }
}

void
ob_buckets_destroy(struct ob_buckets *b, struct bond *bond)
{
    ob_buckets_clear(b, bond);
    free(b);
}

void
ob_buckets_want_id(struct ob_buckets *b, struct bond *bond, bool want)
{
    if (!want) {
        ob_buckets_clear(b, bond);
    } else if (!b->id) {
        b->id = recirc_alloc_id(b->ofproto);
        if (!b->id) {
            VLOG_ERR("no recirculation id is left");
        }
    }
}

/* Returns the port of each bucket in 'view'.  Buckets without a member keep
 * the port they had: nothing is sent to them while the bond has no member. */
static void
wanted_ports(const struct ob_buckets *b, const struct ob_view *ov,
             ofp_port_t ports[BND_N_SLOTS])
{
    for (int i = 0; i < BND_N_SLOTS; i++) {
        uint8_t m = ov->view->slots[i];

        ports[i] = m == BND_VIEW_NONE ? b->port[i] : ov->ofp_port[m];
    }
}

static bool
install_rules(struct ob_buckets *b, const ofp_port_t ports[BND_N_SLOTS])
{
    bool ok = true;

    for (int i = 0; i < BND_N_SLOTS; i++) {
        if (ports[i] != b->port[i]) {
            struct rule *rule = ob_attach_set_rule(b->ofproto, b->id, i,
                                                   ports[i]);
            if (rule) {
                b->rule[i] = rule;
                b->port[i] = ports[i];
            } else {
                ok = false;
            }
        }
    }
    return ok;
}

static bool
install_lb_output(struct ob_buckets *b, const ofp_port_t ports[BND_N_SLOTS])
{
    if (memcmp(ports, b->port, sizeof b->port)) {
        int error = ofproto_dpif_add_lb_output_buckets(b->ofproto, b->id,
                                                       ports);
        if (error) {
            VLOG_ERR("bond id %"PRIu32": the datapath refuses its buckets "
                     "(%s)", b->id, ovs_strerror(error));
            return false;
        }
        memcpy(b->port, ports, sizeof b->port);
    }
    return true;
}

/* What the view asks for, as far as the datapath can. */
static enum mechanism
wanted_mechanism(const struct ob_buckets *b, const struct ob_view *ov)
{
    if (!ov || !b->id || !ov->view->recirculate || ov->view->blocked
        || ov->view->active == BND_VIEW_NONE) {
        /* Nothing can be sent; what is installed does no harm. */
        return (ov && ov->view->recirculate ? b->mech : MECH_NONE);
    }
    return (ov->view->lb_output && ovs_lb_output_action_supported(b->ofproto)
            ? MECH_LB_OUTPUT : MECH_RULES);
}

void
ob_buckets_update(struct ob_buckets *b, struct bond *bond)
{
    const struct ob_view *ov = ovsrcu_get(struct ob_view *, &bond->view);
    enum mechanism mech = wanted_mechanism(b, ov);
    ofp_port_t ports[BND_N_SLOTS];

    if (mech != b->mech) {
        uninstall(b, bond);
        b->mech = mech;
    }
    if (mech == MECH_NONE) {
        return;
    }

    wanted_ports(b, ov, ports);
    b->incomplete = !(mech == MECH_LB_OUTPUT
                      ? install_lb_output(b, ports)
                      : install_rules(b, ports));
    if (!b->incomplete) {
        atomic_store(&bond->lb_output, mech == MECH_LB_OUTPUT);
        atomic_store(&bond->recirc_id, b->id);
    }
}

void
ob_buckets_forget_port(struct ob_buckets *b, ofp_port_t port)
{
    for (int i = 0; b && i < BND_N_SLOTS; i++) {
        if (b->port[i] == port) {
            b->port[i] = OFPP_NONE;
        }
    }
}

bool
ob_buckets_is_incomplete(const struct ob_buckets *b)
{
    return b && b->incomplete;
}

/* Counters only grow, unless a datapath thread goes and takes its share with
 * it. */
static uint64_t
counter_delta(uint64_t now, uint64_t *seen)
{
    uint64_t delta = now >= *seen ? now - *seen : 0;

    *seen = now;
    return delta;
}

void
ob_buckets_account(struct ob_buckets *b, struct bond *bond,
                   uint64_t bytes[BND_N_SLOTS])
{
    uint64_t n[BND_N_SLOTS];

    for (int i = 0; i < BND_N_SLOTS; i++) {
        uint64_t flow_bytes;

        /* Taking away what was read, not setting to zero: more may have come
         * in between. */
        atomic_read_relaxed(&bond->bytes[i], &flow_bytes);
        if (flow_bytes) {
            uint64_t orig;

            atomic_sub_relaxed(&bond->bytes[i], flow_bytes, &orig);
        }
        bytes[i] += flow_bytes;
    }

    switch (b->mech) {
    case MECH_RULES:
        for (int i = 0; i < BND_N_SLOTS; i++) {
            if (b->rule[i]) {
                bytes[i] += counter_delta(
                    ob_attach_rule_bytes(b->ofproto, b->rule[i]),
                    &b->seen[i]);
            }
        }
        break;

    case MECH_LB_OUTPUT:
        if (ob_attach_lb_output_bytes(b->ofproto, b->id, n)) {
            for (int i = 0; i < BND_N_SLOTS; i++) {
                bytes[i] += counter_delta(n[i], &b->seen[i]);
            }
        }
        break;

    case MECH_NONE:
        break;

    default:
        OVS_NOT_REACHED();
    }
}
