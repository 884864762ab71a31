/* SPDX-License-Identifier: Apache-2.0 */

/* What the machines of LACP do, against every input.
 *
 *     bndtest truth-acts
 *
 * truth-lacp.c holds the arrows of the machines; this is the rest: what a state
 * does when it is entered, and the verdicts of what is no machine in the
 * standard.  As there, what is expected was transcribed by hand: from the text
 * of the boxes in the figures of IEEE 802.1AX-2008 5.4.12 to 5.4.17 and from
 * the Marker protocol in 5.5; where Linux differs, from what was observed of
 * it, and that is said.  For the standard's flavour; what the other one does
 * is in tests/unit/lacp.at. */

#include <config.h>
#include "bndtest.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "util.h"
#include "core/effects.h"
#include "lacp/lacp-private.h"
#include "wire/marker.h"

#define NOW 1000000
#define N_PORTS 4

static int n_inputs, n_errors, n_all_errors;

static void expect(bool ok, const char *format, ...)
    OVS_PRINTF_FORMAT(2, 3);

static void
expect(bool ok, const char *format, ...)
{
    n_inputs++;
    if (!ok && n_errors++ < 20) {
        va_list args;

        va_start(args, format);
        vprintf(format, args);
        va_end(args);
        putchar('\n');
    }
}

static void
report(const char *name)
{
    printf("%s: %d inputs, %d errors\n", name, n_inputs, n_errors);
    n_all_errors += n_errors;
    n_inputs = n_errors = 0;
}

/* A system with N_PORTS ports that have begun. */
static struct bnd_lacp *
make_system(void)
{
    struct bnd_lacp_config config = {
        .system = {{{ 2, 0, 0, 0, 0, 1 }}}, .system_priority = 100,
        .active = true, .fast = true, .coupled = true,
        .flavour = BND_LACP_FLAVOUR_STANDARD,
    };
    struct bnd_effects fx = BND_EFFECTS_INITIALIZER;
    struct bnd_lacp *lacp = bnd_lacp_create(&config, 0);

    for (bnd_id id = 1; id <= N_PORTS; id++) {
        struct bnd_lacp_port_config port = {
            .port_id = id, .priority = 10, .key = 7
        };

        bnd_lacp_port_set(lacp, id, "port", &port, 0);
        bnd_lacp_port_set_link(lacp, id, 10000, BND_DUPLEX_FULL, 0);
        bnd_lacp_port_set_enabled(lacp, id, true, 0);
    }
    bnd_lacp_run(lacp, 0, &fx);
    bnd_effects_uninit(&fx);
    return lacp;
}

/* Receive. */

static const struct bnd_lacp_info nobody = {
    .system_priority = 65535, .key = 1, .port_priority = 255, .port_id = 1,
};

static const struct bnd_lacp_info partner = {
    .system_priority = 50, .system = {{{ 2, 0, 0, 0, 0, 2 }}}, .key = 3,
    .port_priority = 4, .port_id = 5, .state = 0x3d,
};

/* Changes in 'info' those of five fields that 'mask' says, and the bits of its
 * state that are above. */
#define N_FIELDS 5
static struct bnd_lacp_info
change(struct bnd_lacp_info info, unsigned int mask)
{
    info.system_priority ^= mask & 1 ? 1 : 0;
    info.system.ea[5] ^= mask & 2 ? 0x80 : 0;
    info.key ^= mask & 4 ? 0x100 : 0;
    info.port_priority ^= mask & 8 ? 2 : 0;
    info.port_id ^= mask & 16 ? 0x4000 : 0;
    info.state ^= mask >> N_FIELDS;
    return info;
}

#define FIELDS ((1u << N_FIELDS) - 1)
#define STATE(BIT) ((unsigned int) (BIT) << N_FIELDS)

