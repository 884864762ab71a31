/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "balance/rlb.h"

#include <stdlib.h>
#include <string.h>
#include "core/deadline.h"
#include "core/effects.h"
#include "util.h"

void
bnd_rlb_uninit(struct bnd_rlb *r)
{
    for (size_t i = 0; i < r->n_queue; i++) {
        free(r->queue[i].data);
    }
    free(r->queue);
    free(r->entries);
    free(r->known);
    free(r->servers);
    memset(r, 0, sizeof *r);
}

void
bnd_rlb_take(struct bnd_rlb *r, bool is_host, const uint8_t *data, size_t len)
{
    if (r->n_queue >= BND_RLB_QUEUE) {
        return;
    }
    if (!r->queue) {
        r->queue = xcalloc(BND_RLB_QUEUE, sizeof *r->queue);
    }

    struct bnd_rlb_message *m = &r->queue[r->n_queue++];

    m->is_host = is_host;
    m->data = xmemdup(data, len);
    m->len = len;
}

/* Entries. */

bool
bnd_rlb_same_ip(const struct bnd_ip *a, const struct bnd_ip *b)
{
    return (a->is_ip6 == b->is_ip6
            && (a->is_ip6 ? !memcmp(&a->ip6, &b->ip6, sizeof a->ip6)
                : a->ip4 == b->ip4));
}

bool
bnd_rlb_same_server(const struct bnd_rlb_server *a,
                    const struct bnd_rlb_server *b)
{
    bool same = a->tags.n == b->tags.n && bnd_rlb_same_ip(&a->ip, &b->ip);

    for (int i = 0; i < a->tags.n && same; i++) {
        same = a->tags.tag[i].vid == b->tags.tag[i].vid;
    }
    return same;
}

struct bnd_rlb_entry *
bnd_rlb_find(const struct bnd_rlb *r, const struct bnd_rlb_server *server,
             const struct bnd_ip *client)
{
    for (size_t i = 0; i < r->n; i++) {
        struct bnd_rlb_entry *e = &r->entries[i];

        if (bnd_rlb_same_ip(&e->client, client)
            && bnd_rlb_same_server(&e->server, server)) {
            return e;
        }
    }
    return NULL;
}

void
bnd_rlb_remove(struct bnd_rlb *r, size_t i)
{
    r->n--;
    memmove(&r->entries[i], &r->entries[i + 1],
            (r->n - i) * sizeof *r->entries);
}

void
bnd_rlb_mark(struct bnd_rlb_entry *e, long long int delay, int n, bool urgent,
             long long int now)
{
    if (bnd_eth_addr_is_zero(e->client_mac)) {
        return;
    }
    e->due = bnd_deadline_min(e->due, bnd_deadline_in(now, delay));
    e->n_left = MAX(e->n_left, n);
    e->urgent |= urgent;
    e->repeat = e->urgent ? BND_RLB_REPEAT : BND_RLB_DELAY;
}

static bool
is_listed(const struct bnd_rlb *r, const struct bnd_rlb_server *server)
{
    for (size_t i = 0; i < r->n_servers; i++) {
        if (bnd_rlb_same_server(&r->servers[i], server)) {
            return true;
        }
    }
    return false;
}

void
bnd_rlb_set_servers(struct bnd_rlb *r, const struct bnd_rlb_server *servers,
                    size_t n)
{
    bool same = n == r->n_servers;

    for (size_t i = 0; i < n && same; i++) {
        same = bnd_rlb_same_server(&servers[i], &r->servers[i]);
    }
    if (same) {
        return;
    }
    free(r->servers);
    r->servers = xmemdup(servers, (n + 1) * sizeof *servers);
    r->n_servers = n;
    for (size_t i = 0; i < r->n; ) {
        struct bnd_rlb_entry *e = &r->entries[i];
        bool listed = is_listed(r, &e->server);

        if (e->listed && !listed) {
            bnd_rlb_remove(r, i);
        } else {
            e->listed = listed;
            i++;
        }
    }
}

/* Shares. */

/* What is known of one of the members of 'in'. */
struct rlb_share {
    bool best;                  /* No other one is faster. */
    size_t n;                   /* Clients. */
};

static size_t
index_of(const struct bnd_rlb_input *in, bnd_id id)
{
    for (size_t i = 0; i < in->n; i++) {
        if (in->members[i]->id == id) {
            return i;
        }
    }
    return SIZE_MAX;
}

