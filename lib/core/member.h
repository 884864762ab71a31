/* SPDX-License-Identifier: Apache-2.0 */

/* A member as every stage of a pass sees it
 * =========================================
 *
 * Facts first, then what each stage made of them, in the order of the pass:
 * an earlier stage never reads what a later one wrote.
 *
 * Thread-safety
 * -------------
 * Plain data, part of one engine instance. */

#ifndef BND_MEMBER_H
#define BND_MEMBER_H 1

#include "core/bnd-types.h"

/* A link after its delays; see monitor/link.h. */
struct bnd_link {
    enum bnd_link_state state;
    long long int deadline;     /* End of the delay, or BND_NEVER. */
};

/* What a probing monitor knows of a member; see monitor/probe.h.  Times are in
 * ms, BND_LONG_AGO for never. */
#define BND_N_PROBES 2          /* Monitors that there can be. */
#define BND_MAX_PROBED 32       /* Targets of one. */
#define BND_MAX_PINS 4          /* Ethernet addresses of a target. */

struct bnd_probed_target {
    long long int heard;        /* It was heard of last, */
    bool ever;                  /* if ever... */
    long long int asked;        /* ...and probed last. */
    uint32_t n_unanswered;      /* Probes since it was heard of. */

    /* Ethernet addresses by which it has answered, and the last one that was not
     * believed, with its time; see monitor/pin.h. */
    int n_macs;
    struct eth_addr macs[BND_MAX_PINS];
    struct eth_addr stranger;
    long long int stranger_at;
};

struct bnd_probed {
    enum bnd_link_state state;  /* GOING_DOWN: tried in vain; COMING_BACK: is
                                 * being tried. */
    enum bnd_probe_reason reason; /* Of the last verdict. */
    bool joined;                /* Since the last verdict. */
    long long int last_tx;      /* Probe to any target. */
    long long int last_rx;      /* Sign of life that counts, */
    bool ever;                  /* if there was any. */
    long long int last_up;      /* It came up or was made active. */
    uint32_t n_failures;        /* Times that it went from up to down... */
    long long int last_failure; /* ...and the last one. */
    uint64_t n_messages;        /* ARP and IPv6 that came by it... */
    uint64_t n_believed;        /* ...and was of a target that is alive. */
    struct bnd_probed_target targets[BND_MAX_PROBED];

    /* Packets, if its device counts them: how many were received until a
     * time; and whether somebody should have read that since. */
    bool counts;
    bool overdue;
    uint64_t n_rx;
    long long int counted;
};

/* A member's own options. */
struct bnd_member_options {
    int32_t prio;               /* The greater is preferred as the active one
                                 * (Interface.other_config:bond-prio). */
    uint16_t queue_id;          /* OpenFlow queue that leaves by it, or 0
                                 * (Interface.other_config:bond-queue-id). */
    enum bnd_admin admin;       /* Interface.other_config:bond-admin. */
    uint16_t actor_port_prio;   /* Priority in LACP, or 0 if none is given
                                 * (Interface.other_config:
                                 * bond-actor-port-prio). */
};

struct bnd_member {
    bnd_id id;
    char *name;                 /* Interface name; owned. */
    struct eth_addr mac;        /* Its present address... */
    struct eth_addr perm_mac;   /* ...and what it will have when it leaves. */
    struct bnd_member_options options;

    /* What it shall have and what was asked of its device last, or zero; see
     * address/address.h. */
    struct eth_addr want_mac;
    struct eth_addr asked_mac;
    enum bnd_mac_trouble mac_trouble;

    /* Facts, as the last event said. */
    bool present;               /* Has a port now (else only remembered). */
    bool carrier;               /* The link has carrier. */
    uint32_t speed_mbps;        /* Last speed that was known, or 0. */
    bool speed_lost;            /* It tells its speed, but not just now. */
    enum bnd_duplex duplex;     /* Last one that was known. */
    uint32_t told_mbps;         /* What the device says now, 0 for nothing... */
    enum bnd_duplex told_duplex; /* ...with or without carrier. */
    bool may_enable;            /* OVS does not forbid its use (BFD, CFM). */

    /* Stage 2: what probes tell. */
    struct bnd_probed probed[BND_N_PROBES];

    /* Stage 2 and 3: is the link good, and is it still or again usable? */
    bool good;
    struct bnd_link link;
    bool risen;                 /* It went UP in this pass. */
    uint32_t n_failures;        /* Times that the link has gone down. */
    enum bnd_link_state last_link; /* Of 'link', at the end of a pass... */
    long long int last_change;  /* ...and when that became different, ms. */

    /* Stage 4: LACP lets it carry traffic, or take it (true without LACP), and
     * has heard of a partner lately (false without LACP). */
    bool lacp_ok;
    bool lacp_rx;               /* LACP lets it take traffic (likewise). */
    bool lacp_current;

    /* Between 3 and 4: unless 'options.admin' is up, when it is out of use
     * (ms), and whether it is.  Meanwhile it may linger: it was in use until
     * it began to drain, so what is addressed to the bond may still come. */
    long long int drain_end;
    bool out;
    bool lingers;

    /* Stage 5: the view has room for it. */
    bool fits;

    /* Result: traffic may be sent and taken. */
    bool enabled;
};

#endif /* member.h */
