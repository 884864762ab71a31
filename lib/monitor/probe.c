/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "monitor/probe.h"

#include <string.h>
#include "core/deadline.h"
#include "core/effects.h"
#include "monitor/pin.h"
#include "monitor/trust.h"
#include "util.h"
#include "wire/arp.h"
#include "wire/nd.h"

static struct bnd_probed *
probed(const struct bnd_probe *p, struct bnd_member *m)
{
    return &m->probed[p->index];
}

static bool
has_members(const struct bnd_probe_input *in)
{
    for (size_t i = 0; i < in->n_members; i++) {
        if (in->members[i]->present) {
            return true;
        }
    }
    return false;
}

static bool
is_due(const struct bnd_probe *p, const struct bnd_probe_input *in,
       long long int now)
{
    return p->config.interval && now >= p->next && has_members(in);
}

/* Stamps. */

/* Nothing has been heard of 'm' since before the last interval, as if it had
 * been here for long; not at all, if it is down. */
static void
start_stamps(const struct bnd_probe *p, struct bnd_member *m, bool up,
             long long int now)
{
    struct bnd_probed *s = probed(p, m);

    *s = (struct bnd_probed) {
        .state = up ? BND_LINK_UP : BND_LINK_DOWN,
        .joined = true,
        .last_tx = BND_LONG_AGO,
        .last_rx = up ? now - p->config.interval - 1 : BND_LONG_AGO,
        .last_up = up ? now : BND_LONG_AGO,
        .n_failures = s->n_failures,
        .last_failure = s->last_failure,
    };
    for (size_t i = 0; i < BND_MAX_PROBED; i++) {
        s->targets[i].heard = s->last_rx;
        s->targets[i].asked = BND_LONG_AGO;
        s->targets[i].stranger_at = BND_LONG_AGO;
    }
}

/* Returns 'stamp', had all been 'late' ms later. */
static long long int
move(long long int stamp, long long int late, long long int now)
{
    return stamp == BND_LONG_AGO ? stamp : MIN(stamp + late, now);
}

static void
move_stamps(const struct bnd_probe *p, struct bnd_member *m,
            long long int late, long long int now)
{
    struct bnd_probed *s = probed(p, m);

    s->last_tx = move(s->last_tx, late, now);
    s->last_rx = move(s->last_rx, late, now);
    s->last_up = move(s->last_up, late, now);
    s->counted = move(s->counted, late, now);
    for (size_t i = 0; i < p->n_targets; i++) {
        s->targets[i].heard = move(s->targets[i].heard, late, now);
        s->targets[i].asked = move(s->targets[i].asked, late, now);
        s->targets[i].stranger_at = move(s->targets[i].stranger_at, late,
                                         now);
    }
}

/* Configuration. */

/* Gives 'm' stamps for the 'n' targets at 'ips' out of those that it has for
 * the present ones.  That of a new one is 'now'. */
static void
keep_stamps(const struct bnd_probe *p, struct bnd_member *m,
            const struct bnd_ip *ips, size_t n, long long int now)
{
    struct bnd_probed_target old[BND_MAX_PROBED];
    struct bnd_probed *s = probed(p, m);

    memcpy(old, s->targets, sizeof old);
    for (size_t i = 0; i < n; i++) {
        s->targets[i] = (struct bnd_probed_target) {
            .heard = now, .asked = BND_LONG_AGO,
            .stranger_at = BND_LONG_AGO
        };
        for (size_t j = 0; j < p->n_targets; j++) {
            if (bnd_ip_equal(&p->targets[j].ip, &ips[i])) {
                s->targets[i] = old[j];
            }
        }
    }
}

/* The interval, which was 'old', has become 'p->config.interval': what was in
 * time by the old one is so by the new one, and what was too long ago for a
 * member that is not up is so, too. */
static void
rescale(const struct bnd_probe *p, struct bnd_member *m, long long int old,
        long long int now)
{
    struct bnd_probed *s = probed(p, m);
    long long int least = now - old - old / 2;

    if (s->state == BND_LINK_UP) {
        s->last_tx = s->last_rx = now;
        for (size_t i = 0; i < p->n_targets; i++) {
            s->targets[i].heard = now;
        }
        return;
    }
    s->last_rx = s->last_rx < least ? BND_LONG_AGO : s->last_rx;
    for (size_t i = 0; i < p->n_targets; i++) {
        long long int *heard = &s->targets[i].heard;

        *heard = *heard < least ? BND_LONG_AGO : *heard;
    }
}

