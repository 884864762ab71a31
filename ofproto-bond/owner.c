/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/owner-private.h"

#include <stdlib.h>
#include "connectivity.h"
#include "dp-packet.h"
#include "hash.h"
#include "latch.h"
#include "netdev.h"
#include "ofproto/bond.h"
#include "ofproto-bond/buckets.h"
#include "ofproto-bond/cuts.h"
#include "ofproto-bond/device.h"
#include "ofproto-bond/event-log.h"
#include "ofproto-bond/fastpath.h"
#include "ofproto-bond/frames.h"
#include "ofproto-bond/groups.h"
#include "ofproto-bond/guard.h"
#include "ofproto-bond/handle.h"
#include "ofproto-bond/host-mac.h"
#include "ofproto-bond/hosts.h"
#include "ofproto-bond/listen.h"
#include "ofproto-bond/routes.h"
#include "ofproto-bond/rp-filter.h"
#include "ofproto-bond/sense.h"
#include "ofproto-bond/slow.h"
#include "ofproto-bond/sources.h"
#include "ofproto-bond/taps.h"
#include "openvswitch/poll-loop.h"
#include "ovs-thread.h"
#include "random.h"
#include "seq.h"
#include "timeval.h"
#include "util.h"

/* Passes that one run may take until the engine is quiet. */
#define MAX_PASSES 4

/* So long a bond that goes may announce, ms. */
#define MAX_FINISH_MS 1000

/* All owners by name.  The main thread changes the table under the mutex and
 * reads it without; the guard reads it under the mutex. */
static struct ovs_mutex owners_mutex = OVS_MUTEX_INITIALIZER;
static struct hmap owners = HMAP_INITIALIZER(&owners);

/* Wakes the main loop, from any thread. */
static struct latch main_latch;

/* When the main loop began its round, ms of the machine's clock and of
 * OVS's, and when it has to begin the next one at the latest. */
static long long int main_real;
static long long int main_now;
static long long int main_wake = BND_NEVER;

/* A member has left its bond, maybe the last but one. */
static bool announce_all;

/* Nothing is sent any more. */
static atomic_bool muted = false;

atomic_count ob_n_lacp = ATOMIC_COUNT_INIT(0);

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
ob_owners_member_left(void)
{
    announce_all = true;
}

/* Has each bond announce what it has to, though OVS may not run it any more,
 * as long as there is any. */
static void
announce_for_all(void)
{
    struct ob_owner *o;

    announce_all = false;
    HMAP_FOR_EACH (o, node, &owners) {
        if (o->bond) {
            ob_announce_run(o, false);

            long long int wake = ob_announce_wake_time(o);
            announce_all |= wake != BND_NEVER;
            main_wake = MIN(main_wake, wake);
        }
    }
}

bool
ob_owners_run(void)
{
    latch_poll(&main_latch);
    ovs_mutex_lock(&ob_host_mutex);
    ob_hosts_run();
    ob_groups_end_round();
    ovs_mutex_unlock(&ob_host_mutex);
    ob_routes_run();
    if (announce_all) {
        announce_for_all();
    }
    return ob_handles_reap();
}

void
ob_owners_wait(void)
{
    latch_wait(&main_latch);
    ob_hosts_wait();
    if (ob_owners_many_lacp()) {
        /* For LACPDUs that others take in and that are not worth waking us. */
        main_wake = MIN(main_wake, ROUND_UP(main_now + 1, OB_LACP_GRID));
    }
    if (main_wake != BND_NEVER) {
        poll_timer_wait_until(main_wake);
    }
}

bool
ob_owners_many_lacp(void)
{
    return atomic_count_get(&ob_n_lacp) >= OB_MANY_LACP;
}

