/* SPDX-License-Identifier: Apache-2.0 */

/* The inside of an LACP system
 * ============================
 *
 * Ports, aggregators and the inputs of the machines.  One machine, one file;
 * each has a pure bnd_X_next(), which tests compare with the standard's table,
 * and a bnd_X_step() that runs it to a fixed point.
 *
 *     lacp-rx.c        Receive              [802.1AX-2008 5.4.12]
 *     lacp-periodic.c  Periodic             [802.1AX-2008 5.4.13]
 *     lacp-select.c    Selection Logic      [802.1AX-2008 5.4.14]
 *     lacp-mux.c       Mux                  [802.1AX-2008 5.4.15]
 *     lacp-tx.c        Transmit             [802.1AX-2008 5.4.16]
 *     lacp-marker.c    Marker responder     [802.1AX-2008 5.5]
 *     lacp-late.c      How late all that is
 *
 * The flavour is looked at where inputs are gathered, so that the machines
 * proper are the same in both, and in the few places where the flavours truly
 * act differently; each has a comment.
 *
 * Thread-safety
 * -------------
 * As lacp.h says. */

#ifndef BND_LACP_PRIVATE_H
#define BND_LACP_PRIVATE_H 1

#include "lacp/lacp.h"
#include "lacp/lacp-late.h"
#include "wire/cursor.h"

/* Times in ms.  [802.1AX-2008 5.4.4] */
#define BND_LACP_FAST_PERIODIC 1000
#define BND_LACP_SLOW_PERIODIC 30000
#define BND_LACP_SHORT_TIMEOUT 3000
#define BND_LACP_LONG_TIMEOUT 90000
#define BND_LACP_AGGREGATE_WAIT 2000

/* LACPDUs that a port may send within BND_LACP_FAST_PERIODIC. */
#define BND_LACP_TX_LIMIT 3

/* Bits of a state octet whose change makes a LACPDU necessary.
 * [802.1AX-2008 5.4.9, update_NTT] */
#define BND_LACP_NTT_BITS \
    (BND_LACP_ACTIVITY | BND_LACP_TIMEOUT | BND_LACP_AGGREGATION \
     | BND_LACP_SYNC)

#define BND_RX_STATES \
    BND_RX_STATE(INITIALIZE) BND_RX_STATE(PORT_DISABLED) \
    BND_RX_STATE(EXPIRED) BND_RX_STATE(LACP_DISABLED) \
    BND_RX_STATE(DEFAULTED) BND_RX_STATE(CURRENT)

enum bnd_rx_state {
#define BND_RX_STATE(NAME) BND_RX_##NAME,
    BND_RX_STATES
#undef BND_RX_STATE
    BND_N_RX_STATES
};

#define BND_PERIODIC_STATES \
    BND_PERIODIC_STATE(NO_PERIODIC) BND_PERIODIC_STATE(FAST) \
    BND_PERIODIC_STATE(SLOW) BND_PERIODIC_STATE(TX)

enum bnd_periodic_state {
#define BND_PERIODIC_STATE(NAME) BND_PERIODIC_##NAME,
    BND_PERIODIC_STATES
#undef BND_PERIODIC_STATE
    BND_N_PERIODIC_STATES
};

#define BND_MUX_STATES \
    BND_MUX_STATE(DETACHED) BND_MUX_STATE(WAITING) BND_MUX_STATE(ATTACHED) \
    BND_MUX_STATE(COLLECTING) BND_MUX_STATE(DISTRIBUTING)

enum bnd_mux_state {
#define BND_MUX_STATE(NAME) BND_MUX_##NAME,
    BND_MUX_STATES
#undef BND_MUX_STATE
    BND_N_MUX_STATES
};

/* Selection Logic's verdict on a port.  [802.1AX-2008 5.4.8] */
enum bnd_selected {
    BND_UNSELECTED,
    BND_SELECTED,
    BND_STANDBY                 /* Aggregator known, but not to be used. */
};

struct bnd_rx_input {           /* All that bnd_rx_next() may look at. */
    bool begin;                 /* BEGIN: the port is new. */
    bool port_enabled;          /* The link is up. */
    bool lacp_enabled;          /* LACP_Enabled. */
    bool quiet;                 /* OVS flavour: a passive system does not wait
                                 * for a partner that never spoke. */
    bool restart;               /* OVS flavour: what is known of the partner
                                 * is in doubt (carrier, configuration). */
    bool pdu;                   /* A LACPDU has come. */
    bool timer_expired;         /* current_while_timer. */
};

struct bnd_periodic_input {     /* All that bnd_periodic_next() may look at. */
    bool enabled;               /* LACPDUs are to be sent at all. */
    bool short_timeout;         /* The partner wants one each second. */
    bool timer_expired;         /* periodic_timer. */
    bool sampled;               /* OVS flavour: 'short_timeout' is as of the
                                 * last LACPDU sent, for whatever reason,
                                 * which also started the timer anew. */
};

struct bnd_mux_input {          /* All that bnd_mux_next() may look at. */
    enum bnd_selected selected; /* Selection Logic's verdict. */
    bool ready;                 /* wait_while expired on all waiting ports. */
    bool partner_sync;          /* Partner_Oper_Port_State.Synchronization. */
    bool partner_collecting;    /* Partner_Oper_Port_State.Collecting. */
};

enum bnd_rx_state bnd_rx_next(enum bnd_rx_state,
                              const struct bnd_rx_input *);
