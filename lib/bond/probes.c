/* SPDX-License-Identifier: Apache-2.0 */

/* The monitors that send probes, and the bond.  There is one for targets of
 * both kinds, which has the say alone, as in Linux; or, if the option
 * "monitor-combine" is given, one for each kind, which have a say beside
 * others. */

#include <config.h>
#include "bond/bond-private.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>
#include "core/deadline.h"
#include "monitor/link.h"
#include "util.h"

/* What monitor 'i' works on.  To it, a member that it thinks is dead is not the
 * active one, though a delay lets it work on. */
static struct bnd_probe_input
make_input(const struct bnd_bond *b, int i)
{
    const struct bnd_member *active = bnd_find_member(b, b->active);

    uint32_t traits = (b->bonded
                       ? bnd_effective(b)->traits : 0);

    return (struct bnd_probe_input) {
        .members = b->members,
        .n_members = b->n_members,
        .search = traits & BND_MT_ONE_ACTIVE,
        .in_use = active && active->present ? b->active : BND_NO_MEMBER,
        .apart = (traits & BND_MT_BY_SOURCE
                  || (traits & BND_MT_ONE_ACTIVE
                      && bnd_settings_num(&b->settings,
                                          BND_OPT_FAIL_OVER_MAC))),
        .active = (active && active->present
                   && active->probed[i].state == BND_LINK_UP
                   ? b->active : BND_NO_MEMBER),
        .hosts = b->hosts,
        .n_hosts = b->n_hosts,
    };
}

bool
bnd_probes_are_apart(const struct bnd_bond *b, const struct bnd_target *t)
{
    struct bnd_probe_input in = make_input(b, 0);
    bool differ = false;

    for (size_t i = 0; i < b->n_members; i++) {
        differ |= !bnd_eth_addr_equal(b->members[i]->mac, t->route.mac);
    }
    return (differ && in.apart && !in.search
            && !bnd_eth_addr_is_zero(t->route.mac));
}

/* Configuration. */

void
bnd_add_targets(const struct bnd_settings *s, enum bnd_opt opt,
                struct bnd_ip ips[BND_MAX_PROBED], size_t *n)
{
    const char *list = bnd_settings_str(s, opt);
    bool is_ip6 = opt == BND_OPT_NS_TARGETS;
    char *copy = xstrdup(list ? list : "");
    char *save = NULL;

    for (char *word = strtok_r(copy, ",", &save);
         word && *n < BND_MAX_PROBED; word = strtok_r(NULL, ",", &save)) {
        struct bnd_ip ip = { .is_ip6 = is_ip6 };
        uint8_t a[4];

        if (is_ip6 ? inet_pton(AF_INET6, word, &ip.ip6) == 1
            : inet_pton(AF_INET, word, a) == 1) {
            if (!is_ip6) {
                struct bnd_cursor c = bnd_cursor(a, sizeof a);

                ip.ip4 = bnd_cursor_u32(&c);
            }
            ips[(*n)++] = ip;
        }
    }
    free(copy);
}

static struct bnd_probe_config
make_config(const struct bnd_settings *s)
{
    struct bnd_ip source[BND_MAX_PROBED];
    size_t n_sources = 0;

    bnd_add_targets(s, BND_OPT_ARP_SOURCE, source, &n_sources);
    return (struct bnd_probe_config) {
        .interval = bnd_settings_num(s, BND_OPT_ARP_INTERVAL),
        .missed_max = bnd_settings_num(s, BND_OPT_ARP_MISSED_MAX),
        .validate = bnd_settings_num(s, BND_OPT_ARP_VALIDATE),
        .all_targets = bnd_settings_num(s, BND_OPT_ARP_ALL_TARGETS),
        .vlan = (bnd_settings_is_given(s, BND_OPT_ARP_VLAN)
                 ? bnd_settings_num(s, BND_OPT_ARP_VLAN) : -1),
        .source = n_sources ? source[0].ip4 : 0,
        .pin = bnd_settings_num(s, BND_OPT_ARP_PIN_MAC),
    };
}

static enum bnd_combine
combination(const struct bnd_bond *b)
{
    if (!b->bonded
        || !bnd_settings_is_given(&b->settings, BND_OPT_MONITOR_COMBINE)) {
        return BND_COMBINE_NONE;
    }
    return (bnd_settings_num(&b->settings, BND_OPT_MONITOR_COMBINE)
            ? BND_COMBINE_ALL : BND_COMBINE_ANY);
}

/* Links that probes alone had the say on are what they said, without the states
 * that only they have; and the other way round. */
static void
hand_over(struct bnd_bond *b, bool had_probe)
{
    for (size_t i = 0; i < b->n_members && had_probe != bnd_has_probe(b);
         i++) {
        struct bnd_member *m = b->members[i];

        bnd_link_init(&m->link, had_probe ? m->link.state == BND_LINK_UP
                      : bnd_link_is_enabled(&m->link));
    }
}

void
bnd_probes_configure(struct bnd_bond *b, long long int now)
{
    struct bnd_probe_config config = make_config(&b->settings);
    bool had_probe = bnd_has_probe(b);

    b->combine = combination(b);
    /* The MII monitor comes first, should nobody have refused to have both. */
    if (!b->bonded || (b->combine == BND_COMBINE_NONE && bnd_has_mii(b))) {
        config.interval = 0;
    }
    for (int i = 0; i < BND_N_PROBES; i++) {
        struct bnd_probe_input in = make_input(b, i);
        struct bnd_probe_config mine = config;
        struct bnd_ip ips[BND_MAX_PROBED];
        size_t n = 0;

        if (b->combine == BND_COMBINE_NONE || i == 0) {
            bnd_add_targets(&b->settings, BND_OPT_ARP_TARGETS, ips, &n);
        }
        if (b->combine == BND_COMBINE_NONE || i == 1) {
            bnd_add_targets(&b->settings, BND_OPT_NS_TARGETS, ips, &n);
        }
        if (b->combine == BND_COMBINE_NONE ? i : !n) {
            mine.interval = 0;
        }
        b->probes[i].index = i;
        bnd_probe_configure(&b->probes[i], &in, &mine, ips,
                            mine.interval ? n : 0, now);
    }
    hand_over(b, had_probe);
}

