/* SPDX-License-Identifier: Apache-2.0 */

/* broadcast
 * =========
 *
 * Every packet leaves by every member that works.  What comes in is taken on
 * every member: whoever needs a packet once does not use this mode.
 *
 * Source: Linux Documentation/networking/bonding.rst, broadcast. */

#include <config.h>
#include "policy/policy.h"

static void
broadcast_view(const void *priv OVS_UNUSED, const struct bnd_pass *pass,
               struct bnd_view *view)
{
    view->xmit = BND_XMIT_BROADCAST;
    bnd_policy_admit_static(pass, view);
}

const struct bnd_mode_class bnd_mode_broadcast = {
    .mode = BND_MODE_BROADCAST,
    .traits = (BND_MT_DATAPATH_ID | BND_MT_PER_PACKET
               | BND_MT_NEEDS_CARRIER),
    .view = broadcast_view,
};
