/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/carrier.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/rtnetlink.h>
#include "netdev.h"
#include "netlink-socket.h"
#include "ofproto-bond/ethtool.h"
#include "ofproto-bond/owner.h"
#include "ofproto-bond/worker.h"
#include "openvswitch/list.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/thread.h"
#include "openvswitch/vlog.h"
#include "rtnetlink.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(bond_carrier);

/* A device that speaks late. */
struct counted {
    struct ovs_list node;
    struct netdev *netdev;      /* A reference. */
    int fd;                     /* Of the counter... */
    long long int n;            /* ...which had this value. */
};

/* A device that has to be asked. */
struct mute {
    struct ovs_list node;
    struct netdev *netdev;      /* A reference. */
    bool up;                    /* What it said last. */
};

static struct ob_worker worker; /* Woken for a device that has to be asked. */

static struct ovs_mutex mutex = OVS_MUTEX_INITIALIZER;
static struct ovs_list mutes OVS_GUARDED_BY(mutex)
    = OVS_LIST_INITIALIZER(&mutes);
static struct ovs_list counteds OVS_GUARDED_BY(mutex)
    = OVS_LIST_INITIALIZER(&counteds);
static int n_counteds OVS_GUARDED_BY(mutex);

/* Devices that speak. */

static struct nl_sock *
open_socket(void)
{
    struct nl_sock *sock;
    int error = nl_sock_create(NETLINK_ROUTE, &sock);

    if (!error) {
        error = nl_sock_join_mcgroup(sock, RTNLGRP_LINK);
        if (error) {
            nl_sock_destroy(sock);
        }
    }
    if (error) {
        VLOG_WARN("cannot listen for changes of links (%s): the main loop "
                  "alone will see them", ovs_strerror(error));
        return NULL;
    }
    return sock;
}

static void
listen_links(struct nl_sock *sock)
{
    uint64_t stub[4096 / 8];
    struct ofpbuf buf;

    ofpbuf_use_stub(&buf, stub, sizeof stub);
    for (;;) {
        struct rtnetlink_change change;
        int error;

        ofpbuf_clear(&buf);
        error = nl_sock_recv(sock, &buf, NULL, false);
        if (error == EAGAIN) {
            break;
        } else if (error == ENOBUFS) {
            /* Something was missed.  Trust the main loop in everything. */
            ob_owners_carrier(NULL, true, true);
        } else if (error) {
            break;
        } else if (rtnetlink_parse(&buf, &change) && change.ifname
                   && rtnetlink_type_is_rtnlgrp_link(change.nlmsg_type)) {
            ob_owners_carrier(change.ifname,
                              change.nlmsg_type == RTM_NEWLINK
                              && change.ifi_flags & IFF_UP
                              && change.ifi_flags & IFF_RUNNING, true);
        }
    }
    ofpbuf_uninit(&buf);
}

/* Devices that speak late. */

static int
open_count(const char *name, const char *what)
{
    char *path = xasprintf("/sys/class/net/%s/%s", name, what);
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    free(path);
    return fd;
}

/* Returns the number in the file 'fd', or -1. */
static long long int
read_count(int fd)
{
    char buf[32];
    ssize_t n = pread(fd, buf, sizeof buf - 1, 0);

    if (n <= 0) {
        return -1;
    }
    buf[n] = '\0';
    return atoll(buf);
}

static long long int
read_once(const char *name, const char *what)
{
    int fd = open_count(name, what);
    long long int n = fd < 0 ? -1 : read_count(fd);

    if (fd >= 0) {
        close(fd);
    }
    return n;
}

static void
watch_count(struct netdev *netdev)
{
    const char *name = netdev_get_name(netdev);
    int ifindex = netdev_get_ifindex(netdev);

    /* Of one that stands on another it tells at once; and what /sys shows may
     * be another network namespace. */
    if (ifindex <= 0 || read_once(name, "ifindex") != ifindex
        || read_once(name, "iflink") != ifindex) {
        return;
    }

    int fd = open_count(name, "carrier_down_count");
    if (fd >= 0) {
        struct counted *c = xzalloc(sizeof *c);

        c->netdev = netdev_ref(netdev);
        c->fd = fd;
        c->n = read_count(fd);
        ovs_mutex_lock(&mutex);
        ovs_list_push_back(&counteds, &c->node);
        n_counteds++;
        ovs_mutex_unlock(&mutex);
        ob_worker_wake(&worker);
    }
}

