/* SPDX-License-Identifier: Apache-2.0 */

/* Drives LACP systems joined by wires, in simulated time.
 *
 *     bndtest lacp [--step] SCRIPT
 *
 * Time goes from one wake time to the next or, with --step, millisecond by
 * millisecond; both must print the same.  Ports are named SYSTEM and number,
 * such as "a1".  A line may begin with "at T:", which lets time pass until T
 * has been worked off.
 *
 *     system a [active|passive] [fast|slow] [fallback] [standard|linux]
 *              [id=MAC] [priority=N]         create, or configure anew: all
 *                                            but 'fallback' and 'standard'
 *                                            stays unless given
 *         linux is standard with coupled control; with them, too, and gone
 *         unless given: [strict] [select=POLICY] [min-links=N] [max-links=N]
 *         [user-key=N] [without=individual|none|active-backup|all-active]
 *         [timeout=MS]
 *     port a1 [id=N] [priority=N] [key=N] [speed=MBPS] [duplex=half|full]
 *                                            create, or configure anew
 *     del a1
 *     wire a1 b1 [delay=MS] [loss=PERCENT]
 *     cut a1; mend a1                        wire lets nothing, all pass
 *     down a1; up a1                         carrier at both ends of the wire
 *     disable a1; enable a1                  port_enabled
 *     drain a1; fill a1                      out of use, and back
 *     pdu a1 [NAME=VALUE...]                 a1 receives a LACPDU; names are
 *         system priority key port-priority port state, the same with "p-" in
 *         front for the partner section, and version; unless given, what the
 *         sender believes of a1 is right
 *     frame a1 HEX                           a1 receives a frame
 *     log; nolog                             print what is sent, and changes
 *     show a1; stats a1; aggs a
 *     late a1                                the account of late LACPDUs: what
 *         is not 0 of gaps and delays, by their bounds, and the alarms
 *     stall T                                nobody runs before T
 *     expect a1 [rx=WORD] [attached=yes|no] [enable=yes|no] [actor=STATE]
 *               [partner=STATE] [agg=N] [tx=N] [late=N] [mux=STATE]
 *               [state=NUMBER] [partner-state=NUMBER] [key=N] [port=N]
 *               [collect=yes|no] [standby=yes|no] [individual=yes|no]
 *               [churn=ACTOR/PARTNER] [n-churn=N/N] [counters=N,...]
 *         counters are those of Linux: LACPDUs in and out, unknown, illegal,
 *         Markers in, responses in and out, unknown Markers
 *     expect a [status=WORD] [wake=T|never|now] [active=AGG|none]
 *              [carrier=yes|no] [fallback=WORD] [on=1,2,...|none]
 *         'on' are the ports that may carry traffic
 *
 * A STATE shows each bit as a letter or '-': Activity, Timeout, aGgregation,
 * Sync, Collecting, Distributing, deFaulted, Expired. */

#include <config.h>
#include "bndtest.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "util.h"
#include "core/effects.h"
#include "lacp/lacp.h"
#include "wire/eth.h"

#define MAX_SYSTEMS 8
#define MAX_PORTS 32
#define MAX_FLYING 256

struct system {
    char name[8];
    struct bnd_lacp_config config;
    struct bnd_lacp *lacp;
    enum bnd_lacp_status status; /* As printed last. */
};

struct port {
    char name[8];
    struct system *system;
    bnd_id id;
    struct eth_addr mac;
    struct bnd_lacp_port_config config;
    uint32_t speed;             /* Mbps. */
    enum bnd_duplex duplex;
    struct port *peer;          /* Other end of the wire, or null. */
    long long int delay;        /* ms. */
    unsigned int loss;          /* Percent. */
    bool cut;
    struct bnd_lacp_port_status shown; /* As printed last. */
};

/* A frame on a wire. */
struct flying {
    long long int arrival;
    struct port *to;
    uint8_t *data;
    size_t len;
};

struct lab {
    struct system systems[MAX_SYSTEMS];
    int n_systems;
    struct port ports[MAX_PORTS];
    int n_ports;
    struct flying flying[MAX_FLYING]; /* In the order of sending. */
    int n_flying;
    long long int now;
    bool step;                  /* Millisecond by millisecond? */
    bool log;
    uint32_t random;
    struct bndtest_line line;
};

/* Finding things. */

