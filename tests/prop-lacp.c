/* SPDX-License-Identifier: Apache-2.0 */

/* Random nets of LACP systems; see lacp-rules.h for what must hold.
 *
 *     bndtest prop-lacp [--seed=N] [--steps=N] [--length=N] [--hours=N]
 *                       [--verbose]
 *
 * takes '--steps' steps in walks of '--length' each, the first one from
 * '--seed', the next one from the number after it, and so on.  Each walk has
 * systems, options and wires of its own.  Steps are faults of wires, of links
 * and of systems, changes of configuration, and time; now and then all faults
 * are mended, and the net has to settle in the time that the standard gives.
 *
 * With '--hours' there is one walk, of so many hours of simulated time.
 * Memory must not grow with them.
 *
 * If a walk fails, prints what broke to stderr and what happened to stdout:
 * the steps, and with '--verbose' all that the systems did. */

#include <config.h>
#include "bndtest.h"

#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include "util.h"
#include "lacp-rules.h"
#include "wire/marker.h"

struct options {
    long long int seed;
    long long int steps;
    long long int length;
    long long int hours;        /* 0 if steps are counted. */
    bool verbose;
};

/* Making a net. */

static struct net_port *
random_port(struct net *net)
{
    struct net_system *sys = &net->systems[net_random(net, net->n_systems)];

    return &sys->ports[net_random(net, sys->n_ports)];
}

static void
describe_system(struct net_system *sys)
{
    const struct bnd_lacp_config *c = &sys->config;

    net_log(sys->net, "system %c %s %s%s%s priority=%d select=%d%s%s"
            " min-links=%d max-links=%d user-key=%d fallback=%d,%lld",
            sys->letter,
            c->active ? "active" : "passive", c->fast ? "fast" : "slow",
            c->fallback ? " fallback" : "",
            c->flavour == BND_LACP_FLAVOUR_OVS ? "" : " standard",
            c->system_priority, c->select,
            c->coupled ? " coupled" : " independent",
            c->strict ? " strict" : "", c->min_links, c->max_links,
            c->user_key, c->fallback_kind, c->fallback_timeout);
}

static void
describe_port(struct net_port *port)
{
    net_log(port->system->net, "port %s priority=%d key=%d speed=%u %s",
            port->name, port->config.priority, port->config.key,
            port->speed_mbps, port->full_duplex ? "full" : "half");
}

static void
describe_wire(struct net_port *port)
{
    net_log(port->system->net,
            "wire %s %s delay=%u jitter=%u loss=%u dup=%u corrupt=%u%s",
            port->name, port->peer ? port->peer->name : "-", port->delay,
            port->jitter, port->loss, port->dup, port->corrupt,
            port->cut ? " cut" : "");
}

static void
choose_options(struct net_system *sys)
{
    struct net *net = sys->net;
    struct bnd_lacp_config *c = &sys->config;

    c->active = !net_percent(net, 20);
    c->fast = net_percent(net, 70);
    c->fallback = net_percent(net, 20);
    c->flavour = (net_percent(net, 60) ? BND_LACP_FLAVOUR_STANDARD
                  : BND_LACP_FLAVOUR_OVS);
    c->system_priority = (net_percent(net, 70) ? 65535
                          : 1 + net_random(net, 4));
    c->select = net_random(net, 4);
    c->coupled = net_percent(net, 60);
    c->strict = net_percent(net, 10);
    c->min_links = net_percent(net, 70) ? 0 : net_random(net, 4);
    c->max_links = net_percent(net, 60) ? 0 : 1 + net_random(net, 4);
    c->user_key = net_percent(net, 90) ? 0 : 5;
    c->fallback_kind = (net_percent(net, 50) ? BND_LACP_FB_LINUX
                        : net_random(net, 4));
    c->fallback_timeout = net_percent(net, 50) ? 3000 : net_random(net, 9000);
}

static void
choose_link(struct net_port *port)
{
    struct net *net = port->system->net;

    port->speed_mbps = net_percent(net, 80) ? 10000 : 1000;
    port->full_duplex = !net_percent(net, 5);
}

