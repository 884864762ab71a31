/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/owner.h"

#include <stdlib.h>
#include "connectivity.h"
#include "hash.h"
#include "latch.h"
#include "netdev.h"
#include "netdev-provider.h"
#include "ofproto-bond/buckets.h"
#include "ofproto-bond/event-log.h"
#include "ofproto-bond/frames.h"
#include "ofproto-bond/guard.h"
#include "ofproto-bond/handle.h"
#include "ofproto-bond/sense.h"
#include "openvswitch/poll-loop.h"
#include "ovs-thread.h"
#include "random.h"
#include "seq.h"
#include "timeval.h"
#include "util.h"

/* Passes that one run may take until the engine is quiet. */
#define MAX_PASSES 4

/* All owners by name.  The main thread changes the table under the mutex and
 * reads it without; the guard reads it under the mutex. */
static struct ovs_mutex owners_mutex = OVS_MUTEX_INITIALIZER;
static struct hmap owners = HMAP_INITIALIZER(&owners);

/* Wakes the main loop, from any thread. */
static struct latch main_latch;

void
ob_owners_init(void)
{
    static struct ovsthread_once once = OVSTHREAD_ONCE_INITIALIZER;

    if (ovsthread_once_start(&once)) {
        latch_init(&main_latch);
        ovsthread_once_done(&once);
    }
}

void
ob_owners_wake(void)
{
    latch_set(&main_latch);
}

void
ob_owners_run(void)
{
    latch_poll(&main_latch);
    ob_handles_reap();
}

void
ob_owners_wait(void)
{
    latch_wait(&main_latch);
}

