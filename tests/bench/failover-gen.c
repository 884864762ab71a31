/* SPDX-License-Identifier: Apache-2.0
 *
 * The traffic of tests/bench/failover: a fast sender, a receiver on both ends
 * of the bond, a partner that speaks LACP, and the hand that cuts the cable.
 *
 * All is one process, so that one clock counts: a frame's time of sending, the
 * time the kernel received it (SO_TIMESTAMPNS) and the time of the cut.
 *
 * usage: failover-gen FLOWS PROBES RATE MODE DST-MAC TX-NETNS TX-IF
 *                     (RX-NETNS RX-IF)...
 *
 * MODE is "mac" (each flow has a source MAC and a source address of its own)
 * or "ip" (only a source address).
 *
 * Every other frame is one of the flows numbered below PROBES, in turn; the
 * rest belong to all other flows, in turn.  So however many flows there are,
 * the outage of the first PROBES of them is measured with a resolution of
 * 2 * PROBES / RATE.
 *
 * Commands on standard input, one a line:
 *   rate PPS    sends at this rate from now on
 *   mark        forgets what was; recording begins
 *   baseline    everything up to here was undisturbed
 *   cut NAME    sets receiving interface NAME down
 *   stop        ends; the results go to standard output
 * Each but 'stop' is answered with "ok". */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MAX_RX 8
#define BATCH 64
#define FRAME_LEN 64
#define SEQ_OFS 44              /* Of magic and number, within a frame. */
#define MAGIC 0x6f626661
#define MAX_FRAMES (64 << 20)   /* That are recorded; pages come when used. */

struct rx {
    const char *name;
    int fd;                     /* Packet socket. */
    int ctl;                    /* For ioctls in the same namespace. */
    uint8_t mac[6];
    uint16_t port;              /* Number in our LACPDUs. */
};

static int n_flows, n_probes;
static bool many_macs;
static _Atomic int rate;
static _Atomic bool stopping;
static uint8_t dst_mac[6];
static int tx_fd;
static struct rx rxs[MAX_RX];
static int n_rx;

/* By number since 'mark'.  Times are nanoseconds of CLOCK_REALTIME. */
static int64_t *sent_at, *received_at;
static uint8_t *received_by;
static _Atomic uint64_t mark_seq;
static _Atomic uint64_t next_seq;
static _Atomic uint64_t n_duplicates;
static _Atomic uint64_t n_tx_errors;
static uint64_t baseline_end;

static void
fail(const char *what)
{
    fprintf(stderr, "failover-gen: %s: %s\n", what, strerror(errno));
    exit(1);
}

static int64_t
now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static int
flow_of(uint64_t seq)
{
    if (n_flows <= n_probes) {
        return seq % n_flows;
    }
    return (seq & 1
            ? n_probes + seq / 2 % (n_flows - n_probes)
            : seq / 2 % n_probes);
}

static void *
map(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) {
        fail("mmap");
    }
    return p;
}

/* Opens a packet socket on 'ifname' in namespace 'netns'. */
static int
open_packet(const char *netns, const char *ifname, int protocol, int *ctl,
            uint8_t mac[6])
{
    int ns = open(netns, O_RDONLY | O_CLOEXEC);
    struct ifreq ifr;

    if (ns < 0 || setns(ns, CLONE_NEWNET)) {
        fail(netns);
    }
    close(ns);

    int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(protocol));
    if (fd < 0) {
        fail("socket");
    }
    memset(&ifr, 0, sizeof ifr);
    snprintf(ifr.ifr_name, IFNAMSIZ, "%.15s", ifname);
    if (ioctl(fd, SIOCGIFHWADDR, &ifr)) {
        fail(ifname);
    }
    memcpy(mac, ifr.ifr_hwaddr.sa_data, 6);

    struct sockaddr_ll sll = {
        .sll_family = AF_PACKET,
        .sll_protocol = htons(protocol),
        .sll_ifindex = if_nametoindex(ifname),
    };
    if (bind(fd, (struct sockaddr *) &sll, sizeof sll)) {
        fail("bind");
    }
    *ctl = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return fd;
}

