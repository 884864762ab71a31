/* SPDX-License-Identifier: Apache-2.0 */

/* Who sends what, right now
 * =========================
 *
 * A view says whom each packet should go to and who follows if that member is
 * lost.  Between the moment in which a link falls and the pass that makes a new
 * view of it, somebody may know already that a member has no carrier: this
 * module puts view and that knowledge together, by the same plan that the pass
 * will come to.  It takes microseconds, whatever the number of flows.
 *
 * Thread-safety
 * -------------
 * Pure functions.
 *
 * Source: Linux Documentation/networking/bonding.rst, balance-rr (who takes
 * the turn of a member that is down), queue_id (a queue whose member is down
 * goes where all others go). */

#ifndef BND_RESOLVE_H
#define BND_RESOLVE_H 1

#include "xmit/view.h"

/* Members by their index in the view; BND_VIEW_NONE is none. */
struct bnd_resolved {
    uint8_t active;
    uint8_t slots[BND_N_SLOTS];     /* The view's 'n_slots', repeated. */
    uint8_t host_slots[BND_N_SLOTS]; /* The same of 'n_host_slots'. */
    uint8_t turns[BND_VIEW_MAX];    /* balance-rr: who takes each turn. */
    uint8_t senders[BND_VIEW_MAX];  /* broadcast: all that may send... */
    size_t n_senders;               /* ...so many of them. */
    uint8_t pins[BND_VIEW_MAX];     /* Members that take a queue... */
    size_t n_pins;                  /* ...so many of them. */
};

/* Fills in '*out' for 'view', taking for granted that each member whose byte
 * in 'cut' ('view->n_members' of them) is nonzero has just lost its carrier. */
void bnd_view_resolve(const struct bnd_view *view, const uint8_t *cut,
                      struct bnd_resolved *out);

/* Returns the member that takes the turn of the one with index 'i': the first
 * one from there on that may send, around the end. */
uint8_t bnd_view_turn(const struct bnd_view *view, const uint8_t *cut,
                      size_t i);

#endif /* resolve.h */
