/* SPDX-License-Identifier: Apache-2.0 */

/* Link Aggregation Control Protocol
 * =================================
 *
 * One system, its ports and its aggregators: the Receive, Periodic, Selection,
 * Mux and Transmit machines of IEEE 802.1AX, one file each.  Nothing here
 * knows what a bond does with the answer; it says per port whether the link
 * may carry traffic, and for the whole system what has been negotiated.
 *
 * The machines come in two flavours.  The standard's is as the standard says,
 * and as Linux does what the standard leaves open: so of two hosts, one with
 * Linux and one with us, both use the same links, and say the same of them.
 * Open vSwitch's has the same states and the same wire format but is more
 * optimistic: a new port joins the aggregator at once and announces SYNC,
 * COLLECTING and DISTRIBUTING together; traffic waits for the partner's SYNC
 * only.  Its users have come to rely on how fast that is, and on what
 * lacp/show prints, so it is kept to the bit and to the millisecond, as far as
 * the daemon lets one observe it.
 *
 * Scope.  We simplify:
 *
 *   - The OVS flavour has one aggregator, for the best partner
 *     (lacp-select.c), no standby links and no churn detection machines.  The
 *     administrative data of the partner are zeros there, so a link without a
 *     partner is not operated as an individual link.
 *   - In that of the standard all data of a partner that is not there are
 *     those that Linux has; nobody can configure others.
 *   - port_moved never is.
 *   - We do not ask by Marker, only answer.
 *
 * What the standard's flavour does not do as Linux does:
 *
 *   - It does not tick: what there is to do is done at once, where Linux waits
 *     for its next tick, up to 100 ms.  In what order things are done is the
 *     same.
 *   - A bond that is up when its first port joins does not wait 8 s.
 *   - What a port that only collects receives is taken.
 *   - A partner that says that a link cannot be aggregated is believed.
 *   - A partner is told at once of a new rate, or that an aggregator is now in
 *     use.
 *   - A port that does not know its duplex is not one of half duplex.
 *   - Its own LACPDUs do not keep a port from being without a partner.
 *
 * Stock Open vSwitch differs from its flavour here in that it does not limit
 * the rate of LACPDUs, does not answer Markers, and lets a port that hears its
 * own system keep the lead, which detaches the good ports.
 *
 * Thread-safety
 * -------------
 * One thread at a time per instance, as for all of lib/.
 *
 * Source: IEEE 802.1AX-2008 clause 5.4; ovs-vswitchd.conf.db(5); observation
 * of ovs-vswitchd 3.1. */

#ifndef BND_LACP_H
#define BND_LACP_H 1

#include <stddef.h>
#include "core/bnd-types.h"
#include "core/late.h"
#include "wire/lacpdu.h"

struct bnd_effects;
struct bnd_lacp;

/* How the Mux machine and the announced state treat a port. */
enum bnd_lacp_flavour {
    BND_LACP_FLAVOUR_OVS,       /* As Open vSwitch's LACP behaves. */
    BND_LACP_FLAVOUR_STANDARD   /* As IEEE 802.1AX says. */
};

/* How the aggregator that carries traffic is chosen (option ad-select). */
enum bnd_ad_select {
    BND_AD_STABLE,
    BND_AD_BANDWIDTH,
    BND_AD_COUNT,
    BND_AD_PORT_PRIO
};

/* What carries traffic while there is no partner (option lacp-fallback). */
enum bnd_lacp_fallback {
    BND_LACP_FB_LINUX,          /* One port, on its own. */
    BND_LACP_FB_NONE,           /* Nothing. */
    BND_LACP_FB_AB,             /* As in mode active-backup. */
    BND_LACP_FB_ALL             /* All ports. */
};

/* Configuration of the system.  What follows 'flavour' is for that of the
 * standard. */
struct bnd_lacp_config {
    struct eth_addr system;     /* System id, not zero. */
    uint16_t system_priority;   /* 1...65535, lower is stronger. */
    bool active;                /* LACP_Activity: speak first? */
    bool fast;                  /* LACP_Timeout: short (3 s) or long (90 s). */
    bool fallback;              /* other_config:lacp-fallback-ab. */
    enum bnd_lacp_flavour flavour;

    enum bnd_ad_select select;
    bool coupled;               /* Coupled control, else independent. */
    bool strict;                /* No carrier without a partner... */
    int min_links;              /* ...and without so many ports. */
    int max_links;              /* Ports of an aggregator in use, 0: all. */
    uint16_t user_key;          /* Upper ten bits of keys. */
    enum bnd_lacp_fallback fallback_kind;
    long long int fallback_timeout; /* ms without a partner. */
};

