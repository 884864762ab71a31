/* SPDX-License-Identifier: Apache-2.0 */

/* Status as text
 * ==============
 *
 * The replies of bond/show, bond/list, lacp/show and lacp/show-stats, made
 * from a status and nothing else.  Their form is Open vSwitch's, line for
 * line, since scripts read it; what we add stands at the end of a bond and
 * only where there is something to tell.
 *
 * Thread-safety
 * -------------
 * Pure functions.
 *
 * Source: ovs-vswitchd(8), BOND COMMANDS and LACP COMMANDS; output of the
 * stock daemon. */

#ifndef BND_STATUS_TEXT_H
#define BND_STATUS_TEXT_H 1

#include "core/status.h"

struct ds;
struct json;

/* What the adapter knows and the engine does not. */
struct bnd_status_extra {
    uint32_t datapath_id;       /* Recirculation id, 0 for none. */
    bool lb_output;             /* lb_output is in use. */
    uint64_t n_passes;          /* Passes run... */
    uint64_t n_late;            /* ...of them later than late_ms... */
    uint64_t n_guard;           /* ...of them by the guard thread. */
    long long int late_ms;      /* What counts as late, ms. */
    long long int worst_late;   /* Worst lateness of a pass, ms. */
    long long int rx_late;      /* Longest way of a PDU from arrival to the
                                 * engine, ms. */
    uint64_t n_dropped;         /* Frames dropped as too many came at once. */
    const char *mechanism;      /* How packets find a member, or null... */
    const char *why;            /* ...and why so. */
    bool as_stock;              /* Stock OVS would do it like that, in a
                                 * datapath made for looking at flows. */
    bool has_tx;                /* Known what was sent? */
    uint64_t tx_packets, tx_bytes; /* If 'has_tx': by all members ever. */
    long long int wall;         /* What the clock of the wall is ahead of the
                                 * engine's, ms. */
    const char *errors;         /* A line for each mistake in the
                                 * configuration, or null... */
    const char *notes;          /* ...and for what is in force there but worth
                                 * telling. */
};

/* Append a bond to the reply of bond/show, bond/list. */
void bnd_format_bond(const char *name, const struct bnd_status *,
                     const struct bnd_status_extra *, long long int now,
                     struct ds *);
void bnd_format_bond_row(const char *name, const struct bnd_status *,
                         const struct bnd_status_extra *, struct ds *);

/* Appends the buckets of a bond, if its mode has any, to the reply of
 * bond/buckets. */
void bnd_format_buckets(const char *name, const struct bnd_status *,
                        const struct bnd_status_extra *, struct ds *);

/* The part of bond/show about what stock Open vSwitch does not have, members
 * in the order of 'sorted'. */
void bnd_format_more(const struct bnd_status *,
                     const struct bnd_status_extra *,
                     const struct bnd_status_member *const sorted[],
                     long long int now, struct ds *);

/* The same about monitors that send probes, and about those of 'm'; nothing if
 * there are none. */
void bnd_format_probe_monitors(const struct bnd_status *, struct ds *);
void bnd_format_probes(const struct bnd_status *,
                       const struct bnd_status_extra *,
                       const struct bnd_status_member *m, long long int now,
                       struct ds *);

/* Lines of bond/proc, and parts of bond/status, about the same. */
void bnd_format_proc_probes(const struct bnd_status *, struct ds *);
struct json *bnd_probes_to_json(const struct bnd_status *);
struct json *bnd_probed_to_json(const struct bnd_status *,
                                const struct bnd_status_member *,
                                const struct bnd_status_extra *);

/* The same about LACP. */
void bnd_format_more_lacp(const struct bnd_status *,
                          const struct bnd_status_member *const sorted[],
                          struct ds *);
void bnd_format_proc_lacp(const char *name, const struct bnd_status *,
                          struct ds *);
void bnd_format_proc_lacp_port(const struct bnd_status *,
                               const struct bnd_status_lacp_port *,
                               struct ds *);
struct json *bnd_lacp_to_json(const struct bnd_status *);
struct json *bnd_ad_info_to_json(const struct bnd_status *);
struct json *bnd_lacp_port_to_json(const struct bnd_status_lacp_port *);

/* Appends the peers of the host in balance-alb, and by whom each of them sends,
 * to the reply of bond/rlb. */
void bnd_format_rlb(const char *name, const struct bnd_status *,
                    long long int now, struct ds *);

/* Parts of bond/show and bond/status about balance-tlb and balance-alb, the
 * latter into object 'o'. */
void bnd_format_lb(const struct bnd_status *,
                   const struct bnd_status_member *const sorted[],
                   long long int now, struct ds *);
void bnd_lb_to_json(const struct bnd_status *, long long int now,
                    struct json *o);

/* Appends to the reply of bond/proc what /proc/net/bonding/'name' would say,
 * if the bond were one of the Linux bonding driver.
 *
 * Source: Linux Documentation/networking/bonding.rst, "Querying Bonding
 * Configuration"; the files of a running kernel. */
void bnd_format_proc(const char *name, const struct bnd_status *,
                     const struct bnd_status_extra *, struct ds *);

/* Returns the bond as bond/status has it, see docs/status-json.md, at 'now',
 * ms.  Takes over 'options', and what 'member_options' points to for each member,
 * any of which may be null: the options as the adapter knows them.  The caller
 * destroys the result. */
struct json *bnd_status_to_json(const char *name, const struct bnd_status *,
                                const struct bnd_status_extra *,
                                long long int now, struct json *options,
                                struct json *const member_options[]);

/* Append a port to the reply of lacp/show, lacp/show-stats. */
void bnd_format_lacp(const char *name, const struct bnd_status *,
                     struct ds *);
void bnd_format_lacp_stats(const char *name, const struct bnd_status *,
                           struct ds *);

#endif /* status-text.h */
