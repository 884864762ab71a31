/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/buckets.h"

#include <stdlib.h>
#include <string.h>
#include "dpif.h"
#include "netdev.h"
#include "odp-util.h"
#include "ofproto/ofproto-dpif.h"
#include "ofproto/ofproto-dpif-rid.h"
#include "ofproto-bond/attach.h"
#include "ofproto-bond/fastpath.h"
#include "ofproto-bond/handle.h"
#include "ofproto-bond/lb-flow.h"
#include "ofproto-bond/lb-rules.h"
#include "openvswitch/vlog.h"
#include "util.h"
#include "uuid.h"
#include "xmit/choose.h"
#include "xmit/resolve.h"

BUILD_ASSERT_DECL(BND_N_SLOTS == BOND_BUCKETS);

VLOG_DEFINE_THIS_MODULE(bond_buckets);

/* Dumps of all flows that have to end, one after the other, before no cached
 * flow can be older than a change: one may have ended just before the change
 * without us having seen it, one before OVS asked for revalidation, one was
 * under way by then. */
#define SETTLE_DUMPS 4

struct ob_buckets {
    struct ofproto_dpif *ofproto;   /* Valid while 'uuid' exists. */
    struct uuid uuid;
    bool is_dummy;              /* What 'ofproto' has for a datapath... */
    bool has_lb_output;         /* ...and whether that could choose when it
                                 * was asked last. */
    bool wants_id;              /* Does the mode own an id in any case? */
    uint32_t id;                /* In the datapath, or 0. */
    enum ob_mechanism mech;
    unsigned int n_dumps;       /* Of all flows that ended since 'mech' is. */
    bool incomplete;            /* Something could not be installed. */
    bool stock_like;            /* Mode and mechanism are stock OVS's. */

    /* OB_MECH_RULES: as installed. */
    ofp_port_t port[BND_N_SLOTS];   /* OFPP_NONE: not installed. */
    struct rule *rule[BND_N_SLOTS]; /* Null: not installed. */
    ofp_port_t flood[BND_VIEW_MAX]; /* Ports of the flood rule... */
    size_t n_flood;                 /* ...0: there is none... */
    struct rule *flood_rule;        /* ...which is this. */

    /* OB_MECH_LB_OUTPUT. */
    struct ob_fast *fast;       /* Lives as long as 'id' does, or null. */
    bool stock_map;             /* OVS's own map is filled in, too... */
    ofp_port_t stock_port[BND_N_SLOTS]; /* ...with these. */

    /* Counters.  OB_MECH_LB_OUTPUT keeps its own. */
    struct ob_stats past;       /* What flows and rules have carried. */
    struct ob_counts seen[BND_N_SLOTS]; /* Rules, when they were read last. */
    struct ob_counts flood_seen;
    bnd_id member[OB_N_PLACES]; /* Whose traffic rule or flow was. */
    bnd_id senders[BND_VIEW_MAX]; /* 'n_flood' of them. */
    uint64_t told[OB_N_PLACES]; /* Bytes when they were asked for last. */
};

struct ob_buckets *
ob_buckets_create(struct ofproto_dpif *ofproto)
{
    struct ob_buckets *b = xzalloc(sizeof *b);

    b->ofproto = ofproto;
    b->uuid = ob_attach_ofproto_uuid(ofproto);
    b->is_dummy = ob_attach_is_dummy(ofproto);
    b->has_lb_output = ovs_lb_output_action_supported(ofproto);
    for (int i = 0; i < BND_N_SLOTS; i++) {
        b->port[i] = b->stock_port[i] = OFPP_NONE;
    }
    return b;
}

const struct ofproto_dpif *
ob_buckets_ofproto(const struct ob_buckets *b)
{
    return ob_attach_ofproto_exists(&b->uuid) ? b->ofproto : NULL;
}

uint32_t
ob_buckets_id(const struct ob_buckets *b)
{
    return b ? b->id : 0;
}

