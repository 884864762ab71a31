/* SPDX-License-Identifier: Apache-2.0 */

/* More settings than Open vSwitch hands us
 * ========================================
 *
 * 'struct bond_settings' carries what Open vSwitch knows.  Whoever knows more
 * (vswitchd-ext, which reads the database) registers a source; each time that
 * Open vSwitch configures a bond, the source is asked what lies over that.
 *
 * What was good last is kept with the owner, that is, by the bond's name, and
 * so are the errors, for bond/show and the database.
 *
 * Threads: main. */

#ifndef OB_CONFIG_H
#define OB_CONFIG_H 1

#include "config/overlay.h"

struct bnd_lacp_config;
struct ob_member;
struct ob_owner;

/* Adds to a reading of 'overlay' what is asked of the bond called 'name',
 * corrects 'base', which came from Open vSwitch, and tells whether the port
 * has LACP.  Returns false if it does not know the bond. */
typedef bool ob_config_source(const char *name, struct bnd_overlay *overlay,
                              struct bnd_settings *base, bool *lacp);

void ob_config_set_source(ob_config_source *);

/* Lays over 's' what the source says, so far as it is right, logs errors that
 * are new and keeps all of them. */
void ob_config_overlay(struct ob_owner *, struct bnd_settings *s);

/* What a port and its members say of LACP by columns and keys of Open vSwitch:
 * 0 for what they do not say, or say wrongly. */
struct ob_lacp_keys {
    bool any;                   /* There are options of bonds. */
    bool active;                /* Not passive. */
    bool fast;
    bool fallback;
    struct eth_addr system;
    uint16_t system_priority;
};
struct ob_lacp_member_keys {
    uint16_t port_id;
    uint16_t priority;
    uint16_t key;
};

/* Another source reads those of port 'name', and the third one those of
 * interface 'member' there. */
typedef bool ob_config_lacp_source(const char *name, struct ob_lacp_keys *);
typedef bool ob_config_lacp_member_source(const char *name,
                                          const char *member,
                                          struct ob_lacp_member_keys *);
void ob_config_set_lacp_sources(ob_config_lacp_source *,
                                ob_config_lacp_member_source *);

/* Does the mode of the bond called 'name', of which Open vSwitch says 'base',
 * need LACP as Linux has it, whatever is in Open vSwitch's own column?  If so,
 * reads its keys.  'base' is null for a port of one interface alone, which is
 * no bond to Open vSwitch. */
bool ob_config_needs_lacp(const char *name, const struct bnd_settings *base,
                          struct ob_lacp_keys *);

/* Lays over '*config' what the source says about LACP of 'o', which is no
 * bond. */
void ob_config_lacp(struct ob_owner *o, struct bnd_lacp_config *config);

void ob_config_lacp_member(const char *name, const char *member,
                           struct ob_lacp_member_keys *);

/* Hands the engine the options of member 'm' if they are new to it. */
void ob_config_member(struct ob_owner *, struct ob_member *);

#endif /* ob-config.h */
