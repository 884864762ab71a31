/* SPDX-License-Identifier: Apache-2.0 */

/* LACP systems, joined by wires that can be programmed, in simulated time
 * ========================================================================
 *
 * A net is some systems of lib/lacp, their ports, wires between ports and the
 * frames that are on them.  Who drives it says what happens and lets time
 * pass; after each run of a system the net calls back, so that rules can be
 * looked at in every state that anybody could see.
 *
 * All chance comes from one generator in the net, so a net that is given the
 * same orders goes the same way.
 *
 * What is heard and sent is written down beside the engine ('heard', 'sent'),
 * by decoding the frames: so that rules do not have to believe what the engine
 * says of it.
 *
 * A net that fails keeps why in 'error', and takes no more orders.
 *
 * Thread-safety
 * -------------
 * Single-threaded. */

#ifndef LACP_NET_H
#define LACP_NET_H 1

#include "core/effects.h"
#include "lacp/lacp.h"
#include "openvswitch/dynamic-string.h"

#define NET_SYSTEMS 4
#define NET_PORTS 6             /* Of each system. */
#define NET_SENT 4              /* Remembered times of sending. */

/* What a LACPDU that was accepted said. */
struct net_heard {
    bool any;                   /* Is the rest of meaning? */
    struct bnd_lacpdu pdu;
    long long int arrival;
    long long int timeout;      /* Our timeout as it was then, ms. */
    bool matched;               /* Did it know us as we were then, or could
                                 * not be aggregated? */
};

struct net_port {
    struct net_system *system;
    bnd_id id;                  /* From 1. */
    char name[8];               /* Letter of the system and 'id'. */
    bool exists;                /* Known to its system, if that is up? */
    struct eth_addr mac;
    struct bnd_lacp_port_config config;
    bool enabled;
    bool carrier;
    bool drained;
    uint32_t speed_mbps;
    bool full_duplex;

    /* The wire, as far as it leads away from here. */
    struct net_port *peer;      /* Where it leads, null if nowhere; may be
                                 * this port. */
    unsigned int delay;         /* ms. */
    unsigned int jitter;        /* ms more, by chance: reorders. */
    unsigned int loss;          /* Percent. */
    unsigned int dup;           /* Percent. */
    unsigned int corrupt;       /* Percent. */
    bool cut;                   /* Lets nothing pass. */

    struct net_heard heard;
    bool remembers;             /* 'heard' is of a life before, and holds when
                                 * the link comes up. */
    long long int sent[NET_SENT]; /* When LACPDUs left, newest first. */
    struct bnd_lacp_port_status status; /* As of the last run... */
    struct bnd_lacp_port_status seen; /* ...and of the one before. */
    bool kept;                  /* Has carried traffic since it did so without
                                 * a partner. */
};

struct net_system {
    struct net *net;
    char letter;
    struct bnd_lacp_config config;
    struct bnd_lacp *lacp;      /* Null while it is down. */
    enum bnd_lacp_flavour flavour; /* In force. */
    struct net_port ports[NET_PORTS];
    int n_ports;                /* Configured, whether they exist or not. */
    long long int paused;       /* Does not run before. */
    bool poked;                 /* Something came in since the last run... */
    bool news;                  /* ...and not only frames. */
    long long int wake;         /* Wake time. */
    unsigned int stale;         /* Runs for nothing, without a break. */
    struct bnd_lacp_agg_status aggs[NET_PORTS]; /* As of the last run. */
    int n_aggs;
    enum bnd_lacp_fallback fallback;
};

/* A frame on a wire. */
struct net_frame {
    long long int arrival;      /* At the port. */
    uint64_t order;             /* Of sending. */
    struct net_port *to;
    uint8_t *data;              /* Owned. */
    size_t len;
};

struct net {
    struct net_system systems[NET_SYSTEMS];
    int n_systems;
    struct net_frame *frames;   /* 'n_frames' of them, in no order. */
    size_t n_frames;
    size_t allocated_frames;
    uint64_t n_sent;            /* Frames, ever. */
    uint64_t n_runs;            /* Of systems, ever. */
    long long int now;
    uint64_t random;
    uint64_t hash;              /* Of all effects. */
    bool deep_hash;             /* With the text of all effects? */
    uint32_t held;              /* Ports that must go on carrying traffic, as
                                 * net_in_use() says them. */
    struct ds *log;             /* Orders, and with 'verbose' all that happens,
                                 * or null. */
    bool verbose;
    char *error;                /* What went wrong first, or null. */

    /* Called after each run of a system that is up. */
    void (*ran)(struct net *, struct net_system *);
};

void net_init(struct net *, uint64_t seed);
void net_uninit(struct net *);

/* Keeps the first thing that goes wrong. */
void net_fail(struct net *, const char *format, ...) OVS_PRINTF_FORMAT(2, 3);

/* Writes an order to the log. */
void net_log(struct net *, const char *format, ...) OVS_PRINTF_FORMAT(2, 3);

uint32_t net_random(struct net *, uint32_t below);
bool net_percent(struct net *, unsigned int percent);

/* A system with its ports as 'sys' has them: comes up, goes down, or is given
 * its configuration, or that of a port, anew. */
void net_system_start(struct net_system *);
void net_system_stop(struct net_system *);
/* Stops and starts, with a pause of 'down' ms, remembering all it can. */
void net_system_restart(struct net_system *, long long int down);
void net_system_configure(struct net_system *);
void net_port_add(struct net_port *);
void net_port_del(struct net_port *);
void net_port_configure(struct net_port *);
void net_port_set_enabled(struct net_port *, bool enabled);
void net_port_set_carrier(struct net_port *, bool carrier);
void net_port_set_drained(struct net_port *, bool drained);
void net_port_set_link(struct net_port *, uint32_t speed_mbps,
                       bool full_duplex);

/* Is 'port' in a system that is up? */
bool net_port_is_up(const struct net_port *port);

/* A wire from 'a' to 'b' and back; null for none, 'a' twice for a plug that
 * loops back.  What was plugged there is left hanging; frames on it are
 * lost. */
void net_plug(struct net_port *a, struct net_port *b);

/* 'frame' comes to 'port' now. */
void net_inject(struct net_port *port, const uint8_t *frame, size_t len);

/* Runs 'sys' though nothing calls for it, which must change nothing. */
void net_probe(struct net_system *sys);

/* Lets all pass that happens up to 'until'. */
void net_advance(struct net *, long long int until);

#endif /* lacp-net.h */
