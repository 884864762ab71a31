/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/announce.h"

#include <stdlib.h>
#include <string.h>
#include "dp-packet.h"
#include "ofproto/bond.h"
#include "flow.h"
#include "ofproto-bond/attach.h"
#include "ofproto-bond/owner.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(bond_announce);

/* Packets that one round of the main loop sends at most. */
#define MAX_AT_ONCE 16

void
ob_announce_begin(struct ob_owner *o)
{
    struct ob_announcer *a = &o->announcer;

    a->n = a->next = 0;
    a->since = time_msec();
    a->n_since = 0;
}

struct dp_packet *
ob_announce_add(struct ob_owner *o, struct eth_addr mac, uint16_t vlan,
                const void **port)
{
    struct ob_announcer *a = &o->announcer;

    if (a->n >= a->allocated) {
        a->queue = x2nrealloc(a->queue, &a->allocated, sizeof *a->queue);
    }
    a->queue[a->n++] = (struct ob_address) { .mac = mac, .vlan = vlan };
    ob_attach_swallow_next_packet();
    *port = ob_owner_any_port(o);
    return dp_packet_new(0);
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

static bool
is_pending(const struct ob_owner *o)
{
    return o->bond && o->announcer.next < o->announcer.n;
}

void
ob_announce_run(struct ob_owner *o)
{
    struct ob_announcer *a = &o->announcer;

    if (!is_pending(o)) {
        return;
    }

    size_t allowed = allowance(o, time_msec());
    for (int i = 0; i < MAX_AT_ONCE && is_pending(o)
                    && a->n_since < allowed; i++) {
        announce(o, &a->queue[a->next++]);
        a->n_since++;
    }
    if (!is_pending(o)) {
        VLOG_DBG("bond %s: announced %"PRIuSIZE" addresses", o->name, a->n);
        ob_announce_uninit(a);
    }
}

long long int
ob_announce_wake_time(const struct ob_owner *o)
{
    if (!is_pending(o)) {
        return BND_NEVER;
    }

    long long int now = time_msec();
    return o->announcer.n_since < allowance(o, now) ? now : now + 1;
}

void
ob_announce_uninit(struct ob_announcer *a)
{
    free(a->queue);
    memset(a, 0, sizeof *a);
}
