/* SPDX-License-Identifier: Apache-2.0 */

/* What must hold of LACP, whatever happens
 * ========================================
 *
 * net_rules_ran() is to be called after each run of a system, and holds what
 * is true at all times:
 *
 *   - A port carries traffic only if it is in the active aggregator, of which
 *     there is one at most, and is distributing; or is operated without a
 *     partner because the configuration says so.
 *   - A port distributes only if its partner, in the last LACPDU that came in,
 *     within our timeout, said that it is in sync (and, with independent
 *     control, that it collects) and knew us as we are.
 *   - DISTRIBUTING implies COLLECTING, and that implies SYNC.
 *   - No more LACPDUs leave a port than the rate limit lets.
 *   - No more ports are in an aggregator than 'max_links'.
 *   - Counters do not go back.
 *   - Ports in 'held' carry traffic.
 *
 * net_rules_settled() is to be called when nothing has gone wrong for as long
 * as net_settle_time() says; it holds what the standard promises then: links
 * between the same two systems with the same keys are in one aggregator, and
 * those that both ends want distribute at both ends.
 *
 * Thread-safety
 * -------------
 * Single-threaded. */

#ifndef LACP_RULES_H
#define LACP_RULES_H 1

#include "lacp-net.h"

void net_rules_ran(struct net *, struct net_system *);

/* How long, in ms, until all is as net_rules_settled() wants it.  'bounced'
 * says that all links have just come up, so that nobody remembers anything. */
long long int net_settle_time(const struct net *, bool bounced);
void net_rules_settled(struct net *);

/* Ports that carry traffic, as a mask, of systems that settle; only those that
 * do by agreement with their partners if 'agreed'. */
uint32_t net_in_use(const struct net *, bool agreed);

/* Is 'sys' linked, be it by way of others, to a wire that never comes to
 * rest? */
bool net_is_restless(const struct net_system *sys);

#endif /* lacp-rules.h */
