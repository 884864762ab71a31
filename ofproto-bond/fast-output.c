/* SPDX-License-Identifier: Apache-2.0 */

/* The part of the fast path that runs for every packet.
 *
 * odp_execute_actions() is interposed (--wrap): where the datapath passes its
 * own callback, the action lb_output with an id of ours is carried out here,
 * and everything else goes on as before, by that same callback. */

#include <config.h>
#include "ofproto-bond/fastpath.h"

#include <string.h>
#include "dp-packet.h"
#include "dpif.h"
#include "flow.h"
#include "netlink.h"
#include "odp-execute.h"
#include "ofproto-bond/fast-lanes.h"
#include "ofproto-bond/fastpath-private.h"
#include "openvswitch/ofpbuf.h"
#include "packets.h"
#include "random.h"
#include "util.h"
#include "wire/dissect.h"
#include "wire/eth.h"
#include "xmit/choose.h"
#include "xmit/hash.h"
#include "xmit/lb.h"

/* The datapath's function that does what odp_execute_actions() cannot, or null
 * before it is known. */
static ATOMIC(odp_execute_cb) dp_execute;

/* Set while this thread asks for it; what it learned. */
static __thread bool learning;
static __thread odp_execute_cb learned;

/* One execution: everything that stays the same for its packets. */
struct job {
    void *dp;
    odp_execute_cb cb;
    struct ob_fast_view *view;
    struct ob_count_block *block;
    struct ob_lanes *lanes;     /* To put packets in, or null. */
};

/* Sends 'batch', which is used up, by member 'm'. */
static inline ALWAYS_INLINE void
output(const struct job *job, struct dp_packet_batch *batch, uint8_t m)
{
    job->cb(job->dp, batch, &job->view->outputs[m].nla, true);
}

/* Modes that send a batch as one. */

static uint64_t
batch_bytes(const struct dp_packet_batch *batch)
{
    uint64_t n = 0;

    for (size_t i = 0; i < batch->count; i++) {
        n += dp_packet_size(batch->packets[i]);
    }
    return n;
}

static void
send_all(const struct job *job, struct dp_packet_batch *batch, uint8_t m)
{
    if (m == BND_VIEW_NONE) {
        dp_packet_delete_batch(batch, true);
        return;
    }
    ob_counts_add(&job->block->counts[m], batch->count, batch_bytes(batch));
    output(job, batch, m);
}

static void
send_broadcast(const struct job *job, struct dp_packet_batch *batch)
{
    const struct ob_fast_view *v = job->view;
    uint64_t n_bytes = batch_bytes(batch);
    size_t n = batch->count;

    if (!v->n_senders) {
        dp_packet_delete_batch(batch, true);
        return;
    }
    for (size_t i = 0; i < v->n_senders; i++) {
        uint8_t m = v->senders[i];
        bool last = i == v->n_senders - 1;

        ob_counts_add(&job->block->counts[m], n, n_bytes);
        job->cb(job->dp, batch, &v->outputs[m].nla, last);
    }
}

/* Modes that send each packet by a member of its own.  'members' has one for
 * each packet of 'batch'. */

/* Where packets of the two members go to: from 'n' on. */
struct sorted {
    struct dp_packet **packets;
    size_t n;
};

/* Sorts packets, without a branch that could be predicted wrongly: each is
 * written down for both members, and counts for its own.  Hence 'a' and 'b'
 * have room for one more than they get. */
static inline ALWAYS_INLINE void
sort_two(struct dp_packet *const packets[], size_t n, const uint8_t members[],
         struct sorted *a, struct sorted *b)
{
    size_t n0 = a->n, n1 = b->n;

    for (size_t i = 0; i < n; i++) {
        struct dp_packet *packet = packets[i];
        size_t m = members[i];

        a->packets[n0] = packet;
        b->packets[n1] = packet;
        n0 += !m;
        n1 += m;
    }
    a->n = n0;
    b->n = n1;
}

static void
scatter_two(const struct job *job, struct dp_packet_batch *batch,
            const uint8_t members[])
{
    struct dp_packet_batch other;
    /* Packets of 'batch' that have been read make room for those it keeps. */
    struct sorted a = { batch->packets, 0 };
    struct sorted b = { other.packets, 0 };

    sort_two(batch->packets, batch->count, members, &a, &b);
    if (a.n) {
        batch->count = a.n;
        output(job, batch, 0);
    }
    if (b.n) {
        other.count = b.n;
        other.trunc = false;
        output(job, &other, 1);
    }
}

