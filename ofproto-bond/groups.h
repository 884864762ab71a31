/* SPDX-License-Identifier: Apache-2.0 */

/* Reporting multicast groups
 * ==========================
 *
 * Switches that snoop send a group where they heard a report for it, so after a
 * failover all that is wanted behind the bond is reported by the active
 * member, which takes multicast: the groups that the host itself has joined,
 * on each of its devices, by that device; and those that Open vSwitch's own
 * multicast snooping has learned from guests, for whom the host speaks if it
 * has an address in the VLAN, and else nobody (0.0.0.0, ::), as it is usual
 * among switches.
 *
 * Versions: a report is of the version that the querier speaks.  For the host
 * the kernel knows that of IGMP; MLD is version 2 unless force_mld_version says
 * otherwise.  Of groups of guests we know what was reported last: for
 * OB_OLD_VERSION after a report of an older version that one, else the newest.
 *
 * Threads: main, but for ob_groups_note().
 *
 * Source: Linux, Documentation/networking/bonding.rst, resend_igmp; RFC 3376
 * section 7.3.2, RFC 3810 section 8.3.2, RFC 4541; Open vSwitch,
 * lib/mcast-snooping.h. */

#ifndef OB_GROUPS_H
#define OB_GROUPS_H 1

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hmap_position;
struct ob_announcer;
struct ob_owner;

/* For how long a report of an older version counts, ms: the "older version
 * host present interval" for default values. */
#define OB_OLD_VERSION 260000

/* How many such reports are remembered. */
#define OB_OLD_MAX 8192

/* Begins to listen to ob_groups_note(); idempotent. */
void ob_groups_start(void);

/* Reports the host's own groups, once, and looks who speaks for guests. */
void ob_groups_begin(struct ob_owner *);

/* Goes on with those of guests from '*pos' on, sending up to 'n' packets.
 * Returns their number; '*done' says whether the end was reached. */
size_t ob_groups_run(struct ob_owner *, struct hmap_position *pos, size_t n,
                     bool *done);

/* A round of the main loop ends: what was read for it of the host's groups is
 * old. */
void ob_groups_end_round(void);

/* Nothing is to be reported any more: frees memory. */
void ob_groups_stop(struct ob_announcer *);

/* 'group' was reported in 'version' of IGMP or MLD in 'vlan' of the bridge
 * whose snooping table is 'table'.  From any thread. */
void ob_groups_note(const void *table, const struct in6_addr *group,
                    uint16_t vlan, int version);

#endif /* groups.h */
