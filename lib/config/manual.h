/* SPDX-License-Identifier: Apache-2.0 */

/* What the rows say to a reader
 * =============================
 *
 * Help and documentation, in words, from the rows of options.def and
 * member-options.def.  utilities/gen-options makes the manual page, the
 * description for the database and docs/options.md of the same words.
 *
 * Thread-safety
 * -------------
 * Constants and pure functions. */

#ifndef BND_MANUAL_H
#define BND_MANUAL_H 1

#include <stdbool.h>

struct bnd_row;
struct ds;

/* Append, of an option: its default ("0", "none"); what values it takes,
 * without a full stop; and as sentences all else, above all in which modes it
 * can be given and does something, or nothing. */
void bnd_manual_default(const struct bnd_row *, struct ds *);
void bnd_manual_values(const struct bnd_row *, struct ds *);
void bnd_manual_rest(const struct bnd_row *, struct ds *);

/* Appends a line for each option: name, what it takes, default. */
void bnd_manual_list(struct ds *);

/* Appends all about option 'name', of the bond or of a member; false if there
 * is none. */
bool bnd_manual_option(const char *name, struct ds *);

#endif /* manual.h */
