/* SPDX-License-Identifier: Apache-2.0 */

/* Small numbers for threads
 * =========================
 *
 * Counters that each thread has for itself live in arrays; this gives every
 * thread that asks a number of its own, as small as possible, which another
 * thread may get once it has ended. */

#ifndef OB_THREAD_SLOT_H
#define OB_THREAD_SLOT_H 1

#include <stddef.h>
#include "util.h"

/* Threads with a number of their own.  Beyond that, ob_thread_slot() returns
 * this very number, for all to share. */
#define OB_MAX_THREAD_SLOTS 512

extern __thread unsigned int ob_thread_slot_;   /* Number plus 1, or 0. */
unsigned int ob_thread_slot__(void);

/* Returns the number of the calling thread. */
static inline unsigned int
ob_thread_slot(void)
{
    return OVS_LIKELY(ob_thread_slot_) ? ob_thread_slot_ - 1
                                       : ob_thread_slot__();
}

/* Returns a number above all those in use. */
unsigned int ob_thread_slots_bound(void);

#endif /* thread-slot.h */
