/* SPDX-License-Identifier: Apache-2.0 */

/* The inside of a bond, shared by the pipeline, the status and the
 * invariants. */

#ifndef BND_BOND_PRIVATE_H
#define BND_BOND_PRIVATE_H 1

#include "address/address.h"
#include "announce/notify.h"
#include "bond/bond.h"
#include "policy/policy.h"

struct bnd_bond {
    uint64_t seed;
    long long int last_now;     /* Latest time seen, ms. */

    /* Configuration. */
    struct bnd_settings settings; /* Last ones, kept while not bonded. */
    bool bonded;
    const struct bnd_mode_class *class; /* Null before the first settings. */
    void *priv;                 /* Private state of 'class'. */

    /* Members in the order of joining, the absent ones too. */
    struct bnd_member **members;
    size_t n_members;
    size_t n_joined;            /* How many the last pass saw. */
    struct bnd_lacp *lacp;      /* Null if LACP is off. */
    struct bnd_lacp_config lacp_config; /* In force unless it is. */

    /* Decisions. */
    bnd_id active;
    struct eth_addr sticky;     /* Address of the last active member. */
    bool had_active;            /* Has there ever been one? */
    uint32_t n_failovers;
    uint32_t n_changes;         /* Of the active member, of any kind. */
    struct bnd_failover failovers[BND_N_FAILOVERS]; /* The last ones, number
                                 * 'n' at 'n' % BND_N_FAILOVERS. */
    enum bnd_lacp_status lacp_status;
    bool lost;                  /* An enabled member left since last pass. */
    bool announce;              /* A path changed in this pass... */
    bool new_active;            /* ...as there is another active member. */
    struct bnd_notify notify;
    struct bnd_address address;

    /* What was published. */
    struct bnd_view *view;      /* Null before the first one. */
    bool settled;               /* The last pass changed nothing. */
};

/* Takes note of the time; asserts that it does not go backwards. */
void bnd_advance(struct bnd_bond *, long long int now);

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
