/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/taps.h"

#include <errno.h>
#include <netinet/icmp6.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include "config/settings.h"
#include "dp-packet.h"
#include "netdev.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "socket-util.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(bond_taps);

/* Frames of a storm of ARP that wait for a pass, in bytes. */
#define QUEUE_BYTES (1 << 20)

/* What is said of a frame that waited longer than this is not true, ms. */
#define MAX_AGE 600000

/* ARP and neighbour discovery that others have sent, with one tag in the frame
 * (the kernel has taken out the outer one) or none. */
#define LDH(AT) BPF_STMT(BPF_LD | BPF_H | BPF_ABS, AT)
#define LDB(AT) BPF_STMT(BPF_LD | BPF_B | BPF_ABS, AT)
#define JEQ(K, YES, NO) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, K, YES, NO)

/* Jumps go to a line's number less that of the line behind. */
static const struct sock_filter any_filter[] = {
    /*  0 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                      SKF_AD_OFF + SKF_AD_PKTTYPE),
    /*  1 */ JEQ(PACKET_OUTGOING, 21 - 2, 0),
    /*  2 */ LDH(12),
    /*  3 */ JEQ(ETH_P_ARP, 20 - 4, 0),
    /*  4 */ JEQ(ETH_P_IPV6, 10 - 5, 0),
    /*  5 */ JEQ(ETH_P_8021Q, 7 - 6, 0),
    /*  6 */ JEQ(ETH_P_8021AD, 0, 21 - 7),
    /*  7 */ LDH(16),
    /*  8 */ JEQ(ETH_P_ARP, 20 - 9, 0),
    /*  9 */ JEQ(ETH_P_IPV6, 15 - 10, 21 - 10),
    /* 10 */ LDB(20),
    /* 11 */ JEQ(IPPROTO_ICMPV6, 0, 21 - 12),
    /* 12 */ LDB(54),
    /* 13 */ JEQ(ND_NEIGHBOR_SOLICIT, 20 - 14, 0),
    /* 14 */ JEQ(ND_NEIGHBOR_ADVERT, 20 - 15, 21 - 15),
    /* 15 */ LDB(24),
    /* 16 */ JEQ(IPPROTO_ICMPV6, 0, 21 - 17),
    /* 17 */ LDB(58),
    /* 18 */ JEQ(ND_NEIGHBOR_SOLICIT, 20 - 19, 0),
    /* 19 */ JEQ(ND_NEIGHBOR_ADVERT, 0, 21 - 20),
    /* 20 */ BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
    /* 21 */ BPF_STMT(BPF_RET | BPF_K, 0),
};

/* The same, but of ARP only what comes from a target or is about one: lines 3
 * and 8 go here, which is behind the others. */
#define ARP_UNTAGGED 22
#define ARP_TAGGED 24
#define MAX_FILTER (ARRAY_SIZE(any_filter) + 7 + 2 * 2 * BND_MAX_TARGETS)

BUILD_ASSERT_DECL(ARRAY_SIZE(any_filter) == ARP_UNTAGGED);

/* Slow protocols that others have sent, with a tag in the frame (and maybe one
 * that the kernel has taken out) or none. */
static const struct sock_filter slow_filter[] = {
    /*  0 */ BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
                      SKF_AD_OFF + SKF_AD_PKTTYPE),
    /*  1 */ JEQ(PACKET_OUTGOING, 9 - 2, 0),
    /*  2 */ LDH(12),
    /*  3 */ JEQ(ETH_P_SLOW, 8 - 4, 0),
    /*  4 */ JEQ(ETH_P_8021Q, 6 - 5, 0),
    /*  5 */ JEQ(ETH_P_8021AD, 0, 9 - 6),
    /*  6 */ LDH(16),
    /*  7 */ JEQ(ETH_P_SLOW, 0, 9 - 8),
    /*  8 */ BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
    /*  9 */ BPF_STMT(BPF_RET | BPF_K, 0),
};

static size_t
build_filter(struct sock_filter f[MAX_FILTER], const struct bnd_ip *targets,
             size_t n_targets)
{
    static const struct sock_filter head[] = {
        BPF_STMT(BPF_LDX | BPF_IMM, 0),
        BPF_STMT(BPF_JMP | BPF_JA, 1),
        BPF_STMT(BPF_LDX | BPF_IMM, 4),
    };
    static const int addrs[] = { 28, 38 };      /* Of sender and target. */
    size_t n = ARRAY_SIZE(any_filter), n_ip4 = 0;

    memcpy(f, any_filter, sizeof any_filter);
    f[3].jt = ARP_UNTAGGED - 4;
    f[8].jt = ARP_TAGGED - 9;
    memcpy(&f[n], head, sizeof head);
    n += ARRAY_SIZE(head);
    for (size_t i = 0; i < n_targets; i++) {
        n_ip4 += !targets[i].is_ip6;
    }

    size_t accept = n + 2 * (1 + n_ip4) + 1;
    for (size_t i = 0; i < ARRAY_SIZE(addrs); i++) {
        f[n++] = (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_IND,
                                               addrs[i]);
        for (size_t j = 0; j < n_targets; j++) {
            if (!targets[j].is_ip6) {
                f[n] = (struct sock_filter) JEQ(targets[j].ip4,
                                                accept - (n + 1), 0);
                n++;
            }
        }
    }
    f[n++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, 0);
    f[n++] = (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, UINT32_MAX);
    return n;
}

/* Returns 0 or a positive errno. */
static int
set_filter(int fd, const struct sock_filter *filter, size_t n)
{
    const struct sock_fprog prog = {
        .len = n,
        .filter = CONST_CAST(struct sock_filter *, filter),
    };

    return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof prog)
           ? errno : 0;
}

