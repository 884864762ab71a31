/* SPDX-License-Identifier: Apache-2.0 */

/* balance-slb
 * ===========
 *
 * Source address and VLAN choose the member, so each address shows up on one
 * link at a time and the switch behind needs no configuration.  That switch
 * does not know that the links belong together, hence the rules of admission:
 *   - Multicast is flooded to all members; only the active one takes it,
 *     unless all-members-active says otherwise.
 *   - What we send comes back by the other members; it is dropped as its
 *     source was learned on another port.
 *
 * Source: Open vSwitch Documentation/topics/bonding.rst, SLB Bonding. */

#include <config.h>
#include "policy/balanced.h"

static void
slb_view(const void *priv, const struct bnd_pass *pass,
         struct bnd_view *view)
{
    view->xmit = BND_XMIT_SRC_MAC;
    bnd_balanced_view(priv, pass, view);
    if (bnd_policy_admit_lacp(pass, view, BND_DROP)) {
        return;
    }

    bool all = bnd_settings_num(pass->settings, BND_OPT_ALL_ACTIVE);
    for (size_t i = 0; i < view->n_members; i++) {
        struct bnd_view_member *vm = &view->members[i];

        vm->admit_unicast = BND_DROP_IF_MOVED;
        vm->admit_multicast = (all || i == view->active
                               ? BND_DROP_IF_MOVED : BND_DROP);
    }
}

const struct bnd_mode_class bnd_mode_slb = {
    .mode = BND_MODE_SLB,
    .traits = (BND_MT_BALANCED | BND_MT_DATAPATH_ID | BND_MT_ANNOUNCE
               | BND_MT_REPORT
               | BND_MT_ALL_ACTIVE | BND_MT_BY_SOURCE),
    BND_BALANCED_HOOKS,
    .init = bnd_balanced_init,
    .view = slb_view,
};
