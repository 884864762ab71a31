/* SPDX-License-Identifier: Apache-2.0 */

/* Vocabulary of the engine
 * ========================
 *
 * Ids, limits and enumerations that every stage of a pass shares.  Each
 * enumeration is written once, as an X-macro that carries the names users see,
 * so that a token and its text cannot drift apart.
 *
 * Thread-safety
 * -------------
 * Constants only. */

#ifndef BND_TYPES_H
#define BND_TYPES_H 1

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include "openvswitch/types.h"

/* Times are monotonic milliseconds; this one never comes. */
#define BND_NEVER LLONG_MAX

/* ...and this one was before all others. */
#define BND_LONG_AGO (LLONG_MIN / 4)

/* Hash buckets of a balanced bond.  As many as the 'lb_output' action and the
 * post-recirculation rules of Open vSwitch have. */
#define BND_N_SLOTS 256

/* Names a member within one bond, for ever: ids are not reused, so that an
 * event that comes late for a member that left finds nothing. */
typedef uint32_t bnd_id;
#define BND_NO_MEMBER 0

/* For printing an Ethernet address. */
#define BND_MAC_FMT "%02x:%02x:%02x:%02x:%02x:%02x"
#define BND_MAC_ARGS(A) (A).ea[0], (A).ea[1], (A).ea[2], \
                        (A).ea[3], (A).ea[4], (A).ea[5]

/* How a bond spreads what it sends.  The first seven have the numbers of
 * the Linux bonding driver's option "mode".
 *
 * Source: ovs-vswitchd.conf.db(5), Port.bond_mode; Linux
 * Documentation/networking/bonding.rst, mode. */
#define BND_MODES                               \
    BND_MODE(RR,  "balance-rr")                 \
    BND_MODE(AB,  "active-backup")              \
    BND_MODE(XOR, "balance-xor")                \
    BND_MODE(BROADCAST, "broadcast")            \
    BND_MODE(8023AD, "802.3ad")                 \
    BND_MODE(TLB, "balance-tlb")                \
    BND_MODE(ALB, "balance-alb")                \
    BND_MODE(SLB, "balance-slb")                \
    BND_MODE(TCP, "balance-tcp")

enum bnd_mode {
#define BND_MODE(ENUM, NAME) BND_MODE_##ENUM,
    BND_MODES
#undef BND_MODE
    BND_N_MODES
};

/* What of a packet chooses the member, in the modes that take a policy.  They
 * have the numbers of the Linux bonding driver's option.
 *
 * Source: Linux Documentation/networking/bonding.rst, xmit_hash_policy. */
#define BND_POLICIES                            \
    BND_POLICY(LAYER2, "layer2")                \
    BND_POLICY(LAYER34, "layer3+4")             \
    BND_POLICY(LAYER23, "layer2+3")             \
    BND_POLICY(ENCAP23, "encap2+3")             \
    BND_POLICY(ENCAP34, "encap3+4")             \
    BND_POLICY(VLAN_SRCMAC, "vlan+srcmac")

enum bnd_policy {
#define BND_POLICY(ENUM, NAME) BND_POLICY_##ENUM,
    BND_POLICIES
#undef BND_POLICY
    BND_N_POLICIES
};

/* Link states after updelay and downdelay.  A member in BND_LINK_UP or
 * BND_LINK_GOING_DOWN may be used. */
#define BND_LINK_STATES                         \
    BND_LINK_STATE(UP, "up")                    \
    BND_LINK_STATE(GOING_DOWN, "going down")    \
    BND_LINK_STATE(DOWN, "down")                \
    BND_LINK_STATE(COMING_BACK, "going back")

enum bnd_link_state {
#define BND_LINK_STATE(ENUM, NAME) BND_LINK_##ENUM,
    BND_LINK_STATES
#undef BND_LINK_STATE
    BND_N_LINK_STATES
};

/* Duplex of a link.  The order says which is better. */
#define BND_DUPLEXES                            \
    BND_DUPLEX(UNKNOWN, "unknown")              \
    BND_DUPLEX(HALF, "half")                    \
    BND_DUPLEX(FULL, "full")

enum bnd_duplex {
#define BND_DUPLEX(ENUM, NAME) BND_DUPLEX_##ENUM,
    BND_DUPLEXES
#undef BND_DUPLEX
    BND_N_DUPLEXES
};

/* What the operator wants of a member (Interface.other_config:bond-admin).  A
 * draining member sends no more, takes what still comes, and is out of use
 * when the option drain-time has passed. */
#define BND_ADMINS                              \
    BND_ADMIN(UP, "up")                         \
    BND_ADMIN(DRAIN, "drain")                   \
    BND_ADMIN(DOWN, "down")

enum bnd_admin {
#define BND_ADMIN(ENUM, NAME) BND_ADMIN_##ENUM,
    BND_ADMINS
#undef BND_ADMIN
    BND_N_ADMINS
};

/* Why a member does not have the Ethernet address that it should have. */
#define BND_MAC_TROUBLES                                        \
    BND_MAC_TROUBLE(FINE, "none")                               \
    BND_MAC_TROUBLE(REFUSED, "the device refused to change it") \
    BND_MAC_TROUBLE(FOREIGN, "it was changed from outside")