static struct system *
find_system(struct lab *lab, const char *name)
{
    for (int i = 0; i < lab->n_systems; i++) {
        if (!strcmp(lab->systems[i].name, name)) {
            return &lab->systems[i];
        }
    }
    return NULL;
}

static struct port *
find_port(struct lab *lab, const char *name)
{
    for (int i = 0; i < lab->n_ports; i++) {
        if (lab->ports[i].system && !strcmp(lab->ports[i].name, name)) {
            return &lab->ports[i];
        }
    }
    return NULL;
}

static struct port *
arg_port(struct lab *lab, int index)
{
    const char *name = index < lab->line.n_words ? lab->line.word[index] : "";
    struct port *port = find_port(lab, name);

    if (!port) {
        bndtest_fatal(&lab->line, "no port '%s'", name);
    }
    return port;
}

static struct bnd_lacp_port_status
port_status(const struct port *port)
{
    struct bnd_lacp_port_status s;

    memset(&s, 0, sizeof s);
    bnd_lacp_get_port_status(port->system->lacp, port->id, &s);
    return s;
}

/* Text. */

static const char *
rx_name(enum bnd_lacp_rx_summary rx)
{
    return (rx == BND_LACP_RX_CURRENT ? "current"
            : rx == BND_LACP_RX_EXPIRED ? "expired" : "defaulted");
}

static const char state_letters[] = "ATGSCDFE";

/* Formats 'state' into 'buf', which it returns. */
static char *
state_name(uint8_t state, char buf[9])
{
    for (int i = 0; i < 8; i++) {
        buf[i] = state >> i & 1 ? state_letters[i] : '-';
    }
    buf[8] = '\0';
    return buf;
}

static void
print_info(const char *label, const struct bnd_lacp_info *info)
{
    char buf[9];

    printf(" %s %u.", label, info->system_priority);
    for (int i = 0; i < 6; i++) {
        printf("%02x", info->system.ea[i]);
    }
    printf(".%u.%u.%u %s", info->key, info->port_priority, info->port_id,
           state_name(info->state, buf));
}

static void
print_status(const struct lab *lab, const struct port *port,
             const struct bnd_lacp_port_status *s)
{
    char actor[9], partner[9];

    printf("%lld %s: %s %s%s %s/%s\n", lab->now, port->name, rx_name(s->rx),
           s->attached ? "attached" : "detached",
           s->may_enable ? " enabled" : "",
           state_name(s->actor.state, actor),
           state_name(s->partner.state, partner));
}

static void
log_frame(const struct lab *lab, const struct port *port,
          const uint8_t *data, size_t len)
{
    struct bnd_cursor body;
    struct bnd_lacpdu pdu;
    uint8_t subtype;

    printf("%lld %s:", lab->now, port->name);
    if (!bnd_slow_open(data, len, &body, &subtype)
        && !bnd_lacpdu_decode(body, &pdu)) {
        print_info("actor", &pdu.actor);
        print_info("partner", &pdu.partner);
    } else {
        printf(" frame ");
        for (size_t i = 0; i < len; i++) {
            printf("%02x", data[i]);
        }
    }
    putchar('\n');
}

/* Prints what has changed since last time. */
static void
log_changes(struct lab *lab)
{
    for (int i = 0; i < lab->n_systems; i++) {
        struct system *sys = &lab->systems[i];
        enum bnd_lacp_status status = bnd_lacp_get_status(sys->lacp);

        if (status != sys->status && lab->log) {
            printf("%lld %s: %s\n", lab->now, sys->name,
                   bnd_lacp_status_name(status));
        }
        sys->status = status;
    }
    for (int i = 0; i < lab->n_ports; i++) {
        struct port *port = &lab->ports[i];

        if (!port->system) {
            continue;
        }

        struct bnd_lacp_port_status s = port_status(port);
        if (lab->log && (s.rx != port->shown.rx
                         || s.attached != port->shown.attached
                         || s.may_enable != port->shown.may_enable)) {
            print_status(lab, port, &s);
        }
        port->shown = s;
    }
}

/* Time. */

static bool
is_lost(struct lab *lab, const struct port *port)
{
    lab->random = lab->random * 1664525 + 1013904223;
    return (lab->random >> 16) % 100 < port->loss;
}

