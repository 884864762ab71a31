/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/groups.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "hash.h"
#include "netdev.h"
#include "ofproto-bond/announce.h"
#include "ofproto-bond/attach.h"
#include "ofproto-bond/handle.h"
#include "ofproto-bond/hosts.h"
#include "ofproto-bond/notices.h"
#include "ofproto-bond/owner.h"
#include "openvswitch/thread.h"
#include "packets.h"
#include "timeval.h"
#include "util.h"
#include "wire/igmp.h"
#include "wire/mld.h"

/* Room for a frame, and groups that are looked up at once. */
#define MAX_FRAME 128
#define MAX_AT_ONCE 16
#define MAX_LOOK 256

/* How often to look for old versions that do not count any more, ms. */
#define OLD_SWEEP 1000

#define IGMP_NEWEST 3
#define MLD_NEWEST 2

/* Older versions of guests. */

struct old_version {
    struct hmap_node node;
    const void *table;          /* OVS's struct mcast_snooping. */
    struct in6_addr group;
    uint16_t vlan;
    int version;                /* The oldest that was heard... */
    long long int until;        /* ...and for how long it counts, ms. */
};

static struct ovs_mutex old_mutex = OVS_MUTEX_INITIALIZER;
static struct hmap olds OVS_GUARDED_BY(old_mutex) = HMAP_INITIALIZER(&olds);
static long long int next_sweep OVS_GUARDED_BY(old_mutex); /* Of them, ms. */

static atomic_bool wanted = false;  /* There is, or was, a bond that reports
                                     * groups. */

static bool
is_ip4(const struct in6_addr *group)
{
    return IN6_IS_ADDR_V4MAPPED(group);
}

static uint32_t
hash_old(const void *table, const struct in6_addr *group, uint16_t vlan)
{
    return hash_pointer(table, hash_bytes(group, sizeof *group, vlan));
}

static struct old_version *
find_old(const void *table, const struct in6_addr *group, uint16_t vlan)
    OVS_REQUIRES(old_mutex)
{
    struct old_version *v;

    HMAP_FOR_EACH_WITH_HASH (v, node, hash_old(table, group, vlan), &olds) {
        if (v->table == table && v->vlan == vlan
            && !memcmp(&v->group, group, sizeof *group)) {
            return v;
        }
    }
    return NULL;
}

/* Makes room for one more.  Returns true if there is some. */
static bool
make_room(long long int now)
    OVS_REQUIRES(old_mutex)
{
    struct old_version *v;

    if (hmap_count(&olds) < OB_OLD_MAX) {
        return true;
    } else if (now < next_sweep) {
        return false;           /* Not for each report, if there are many. */
    }
    next_sweep = now + OLD_SWEEP;
    HMAP_FOR_EACH_SAFE (v, node, &olds) {
        if (v->until < now) {
            hmap_remove(&olds, &v->node);
            free(v);
        }
    }
    return hmap_count(&olds) < OB_OLD_MAX;
}

void
ob_groups_start(void)
{
    atomic_store_relaxed(&wanted, true);
}

void
ob_groups_note(const void *table, const struct in6_addr *group, uint16_t vlan,
               int version)
{
    long long int now = time_msec();
    bool is_wanted;

    atomic_read_relaxed(&wanted, &is_wanted);
    if (!is_wanted
        || version >= (is_ip4(group) ? IGMP_NEWEST : MLD_NEWEST)) {
        return;
    }
    ovs_mutex_lock(&old_mutex);
    struct old_version *v = find_old(table, group, vlan);
    if (!v && make_room(now)) {
        v = xzalloc(sizeof *v);
        v->table = table;
        v->group = *group;
        v->vlan = vlan;
        hmap_insert(&olds, &v->node, hash_old(table, group, vlan));
    }
    if (v) {
        v->version = v->until < now ? version : MIN(v->version, version);
        v->until = now + OB_OLD_VERSION;
    }
    ovs_mutex_unlock(&old_mutex);
}