/* The machine's monotonic clock, which tests cannot stop, in ms. */
static long long int
real_msec(void)
{
    struct timespec ts;

    xclock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

void
ob_owners_begin(void)
{
    main_real = real_msec();
    main_now = time_msec();
    main_wake = BND_NEVER;
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
        bnd_overlay_init(&o->overlay);
        ob_announce_init(&o->announcer);
        bnd_settings_init(&o->settings);
        o->wake = BND_NEVER;
        atomic_init(&o->wake_hint, BND_NEVER);
        atomic_init(&o->main_seen, real_msec());
        atomic_init(&o->todo, false);
        atomic_init(&o->lacp_status, BND_LACP_OFF);
        o->last_now = now;
        o->next_id = BND_NO_MEMBER + 1;
        o->extra.late_ms = OB_LATE_MS;

        ovs_mutex_lock(&owners_mutex);
        hmap_insert(&owners, &o->node, hash_string(name, 0));
        ovs_mutex_unlock(&owners_mutex);
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
        ob_sense_set_netdev(&o->members[i], NULL);
        netdev_close(o->members[i].counted);
        ob_tap_close(o->members[i].tap);
        ob_tap_close(o->members[i].slow);
        free(o->members[i].name);
    }
    free(o->members);
    ob_announce_uninit(&o->announcer);
    ob_host_list_uninit(&o->host);
    bnd_overlay_uninit(&o->overlay);
    bnd_settings_uninit(&o->settings);
    free(o->todo_macs);
    free(o->mtu_error);
    free(o->told_errors);
    free(o->told_notes);
    free(o->config_errors);
    free(o->config_notes);
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
ob_owners_for_each_locked(void (*cb)(struct ob_owner *, void *aux),
                          void *aux)
{
    struct ob_owner *o;

    ovs_mutex_lock(&owners_mutex);
    HMAP_FOR_EACH (o, node, &owners) {
        ovs_mutex_lock(&o->mutex);
        cb(o, aux);
        ovs_mutex_unlock(&o->mutex);
    }
    ovs_mutex_unlock(&owners_mutex);
}

void
ob_owners_pass_lacp(void)
{
    struct ob_owner *o;

    ovs_mutex_lock(&owners_mutex);
    HMAP_FOR_EACH (o, node, &owners) {
        if (o->lacp) {
            ob_owner_pass(o, false);
        }
    }
    ovs_mutex_unlock(&owners_mutex);
}

void
ob_owners_mute(void)
{
    atomic_store_relaxed(&muted, true);
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
            ob_host_mac_release(o->name);
            for (size_t i = 0; i < o->n_members; i++) {
                ob_device_release(&o->members[i]);
            }
            ob_owner_unref(o);
        }
    }
}

void
ob_owners_carrier(const char *name, bool up, bool from_kernel)
{
    bool again = false;
    struct ob_owner *o;

    ovs_mutex_lock(&owners_mutex);
    HMAP_FOR_EACH (o, node, &owners) {
        ovs_mutex_lock(&o->mutex);
        for (size_t i = 0; i < o->n_members; i++) {
            struct ob_member *m = &o->members[i];

            if (o->bond && m->in_bond && m->in_kernel == from_kernel
                && (!name || !strcmp(m->name, name))) {
                if (o->bond->fast) {
                    ob_fast_cut(o->bond->fast, m->id, !up);
                }
                again |= ob_cut_heard(m, up);
            }
        }
        ovs_mutex_unlock(&o->mutex);
    }
    ovs_mutex_unlock(&owners_mutex);
    if (!up) {
        ob_guard_look();
    } else if (again) {
        ob_owners_wake();
    }
}

/* When are the frames due that have come and that 'o' has not taken in?
 * BND_NEVER if there are none.  The caller has the mutex or is the main
 * thread. */
static long long int
frames_due(const struct ob_owner *o)
{
    return MIN(o->lacp ? ob_inbox_due(&o->lacp->inbox) : BND_NEVER,
               o->bond ? ob_inbox_due(&o->bond->inbox) : BND_NEVER);
}

/* When 'o' wants to run, frames that wait for it included. */
static long long int
wake_time(const struct ob_owner *o)
    OVS_REQUIRES(o->mutex)
{
    return MIN(o->wake, frames_due(o));
}

/* The same for the main thread, without the mutex: should the guard have a
 * pass of its own just now, the answer may be of before or after. */
static long long int
wake_time_hint(struct ob_owner *o)
{
    long long int wake;

    atomic_read_relaxed(&o->wake_hint, &wake);
    return MIN(wake, frames_due(o));
}

/* When the main loop has to be there for 'wake'. */
static long long int
main_wake_time(const struct ob_owner *o, long long int wake)
{
    return (o->lacp && wake != BND_NEVER && wake > main_now
            && ob_owners_many_lacp()
            ? ROUND_UP(wake, OB_LACP_GRID) : wake);
}

/* When did the main loop last come round to 'o', by the machine's clock? */
static long long int
main_seen(const struct ob_owner *o)
{
    long long int seen;

    atomic_read_relaxed(&CONST_CAST(struct ob_owner *, o)->main_seen, &seen);
    return seen;
}