void
bnd_set_host(struct bnd_bond *b, const struct bnd_host *hosts, size_t n,
             long long int now)
{
    bnd_advance(b, now);
    free(b->hosts);
    b->hosts = n ? xmemdup(hosts, n * sizeof *hosts) : NULL;
    b->n_hosts = n;
    for (int i = 0; i < BND_N_PROBES; i++) {
        struct bnd_probe_input in = make_input(b, i);

        bnd_probe_route(&b->probes[i], &in);
    }
}

void
bnd_set_host_mac(struct bnd_bond *b, struct eth_addr mac, long long int now)
{
    bnd_advance(b, now);
    b->settled &= bnd_eth_addr_equal(b->host_mac, mac);
    b->host_mac = mac;
}

bool
bnd_wants_host(const struct bnd_bond *b)
{
    return (b->probes[0].config.interval || b->probes[1].config.interval
            || (b->bonded && b->class->traits & BND_MT_HOST_LB));
}

/* Members. */

void
bnd_probes_join(struct bnd_bond *b, struct bnd_member *m, long long int now)
{
    for (int i = 0; i < BND_N_PROBES; i++) {
        struct bnd_probe_input in = make_input(b, i);

        bnd_probe_join(&b->probes[i], &in, m, now);
    }
}

void
bnd_probes_leave(struct bnd_bond *b, const struct bnd_member *m)
{
    for (int i = 0; i < BND_N_PROBES; i++) {
        bnd_probe_leave(&b->probes[i], m->id);
    }
}

void
bnd_probes_force(struct bnd_bond *b, struct bnd_member *m, bool up,
                 long long int now)
{
    if (bnd_has_probe(b)) {
        bnd_probe_force(&b->probes[0], m, up, now);
    }
}

void
bnd_probes_activated(struct bnd_bond *b, struct bnd_member *m,
                     long long int now)
{
    for (int i = 0; i < BND_N_PROBES; i++) {
        bnd_probe_activated(&b->probes[i], m, now);
    }
}

void
bnd_probes_event(struct bnd_bond *b, struct bnd_member *m,
                 const struct bnd_event *e, long long int now)
{
    for (int i = 0; i < BND_N_PROBES; i++) {
        struct bnd_probe_input in = make_input(b, i);

        if (e->type == BND_EV_FRAME_RX) {
            bnd_probe_heard(&b->probes[i], &in, m, e->frame.data,
                            e->frame.len, MIN(e->frame.arrival, now));
        } else {
            bnd_probe_counted(&b->probes[i], &in, m, e->counters.known,
                              e->counters.rx_packets, now);
        }
    }
}

bool
bnd_wants_counters(const struct bnd_bond *b, long long int now)
{
    bool wants = false;

    for (int i = 0; i < BND_N_PROBES; i++) {
        struct bnd_probe_input in = make_input(b, i);

        wants |= bnd_probe_wants_counters(&b->probes[i], &in, now);
    }
    return wants;
}

/* The pass. */

void
bnd_probes_judge(struct bnd_bond *b, long long int now,
                 struct bnd_effects *fx)
{
    for (int i = 0; i < BND_N_PROBES; i++) {
        struct bnd_probe_input in = make_input(b, i);

        bnd_probe_judge(&b->probes[i], &in, now, fx);
    }
}

int
bnd_probes_say(const struct bnd_bond *b, const struct bnd_member *m)
{
    int n_on = 0, n_up = 0;

    for (int i = 0; i < BND_N_PROBES; i++) {
        if (b->probes[i].config.interval) {
            n_on++;
            n_up += m->probed[i].state == BND_LINK_UP;
        }
    }
    return (!n_on ? 0
            : (b->combine == BND_COMBINE_ANY ? n_up > 0 : n_up == n_on) ? 1
            : -1);
}

/* Probes are nothing new, so they do not make a pass worth a status; what the
 * search does to links is, and the next pass sees to it. */
void
bnd_stage_probe(struct bnd_bond *b, long long int now, struct bnd_effects *fx)
{
    for (int i = 0; i < BND_N_PROBES; i++) {
        struct bnd_probe_input in = make_input(b, i);

        if (bnd_probe_send(&b->probes[i], &in, now, fx)) {
            b->settled = false;
            bnd_fx_simple(fx, BND_FX_STATUS);
        }
    }
}

long long int
bnd_probes_wake_time(const struct bnd_bond *b)
{
    long long int wake = BND_NEVER;

    for (int i = 0; i < BND_N_PROBES; i++) {
        struct bnd_probe_input in = make_input(b, i);

        wake = bnd_deadline_min(wake, bnd_probe_wake_time(&b->probes[i],
                                                          &in));
    }
    return wake;
}

uint8_t
bnd_probes_watch(const struct bnd_bond *b)
{
    uint8_t watch = 0;

    for (int i = 0; i < BND_N_PROBES; i++) {
        const struct bnd_probe *p = &b->probes[i];

        for (size_t j = 0; j < p->n_targets; j++) {
            watch |= p->targets[j].ip.is_ip6 ? BND_WATCH_ND : BND_WATCH_ARP;
        }
        if (p->config.interval
            && p->config.validate & BND_VALIDATE_FILTER) {
            watch |= BND_WATCH_ARP | BND_WATCH_ND;
        }
    }
    return watch;
}
