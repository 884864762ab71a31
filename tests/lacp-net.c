/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "lacp-net.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "util.h"
#include "core/deadline.h"
#include "lacp/lacp-save.h"
#include "wire/eth.h"

/* Most runs of one system at one time, and most runs in a row that find
 * nothing to do though the wake time called for them. */
#define MAX_SPIN 20
#define MAX_STALE 2

/* Chance, log, failure. */

static uint64_t
next_random(struct net *net)
{
    uint64_t x = net->random += 0x9e3779b97f4a7c15ULL;

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ x >> 27) * 0x94d049bb133111ebULL;
    return x ^ x >> 31;
}

uint32_t
net_random(struct net *net, uint32_t below)
{
    return (next_random(net) >> 32) % below;
}

bool
net_percent(struct net *net, unsigned int percent)
{
    return percent && net_random(net, 100) < percent;
}

void
net_fail(struct net *net, const char *format, ...)
{
    va_list args;

    if (!net->error) {
        char *what;

        va_start(args, format);
        what = xvasprintf(format, args);
        va_end(args);
        net->error = xasprintf("at %lld: %s", net->now, what);
        free(what);
        net_log(net, "# %s", net->error);
    }
}

void
net_log(struct net *net, const char *format, ...)
{
    va_list args;

    if (net->log) {
        ds_put_format(net->log, "at %lld: ", net->now);
        va_start(args, format);
        ds_put_format_valist(net->log, format, args);
        va_end(args);
        ds_put_char(net->log, '\n');
    }
}

static void
mix(struct net *net, uint64_t value)
{
    net->hash = (net->hash ^ value) * 0x100000001b3ULL;
    net->hash ^= net->hash >> 29;
}

void
net_init(struct net *net, uint64_t seed)
{
    memset(net, 0, sizeof *net);
    net->random = seed;
    for (int i = 0; i < NET_SYSTEMS; i++) {
        struct net_system *sys = &net->systems[i];

        sys->net = net;
        sys->letter = 'a' + i;
        sys->wake = BND_NEVER;
        sys->config.system = (struct eth_addr) {{{ 2, 0, 0, 0, 0, 10 + i }}};
        sys->config.system_priority = 65535;
        for (int j = 0; j < NET_PORTS; j++) {
            struct net_port *port = &sys->ports[j];

            port->system = sys;
            port->id = j + 1;
            port->mac = sys->config.system;
            port->mac.ea[4] = port->id;
            port->config.port_id = port->id;
            port->config.priority = 255;
            snprintf(port->name, sizeof port->name, "%c%d", sys->letter,
                     j + 1);
            port->enabled = port->carrier = true;
            port->speed_mbps = 10000;
            port->full_duplex = true;
        }
    }
}

void
net_uninit(struct net *net)
{
    for (int i = 0; i < NET_SYSTEMS; i++) {
        bnd_lacp_destroy(net->systems[i].lacp);
    }
    for (size_t i = 0; i < net->n_frames; i++) {
        free(net->frames[i].data);
    }
    free(net->frames);
    free(net->error);
}

/* Frames. */

static void
put_frame(struct net *net, struct net_port *to, long long int arrival,
          const uint8_t *data, size_t len)
{
    if (net->n_frames >= net->allocated_frames) {
        net->frames = x2nrealloc(net->frames, &net->allocated_frames,
                                 sizeof *net->frames);
    }
    net->frames[net->n_frames++] = (struct net_frame) {
        .arrival = arrival,
        .order = net->n_sent++,
        .to = to,
        .data = xmemdup(data, len ? len : 1),
        .len = len,
    };
}

void
net_inject(struct net_port *port, const uint8_t *frame, size_t len)
{
    put_frame(port->system->net, port, port->system->net->now, frame, len);
}

static void
drop_frames(struct net *net, const struct net_port *to)
{
    for (size_t i = 0; i < net->n_frames; ) {
        if (net->frames[i].to == to) {
            free(net->frames[i].data);
            net->frames[i] = net->frames[--net->n_frames];
        } else {
            i++;
        }
    }
}

/* Sends 'data' along the wire of 'from'. */
static void
transmit(struct net_port *from, const uint8_t *data, size_t len)
{
    struct net *net = from->system->net;

    if (!from->peer || from->cut || !from->carrier
        || net_percent(net, from->loss)) {
        return;
    }
    for (int n = 1 + net_percent(net, from->dup); n; n--) {
        long long int arrival = net->now + from->delay;

        arrival += from->jitter ? net_random(net, from->jitter) : 0;
        put_frame(net, from->peer, arrival, data, len);
        if (net_percent(net, from->corrupt)) {
            struct net_frame *f = &net->frames[net->n_frames - 1];

            f->data[12 + net_random(net, 60)] = net_random(net, 256);
        }
    }
}

