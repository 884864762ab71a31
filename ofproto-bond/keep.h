/* SPDX-License-Identifier: Apache-2.0 */

/* What outlives the daemon
 * ========================
 *
 * A partner of LACP does not need to notice that the daemon is restarted: it
 * waits for a LACPDU for three seconds (ninety, at the slow rate), and if that
 * tells it what the last one did, nothing has happened.  So what the bonds know
 * of their partners (bnd_save(), bond/bond.h) stands in a file in Open
 * vSwitch's run directory, from which the next daemon takes it up.
 *
 * The file is written by a thread of its own, since a daemon that is killed has
 * no time to write, and the main loop, or the guard, has none to wait for a
 * disk: some times a second if anything has changed, under another name first.
 * When
 * the daemon ends in an orderly way or by a signal, it is written for the last
 * time, after a LACPDU to each partner, from which its patience counts.
 *
 * It is believed if it is whole, of this version and of this boot of the
 * machine.  How old it may be each bond decides for itself, by the clock that
 * counts while the machine sleeps.
 *
 *     ofproto-bond-state VERSION BOOT CLOCK NOW
 *     bond NAME
 *     (what bnd_save() says, line by line)
 *     ...
 *     end CHECKSUM
 *
 * CLOCK is that of the engine and NOW the machine's (CLOCK_BOOTTIME), both in
 * ms; the checksum is CRC-32C of all before that line.
 *
 * Threads
 * -------
 * Main, but for the thread here. */

#ifndef OB_KEEP_H
#define OB_KEEP_H 1

#include <stdbool.h>

struct ob_owner;

/* Reads what the last daemon has left, once. */
void ob_keep_init(void);

/* Gives 'o', which has just got LACP, what was left of a bond of its name. */
void ob_keep_restore(struct ob_owner *o);

/* Starts the thread, unless it runs. */
void ob_keep_start(void);

/* The daemon ends.  With 'forget' nobody is to take up where it ended;
 * otherwise no frame leaves any bond from now on. */
void ob_keep_exit(bool forget);

#endif /* keep.h */
