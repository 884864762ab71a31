/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "lacp/lacp-private.h"

#include "core/deadline.h"
#include "core/effects.h"
#include "util.h"

/* Is the system as a whole a link that is up, and what carries traffic if
 * there is no partner?  For the standard's flavour.
 *
 * As in Linux the links count, not what has been negotiated, unless it is
 * 'strict': so many as min_links of the aggregator that is in use must be up.
 *
 * Without a partner Linux lets the aggregator in use carry traffic all the
 * same, be it that of a single port ("individual").  The other fallbacks are
 * ours.  Such a one begins when no port has had a partner for some time, and
 * ends when a port carries traffic by LACP; meanwhile a partner that begins to
 * speak gets the time that this takes, so that there is no gap.
 *
 * Source: Linux Documentation/networking/bonding.rst, min_links, lacp_strict;
 * observation of Linux 6.1. */

/* What is configured, the words of 'strict' included. */
static enum bnd_lacp_fallback
kind(const struct bnd_lacp *lacp)
{
    const struct bnd_lacp_config *config = &lacp->config;

    return (config->strict ? BND_LACP_FB_NONE
            : config->fallback && config->fallback_kind == BND_LACP_FB_LINUX
            ? BND_LACP_FB_AB
            : config->fallback_kind);
}

bool
bnd_lacp_is_individual_ok(const struct bnd_lacp *lacp)
{
    return kind(lacp) == BND_LACP_FB_LINUX;
}

bool
bnd_lacp_is_strict(const struct bnd_lacp *lacp)
{
    return kind(lacp) == BND_LACP_FB_NONE;
}

/* Does 'port' carry traffic by agreement with a partner? */
static bool
works(const struct bnd_lacp_port *port)
{
    return (port->role && port->enabled && port->agg && port->agg->active
            && bnd_agg_has_partner(port->agg));
}

static bool
hears(const struct bnd_lacp_port *port)
{
    return (port->enabled
            && (port->rx == BND_RX_CURRENT || port->rx == BND_RX_EXPIRED)
            && !(port->actor_state & BND_LACP_DEFAULTED));
}

static const char *
name(const struct bnd_lacp *lacp)
{
    return (!lacp->fallback ? "none"
            : kind(lacp) == BND_LACP_FB_AB ? "active-backup" : "all-active");
}

void
bnd_fallback_step(struct bnd_lacp *lacp, long long int now,
                  struct bnd_effects *fx)
{
    bool work = false, heard = false, was = lacp->fallback;

    for (size_t i = 0; i < lacp->n_ports; i++) {
        work |= works(lacp->ports[i]);
        heard |= hears(lacp->ports[i]);
    }
    if (heard || work) {
        lacp->alone_since = BND_NEVER;
    } else if (lacp->alone_since == BND_NEVER) {
        lacp->alone_since = now;
    }
    if (!heard || work) {
        lacp->heard_since = BND_NEVER;
    } else if (lacp->heard_since == BND_NEVER) {
        lacp->heard_since = now;
    }

    if (work || bnd_lacp_is_individual_ok(lacp) || bnd_lacp_is_strict(lacp)) {
        lacp->fallback = false;
    } else if (heard) {
        lacp->fallback &= now < bnd_deadline_in(lacp->heard_since,
                                                BND_LACP_FALLBACK_GRACE);
    } else {
        lacp->fallback |= now >= bnd_deadline_in(
            lacp->alone_since, lacp->config.fallback_timeout);
    }
    if (was != lacp->fallback) {
        bnd_fx_trace(fx, BND_TRACE_FALLBACK, now, BND_NO_MEMBER, NULL)->to
            = name(lacp);
    }
}

long long int
bnd_fallback_wake_time(const struct bnd_lacp *lacp)
{
    if (bnd_lacp_is_individual_ok(lacp) || bnd_lacp_is_strict(lacp)) {
        return BND_NEVER;
    } else if (lacp->fallback) {
        return (lacp->heard_since == BND_NEVER ? BND_NEVER
                : bnd_deadline_in(lacp->heard_since,
                                  BND_LACP_FALLBACK_GRACE));
    }
    return (lacp->alone_since == BND_NEVER ? BND_NEVER
            : bnd_deadline_in(lacp->alone_since,
                              lacp->config.fallback_timeout));
}

enum bnd_lacp_fallback
bnd_lacp_get_fallback(const struct bnd_lacp *lacp)
{
    const struct bnd_aggregator *active;

    if (bnd_lacp_is_ovs(lacp)) {
        return (lacp->config.fallback && !bnd_lacp_is_negotiated(lacp)
                ? BND_LACP_FB_AB : BND_LACP_FB_NONE);
    } else if (lacp->fallback) {
        return kind(lacp);
    }
    active = bnd_agg_active(lacp);
    return (active && !bnd_agg_has_partner(active)
            && bnd_lacp_is_individual_ok(lacp)
            ? BND_LACP_FB_LINUX : BND_LACP_FB_NONE);
}

/* Ports that count: of those in use, the ones whose links are up, or, where a
 * partner is a must, those that collect and distribute. */
static int
n_links(const struct bnd_lacp *lacp, bool strict)
{
    int n = 0;

    for (size_t i = 0; i < lacp->n_ports; i++) {
        const struct bnd_lacp_port *port = lacp->ports[i];

        if (lacp->fallback) {
            n += port->enabled && !port->drained;
        } else if (strict) {
            n += works(port) && port->actor_state & BND_LACP_DISTRIBUTING;
        } else {
            n += port->enabled && port->agg && port->agg->active;
        }
    }
    return n;
}

bool
bnd_lacp_has_carrier(const struct bnd_lacp *lacp)
{
    bool linux_rules = bnd_lacp_is_individual_ok(lacp);
    int min = lacp->config.min_links;

    if (bnd_lacp_is_ovs(lacp)) {
        for (size_t i = 0; i < lacp->n_ports; i++) {
            if (lacp->ports[i]->enabled) {
                return true;
            }
        }
        return false;
    }
    if (linux_rules && !bnd_agg_active(lacp)) {
        return false;
    }
    return n_links(lacp, !linux_rules) >= (linux_rules ? min : MAX(min, 1));
}
