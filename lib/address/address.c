/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "address/address.h"

#include <string.h>
#include "core/effects.h"
#include "util.h"

static const struct eth_addr zero_mac;

bool
bnd_address_is_zero(struct eth_addr mac)
{
    return bnd_address_equal(mac, zero_mac);
}

bool
bnd_address_equal(struct eth_addr a, struct eth_addr b)
{
    return !memcmp(&a, &b, sizeof a);
}

enum bnd_address_policy
bnd_address_policy(const struct bnd_settings *s, bool one_active)
{
    static const enum bnd_address_policy policies[] = {
        BND_ADDRESS_SAME, BND_ADDRESS_ACTIVE, BND_ADDRESS_FOLLOW
    };

    return (!s || !bnd_settings_is_given(s, BND_OPT_FAIL_OVER_MAC)
            ? BND_ADDRESS_FREE
            : !one_active ? BND_ADDRESS_SAME
            : policies[bnd_settings_num(s, BND_OPT_FAIL_OVER_MAC)]);
}

/* The option 'address', or zero. */
static struct eth_addr
given_address(const struct bnd_settings *s)
{
    struct eth_addr mac;

    return s && bnd_settings_mac(s, BND_OPT_ADDRESS, &mac) ? mac : zero_mac;
}

/* What 'm' has or will have soon. */
static struct eth_addr
logical(const struct bnd_member *m)
{
    return bnd_address_is_zero(m->want_mac) ? m->mac : m->want_mac;
}

static struct bnd_member *
find(const struct bnd_address_input *in, bnd_id id)
{
    for (size_t i = 0; i < in->n_members; i++) {
        if (in->members[i]->id == id && in->members[i]->present) {
            return in->members[i];
        }
    }
    return NULL;
}

/* The first member, or null. */
static struct bnd_member *
first(const struct bnd_address_input *in)
{
    for (size_t i = 0; i < in->n_members; i++) {
        if (in->members[i]->present) {
            return in->members[i];
        }
    }
    return NULL;
}

/* The first member but 'but' that has 'mac', or null. */
static struct bnd_member *
holder(const struct bnd_address_input *in, struct eth_addr mac,
       const struct bnd_member *but)
{
    for (size_t i = 0; i < in->n_members; i++) {
        struct bnd_member *m = in->members[i];

        if (m->present && m != but && bnd_address_equal(logical(m), mac)) {
            return m;
        }
    }
    return NULL;
}

/* Decisions. */

/* 'm' is to have its own address, and then to be let go. */
static void
give_back(struct bnd_member *m)
{
    if (m->mac_trouble == BND_MAC_FINE
        && !bnd_address_equal(logical(m), m->perm_mac)) {
        m->want_mac = m->perm_mac;
    } else if (m->mac_trouble != BND_MAC_FINE
               || bnd_address_equal(m->mac, m->perm_mac)) {
        m->want_mac = m->asked_mac = zero_mac;
    }
}

/* Is the hint of use? */
static bool
heeds_hint(const struct bnd_address *a, const struct bnd_address_input *in)
{
    if (bnd_address_is_zero(a->hint) || !a->hint_is_old) {
        return !bnd_address_is_zero(a->hint);
    }
    for (size_t i = 0; i < in->n_members; i++) {
        if (bnd_address_equal(in->members[i]->perm_mac, a->hint)) {
            return true;
        }
    }
    return false;
}

/* Settles B where it does not follow the active member. */
static void
choose_mac(struct bnd_address *a, const struct bnd_address_input *in,
           bool heed_given)
{
    const struct bnd_member *m = first(in);

    if (heed_given && !bnd_address_is_zero(a->given)) {
        a->mac = a->given;
    } else if (bnd_address_is_zero(a->mac) && m) {
        a->mac = heeds_hint(a, in) ? a->hint : m->perm_mac;
    }
}

static void
step_same(struct bnd_address *a, const struct bnd_address_input *in)
{
    choose_mac(a, in, true);
    for (size_t i = 0; i < in->n_members; i++) {
        struct bnd_member *m = in->members[i];

        if (m->present && m->mac_trouble == BND_MAC_FINE) {
            m->want_mac = a->mac;
        }
    }
}

static void
step_active(struct bnd_address *a, const struct bnd_address_input *in)
{
    const struct bnd_member *active = find(in, in->active);

    for (size_t i = 0; i < in->n_members; i++) {
        if (in->members[i]->present) {
            give_back(in->members[i]);
        }
    }
    if (active && in->active != a->active) {
        a->mac = logical(active);
    }
    choose_mac(a, in, false);
}

