/* SPDX-License-Identifier: Apache-2.0 */

/* The only place where the engine's trace records become log lines, with their
 * rate limits.  They appear under the module names that users of Open vSwitch
 * know, "bond" and "lacp". */

#ifndef OB_EVENT_LOG_H
#define OB_EVENT_LOG_H 1

struct bnd_trace;

/* Logs 'trace' of the bond called 'name'.  Any thread. */
void ob_log_trace(const char *name, const struct bnd_trace *trace);

/* Logs 'error' in the configuration of the bond called 'name'.  Main
 * thread. */
void ob_log_config_error(const char *name, const char *error);

#endif /* event-log.h */
