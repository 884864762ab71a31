/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/hosts.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <linux/if_addr.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include "hash.h"
#include "netdev.h"
#include "netlink.h"
#include "netlink-socket.h"
#include "ofproto-bond/carrier.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(bond_hosts);

/* Devices may stand on one another this high; more would be a circle. */
#define MAX_DEPTH 8

struct ovs_mutex ob_host_mutex = OVS_MUTEX_INITIALIZER;

static struct hmap devices = HMAP_INITIALIZER(&devices);
static struct hmap links = HMAP_INITIALIZER(&links);
static struct nl_sock *sock;    /* Null before the start, and if it failed. */
static bool failed;
static uint64_t seq;            /* Counts changes. */

uint64_t
ob_hosts_seq(void)
{
    return seq;
}

/* Devices. */

static struct ob_device *
find_index(int ifindex)
{
    struct ob_device *d;

    HMAP_FOR_EACH_WITH_HASH (d, node, hash_int(ifindex, 0), &devices) {
        if (d->ifindex == ifindex) {
            return d;
        }
    }
    return NULL;
}

static struct ob_device *
get_device(int ifindex)
{
    struct ob_device *d = find_index(ifindex);

    if (!d) {
        d = xzalloc(sizeof *d);
        d->ifindex = ifindex;
        hmap_insert(&devices, &d->node, hash_int(ifindex, 0));
        hmap_insert(&links, &d->link_node, hash_int(0, 0));
    }
    return d;
}

static void
free_device(struct ob_device *d)
{
    seq++;
    hmap_remove(&devices, &d->node);
    hmap_remove(&links, &d->link_node);
    free(d->addrs);
    free(d);
}

static void
forget_all(void)
{
    struct ob_device *d;

    HMAP_FOR_EACH_SAFE (d, node, &devices) {
        free_device(d);
    }
}

static void
set_link(struct ob_device *d, int link)
{
    hmap_remove(&links, &d->link_node);
    d->link = link;
    hmap_insert(&links, &d->link_node, hash_int(link, 0));
}

/* What the kernel says. */

static bool
is_one_of(const char *name, const char *const names[], size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (!strcmp(name, names[i])) {
            return true;
        }
    }
    return false;
}

/* Takes in the tag of a VLAN device. */
static void
parse_vlan(const struct nlattr *data, struct ob_tag *tag)
{
    static const struct nl_policy policy[] = {
        [IFLA_VLAN_ID] = { .type = NL_A_U16, .optional = false },
        [IFLA_VLAN_PROTOCOL] = { .type = NL_A_BE16, .optional = true },
    };
    struct nlattr *attrs[ARRAY_SIZE(policy)];

    if (data && nl_parse_nested(data, policy, attrs, ARRAY_SIZE(policy))) {
        tag->vid = nl_attr_get_u16(attrs[IFLA_VLAN_ID]);
        tag->tpid = (attrs[IFLA_VLAN_PROTOCOL]
                     ? ntohs(nl_attr_get_be16(attrs[IFLA_VLAN_PROTOCOL]))
                     : ETH_TYPE_VLAN);
    }
}

/* Takes in of what kind 'd' is.  Returns whether it shares the link of the one
 * that it stands on. */
static bool
parse_kind(struct ob_device *d, const struct nlattr *info)
{
    static const char *const stacked[] = { "vlan", "macvlan", "macvtap",
                                           "ipvlan", "ipvtap" };
    static const char *const relays[] = { "bridge", "bond", "team" };
    static const struct nl_policy policy[] = {
        [IFLA_INFO_KIND] = { .type = NL_A_STRING, .optional = true },
        [IFLA_INFO_DATA] = { .type = NL_A_UNSPEC, .optional = true },
    };
    struct nlattr *attrs[ARRAY_SIZE(policy)];

    d->is_relay = false;
    memset(&d->tag, 0, sizeof d->tag);
    if (!info || !nl_parse_nested(info, policy, attrs, ARRAY_SIZE(policy))
        || !attrs[IFLA_INFO_KIND]) {
        return false;
    }

    const char *kind = nl_attr_get_string(attrs[IFLA_INFO_KIND]);
    d->is_relay = is_one_of(kind, relays, ARRAY_SIZE(relays));
    if (!strcmp(kind, "vlan")) {
        parse_vlan(attrs[IFLA_INFO_DATA], &d->tag);
    }
    return is_one_of(kind, stacked, ARRAY_SIZE(stacked));
}

/* Counts a change if 'd' is not what it was 'before', as far as we care: not
 * for a carrier. */