void
ob_tap_listen_for(int fd, bool any, const struct bnd_ip *targets, size_t n)
{
    struct sock_filter f[MAX_FILTER];
    int error;

    ovs_assert(n <= 2 * BND_MAX_TARGETS);
    error = (any ? set_filter(fd, any_filter, ARRAY_SIZE(any_filter))
             : set_filter(fd, f, build_filter(f, targets, n)));
    if (error) {
        VLOG_DBG("cannot filter what comes in (%s)", ovs_strerror(error));
    }
}

/* Returns 0 or a positive errno. */
static int
set_up(int fd, int ifindex, enum ob_tap_kind kind)
{
    const struct sockaddr_ll sll = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(ETH_P_ALL),
        .sll_ifindex = ifindex,
    };
    const int on = 1, bytes = QUEUE_BYTES;

    /* The filter would drop it, but only a copy of each packet that is sent.
     * Linux before 4.20 does not know this. */
    if (setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &on, sizeof on)) {
        VLOG_DBG("cannot ignore what goes out (%s)", ovs_strerror(errno));
    }

    int error = (kind == OB_TAP_SLOW
                 ? set_filter(fd, slow_filter, ARRAY_SIZE(slow_filter))
                 : set_filter(fd, any_filter, ARRAY_SIZE(any_filter)));

    if (error) {
        return error;
    }
    /* LACPDUs are read as they come; and one socket with time stamps makes the
     * kernel take the time of every packet of every device. */
    if (setsockopt(fd, SOL_PACKET, PACKET_AUXDATA, &on, sizeof on)
        || (kind == OB_TAP_PROBES
            && setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on))
        || bind(fd, (const struct sockaddr *) &sll, sizeof sll)) {
        return errno;
    }
    if (kind == OB_TAP_PROBES
        && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes)) {
        VLOG_DBG("cannot enlarge a queue (%s)", ovs_strerror(errno));
    }
    return set_nonblocking(fd);
}

int
ob_tap_open(const struct netdev *netdev, enum ob_tap_kind kind)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);
    int ifindex, error, fd;

    /* Others are read past the kernel. */
    if (strcmp(netdev_get_type(netdev), "system")) {
        return -1;
    }
    ifindex = netdev_get_ifindex(netdev);
    if (ifindex <= 0) {
        return -1;
    }

    /* Nothing comes in before it is bound. */
    fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
    error = fd < 0 ? errno : set_up(fd, ifindex, kind);
    if (error) {
        VLOG_WARN_RL(&rl, "%s: cannot listen for %s apart from the datapath "
                     "(%s)", netdev_get_name(netdev),
                     kind == OB_TAP_SLOW ? "LACPDUs" : "answers to probes",
                     ovs_strerror(error));
        ob_tap_close(fd);
        fd = -1;
    }
    return fd;
}

void
ob_tap_close(int fd)
{
    if (fd >= 0) {
        close(fd);
    }
}

/* How long ago 'ts' was, by the clock of the wall, in ms. */
static long long int
age(const struct timespec *ts)
{
    struct timespec now;
    long long int ms;

    clock_gettime(CLOCK_REALTIME, &now);
    ms = ((now.tv_sec - ts->tv_sec) * 1000LL
          + (now.tv_nsec - ts->tv_nsec) / 1000000);
    return ms < 0 || ms > MAX_AGE ? 0 : ms;     /* It was set meanwhile. */
}

/* Puts the tag back that the kernel has taken out. */
static void
restore_tag(struct dp_packet *packet, const struct tpacket_auxdata *aux)
{
    if (aux->tp_status & TP_STATUS_VLAN_VALID) {
        bool has_tpid = aux->tp_status & TP_STATUS_VLAN_TPID_VALID;

        eth_push_vlan(packet, htons(has_tpid ? aux->tp_vlan_tpid
                                    : ETH_TYPE_VLAN),
                      htons(aux->tp_vlan_tci));
    }
}

bool
ob_tap_read(int fd, struct dp_packet *packet, long long int *arrival)
{
    union {
        struct cmsghdr align;
        char buf[CMSG_SPACE(sizeof(struct tpacket_auxdata))
                 + CMSG_SPACE(sizeof(struct timespec))];
    } control;
    struct iovec iov;
    struct msghdr msg = {
        .msg_iov = &iov,
        .msg_iovlen = 1,
        .msg_control = control.buf,
        .msg_controllen = sizeof control.buf,
    };
    ssize_t n;

    dp_packet_clear(packet);
    dp_packet_reserve(packet, VLAN_HEADER_LEN);
    iov.iov_base = dp_packet_data(packet);
    iov.iov_len = dp_packet_tailroom(packet);
    do {
        n = recvmsg(fd, &msg, MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    if (n < ETH_HEADER_LEN) {
        return false;           /* Or the device is down. */
    }
    dp_packet_set_size(packet, n);

    *arrival = time_msec();
    for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c;
         c = CMSG_NXTHDR(&msg, c)) {
        if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
            *arrival -= age(ALIGNED_CAST(struct timespec *, CMSG_DATA(c)));
        } else if (c->cmsg_level == SOL_PACKET
                   && c->cmsg_type == PACKET_AUXDATA) {
            restore_tag(packet, ALIGNED_CAST(struct tpacket_auxdata *,
                                             CMSG_DATA(c)));
        }
    }
    return true;
}

int
ob_tap_send(int fd, const void *data, size_t len)
{
    ssize_t n;

    if (fd < 0) {
        return ENODEV;
    }
    do {
        n = send(fd, data, len, MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    return n < 0 ? errno : 0;
}
