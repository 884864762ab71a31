/* SPDX-License-Identifier: Apache-2.0 */

/* Frames from the engine to the ports
 * ===================================
 *
 * A whole frame of the engine's leaves by one member, whatever thread asks.
 * For the other direction see inbox.h.
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

struct ob_owner;

/* Sends 'data', a whole Ethernet frame of 'len' bytes, on member 'id' of 'o',
 * whose tx_mutex the caller holds.  Failures are logged. */
void ob_frames_send(struct ob_owner *o, bnd_id id, const void *data,
                    size_t len);

#endif /* frames.h */
