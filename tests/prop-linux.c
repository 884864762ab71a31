/* SPDX-License-Identifier: Apache-2.0 */

/* The standard's flavour of LACP against a model of Linux's
 * ==========================================================
 *
 *     bndtest prop-linux [--seed=N] [--walks=N] [--verbose]
 *
 * The model is mode 802.3ad of the Linux bonding driver as observed, written
 * down once more, tick by tick: Receive, Periodic, Selection Logic, the choice
 * of the aggregator in use, Mux with coupled and independent control.  It
 * knows nothing of lib/lacp.
 *
 * A walk has members that lead to partners, to silent hosts or nowhere; links
 * come and go, cables go from one partner to another, members join and leave,
 * partners fall silent and speak again.  The engine and the model each have
 * partners of their own, which answer what they hear.  After each step all is
 * given time to settle; then the same members must carry traffic and be in the
 * same aggregators.
 *
 * What is not compared: the way there, as Linux does it by ticks of 100 ms;
 * and what ports say that are in an aggregator not in use, as in Linux that
 * depends on the way. */

#include <config.h>
#include "bndtest.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "util.h"
#include "core/effects.h"
#include "lacp/lacp.h"
#include "wire/eth.h"

#define N_MEMBERS 6
#define N_PARTNERS 3
#define SILENT N_PARTNERS       /* A cable to a host without LACP. */

/* Time for a partner to be forgotten (3 + 3 s), for waiting (2 s) and for
 * words. */
#define SETTLE 12000
#define TICK 100

static const struct eth_addr own_system = {{{ 2, 0, 0, 0, 0, 1 }}};

enum m_rx { M_INIT, M_DISABLED, M_LACP_DISABLED, M_EXPIRED, M_DEFAULTED,
            M_CURRENT };
enum m_mux { M_DETACHED, M_WAITING, M_ATTACHED, M_COLLECTING,
             M_DISTRIBUTING, M_BOTH };
enum m_periodic { M_NONE, M_FAST, M_SLOW, M_TX };

struct m_agg {
    bool active;
    bool individual;
    uint16_t key;
    struct bnd_lacp_info partner; /* But for the port. */
    int ports[N_MEMBERS];       /* Members, the one that joined last first. */
    int n_ports;
};

/* A member with its port and its aggregator. */
struct m_port {
    bool bound;
    uint16_t port_id;
    uint16_t priority;
    uint32_t speed_mbps;
    bool full;
    bool up;                    /* Link. */
    uint16_t key;
    bool begin, lacp_enabled, selected, ready_n, ntt;
    enum m_rx rx;
    enum m_mux mux;
    enum m_periodic periodic;
    int rx_timer, mux_timer, periodic_timer, tx_timer; /* Ticks. */
    uint8_t state;              /* Of the actor. */
    struct bnd_lacp_info partner;
    int agg;                    /* Member whose aggregator it is in, or -1. */
    bool role;                  /* Carries traffic. */
    struct m_agg own;
};

struct m_linux {
    struct m_port ports[N_MEMBERS];
    enum bnd_ad_select select;
    bool coupled;
};

/* The host at the other end of a cable. */
struct responder {
    bool heard;
    struct bnd_lacp_info actor; /* What it knows of us. */
    long long int next;         /* When it speaks again. */
};

/* One of the two: the model or the engine, with its cables. */
struct side {
    struct responder ends[N_MEMBERS];
};

struct cable {
    int partner;                /* SILENT or a partner. */
    uint16_t key;               /* Of the partner's port. */
    bool mute;                  /* The partner says nothing. */
};

struct walk {
    struct m_linux model;
    struct bnd_lacp *lacp;
    struct bnd_lacp_config config;
    struct cable cables[N_MEMBERS];
    struct side sides[2];       /* Of the model and of the engine. */
    bool up[N_MEMBERS];
    bool bound[N_MEMBERS];
    uint16_t next_port_id;
    long long int now;
    uint64_t random;
    bool verbose;
};

static uint32_t
next_random(struct walk *w, uint32_t below)
{
    w->random = w->random * 6364136223846793005ULL + 1442695040888963407ULL;
    return (w->random >> 33) % below;
}

/* The model: data. */

