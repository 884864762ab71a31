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
 *     lacp-select.c    Selection Logic of the OVS flavour
 *     lacp-aggregate.c Selection Logic      [802.1AX-2008 5.4.14]
 *     lacp-standby.c   Links in reserve     [802.1AX-2008 5.6]
 *     lacp-mux.c       Mux                  [802.1AX-2008 5.4.15]
 *     lacp-tx.c        Transmit             [802.1AX-2008 5.4.16]
 *     lacp-churn.c     Churn detection      [802.1AX-2008 5.4.17]
 *     lacp-marker.c    Marker responder     [802.1AX-2008 5.5]
 *     lacp-late.c      How late all that is
 *     lacp-save.c      Ports that outlive a restart
 *     lacp-carrier.c   Is the whole a link that is up; what if there is nobody
 *     lacp-status.c    Answers
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
#define BND_LACP_CHURN_TIME 60000

/* A tick of Linux, ms: a port that begins anew is silent for so long before it
 * asks for its partner. */
#define BND_LACP_TICK 100

/* What becomes known of partners within this time, ms, Selection Logic looks
 * at together, port after port: to Linux that would mostly be the same
 * tick. */
#define BND_LACP_GATHER 50

/* LACPDUs that a port may send within BND_LACP_FAST_PERIODIC, and, in the
 * standard's flavour, the time between any two, ms, as in Linux. */
#define BND_LACP_TX_LIMIT 3
#define BND_LACP_TX_SPACE 300

/* A fallback that is in force survives a partner that speaks but does not get
 * on with us for so long, ms. */
#define BND_LACP_FALLBACK_GRACE \
    (BND_LACP_AGGREGATE_WAIT + BND_LACP_SHORT_TIMEOUT)

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
    BND_MUX_STATE(COLLECTING) BND_MUX_STATE(DISTRIBUTING) \
    BND_MUX_STATE(COLLECTING_DISTRIBUTING)

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
    bool actor_sync;            /* Actor_Oper_Port_State.Synchronization. */
    bool active;                /* The aggregator is the one in use. */
    bool coupled;               /* Coupled control. */
};

struct bnd_churn_input {        /* All that bnd_churn_next() may look at. */
    bool begin;                 /* Watch from now on. */
    bool timer_expired;         /* churn_timer. */
    bool sync;                  /* Synchronization of the side in question. */
};

enum bnd_rx_state bnd_rx_next(enum bnd_rx_state,
                              const struct bnd_rx_input *);
enum bnd_periodic_state bnd_periodic_next(enum bnd_periodic_state,
                                          const struct bnd_periodic_input *);
enum bnd_mux_state bnd_mux_next(enum bnd_mux_state,
                                const struct bnd_mux_input *);

enum bnd_churn bnd_churn_next(enum bnd_churn, const struct bnd_churn_input *);

const char *bnd_rx_state_name(enum bnd_rx_state);
const char *bnd_periodic_state_name(enum bnd_periodic_state);
const char *bnd_mux_state_name(enum bnd_mux_state);

/* What ports of an aggregator have in common.  In the standard's flavour it
 * belongs to a port, which need not be one of those that are in it. */
struct bnd_aggregator {
    uint32_t id;                /* From 1. */
    bool in_use;                /* OVS flavour: a partner has been found for
                                 * it.  The rest is meaningful only then. */
    bool active;                /* The one that carries traffic. */
    bool individual;            /* Its port cannot share one (duplex). */
    bool alone;                 /* Its partner's cannot. */
    uint16_t actor_key;
    uint16_t partner_system_priority;
    struct eth_addr partner_system;
    uint16_t partner_key;
};

struct bnd_lacp_saved;

struct bnd_lacp_port {
    bnd_id id;
    char *name;                 /* For traces; owned. */
    struct eth_addr mac;        /* To send from. */
    struct bnd_lacp *lacp;      /* System that it is part of. */
    struct bnd_lacp_port_config config;
    bool enabled;               /* port_enabled. */
    bool told_enabled;          /* 'enabled' as from the next run. */
    bool carrier;               /* What we send can arrive. */
    uint32_t speed_mbps;        /* Of the link, 0 if it is not known. */
    enum bnd_duplex duplex;
    uint16_t wanted_priority;   /* Instead of that of 'config', or 0. */
    bool lacp_enabled;          /* LACP_Enabled. */
    bool drained;               /* Not to be selected. */

    struct bnd_lacp_saved *saved; /* To go on from, or null; owned. */

    /* Standard. */
    bool fresh;                 /* No run has seen it. */
    uint16_t number;            /* Port number. */
    uint16_t key;               /* Operational key... */
    uint8_t speed_code;         /* ...and what it tells of the speed. */
    struct bnd_aggregator own;  /* The one that belongs to it. */

    /* Both sides.  ACTIVITY, TIMEOUT and AGGREGATION follow from the
     * configuration and are not in 'actor_state'. */
    uint8_t actor_state;        /* Actor_Oper_Port_State. */
    struct bnd_lacp_info partner; /* Partner_Oper_*. */

    /* Receive. */
    enum bnd_rx_state rx;
    bool begin;                 /* BEGIN waits for the next run. */
    bool restart;               /* So does a restart. */
    long long int start;        /* Standard: its link counts from then on. */
    long long int current_while; /* current_while_timer. */

    /* Selection Logic. */
    enum bnd_selected selected;
    bool moved;                 /* Standard: its partner is another one now, so
                                 * it must not stay in... */
    struct bnd_aggregator *agg; /* ...this.  Of 'lacp', or of a port; null if
                                 * none. */
    uint64_t joined;            /* Greater than that of those who joined
                                 * before. */

