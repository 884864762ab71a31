/* SPDX-License-Identifier: Apache-2.0 */

/* balance-alb
 * ===========
 *
 * Outgoing traffic of the host as in balance-tlb, but buckets are of
 * destinations' IP addresses.  Incoming traffic is balanced as well: peers are
 * told, by ARP, different Ethernet addresses for the same host, which is why
 * its ARP goes through here (balance/rlb.h); so every member takes what is to
 * one of them.  What is to all comes by the active member.
 *
 * Source: Linux Documentation/networking/bonding.rst, balance-alb. */

#include <config.h>
#include "policy/lb.h"

#include <stdlib.h>
#include "balance/rlb.h"
#include "core/deadline.h"
#include "core/status.h"
#include "util.h"

struct alb {
    struct bnd_lb lb;
    struct bnd_rlb rlb;
};

static void
alb_init(void *alb_, const struct bnd_pass *pass)
{
    struct alb *alb = alb_;

    bnd_lb_init(&alb->lb, pass);
}

static void
alb_destroy(void *alb_)
{
    struct alb *alb = alb_;

    bnd_lb_uninit(&alb->lb);
    bnd_rlb_uninit(&alb->rlb);
}

static bool
alb_reconfigure(void *alb_, const struct bnd_pass *pass)
{
    struct alb *alb = alb_;

    bnd_lb_reconfigure(&alb->lb, pass);
    return true;
}

static void
alb_event(void *alb_, const struct bnd_event *e)
{
    struct alb *alb = alb_;
    bool is_host = e->type == BND_EV_HOST_ARP;

    if (is_host || e->type == BND_EV_FRAME_RX) {
        bnd_rlb_take(&alb->rlb, is_host, e->frame.data, e->frame.len);
    } else {
        bnd_lb_event(&alb->lb, e);
    }
}

/* What receive load balancing works on; 'members' has room for all. */
static struct bnd_rlb_input
make_input(const struct alb *alb, const struct bnd_pass *pass,
           const struct bnd_member **members)
{
    return (struct bnd_rlb_input) {
        .members = members,
        .n = bnd_lb_calm(&alb->lb, pass, members),
        .active = pass->active,
        .macs = &alb->lb.macs,
        .now = pass->now,
    };
}

static void
set_servers(struct bnd_rlb *rlb, const struct bnd_pass *pass)
{
    struct bnd_rlb_server *servers = xcalloc(pass->n_hosts + 1,
                                             sizeof *servers);
    size_t n = 0;

    for (size_t i = 0; i < pass->n_hosts; i++) {
        const struct bnd_host *h = &pass->hosts[i];

        if (h->kind == BND_HOST_ADDR) {
            servers[n].ip = h->ip;
            servers[n++].tags = h->tags;
        }
    }
    bnd_rlb_set_servers(rlb, servers, n);
    free(servers);
}

static void
alb_decide(void *alb_, const struct bnd_pass *pass, struct bnd_effects *fx)
{
    const struct bnd_member **members = xcalloc(pass->n_members + 1,
                                                sizeof *members);
    struct bnd_rlb_input in;
    struct alb *alb = alb_;

    bnd_lb_decide(&alb->lb, pass, fx);
    in = make_input(alb, pass, members);
    set_servers(&alb->rlb, pass);
    bnd_rlb_assign(&alb->rlb, &in);
    free(members);
}

static void
alb_view(const void *alb_, const struct bnd_pass *pass, struct bnd_view *view)
{
    const struct bnd_settings *s = pass->settings;
    const struct alb *alb = alb_;

    bnd_lb_view(&alb->lb, pass, BND_LB_ALB, BND_DROP_IF_MOVED, view);
    view->lb_by_ip = bnd_settings_num(s, BND_OPT_TLB_DYNAMIC);
    view->take_arp = true;
    view->watch |= BND_WATCH_ARP;
    if (bnd_settings_num(s, BND_OPT_RLB_IPV6)) {
        view->take_nd = true;
        view->watch |= BND_WATCH_ND;
    }
}

static const struct bnd_slots *
alb_slots(const void *alb_)
{
    const struct alb *alb = alb_;

    return &alb->lb.guests.slots;
}

static long long int
alb_next_rebalance(const void *alb_)
{
    const struct alb *alb = alb_;

    return bnd_lb_next_rebalance(&alb->lb);
}

static void
alb_send(void *alb_, const struct bnd_pass *pass, struct bnd_effects *fx)
{
    const struct bnd_member **members = xcalloc(pass->n_members + 1,
                                                sizeof *members);
    struct bnd_rlb_input in;
    struct alb *alb = alb_;

    /* First where addresses are, then who is to use them. */
    bnd_lb_send(&alb->lb, pass, fx);
    in = make_input(alb, pass, members);
    bnd_rlb_send(&alb->rlb, &in, fx);
    free(members);
}

static long long int
alb_wake_time(const void *alb_)
{
    const struct alb *alb = alb_;

    return bnd_deadline_min(alb->lb.macs.wake,
                            bnd_rlb_wake_time(&alb->rlb));
}

static void
alb_status(const void *alb_, bool brief, struct bnd_status *s)
{
    const struct alb *alb = alb_;

    bnd_lb_status(&alb->lb, brief, s);
    s->has_rlb = true;
    if (brief) {
        return;
    }
    s->rlb = xcalloc(alb->rlb.n + 1, sizeof *s->rlb);
    for (size_t i = 0; i < alb->rlb.n; i++) {
        const struct bnd_rlb_entry *e = &alb->rlb.entries[i];
        struct bnd_status_rlb *out = &s->rlb[s->n_rlb++];

        out->client = bnd_ip_to_string(&e->client);
        out->server = bnd_ip_to_string(&e->server.ip);
        out->n_vlans = e->server.tags.n;
        for (int j = 0; j < e->server.tags.n; j++) {
            out->vlans[j] = e->server.tags.tag[j].vid;
        }
        out->client_mac = e->client_mac;
        out->server_mac = e->told;
        out->pending = e->due != BND_NEVER;
        out->member = e->member;
        out->since = e->since;
    }
}

static char *
alb_check(const void *alb_, const struct bnd_pass *pass)
{
    const struct alb *alb = alb_;
    char *msg = bnd_macs_check(&alb->lb.macs, pass->active);

    for (size_t i = 0; i < alb->rlb.n && !msg; i++) {
        const struct bnd_rlb_entry *e = &alb->rlb.entries[i];
        bool usable = false, any = false;

        for (size_t j = 0; j < pass->n_members; j++) {
            any |= pass->members[j]->enabled;
            usable |= (pass->members[j]->enabled
                       && pass->members[j]->id == e->member);
        }
        if (any ? !usable : e->member) {
            msg = xasprintf("a client of member %u, which cannot be used",
                            e->member);
        }
    }
    return msg;
}

const struct bnd_mode_class bnd_mode_alb = {
    .mode = BND_MODE_ALB,
    .traits = (BND_MT_BALANCED | BND_MT_DATAPATH_ID | BND_MT_ANNOUNCE
               | BND_MT_REPORT | BND_MT_ALL_ACTIVE | BND_MT_BY_SOURCE
               | BND_MT_HOST_LB | BND_MT_HOST_ARP),
    .priv_size = sizeof(struct alb),
    .init = alb_init,
    .destroy = alb_destroy,
    .reconfigure = alb_reconfigure,
    .event = alb_event,
    .decide = alb_decide,
    .view = alb_view,
    .slots = alb_slots,
    .next_rebalance = alb_next_rebalance,
    .send = alb_send,
    .wake_time = alb_wake_time,
    .status = alb_status,
    .check = alb_check,
};