static const struct bnd_lacp_info m_default_partner = {
    .system_priority = 65535, .key = 1, .port_priority = 255, .port_id = 1,
};

static struct bnd_lacp_info
m_actor(const struct m_port *p)
{
    return (struct bnd_lacp_info) {
        .system_priority = 65535, .system = own_system, .key = p->key,
        .port_priority = p->priority, .port_id = p->port_id,
        .state = p->state,
    };
}

static bool
m_has_partner(const struct m_agg *agg)
{
    return !bnd_eth_addr_is_zero(agg->partner.system);
}

static struct m_agg *
m_agg_of(struct m_linux *m, const struct m_port *p)
{
    return p->agg < 0 ? NULL : &m->ports[p->agg].own;
}

static uint16_t
m_speed_code(uint32_t mbps)
{
    return mbps == 1000 ? 4 : mbps == 10000 ? 7 : mbps == 25000 ? 10 : 0;
}

/* The model: which aggregator is in use. */

static int
m_enabled_ports(const struct m_linux *m, const struct m_agg *agg)
{
    int n = 0;

    for (int i = 0; i < agg->n_ports; i++) {
        n += m->ports[agg->ports[i]].up;
    }
    return n;
}

/* A link that is down has no speed. */
static uint64_t
m_bandwidth(const struct m_linux *m, const struct m_agg *agg)
{
    const struct m_port *last = &m->ports[agg->ports[0]];

    return (uint64_t) m_enabled_ports(m, agg) * (last->up ? last->speed_mbps
                                                 : 0);
}

static unsigned int
m_priority(const struct m_linux *m, const struct m_agg *agg)
{
    unsigned int sum = 0;

    for (int i = 0; i < agg->n_ports; i++) {
        const struct m_port *p = &m->ports[agg->ports[i]];

        sum += p->up ? p->priority : 0;
    }
    return sum;
}

static struct m_agg *
m_better(const struct m_linux *m, struct m_agg *b, struct m_agg *c)
{
    if (!b) {
        return c;
    } else if (b->individual != c->individual) {
        return b->individual ? c : b;
    } else if (m_has_partner(b) != m_has_partner(c)) {
        return m_has_partner(b) ? b : c;
    }
    switch (m->select) {
    case BND_AD_PORT_PRIO:
        if (m_priority(m, b) != m_priority(m, c)) {
            return m_priority(m, c) > m_priority(m, b) ? c : b;
        }
        /* Fall through. */
    case BND_AD_COUNT:
        if (m_enabled_ports(m, b) != m_enabled_ports(m, c)) {
            return m_enabled_ports(m, c) > m_enabled_ports(m, b) ? c : b;
        }
        /* Fall through. */
    case BND_AD_STABLE:
    case BND_AD_BANDWIDTH:
    default:
        return m_bandwidth(m, c) > m_bandwidth(m, b) ? c : b;
    }
}

static struct m_agg *
m_active(struct m_linux *m)
{
    for (int i = 0; i < N_MEMBERS; i++) {
        if (m->ports[i].bound && m->ports[i].own.active) {
            return &m->ports[i].own;
        }
    }
    return NULL;
}

static bool
m_keeps_active(const struct m_linux *m, const struct m_agg *active,
               const struct m_agg *best)
{
    return (m->select == BND_AD_STABLE && active && active->n_ports
            && m_enabled_ports(m, active)
            && (m_has_partner(active) || !m_has_partner(best))
            && !(!active->key && best->key));
}

static void
m_select_aggregator(struct m_linux *m)
{
    struct m_agg *active = m_active(m);
    struct m_agg *best = (active && m_enabled_ports(m, active) ? active
                          : NULL);

    for (int i = 0; i < N_MEMBERS; i++) {
        struct m_agg *agg = &m->ports[i].own;

        if (m->ports[i].bound && agg->n_ports && m_enabled_ports(m, agg)) {
            best = m_better(m, best, agg);
        }
    }
    if (best != active && !(best && m_keeps_active(m, active, best))) {
        for (int i = 0; active && i < active->n_ports; i++) {
            m->ports[active->ports[i]].role = false;
        }
        for (int i = 0; i < N_MEMBERS; i++) {
            m->ports[i].own.active = &m->ports[i].own == best;
        }
    }
    active = m_active(m);
    if (active && !m_has_partner(active)) {
        for (int i = 0; i < active->n_ports; i++) {
            m->ports[active->ports[i]].role = m->ports[active->ports[i]].up;
        }
    }
}

