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

#include "config/overlay.h"
#include "config/settings.h"

struct ds;

/* Returns null if option 'opt' of 's' goes together with the others on a port
 * that has LACP or not, as 'lacp' says; otherwise a message, which the caller
 * frees. */
char *bnd_policy_check(const struct bnd_settings *s, bool lacp,
                       enum bnd_opt opt);

/* Appends a line for each option of 's' that is in force though not quite as
 * its value looks. */
void bnd_policy_notes(const struct bnd_settings *s, struct ds *);

/* Ends the reading 'o', which lies over 'base', of a port that has LACP or
 * not: refuses what does not go together, of the bond and of its members, and
 * stores what is in force then in '*merged', for the caller to uninit. */
void bnd_policy_settle(struct bnd_overlay *o, const struct bnd_settings *base,
                       bool lacp, struct bnd_settings *merged);

/* Has the option "primary" a meaning? */
bool bnd_policy_heeds_primary(const struct bnd_settings *);

#endif /* check.h */
