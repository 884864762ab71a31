/* SPDX-License-Identifier: Apache-2.0 */

/* Events
 * ======
 *
 * All that can happen to a bond.  The set is closed: a property test generates
 * every one of them, and the engine switches over all (-Wswitch-enum).
 *
 * Bytes and strings in an event are borrowed for the call.
 *
 * Thread-safety
 * -------------
 * Plain data. */

#ifndef BND_EVENT_H
#define BND_EVENT_H 1

#include <stddef.h>
#include "core/member.h"

#define BND_EVENTS                                              \
    BND_EVENT(MEMBER_ADD, "add")        /* A member joined. */   \
    BND_EVENT(MEMBER_DEL, "del")        /* A member left. */     \
    BND_EVENT(LINK, "link")             /* Carrier or address. */ \
    BND_EVENT(MEMBER_SET, "set")        /* Its own options. */ \
    BND_EVENT(MAC_REFUSED, "mac-refused") /* It keeps its address. */ \
    BND_EVENT(MAY_ENABLE, "may-enable") /* OVS's opinion. */     \
    BND_EVENT(FRAME_RX, "frame")        /* A control frame came. */ \
    BND_EVENT(HOST_ARP, "host-arp")     /* The host sends ARP (or ND). */ \
    BND_EVENT(COUNTERS, "counters")     /* Packets of a member. */ \
    BND_EVENT(TX_BYTES, "bytes")        /* Bucket counters; rebalance. */ \
    BND_EVENT(FORCE, "force")           /* Link up or down by command. */ \
    BND_EVENT(SET_ACTIVE, "set-active") /* Active member by command. */ \
    BND_EVENT(MIGRATE, "migrate")       /* Bucket to member by command. */

enum bnd_event_type {
#define BND_EVENT(ENUM, NAME) BND_EV_##ENUM,
    BND_EVENTS
#undef BND_EVENT
    BND_N_EVENTS
};

/* What a device says of itself. */
struct bnd_facts {
    bool carrier;
    struct eth_addr mac;        /* Present address. */
    uint32_t speed_mbps;        /* 0 if not known... */
    bool speed_lost;            /* ...though it is a device that does tell. */
    enum bnd_duplex duplex;
};

struct bnd_event {
    enum bnd_event_type type;
    bnd_id id;                  /* Member; all but TX_BYTES and HOST_ARP.
                                 * SET_ACTIVE: none to have one chosen. */
    union {
        struct {                /* MEMBER_ADD. */
            const char *name;
            struct bnd_facts facts;
            struct eth_addr perm_mac; /* What it is to have when it leaves. */
        } add;
        struct {                /* LINK. */
            struct bnd_facts facts;
            bool reset;         /* It was lost meanwhile, maybe unseen. */
            bool replaced;      /* By another device, which is to have... */
            struct eth_addr perm_mac; /* ...this when it leaves. */
        } link;
        struct bnd_member_options set; /* MEMBER_SET. */
        struct {                /* MEMBER_DEL. */
            bool remember;      /* For when its port comes back. */
            bool bond_goes;     /* So do all others. */
        } del;
        bool on;                /* MAY_ENABLE, FORCE. */
        struct {                /* FRAME_RX; HOST_ARP, as it would leave. */
            const uint8_t *data; /* Whole Ethernet frame. */
            size_t len;
            long long int arrival; /* ms, when it was seen. */
        } frame;
        struct {                /* COUNTERS, read just before 'now'. */
            bool known;         /* False if the device does not count. */
            uint64_t rx_packets; /* If 'known'... */
            uint64_t tx_packets; /* ...likewise; for traces of events alone, as
                                  * a packet that leaves proves nothing. */
        } counters;
        struct {                /* TX_BYTES, since the last one. */
            const uint64_t *bytes; /* Of buckets: BND_N_SLOTS, or null... */
            const uint64_t *host_bytes; /* ...and of those of the host's frames,
                                 * BND_N_SLOTS or null... */
            uint64_t unbalanced; /* ...and of the host's frames without a
                                 * bucket, which the active member sends. */
        };
        int slot;               /* MIGRATE. */
    };
};

#endif /* event.h */
