/* SPDX-License-Identifier: Apache-2.0 */

/* Link Aggregation Control Protocol
 * =================================
 *
 * One system, its ports and its aggregators: the Receive, Periodic, Selection,
 * Mux and Transmit machines of IEEE 802.1AX, one file each.  Nothing here
 * knows what a bond does with the answer; it says per port whether the link
 * may carry traffic, and for the whole system what has been negotiated.
 *
 * (to be completed: scope statement, what is simplified, sources)
 *
 * Thread-safety
 * -------------
 * One thread at a time per instance, as for all of lib/. */

#ifndef BND_LACP_H
#define BND_LACP_H 1

#include <stddef.h>
#include "core/bnd-types.h"

struct bnd_effects;
struct bnd_lacp;

/* Bits of a state octet.  [802.1AX-2008 5.4.2.2] */
#define BND_LACP_ACTIVITY     0x01
#define BND_LACP_TIMEOUT      0x02
#define BND_LACP_AGGREGATION  0x04
#define BND_LACP_SYNC         0x08
#define BND_LACP_COLLECTING   0x10
#define BND_LACP_DISTRIBUTING 0x20
#define BND_LACP_DEFAULTED    0x40
#define BND_LACP_EXPIRED      0x80

/* How the Mux machine and the announced state treat a port. */
enum bnd_lacp_flavour {
    BND_LACP_FLAVOUR_OVS,       /* As Open vSwitch's LACP behaves. */
    BND_LACP_FLAVOUR_STANDARD   /* As IEEE 802.1AX says. */
};

/* Configuration of the system. */
struct bnd_lacp_config {
    struct eth_addr system;     /* System id, not zero. */
    uint16_t system_priority;   /* 1...65535, lower is stronger. */
    bool active;                /* LACP_Activity: speak first? */
    bool fast;                  /* LACP_Timeout: short (3 s) or long (90 s). */
    bool fallback;              /* other_config:lacp-fallback-ab. */
    enum bnd_lacp_flavour flavour;
};

/* Configuration of one port. */
struct bnd_lacp_port_config {
    uint16_t port_id;           /* Port number, 1...65535. */
    uint16_t priority;          /* Port priority, lower is stronger. */
    uint16_t key;               /* Operational key; 0: the system's own. */
};

/* One side's data as an LACPDU carries it.  [802.1AX-2008 5.4.2.2] */
struct bnd_lacp_info {
    uint16_t system_priority;
    struct eth_addr system;
    uint16_t key;
    uint16_t port_priority;
    uint16_t port_id;
    uint8_t state;              /* BND_LACP_*. */
};

/* What the Receive machine believes, in the words of lacp/show. */
enum bnd_lacp_rx_summary {
    BND_LACP_RX_CURRENT,
    BND_LACP_RX_EXPIRED,
    BND_LACP_RX_DEFAULTED
};

/* Everything lacp/show and lacp/show-stats tell of one port. */
struct bnd_lacp_port_status {
    enum bnd_lacp_rx_summary rx;
    bool attached;              /* In the system's aggregator. */
    bool may_enable;            /* May carry traffic, as far as LACP goes. */
    uint16_t port_id;           /* As configured. */
    uint16_t port_priority;
    uint32_t aggregator;        /* Id of the aggregator, 0 if none. */
    struct bnd_lacp_info actor; /* As the next LACPDU would carry it. */
    struct bnd_lacp_info partner;
    uint32_t n_tx;              /* LACPDUs sent... */
    uint32_t n_rx;              /* ...received and used... */
    uint32_t n_bad;             /* ...and received but refused. */
    uint32_t n_marker_rx;       /* Marker information PDUs received. */
    uint32_t n_expired;         /* CURRENT -> EXPIRED. */
    uint32_t n_defaulted;       /* EXPIRED -> DEFAULTED. */
    uint32_t n_carrier;         /* Changes of carrier. */
    long long int rx_late_max;  /* ms, longest way of an LACPDU from its
                                 * arrival to the Receive machine. */
    long long int tx_late_max;  /* ms, worst lateness of a periodic LACPDU. */
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
void bnd_lacp_port_del(struct bnd_lacp *, bnd_id id);
bool bnd_lacp_has_port(const struct bnd_lacp *, bnd_id id);

/* The address that port 'id' sends from. */
void bnd_lacp_port_set_mac(struct bnd_lacp *, bnd_id id, struct eth_addr mac);

/* port_enabled of the standard: the link of port 'id' is up (after delays). */
void bnd_lacp_port_set_enabled(struct bnd_lacp *, bnd_id id, bool enabled,
                               long long int now);

/* Counts a change of carrier, and restarts the port as stock OVS does. */
void bnd_lacp_port_carrier_changed(struct bnd_lacp *, bnd_id id,
                                   long long int now);

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
bool bnd_lacp_port_is_current(const struct bnd_lacp *, bnd_id id);
/* Fills '*status' and returns true, or returns false if there is no such
 * port. */
bool bnd_lacp_get_port_status(const struct bnd_lacp *, bnd_id id,
                              struct bnd_lacp_port_status *status);
uint16_t bnd_lacp_default_key(const struct bnd_lacp *);

#endif /* lacp.h */