void
bnd_probe_configure(struct bnd_probe *p, const struct bnd_probe_input *in,
                    const struct bnd_probe_config *config,
                    const struct bnd_ip *ips, size_t n_ips, long long int now)
{
    long long int old = p->config.interval;
    bool was_on = old != 0;
    bool changed = p->config.interval != config->interval;

    ovs_assert(n_ips <= BND_MAX_PROBED);
    for (size_t i = 0; i < in->n_members && was_on; i++) {
        keep_stamps(p, in->members[i], ips, n_ips, now);
    }
    p->config = *config;
    p->n_targets = n_ips;
    for (size_t i = 0; i < n_ips; i++) {
        p->targets[i].ip = ips[i];
    }
    bnd_probe_route(p, in);
    if (!changed) {
        return;
    }
    p->last = p->next = now;
    if (!was_on || !config->interval) {
        p->candidate = BND_NO_MEMBER;
    }
    for (size_t i = 0; i < in->n_members && config->interval; i++) {
        struct bnd_member *m = in->members[i];

        if (was_on) {
            rescale(p, m, old, now);
        } else {
            start_stamps(p, m, m->link.state == BND_LINK_UP
                         || m->link.state == BND_LINK_GOING_DOWN, now);
        }
    }
}

void
bnd_probe_route(struct bnd_probe *p, const struct bnd_probe_input *in)
{
    for (size_t i = 0; i < p->n_targets; i++) {
        p->targets[i].route = bnd_route_lookup(in->hosts, in->n_hosts,
                                               &p->targets[i].ip,
                                               p->config.vlan,
                                               p->config.source);
    }
}

/* Members. */

void
bnd_probe_join(struct bnd_probe *p, const struct bnd_probe_input *in,
               struct bnd_member *m, long long int now)
{
    bool first = true;

    for (size_t i = 0; i < in->n_members; i++) {
        first &= !in->members[i]->present || in->members[i] == m;
    }
    if (first && p->next < now) {
        p->next = now;          /* Ticks have stood still. */
    }
    start_stamps(p, m, m->carrier, now);
}

void
bnd_probe_leave(struct bnd_probe *p, bnd_id id)
{
    if (p->candidate == id) {
        p->candidate = BND_NO_MEMBER;
    }
}

void
bnd_probe_activated(const struct bnd_probe *p, struct bnd_member *m,
                    long long int now)
{
    if (p->config.interval) {
        probed(p, m)->last_up = now;
    }
}

void
bnd_probe_force(const struct bnd_probe *p, struct bnd_member *m, bool up,
                long long int now)
{
    struct bnd_probed *s = probed(p, m);

    if (p->config.interval) {
        s->state = up ? BND_LINK_UP : BND_LINK_DOWN;
        s->joined = up;
        s->last_up = up ? now : s->last_up;
    }
}

/* Signs of life. */

bool
bnd_probe_is_active(const struct bnd_probe *p,
                    const struct bnd_probe_input *in,
                    const struct bnd_member *m)
{
    return (!in->search ? m->probed[p->index].state == BND_LINK_UP
            : m->id == in->active || m->id == p->candidate
            || (!in->active && m->probed[p->index].state == BND_LINK_UP));
}

/* Does 'm' have to be heard by what is validated? */
static bool
is_validated(const struct bnd_probe *p, const struct bnd_probe_input *in,
             const struct bnd_member *m)
{
    return p->config.validate & (bnd_probe_is_active(p, in, m)
                                 ? BND_VALIDATE_ACTIVE : BND_VALIDATE_BACKUP);
}

/* Will any packet do? */
static bool
takes_any(const struct bnd_probe *p, const struct bnd_probe_input *in,
          const struct bnd_member *m)
{
    return (!is_validated(p, in, m)
            && !(p->config.validate & BND_VALIDATE_FILTER));
}

/* Is its counter needed to tell of 'm', as nothing else has since the last
 * tick?  A change shows only from the second reading on, for which there is no
 * time if missed_max is 1. */
static bool
needs_counter(const struct bnd_probe *p, const struct bnd_probe_input *in,
              const struct bnd_member *m)
{
    return (m->present && takes_any(p, in, m)
            && (m->probed[p->index].last_rx < p->last
                || p->config.missed_max == 1));
}

