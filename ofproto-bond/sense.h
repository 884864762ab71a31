/* SPDX-License-Identifier: Apache-2.0 */

/* What the members' devices say: carrier and address.
 *
 * A device is read only when its change sequence moved, so a pass over a
 * thousand quiet bonds costs a thousand comparisons and no driver is asked.
 * Detection by MII (bond-detect-mode) is the device's own business: with
 * it, Open vSwitch's netdev_get_carrier() answers what MII says.
 *
 * Threads: main. */

#ifndef OB_SENSE_H
#define OB_SENSE_H 1

struct netdev;
struct ob_member;
struct ob_owner;

/* Reads the device of 'm' into 'm', whether or not it has changed. */
void ob_sense_read(struct ob_member *m);

/* Turns what changed on the members of 'o' into events. */
void ob_sense_run(struct ob_owner *o);

/* Has 'm' use 'netdev' (null: none) from now on, with a reference of its own,
 * and read it anew. */
void ob_sense_set_netdev(struct ob_member *m, struct netdev *netdev);

#endif /* sense.h */