static bool
decode(const uint8_t *data, size_t len, struct bnd_lacpdu *pdu)
{
    struct bnd_cursor body;
    uint8_t subtype;

    return (!bnd_slow_open(data, len, &body, &subtype)
            && subtype == BND_SLOW_LACP
            && !bnd_lacpdu_decode(body, pdu));
}

static void
note_sent(struct net_port *port, const uint8_t *data, size_t len)
{
    struct bnd_lacpdu pdu;

    if (decode(data, len, &pdu)) {
        memmove(&port->sent[1], &port->sent[0],
                (NET_SENT - 1) * sizeof port->sent[0]);
        port->sent[0] = port->system->net->now;
    }
}

static void
note_heard(struct net_port *port, const struct bnd_lacpdu *pdu,
           long long int arrival)
{
    struct bnd_lacp_port_status s;

    bnd_lacp_get_port_status(port->system->lacp, port->id, &s);
    port->heard = (struct net_heard) {
        .any = true,
        .pdu = *pdu,
        .arrival = arrival,
        .timeout = port->system->config.fast ? 3000 : 90000,
        .matched = (!(pdu->actor.state & BND_LACP_AGGREGATION)
                    || bnd_lacp_info_equal(&pdu->partner, &s.actor,
                                           BND_LACP_AGGREGATION)),
    };
}

static void
hash_effect(struct net *net, const struct bnd_effect *e)
{
    mix(net, e->type);
    if (e->type == BND_FX_FRAME_TX) {
        mix(net, e->frame.id);
        for (size_t i = 0; i + 8 <= e->frame.len; i += 8) {
            uint64_t word;

            memcpy(&word, &e->frame.data[i], sizeof word);
            mix(net, word);
        }
    }
}

static void
hash_text(struct net *net, const char *text)
{
    while (*text) {
        mix(net, (unsigned char) *text++);
    }
}

static void
note_effects(struct net_system *sys, const struct bnd_effects *fx)
{
    struct net *net = sys->net;

    mix(net, net->now);
    mix(net, sys->letter);
    for (size_t i = 0; i < fx->n; i++) {
        hash_effect(net, &fx->fx[i]);
    }
    if ((net->deep_hash || (net->log && net->verbose)) && fx->n) {
        struct ds text = DS_EMPTY_INITIALIZER;
        char name[] = { sys->letter, '\0' };

        bnd_effects_format(fx, name, &text);
        hash_text(net, ds_cstr(&text));
        if (net->log && net->verbose) {
            ds_put_format(net->log, "# %lld\n%s", net->now, ds_cstr(&text));
        }
        ds_destroy(&text);
    }
}

/* Does what 'sys' wants done, and empties 'fx'. */
static void
carry_out(struct net_system *sys, struct bnd_effects *fx)
{
    struct net *net = sys->net;

    note_effects(sys, fx);
    for (size_t i = 0; i < fx->n; i++) {
        const struct bnd_effect *e = &fx->fx[i];

        if (e->type == BND_FX_FRAME_TX) {
            if (e->frame.id < 1 || e->frame.id > sys->n_ports) {
                net_fail(net, "%c: frame for port %d", sys->letter,
                         (int) e->frame.id);
                break;
            }
            note_sent(&sys->ports[e->frame.id - 1], e->frame.data,
                      e->frame.len);
            transmit(&sys->ports[e->frame.id - 1], e->frame.data,
                     e->frame.len);
        }
    }
    bnd_effects_uninit(fx);
}

/* Systems. */

static void
touched(struct net_system *sys)
{
    struct net *net = sys->net;

    sys->poked = sys->news = true;
    sys->wake = bnd_lacp_wake_time(sys->lacp);
    if (sys->wake > net->now) {
        net_fail(net, "%c: no wake time after a change", sys->letter);
    }
}

bool
net_port_is_up(const struct net_port *port)
{
    return port->exists && port->system->lacp;
}

static void
forget_sent(struct net_port *port)
{
    for (int i = 0; i < NET_SENT; i++) {
        port->sent[i] = BND_NEVER;
    }
}

/* 'port' begins anew. */
static void
forget(struct net_port *port)
{
    port->heard.any = port->remembers = false;
    forget_sent(port);
    memset(&port->status, 0, sizeof port->status);
    memset(&port->seen, 0, sizeof port->seen);
    port->kept = false;
}

