/* SPDX-License-Identifier: Apache-2.0 */

/* What the members' devices say: carrier, address, speed, duplex.
 *
 * A device is read only when its change sequence moved, so a pass over a
 * thousand quiet bonds costs a thousand comparisons and no driver is asked.
 * Of one that has lost its carrier, speed and duplex are read a round later:
 * for that the kernel wants a lock which others may hold for long.
 * Detection by MII (bond-detect-mode) is the device's own business: with
 * it, Open vSwitch's netdev_get_carrier() answers what MII says.
 *
 * With 'use_carrier' = 0 carrier is not believed.  Devices of Linux are asked
 * for a link every 'miimon' ms: by the registers of the transceiver, else by
 * ethtool, else it is taken to be up; other devices by their driver, whose
 * word their carrier is in any case.  (The Linux driver of today asks ethtool
 * first.  Drivers that know both give both the same answer.)
 *
 * Threads: main.
 *
 * Source: Linux Documentation/networking/bonding.rst, use_carrier. */

#ifndef OB_SENSE_H
#define OB_SENSE_H 1

#include <stdbool.h>
#include "openvswitch/types.h"

struct bnd_settings;
struct netdev;
struct ob_member;
struct ob_owner;

/* What is known of a time before the daemon started. */
struct ob_past {
    struct eth_addr bond_mac;   /* Of the bond, or zero... */
    struct eth_addr perm_mac;   /* ...of the member's device before we changed
                                 * it, or zero... */
    int own_mtu;                /* ...its MTU, or 0. */
};

/* Whoever keeps it fills in '*past', which is zeroed, for 'bond', and 'member'
 * (which has 'mac' at present) unless that is null. */
typedef void ob_sense_past(const char *bond, const char *member,
                           struct eth_addr mac, struct ob_past *past);
void ob_sense_set_past(ob_sense_past *);
void ob_sense_get_past(const struct ob_owner *, const struct ob_member *,
                       struct ob_past *past);

/* Takes note of the settings. */
void ob_sense_configure(struct ob_owner *, const struct bnd_settings *);

/* Reads the device of 'm' into 'm', whether or not it has changed. */
void ob_sense_read(const struct ob_owner *, struct ob_member *m);

/* Turns what changed on the members of 'o' into events. */
void ob_sense_run(struct ob_owner *o);

/* When ob_sense_run() wants to be called although nothing has changed, ms. */
long long int ob_sense_wake_time(const struct ob_owner *);

/* Has 'm' use 'netdev' (null: none) from now on, with a reference of its own,
 * and read it anew. */
void ob_sense_set_netdev(struct ob_member *m, struct netdev *netdev);

#endif /* sense.h */