    /* Mux. */
    enum bnd_mux_state mux;
    bool mux_begin;             /* Standard: it is to begin anew. */
    long long int wait_while;   /* wait_while_timer, set in WAITING. */
    bool was_standby;           /* It waited while it was not needed. */
    bool role;                  /* Standard: it carries traffic, as far as its
                                 * link does. */

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

    /* Churn. */
    enum bnd_churn actor_churn;
    enum bnd_churn partner_churn;
    bool churn_begin;           /* Both are to begin. */
    long long int churn_timer;  /* Of both. */

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
    long long int select_at;    /* So has it to then for ports that have
                                 * 'moved'. */
    uint32_t last_agg_id;       /* Of aggregators that belong to ports. */
    uint64_t n_joined;          /* Times that a port joined one. */

    /* Fallback, in the standard's flavour. */
    bool fallback;              /* In force. */
    long long int alone_since;  /* Without any partner, or BND_NEVER. */
    long long int heard_since;  /* With one that does not get on with us, or
                                 * BND_NEVER. */
    bool dirty;                 /* Something came in since the last run. */
};

static inline bool
bnd_lacp_is_ovs(const struct bnd_lacp *lacp)
{
    return lacp->config.flavour == BND_LACP_FLAVOUR_OVS;
}

struct bnd_lacp_port *bnd_lacp_find_port(const struct bnd_lacp *, bnd_id);

/* Notes that something comes in, so that there is reason to run. */
void bnd_lacp_take_in(struct bnd_lacp *, long long int now);

/* Makes 'port' as if it had just joined.  bnd_lacp_port_retire() has it leave
 * its aggregator, and give away its own if it is 'gone' for good. */
void bnd_lacp_port_reset(struct bnd_lacp_port *port);
void bnd_lacp_port_retire(struct bnd_lacp_port *port, bool gone,
                          long long int now, struct bnd_effects *);
void bnd_lacp_port_destroy(struct bnd_lacp_port *);

/* What another life has left (lacp-save.h).  bnd_lacp_comes_before() says
 * whether 'a', of two ports that join together, comes before 'b';
 * bnd_lacp_sort_restored() puts those that were there before in their
 * places. */
bool bnd_lacp_comes_before(const struct bnd_lacp_port *a,
                           const struct bnd_lacp_port *b);
void bnd_lacp_sort_restored(struct bnd_lacp *);
uint16_t bnd_lacp_saved_number(const struct bnd_lacp_port *);
uint32_t bnd_lacp_saved_aggregator(const struct bnd_lacp_port *);

/* Has a partner been found for any aggregator? */
bool bnd_lacp_is_negotiated(const struct bnd_lacp *);

/* Our own data, as the next LACPDU of 'port' would carry it. */
struct bnd_lacp_info bnd_lacp_actor(const struct bnd_lacp_port *port);

/* Is the system that 'port' hears this very system? */
bool bnd_lacp_is_loopback(const struct bnd_lacp_port *port);

/* Has 'agg' a partner? */
bool bnd_agg_has_partner(const struct bnd_aggregator *);
/* Number of ports in 'agg' whose links are up; its bandwidth. */
int bnd_agg_n_enabled(const struct bnd_lacp *, const struct bnd_aggregator *);
uint64_t bnd_agg_bandwidth(const struct bnd_lacp *,
                           const struct bnd_aggregator *);
struct bnd_aggregator *bnd_agg_active(const struct bnd_lacp *);

/* Standard: may a port without a partner carry traffic? */
bool bnd_lacp_is_individual_ok(const struct bnd_lacp *);
/* Standard: is the partner's Collecting waited for? */
bool bnd_lacp_is_strict(const struct bnd_lacp *);

/* Selection Logic of the standard's flavour.
 *
 * bnd_agg_choose() chooses the aggregator that is in use.  bnd_agg_leave()
 * takes 'port' out of its own, if it is in one, bnd_agg_join() finds another.
 * bnd_agg_disown() gives what belongs to 'port' to another port, if somebody
 * else is in it. */
void bnd_agg_choose(struct bnd_lacp *, long long int now,
                    struct bnd_effects *);
void bnd_agg_leave(struct bnd_lacp_port *port);
void bnd_agg_join(struct bnd_lacp_port *port, long long int now,
                  struct bnd_effects *);
void bnd_agg_disown(struct bnd_lacp_port *port);

/* Decides which ports stand by (max_links).  Of the order in which ports are
 * preferred, bnd_lacp_compare() says whether 'a' comes before 'b' (< 0). */
void bnd_standby_step(struct bnd_lacp *, long long int now);
int bnd_lacp_compare(const struct bnd_lacp_port *a,
                     const struct bnd_lacp_port *b);

/* Brings key, speed code and LACP_Enabled up to date with what is known of the
 * link, 'up' saying whether it has just come up or the key must be new anyway.
 * Restarts the port if the partner must learn anew who we are. */
void bnd_lacp_update_key(struct bnd_lacp_port *, bool up);

void bnd_churn_step(struct bnd_lacp_port *, long long int now,
                    struct bnd_effects *);
long long int bnd_churn_wake_time(const struct bnd_lacp_port *);

void bnd_fallback_step(struct bnd_lacp *, long long int now,
                       struct bnd_effects *);
long long int bnd_fallback_wake_time(const struct bnd_lacp *);

/* Tells the partner that 'port' is out. */
void bnd_tx_farewell(struct bnd_lacp_port *port, struct bnd_effects *);

/* Receive machine; 'pdu' came at 'arrival', or is null. */
void bnd_rx_step(struct bnd_lacp_port *, const struct bnd_lacpdu *pdu,
                 long long int arrival, long long int now,
                 struct bnd_effects *);

/* The partner is asked for long timeouts from now on, so it may take its time
 * with the next LACPDU already. */
void bnd_rx_wait_longer(struct bnd_lacp_port *, long long int now);

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