static void
build(uint8_t *f, int flow)
{
    uint32_t sum = 0;

    memset(f, 0, FRAME_LEN);
    memcpy(f, dst_mac, 6);
    f[6] = 0x02;
    f[7] = 0xf0;
    if (many_macs) {
        f[8] = flow >> 24;
        f[9] = flow >> 16;
        f[10] = flow >> 8;
        f[11] = flow;
    }
    f[12] = 0x08;
    f[14] = 0x45;
    f[17] = FRAME_LEN - 14;
    f[22] = 64;
    f[23] = 17;
    f[26] = 10;
    f[27] = 16 + (flow >> 16);
    f[28] = flow >> 8;
    f[29] = flow;
    f[30] = 10;
    f[31] = 9;
    f[33] = 2;
    for (int i = 14; i < 34; i += 2) {
        sum += f[i] << 8 | f[i + 1];
    }
    sum = (sum & 0xffff) + (sum >> 16);
    sum = ~((sum & 0xffff) + (sum >> 16)) & 0xffff;
    f[24] = sum >> 8;
    f[25] = sum;
    f[34] = 0x40 | (flow >> 8 & 0x3f);
    f[35] = flow;
    f[36] = 0x13;
    f[37] = 0x88;
    f[39] = FRAME_LEN - 34;
}

static void *
sender(void *aux)
{
    static uint8_t frames[BATCH][FRAME_LEN];
    static struct mmsghdr msgs[BATCH];
    static struct iovec iovs[BATCH];
    int64_t start = now_ns();
    uint64_t base = 0;
    uint64_t seq = 0;
    int pps = rate;

    (void) aux;
    for (int i = 0; i < BATCH; i++) {
        iovs[i] = (struct iovec) { frames[i], FRAME_LEN };
        msgs[i].msg_hdr.msg_iov = &iovs[i];
        msgs[i].msg_hdr.msg_iovlen = 1;
    }
    while (!stopping) {
        int64_t now = now_ns();
        int n;

        if (pps != rate) {
            pps = rate;
            start = now;
            base = seq;
        }
        int64_t due = base + (now - start) * (double) pps * 1e-9;
        if (due - (int64_t) seq > pps / 20) {
            /* Behind by more than 50 ms: do not catch up in one burst. */
            start = now;
            base = seq;
            due = seq + 1;
        }
        n = due - (int64_t) seq < BATCH ? due - (int64_t) seq : BATCH;
        if (n <= 0) {
            struct timespec ts = { 0, 100000 };

            nanosleep(&ts, NULL);
            continue;
        }

        uint64_t mark = mark_seq;
        for (int i = 0; i < n; i++) {
            uint64_t s = seq + i;
            uint32_t magic = MAGIC;

            build(frames[i], flow_of(s));
            memcpy(&frames[i][SEQ_OFS], &magic, 4);
            memcpy(&frames[i][SEQ_OFS + 4], &s, 8);
            if (s >= mark && s - mark < MAX_FRAMES) {
                sent_at[s - mark] = now;
            }
        }
        /* A frame that cannot be sent is sent again, never skipped. */
        for (int i = 0; i < n && !stopping; ) {
            int k = sendmmsg(tx_fd, msgs + i, n - i, 0);

            if (k > 0) {
                i += k;
            } else {
                n_tx_errors++;
                sched_yield();
            }
        }
        seq += n;
        next_seq = seq;
    }
    return NULL;
}

