/* SPDX-License-Identifier: Apache-2.0 */

/* Which settings go together
 * ==========================
 *
 * An option may be right by itself and wrong beside others.
 *
 * Thread-safety
 * -------------
 * Pure functions.
 *
 * Source: Linux Documentation/networking/bonding.rst, mode and
 * packets_per_slave; ovs-vswitchd.conf.db(5), bond-primary. */

#ifndef BND_POLICY_CHECK_H
#define BND_POLICY_CHECK_H 1

#include "config/settings.h"

/* Returns null if settings 's' go together on a port that has LACP or not, as
 * 'lacp' says.  Otherwise returns a message, which the caller frees, and
 * stores the option that is to give way in '*opt'. */
char *bnd_policy_check(const struct bnd_settings *s, bool lacp,
                       enum bnd_opt *opt);

/* Has the option "primary" a meaning? */
bool bnd_policy_heeds_primary(const struct bnd_settings *);

#endif /* check.h */
