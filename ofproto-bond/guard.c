/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/guard.h"

#include <stdlib.h>
#include "ofproto-bond/owner.h"
#include "ofproto-bond/worker.h"
#include "openvswitch/poll-loop.h"
#include "timeval.h"
#include "util.h"

static struct ob_worker worker; /* Woken for a new bond. */

static void *
guard_main(void *aux OVS_UNUSED)
{
    while (ob_worker_goes_on(&worker)) {
        long long int now = time_msec();
        long long int next;
        size_t n;
        struct ob_owner **late = ob_owners_late(now, &n, &next);

        for (size_t i = 0; i < n; i++) {
            ob_owner_guard(late[i]);
            ob_owner_unref(late[i]);
        }
        free(late);

        if (n) {
            next = now + 1;     /* They may not be done. */
        }
        if (next != BND_NEVER) {
            poll_timer_wait_until(next);
        }
        ob_worker_sleep(&worker);
    }
    return NULL;
}

void
ob_guard_start(void)
{
    ob_worker_start(&worker, "bond_guard", guard_main);
    ob_worker_wake(&worker);
}

void
ob_guard_look(void)
{
    ob_worker_wake(&worker);
}

void
ob_guard_stop(void)
{
    ob_worker_stop(&worker);
}
