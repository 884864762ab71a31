/* SPDX-License-Identifier: Apache-2.0 */

/* Link Aggregation Control Protocol
 * =================================
 *
 * One system, its ports and its aggregators: the Receive, Periodic, Selection,
 * Mux and Transmit machines of IEEE 802.1AX, one file each.  Nothing here
 * knows what a bond does with the answer; it says per port whether the link
 * may carry traffic, and for the whole system what has been negotiated.
 *
 * The machines come in two flavours.  The standard's is as the standard says.
 * Open vSwitch's has the same states and the same wire format but is more
 * optimistic: a new port joins the aggregator at once and announces SYNC,
 * COLLECTING and DISTRIBUTING together; traffic waits for the partner's SYNC
 * only.  Its users have come to rely on how fast that is, and on what
 * lacp/show prints, so it is kept to the bit and to the millisecond, as far as
 * the daemon lets one observe it.
 *
 * Scope.  We simplify:
 *
 *   - Of the aggregators that a system may have one is used, for the best
 *     partner (lacp-select.c); there are no standby links.
 *   - There are no churn detection machines.
 *   - The administrative data of the partner are zeros, so a link without a
 *     partner is not operated as an individual link.
 *   - port_moved never is.
 *   - We do not ask by Marker, only answer.
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
#include "wire/lacpdu.h"

struct bnd_effects;
struct bnd_lacp;

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
    uint16_t key;               /* Operational key; 0: take the port number.
                                 * In the OVS flavour the key of the port that
                                 * joined first is that of all ports. */
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
    uint32_t n_rx;              /* Slow protocol frames received... */
    uint32_t n_bad;             /* ...of which not intelligible... */
    uint32_t n_marker_rx;       /* ...and Marker PDUs of any kind. */
    uint32_t n_expired;         /* CURRENT -> EXPIRED for lack of LACPDUs. */
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
/* Has port 'id' a partner, be it one that has expired?  (What OVSDB calls
 * lacp_current.) */
bool bnd_lacp_port_is_current(const struct bnd_lacp *, bnd_id id);
/* Fills '*status' and returns true, or returns false if there is no such
 * port. */
bool bnd_lacp_get_port_status(const struct bnd_lacp *, bnd_id id,
                              struct bnd_lacp_port_status *status);
uint16_t bnd_lacp_default_key(const struct bnd_lacp *);

#endif /* lacp.h */
