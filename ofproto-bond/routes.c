/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/routes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/rtnetlink.h>
#include "hash.h"
#include "netlink.h"
#include "netlink-socket.h"
#include "openvswitch/hmap.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(bond_routes);

/* How often to see whether routes have changed, ms. */
#define LOOK_INTERVAL 1000

/* An answer of the kernel's. */
struct answer {
    struct hmap_node node;      /* In 'answers', by 'ip'. */
    struct bnd_ip ip;
    struct ob_route route;
};

static struct hmap answers = HMAP_INITIALIZER(&answers);
static struct nl_sock *sock;    /* Null before the start, and if it failed. */
static bool started;
static uint64_t seq;
static long long int next_look;

uint64_t
ob_routes_seq(void)
{
    return seq;
}

void
ob_routes_flush(void)
{
    struct answer *a;

    HMAP_FOR_EACH_POP (a, node, &answers) {
        free(a);
    }
}

void
ob_routes_start(void)
{
    if (started) {
        return;
    }
    started = true;

    int error = nl_sock_create(NETLINK_ROUTE, &sock);
    if (!error) {
        error = nl_sock_join_mcgroup(sock, RTNLGRP_IPV4_ROUTE);
    }
    if (!error) {
        error = nl_sock_join_mcgroup(sock, RTNLGRP_IPV6_ROUTE);
    }
    if (error) {
        VLOG_WARN("cannot follow the host's routes (%s): changes will not be "
                  "seen", ovs_strerror(error));
        nl_sock_destroy(sock);
        sock = NULL;
    }
}

void
ob_routes_run(void)
{
    uint64_t stub[4096 / 8];
    struct ofpbuf buf;

    if (!sock || time_msec() < next_look) {
        return;
    }
    next_look = time_msec() + LOOK_INTERVAL;
    ofpbuf_use_stub(&buf, stub, sizeof stub);

    int error = nl_sock_recv(sock, &buf, NULL, false);
    if (!error || error == ENOBUFS) {
        nl_sock_drain(sock);
        ob_routes_flush();
        seq++;
    }
    ofpbuf_uninit(&buf);
}

/* Asking. */

static void
parse(const struct ofpbuf *buf, struct ob_route *route)
{
    static const struct nl_policy policy[] = {
        [RTA_OIF] = { .type = NL_A_U32, .optional = true },
        [RTA_GATEWAY] = { .type = NL_A_UNSPEC, .optional = true },
        [RTA_MULTIPATH] = { .type = NL_A_UNSPEC, .optional = true },
        [RTA_VIA] = { .type = NL_A_UNSPEC, .optional = true },
    };
    struct nlattr *attrs[ARRAY_SIZE(policy)];
    const struct rtmsg *rtm;

    if (buf->size < NLMSG_HDRLEN + sizeof *rtm
        || !nl_policy_parse(buf, NLMSG_HDRLEN + sizeof *rtm, policy, attrs,
                            ARRAY_SIZE(policy))) {
        return;
    }
    rtm = ofpbuf_at_assert(buf, NLMSG_HDRLEN, sizeof *rtm);
    route->is_local = rtm->rtm_type == RTN_LOCAL;
    route->on_link = (rtm->rtm_type == RTN_UNICAST && attrs[RTA_OIF]
                      && !attrs[RTA_GATEWAY] && !attrs[RTA_VIA]);
    route->ifindex = attrs[RTA_OIF] ? nl_attr_get_u32(attrs[RTA_OIF]) : 0;
}

/* Asks the kernel. */
static struct ob_route
ask(const struct bnd_ip *ip)
{
    struct ob_route route = { .on_link = false };
    ovs_be32 ip4 = htonl(ip->ip4);
    struct ofpbuf request, *reply;
    struct rtmsg *rtm;

    ofpbuf_init(&request, 0);
    nl_msg_put_nlmsghdr(&request, sizeof *rtm, RTM_GETROUTE, NLM_F_REQUEST);
    rtm = nl_msg_put_uninit(&request, sizeof *rtm);
    memset(rtm, 0, sizeof *rtm);
    rtm->rtm_family = ip->is_ip6 ? AF_INET6 : AF_INET;
    rtm->rtm_dst_len = ip->is_ip6 ? 128 : 32;
    if (ip->is_ip6) {
        nl_msg_put_unspec(&request, RTA_DST, &ip->ip6, sizeof ip->ip6);
    } else {
        nl_msg_put_unspec(&request, RTA_DST, &ip4, sizeof ip4);
    }

    /* An error says that there is no route. */
    if (!nl_transact(NETLINK_ROUTE, &request, &reply)) {
        parse(reply, &route);
        ofpbuf_delete(reply);
    }
    ofpbuf_uninit(&request);
    return route;
}

struct ob_route
ob_routes_lookup(const struct bnd_ip *ip)
{
    uint32_t hash = hash_bytes(&ip->ip6, sizeof ip->ip6, ip->ip4);
    struct answer *a;

    HMAP_FOR_EACH_WITH_HASH (a, node, hash, &answers) {
        if (a->ip.is_ip6 == ip->is_ip6 && a->ip.ip4 == ip->ip4
            && !memcmp(&a->ip.ip6, &ip->ip6, sizeof ip->ip6)) {
            return a->route;
        }
    }
    a = xzalloc(sizeof *a);
    a->ip = *ip;
    a->route = ask(ip);
    hmap_insert(&answers, &a->node, hash);
    return a->route;
}