static int
guest_version(const void *table, const struct in6_addr *group, uint16_t vlan)
{
    int version = is_ip4(group) ? IGMP_NEWEST : MLD_NEWEST;

    ovs_mutex_lock(&old_mutex);
    const struct old_version *v = find_old(table, group, vlan);
    if (v && time_msec() <= v->until) {
        version = v->version;
    }
    ovs_mutex_unlock(&old_mutex);
    return version;
}

/* Who speaks in a VLAN. */

#define ANY_VLAN UINT16_MAX

struct speaker {
    struct hmap_node node;
    uint16_t vlan;              /* ANY_VLAN: where nobody else does. */
    struct eth_addr mac;
    uint32_t ip4;               /* 0 if it has none... */
    struct bnd_ip6 ip6;         /* ...all zeros likewise. */
};

static const struct speaker *
find_speaker(const struct ob_announcer *a, uint16_t vlan)
{
    const struct speaker *s;

    HMAP_FOR_EACH_WITH_HASH (s, node, hash_int(vlan, 0), &a->speakers) {
        if (s->vlan == vlan) {
            return s;
        }
    }
    return vlan != ANY_VLAN ? find_speaker(a, ANY_VLAN) : NULL;
}

static void
add_speaker(struct ob_announcer *a, const struct speaker *speaker)
{
    const struct speaker *old = find_speaker(a, speaker->vlan);

    if (!old || old->vlan != speaker->vlan) {
        struct speaker *s = xmemdup(speaker, sizeof *speaker);

        hmap_insert(&a->speakers, &s->node, hash_int(s->vlan, 0));
    }
}

/* The addresses by which 'd' speaks of groups. */
static struct speaker
speaker_of(const struct ob_device *d, uint16_t vlan)
{
    struct speaker s = { .vlan = vlan, .mac = d->mac };
    struct bnd_ip6 none = s.ip6;

    for (size_t i = 0; i < d->n_addrs; i++) {
        const struct ob_host_addr *addr = &d->addrs[i];
        const struct in6_addr *ip6 = (const void *) &addr->ip6;

        if (!ob_host_addr_is_ours(addr)) {
            continue;
        } else if (!addr->is_ip6 && !s.ip4) {
            s.ip4 = addr->ip4;
        } else if (addr->is_ip6 && IN6_IS_ADDR_LINKLOCAL(ip6)
                   && !memcmp(&s.ip6, &none, sizeof none)) {
            s.ip6 = addr->ip6;
        }
    }
    return s;
}

/* Reports 'group' by 's' in 'version'.  Returns true if it was sent. */
static bool
report(struct ob_owner *o, const struct speaker *s,
       const struct in6_addr *group, int version,
       const struct ob_tags *inside)
{
    uint8_t frame[MAX_FRAME];
    struct bnd_writer w = bnd_writer(frame, sizeof frame);

    if (is_ip4(group)) {
        bnd_igmp_report(&w, s->mac, s->ip4,
                        ntohl(in6_addr_get_mapped_ipv4(group)), version);
    } else {
        struct bnd_ip6 ip6;

        memcpy(&ip6, group, sizeof ip6);
        bnd_mld_report(&w, s->mac, &s->ip6, &ip6, version);
    }
    ovs_assert(!w.bad);
    return ob_notice_send_frame(o, w.data, w.pos, s->mac, inside,
                                OB_NOTICE_BY_ACTIVE);
}

/* The host's own groups. */

struct membership {
    int ifindex;
    int version;
    struct in6_addr group;
};

struct memberships {
    struct membership *m;       /* 'n' of them, by ifindex. */
    size_t n;
    size_t allocated;
    bool mld1;                  /* All devices are to speak MLDv1. */
};

/* The kernel's lists grow with the number of devices, and a switch that fails
 * may take a thousand bonds with it: they are read once in a round of the main
 * loop. */
