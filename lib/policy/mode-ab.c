/* SPDX-License-Identifier: Apache-2.0 */

/* active-backup
 * =============
 *
 * The active member sends and takes everything, the others nothing, or, with
 * all-members-active, everything that is not from here.  One that drains after
 * having been active takes what is still addressed to it; what the switch
 * floods comes by its successor, too, so it leaves that alone.  With LACP
 * every member that the partner aggregates takes, and the active one sends.
 *
 * An OpenFlow queue that is some member's own leaves by that member.
 *
 * Source: Open vSwitch Documentation/topics/bonding.rst, Active Backup; Linux
 * Documentation/networking/bonding.rst, all_slaves_active, queue_id. */

#include <config.h>
#include "policy/policy.h"

static void
ab_view(const void *priv OVS_UNUSED, const struct bnd_pass *pass,
        struct bnd_view *view)
{
    view->xmit = BND_XMIT_ACTIVE;
    if (bnd_policy_admit_lacp(pass, view, BND_DROP)) {
        return;
    }

    enum bnd_verdict spare = bnd_policy_spare_verdict(pass->settings);
    for (size_t i = 0; i < view->n_members; i++) {
        struct bnd_view_member *vm = &view->members[i];

        vm->admit_unicast = vm->admit_multicast
            = i == view->active ? BND_ACCEPT : spare;
        if (pass->members[i]->lingers) {
            vm->admit_unicast = BND_ACCEPT;
        }
    }
}

const struct bnd_mode_class bnd_mode_ab = {
    .mode = BND_MODE_AB,
    .traits = (BND_MT_ANNOUNCE | BND_MT_REPORT | BND_MT_QUEUES
               | BND_MT_ONE_ACTIVE),
    .view = ab_view,
};