/* Does 'e' count as a client: one that has spoken lately, or that may be about
 * to answer? */
static bool
counts(const struct bnd_rlb_entry *e, long long int now)
{
    return now - e->used < (bnd_eth_addr_is_zero(e->client_mac)
                            ? BND_RLB_HOPE : BND_RLB_IDLE);
}

/* Returns the shares of the members of 'in', which the caller frees. */
static struct rlb_share *
make_shares(const struct bnd_rlb *r, const struct bnd_rlb_input *in)
{
    struct rlb_share *shares = xcalloc(in->n + 1, sizeof *shares);
    uint32_t fastest = 0;

    for (size_t i = 0; i < in->n; i++) {
        fastest = MAX(fastest, in->members[i]->speed_mbps);
    }
    for (size_t i = 0; i < in->n; i++) {
        shares[i].best = in->members[i]->speed_mbps == fastest;
    }
    for (size_t i = 0; i < r->n; i++) {
        size_t j = index_of(in, r->entries[i].member);

        if (j != SIZE_MAX && counts(&r->entries[i], in->now)) {
            shares[j].n++;
        }
    }
    return shares;
}

/* Returns the index of the one that is to have one client more: of the best,
 * one with the fewest; of several the first one after 'r->last', around the
 * end.  There must be a member. */
static size_t
neediest(const struct bnd_rlb *r, const struct bnd_rlb_input *in,
         const struct rlb_share *shares)
{
    size_t last = index_of(in, r->last);
    size_t best = SIZE_MAX;

    for (size_t k = 0; k < in->n; k++) {
        size_t i = last == SIZE_MAX ? k : (last + 1 + k) % in->n;

        if (shares[i].best
            && (best == SIZE_MAX || shares[i].n < shares[best].n)) {
            best = i;
        }
    }
    return best;
}

/* Gives the client to the member of 'in' with index 'i'. */
static void
give(struct bnd_rlb *r, struct bnd_rlb_entry *e,
     const struct bnd_rlb_input *in, struct rlb_share *shares, size_t i)
{
    e->member = in->members[i]->id;
    e->since = in->now;
    shares[i].n += counts(e, in->now);
    r->last = e->member;
}

/* Evicts whoever was seen least lately. */
static void
make_room(struct bnd_rlb *r, const struct bnd_rlb_input *in,
          struct bnd_effects *fx)
{
    size_t oldest = 0;

    if (r->n < BND_RLB_MAX) {
        return;
    }
    for (size_t i = 1; i < r->n; i++) {
        if (r->entries[i].used < r->entries[oldest].used) {
            oldest = i;
        }
    }

    struct bnd_rlb_entry *e = &r->entries[oldest];
    struct eth_addr mac = bnd_macs_get(in->macs, in->active);

    if (in->active && !bnd_eth_addr_is_zero(e->client_mac)
        && !bnd_eth_addr_equal(e->told, mac)) {
        e->urgent = false;
        bnd_rlb_tell(e, in->active, mac, fx);
    }
    bnd_rlb_remove(r, oldest);
}

struct bnd_rlb_entry *
bnd_rlb_choose(struct bnd_rlb *r, const struct bnd_rlb_input *in,
               const struct bnd_rlb_server *server,
               const struct bnd_ip *client, struct eth_addr mac, bool *fresh,
               struct bnd_effects *fx)
{
    struct bnd_rlb_entry *e = bnd_rlb_find(r, server, client);

    if (!in->n) {
        return NULL;
    }
    *fresh = !e;
    if (!e) {
        struct rlb_share *shares;

        make_room(r, in, fx);
        if (!r->entries) {
            r->entries = xcalloc(BND_RLB_MAX, sizeof *r->entries);
        }
        shares = make_shares(r, in);
        e = &r->entries[r->n++];
        memset(e, 0, sizeof *e);
        e->server = *server;
        e->client = *client;
        e->listed = is_listed(r, server);
        e->used = in->now;
        e->due = BND_NEVER;
        give(r, e, in, shares, neediest(r, in, shares));
        free(shares);
    }
    if (!bnd_eth_addr_is_zero(mac) && !bnd_eth_addr_is_multicast(mac)) {
        e->client_mac = mac;
    }
    e->used = in->now;
    return e;
}

