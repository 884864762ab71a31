/* SPDX-License-Identifier: Apache-2.0 */

/* Cheap answers for the adapter, which asks far more often than a status is
 * worth making.  None of them decides anything. */

#include <config.h>
#include "bond/bond.h"

#include <string.h>
#include "bond/bond-private.h"

enum bnd_lacp_status
bnd_lacp_state(const struct bnd_bond *b)
{
    return b->lacp_status;
}

bool
bnd_member_lacp_may_enable(const struct bnd_bond *b, bnd_id id)
{
    const struct bnd_member *m = bnd_find_member(b, id);

    return m && m->lacp_ok;
}

bool
bnd_member_lacp_current(const struct bnd_bond *b, bnd_id id)
{
    const struct bnd_member *m = bnd_find_member(b, id);

    return m && m->lacp_current;
}

bool
bnd_member_lacp_status(const struct bnd_bond *b, bnd_id id,
                       struct bnd_lacp_port_status *ps)
{
    return b->lacp && bnd_lacp_get_port_status(b->lacp, id, ps);
}

size_t
bnd_lacp_aggregators(const struct bnd_bond *b,
                     struct bnd_lacp_agg_status **aggs)
{
    *aggs = NULL;
    return b->lacp ? bnd_lacp_get_aggregators(b->lacp, aggs) : 0;
}

enum bnd_lacp_fallback
bnd_lacp_fallback_now(const struct bnd_bond *b)
{
    return b->lacp_fallback;
}

long long int
bnd_next_rebalance(const struct bnd_bond *b)
{
    return (!bnd_is_balanced(b) ? BND_NEVER
            : b->class->next_rebalance ? b->class->next_rebalance(b->priv)
            : b->class->slots(b->priv)->next_rebalance);
}

bool
bnd_is_balanced(const struct bnd_bond *b)
{
    return (b->bonded
            && bnd_effective(b)->traits & BND_MT_BALANCED);
}

struct eth_addr
bnd_active_mac(const struct bnd_bond *b)
{
    const struct bnd_member *m = bnd_find_member(b, b->active);
    struct eth_addr zero;

    memset(&zero, 0, sizeof zero);
    return m ? m->perm_mac : b->had_active ? zero : b->sticky;
}

uint32_t
bnd_n_failovers(const struct bnd_bond *b)
{
    return b->n_failovers;
}

uint32_t
bnd_n_changes(const struct bnd_bond *b)
{
    return b->n_changes;
}

const char *
bnd_active_refusal(const struct bnd_bond *b)
{
    return b->refusal;
}