/* Configuration of one port. */
struct bnd_lacp_port_config {
    uint16_t port_id;           /* Port number, 1...65535.  Standard: 0 for
                                 * that of the last port and 1. */
    uint16_t priority;          /* Port priority, lower is stronger. */
    uint16_t key;               /* Operational key; 0: take the port number.
                                 * In the OVS flavour the key of the port that
                                 * joined first is that of all ports.
                                 * Standard, 0: from user key and link. */
};

/* What the Receive machine believes, in the words of lacp/show. */
enum bnd_lacp_rx_summary {
    BND_LACP_RX_CURRENT,
    BND_LACP_RX_EXPIRED,
    BND_LACP_RX_DEFAULTED
};

/* States of the Churn machines, with the words of Linux. */
#define BND_CHURN_STATES \
    BND_CHURN_STATE(MONITORING, "monitoring") \
    BND_CHURN_STATE(NONE, "none") \
    BND_CHURN_STATE(CHURNED, "churned")

enum bnd_churn {
#define BND_CHURN_STATE(ENUM, NAME) BND_CHURN_##ENUM,
    BND_CHURN_STATES
#undef BND_CHURN_STATE
    BND_N_CHURN_STATES
};

const char *bnd_churn_name(enum bnd_churn);

/* Everything lacp/show and lacp/show-stats tell of one port. */
struct bnd_lacp_port_status {
    enum bnd_lacp_rx_summary rx;
    bool attached;              /* In the system's aggregator. */
    bool may_enable;            /* May carry traffic, as far as LACP goes... */
    bool may_collect;           /* ...and this may be taken from it. */
    uint16_t port_id;           /* As configured. */
    uint16_t port_priority;
    uint32_t aggregator;        /* Id of the aggregator, 0 if none. */
    struct bnd_lacp_info actor; /* As the next LACPDU would carry it. */
    struct bnd_lacp_info partner;
    uint16_t key;               /* Operational key of the actor. */
    bool in_active;             /* In the aggregator that is in use. */
    bool individual;            /* In an aggregator without a partner, or by
                                 * itself because of its duplex. */
    bool standby;               /* In reserve, for max_links. */
    const char *rx_state;       /* Names of the machines' states. */
    const char *mux_state;
    const char *periodic_state;
    enum bnd_churn actor_churn;
    enum bnd_churn partner_churn;
    uint32_t n_actor_churn;     /* Times that it has churned. */
    uint32_t n_partner_churn;
    uint32_t n_tx;              /* LACPDUs sent... */
    uint32_t n_rx;              /* Slow protocol frames received... */
    uint32_t n_bad;             /* ...of which not intelligible... */
    uint32_t n_marker_rx;       /* ...and Marker PDUs of any kind. */

    /* The same as Linux counts it. */
    uint32_t n_lacpdu_rx;       /* LACPDUs. */
    uint32_t n_lacpdu_tx;       /* LACPDUs sent. */
    uint32_t n_unknown_rx;      /* Other slow protocols. */
    uint32_t n_illegal_rx;      /* Too short. */
    uint32_t n_marker_info_rx;  /* Markers that ask... */
    uint32_t n_marker_resp_tx;  /* ...and our answers. */
    uint32_t n_marker_resp_rx;  /* Markers that answer. */
    uint32_t n_marker_unknown_rx; /* Markers of other types. */
    uint32_t n_expired;         /* CURRENT -> EXPIRED for lack of LACPDUs. */
    uint32_t n_defaulted;       /* EXPIRED -> DEFAULTED. */
    uint32_t n_carrier;         /* Changes of carrier. */
    long long int rx_late_max;  /* ms, longest way of an LACPDU from its
                                 * arrival to the Receive machine. */
    struct bnd_late late;       /* See lacp-late.h. */
};

/* An aggregator that has ports. */
struct bnd_lacp_agg_status {
    uint32_t id;
    bool active;                /* The one that is in use. */
    bool individual;            /* Not to be shared by ports. */
    bool has_partner;
    int n_ports;
    int n_enabled;              /* Ports whose links are up. */
    uint16_t actor_key;
    uint16_t partner_key;
    struct eth_addr partner_system;
    uint16_t partner_priority;
    uint64_t bandwidth;         /* Mbps, as the policy counts it. */
};

/* Creates a system without ports.  Never fails. */
struct bnd_lacp *bnd_lacp_create(const struct bnd_lacp_config *,
                                 long long int now);
/* Frees 'lacp', which may be null. */
void bnd_lacp_destroy(struct bnd_lacp *);

/* Puts 'config' in force.  Ports keep their state as far as the change lets
 * them. */
void bnd_lacp_configure(struct bnd_lacp *, const struct bnd_lacp_config *,
                        long long int now);

/* Adds port 'id' called 'name' (for trace records), sending from 'mac', or, if
 * it is there already, only changes its configuration.  A new port is not
 * enabled. */
void bnd_lacp_port_set(struct bnd_lacp *, bnd_id id, const char *name,
                       const struct bnd_lacp_port_config *,
                       long long int now);

