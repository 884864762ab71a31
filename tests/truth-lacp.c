/* SPDX-License-Identifier: Apache-2.0 */

/* The transition tables of LACP, against every input.
 *
 *     bndtest truth-lacp [--print]
 *
 * The tables below were transcribed by hand from the figures of
 * IEEE 802.1AX-2008 (5-10 Receive, 5-11 Periodic, 5-13 Mux with independent
 * control), not from the code, and are written as the figures are drawn: one
 * row per arrow, with the conditions on it.  A row applies if all of its
 * conditions hold; the first one that applies counts, and if none does the
 * machine stays.  Arrows of the OVS flavour, which the standard does not have,
 * are marked.
 *
 * Checked for each machine: in each state and on each input the function goes
 * where the table says; each row of the table is used; and no input lets the
 * machine go round for ever. */

#include <config.h>
#include "bndtest.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "util.h"
#include "lacp/lacp-private.h"

/* Inputs as bits, so that all of them can be enumerated. */
enum {
    /* Receive. */
    BEGIN = 1 << 0, ENABLED = 1 << 1, LACP = 1 << 2, QUIET = 1 << 3,
    RESTART = 1 << 4, PDU = 1 << 5, R_TIMER = 1 << 6,
    N_RX_BITS = 7,

    /* Periodic. */
    PERIODIC = 1 << 0, SHORT = 1 << 1, P_TIMER = 1 << 2, SAMPLED = 1 << 3,
    N_PERIODIC_BITS = 4,

    /* Mux.  SELECTED and STANDBY exclude each other; neither is UNSELECTED. */
    SELECTED = 1 << 0, STANDBY = 1 << 1, READY = 1 << 2, P_SYNC = 1 << 3,
    P_COLL = 1 << 4, A_SYNC = 1 << 5, IN_USE = 1 << 6, COUPLED = 1 << 7,
    N_MUX_BITS = 8,

    /* Churn. */
    C_BEGIN = 1 << 0, C_TIMER = 1 << 1, C_SYNC = 1 << 2,
    N_CHURN_BITS = 3
};

/* An arrow: in any state of 'from', if all bits of 'on' are set and all of
 * 'off' are clear, the machine goes to 'to'. */
struct arrow {
    unsigned int from;          /* Mask of states. */
    unsigned int on;
    unsigned int off;
    int to;
    const char *why;            /* Condition as the figure has it. */
};

#define IN(STATE) (1u << (STATE))
#define ANY UINT_MAX

static const struct arrow rx_arrows[] = {
    { ANY, BEGIN, 0, BND_RX_INITIALIZE, "BEGIN" },
    { ANY, 0, BEGIN | ENABLED, BND_RX_PORT_DISABLED, "!port_enabled" },
    { IN(BND_RX_INITIALIZE), 0, 0, BND_RX_PORT_DISABLED, "UCT" },

    { IN(BND_RX_PORT_DISABLED), ENABLED, LACP, BND_RX_LACP_DISABLED,
      "port_enabled && !LACP_Enabled" },
    { IN(BND_RX_PORT_DISABLED), ENABLED | LACP, QUIET, BND_RX_EXPIRED,
      "port_enabled && LACP_Enabled" },
    { IN(BND_RX_PORT_DISABLED), ENABLED | LACP | QUIET, 0, BND_RX_DEFAULTED,
      "OVS: port_enabled && LACP_Enabled, passive" },

    { IN(BND_RX_EXPIRED) | IN(BND_RX_DEFAULTED) | IN(BND_RX_CURRENT), PDU, 0,
      BND_RX_CURRENT, "LACPDU received" },

    { IN(BND_RX_EXPIRED), RESTART, QUIET, BND_RX_EXPIRED, "OVS: restart" },
    { IN(BND_RX_EXPIRED), R_TIMER, 0, BND_RX_DEFAULTED,
      "current_while_timer expired" },

    { IN(BND_RX_CURRENT), RESTART, 0, BND_RX_EXPIRED, "OVS: restart" },
    { IN(BND_RX_CURRENT), R_TIMER, 0, BND_RX_EXPIRED,
      "current_while_timer expired" },

    { IN(BND_RX_DEFAULTED), RESTART, QUIET, BND_RX_EXPIRED, "OVS: restart" },
};