/* The model: which aggregator a port is in. */

static void
m_leave(struct m_linux *m, int i)
{
    struct m_agg *agg = m_agg_of(m, &m->ports[i]);

    if (agg) {
        int n = 0;

        for (int j = 0; j < agg->n_ports; j++) {
            if (agg->ports[j] != i) {
                agg->ports[n++] = agg->ports[j];
            }
        }
        agg->n_ports = n;
        if (!n) {
            memset(agg, 0, sizeof *agg);
        }
        m->ports[i].agg = -1;
    }
}

static bool
m_fits(const struct m_port *p, const struct m_agg *agg)
{
    return (agg->n_ports && !agg->individual
            && !bnd_eth_addr_is_zero(p->partner.system)
            && agg->key == p->key
            && bnd_eth_addr_equal(agg->partner.system, p->partner.system)
            && agg->partner.system_priority == p->partner.system_priority
            && agg->partner.key == p->partner.key);
}

static void
m_join(struct m_linux *m, int i)
{
    struct m_port *p = &m->ports[i];
    int to = -1;

    m_leave(m, i);
    for (int j = 0; j < N_MEMBERS && to < 0; j++) {
        if (m->ports[j].bound && m_fits(p, &m->ports[j].own)) {
            to = j;
        }
    }
    for (int j = 0; j < N_MEMBERS && to < 0; j++) {
        if (m->ports[j].bound && !m->ports[j].own.n_ports) {
            struct m_agg *agg = &m->ports[j].own;

            to = j;
            agg->individual = !p->full;
            agg->key = p->key;
            agg->partner = p->partner;
        }
    }
    ovs_assert(to >= 0);

    struct m_agg *agg = &m->ports[to].own;
    memmove(&agg->ports[1], &agg->ports[0],
            agg->n_ports * sizeof agg->ports[0]);
    agg->ports[0] = i;
    agg->n_ports++;
    p->agg = to;
    p->selected = true;
    m_select_aggregator(m);
    if (!agg->active) {
        p->state &= ~BND_LACP_SYNC;
    }
}

/* The model: Receive. */

static void
m_record_default(struct m_port *p)
{
    p->partner = m_default_partner;
    p->state |= BND_LACP_DEFAULTED;
}

static void
m_rx_enter(struct m_port *p, enum m_rx next)
{
    p->rx = next;
    switch (next) {
    case M_INIT:
        p->lacp_enabled = p->full;
        p->selected = false;
        m_record_default(p);
        p->state &= ~BND_LACP_EXPIRED;
        /* Fall through. */
    case M_DISABLED:
        p->partner.state &= ~BND_LACP_SYNC;
        break;
    case M_LACP_DISABLED:
        p->selected = false;
        m_record_default(p);
        p->partner.state &= ~BND_LACP_AGGREGATION;
        p->state &= ~BND_LACP_EXPIRED;
        break;
    case M_EXPIRED:
        p->partner.state &= ~BND_LACP_SYNC;
        p->partner.state |= BND_LACP_TIMEOUT;
        p->rx_timer = 30;
        p->state |= BND_LACP_EXPIRED;
        break;
    case M_DEFAULTED:
        if (!bnd_lacp_info_equal(&p->partner, &m_default_partner,
                                 BND_LACP_AGGREGATION)) {
            p->selected = false;
        }
        m_record_default(p);
        p->state &= ~BND_LACP_EXPIRED;
        break;
    case M_CURRENT:
    default:
        break;
    }
}

static void
m_receive(struct m_port *p, const struct bnd_lacpdu *pdu)
{
    struct bnd_lacp_info actor = m_actor(p);
    bool matched;

    if (!p->bound || (p->rx != M_EXPIRED && p->rx != M_DEFAULTED
                      && p->rx != M_CURRENT)) {
        return;
    }
    p->rx = M_CURRENT;
    if (!bnd_lacp_info_equal(&pdu->actor, &p->partner,
                             BND_LACP_AGGREGATION)) {
        p->selected = false;
    }
    p->ntt |= !bnd_lacp_info_equal(&pdu->partner, &actor,
                                   BND_LACP_ACTIVITY | BND_LACP_TIMEOUT
                                   | BND_LACP_SYNC | BND_LACP_AGGREGATION);
    matched = (bnd_lacp_info_equal(&pdu->partner, &actor,
                                   BND_LACP_AGGREGATION)
               || !(pdu->actor.state & BND_LACP_AGGREGATION));
    p->partner = pdu->actor;
    p->state &= ~(BND_LACP_DEFAULTED | BND_LACP_EXPIRED);
    if (!matched) {
        p->partner.state &= ~BND_LACP_SYNC;
    }
    p->rx_timer = 30;
}