/* Has the main loop not come round to 'o' for long? */
static bool
is_held_up(const struct ob_owner *o)
    OVS_REQUIRES(o->mutex)
{
    return real_msec() - main_seen(o) >= OB_LATE_MS;
}

/* How late may the main loop be before the guard takes over?  Once it has, and
 * the main loop has not come round since, nothing is to be waited for. */
static long long int
patience(const struct ob_owner *o)
    OVS_REQUIRES(o->mutex)
{
    return main_seen(o) < o->guard_at ? 0 : OB_LATE_MS;
}

/* Is 'o' one that the guard serves when it is urgent?  Not where the clock of
 * tests stands still. */
static bool
is_guarded(const struct ob_owner *o)
    OVS_REQUIRES(o->mutex)
{
    return o->bond && !o->bond->is_dummy;
}

void
ob_owner_guard(struct ob_owner *o)
{
    ovs_mutex_lock(&o->mutex);
    bool guarded = is_guarded(o);
    bool pass = (ob_cut_due(o) != BND_NEVER
                 || (wake_time(o) <= time_msec() && is_held_up(o)));
    if (pass && is_held_up(o)) {
        o->guard_at = real_msec();
    }
    ovs_mutex_unlock(&o->mutex);

    if (pass) {
        ob_owner_pass(o, true);
    }
    if (guarded) {
        ob_announce_run(o, true);
    }
    ob_owners_wake();
}

struct ob_owner **
ob_owners_late(long long int now, size_t *n, long long int *next)
{
    long long int next_urgent = BND_NEVER;
    struct ob_owner **late;
    struct ob_owner *o;

    *n = 0;
    *next = BND_NEVER;

    ovs_mutex_lock(&owners_mutex);
    late = xcalloc(hmap_count(&owners) + 1, sizeof *late);
    HMAP_FOR_EACH (o, node, &owners) {
        long long int wake, urgent, late_ms;
        bool attached, held_up;

        ovs_mutex_lock(&o->mutex);
        wake = wake_time(o);
        urgent = (is_guarded(o) ? MIN(ob_cut_due(o), ob_announce_guard_time(o))
                  : BND_NEVER);
        attached = o->bond || o->lacp;
        held_up = is_held_up(o);
        late_ms = patience(o);
        ovs_mutex_unlock(&o->mutex);

        if (!attached) {
            continue;           /* Only remembered. */
        }
        /* Events and frames come unannounced, so look at least this often. */
        *next = MIN(*next, now + OB_LATE_MS);
        if (urgent <= now
            || (wake != BND_NEVER && now - wake >= late_ms && held_up)) {
            atomic_count_inc(&o->ref_cnt);
            late[(*n)++] = o;
        } else if (wake != BND_NEVER) {
            *next = MIN(*next, wake + late_ms);
        }
        if (urgent > now) {
            next_urgent = MIN(next_urgent, urgent);
        }
    }
    ovs_mutex_unlock(&owners_mutex);
    if (*next != BND_NEVER) {
        *next = MAX(*next, now + OB_LATE_MS / 4);
    }
    *next = MIN(*next, next_urgent);
    return late;
}

/* The pass. */

/* 'id' is of the member that the frame came in by, if it did. */
static void
feed_bytes(struct ob_owner *o, enum bnd_event_type type, bnd_id id,
           const void *data, size_t len, long long int arrival)
    OVS_REQUIRES(o->mutex)
{
    long long int now = ob_owner_now(o);
    struct bnd_event e = {
        .type = type,
        .id = id,
        .frame = { .data = data, .len = len, .arrival = MIN(arrival, now) },
    };

    bnd_event(o->engine, &e, now, &o->fx);
}

/* Feeds a frame that translation saw of probes, unless its port has a socket
 * that has seen it, too; or one of the host's. */
static void
feed_answer(const struct ob_frame *f, void *o_)
{
    struct ob_owner *o = o_;
    struct ob_member *m = ob_owner_find_member(o, f->aux);

    if (!f->aux) {
        feed_bytes(o, BND_EV_HOST_ARP, BND_NO_MEMBER, f->data, f->len,
                   f->arrival);
    }

    if (m && m->tap < 0) {
        feed_bytes(o, BND_EV_FRAME_RX, m->id, f->data, f->len, f->arrival);
    }
}