static struct memberships host_groups;
static bool host_groups_read;

static void
add_membership(struct memberships *ms, int ifindex, int version,
               const struct in6_addr *group)
{
    if (ms->n >= ms->allocated) {
        ms->m = x2nrealloc(ms->m, &ms->allocated, sizeof *ms->m);
    }
    ms->m[ms->n++] = (struct membership) { ifindex, version, *group };
}

/* Reads what Linux tells in /proc/net/igmp: a line for a device, with the
 * version of its querier, and under it indented ones for its groups, as numbers
 * in the order of the machine. */
static void
read_igmp(struct memberships *ms)
{
    FILE *file = fopen("/proc/net/igmp", "r");
    int ifindex = 0, version = IGMP_NEWEST;
    char line[256];

    while (file && fgets(line, sizeof line, file)) {
        uint32_t ip;

        if (isdigit((unsigned char) line[0])) {
            const char *v = strrchr(line, 'V');

            ifindex = atoi(line);
            version = v && v[1] >= '1' && v[1] <= '3' ? v[1] - '0'
                      : IGMP_NEWEST;
        } else if (isspace((unsigned char) line[0]) && ifindex
                   && ovs_scan(line, " %"SCNx32, &ip)
                   && ip != htonl(BND_IGMP_ALL_HOSTS)) {
            struct in6_addr group
                = in6_addr_mapped_ipv4((OVS_FORCE ovs_be32) ip);

            add_membership(ms, ifindex, version, &group);
        }
    }
    if (file) {
        fclose(file);
    }
}

/* 32 digits. */
static bool
parse_ip6(const char *digits, struct bnd_ip6 *ip6)
{
    bool ok = strlen(digits) == 2 * sizeof ip6->b;

    for (size_t i = 0; ok && i < sizeof ip6->b; i++) {
        ip6->b[i] = hexits_value(digits + 2 * i, 2, &ok);
    }
    return ok;
}

/* The same for /proc/net/igmp6: a line for each group. */
static void
read_igmp6(struct memberships *ms)
{
    FILE *file = fopen("/proc/net/igmp6", "r");
    char line[256];

    while (file && fgets(line, sizeof line, file)) {
        struct in6_addr group;
        struct bnd_ip6 ip6;
        char digits[33];
        int ifindex;

        if (ovs_scan(line, "%d %*s %32s", &ifindex, digits)
            && parse_ip6(digits, &ip6) && bnd_mld_is_reported(&ip6)) {
            memcpy(&group, &ip6, sizeof group);
            add_membership(ms, ifindex, MLD_NEWEST, &group);
        }
    }
    if (file) {
        fclose(file);
    }
}

/* Does the sysctl force_mld_version ask for version 1 on 'name'? */
static bool
forces_mld1(const char *name)
{
    char *path = xasprintf("/proc/sys/net/ipv6/conf/%s/force_mld_version",
                           name);
    FILE *file = fopen(path, "r");
    int version = 0;

    if (file) {
        ignore(fscanf(file, "%d", &version));
        fclose(file);
    }
    free(path);
    return version == 1;
}

static int
compare_memberships(const void *a_, const void *b_)
{
    const struct membership *a = a_;
    const struct membership *b = b_;

    return (a->ifindex != b->ifindex ? (a->ifindex < b->ifindex ? -1 : 1)
            : memcmp(&a->group, &b->group, sizeof a->group));
}

/* Returns what the host has joined, good for the present round. */
static const struct memberships *
get_memberships(void)
{
    struct memberships *ms = &host_groups;

    if (!host_groups_read) {
        host_groups_read = true;
        read_igmp(ms);
        read_igmp6(ms);
        if (ms->n) {
            qsort(ms->m, ms->n, sizeof *ms->m, compare_memberships);
        }
        ms->mld1 = forces_mld1("all");
    }
    return ms;
}

