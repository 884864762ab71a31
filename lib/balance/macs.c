/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "balance/macs.h"

#include <stdlib.h>
#include <string.h>
#include "core/deadline.h"
#include "core/effects.h"
#include "util.h"
#include "wire/learn.h"

static const struct eth_addr zero_mac;

void
bnd_macs_init(struct bnd_macs *m)
{
    memset(m, 0, sizeof *m);
    m->next = m->wake = BND_NEVER;
}

void
bnd_macs_uninit(struct bnd_macs *m)
{
    free(m->entries);
    m->entries = NULL;
    m->n = 0;
}

void
bnd_macs_set_interval(struct bnd_macs *m, long long int interval,
                      long long int now)
{
    if (interval != m->interval) {
        m->interval = interval;
        m->next = interval ? bnd_deadline_in(now, interval) : BND_NEVER;
        m->wake = now;
    }
}

static struct bnd_mac_entry *
find(const struct bnd_macs *m, bnd_id id)
{
    for (size_t i = 0; i < m->n; i++) {
        if (m->entries[i].id == id) {
            return &m->entries[i];
        }
    }
    return NULL;
}

static struct bnd_mac_entry *
holder(const struct bnd_macs *m, struct eth_addr mac)
{
    for (size_t i = 0; i < m->n; i++) {
        if (bnd_eth_addr_equal(m->entries[i].mac, mac)) {
            return &m->entries[i];
        }
    }
    return NULL;
}

static const struct bnd_member *
find_member(const struct bnd_member *const *members, size_t n, bnd_id id)
{
    for (size_t i = 0; i < n; i++) {
        if (members[i]->id == id) {
            return members[i];
        }
    }
    return NULL;
}

/* Can a member have 'mac' as its logical address, beside the others? */
static bool
is_free(const struct bnd_macs *m, struct eth_addr mac)
{
    return (!bnd_eth_addr_is_zero(mac) && !bnd_eth_addr_is_multicast(mac)
            && !bnd_eth_addr_equal(mac, m->host) && !holder(m, mac));
}

/* Returns an address for 'e', which is to have one that nobody has: its own,
 * another member's, or one made up. */
static struct eth_addr
free_mac(const struct bnd_macs *m, const struct bnd_mac_entry *e)
{
    struct eth_addr mac = e->perm_mac;

    if (is_free(m, mac)) {
        return mac;
    }
    for (size_t i = 0; i < m->n; i++) {
        if (is_free(m, m->entries[i].perm_mac)) {
            return m->entries[i].perm_mac;
        }
    }
    mac.ea[0] = (mac.ea[0] | 0x02) & ~0x01;
    for (uint32_t x = e->id; !is_free(m, mac); x++) {
        mac.ea[3] = x >> 16;
        mac.ea[4] = x >> 8;
        mac.ea[5] = x;
    }
    return mac;
}

/* Decisions. */

/* Entry 'i' is of a member that has left. */
static void
take_leave(struct bnd_macs *m, size_t i)
{
    struct bnd_mac_entry left = m->entries[i];
    struct bnd_mac_entry *other;

    m->n--;
    memmove(&m->entries[i], &m->entries[i + 1],
            (m->n - i) * sizeof *m->entries);
    other = holder(m, left.perm_mac);
    if (other) {
        other->mac = left.mac;
    }
}

static void
take_in(struct bnd_macs *m, const struct bnd_member *member)
{
    m->entries = xrealloc(m->entries, (m->n + 1) * sizeof *m->entries);

    struct bnd_mac_entry *e = &m->entries[m->n++];

    memset(e, 0, sizeof *e);
    e->id = member->id;
    e->perm_mac = member->perm_mac;
    /* Who has B as its own holds it for the active one to swap with. */
    e->mac = (bnd_eth_addr_equal(e->perm_mac, m->host) && !holder(m, m->host)
              && !bnd_eth_addr_is_zero(m->host) ? m->host : free_mac(m, e));
}

/* B is 'host' now. */
static void
change_host(struct bnd_macs *m, struct eth_addr host)
{
    struct eth_addr old = m->host;
    struct bnd_mac_entry *has_old = holder(m, old);
    struct bnd_mac_entry *has_new = holder(m, host);

    m->host = host;
    if (!has_old || has_old == has_new || bnd_eth_addr_is_zero(old)) {
        return;
    }
    has_old->mac = zero_mac;
    has_old->mac = (bnd_eth_addr_is_zero(host) ? free_mac(m, has_old) : host);
    if (has_new) {
        has_new->mac = zero_mac;
        has_new->mac = free_mac(m, has_new);
    }
}

static void
activate(struct bnd_macs *m, struct bnd_mac_entry *active)
{
    struct bnd_mac_entry *old = holder(m, m->host);

    if (old != active) {
        if (old) {
            old->mac = active->mac;
        }
        active->mac = m->host;
    }
}