static void
m_rx_tick(struct m_port *p)
{
    bool out = p->rx_timer && !--p->rx_timer;
    enum m_rx next = (p->begin ? M_INIT
                      : !p->up ? M_DISABLED
                      : out && p->rx == M_EXPIRED ? M_DEFAULTED
                      : out && p->rx == M_CURRENT ? M_EXPIRED
                      : p->rx == M_DISABLED || p->rx == M_INIT
                      ? (p->lacp_enabled ? M_EXPIRED : M_LACP_DISABLED)
                      : p->rx);

    if (next != p->rx || p->begin) {
        p->rx_timer = 0;
        m_rx_enter(p, next);
    }
}

/* The model: Periodic and Mux. */

static void
m_periodic_tick(struct m_port *p)
{
    bool out = p->periodic_timer && !--p->periodic_timer;
    bool fast = p->partner.state & BND_LACP_TIMEOUT;
    enum m_periodic next
        = (p->begin || !p->lacp_enabled || !p->up ? M_NONE
           : p->periodic == M_NONE ? M_FAST
           : p->periodic == M_FAST ? (out ? M_TX : fast ? M_FAST : M_SLOW)
           : p->periodic == M_SLOW ? (out || fast ? M_TX : M_SLOW)
           : fast ? M_FAST : M_SLOW);

    if (next != p->periodic) {
        p->periodic = next;
        p->periodic_timer = next == M_FAST ? 10 : next == M_SLOW ? 300 : 0;
        p->ntt |= next == M_TX;
    }
}

static bool
m_ready(struct m_linux *m, const struct m_port *p)
{
    const struct m_agg *agg = m_agg_of(m, p);

    for (int i = 0; agg && i < agg->n_ports; i++) {
        const struct m_port *q = &m->ports[agg->ports[i]];

        if (!q->ready_n && q->mux == M_WAITING) {
            return false;
        }
    }
    return agg != NULL;
}

static enum m_mux
m_mux_next(struct m_linux *m, struct m_port *p)
{
    const struct m_agg *agg = m_agg_of(m, p);
    bool active = agg && agg->active;
    bool p_sync = p->partner.state & BND_LACP_SYNC;
    bool p_coll = p->partner.state & BND_LACP_COLLECTING;
    bool fall = !p->selected || !p_sync || !(p->state & BND_LACP_SYNC);

    switch (p->mux) {
    case M_DETACHED:
        return p->selected ? M_WAITING : p->mux;
    case M_WAITING:
        if (!p->selected) {
            return M_DETACHED;
        }
        if (p->mux_timer && !--p->mux_timer) {
            p->ready_n = true;
        }
        return !p->mux_timer && m_ready(m, p) ? M_ATTACHED : p->mux;
    case M_ATTACHED:
        return (p->selected && p_sync
                ? (!active ? p->mux : m->coupled ? M_BOTH : M_COLLECTING)
                : !p->selected ? M_DETACHED : p->mux);
    case M_COLLECTING:
        return fall ? M_ATTACHED : p_coll ? M_DISTRIBUTING : p->mux;
    case M_DISTRIBUTING:
        return fall || !p_coll ? M_COLLECTING : p->mux;
    case M_BOTH:
    default:
        return fall ? M_ATTACHED : p->mux;
    }
}