/* Must all targets be heard of by 'm'? */
static bool
needs_all(const struct bnd_probe *p, const struct bnd_probe_input *in,
          const struct bnd_member *m)
{
    return (p->config.all_targets && p->n_targets && in->search
            && is_validated(p, in, m));
}

void
bnd_probe_heard(const struct bnd_probe *p, const struct bnd_probe_input *in,
                struct bnd_member *m, const uint8_t *frame, size_t len,
                long long int arrival)
{
    struct bnd_probed *s = probed(p, m);
    struct bnd_cursor c = bnd_cursor(frame, len);
    struct bnd_eth eth = bnd_eth_decode(&c);
    bool is_arp = eth.type == BND_ETH_TYPE_ARP;
    bool is_ip6 = eth.type == BND_ETH_TYPE_IPV6;
    struct bnd_claim claim;
    int target = -1;

    if (!p->config.interval || c.bad) {
        return;
    }
    if (is_arp ? bnd_arp_claim(&eth, c, &claim)
        : is_ip6 && bnd_nd_claim(&eth, c, &claim)) {
        target = bnd_trust(p, in, m, &claim, arrival);
    }
    if (target >= 0 && p->config.pin && is_validated(p, in, m)
        && bnd_ip_equal(&claim.from, &p->targets[target].ip)
        && !bnd_pin_check(p, in, m, target, claim.from_mac, arrival)) {
        target = -1;
    }
    s->n_messages += is_arp || is_ip6;
    s->n_believed += target >= 0;
    if (target >= 0) {
        struct bnd_probed_target *t = &s->targets[target];

        t->heard = MAX(t->heard, arrival);
        t->ever = true;
        t->n_unanswered = 0;
    }
    if (target >= 0
        || (!is_validated(p, in, m)
            && (is_arp || is_ip6 || takes_any(p, in, m)))) {
        s->last_rx = MAX(s->last_rx, arrival);
        s->ever = true;
    }
}

void
bnd_probe_counted(const struct bnd_probe *p, const struct bnd_probe_input *in,
                  struct bnd_member *m, bool known, uint64_t n_rx,
                  long long int now)
{
    struct bnd_probed *s = probed(p, m);

    if (known && s->counts && n_rx != s->n_rx && takes_any(p, in, m)) {
        long long int earliest = (s->overdue
                                  ? MAX(s->counted, now - p->config.interval)
                                  : s->counted);

        s->last_rx = MAX(s->last_rx, earliest);
        s->ever = true;
    }
    s->overdue = false;
    s->counts = known;
    s->n_rx = n_rx;
    s->counted = now;
}

bool
bnd_probe_wants_counters(const struct bnd_probe *p,
                         const struct bnd_probe_input *in, long long int now)
{
    if (!is_due(p, in, now)) {
        return false;
    }
    for (size_t i = 0; i < in->n_members; i++) {
        if (needs_counter(p, in, in->members[i])) {
            return true;
        }
    }
    return false;
}

long long int
bnd_probe_last_heard(const struct bnd_probe *p,
                     const struct bnd_probe_input *in,
                     const struct bnd_member *m)
{
    const struct bnd_probed *s = &m->probed[p->index];
    long long int oldest = BND_NEVER;

    if (!needs_all(p, in, m)) {
        return s->last_rx;
    }
    for (size_t i = 0; i < p->n_targets; i++) {
        oldest = MIN(oldest, s->targets[i].heard);
    }
    return oldest;
}

bool
bnd_probe_has_heard(const struct bnd_probe *p,
                    const struct bnd_probe_input *in,
                    const struct bnd_member *m, int k, long long int now)
{
    const struct bnd_probed *s = &m->probed[p->index];
    long long int as_of = s->counts && takes_any(p, in, m) ? s->counted : now;

    return bnd_probe_is_fresh(p, bnd_probe_last_heard(p, in, m), k, as_of);
}

enum bnd_probe_reason
bnd_probe_silence(const struct bnd_probe *p, const struct bnd_probe_input *in,
                  const struct bnd_member *m)
{
    return (needs_all(p, in, m)
            && (m->probed[p->index].last_rx
                > bnd_probe_last_heard(p, in, m))
            ? BND_PROBE_SOME_SILENT : BND_PROBE_SILENT);
}

/* The tick. */

