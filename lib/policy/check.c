/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "policy/check.h"

#include "policy/policy.h"
#include "util.h"

char *
bnd_policy_check(const struct bnd_settings *s, bool lacp, enum bnd_opt *opt)
{
    enum bnd_mode mode = bnd_settings_mode(s);

    *opt = BND_OPT_MODE;
    if (!bnd_policy_get(mode)) {
        return xasprintf("mode: \"%s\" is not supported yet",
                         bnd_mode_name(mode));
    }
    if (mode == BND_MODE_8023AD && !lacp) {
        return xasprintf("mode: \"%s\" needs LACP (column lacp must be active "
                         "or passive)", bnd_mode_name(mode));
    }

    *opt = BND_OPT_PACKETS_PER;
    if (mode != BND_MODE_RR && bnd_settings_is_given(s, BND_OPT_PACKETS_PER)) {
        return xasprintf("packets-per-slave: \"%lld\": only mode %s has this "
                         "option", bnd_settings_num(s, BND_OPT_PACKETS_PER),
                         bnd_mode_name(BND_MODE_RR));
    }
    return NULL;
}

bool
bnd_policy_heeds_primary(const struct bnd_settings *s)
{
    return (bnd_settings_mode(s) == BND_MODE_AB
            || bnd_settings_num(s, BND_OPT_FALLBACK));
}