static void
choose_port(struct net_port *port)
{
    struct net *net = port->system->net;

    port->config.priority = (net_percent(net, 70) ? 255
                             : 1 + net_random(net, 4));
    port->config.key = net_percent(net, 85) ? 7 : net_random(net, 3);
    port->exists = !net_percent(net, 10);
}

/* Mostly bundles between neighbours, and some wires gone astray. */
static void
choose_wires(struct net *net)
{
    for (int i = 0; i < net->n_systems; i++) {
        for (int j = 0; j < net->systems[i].n_ports; j++) {
            struct net_port *port = &net->systems[i].ports[j];
            int k = (i ^ 1) < net->n_systems ? i ^ 1 : 0;

            if (net_percent(net, 20)) {
                k = net_random(net, net->n_systems);
            }

            struct net_system *other = &net->systems[k];
            struct net_port *peer = &other->ports[
                net_percent(net, 80) ? j % other->n_ports
                : net_random(net, other->n_ports)];
            if (!port->peer && !peer->peer && (k != i || net_percent(net, 20))
                && !net_percent(net, 5)) {
                net_plug(port, peer);
                port->delay = net_random(net, 5);
                peer->delay = net_random(net, 5);
                describe_wire(port);
            }
        }
    }
}

static void
make_net(struct net *net, bool large)
{
    net->n_systems = (large ? NET_SYSTEMS
                      : 2 + net_random(net, NET_SYSTEMS - 1));
    for (int i = 0; i < net->n_systems; i++) {
        struct net_system *sys = &net->systems[i];

        sys->n_ports = large ? NET_PORTS : 1 + net_random(net, NET_PORTS);
        choose_options(sys);
        describe_system(sys);
        for (int j = 0; j < sys->n_ports; j++) {
            choose_port(&sys->ports[j]);
            choose_link(&sys->ports[j]);
            if (sys->ports[j].exists) {
                describe_port(&sys->ports[j]);
            }
        }
        net_system_start(sys);
    }
    choose_wires(net);
}

/* Steps. */

static void
step_time(struct net *net)
{
    static const int spans[] = { 2, 50, 400, 1200, 4000 };
    long long int span = net_random(net, spans[net_random(net, 5)]);

    if (net_percent(net, 1)) {
        span = net_random(net, 100000);
    }
    net_advance(net, net->now + span);
}

static void
step_wire(struct net *net)
{
    struct net_port *port = random_port(net);

    switch (net_random(net, 6)) {
    case 0:
        port->loss = net_random(net, 101);
        break;
    case 1:
        port->jitter = net_random(net, 2) * net_random(net, 1500);
        break;
    case 2:
        port->dup = net_random(net, 50);
        break;
    case 3:
        port->delay = net_random(net, 2) ? net_random(net, 1500) : 1;
        break;
    case 4:
        port->corrupt = net_random(net, 2) * net_random(net, 20);
        break;
    default:
        port->loss = port->jitter = port->dup = port->corrupt = 0;
        break;
    }
    describe_wire(port);
}

static void
step_cut(struct net *net)
{
    struct net_port *port = random_port(net);

    port->cut = !port->cut;
    net_log(net, "%s %s oneway", port->cut ? "cut" : "mend", port->name);
    if (port->peer && net_percent(net, 50)) {
        port->peer->cut = port->cut;
        net_log(net, "%s %s oneway", port->cut ? "cut" : "mend",
                port->peer->name);
    }
}

static void
step_link(struct net *net)
{
    struct net_port *port = random_port(net);
    bool up;

    switch (net_random(net, 3)) {
    case 0:
        up = !port->carrier;
        net_log(net, "%s %s", up ? "up" : "down", port->name);
        net_port_set_carrier(port, up);
        if (port->peer) {
            net_port_set_carrier(port->peer, up);
        }
        break;
    case 1:
        up = !port->enabled;
        net_log(net, "%s %s", up ? "enable" : "disable", port->name);
        net_port_set_enabled(port, up);
        break;
    default:
        up = !port->carrier;
        net_log(net, "%s %s and %s", up ? "up" : "down", port->name,
                up ? "enable" : "disable");
        net_port_set_carrier(port, up);
        net_port_set_enabled(port, up);
        if (port->peer) {
            net_port_set_carrier(port->peer, up);
            net_port_set_enabled(port->peer, up);
        }
        break;
    }
}