static enum bnd_duplex
duplex_of(const struct net_port *port)
{
    return port->full_duplex ? BND_DUPLEX_FULL : BND_DUPLEX_HALF;
}

static void
port_begin(struct net_port *port)
{
    struct bnd_lacp *lacp = port->system->lacp;
    long long int now = port->system->net->now;

    forget(port);
    bnd_lacp_port_set(lacp, port->id, port->name, &port->config, now);
    bnd_lacp_port_set_mac(lacp, port->id, port->mac);
    bnd_lacp_port_set_link(lacp, port->id, port->speed_mbps, duplex_of(port),
                           now);
    bnd_lacp_port_set_enabled(lacp, port->id, port->enabled, now);
    bnd_lacp_port_set_carrier(lacp, port->id, port->carrier, now);
    bnd_lacp_port_set_drained(lacp, port->id, port->drained, now);
}

void
net_system_start(struct net_system *sys)
{
    ovs_assert(!sys->lacp);
    sys->lacp = bnd_lacp_create(&sys->config, sys->net->now);
    sys->flavour = sys->config.flavour;
    for (int i = 0; i < sys->n_ports; i++) {
        if (sys->ports[i].exists) {
            port_begin(&sys->ports[i]);
        }
    }
    sys->stale = 0;
    sys->poked = sys->news = true;
    sys->wake = bnd_lacp_wake_time(sys->lacp);
}

void
net_system_stop(struct net_system *sys)
{
    bnd_lacp_destroy(sys->lacp);
    sys->lacp = NULL;
    sys->wake = BND_NEVER;
    for (int i = 0; i < sys->n_ports; i++) {
        drop_frames(sys->net, &sys->ports[i]);
        forget(&sys->ports[i]);
    }
}

/* Reads 'line' about 'port', which was written at 'saved_at'. */
static void
remember(struct net_port *port, const char *line, long long int saved_at)
{
    struct net *net = port->system->net;
    struct bnd_lacp_saved saved;
    char *error = bnd_lacp_saved_parse(line, &saved);

    if (error) {
        net_fail(net, "%s: '%s': %s", port->name, line, error);
        free(error);
        return;
    }
    bnd_lacp_saved_translate(&saved, saved_at, net->now, net->now);
    bnd_lacp_port_remember(port->system->lacp, port->id, &saved, net->now);
}

/* What was heard before counts as long as it would have counted before: nobody
 * could have heard anything since. */
void
net_system_restart(struct net_system *sys, long long int down)
{
    struct net *net = sys->net;
    long long int saved_at = net->now;
    struct net_heard heard[NET_PORTS];
    struct ds lines[NET_PORTS];
    bool saved[NET_PORTS];

    for (int i = 0; i < sys->n_ports; i++) {
        ds_init(&lines[i]);
        heard[i] = sys->ports[i].heard;
        saved[i] = bnd_lacp_port_save(sys->lacp, sys->ports[i].id, &lines[i]);
    }
    net_system_stop(sys);
    net_advance(net, net->now + down);
    net_system_start(sys);
    for (int i = 0; i < sys->n_ports; i++) {
        if (saved[i]) {
            sys->ports[i].heard = heard[i];
            sys->ports[i].heard.arrival += down;
            sys->ports[i].remembers = true;
            remember(&sys->ports[i], ds_cstr(&lines[i]), saved_at);
        }
        ds_destroy(&lines[i]);
    }
}

/* A partner that is asked for less from now on may take its time, but in the
 * flavour of OVS, where this begins with its next LACPDU. */
static void
give_time(struct net_port *port)
{
    const struct net_system *sys = port->system;
    struct net_heard *h = &port->heard;

    if (!sys->config.fast && sys->flavour == sys->config.flavour
        && sys->flavour == BND_LACP_FLAVOUR_STANDARD
        && sys->net->now < h->arrival + h->timeout) {
        h->timeout = 90000;
    }
}

void
net_system_configure(struct net_system *sys)
{
    if (sys->lacp) {
        /* The flavours have rate limits of their own. */
        for (int i = 0; i < sys->n_ports
                        && sys->flavour != sys->config.flavour; i++) {
            forget_sent(&sys->ports[i]);
        }
        for (int i = 0; i < sys->n_ports; i++) {
            give_time(&sys->ports[i]);
        }
        sys->flavour = sys->config.flavour;
        bnd_lacp_configure(sys->lacp, &sys->config, sys->net->now);
        touched(sys);
    }
}

void
net_port_add(struct net_port *port)
{
    port->exists = true;
    if (port->system->lacp) {
        port_begin(port);
        touched(port->system);
    }
}

