/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/thread-slot.h"

#include <pthread.h>
#include <stdint.h>
#include "bitmap.h"
#include "openvswitch/thread.h"
#include "ovs-thread.h"

__thread unsigned int ob_thread_slot_;

static struct ovs_mutex mutex = OVS_MUTEX_INITIALIZER;
static unsigned long used[BITMAP_N_LONGS(OB_MAX_THREAD_SLOTS)];
static unsigned int bound;      /* Above every number that was ever given. */
static pthread_key_t key;       /* Its destructor takes numbers back. */

/* A thread ends; 'slot_' is its number plus 1. */
static void
give_back(void *slot_)
{
    ovs_mutex_lock(&mutex);
    bitmap_set0(used, (uintptr_t) slot_ - 1);
    ovs_mutex_unlock(&mutex);
}

unsigned int
ob_thread_slot__(void)
{
    static struct ovsthread_once once = OVSTHREAD_ONCE_INITIALIZER;

    if (ovsthread_once_start(&once)) {
        xpthread_key_create(&key, give_back);
        ovsthread_once_done(&once);
    }

    ovs_mutex_lock(&mutex);
    unsigned int slot = bitmap_scan(used, false, 0, OB_MAX_THREAD_SLOTS);

    if (slot < OB_MAX_THREAD_SLOTS) {
        bitmap_set1(used, slot);
        bound = MAX(bound, slot + 1);
    }
    ovs_mutex_unlock(&mutex);

    if (slot < OB_MAX_THREAD_SLOTS) {
        xpthread_setspecific(key, (void *) (uintptr_t) (slot + 1));
        ob_thread_slot_ = slot + 1;
    }
    return slot;
}

unsigned int
ob_thread_slots_bound(void)
{
    unsigned int n;

    ovs_mutex_lock(&mutex);
    n = bound;
    ovs_mutex_unlock(&mutex);
    return n;
}