static void
step_port(struct net *net)
{
    struct net_port *port = random_port(net);

    if (net_percent(net, 30)) {
        net_log(net, "%s %s", port->drained ? "undrain" : "drain",
                port->name);
        net_port_set_drained(port, !port->drained);
    } else if (!port->exists) {
        choose_port(port);
        describe_port(port);
        net_port_add(port);
    } else if (net_percent(net, 30)) {
        net_log(net, "del %s", port->name);
        net_port_del(port);
    } else if (net_percent(net, 40)) {
        choose_link(port);
        describe_port(port);
        net_port_set_link(port, port->speed_mbps, port->full_duplex);
    } else {
        choose_port(port);
        port->exists = true;
        describe_port(port);
        net_port_configure(port);
    }
}

static void
step_system(struct net *net)
{
    struct net_system *sys = &net->systems[net_random(net, net->n_systems)];

    if (!sys->lacp) {
        net_log(net, "start %c", sys->letter);
        net_system_start(sys);
    } else if (net_percent(net, 15)) {
        net_log(net, "restart %c", sys->letter);
        net_system_restart(sys, net_random(net, 4000));
    } else if (net_percent(net, 30)) {
        net_log(net, "stop %c", sys->letter);
        net_system_stop(sys);
        if (net_percent(net, 80)) {
            net_advance(net, net->now + net_random(net, 2000));
            net_log(net, "start %c", sys->letter);
            net_system_start(sys);
        }
    } else if (net_percent(net, 50)) {
        sys->paused = net->now + net_random(net, 8000);
        net_log(net, "pause %c until=%lld", sys->letter, sys->paused);
    } else {
        struct bnd_lacp_config old = sys->config;

        choose_options(sys);
        if (!net_percent(net, 5)) {
            sys->config.flavour = old.flavour;
        }
        if (net_percent(net, 50)) {
            sys->config.system_priority = old.system_priority;
        }
        describe_system(sys);
        net_system_configure(sys);
    }
}

/* A wire goes elsewhere. */
static void
step_plug(struct net *net)
{
    struct net_port *a = random_port(net);
    struct net_port *b = random_port(net);

    if (net_percent(net, 10)) {
        b = NULL;
    } else if (net_percent(net, 10)) {
        b = a;
    }
    net_log(net, "wire %s %s", a->name, b ? b->name : "-");
    net_plug(a, b);
}

/* A LACPDU that is right but for a few fields, a Marker or garbage. */
static void
step_inject(struct net *net)
{
    struct net_port *port = random_port(net);
    struct bnd_lacpdu pdu = {
        .actor = port->status.partner,
        .partner = port->status.actor,
    };
    struct bnd_marker marker = { 1 + net_random(net, 2), 1, 2,
                                 {{{ 2, 0, 0, 0, 0, 9 }}}, 3 };
    uint8_t *data;
    size_t len = BND_SLOW_FRAME_LEN;

    if (net_percent(net, 20)) {
        data = bnd_marker_encode(&marker, marker.system);
    } else {
        pdu.actor.state = net_random(net, 256);
        if (net_percent(net, 50)) {
            pdu.actor.system.ea[5] = net_random(net, 2) ? 99 : 10;
            pdu.actor.key = net_random(net, 2) ? 7 : 1;
            pdu.partner.key ^= net_percent(net, 10);
        }
        data = bnd_lacpdu_encode(&pdu, port->mac);
    }
    if (net_percent(net, 20)) {
        data[12 + net_random(net, 60)] = net_random(net, 256);
    }
    if (net_percent(net, 10)) {
        len = net_random(net, len);
    }
    if (net->log) {
        struct ds hex = DS_EMPTY_INITIALIZER;

        for (size_t i = 0; i < len; i++) {
            ds_put_format(&hex, "%02x", data[i]);
        }
        net_log(net, "frame %s %s", port->name, ds_cstr(&hex));
        ds_destroy(&hex);
    }
    net_inject(port, data, len);
    free(data);
}