static void
scatter(const struct job *job, struct dp_packet_batch *batch,
        const uint8_t members[])
{
    size_t n_members = job->view->n_members;
    struct dp_packet_batch out[n_members + 1];

    for (size_t m = 0; m <= n_members; m++) {
        dp_packet_batch_init(&out[m]);
    }
    for (size_t i = 0; i < batch->count; i++) {
        struct dp_packet_batch *o = &out[MIN(members[i], n_members)];

        o->packets[o->count++] = batch->packets[i];
    }
    for (size_t m = 0; m < n_members; m++) {
        if (out[m].count) {
            output(job, &out[m], m);
        }
    }
    /* Those that no member may send. */
    dp_packet_delete_batch(&out[n_members], true);
}

/* The same two into lanes. */

static void
fill_two(const struct job *job, const struct dp_packet_batch *batch,
         const uint8_t members[])
{
    struct ob_lanes *l = job->lanes;
    struct sorted a = { l->lanes[0].packets, l->lanes[0].n };
    struct sorted b = { l->lanes[1].packets, l->lanes[1].n };

    sort_two(batch->packets, batch->count, members, &a, &b);
    ob_lane_filled(l, job->view, 0, a.n);
    ob_lane_filled(l, job->view, 1, b.n);
}

static void
fill(const struct job *job, const struct dp_packet_batch *batch,
     const uint8_t members[])
{
    struct ob_lanes *l = job->lanes;

    for (size_t i = 0; i < batch->count; i++) {
        struct ob_lane *lane = &l->lanes[members[i]];

        lane->packets[lane->n++] = batch->packets[i];
    }
    for (size_t m = 0; m < l->n_lanes; m++) {
        ob_lane_filled(l, job->view, m, l->lanes[m].n);
    }
}

static void
send_each(const struct job *job, struct dp_packet_batch *batch,
          const uint8_t members[])
{
    bool two = job->view->n_members == 2 && !job->view->gaps;

    if (OVS_LIKELY(job->lanes && !job->view->gaps)) {
        (two ? fill_two : fill)(job, batch, members);
    } else {
        (two ? scatter_two : scatter)(job, batch, members);
    }
}

/* OpenFlow queues that are a member's own. */

/* Returns the member that packets of 'priority' leave by, or BND_VIEW_NONE if
 * they go where all others go. */
static uint8_t
pinned_to(const struct ob_fast_view *v, uint32_t priority)
{
    for (uint32_t i = 0; i < v->n_pins; i++) {
        if (v->pins[i].priority == priority) {
            return v->pins[i].member;
        }
    }
    return BND_VIEW_NONE;
}

/* Takes packets of such queues out of 'batch' and sends them. */
static void
send_pinned(const struct job *job, struct dp_packet_batch *batch)
{
    const struct ob_fast_view *v = job->view;
    uint8_t members[NETDEV_MAX_BURST];
    struct dp_packet_batch pinned;
    size_t n = batch->count;
    uint8_t m = BND_VIEW_NONE;  /* The last packet's, whose... */
    uint32_t last = 0;          /* ...priority was this. */

    dp_packet_batch_init(&pinned);
    batch->count = 0;
    for (size_t i = 0; i < n; i++) {
        struct dp_packet *packet = batch->packets[i];

        if (packet->md.skb_priority != last) {
            last = packet->md.skb_priority;
            m = pinned_to(v, last);
        }
        if (m == BND_VIEW_NONE) {
            batch->packets[batch->count++] = packet;
        } else {
            members[pinned.count] = m;
            pinned.packets[pinned.count++] = packet;
            ob_counts_add(&job->block->counts[m], 1, dp_packet_size(packet));
        }
    }
    if (pinned.count) {
        scatter(job, &pinned, members);
    }
}

/* Modes with buckets. */

/* Returns 'hash' % 'view->n_slots' without a division: the fraction that is
 * left of the product with the inverse, times the divisor. */
static inline ALWAYS_INLINE uint32_t
slot_of(const struct ob_fast_view *view, uint32_t hash)
{
    if (OVS_LIKELY(view->n_slots == BND_N_SLOTS)) {
        return hash % BND_N_SLOTS;
    }
    uint64_t fraction = view->inverse * hash;

    return ((unsigned __int128) fraction * view->n_slots) >> 64;
}

