/* SPDX-License-Identifier: Apache-2.0 */

/* balance-rr
 * ==========
 *
 * Packets go to the members in turn, 'packets_per_slave' of them at a time (0:
 * to a member picked at random).  The turn goes over all members, those that
 * are down included, whose packets go to the next one that works.  IGMP stays
 * on the active member, or a switch that snoops would see a host wander.  An
 * OpenFlow queue that is some member's own leaves by that member, and takes no
 * turn.
 *
 * Source: Linux Documentation/networking/bonding.rst, balance-rr,
 * packets_per_slave, queue_id. */

#include <config.h>
#include "policy/policy.h"

static void
rr_view(const void *priv OVS_UNUSED, const struct bnd_pass *pass,
        struct bnd_view *view)
{
    view->xmit = BND_XMIT_RR;
    view->packets_per = bnd_settings_num(pass->settings, BND_OPT_PACKETS_PER);
    bnd_policy_admit_static(pass, view);
}

const struct bnd_mode_class bnd_mode_rr = {
    .mode = BND_MODE_RR,
    .traits = (BND_MT_DATAPATH_ID | BND_MT_PER_PACKET | BND_MT_TURNS
               | BND_MT_REPORT | BND_MT_QUEUES | BND_MT_NEEDS_CARRIER),
    .view = rr_view,
};
