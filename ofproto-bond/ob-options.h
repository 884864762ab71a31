/* SPDX-License-Identifier: Apache-2.0 */

/* Options as they are in force, for people and programs
 * =====================================================
 *
 * What the user asked for, as it was understood: each option's value as Linux
 * would show it in sysfs, where it came from, and what was wrong with the one
 * that was refused.
 *
 * Threads: main. */

#ifndef OB_OPTIONS_H
#define OB_OPTIONS_H 1

struct ds;
struct json;
struct ob_owner;

/* Appends a line for each option of the bond and of its members. */
void ob_options_format(const struct ob_owner *, struct ds *);

/* Returns an object with an entry for each option of the bond, as
 * docs/status-json.md says.  The caller destroys it. */
struct json *ob_options_to_json(const struct ob_owner *);

/* The same for the options of one member; null for a member without any. */
struct json *ob_member_options_to_json(const struct ob_owner *,
                                       const char *member);

#endif /* ob-options.h */