enum bnd_mac_trouble {
#define BND_MAC_TROUBLE(ENUM, NAME) BND_MAC_##ENUM,
    BND_MAC_TROUBLES
#undef BND_MAC_TROUBLE
    BND_N_MAC_TROUBLES
};

/* Why a probing monitor thinks of a member as it does. */
#define BND_PROBE_REASONS                                       \
    BND_PROBE_REASON(NEW, "not judged yet")                     \
    BND_PROBE_REASON(HEARD, "heard of lately")                  \
    BND_PROBE_REASON(GRACE, "has just come up")                 \
    BND_PROBE_REASON(UNSENT, "no probe was sent")               \
    BND_PROBE_REASON(SILENT, "nothing was heard that counts")   \
    BND_PROBE_REASON(SOME_SILENT, "not all targets were heard of") \
    BND_PROBE_REASON(TRIED, "is being tried")                   \
    BND_PROBE_REASON(TRIED_SILENT, "was tried in vain")         \
    BND_PROBE_REASON(NO_CARRIER, "no carrier")

enum bnd_probe_reason {
#define BND_PROBE_REASON(ENUM, NAME) BND_PROBE_##ENUM,
    BND_PROBE_REASONS
#undef BND_PROBE_REASON
    BND_N_PROBE_REASONS
};

/* Why another member became the active one. */
#define BND_CAUSES                                              \
    BND_CAUSE(NONE, "none")                                     \
    BND_CAUSE(LINK, "link failure")     /* The old one's. */    \
    BND_CAUSE(PROBE, "probes unanswered") /* Likewise. */       \
    BND_CAUSE(RETURN, "member came up") /* There was none. */   \
    BND_CAUSE(PRIMARY, "primary or priority")                   \
    BND_CAUSE(COMMAND, "command")                               \
    BND_CAUSE(CONFIG, "configuration")                          \
    BND_CAUSE(LEFT, "member left")                              \
    BND_CAUSE(ADMIN, "administrative")  /* Drained, set down. */ \
    BND_CAUSE(LACP, "LACP")                                     \
    BND_CAUSE(FORBIDDEN, "BFD or CFM")

enum bnd_cause {
#define BND_CAUSE(ENUM, NAME) BND_CAUSE_##ENUM,
    BND_CAUSES
#undef BND_CAUSE
    BND_N_CAUSES
};

/* What LACP has achieved for a whole bond, in the words of bond/show. */
#define BND_LACP_STATUSES                               \
    BND_LACP_STATUS(OFF, "off")                         \
    BND_LACP_STATUS(CONFIGURED, "configured")           \
    BND_LACP_STATUS(NEGOTIATED, "negotiated")

enum bnd_lacp_status {
#define BND_LACP_STATUS(ENUM, NAME) BND_LACP_##ENUM,
    BND_LACP_STATUSES
#undef BND_LACP_STATUS
    BND_N_LACP_STATUSES
};

/* Why a received frame was not used. */
#define BND_DROP_REASONS                                        \
    BND_DROP_REASON(NONE, "accepted")                           \
    BND_DROP_REASON(SHORT, "too short")                         \
    BND_DROP_REASON(ETHERTYPE, "unexpected Ethernet type")      \
    BND_DROP_REASON(SUBTYPE, "unknown slow protocol subtype")   \
    BND_DROP_REASON(TLV, "bad TLV type or length")              \
    BND_DROP_REASON(LOOPBACK, "sent by this very system")       \
    BND_DROP_REASON(DISABLED, "member is not enabled for LACP") \
    BND_DROP_REASON(NO_MEMBER, "no such member")                \
    BND_DROP_REASON(PROTOCOL, "not of this protocol")           \
    BND_DROP_REASON(CHECKSUM, "bad checksum")                   \
    BND_DROP_REASON(FORWARDED, "from beyond the link")

enum bnd_drop_reason {
#define BND_DROP_REASON(ENUM, NAME) BND_DROP_##ENUM,
    BND_DROP_REASONS
#undef BND_DROP_REASON
    BND_N_DROP_REASONS
};

const char *bnd_mode_name(enum bnd_mode);
bool bnd_mode_from_name(const char *, enum bnd_mode *);
const char *bnd_policy_name(enum bnd_policy);
const char *bnd_link_state_name(enum bnd_link_state);
const char *bnd_duplex_name(enum bnd_duplex);
const char *bnd_admin_name(enum bnd_admin);
const char *bnd_mac_trouble_name(enum bnd_mac_trouble);
const char *bnd_probe_reason_name(enum bnd_probe_reason);
const char *bnd_cause_name(enum bnd_cause);
const char *bnd_lacp_status_name(enum bnd_lacp_status);
const char *bnd_drop_reason_name(enum bnd_drop_reason);

/* Compares names of interfaces in the order in which people count them: eth2
 * comes before eth10.  Returns < 0, 0 or > 0; 0 only if they are the same. */
int bnd_compare_names(const char *a, const char *b);

#endif /* bnd-types.h */