static void
m_mux_enter(struct m_linux *m, struct m_port *p, enum m_mux next)
{
    struct m_agg *agg = m_agg_of(m, p);
    bool active = agg && agg->active;

    p->mux = next;
    switch (next) {
    case M_DETACHED:
        p->state &= ~(BND_LACP_SYNC | BND_LACP_COLLECTING
                      | BND_LACP_DISTRIBUTING);
        p->ready_n = false;
        p->role = false;
        break;
    case M_WAITING:
        p->mux_timer = 20;
        return;
    case M_ATTACHED:
        p->state &= ~(BND_LACP_SYNC | BND_LACP_COLLECTING
                      | BND_LACP_DISTRIBUTING);
        p->state |= active ? BND_LACP_SYNC : 0;
        p->role &= active && !m_has_partner(agg);
        break;
    case M_COLLECTING:
        p->state |= BND_LACP_SYNC | BND_LACP_COLLECTING;
        p->state &= ~BND_LACP_DISTRIBUTING;
        p->role = false;
        break;
    case M_DISTRIBUTING:
        p->state |= BND_LACP_SYNC | BND_LACP_DISTRIBUTING;
        p->role = p->up && active;
        return;
    case M_BOTH:
    default:
        p->state |= (BND_LACP_SYNC | BND_LACP_COLLECTING
                     | BND_LACP_DISTRIBUTING);
        p->role = p->up && active;
        break;
    }
    p->ntt = true;
}

static void
m_mux_tick(struct m_linux *m, struct m_port *p)
{
    const struct m_agg *agg = m_agg_of(m, p);
    enum m_mux next = p->begin ? M_DETACHED : m_mux_next(m, p);

    if (next != p->mux) {
        m_mux_enter(m, p, next);
    } else if (agg && agg->active) {
        if (p->mux == M_ATTACHED) {
            p->state |= BND_LACP_SYNC;
        } else if (p->mux == M_BOTH || p->mux == M_DISTRIBUTING) {
            p->role |= p->up;
        }
    }
}

/* The model: orders. */

static void
m_set_link(struct m_linux *m, int i, bool up)
{
    struct m_port *p = &m->ports[i];
    uint16_t key = up ? m_speed_code(p->speed_mbps) * 2 + p->full : 0;

    p->up = up;
    if (!up) {
        p->role = false;
    } else if (key != p->key) {
        p->lacp_enabled = p->full;
        p->begin |= p->full;
    }
    p->key = key;
    m_select_aggregator(m);
}

static void
m_bind(struct m_linux *m, int i, uint16_t port_id)
{
    struct m_port *p = &m->ports[i];

    *p = (struct m_port) {
        .bound = true, .port_id = port_id, .priority = p->priority,
        .speed_mbps = p->speed_mbps, .full = p->full, .begin = true,
        .lacp_enabled = true, .agg = -1, .partner = m_default_partner,
        .state = BND_LACP_ACTIVITY | BND_LACP_TIMEOUT | BND_LACP_AGGREGATION,
    };
}

/* Its aggregator, if others are in it, goes on as that of a member whose own
 * is empty. */
static void
m_unbind(struct m_linux *m, int i)
{
    const struct m_agg *agg = m_agg_of(m, &m->ports[i]);
    bool choose = (agg && agg->active
                   && m_enabled_ports(m, agg) == m->ports[i].up);

    m_leave(m, i);
    for (int j = 0; j < N_MEMBERS && m->ports[i].own.n_ports; j++) {
        struct m_agg *to = &m->ports[j].own;

        if (j != i && m->ports[j].bound && !to->n_ports) {
            *to = m->ports[i].own;
            for (int k = 0; k < to->n_ports; k++) {
                m->ports[to->ports[k]].agg = j;
            }
            m->ports[i].own.n_ports = 0;
        }
    }
    memset(&m->ports[i].own, 0, sizeof m->ports[i].own);
    m->ports[i].bound = m->ports[i].up = m->ports[i].role = false;
    if (choose) {
        m_select_aggregator(m);
    }
}

/* Both sides and their partners. */

static struct bnd_lacp_info
partner_info(const struct walk *w, int i)
{
    const struct cable *c = &w->cables[i];

    return (struct bnd_lacp_info) {
        .system_priority = 100, .system = {{{ 2, 0, 0, 0, 1, c->partner }}},
        .key = c->key, .port_priority = 1, .port_id = 10 + i,
        .state = (BND_LACP_ACTIVITY | BND_LACP_TIMEOUT
                  | BND_LACP_AGGREGATION),
    };
}

