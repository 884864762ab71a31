/* SPDX-License-Identifier: Apache-2.0 */

/* The guard thread
 * ================
 *
 * LACP and the monitors run in the main loop.  A main loop that is held up,
 * say by a large change of configuration, would miss a one-second timeout of
 * LACP and the partner would take the bond apart.  So one thread for all bonds
 * watches: when a pass is overdue by OB_LATE_MS and the main loop has not come
 * round to that bond for as long, the guard runs the pass.  What only the main
 * thread may do waits for it.  The same happens while the database is away,
 * when Open vSwitch's main loop goes round without its bridges.
 *
 * A member that loses its carrier cannot wait so long: OB_CUT_MS after the
 * carrier listener (carrier.h) has heard of it the guard tells the engine, if
 * the main loop has not (cuts.h), and announces the new path (announce.h).
 *
 * "Overdue" is measured by OVS's clock, which tests may stop; "held up" by the
 * machine's, which they may not.
 *
 * Threads
 * -------
 * ob_guard_start() and ob_guard_stop() on the main thread. */

#ifndef OB_GUARD_H
#define OB_GUARD_H 1

/* Starts the guard, or tells it that there is one more bond. */
void ob_guard_start(void);

/* There may be something to do soon; from any thread. */
void ob_guard_look(void);

/* Stops the guard and waits until it is gone. */
void ob_guard_stop(void);

#endif /* guard.h */