/* Assignment. */

/* Are the members those of the last time?  Takes note of them; '*fresh' says
 * whether one is new. */
static bool
same_members(struct bnd_rlb *r, const struct bnd_rlb_input *in, bool *fresh)
{
    bool same = in->n == r->n_known;
    bnd_id *ids = xcalloc(in->n + 1, sizeof *ids);

    *fresh = false;
    for (size_t i = 0; i < in->n; i++) {
        bool known = false;

        ids[i] = in->members[i]->id;
        for (size_t j = 0; j < r->n_known; j++) {
            known |= ids[i] == r->known[j];
        }
        *fresh |= !known;
    }
    free(r->known);
    r->known = ids;
    r->n_known = in->n;
    return same && !*fresh;
}

/* The client is another member's now, which may have the address that it
 * knows. */
static void
mark_moved(struct bnd_rlb_entry *e, const struct bnd_rlb_input *in, int n,
           bool urgent)
{
    if (!bnd_eth_addr_equal(e->told, bnd_macs_get(in->macs, e->member))) {
        bnd_rlb_mark(e, 0, n, urgent, in->now);
    }
}

/* Lets clients of members that have too many move to those that have too
 * few. */
static void
level(struct bnd_rlb *r, const struct bnd_rlb_input *in,
      struct rlb_share *shares)
{
    for (size_t i = 0; i < r->n; i++) {
        struct bnd_rlb_entry *e = &r->entries[i];
        size_t from = index_of(in, e->member);
        size_t to = neediest(r, in, shares);

        if (counts(e, in->now)
            && (!shares[from].best || shares[from].n > shares[to].n + 1)) {
            shares[from].n--;
            give(r, e, in, shares, to);
            mark_moved(e, in, BND_RLB_SHARE_TIMES, false);
        }
    }
}

void
bnd_rlb_assign(struct bnd_rlb *r, const struct bnd_rlb_input *in)
{
    struct rlb_share *shares;
    bool fresh;

    if (same_members(r, in, &fresh)) {
        return;
    }
    shares = make_shares(r, in);
    for (size_t i = 0; i < r->n; i++) {
        struct bnd_rlb_entry *e = &r->entries[i];

        if (index_of(in, e->member) != SIZE_MAX) {
            continue;
        } else if (!in->n) {
            e->member = BND_NO_MEMBER;
        } else {
            give(r, e, in, shares, neediest(r, in, shares));
            mark_moved(e, in, BND_RLB_TIMES, true);
        }
    }
    if (fresh && in->n > 1) {
        level(r, in, shares);
    }
    free(shares);
}

/* Sending. */

/* Tells 'e' what is due to be told. */
static void
run_entry(struct bnd_rlb_entry *e, const struct bnd_rlb_input *in,
          struct bnd_effects *fx)
{
    struct eth_addr mac = bnd_macs_get(in->macs, e->member);

    if (bnd_eth_addr_is_zero(mac)) {
        return;
    }
    if (!bnd_eth_addr_equal(e->told, mac) && e->due == BND_NEVER) {
        /* Its member has another address. */
        bnd_rlb_mark(e, 0, BND_RLB_TIMES, true, in->now);
    }
    if (bnd_deadline_expired(e->due, in->now)) {
        bnd_rlb_tell(e, e->member, mac, fx);
        e->n_left--;
        e->due = (e->n_left > 0 ? bnd_deadline_in(in->now, e->repeat)
                  : BND_NEVER);
        e->urgent &= e->n_left > 0;
    }
}

void
bnd_rlb_send(struct bnd_rlb *r, const struct bnd_rlb_input *in,
             struct bnd_effects *fx)
{
    for (size_t i = 0; i < r->n_queue; i++) {
        bnd_rlb_read(r, in, &r->queue[i], fx);
        free(r->queue[i].data);
    }
    r->n_queue = 0;
    r->wake = BND_NEVER;
    for (size_t i = 0; i < r->n; i++) {
        struct bnd_rlb_entry *e = &r->entries[i];

        run_entry(e, in, fx);
        if (e->member) {
            r->wake = bnd_deadline_min(r->wake, e->due);
        }
    }
}

long long int
bnd_rlb_wake_time(const struct bnd_rlb *r)
{
    return r->n_queue ? BND_LONG_AGO : r->n ? r->wake : BND_NEVER;
}
