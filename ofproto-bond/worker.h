/* SPDX-License-Identifier: Apache-2.0 */

/* Threads of our own
 * ==================
 *
 * What the guard and the carrier listener have in common: a thread that the
 * main thread starts and ends, and that sleeps until it is woken. */

#ifndef OB_WORKER_H
#define OB_WORKER_H 1

#include <pthread.h>
#include <stdbool.h>
#include "latch.h"
#include "ovs-atomic.h"

struct ob_worker {
    bool running;               /* Main thread only, like 'thread'. */
    pthread_t thread;
    struct latch latch;         /* Wakes the thread. */
    atomic_bool stop;
};

/* Start the thread, called 'name', with 'main', unless it runs; end it and
 * wait for that; have it look round at once, if it runs.  Main thread. */
void ob_worker_start(struct ob_worker *, const char *name,
                     void *(*main)(void *));
void ob_worker_stop(struct ob_worker *);
void ob_worker_wake(struct ob_worker *);

/* For the thread.  ob_worker_goes_on() begins a round, unless it shall end;
 * ob_worker_sleep() ends one: it sleeps until the thread is woken, or has been
 * since the round began, or by what else the poll loop is to wait for. */
bool ob_worker_goes_on(struct ob_worker *);
void ob_worker_sleep(struct ob_worker *);

#endif /* worker.h */