static void
step_follow(struct bnd_address *a, const struct bnd_address_input *in)
{
    struct bnd_member *active = find(in, in->active);

    /* Later on, the user's address counts no more. */
    choose_mac(a, in, bnd_address_is_zero(a->mac) && !heeds_hint(a, in));
    if (!active) {
        return;
    }

    struct bnd_member *m = holder(in, a->mac, active);
    if (in->active != a->active) {              /* Try again. */
        active->mac_trouble = BND_MAC_FINE;
        if (m) {
            m->mac_trouble = BND_MAC_FINE;
        }
    }

    struct eth_addr had = logical(active);
    if (active->mac_trouble == BND_MAC_FINE) {
        if (!bnd_address_equal(had, a->mac)) {
            if (m && m->mac_trouble != BND_MAC_FINE) {
                return;         /* It does not let go of it. */
            }
            if (m) {
                m->want_mac = had;
            }
        } else if (m && m->mac_trouble == BND_MAC_FINE
                   && !holder(in, active->perm_mac, NULL)) {
            m->want_mac = active->perm_mac;
        }
        active->want_mac = a->mac;
    }
}

/* Takes in what the settings ask for. */
static void
begin(struct bnd_address *a, const struct bnd_address_input *in)
{
    enum bnd_address_policy asked
        = (in->logical ? BND_ADDRESS_FREE
           : bnd_address_policy(in->settings, in->one_active));
    struct eth_addr given = given_address(in->settings);
    enum bnd_address_policy policy;
    bool new_given = !bnd_address_equal(given, a->given);

    a->forced = a->forced && asked == a->asked && first(in);
    a->asked = asked;
    policy = a->forced ? BND_ADDRESS_ACTIVE : asked;

    if (new_given) {
        if (policy == BND_ADDRESS_SAME) {
            a->mac = zero_mac;          /* Choose anew. */
        }
        a->given = given;
    }
    if (policy != a->policy) {
        a->active = BND_NO_MEMBER;
        if (a->policy == BND_ADDRESS_FREE) {
            a->mac = zero_mac;
        }
        if (policy == BND_ADDRESS_FOLLOW) {
            /* Begin as if all had just joined. */
            for (size_t i = 0; i < in->n_members; i++) {
                if (a->policy != BND_ADDRESS_FREE) {
                    in->members[i]->want_mac = in->members[i]->perm_mac;
                }
            }
        }
    }
    if (policy != a->policy || new_given) {
        for (size_t i = 0; i < in->n_members; i++) {
            in->members[i]->mac_trouble = BND_MAC_FINE;
        }
    }
    a->policy = policy;
}

/* Turns what is wanted and was not asked yet into effects. */
static void
emit(struct bnd_address *a, const struct bnd_address_input *in,
     struct bnd_effects *fx)
{
    for (size_t i = 0; i < in->n_members; i++) {
        struct bnd_member *m = in->members[i];
        struct eth_addr last = (bnd_address_is_zero(m->asked_mac)
                                ? m->mac : m->asked_mac);

        if (m->present && !bnd_address_is_zero(m->want_mac)
            && !bnd_address_equal(m->want_mac, last)) {
            m->asked_mac = m->want_mac;
            bnd_fx_set_mac(fx, m->id, m->want_mac);
        }
    }
    if (!bnd_address_equal(a->mac, a->told)) {
        a->told = a->mac;
        bnd_fx_bond_mac(fx, a->mac);
        if (!bnd_address_is_zero(a->mac)) {
            bnd_fx_trace(fx, BND_TRACE_BOND_MAC, in->now, BND_NO_MEMBER,
                         NULL)->mac = a->mac;
        }
    }
}

void
bnd_address_step(struct bnd_address *a, const struct bnd_address_input *in,
                 struct bnd_effects *fx)
{
    begin(a, in);
    switch (a->policy) {
    case BND_ADDRESS_FREE:
        for (size_t i = 0; i < in->n_members; i++) {
            if (in->members[i]->present) {
                give_back(in->members[i]);
            }
        }
        if (!in->settings && !bnd_address_is_zero(a->mac)) {
            a->hint = a->mac;           /* For when the bond comes back. */
            a->hint_is_old = false;
        }
        a->mac = a->given;
        break;

    case BND_ADDRESS_SAME:
        step_same(a, in);
        break;

    case BND_ADDRESS_ACTIVE:
        step_active(a, in);
        break;

    case BND_ADDRESS_FOLLOW:
        step_follow(a, in);
        break;

    default:
        OVS_NOT_REACHED();
    }
    a->active = in->active;
    if (!bnd_address_is_zero(a->mac)) {
        a->hint = zero_mac;
    }
    emit(a, in, fx);
}