static void
send_frame(struct lab *lab, struct port *from, const uint8_t *data,
           size_t len)
{
    if (lab->log) {
        log_frame(lab, from, data, len);
    }
    if (!from->peer || from->cut || is_lost(lab, from)) {
        return;
    }
    if (lab->n_flying >= MAX_FLYING) {
        bndtest_fatal(&lab->line, "too many frames on the wires");
    }
    lab->flying[lab->n_flying++] = (struct flying) {
        .arrival = lab->now + from->delay,
        .to = from->peer,
        .data = xmemdup(data, len),
        .len = len,
    };
}

static struct port *
port_by_id(struct lab *lab, const struct system *sys, bnd_id id)
{
    for (int i = 0; i < lab->n_ports; i++) {
        if (lab->ports[i].system == sys && lab->ports[i].id == id) {
            return &lab->ports[i];
        }
    }
    bndtest_fatal(&lab->line, "frame for port %u, which is not there", id);
}

static void
carry_out(struct lab *lab, struct system *sys, struct bnd_effects *fx)
{
    for (size_t i = 0; i < fx->n; i++) {
        const struct bnd_effect *e = &fx->fx[i];

        if (e->type == BND_FX_FRAME_TX) {
            send_frame(lab, port_by_id(lab, sys, e->frame.id), e->frame.data,
                       e->frame.len);
        } else if (e->type == BND_FX_TRACE
                   && e->trace.type == BND_TRACE_LOOPBACK && lab->log) {
            printf("%lld %s: loopback\n", lab->now, e->trace.member);
        }
    }
    bnd_effects_uninit(fx);
}

static enum bnd_drop_reason
deliver(struct lab *lab, struct port *to, const uint8_t *data, size_t len)
{
    struct bnd_effects fx = BND_EFFECTS_INITIALIZER;
    enum bnd_drop_reason reason;

    reason = bnd_lacp_receive(to->system->lacp, to->id, data, len, lab->now,
                              lab->now, &fx);
    carry_out(lab, to->system, &fx);
    return reason;
}

static void
deliver_due(struct lab *lab)
{
    int kept = 0;
    int n = lab->n_flying;

    for (int i = 0; i < n; i++) {
        struct flying f = lab->flying[i];

        if (f.arrival <= lab->now) {
            if (f.to) {
                deliver(lab, f.to, f.data, f.len);
            }
            free(f.data);
        } else {
            lab->flying[kept++] = f;
        }
    }
    /* What the receivers sent at once. */
    memmove(&lab->flying[kept], &lab->flying[n],
            (lab->n_flying - n) * sizeof lab->flying[0]);
    lab->n_flying += kept - n;
}

/* When does something happen by itself? */
static long long int
next_time(const struct lab *lab)
{
    long long int next = BND_NEVER;

    for (int i = 0; i < lab->n_flying; i++) {
        next = MIN(next, lab->flying[i].arrival);
    }
    for (int i = 0; i < lab->n_systems; i++) {
        next = MIN(next, bnd_lacp_wake_time(lab->systems[i].lacp));
    }
    return MAX(next, lab->now);
}

static void
pass(struct lab *lab)
{
    deliver_due(lab);
    for (int i = 0; i < lab->n_systems; i++) {
        struct bnd_effects fx = BND_EFFECTS_INITIALIZER;

        bnd_lacp_run(lab->systems[i].lacp, lab->now, &fx);
        carry_out(lab, &lab->systems[i], &fx);
    }
    log_changes(lab);
}

/* Works off everything up to 'until'. */
static void
run_until(struct lab *lab, long long int until)
{
    long long int last = -1;
    int n = 0;

    for (;;) {
        long long int next = next_time(lab);

        if (lab->step && next > lab->now + 1) {
            next = lab->now + 1;
        }
        if (next > until) {
            break;
        }
        n = next == last ? n + 1 : 0;
        if (n > 100) {
            bndtest_fatal(&lab->line, "does not settle at %lld", next);
        }
        lab->now = last = next;
        pass(lab);
    }
    lab->now = MAX(lab->now, until);
}

/* Commands. */

static struct eth_addr
arg_mac(struct lab *lab, const char *key, struct eth_addr absent)
{
    const char *value = bndtest_value(&lab->line, key);
    struct eth_addr mac = absent;

    if (value && bndtest_hex(value, &mac, sizeof mac) != sizeof mac) {
        bndtest_fatal(&lab->line, "'%s' is not an address", value);
    }
    return mac;
}