void
ob_buckets_describe(const struct ob_buckets *b, const char **name,
                    const char **why, bool *as_stock)
{
    /* The bridge may be gone already. */
    *as_stock = b->is_dummy && b->stock_like;
    switch (b->mech) {
    case OB_MECH_NONE:
        *name = *why = NULL;
        break;

    case OB_MECH_FLOW:
    case OB_MECH_RULES:
        *name = b->mech == OB_MECH_FLOW ? "flow" : "recirculation";
        *why = (!b->has_lb_output ? "the datapath has no lb_output"
                : b->is_dummy ? "the dummy datapath shows stock flows"
                : "lb-output-action=false");
        break;

    case OB_MECH_LB_OUTPUT:
        *name = "lb_output";
        *why = "the datapath chooses for each packet";
        break;

    default:
        OVS_NOT_REACHED();
    }
}

odp_port_t
ob_buckets_odp_port(const struct ob_buckets *b, const struct netdev *netdev)
{
    return (b->has_lb_output
            ? ob_attach_odp_port(b->ofproto, netdev) : ODPP_NONE);
}

/* Counters. */

/* Adds to the sums what place 'i' (or -1 for none) has carried for 'id'. */
static void
add_past(struct ob_buckets *b, int i, bnd_id id, struct ob_counts more)
{
    if (!more.n_packets && !more.n_bytes) {
        return;
    }
    if (i >= 0) {
        ob_counts_add(&b->past.places[i], more.n_packets, more.n_bytes);
    }
    if (id != BND_NO_MEMBER) {
        ob_counts_add(ob_stats_member(&b->past, id), more.n_packets,
                      more.n_bytes);
    }
}

/* Returns what 'rule' has carried since it was asked last. */
static struct ob_counts
rule_delta(const struct ob_buckets *b, struct rule *rule,
           struct ob_counts *seen)
{
    struct ob_counts now, delta = { 0, 0 };

    ob_attach_rule_stats(b->ofproto, rule, &now.n_packets, &now.n_bytes);
    if (now.n_bytes >= seen->n_bytes && now.n_packets >= seen->n_packets) {
        delta.n_packets = now.n_packets - seen->n_packets;
        delta.n_bytes = now.n_bytes - seen->n_bytes;
    }
    *seen = now;
    return delta;
}

/* Returns '*counter' and sets it to zero, losing nothing that comes in
 * between. */
static uint64_t
take(atomic_uint64_t *counter)
{
    uint64_t n, orig;

    atomic_read_relaxed(counter, &n);
    if (n) {
        atomic_sub_relaxed(counter, n, &orig);
    }
    return n;
}

/* Brings 'b->past' up to date.  What flows and rules have carried goes to the
 * members that they led to since the last call. */
static void
collect(struct ob_buckets *b, struct bond *bond)
{
    for (int i = 0; i < OB_N_PLACES; i++) {
        struct ob_counts flow = {
            .n_packets = take(&bond->packets[i]),
            .n_bytes = take(&bond->bytes[i]),
        };

        if (flow.n_packets || flow.n_bytes) {
            add_past(b, i, b->member[i], flow);
        }
        if (i < BND_N_SLOTS && b->rule[i]) {
            add_past(b, i, b->member[i],
                     rule_delta(b, b->rule[i], &b->seen[i]));
        }
    }

    if (b->flood_rule) {
        struct ob_counts flood = rule_delta(b, b->flood_rule, &b->flood_seen);

        for (size_t i = 0; i < b->n_flood; i++) {
            add_past(b, -1, b->senders[i], flood);
        }
    }
}

/* Takes note of whom flows and rules lead to from now on. */
static void
note_members(struct ob_buckets *b, const struct ob_view *ov)
{
    for (int i = 0; i < OB_N_PLACES; i++) {
        uint8_t m = ov ? ob_lb_member(ov->view, i) : BND_VIEW_NONE;

        b->member[i] = (m == BND_VIEW_NONE
                        ? BND_NO_MEMBER : ov->view->members[m].id);
    }
    for (size_t i = 0; ov && i < ov->view->n_members; i++) {
        if (ov->view->members[i].queue_id) {
            b->member[ob_flow_slot(ov->view, i)] = ov->view->members[i].id;
        }
    }
}

void
ob_buckets_get_stats(struct ob_buckets *b, struct bond *bond,
                     struct ob_stats *stats)
{
    collect(b, bond);
    if (b->fast) {
        ob_fast_get_stats(b->fast, stats);
    } else {
        memset(stats, 0, sizeof *stats);
    }
    ob_stats_add(stats, &b->past);
}