static const struct arrow periodic_arrows[] = {
    { ANY, 0, PERIODIC, BND_PERIODIC_NO_PERIODIC,
      "!LACP_Enabled || !port_enabled || neither is active" },
    { IN(BND_PERIODIC_NO_PERIODIC), 0, 0, BND_PERIODIC_FAST, "UCT" },

    { IN(BND_PERIODIC_FAST), P_TIMER, 0, BND_PERIODIC_TX,
      "periodic_timer expired" },
    { IN(BND_PERIODIC_FAST), 0, SHORT, BND_PERIODIC_SLOW,
      "Partner LACP_Timeout = Long" },

    { IN(BND_PERIODIC_SLOW), P_TIMER, 0, BND_PERIODIC_TX,
      "periodic_timer expired" },
    { IN(BND_PERIODIC_SLOW), SHORT, SAMPLED, BND_PERIODIC_TX,
      "Partner LACP_Timeout = Short" },
    { IN(BND_PERIODIC_SLOW), SHORT | SAMPLED, 0, BND_PERIODIC_FAST,
      "OVS: a LACPDU went with LACP_Timeout = Short" },

    { IN(BND_PERIODIC_TX), SAMPLED | P_TIMER, 0, BND_PERIODIC_TX,
      "OVS: the LACPDU has not gone yet" },
    { IN(BND_PERIODIC_TX), SHORT, 0, BND_PERIODIC_FAST,
      "Partner LACP_Timeout = Short" },
    { IN(BND_PERIODIC_TX), 0, SHORT, BND_PERIODIC_SLOW,
      "Partner LACP_Timeout = Long" },
};

static const struct arrow mux_arrows[] = {
    { IN(BND_MUX_DETACHED), SELECTED, 0, BND_MUX_WAITING, "SELECTED" },
    { IN(BND_MUX_DETACHED), STANDBY, 0, BND_MUX_WAITING, "STANDBY" },

    { IN(BND_MUX_WAITING), 0, SELECTED | STANDBY, BND_MUX_DETACHED,
      "UNSELECTED" },
    { IN(BND_MUX_WAITING), SELECTED | READY, 0, BND_MUX_ATTACHED,
      "SELECTED && Ready" },

    { IN(BND_MUX_ATTACHED), 0, SELECTED, BND_MUX_DETACHED,
      "UNSELECTED || STANDBY" },
    { IN(BND_MUX_ATTACHED), SELECTED | P_SYNC | IN_USE, COUPLED,
      BND_MUX_COLLECTING, "SELECTED && Partner.Sync, aggregator in use" },
    { IN(BND_MUX_ATTACHED), SELECTED | P_SYNC | IN_USE | COUPLED, 0,
      BND_MUX_COLLECTING_DISTRIBUTING,
      "SELECTED && Partner.Sync, aggregator in use" },

    { IN(BND_MUX_COLLECTING) | IN(BND_MUX_COLLECTING_DISTRIBUTING), 0,
      SELECTED, BND_MUX_ATTACHED, "UNSELECTED || STANDBY" },
    { IN(BND_MUX_COLLECTING) | IN(BND_MUX_COLLECTING_DISTRIBUTING), 0, P_SYNC,
      BND_MUX_ATTACHED, "!Partner.Sync" },
    { IN(BND_MUX_COLLECTING) | IN(BND_MUX_COLLECTING_DISTRIBUTING), 0, A_SYNC,
      BND_MUX_ATTACHED, "Linux: !Actor.Sync" },
    { IN(BND_MUX_COLLECTING), SELECTED | P_SYNC | P_COLL, 0,
      BND_MUX_DISTRIBUTING,
      "SELECTED && Partner.Sync && Partner.Collecting" },

    { IN(BND_MUX_DISTRIBUTING), 0, SELECTED, BND_MUX_COLLECTING,
      "UNSELECTED || STANDBY" },
    { IN(BND_MUX_DISTRIBUTING), 0, P_SYNC, BND_MUX_COLLECTING,
      "!Partner.Sync" },
    { IN(BND_MUX_DISTRIBUTING), 0, P_COLL, BND_MUX_COLLECTING,
      "!Partner.Collecting" },
    { IN(BND_MUX_DISTRIBUTING), 0, A_SYNC, BND_MUX_COLLECTING,
      "Linux: !Actor.Sync" },
};