/* Feeds what has come in by sockets of members. */
static void
read_taps(struct ob_owner *o)
    OVS_REQUIRES(o->mutex)
{
    uint64_t stub[DIV_ROUND_UP(OB_TAP_FRAME, 8)];

    for (size_t i = 0; i < o->n_members; i++) {
        struct ob_member *m = &o->members[i];
        long long int arrival;
        struct dp_packet p;

        if (m->tap < 0) {
            continue;
        }
        dp_packet_use_stub(&p, stub, sizeof stub);
        for (int n = 0; n < OB_TAP_FRAMES
             && ob_tap_read(m->tap, &p, &arrival); n++) {
            feed_bytes(o, BND_EV_FRAME_RX, m->id, dp_packet_data(&p),
                       dp_packet_size(&p), arrival);
        }
        dp_packet_uninit(&p);
    }
}

/* The same for LACPDUs, which should not have waited. */
static void
feed_lacpdu(const struct ob_frame *f, void *o_)
{
    struct ob_owner *o = o_;
    struct ob_member *m = ob_owner_find_member(o, f->aux);

    if (!m || !ob_slow_is_news(m, f)) {
        return;
    }
    feed_bytes(o, BND_EV_FRAME_RX, m->id, f->data, f->len, f->arrival);
    o->extra.rx_late = MAX(o->extra.rx_late, ob_owner_now(o) - f->arrival);
}

/* A reading of a member's counters. */
struct reading {
    bnd_id id;
    bool known;
    struct netdev_stats stats;
};

/* Reads the counters of all members; the caller frees them. */
static struct reading *
read_counters(struct ob_owner *o, size_t *n)
    OVS_REQUIRES(o->tx_mutex)
{
    struct reading *readings = xcalloc(o->n_members + 1, sizeof *readings);

    *n = 0;
    for (size_t i = 0; i < o->n_members; i++) {
        const struct ob_member *m = &o->members[i];

        if (m->counted) {
            struct reading *r = &readings[(*n)++];

            r->id = m->id;
            r->known = (!netdev_get_stats(m->counted, &r->stats)
                        && r->stats.rx_packets != UINT64_MAX);
        }
    }
    return readings;
}

/* Lets go of the mutex meanwhile. */
static void
feed_counters(struct ob_owner *o)
    OVS_REQUIRES(o->mutex)
{
    struct reading *readings;
    size_t n;

    ovs_mutex_lock(&o->tx_mutex);
    ovs_mutex_unlock(&o->mutex);
    readings = read_counters(o, &n);
    ovs_mutex_unlock(&o->tx_mutex);
    ovs_mutex_lock(&o->mutex);

    for (size_t i = 0; i < n; i++) {
        const struct reading *r = &readings[i];
        struct bnd_event e = {
            .type = BND_EV_COUNTERS,
            .id = r->id,
            .counters = { .known = r->known,
                          .rx_packets = r->stats.rx_packets,
                          .tx_packets = r->stats.tx_packets },
        };

        bnd_event(o->engine, &e, ob_owner_now(o), &o->fx);
    }
    free(readings);
}

/* Feeds what came back of probes: frames that wait, and counters if they are
 * of interest. */
static void
take_answers(struct ob_owner *o)
    OVS_REQUIRES(o->mutex)
{
    ob_inbox_drain(&o->bond->inbox, feed_answer, o);
    read_taps(o);
    if (bnd_wants_counters(o->engine, ob_owner_now(o))) {
        feed_counters(o);
    }
}

static void
count_pass(struct ob_owner *o, bool by_guard)
    OVS_REQUIRES(o->mutex)
{
    long long int late = ob_owner_now(o) - o->wake;

    o->extra.n_passes++;
    o->extra.n_guard += by_guard;
    /* Where tests warp the time, a pass may be late by that clock alone. */
    if (o->wake != BND_NEVER && late >= OB_LATE_MS
        && is_held_up(o)) {
        o->extra.n_late++;
        o->extra.worst_late = MAX(o->extra.worst_late, late);
    }
}

/* Will flows have to be translated anew when 'view' takes the place of what is
 * published?  Those that leave the choice to the datapath care for less than a
 * view has. */
static bool
flows_change(const struct ob_owner *o, const struct bnd_view *view)
    OVS_REQUIRES(o->mutex)
{
    const struct ob_view *ov = o->bond ? ob_bond_view(o->bond) : NULL;

    return (!ov || !view || !bond_use_lb_output_action(o->bond)
            || !bnd_view_same_flows(ov->view, view));
}