/* Answers LACPDU 'f' as an honest partner with one aggregator would. */
static void
answer_lacp(struct rx *rx, const uint8_t *f)
{
    static const uint8_t group[6] = { 0x01, 0x80, 0xc2, 0, 0, 0x02 };
    static const uint8_t system[6] = { 0x02, 0, 0, 0, 0x0e, 0x01 };
    uint8_t r[124];

    memset(r, 0, sizeof r);
    memcpy(r, group, 6);
    memcpy(r + 6, rx->mac, 6);
    memcpy(r + 12, f + 12, 2);
    r[14] = r[15] = 1;
    r[16] = 1;                  /* Actor. */
    r[17] = 20;
    r[18] = 0x80;
    memcpy(r + 20, system, 6);
    r[27] = 1;                  /* Key. */
    r[28] = 0x80;
    r[31] = rx->port;
    r[32] = 0x3f;               /* Short timeout, in sync, all on. */
    r[36] = 2;                  /* Partner: what the other one said. */
    r[37] = 20;
    memcpy(r + 38, f + 18, 15);
    r[56] = 3;
    r[57] = 16;
    if (send(rx->fd, r, sizeof r, 0) < 0 && errno != ENETDOWN
        && errno != ENOBUFS) {
        perror("failover-gen: LACP");
    }
}

static void
take(int which, const uint8_t *f, size_t len, int64_t when)
{
    uint32_t magic;
    uint64_t s, mark = mark_seq;

    if (len >= 110 && f[12] == 0x88 && f[13] == 0x09 && f[14] == 1) {
        answer_lacp(&rxs[which], f);
        return;
    }
    if (len < SEQ_OFS + 12) {
        return;
    }
    memcpy(&magic, f + SEQ_OFS, 4);
    memcpy(&s, f + SEQ_OFS + 4, 8);
    if (magic != MAGIC || s < mark || s - mark >= MAX_FRAMES) {
        return;
    }
    s -= mark;
    if (received_at[s]) {
        n_duplicates++;
        return;
    }
    received_at[s] = when;
    received_by[s] = which;
}

static void *
receiver(void *aux)
{
    static uint8_t frames[BATCH][2048];
    static uint8_t controls[BATCH][CMSG_SPACE(sizeof(struct timespec))];
    static struct mmsghdr msgs[BATCH];
    static struct iovec iovs[BATCH];
    static struct sockaddr_ll from[BATCH];
    struct pollfd pfds[MAX_RX];

    (void) aux;
    for (int i = 0; i < n_rx; i++) {
        pfds[i] = (struct pollfd) { rxs[i].fd, POLLIN, 0 };
    }
    while (!stopping) {
        poll(pfds, n_rx, 100);
        for (int r = 0; r < n_rx; r++) {
            if (!pfds[r].revents) {
                continue;
            }
            for (int i = 0; i < BATCH; i++) {
                iovs[i] = (struct iovec) { frames[i], sizeof frames[i] };
                msgs[i].msg_hdr = (struct msghdr) {
                    .msg_name = &from[i],
                    .msg_namelen = sizeof from[i],
                    .msg_iov = &iovs[i],
                    .msg_iovlen = 1,
                    .msg_control = controls[i],
                    .msg_controllen = sizeof controls[i],
                };
            }
            int n = recvmmsg(rxs[r].fd, msgs, BATCH, MSG_DONTWAIT, NULL);
            for (int i = 0; i < n; i++) {
                struct cmsghdr *c = CMSG_FIRSTHDR(&msgs[i].msg_hdr);
                struct timespec ts;

                if (from[i].sll_pkttype == PACKET_OUTGOING
                    || !c || c->cmsg_type != SCM_TIMESTAMPNS) {
                    continue;
                }
                memcpy(&ts, CMSG_DATA(c), sizeof ts);
                take(r, frames[i], msgs[i].msg_len,
                     ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec);
            }
        }
    }
    return NULL;
}

/* Sets interface 'name' down.  Returns the time right before. */
static int64_t
cut(const char *name)
{
    for (int i = 0; i < n_rx; i++) {
        if (!strcmp(rxs[i].name, name)) {
            struct ifreq ifr;

            memset(&ifr, 0, sizeof ifr);
            snprintf(ifr.ifr_name, IFNAMSIZ, "%.15s", name);
            if (ioctl(rxs[i].ctl, SIOCGIFFLAGS, &ifr)) {
                fail(name);
            }
            ifr.ifr_flags &= ~IFF_UP;

            int64_t when = now_ns();
            if (ioctl(rxs[i].ctl, SIOCSIFFLAGS, &ifr)) {
                fail(name);
            }
            return when;
        }
    }
    errno = ENODEV;
    fail(name);
    return 0;
}

