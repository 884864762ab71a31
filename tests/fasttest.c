/* SPDX-License-Identifier: Apache-2.0 */

/* The packet path of the userspace datapath, without a datapath.
 *
 *     fasttest [NAME...]      runs those tests, or all
 *
 * Views are published, batches are executed, and what comes out at the
 * datapath's callback is compared, packet by packet, with what the view says.
 * A packet carries its number in its last four octets. */

#include <config.h>
#undef NDEBUG

#include <stdlib.h>
#include <string.h>
#include "dp-packet.h"
#include "dpif.h"
#include "netdev.h"
#include "netlink.h"
#include "odp-execute.h"
#include "odp-util.h"
#include "ofproto-bond/fast-lanes.h"
#include "ofproto-bond/fastpath.h"
#include "ofproto-bond/lb-flow.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vlog.h"
#include "ovs-rcu.h"
#include "ovs-thread.h"
#include "packets.h"
#include "unaligned.h"
#include "util.h"
#include "wire/eth.h"
#include "xmit/choose.h"
#include "xmit/hash.h"
#include "xmit/lb.h"

#define BOND_ID 1077            /* Shares its place with id 53. */
#define FRAME_LEN 90
#define MAX_PORTS 64
#define MAX_LOG 70000
#define PORT_OF(ID) ((ID) + 10)
#define PRIORITY_OF(QUEUE) ((QUEUE) + 0x10001)