/* A port in 'rx' with 'info' for its partner, SELECTED. */
static void
set_port(struct bnd_lacp_port *port, enum bnd_rx_state rx,
         const struct bnd_lacp_info *info)
{
    port->rx = rx;
    port->begin = port->restart = port->ntt = port->moved = false;
    port->enabled = port->lacp_enabled = true;
    port->start = 0;
    port->partner = *info;
    port->actor_state = 0;
    port->selected = BND_SELECTED;
    port->current_while = BND_NEVER;
}

/* Selected == SELECTED?  What is UNSELECTED because of its partner stays where
 * it is until Selection Logic looks. */
static bool
is_selected(const struct bnd_lacp_port *port)
{
    return port->selected == BND_SELECTED && !port->moved;
}

static void
rx_step(struct bnd_lacp_port *port, const struct bnd_lacpdu *pdu)
{
    struct bnd_effects fx = BND_EFFECTS_INITIALIZER;

    bnd_rx_step(port, pdu, NOW, NOW, &fx);
    bnd_effects_uninit(&fx);
}

/* update_Selected, update_NTT, recordPDU; Expired := FALSE; start timer. */
static void
check_current(struct bnd_lacp_port *port, unsigned int sender,
              unsigned int of_us, enum bnd_rx_state from)
{
    struct bnd_lacp_info known = change(partner, sender);
    struct bnd_lacp_info actor;
    struct bnd_lacpdu pdu = { .actor = partner };

    set_port(port, from, &known);
    port->actor_state = BND_LACP_SYNC;
    actor = bnd_lacp_actor(port);
    port->actor_state |= BND_LACP_DEFAULTED | BND_LACP_EXPIRED;
    pdu.partner = change(actor, of_us);
    rx_step(port, &pdu);

    /* DEFAULTED and EXPIRED are not among what is compared. */
    bool selected = !(sender & (FIELDS | STATE(BND_LACP_AGGREGATION)));
    bool ntt = of_us & (FIELDS | STATE(BND_LACP_ACTIVITY | BND_LACP_TIMEOUT
                                       | BND_LACP_SYNC
                                       | BND_LACP_AGGREGATION));
    bool matched = !(of_us & (FIELDS | STATE(BND_LACP_AGGREGATION)));
    uint8_t state = matched ? 0x3d : 0x3d & ~BND_LACP_SYNC;

    expect(port->rx == BND_RX_CURRENT
           && is_selected(port) == selected
           && port->ntt == ntt && port->partner.state == state
           && bnd_lacp_info_same_port(&port->partner, &partner)
           && port->actor_state == BND_LACP_SYNC
           && port->current_while == NOW + 3000,
           "Receive: CURRENT, sender %#x, of us %#x", sender, of_us);
}

static void
check_individual(struct bnd_lacp_port *port, unsigned int of_us)
{
    struct bnd_lacpdu pdu = { .actor = partner };

    set_port(port, BND_RX_CURRENT, &partner);
    pdu.actor.state &= ~BND_LACP_AGGREGATION;
    pdu.partner = change(bnd_lacp_actor(port), of_us);
    rx_step(port, &pdu);
    expect(port->partner.state == pdu.actor.state
           && !is_selected(port),
           "Receive: CURRENT, not aggregatable, of us %#x", of_us);
}

