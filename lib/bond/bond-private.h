/* SPDX-License-Identifier: Apache-2.0 */

/* The inside of a bond, shared by the pipeline, the status and the
 * invariants. */

#ifndef BND_BOND_PRIVATE_H
#define BND_BOND_PRIVATE_H 1

#include "address/address.h"
#include "announce/notify.h"
#include "bond/bond.h"
#include "monitor/mii.h"
#include "monitor/probe.h"
#include "policy/policy.h"
#include "select/select.h"

/* How verdicts of several monitors become one. */
enum bnd_combine {
    BND_COMBINE_NONE,           /* There is but one monitor. */
    BND_COMBINE_ANY,            /* As the option "monitor-combine" says. */
    BND_COMBINE_ALL
};

struct bnd_bond {
    uint64_t seed;
    long long int last_now;     /* Latest time seen, ms. */

    /* Configuration. */
    struct bnd_settings settings; /* Last ones, kept while not bonded. */
    bool bonded;
    bool was_bonded;            /* In the last pass. */
    const struct bnd_mode_class *class; /* Null before the first settings. */
    void *priv;                 /* Private state of 'class'. */

    /* Members in the order of joining, the absent ones too. */
    struct bnd_member **members;
    size_t n_members;
    size_t n_joined;            /* How many the last pass saw. */
    struct bnd_lacp *lacp;      /* Null if LACP is off. */
    struct bnd_lacp_config lacp_config; /* In force unless it is, of... */
    struct bnd_lacp_config lacp_told; /* ...this and the settings. */

    struct bnd_mii mii;         /* Off unless there is "miimon". */
    struct bnd_probe probes[BND_N_PROBES]; /* Off unless there is
                                 * "arp-interval". */
    enum bnd_combine combine;   /* How they are, with the others. */
    struct bnd_host *hosts;     /* What the host has; 'n_hosts'; owned. */
    size_t n_hosts;
    struct eth_addr host_mac;   /* Its address, or zero. */

    /* Decisions. */
    bnd_id active;
    enum bnd_cause reselect;    /* Why there is to be a choice, or NONE... */
    bool drop_active;           /* ...in which the present one has no say. */
    bool force_primary;         /* The primary is new. */
    long long int interim_until; /* The tick at which there is more to choose
                                 * from than there was, or 0. */
    bool want_active;           /* "active-slave" is to be carried out... */
    char *refusal;              /* ...or why it was not; null; owned. */
    struct eth_addr sticky;     /* Address of the last active member. */
    bool had_active;            /* Has there ever been one? */
    uint32_t n_failovers;
    uint32_t n_changes;         /* Of the active member, of any kind. */
    struct bnd_failover failovers[BND_N_FAILOVERS]; /* The last ones, number
                                 * 'n' at 'n' % BND_N_FAILOVERS. */
    enum bnd_lacp_status lacp_status;
    enum bnd_lacp_fallback lacp_fallback; /* In force, BND_LACP_FB_NONE: none.*/
    bool lacp_carrier;          /* LACP as a whole is up. */
    bool lost;                  /* An enabled member left since last pass. */
    bool retell;                /* Peers believe what the former mode told. */
    bool announce;              /* A path changed in this pass... */
    bool new_active;            /* ...as there is another active member. */
    struct bnd_notify notify;
    struct bnd_address address;

    struct bnd_saved *saved;    /* What was left by another life, or null;
                                 * owned. */

    /* What was published. */
    struct bnd_view *view;      /* Null before the first one. */
    bool settled;               /* The last pass changed nothing. */
};

/* Takes note of the time; asserts that it does not go backwards. */
void bnd_advance(struct bnd_bond *, long long int now);

/* Links (links.c).
 *
 * bnd_has_mii() says whether the MII monitor is on, bnd_has_probe() whether
 * that of probes has the say alone, bnd_is_polled() whether either one does,
 * so that links change at its ticks, as in Linux; bnd_needs_carrier() whether
 * members without carrier are of no use though a delay runs or, where members
 * balance, a probe was answered.
 *
 * bnd_links_before() is to be called before any fact or setting changes,
 * bnd_links_join() when a member joins, with its facts. */
bool bnd_has_mii(const struct bnd_bond *);
bool bnd_has_probe(const struct bnd_bond *);
bool bnd_is_polled(const struct bnd_bond *);
bool bnd_needs_carrier(const struct bnd_bond *);
struct bnd_mii_input bnd_mii_input(const struct bnd_bond *);
void bnd_links_before(struct bnd_bond *, long long int now);
void bnd_links_join(struct bnd_bond *, struct bnd_member *);
void bnd_stage_link(struct bnd_bond *, long long int now,
                    struct bnd_effects *);
long long int bnd_links_wake_time(const struct bnd_bond *);

/* Probes (probes.c).
 *
 * bnd_probes_configure() puts the settings of a bond in force, or none if it
 * is not one; the link is as it was, but the monitor in charge may be another.
 *
 * bnd_probes_say() says what the probes of 'm' come to: +1 it is alive, -1 it
 * is not, 0 there are none.
 *
 * bnd_stage_probe() is the end of a pass, when it is known who is active. */
void bnd_probes_configure(struct bnd_bond *, long long int now);
void bnd_probes_join(struct bnd_bond *, struct bnd_member *,
                     long long int now);
void bnd_probes_leave(struct bnd_bond *, const struct bnd_member *);
void bnd_probes_force(struct bnd_bond *, struct bnd_member *, bool up,
                      long long int now);
