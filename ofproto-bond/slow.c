/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/slow.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>
#include "dp-packet.h"
#include "hash.h"
#include "ofproto-bond/handle.h"
#include "ofproto-bond/taps.h"
#include "ofproto-bond/worker.h"
#include "openvswitch/hmap.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(bond_slow);

/* Translation may be this late with what came before a socket was there,
 * ms. */
#define OVERLAP_MS 1000

/* Sockets that are looked at in one round. */
#define MAX_EVENTS 64

/* A socket that is listened to. */
struct ear {
    struct hmap_node node;      /* In 'ears', by 'fd'. */
    int fd;                     /* The member's... */
    const void *aux;            /* ...who is this one to OVS... */
    struct lacp *lacp;          /* ...and whose frames go there. */
};

static struct ob_worker worker;

/* The main thread opens and closes under the mutex, and the thread reads with
 * it; nobody waits for anything meanwhile. */
static struct ovs_mutex mutex = OVS_MUTEX_INITIALIZER;
static struct hmap ears OVS_GUARDED_BY(mutex) = HMAP_INITIALIZER(&ears);
static int epoll_fd = -1;

/* The thread. */

static struct ear *
find_ear(int fd)
    OVS_REQUIRES(mutex)
{
    struct ear *ear;

    HMAP_FOR_EACH_WITH_HASH (ear, node, hash_int(fd, 0), &ears) {
        if (ear->fd == fd) {
            return ear;
        }
    }
    return NULL;
}

/* Puts what waits at 'ear' where it belongs. */
static void
hear(const struct ear *ear)
    OVS_REQUIRES(mutex)
{
    uint64_t stub[DIV_ROUND_UP(OB_TAP_FRAME, 8)];
    long long int arrival;
    struct dp_packet p;

    dp_packet_use_stub(&p, stub, sizeof stub);
    for (int n = 0; n < OB_MAX_FRAMES
         && ob_tap_read(ear->fd, &p, &arrival); n++) {
        ob_inbox_put_heard(&ear->lacp->inbox, ear->aux, &p, arrival,
                           OB_INBOX_NOW);
    }
    dp_packet_uninit(&p);
}

static void *
slow_main(void *aux OVS_UNUSED)
{
    while (ob_worker_goes_on(&worker)) {
        struct epoll_event events[MAX_EVENTS];
        int n = epoll_wait(epoll_fd, events, MAX_EVENTS, 0);

        ovs_mutex_lock(&mutex);
        for (int i = 0; i < n; i++) {
            const struct ear *ear = find_ear(events[i].data.fd);

            if (ear) {
                hear(ear);
            }
        }
        ovs_mutex_unlock(&mutex);

        if (n == MAX_EVENTS) {
            poll_immediate_wake();
        }
        poll_fd_wait(epoll_fd, POLLIN);
        ob_worker_sleep(&worker);
    }
    return NULL;
}

/* Makes the thread listen to 'fd'.  Returns 0 or a positive errno. */
static int
listen_to(int fd, struct lacp *lacp, const void *aux)
{
    struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
    struct ear *ear;

    if (epoll_fd < 0) {
        epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    }
    if (epoll_fd < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event)) {
        return errno;
    }

    ear = xmalloc(sizeof *ear);
    ear->fd = fd;
    ear->aux = aux;
    ear->lacp = lacp;
    ovs_mutex_lock(&mutex);
    hmap_insert(&ears, &ear->node, hash_int(fd, 0));
    hear(ear);
    ovs_mutex_unlock(&mutex);
    ob_worker_start(&worker, "bond_slow", slow_main);
    return 0;
}

static void
forget(int fd)
{
    epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, NULL);

    ovs_mutex_lock(&mutex);
    struct ear *ear = find_ear(fd);
    if (ear) {
        hmap_remove(&ears, &ear->node);
        free(ear);
    }
    ovs_mutex_unlock(&mutex);
}

void
ob_slow_stop(void)
{
    ob_worker_stop(&worker);
}

/* Members. */

/* Gives 'm' the socket 'fd'; -1: none. */
static void
set_socket(struct ob_owner *o, struct ob_member *m, int fd)
{
    if (m->slow >= 0) {
        forget(m->slow);
    }
    ovs_mutex_lock(&o->mutex);
    ovs_mutex_lock(&o->tx_mutex);
    ob_tap_close(m->slow);
    m->slow = fd;
    m->slow_since = time_msec();
    m->slow_last[0] = m->slow_last[1] = 0;
    ovs_mutex_unlock(&o->tx_mutex);
    ovs_mutex_unlock(&o->mutex);
}

/* Since when do sockets hear all of 'o'? */
static void
note_since(struct ob_owner *o)
{
    long long int since = 0;

    for (size_t i = 0; i < o->n_members; i++) {
        const struct ob_member *m = &o->members[i];

        if (m->in_lacp) {
            since = MAX(since, m->slow < 0 ? LLONG_MAX : m->slow_since);
        }
    }
    atomic_store_relaxed(&o->lacp->heard_since, since ? since : LLONG_MAX);
}

void
ob_slow_close(struct ob_owner *o, struct ob_member *m)
{
    if (m->slow >= 0) {
        set_socket(o, m, -1);
        if (o->lacp) {
            note_since(o);
        }
    }
}

void
ob_slow_close_all(struct ob_owner *o)
{
    for (size_t i = 0; i < o->n_members; i++) {
        ob_slow_close(o, &o->members[i]);
    }
}

static void
open_socket(struct ob_owner *o, struct ob_member *m)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
    int fd = ob_tap_open(m->netdev, OB_TAP_SLOW);

    if (fd >= 0) {
        int error;

        set_socket(o, m, fd);
        error = listen_to(fd, o->lacp, m->aux);
        if (error) {
            VLOG_WARN_RL(&rl, "%s: cannot listen (%s)", m->name,
                         ovs_strerror(error));
            set_socket(o, m, -1);
        }
    }
}

void
ob_slow_update(struct ob_owner *o)
{
    for (size_t i = 0; i < o->n_members; i++) {
        struct ob_member *m = &o->members[i];
        bool wanted = o->lacp && m->in_lacp && m->aux && m->netdev;

        if (!wanted) {
            ob_slow_close(o, m);
        } else if (m->slow < 0) {
            open_socket(o, m);
        }
    }
    if (o->lacp) {
        note_since(o);
    }
}

bool
ob_slow_is_news(struct ob_member *m, const struct ob_frame *f)
{
    if (m->slow < 0) {
        return true;
    }
    if (f->arrival > m->slow_since + OVERLAP_MS) {
        return f->by_socket;
    }

    uint32_t hash = hash_bytes(f->data, f->len, 1);
    if (m->slow_last[!f->by_socket] == hash) {
        m->slow_last[!f->by_socket] = 0;
        return false;
    }
    m->slow_last[f->by_socket] = hash;
    return true;
}

bool
ob_slow_hears_all(const struct lacp *lacp)
{
    long long int since;

    atomic_read_relaxed(&CONST_CAST(struct lacp *, lacp)->heard_since,
                        &since);
    return since != LLONG_MAX && time_msec() > since + OVERLAP_MS;
}
