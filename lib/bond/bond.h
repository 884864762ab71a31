/* SPDX-License-Identifier: Apache-2.0 */

/* The engine
 * ==========
 *
 * One bond, from facts to forwarding, as a machine without a clock: events and
 * the time go in, effects come out.  It never sleeps, locks, logs or does
 * I/O, so that every rule can be tested by a script under simulated time, and
 * so that any thread may run it.
 *
 * One pass goes one way:
 *
 *   facts -> link -> LACP -> mode -> address -> announce -> publish -> send
 *
 * and only the difference between what publish sees and what it published
 * before becomes an effect, besides what is sent: by the mode (learning
 * packets, ARP of the host), and probes of a monitor whose tick it is.
 * bnd_event() takes in, bnd_run() decides.
 *
 * An instance has two halves, as the two modules of Open vSwitch that it
 * replaces: LACP, which a port of a single interface can have too, and the
 * bond proper, which exists while there are settings for it.
 *
 * Thread-safety
 * -------------
 * One thread at a time per instance; instances share nothing.  'now' is
 * monotonic ms and never goes backwards between calls on one instance.
 *
 * Source: ovs-vswitchd.conf.db(5), Port table; Open vSwitch
 * Documentation/topics/bonding.rst; IEEE 802.1AX (see lacp/lacp.h). */

#ifndef BND_BOND_H
#define BND_BOND_H 1

#include "config/settings.h"
#include "core/effects.h"
#include "core/event.h"
#include "core/status.h"
#include "lacp/lacp.h"
#include "monitor/route.h"
#include "xmit/view.h"

/* Creates a bond without members, without settings (so it is not bonded yet)
 * and without LACP.  Whatever looks random shall be drawn from 'seed'; in the
 * modes of today nothing is. */
struct bnd_bond *bnd_create(uint64_t seed, long long int now);

/* Frees the bond, which may be null. */
void bnd_destroy(struct bnd_bond *);

/* Puts 'settings' (copied) in force; null means that there is no bond proper,
 * its members and choices being remembered for when it comes back.  Follow it
 * by bnd_run(). */
void bnd_reconfigure(struct bnd_bond *, const struct bnd_settings *settings,
                     long long int now, struct bnd_effects *fx);

/* Tells the address of the member that was active when the daemon last
 * stopped (Port.bond_active_slave); zero if unknown. */
void bnd_set_sticky(struct bnd_bond *, struct eth_addr mac);

/* Tells the bond's own address when the daemon last stopped; zero if it had
 * none. */
void bnd_set_address_hint(struct bnd_bond *, struct eth_addr mac);

/* Lays over '*config' what the settings of a bond say about LACP. */
void bnd_lacp_overlay(const struct bnd_settings *,
                      struct bnd_lacp_config *config);

/* Puts the LACP configuration (copied) in force; null turns LACP off.  The
 * settings of the bond are laid over it; what has too few members to be a bond
 * has none. */
void bnd_set_lacp(struct bnd_bond *, const struct bnd_lacp_config *,
                  long long int now);

/* Gives member 'id' its part in LACP, or takes it away if 'config' is null, of
 * which an effect may tell the partner.  Does nothing if there is no such
 * member or LACP is off. */
void bnd_set_lacp_port(struct bnd_bond *, bnd_id id,
                       const struct bnd_lacp_port_config *config,
                       long long int now, struct bnd_effects *fx);

/* What survives a restart.  bnd_save() returns what a bond with LACP knows of
 * its partners, and who has which bucket, as lines for the caller to free; or
 * null if there is nothing that would be missed.  Times in it are 'now' as the
 * bond was told: as long as nothing happens, the text is the same.
 *
 * bnd_restore() gives such a 'text' to a new bond, before its ports have run:
 * 'saved_at' and 'then' are by the clock of the bond that was saved, of
 * that time and of now.  Each port goes on from there as far as that can be
 * trusted (lacp/lacp-save.h).  Returns null, or a message for the caller to
 * free, and then has changed nothing.
 *
 * bnd_refresh() has partners hear from us with the next run. */