void
net_port_del(struct net_port *port)
{
    struct net_system *sys = port->system;

    drop_frames(sys->net, port);
    if (net_port_is_up(port)) {
        struct bnd_effects fx = BND_EFFECTS_INITIALIZER;

        bnd_lacp_port_del(sys->lacp, port->id, sys->net->now, &fx);
        touched(sys);
        carry_out(sys, &fx);
    }
    port->exists = false;
    forget(port);
}

void
net_port_configure(struct net_port *port)
{
    if (net_port_is_up(port)) {
        bnd_lacp_port_set(port->system->lacp, port->id, port->name,
                          &port->config, port->system->net->now);
        touched(port->system);
    }
}

void
net_port_set_enabled(struct net_port *port, bool enabled)
{
    if (port->enabled != enabled) {
        port->enabled = enabled;
        if (net_port_is_up(port)) {
            bnd_lacp_port_set_enabled(port->system->lacp, port->id, enabled,
                                      port->system->net->now);
            touched(port->system);
        }
    }
}

void
net_port_set_carrier(struct net_port *port, bool carrier)
{
    if (port->carrier != carrier) {
        port->carrier = carrier;
        if (net_port_is_up(port)) {
            bnd_lacp_port_set_carrier(port->system->lacp, port->id, carrier,
                                      port->system->net->now);
            bnd_lacp_port_carrier_changed(port->system->lacp, port->id,
                                          port->system->net->now);
            touched(port->system);
        }
    }
}

void
net_port_set_drained(struct net_port *port, bool drained)
{
    if (port->drained != drained) {
        port->drained = drained;
        if (net_port_is_up(port)) {
            bnd_lacp_port_set_drained(port->system->lacp, port->id, drained,
                                      port->system->net->now);
            touched(port->system);
        }
    }
}

void
net_port_set_link(struct net_port *port, uint32_t speed_mbps,
                  bool full_duplex)
{
    port->speed_mbps = speed_mbps;
    port->full_duplex = full_duplex;
    if (net_port_is_up(port)) {
        bnd_lacp_port_set_link(port->system->lacp, port->id, speed_mbps,
                               duplex_of(port), port->system->net->now);
        port->system->poked = port->system->news = true;
        port->system->wake = bnd_lacp_wake_time(port->system->lacp);
    }
}

void
net_plug(struct net_port *a, struct net_port *b)
{
    struct net_port *ends[] = { a, b };

    for (int i = 0; i < 2; i++) {
        struct net_port *end = ends[i];

        if (end) {
            struct net *net = end->system->net;

            drop_frames(net, end);
            if (end->peer) {
                drop_frames(net, end->peer);
                end->peer->peer = NULL;
            }
            end->peer = NULL;
        }
    }
    if (a && b) {
        a->peer = b;
        b->peer = a;
    }
}

/* Runs. */

static void
read_aggregators(struct net_system *sys)
{
    struct bnd_lacp_agg_status *aggs;
    size_t n = bnd_lacp_get_aggregators(sys->lacp, &aggs);

    if (n > NET_PORTS) {
        net_fail(sys->net, "%c: %"PRIuSIZE" aggregators", sys->letter, n);
        n = NET_PORTS;
    }
    memcpy(sys->aggs, aggs, n * sizeof *aggs);
    sys->n_aggs = n;
    free(aggs);
    sys->fallback = bnd_lacp_get_fallback(sys->lacp);
}

static void
read_status(struct net_system *sys)
{
    read_aggregators(sys);

    for (int i = 0; i < sys->n_ports; i++) {
        struct net_port *port = &sys->ports[i];

        if (port->exists
            && !bnd_lacp_get_port_status(sys->lacp, port->id,
                                         &port->status)) {
            net_fail(sys->net, "%s: no status", port->name);
        }
        port->remembers &= !port->enabled;
        port->heard.any &= port->enabled || port->remembers;
    }
}

static void
run(struct net_system *sys)
{
    struct net *net = sys->net;
    struct bnd_effects fx = BND_EFFECTS_INITIALIZER;

    bnd_lacp_run(sys->lacp, net->now, &fx);
    net->n_runs++;
    sys->stale = sys->poked || fx.n ? 0 : sys->stale + 1;
    if (sys->stale > MAX_STALE) {
        net_fail(net, "%c: wakes up for nothing", sys->letter);
    }
    sys->poked = sys->news = false;
    sys->wake = bnd_lacp_wake_time(sys->lacp);
    if (sys->wake <= net->now) {
        net_fail(net, "%c: wake time %lld is not after the run", sys->letter,
                 sys->wake);
    }
    carry_out(sys, &fx);
    read_status(sys);
    net->ran(net, sys);
}

