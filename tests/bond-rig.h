/* SPDX-License-Identifier: Apache-2.0 */

/* A bond under test
 * =================
 *
 * An engine instance, a clock that only moves when told to, and what came out.
 * Scripts, random walks and fuzzers all act on a bond through the lines that
 * bond_rig_command() understands, so that whatever a walk has found can be
 * pasted into a script:
 *
 *     seed N                          of the bond; only before all else
 *     bond [none | OPTION=VALUE...]   options of lib/config/options.def; what
 *                                     is not named stays, no value unsets
 *     sticky MAC                      active when the daemon last stopped
 *     lacp off | active|passive [fast] [fallback] [standard]
 *          [system=MAC] [priority=N]
 *     member ID[-ID] NAME [up|down] [mac=MAC] [perm=MAC] FACT...
 *     del ID [remember]
 *     carrier ID up|down [reset] [mac=MAC] FACT...
 *     set ID [prio=N] [queue-id=N] [admin=up|drain|down]    a member's own
 *                                     options; what is not named stays
 *     may-enable ID on|off
 *     port ID [off] [port=N] [priority=N] [key=N]     its part in LACP
 *     pdu ID [state=N] [system=MAC] [key=N] [port=N] [priority=N] [stranger]
 *                                     LACPDU of a partner that has heard what
 *                                     we sent last, unless it is a stranger
 *     frame ID HEX                    any frame
 *     force ID up|down
 *     set-active ID|none
 *     refuse ID on|off                its address can not, can be changed
 *     hint MAC                        the bond's own when the daemon stopped
 *     migrate SLOT ID
 *     sleep MS                        that time passes, but nobody runs a pass
 *     bytes [SLOT=N...] [all=N] [random=SEED] [hSLOT=N...] [hall=N]
 *           [hrandom=SEED] [unbalanced=N]    counters of buckets, and, with an
 *                                     h, of those of the host's frames
 *
 * and those of rig-net.h.
 *
 * A FACT is speed=N (in Mb/s), duplex=half|full, or speed-lost.
 * "member 1-3 m" makes m0001 to m0003.  A member's address is its id after
 * 02:00 unless given.
 *
 * Passes run when time moves, or when bond_rig_settle() is called, never in
 * between: events of one time are taken in before anything is decided. */

#ifndef BOND_RIG_H
#define BOND_RIG_H 1

#include "bndtest.h"
#include "bond/bond.h"
#include "openvswitch/dynamic-string.h"
#include "rig-net.h"

#define BOND_RIG_MAX_PORTS RIG_NET_MAX_PORTS

struct bond_rig {
    struct bnd_bond *bond;
    uint64_t seed;
    long long int now;          /* ms. */
    bool step;                  /* A pass each millisecond, due or not? */
    bool dirty;                 /* Told something since the last pass. */

    /* What it was told last. */
    struct bnd_settings settings;
    bool bonded;
    bool has_lacp;
    struct bnd_lacp_config lacp;
    bool has_port[BOND_RIG_MAX_PORTS]; /* By member id. */
    struct bnd_lacp_port_config port[BOND_RIG_MAX_PORTS];

    struct rig_net net;         /* What is around it. */

    /* What came out. */
    struct bnd_effects fx;      /* Of the call that runs now. */
    struct ds text;             /* "TIME effect" lines since it was cleared. */
    struct ds traces;           /* Text of trace records, likewise. */
    struct ds learned;          /* Learning packets, ARP and neighbour */
    struct ds arps;             /* discovery in the form of drive-bond.c. */
    uint32_t seen;              /* 1u << type of effects, likewise. */
    unsigned int n_frames[BOND_RIG_MAX_PORTS]; /* Sent, by member, likewise. */
    uint8_t *last_frame[BOND_RIG_MAX_PORTS];   /* Sent last; owned. */
    size_t last_len[BOND_RIG_MAX_PORTS];
    struct bnd_lacp_info last_actor[BOND_RIG_MAX_PORTS]; /* Of LACPDUs sent. */
    struct eth_addr bond_mac;   /* That the host was given last, or zero. */
    bool refuses[BOND_RIG_MAX_PORTS]; /* Devices that keep their address. */
    FILE *pcap;                 /* Frames are written here; may be null. */
    char *error;                /* First broken rule, or null; owned. */
};

void bond_rig_init(struct bond_rig *, uint64_t seed, bool step);
void bond_rig_uninit(struct bond_rig *);

/* Forgets what came out so far. */
void bond_rig_clear(struct bond_rig *);

/* Writes every frame from now on to a new pcap file 'name'.  Exits if it
 * cannot. */
void bond_rig_open_pcap(struct bond_rig *, const char *name);

/* Runs passes until none is due any more.  That, and all that follows, puts a
 * message into 'error' if a rule is broken: an invariant, or quiet within
 * three passes. */
void bond_rig_settle(struct bond_rig *);

/* Lets time pass until 'when'. */
void bond_rig_advance(struct bond_rig *, long long int when);

/* Carries out 'line' if it is one of those above.  Exits if it is wrong.
 * Returns false if it is another. */
bool bond_rig_command(struct bond_rig *, const struct bndtest_line *line);

/* Makes a bond from what 'rig' has been told and holds true, without its
 * history.  The active member's address is taken over as sticky.  The caller
 * uninits 'fresh'. */
void bond_rig_again(const struct bond_rig *rig, struct bond_rig *fresh);

/* Parsers for words of a line.  They exit if the word is wrong. */
struct eth_addr bond_rig_mac(const struct bndtest_line *, const char *word);
uint64_t bond_rig_random(uint64_t *state);

#endif /* bond-rig.h */
