/* SPDX-License-Identifier: Apache-2.0 */

/* balance-xor and 802.3ad
 * =======================
 *
 * The transmit hash policy chooses the member, and a flow stays where it is as
 * long as its member works (balance/homes.h).  balance-xor is the static link
 * aggregation that a switch at the other end is configured for by hand;
 * 802.3ad has LACP agree on it.  Without a partner one member works on its
 * own, or what the option lacp-fallback says.
 *
 * Source: Linux Documentation/networking/bonding.rst, balance-xor, 802.3ad,
 * xmit_hash_policy. */

#include <config.h>
#include "policy/policy.h"

#include "balance/homes.h"
#include "policy/balanced.h"

static void
policy_view(const struct bnd_balanced *b, const struct bnd_pass *pass,
            struct bnd_view *view)
{
    const struct bnd_settings *s = pass->settings;

    view->xmit = BND_XMIT_POLICY;
    view->policy = bnd_settings_num(s, BND_OPT_XMIT_POLICY);
    view->compat = bnd_settings_num(s, BND_OPT_HASH_COMPAT);
    bnd_balanced_view(b, pass, view);
}

static void
xor_view(const void *priv, const struct bnd_pass *pass,
         struct bnd_view *view)
{
    policy_view(priv, pass, view);
    bnd_policy_admit_static(pass, view);
}

static void
ad_view(const void *priv, const struct bnd_pass *pass,
        struct bnd_view *view)
{
    policy_view(priv, pass, view);
    if (!bnd_policy_admit_ad(pass, view,
                             bnd_policy_spare_verdict(pass->settings))) {
        bnd_policy_block(view);
    }
}

const struct bnd_mode_class bnd_mode_xor = {
    .mode = BND_MODE_XOR,
    .traits = (BND_MT_BALANCED | BND_MT_DATAPATH_ID | BND_MT_POLICY
               | BND_MT_NEEDS_CARRIER),
    BND_BALANCED_HOOKS,
    .init = bnd_balanced_init_static,
    .view = xor_view,
};

const struct bnd_mode_class bnd_mode_8023ad = {
    .mode = BND_MODE_8023AD,
    .traits = (BND_MT_BALANCED | BND_MT_DATAPATH_ID | BND_MT_POLICY
               | BND_MT_NEEDS_LACP | BND_MT_AGGREGATORS
               | BND_MT_NEEDS_CARRIER
               | BND_MT_NEEDS_SPEED),
    BND_BALANCED_HOOKS,
    .init = bnd_balanced_init_static,
    .view = ad_view,
};