/* The machine's monotonic clock, which tests cannot stop, in ms. */
static long long int
real_msec(void)
{
    struct timespec ts;

    xclock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* Life and death. */

struct ob_owner *
ob_owner_find(const char *name)
{
    struct ob_owner *o;

    HMAP_FOR_EACH_WITH_HASH (o, node, hash_string(name, 0), &owners) {
        if (!strcmp(o->name, name)) {
            return o;
        }
    }
    return NULL;
}

struct ob_owner *
ob_owner_get(const char *name)
{
    struct ob_owner *o = ob_owner_find(name);

    if (!o) {
        long long int now = time_msec();

        o = xzalloc(sizeof *o);
        o->name = xstrdup(name);
        atomic_count_init(&o->ref_cnt, 1);
        ovs_mutex_init(&o->mutex);
        ovs_mutex_init(&o->tx_mutex);
        o->engine = bnd_create(random_uint32(), now);
        bnd_effects_init(&o->fx);
        o->wake = BND_NEVER;
        o->main_seen = real_msec();
        o->last_now = now;
        o->next_id = BND_NO_MEMBER + 1;
        o->extra.late_ms = OB_LATE_MS;

        ovs_mutex_lock(&owners_mutex);
        hmap_insert(&owners, &o->node, hash_string(name, 0));
        ovs_mutex_unlock(&owners_mutex);
        ob_guard_start();
    }
    return o;
}

void
ob_owner_unref(struct ob_owner *o)
{
    if (atomic_count_dec(&o->ref_cnt) != 1) {
        return;
    }

    for (size_t i = 0; i < o->n_members; i++) {
        netdev_close(o->members[i].netdev);
        free(o->members[i].name);
    }
    free(o->members);
    bnd_destroy(o->engine);
    bnd_effects_uninit(&o->fx);
    ovs_mutex_destroy(&o->tx_mutex);
    ovs_mutex_destroy(&o->mutex);
    free(o->name);
    free(o);
}

static int
compare_owners(const void *a_, const void *b_)
{
    const struct ob_owner *const *a = a_;
    const struct ob_owner *const *b = b_;

    return strcmp((*a)->name, (*b)->name);
}

void
ob_owners_for_each(void (*cb)(struct ob_owner *, void *aux), void *aux)
{
    size_t n = 0;
    struct ob_owner **sorted = xcalloc(hmap_count(&owners) + 1,
                                       sizeof *sorted);
    struct ob_owner *o;

    HMAP_FOR_EACH (o, node, &owners) {
        sorted[n++] = o;
    }
    qsort(sorted, n, sizeof *sorted, compare_owners);
    for (size_t i = 0; i < n; i++) {
        cb(sorted[i], aux);
    }
    free(sorted);
}

void
ob_owners_purge(bool (*exists)(const char *name, void *aux), void *aux)
{
    struct ob_owner *o;

    HMAP_FOR_EACH_SAFE (o, node, &owners) {
        if (!o->bond && !o->lacp && !exists(o->name, aux)) {
            ovs_mutex_lock(&owners_mutex);
            hmap_remove(&owners, &o->node);
            ovs_mutex_unlock(&owners_mutex);
            ob_owner_unref(o);
        }
    }
}

/* When did the oldest frame arrive that 'o' has not taken in?  BND_NEVER if
 * there is none. */
static long long int
frames_since(const struct ob_owner *o)
    OVS_REQUIRES(o->mutex)
{
    long long int since = BND_NEVER;
    uint32_t n = 0;

    if (o->lacp) {
        atomic_read_explicit(&o->lacp->n_frames, &n, memory_order_acquire);
        if (n) {
            atomic_read_relaxed(&o->lacp->since, &since);
        }
    }
    return since;
}

/* When 'o' wants to run, frames that wait for it included. */
static long long int
owner_wake_time(struct ob_owner *o)
{
    long long int wake;

    ovs_mutex_lock(&o->mutex);
    wake = MIN(o->wake, frames_since(o));
    ovs_mutex_unlock(&o->mutex);
    return wake;
}

/* Has the main loop not come round to 'o' for long? */
static bool
is_held_up(struct ob_owner *o)
{
    bool held_up;

    ovs_mutex_lock(&o->mutex);
    held_up = real_msec() - o->main_seen >= OB_LATE_MS;
    ovs_mutex_unlock(&o->mutex);
    return held_up;
}

struct ob_owner **
ob_owners_late(long long int now, size_t *n, long long int *next)
{
    struct ob_owner **late;
    struct ob_owner *o;

    *n = 0;
    *next = BND_NEVER;

    ovs_mutex_lock(&owners_mutex);
    late = xcalloc(hmap_count(&owners) + 1, sizeof *late);
    HMAP_FOR_EACH (o, node, &owners) {
        long long int wake = owner_wake_time(o);

        if (wake == BND_NEVER) {
            continue;
        }
        /* Frames come unannounced, so look at least this often. */
        *next = MIN(*next, now + OB_LATE_MS);
        if (now - wake >= OB_LATE_MS && is_held_up(o)) {
            atomic_count_inc(&o->ref_cnt);
            late[(*n)++] = o;
        } else {
            *next = MIN(*next, wake + OB_LATE_MS);
        }
    }
    ovs_mutex_unlock(&owners_mutex);
    return late;
}

/* The time for the engine: it never goes backwards. */
static long long int
owner_now(struct ob_owner *o)
    OVS_REQUIRES(o->mutex)
{
    o->last_now = MAX(o->last_now, time_msec());
    return o->last_now;
}

/* The engine has work: the next run must not wait. */
static void
owner_touched(struct ob_owner *o)
    OVS_REQUIRES(o->mutex)
{
    o->wake = MIN(o->wake, o->last_now);
}

/* Handles. */

void
ob_owner_attach_bond(struct ob_owner *o, struct bond *bond,
                     struct ofproto_dpif *ofproto)
{
    if (o->bond) {
        ob_owner_detach_bond(o);
    }
    ovs_mutex_lock(&o->mutex);
    o->bond = bond;
    bond->owner = o;
    ovs_mutex_unlock(&o->mutex);
    o->buckets = ob_buckets_create(ofproto);
}

/* Takes members that are registered nowhere any more off their ports, but
 * remembers them. */
static void
remember_members(struct ob_owner *o)
{
    for (size_t i = 0; i < o->n_members; i++) {
        struct ob_member *m = &o->members[i];

        if (m->aux && !m->in_bond && !m->in_lacp) {
            struct bnd_event e = { .type = BND_EV_MEMBER_DEL, .id = m->id,
                                   .on = true };

            ob_owner_event(o, &e);
            ovs_mutex_lock(&o->mutex);
            ovs_mutex_lock(&o->tx_mutex);
            m->aux = NULL;
            ovs_mutex_unlock(&o->tx_mutex);
            ovs_mutex_unlock(&o->mutex);
            ob_owner_set_netdev(o, m, NULL);
        }
    }
}

void
ob_owner_detach_bond(struct ob_owner *o)
{
    struct bond *bond = o->bond;

    ob_buckets_destroy(o->buckets, bond);
    o->buckets = NULL;

    ovs_mutex_lock(&o->mutex);
    bnd_reconfigure(o->engine, NULL, owner_now(o), &o->fx);
    ob_bond_publish(bond, NULL);
    bond->owner = NULL;
    o->bond = NULL;
    for (size_t i = 0; i < o->n_members; i++) {
        o->members[i].in_bond = false;
        o->members[i].ofp_port = OFPP_NONE;
    }
    owner_touched(o);
    ovs_mutex_unlock(&o->mutex);
    remember_members(o);
}

void
ob_owner_attach_lacp(struct ob_owner *o, struct lacp *lacp)
{
    if (o->lacp) {
        ob_owner_detach_lacp(o);
    }
    ovs_mutex_lock(&o->mutex);
    o->lacp = lacp;
    lacp->owner = o;
    ovs_mutex_unlock(&o->mutex);
}

void
ob_owner_detach_lacp(struct ob_owner *o)
{
    ovs_mutex_lock(&o->mutex);
    bnd_set_lacp(o->engine, NULL, owner_now(o));
    o->lacp->owner = NULL;
    o->lacp = NULL;
    owner_touched(o);
    ovs_mutex_unlock(&o->mutex);

    for (size_t i = 0; i < o->n_members; i++) {
        o->members[i].in_lacp = false;
    }
    remember_members(o);
}

bool
ob_owner_configure(struct ob_owner *o, const struct bnd_settings *settings)
{
    bool changed;

    ovs_mutex_lock(&o->mutex);
    size_t before = o->fx.n;
    bnd_reconfigure(o->engine, settings, owner_now(o), &o->fx);
    changed = o->fx.n > before;
    owner_touched(o);
    ovs_mutex_unlock(&o->mutex);

    /* The way to detect a link (bond-detect-mode) may be another one now, of
     * which devices say nothing. */
    for (size_t i = 0; i < o->n_members; i++) {
        o->members[i].change_seq = 0;
    }
    return changed;
}

/* LACP. */

void
ob_owner_configure_lacp(struct ob_owner *o,
                        const struct bnd_lacp_config *config)
{
    ovs_mutex_lock(&o->mutex);
    bnd_set_lacp(o->engine, config, owner_now(o));
    owner_touched(o);
    ovs_mutex_unlock(&o->mutex);
}

void
ob_owner_configure_lacp_port(struct ob_owner *o, struct ob_member *m,
                             const struct bnd_lacp_port_config *config)
{
    ovs_mutex_lock(&o->mutex);
    bnd_set_lacp_port(o->engine, m->id, config, owner_now(o));
    owner_touched(o);
    ovs_mutex_unlock(&o->mutex);
}

enum bnd_lacp_status
ob_owner_lacp_status(struct ob_owner *o)
{
    enum bnd_lacp_status status;

    ovs_mutex_lock(&o->mutex);
    status = bnd_lacp_state(o->engine);
    ovs_mutex_unlock(&o->mutex);
    return status;
}

bool
ob_owner_lacp_may_enable(struct ob_owner *o, const void *aux)
{
    const struct ob_member *m = ob_owner_find_member(o, aux);
    bool may_enable = false;

    if (m) {
        ovs_mutex_lock(&o->mutex);
        may_enable = bnd_member_lacp_may_enable(o->engine, m->id);
        ovs_mutex_unlock(&o->mutex);
    }
    return may_enable;
}

bool
ob_owner_lacp_is_current(struct ob_owner *o, const void *aux)
{
    const struct ob_member *m = ob_owner_find_member(o, aux);
    bool current = false;

    if (m) {
        ovs_mutex_lock(&o->mutex);
        current = bnd_member_lacp_current(o->engine, m->id);
        ovs_mutex_unlock(&o->mutex);
    }
    return current;
}

bool
ob_owner_lacp_port_status(struct ob_owner *o, const void *aux,
                          struct bnd_lacp_port_status *ps)
{
    const struct ob_member *m = ob_owner_find_member(o, aux);
    bool ok = false;

    if (m) {
        ovs_mutex_lock(&o->mutex);
        ok = bnd_member_lacp_status(o->engine, m->id, ps);
        ovs_mutex_unlock(&o->mutex);
    }
    return ok;
}

/* Members. */

struct ob_member *
ob_owner_find_member(struct ob_owner *o, const void *aux)
{
    for (size_t i = 0; i < o->n_members; i++) {
        if (o->members[i].aux == aux) {
            return aux ? &o->members[i] : NULL;
        }
    }
    return NULL;
}

struct ob_member *
ob_owner_member_by_name(struct ob_owner *o, const char *name)
{
    for (size_t i = 0; i < o->n_members; i++) {
        if (!strcmp(o->members[i].name, name) && o->members[i].aux) {
            return &o->members[i];
        }
    }
    return NULL;
}

/* Returns the entry for a member called 'name' that has no port: a remembered
 * one, else a new one. */
static struct ob_member *
vacant_member(struct ob_owner *o, const char *name)
    OVS_REQUIRES(o->mutex, o->tx_mutex)
{
    for (size_t i = 0; i < o->n_members; i++) {
        if (!o->members[i].aux && !strcmp(o->members[i].name, name)) {
            return &o->members[i];
        }
    }

    o->members = xrealloc(o->members,
                          (o->n_members + 1) * sizeof *o->members);

    struct ob_member *m = &o->members[o->n_members++];
    memset(m, 0, sizeof *m);
    m->id = o->next_id++;
    m->name = xstrdup(name);
    return m;
}

/* Takes entry 'm' out of the list. */
static void
forget_member(struct ob_owner *o, struct ob_member *m)
{
    struct bnd_event e = { .type = BND_EV_MEMBER_DEL, .id = m->id };

    ob_owner_event(o, &e);
    netdev_close(m->netdev);
    free(m->name);

    ovs_mutex_lock(&o->mutex);
    ovs_mutex_lock(&o->tx_mutex);
    size_t i = m - o->members;
    memmove(m, m + 1, (o->n_members - i - 1) * sizeof *m);
    o->n_members--;
    ovs_mutex_unlock(&o->tx_mutex);
    ovs_mutex_unlock(&o->mutex);
}

struct ob_member *
ob_owner_add_member(struct ob_owner *o, const void *aux, const char *name,
                    struct netdev *netdev)
{
    struct ob_member *m = ob_owner_find_member(o, aux);

    if (m && strcmp(m->name, name)) {
        /* OVS freed the port behind our back and made another one there. */
        forget_member(o, m);
        m = NULL;
    }
    if (!m) {
        ovs_mutex_lock(&o->mutex);
        ovs_mutex_lock(&o->tx_mutex);
        m = vacant_member(o, name);
        m->aux = aux;
        m->ofp_port = OFPP_NONE;
        m->may_enable = true;
        ovs_mutex_unlock(&o->tx_mutex);
        ovs_mutex_unlock(&o->mutex);

        m->netdev = netdev_ref(netdev);
        ob_sense_read(m);

        struct bnd_event e = {
            .type = BND_EV_MEMBER_ADD,
            .id = m->id,
            .add = { .name = name, .mac = m->mac, .carrier = m->carrier },
        };
        ob_owner_event(o, &e);
    }
    return m;
}

void
ob_owner_release_member(struct ob_owner *o, struct ob_member *m)
{
    if (!m->in_bond && !m->in_lacp) {
        forget_member(o, m);
        /* Readers must not find the port any more once we return. */
        ob_owner_pass(o, false);
        for (size_t i = 0; i < o->n_members; i++) {
            if (o->members[i].in_bond) {
                return;
            }
        }
        ob_buckets_clear(o->buckets, o->bond);
    }
}

void
ob_owner_set_netdev(struct ob_owner *o OVS_UNUSED, struct ob_member *m,
                    struct netdev *netdev)
{
    if (netdev != m->netdev) {
        netdev_close(m->netdev);
        m->netdev = netdev_ref(netdev);
        m->change_seq = 0;      /* Read it anew. */
    }
}

void
ob_owner_set_ofp_port(struct ob_owner *o, struct ob_member *m,
                      ofp_port_t ofp_port)
{
    if (m->ofp_port != ofp_port) {
        ovs_mutex_lock(&o->mutex);
        m->ofp_port = ofp_port;
        if (o->bond) {
            ob_bond_publish(o->bond, bnd_make_view(o->engine));
            o->todo_view = true;
        }
        ovs_mutex_unlock(&o->mutex);
    }
}

const void *
ob_owner_any_port(const struct ob_owner *o)
{
    for (size_t i = 0; i < o->n_members; i++) {
        if (o->members[i].in_bond) {
            return o->members[i].aux;
        }
    }
    OVS_NOT_REACHED();
}

void
ob_owner_set_sticky(struct ob_owner *o, struct eth_addr mac, bool known)
{
    if (!known) {
        ovs_mutex_lock(&o->mutex);
        bnd_set_sticky(o->engine, mac);
        ovs_mutex_unlock(&o->mutex);
    }
}

struct eth_addr
ob_owner_active_mac(struct ob_owner *o)
{
    struct eth_addr mac;

    ovs_mutex_lock(&o->mutex);
    mac = bnd_active_mac(o->engine);
    ovs_mutex_unlock(&o->mutex);
    return mac;
}

bool
ob_owner_account_is_due(struct ob_owner *o, long long int now)
{
    bool due;

    ovs_mutex_lock(&o->mutex);
    due = (bnd_is_balanced(o->engine)
           && (now >= o->next_account
               || now >= bnd_next_rebalance(o->engine)));
    ovs_mutex_unlock(&o->mutex);
    return due;
}

void
ob_owner_event(struct ob_owner *o, const struct bnd_event *e)
{
    ovs_mutex_lock(&o->mutex);
    bnd_event(o->engine, e, owner_now(o), &o->fx);
    owner_touched(o);
    ovs_mutex_unlock(&o->mutex);
}

/* The pass. */

/* Feeds frames that have come in to the engine. */
static void
drain_frames(struct ob_owner *o)
    OVS_REQUIRES(o->mutex)
{
    struct mpsc_queue_node *node;
    uint32_t orig;

    mpsc_queue_acquire(&o->lacp->frames);
    MPSC_QUEUE_FOR_EACH_POP (node, &o->lacp->frames) {
        struct ob_frame *f = CONTAINER_OF(node, struct ob_frame, node);
        struct ob_member *m = ob_owner_find_member(o, f->aux);
        long long int now = owner_now(o);

        atomic_sub_explicit(&o->lacp->n_frames, 1, &orig,
                            memory_order_relaxed);
        if (m) {
            struct bnd_event e = {
                .type = BND_EV_FRAME_RX,
                .id = m->id,
                .frame = { .data = f->data, .len = f->len,
                           .arrival = MIN(f->arrival, now) },
            };
            bnd_event(o->engine, &e, now, &o->fx);
            o->extra.rx_late = MAX(o->extra.rx_late, now - f->arrival);
        }
        free(f);
    }
    mpsc_queue_release(&o->lacp->frames);
}

static void
count_pass(struct ob_owner *o, bool by_guard)
    OVS_REQUIRES(o->mutex)
{
    long long int late = owner_now(o) - o->wake;

    o->extra.n_passes++;
    o->extra.n_guard += by_guard;
    /* Where tests warp the time, a pass may be late by that clock alone. */
    if (o->wake != BND_NEVER && late >= OB_LATE_MS
        && real_msec() - o->main_seen >= OB_LATE_MS) {
        o->extra.n_late++;
        o->extra.worst_late = MAX(o->extra.worst_late, late);
    }
}

/* Sets aside what waits for the main thread and publishes the view. */
static void
take_effects(struct ob_owner *o, struct bnd_effects *fx)
    OVS_REQUIRES(o->mutex)
{
    *fx = o->fx;
    bnd_effects_init(&o->fx);

    o->todo_revalidate |= bnd_effects_has(fx, BND_FX_REVALIDATE);
    o->todo_announce |= bnd_effects_has(fx, BND_FX_WANT_ADDRS);
    o->active_changed |= bnd_effects_has(fx, BND_FX_ACTIVE);
    o->todo_connectivity |= (bnd_effects_has(fx, BND_FX_ACTIVE)
                             || bnd_effects_has(fx, BND_FX_MEMBER_ENABLE));
    if (bnd_effects_has(fx, BND_FX_VIEW) && o->bond) {
        ob_bond_publish(o->bond, bnd_make_view(o->engine));
        o->todo_view = true;
    }
}

void
ob_owner_pass(struct ob_owner *o, bool by_guard)
{
    struct bnd_effects fx;

    ovs_mutex_lock(&o->mutex);
    count_pass(o, by_guard);
    if (o->lacp) {
        if (o->wake <= o->last_now) {
            /* Let a new port begin before it hears its first frame. */
            bnd_run(o->engine, owner_now(o), &o->fx);
        }
        drain_frames(o);
    }
    for (int i = 0; i < MAX_PASSES; i++) {
        bnd_run(o->engine, owner_now(o), &o->fx);
        o->wake = bnd_wake_time(o->engine);
        if (o->wake > o->last_now) {
            break;
        }
    }
    take_effects(o, &fx);
    ovs_mutex_unlock(&o->mutex);

    for (size_t i = 0; i < fx.n; i++) {
        const struct bnd_effect *e = &fx.fx[i];

        if (e->type == BND_FX_FRAME_TX) {
            ob_frames_send(o, e->frame.id, e->frame.data, e->frame.len);
        } else if (e->type == BND_FX_TRACE) {
            ob_log_trace(o->name, &e->trace);
        }
    }
    bnd_effects_uninit(&fx);
    if (by_guard) {
        ob_owners_wake();
    }
}

/* Forgets remembered members that the new configuration does not have. */
static void
drop_absent_members(struct ob_owner *o)
{
    for (size_t i = 0; i < o->n_members; ) {
        if (o->members[i].aux) {
            i++;
        } else {
            forget_member(o, &o->members[i]);
        }
    }
}

void
ob_owner_run(struct ob_owner *o)
{
    bool view, connectivity;

    if (o->bond) {
        drop_absent_members(o);
    }
    ob_sense_run(o);
    if (owner_wake_time(o) <= time_msec()) {
        ob_owner_pass(o, false);
    }

    ovs_mutex_lock(&o->mutex);
    o->main_seen = real_msec();
    view = o->todo_view;
    connectivity = o->todo_connectivity;
    o->todo_view = o->todo_connectivity = false;
    ovs_mutex_unlock(&o->mutex);

    if (view && o->bond) {
        ob_buckets_update(o->buckets, o->bond);
    }
    if (connectivity) {
        seq_change(connectivity_seq_get());
    }
}

void
ob_owner_wait(struct ob_owner *o)
{
    bool todo;

    ovs_mutex_lock(&o->mutex);
    todo = o->todo_revalidate || o->todo_view || o->todo_connectivity;
    ovs_mutex_unlock(&o->mutex);
    if (todo) {
        poll_immediate_wake();
    } else {
        long long int wake = owner_wake_time(o);

        if (wake != BND_NEVER) {
            poll_timer_wait_until(wake);
        }
    }
}

/* Returns '*flag' and clears it. */
static bool
take_flag(struct ob_owner *o, bool *flag)
{
    bool was;

    ovs_mutex_lock(&o->mutex);
    was = *flag;
    *flag = false;
    ovs_mutex_unlock(&o->mutex);
    return was;
}

bool
ob_owner_take_revalidate(struct ob_owner *o)
{
    return take_flag(o, &o->todo_revalidate);
}

bool
ob_owner_take_announce(struct ob_owner *o)
{
    return take_flag(o, &o->todo_announce);
}

bool
ob_owner_take_active_changed(struct ob_owner *o)
{
    return take_flag(o, &o->active_changed);
}

void
ob_owner_get_status(struct ob_owner *o, struct bnd_status *status,
                    struct bnd_status_extra *extra)
{
    ovs_mutex_lock(&o->mutex);
    bnd_get_status(o->engine, owner_now(o), status);
    *extra = o->extra;
    ovs_mutex_unlock(&o->mutex);

    if (o->bond) {
        extra->datapath_id = ob_buckets_id(o->buckets);
        atomic_read_relaxed(&o->bond->lb_output, &extra->lb_output);
    }
    if (o->lacp) {
        atomic_read_relaxed(&o->lacp->n_dropped, &extra->n_dropped);
    }
}