enum bnd_periodic_state bnd_periodic_next(enum bnd_periodic_state,
                                          const struct bnd_periodic_input *);
enum bnd_mux_state bnd_mux_next(enum bnd_mux_state,
                                const struct bnd_mux_input *);

const char *bnd_rx_state_name(enum bnd_rx_state);
const char *bnd_periodic_state_name(enum bnd_periodic_state);
const char *bnd_mux_state_name(enum bnd_mux_state);

/* What ports of an aggregator have in common. */
struct bnd_aggregator {
    uint32_t id;                /* From 1. */
    bool in_use;                /* A partner has been found for it.  The rest
                                 * is meaningful only then. */
    uint16_t actor_key;
    uint16_t partner_system_priority;
    struct eth_addr partner_system;
    uint16_t partner_key;
};

struct bnd_lacp_port {
    bnd_id id;
    char *name;                 /* For traces; owned. */
    struct eth_addr mac;        /* To send from. */
    struct bnd_lacp *lacp;      /* System that it is part of. */
    struct bnd_lacp_port_config config;
    bool enabled;               /* port_enabled. */
    bool carrier;               /* What we send can arrive. */
    uint32_t speed_mbps;        /* Of the link, 0 if it is not known. */
    enum bnd_duplex duplex;
    bool lacp_enabled;          /* LACP_Enabled. */
    bool drained;               /* Not to be selected. */

    /* Both sides.  ACTIVITY, TIMEOUT and AGGREGATION follow from the
     * configuration and are not in 'actor_state'. */
    uint8_t actor_state;        /* Actor_Oper_Port_State. */
    struct bnd_lacp_info partner; /* Partner_Oper_*. */

    /* Receive. */
    enum bnd_rx_state rx;
    bool begin;                 /* BEGIN waits for the next run. */
    bool restart;               /* So does a restart. */
    long long int current_while; /* current_while_timer. */

    /* Selection Logic. */
    enum bnd_selected selected;
    struct bnd_aggregator *agg; /* Of 'lacp'; null if UNSELECTED. */

    /* Mux. */
    enum bnd_mux_state mux;
    long long int wait_while;   /* wait_while_timer, set in WAITING. */

    /* Periodic. */
    enum bnd_periodic_state periodic;
    long long int periodic_timer;
    bool short_sampled;         /* See struct bnd_periodic_input. */

    struct bnd_lacp_watch watch;

    /* Transmit. */
    bool ntt;                   /* NTT, from the machines. */
    struct bnd_lacp_info believed; /* What the partner knows of us, */
    bool has_believed;          /* if it knows anything. */
    long long int sent[BND_LACP_TX_LIMIT]; /* Times of the last LACPDUs, */
    unsigned int next_sent;     /* the oldest of which is this one. */

    struct bnd_lacp_port_status stats; /* Only counters and maxima. */
};

struct bnd_lacp {
    struct bnd_lacp_config config;
    long long int now;          /* Latest time seen. */
    long long int last_run;     /* Time of the last run. */
    struct bnd_lacp_port **ports; /* In the order of joining. */
    size_t n_ports;
    struct bnd_aggregator *aggs; /* 'n_aggs' of them. */
    size_t n_aggs;
    bool reselect;              /* Selection Logic has to run. */
    bool dirty;                 /* Something came in since the last run. */
};

static inline bool
bnd_lacp_is_ovs(const struct bnd_lacp *lacp)
{
    return lacp->config.flavour == BND_LACP_FLAVOUR_OVS;
}

struct bnd_lacp_port *bnd_lacp_find_port(const struct bnd_lacp *, bnd_id);

/* Has a partner been found for any aggregator? */
bool bnd_lacp_is_negotiated(const struct bnd_lacp *);

/* Our own data, as the next LACPDU of 'port' would carry it. */
struct bnd_lacp_info bnd_lacp_actor(const struct bnd_lacp_port *port);

/* Is the system that 'port' hears this very system? */
bool bnd_lacp_is_loopback(const struct bnd_lacp_port *port);

/* Receive machine; 'pdu' came at 'arrival', or is null. */
void bnd_rx_step(struct bnd_lacp_port *, const struct bnd_lacpdu *pdu,
                 long long int arrival, long long int now,
                 struct bnd_effects *);

/* Selection Logic for the whole system, if something calls for it. */
void bnd_lacp_select(struct bnd_lacp *, long long int now,
                     struct bnd_effects *);

void bnd_mux_step(struct bnd_lacp_port *, long long int now,
                  struct bnd_effects *);
/* When bnd_mux_step() would next do something by itself. */
long long int bnd_mux_wake_time(const struct bnd_lacp_port *);

void bnd_periodic_step(struct bnd_lacp_port *, long long int now,
                       struct bnd_effects *);
long long int bnd_periodic_wake_time(const struct bnd_lacp_port *);

/* Transmit machine: sends a LACPDU if one is needed and allowed. */
void bnd_tx_step(struct bnd_lacp_port *, long long int now,
                 struct bnd_effects *);
long long int bnd_tx_wake_time(const struct bnd_lacp_port *);
/* May 'port' send at all, rate limit aside? */
bool bnd_tx_is_allowed(const struct bnd_lacp_port *port);

/* Marker responder: answers 'body', which bnd_slow_open() left. */
enum bnd_drop_reason bnd_marker_receive(struct bnd_lacp_port *,
                                        struct bnd_cursor body,
                                        struct bnd_effects *);

#endif /* lacp-private.h */