static void
count_change(const struct ob_device *d, const struct ob_device *before)
{
    const unsigned int flags = IFF_UP | IFF_NOARP;

    seq += (strcmp(d->name, before->name)
            || (d->flags ^ before->flags) & flags
            || !eth_addr_equals(d->mac, before->mac)
            || d->link != before->link
            || d->master != before->master
            || d->is_relay != before->is_relay
            || d->tag.tpid != before->tag.tpid
            || d->tag.vid != before->tag.vid);
}

static void
parse_link(struct ofpbuf *buf, bool del)
{
    static const struct nl_policy policy[] = {
        [IFLA_IFNAME] = { .type = NL_A_STRING, .optional = false },
        [IFLA_ADDRESS] = { .type = NL_A_UNSPEC, .optional = true },
        [IFLA_LINK] = { .type = NL_A_U32, .optional = true },
        [IFLA_MASTER] = { .type = NL_A_U32, .optional = true },
        [IFLA_LINKINFO] = { .type = NL_A_NESTED, .optional = true },
        [IFLA_LINK_NETNSID] = { .type = NL_A_U32, .optional = true },
    };
    const struct ifinfomsg *ifi;
    struct nlattr *attrs[ARRAY_SIZE(policy)];

    if (buf->size < NLMSG_HDRLEN + sizeof *ifi
        || !nl_policy_parse(buf, NLMSG_HDRLEN + sizeof *ifi, policy, attrs,
                            ARRAY_SIZE(policy))) {
        return;
    }
    ifi = ofpbuf_at_assert(buf, NLMSG_HDRLEN, sizeof *ifi);
    if (ifi->ifi_family != AF_UNSPEC) {
        return;                 /* A bridge speaks of a port of its own. */
    }
    if (del) {
        struct ob_device *gone = find_index(ifi->ifi_index);

        if (gone) {
            free_device(gone);
        }
        return;
    }

    struct ob_device *d = get_device(ifi->ifi_index);
    struct ob_device before = *d;
    const struct nlattr *mac = attrs[IFLA_ADDRESS];
    bool stacked = (parse_kind(d, attrs[IFLA_LINKINFO])
                    && attrs[IFLA_LINK] && !attrs[IFLA_LINK_NETNSID]);

    ovs_strlcpy(d->name, nl_attr_get_string(attrs[IFLA_IFNAME]),
                sizeof d->name);
    d->flags = ifi->ifi_flags;
    d->mac = (mac && nl_attr_get_size(mac) == ETH_ADDR_LEN
              ? nl_attr_get_eth_addr(mac) : eth_addr_zero);
    set_link(d, stacked ? nl_attr_get_u32(attrs[IFLA_LINK]) : 0);
    d->master = (attrs[IFLA_MASTER]
                 ? nl_attr_get_u32(attrs[IFLA_MASTER]) : 0);
    count_change(d, &before);
}

static bool
same_addr(const struct ob_host_addr *a, const struct ob_host_addr *b)
{
    return (a->is_ip6 == b->is_ip6 && a->ip4 == b->ip4
            && !memcmp(&a->ip6, &b->ip6, sizeof a->ip6));
}

/* Returns true if that is a change. */
static bool
change_addr(struct ob_device *d, const struct ob_host_addr *addr, bool del)
{
    size_t i;

    for (i = 0; i < d->n_addrs && !same_addr(&d->addrs[i], addr); i++) {
        continue;
    }
    if (del) {
        if (i == d->n_addrs) {
            return false;
        }
        memmove(&d->addrs[i], &d->addrs[i + 1],
                (--d->n_addrs - i) * sizeof *d->addrs);
        return true;
    }
    if (i < d->n_addrs && d->addrs[i].flags == addr->flags
        && d->addrs[i].plen == addr->plen) {
        return false;
    }
    if (i == d->n_addrs && d->n_addrs++ == d->allocated_addrs) {
        d->addrs = x2nrealloc(d->addrs, &d->allocated_addrs,
                              sizeof *d->addrs);
    }
    d->addrs[i] = *addr;
    return true;
}