/* Entries but that of CURRENT.  'bits' are DEFAULTED and EXPIRED as before. */
static void
check_rx_entries(struct bnd_lacp_port *port, uint8_t bits)
{
    struct bnd_lacp_info p;

    for (int from = BND_RX_PORT_DISABLED; from < BND_N_RX_STATES; from++) {
        /* -> PORT_DISABLED: Partner.Sync := FALSE, and nothing else. */
        if (from != BND_RX_PORT_DISABLED) {
            set_port(port, from, &partner);
            port->actor_state = bits;
            port->enabled = false;
            rx_step(port, NULL);
            p = partner;
            p.state &= ~BND_LACP_SYNC;
            expect(port->rx == BND_RX_PORT_DISABLED
                   && bnd_lacp_info_equal(&port->partner, &p, UINT8_MAX)
                   && port->actor_state == bits
                   && is_selected(port)
                   && port->current_while == BND_NEVER,
                   "Receive: %d -> PORT_DISABLED", from);
        }

        /* BEGIN -> INITIALIZE: Selected := UNSELECTED; recordDefault; Expired
         * := FALSE. */
        set_port(port, from, &partner);
        port->actor_state = bits;
        port->begin = true;
        rx_step(port, NULL);
        expect(bnd_lacp_info_equal(&port->partner, &nobody, UINT8_MAX)
               && port->actor_state == BND_LACP_DEFAULTED
               && !is_selected(port) && !port->begin,
               "Receive: %d, BEGIN", from);
    }

    /* -> EXPIRED: Partner.Sync := FALSE; Partner.LACP_Timeout := Short; start
     * timer (Short); Actor.Expired := TRUE. */
    for (int i = 0; i < 2; i++) {
        set_port(port, i ? BND_RX_CURRENT : BND_RX_PORT_DISABLED, &partner);
        port->actor_state = bits;
        port->current_while = i ? NOW : BND_NEVER;
        rx_step(port, NULL);
        p = partner;
        p.state = (p.state & ~BND_LACP_SYNC) | BND_LACP_TIMEOUT;
        expect(port->rx == BND_RX_EXPIRED
               && bnd_lacp_info_equal(&port->partner, &p, UINT8_MAX)
               && port->actor_state == (bits | BND_LACP_EXPIRED)
               && is_selected(port)
               && port->current_while == NOW + 3000,
               "Receive: -> EXPIRED");
    }

    /* -> LACP_DISABLED: Selected := UNSELECTED; recordDefault;
     * Partner.Aggregation := FALSE; Expired := FALSE. */
    set_port(port, BND_RX_PORT_DISABLED, &partner);
    port->actor_state = bits;
    port->lacp_enabled = false;
    rx_step(port, NULL);
    expect(port->rx == BND_RX_LACP_DISABLED
           && bnd_lacp_info_equal(&port->partner, &nobody, UINT8_MAX)
           && port->actor_state == BND_LACP_DEFAULTED
           && !is_selected(port),
           "Receive: -> LACP_DISABLED");

    /* -> DEFAULTED: update_Default_Selected; recordDefault; Expired :=
     * FALSE. */
    for (unsigned int mask = 0; mask < 1u << (N_FIELDS + 8); mask++) {
        p = change(nobody, mask);
        set_port(port, BND_RX_EXPIRED, &p);
        port->actor_state = bits;
        port->current_while = NOW;
        rx_step(port, NULL);
        expect(port->rx == BND_RX_DEFAULTED
               && bnd_lacp_info_equal(&port->partner, &nobody, UINT8_MAX)
               && port->actor_state == BND_LACP_DEFAULTED
               && (is_selected(port)
                   == !(mask & (FIELDS | STATE(BND_LACP_AGGREGATION)))),
               "Receive: -> DEFAULTED, %#x", mask);
    }
}

static void
check_receive(void)
{
    static const enum bnd_rx_state from[] = {
        BND_RX_EXPIRED, BND_RX_DEFAULTED, BND_RX_CURRENT
    };
    struct bnd_lacp *lacp = make_system();
    struct bnd_lacp_port *port = lacp->ports[0];
    const unsigned int all = 1u << (N_FIELDS + 8);

    for (size_t i = 0; i < ARRAY_SIZE(from); i++) {
        for (unsigned int mask = 0; mask < all; mask++) {
            check_current(port, mask, 0, from[i]);
            check_current(port, 0, mask, from[i]);
            check_current(port, mask, mask * 37 % all, from[i]);
        }
    }
    for (unsigned int mask = 0; mask < all; mask++) {
        check_individual(port, mask);
    }
    for (int i = 0; i < 4; i++) {
        check_rx_entries(port, ((i & 1 ? BND_LACP_DEFAULTED : 0)
                                | (i & 2 ? BND_LACP_EXPIRED : 0)));
    }
    set_port(port, BND_RX_CURRENT, &partner);
    lacp->config.fast = false;

    struct bnd_lacpdu pdu = { .actor = partner };
    rx_step(port, &pdu);
    expect(port->current_while == NOW + 90000, "Receive: slow");
    bnd_lacp_destroy(lacp);
    report("Receive");
}

