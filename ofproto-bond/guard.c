/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/guard.h"

#include <stdlib.h>
#include "latch.h"
#include "ofproto-bond/owner.h"
#include "openvswitch/poll-loop.h"
#include "ovs-atomic.h"
#include "ovs-thread.h"
#include "timeval.h"
#include "util.h"

static bool running;            /* Main thread only. */
static pthread_t thread;
static struct latch latch;      /* Set for a new bond, or to stop. */
static atomic_bool stop;

static void *
guard_main(void *aux OVS_UNUSED)
{
    for (;;) {
        long long int now = time_msec();
        long long int next;
        size_t n;
        struct ob_owner **late = ob_owners_late(now, &n, &next);
        bool stopping;

        for (size_t i = 0; i < n; i++) {
            ob_owner_pass(late[i], true);
            ob_owner_unref(late[i]);
        }
        free(late);

        atomic_read(&stop, &stopping);
        if (stopping) {
            return NULL;
        }
        latch_poll(&latch);
        latch_wait(&latch);
        if (next != BND_NEVER) {
            poll_timer_wait_until(MAX(next, now + OB_LATE_MS / 4));
        }
        poll_block();
    }
}

void
ob_guard_start(void)
{
    if (!running) {
        running = true;
        latch_init(&latch);
        atomic_store(&stop, false);
        thread = ovs_thread_create("bond_guard", guard_main, NULL);
    }
    latch_set(&latch);
}

void
ob_guard_stop(void)
{
    if (running) {
        running = false;
        atomic_store(&stop, true);
        latch_set(&latch);
        xpthread_join(thread, NULL);
        latch_destroy(&latch);
    }
}
