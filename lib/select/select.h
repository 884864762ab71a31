/* SPDX-License-Identifier: Apache-2.0 */

/* Choice of the active member
 * ===========================
 *
 * Every bond has an active member while it has any that works, also when it
 * balances: it is the one that takes multicast.  It changes as seldom as
 * possible, since each change makes the network learn anew.
 *
 * Who challenges the present one?
 *   1. The primary, if it works.
 *   2. Else the member of the highest priority, if that is higher than that of
 *      the present one.  Of equals, the one that was active when the daemon
 *      last stopped; else the first, in the order in which members joined.
 *
 * A challenger takes the place of an active member that does not work.  If
 * that does, 'reselect' decides: always, if the challenger's link is better
 * (faster, or as fast and of better duplex), or never.  A primary that is new
 * ('force') is made active in any case.
 *
 * If none works, it is the member whose updelay ends first, at once.
 *
 * In Linux members join one by one, and 'reselect' has its say from the second
 * on.  Here they may join together; with 'one_by_one' the result is the same:
 * the first that works, or the one that was active when the daemon last
 * stopped, counts as the present active member.
 *
 * We differ from Linux: there, members of equal priority are ranked by the
 * order of joining, so that whatever calls for a choice moves traffic back to
 * the first of them.  The documentation does not say so, and nobody wants it.
 *
 * Thread-safety
 * -------------
 * A pure function.
 *
 * Source: Linux Documentation/networking/bonding.rst, primary,
 * primary_reselect, prio; ovs-vswitchd.conf.db(5), Port: bond_active_slave,
 * bond_updelay, other_config:bond-primary. */

#ifndef BND_SELECT_H
#define BND_SELECT_H 1

#include <stddef.h>
#include "core/member.h"

/* In the order of the option "primary-reselect". */
enum bnd_reselect {
    BND_RESELECT_ALWAYS,
    BND_RESELECT_BETTER,
    BND_RESELECT_FAILURE
};

struct bnd_select_input {
    const struct bnd_member *const *members;    /* In order of joining. */
    size_t n_members;
    bnd_id active;              /* Present choice or BND_NO_MEMBER. */
    bnd_id without;             /* Out of the question, or BND_NO_MEMBER. */
    const char *primary;        /* Name, or null. */
    bool force;                 /* The primary is new. */
    enum bnd_reselect reselect;
    struct eth_addr sticky;     /* Former active address, or zero. */
    bool up_only;               /* A link in downdelay does not work. */
    bool one_by_one;            /* There has been no active member yet. */
    long long int coming_until; /* An updelay that ends later than that cannot
                                 * be cut short. */
};

/* Returns the member that should be active, or BND_NO_MEMBER. */
bnd_id bnd_select_active(const struct bnd_select_input *);

#endif /* select.h */