static const char *const policies[] = {
    [BND_AD_STABLE] = "stable",
    [BND_AD_BANDWIDTH] = "bandwidth",
    [BND_AD_COUNT] = "count",
    [BND_AD_PORT_PRIO] = "actor_port_prio",
    NULL
};

static const char *const fallbacks[] = {
    [BND_LACP_FB_LINUX] = "individual",
    [BND_LACP_FB_NONE] = "none",
    [BND_LACP_FB_AB] = "active-backup",
    [BND_LACP_FB_ALL] = "all-active",
    NULL
};

/* Returns the number in 'words' of the value of 'key', 0 if there is none. */
static int
arg_word(struct lab *lab, const char *key, const char *const words[])
{
    const char *value = bndtest_value(&lab->line, key);
    int i;

    for (i = 0; value && words[i] && strcmp(words[i], value); i++) {
        continue;
    }
    if (!words[i]) {
        bndtest_fatal(&lab->line, "what %s?", key);
    }
    return i;
}

static void
cmd_system(struct lab *lab)
{
    struct bndtest_line *l = &lab->line;
    const char *name = l->n_words > 1 ? l->word[1] : "";
    struct system *sys = find_system(lab, name);

    if (!sys) {
        int n = lab->n_systems;

        if (n >= MAX_SYSTEMS || strlen(name) != 1) {
            bndtest_fatal(l, "a system is called by one letter");
        }
        sys = &lab->systems[lab->n_systems++];
        ovs_strlcpy(sys->name, name, sizeof sys->name);
        sys->status = BND_LACP_CONFIGURED;
        sys->config = (struct bnd_lacp_config) {
            .system = {{{ 0x02, 0, 0, 0, 0, name[0] - 'a' + 0xa }}},
            .system_priority = 65535,
            .active = true,
            .fast = true,
        };
    }
    sys->config.system = arg_mac(lab, "id", sys->config.system);
    sys->config.system_priority
        = bndtest_key_number(l, "priority", sys->config.system_priority);
    sys->config.active = ((sys->config.active || bndtest_has(l, "active"))
                          && !bndtest_has(l, "passive"));
    sys->config.fast = ((sys->config.fast || bndtest_has(l, "fast"))
                        && !bndtest_has(l, "slow"));
    sys->config.fallback = bndtest_has(l, "fallback");
    sys->config.coupled = bndtest_has(l, "linux");
    sys->config.flavour = (bndtest_has(l, "standard") || sys->config.coupled
                           ? BND_LACP_FLAVOUR_STANDARD
                           : BND_LACP_FLAVOUR_OVS);
    sys->config.strict = bndtest_has(l, "strict");
    sys->config.min_links = bndtest_key_number(l, "min-links", 0);
    sys->config.max_links = bndtest_key_number(l, "max-links", 0);
    sys->config.user_key = bndtest_key_number(l, "user-key", 0);
    sys->config.fallback_timeout = bndtest_key_number(l, "timeout", 3000);
    sys->config.select = arg_word(lab, "select", policies);
    sys->config.fallback_kind = arg_word(lab, "without", fallbacks);
    if (sys->lacp) {
        bnd_lacp_configure(sys->lacp, &sys->config, lab->now);
    } else {
        sys->lacp = bnd_lacp_create(&sys->config, lab->now);
    }
}

static void
cmd_port(struct lab *lab)
{
    struct bndtest_line *l = &lab->line;
    const char *name = l->n_words > 1 ? l->word[1] : "";
    struct port *port = find_port(lab, name);
    bool new = !port;

    if (new) {
        char letter[] = { name[0], '\0' };
        struct system *sys = find_system(lab, letter);

        if (!sys || !isdigit((unsigned char) name[1])
            || lab->n_ports >= MAX_PORTS) {
            bndtest_fatal(l, "no such system, or no number");
        }
        port = &lab->ports[lab->n_ports++];
        ovs_strlcpy(port->name, name, sizeof port->name);
        port->system = sys;
        port->id = atoi(name + 1);
        port->mac = sys->config.system;
        port->mac.ea[4] = port->id;
        port->config.port_id = port->id;
        port->config.priority = 65535;
        port->speed = 10000;
        port->duplex = BND_DUPLEX_FULL;
    }
    port->config.port_id = bndtest_key_number(l, "id", port->config.port_id);
    port->config.priority = bndtest_key_number(l, "priority",
                                               port->config.priority);
    port->config.key = bndtest_key_number(l, "key", port->config.key);
    port->speed = bndtest_key_number(l, "speed", port->speed);
    if (bndtest_value(l, "duplex")) {
        port->duplex = (!strcmp(bndtest_value(l, "duplex"), "half")
                        ? BND_DUPLEX_HALF : BND_DUPLEX_FULL);
    }
    bnd_lacp_port_set(port->system->lacp, port->id, name, &port->config,
                      lab->now);
    bnd_lacp_port_set_link(port->system->lacp, port->id, port->speed,
                           port->duplex, lab->now);
    if (new) {
        bnd_lacp_port_set_mac(port->system->lacp, port->id, port->mac);
        bnd_lacp_port_set_enabled(port->system->lacp, port->id, true,
                                  lab->now);
        port->shown = port_status(port);
    }
}