/* The partner of member 'i' of 'side' speaks. */
static void
speak(struct walk *w, int side, int i)
{
    struct responder *end = &w->sides[side].ends[i];
    struct bnd_lacpdu pdu = { .actor = partner_info(w, i) };

    end->next = w->now + 1000;
    if (end->heard) {
        pdu.partner = end->actor;
        pdu.actor.state |= BND_LACP_SYNC;
        pdu.actor.state |= (end->actor.state & BND_LACP_SYNC
                            ? BND_LACP_COLLECTING | BND_LACP_DISTRIBUTING
                            : 0);
    }
    if (!side) {
        m_receive(&w->model.ports[i], &pdu);
    } else {
        struct bnd_effects fx = BND_EFFECTS_INITIALIZER;
        uint8_t *frame = bnd_lacpdu_encode(&pdu, pdu.actor.system);

        bnd_lacp_receive(w->lacp, i + 1, frame, BND_SLOW_FRAME_LEN, w->now,
                         w->now, &fx);
        bnd_effects_uninit(&fx);
        free(frame);
    }
}

static bool
can_speak(const struct walk *w, int i)
{
    return (w->bound[i] && w->up[i] && w->cables[i].partner != SILENT
            && !w->cables[i].mute);
}

static void
hear(struct walk *w, int side, int i, const struct bnd_lacp_info *actor)
{
    struct responder *end = &w->sides[side].ends[i];
    bool new = (!end->heard
                || !bnd_lacp_info_equal(&end->actor, actor, UINT8_MAX));

    if (can_speak(w, i)) {
        end->heard = true;
        end->actor = *actor;
        end->next = new ? w->now + 10 : end->next;
    }
}

static void
tick_model(struct walk *w)
{
    struct m_linux *m = &w->model;

    for (int i = 0; i < N_MEMBERS; i++) {
        struct m_port *p = &m->ports[i];

        if (!p->bound) {
            continue;
        }
        m_rx_tick(p);
        m_periodic_tick(p);
        if (!p->selected) {
            m_join(m, i);
        }
        m_mux_tick(m, p);
        if (p->tx_timer && --p->tx_timer) {
            /* Not yet. */
        } else if (p->ntt && p->lacp_enabled && p->up) {
            struct bnd_lacp_info actor = m_actor(p);

            hear(w, 0, i, &actor);
            p->ntt = false;
            p->tx_timer = 3;
        }
        p->begin = false;
    }
}

static void
run_engine(struct walk *w)
{
    struct bnd_effects fx = BND_EFFECTS_INITIALIZER;

    bnd_lacp_run(w->lacp, w->now, &fx);
    for (size_t i = 0; i < fx.n; i++) {
        struct bnd_cursor body;
        struct bnd_lacpdu pdu;
        uint8_t subtype;

        if (fx.fx[i].type == BND_FX_FRAME_TX
            && !bnd_slow_open(fx.fx[i].frame.data, fx.fx[i].frame.len, &body,
                              &subtype)
            && !bnd_lacpdu_decode(body, &pdu)) {
            hear(w, 1, fx.fx[i].frame.id - 1, &pdu.actor);
        }
    }
    bnd_effects_uninit(&fx);
}

static void
pass_time(struct walk *w, long long int ms)
{
    for (long long int end = w->now + ms; w->now < end; w->now += 10) {
        for (int i = 0; i < N_MEMBERS; i++) {
            for (int side = 0; side < 2; side++) {
                if (can_speak(w, i) && w->sides[side].ends[i].next <= w->now) {
                    speak(w, side, i);
                }
            }
        }
        if (w->now % TICK == 0) {
            tick_model(w);
        }
        if (bnd_lacp_wake_time(w->lacp) <= w->now) {
            run_engine(w);
        }
    }
}

/* Steps. */

static void
say(const struct walk *w, const char *format, ...)
    OVS_PRINTF_FORMAT(2, 3);

static void
say(const struct walk *w, const char *format, ...)
{
    if (w->verbose) {
        va_list args;

        printf("at %lld: ", w->now);
        va_start(args, format);
        vprintf(format, args);
        va_end(args);
        putchar('\n');
    }
}

static void
forget(struct walk *w, int i)
{
    for (int side = 0; side < 2; side++) {
        w->sides[side].ends[i] = (struct responder) { .next = w->now + 100 };
    }
}