static void
step(struct net *net)
{
    unsigned int dice = net_random(net, 100);

    if (dice < 45) {
        step_time(net);
    } else if (dice < 55) {
        step_wire(net);
    } else if (dice < 64) {
        step_cut(net);
    } else if (dice < 76) {
        step_link(net);
    } else if (dice < 81) {
        step_port(net);
    } else if (dice < 86) {
        step_system(net);
    } else if (dice < 88) {
        step_plug(net);
    } else if (dice < 94) {
        step_inject(net);
    } else {
        net_probe(&net->systems[net_random(net, net->n_systems)]);
    }
}

/* Mends everything. */
static void
heal(struct net *net, bool bounce)
{
    net_log(net, "# all is mended%s", bounce ? ", all links are down" : "");
    for (int i = 0; i < net->n_systems; i++) {
        struct net_system *sys = &net->systems[i];

        sys->paused = net->now;
        for (int j = 0; j < sys->n_ports; j++) {
            struct net_port *port = &sys->ports[j];

            port->loss = port->jitter = port->dup = port->corrupt = 0;
            port->delay = MIN(port->delay, 4);
            port->cut = false;
            net_port_set_carrier(port, !bounce);
            net_port_set_enabled(port, !bounce);
            net_port_set_drained(port, false);
        }
        if (!sys->lacp) {
            net_system_start(sys);
        }
    }
    /* What is still on the wires. */
    net_advance(net, net->now + 3000);
    if (bounce) {
        net_log(net, "# all links come up");
        for (int i = 0; i < net->n_systems; i++) {
            for (int j = 0; j < net->systems[i].n_ports; j++) {
                net_port_set_carrier(&net->systems[i].ports[j], true);
                net_port_set_enabled(&net->systems[i].ports[j], true);
            }
        }
    }
}

/* Is the key that all ports of a system of the OVS flavour have a matter of who
 * joined first? */
static bool
has_chance_key(const struct net_system *sys)
{
    for (int i = 0; i < sys->n_ports; i++) {
        if (sys->ports[i].exists
            && (sys->ports[i].config.key != sys->ports[0].config.key
                || !sys->ports[i].config.key)) {
            return sys->config.flavour == BND_LACP_FLAVOUR_OVS;
        }
    }
    return false;
}

/* In a net at peace a system that comes back soon enough for its partners, and
 * remembers, disturbs nobody. */
static void
restart(struct net *net)
{
    struct net_system *sys = &net->systems[net_random(net, net->n_systems)];

    if (!net->error && net_percent(net, 50) && !has_chance_key(sys)) {
        net_log(net, "# %c restarts", sys->letter);
        net->held = net_in_use(net, true);
        net_system_restart(sys, net_random(net, 1800));
        net_advance(net, net->now + 8000);
        net->held = 0;
    }
}

/* Heals the net, lets it settle, and looks whether it stays so. */
static void
settle(struct net *net)
{
    bool bounce = net_percent(net, 50);
    uint32_t in_use = 0;

    heal(net, bounce);
    net_advance(net, net->now + net_settle_time(net, bounce));
    for (int pass = 0; pass < 2 && !net->error; pass++) {
        net_rules_settled(net);
        in_use = pass ? in_use : net_in_use(net, false);
        if (in_use != net_in_use(net, false)) {
            net_fail(net, "ports in use go from %#x to %#x though nothing"
                     " happens", in_use, net_in_use(net, false));
        }
        net_advance(net, net->now + 5000);
    }
    restart(net);
}

/* Walks. */

static size_t
memory_used(void)
{
    return mallinfo2().uordblks;
}

static void
walk_steps(struct net *net, const struct options *o)
{
    for (long long int i = 1; i <= o->length && !net->error; i++) {
        step(net);
        if (i % 500 == 0 || i == o->length) {
            settle(net);
        }
    }
}

