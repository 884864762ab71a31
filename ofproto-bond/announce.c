/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/announce.h"

#include <stdlib.h>
#include <string.h>
#include "core/deadline.h"
#include "core/effects.h"
#include "dp-packet.h"
#include "hash.h"
#include "ofproto-bond/attach.h"
#include "ofproto-bond/bundles.h"
#include "ofproto-bond/cuts.h"
#include "ofproto-bond/groups.h"
#include "ofproto-bond/guard.h"
#include "ofproto-bond/handle.h"
#include "ofproto-bond/hosts.h"
#include "ofproto-bond/notices.h"
#include "ofproto-bond/owner.h"
#include "packets.h"
#include "timeval.h"
#include "util.h"

/* Packets that one round of the main loop sends at most, and entries that it
 * looks at. */
#define MAX_AT_ONCE 16
#define MAX_LOOK 256

/* The guard has nothing else to do, but comes round less often: it may send as
 * many times this. */
#define GUARD_VISITS 8

/* One packet. */
#define CREDIT 1000

/* What has been told. */

static uint32_t
hash_told(const struct in6_addr *addr, uint16_t vlan)
{
    return hash_bytes(addr, sizeof *addr, vlan);
}

bool
ob_told_has(const struct hmap *set, const struct in6_addr *addr,
            uint16_t vlan)
{
    const struct ob_told *t;

    HMAP_FOR_EACH_WITH_HASH (t, node, hash_told(addr, vlan), set) {
        if (t->vlan == vlan && !memcmp(&t->addr, addr, sizeof *addr)) {
            return true;
        }
    }
    return false;
}

void
ob_told_add(struct hmap *set, const struct in6_addr *addr, uint16_t vlan)
{
    if (!ob_told_has(set, addr, vlan)) {
        struct ob_told *t = xmalloc(sizeof *t);

        t->addr = *addr;
        t->vlan = vlan;
        hmap_insert(set, &t->node, hash_told(addr, vlan));
    }
}

void
ob_told_clear(struct hmap *set)
{
    struct ob_told *t;

    HMAP_FOR_EACH_POP (t, node, set) {
        free(t);
    }
}

/* Life. */

void
ob_announce_init(struct ob_announcer *a)
{
    memset(a, 0, sizeof *a);
    hmap_init(&a->told);
    hmap_init(&a->told_groups);
    hmap_init(&a->speakers);
    atomic_init(&a->wake, BND_NEVER);
}

static void
stop(struct ob_announcer *a)
{
    a->guests.rounds = a->groups.rounds = 0;
    a->learned_done = false;
    ob_told_clear(&a->told);
    ob_told_clear(&a->told_groups);
    ob_groups_stop(a);
}

void
ob_announce_uninit(struct ob_announcer *a)
{
    stop(a);
    hmap_destroy(&a->told);
    hmap_destroy(&a->told_groups);
    hmap_destroy(&a->speakers);
}

void
ob_announce_note(struct ob_announce_todo *todo, const struct bnd_effects *fx)
{
    bool groups = bnd_effects_has(fx, BND_FX_RESEND_IGMP);

    todo->peers |= bnd_effects_has(fx, BND_FX_NOTIFY_PEERS);
    todo->guests |= bnd_effects_has(fx, BND_FX_WANT_ADDRS);
    todo->moves |= (bnd_effects_has(fx, BND_FX_SET_MAC)
                    || bnd_effects_has(fx, BND_FX_BOND_MAC));
    todo->groups |= groups;
    todo->groups_anew |= groups && bnd_effects_has(fx, BND_FX_ACTIVE);
}

bool
ob_announce_is_todo(const struct ob_announce_todo *todo)
{
    return todo->peers || todo->guests || todo->groups;
}

/* Pacing. */

/* What may be sent grows with time, up to what one visit can send, or to what
 * comes in 10 ms, so that a busy loop keeps the rate. */
static void
earn_credit(const struct ob_owner *o, struct ob_announcer *a,
            long long int now)
{
    long long int rate = ob_owner_announce_rate(o);
    long long int most = MAX(MAX_AT_ONCE * CREDIT, rate * 10);

    a->credit += (now - a->credit_at) * rate;
    a->credit = MIN(a->credit, most);
    a->credit_at = now;
}

static bool
is_pending(const struct ob_announcer *a)
{
    return a->guests.rounds || a->groups.rounds;
}