void
bnd_macs_update(struct bnd_macs *m, const struct bnd_member *const *members,
                size_t n, bnd_id active_id, struct eth_addr host)
{
    struct bnd_mac_entry *active;

    for (size_t i = 0; i < m->n; ) {
        const struct bnd_member *member = find_member(members, n,
                                                      m->entries[i].id);

        /* Another device with another address is as another member. */
        if (!member || !bnd_eth_addr_equal(member->perm_mac,
                                           m->entries[i].perm_mac)) {
            take_leave(m, i);
        } else {
            i++;
        }
    }
    if (!bnd_eth_addr_equal(host, m->host)) {
        change_host(m, host);
    }
    for (size_t i = 0; i < n; i++) {
        if (!find(m, members[i]->id)) {
            take_in(m, members[i]);
        }
    }
    active = find(m, active_id);
    if (active && !bnd_eth_addr_is_zero(host)) {
        activate(m, active);
    }
}

struct eth_addr
bnd_macs_get(const struct bnd_macs *m, bnd_id id)
{
    const struct bnd_mac_entry *e = find(m, id);

    return e ? e->mac : zero_mac;
}

bool
bnd_macs_is_ours(const struct bnd_macs *m, struct eth_addr mac)
{
    if (bnd_eth_addr_equal(mac, m->host)) {
        return !bnd_eth_addr_is_zero(mac);
    }
    for (size_t i = 0; i < m->n; i++) {
        if (bnd_eth_addr_equal(mac, m->entries[i].mac)
            || bnd_eth_addr_equal(mac, m->entries[i].perm_mac)) {
            return true;
        }
    }
    return false;
}

/* Until when the address of 'e', whose member can be used, is not to be seen
 * on that member's port; in the past if it may be. */
static long long int
calm_until(const struct bnd_mac_entry *e)
{
    return (e->told_by && e->told_by != e->id
            && bnd_eth_addr_equal(e->told, e->mac)
            ? e->told_at + BND_MACS_CALM : BND_LONG_AGO);
}

bool
bnd_macs_is_settling(const struct bnd_macs *m, const struct bnd_member *member,
                     long long int now)
{
    const struct bnd_mac_entry *e = find(m, member->id);

    return (e && member->enabled && now < calm_until(e)
            && !bnd_eth_addr_equal(e->mac, m->host));
}

/* Learning packets. */

static void
teach(bnd_id by, struct eth_addr mac, const struct bnd_tags *tags,
     struct bnd_effects *fx)
{
    uint8_t *frame = xmalloc(BND_LEARN_FRAME_MAX);
    struct bnd_writer w = bnd_writer(frame, BND_LEARN_FRAME_MAX);

    bnd_learn_encode(&w, mac, tags);
    bnd_fx_frame(fx, by, frame, w.pos);
}

/* The address of 'e' is to be on the port of 'seat', if that is anyone: is it
 * time to tell? */
static bool
is_due(const struct bnd_macs *m, const struct bnd_mac_entry *e, bnd_id seat,
       long long int now)
{
    if (!seat || bnd_eth_addr_is_zero(e->mac)) {
        return false;
    } else if (e->told_by != seat || !bnd_eth_addr_equal(e->told, e->mac)) {
        return true;
    } else if (!bnd_deadline_expired(m->next, now)) {
        return false;
    }
    return (seat == e->id || e->n_told < BND_MACS_TEACH_MANY
            || now >= e->told_at + BND_MACS_TEACH_AGAIN);
}

void
bnd_macs_send(struct bnd_macs *m, const struct bnd_member *const *members,
              size_t n, bnd_id active, const struct bnd_tags *tags,
              size_t n_tags, long long int now, struct bnd_effects *fx)
{
    m->wake = BND_NEVER;
    for (size_t i = 0; i < m->n; i++) {
        struct bnd_mac_entry *e = &m->entries[i];
        const struct bnd_member *member = find_member(members, n, e->id);
        bnd_id seat = member->enabled ? e->id : active;

        if (bnd_macs_is_settling(m, member, now)) {
            m->wake = bnd_deadline_min(m->wake, calm_until(e));
            continue;
        }
        if (is_due(m, e, seat, now)) {
            bool same = (seat == e->told_by
                         && bnd_eth_addr_equal(e->told, e->mac));

            teach(seat, e->mac, NULL, fx);
            for (size_t j = 0; j < n_tags; j++) {
                teach(seat, e->mac, &tags[j], fx);
            }
            e->n_told = same ? MIN(e->n_told + 1, BND_MACS_TEACH_MANY) : 1;
            e->told = e->mac;
            e->told_at = now;
        }
        e->told_by = seat;
    }
    if (bnd_deadline_expired(m->next, now)) {
        m->next = bnd_deadline_in(now, m->interval);
    }
    m->wake = bnd_deadline_min(m->wake, m->next);
}

char *
bnd_macs_check(const struct bnd_macs *m, bnd_id active)
{
    for (size_t i = 0; i < m->n; i++) {
        const struct bnd_mac_entry *e = &m->entries[i];

        if (bnd_eth_addr_is_zero(e->mac)
            || bnd_eth_addr_is_multicast(e->mac)) {
            return xasprintf("member %u has no logical address", e->id);
        }
        for (size_t j = 0; j < i; j++) {
            if (bnd_eth_addr_equal(e->mac, m->entries[j].mac)) {
                return xasprintf("members %u and %u have the same logical "
                                 "address", m->entries[j].id, e->id);
            }
        }
        if (e->id == active && !bnd_eth_addr_is_zero(m->host)
            && !bnd_eth_addr_equal(e->mac, m->host)) {
            return xasprintf("member %u is active without the host's "
                             "address", e->id);
        }
    }
    return NULL;
}
