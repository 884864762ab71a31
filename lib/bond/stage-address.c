/* SPDX-License-Identifier: Apache-2.0 */

/* What address/ needs of a bond, and what the bond tells it. */

#include <config.h>
#include "bond/bond-private.h"

static struct bnd_address_input
address_input(const struct bnd_bond *b)
{
    return (struct bnd_address_input) {
        .settings = b->bonded ? &b->settings : NULL,
        .one_active = b->class && b->class->traits & BND_MT_ONE_ACTIVE,
        .logical = b->class && b->class->traits & BND_MT_HOST_LB,
        .members = b->members,
        .n_members = b->n_members,
        .active = b->active,
        .now = b->last_now,
    };
}

void
bnd_stage_address(struct bnd_bond *b, struct bnd_effects *fx)
{
    struct bnd_address_input in = address_input(b);

    bnd_address_step(&b->address, &in, fx);
}

void
bnd_address_event(struct bnd_bond *b, struct bnd_member *m,
                  const struct bnd_event *e, struct bnd_effects *fx)
{
    struct bnd_address_input in = address_input(b);

    if (e->type == BND_EV_MAC_REFUSED) {
        bnd_address_refused(&b->address, m, &in, fx);
    } else if (e->type == BND_EV_MEMBER_DEL) {
        bnd_address_left(&b->address, m, &in, fx);
    } else if (e->type == BND_EV_LINK && !e->link.replaced) {
        bnd_address_fact(m, e->link.facts.mac, b->last_now, fx);
    } else {
        bnd_address_reset(m);
        m->perm_mac = (e->type == BND_EV_LINK ? e->link.perm_mac
                       : e->add.perm_mac);
    }
}

void
bnd_set_address_hint(struct bnd_bond *b, struct eth_addr mac)
{
    b->address.hint = mac;
    b->address.hint_is_old = true;
}

char *
bnd_check_addresses(const struct bnd_bond *b)
{
    struct bnd_address_input in = address_input(b);

    return bnd_address_check(&b->address, &in);
}
