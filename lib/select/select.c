/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "select/select.h"

#include <string.h>
#include "util.h"

/* Rank of a member in the order of the head-of-file essay; lower is better. */
enum rank {
    RANK_PRIMARY,
    RANK_ACTIVE,
    RANK_STICKY,
    RANK_ENABLED,
    RANK_COMING,
    RANK_NEVER
};

static enum rank
member_rank(const struct bnd_select_input *in, const struct bnd_member *m)
{
    static const struct eth_addr zero;

    if (m->id == in->without) {
        return RANK_NEVER;
    }
    if (m->enabled) {
        return (in->primary && !strcmp(m->name, in->primary) ? RANK_PRIMARY
                : m->id == in->active ? RANK_ACTIVE
                : !memcmp(&in->sticky, &zero, sizeof zero) ? RANK_ENABLED
                : !memcmp(&m->perm_mac, &in->sticky, sizeof in->sticky) ? RANK_STICKY
                : RANK_ENABLED);
    }
    return m->link.state == BND_LINK_COMING_BACK ? RANK_COMING : RANK_NEVER;
}

bnd_id
bnd_select_active(const struct bnd_select_input *in)
{
    const struct bnd_member *best = NULL;
    enum rank best_rank = RANK_NEVER;

    for (size_t i = 0; i < in->n_members; i++) {
        const struct bnd_member *m = in->members[i];
        enum rank rank = member_rank(in, m);

        /* Equal ranks keep the earlier member, save for running updelays. */
        if (rank < best_rank
            || (best && rank == RANK_COMING && rank == best_rank
                && m->link.deadline < best->link.deadline)) {
            best = m;
            best_rank = rank;
        }
    }
    return best ? best->id : BND_NO_MEMBER;
}
