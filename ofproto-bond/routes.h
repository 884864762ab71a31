/* SPDX-License-Identifier: Apache-2.0 */

/* Where the host would look for an address
 * ========================================
 *
 * The kernel is asked, and its answers are kept until it says that a route has
 * changed.  That is looked at once a second at most, as there may be many
 * routes, and they may change all the time.
 *
 * Threads: main.
 *
 * Source: rtnetlink(7), RTM_GETROUTE. */

#ifndef OB_ROUTES_H
#define OB_ROUTES_H 1

#include <stdbool.h>
#include <stdint.h>
#include "wire/ip.h"

struct ob_route {
    bool on_link;               /* There is a route without a gateway... */
    int ifindex;                /* ...out of this device. */
    bool is_local;              /* It is the host's own address. */
};

/* Begins to follow the kernel; idempotent. */
void ob_routes_start(void);

/* Takes in what the kernel has said. */
void ob_routes_run(void);

/* Answers are not good any more: devices or addresses have changed. */
void ob_routes_flush(void);

/* Counts changes that ob_routes_run() has seen. */
uint64_t ob_routes_seq(void);

struct ob_route ob_routes_lookup(const struct bnd_ip *);

#endif /* routes.h */
