/* SPDX-License-Identifier: Apache-2.0 */

/* The plugin in the process
 * =========================
 *
 * How our code gets its turn in ovs-vswitchd without a change to its source:
 * the linker hands us a few calls between its objects (ld --wrap), and each
 * wrapper calls the real function.  The declarations are taken from OVS's own
 * headers, so that a changed signature is a compile error.
 *
 *   ovsdb_idl_create  The connection to the database is made: register
 *                     commands, keep the IDL.
 *   ovsdb_idl_run     After the first time that it has the whole database, and
 *                     before Open vSwitch acts on it: settle what the last
 *                     daemon left.
 *   bridge_run        After it: our own slice of the main loop.
 *   bridge_wait       Our wake-ups.
 *   bridge_exit       Before it: stop the guard thread.
 *
 * Threads: main. */

#ifndef BX_PLUGIN_H
#define BX_PLUGIN_H 1

#include <stdbool.h>

void bx_plugin_init(void);
void bx_plugin_run(void);
void bx_plugin_wait(void);
void bx_plugin_exit(bool delete_datapath);

#endif /* plugin.h */
