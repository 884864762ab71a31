/* SPDX-License-Identifier: Apache-2.0 */

/* What balance-tlb and balance-alb have in common
 * ===============================================
 *
 * Guests, whose addresses we do not change, are balanced as in balance-slb: by
 * address and VLAN; but a member that comes back does not get any until it is
 * known who is silent.  The host's frames have buckets of their own; whatever
 * does not fit in one of them goes by the active member.
 *
 * Buckets of the host's are dealt by load, or, with tlb-dynamic-lb=false, have
 * homes and a hash that users know, as in balance-xor.
 *
 * Thread-safety
 * -------------
 * As for all of lib/ (see bond/bond.h).
 *
 * Source: Linux Documentation/networking/bonding.rst, balance-tlb,
 * balance-alb. */

#ifndef BND_POLICY_LB_H
#define BND_POLICY_LB_H 1

#include "balance/macs.h"
#include "balance/tlb.h"
#include "policy/balanced.h"

/* Private state of both modes. */
struct bnd_lb {
    struct bnd_balanced guests;
    struct bnd_macs macs;
    bool is_dynamic;            /* Which of the following two counts. */
    struct bnd_tlb tlb;
    struct bnd_slots homes;
    bool look;                  /* Counters have come: look at them if due. */
};

void bnd_lb_init(struct bnd_lb *, const struct bnd_pass *);
void bnd_lb_uninit(struct bnd_lb *);
void bnd_lb_reconfigure(struct bnd_lb *, const struct bnd_pass *);
void bnd_lb_event(struct bnd_lb *, const struct bnd_event *);
void bnd_lb_decide(struct bnd_lb *, const struct bnd_pass *,
                   struct bnd_effects *);
void bnd_lb_send(struct bnd_lb *, const struct bnd_pass *,
                 struct bnd_effects *);
long long int bnd_lb_next_rebalance(const struct bnd_lb *);
void bnd_lb_status(const struct bnd_lb *, bool brief, struct bnd_status *);

/* Fills in buckets and addresses of 'view', and admission for guests, and for
 * the host as far as that is the same in both modes: 'others' is the verdict
 * for what is to the host by members that are not active. */
void bnd_lb_view(const struct bnd_lb *, const struct bnd_pass *,
                 enum bnd_lb_rule, enum bnd_verdict others,
                 struct bnd_view *view);

/* Stores in 'out' those of the members of 'pass' that can be used and, if
 * there are such, use their logical addresses already.  Returns how many there
 * are. */
size_t bnd_lb_calm(const struct bnd_lb *, const struct bnd_pass *,
                   const struct bnd_member **out);

#endif /* policy/lb.h */