static void
print_gaps(const char *title, uint64_t from, uint64_t to)
{
    int n = n_flows < n_probes ? n_flows : n_probes;
    int64_t *last = calloc(n, sizeof *last);
    int64_t *gap = calloc(n, sizeof *gap);
    uint64_t *lost = calloc(n, sizeof *lost);

    /* A gap may begin before 'from'. */
    for (uint64_t s = 0; s < to; s++) {
        int flow = flow_of(s + mark_seq);

        if (flow >= n) {
            continue;
        }
        if (received_at[s]) {
            if (s >= from && last[flow]
                && received_at[s] - last[flow] > gap[flow]) {
                gap[flow] = received_at[s] - last[flow];
            }
            last[flow] = received_at[s];
        } else if (s >= from) {
            lost[flow]++;
        }
    }
    /* A flow that did not come back has an outage up to the end. */
    for (int i = 0; i < n; i++) {
        if (to > from && sent_at[to - 1] - last[i] > gap[i]) {
            gap[i] = sent_at[to - 1] - last[i];
        }
    }
    printf(", \"%s_gaps_us\": [", title);
    for (int i = 0; i < n; i++) {
        printf("%s%.1f", i ? ", " : "", gap[i] / 1e3);
    }
    printf("], \"%s_lost\": [", title);
    for (int i = 0; i < n; i++) {
        printf("%s%llu", i ? ", " : "", (unsigned long long) lost[i]);
    }
    printf("]");
    free(last);
    free(gap);
    free(lost);
}

static void
report(uint64_t end, int64_t cut_at, int64_t cut_done, int cut_rx)
{
    uint64_t lost_before = 0, lost_after = 0, n_after_on_cut = 0;
    uint64_t n_before[MAX_RX] = { 0 }, n_after[MAX_RX] = { 0 };
    int64_t last_lost = 0, aggregate = 0, delay_max = 0;
    /* Of each flow since the cut: has it lost frames, has it come back? */
    uint8_t *lost = calloc(n_flows, 1), *back = calloc(n_flows, 1);
    uint64_t n_dead = 0;

    for (uint64_t s = 0; s < end; s++) {
        int flow = flow_of(s + mark_seq);

        if (s < baseline_end) {
            if (!received_at[s]) {
                lost_before++;
            } else if (received_at[s] < cut_at) {
                n_before[received_by[s]]++;
            }
        } else if (received_at[s]) {
            int64_t delay = received_at[s] - sent_at[s];

            delay_max = delay > delay_max ? delay : delay_max;
            n_after[received_by[s]]++;
            back[flow] = 1;
        } else {
            lost_after++;
            last_lost = sent_at[s];
            aggregate = back[flow] ? aggregate : sent_at[s];
            n_dead += !lost[flow];
            lost[flow] = 1;
        }
    }
    /* Frames under way when the cable was cut may show up later: only those
     * that were sent after the cut count. */
    for (uint64_t s = baseline_end; s < end; s++) {
        if (received_at[s] && received_by[s] == cut_rx
            && sent_at[s] > cut_done) {
            n_after_on_cut++;
        }
    }
    printf("{\"frames\": %llu, \"baseline_frames\": %llu, "
           "\"lost_before\": %llu, \"lost\": %llu, \"flows_that_lost\": %llu, "
           "\"duplicates\": %llu, \"tx_errors\": %llu, "
           "\"aggregate_us\": %.1f, \"last_lost_us\": %.1f, "
           "\"delay_max_us\": %.1f, \"after_on_cut\": %llu",
           (unsigned long long) end, (unsigned long long) baseline_end,
           (unsigned long long) lost_before, (unsigned long long) lost_after,
           (unsigned long long) n_dead, (unsigned long long) n_duplicates,
           (unsigned long long) n_tx_errors,
           aggregate ? (aggregate - cut_at) / 1e3 : 0.0,
           last_lost ? (last_lost - cut_at) / 1e3 : 0.0,
           delay_max / 1e3, (unsigned long long) n_after_on_cut);
    for (int i = 0; i < n_rx; i++) {
        printf("%s\"%s\": [%llu, %llu]",
               i ? ", " : ", \"received\": {", rxs[i].name,
               (unsigned long long) n_before[i],
               (unsigned long long) n_after[i]);
    }
    printf("}");
    print_gaps("before", 0, baseline_end);
    print_gaps("after", baseline_end, end);
    printf("}\n");
    free(lost);
    free(back);
}

