/* SPDX-License-Identifier: Apache-2.0 */

/* The forwarding view
 * ===================
 *
 * Everything the packet path needs to know of a bond, and nothing else: which
 * members may send, which bucket goes where, what each member may take.  A
 * pass builds a view from scratch, compares it with the one it published
 * before and publishes it only if it differs, so two views that behave alike
 * must be equal byte for byte; there are no pointers and no padding that is
 * not zeroed.
 *
 * Thread-safety
 * -------------
 * Immutable once published; any number of readers. */

#ifndef BND_VIEW_H
#define BND_VIEW_H 1

#include <stddef.h>
#include "core/bnd-types.h"

/* Members that one view can hold.  A bond of more keeps the surplus out of
 * use. */
#define BND_VIEW_MAX 255
#define BND_VIEW_NONE 255       /* Index that means "no member". */

/* What decides on the member for a packet. */
enum bnd_hash_kind {
    BND_HASH_NONE,              /* Nothing: the active member. */
    BND_HASH_SRC_MAC,           /* Source MAC and VLAN (balance-slb). */
    BND_HASH_L4                 /* The 5-tuple (balance-tcp). */
};

/* May a received packet be taken?  The values of OVS's bond_verdict. */
enum bnd_verdict {
    BND_ACCEPT,
    BND_DROP,
    BND_DROP_IF_MOVED           /* Drop if learned on another port. */
};

struct bnd_view_member {
    bnd_id id;
    uint8_t enabled;            /* bool: may send. */
    uint8_t admit_unicast;      /* enum bnd_verdict. */
    uint8_t admit_multicast;    /* enum bnd_verdict. */
    uint8_t pad;
};

struct bnd_view {
    uint8_t hash;               /* enum bnd_hash_kind. */
    uint8_t active;             /* Index of the active member, or none. */
    uint8_t blocked;            /* bool: nothing may be sent at all. */
    uint8_t recirculate;        /* bool: buckets belong in the datapath. */
    uint8_t lb_output;          /* bool: by lb_output if there is such. */
    uint8_t pad[3];
    uint32_t basis;             /* Perturbs the hash. */
    uint32_t n_members;
    uint8_t slots[BND_N_SLOTS]; /* Index of each bucket's member, or none. */
    struct bnd_view_member members[];   /* In the order of joining. */
};

/* Returns a new zeroed view with room for 'n_members' (at most BND_VIEW_MAX)
 * whose slots and active member are "none".  The caller frees it with free().
 * The builder then fills it in. */
struct bnd_view *bnd_view_new(size_t n_members);

/* Bytes that 'view' takes. */
size_t bnd_view_size(const struct bnd_view *);

bool bnd_view_equal(const struct bnd_view *, const struct bnd_view *);

/* Returns the index of member 'id' in 'view', or BND_VIEW_NONE. */
uint8_t bnd_view_index(const struct bnd_view *, bnd_id id);

#endif /* view.h */
