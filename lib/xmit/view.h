/* SPDX-License-Identifier: Apache-2.0 */

/* The forwarding view
 * ===================
 *
 * Everything the packet path needs to know of a bond, and nothing else: which
 * members may send, which bucket goes where, what each member may take.  A
 * pass builds a view from scratch, compares it with the one it published
 * before and publishes it only if it differs, so two views that behave alike
 * must be equal byte for byte; there are no pointers and no padding that is
 * not zeroed.
 *
 * Thread-safety
 * -------------
 * Immutable once published; any number of readers. */

#ifndef BND_VIEW_H
#define BND_VIEW_H 1

#include <stddef.h>
#include "core/bnd-types.h"

/* Members that one view can hold.  A bond of more keeps the surplus out of
 * use. */
#define BND_VIEW_MAX 255
#define BND_VIEW_NONE 255       /* Index that means "no member". */

/* What decides on the member for a packet. */
enum bnd_xmit {
    BND_XMIT_ACTIVE,            /* Nothing: the active member. */
    BND_XMIT_SRC_MAC,           /* Hash of source MAC and VLAN (slb). */
    BND_XMIT_L4,                /* Hash of the 5-tuple (balance-tcp). */
    BND_XMIT_POLICY,            /* Hash by 'policy'. */
    BND_XMIT_RR,                /* Its turn. */
    BND_XMIT_BROADCAST,         /* All members. */
    BND_XMIT_LB,                /* The host's frames as lb.h says, those of
                                 * guests as BND_XMIT_SRC_MAC. */
    BND_N_XMITS
};

/* Which of the host's frames are balanced in BND_XMIT_LB. */
enum bnd_lb_rule {
    BND_LB_TLB,                 /* To one station, IPv4 and IPv6. */
    BND_LB_ALB                  /* IPv4 and IPv6, but for what is to all. */
};

/* Shall the datapath choose, packet by packet (OVS's action lb_output)? */
enum bnd_lb_wish {
    BND_LB_AUTO,                /* Where it can. */
    BND_LB_YES,                 /* The user says so. */
    BND_LB_NO                   /* The user does not want it. */
};

/* Frames that come in by any member, and are to become BND_EV_FRAME_RX. */
#define BND_WATCH_ARP 0x1       /* ARP. */
#define BND_WATCH_ND  0x2       /* Neighbour solicitations and advertisements
                                 * of IPv6 (ICMPv6 types 135 and 136). */

/* May a received packet be taken?  The values of OVS's bond_verdict. */
enum bnd_verdict {
    BND_ACCEPT,
    BND_DROP,
    BND_DROP_IF_MOVED           /* Drop if learned on another port. */
};

struct bnd_view_member {
    bnd_id id;
    uint8_t enabled;            /* bool: may send. */
    uint8_t admit_unicast;      /* enum bnd_verdict, for frames to one... */
    uint8_t admit_multicast;    /* ...to a group... */
    uint8_t admit_broadcast;    /* ...and to all, or to this link alone. */
    uint8_t cuttable;           /* bool: useless once it has no carrier. */
    uint8_t admit_host;         /* enum bnd_verdict, BND_XMIT_LB: for frames to
                                 * the host, by whatever address. */
    uint16_t queue_id;          /* OpenFlow queue that leaves by it as long as
                                 * it has carrier, or 0. */
    struct eth_addr mac;        /* BND_XMIT_LB: the source of the host's frames
                                 * that leave by it; the host's own address if
                                 * it is the active one. */
    struct eth_addr perm_mac;   /* BND_XMIT_LB: its own.  What comes in for one
                                 * of the two, by any member, is the host's. */
};

struct bnd_view {
    uint8_t xmit;               /* enum bnd_xmit. */
    uint8_t active;             /* Index of the active member, or none... */
    uint8_t next_active;        /* ...and of who follows if it is lost. */
    uint8_t blocked;            /* bool: nothing may be sent at all. */
    uint8_t policy;             /* enum bnd_policy, for BND_XMIT_POLICY... */
    uint8_t compat;             /* ...by the formulas of Linux 2.6? */
    uint8_t lb;                 /* enum bnd_lb_wish. */
    uint8_t pinned;             /* bool: some member has a 'queue_id'. */
    uint8_t watch;              /* BND_WATCH_*: frames that the engine wants to
                                 * see, whoever else takes them. */
    uint8_t lb_rule;            /* enum bnd_lb_rule, for BND_XMIT_LB. */
    uint16_t packets_per;       /* In a row by one member, 0: at random. */
    uint16_t n_slots;           /* Buckets in use, 0 if there are none. */
    uint16_t n_host_slots;      /* The same for the host's frames. */
    uint32_t basis;             /* Perturbs the hash. */
    uint32_t n_members;
    struct eth_addr host_mac;   /* BND_XMIT_LB: whose frames are the host's;
                                 * zero if that is not known. */
    uint8_t lb_by_ip;           /* bool: destination IP chooses the bucket, not
                                 * 'policy'. */
    uint8_t take_arp;           /* bool: the host's ARP that would leave is to
                                 * become BND_EV_HOST_ARP instead... */
    uint8_t take_nd;            /* ...and so is its neighbour discovery. */
    uint8_t pad[3];
    uint8_t slots[BND_N_SLOTS]; /* Index of each bucket's member, or none. */
    uint8_t backup[BND_N_SLOTS]; /* Who follows if that one is lost. */
    uint8_t host_slots[BND_N_SLOTS]; /* The same for the host's frames. */
    uint8_t host_backup[BND_N_SLOTS];
    struct bnd_view_member members[];   /* In the order of joining. */
};

/* Returns a new zeroed view with room for 'n_members' (at most BND_VIEW_MAX)
 * whose slots and active member are "none".  The caller frees it with free().
 * The builder then fills it in. */
struct bnd_view *bnd_view_new(size_t n_members);

/* Bytes that 'view' takes. */
size_t bnd_view_size(const struct bnd_view *);

bool bnd_view_equal(const struct bnd_view *, const struct bnd_view *);

/* Does a flow that ends in the datapath's own choice, and one that came in by
 * a member, stay as it is if 'b' follows 'a'?  It does if the same members
 * take the same, and there is, or is not, somebody to send to in both. */
bool bnd_view_same_flows(const struct bnd_view *a, const struct bnd_view *b);

/* Returns the index of member 'id' in 'view', or BND_VIEW_NONE. */
uint8_t bnd_view_index(const struct bnd_view *, bnd_id id);

#endif /* view.h */
