/* SPDX-License-Identifier: Apache-2.0 */

/* The host's frames by other members than the active one
 * =======================================================
 *
 * Where flows choose, and not the datapath, a frame of the host that is to
 * leave with the address of a member gets it on that output alone: the others
 * of a flood see it as it is.  So the flow recirculates it under an id of that
 * member, and an internal rule for that id sets the address and sends it.
 *
 * A member whose rule does not stand yet is not used; until then the active
 * one sends in its place, with the host's own address.
 *
 * Threads: main, but for ob_lb_rules_id().
 *
 * Source: Open vSwitch, ofproto/bond.h (post-recirculation rules). */

#ifndef OB_LB_RULES_H
#define OB_LB_RULES_H 1

#include <stdbool.h>
#include <stdint.h>
#include "openvswitch/types.h"

struct bond;
struct ofproto_dpif;

/* Makes the rules what the view of 'bond' asks for ('wanted') or removes them.
 * 'exists': does the bridge still?  Returns true if flows must be translated
 * anew for that. */
bool ob_lb_rules_update(struct bond *, struct ofproto_dpif *, bool wanted,
                        bool exists);

/* Returns the id under which to recirculate what is to leave by 'port', with
 * the source 'mac'; 0 if there is none.  From any thread. */
uint32_t ob_lb_rules_id(const struct bond *, const void *port,
                        struct eth_addr mac);

#endif /* lb-rules.h */
