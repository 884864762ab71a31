/* SPDX-License-Identifier: Apache-2.0 */

/* balance-tlb
 * ===========
 *
 * The host's outgoing traffic is balanced by load, or, with
 * tlb-dynamic-lb=false, by the transmit hash policy; all that is for the host
 * comes in by the active member.  The others drop it: a switch that has not
 * learned an address yet floods what is for it to every member.
 *
 * Source: Linux Documentation/networking/bonding.rst, balance-tlb,
 * tlb_dynamic_lb. */

#include <config.h>
#include "policy/lb.h"

static void
tlb_init(void *lb, const struct bnd_pass *pass)
{
    bnd_lb_init(lb, pass);
}

static void
tlb_destroy(void *lb)
{
    bnd_lb_uninit(lb);
}

static bool
tlb_reconfigure(void *lb, const struct bnd_pass *pass)
{
    bnd_lb_reconfigure(lb, pass);
    return true;
}

static void
tlb_event(void *lb, const struct bnd_event *event)
{
    bnd_lb_event(lb, event);
}

static void
tlb_decide(void *lb, const struct bnd_pass *pass, struct bnd_effects *fx)
{
    bnd_lb_decide(lb, pass, fx);
}

static void
tlb_view(const void *lb, const struct bnd_pass *pass, struct bnd_view *view)
{
    bnd_lb_view(lb, pass, BND_LB_TLB, BND_DROP, view);
}

static const struct bnd_slots *
tlb_slots(const void *lb_)
{
    const struct bnd_lb *lb = lb_;

    return &lb->guests.slots;
}

static long long int
tlb_next_rebalance(const void *lb)
{
    return bnd_lb_next_rebalance(lb);
}

static void
tlb_send(void *lb, const struct bnd_pass *pass, struct bnd_effects *fx)
{
    bnd_lb_send(lb, pass, fx);
}

static long long int
tlb_wake_time(const void *lb_)
{
    const struct bnd_lb *lb = lb_;

    return lb->macs.wake;
}

static void
tlb_status(const void *lb, bool brief, struct bnd_status *s)
{
    bnd_lb_status(lb, brief, s);
}

static char *
tlb_check(const void *lb_, const struct bnd_pass *pass)
{
    const struct bnd_lb *lb = lb_;

    return bnd_macs_check(&lb->macs, pass->active);
}

const struct bnd_mode_class bnd_mode_tlb = {
    .mode = BND_MODE_TLB,
    .traits = (BND_MT_BALANCED | BND_MT_DATAPATH_ID | BND_MT_ANNOUNCE
               | BND_MT_REPORT | BND_MT_ALL_ACTIVE | BND_MT_BY_SOURCE
               | BND_MT_HOST_LB),
    .priv_size = sizeof(struct bnd_lb),
    .init = tlb_init,
    .destroy = tlb_destroy,
    .reconfigure = tlb_reconfigure,
    .event = tlb_event,
    .decide = tlb_decide,
    .view = tlb_view,
    .slots = tlb_slots,
    .next_rebalance = tlb_next_rebalance,
    .send = tlb_send,
    .wake_time = tlb_wake_time,
    .status = tlb_status,
    .check = tlb_check,
};