/* There is another round to go through by 'walk', or, if 'anew', only this
 * one. */
static void
add_round(struct ob_walk *walk, bool anew)
{
    if (anew) {
        memset(walk, 0, sizeof *walk);
    }
    walk->rounds++;
}

/* The end of the table has been reached. */
static void
end_round(struct ob_walk *walk)
{
    memset(&walk->pos, 0, sizeof walk->pos);
    walk->rounds--;
}

/* Takes what passes want announced, if it can be now: the members' and the
 * host's own addresses must be those that they are to have.  The guard does
 * not know whether the main thread is just setting them. */
static void
take_todo(struct ob_owner *o, bool by_guard, struct ob_announce_todo *todo)
{
    memset(todo, 0, sizeof *todo);
    ovs_mutex_lock(&o->mutex);
    if (!o->n_todo_macs && !(by_guard && o->todo_announce.moves)) {
        *todo = o->todo_announce;
        memset(&o->todo_announce, 0, sizeof o->todo_announce);
    }
    ovs_mutex_unlock(&o->mutex);
}

/* Announces the host's own, and sets to announcing the others. */
static void
begin(struct ob_owner *o, const struct ob_announce_todo *todo)
    OVS_REQUIRES(ob_host_mutex)
{
    struct ob_announcer *a = &o->announcer;

    if (!is_pending(a)) {
        a->credit = MAX_AT_ONCE * CREDIT;
        a->credit_at = time_msec();
    }
    ob_hosts_run();
    if (todo->peers || todo->guests) {
        ob_told_clear(&a->told);
        if (todo->peers) {
            ob_notice_host(o);
        }
        a->learned_done &= !todo->guests;
        add_round(&a->guests, todo->guests);
    }
    if (todo->groups) {
        ob_groups_begin(o);
        add_round(&a->groups, todo->groups_anew);
    }
}

/* Guests. */

static bool
host_has_told(const struct ob_owner *o, struct eth_addr mac, uint16_t vlan)
{
    struct in6_addr key = in6addr_any;

    memcpy(&key, &mac, sizeof mac);
    return ob_told_has(&o->announcer.told, &key, vlan);
}

/* Announces 'address', unless the host has.  Returns true if it did. */
static bool
announce(struct ob_owner *o, const struct ob_address *address)
{
    struct ob_tags tags = ob_bundles_tags(address->bundle, address->vlan);
    struct dp_packet packet;
    bool sent;

    if (host_has_told(o, address->mac, address->vlan)) {
        return false;
    }
    dp_packet_init(&packet, 0);
    compose_rarp(&packet, address->mac);
    sent = ob_notice_send(o, &packet, address->mac, &tags,
                          OB_NOTICE_BY_SOURCE);
    dp_packet_uninit(&packet);
    return sent;
}

/* The same for a source of which Open vSwitch has not learned: if it has, it
 * is announced already, or it is behind the bond. */
static bool
announce_source(struct ob_owner *o, const struct ob_source *source)
{
    const struct ob_bundle *b = ob_bundles_find(o->bond->bundle);
    struct dp_packet packet;
    struct ob_tags inside;
    bool sent;

    if (b && ob_bundle_enter(b, &source->tags, &inside)) {
        uint16_t vlan = inside.tag[0].vid;

        if (host_has_told(o, source->mac, vlan)
            || ob_attach_is_learned(b->ofproto, source->mac, vlan)) {
            return false;
        }
    }
    dp_packet_init(&packet, 0);
    compose_rarp(&packet, source->mac);
    sent = ob_notice_send_tagged(o, &packet, source->mac, &source->tags,
                                 OB_NOTICE_BY_SOURCE);
    dp_packet_uninit(&packet);
    return sent;
}

static size_t
run_learned(struct ob_owner *o, size_t n, bool *done)
{
    struct ob_address addresses[MAX_AT_ONCE];
    size_t sent = 0;

    n = ob_attach_next_addresses(ob_bundles_ofproto(o->bond->bundle),
                                 o->bond->bundle, &o->announcer.guests.pos,
                                 MAX_LOOK, addresses, n, done);
    for (size_t i = 0; i < n; i++) {
        sent += announce(o, &addresses[i]);
    }
    return sent;
}

