/* SPDX-License-Identifier: Apache-2.0 */

/* What has been, for people who ask later. */

#include <config.h>
#include "bond/bond.h"

#include <stdlib.h>
#include <string.h>
#include "bond/bond-private.h"
#include "util.h"

static void
failover_uninit(struct bnd_failover *f)
{
    free(f->from);
    free(f->to);
    memset(f, 0, sizeof *f);
}

void
bnd_history_active(struct bnd_bond *b, const struct bnd_member *to,
                   enum bnd_cause cause, bool counted, long long int now)
{
    struct bnd_failover *last
        = b->n_changes ? &b->failovers[(b->n_changes - 1) % BND_N_FAILOVERS]
          : NULL;
    /* Who was active may be gone by now, its name with it. */
    char *from = last ? nullable_xstrdup(last->to) : NULL;
    struct bnd_failover *f = &b->failovers[b->n_changes % BND_N_FAILOVERS];

    failover_uninit(f);
    *f = (struct bnd_failover) {
        .when = now,
        .cause = cause,
        .from = from,
        .to = to ? xstrdup(to->name) : NULL,
        .counted = counted,
    };
    b->n_changes++;
}

void
bnd_history_links(struct bnd_bond *b, long long int now)
{
    for (size_t i = 0; i < b->n_members; i++) {
        struct bnd_member *m = b->members[i];

        if (m->link.state != m->last_link) {
            m->last_link = m->link.state;
            m->last_change = now;
        }
    }
}

size_t
bnd_history_copy(const struct bnd_bond *b, struct bnd_failover **copies)
{
    size_t n = MIN(b->n_changes, BND_N_FAILOVERS);

    *copies = xcalloc(n + 1, sizeof **copies);
    for (size_t i = 0; i < n; i++) {
        const struct bnd_failover *f
            = &b->failovers[(b->n_changes - n + i) % BND_N_FAILOVERS];
        struct bnd_failover *copy = &(*copies)[i];

        *copy = *f;
        copy->from = nullable_xstrdup(f->from);
        copy->to = nullable_xstrdup(f->to);
    }
    return n;
}

void
bnd_history_uninit(struct bnd_bond *b)
{
    for (size_t i = 0; i < BND_N_FAILOVERS; i++) {
        failover_uninit(&b->failovers[i]);
    }
}
