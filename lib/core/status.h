/* SPDX-License-Identifier: Apache-2.0 */

/* Status of a bond as plain data
 * ==============================
 *
 * What a bond would tell of itself, taken at one instant.  Times are absolute,
 * so that a snapshot that is shown later is still right.  Text and (later)
 * JSON and OVSDB are made from this and from nothing else.
 *
 * Thread-safety
 * -------------
 * Plain data, owned by whoever asked for it. */

#ifndef BND_STATUS_H
#define BND_STATUS_H 1

#include <stddef.h>
#include "core/bnd-types.h"
#include "core/late.h"
#include "core/member.h"

struct ds;

/* One side of a LACP conversation. */
struct bnd_status_lacp_info {
    uint16_t system_priority;
    struct eth_addr system;
    uint16_t key;
    uint16_t port_priority;
    uint16_t port_id;
    uint8_t state;              /* Bits of the standard. */
};

/* A member's part in LACP. */
struct bnd_status_lacp_port {
    const char *rx;             /* "current", "expired", "defaulted". */
    bool attached;
    bool may_enable;
    bool may_collect;
    uint16_t port_id;
    uint16_t port_priority;
    uint32_t aggregator;
    bool in_active;             /* Of the aggregator in use. */
    bool individual;
    bool standby;
    struct bnd_status_lacp_info actor;
    struct bnd_status_lacp_info partner;
    const char *receive, *mux, *periodic; /* States of machines. */
    const char *actor_churn, *partner_churn; /* Likewise, as in Linux... */
    uint32_t n_actor_churn, n_partner_churn; /* ...and times of churn. */
    uint32_t n_tx, n_rx, n_bad, n_marker_rx;
    uint32_t n_expired, n_defaulted, n_carrier;

    /* As Linux counts. */
    uint32_t lacpdu_rx, lacpdu_tx, unknown_rx, illegal_rx;
    uint32_t marker_rx, marker_resp_tx, marker_resp_rx, marker_unknown_rx;

    long long int rx_late_max;  /* ms. */
    struct bnd_late late;
};

/* An aggregator with ports. */
struct bnd_status_aggregator {
    uint32_t id;
    bool active;                /* In use. */
    bool individual;
    bool has_partner;
    int n_ports, n_enabled;     /* Ports, and those with their links up. */
    uint16_t actor_key, partner_key;
    uint16_t partner_priority;
    struct eth_addr partner_system;
    uint64_t bandwidth;         /* Mbps. */
};

/* A target of probes, and how it is probed. */
struct bnd_status_target {
    char *address;              /* Owned. */
    char *source;               /* Whom probes are from, null if from an
                                 * address of each member's own; owned. */
    bool is_ip6;
    bool elsewhere;             /* It is not, as the host does not reach it by
                                 * the bond. */
    bool covered;               /* The host has an address or a route for it,
                                 * or the VLAN is given. */
    int n_vlans;                /* Tags of probes, outermost first. */
    uint16_t vlans[2];
};

/* A monitor that sends probes. */
struct bnd_status_probe {
    int index;                  /* In 'probed' of members. */
    long long int interval;     /* ms. */
    int missed_max;
    struct bnd_status_target *targets;
    size_t n_targets;
};