typedef uint32_t hash_func(const struct ob_fast_view *,
                           const struct dp_packet *);

static inline ALWAYS_INLINE void
send_hashed(const struct job *job, struct dp_packet_batch *batch,
            hash_func *hash)
{
    const struct ob_fast_view *v = job->view;
    struct ob_counts *counts = job->block->counts;
    uint8_t members[NETDEV_MAX_BURST];
    size_t n = batch->count;

    /* Packets in a row for the same bucket are counted together: adding to
     * what was stored an instant ago is slow. */
    uint32_t last = 0;
    uint64_t n_packets = 0, n_bytes = 0;

    for (size_t i = 0; i < n; i++) {
        const struct dp_packet *packet = batch->packets[i];
        uint32_t slot = slot_of(v, hash(v, packet));

        if (slot != last) {
            ob_counts_add(&counts[last], n_packets, n_bytes);
            n_packets = n_bytes = 0;
            last = slot;
        }
        n_packets++;
        n_bytes += dp_packet_size(packet);
        members[i] = v->places[slot];
    }
    ob_counts_add(&counts[last], n_packets, n_bytes);
    send_each(job, batch, members);
}

static inline ALWAYS_INLINE const uint8_t *
frame_of(const struct dp_packet *packet)
{
    return dp_packet_data(packet);
}

static inline ALWAYS_INLINE uint32_t
hash_l4(const struct ob_fast_view *v OVS_UNUSED,
        const struct dp_packet *packet)
{
    if (OVS_LIKELY(dp_packet_rss_valid(packet))) {
        return dp_packet_get_rss_hash(packet);
    }

    struct flow flow;
    flow_extract(CONST_CAST(struct dp_packet *, packet), &flow);
    return flow_hash_5tuple(&flow, 0);
}

static inline ALWAYS_INLINE uint32_t
hash_src(const struct ob_fast_view *v, const struct dp_packet *packet)
{
    const struct eth_header *eth = dp_packet_data(packet);
    uint16_t vlan = 0;

    if (eth_type_vlan(eth->eth_type)
        && dp_packet_size(packet) >= VLAN_ETH_HEADER_LEN) {
        vlan = vlan_tci_to_vid(((const struct vlan_eth_header *) eth)
                               ->veth_tci);
    }
    return bnd_hash_src(eth->eth_src, vlan, v->basis);
}

/* A hash_func that calls the policy's function HASH. */
#define POLICY_HASH(NAME)                                           \
    static inline ALWAYS_INLINE uint32_t                                   \
    hash_##NAME(const struct ob_fast_view *v OVS_UNUSED,            \
                const struct dp_packet *packet)                     \
    {                                                               \
        return bnd_hash_##NAME(frame_of(packet),                    \
                               dp_packet_size(packet));             \
    }
POLICY_HASH(layer2)
POLICY_HASH(layer23)
POLICY_HASH(layer34)
POLICY_HASH(encap23)
POLICY_HASH(encap34)
POLICY_HASH(vlan_srcmac)

static uint32_t
hash_any(const struct ob_fast_view *v, const struct dp_packet *packet)
{
    return bnd_hash_frame(v->policy, v->compat, frame_of(packet),
                          dp_packet_size(packet));
}

static void
send_by_policy(const struct job *job, struct dp_packet_batch *batch)
{
    if (job->view->compat) {
        send_hashed(job, batch, hash_any);
        return;
    }
    switch ((enum bnd_policy) job->view->policy) {
    case BND_POLICY_LAYER2:
        send_hashed(job, batch, hash_layer2);
        break;

    case BND_POLICY_LAYER23:
        send_hashed(job, batch, hash_layer23);
        break;

    case BND_POLICY_LAYER34:
        send_hashed(job, batch, hash_layer34);
        break;

    case BND_POLICY_VLAN_SRCMAC:
        send_hashed(job, batch, hash_vlan_srcmac);
        break;

    case BND_POLICY_ENCAP23:
        send_hashed(job, batch, hash_encap23);
        break;

    case BND_POLICY_ENCAP34:
        send_hashed(job, batch, hash_encap34);
        break;

    case BND_N_POLICIES:
    default:
        OVS_NOT_REACHED();
    }
}

/* The host apart from all others (balance-tlb, balance-alb). */