void
bnd_probe_put(const struct bnd_probe *p, struct bnd_member *m,
              enum bnd_link_state state, enum bnd_probe_reason reason,
              long long int now, struct bnd_effects *fx)
{
    struct bnd_probed *s = probed(p, m);

    s->reason = reason;
    if (state == s->state) {
        return;
    }
    bnd_fx_trace_fsm(fx, now, m->id, m->name, "probe",
                     bnd_link_state_name(s->state),
                     bnd_link_state_name(state));
    if (s->state == BND_LINK_UP) {
        s->n_failures += s->n_failures < UINT32_MAX;
        s->last_failure = now;
    }
    if (state == BND_LINK_UP || state == BND_LINK_COMING_BACK) {
        s->last_up = now;
    }
    s->state = state;
}

void
bnd_probe_judge(struct bnd_probe *p, const struct bnd_probe_input *in,
                long long int now, struct bnd_effects *fx)
{
    if (!is_due(p, in, now)) {
        return;
    }

    long long int interval = p->config.interval;
    long long int late = now - p->next;
    long long int lost = MIN(late, now - p->last - interval);

    for (size_t i = 0; i < in->n_members; i++) {
        struct bnd_probed *s = probed(p, in->members[i]);

        s->overdue |= s->counted < now && needs_counter(p, in,
                                                        in->members[i]);
    }
    for (size_t i = 0; i < in->n_members && late > interval / 2
         && lost > 0; i++) {
        move_stamps(p, in->members[i], lost, now);
    }
    if (in->search) {
        bnd_search_judge(p, in, now, fx);
    } else {
        bnd_each_judge(p, in, now, fx);
    }
    for (size_t i = 0; i < in->n_members; i++) {
        probed(p, in->members[i])->joined = false;
    }
    bnd_pin_forget(p, in, now);
    p->last = now;
    p->next = bnd_deadline_in(now - now % interval, interval);
    p->send = true;
}

bool
bnd_probe_send(struct bnd_probe *p, const struct bnd_probe_input *in,
               long long int now, struct bnd_effects *fx)
{
    if (!p->send) {
        return false;
    }
    p->send = false;
    return (in->search ? bnd_search_send(p, in, now, fx)
            : bnd_each_send(p, in, now, fx));
}

long long int
bnd_probe_wake_time(const struct bnd_probe *p,
                    const struct bnd_probe_input *in)
{
    return p->config.interval && has_members(in) ? p->next : BND_NEVER;
}

/* Probes. */

bool
bnd_probe_is_apart(const struct bnd_probe *p, const struct bnd_probe_input *in,
                   const struct bnd_member *m)
{
    return (in->apart
            || (in->search
                && m->id != (in->in_use ? in->in_use : p->candidate)));
}

/* Returns by which Ethernet address 'm' asks for 't', and changes from which
 * other one if need be. */
static struct eth_addr
choose_sender(const struct bnd_probe *p, const struct bnd_probe_input *in,
              const struct bnd_member *m, struct bnd_target *t)
{
    if (bnd_eth_addr_is_zero(t->route.mac)) {
        return m->mac;
    } else if (!bnd_probe_is_apart(p, in, m)
               || bnd_eth_addr_equal(t->route.mac, m->mac)) {
        return t->route.mac;
    }
    t->route.src = bnd_probe_self(t->ip.is_ip6, m->mac);
    return m->mac;
}

void
bnd_probe_ask(const struct bnd_probe *p, const struct bnd_probe_input *in,
              struct bnd_member *m, long long int now, struct bnd_effects *fx)
{
    enum { SIZE = MAX(BND_ARP_FRAME_MAX, BND_ND_FRAME_MAX) };
    struct bnd_probed *s = probed(p, m);

    for (size_t i = 0; i < p->n_targets; i++) {
        struct bnd_target t = p->targets[i];
        struct bnd_probed_target *st = &s->targets[i];
        uint8_t frame[SIZE];
        struct bnd_writer w = bnd_writer(frame, sizeof frame);
        struct eth_addr mac;

        if (t.route.elsewhere) {
            continue;
        }
        mac = choose_sender(p, in, m, &t);
        if (t.ip.is_ip6) {
            bnd_nd_ask(&w, mac, &t);
        } else {
            bnd_arp_ask(&w, mac, &t);
        }
        ovs_assert(!w.bad);
        bnd_fx_frame(fx, m->id, xmemdup(frame, w.pos), w.pos);
        st->n_unanswered += st->n_unanswered < UINT32_MAX;
        st->asked = now;
        s->last_tx = now;
    }
}
