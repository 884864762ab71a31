/* SPDX-License-Identifier: Apache-2.0 */

/* Choice of the active member
 * ===========================
 *
 * Every bond has an active member while it has any that works, also when it
 * balances: it is the one that takes multicast.  It changes as seldom as
 * possible, since each change makes the network learn anew.
 *
 * The choice is a total order, best first:
 *   1. The primary, if it is enabled.
 *   2. The present active member, if it is enabled.
 *   3. The one that was active when the daemon last stopped, if enabled.
 *   4. The first enabled one, in the order in which members joined.
 *   5. None is enabled: the one whose updelay ends first; it is used at once.
 *
 * Thread-safety
 * -------------
 * A pure function.
 *
 * Source: ovs-vswitchd.conf.db(5), Port: bond_active_slave, bond_updelay,
 * other_config:bond-primary. */

#ifndef BND_SELECT_H
#define BND_SELECT_H 1

#include <stddef.h>
#include "core/member.h"

struct bnd_select_input {
    const struct bnd_member *const *members;    /* In order of joining. */
    size_t n_members;
    bnd_id active;              /* Present choice or BND_NO_MEMBER. */
    const char *primary;        /* Name, or null. */
    struct eth_addr sticky;     /* Former active address, or zero. */
    bnd_id without;             /* Out of the question, or BND_NO_MEMBER. */
};

/* Returns the member that should be active, or BND_NO_MEMBER. */
bnd_id bnd_select_active(const struct bnd_select_input *);

#endif /* select.h */
