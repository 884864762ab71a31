/* SPDX-License-Identifier: Apache-2.0 */

/* Commands about options
 * ======================
 *
 *     bond/options [PORT]   what is in force, where it came from, what was
 *                           refused
 *     bond/help [OPTION]    what there is to set: all options, or one with
 *                           its values, default and modes
 *
 * Threads: main. */

#ifndef BX_APPCTL_OPTIONS_H
#define BX_APPCTL_OPTIONS_H 1

/* Registers the commands; once. */
void bx_appctl_options_init(void);

#endif /* appctl-options.h */