static void
cmd_del(struct lab *lab)
{
    struct port *port = arg_port(lab, 1);
    struct bnd_effects fx = BND_EFFECTS_INITIALIZER;

    bnd_lacp_port_del(port->system->lacp, port->id, lab->now, &fx);
    carry_out(lab, port->system, &fx);
    if (port->peer) {
        port->peer->peer = NULL;
    }
    for (int i = 0; i < lab->n_flying; i++) {
        if (lab->flying[i].to == port) {
            lab->flying[i].to = NULL;
        }
    }
    memset(port, 0, sizeof *port); /* The place stays empty. */
}

static void
cmd_wire(struct lab *lab)
{
    struct port *ends[] = { arg_port(lab, 1), arg_port(lab, 2) };

    for (int i = 0; i < 2; i++) {
        ends[i]->peer = ends[!i];
        ends[i]->delay = bndtest_key_number(&lab->line, "delay", 0);
        ends[i]->loss = bndtest_key_number(&lab->line, "loss", 0);
    }
}

static void
set_cut(struct lab *lab, bool cut)
{
    struct port *port = arg_port(lab, 1);

    port->cut = cut;
    if (port->peer) {
        port->peer->cut = cut;
    }
}

static void
set_carrier(struct lab *lab, bool up)
{
    struct port *port = arg_port(lab, 1);
    struct port *ends[] = { port, port->peer };

    set_cut(lab, !up);
    for (int i = 0; i < 2; i++) {
        if (ends[i]) {
            struct bnd_lacp *lacp = ends[i]->system->lacp;

            bnd_lacp_port_set_carrier(lacp, ends[i]->id, up, lab->now);
            bnd_lacp_port_carrier_changed(lacp, ends[i]->id, lab->now);
            if (ends[i]->system->config.flavour
                == BND_LACP_FLAVOUR_STANDARD) {
                bnd_lacp_port_set_enabled(lacp, ends[i]->id, up, lab->now);
            }
        }
    }
}

static void
set_enabled(struct lab *lab, bool enabled)
{
    struct port *port = arg_port(lab, 1);

    bnd_lacp_port_set_enabled(port->system->lacp, port->id, enabled,
                              lab->now);
}

static void
set_drained(struct lab *lab, bool drained)
{
    struct port *port = arg_port(lab, 1);

    bnd_lacp_port_set_drained(port->system->lacp, port->id, drained,
                              lab->now);
}

/* Reads "PREFIXname=value" words into '*info'. */
static void
parse_info(struct lab *lab, const char *prefix, struct bnd_lacp_info *info)
{
    struct bndtest_line *l = &lab->line;
    char key[32];

    snprintf(key, sizeof key, "%ssystem", prefix);
    info->system = arg_mac(lab, key, info->system);
    snprintf(key, sizeof key, "%spriority", prefix);
    info->system_priority = bndtest_key_number(l, key, info->system_priority);
    snprintf(key, sizeof key, "%skey", prefix);
    info->key = bndtest_key_number(l, key, info->key);
    snprintf(key, sizeof key, "%sport-priority", prefix);
    info->port_priority = bndtest_key_number(l, key, info->port_priority);
    snprintf(key, sizeof key, "%sport", prefix);
    info->port_id = bndtest_key_number(l, key, info->port_id);
    snprintf(key, sizeof key, "%sstate", prefix);

    const char *state = bndtest_value(l, key);
    if (state) {
        info->state = 0;
        for (; *state; state++) {
            const char *p = strchr(state_letters, *state);

            if (p) {
                info->state |= 1 << (p - state_letters);
            } else if (*state != '-') {
                bndtest_fatal(l, "'%c' is no state bit", *state);
            }
        }
    }
}