void bnd_probes_activated(struct bnd_bond *, struct bnd_member *,
                          long long int now);
void bnd_probes_event(struct bnd_bond *, struct bnd_member *,
                      const struct bnd_event *, long long int now);
void bnd_probes_judge(struct bnd_bond *, long long int now,
                      struct bnd_effects *);
int bnd_probes_say(const struct bnd_bond *, const struct bnd_member *m);
void bnd_stage_probe(struct bnd_bond *, long long int now,
                     struct bnd_effects *);
long long int bnd_probes_wake_time(const struct bnd_bond *);
uint8_t bnd_probes_watch(const struct bnd_bond *);

/* Does each member speak for itself where it asks for target 't', instead of
 * for the host? */
bool bnd_probes_are_apart(const struct bnd_bond *, const struct bnd_target *t);

/* Fills in what a status says of probes (status-probe.c). */
void bnd_fill_probes(const struct bnd_bond *, struct bnd_status *);

/* What the operator wants of members (admin.c).  bnd_admin_changed() is to be
 * called when 'm->options.admin', which was 'old', has changed. */
void bnd_admin_changed(struct bnd_bond *, struct bnd_member *m,
                       enum bnd_admin old, long long int now,
                       struct bnd_effects *);
void bnd_stage_admin(struct bnd_bond *, long long int now,
                     struct bnd_effects *);
long long int bnd_admin_wake_time(const struct bnd_bond *);

/* The class that governs forwarding now. */
const struct bnd_mode_class *bnd_effective(const struct bnd_bond *);

/* LACP (stage-lacp.c).  bnd_lacp_reconfigure() is to be called when settings
 * have changed. */
void bnd_lacp_reconfigure(struct bnd_bond *, long long int now);
void bnd_stage_lacp(struct bnd_bond *, long long int now,
                    struct bnd_effects *);

/* Brings 'm->enabled' up to date.  Returns true if it fell. */
bool bnd_update_enabled(struct bnd_bond *, struct bnd_member *,
                        long long int now, struct bnd_effects *);

/* The active member (active.c).
 *
 * bnd_active_reconfigure() takes note of settings that are about to come in
 * force, bnd_active_joined() of a new member, bnd_active_prio_changed() of
 * priorities.  bnd_order_active() carries out a command, if it can be;
 * BND_NO_MEMBER has the bond choose anew.  The stage then chooses, if there is
 * reason to.
 *
 * bnd_choose_active() returns who should be active if 'present' were, and
 * 'without' out of the question.
 *
 * bnd_chooses_as_linux() says whether anything is configured that Open vSwitch
 * does not know: then a link in downdelay is none to choose, or to keep when
 * there is a choice, and a command or a past does not count for more than in
 * Linux. */
bool bnd_chooses_as_linux(const struct bnd_bond *);
void bnd_active_reconfigure(struct bnd_bond *, const struct bnd_settings *);
void bnd_active_joined(struct bnd_bond *, const struct bnd_member *);
void bnd_active_prio_changed(struct bnd_bond *);
void bnd_order_active(struct bnd_bond *, bnd_id, long long int now,
                      struct bnd_effects *);
void bnd_stage_active(struct bnd_bond *, long long int now,
                      struct bnd_effects *);
bnd_id bnd_choose_active(const struct bnd_bond *, bnd_id present,
                         bnd_id without);

/* Makes 'id' the active member, ending its updelay if that still runs. */
void bnd_set_active(struct bnd_bond *, bnd_id, long long int now,
                    enum bnd_cause, struct bnd_effects *);

/* The stage between choosing members and announcing them: Ethernet addresses.
 * bnd_address_event() takes in what an event says of that of 'm', before the
 * facts of the event are 'm''s. */
void bnd_stage_address(struct bnd_bond *, struct bnd_effects *);
void bnd_address_event(struct bnd_bond *, struct bnd_member *m,
                       const struct bnd_event *, struct bnd_effects *);
char *bnd_check_addresses(const struct bnd_bond *);

/* What another life has left (save.c).  bnd_saved_port() gives the port of 'm',
 * which is new, its part of it, bnd_saved_slots() buckets theirs once their
 * members are in use. */
struct bnd_saved;
void bnd_saved_destroy(struct bnd_saved *);
void bnd_saved_port(struct bnd_bond *, const struct bnd_member *m,
                    long long int now);
void bnd_saved_slots(struct bnd_bond *, long long int now);
long long int bnd_saved_wake_time(const struct bnd_bond *);

/* Frees the mode's state, after which there is no class. */
void bnd_drop_class(struct bnd_bond *);

void bnd_member_destroy(struct bnd_member *);

/* Notes that 'to', null for nobody, is the active member now; 'counted' as one
 * of 'n_failovers'. */
void bnd_history_active(struct bnd_bond *, const struct bnd_member *to,
                        enum bnd_cause, bool counted, long long int now);

/* Notes when links changed their state. */
void bnd_history_links(struct bnd_bond *, long long int now);

/* Copies what is remembered, the oldest first, into a new array, whose owner
 * frees it and its names; returns how many there are. */
size_t bnd_history_copy(const struct bnd_bond *, struct bnd_failover **);
void bnd_history_uninit(struct bnd_bond *);

/* What a mode may read at 'now'; 'present' has room for all members. */
void bnd_make_pass(const struct bnd_bond *, long long int now,
                   const struct bnd_member **present, struct bnd_pass *);

/* Returns the member with 'id', absent ones included, or null. */
struct bnd_member *bnd_find_member(const struct bnd_bond *, bnd_id id);

#endif /* bond-private.h */
