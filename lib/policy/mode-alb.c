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

static void
alb_init(void *lb, const struct bnd_pass *pass)
{
    bnd_lb_init(lb, pass);
}

static void
alb_destroy(void *lb)
{
    bnd_lb_uninit(lb);
}

static bool
alb_reconfigure(void *lb, const struct bnd_pass *pass)
{
    bnd_lb_reconfigure(lb, pass);
    return true;
}

static void
alb_event(void *lb, const struct bnd_event *event)
{
    bnd_lb_event(lb, event);
}

static void
alb_decide(void *lb, const struct bnd_pass *pass, struct bnd_effects *fx)
{
    bnd_lb_decide(lb, pass, fx);
}

static void
alb_view(const void *lb, const struct bnd_pass *pass, struct bnd_view *view)
{
    bnd_lb_view(lb, pass, BND_LB_ALB, BND_DROP_IF_MOVED, view);
    view->lb_by_ip = bnd_settings_num(pass->settings, BND_OPT_TLB_DYNAMIC);
}

static const struct bnd_slots *
alb_slots(const void *lb_)
{
    const struct bnd_lb *lb = lb_;

    return &lb->guests.slots;
}

static long long int
alb_next_rebalance(const void *lb)
{
    return bnd_lb_next_rebalance(lb);
}

static void
alb_send(void *lb, const struct bnd_pass *pass, struct bnd_effects *fx)
{
    bnd_lb_send(lb, pass, fx);
}

static long long int
alb_wake_time(const void *lb_)
{
    const struct bnd_lb *lb = lb_;

    return lb->macs.wake;
}

static void
alb_status(const void *lb, bool brief, struct bnd_status *s)
{
    bnd_lb_status(lb, brief, s);
}

const struct bnd_mode_class bnd_mode_alb = {
    .mode = BND_MODE_ALB,
    .traits = (BND_MT_BALANCED | BND_MT_DATAPATH_ID | BND_MT_ANNOUNCE
               | BND_MT_REPORT | BND_MT_ALL_ACTIVE | BND_MT_BY_SOURCE
               | BND_MT_HOST_LB),
    .priv_size = sizeof(struct bnd_lb),
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
};