static void
report_drop(const struct lab *lab, const struct port *port,
            enum bnd_drop_reason reason)
{
    if (reason != BND_DROP_NONE) {
        printf("%lld %s: dropped: %s\n", lab->now, port->name,
               bnd_drop_reason_name(reason));
    }
}

static void
cmd_pdu(struct lab *lab)
{
    struct port *port = arg_port(lab, 1);
    struct bnd_lacpdu pdu = {
        .actor = {
            .system_priority = 100,
            .system = {{{ 0xbb, 0, 0, 0, 0, 1 }}},
            .key = 7,
            .port_priority = 200,
            .port_id = port->id,
            .state = 0x3d,
        },
        .partner = port_status(port).actor,
    };

    pdu.partner.state &= ~(BND_LACP_DEFAULTED | BND_LACP_EXPIRED);
    pdu.partner.state |= (BND_LACP_SYNC | BND_LACP_COLLECTING
                          | BND_LACP_DISTRIBUTING);
    parse_info(lab, "", &pdu.actor);
    parse_info(lab, "p-", &pdu.partner);

    uint8_t *data = bnd_lacpdu_encode(&pdu, pdu.actor.system);
    report_drop(lab, port, deliver(lab, port, data, BND_SLOW_FRAME_LEN));
    free(data);
}

static void
cmd_frame(struct lab *lab)
{
    struct port *port = arg_port(lab, 1);
    uint8_t data[512];
    int len = bndtest_hex(lab->line.n_words > 2 ? lab->line.word[2] : "",
                          data, sizeof data);

    if (len < 0) {
        bndtest_fatal(&lab->line, "bad hex");
    }
    report_drop(lab, port, deliver(lab, port, data, len));
}

static void
cmd_stats(struct lab *lab)
{
    struct port *port = arg_port(lab, 1);
    struct bnd_lacp_port_status s = port_status(port);

    printf("%lld %s: tx %u rx %u bad %u marker %u expired %u defaulted %u "
           "carrier %u\n", lab->now, port->name, s.n_tx, s.n_rx, s.n_bad,
           s.n_marker_rx, s.n_expired, s.n_defaulted, s.n_carrier);
}

static void
cmd_aggs(struct lab *lab)
{
    const struct system *sys = find_system(lab, lab->line.n_words > 1
                                                ? lab->line.word[1] : "");
    struct bnd_lacp_agg_status *aggs;

    if (!sys) {
        bndtest_fatal(&lab->line, "no such system");
    }

    size_t n = bnd_lacp_get_aggregators(sys->lacp, &aggs);
    for (size_t i = 0; i < n; i++) {
        const struct bnd_lacp_agg_status *a = &aggs[i];

        printf("%lld %s: agg %u%s%s ports %d up %d key %u partner ",
               lab->now, sys->name, a->id, a->active ? " active" : "",
               a->individual ? " individual" : "", a->n_ports, a->n_enabled,
               a->actor_key);
        if (a->has_partner) {
            printf("%u.%02x%02x.%u", a->partner_priority,
                   a->partner_system.ea[0], a->partner_system.ea[5],
                   a->partner_key);
        } else {
            printf("none");
        }
        printf(" bandwidth %llu\n", (unsigned long long int) a->bandwidth);
    }
    free(aggs);
}

static void
print_counts(const char *label, const uint32_t counts[],
             const char *const bounds[], size_t n)
{
    printf(" %s", label);
    for (size_t i = 0; i < n; i++) {
        if (counts[i]) {
            printf(" %s:%u", bounds[i], counts[i]);
        }
    }
}

static void
cmd_late(struct lab *lab)
{
    static const char *const gaps[] = {
#define BND_LATE_GAP(MS) #MS,
        BND_LATE_GAPS
#undef BND_LATE_GAP
        "more"
    };
    static const char *const delays[] = {
#define BND_LATE_DELAY(MS) #MS,
        BND_LATE_DELAYS
#undef BND_LATE_DELAY
        "more"
    };
    struct port *port = arg_port(lab, 1);
    struct bnd_lacp_port_status s = port_status(port);

    printf("%lld %s:", lab->now, port->name);
    print_counts("gaps", s.late.gaps, gaps, ARRAY_SIZE(gaps));
    printf(" worst %lld", s.late.worst_gap);
    print_counts("delays", s.late.delays, delays, ARRAY_SIZE(delays));
    printf(" worst %lld silent %u%s overdue %u%s\n", s.late.worst_delay,
           s.late.n_silent, s.late.silent ? " now" : "", s.late.n_overdue,
           s.late.overdue ? " now" : "");
}

