/* SPDX-License-Identifier: Apache-2.0 */

/* The guard thread
 * ================
 *
 * LACP and the monitors run in the main loop.  A main loop that is held up,
 * say by a large change of configuration, would miss a one-second timeout of
 * LACP and the partner would take the bond apart.  So one thread for all bonds
 * watches: when a pass is overdue by OB_LATE_MS and the main loop has not come
 * round for as long, the guard runs that pass.  What only the main thread may
 * do waits for it.
 *
 * "Overdue" is measured by OVS's clock, which tests may stop; "held up" by the
 * machine's, which they may not.
 *
 * Threads
 * -------
 * ob_guard_main_is_alive(), ob_guard_start() and ob_guard_stop() on the main
 * thread. */

#ifndef OB_GUARD_H
#define OB_GUARD_H 1

#include <stdbool.h>

/* Starts the guard, or tells it that there is one more bond. */
void ob_guard_start(void);

/* Stops the guard and waits until it is gone. */
void ob_guard_stop(void);

/* The main loop has come round. */
void ob_guard_main_is_alive(void);

/* Has the main loop not come round for OB_LATE_MS?  Any thread. */
bool ob_guard_main_is_held_up(void);

#endif /* guard.h */