/* Returns the place that 'packet', one of the host's, is counted at. */
static inline ALWAYS_INLINE uint32_t
host_place(const struct ob_fast_view *v, const struct dp_packet *packet,
           bool by_ip, enum bnd_policy policy)
{
    const uint8_t *frame = frame_of(packet);
    size_t len = dp_packet_size(packet);
    int slot;

    if (OVS_UNLIKELY(v->compat)
        || !bnd_lb_try_slot(v->base, by_ip, policy, frame, len, &slot)) {
        slot = bnd_lb_slot__(v->base, frame, len);
    }
    return slot < 0 ? OB_UNBALANCED : OB_HOST_PLACE(slot);
}

/* As send_hashed(), and gives the host's frames the address of the member that
 * they leave by. */
static inline ALWAYS_INLINE void
send_lb(const struct job *job, struct dp_packet_batch *batch, bool by_ip,
        enum bnd_policy policy)
{
    const struct ob_fast_view *v = job->view;
    struct ob_counts *counts = job->block->counts;
    uint8_t members[NETDEV_MAX_BURST];
    uint64_t n_packets = 0, n_bytes = 0;
    size_t n = batch->count;
    uint32_t last = 0;

    for (size_t i = 0; i < n; i++) {
        struct dp_packet *packet = batch->packets[i];
        bool is_host = bnd_peek_src(frame_of(packet)) == v->host_src;
        uint32_t place = (OVS_LIKELY(is_host)
                          ? host_place(v, packet, by_ip, policy)
                          : slot_of(v, hash_src(v, packet)));

        if (place != last) {
            ob_counts_add(&counts[last], n_packets, n_bytes);
            n_packets = n_bytes = 0;
            last = place;
        }
        n_packets++;
        n_bytes += dp_packet_size(packet);
        members[i] = v->places[place];
        if (is_host) {
            struct eth_header *eth = dp_packet_data(packet);

            eth->eth_src = v->srcs[members[i]];
        }
    }
    ob_counts_add(&counts[last], n_packets, n_bytes);
    send_each(job, batch, members);
}

static void
send_by_host(const struct job *job, struct dp_packet_batch *batch)
{
    if (job->view->base->lb_by_ip) {
        send_lb(job, batch, true, BND_POLICY_LAYER2);
        return;
    }
    switch ((enum bnd_policy) job->view->policy) {
    case BND_POLICY_LAYER2:
        send_lb(job, batch, false, BND_POLICY_LAYER2);
        break;

    case BND_POLICY_LAYER23:
        send_lb(job, batch, false, BND_POLICY_LAYER23);
        break;

    case BND_POLICY_LAYER34:
        send_lb(job, batch, false, BND_POLICY_LAYER34);
        break;

    case BND_POLICY_VLAN_SRCMAC:
        send_lb(job, batch, false, BND_POLICY_VLAN_SRCMAC);
        break;

    case BND_POLICY_ENCAP23:
        send_lb(job, batch, false, BND_POLICY_ENCAP23);
        break;

    case BND_POLICY_ENCAP34:
        send_lb(job, batch, false, BND_POLICY_ENCAP34);
        break;

    case BND_N_POLICIES:
    default:
        OVS_NOT_REACHED();
    }
}

/* balance-rr. */

/* Deals in turn, one packet each.  'turn' is the first one's.  Where everyone
 * takes his own turn, packets i, i + n, i + 2n... are one member's. */
static void
deal_singly(const struct job *job, struct dp_packet_batch *batch, size_t turn)
{
    const struct ob_fast_view *v = job->view;
    struct ob_lanes *l = job->lanes;
    size_t n_members = v->n_members;
    size_t n = batch->count;

    for (size_t first = 0; first < n_members && first < n; first++) {
        struct dp_packet_batch out;
        size_t had = l ? l->lanes[turn].n : 0;
        struct dp_packet **to = l ? l->lanes[turn].packets : out.packets;
        uint64_t n_bytes = 0;
        size_t k = had;

        for (size_t i = first; i < n; i += n_members) {
            struct dp_packet *packet = batch->packets[i];

            to[k++] = packet;
            n_bytes += dp_packet_size(packet);
        }
        ob_counts_add(&job->block->counts[turn], k - had, n_bytes);
        if (l) {
            ob_lane_filled(l, v, turn, k);
        } else {
            out.count = k;
            out.trunc = false;
            output(job, &out, turn);
        }
        turn = turn + 1 == n_members ? 0 : turn + 1;
    }
}

