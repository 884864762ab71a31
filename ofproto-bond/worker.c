/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/worker.h"

#include "openvswitch/poll-loop.h"
#include "ovs-thread.h"
#include "util.h"

void
ob_worker_start(struct ob_worker *w, const char *name, void *(*main)(void *))
{
    if (!w->running) {
        w->running = true;
        latch_init(&w->latch);
        atomic_store(&w->stop, false);
        w->thread = ovs_thread_create(name, main, NULL);
    }
}

void
ob_worker_stop(struct ob_worker *w)
{
    if (w->running) {
        w->running = false;
        atomic_store(&w->stop, true);
        latch_set(&w->latch);
        xpthread_join(w->thread, NULL);
        latch_destroy(&w->latch);
    }
}

void
ob_worker_wake(struct ob_worker *w)
{
    if (w->running) {
        latch_set(&w->latch);
    }
}

bool
ob_worker_goes_on(struct ob_worker *w)
{
    bool stop;

    latch_poll(&w->latch);
    atomic_read(&w->stop, &stop);
    return !stop;
}

void
ob_worker_sleep(struct ob_worker *w)
{
    latch_wait(&w->latch);
    poll_block();
}