static void
set_up(struct walk *w, int i, bool up)
{
    say(w, "member %d %s", i + 1, up ? "up" : "down");
    w->up[i] = up;
    forget(w, i);
    m_set_link(&w->model, i, up);
    bnd_lacp_port_set_link(w->lacp, i + 1, w->model.ports[i].speed_mbps,
                           (w->model.ports[i].full ? BND_DUPLEX_FULL
                            : BND_DUPLEX_HALF), w->now);
    bnd_lacp_port_set_carrier(w->lacp, i + 1, up, w->now);
    bnd_lacp_port_set_enabled(w->lacp, i + 1, up, w->now);
    run_engine(w);
}

static void
plug(struct walk *w, int i)
{
    struct cable *c = &w->cables[i];

    c->partner = next_random(w, N_PARTNERS + 1);
    c->key = next_random(w, 4) ? 1 : 2;
    c->mute = false;
    say(w, "member %d leads to %d, key %d", i + 1, c->partner, c->key);
    forget(w, i);
}

/* Members are always in the order of their numbers: only one that is behind
 * all others may join. */
static bool
may_bind(const struct walk *w, int i)
{
    for (int j = i; j < N_MEMBERS; j++) {
        if (w->bound[j]) {
            return false;
        }
    }
    return true;
}

static void
join(struct walk *w, int i)
{
    struct bnd_lacp_port_config config = { .port_id = w->next_port_id++ };
    char name[] = { 'p', '1' + i, '\0' };
    struct m_port *p = &w->model.ports[i];

    p->speed_mbps = next_random(w, 3) ? 10000 : 1000;
    p->full = next_random(w, 10);
    p->priority = next_random(w, 3) ? 255 : 1 + next_random(w, 600);
    config.priority = p->priority;
    say(w, "member %d joins, %u Mbps, %s, priority %d", i + 1, p->speed_mbps,
        p->full ? "full" : "half", p->priority);
    m_bind(&w->model, i, config.port_id);
    bnd_lacp_port_set(w->lacp, i + 1, name, &config, w->now);
    w->bound[i] = true;
    run_engine(w);
    set_up(w, i, next_random(w, 4));
}

static void
part(struct walk *w, int i)
{
    struct bnd_effects fx = BND_EFFECTS_INITIALIZER;

    say(w, "member %d leaves", i + 1);
    m_unbind(&w->model, i);
    bnd_lacp_port_del(w->lacp, i + 1, w->now, &fx);
    bnd_effects_uninit(&fx);
    w->bound[i] = w->up[i] = false;
    run_engine(w);
}

static void
step(struct walk *w)
{
    int i = next_random(w, N_MEMBERS);

    if (!w->bound[i]) {
        if (may_bind(w, i)) {
            plug(w, i);
            join(w, i);
        }
        return;
    }
    switch (next_random(w, 10)) {
    case 0:
        part(w, i);
        break;
    case 1:
    case 2:
        plug(w, i);
        break;
    case 3:
        w->cables[i].mute = !w->cables[i].mute;
        say(w, "the partner of member %d is %s", i + 1,
            w->cables[i].mute ? "silent" : "back");
        break;
    default:
        set_up(w, i, !w->up[i]);
        break;
    }
}

/* Comparing. */

static void
show(const struct walk *w)
{
    for (int i = 0; i < N_MEMBERS; i++) {
        const struct m_port *p = &w->model.ports[i];
        struct bnd_lacp_port_status s;

        if (w->bound[i]) {
            bnd_lacp_get_port_status(w->lacp, i + 1, &s);
            printf("member %d%s to %d key %d%s: model rx %d mux %d"
                   " aggregator %d%s state %#x%s, engine rx %s mux %s"
                   " aggregator %u%s state %#x%s\n",
                   i + 1, w->up[i] ? "" : " down", w->cables[i].partner,
                   w->cables[i].key, w->cables[i].mute ? " mute" : "",
                   p->rx, p->mux, p->agg + 1,
                   p->agg >= 0 && w->model.ports[p->agg].own.active
                   ? " in use" : "", p->state, p->role ? " enabled" : "",
                   s.rx_state, s.mux_state, s.aggregator,
                   s.in_active ? " in use" : "", s.actor.state,
                   s.may_enable ? " enabled" : "");
        }
    }
}