struct bnd_status_member {
    bnd_id id;
    char *name;                 /* Owned. */
    struct eth_addr mac;        /* Present address... */
    struct eth_addr perm_mac;   /* ...and what it will have when it leaves. */
    enum bnd_mac_trouble mac_trouble; /* Why it lacks the one it should. */
    bool mac_changed;           /* By us; the adapter knows. */
    int mtu;                    /* Likewise; 0 if it is not known. */
    int own_mtu;                /* What it will have when it leaves, if not
                                 * 'mtu'; else 0. */
    struct bnd_member_options options;
    uint32_t speed_mbps;        /* As the device says just now, or 0... */
    enum bnd_duplex duplex;     /* ...with or without carrier. */
    bool enabled;
    bool active;
    bool backup;                /* Sends nothing, though it may be up. */
    bool carrier;
    bool may_enable;
    enum bnd_link_state link;
    long long int deadline;     /* End of the running delay, or BND_NEVER. */
    long long int drain_end;    /* While it drains: until then, ms; else
                                 * BND_NEVER. */
    bool out;                   /* Out of use, as the operator wants it. */
    uint32_t n_failures;        /* Times that the link has gone down. */
    long long int last_change;  /* Of 'link', ms. */
    struct bnd_probed *probed;  /* BND_N_PROBES of them, if there is such a
                                 * monitor and the status is not brief; else
                                 * null; owned. */
    struct eth_addr logical_mac; /* Of the host's frames that leave by it, or
                                 * zero if the mode does not have that. */
    bool has_tx;                /* Known what was sent by it? */
    uint64_t tx_packets, tx_bytes; /* If 'has_tx'. */
    bool has_lacp;
    struct bnd_status_lacp_port lacp;   /* If 'has_lacp'. */
};

struct bnd_status_slot {
    bnd_id owner;
    uint64_t load;              /* Bytes, older ones weighing less. */
    uint64_t total;             /* Bytes since the bond was made. */
    uint64_t tx_packets, tx_bytes; /* As the adapter counted them. */
};

/* A bucket of the host's frames, in the modes that balance those. */
struct bnd_status_tlb {
    bnd_id member;
    uint64_t load;              /* Bytes a second, before the last look. */
};

/* A peer of the host, and by which member it is to send. */
struct bnd_status_rlb {
    char *client, *server;      /* IP addresses; owned. */
    int n_vlans;                /* Tags, outermost first. */
    uint16_t vlans[2];
    struct eth_addr client_mac; /* Zero if it is not known yet. */
    struct eth_addr server_mac; /* As the client was told last... */
    bool pending;               /* ...and will be told again. */
    bnd_id member;
    long long int since;        /* It is that one, ms. */
};

/* A change of the active member. */
#define BND_N_FAILOVERS 16      /* So many are remembered. */
struct bnd_failover {
    long long int when;         /* ms... */
    long long int wall;         /* ...and by the clock of the wall, as the
                                 * adapter adds, or 0. */
    enum bnd_cause cause;
    char *from, *to;            /* Members, maybe no more there, or null for
                                 * nobody; owned. */
    bool counted;               /* In 'n_failovers'?  Not the first active
                                 * member, nor the loss of the last one. */
};

/* An option of the bond. */
struct bnd_status_option {
    const char *name;           /* As in options.def. */
    bool given;                 /* Explicitly? */
    char *value;                /* As text, "" for no text; owned. */
};

struct bnd_status {
    /* The bond. */
    bool bonded;                /* Is it a bond (else only LACP)? */
    enum bnd_mode mode;         /* As configured. */
    bool fallback;              /* Working as active-backup instead. */
    bool fallback_configured;
    bool recirculates;          /* May keep its buckets in the datapath. */
    bool has_datapath_id;       /* Owns a recirculation id. */
    bool buckets_by_source;     /* Buckets are of source addresses. */
    bool lb_output;             /* Asked to use lb_output, or cannot but. */
    bool has_policy;            /* The next two count. */
    enum bnd_policy policy;
    bool policy_compat;         /* By the formulas of Linux 2.6. */
    bool has_turns;             /* The next one counts. */
    int packets_per;            /* In a row by one member, 0: at random. */
    bool shows_all_active;      /* 'all_active' is meaningful. */
    bool all_active;
    uint32_t basis;
    bool carrier;               /* Some member's link is up. */
    uint32_t speed_mbps;        /* Of the members in use, 0 if unknown. */
    enum bnd_duplex duplex;
    const char *combine;        /* How monitors are combined, or null. */
    struct bnd_status_probe probes[BND_N_PROBES]; /* Not in a brief status;
                                 * so many of them: */
    size_t n_probes;
    long long int miimon;       /* ms, 0: changes are heard of at once. */
    long long int updelay;      /* ms, as rounded for 'miimon'... */
    long long int downdelay;    /* ...and this one... */
    long long int peer_notif_delay; /* ...and this one. */
    long long int next_rebalance; /* ms, absolute, or BND_NEVER. */
    char *primary;              /* Configured name or null; owned. */
    bool primary_present;
    struct eth_addr active_mac; /* Permanent one of the active member; zero
                                 * if there is none. */
    struct eth_addr mac;        /* The bond's own, or zero if it leaves the
                                 * host's address to the bridge. */
    const char *mac_policy;     /* Value of fail-over-mac in force, or null. */
    bool mac_forced;            /* It is not the one that was asked for. */
    char *refusal;              /* Why the option "active-slave" was not
                                 * carried out, or null; owned. */
    uint32_t n_failovers;       /* Changes from one active member to another.*/
    uint32_t n_changes;         /* Of any kind... */
    struct bnd_failover *failovers; /* ...and the last of them, the oldest
                                 * first, so many of them: */
    size_t n_kept;
    enum bnd_lacp_status lacp_status;

