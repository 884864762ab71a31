/* SPDX-License-Identifier: Apache-2.0 */

/* Whose Ethernet address the members have
 * =======================================
 *
 * A switch does not care what address its ports have, so members keep theirs
 * unless 'fail_over_mac' is given.  When it is, peers see one host, the bond,
 * whose address (B, that of the bridge's LOCAL port) and whose members'
 * addresses go together:
 *
 *     none     Every member has B from when it joins.
 *     active   Members keep their own, and B becomes the new active member's
 *              at each failover.
 *     follow   The active member has B.  At a failover the new one gets B and
 *              whoever had B gets what the new one had.
 *
 * The last two mean something where one member is active; in other modes they
 * are as 'none'.  B is the address that is given, else that of the first
 * member.  'address' alone, without 'fail_over_mac', sets B and no more.
 *
 * Addresses change somewhere else, later, or not at all.  So what a member
 * shall have ('want_mac') is kept beside what it says it has ('mac'), all
 * decisions look at the former, and nothing is asked twice.  A member that
 * refuses, or whose address somebody else has changed, is left as it is until
 * there is something new to ask of it.
 *
 * We differ: a member that joins under 'follow' with B while the active one
 * has B already gets the active one's own address, if nobody has that.
 *
 * Thread-safety
 * -------------
 * One thread at a time per instance, as for all of lib/ (see bond/bond.h).
 *
 * Source: Linux Documentation/networking/bonding.rst, fail_over_mac. */

#ifndef BND_ADDRESS_H
#define BND_ADDRESS_H 1

#include <stddef.h>
#include "config/settings.h"
#include "core/member.h"

struct bnd_effects;

enum bnd_address_policy {
    BND_ADDRESS_FREE,           /* Each has its own, and so has the host. */
    BND_ADDRESS_SAME,           /* 'none'. */
    BND_ADDRESS_ACTIVE,
    BND_ADDRESS_FOLLOW
};

/* Zeroed: nothing is governed. */
struct bnd_address {
    enum bnd_address_policy policy; /* In force... */
    enum bnd_address_policy asked;  /* ...instead of this, if 'forced'. */
    bool forced;                /* The first member cannot change. */
    struct eth_addr given;      /* By the option 'address', or zero. */
    struct eth_addr mac;        /* B, or zero. */
    struct eth_addr told;       /* The last BND_FX_BOND_MAC, or zero. */
    struct eth_addr hint;       /* B as it was last, or zero... */
    bool hint_is_old;           /* ...before a restart: counts only if it is a
                                 * member's, not one that was given then. */
    bnd_id active;              /* As of the last step. */
};

/* What one step looks at. */
struct bnd_address_input {
    const struct bnd_settings *settings; /* Null: there is no bond. */
    bool one_active;            /* In this mode one member is active. */
    bool logical;               /* In this one the addresses that peers see are
                                 * not those of devices, which keep theirs. */
    struct bnd_member *const *members; /* In order of joining; those without
                                        * a port are skipped. */
    size_t n_members;
    bnd_id active;
    long long int now;
};

bool bnd_address_is_zero(struct eth_addr);
bool bnd_address_equal(struct eth_addr, struct eth_addr);

/* What policy do 'settings' (null: none) ask for? */
enum bnd_address_policy bnd_address_policy(const struct bnd_settings *settings,
                                           bool one_active);

/* Decides, and appends BND_FX_SET_MAC and BND_FX_BOND_MAC.  A BND_FX_BOND_MAC
 * of zero leaves the host's address to the bridge. */
void bnd_address_step(struct bnd_address *, const struct bnd_address_input *,
                      struct bnd_effects *);

/* The device of 'm' has 'mac' now.  Updates all but 'm->mac'. */
void bnd_address_fact(struct bnd_member *m, struct eth_addr mac,
                      long long int now, struct bnd_effects *);

/* 'm' could not be given what was asked. */
void bnd_address_refused(struct bnd_address *, struct bnd_member *m,
                         const struct bnd_address_input *,
                         struct bnd_effects *);

/* 'm' is about to leave for good. */
void bnd_address_left(const struct bnd_address *, const struct bnd_member *m,
                      const struct bnd_address_input *, struct bnd_effects *);

/* Forgets what was asked of 'm', which has just got a (or another) device. */
void bnd_address_reset(struct bnd_member *m);

/* Returns null if what must hold after a step does hold, otherwise a message
 * that the caller frees. */
char *bnd_address_check(const struct bnd_address *,
                        const struct bnd_address_input *);

#endif /* address.h */