/* Mux. */

enum {
    A_SELECTED = 1 << 0, A_STANDBY = 1 << 1, A_READY = 1 << 2,
    A_SYNC = 1 << 3, A_COLLECTING = 1 << 4, A_IN_USE = 1 << 5,
    A_COUPLED = 1 << 6, A_PARTNER = 1 << 7, A_LINK = 1 << 8,
    A_ALONE_OK = 1 << 9, A_ROLE = 1 << 10,
    N_A = 1 << 11
};

static uint8_t
bits_of(enum bnd_mux_state mux, bool in_use)
{
    switch (mux) {
    case BND_MUX_DETACHED:
    case BND_MUX_WAITING:
        return 0;
    case BND_MUX_ATTACHED:
        return in_use ? BND_LACP_SYNC : 0; /* Linux: only if it is in use. */
    case BND_MUX_COLLECTING:
        return BND_LACP_SYNC | BND_LACP_COLLECTING;
    case BND_MUX_DISTRIBUTING:
    case BND_MUX_COLLECTING_DISTRIBUTING:
        return BND_LACP_SYNC | BND_LACP_COLLECTING | BND_LACP_DISTRIBUTING;
    case BND_N_MUX_STATES:
    default:
        OVS_NOT_REACHED();
    }
}

static void
check_mux_step(struct bnd_lacp_port *port, enum bnd_mux_state from,
               unsigned int in)
{
    struct bnd_effects fx = BND_EFFECTS_INITIALIZER;
    bool in_use = in & A_IN_USE;

    set_port(port, BND_RX_CURRENT, in & A_PARTNER ? &partner : &nobody);
    port->partner.state = ((in & A_SYNC ? BND_LACP_SYNC : 0)
                           | (in & A_COLLECTING ? BND_LACP_COLLECTING : 0));
    port->agg = &port->own;
    port->own.active = in_use;
    port->own.partner_system = port->partner.system;
    port->selected = (in & A_SELECTED ? BND_SELECTED
                      : in & A_STANDBY ? BND_STANDBY : BND_UNSELECTED);
    port->enabled = in & A_LINK;
    port->role = in & A_ROLE;
    port->mux = from;
    port->mux_begin = false;
    port->wait_while = in & A_READY ? NOW : NOW + 1;
    port->actor_state = bits_of(from, in_use);
    port->lacp->config.coupled = in & A_COUPLED;
    port->lacp->config.fallback_kind = (in & A_ALONE_OK ? BND_LACP_FB_LINUX
                                        : BND_LACP_FB_NONE);
    bnd_mux_step(port, NOW, &fx);
    bnd_effects_uninit(&fx);

    bool agreed = (port->mux == BND_MUX_DISTRIBUTING
                   || port->mux == BND_MUX_COLLECTING_DISTRIBUTING);
    bool alone = !(in & A_PARTNER) && in & A_ALONE_OK;

    /* Sync, Collecting and Distributing are as the state says. */
    expect(port->actor_state == bits_of(port->mux, in_use),
           "Mux: %d to %d on %#x: state %#x", from, port->mux, in,
           port->actor_state);

    /* NTT := TRUE in each state but WAITING and DISTRIBUTING. */
    expect(port->ntt == (port->mux != from
                         && !(from == BND_MUX_DETACHED
                              && port->mux == BND_MUX_WAITING)
                         && !(from == BND_MUX_COLLECTING
                              && port->mux == BND_MUX_DISTRIBUTING)),
           "Mux: %d to %d on %#x: ntt %d", from, port->mux, in, port->ntt);

    /* wait_while runs in WAITING alone. */
    expect((port->wait_while != BND_NEVER) == (port->mux == BND_MUX_WAITING)
           || port->mux == from,
           "Mux: %d to %d on %#x: wait_while", from, port->mux, in);

    /* A port that enters what lets it send sends, if its aggregator is in use
     * (Linux); one on its own sends if that may be; others do not begin. */
    expect(!(agreed || alone) || !in_use || !(in & A_LINK) || port->role,
           "Mux: %d to %d on %#x: does not send", from, port->mux, in);
    expect(in & A_ROLE || !port->role
           || ((agreed || alone) && in_use && in & A_LINK),
           "Mux: %d to %d on %#x: sends", from, port->mux, in);
    expect(agreed || in & A_ALONE_OK || !port->role,
           "Mux: %d to %d on %#x: sends on its own", from, port->mux, in);
}