static void
cmd_stall(struct lab *lab)
{
    long long int until = bndtest_number(&lab->line, 1);

    if (until < lab->now) {
        bndtest_fatal(&lab->line, "that is over");
    }
    lab->now = until;
    pass(lab);
}

static void
expect(const struct lab *lab, const char *key, const char *actual)
{
    const char *wanted = bndtest_value(&lab->line, key);

    if (wanted && strcmp(wanted, actual)) {
        bndtest_fatal(&lab->line, "%lld: %s is %s", lab->now, key, actual);
    }
}

static void
expect_number(const struct lab *lab, const char *key, long long int actual)
{
    char buf[32];

    snprintf(buf, sizeof buf, "%lld", actual);
    expect(lab, key, buf);
}

static void
expect_active(const struct lab *lab, const struct system *sys)
{
    struct bnd_lacp_agg_status *aggs;
    size_t n = bnd_lacp_get_aggregators(sys->lacp, &aggs);
    char id[16] = "none";

    for (size_t i = 0; i < n; i++) {
        if (aggs[i].active) {
            snprintf(id, sizeof id, "%u", aggs[i].id);
        }
    }
    free(aggs);
    expect(lab, "active", id);
}

static void
expect_on(const struct lab *lab, const struct system *sys)
{
    char on[128] = "";

    for (int i = 0; i < lab->n_ports; i++) {
        const struct port *port = &lab->ports[i];
        size_t len = strlen(on);

        if (port->system == sys
            && bnd_lacp_port_may_enable(sys->lacp, port->id)) {
            snprintf(on + len, sizeof on - len, "%s%u", len ? "," : "",
                     port->id);
        }
    }
    expect(lab, "on", on[0] ? on : "none");
}

static void
expect_system(struct lab *lab, const struct system *sys)
{
    long long int wake = bnd_lacp_wake_time(sys->lacp);

    expect(lab, "status", bnd_lacp_status_name(
               bnd_lacp_get_status(sys->lacp)));
    expect(lab, "carrier",
           bnd_lacp_has_carrier(sys->lacp) ? "yes" : "no");
    expect(lab, "fallback", fallbacks[bnd_lacp_get_fallback(sys->lacp)]);
    expect_active(lab, sys);
    expect_on(lab, sys);
    if (wake == BND_NEVER) {
        expect(lab, "wake", "never");
    } else if (wake <= lab->now) {
        expect(lab, "wake", "now");
    } else {
        expect_number(lab, "wake", wake);
    }
}

static const char *
yes_no(bool yes)
{
    return yes ? "yes" : "no";
}

/* What only the standard's flavour has. */
static void
expect_more(const struct lab *lab, const struct bnd_lacp_port_status *s)
{
    char buf[128];

    expect(lab, "mux", s->mux_state);
    expect_number(lab, "state", s->actor.state);
    expect_number(lab, "partner-state", s->partner.state);
    expect_number(lab, "port", s->actor.port_id);
    expect_number(lab, "prio", s->actor.port_priority);
    expect(lab, "collect", yes_no(s->may_collect));
    expect(lab, "standby", yes_no(s->standby));
    expect(lab, "individual", yes_no(s->individual));
    snprintf(buf, sizeof buf, "%s/%s", bnd_churn_name(s->actor_churn),
             bnd_churn_name(s->partner_churn));
    expect(lab, "churn", buf);
    snprintf(buf, sizeof buf, "%u/%u", s->n_actor_churn, s->n_partner_churn);
    expect(lab, "n-churn", buf);
    snprintf(buf, sizeof buf, "%u,%u,%u,%u,%u,%u,%u,%u", s->n_lacpdu_rx,
             s->n_lacpdu_tx, s->n_unknown_rx, s->n_illegal_rx,
             s->n_marker_info_rx, s->n_marker_resp_rx, s->n_marker_resp_tx,
             s->n_marker_unknown_rx);
    expect(lab, "counters", buf);
}