/* Deals packet by packet, 'turn' being the number of the first one. */
static void
deal(const struct job *job, struct dp_packet_batch *batch, uint32_t turn)
{
    const struct ob_fast_view *v = job->view;
    uint8_t members[NETDEV_MAX_BURST];
    uint32_t per = v->packets_per;

    for (size_t i = 0; i < batch->count; i++) {
        uint32_t k = per ? turn / per : random_uint32();
        uint8_t m = v->turns[k % v->n_members];

        members[i] = m;
        turn++;
        ob_counts_add(&job->block->counts[m], 1, dp_packet_size(batch->packets[i]));
    }
    send_each(job, batch, members);
}

/* May there be IGMP in 'batch'?  Looks for its number where it is to be found,
 * and takes what else stands there for it; and short packets, too. */
static inline ALWAYS_INLINE bool
may_have_igmp(const struct dp_packet_batch *batch)
{
    bool maybe = false;

    for (size_t i = 0; i < batch->count; i++) {
        maybe |= bnd_eth_may_be_igmp(frame_of(batch->packets[i]),
                                     dp_packet_size(batch->packets[i]));
    }
    return maybe;
}

/* Takes IGMP out of 'batch' and sends it by the active member: a switch that
 * snoops must not see the host wander. */
static void
send_igmp(const struct job *job, struct dp_packet_batch *batch)
{
    struct dp_packet_batch igmp;
    size_t n = batch->count;

    dp_packet_batch_init(&igmp);
    batch->count = 0;
    for (size_t i = 0; i < n; i++) {
        struct dp_packet *packet = batch->packets[i];

        dp_packet_batch_add(bnd_eth_is_igmp(frame_of(packet),
                                            dp_packet_size(packet))
                            ? &igmp : batch, packet);
    }
    if (igmp.count) {
        send_all(job, &igmp, job->view->active);
    }
}

static void
send_in_turn(const struct job *job, struct dp_packet_batch *batch)
{
    const struct ob_fast_view *v = job->view;
    uint32_t turn;

    if (OVS_UNLIKELY(v->n_pins)) {
        send_pinned(job, batch);
    }
    if (OVS_UNLIKELY(may_have_igmp(batch))) {
        send_igmp(job, batch);
    }
    if (!v->n_senders) {
        dp_packet_delete_batch(batch, true);
        return;
    }
    if (!batch->count) {
        return;
    }

    /* The counter says how many were dealt before; the first packet ever is
     * number 1, as in Linux. */
    atomic_add_relaxed(&v->fast->turn, (uint32_t) batch->count, &turn);
    turn++;
    if (v->in_turn && v->packets_per == 1) {
        deal_singly(job, batch, turn % v->n_members);
    } else {
        deal(job, batch, turn);
    }
}

/* Execution. */

static void
send_batch(const struct job *job, struct dp_packet_batch *batch)
{
    switch ((enum bnd_xmit) job->view->xmit) {
    case BND_XMIT_ACTIVE:
        if (OVS_UNLIKELY(job->view->n_pins)) {
            send_pinned(job, batch);
        }
        if (OVS_LIKELY(batch->count)) {
            send_all(job, batch, job->view->active);
        }
        break;

    case BND_XMIT_SRC_MAC:
        send_hashed(job, batch, hash_src);
        break;

    case BND_XMIT_L4:
        send_hashed(job, batch, hash_l4);
        break;

    case BND_XMIT_POLICY:
        send_by_policy(job, batch);
        break;

    case BND_XMIT_RR:
        send_in_turn(job, batch);
        break;

    case BND_XMIT_BROADCAST:
        send_broadcast(job, batch);
        break;

    case BND_XMIT_LB:
        send_by_host(job, batch);
        break;

    case BND_N_XMITS:
    default:
        OVS_NOT_REACHED();
    }
}

/* Carries out lb_output('id') on 'batch', which is used up if 'steal'.  False,
 * and nothing done, if the id is not ours. */