/* Brings up to date what the main thread looks at without the mutex. */
static void
update_hints(struct ob_owner *o)
    OVS_REQUIRES(o->mutex)
{
    int status = bnd_lacp_state(o->engine);

    atomic_store_relaxed(&o->lacp_status, status);
    for (size_t i = 0; i < o->n_members; i++) {
        struct ob_member *m = &o->members[i];

        atomic_store_relaxed(&m->lacp_ok,
                             bnd_member_lacp_may_enable(o->engine, m->id));
        atomic_store_relaxed(&m->lacp_current,
                             bnd_member_lacp_current(o->engine, m->id));
    }
    if (o->n_todo_macs
        || o->todo_view || o->todo_connectivity || o->todo_revalidate
        || ob_announce_is_todo(&o->todo_announce) || o->active_changed) {
        atomic_store_relaxed(&o->todo, true);
    }
}

/* Sets addresses aside, for devices are the main thread's. */
static void
keep_macs(struct ob_owner *o, const struct bnd_effects *fx)
    OVS_REQUIRES(o->mutex)
{
    for (size_t i = 0; i < fx->n; i++) {
        const struct bnd_effect *e = &fx->fx[i];

        if (e->type == BND_FX_SET_MAC || e->type == BND_FX_BOND_MAC) {
            o->todo_macs = xrealloc(o->todo_macs, ((o->n_todo_macs + 1)
                                                   * sizeof *o->todo_macs));
            o->todo_macs[o->n_todo_macs++] = (struct ob_mac_todo) {
                .id = e->mac.id,
                .mac = e->mac.mac,
            };
        }
    }
}

/* Sets aside what waits for the main thread and publishes the view. */
static void
take_effects(struct ob_owner *o, struct bnd_effects *fx)
    OVS_REQUIRES(o->mutex)
{
    struct bnd_view *view = NULL;
    bool publish;

    *fx = o->fx;
    bnd_effects_init(&o->fx);

    publish = bnd_effects_has(fx, BND_FX_VIEW) && o->bond;
    if (publish) {
        view = bnd_make_view(o->engine);
    }
    o->todo_revalidate |= (bnd_effects_has(fx, BND_FX_REVALIDATE)
                           && flows_change(o, view));
    ob_announce_note(&o->todo_announce, fx);
    o->active_changed |= bnd_effects_has(fx, BND_FX_ACTIVE);
    o->todo_connectivity |= (bnd_effects_has(fx, BND_FX_ACTIVE)
                             || bnd_effects_has(fx, BND_FX_MEMBER_ENABLE));
    keep_macs(o, fx);
    ob_owner_note_effects__(o, fx);
    if (publish) {
        ob_bond_publish(o->bond, view);
        o->todo_view = true;
    }
    update_hints(o);
}

void
ob_owner_pass(struct ob_owner *o, bool by_guard)
{
    struct bnd_effects fx;
    bool mute, warped;

    ovs_mutex_lock(&o->mutex);
    count_pass(o, by_guard);
    if (by_guard) {
        ob_cut_tell(o);
    }
    if (o->bond) {
        take_answers(o);
    }
    if (o->lacp) {
        if (o->wake <= o->last_now) {
            /* Let a new port begin before it hears its first frame. */
            bnd_run(o->engine, ob_owner_now(o), &o->fx);
        }
        ob_inbox_drain(&o->lacp->inbox, feed_lacpdu, o);
    }
    for (int i = 0; i < MAX_PASSES; i++) {
        bnd_run(o->engine, ob_owner_now(o), &o->fx);
        ob_owner_set_wake(o, bnd_wake_time(o->engine));
        if (o->wake > o->last_now) {
            break;
        }
    }
    take_effects(o, &fx);
    /* Where tests warp the time, nobody is late but by that clock. */
    warped = o->bond && o->bond->is_dummy;
    /* Whoever comes next must not overtake us: its frames are newer. */
    ovs_mutex_lock(&o->tx_mutex);
    ovs_mutex_unlock(&o->mutex);

    atomic_read_relaxed(&muted, &mute);
    for (size_t i = 0; i < fx.n; i++) {
        const struct bnd_effect *e = &fx.fx[i];

        if (e->type == BND_FX_FRAME_TX && !mute) {
            ob_frames_send(o, e->frame.id, e->frame.data, e->frame.len);
        }
    }
    ovs_mutex_unlock(&o->tx_mutex);

    for (size_t i = 0; i < fx.n; i++) {
        if (fx.fx[i].type == BND_FX_TRACE
            && (fx.fx[i].trace.type != BND_TRACE_OVERDUE || !warped)) {
            ob_log_trace(o->name, &fx.fx[i].trace);
        }
    }
    bnd_effects_uninit(&fx);
}

