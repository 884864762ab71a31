/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "lacp/lacp-private.h"

#include <stdlib.h>
#include "core/deadline.h"
#include "util.h"

/* Links in reserve (option max-links).  [802.1AX-2008 5.6]
 *
 * Of the ports of an aggregator so many are SELECTED, those that the stronger
 * system of the two prefers; the others are STANDBY, which keeps them WAITING,
 * out of sync.  If both systems limit, they so come to the same choice.
 *
 * A port takes part if it hears its partner.  One that does not is replaced at
 * once by one that has waited long enough already; a port that would be
 * preferred but has not waited takes over only when it has, since until then
 * it could not carry anything.
 *
 * Without a limit nobody is STANDBY. */

struct rank {
    struct bnd_lacp_port *port;
    bool hears;                 /* Link up, partner heard. */
    bool has_waited;            /* Could be attached now. */
};

static struct rank
rank_of(struct bnd_lacp_port *port, long long int now)
{
    return (struct rank) {
        .port = port,
        .hears = port->enabled && port->rx == BND_RX_CURRENT,
        .has_waited = (port->mux == BND_MUX_WAITING
                       ? bnd_deadline_expired(port->wait_while, now)
                       : port->mux != BND_MUX_DETACHED),
    };
}

static int
compare_ranks(const void *a_, const void *b_)
{
    const struct rank *a = a_;
    const struct rank *b = b_;

    if (a->hears != b->hears) {
        return a->hears ? -1 : 1;
    } else if (a->has_waited != b->has_waited) {
        return a->has_waited ? -1 : 1;
    }
    return bnd_lacp_compare(a->port, b->port);
}

/* Decides for the ports of 'agg'; 'ranks' has room for all ports. */
static void
limit(struct bnd_lacp *lacp, const struct bnd_aggregator *agg,
      struct rank *ranks, long long int now)
{
    size_t max = lacp->config.max_links ? lacp->config.max_links : SIZE_MAX;
    size_t n = 0;

    for (size_t i = 0; i < lacp->n_ports; i++) {
        struct bnd_lacp_port *port = lacp->ports[i];

        if (port->agg == agg && port->selected != BND_UNSELECTED) {
            ranks[n++] = rank_of(port, now);
        }
    }
    qsort(ranks, n, sizeof *ranks, compare_ranks);
    for (size_t i = 0; i < n; i++) {
        struct bnd_lacp_port *port = ranks[i].port;

        port->selected = i < max ? BND_SELECTED : BND_STANDBY;
        port->was_standby |= i >= max;
        port->role &= i < max;
    }
}

void
bnd_standby_step(struct bnd_lacp *lacp, long long int now)
{
    struct rank *ranks = xcalloc(lacp->n_ports + 1, sizeof *ranks);

    for (size_t i = 0; i < lacp->n_ports; i++) {
        limit(lacp, &lacp->ports[i]->own, ranks, now);
    }
    free(ranks);
}