static void
cmd_expect(struct lab *lab)
{
    const struct system *sys = (lab->line.n_words > 1
                                ? find_system(lab, lab->line.word[1])
                                : NULL);
    char buf[9];

    if (sys) {
        expect_system(lab, sys);
        return;
    }

    struct bnd_lacp_port_status s = port_status(arg_port(lab, 1));
    expect(lab, "rx", rx_name(s.rx));
    expect(lab, "attached", s.attached ? "yes" : "no");
    expect(lab, "enable", s.may_enable ? "yes" : "no");
    expect(lab, "actor", state_name(s.actor.state, buf));
    expect(lab, "partner", state_name(s.partner.state, buf));
    expect_number(lab, "agg", s.aggregator);
    expect_number(lab, "key", s.actor.key);
    expect_number(lab, "tx", s.n_tx);
    expect_number(lab, "late", s.late.worst_delay);
    expect_more(lab, &s);
}

static void
run_command(struct lab *lab)
{
    const char *cmd = lab->line.word[0];

    if (!strcmp(cmd, "system")) {
        cmd_system(lab);
    } else if (!strcmp(cmd, "port")) {
        cmd_port(lab);
    } else if (!strcmp(cmd, "del")) {
        cmd_del(lab);
    } else if (!strcmp(cmd, "wire")) {
        cmd_wire(lab);
    } else if (!strcmp(cmd, "cut") || !strcmp(cmd, "mend")) {
        set_cut(lab, cmd[0] == 'c');
    } else if (!strcmp(cmd, "down") || !strcmp(cmd, "up")) {
        set_carrier(lab, cmd[0] == 'u');
    } else if (!strcmp(cmd, "disable") || !strcmp(cmd, "enable")) {
        set_enabled(lab, cmd[0] == 'e');
    } else if (!strcmp(cmd, "drain") || !strcmp(cmd, "fill")) {
        set_drained(lab, cmd[0] == 'd');
    } else if (!strcmp(cmd, "pdu")) {
        cmd_pdu(lab);
    } else if (!strcmp(cmd, "frame")) {
        cmd_frame(lab);
    } else if (!strcmp(cmd, "log") || !strcmp(cmd, "nolog")) {
        lab->log = cmd[0] == 'l';
    } else if (!strcmp(cmd, "show")) {
        struct port *port = arg_port(lab, 1);
        struct bnd_lacp_port_status s = port_status(port);

        print_status(lab, port, &s);
    } else if (!strcmp(cmd, "stats")) {
        cmd_stats(lab);
    } else if (!strcmp(cmd, "aggs")) {
        cmd_aggs(lab);
    } else if (!strcmp(cmd, "late")) {
        cmd_late(lab);
    } else if (!strcmp(cmd, "stall")) {
        cmd_stall(lab);
    } else if (!strcmp(cmd, "expect")) {
        cmd_expect(lab);
    } else {
        bndtest_fatal(&lab->line, "unknown command");
    }
}

static int
drive_lacp(int argc, char *argv[])
{
    struct lab *lab = xzalloc(sizeof *lab);

    lab->step = argc > 1 && !strcmp(argv[1], "--step");
    if (argc != 2 + lab->step) {
        fprintf(stderr, "usage: bndtest lacp [--step] SCRIPT\n");
        return 2;
    }

    FILE *stream = bndtest_open(argv[1 + lab->step], &lab->line);
    while (bndtest_next(stream, &lab->line)) {
        struct bndtest_line *l = &lab->line;

        if (!strcmp(l->word[0], "at")) {
            char *end;
            long long int t = strtoll(l->n_words > 1 ? l->word[1] : "", &end,
                                      10);

            if (*end != ':' || end == l->word[1]) {
                bndtest_fatal(l, "'at T:' expected");
            }
            run_until(lab, t);
            bndtest_shift(l, 2);
            if (!l->n_words) {
                continue;
            }
        }
        run_command(lab);
    }
    fclose(stream);
    for (int i = 0; i < lab->n_flying; i++) {
        free(lab->flying[i].data);
    }
    for (int i = 0; i < lab->n_systems; i++) {
        bnd_lacp_destroy(lab->systems[i].lacp);
    }
    free(lab);
    return 0;
}

BNDTEST_REGISTER("lacp", "[--step] SCRIPT", drive_lacp)