    /* LACP system, if 'has_lacp'. */
    bool has_lacp;
    bool lacp_standard;         /* As the standard says, else as Open vSwitch
                                 * does. */
    bool lacp_active;
    bool lacp_fast;
    struct eth_addr lacp_system;
    uint16_t lacp_system_priority;
    uint16_t lacp_key;
    const char *lacp_fallback;  /* The one in force, or null. */
    struct bnd_status_aggregator *aggs; /* 'n_aggs'; owned. */
    size_t n_aggs;

    /* Every option of the bond; not in a brief status. */
    struct bnd_status_option *options;
    size_t n_options;

    /* Members in the order of joining; those only remembered are left out. */
    struct bnd_status_member *members;
    size_t n_members;

    /* The host's traffic, in the modes that balance it. */
    bool has_tlb;               /* What follows counts. */
    struct eth_addr host_mac;   /* Zero if it is not known. */
    uint64_t unbalanced;        /* Load without bucket, bytes a second. */
    struct bnd_status_tlb *tlb; /* 'n_tlb' of them; not in a brief status. */
    size_t n_tlb;
    bool has_rlb;               /* What follows counts. */
    struct bnd_status_rlb *rlb; /* 'n_rlb' of them; not in a brief status. */
    size_t n_rlb;

    /* Buckets, BND_N_SLOTS of them, 'n_slots' of which count; or null. */
    size_t n_slots;
    struct bnd_status_slot *slots;
};

/* Frees what 'status' owns. */
void bnd_status_uninit(struct bnd_status *);

/* Returns the value of option 'name' (as in options.def), "" if there is
 * none. */
const char *bnd_status_option(const struct bnd_status *, const char *name);

/* Was option 'name' given explicitly? */
bool bnd_status_is_given(const struct bnd_status *, const char *name);

/* Returns the active member, or null. */
const struct bnd_status_member *bnd_status_active(const struct bnd_status *);

/* Number of buckets of member 'id'; of no use in a brief status. */
size_t bnd_status_n_buckets(const struct bnd_status *, bnd_id id);

/* Returns the aggregator that is in use, or null; stores in '*n' how many of
 * its members have their links up. */
const struct bnd_status_aggregator *
bnd_status_active_agg(const struct bnd_status *, int *n);

/* Appends 'wall', ms since 1970, in the form of ISO 8601: UTC, with
 * milliseconds. */
void bnd_format_time(long long int wall, struct ds *);

/* Returns the last failover that is counted as one, or null. */
const struct bnd_failover *
bnd_status_last_failover(const struct bnd_status *);

/* Returns the name of member 'id', or 'otherwise'. */
const char *bnd_status_member_name(const struct bnd_status *, bnd_id id,
                                   const char *otherwise);

#endif /* status.h */