#define CHECK(CONDITION)                                                \
    do {                                                                \
        if (!(CONDITION)) {                                             \
            ovs_fatal(0, "%s:%d: not true: %s", __FILE__, __LINE__,     \
                      #CONDITION);                                      \
        }                                                               \
    } while (0)

/* The datapath. */

/* What came out of one port, from any thread. */
static struct {
    atomic_uint64_t n_packets;
    atomic_uint64_t n_bytes;
} ports[MAX_PORTS];

/* What came out at all, in order; only while one thread sends. */
static struct {
    uint32_t number;
    uint32_t port;
    uint32_t size;
    struct eth_addr src;
} out[MAX_LOG];
static size_t n_out;
static size_t n_stolen;         /* Packets that the callback was to free. */
static bool logging = true;

static uint32_t strange_id;     /* Of the last lb_output that came through. */
static int n_strange;

static struct ob_datapath_aux dp;

static uint8_t *
frame_of(const struct dp_packet *packet)
{
    uint8_t *frame = dp_packet_data(packet);

    CHECK(frame);
    return frame;
}

static uint32_t
number_of(const struct dp_packet *packet)
{
    return get_unaligned_u32((const void *)
                             (frame_of(packet) + FRAME_LEN - 4));
}

static void
emit(const struct dp_packet *packet, uint32_t port)
{
    uint64_t orig;

    CHECK(port < MAX_PORTS);
    atomic_add_relaxed(&ports[port].n_packets, 1, &orig);
    atomic_add_relaxed(&ports[port].n_bytes, dp_packet_size(packet), &orig);
    if (logging) {
        CHECK(n_out < MAX_LOG);
        out[n_out].number = number_of(packet);
        out[n_out].port = port;
        memcpy(&out[n_out].src, frame_of(packet) + 6, sizeof out[0].src);
        out[n_out++].size = dp_packet_size(packet);
    }
}

static bool benchmarking;       /* Do no more than a datapath has to. */
static struct dp_packet *bench_out[MAX_PORTS][NETDEV_MAX_BURST];

static void
datapath_cb(void *aux, struct dp_packet_batch *batch,
            const struct nlattr *action, bool steal)
{
    if (benchmarking) {
        memcpy(bench_out[odp_to_u32(nl_attr_get_odp_port(action))],
               batch->packets, batch->count * sizeof batch->packets[0]);
        return;
    }
    CHECK(((struct ob_datapath_aux *) aux)->pmd == dp.pmd);
    CHECK(batch->count <= NETDEV_MAX_BURST);
    if (nl_attr_type(action) == OVS_ACTION_ATTR_LB_OUTPUT) {
        strange_id = nl_attr_get_u32(action);
        n_strange++;
    } else {
        struct dp_packet *packet;

        CHECK(nl_attr_type(action) == OVS_ACTION_ATTR_OUTPUT);
        CHECK(batch->count);
        CHECK(!batch->trunc);
        DP_PACKET_BATCH_FOR_EACH (i, packet, batch) {
            emit(packet, odp_to_u32(nl_attr_get_odp_port(action)));
        }
    }
    if (logging && steal) {
        n_stolen += batch->count;
    }
    dp_packet_delete_batch(batch, steal);
}

int __wrap_dpif_execute(struct dpif *, struct dpif_execute *);
extern __typeof__(odp_execute_actions) __wrap_odp_execute_actions;

int
__wrap_dpif_execute(struct dpif *dpif OVS_UNUSED, struct dpif_execute *e)
{
    struct dp_packet_batch batch;

    dp_packet_batch_init_packet(&batch, e->packet);
    odp_execute_actions(&dp, &batch, false, e->actions, e->actions_len,
                        datapath_cb);
    return 0;
}

/* The queue that a PMD thread asks. */
int __real_netdev_rxq_recv(struct netdev_rxq *, struct dp_packet_batch *,
                           int *);
int __wrap_netdev_rxq_recv(struct netdev_rxq *, struct dp_packet_batch *,
                           int *);

int
__real_netdev_rxq_recv(struct netdev_rxq *rxq OVS_UNUSED,
                       struct dp_packet_batch *batch OVS_UNUSED,
                       int *qfill OVS_UNUSED)
{
    return 0;
}

/* Packets. */

static uint64_t
rand64(uint64_t *state)
{
    /* Marsaglia, "Xorshift RNGs", 2003. */
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static uint64_t dice = 88172645463325252;

static struct dp_packet *
make_packet(uint32_t number, uint64_t *state)
{
    struct dp_packet *p = dp_packet_new(FRAME_LEN);
    uint8_t *frame = dp_packet_put_zeros(p, FRAME_LEN);

    for (int i = 0; i < 12; i++) {
        frame[i] = rand64(state) >> 20;
    }
    frame[0] &= ~1;
    if (rand64(state) % 4) {
        frame[12] = 0x08;
        frame[14] = 0x45;
        frame[17] = FRAME_LEN - ETH_HEADER_LEN;
        frame[23] = rand64(state) % 2 ? IPPROTO_TCP : IPPROTO_UDP;
        for (int i = 26; i < 38; i++) {
            frame[i] = rand64(state) >> 20;
        }
    } else {
        frame[12] = 0x88;
        frame[13] = 0xb5;
    }
    put_unaligned_u32((void *) &frame[FRAME_LEN - 4], number);
    dp_packet_set_rss_hash(p, rand64(state) >> 16);
    return p;
}

static struct dp_packet *
make_igmp(uint32_t number, bool tagged)
{
    struct dp_packet *p = make_packet(number, &dice);
    uint8_t *frame = frame_of(p);

    memset(frame + 12, 0, 30);
    frame[12] = 0x08;
    frame[14] = 0x45;
    frame[23] = IPPROTO_IGMP;
    if (tagged) {
        memmove(frame + 16, frame + 12, 26);
        memcpy(frame + 12, "\x81\0\0\x05", 4);
    }
    return p;
}

/* Views. */

static struct bnd_view *
make_view(enum bnd_xmit xmit, size_t n_members, size_t n_slots)
{
    struct bnd_view *view = bnd_view_new(n_members);

    view->xmit = xmit;
    view->packets_per = 1;
    view->n_slots = n_slots;
    for (size_t i = 0; i < n_members; i++) {
        view->members[i].id = i + 1;
        view->members[i].enabled = view->members[i].cuttable = true;
    }
    if (n_members) {
        view->active = 0;
        view->next_active = n_members > 1 ? 1 : BND_VIEW_NONE;
    }
    for (size_t i = 0; i < n_slots; i++) {
        view->slots[i] = i % n_members;
        view->backup[i] = (i + 1) % n_members;
    }
    return view;
}

static void
publish(struct ob_fast *f, const struct bnd_view *view)
{
    odp_port_t odp[BND_VIEW_MAX];
    uint32_t priorities[BND_VIEW_MAX];

    for (size_t i = 0; view && i < view->n_members; i++) {
        uint16_t queue_id = view->members[i].queue_id;

        odp[i] = u32_to_odp(PORT_OF(view->members[i].id));
        priorities[i] = queue_id ? PRIORITY_OF(queue_id) : 0;
    }
    ob_fast_publish(f, view, odp, priorities);
    ovsrcu_quiesce();
}

static bool
is_hashed(const struct bnd_view *view)
{
    return (view->xmit == BND_XMIT_SRC_MAC || view->xmit == BND_XMIT_L4
            || view->xmit == BND_XMIT_POLICY || view->xmit == BND_XMIT_LB);
}

/* Returns the hash by which 'view' is to find the bucket of 'p'. */
static uint32_t
hash_of(const struct bnd_view *view, const struct dp_packet *p)
{
    const uint8_t *frame = frame_of(p);

    if (view->xmit == BND_XMIT_L4) {
        return dp_packet_get_rss_hash(p);
    } else if (view->xmit == BND_XMIT_SRC_MAC || view->xmit == BND_XMIT_LB) {
        struct eth_addr src;

        memcpy(&src, frame + 6, sizeof src);
        return bnd_hash_src(src, 0, view->basis);
    }
    return bnd_hash_frame(view->policy, view->compat, frame,
                          dp_packet_size(p));
}

/* Executing. */

static void
execute_id(uint32_t id, struct dp_packet_batch *batch, bool steal)
{
    uint64_t stub[64 / 8];
    struct ofpbuf actions;

    ofpbuf_use_stub(&actions, stub, sizeof stub);
    nl_msg_put_u32(&actions, OVS_ACTION_ATTR_LB_OUTPUT, id);
    odp_execute_actions(&dp, batch, steal, actions.data, actions.size,
                        datapath_cb);
    ofpbuf_uninit(&actions);
}

/* Sends 'n' packets, numbered from 0, in batches of up to 'burst', and forgets
 * what came out before. */
static void
send_packets(size_t n, size_t burst)
{
    n_out = 0;
    for (size_t i = 0; i < n; ) {
        struct dp_packet_batch batch;

        dp_packet_batch_init(&batch);
        for (; i < n && batch.count < burst; i++) {
            dp_packet_batch_add(&batch, make_packet(i, &dice));
        }
        execute_id(BOND_ID, &batch, true);
    }
}

/* Sends a packet for each digit of 'queues', the queue that it is in (0: none),
 * and forgets what came out before. */
static void
send_queues(const char *queues, size_t burst)
{
    n_out = 0;
    for (size_t i = 0; queues[i]; ) {
        struct dp_packet_batch batch;

        dp_packet_batch_init(&batch);
        for (; queues[i] && batch.count < burst; i++) {
            struct dp_packet *p = make_packet(i, &dice);

            p->md.skb_priority = (queues[i] == '0'
                                  ? 0 : PRIORITY_OF(queues[i] - '0'));
            dp_packet_batch_add(&batch, p);
        }
        execute_id(BOND_ID, &batch, true);
    }
}

/* Compares the ports by which packets 0, 1... left, as members' indexes. */
static void
expect_members(const char *want)
{
    char got[1024];

    CHECK(n_out < sizeof got);
    memset(got, '?', sizeof got);
    for (size_t i = 0; i < n_out; i++) {
        got[out[i].number] = '0' + out[i].port - PORT_OF(1);
    }
    got[n_out] = '\0';
    if (strcmp(got, want)) {
        ovs_fatal(0, "members %s, expected %s", got, want);
    }
}

static uint64_t
sent_by(const struct ob_stats *stats, bnd_id id)
{
    for (size_t i = 0; i < stats->n_members; i++) {
        if (stats->members[i].id == id) {
            return stats->members[i].counts.n_packets;
        }
    }
    return 0;
}

/* The counters are what came out of the ports since 'ports' were cleared. */
static void
check_counters(struct ob_fast *f)
{
    struct ob_stats stats;

    ob_fast_get_stats(f, &stats);
    for (bnd_id id = 1; PORT_OF(id) < MAX_PORTS; id++) {
        uint64_t n_packets, n_bytes;

        atomic_read(&ports[PORT_OF(id)].n_packets, &n_packets);
        atomic_read(&ports[PORT_OF(id)].n_bytes, &n_bytes);
        if (n_packets != sent_by(&stats, id)
            || n_bytes != ob_stats_member(&stats, id)->n_bytes) {
            ovs_fatal(0, "member %u sent %"PRIu64" packets of %"PRIu64" bytes,"
                      " counted were %"PRIu64" of %"PRIu64, id, n_packets,
                      n_bytes, sent_by(&stats, id),
                      ob_stats_member(&stats, id)->n_bytes);
        }
    }
    ob_stats_uninit(&stats);
}

static struct ob_fast *
begin(void)
{
    for (size_t i = 0; i < MAX_PORTS; i++) {
        atomic_store(&ports[i].n_packets, 0);
        atomic_store(&ports[i].n_bytes, 0);
    }
    n_out = 0;
    return ob_fast_create(BOND_ID);
}

static void
end(struct ob_fast *f)
{
    ob_fast_destroy(f);
    ovsrcu_quiesce();
}

/* balance-rr. */

static void
test_rr(void)
{
    struct ob_fast *f = begin();
    struct bnd_view *view = make_view(BND_XMIT_RR, 3, 0);

    /* LB-RR-01, in bursts of any size. */
    publish(f, view);
    send_packets(13, 1);
    expect_members("1201201201201");

    /* LB-RR-02. */
    view->packets_per = 3;
    publish(f, view);
    send_packets(20, 7);
    expect_members("12220001112220001112");

    /* LB-RR-09: another view, another number of members at once. */
    view->packets_per = 1;
    publish(f, view);
    send_packets(4, 32);
    expect_members("1201");

    /* LB-RR-04, -05, -06: 37 were sent before. */
    CHECK(ob_fast_cut(f, 2, true));
    send_packets(6, 4);
    expect_members("202202");
    CHECK(ob_fast_cut(f, 1, true));
    send_packets(6, 6);
    expect_members("222222");
    CHECK(ob_fast_cut(f, 3, true));
    send_packets(6, 6);
    expect_members("");
    CHECK(ob_fast_cut(f, 1, false));
    send_packets(3, 3);
    expect_members("000");
    check_counters(f);
    end(f);
    free(view);
}

static void
test_rr_random(void)
{
    struct ob_fast *f = begin();
    struct bnd_view *view = make_view(BND_XMIT_RR, 3, 0);
    unsigned int n[3] = { 0, 0, 0 };

    /* LB-RR-03. */
    view->packets_per = 0;
    publish(f, view);
    send_packets(3000, 32);
    CHECK(n_out == 3000);
    for (size_t i = 0; i < n_out; i++) {
        n[out[i].port - PORT_OF(1)]++;
    }
    for (int i = 0; i < 3; i++) {
        CHECK(n[i] >= 900 && n[i] <= 1100);
    }
    check_counters(f);
    end(f);
    free(view);
}

/* Sends seven packets of which those named in 'igmp' (a '1' for each) are. */
static void
send_mixed(const char *igmp, bool tagged)
{
    struct dp_packet_batch batch;

    n_out = 0;
    dp_packet_batch_init(&batch);
    for (size_t i = 0; igmp[i]; i++) {
        dp_packet_batch_add(&batch, igmp[i] == '1' ? make_igmp(i, tagged)
                            : make_packet(i, &dice));
    }
    execute_id(BOND_ID, &batch, true);
}

static void
test_rr_igmp(void)
{
    struct ob_fast *f = begin();
    struct bnd_view *view = make_view(BND_XMIT_RR, 3, 0);

    /* LB-RR-07: on the active member, and no turn is taken. */
    publish(f, view);
    send_mixed("111111", false);
    expect_members("000000");
    send_mixed("0100110", false);
    expect_members("1020001");
    send_mixed("1", false);
    send_mixed("0", false);
    expect_members("2");

    /* LB-RR-08. */
    CHECK(ob_fast_cut(f, 1, true));
    send_mixed("11", false);
    expect_members("11");
    CHECK(ob_fast_cut(f, 1, false));
    /* One tag is as if it were beside the frame, see bnd_eth_is_igmp(). */
    send_mixed("1110", true);
    expect_members("0000");
    view->active = BND_VIEW_NONE;
    for (size_t i = 0; i < 3; i++) {
        view->members[i].enabled = false;
    }
    publish(f, view);
    send_mixed("0101", false);
    expect_members("");
    check_counters(f);
    end(f);
    free(view);
}

/* Modes with buckets. */

/* Sends one batch and sees that each packet leaves by the member of its
 * bucket, in order, and that none is touched unless 'steal'. */
static void
check_batch(const struct bnd_resolved *r, const struct bnd_view *view,
            size_t burst, bool steal, uint64_t slots[])
{
    uint32_t last[BND_VIEW_MAX + 1];
    uint8_t want[NETDEV_MAX_BURST];
    struct dp_packet_batch batch;
    size_t n_want = 0;

    dp_packet_batch_init(&batch);
    for (size_t i = 0; i < burst; i++) {
        struct dp_packet *p = make_packet(i, &dice);
        uint32_t slot = hash_of(view, p) % view->n_slots;

        want[i] = r->slots[slot];
        n_want += want[i] != BND_VIEW_NONE;
        slots[slot] += want[i] != BND_VIEW_NONE;
        dp_packet_batch_add(&batch, p);
    }
    n_out = n_stolen = 0;
    execute_id(BOND_ID, &batch, steal);
    CHECK(n_out == n_want && n_stolen == n_want);
    memset(last, 0, sizeof last);
    for (size_t i = 0; i < n_out; i++) {
        uint8_t m = out[i].port - PORT_OF(1);

        CHECK(want[out[i].number] == m);
        CHECK(out[i].number + 1 > last[m]);
        last[m] = out[i].number + 1;
        want[out[i].number] = BND_VIEW_NONE;
    }
    if (!steal) {
        CHECK(batch.count == burst);
        for (size_t i = 0; i < burst; i++) {
            CHECK(number_of(batch.packets[i]) == i);
        }
        dp_packet_delete_batch(&batch, true);
    }
}

/* Does this for all sizes of a batch, with a view of 'n' members of which some
 * are off and some are cut. */
static void
check_hashed(struct ob_fast *f, enum bnd_xmit xmit, size_t n, int policy,
             bool compat)
{
    size_t n_slots = n > 4 ? BND_N_SLOTS / n * n : n * (1 + rand64(&dice) % 8);
    struct bnd_view *view = make_view(xmit, n, n_slots);
    uint8_t cut[BND_VIEW_MAX] = { 0 };
    uint64_t slots[BND_N_SLOTS] = { 0 };
    struct ob_stats before, after;
    struct bnd_resolved r;

    view->policy = policy;
    view->compat = compat;
    view->basis = rand64(&dice);
    for (size_t i = 0; i < n; i++) {
        view->members[i].enabled = rand64(&dice) % 4 != 0;
        view->members[i].cuttable = rand64(&dice) % 2;
        cut[i] = rand64(&dice) % 4 == 0;
    }
    publish(f, view);
    for (size_t i = 0; i < n; i++) {
        ob_fast_cut(f, i + 1, cut[i]);
    }
    bnd_view_resolve(view, cut, &r);
    ob_fast_get_stats(f, &before);
    for (size_t burst = 1; burst <= NETDEV_MAX_BURST; burst++) {
        check_batch(&r, view, burst, burst % 2, slots);
    }
    ob_fast_get_stats(f, &after);
    for (size_t i = 0; i < BND_N_SLOTS; i++) {
        CHECK(after.places[i].n_packets - before.places[i].n_packets
              == slots[i]);
        CHECK(after.places[i].n_bytes - before.places[i].n_bytes
              == slots[i] * FRAME_LEN);
    }
    ob_stats_uninit(&before);
    ob_stats_uninit(&after);
    check_counters(f);
    free(view);
}

static void
test_hashed(void)
{
    struct ob_fast *f = begin();

    for (int round = 0; round < 12; round++) {
        for (size_t n = 1; n <= 8; n++) {
            check_hashed(f, BND_XMIT_SRC_MAC, n, 0, false);
            check_hashed(f, BND_XMIT_L4, n, 0, false);
            for (int policy = 0; policy < BND_N_POLICIES; policy++) {
                check_hashed(f, BND_XMIT_POLICY, n, policy, round % 4 == 3);
            }
        }
    }
    end(f);
}

/* balance-slb tells VLANs apart; balance-tcp finds a hash where there is
 * none. */
static void
test_hash_inputs(void)
{
    struct ob_fast *f = begin();
    struct bnd_view *view = make_view(BND_XMIT_SRC_MAC, 8, BND_N_SLOTS);
    struct eth_addr src = { .ea = { 2, 0, 0, 0, 0, 1 } };

    view->basis = 7;
    publish(f, view);
    for (uint16_t vlan = 0; vlan < 20; vlan++) {
        struct dp_packet *p = make_packet(0, &dice);
        struct dp_packet_batch batch;

        memcpy(frame_of(p) + 6, &src, sizeof src);
        if (vlan) {
            uint8_t tag[] = { 0x81, 0, 0xe0, vlan };

            memcpy(frame_of(p) + 12, tag, sizeof tag);
        }
        dp_packet_batch_init_packet(&batch, p);
        n_out = 0;
        execute_id(BOND_ID, &batch, true);
        CHECK(n_out == 1);
        CHECK(out[0].port == PORT_OF(1) + bnd_hash_src(src, vlan, 7) % 8);
    }

    view->xmit = BND_XMIT_L4;
    publish(f, view);
    uint32_t first = 0;
    bool differs = false;
    for (int i = 0; i < 64; i++) {
        uint64_t seed = 5 + i % 16;
        struct dp_packet *p = make_packet(0, &seed);
        struct dp_packet_batch batch;

        dp_packet_reset_offload(p);
        *dp_packet_ol_flags_ptr(p) = 0;
        dp_packet_batch_init_packet(&batch, p);
        n_out = 0;
        execute_id(BOND_ID, &batch, true);
        CHECK(n_out == 1);
        if (i % 16 == 0) {
            CHECK(!i || out[0].port == first);
            first = out[0].port;
        }
        differs |= out[0].port != first;
    }
    CHECK(differs);
    end(f);
    free(view);
}

/* The host apart from all others. */

static const struct eth_addr host_mac = { .ea = { 2, 0, 0, 0, 0xb, 0 } };

static struct eth_addr
perm_mac(size_t member)
{
    return (struct eth_addr) {{{ 2, 0, 0, 0, 0xa, member }}};
}

/* Returns a view of 'n' members, whose members have addresses as in
 * balance-alb. */
static struct bnd_view *
make_lb_view(size_t n)
{
    struct bnd_view *view = make_view(BND_XMIT_LB, n, BND_N_SLOTS);

    view->host_mac = host_mac;
    view->n_host_slots = BND_N_SLOTS;
    for (size_t i = 0; i < BND_N_SLOTS; i++) {
        view->host_slots[i] = rand64(&dice) % n;
        view->host_backup[i] = rand64(&dice) % n;
    }
    for (size_t i = 0; i < n; i++) {
        view->members[i].perm_mac = perm_mac(i);
        view->members[i].mac = i == view->active ? host_mac : perm_mac(i);
    }
    return view;
}

/* Makes a frame of the host or of a guest, with a tag or without. */
static struct dp_packet *
make_lb_packet(uint32_t number)
{
    struct dp_packet *p = make_packet(number, &dice);
    uint8_t *frame = frame_of(p);

    if (rand64(&dice) % 3) {
        memcpy(frame + 6, &host_mac, sizeof host_mac);
    }
    if (rand64(&dice) % 4 == 0) {
        frame[0] |= 1;
    }
    if (rand64(&dice) % 4 == 0) {
        memmove(frame + 16, frame + 12, 40);
        memcpy(frame + 12, "\x81\0\0\x05", 4);
    }
    return p;
}

/* Where 'view' has 'p' counted, see ob_lb_place(). */
static size_t
lb_place(const struct bnd_view *view, const struct dp_packet *p)
{
    const uint8_t *frame = frame_of(p);
    struct eth_addr src;

    if (bnd_lb_is_host(view, frame)) {
        int slot = bnd_lb_slot(view, frame, dp_packet_size(p));

        return slot < 0 ? OB_UNBALANCED : OB_HOST_PLACE(slot);
    }
    memcpy(&src, frame + 6, sizeof src);
    return bnd_hash_src(src, bnd_peek_is_tagged(frame, dp_packet_size(p))
                        ? bnd_peek_tci(frame) & 0xfff : 0,
                        view->basis) % view->n_slots;
}

/* Sends one batch.  Frames of the host leave with the address of their member,
 * others as they are. */
static void
check_lb_batch(const struct bnd_resolved *r, const struct bnd_view *view,
               size_t burst, bool steal, uint64_t places[])
{
    struct {
        uint8_t member;
        struct eth_addr before, src;
    } want[NETDEV_MAX_BURST];
    struct dp_packet_batch batch;
    size_t n_want = 0;

    dp_packet_batch_init(&batch);
    for (size_t i = 0; i < burst; i++) {
        struct dp_packet *p = make_lb_packet(i);
        size_t place = lb_place(view, p);
        uint8_t m = (place < BND_N_SLOTS ? r->slots[place]
                     : place == OB_UNBALANCED ? r->active
                     : r->host_slots[place - BND_N_SLOTS]);

        memcpy(&want[i].before, frame_of(p) + 6, sizeof want[i].before);
        want[i].member = m;
        want[i].src = want[i].before;
        if (m != BND_VIEW_NONE) {
            if (place >= BND_N_SLOTS && m != r->active) {
                want[i].src = view->members[m].mac;
            }
            places[place]++;
            n_want++;
        }
        dp_packet_batch_add(&batch, p);
    }
    n_out = 0;
    execute_id(BOND_ID, &batch, steal);
    CHECK(n_out == n_want);
    for (size_t i = 0; i < n_out; i++) {
        uint32_t number = out[i].number;

        CHECK(want[number].member == out[i].port - PORT_OF(1));
        CHECK(eth_addr_equals(out[i].src, want[number].src));
        want[number].member = BND_VIEW_NONE;
    }
    if (!steal) {
        for (size_t i = 0; i < burst; i++) {
            CHECK(!memcmp(frame_of(batch.packets[i]) + 6, &want[i].before,
                          sizeof want[i].before));
        }
        dp_packet_delete_batch(&batch, true);
    }
}

static void
check_lb(struct ob_fast *f, size_t n, bool by_ip, int policy)
{
    struct bnd_view *view = make_lb_view(n);
    uint64_t places[OB_N_PLACES] = { 0 };
    uint8_t cut[BND_VIEW_MAX] = { 0 };
    struct ob_stats before, after;
    struct bnd_resolved r;

    view->lb_rule = by_ip ? BND_LB_ALB : BND_LB_TLB;
    view->lb_by_ip = by_ip;
    view->policy = policy;
    view->basis = rand64(&dice);
    for (size_t i = 0; i < n; i++) {
        view->members[i].enabled = rand64(&dice) % 4 != 0;
        cut[i] = rand64(&dice) % 4 == 0;
    }
    publish(f, view);
    for (size_t i = 0; i < n; i++) {
        ob_fast_cut(f, i + 1, cut[i]);
    }
    bnd_view_resolve(view, cut, &r);
    ob_fast_get_stats(f, &before);
    for (size_t burst = 1; burst <= NETDEV_MAX_BURST; burst++) {
        check_lb_batch(&r, view, burst, burst % 2, places);
    }
    ob_fast_get_stats(f, &after);
    for (size_t i = 0; i < OB_N_PLACES; i++) {
        CHECK(after.places[i].n_packets - before.places[i].n_packets
              == places[i]);
        CHECK(after.places[i].n_bytes - before.places[i].n_bytes
              == places[i] * FRAME_LEN);
    }
    ob_stats_uninit(&before);
    ob_stats_uninit(&after);
    check_counters(f);
    free(view);
}

static void
test_lb(void)
{
    struct ob_fast *f = begin();

    for (int round = 0; round < 12; round++) {
        for (size_t n = 1; n <= 8; n++) {
            check_lb(f, n, true, 0);
            for (int policy = 0; policy < BND_N_POLICIES; policy++) {
                check_lb(f, n, false, policy);
            }
        }
    }
    end(f);
}

/* Makes a frame for test_lb_flows(): common ones, and all kinds that are not
 * balanced. */
static struct dp_packet *
make_odd_packet(void)
{
    struct dp_packet *p = make_lb_packet(0);
    uint8_t *frame = frame_of(p);
    size_t ofs = bnd_peek_is_tagged(frame, FRAME_LEN) ? 4 : 0;
    uint8_t *l3 = frame + ofs + 14;

    l3[2] = 0;
    l3[3] = 60;
    l3[32] = 0x50;
    switch (rand64(&dice) % 6) {
    case 0:
        l3[9] = IPPROTO_IGMP;
        break;
    case 1:
        memset(l3 + 16, 255, 4);
        memset(frame, rand64(&dice) % 2 ? 255 : 2, 6);
        break;
    case 2:
        l3[6] = rand64(&dice) % 2 ? 0x20 : 0;
        l3[7] = rand64(&dice) % 2;
        break;
    case 3:
        memcpy(frame + ofs + 12, "\x86\xdd\x60", 3);
        memset(l3 + 4, 0, 2);
        l3[5] = 24;
        l3[6] = rand64(&dice) % 2 ? IPPROTO_ICMPV6 : IPPROTO_UDP;
        if (rand64(&dice) % 4 == 0) {
            memset(l3 + 8, 0, 16);
        } else if (rand64(&dice) % 4 == 0) {
            memcpy(frame, "\x33\x33\0\0\0\1", 6);
        }
        l3[40] = 134 + rand64(&dice) % 4;
        memset(l3 + 41, 0, 7);  /* A flow does not have identifiers. */
        break;
    default:
        break;
    }
    return p;
}

/* Puts what 'wc' does not cover, and NORMAL does not match either, of 'other'
 * into 'flow'. */
static void
change_unmasked(struct flow *flow, const struct flow *other,
                struct flow_wildcards *wc)
{
    uint64_t *f = (uint64_t *) flow;
    const uint64_t *o = (const uint64_t *) other;
    const uint64_t *m = (const uint64_t *) &wc->masks;

    wc->masks.packet_type = OVS_BE32_MAX;
    wc->masks.dl_type = OVS_BE16_MAX;
    wc->masks.dl_dst = wc->masks.dl_src = eth_addr_exact;
    wc->masks.vlans[0].tci |= htons(VLAN_VID_MASK | VLAN_CFI);
    wc->masks.nw_frag = UINT8_MAX;
    for (size_t i = 0; i < sizeof *flow / sizeof *f; i++) {
        f[i] = (f[i] & m[i]) | (o[i] & ~m[i]);
    }
}

/* A flow comes to the bucket that its frames come to, and depends on nothing
 * but what it says it does. */
static void
test_lb_flows(void)
{
    for (int round = 0; round < 60000; round++) {
        struct bnd_view *view = make_lb_view(1 + round % 8);
        struct dp_packet *p = make_odd_packet(), *q = make_odd_packet();
        struct flow_wildcards wc;
        struct flow flow, other;
        uint16_t vlan;
        int place;

        flow_wildcards_init_catchall(&wc);
        view->lb_by_ip = rand64(&dice) % 2;
        view->lb_rule = rand64(&dice) % 2 ? BND_LB_ALB : BND_LB_TLB;
        view->policy = rand64(&dice) % BND_N_POLICIES;
        view->basis = rand64(&dice);
        flow_extract(p, &flow);
        flow_extract(q, &other);
        vlan = vlan_tci_to_vid(flow.vlans[0].tci);
        place = ob_lb_place(view, &flow, &wc, vlan);
        CHECK((size_t) place == lb_place(view, p));
        change_unmasked(&flow, &other, &wc);
        CHECK(ob_lb_place(view, &flow, NULL, vlan) == place);
        dp_packet_delete(p);
        dp_packet_delete(q);
        free(view);
    }
}

/* Nobody is the host while its address is not known. */
static void
test_lb_no_host(void)
{
    struct ob_fast *f = begin();
    struct bnd_view *view = make_lb_view(4);
    struct dp_packet_batch batch;
    struct dp_packet *p = make_packet(0, &dice);

    view->host_mac = eth_addr_zero;
    memset(view->host_slots, BND_VIEW_NONE, sizeof view->host_slots);
    publish(f, view);
    memset(frame_of(p) + 6, 0, ETH_ADDR_LEN);
    dp_packet_batch_init_packet(&batch, p);
    execute_id(BOND_ID, &batch, true);
    CHECK(n_out == 1);
    CHECK(out[0].port == PORT_OF(1) + bnd_hash_src(eth_addr_zero, 0, 0) % 4);
    CHECK(eth_addr_is_zero(out[0].src));
    end(f);
    free(view);
}

/* Distribution. */

static void
check_shares(struct ob_fast *f, struct bnd_view *view, double tolerance)
{
    uint64_t n[MAX_PORTS] = { 0 };
    double fair = 65536.0 / view->n_members;

    publish(f, view);
    n_out = 0;
    for (uint32_t i = 0; i < 65536; i += NETDEV_MAX_BURST) {
        struct dp_packet_batch batch;

        dp_packet_batch_init(&batch);
        for (uint32_t j = 0; j < NETDEV_MAX_BURST; j++) {
            struct dp_packet *p = make_packet(i + j, &dice);
            uint8_t *frame = frame_of(p);

            memcpy(frame + 12, "\x08\0\x45", 3);
            frame[23] = IPPROTO_UDP;
            for (int k = 26; k < 38; k++) {
                frame[k] = rand64(&dice) >> 20;
            }
            dp_packet_batch_add(&batch, p);
        }
        execute_id(BOND_ID, &batch, true);
    }
    CHECK(n_out == 65536);
    for (size_t i = 0; i < n_out; i++) {
        n[out[i].port]++;
    }
    for (size_t m = 0; m < view->n_members; m++) {
        double got = n[PORT_OF(m + 1)];

        if (got > fair + tolerance || got < fair - tolerance) {
            ovs_fatal(0, "member %"PRIuSIZE" of %"PRIu32" got %.0f of 65536 "
                      "(xmit %u, policy %u)", m, view->n_members, got,
                      view->xmit, view->policy);
        }
    }
}

static void
test_distribution(void)
{
    struct ob_fast *f = begin();

    for (size_t n = 2; n <= 8; n++) {
        struct bnd_view *view = make_view(BND_XMIT_POLICY, n,
                                          BND_N_SLOTS / n * n);

        view->policy = BND_POLICY_LAYER34;
        check_shares(f, view, 0.03 * 65536 / n);
        view->policy = BND_POLICY_LAYER23;
        check_shares(f, view, 0.03 * 65536 / n);
        free(view);

        view = make_view(BND_XMIT_RR, n, 0);
        check_shares(f, view, 0.999);
        free(view);
    }
    end(f);
}

/* Modes that send a batch as one. */

static void
test_broadcast(void)
{
    struct ob_fast *f = begin();

    for (size_t n = 1; n <= 8; n++) {
        struct bnd_view *view = make_view(BND_XMIT_BROADCAST, n, 0);
        bnd_id off = n > 2 ? 2 : 0;

        publish(f, view);
        for (int round = 0; round < 4; round++) {
            bool steal = round % 2;
            size_t burst = round < 2 ? 1 : 32;
            struct dp_packet_batch batch;
            size_t n_copies = n - (round == 3 && off);

            ob_fast_cut(f, off, round == 3);
            dp_packet_batch_init(&batch);
            for (size_t i = 0; i < burst; i++) {
                dp_packet_batch_add(&batch, make_packet(i, &dice));
            }
            n_out = n_stolen = 0;
            execute_id(BOND_ID, &batch, steal);
            CHECK(n_out == n_copies * burst);
            CHECK(n_stolen == burst);
            for (size_t i = 0; i < n_out; i++) {
                /* In the order of members, each with all packets. */
                uint32_t m = i / burst;

                m += round == 3 && off && m >= off - 1;
                CHECK(out[i].port == PORT_OF(1) + m);
                CHECK(out[i].number == i % burst);
            }
            if (!steal) {
                CHECK(batch.count == burst);
                dp_packet_delete_batch(&batch, true);
            }
        }
        /* LB-BC-03. */
        for (size_t i = 0; i < n; i++) {
            ob_fast_cut(f, i + 1, true);
        }
        send_packets(5, 5);
        CHECK(!n_out);
        for (size_t i = 0; i < n; i++) {
            ob_fast_cut(f, i + 1, false);
        }
        check_counters(f);
        free(view);
    }
    end(f);
}

static void
test_active(void)
{
    struct ob_fast *f = begin();
    struct bnd_view *view = make_view(BND_XMIT_ACTIVE, 3, 0);

    view->active = 1;
    view->next_active = 2;
    publish(f, view);
    send_packets(5, 3);
    expect_members("11111");
    CHECK(ob_fast_cut(f, 2, true));
    CHECK(!ob_fast_cut(f, 2, true));
    send_packets(2, 2);
    expect_members("22");
    /* The view that follows knows nothing of it yet. */
    publish(f, view);
    send_packets(2, 2);
    expect_members("22");
    CHECK(ob_fast_cut(f, 2, false));
    send_packets(2, 2);
    expect_members("11");
    CHECK(!ob_fast_cut(f, 99, true));
    view->members[1].cuttable = false;
    publish(f, view);
    CHECK(!ob_fast_cut(f, 2, true));
    send_packets(1, 1);
    expect_members("1");
    check_counters(f);
    end(f);
    free(view);
}

/* LB-AB-02..05: queues of OpenFlow that are a member's own. */
static void
test_queues(void)
{
    struct ob_fast *f = begin();
    struct bnd_view *view = make_view(BND_XMIT_ACTIVE, 3, 0);

    /* In any burst, whatever else is in it.  Queue 3 is nobody's. */
    view->members[1].queue_id = 2;
    view->members[2].queue_id = 9;
    view->pinned = true;
    publish(f, view);
    send_queues("0220922039", 1);
    expect_members("0110211002");
    send_queues("0220922039", 4);
    expect_members("0110211002");
    send_queues("222222222222222222222222222222222", 32);
    expect_members("111111111111111111111111111111111");
    check_counters(f);

    /* Cut out, at once, even if a delay lets it work on as the active one. */
    view->members[1].cuttable = false;
    publish(f, view);
    CHECK(ob_fast_cut(f, 2, true));
    send_queues("0229", 4);
    expect_members("0002");
    publish(f, view);
    send_queues("0229", 4);
    expect_members("0002");
    CHECK(ob_fast_cut(f, 2, false));
    send_queues("0229", 4);
    expect_members("0112");

    /* What is pinned takes no turn, and is not what IGMP is. */
    view->xmit = BND_XMIT_RR;
    publish(f, view);
    send_queues("0202020909", 4);
    expect_members("1121011222");
    struct dp_packet_batch batch;
    struct dp_packet *igmp = make_igmp(0, false);
    igmp->md.skb_priority = PRIORITY_OF(9);
    dp_packet_batch_init_packet(&batch, igmp);
    n_out = 0;
    execute_id(BOND_ID, &batch, true);
    expect_members("2");

    /* All others go on in turn. */
    send_queues("00000000", 8);
    expect_members("01201201");
    check_counters(f);

    /* Nothing leaves a bond that may not send. */
    view->blocked = true;
    publish(f, view);
    send_queues("0292", 4);
    expect_members("");
    end(f);
    free(view);
}

/* Whoever has nobody to send to drops all. */
static void
test_drop(void)
{
    struct ob_fast *f = begin();

    for (int xmit = 0; xmit < BND_N_XMITS; xmit++) {
        struct bnd_view *view = make_view(xmit, 3, 255);

        if (!is_hashed(view)) {
            view->n_slots = 0;
        }
        view->blocked = true;
        publish(f, view);
        send_packets(70, 32);
        CHECK(!n_out);
        view->blocked = false;
        for (int i = 0; i < 3; i++) {
            view->members[i].enabled = false;
        }
        publish(f, view);
        send_packets(70, 32);
        CHECK(!n_out);
        free(view);

        view = make_view(xmit, 0, 0);
        publish(f, view);
        send_packets(33, 32);
        CHECK(!n_out);
        free(view);

        /* Buckets that nobody has; two members. */
        view = make_view(xmit, 2, 4);
        memset(view->slots, BND_VIEW_NONE, sizeof view->slots);
        memset(view->backup, BND_VIEW_NONE, sizeof view->backup);
        view->members[0].enabled = view->members[1].enabled = false;
        publish(f, view);
        send_packets(33, 32);
        CHECK(!n_out);
        free(view);
    }
    publish(f, NULL);
    send_packets(33, 32);
    CHECK(!n_out);
    check_counters(f);
    end(f);
}

/* A member whose port the datapath does not know cannot send. */
static void
test_no_port(void)
{
    struct ob_fast *f = begin();
    struct bnd_view *view = make_view(BND_XMIT_RR, 3, 0);
    odp_port_t odp[] = {
        u32_to_odp(PORT_OF(1)), ODPP_NONE, u32_to_odp(PORT_OF(3))
    };
    uint32_t priorities[] = { 0, PRIORITY_OF(2), 0 };

    ob_fast_publish(f, view, odp, priorities);
    send_packets(6, 6);
    expect_members("220220");

    /* Nor for the sake of a queue. */
    view->members[1].queue_id = 2;
    view->pinned = true;
    ob_fast_publish(f, view, odp, priorities);
    send_queues("222", 3);
    expect_members("220");
    end(f);
    free(view);
}

static void
test_truncate(void)
{
    struct ob_fast *f = begin();

    for (int xmit = 0; xmit < BND_N_XMITS; xmit++) {
        struct bnd_view *view = make_view(xmit, 3, 255);

        if (!is_hashed(view)) {
            view->n_slots = 0;
        }
        publish(f, view);
        for (int steal = 0; steal < 2; steal++) {
            struct dp_packet_batch batch;
            struct dp_packet *p;

            dp_packet_batch_init(&batch);
            for (int i = 0; i < 8; i++) {
                p = make_packet(i, &dice);
                dp_packet_set_cutlen(p, 60 + i);
                dp_packet_batch_add(&batch, p);
            }
            batch.trunc = true;
            n_out = 0;
            execute_id(BOND_ID, &batch, steal);
            CHECK(n_out == 8u * (xmit == BND_XMIT_BROADCAST ? 3 : 1));
            for (size_t i = 0; i < n_out; i++) {
                CHECK(out[i].size == 60 + out[i].number);
            }
            if (!steal) {
                CHECK(batch.count == 8 && !batch.trunc);
                DP_PACKET_BATCH_FOR_EACH (i, p, &batch) {
                    CHECK(dp_packet_size(p) == FRAME_LEN);
                    CHECK(dp_packet_get_cutlen(p) == 0);
                }
                dp_packet_delete_batch(&batch, true);
            }
        }
        check_counters(f);
        free(view);
    }
    end(f);
}

/* Ids. */

static void
test_ids(void)
{
    struct ob_fast *f = begin();
    struct bnd_view *view = make_view(BND_XMIT_ACTIVE, 2, 0);

    /* Without a view the datapath does what it knows; like other ids. */
    n_strange = 0;
    send_packets(3, 3);
    CHECK(n_strange == 1 && strange_id == BOND_ID && !n_out);
    publish(f, view);
    send_packets(3, 3);
    CHECK(n_strange == 1 && n_out == 3);

    struct dp_packet_batch batch;
    dp_packet_batch_init_packet(&batch, make_packet(0, &dice));
    execute_id(53, &batch, true);
    CHECK(n_strange == 2 && strange_id == 53);

    /* Two that share a place. */
    struct ob_fast *g = ob_fast_create(53);
    view->active = 1;
    publish(g, view);
    send_packets(1, 1);
    expect_members("0");
    n_out = 0;
    dp_packet_batch_init_packet(&batch, make_packet(0, &dice));
    execute_id(53, &batch, true);
    expect_members("1");
    end(g);
    send_packets(1, 1);
    expect_members("0");

    /* Among other actions. */
    struct ofpbuf actions;
    ofpbuf_init(&actions, 0);
    nl_msg_put_odp_port(&actions, OVS_ACTION_ATTR_OUTPUT,
                        u32_to_odp(PORT_OF(7)));
    nl_msg_put_u32(&actions, OVS_ACTION_ATTR_LB_OUTPUT, BOND_ID);
    nl_msg_put_u32(&actions, OVS_ACTION_ATTR_LB_OUTPUT, 54);
    nl_msg_put_u32(&actions, OVS_ACTION_ATTR_LB_OUTPUT, BOND_ID);
    n_out = n_strange = 0;
    dp_packet_batch_init_packet(&batch, make_packet(0, &dice));
    odp_execute_actions(&dp, &batch, true, actions.data, actions.size,
                        datapath_cb);
    CHECK(n_out == 3 && n_strange == 1 && strange_id == 54);
    CHECK(out[0].port == PORT_OF(7) && out[1].port == PORT_OF(1)
          && out[2].port == PORT_OF(1));
    ofpbuf_uninit(&actions);

    end(f);
    n_strange = 0;
    send_packets(3, 3);
    CHECK(n_strange == 1 && strange_id == BOND_ID && !n_out);
    free(view);
}

/* Counters outlive views and members. */
static void
test_counters(void)
{
    struct ob_fast *f = begin();

    for (size_t n = 8; n >= 1; n--) {
        struct bnd_view *view = make_view(n % 2 ? BND_XMIT_RR
                                          : BND_XMIT_POLICY, n,
                                          n % 2 ? 0 : n);

        publish(f, view);
        send_packets(100 + n, 32);
        check_counters(f);
        free(view);
    }
    publish(f, NULL);
    check_counters(f);
    end(f);
}

/* Threads. */

#define N_THREADS 7

static struct ovs_barrier barrier;
static atomic_bool stop;

static void *
sender(void *number_)
{
    uint64_t seed = 77 + (uintptr_t) number_;
    bool pmd = (uintptr_t) number_ % 2;
    int own_queue;

    if (pmd) {
        set_subprogram_name("pmd-test");
    }
    for (int round = 0; ; round++) {
        size_t n = round % 64 == 63 ? 3 : NETDEV_MAX_BURST;
        struct dp_packet_batch batch;
        bool over;

        if (round == 20) {
            /* The first view has counters for less threads than these. */
            ovs_barrier_block(&barrier);
        }
        dp_packet_batch_init(&batch);
        for (size_t i = 0; i < n; i++) {
            struct dp_packet *p = make_packet(i, &seed);

            p->md.skb_priority = i % 4 ? 0 : PRIORITY_OF(1 + i / 4 % 3);
            if (i % 2) {
                memcpy(frame_of(p) + 6, &host_mac, sizeof host_mac);
            }
            dp_packet_batch_add(&batch, p);
        }
        __wrap_netdev_rxq_recv((void *) &own_queue, &batch, NULL);
        execute_id(BOND_ID, &batch, true);
        ovsrcu_quiesce();
        atomic_read_relaxed(&stop, &over);
        if (over && round > 40) {
            break;
        }
    }

    /* The queue is dry: nothing stays behind. */
    struct dp_packet_batch none;
    dp_packet_batch_init(&none);
    __wrap_netdev_rxq_recv((void *) &own_queue, &none, NULL);
    return NULL;
}

/* Gives some members of 'view' queues of their own, if it heeds them. */
static void
pin_some(struct bnd_view *view)
{
    if (view->xmit == BND_XMIT_RR || view->xmit == BND_XMIT_ACTIVE) {
        view->pinned = true;
        for (size_t i = 0; i < view->n_members; i++) {
            view->members[i].queue_id = rand64(&dice) % 4;
        }
    }
}

static struct bnd_view *
random_view(void)
{
    static const enum bnd_xmit xmits[] = {
        BND_XMIT_ACTIVE, BND_XMIT_SRC_MAC, BND_XMIT_L4, BND_XMIT_POLICY,
        BND_XMIT_RR, BND_XMIT_BROADCAST, BND_XMIT_LB
    };
    enum bnd_xmit xmit = xmits[rand64(&dice) % ARRAY_SIZE(xmits)];
    size_t n = 1 + rand64(&dice) % 8;
    bool hashed = xmit != BND_XMIT_RR && xmit != BND_XMIT_ACTIVE
                  && xmit != BND_XMIT_BROADCAST;
    struct bnd_view *view = make_view(xmit, n, hashed ? n * 5 : 0);

    if (xmit == BND_XMIT_LB) {
        free(view);
        view = make_lb_view(n);
    }
    view->policy = rand64(&dice) % BND_N_POLICIES;
    view->packets_per = rand64(&dice) % 3;
    for (size_t i = 0; i < n; i++) {
        view->members[i].enabled = rand64(&dice) % 4 != 0;
    }
    return view;
}

/* Totals are exact while views change under those who send; 'leave' says
 * whether members go and come back. */
static void
check_threads(bool leave)
{
    struct ob_fast *f = begin();
    pthread_t threads[N_THREADS];
    struct bnd_view *view = make_view(BND_XMIT_RR, 2, 0);

    logging = false;
    atomic_store(&stop, false);
    ovs_barrier_init(&barrier, N_THREADS + 1);
    publish(f, view);
    free(view);
    for (uintptr_t i = 0; i < N_THREADS; i++) {
        threads[i] = ovs_thread_create("sender", sender, (void *) i);
    }
    ovs_barrier_block(&barrier);
    for (int round = 0; round < 1500; round++) {
        view = leave ? random_view() : make_view(
            round % 2 ? BND_XMIT_RR : BND_XMIT_POLICY, 8,
            round % 2 ? 0 : 256);
        pin_some(view);
        publish(f, view);
        for (int i = 0; i < 4; i++) {
            ob_fast_cut(f, 1 + rand64(&dice) % 8, rand64(&dice) % 2);
        }
        if (round % 16 == 0) {
            struct ob_stats stats;

            ob_fast_get_stats(f, &stats);
            ob_stats_uninit(&stats);
        }
        ovsrcu_quiesce();
        free(view);
    }
    atomic_store(&stop, true);
    for (int i = 0; i < N_THREADS; i++) {
        xpthread_join(threads[i], NULL);
    }
    ovs_barrier_destroy(&barrier);
    logging = true;
    check_counters(f);
    end(f);
}

static void
test_threads(void)
{
    check_threads(false);
}

static void
test_threads_and_members(void)
{
    check_threads(true);
}

/* Lanes of a PMD thread. */

static int queue;

/* Lets the thread's queue yield 'n' packets that OpenFlow puts in 'queue_id'
 * (0: none) and has them sent. */
static void
receive_queue(uint16_t queue_id, size_t n)
{
    static uint32_t number;
    struct dp_packet_batch batch;

    dp_packet_batch_init(&batch);
    for (size_t i = 0; i < n; i++) {
        struct dp_packet *p = make_packet(number++, &dice);

        p->md.skb_priority = queue_id ? PRIORITY_OF(queue_id) : 0;
        dp_packet_batch_add(&batch, p);
    }
    __wrap_netdev_rxq_recv((void *) &queue, &batch, NULL);
    if (n) {
        execute_id(BOND_ID, &batch, true);
    }
}

static void
receive(size_t n)
{
    receive_queue(0, n);
}

/* Did 'n' packets come out, those of each port in order? */
static void
expect_out(size_t n)
{
    uint32_t last[MAX_PORTS] = { 0 };

    CHECK(n_out == n);
    for (size_t i = 0; i < n_out; i++) {
        CHECK(out[i].number + 1 > last[out[i].port]);
        last[out[i].port] = out[i].number + 1;
    }
    n_out = 0;
}

static void *
pmd_main(void *f_)
{
    struct bnd_view *view = make_view(BND_XMIT_RR, 2, 0);
    struct ob_fast *f = f_;

    set_subprogram_name("pmd-test");
    publish(f, view);
    receive(0);

    /* What is no full burst does not wait. */
    receive(31);
    expect_out(31);

    /* Two full bursts are one output of 32 for each; a dry queue lets go. */
    receive(32);
    expect_out(0);
    receive(32);
    expect_out(64);
    receive(32);
    receive(0);
    expect_out(32);
    check_counters(f);

    /* A member is cut, then removed, while packets wait for it. */
    receive(32);
    CHECK(ob_fast_cut(f, 1, true));
    receive(0);
    CHECK(n_out == 32);
    for (size_t i = 0; i < n_out; i++) {
        CHECK(out[i].port == PORT_OF(2));
    }
    n_out = 0;
    check_counters(f);
    CHECK(ob_fast_cut(f, 1, false));
    receive(32);
    view->n_members = 1;
    publish(f, view);
    receive(0);
    CHECK(n_out == 32 && out[0].port == PORT_OF(1)
          && out[31].port == PORT_OF(1));
    n_out = 0;
    check_counters(f);

    /* So with the next burst as with a dry queue. */
    view->n_members = 2;
    publish(f, view);
    receive(32);
    CHECK(ob_fast_cut(f, 2, true));
    receive(32);
    receive(0);
    CHECK(n_out == 64);
    for (size_t i = 0; i < n_out; i++) {
        CHECK(out[i].port == PORT_OF(1));
    }
    n_out = 0;
    check_counters(f);

    /* What is in a queue does not wait for what is not, but not for those
     * either that the view before put in its member's lane. */
    CHECK(ob_fast_cut(f, 2, false));
    receive(32);
    view->members[1].queue_id = 1;
    view->pinned = true;
    publish(f, view);
    receive_queue(1, 32);
    CHECK(n_out == 64);
    expect_out(64);
    receive(32);
    receive_queue(1, 32);
    CHECK(n_out == 32 && out[0].port == PORT_OF(2)
          && out[31].port == PORT_OF(2));
    receive(0);
    CHECK(n_out == 64);
    n_out = 0;
    check_counters(f);

    /* Its member is cut: it is dealt with all others, and waits. */
    receive_queue(1, 16);
    CHECK(ob_fast_cut(f, 2, true));
    receive_queue(1, 32);
    receive(0);
    CHECK(n_out == 48 && out[15].port == PORT_OF(2)
          && out[16].port == PORT_OF(1));
    n_out = 0;
    check_counters(f);
    view->members[1].queue_id = 0;
    view->pinned = false;
    publish(f, view);

    /* Nobody is left. */
    CHECK(ob_fast_cut(f, 2, false));
    receive(32);
    publish(f, NULL);
    receive(0);
    expect_out(0);
    check_counters(f);

    /* One that gets little does not wait for ever. */
    view->xmit = BND_XMIT_POLICY;
    view->n_slots = 256;
    memset(view->slots, 0, sizeof view->slots);
    memset(view->backup, 1, sizeof view->backup);
    memset(view->slots, 1, 4);
    publish(f, view);
    for (int i = 0; i < OB_LANE_ROUNDS + 1; i++) {
        receive(32);
    }
    bool seen = false;
    for (size_t i = 0; i < n_out; i++) {
        seen |= out[i].port == PORT_OF(2);
    }
    CHECK(seen);
    receive(0);
    CHECK(n_out == (OB_LANE_ROUNDS + 1) * 32);
    check_counters(f);

    /* The thread ends without having been let go. */
    receive(32);
    free(view);
    return NULL;
}

static void
test_lanes(void)
{
    struct ob_fast *f = begin();

    xpthread_join(ovs_thread_create("pmd", pmd_main, f), NULL);
    end(f);
}

/* Has the thread's queue yield a burst of the host's frames. */
static void
receive_host(void)
{
    struct dp_packet_batch batch;

    dp_packet_batch_init(&batch);
    for (size_t i = 0; i < NETDEV_MAX_BURST; i++) {
        struct dp_packet *p = make_packet(i, &dice);

        memcpy(frame_of(p) + 6, &host_mac, sizeof host_mac);
        memcpy(frame_of(p) + 12, "\x08\0\x45", 3);
        dp_packet_batch_add(&batch, p);
    }
    __wrap_netdev_rxq_recv((void *) &queue, &batch, NULL);
    execute_id(BOND_ID, &batch, true);
}

/* The active member changes while frames of the host wait, with the addresses
 * that they have by the members: none leaves by a member that has another one
 * now. */
static void *
pmd_lb_main(void *f_)
{
    struct bnd_view *view = make_lb_view(2);
    struct ob_fast *f = f_;

    set_subprogram_name("pmd-test");
    publish(f, view);
    receive(0);
    n_out = 0;
    receive_host();
    CHECK(n_out == 0);
    view->active = 1;
    view->members[0].mac = perm_mac(0);
    view->members[1].mac = host_mac;
    publish(f, view);
    receive(0);
    CHECK(n_out == NETDEV_MAX_BURST);
    for (size_t i = 0; i < n_out; i++) {
        CHECK(eth_addr_equals(out[i].src,
                              view->members[out[i].port - PORT_OF(1)].mac));
    }
    check_counters(f);

    /* The same where one is lost, and another one leaves. */
    n_out = 0;
    receive_host();
    CHECK(ob_fast_cut(f, 2, true));
    receive(0);
    CHECK(n_out == NETDEV_MAX_BURST);
    for (size_t i = 0; i < n_out; i++) {
        CHECK(out[i].port == PORT_OF(1)
              && eth_addr_equals(out[i].src, host_mac));
    }
    check_counters(f);
    CHECK(ob_fast_cut(f, 2, false));
    n_out = 0;
    receive_host();
    view->n_members = 1;
    view->active = 0;
    view->members[0].mac = host_mac;
    publish(f, view);
    receive(0);
    for (size_t i = 0; i < n_out; i++) {
        CHECK(out[i].port == PORT_OF(1)
              && eth_addr_equals(out[i].src, host_mac));
    }
    check_counters(f);
    free(view);
    return NULL;
}

static void
test_lb_lanes(void)
{
    struct ob_fast *f = begin();

    xpthread_join(ovs_thread_create("pmd", pmd_lb_main, f), NULL);
    end(f);
}

static const struct {
    const char *name;
    void (*run)(void);
} tests[] = {
    { "rr", test_rr },
    { "rr-random", test_rr_random },
    { "rr-igmp", test_rr_igmp },
    { "hashed", test_hashed },
    { "hash-inputs", test_hash_inputs },
    { "lb", test_lb },
    { "lb-no-host", test_lb_no_host },
    { "lb-flows", test_lb_flows },
    { "distribution", test_distribution },
    { "broadcast", test_broadcast },
    { "active", test_active },
    { "queues", test_queues },
    { "drop", test_drop },
    { "no-port", test_no_port },
    { "truncate", test_truncate },
    { "ids", test_ids },
    { "counters", test_counters },
    { "lanes", test_lanes },
    { "lb-lanes", test_lb_lanes },
    { "threads", test_threads },
    { "threads-and-members", test_threads_and_members },
};

/* Cost of choosing and sharing out alone, in TSC cycles a packet: bursts of 32
 * of 1,024 packets between one pair of addresses, to a datapath that only takes
 * them.  Not a test. */

#define N_BENCH 1024

static inline uint64_t
tsc(void)
{
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#else
    return 0;
#endif
}

static double
bench_once(struct dp_packet *packets[], uint64_t *state)
{
    double best = 1e9;
    volatile uint32_t sink;

    for (int round = 0; round < 200; round++) {
        size_t first = rand64(state) % (N_BENCH / NETDEV_MAX_BURST);
        uint64_t sum = 0;

        for (size_t i = 0; i < N_BENCH; i += NETDEV_MAX_BURST) {
            struct dp_packet_batch batch;

            dp_packet_batch_init(&batch);
            batch.count = NETDEV_MAX_BURST;
            memcpy(batch.packets,
                   &packets[(i + first * NETDEV_MAX_BURST) % N_BENCH],
                   sizeof batch.packets);
            /* They come from the classifier, which has just read them. */
            for (size_t j = 0; j < batch.count; j++) {
                sink = number_of(batch.packets[j]);
                sink += *frame_of(batch.packets[j])
                        + dp_packet_get_rss_hash(batch.packets[j]);
            }

            uint64_t start = tsc();
            execute_id(BOND_ID, &batch, true);
            sum += tsc() - start;
        }
        best = MIN(best, (double) sum / N_BENCH);
    }
    (void) sink;
    return best;
}

/* Has 'view' take what comes from 'src' for the host's, as 'mode' says. */
static void
prepare_lb(struct bnd_view *view, const char *mode, const uint8_t *src)
{
    if (view->xmit == BND_XMIT_LB) {
        view->lb_by_ip = !strcmp(mode, "alb");
        view->lb_rule = view->lb_by_ip ? BND_LB_ALB : BND_LB_TLB;
        memcpy(&view->host_mac, src, sizeof view->host_mac);
        view->host_mac.ea[5] ^= !strcmp(mode, "tlb guests");
        view->n_host_slots = BND_N_SLOTS;
        memcpy(view->host_slots, view->slots, sizeof view->host_slots);
        for (size_t i = 0; i < view->n_members; i++) {
            /* The frames are used again: they must stay the host's. */
            view->members[i].mac = view->host_mac;
        }
    }
}

static void
bench(bool lanes)
{
    static const struct {
        const char *name;
        enum bnd_xmit xmit;
        enum bnd_policy policy;
    } modes[] = {
        { "active-backup", BND_XMIT_ACTIVE, 0 },
        { "balance-rr", BND_XMIT_RR, 0 },
        { "balance-slb", BND_XMIT_SRC_MAC, 0 },
        { "balance-tcp", BND_XMIT_L4, 0 },
        { "layer2", BND_XMIT_POLICY, BND_POLICY_LAYER2 },
        { "layer2+3", BND_XMIT_POLICY, BND_POLICY_LAYER23 },
        { "layer3+4", BND_XMIT_POLICY, BND_POLICY_LAYER34 },
        { "tlb guests", BND_XMIT_LB, BND_POLICY_LAYER2 },
        { "tlb layer2", BND_XMIT_LB, BND_POLICY_LAYER2 },
        { "tlb layer3+4", BND_XMIT_LB, BND_POLICY_LAYER34 },
        { "alb", BND_XMIT_LB, BND_POLICY_LAYER2 },
    };
    struct dp_packet *packets[N_BENCH];
    uint64_t state = 1;

    if (lanes) {
        struct dp_packet_batch batch;

        set_subprogram_name("pmd-bench");
        batch.count = NETDEV_MAX_BURST;
        __wrap_netdev_rxq_recv(NULL, &batch, NULL);
        __wrap_netdev_rxq_recv(NULL, &batch, NULL);
    }
    for (size_t i = 0; i < N_BENCH; i++) {
        packets[i] = make_packet(i, &state);
        uint8_t *frame = frame_of(packets[i]);

        memcpy(frame, "\2\0\0\0\0\1\2\0\0\0\0\2\x08\0\x45", 15);
        frame[17] = FRAME_LEN - ETH_HEADER_LEN;
        frame[23] = IPPROTO_UDP;
    }
    benchmarking = true;
    for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
        printf("%-14s %s", modes[i].name, lanes ? "lanes " : "direct");
        for (size_t n = 2; n <= 8; n *= 2) {
            bool hashed = (modes[i].xmit != BND_XMIT_ACTIVE
                           && modes[i].xmit != BND_XMIT_RR);
            struct bnd_view *view = make_view(modes[i].xmit, n,
                                              hashed ? BND_N_SLOTS : 0);
            struct ob_fast *f = ob_fast_create(BOND_ID);

            view->policy = modes[i].policy;
            prepare_lb(view, modes[i].name, frame_of(packets[0]) + 6);
            publish(f, view);
            printf("  %"PRIuSIZE": %5.1f", n, bench_once(packets, &state));
            ob_fast_destroy(f);
            ovsrcu_quiesce();
            free(view);
        }
        putchar('\n');
    }
}

int
main(int argc, char *argv[])
{
    set_program_name(argv[0]);
    /* A busy machine is no fault: OVS would tell of slow rounds. */
    vlog_set_levels(NULL, VLF_CONSOLE, VLL_ERR);
    dp.pmd = &dp;
    CHECK(ob_fast_learn(NULL));
    if (argc > 1 && !strcmp(argv[1], "bench")) {
        bench(argc > 2 && !strcmp(argv[2], "lanes"));
        return 0;
    }
    for (size_t i = 0; i < ARRAY_SIZE(tests); i++) {
        bool wanted = argc == 1;

        for (int j = 1; j < argc; j++) {
            wanted |= !strcmp(argv[j], tests[i].name);
        }
        if (wanted) {
            tests[i].run();
        }
    }
    return 0;
}