/* Takes port 'id' away.  In the standard's flavour the partner is told by an
 * effect in 'fx' that the port is out, before anything else is sent. */
void bnd_lacp_port_del(struct bnd_lacp *, bnd_id id, long long int now,
                       struct bnd_effects *fx);
bool bnd_lacp_has_port(const struct bnd_lacp *, bnd_id id);

/* The address that port 'id' sends from. */
void bnd_lacp_port_set_mac(struct bnd_lacp *, bnd_id id, struct eth_addr mac);

/* port_enabled of the standard: the link of port 'id' is up (after delays). */
void bnd_lacp_port_set_enabled(struct bnd_lacp *, bnd_id id, bool enabled,
                               long long int now);

/* The speed, 0 if it is not known, and the duplex of the link of port 'id', of
 * which the standard's flavour makes the key. */
void bnd_lacp_port_set_link(struct bnd_lacp *, bnd_id id, uint32_t speed_mbps,
                            enum bnd_duplex duplex, long long int now);

/* The priority that port 'id' has instead of that in its configuration; 0 for
 * none. */
void bnd_lacp_port_set_priority(struct bnd_lacp *, bnd_id id,
                                uint16_t priority, long long int now);

/* Is there carrier on port 'id'?  Without it LACPDUs wait until it is back,
 * and that is all: this is not port_enabled, and does not imply
 * bnd_lacp_port_carrier_changed().  A new port has carrier. */
void bnd_lacp_port_set_carrier(struct bnd_lacp *, bnd_id id, bool carrier,
                               long long int now);

/* Port 'id' is being taken out of use, or may be used again: it leaves its
 * aggregator, and the partner is told at once that it is neither in sync nor
 * collecting nor distributing. */
void bnd_lacp_port_set_drained(struct bnd_lacp *, bnd_id id, bool drained,
                               long long int now);

/* Counts a change of carrier, in whatever direction, and restarts the port as
 * stock OVS does. */
void bnd_lacp_port_carrier_changed(struct bnd_lacp *, bnd_id id,
                                   long long int now);

/* All bnd_lacp_port_*() above do nothing if there is no port 'id'; but for
 * bnd_lacp_port_set(), which adds it.  What they change shows after the next
 * run. */

/* Runs the Receive machine of port 'id' on 'frame', a whole slow protocol
 * frame of 'len' bytes that starts at the Ethernet header, which arrived at
 * 'arrival' <= 'now', both ms.  Answers a Marker by an effect in 'fx'.
 * Returns BND_DROP_NONE if the frame was used, otherwise why not; in that case
 * nothing but a counter has changed. */
enum bnd_drop_reason bnd_lacp_receive(struct bnd_lacp *, bnd_id id,
                                      const uint8_t *frame, size_t len,
                                      long long int arrival,
                                      long long int now,
                                      struct bnd_effects *fx);

/* Runs all machines of all ports to a fixed point at 'now'. */
void bnd_lacp_run(struct bnd_lacp *, long long int now,
                  struct bnd_effects *fx);

/* When bnd_lacp_run() would next do something by itself; may be in the past
 * ("at once"); BND_NEVER. */
long long int bnd_lacp_wake_time(const struct bnd_lacp *);

/* Answers, all as of the last bnd_lacp_run(). */
enum bnd_lacp_status bnd_lacp_get_status(const struct bnd_lacp *);
bool bnd_lacp_port_may_enable(const struct bnd_lacp *, bnd_id id);
/* May what comes in by port 'id' be taken? */
bool bnd_lacp_port_may_collect(const struct bnd_lacp *, bnd_id id);
/* Stores in '*aggs' an array, which the caller frees, of the aggregators that
 * have ports, in the order of their owners.  Returns how many there are. */
size_t bnd_lacp_get_aggregators(const struct bnd_lacp *,
                                struct bnd_lacp_agg_status **aggs);
/* Is the system as a whole a link that is up (min_links, strict)?  Only the
 * standard's flavour knows. */
bool bnd_lacp_has_carrier(const struct bnd_lacp *);
/* What of the fallbacks is in force?  BND_LACP_FB_NONE: none. */
enum bnd_lacp_fallback bnd_lacp_get_fallback(const struct bnd_lacp *);
/* Has port 'id' a partner, be it one that has expired?  (What OVSDB calls
 * lacp_current.) */
bool bnd_lacp_port_is_current(const struct bnd_lacp *, bnd_id id);
/* Fills '*status' and returns true, or returns false if there is no such
 * port. */
bool bnd_lacp_get_port_status(const struct bnd_lacp *, bnd_id id,
                              struct bnd_lacp_port_status *status);
uint16_t bnd_lacp_default_key(const struct bnd_lacp *);

#endif /* lacp.h */
