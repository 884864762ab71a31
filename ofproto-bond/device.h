/* SPDX-License-Identifier: Apache-2.0 */

/* What we set on devices: addresses and MTU
 * =========================================
 *
 * Whatever a member had before is given back when it leaves the bond, when the
 * bond goes, or when the option goes; not when the daemon ends, as the next
 * one will go on with the bond (it finds in the database what devices had).
 *
 * Addresses are the engine's decision (address/address.h).  No device is set
 * down for them: a driver that changes addresses only while the device is down
 * refuses, and that is told.
 *
 * The MTU is set on all members or on none: if one refuses, the others get
 * back what they had, and all go on as before.  A member that joins later and
 * refuses is used as it is.  Both are told.  What somebody else does to a
 * member's MTU is told too, and not fought.
 *
 * Threads: main.
 *
 * Source: Linux Documentation/networking/bonding.rst, fail_over_mac; the
 * bonding driver's ways with the MTU of its members. */

#ifndef OB_DEVICE_H
#define OB_DEVICE_H 1

#include <stdbool.h>
#include "openvswitch/types.h"

struct bnd_settings;
struct bnd_status;
struct ds;
struct netdev;
struct ob_member;
struct ob_owner;

/* Gives 'netdev' the address 'mac', without setting it down.  Returns 0 or a
 * positive errno. */
int ob_device_set_mac(struct netdev *, struct eth_addr mac);

/* Takes note of the settings; ob_device_run() does the rest. */
void ob_device_configure(struct ob_owner *, const struct bnd_settings *);

/* Members have come or gone, or have another device. */
void ob_device_members_changed(struct ob_owner *);

/* Does what there is to do.  Returns true if devices may have changed. */
bool ob_device_run(struct ob_owner *);

/* The device of 'm' has '*mac' now.  If it is one that Open vSwitch gives back
 * its first address whenever it sets it up anew, with other queues or another
 * MTU, as it does those of DPDK, and which nobody else can have changed, gives
 * it again what it shall have, and '*mac' becomes that. */
void ob_device_hold_mac(struct ob_member *m, struct eth_addr *mac);

/* Gives the device of 'm' back what it had. */
void ob_device_release(struct ob_member *);

/* Gives the device of Linux called 'name', which an earlier daemon left in a
 * bond that does not have it any more, back its address 'mac' (unless zero)
 * and its MTU (unless 0). */
void ob_device_give_back(const char *name, struct eth_addr mac, int mtu);

/* The daemon ends: from now on nothing is given back. */
void ob_device_leave_all(void);

/* Append what went wrong and what is worth telling, a line each, and add to
 * 's' what the engine does not know. */
void ob_device_put_errors(const struct ob_owner *, struct ds *);
void ob_device_put_notes(const struct ob_owner *, const struct bnd_status *s,
                         struct ds *);
void ob_device_fill(const struct ob_owner *, struct bnd_status *s);

#endif /* device.h */