static size_t
run_sources(struct ob_owner *o, size_t n, bool *done)
{
    struct ob_source sources[MAX_AT_ONCE];
    size_t sent = 0;

    n = ob_sources_next(&o->bond->sources, &o->announcer.guests.pos, sources,
                        n, done);
    for (size_t i = 0; i < n; i++) {
        sent += announce_source(o, &sources[i]);
    }
    return sent;
}

/* Goes on with the guests, sending up to 'n' packets; returns their number. */
static size_t
run_guests(struct ob_owner *o, size_t n)
{
    struct ob_announcer *a = &o->announcer;
    size_t sent = 0;
    bool done;

    n = MIN(MAX_AT_ONCE, n);
    if (!a->learned_done) {
        sent = run_learned(o, n, &done);
        if (!done) {
            return sent;
        }
        a->learned_done = true;
        memset(&a->guests.pos, 0, sizeof a->guests.pos);
    }
    sent += run_sources(o, n - sent, &done);
    if (done) {
        a->learned_done = false;
        end_round(&a->guests);
    }
    return sent;
}

/* Sends what may be sent at once.  Returns true if there was any. */
static bool
send_some(struct ob_owner *o)
    OVS_REQUIRES(ob_host_mutex)
{
    struct ob_announcer *a = &o->announcer;

    earn_credit(o, a, time_msec());
    size_t n = MIN(MAX_AT_ONCE, a->credit / CREDIT);
    size_t sent = 0;
    if (n && a->groups.rounds) {
        bool done;

        sent = ob_groups_run(o, &a->groups.pos, n, &done);
        if (done) {
            end_round(&a->groups);
        }
    }
    if (sent < n && a->guests.rounds) {
        sent += run_guests(o, n - sent);
    }
    a->credit -= (long long int) sent * CREDIT;
    return sent;
}

/* When the next packet may be sent. */
static long long int
wake_time(const struct ob_owner *o)
    OVS_REQUIRES(ob_host_mutex)
{
    const struct ob_announcer *a = &o->announcer;

    if (!is_pending(a)) {
        return BND_NEVER;
    }

    long long int missing = MAX(CREDIT - a->credit, 0);
    return (a->credit_at
            + DIV_ROUND_UP(missing, ob_owner_announce_rate(o)));
}

static void
run(struct ob_owner *o, bool by_guard)
    OVS_REQUIRES(ob_host_mutex)
{
    struct ob_announcer *a = &o->announcer;
    struct ob_announce_todo todo;

    take_todo(o, by_guard, &todo);
    if (!o->bond || !ob_bundles_ofproto(o->bond->bundle)) {
        stop(a);                /* The bond has gone meanwhile. */
        return;
    }
    if (ob_announce_is_todo(&todo)) {
        begin(o, &todo);
    }
    for (int i = 0; i < (by_guard ? GUARD_VISITS : 1) && is_pending(a); i++) {
        if (!send_some(o)) {
            break;
        }
    }
    if (!is_pending(a)) {
        stop(a);
    }
}

void
ob_announce_run(struct ob_owner *o, bool by_guard)
{
    struct ob_announcer *a = &o->announcer;
    long long int before = ob_announce_wake_time(o);
    bool todo;

    atomic_read_relaxed(&o->todo, &todo);
    if (!todo && before == BND_NEVER) {
        return;
    }
    if (!by_guard) {
        ob_hosts_start();
        ovs_mutex_lock(&ob_host_mutex);
    } else if (ovs_mutex_trylock(&ob_host_mutex)) {
        return;                 /* LACP must not wait for the main thread. */
    }
    run(o, by_guard);
    long long int wake = wake_time(o);
    atomic_store_relaxed(&a->wake, wake);
    if (by_guard) {
        ob_groups_end_round();
    }
    ovs_mutex_unlock(&ob_host_mutex);

    if (!by_guard && before == BND_NEVER && wake != BND_NEVER) {
        ob_guard_look();        /* It has to see that it goes on. */
    }
}

long long int
ob_announce_wake_time(const struct ob_owner *o)
{
    long long int wake;

    atomic_read_relaxed(&CONST_CAST(struct ob_owner *, o)->announcer.wake,
                        &wake);
    return wake;
}

long long int
ob_announce_guard_time(const struct ob_owner *o)
{
    return bnd_deadline_in(ob_announce_wake_time(o), OB_CUT_MS);
}
