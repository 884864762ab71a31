/* SPDX-License-Identifier: Apache-2.0 */

/* active-backup
 * =============
 *
 * The active member sends and takes everything, the others nothing.  With LACP
 * every member that the partner aggregates takes, and the active one sends.
 *
 * Source: Open vSwitch Documentation/topics/bonding.rst, Active Backup. */

#include <config.h>
#include "policy/policy.h"

static void
ab_view(const void *priv OVS_UNUSED, const struct bnd_pass *pass,
        struct bnd_view *view)
{
    view->xmit = BND_XMIT_ACTIVE;
    if (bnd_policy_admit_lacp(pass, view)) {
        return;
    }

    for (size_t i = 0; i < view->n_members; i++) {
        struct bnd_view_member *vm = &view->members[i];

        vm->admit_unicast = vm->admit_multicast
            = i == view->active ? BND_ACCEPT : BND_DROP;
    }
}

const struct bnd_mode_class bnd_mode_ab = {
    .mode = BND_MODE_AB,
    .traits = BND_MT_ANNOUNCE | BND_MT_REPORT,
    .view = ab_view,
};
