/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/announce.h"

#include <string.h>
#include "dp-packet.h"
#include "ofproto/bond.h"
#include "flow.h"
#include "ofproto-bond/attach.h"
#include "ofproto-bond/handle.h"
#include "ofproto-bond/owner.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(bond_announce);

/* Packets that one round of the main loop sends at most, and addresses that it
 * looks at. */
#define MAX_AT_ONCE 16
#define MAX_LOOK 256

void
ob_announce_begin(struct ob_owner *o)
{
    struct ob_announcer *a = &o->announcer;

    memset(a, 0, sizeof *a);
    a->pending = true;
    a->since = time_msec();
    ob_announce_run(o);
}

static void
announce(struct ob_owner *o, const struct ob_address *address)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
    struct dp_packet packet;
    struct flow flow;

    memset(&flow, 0, sizeof flow);
    flow.dl_src = address->mac;

    void *port = bond_choose_output_member(o->bond, &flow, NULL,
                                           address->vlan);
    if (!port) {
        return;                 /* Nobody to send to: it will be asked for. */
    }
    dp_packet_init(&packet, 0);
    compose_rarp(&packet, address->mac);
    if (address->vlan) {
        eth_push_vlan(&packet, htons(ETH_TYPE_VLAN), htons(address->vlan));
    }

    int error = ob_attach_send_packet(port, &packet);
    if (error) {
        VLOG_WARN_RL(&rl, "bond %s: cannot announce "ETH_ADDR_FMT" (%s)",
                     o->name, ETH_ADDR_ARGS(address->mac),
                     ovs_strerror(error));
    }
    dp_packet_uninit(&packet);
}

/* How many may have been sent at 'now' since it began. */
static size_t
allowance(const struct ob_owner *o, long long int now)
{
    return MAX_AT_ONCE + ((now - o->announcer.since)
                          * ob_owner_announce_rate(o) / 1000);
}

void
ob_announce_run(struct ob_owner *o)
{
    struct ob_announcer *a = &o->announcer;
    struct ob_address addresses[MAX_AT_ONCE];
    bool done;

    if (!a->pending) {
        return;
    }
    const struct ofproto_dpif *ofproto = ob_owner_ofproto(o);
    if (!ofproto || !o->bond->bundle) {
        a->pending = false;     /* The bond has gone meanwhile. */
        return;
    }

    size_t allowed = allowance(o, time_msec());
    size_t n = ob_attach_next_addresses(ofproto, o->bond->bundle, &a->pos,
                                        MAX_LOOK, addresses,
                                        MIN(MAX_AT_ONCE, allowed - a->n),
                                        &done);
    for (size_t i = 0; i < n; i++) {
        announce(o, &addresses[i]);
    }
    a->n += n;
    if (done) {
        VLOG_DBG("bond %s: announced %"PRIuSIZE" addresses", o->name, a->n);
        a->pending = false;
    }
}

long long int
ob_announce_wake_time(const struct ob_owner *o)
{
    if (!o->announcer.pending) {
        return BND_NEVER;
    }

    long long int now = time_msec();
    return o->announcer.n < allowance(o, now) ? now : now + 1;
}