void
ob_buckets_account(struct ob_buckets *b, struct bond *bond,
                   uint64_t bytes[])
{
    uint64_t stock[BND_N_SLOTS];
    bool has_stock = (!b->fast && b->stock_map
                      && ob_attach_lb_output_bytes(b->ofproto, b->id, stock));
    struct ob_stats stats;

    ob_buckets_get_stats(b, bond, &stats);
    for (int i = 0; i < OB_N_PLACES; i++) {
        uint64_t now = (stats.places[i].n_bytes
                        + (has_stock && i < BND_N_SLOTS ? stock[i] : 0));

        /* Less than before, if the datapath's counters began anew. */
        bytes[i] += now >= b->told[i] ? now - b->told[i] : 0;
        b->told[i] = now;
    }
    ob_stats_uninit(&stats);
}

/* Taking down. */

static void
drop_stock_map(struct ob_buckets *b)
{
    if (b->stock_map) {
        ofproto_dpif_delete_lb_output_buckets(b->ofproto, b->id);
        b->stock_map = false;
    }
    for (int i = 0; i < BND_N_SLOTS; i++) {
        b->stock_port[i] = OFPP_NONE;
    }
}

/* Deletes the rules from the bridge, if 'exists', and forgets them. */
static void
drop_rules(struct ob_buckets *b, bool exists)
{
    for (int i = 0; i < BND_N_SLOTS; i++) {
        if (b->rule[i] && exists) {
            ob_attach_delete_rule(b->ofproto, b->id, i);
        }
        b->rule[i] = NULL;
        b->port[i] = OFPP_NONE;
        memset(&b->seen[i], 0, sizeof b->seen[i]);
    }
    if (b->flood_rule && exists) {
        ob_attach_delete_flood_rule(b->ofproto, b->id);
    }
    b->flood_rule = NULL;
    b->n_flood = 0;
    memset(&b->flood_seen, 0, sizeof b->flood_seen);
}

/* Takes the buckets out of wherever they are.  A fast path stays, for flows
 * that still lead to it. */
static void
uninstall(struct ob_buckets *b, struct bond *bond)
{
    bool exists = ob_attach_ofproto_exists(&b->uuid);

    atomic_store(&bond->recirc_id, 0);
    atomic_store(&bond->lb_output, false);
    if (exists) {
        collect(b, bond);
        drop_stock_map(b);
    }
    drop_rules(b, exists);
    b->mech = OB_MECH_NONE;
    b->n_dumps = 0;
}

/* Adds what the fast path has sent to the sums: it is about to go. */
static void
keep_fast_stats(struct ob_buckets *b)
{
    struct ob_stats stats;

    ob_fast_get_stats(b->fast, &stats);
    ob_stats_add(&b->past, &stats);
    ob_stats_uninit(&stats);
}