static void
check_mux(void)
{
    struct bnd_lacp *lacp = make_system();

    for (size_t i = 0; i < lacp->n_ports; i++) {
        bnd_agg_leave(lacp->ports[i]);
        lacp->ports[i]->selected = BND_UNSELECTED;
    }
    for (int from = 0; from < BND_N_MUX_STATES; from++) {
        for (unsigned int in = 0; in < N_A; in++) {
            if ((in & A_SELECTED && in & A_STANDBY)
                || (in & (A_SYNC | A_COLLECTING) && !(in & A_PARTNER))) {
                continue;
            }
            check_mux_step(lacp->ports[0], from, in);
        }
    }
    bnd_lacp_destroy(lacp);
    report("Mux");
}

/* Selection Logic: which aggregator a port joins. */

/* Two ports share an aggregator if all in which they are alike is what makes
 * the LAG ID, and neither end says that the link is individual. */
static void
check_join(unsigned int mask, unsigned int flags)
{
    struct bnd_lacp *lacp = make_system();
    struct bnd_effects fx = BND_EFFECTS_INITIALIZER;

    for (size_t i = 0; i < 2; i++) {
        struct bnd_lacp_port *port = lacp->ports[i];

        port->partner = change(partner, i ? mask : 0);
        if (flags & 1) {
            port->partner.system = nobody.system;
        }
        if (flags & 2 << i) {
            port->partner.state &= ~BND_LACP_AGGREGATION;
        }
        port->lacp_enabled = !(flags & 8 << i);
        if (!port->lacp_enabled) {
            port->partner = nobody; /* As Receive says. */
        }
        port->key += flags & 32 && i;
        bnd_agg_join(port, NOW, &fx);
    }
    bnd_effects_uninit(&fx);

    /* The number of the port is no part of it. */
    bool together = !(mask & 7) && !flags;
    expect((lacp->ports[0]->agg == lacp->ports[1]->agg) == together
           && lacp->ports[0]->agg && lacp->ports[1]->agg
           && lacp->ports[1]->selected == BND_SELECTED,
           "Selection: partners differ in %#x, flags %#x: %s", mask, flags,
           together ? "apart" : "together");
    bnd_lacp_destroy(lacp);
}

/* Selection Logic, Linux: which aggregator is in use. */

struct side {                   /* An aggregator of two ports. */
    int n_enabled;
    bool partner, individual, fast, preferred, no_key;
};

/* As a number: what is better is greater. */
static uint64_t
rank(const struct side *s, enum bnd_ad_select select)
{
    uint64_t bandwidth = s->n_enabled * (s->fast ? 10 : 1);
    uint64_t prio = s->n_enabled * (s->preferred ? 20 : 10);

    return (((uint64_t) !s->individual << 40) + ((uint64_t) s->partner << 32)
            + (select == BND_AD_PORT_PRIO ? prio << 16 : 0)
            + (select == BND_AD_PORT_PRIO || select == BND_AD_COUNT
               ? s->n_enabled << 8 : 0)
            + bandwidth);
}