void
ob_owner_want_revalidate(struct ob_owner *o)
{
    ovs_mutex_lock(&o->mutex);
    o->todo_revalidate = true;
    atomic_store_relaxed(&o->todo, true);
    ovs_mutex_unlock(&o->mutex);
}

/* Brings up to date what the bond listens for. */
static void
update_ears(struct ob_owner *o)
{
    o->ears_stale = false;
    if (o->bond && ob_listen_update(o)) {
        ob_owner_want_revalidate(o);
    }
    ob_owner_update_taps(o);
    ob_slow_update(o);
    ob_rp_filter_update(o);
}

void
ob_owner_run(struct ob_owner *o)
{
    bool view, connectivity, todo;

    if (o->bond && o->has_absent) {
        ob_owner_drop_absent_members(o);
    }
    if (o->bond && o->sources_stale) {
        ob_sources_update(o);
    }
    ob_sense_run(o);
    ob_host_list_run(o);
    if (wake_time_hint(o) <= main_now) {
        ob_owner_pass(o, false);
    }
    /* Before peers are told of the new path: it may have a new address. */
    if (ob_device_run(o)) {
        ob_sense_run(o);
        ob_owner_status_changed(o);
    }
    o->knows_past = true;
    atomic_store_relaxed(&o->main_seen, main_real);

    ob_announce_run(o, false);
    atomic_read_relaxed(&o->todo, &todo);
    if (!todo && !o->ears_stale) {
        return;
    }
    ovs_mutex_lock(&o->mutex);
    view = o->todo_view;
    connectivity = o->todo_connectivity;
    o->todo_view = o->todo_connectivity = false;
    /* If the guard has had another pass just now, it is for the next round. */
    atomic_store_relaxed(&o->todo,
                         (o->todo_revalidate || o->active_changed
                          || o->n_todo_macs
                          || ob_announce_is_todo(&o->todo_announce)));
    ovs_mutex_unlock(&o->mutex);

    if (view && o->bond) {
        if (ob_buckets_update(o->buckets, o->bond)) {
            ob_owner_want_revalidate(o);
        }
        o->ears_stale = true;
    }
    if (o->ears_stale) {
        update_ears(o);
    }
    if (connectivity) {
        seq_change(connectivity_seq_get());
    }
}

bool
ob_owner_finish(struct ob_owner *o)
{
    long long int now = time_msec();

    if (!o->finish_by) {
        o->finish_by = now + MAX_FINISH_MS;
        ob_device_run(o);
    }
    ob_announce_run(o, false);
    atomic_store_relaxed(&o->main_seen, main_real);

    long long int wake = ob_announce_wake_time(o);
    if (wake == BND_NEVER || now >= o->finish_by) {
        o->finish_by = 0;
        return true;
    }
    main_wake = MIN(main_wake, wake);
    return false;
}

void
ob_owner_wait(struct ob_owner *o)
{
    long long int wake;
    bool todo;

    atomic_read_relaxed(&o->todo, &todo);
    if (todo) {
        ovs_mutex_lock(&o->mutex);
        /* 'todo_revalidate' comes with 'todo_view', and waits for bond_run(),
         * which a port that has just lost its bond does not see any more. */
        todo = (o->todo_view || o->todo_connectivity
                || ob_announce_is_todo(&o->todo_announce)
                || o->n_todo_macs);
        ovs_mutex_unlock(&o->mutex);
    }
    if (todo) {
        poll_immediate_wake();
        return;
    }

    /* One timer for all, see ob_owners_wait(). */
    wake = MIN(main_wake_time(o, wake_time_hint(o)),
               ob_announce_wake_time(o));
    wake = MIN(wake, ob_sense_wake_time(o));
    wake = MIN(wake, ob_host_list_wake_time(o));
    main_wake = MIN(main_wake, wake);
}

/* Returns '*flag' and clears it. */
static bool
take_flag(struct ob_owner *o, bool *flag)
{
    bool was, todo;

    atomic_read_relaxed(&o->todo, &todo);
    if (!todo) {
        return false;
    }
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
ob_owner_take_active_changed(struct ob_owner *o)
{
    return take_flag(o, &o->active_changed);
}
