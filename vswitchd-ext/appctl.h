/* SPDX-License-Identifier: Apache-2.0 */

/* Commands for ovs-appctl
 * =======================
 *
 * The commands of Open vSwitch's bond and LACP modules, with the same
 * arguments, replies and errors: bond/list, bond/show, bond/migrate,
 * bond/set-active-member, bond/enable-member, bond/disable-member, bond/hash,
 * the spellings with "slave", lacp/show and lacp/show-stats.
 *
 * Our own: bond/buckets, bond/clear-active-member, bond/proc for what
 * /proc/net/bonding would say, and bond/status for programs
 * (docs/status-json.md).
 *
 * A command that changes something runs a pass before it replies, so that the
 * next bond/show tells the result.
 *
 * Threads: main.
 *
 * Source: ovs-vswitchd(8); replies of the stock daemon. */

#ifndef BX_APPCTL_H
#define BX_APPCTL_H 1

/* Registers the commands; idempotent. */
void bx_appctl_init(void);

#endif /* appctl.h */
