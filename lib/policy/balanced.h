/* SPDX-License-Identifier: Apache-2.0 */

/* What the hashing modes have in common
 * =====================================
 *
 * Buckets, and nothing else: the hooks here keep them; a mode adds its hash
 * and its rules of admission.
 *
 * Thread-safety
 * -------------
 * As for all of lib/ (see bond/bond.h). */

#ifndef BND_BALANCED_H
#define BND_BALANCED_H 1

#include "balance/slots.h"
#include "policy/policy.h"

/* Private state of a hashing mode. */
struct bnd_balanced {
    struct bnd_slots slots;
    bool rebalance;             /* Counters have come: rebalance if due. */
};

/* 'static': buckets have homes, and move by themselves only if rebalancing was
 * asked for. */
void bnd_balanced_init(void *, const struct bnd_pass *);
void bnd_balanced_init_static(void *, const struct bnd_pass *);
void bnd_balanced_destroy(void *);
bool bnd_balanced_reconfigure(void *, const struct bnd_pass *);
void bnd_balanced_event(void *, const struct bnd_event *);
void bnd_balanced_decide(void *, const struct bnd_pass *,
                         struct bnd_effects *);
const struct bnd_slots *bnd_balanced_slots(const void *);

/* What the classes of all hashing modes have in common. */
#define BND_BALANCED_HOOKS                          \
    .priv_size = sizeof(struct bnd_balanced),       \
    .destroy = bnd_balanced_destroy,                \
    .reconfigure = bnd_balanced_reconfigure,        \
    .event = bnd_balanced_event,                    \
    .decide = bnd_balanced_decide,                  \
    .slots = bnd_balanced_slots

/* Fills in the buckets of 'view'. */
void bnd_balanced_view(const void *, const struct bnd_pass *,
                       struct bnd_view *view);

#endif /* balanced.h */