static const struct arrow churn_arrows[] = {
    { ANY, C_BEGIN, 0, BND_CHURN_MONITORING, "BEGIN" },
    { IN(BND_CHURN_MONITORING), C_TIMER | C_SYNC, 0, BND_CHURN_NONE,
      "churn_timer expired && Sync" },
    { IN(BND_CHURN_MONITORING), C_TIMER, C_SYNC, BND_CHURN_CHURNED,
      "churn_timer expired && !Sync" },
};

/* The machines, with inputs as bits. */

static int
rx_next(int state, unsigned int bits)
{
    struct bnd_rx_input in = {
        .begin = bits & BEGIN,
        .port_enabled = bits & ENABLED,
        .lacp_enabled = bits & LACP,
        .quiet = bits & QUIET,
        .restart = bits & RESTART,
        .pdu = bits & PDU,
        .timer_expired = bits & R_TIMER,
    };

    return bnd_rx_next(state, &in);
}

static int
periodic_next(int state, unsigned int bits)
{
    struct bnd_periodic_input in = {
        .enabled = bits & PERIODIC,
        .short_timeout = bits & SHORT,
        .timer_expired = bits & P_TIMER,
        .sampled = bits & SAMPLED,
    };

    return bnd_periodic_next(state, &in);
}

static int
mux_next(int state, unsigned int bits)
{
    struct bnd_mux_input in = {
        .selected = (bits & SELECTED ? BND_SELECTED
                     : bits & STANDBY ? BND_STANDBY : BND_UNSELECTED),
        .ready = bits & READY,
        .partner_sync = bits & P_SYNC,
        .partner_collecting = bits & P_COLL,
        .actor_sync = bits & A_SYNC,
        .active = bits & IN_USE,
        .coupled = bits & COUPLED,
    };

    return bnd_mux_next(state, &in);
}

static int
churn_next(int state, unsigned int bits)
{
    struct bnd_churn_input in = {
        .begin = bits & C_BEGIN,
        .timer_expired = bits & C_TIMER,
        .sync = bits & C_SYNC,
    };

    return bnd_churn_next(state, &in);
}

static bool
mux_possible(unsigned int bits)
{
    return (bits & (SELECTED | STANDBY)) != (SELECTED | STANDBY);
}

/* What entering 'state' does to the input: timers start, events are used up.
 * What a state does not change it leaves alone. */

static unsigned int
rx_entered(int state, unsigned int bits)
{
    bits &= ~RESTART;
    switch ((enum bnd_rx_state) state) {
    case BND_RX_INITIALIZE:
        return bits & ~(BEGIN | R_TIMER);
    case BND_RX_CURRENT:
        return bits & ~(PDU | R_TIMER);
    case BND_RX_PORT_DISABLED:
    case BND_RX_EXPIRED:
    case BND_RX_LACP_DISABLED:
    case BND_RX_DEFAULTED:
        return bits & ~R_TIMER;
    case BND_N_RX_STATES:
    default:
        OVS_NOT_REACHED();
    }
}

static unsigned int
periodic_entered(int state, unsigned int bits)
{
    return state == BND_PERIODIC_TX || bits & SAMPLED ? bits : bits & ~P_TIMER;
}

static unsigned int
mux_entered(int state, unsigned int bits)
{
    switch ((enum bnd_mux_state) state) {
    case BND_MUX_WAITING:
        return bits & ~READY;
    case BND_MUX_DETACHED:
        return bits & ~A_SYNC;
    case BND_MUX_ATTACHED:
        return bits & IN_USE ? bits | A_SYNC : bits & ~A_SYNC;
    case BND_MUX_COLLECTING:
    case BND_MUX_COLLECTING_DISTRIBUTING:
        return bits | A_SYNC;
    case BND_MUX_DISTRIBUTING:
        return bits;
    case BND_N_MUX_STATES:
    default:
        OVS_NOT_REACHED();
    }
}

static unsigned int
churn_entered(int state, unsigned int bits)
{
    return state == BND_CHURN_MONITORING ? bits & ~(C_BEGIN | C_TIMER) : bits;
}

static const char *
rx_name(int state)
{
    return bnd_rx_state_name(state);
}

static const char *
periodic_name(int state)
{
    return bnd_periodic_state_name(state);
}

static const char *
mux_name(int state)
{
    return bnd_mux_state_name(state);
}

static const char *
churn_name(int state)
{
    return bnd_churn_name(state);
}

