/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "lacp/lacp-late.h"

#include "core/deadline.h"
#include "core/effects.h"
#include "lacp/lacp-private.h"
#include "util.h"

/* What part of a timeout is alarming. */
#define ALARMING(TIMEOUT) ((TIMEOUT) * 2 / 3)

static const long long int gap_bounds[] = {
#define BND_LATE_GAP(MS) MS,
    BND_LATE_GAPS
#undef BND_LATE_GAP
};

static const long long int delay_bounds[] = {
#define BND_LATE_DELAY(MS) MS,
    BND_LATE_DELAYS
#undef BND_LATE_DELAY
};

/* Adds 'ms' to the one of 'counts' whose bound, of 'n' 'bounds', is the first
 * above it; the last is for what is above all. */
static void
count(uint32_t counts[], const long long int bounds[], size_t n,
      long long int ms)
{
    size_t i = 0;

    while (i < n && ms >= bounds[i]) {
        i++;
    }
    counts[i]++;
}

void
bnd_late_init(struct bnd_lacp_watch *w)
{
    w->last_rx = w->rx_alarm = w->last_tx = w->tx_alarm = BND_NEVER;
}

void
bnd_late_received(struct bnd_lacp_port *port, long long int arrival,
                  long long int timeout)
{
    struct bnd_lacp_watch *w = &port->watch;

    if (w->last_rx != BND_NEVER) {
        long long int gap = MAX(arrival - w->last_rx, 0);

        count(w->late.gaps, gap_bounds, ARRAY_SIZE(gap_bounds), gap);
        w->late.worst_gap = MAX(w->late.worst_gap, gap);
    }
    w->late.silent = false;
    w->last_rx = arrival;
    w->rx_alarm = bnd_deadline_in(arrival, ALARMING(timeout));
}

void
bnd_late_wait(struct bnd_lacp_port *port, long long int timeout)
{
    struct bnd_lacp_watch *w = &port->watch;

    if (w->last_rx != BND_NEVER) {
        w->rx_alarm = bnd_deadline_in(w->last_rx, ALARMING(timeout));
    }
}

void
bnd_late_delayed(struct bnd_lacp_port *port, long long int delay)
{
    struct bnd_late *late = &port->watch.late;

    count(late->delays, delay_bounds, ARRAY_SIZE(delay_bounds), delay);
    late->worst_delay = MAX(late->worst_delay, delay);
}

/* How long the partner of 'port' may go without a LACPDU of ours before that
 * is alarming. */
static long long int
tx_limit(const struct bnd_lacp_port *port)
{
    return ALARMING(port->partner.state & BND_LACP_TIMEOUT
                    ? BND_LACP_SHORT_TIMEOUT
                    : BND_LACP_LONG_TIMEOUT);
}

void
bnd_late_sent(struct bnd_lacp_port *port, long long int now,
              struct bnd_effects *fx)
{
    struct bnd_lacp_watch *w = &port->watch;

    /* The partner may have another timeout since, and only what is late for
     * both is late. */
    w->late.overdue = (bnd_deadline_expired(w->tx_alarm, now)
                       && now - w->last_tx >= tx_limit(port));
    if (w->late.overdue) {
        w->late.n_overdue++;
        bnd_fx_trace(fx, BND_TRACE_OVERDUE, now, port->id, port->name)->ms
            = now - w->last_tx;
    }
    w->last_tx = now;
    w->tx_alarm = bnd_deadline_in(now, tx_limit(port));
}

/* Does the partner of 'port' have to speak? */
static bool
waits(const struct bnd_lacp_port *port)
{
    return port->rx == BND_RX_CURRENT && !port->watch.late.silent;
}

void
bnd_late_check(struct bnd_lacp_port *port, long long int now,
               struct bnd_effects *fx)
{
    struct bnd_lacp_watch *w = &port->watch;

    if (waits(port) && bnd_deadline_expired(w->rx_alarm, now)) {
        w->late.silent = true;
        w->late.n_silent++;
        bnd_fx_trace(fx, BND_TRACE_SILENT, now, port->id, port->name)->ms
            = now - w->last_rx;
    } else if (port->rx != BND_RX_CURRENT && port->rx != BND_RX_EXPIRED) {
        w->late.silent = false;
        w->last_rx = w->rx_alarm = BND_NEVER;
    }
    if (!bnd_tx_is_allowed(port) || port->rx == BND_RX_DEFAULTED) {
        w->late.overdue = false;
        w->last_tx = w->tx_alarm = BND_NEVER;
    }
    if (w->told != (w->late.silent || w->late.overdue)) {
        w->told = !w->told;
        /* Who is not expected any more is not in time. */
        if (!w->told && port->rx == BND_RX_CURRENT) {
            bnd_fx_trace(fx, BND_TRACE_IN_TIME, now, port->id, port->name);
        }
    }
}

long long int
bnd_late_wake_time(const struct bnd_lacp_port *port)
{
    return waits(port) ? port->watch.rx_alarm : BND_NEVER;
}
