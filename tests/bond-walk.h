/* SPDX-License-Identifier: Apache-2.0 */

/* Walks of a bond
 * ===============
 *
 * A walk lets all that can happen to a bond happen in an order that dice
 * decide: a random generator, or bytes that a fuzzer made up.  After each step
 * it looks whether
 *
 *   - the invariants of lib/bond/invariants.c hold, and the bond is quiet
 *     within three passes (bond-rig.h sees to these);
 *   - going millisecond by millisecond has exactly the effects of going from
 *     wake time to wake time;
 *   - what the packet path makes of a member's loss by itself is what the bond
 *     then decides (now and then a member is lost for that);
 *
 * and at its end, whether
 *
 *   - the same log of inputs has the same effects again, byte for byte;
 *   - a bond made from scratch of the same facts publishes the same view.
 *     What a bond may remember is given to it or left out of the comparison:
 *     the former active member, owners and loads of buckets.
 *
 * The log of inputs is a script for drive-bond.c. */

#ifndef BOND_WALK_H
#define BOND_WALK_H 1

#include <stddef.h>
#include <stdint.h>
#include "bond-rig.h"
#include "svec.h"

#define BOND_WALK_MEMBERS 6     /* That a bond has at a time, at most. */

struct bond_walk {
    /* Dice. */
    uint64_t random;            /* State of the generator... */
    const uint8_t *data;        /* ...or bytes, 'size' of them... */
    size_t size;
    size_t pos;                 /* ...and how many are used up. */

    /* Where the walk is. */
    long long int now;          /* ms. */
    bnd_id next_id;             /* Ids are not used again. */
    bnd_id ids[BOND_WALK_MEMBERS]; /* Members, or BND_NO_MEMBER... */
    bool away[BOND_WALK_MEMBERS]; /* ...which may be only remembered. */
    bool lacp;
    bool about_lb;              /* Many steps are about balance-tlb and -alb. */
    bool about_probes;          /* Many of its events are. */
    bool probes;                /* There may have been some. */
    bool history;               /* Who is active depends on what was before,
                                 * priorities and orders among it. */

    struct svec log;            /* Lines. */
    struct ds effects;          /* Of the whole log. */
    struct bond_rig jump;       /* Goes from wake time to wake time. */
    struct bond_rig step;       /* Goes millisecond by millisecond. */
    unsigned int n_losses;      /* Losses whose plan was looked at. */
    char *error;                /* What went wrong, or null; owned. */
};

/* Starts a walk.  If 'data' is null, 'seed' decides; else the walk ends where
 * 'data' does. */
void bond_walk_init(struct bond_walk *, uint64_t seed, const uint8_t *data,
                    size_t size);
void bond_walk_uninit(struct bond_walk *);

/* Goes 'n' steps, fewer if 'error' is set or 'data' is used up, and looks back
 * at the end. */
void bond_walk_go(struct bond_walk *, int n);

#endif /* bond-walk.h */
