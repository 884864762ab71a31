/* SPDX-License-Identifier: Apache-2.0 */

/* balance-tcp
 * ===========
 *
 * The 5-tuple chooses the member.  Packets of one address leave by several
 * links, which only a partner that aggregates them can bear: without one, the
 * bond carries nothing (or falls back to active-backup, if told so).
 *
 * Source: ovs-vswitchd.conf.db(5), Port.bond_mode, other_config:
 * lb-output-action. */

#include <config.h>
#include "policy/balanced.h"

static void
tcp_view(const void *priv, const struct bnd_pass *pass,
         struct bnd_view *view)
{
    view->xmit = BND_XMIT_L4;
    bnd_balanced_view(priv, pass, view);
    if (!bnd_policy_admit_lacp(pass, view, BND_DROP)) {
        bnd_policy_block(view);
    }
}

const struct bnd_mode_class bnd_mode_tcp = {
    .mode = BND_MODE_TCP,
    .traits = BND_MT_BALANCED | BND_MT_RECIRCULATE | BND_MT_DATAPATH_ID,
    BND_BALANCED_HOOKS,
    .init = bnd_balanced_init,
    .view = tcp_view,
};