static void
unwatch_count(struct netdev *netdev)
{
    struct counted *c;

    ovs_mutex_lock(&mutex);
    LIST_FOR_EACH_SAFE (c, node, &counteds) {
        if (c->netdev == netdev) {
            ovs_list_remove(&c->node);
            n_counteds--;
            close(c->fd);
            netdev_close(c->netdev);
            free(c);
            break;
        }
    }
    ovs_mutex_unlock(&mutex);
}

/* Looks at all counters.  Returns how many there are. */
static int
look_at_counts(void)
{
    struct counted *c;
    int n_all;

    ovs_mutex_lock(&mutex);
    LIST_FOR_EACH (c, node, &counteds) {
        long long int n = read_count(c->fd);
        bool up;

        if (n >= 0 && n != c->n) {
            const char *name = netdev_get_name(c->netdev);

            /* Newer versions of Linux tell all others as we ask. */
            c->n = n;
            if (!ob_ethtool_link_detected(name, &up) && !up) {
                ob_owners_carrier(name, false, true);
            }
        }
    }
    n_all = n_counteds;
    ovs_mutex_unlock(&mutex);
    return n_all;
}

/* Devices that have to be asked. */

static bool
is_mute(const struct netdev *netdev)
{
    return !strncmp(netdev_get_type(netdev), "dpdk", 4);
}

bool
ob_carrier_in_kernel(const struct netdev *netdev)
{
    return strncmp(netdev_get_type(netdev), "dummy", 5) && !is_mute(netdev);
}

void
ob_carrier_watch(struct netdev *netdev)
{
    if (netdev && is_mute(netdev)) {
        struct mute *m = xzalloc(sizeof *m);

        m->netdev = netdev_ref(netdev);
        m->up = true;
        ovs_mutex_lock(&mutex);
        ovs_list_push_back(&mutes, &m->node);
        ovs_mutex_unlock(&mutex);
        ob_worker_wake(&worker);
    } else if (netdev && ob_carrier_in_kernel(netdev)) {
        watch_count(netdev);
    }
}

void
ob_carrier_unwatch(struct netdev *netdev)
{
    struct mute *m;

    if (!netdev) {
        return;
    }
    unwatch_count(netdev);
    ovs_mutex_lock(&mutex);
    LIST_FOR_EACH_SAFE (m, node, &mutes) {
        if (m->netdev == netdev) {
            ovs_list_remove(&m->node);
            netdev_close(m->netdev);
            free(m);
            break;
        }
    }
    ovs_mutex_unlock(&mutex);
}

/* Asks all that have to be asked.  Returns true if there are any. */
static bool
ask_mutes(void)
{
    struct mute *m;
    bool any;

    ovs_mutex_lock(&mutex);
    any = !ovs_list_is_empty(&mutes);
    LIST_FOR_EACH (m, node, &mutes) {
        bool up = netdev_get_carrier(m->netdev);

        if (up != m->up) {
            m->up = up;
            ob_owners_carrier(netdev_get_name(m->netdev), up, false);
        }
    }
    ovs_mutex_unlock(&mutex);
    return any;
}

/* The thread. */

static void *
carrier_main(void *aux OVS_UNUSED)
{
    struct nl_sock *sock = open_socket();

    while (ob_worker_goes_on(&worker)) {
        if (sock) {
            listen_links(sock);
            nl_sock_wait(sock, POLLIN);
        }
        if (ask_mutes()) {
            poll_timer_wait(OB_CARRIER_POLL_MS);
        }

        int n = look_at_counts();
        if (n) {
            poll_timer_wait(OB_CARRIER_COUNT_MS + n / OB_CARRIER_COUNT_MANY);
        }
        ob_worker_sleep(&worker);
    }
    nl_sock_destroy(sock);
    return NULL;
}

void
ob_carrier_start(void)
{
    ob_worker_start(&worker, "bond_carrier", carrier_main);
}

void
ob_carrier_stop(void)
{
    ob_worker_stop(&worker);
}