char *bnd_save(const struct bnd_bond *);
char *bnd_restore(struct bnd_bond *, const char *text, long long int saved_at,
                  long long int then, long long int now);
void bnd_refresh(struct bnd_bond *, long long int now);

/* Tells, at any time and whenever it changes, what the host has on the bond
 * and elsewhere: the 'n' (copied) of 'hosts', in an order that is the same
 * each time.  Nobody needs to tell unless bnd_wants_host(). */
void bnd_set_host(struct bnd_bond *, const struct bnd_host *hosts, size_t n,
                  long long int now);
bool bnd_wants_host(const struct bnd_bond *);

/* Tells the Ethernet address of the host, which is that of the bridge's port
 * LOCAL; zero if it is not known.  Follow it by bnd_run(). */
void bnd_set_host_mac(struct bnd_bond *, struct eth_addr mac,
                      long long int now);

/* Appends the addresses of option 'opt', a list of them, to the '*n' at 'ips',
 * as far as there is room.  Source: arp_ip_target, ns_ip6_target. */
void bnd_add_targets(const struct bnd_settings *, enum bnd_opt opt,
                     struct bnd_ip ips[BND_MAX_PROBED], size_t *n);

/* Is BND_EV_COUNTERS wanted, for each member that is there, before the pass at
 * 'now', after the frames that have come until then?  What nobody has counted
 * is not held against a member. */
bool bnd_wants_counters(const struct bnd_bond *, long long int now);

/* Takes in one event.  An event that cannot apply (an unknown member, a bucket
 * on a bond that has none) changes nothing. */
void bnd_event(struct bnd_bond *, const struct bnd_event *,
               long long int now, struct bnd_effects *fx);

/* Runs one pass at 'now'. */
void bnd_run(struct bnd_bond *, long long int now, struct bnd_effects *fx);

/* When bnd_run() wants to be called again without an event; in the past if at
 * once; BND_NEVER.  Never too late; sometimes early, which costs a pass. */
long long int bnd_wake_time(const struct bnd_bond *);

/* Returns the view as last decided, for the caller to free(), or null if the
 * bond is not bonded. */
struct bnd_view *bnd_make_view(const struct bnd_bond *);

/* Fills in '*status'; the caller uninits it. */
void bnd_get_status(const struct bnd_bond *, long long int now,
                    struct bnd_status *status);

/* The same without buckets. */
void bnd_get_brief(const struct bnd_bond *, struct bnd_status *status);

/* Cheap answers for the adapter, all as of the last pass. */
enum bnd_lacp_status bnd_lacp_state(const struct bnd_bond *);
bool bnd_member_lacp_may_enable(const struct bnd_bond *, bnd_id);
bool bnd_member_lacp_current(const struct bnd_bond *, bnd_id);
bool bnd_member_lacp_status(const struct bnd_bond *, bnd_id,
                            struct bnd_lacp_port_status *);
/* As bnd_lacp_get_aggregators() and bnd_lacp_get_fallback(); without LACP
 * there are none. */
size_t bnd_lacp_aggregators(const struct bnd_bond *,
                            struct bnd_lacp_agg_status **aggs);
enum bnd_lacp_fallback bnd_lacp_fallback_now(const struct bnd_bond *);
long long int bnd_next_rebalance(const struct bnd_bond *);
bool bnd_is_balanced(const struct bnd_bond *);   /* Keeps buckets now. */
struct eth_addr bnd_active_mac(const struct bnd_bond *);
uint32_t bnd_n_failovers(const struct bnd_bond *);
uint32_t bnd_n_changes(const struct bnd_bond *); /* Of the active member. */
/* Returns null if member 'id' can be made active by command now, otherwise why
 * it cannot. */
const char *bnd_why_not_active(const struct bnd_bond *, bnd_id id);
/* Why the option "active-slave" could not be carried out, or null. */
const char *bnd_active_refusal(const struct bnd_bond *);
bool bnd_has_carrier(const struct bnd_bond *);  /* Some link is up. */

/* Returns null if what must always hold does hold after a pass, otherwise a
 * message that the caller frees.  For tests and debug builds. */
char *bnd_check_invariants(const struct bnd_bond *, long long int now);

#endif /* bond.h */
