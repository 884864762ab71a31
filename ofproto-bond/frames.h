/* SPDX-License-Identifier: Apache-2.0 */

/* Frames between the engine and the ports
 * =======================================
 *
 * Out: a whole frame of the engine's leaves by one member, whatever thread
 * asks.  In: a packet that translation saw is copied, as far as the engine
 * looks at it, into the queue of the bond's LACP.
 *
 * Threads
 * -------
 * Any.  A send holds the owner's tx_mutex, so that unregistering the port
 * waits for it.  The port is named by a pointer that Open vSwitch looks up
 * again under RCU (xlate_send_packet), so a port that it freed without telling
 * us, as happens when a bundle drops its LACP first, is not touched. */

#ifndef OB_FRAMES_H
#define OB_FRAMES_H 1

#include <stddef.h>
#include "core/bnd-types.h"

struct dp_packet;
struct lacp;
struct ob_owner;

/* Sends 'data', a whole Ethernet frame of 'len' bytes, on member 'id' of 'o',
 * whose tx_mutex the caller holds.  Failures are logged. */
void ob_frames_send(struct ob_owner *o, bnd_id id, const void *data,
                    size_t len);

/* Queues 'packet', which came in by port 'aux', for 'lacp' and wakes whoever
 * runs the pass.  More than OB_MAX_FRAMES of one port at once are dropped and
 * counted, so that a port that is flooded does not silence the others. */
#define OB_MAX_FRAMES 64
void ob_frames_receive(struct lacp *, const void *aux,
                       const struct dp_packet *packet);

#endif /* frames.h */