static void
parse_addr(struct ofpbuf *buf, bool del)
{
    static const struct nl_policy policy[] = {
        [IFA_ADDRESS] = { .type = NL_A_UNSPEC, .optional = true },
        [IFA_LOCAL] = { .type = NL_A_UNSPEC, .optional = true },
        [IFA_FLAGS] = { .type = NL_A_U32, .optional = true },
    };
    const struct ifaddrmsg *ifa;
    struct nlattr *attrs[ARRAY_SIZE(policy)];

    if (buf->size < NLMSG_HDRLEN + sizeof *ifa
        || !nl_policy_parse(buf, NLMSG_HDRLEN + sizeof *ifa, policy, attrs,
                            ARRAY_SIZE(policy))) {
        return;
    }
    ifa = ofpbuf_at_assert(buf, NLMSG_HDRLEN, sizeof *ifa);

    const struct nlattr *own = (attrs[IFA_LOCAL] ? attrs[IFA_LOCAL]
                                : attrs[IFA_ADDRESS]);
    struct ob_host_addr addr = {
        .flags = (attrs[IFA_FLAGS] ? nl_attr_get_u32(attrs[IFA_FLAGS])
                  : ifa->ifa_flags),
        .plen = ifa->ifa_prefixlen,
    };

    if (own && ifa->ifa_family == AF_INET
        && nl_attr_get_size(own) == sizeof addr.ip4) {
        addr.ip4 = ntohl(nl_attr_get_be32(own));
    } else if (own && ifa->ifa_family == AF_INET6
               && nl_attr_get_size(own) == sizeof addr.ip6) {
        addr.is_ip6 = true;
        memcpy(&addr.ip6, nl_attr_get(own), sizeof addr.ip6);
    } else {
        return;
    }

    struct ob_device *d = find_index(ifa->ifa_index);
    if (d) {
        seq += change_addr(d, &addr, del);
    }
}

static void
parse_netconf(struct ofpbuf *buf)
{
    static const struct nl_policy policy[] = {
        [NETCONFA_IFINDEX] = { .type = NL_A_U32, .optional = false },
        [NETCONFA_FORWARDING] = { .type = NL_A_U32, .optional = true },
    };
    struct nlattr *attrs[ARRAY_SIZE(policy)];
    const struct netconfmsg *ncm;

    if (buf->size >= NLMSG_HDRLEN + sizeof *ncm
        && nl_policy_parse(buf, NLMSG_ALIGN(NLMSG_HDRLEN + sizeof *ncm),
                           policy, attrs, ARRAY_SIZE(policy))) {
        ncm = ofpbuf_at_assert(buf, NLMSG_HDRLEN, sizeof *ncm);

        /* Null for "all" and "default". */
        struct ob_device *d
            = find_index(nl_attr_get_u32(attrs[NETCONFA_IFINDEX]));
        if (d && ncm->ncm_family == AF_INET6 && attrs[NETCONFA_FORWARDING]) {
            d->forwards = nl_attr_get_u32(attrs[NETCONFA_FORWARDING]);
        }
    }
}

static void
parse(struct ofpbuf *buf)
{
    int type = nl_msg_nlmsghdr(buf)->nlmsg_type;

    switch (type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
        parse_link(buf, type == RTM_DELLINK);
        break;
    case RTM_NEWADDR:
    case RTM_DELADDR:
        parse_addr(buf, type == RTM_DELADDR);
        break;
    case RTM_NEWNETCONF:
        parse_netconf(buf);
        break;
    default:
        break;
    }
}

/* Hearing it. */

static void
dump(int type, int family, size_t header_len)
{
    uint64_t stub[NL_DUMP_BUFSIZE / 8];
    struct ofpbuf request, reply, buf;
    struct nl_dump d;

    ofpbuf_init(&request, 0);
    nl_msg_put_nlmsghdr(&request, header_len, type, NLM_F_REQUEST);
    /* All headers begin with the family. */
    uint8_t *header = nl_msg_put_uninit(&request, header_len);
    memset(header, 0, header_len);
    *header = family;

    nl_dump_start(&d, NETLINK_ROUTE, &request);
    ofpbuf_uninit(&request);
    ofpbuf_use_stub(&buf, stub, sizeof stub);
    while (nl_dump_next(&d, &reply, &buf)) {
        parse(&reply);
    }
    ofpbuf_uninit(&buf);

    int error = nl_dump_done(&d);
    if (error) {
        VLOG_WARN("cannot read the host's devices or addresses (%s)",
                  ovs_strerror(error));
    }
}

static void
read_all(void)
{
    forget_all();
    dump(RTM_GETLINK, AF_UNSPEC, sizeof(struct ifinfomsg));
    dump(RTM_GETADDR, AF_UNSPEC, sizeof(struct ifaddrmsg));
    dump(RTM_GETNETCONF, AF_INET6, NLMSG_ALIGN(sizeof(struct netconfmsg)));
}