/* Arrival of frames. */

static void
deliver(struct net_frame *f)
{
    struct net_port *port = f->to;
    struct net_system *sys = port->system;
    struct net *net = sys->net;
    struct bnd_effects fx = BND_EFFECTS_INITIALIZER;
    struct bnd_lacpdu pdu;

    if (!net_port_is_up(port)) {
        return;
    }
    if (sys->news) {
        run(sys);               /* To see what was before the frame. */
    }
    if (!bnd_lacp_receive(sys->lacp, port->id, f->data, f->len, f->arrival,
                          net->now, &fx)
        && decode(f->data, f->len, &pdu)) {
        note_heard(port, &pdu, f->arrival);
    }
    sys->poked = true;
    sys->wake = bnd_lacp_wake_time(sys->lacp);
    if (sys->wake > net->now) {
        net_fail(net, "%c: no wake time after a frame", sys->letter);
    }
    carry_out(sys, &fx);
}

/* When the system takes 'f'. */
static long long int
taken(const struct net_frame *f)
{
    return MAX(f->arrival, f->to->system->paused);
}

/* The frame to be delivered next, no later than now, or -1. */
static int
find_due(const struct net *net)
{
    int due = -1;

    for (size_t i = 0; i < net->n_frames; i++) {
        const struct net_frame *f = &net->frames[i];

        if (taken(f) <= net->now
            && (due < 0 || f->arrival < net->frames[due].arrival
                || (f->arrival == net->frames[due].arrival
                    && f->order < net->frames[due].order))) {
            due = i;
        }
    }
    return due;
}

static void
deliver_due(struct net *net)
{
    int due;

    while (!net->error && (due = find_due(net)) >= 0) {
        struct net_frame f = net->frames[due];

        net->frames[due] = net->frames[--net->n_frames];
        deliver(&f);
        free(f.data);
    }
}

void
net_probe(struct net_system *sys)
{
    struct net *net = sys->net;
    struct bnd_effects fx = BND_EFFECTS_INITIALIZER;

    if (!sys->lacp || sys->poked || sys->wake <= net->now
        || sys->paused > net->now) {
        return;
    }
    bnd_lacp_run(sys->lacp, net->now, &fx);
    if (fx.n) {
        net_fail(net, "%c: has something to do before its wake time %lld",
                 sys->letter, sys->wake);
    }
    bnd_effects_uninit(&fx);

    long long int wake = bnd_lacp_wake_time(sys->lacp);
    if (wake != sys->wake) {
        net_fail(net, "%c: wake time goes from %lld to %lld", sys->letter,
                 sys->wake, wake);
    }
    for (int i = 0; i < sys->n_ports; i++) {
        struct net_port *port = &sys->ports[i];
        struct bnd_lacp_port_status s;

        if (port->exists) {
            memset(&s, 0, sizeof s);
            bnd_lacp_get_port_status(sys->lacp, port->id, &s);
            if (s.rx != port->status.rx || s.attached != port->status.attached
                || s.may_enable != port->status.may_enable
                || s.actor.state != port->status.actor.state
                || s.aggregator != port->status.aggregator
                || s.in_active != port->status.in_active
                || s.actor_churn != port->status.actor_churn
                || s.partner_churn != port->status.partner_churn
                || s.n_tx != port->status.n_tx) {
                net_fail(net, "%s: changes before the wake time", port->name);
            }
        }
    }
}

/* When does something happen by itself? */
static long long int
next_time(const struct net *net)
{
    long long int next = BND_NEVER;

    for (size_t i = 0; i < net->n_frames; i++) {
        next = MIN(next, taken(&net->frames[i]));
    }
    for (int i = 0; i < net->n_systems; i++) {
        const struct net_system *sys = &net->systems[i];

        if (sys->wake != BND_NEVER) {
            next = MIN(next, MAX(sys->wake, sys->paused));
        }
    }
    return MAX(next, net->now);
}

void
net_advance(struct net *net, long long int until)
{
    long long int last = -1;
    int n = 0;

    while (!net->error) {
        long long int next = next_time(net);

        if (next > until) {
            net->now = MAX(net->now, until);
            return;
        }
        n = next == last ? n + 1 : 0;
        if (n > MAX_SPIN) {
            net_fail(net, "does not settle");
        }
        net->now = last = next;
        deliver_due(net);
        for (int i = 0; i < net->n_systems && !net->error; i++) {
            struct net_system *sys = &net->systems[i];

            if (sys->wake <= net->now && sys->paused <= net->now) {
                run(sys);
            }
        }
    }
}
