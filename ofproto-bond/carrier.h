/* SPDX-License-Identifier: Apache-2.0 */

/* The carrier listener
 * ====================
 *
 * A thread that does one thing: as soon as a member's carrier goes, it has the
 * packet path do without that member (ob_owners_carrier()), and when the
 * carrier comes back, it takes that order back.  It decides nothing else: the
 * main loop hears of the link by itself, or the guard (guard.h) steps in.
 *
 * Linux devices (tap, veth, NICs with a kernel driver, also those that AF_XDP
 * uses) are heard of by rtnetlink.  Devices of DPDK say nothing; those are
 * asked every OB_CARRIER_POLL_MS.
 *
 * Linux tells of lost carriers, but for those of devices that stand on others,
 * once in a second for the whole machine: where containers come and go it may
 * be a second late.  So we look every OB_CARRIER_COUNT_MS how often it has
 * counted the carrier of a NIC go, which is one read without any lock, and ask
 * the driver if it has.
 *
 * Source: rtnetlink(7), RTM_NEWLINK; Linux, Documentation/ABI/testing/
 * sysfs-class-net, carrier_down_count, and observation; Open vSwitch,
 * netdev_get_carrier(). */

#ifndef OB_CARRIER_H
#define OB_CARRIER_H 1

#include <stdbool.h>

struct netdev;

/* How often devices are asked that do not speak, ms. */
#define OB_CARRIER_POLL_MS 2

/* How often counters of carriers are read, ms; and how many devices are worth
 * one more. */
#define OB_CARRIER_COUNT_MS 4
#define OB_CARRIER_COUNT_MANY 40

/* Starts the thread unless it runs; ends it.  Main thread. */
void ob_carrier_start(void);
void ob_carrier_stop(void);

/* Is 'netdev' a device that Linux knows by the same name? */
bool ob_carrier_in_kernel(const struct netdev *);

/* A member uses 'netdev', or does not any more.  Keeps a reference meanwhile
 * if it has to be asked.  Main thread. */
void ob_carrier_watch(struct netdev *);
void ob_carrier_unwatch(struct netdev *);

#endif /* carrier.h */
