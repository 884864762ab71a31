/* SPDX-License-Identifier: Apache-2.0 */

/* LACPDUs that nobody else needs to hear
 * ======================================
 *
 * A partner that hears nothing for three seconds gives up, and so do we.  In
 * the userspace datapath devices of the kernel are read by the main thread,
 * which may be held up for longer than that, be it by a debugger or by a
 * command that takes its time; and a frame that leaves by the datapath takes
 * locks that the main thread may have meanwhile.  So each member that is a
 * device of the kernel has a socket of its own for slow protocols (taps.h).
 * The thread here listens to all of them and puts what it hears in the inbox of
 * the bond, from where the main loop takes it, or the guard (guard.h) if the
 * main loop is late.  LACPDUs leave by the same socket.
 *
 * Each frame counts once
 * ----------------------
 * Translation sees these frames, too, as it must: only so are they kept from
 * others.  Once sockets have heard all for a second, what it sees is dropped.
 * Before that a frame may have come before its socket was there, so the two are
 * compared: what one of them saw is taken unless the other one has shown us the
 * same.
 *
 * Ports of DPDK, of AF_XDP and for tests have no such socket.
 *
 * Threads
 * -------
 * Main, but for ob_slow_is_news(), which is for whoever has the owner's mutex,
 * and ob_slow_hears_all().
 *
 * Source: packet(7), epoll(7). */

#ifndef OB_SLOW_H
#define OB_SLOW_H 1

#include "ofproto-bond/owner.h"

struct ob_frame;

/* Opens and closes sockets of members, as they speak LACP or not. */
void ob_slow_update(struct ob_owner *);

/* Closes that of one member, or of all. */
void ob_slow_close(struct ob_owner *, struct ob_member *);
void ob_slow_close_all(struct ob_owner *);

/* Has 'f', which came by 'm', not been seen yet?  With the mutex of its
 * owner. */
bool ob_slow_is_news(struct ob_member *m, const struct ob_frame *f);

/* Do sockets hear all that comes by ports of 'lacp'?  From any thread. */
bool ob_slow_hears_all(const struct lacp *);

/* Ends the thread. */
void ob_slow_stop(void);

#endif /* slow.h */