/* Returns who is to be in use: 0 or 1, -1 for none; 'now' is now. */
static int
wanted(const struct side s[2], enum bnd_ad_select select, int now)
{
    int first = now < 0 ? 0 : now;
    int best = now;

    for (int k = 0; k < 2; k++) {
        int i = k ? !first : first;

        if (s[i].n_enabled
            && (best < 0 || i == best
                || rank(&s[i], select) > rank(&s[best], select))) {
            best = i;
        }
    }
    if (select == BND_AD_STABLE && now >= 0 && best != now && best >= 0
        && s[now].n_enabled && (s[now].partner || !s[best].partner)
        && (!s[now].no_key || s[best].no_key)) {
        best = now;
    }
    return best;
}

static void
check_choice(struct bnd_lacp *lacp, unsigned int in)
{
    struct bnd_effects fx = BND_EFFECTS_INITIALIZER;
    struct side s[2];
    int now = (int) (in % 3) - 1;
    enum bnd_ad_select select = in / 3 % 4;

    in /= 12;
    for (int i = 0; i < 2; i++, in /= 96) {
        s[i] = (struct side) {
            .n_enabled = in % 3, .partner = in / 3 & 1,
            .individual = in / 3 & 2, .fast = in / 3 & 4,
            .preferred = in / 3 & 8, .no_key = in / 3 & 16,
        };
    }
    lacp->config.select = select;
    for (size_t i = 0; i < N_PORTS; i++) {
        struct bnd_lacp_port *port = lacp->ports[i];
        struct bnd_aggregator *own = &port->own;
        const struct side *side = &s[i / 2];

        port->agg = &lacp->ports[i / 2 * 2]->own;
        port->joined = i;
        /* The one that joined last is up if any is: its speed counts. */
        port->enabled = (int) (i % 2) >= 2 - side->n_enabled;
        port->carrier = true;
        port->speed_mbps = side->fast ? 10000 : 1000;
        port->config.priority = side->preferred ? 20 : 10;
        own->active = i % 2 == 0 && now == (int) i / 2;
        own->individual = side->individual;
        own->actor_key = side->no_key ? 0 : 7;
        own->partner_system = side->partner ? partner.system : nobody.system;
    }
    bnd_agg_choose(lacp, NOW, &fx);
    bnd_effects_uninit(&fx);

    int want = wanted(s, select, now);
    int got = (lacp->ports[0]->own.active ? 0
               : lacp->ports[2]->own.active ? 1 : -1);
    expect(want == got && !lacp->ports[1]->own.active
           && !(lacp->ports[0]->own.active && lacp->ports[2]->own.active),
           "Selection: policy %d, was %d, is %d, not %d: %d %d%d%d%d%d, %d"
           " %d%d%d%d%d", select, now, got, want, s[0].n_enabled,
           s[0].partner, s[0].individual, s[0].fast, s[0].preferred,
           s[0].no_key, s[1].n_enabled, s[1].partner, s[1].individual,
           s[1].fast, s[1].preferred, s[1].no_key);
}

/* STANDBY: of the ports that hear their partner those that the stronger system
 * likes most are SELECTED, up to max_links; then the others. */
static void
check_standby(struct bnd_lacp *lacp, unsigned int in)
{
    int max = in % (N_PORTS + 1);
    bool weaker = in / (N_PORTS + 1) & 1;
    unsigned int hears = in / (N_PORTS + 1) / 2 % 16;
    unsigned int turn = in / (N_PORTS + 1) / 32;
    int order[N_PORTS];

    lacp->config.max_links = max;
    lacp->config.system_priority = weaker ? 60 : 40;
    for (int i = 0; i < N_PORTS; i++) {
        struct bnd_lacp_port *port = lacp->ports[i];

        /* What one of the systems likes most the other one likes least. */
        order[(i + turn) % N_PORTS] = i;
        port->config.priority = 1 + (weaker ? N_PORTS - 1 - (i + turn)
                                     % N_PORTS : (i + turn) % N_PORTS);
        port->partner = partner;
        port->partner.port_priority = 1 + (weaker ? (i + turn) % N_PORTS
                                           : N_PORTS - 1
                                             - (i + turn) % N_PORTS);
        port->enabled = true;
        port->rx = hears & 1u << i ? BND_RX_CURRENT : BND_RX_EXPIRED;
        port->mux = BND_MUX_ATTACHED;
        port->agg = &lacp->ports[0]->own;
        port->selected = BND_STANDBY;
    }
    bnd_standby_step(lacp, NOW);

    int n = 0;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < N_PORTS; i++) {
            const struct bnd_lacp_port *port = lacp->ports[order[i]];

            if ((port->rx == BND_RX_CURRENT) == !round) {
                bool want = !max || n < max;

                expect((port->selected == BND_SELECTED) == want,
                       "Standby: max %d, hears %#x, turn %u: port %d is %s",
                       max, hears, turn, order[i], want ? "not in" : "in");
                n++;
            }
        }
    }
}