void
ob_buckets_clear(struct ob_buckets *b, struct bond *bond)
{
    if (!b) {
        return;
    }
    uninstall(b, bond);
    ob_lb_rules_update(bond, b->ofproto, false,
                       ob_attach_ofproto_exists(&b->uuid));
    if (b->fast) {
        ob_bond_set_fast(bond, NULL);
        keep_fast_stats(b);
        ob_fast_destroy(b->fast);
        b->fast = NULL;
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
    if (b) {
        ob_stats_uninit(&b->past);
        free(b);
    }
}

/* Is the id of no use any more? */
static bool
is_idle(const struct ob_buckets *b)
{
    return !b->wants_id && (b->mech == OB_MECH_NONE
                            || b->mech == OB_MECH_FLOW);
}

static void
need_id(struct ob_buckets *b)
{
    if (!b->id) {
        b->id = recirc_alloc_id(b->ofproto);
        if (!b->id) {
            VLOG_ERR("no recirculation id is left");
        }
    }
}

void
ob_buckets_want_id(struct ob_buckets *b, struct bond *bond, bool want)
{
    b->wants_id = want;
    if (want) {
        need_id(b);
    } else if (b->id && !b->fast) {
        ob_buckets_clear(b, bond);
    }
}

bool
ob_buckets_settle(struct ob_buckets *b, struct bond *bond)
{
    if (b && b->id && is_idle(b)) {
        if (++b->n_dumps >= SETTLE_DUMPS) {
            ob_buckets_clear(b, bond);
            return ob_buckets_update(b, bond); /* The same mechanism. */
        }
    } else if (b && b->incomplete) {
        return ob_buckets_update(b, bond);
    }
    return false;
}

/* Installing. */

/* Returns the port of each bucket in 'ov'.  Buckets without a member keep the
 * port they had: nothing is sent to them while the bond has no member. */
static void
wanted_ports(const ofp_port_t had[BND_N_SLOTS], const struct ob_view *ov,
             ofp_port_t ports[BND_N_SLOTS])
{
    for (int i = 0; i < BND_N_SLOTS; i++) {
        uint8_t m = (ov->view->n_slots
                     ? ov->view->slots[i % ov->view->n_slots]
                     : BND_VIEW_NONE);

        ports[i] = m == BND_VIEW_NONE ? had[i] : ov->ofp_port[m];
    }
}

static bool
install_rules(struct ob_buckets *b, const struct ob_view *ov)
{
    ofp_port_t ports[BND_N_SLOTS];
    bool ok = true;

    wanted_ports(b->port, ov, ports);
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
install_flood(struct ob_buckets *b, const struct ob_view *ov)
{
    ofp_port_t ports[BND_VIEW_MAX];
    struct bnd_resolved r;

    bnd_view_resolve(ov->view, NULL, &r);
    for (size_t i = 0; i < r.n_senders; i++) {
        ports[i] = ov->ofp_port[r.senders[i]];
        b->senders[i] = ov->view->members[r.senders[i]].id;
    }
    if (!r.n_senders || (b->flood_rule && r.n_senders == b->n_flood
                         && !memcmp(ports, b->flood,
                                    r.n_senders * sizeof *ports))) {
        return true;
    }

    struct rule *rule = ob_attach_set_flood_rule(b->ofproto, b->id, ports,
                                                 r.n_senders);
    if (!rule) {
        return false;
    }
    b->flood_rule = rule;
    memcpy(b->flood, ports, r.n_senders * sizeof *ports);
    b->n_flood = r.n_senders;
    return true;
}

/* Fills in OVS's own map, for who looks at it (dpif-netdev/bond-show). */
static bool
install_stock_map(struct ob_buckets *b, const struct ob_view *ov)
{
    ofp_port_t ports[BND_N_SLOTS];

    wanted_ports(b->stock_port, ov, ports);
    if (memcmp(ports, b->stock_port, sizeof ports)) {
        int error = ofproto_dpif_add_lb_output_buckets(b->ofproto, b->id,
                                                       ports);
        if (error) {
            VLOG_ERR("bond id %"PRIu32": the datapath refuses its buckets "
                     "(%s)", b->id, ovs_strerror(error));
            return false;
        }
        memcpy(b->stock_port, ports, sizeof ports);
        b->stock_map = true;
    }
    return true;
}

static bool
install_lb_output(struct ob_buckets *b, struct bond *bond,
                  const struct ob_view *ov)
{
    if (!b->fast && ob_fast_learn(ob_attach_dpif(b->ofproto))) {
        b->fast = ob_fast_create(b->id);
        ob_bond_set_fast(bond, b->fast);
    }
    return (ov->view->xmit == BND_XMIT_L4
            ? install_stock_map(b, ov) : b->fast != NULL);
}

/* Can the datapath choose as 'view' says, and shall it? */
static bool
use_lb_output(const struct ob_buckets *b, const struct bnd_view *view)
{
    if (!b->has_lb_output) {
        return false;
    }
    switch ((enum bnd_xmit) view->xmit) {
    case BND_XMIT_POLICY:
    case BND_XMIT_RR:
    case BND_XMIT_BROADCAST:
    case BND_XMIT_LB:
        return true;            /* Nothing else does it justice. */

    case BND_XMIT_ACTIVE:
    case BND_XMIT_SRC_MAC:
    case BND_XMIT_L4:
        /* Flows of these modes look as in stock OVS in the datapath that is
         * there to look at flows. */
        return (view->lb == BND_LB_YES
                || (view->lb == BND_LB_AUTO
                    && !b->is_dummy));

    case BND_N_XMITS:
    default:
        OVS_NOT_REACHED();
    }
}

/* What the view asks for, as far as the datapath can. */
static enum ob_mechanism
wanted_mechanism(const struct ob_buckets *b, const struct ob_view *ov)
{
    const struct bnd_view *view = ov ? ov->view : NULL;
    bool by_rules = false;

    if (!view) {
        return OB_MECH_NONE;
    }
    if (use_lb_output(b, view)) {
        return OB_MECH_LB_OUTPUT;
    }
    switch ((enum bnd_xmit) view->xmit) {
    case BND_XMIT_L4:
    case BND_XMIT_BROADCAST:
        by_rules = true;
        break;

    case BND_XMIT_POLICY:
        /* These two look at nothing but what every flow has anyway. */
        by_rules = (view->policy != BND_POLICY_LAYER2
                    && view->policy != BND_POLICY_VLAN_SRCMAC);
        break;

    case BND_XMIT_ACTIVE:
    case BND_XMIT_SRC_MAC:
    case BND_XMIT_RR:
    case BND_XMIT_LB:
        break;

    case BND_N_XMITS:
    default:
        OVS_NOT_REACHED();
    }
    if (by_rules && b->mech != OB_MECH_RULES
        && (view->blocked || view->active == BND_VIEW_NONE)) {
        return OB_MECH_NONE;    /* Nobody to send to yet. */
    }
    return by_rules ? OB_MECH_RULES : OB_MECH_FLOW;
}

bool
ob_buckets_update(struct ob_buckets *b, struct bond *bond)
{
    const struct ob_view *ov = ob_bond_view(bond);

    b->has_lb_output = ovs_lb_output_action_supported(b->ofproto);

    enum ob_mechanism mech = wanted_mechanism(b, ov);

    if (mech == OB_MECH_RULES || mech == OB_MECH_LB_OUTPUT) {
        need_id(b);
        if (!b->id) {
            mech = OB_MECH_FLOW;
        }
    }

    b->stock_like = (!ov || (ov->view->xmit <= BND_XMIT_L4
                             && (mech != OB_MECH_LB_OUTPUT
                                 || (ov->view->lb == BND_LB_YES
                                     && ov->view->xmit == BND_XMIT_L4))));
    collect(b, bond);
    if (mech != b->mech
        || (mech == OB_MECH_RULES
            && (ov->view->xmit == BND_XMIT_BROADCAST) != !!b->flood_rule)) {
        uninstall(b, bond);
        b->mech = mech;
    }
    if (mech == OB_MECH_LB_OUTPUT && ov->view->xmit != BND_XMIT_L4) {
        drop_stock_map(b);
    }
    note_members(b, ov);

    bool anew = ob_lb_rules_update(bond, b->ofproto,
                                   mech == OB_MECH_FLOW
                                   && ov->view->xmit == BND_XMIT_LB, true);
    if (mech == OB_MECH_NONE || mech == OB_MECH_FLOW) {
        b->incomplete = false;
        return anew;
    }

    b->incomplete = !(mech == OB_MECH_LB_OUTPUT
                      ? install_lb_output(b, bond, ov)
                      : ov->view->xmit == BND_XMIT_BROADCAST
                      ? install_flood(b, ov)
                      : install_rules(b, ov));
    if (!b->incomplete) {
        atomic_store(&bond->lb_output, mech == OB_MECH_LB_OUTPUT);
        atomic_store(&bond->recirc_id, b->id);
    }
    return anew;
}

void
ob_buckets_forget_port(struct ob_buckets *b, ofp_port_t port)
{
    for (int i = 0; b && i < BND_N_SLOTS; i++) {
        if (b->port[i] == port) {
            b->port[i] = OFPP_NONE;
        }
        if (b->stock_port[i] == port) {
            b->stock_port[i] = OFPP_NONE;
        }
    }
    for (size_t i = 0; b && i < b->n_flood; i++) {
        if (b->flood[i] == port) {
            b->flood[i] = OFPP_NONE;
        }
    }
}