struct machine {
    const char *name;
    int n_states;
    int n_bits;
    int (*next)(int state, unsigned int bits);
    unsigned int (*entered)(int state, unsigned int bits);
    bool (*possible)(unsigned int bits); /* Null if all inputs are. */
    const char *(*state_name)(int state);
    const struct arrow *arrows;
    size_t n_arrows;
};

static const struct machine machines[] = {
    { "Receive", BND_N_RX_STATES, N_RX_BITS, rx_next, rx_entered, NULL,
      rx_name, rx_arrows, ARRAY_SIZE(rx_arrows) },
    { "Periodic", BND_N_PERIODIC_STATES, N_PERIODIC_BITS, periodic_next,
      periodic_entered, NULL, periodic_name, periodic_arrows,
      ARRAY_SIZE(periodic_arrows) },
    { "Mux", BND_N_MUX_STATES, N_MUX_BITS, mux_next, mux_entered,
      mux_possible, mux_name, mux_arrows, ARRAY_SIZE(mux_arrows) },
    { "Churn", BND_N_CHURN_STATES, N_CHURN_BITS, churn_next, churn_entered,
      NULL, churn_name, churn_arrows, ARRAY_SIZE(churn_arrows) },
};

/* The arrow that applies, or null. */
static const struct arrow *
find_arrow(const struct machine *m, int state, unsigned int bits)
{
    for (size_t i = 0; i < m->n_arrows; i++) {
        const struct arrow *a = &m->arrows[i];

        if (a->from & IN(state) && (bits & a->on) == a->on
            && !(bits & a->off)) {
            return a;
        }
    }
    return NULL;
}

/* Does 'm', begun in 'state', come to rest? */
static bool
settles(const struct machine *m, int state, unsigned int bits)
{
    for (int i = 0; i < m->n_states + 2; i++) {
        int next = m->next(state, bits);

        if (next == state) {
            return true;
        }
        state = next;
        bits = m->entered(state, bits);
    }
    return false;
}

static int
check_machine(const struct machine *m)
{
    bool *used = xcalloc(m->n_arrows, sizeof *used);
    int n = 0, errors = 0;

    for (int state = 0; state < m->n_states; state++) {
        for (unsigned int bits = 0; bits < 1u << m->n_bits; bits++) {
            if (m->possible && !m->possible(bits)) {
                continue;
            }

            const struct arrow *a = find_arrow(m, state, bits);
            int wanted = a ? a->to : state;
            int actual = m->next(state, bits);

            n++;
            if (a) {
                used[a - m->arrows] = true;
            }
            if (wanted != actual) {
                printf("%s: %s on %#x goes to %s, not to %s (%s)\n", m->name,
                       m->state_name(state), bits, m->state_name(actual),
                       m->state_name(wanted), a ? a->why : "no arrow");
                errors++;
            }
            if (!settles(m, state, bits)) {
                printf("%s: %s on %#x never settles\n", m->name,
                       m->state_name(state), bits);
                errors++;
            }
        }
    }
    for (size_t i = 0; i < m->n_arrows; i++) {
        if (!used[i]) {
            printf("%s: arrow to %s (%s) is never taken\n", m->name,
                   m->state_name(m->arrows[i].to), m->arrows[i].why);
            errors++;
        }
    }
    free(used);
    printf("%s: %d inputs, %d errors\n", m->name, n, errors);
    return errors;
}

static void
print_machine(const struct machine *m)
{
    printf("%s\n", m->name);
    for (size_t i = 0; i < m->n_arrows; i++) {
        const struct arrow *a = &m->arrows[i];

        printf("  ");
        for (int state = 0; a->from != ANY && state < m->n_states; state++) {
            if (a->from & IN(state)) {
                printf("%s ", m->state_name(state));
            }
        }
        printf("%s-> %s: %s\n", a->from == ANY ? "(any) " : "",
               m->state_name(a->to), a->why);
    }
}

static int
truth_lacp(int argc, char *argv[])
{
    bool print = argc > 1 && !strcmp(argv[1], "--print");
    int errors = 0;

    for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
        if (print) {
            print_machine(&machines[i]);
        } else {
            errors += check_machine(&machines[i]);
        }
    }
    return errors != 0;
}

BNDTEST_REGISTER("truth-lacp", "[--print]", truth_lacp)