void
ob_hosts_start(void)
{
    static const int groups[] = { RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR,
                                  RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV6_NETCONF };

    if (sock || failed) {
        return;
    }

    int error = nl_sock_create(NETLINK_ROUTE, &sock);
    for (size_t i = 0; !error && i < ARRAY_SIZE(groups); i++) {
        error = nl_sock_join_mcgroup(sock, groups[i]);
    }
    if (error) {
        VLOG_WARN("cannot follow the host's addresses (%s): they will not be "
                  "announced", ovs_strerror(error));
        nl_sock_destroy(sock);
        sock = NULL;
        failed = true;
        return;
    }
    ovs_mutex_lock(&ob_host_mutex);
    read_all();
    ovs_mutex_unlock(&ob_host_mutex);
}

void
ob_hosts_run(void)
{
    uint64_t stub[4096 / 8];
    struct ofpbuf buf;

    if (!sock) {
        return;
    }
    ofpbuf_use_stub(&buf, stub, sizeof stub);
    for (;;) {
        ofpbuf_clear(&buf);

        int error = nl_sock_recv(sock, &buf, NULL, false);
        if (!error) {
            parse(&buf);
        } else if (error == ENOBUFS) {
            /* Something was missed.  What is still waiting is older than that,
             * and must not be taken for news. */
            nl_sock_drain(sock);
            read_all();
        } else {
            break;
        }
    }
    ofpbuf_uninit(&buf);
}

void
ob_hosts_wait(void)
{
    if (sock) {
        nl_sock_wait(sock, POLLIN);
    }
}

/* Asking. */

bool
ob_host_addr_is_ours(const struct ob_host_addr *addr)
{
    return (!addr->is_ip6
            || !(addr->flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)));
}

static void
visit(const struct ob_device *d, const struct ob_tags *tags, int depth,
      ob_hosts_cb *cb, void *aux)
{
    const struct ob_device *child;

    if (depth >= MAX_DEPTH || !(d->flags & IFF_UP)) {
        return;
    }
    cb(d, tags, aux);
    HMAP_FOR_EACH_WITH_HASH (child, link_node, hash_int(d->ifindex, 0),
                             &links) {
        struct ob_tags inner = *tags;

        /* What is sent by 'd' has the tags of 'd' before that of 'child'. */
        if (child->link == d->ifindex
            && ob_tags_append(&inner, child->tag)) {
            visit(child, &inner, depth + 1, cb, aux);
        }
    }

    const struct ob_device *master = d->master ? find_index(d->master) : NULL;
    if (master && master->is_relay) {
        visit(master, tags, depth + 1, cb, aux);
    }
}

/* The same for a device that the kernel does not know: it has what the switch
 * says that it has. */
static void
visit_netdev(const struct netdev *netdev, const struct ob_tags *tags,
             ob_hosts_cb *cb, void *aux)
{
    struct in6_addr *addrs, *masks;
    struct ob_device d;
    int n;

    memset(&d, 0, sizeof d);
    if (netdev_get_etheraddr(netdev, &d.mac)
        || netdev_get_addr_list(netdev, &addrs, &masks, &n)) {
        return;
    }
    ovs_strlcpy(d.name, netdev_get_name(netdev), sizeof d.name);
    for (int i = 0; i < n; i++) {
        bool is_ip6 = !IN6_IS_ADDR_V4MAPPED(&addrs[i]);
        struct ob_host_addr addr = { .is_ip6 = is_ip6 };

        if (is_ip6) {
            memcpy(&addr.ip6, &addrs[i], sizeof addr.ip6);
            addr.plen = ipv6_count_cidr_bits(&masks[i]);
        } else {
            addr.ip4 = ntohl(in6_addr_get_mapped_ipv4(&addrs[i]));
            addr.plen = ip_count_cidr_bits(
                in6_addr_get_mapped_ipv4(&masks[i]));
        }
        change_addr(&d, &addr, false);
    }
    free(addrs);
    free(masks);
    cb(&d, tags, aux);
    free(d.addrs);
}

void
ob_hosts_for_each(const struct netdev *netdev, ob_hosts_cb *cb, void *aux)
{
    int ifindex = netdev_get_ifindex(netdev);
    struct ob_tags none;

    memset(&none, 0, sizeof none);
    if (ifindex > 0) {
        const struct ob_device *d = find_index(ifindex);

        if (d) {
            visit(d, &none, 0, cb, aux);
        }
    } else if (!ob_carrier_in_kernel(netdev)) {
        visit_netdev(netdev, &none, cb, aux);
    }
}

void
ob_hosts_for_all(ob_hosts_cb *cb, void *aux)
{
    const struct ob_device *d;
    struct ob_tags none;

    memset(&none, 0, sizeof none);
    HMAP_FOR_EACH (d, node, &devices) {
        if (d->flags & IFF_UP) {
            cb(d, &none, aux);
        }
    }
}

const struct ob_device *
ob_hosts_find(int ifindex)
{
    return find_index(ifindex);
}