#define COMPARED (BND_LACP_SYNC | BND_LACP_COLLECTING \
                  | BND_LACP_DISTRIBUTING | BND_LACP_DEFAULTED \
                  | BND_LACP_EXPIRED)

/* Does the model carry traffic by 'p'?  A port without a partner whose link
 * comes back when no other is up ought to do so at once; by the letter of its
 * tables Linux disables it when Mux begins anew, until something makes it
 * choose an aggregator again. */
static bool
m_carries(struct m_linux *m, const struct m_port *p)
{
    const struct m_agg *agg = m_agg_of(m, p);

    return (agg && agg->active && !m_has_partner(agg) ? p->up : p->role);
}

/* Returns what differs, or null. */
static char *
compare(struct walk *w)
{
    struct bnd_lacp_port_status s[N_MEMBERS];

    for (int i = 0; i < N_MEMBERS; i++) {
        const struct m_port *p = &w->model.ports[i];

        if (!w->bound[i]) {
            continue;
        }
        bnd_lacp_get_port_status(w->lacp, i + 1, &s[i]);
        if (s[i].may_enable != m_carries(&w->model, p)) {
            return xasprintf("member %d carries traffic on one side only",
                             i + 1);
        }
        if (!w->up[i]) {
            continue;
        }
        if (s[i].in_active != w->model.ports[p->agg].own.active) {
            return xasprintf("member %d: another aggregator is in use",
                             i + 1);
        }
        if (s[i].in_active && (s[i].actor.state ^ p->state) & COMPARED) {
            return xasprintf("member %d: states %#x and %#x", i + 1,
                             p->state, s[i].actor.state);
        }
        for (int j = 0; j < i; j++) {
            if (w->bound[j] && w->up[j]
                && ((s[j].aggregator == s[i].aggregator)
                    != (w->model.ports[j].agg == p->agg))) {
                return xasprintf("members %d and %d are in one aggregator on"
                                 " one side only", j + 1, i + 1);
            }
        }
    }
    return NULL;
}

static char *
take_walk(struct walk *w)
{
    char *error = NULL;

    w->config = (struct bnd_lacp_config) {
        .system = own_system, .system_priority = 65535, .active = true,
        .fast = true, .flavour = BND_LACP_FLAVOUR_STANDARD,
        .select = next_random(w, 4), .coupled = next_random(w, 2),
    };
    w->model.select = w->config.select;
    w->model.coupled = w->config.coupled;
    w->next_port_id = 1;
    w->now = 1000;
    w->lacp = bnd_lacp_create(&w->config, w->now);
    say(w, "ad_select %d, %s control", w->config.select,
        w->config.coupled ? "coupled" : "independent");
    for (int i = 0; i < N_MEMBERS - 1; i++) {
        plug(w, i);
        join(w, i);
    }
    for (int i = 0; i < 50 && !error; i++) {
        pass_time(w, SETTLE);
        error = compare(w);
        if (!error) {
            step(w);
        }
    }
    if (error && w->verbose) {
        show(w);
    }
    bnd_lacp_destroy(w->lacp);
    return error;
}

static int
prop_linux(int argc, char *argv[])
{
    long long int seed = 1, walks = 20;
    bool verbose = false;
    int n_bad = 0;

    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--verbose")) {
            verbose = true;
        } else if (!(!strncmp(argv[i], "--seed=", 7)
                     && str_to_llong(argv[i] + 7, 10, &seed))
                   && !(!strncmp(argv[i], "--walks=", 8)
                        && str_to_llong(argv[i] + 8, 10, &walks))) {
            fprintf(stderr, "bndtest prop-linux: bad option '%s'\n", argv[i]);
            return 2;
        }
    }
    for (; walks > 0; walks--, seed++) {
        struct walk w = { .random = seed, .verbose = verbose };
        char *error = take_walk(&w);

        if (error) {
            fprintf(stderr, "bndtest prop-linux --seed=%lld --walks=1: at"
                    " %lld: %s\n", seed, w.now, error);
            n_bad++;
            free(error);
        }
    }
    return n_bad != 0;
}

BNDTEST_REGISTER("prop-linux", "[--seed=N] [--walks=N] [--verbose]",
                 prop_linux)