/* Events. */

void
bnd_address_fact(struct bnd_member *m, struct eth_addr mac, long long int now,
                 struct bnd_effects *fx)
{
    if (bnd_address_equal(mac, m->mac)) {
        return;
    }
    if (bnd_address_is_zero(m->want_mac)) {
        m->perm_mac = mac;              /* None of our business. */
        m->mac_trouble = BND_MAC_FINE;
    } else if (bnd_address_equal(mac, m->asked_mac)) {
        /* As it was told to, though we may think better of it by now. */
    } else if (bnd_address_equal(m->mac, m->want_mac)) {
        /* It had what it should have. */
        m->want_mac = m->asked_mac = mac;
        m->mac_trouble = BND_MAC_FOREIGN;
        bnd_fx_trace(fx, BND_TRACE_MAC_FOREIGN, now, m->id, m->name)->mac
            = mac;
    }
}

void
bnd_address_refused(struct bnd_address *a, struct bnd_member *m,
                    const struct bnd_address_input *in,
                    struct bnd_effects *fx)
{
    struct eth_addr refused = m->want_mac;

    if (bnd_address_is_zero(refused)) {
        return;
    }
    bnd_fx_trace(fx, BND_TRACE_MAC_REFUSED, in->now, m->id, m->name)->mac
        = refused;
    if (a->policy == BND_ADDRESS_FOLLOW) {
        /* Whoever made room for it takes back what it had. */
        struct bnd_member *other = holder(in, m->mac, m);

        if (other && !bnd_address_is_zero(other->want_mac)) {
            other->want_mac = refused;
        }
    }
    m->want_mac = m->asked_mac = m->mac;
    m->mac_trouble = BND_MAC_REFUSED;
    if (a->policy == BND_ADDRESS_SAME && in->one_active && m == first(in)) {
        a->forced = true;
        bnd_fx_trace(fx, BND_TRACE_MAC_FORCED, in->now, m->id, m->name);
    }
}

void
bnd_address_left(const struct bnd_address *a, const struct bnd_member *m,
                 const struct bnd_address_input *in, struct bnd_effects *fx)
{
    if ((a->policy == BND_ADDRESS_SAME || a->policy == BND_ADDRESS_FOLLOW)
        && bnd_address_is_zero(a->given) && in->n_members > 1
        && bnd_address_equal(m->perm_mac, a->mac)) {
        bnd_fx_trace(fx, BND_TRACE_MAC_KEPT, in->now, m->id, m->name)->mac
            = a->mac;
    }
}

void
bnd_address_reset(struct bnd_member *m)
{
    m->want_mac = m->asked_mac = zero_mac;
    m->mac_trouble = BND_MAC_FINE;
}

char *
bnd_address_check(const struct bnd_address *a,
                  const struct bnd_address_input *in)
{
    if (a->policy != BND_ADDRESS_FREE && bnd_address_is_zero(a->mac)
        && first(in)) {
        return xstrdup("the bond has no address");
    }
    for (size_t i = 0; i < in->n_members; i++) {
        const struct bnd_member *m = in->members[i];

        if (!m->present || m->mac_trouble != BND_MAC_FINE) {
            continue;
        }
        const struct bnd_member *other = holder(in, a->mac, m);
        bool kept = other && other->mac_trouble != BND_MAC_FINE;
        if ((a->policy == BND_ADDRESS_SAME
             || (a->policy == BND_ADDRESS_FOLLOW && m->id == in->active
                 && !kept))
            && !bnd_address_equal(logical(m), a->mac)) {
            return xasprintf("%s shall not have the bond's address", m->name);
        }
        if ((a->policy == BND_ADDRESS_FREE || a->policy == BND_ADDRESS_ACTIVE)
            && !bnd_address_equal(logical(m), m->perm_mac)) {
            return xasprintf("%s shall not have its own address", m->name);
        }
    }
    return NULL;
}