static bool
execute_lb_output(void *dp, odp_execute_cb cb, struct dp_packet_batch *batch,
                  uint32_t id, bool steal)
{
    struct ob_fast *f = ob_fast_find(id);
    struct ob_fast_view *view
        = f ? ovsrcu_get(struct ob_fast_view *, &f->view) : NULL;
    struct dp_packet_batch clones;

    if (OVS_UNLIKELY(!view)) {
        return false;
    }
    if (!steal) {
        dp_packet_batch_clone(&clones, batch);
        dp_packet_batch_reset_cutlen(batch);
        batch = &clones;
    }
    dp_packet_batch_apply_cutlen(batch);

    if (OVS_UNLIKELY(!batch->count)) {
        return true;
    }

    struct job job = { dp, cb, view, ob_fast_block(view), NULL };
    if (OVS_LIKELY(job.block)) {
        if (view->xmit != BND_XMIT_ACTIVE
            && view->xmit != BND_XMIT_BROADCAST) {
            job.lanes = ob_lanes_get(view, dp, cb,
                                     batch->packets[0]->source);
        }
        send_batch(&job, batch);
    } else {
        struct ob_count_block block;

        memset(&block, 0, sizeof block);
        job.block = &block;
        send_batch(&job, batch);
        ob_fast_count_shared(view, &block);
    }
    return true;
}

void
ob_fast_deal_anew(struct ob_fast_view *view, void *dp, odp_execute_cb cb,
                  struct dp_packet_batch *batch, struct ob_counts moved[])
{
    struct ob_count_block block;
    struct job job = { dp, cb, view, &block, NULL };

    memset(&block, 0, sizeof block);
    send_batch(&job, batch);
    for (size_t i = 0; i < ob_fast_n_counters(view); i++) {
        size_t m = ob_fast_has_places(view) ? view->places[i] : i;

        if (block.counts[i].n_packets && m < view->n_members) {
            ob_counts_add(&moved[m], block.counts[i].n_packets,
                          block.counts[i].n_bytes);
        }
    }
}

/* Stands in for the datapath's callback. */
static void
execute_one(void *dp, struct dp_packet_batch *batch,
            const struct nlattr *action, bool steal)
{
    odp_execute_cb cb;

    atomic_read_relaxed(&dp_execute, &cb);
    if (nl_attr_type(action) != OVS_ACTION_ATTR_LB_OUTPUT
        || !execute_lb_output(dp, cb, batch, nl_attr_get_u32(action),
                              steal)) {
        cb(dp, batch, action, steal);
    }
}

OB_HOOK(odp_execute_actions);

void
__wrap_odp_execute_actions(void *dp, struct dp_packet_batch *batch,
                           bool steal, const struct nlattr *actions,
                           size_t actions_len, odp_execute_cb cb)
{
    odp_execute_cb known;

    atomic_read_relaxed(&dp_execute, &known);
    if (OVS_LIKELY(cb == known && cb)) {
        /* The usual flow to a bond has no other action. */
        if (actions_len == NL_ATTR_SIZE(sizeof(uint32_t))
            && nl_attr_type(actions) == OVS_ACTION_ATTR_LB_OUTPUT
            && execute_lb_output(dp, cb, batch, nl_attr_get_u32(actions),
                                 steal)) {
            return;
        }
        cb = execute_one;
    } else if (OVS_UNLIKELY(learning)) {
        learned = cb;
        dp_packet_delete_batch(batch, steal);
        return;
    }
    __real_odp_execute_actions(dp, batch, steal, actions, actions_len, cb);
}

/* Has 'dpif' execute lb_output(0), which no bond has for an id, and sees which
 * callback it comes with.  That it comes from the datapath itself is sure:
 * OVS's library would only help out with actions that need help. */
bool
ob_fast_learn(struct dpif *dpif)
{
    odp_execute_cb known;
    uint64_t stub[64 / 8];
    struct ofpbuf actions;
    struct dp_packet packet;
    struct flow flow;

    atomic_read_relaxed(&dp_execute, &known);
    if (known) {
        return true;
    }

    ofpbuf_use_stub(&actions, stub, sizeof stub);
    nl_msg_put_u32(&actions, OVS_ACTION_ATTR_LB_OUTPUT, 0);
    dp_packet_init(&packet, ETH_TOTAL_MIN);
    dp_packet_put_zeros(&packet, ETH_TOTAL_MIN);
    flow_extract(&packet, &flow);

    struct dpif_execute execute = {
        .actions = actions.data,
        .actions_len = actions.size,
        .packet = &packet,
        .flow = &flow,
    };

    learned = NULL;
    learning = true;
    dpif_execute(dpif, &execute);
    learning = false;

    if (learned) {
        atomic_store_explicit(&dp_execute, learned, memory_order_release);
    }
    dp_packet_uninit(&packet);
    ofpbuf_uninit(&actions);
    return learned != NULL;
}
