/* SPDX-License-Identifier: Apache-2.0 */

/* Status of bonds in the database
 * ===============================
 *
 * Port.status and Port.statistics of a bond:
 *
 *     status      bond_mode           in force
 *                 bond_mechanism      lb_output, recirculation or flow
 *                 bond_active_member  absent if there is none
 *                 bond_members_up
 *                 bond_last_failover  UTC, absent if there was none
 *                 bond_last_failover_cause
 *                 bond_error          absent if the configuration is right
 *                 with LACP: bond_carrier, bond_lacp_status,
 *                 bond_lacp_fallback, bond_ad_aggregator, bond_ad_num_ports,
 *                 bond_ad_partner_mac, bond_lacp_late (see README.md)
 *     statistics  bond_failovers, bond_tx_packets, bond_tx_bytes,
 *                 MEMBER_link_failures, MEMBER_tx_bytes
 *
 * The status is written when it changes, the statistics at most once a second
 * and only if they have changed.
 *
 * Open vSwitch empties Port.status of bonds whenever it refreshes the status
 * of ports, so we write it there and then, in the same transaction.  Apart
 * from that we have a transaction of our own after its slice of the main loop,
 * and once a second we look whether the database has what it should.
 *
 * Both columns are write-only for the IDL (see bridge_init() of Open vSwitch),
 * so that to write them does not configure anything anew.
 *
 * Threads: main. */

#ifndef BX_STATUS_OVSDB_H
#define BX_STATUS_OVSDB_H 1

struct ovsdb_idl;

void bx_status_init(void);

/* The IDL has taken in what there was.  Once that is the whole database,
 * members of the past are given back what they had, before Open vSwitch acts
 * on it. */
void bx_status_read(struct ovsdb_idl *);

void bx_status_run(struct ovsdb_idl *);
void bx_status_wait(struct ovsdb_idl *);

/* The IDL goes away. */
void bx_status_exit(void);

#endif /* status-ovsdb.h */
