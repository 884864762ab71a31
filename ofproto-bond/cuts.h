/* SPDX-License-Identifier: Apache-2.0 */

/* Members that lost their carrier
 * ===============================
 *
 * The main loop reads what devices say, and tells the engine.  While it is
 * held up, say because ports are being made, nobody would choose another
 * member.  The carrier listener (carrier.h) hears of the loss all the same and
 * notes it here; if the main loop has not told the engine OB_CUT_MS later, the
 * guard does.
 *
 * From then on until the main loop's own news of that device are as recent, it
 * must not take the link for good:
 *
 *   none --- the guard tells ---> held --- carrier is back ---> over
 *    ^                             |                             |
 *    +------ the device says so ---+------ the main loop --------+
 *
 * With LACP the port itself is not told yet, as for that the device has to be
 * read: the main loop finds that the link was lost, and starts the port anew.
 *
 * Not for members that are good without a carrier for some time.
 *
 * Threads: as said; main where nothing is. */

#ifndef OB_CUTS_H
#define OB_CUTS_H 1

#include "ofproto-bond/owner.h"

struct bnd_event;

/* So long the main loop has, ms. */
#define OB_CUT_MS 3

enum ob_cut {
    OB_CUT_NONE,
    OB_CUT_HELD,
    OB_CUT_OVER,                /* The main loop has to look. */
};

/* From the listener: 'm', whose owner's mutex is held, has or has not ('up') a
 * carrier.  Returns true if the main loop has to look. */
bool ob_cut_heard(struct ob_member *m, bool up);

/* When has the guard to tell the engine?  BND_NEVER if not at all. */
long long int ob_cut_due(const struct ob_owner *o)
    OVS_REQUIRES(o->mutex);

/* The guard tells it. */
void ob_cut_tell(struct ob_owner *o)
    OVS_REQUIRES(o->mutex);

/* Takes note of what the main thread tells. */
void ob_cut_note_told(struct ob_owner *o, const struct bnd_event *)
    OVS_REQUIRES(o->mutex);

/* The device of 'm' says 'up'; has it a carrier? */
bool ob_cut_carrier(struct ob_member *m, bool up);

/* Has the main loop to look at 'm' although its device is silent? */
bool ob_cut_is_over(const struct ob_member *m);

/* 'm->facts' have been read: must the engine be told even if they are as
 * before? */
bool ob_cut_settle(struct ob_owner *, struct ob_member *m);

#endif /* cuts.h */
