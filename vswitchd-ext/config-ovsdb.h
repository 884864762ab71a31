/* SPDX-License-Identifier: Apache-2.0 */

/* Settings of a bond in the database
 * ==================================
 *
 * Open vSwitch's schema has no columns for what Linux can do, so it stands in
 * Port.other_config:
 *
 *     bond-NAME  One option, by Linux's name or ours, '_' and '-' being alike,
 *                with Linux's text or number for a value.
 *     bonding    A string of options, as in modprobe.conf or BONDING_OPTS.
 *
 * and, for the options of a member, in Interface.other_config:bond-NAME.
 *
 * The keys that Open vSwitch has of old keep their meaning and count as single
 * keys.
 *
 * Threads: main.
 *
 * Source: ovs-vswitchd.conf.db(5), Port table. */

#ifndef BX_CONFIG_OVSDB_H
#define BX_CONFIG_OVSDB_H 1

struct ovsdb_idl;

/* Starts to read settings from 'idl', which must be new. */
void bx_config_init(struct ovsdb_idl *idl);

/* The IDL goes away. */
void bx_config_exit(void);

/* Returns the port called 'name', or null. */
const struct ovsrec_port *bx_find_port(const char *name);

#endif /* config-ovsdb.h */