static void
check_selection(void)
{
    for (unsigned int mask = 0; mask <= FIELDS; mask++) {
        for (unsigned int flags = 0; flags < 64; flags++) {
            check_join(mask, flags);
        }
    }

    struct bnd_lacp *lacp = make_system();
    for (unsigned int in = 0; in < 12 * 96 * 96; in++) {
        check_choice(lacp, in);
    }
    for (unsigned int in = 0; in < (N_PORTS + 1) * 2 * 16 * N_PORTS; in++) {
        check_standby(lacp, in);
    }
    bnd_lacp_destroy(lacp);
    report("Selection");
}

/* Transmit. */

static void
check_tx(struct bnd_lacp_port *port, unsigned int in, long long int since)
{
    struct bnd_effects fx = BND_EFFECTS_INITIALIZER;
    bool may = (in & 15) == 15 && !(in & 16);
    long long int last = since < 0 ? BND_NEVER : NOW - since;

    set_port(port, BND_RX_CURRENT, &partner);
    port->ntt = in & 1;
    port->enabled = in & 2;
    port->carrier = in & 4;
    port->lacp_enabled = in & 8;
    port->begin = in & 16;
    for (size_t i = 0; i < ARRAY_SIZE(port->sent); i++) {
        port->sent[i] = last;
    }

    /* Linux: 0.3 s between two; the standard would let three pass in a
     * second. */
    bool now = may && (since < 0 || since >= 300);
    long long int wake = bnd_tx_wake_time(port);
    expect(may ? (now ? wake <= NOW : wake == last + 300) : wake == BND_NEVER,
           "Transmit: %#x, %lld: wakes at %lld", in, since, wake);
    bnd_tx_step(port, NOW, &fx);
    expect(bnd_effects_has(&fx, BND_FX_FRAME_TX) == now
           && port->ntt == (in & 1 && !now),
           "Transmit: %#x, %lld", in, since);
    bnd_effects_uninit(&fx);
}

static void
check_transmit(void)
{
    static const long long int since[] = { -1, 0, 1, 299, 300, 301, 5000 };
    struct bnd_lacp *lacp = make_system();

    for (unsigned int in = 0; in < 32; in++) {
        for (size_t i = 0; i < ARRAY_SIZE(since); i++) {
            check_tx(lacp->ports[0], in, since[i]);
        }
    }
    bnd_lacp_destroy(lacp);
    report("Transmit");
}

/* Churn.  60 s after the port began or its partner was lost or found, each side
 * is NONE if it is in sync then, else CHURNED and counted; not before, and not
 * again. */