void
ob_groups_end_round(void)
{
    if (host_groups_read) {
        host_groups_read = false;
        free(host_groups.m);
        memset(&host_groups, 0, sizeof host_groups);
    }
}

/* The first of 'ms', which are sorted, that is of 'ifindex' or above. */
static size_t
first_membership(const struct memberships *ms, int ifindex)
{
    size_t low = 0, high = ms->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (ms->m[mid].ifindex < ifindex) {
            low = mid + 1;
        } else {
            high = mid;
        }
    }
    return low;
}

struct host_aux {
    struct ob_owner *owner;
    const struct memberships *ms;
    const struct ob_bundle *in; /* Of the port that is being looked at. */
};

static void
report_device(const struct ob_device *d, const struct ob_tags *tags,
              void *aux_)
{
    const struct host_aux *aux = aux_;
    struct ob_announcer *a = &aux->owner->announcer;
    const struct memberships *ms = aux->ms;
    size_t i = first_membership(ms, d->ifindex);
    struct ob_tags inside;

    if (eth_addr_is_zero(d->mac) || eth_addr_is_multicast(d->mac)
        || !ob_bundle_enter(aux->in, tags, &inside)) {
        return;
    }

    struct speaker s = speaker_of(d, inside.tag[0].vid);
    add_speaker(a, &s);
    bool mld1 = (i < ms->n && ms->m[i].ifindex == d->ifindex
                 && (ms->mld1 || forces_mld1(d->name)));
    for (; i < ms->n && ms->m[i].ifindex == d->ifindex; i++) {
        const struct membership *m = &ms->m[i];
        bool old = mld1 && !is_ip4(&m->group);

        if (report(aux->owner, &s, &m->group, old ? 1 : m->version,
                   &inside)) {
            ob_told_add(&a->told_groups, &m->group, s.vlan);
        }
    }
}

static void
report_port(const struct ob_host_port *p, void *aux_)
{
    struct host_aux *aux = aux_;
    struct speaker any = { .vlan = ANY_VLAN };

    aux->in = ob_bundles_find(p->bundle);
    if (!aux->in) {
        return;
    }
    if (p->is_local && !netdev_get_etheraddr(p->netdev, &any.mac)) {
        add_speaker(&aux->owner->announcer, &any);
    }
    ob_hosts_for_each(p->netdev, report_device, aux);
}

void
ob_groups_stop(struct ob_announcer *a)
{
    struct speaker *s;

    HMAP_FOR_EACH_POP (s, node, &a->speakers) {
        free(s);
    }
}

void
ob_groups_begin(struct ob_owner *o)
{
    struct host_aux aux = { .owner = o, .ms = get_memberships() };

    ob_groups_stop(&o->announcer);
    ob_told_clear(&o->announcer.told_groups);
    ob_host_ports_for_each(ob_bundles_ofproto(o->bond->bundle), report_port,
                           &aux);
}

/* Groups of guests. */

/* Reports 'g', unless the host has.  Returns true if it did. */
static bool
report_guest(struct ob_owner *o, const struct ob_group *g)
{
    const struct ob_announcer *a = &o->announcer;
    const struct speaker *s = find_speaker(a, g->vlan);
    struct ob_tags tags = ob_bundles_tags(g->bundle, g->vlan);

    return (s && !ob_told_has(&a->told_groups, &g->addr, g->vlan)
            && report(o, s, &g->addr,
                      guest_version(g->table, &g->addr, g->vlan), &tags));
}

size_t
ob_groups_run(struct ob_owner *o, struct hmap_position *pos, size_t n,
              bool *done)
{
    struct ob_group groups[MAX_AT_ONCE];
    size_t sent = 0;

    n = ob_attach_next_groups(ob_bundles_ofproto(o->bond->bundle),
                              o->bond->bundle, pos, MAX_LOOK, groups,
                              MIN(n, MAX_AT_ONCE), done);
    for (size_t i = 0; i < n; i++) {
        sent += report_guest(o, &groups[i]);
    }
    return sent;
}
