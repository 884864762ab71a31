/* SPDX-License-Identifier: Apache-2.0 */

/* What owner.c (passes) and owner-config.c (what OVS tells of a bond)
 * share. */

#ifndef OB_OWNER_PRIVATE_H
#define OB_OWNER_PRIVATE_H 1

#include "ofproto-bond/owner.h"
#include "timeval.h"
#include "util.h"

/* The time for the engine: it never goes backwards. */
static inline long long int
ob_owner_now(struct ob_owner *o)
    OVS_REQUIRES(o->mutex)
{
    o->last_now = MAX(o->last_now, time_msec());
    return o->last_now;
}

static inline void
ob_owner_set_wake(struct ob_owner *o, long long int wake)
    OVS_REQUIRES(o->mutex)
{
    o->wake = wake;
    atomic_store_relaxed(&o->wake_hint, wake);
}

/* Counts bonds that speak LACP. */
extern atomic_count ob_n_lacp;

/* The engine has work: the next run must not wait. */
static inline void
ob_owner_touched(struct ob_owner *o)
    OVS_REQUIRES(o->mutex)
{
    o->wake = MIN(o->wake, o->last_now);
    atomic_store_relaxed(&o->wake_hint, 0);
}

/* Notes a change of the status. */
void ob_owner_status_changed__(struct ob_owner *o)
    OVS_REQUIRES(o->mutex);

/* Notes what the effects 'fx' of a pass say of the status. */
void ob_owner_note_effects__(struct ob_owner *o, const struct bnd_effects *fx)
    OVS_REQUIRES(o->mutex);

/* Opens and closes sockets (taps.h), as the bond listens or not. */
void ob_owner_update_taps(struct ob_owner *);

/* Forgets remembered members that the new configuration does not have. */
void ob_owner_drop_absent_members(struct ob_owner *);

#endif /* owner-private.h */
