/* SPDX-License-Identifier: Apache-2.0 */

/* What translation does for balance-tlb and balance-alb
 * =====================================================
 *
 * ARP of the host that NORMAL would send by the bond goes to the engine, which
 * sends in its place what teaches each client the member that it is to use.
 * So translation leaves the bond out of the flow's outputs and has each such
 * frame come up to us; whoever else it is for in the switch gets it as ever.
 * With 'rlb-ipv6' the same goes for neighbour discovery that tells the host's
 * address.  What a controller sends out is not the host's own.
 *
 * Such a decision needs more of a translation than Open vSwitch tells the
 * bond; hence this remembers which one the calling thread is at.
 *
 * Threads: any.
 *
 * Source: Linux Documentation/networking/bonding.rst, balance-alb. */

#ifndef OB_LB_HOST_H
#define OB_LB_HOST_H 1

#include <stdbool.h>
#include <stdint.h>

struct bond;
struct flow;
struct flow_wildcards;
struct ob_view;
struct xlate_in;

/* A translation begins, or goes on after one that was begun within it. */
struct ob_lb_now {
    struct xlate_in *xin;
    bool taken;                 /* Frames like this are the engine's. */
};

/* Remembers that the calling thread is at 'xin', and returns what it was at
 * before, for ob_lb_end(), which returns whether every frame of the flow has
 * to come up. */
struct ob_lb_now ob_lb_begin(struct xlate_in *xin);
bool ob_lb_end(struct ob_lb_now before);

/* Is 'flow' of the translation that the calling thread is at?  Others come
 * from ourselves. */
bool ob_lb_is_translating(const struct flow *flow);

/* Is 'flow', which is about to leave by 'bond' in 'vlan', the engine's?  Then
 * the frame is handed over, and must not leave. */
bool ob_lb_take(struct bond *bond, const struct ob_view *ov,
                const struct flow *flow, uint16_t vlan);

/* Returns the id under which to recirculate the flow that the calling thread
 * is translating, or 0. */
uint32_t ob_lb_recirc_id(const struct bond *bond, const struct ob_view *ov);

/* That has happened to 'flow': counts it, and what follows, as Open vSwitch
 * does for flows that it does not recirculate. */
void ob_lb_account(struct bond *bond, const struct flow *flow,
                   uint16_t vlan);

#endif /* lb-host.h */
