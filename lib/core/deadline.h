/* SPDX-License-Identifier: Apache-2.0 */

/* Deadlines
 * =========
 *
 * A deadline is an absolute time in monotonic milliseconds, or BND_NEVER.
 * There are no countdowns and no ticks in the engine: a countdown is wrong by
 * as much as the pass that decrements it is late.
 *
 * Thread-safety
 * -------------
 * Pure functions. */

#ifndef BND_DEADLINE_H
#define BND_DEADLINE_H 1

#include "core/bnd-types.h"

/* Returns the deadline 'delay' ms (not negative) after 'now', saturating at
 * BND_NEVER. */
static inline long long int
bnd_deadline_in(long long int now, long long int delay)
{
    return delay >= BND_NEVER - now ? BND_NEVER : now + delay;
}

/* Has 'deadline' come at 'now'?  BND_NEVER never does. */
static inline bool
bnd_deadline_expired(long long int deadline, long long int now)
{
    return deadline != BND_NEVER && now >= deadline;
}

/* Returns the earlier one of 'a' and 'b'. */
static inline long long int
bnd_deadline_min(long long int a, long long int b)
{
    return a < b ? a : b;
}

#endif /* deadline.h */