int
main(int argc, char *argv[])
{
    pthread_t tx, rx;
    int64_t cut_at = 0, cut_done = 0;
    int cut_rx = -1, ctl, on = 1, size = 64 << 20;
    uint8_t mac[6];
    char line[128];

    if (argc < 10 || argc % 2 || (argc - 8) / 2 > MAX_RX) {
        fprintf(stderr, "usage: see the head of failover-gen.c\n");
        return 1;
    }
    n_flows = atoi(argv[1]);
    n_probes = atoi(argv[2]);
    rate = atoi(argv[3]);
    many_macs = !strcmp(argv[4], "mac");
    if (n_flows < 1 || n_probes < 1 || rate < 1
        || sscanf(argv[5], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &dst_mac[0],
                  &dst_mac[1], &dst_mac[2], &dst_mac[3], &dst_mac[4],
                  &dst_mac[5]) != 6) {
        fprintf(stderr, "failover-gen: bad argument\n");
        return 1;
    }
    /* Protocol 0: this socket receives nothing. */
    tx_fd = open_packet(argv[6], argv[7], 0, &ctl, mac);
    setsockopt(tx_fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on);
    for (int i = 8; i < argc; i += 2) {
        struct rx *r = &rxs[n_rx];

        r->name = argv[i + 1];
        r->port = ++n_rx;
        r->fd = open_packet(argv[i], r->name, ETH_P_ALL, &r->ctl, r->mac);
        if (setsockopt(r->fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size)
            || setsockopt(r->fd, SOL_SOCKET, SO_TIMESTAMPNS, &on,
                          sizeof on)) {
            fail("setsockopt");
        }
    }
    sent_at = map(sizeof *sent_at * (size_t) MAX_FRAMES);
    received_at = map(sizeof *received_at * (size_t) MAX_FRAMES);
    received_by = map(MAX_FRAMES);
    mark_seq = UINT64_MAX;

    if (pthread_create(&rx, NULL, receiver, NULL)
        || pthread_create(&tx, NULL, sender, NULL)) {
        fail("pthread_create");
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = '\0';
        if (!strncmp(line, "rate ", 5)) {
            rate = atoi(line + 5);
        } else if (!strcmp(line, "mark")) {
            /* What is being sent now is not recorded. */
            mark_seq = next_seq + 10 * BATCH;
        } else if (!strcmp(line, "baseline")) {
            baseline_end = next_seq - mark_seq;
        } else if (!strncmp(line, "cut ", 4)) {
            for (int i = 0; i < n_rx; i++) {
                cut_rx = !strcmp(rxs[i].name, line + 4) ? i : cut_rx;
            }
            baseline_end = next_seq - mark_seq;
            cut_at = cut(line + 4);
            cut_done = now_ns();
        } else if (!strcmp(line, "stop")) {
            break;
        } else {
            fprintf(stderr, "failover-gen: %s?\n", line);
            return 1;
        }
        printf("ok\n");
    }
    /* The last frames are on their way. */
    uint64_t end = next_seq - mark_seq;
    if (mark_seq == UINT64_MAX) {
        return 0;
    }
    usleep(500000);
    stopping = true;
    pthread_join(tx, NULL);
    pthread_join(rx, NULL);
    report(end < MAX_FRAMES ? end : MAX_FRAMES, cut_at, cut_done,
           cut_rx);
    return 0;
}