static void
check_churn_once(struct bnd_lacp *lacp, unsigned int in)
{
    struct bnd_lacp_port *port = lacp->ports[0];
    struct bnd_effects fx = BND_EFFECTS_INITIALIZER;
    bool actor = in & 1, other = in & 2;

    set_port(port, BND_RX_CURRENT, &partner);
    port->churn_begin = true;
    port->actor_churn = in / 4 % 3;
    port->partner_churn = in / 12 % 3;
    port->stats.n_actor_churn = port->stats.n_partner_churn = 5;
    bnd_churn_step(port, NOW, &fx);
    expect(port->actor_churn == BND_CHURN_MONITORING
           && port->partner_churn == BND_CHURN_MONITORING
           && bnd_churn_wake_time(port) == NOW + 60000, "Churn: %#x", in);

    port->actor_state = actor ? BND_LACP_SYNC : 0;
    port->partner.state = other ? BND_LACP_SYNC : 0;
    bnd_churn_step(port, NOW + 59999, &fx);
    expect(port->actor_churn == BND_CHURN_MONITORING
           && port->partner_churn == BND_CHURN_MONITORING,
           "Churn: %#x, too early", in);
    for (int i = 0; i < 2; i++) {
        bnd_churn_step(port, NOW + 60000 + i * 100000, &fx);
        expect(port->actor_churn == (actor ? BND_CHURN_NONE
                                     : BND_CHURN_CHURNED)
               && port->partner_churn == (other ? BND_CHURN_NONE
                                          : BND_CHURN_CHURNED)
               && port->stats.n_actor_churn == 5 + !actor
               && port->stats.n_partner_churn == 5 + !other
               && bnd_churn_wake_time(port) == BND_NEVER,
               "Churn: %#x, verdict", in);
        port->actor_state ^= BND_LACP_SYNC; /* Comes too late. */
        port->partner.state ^= BND_LACP_SYNC;
    }
    bnd_effects_uninit(&fx);
}

static void
check_churn(void)
{
    struct bnd_lacp *lacp = make_system();

    for (unsigned int in = 0; in < 36; in++) {
        check_churn_once(lacp, in);
    }
    bnd_lacp_destroy(lacp);
    report("Churn");
}

/* Marker.  Information (type 1) is answered by a response (2) that has all else
 * in common with it; responses are counted, others dropped. */

static void
check_one_marker(struct bnd_lacp *lacp, int type, int len, bool up)
{
    static const int known_lens[] = { 0x10, 0x16 };
    struct bnd_marker m = { type, len, 0x1234, {{{ 2, 3, 4, 5, 6, 7 }}},
                            0x89abcdef };
    struct bnd_effects fx = BND_EFFECTS_INITIALIZER;
    struct eth_addr mac = {{{ 2, 0, 0, 0, 0, 0xaa }}};
    uint8_t *frame = bnd_marker_encode(&m, m.system);
    bool known = len == known_lens[0] || len == known_lens[1];
    bool answered = known && type == 1;

    bnd_lacp_port_set_mac(lacp, 1, mac);
    lacp->ports[0]->lacp_enabled = up;

    enum bnd_drop_reason reason = bnd_lacp_receive(
        lacp, 1, frame, BND_SLOW_FRAME_LEN, NOW, NOW, &fx);
    expect((reason == BND_DROP_NONE) == (known && (type == 1 || type == 2))
           && fx.n == answered, "Marker: type %d, length %d", type, len);
    if (answered && fx.n) {
        m.type = 2;

        uint8_t *answer = bnd_marker_encode(&m, mac);
        expect(!memcmp(fx.fx[0].frame.data, answer, BND_SLOW_FRAME_LEN)
               && fx.fx[0].frame.len == BND_SLOW_FRAME_LEN,
               "Marker: answer to length %d", len);
        free(answer);
    }
    free(frame);
    bnd_effects_uninit(&fx);
}

static void
check_marker(void)
{
    struct bnd_lacp *lacp = make_system();

    for (int type = 0; type < 256; type++) {
        for (int len = 0; len < 256; len++) {
            check_one_marker(lacp, type, len, len & 1);
        }
    }
    bnd_lacp_destroy(lacp);
    report("Marker");
}

static int
truth_acts(int argc OVS_UNUSED, char *argv[] OVS_UNUSED)
{
    check_receive();
    check_mux();
    check_selection();
    check_transmit();
    check_churn();
    check_marker();
    return n_all_errors != 0;
}

BNDTEST_REGISTER("truth-acts", "", truth_acts)