/* What is used after an eighth of the time must do for all of it. */
static void
walk_hours(struct net *net, const struct options *o)
{
    long long int end = o->hours * 3600 * 1000;
    size_t first = 0;

    while (!net->error && net->now < end) {
        step(net);
        if (net_percent(net, 1)) {
            settle(net);
        }
        if (!first && net->now > end / 8) {
            first = memory_used();
        }
    }
    if (!net->log && memory_used() > first + 32768) {
        net_fail(net, "memory grew from %"PRIuSIZE" to %"PRIuSIZE, first,
                 memory_used());
    }
}

/* 'log' may be null. */
static void
walk(struct net *net, const struct options *o, uint64_t seed, struct ds *log,
     bool deep)
{
    net_init(net, seed);
    net->ran = net_rules_ran;
    net->log = log;
    net->verbose = o->verbose;
    net->deep_hash = deep;
    make_net(net, o->hours != 0);
    if (o->hours) {
        walk_hours(net, o);
    } else {
        walk_steps(net, o);
    }
}

/* Walks the same way again, for the reader. */
static void
report(const struct options *o, uint64_t seed)
{
    struct ds log = DS_EMPTY_INITIALIZER;
    struct net net;
    char *args = (o->hours
                  ? xasprintf("--seed=%llu --hours=%lld",
                              (unsigned long long int) seed, o->hours)
                  : xasprintf("--seed=%llu --steps=%lld --length=%lld",
                              (unsigned long long int) seed, o->length,
                              o->length));

    walk(&net, o, seed, &log, true);
    fprintf(stderr, "bndtest prop-lacp %s: %s\n", args,
            net.error ? net.error : "the second time it goes well");
    printf("# bndtest prop-lacp %s\n%s", args, ds_cstr(&log));
    net_uninit(&net);
    ds_destroy(&log);
    free(args);
}

/* Every eighth walk goes twice, and must go the same way to the byte. */
static bool
walk_once(const struct options *o, uint64_t seed)
{
    bool twice = seed % 8 == 0 && !o->hours;
    struct net net;

    walk(&net, o, seed, NULL, twice);

    bool ok = !net.error;
    uint64_t hash = net.hash;
    net_uninit(&net);
    if (!ok) {
        report(o, seed);
    } else if (twice) {
        walk(&net, o, seed, NULL, true);
        if (net.hash != hash || net.error) {
            fprintf(stderr, "bndtest prop-lacp --seed=%llu --length=%lld: goes"
                    " another way the second time\n",
                    (unsigned long long int) seed, o->length);
            ok = false;
        }
        net_uninit(&net);
    }
    return ok;
}

static bool
parse_option(const char *arg, struct options *o)
{
    struct {
        const char *name;
        long long int *value;
    } numbers[] = {
        { "--seed=", &o->seed },
        { "--steps=", &o->steps },
        { "--length=", &o->length },
        { "--hours=", &o->hours },
    };

    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        size_t len = strlen(numbers[i].name);

        if (!strncmp(arg, numbers[i].name, len)) {
            return (str_to_llong(arg + len, 10, numbers[i].value)
                    && *numbers[i].value >= 0);
        }
    }
    if (!strcmp(arg, "--verbose")) {
        o->verbose = true;
        return true;
    }
    return false;
}

static int
prop_lacp(int argc, char *argv[])
{
    struct options o = { .seed = 1, .steps = 10000, .length = 1000 };

    for (int i = 1; i < argc; i++) {
        if (!parse_option(argv[i], &o) || !o.length) {
            fprintf(stderr, "bndtest prop-lacp: bad option '%s'\n", argv[i]);
            return 2;
        }
    }
    if (o.hours) {
        return !walk_once(&o, o.seed);
    }
    for (; o.steps > 0; o.steps -= o.length, o.seed++) {
        o.length = MIN(o.length, o.steps);
        if (!walk_once(&o, o.seed)) {
            return 1;
        }
    }
    return 0;
}
BNDTEST_REGISTER("prop-lacp",
                 "[--seed=N] [--steps=N] [--length=N] [--hours=N]"
                 " [--verbose]", prop_lacp)
