/* SPDX-License-Identifier: Apache-2.0 */

/* Effects
 * =======
 *
 * All that an engine call wants done in the world, in the order in which it is
 * to be done.  The set is closed: a test can print it, and whoever carries the
 * effects out switches over all of it (-Wswitch-enum).
 *
 * FRAME_TX, VIEW, STATUS and TRACE may be carried out by whatever thread runs
 * the pass; the others wait for the main thread.
 *
 * Thread-safety
 * -------------
 * A queue belongs to one thread at a time. */

#ifndef BND_EFFECTS_H
#define BND_EFFECTS_H 1

#include <stddef.h>
#include "core/bnd-types.h"
#include "core/trace.h"

struct ds;

#define BND_EFFECTS                                             \
    BND_EFFECT(FRAME_TX, "frame")      /* Send 'frame'. */      \
    BND_EFFECT(VIEW, "view")           /* Publish a new view. */ \
    BND_EFFECT(MEMBER_ENABLE, "enable") /* 'id' is usable: 'on'. */ \
    BND_EFFECT(REVALIDATE, "revalidate") /* Cached flows are stale. */ \
    BND_EFFECT(WANT_ADDRS, "addrs")    /* Announce addresses behind us. */ \
    BND_EFFECT(NOTIFY_PEERS, "peers")  /* Announce the host's addresses. */ \
    BND_EFFECT(RESEND_IGMP, "igmp")    /* Report multicast groups again. */ \
    BND_EFFECT(SET_MAC, "set-mac")     /* Give member 'id' 'mac'. */ \
    BND_EFFECT(BOND_MAC, "bond-mac")   /* Give the host 'mac'. */ \
    BND_EFFECT(ACTIVE, "active")       /* Active member changed. */ \
    BND_EFFECT(STATUS, "status")       /* Status has changed. */ \
    BND_EFFECT(TRACE, "trace")         /* Log 'trace'. */

enum bnd_effect_type {
#define BND_EFFECT(ENUM, NAME) BND_FX_##ENUM,
    BND_EFFECTS
#undef BND_EFFECT
    BND_N_FX
};

struct bnd_effect {
    enum bnd_effect_type type;
    union {
        struct {                /* BND_FX_FRAME_TX. */
            bnd_id id;          /* Member to send on. */
            uint8_t *data;      /* Whole Ethernet frame; owned. */
            size_t len;         /* Bytes, without FCS. */
        } frame;
        struct {                /* BND_FX_MEMBER_ENABLE. */
            bnd_id id;
            bool on;
        } enable;
        struct {                /* BND_FX_SET_MAC, BND_FX_BOND_MAC. */
            bnd_id id;          /* BND_NO_MEMBER in BND_FX_BOND_MAC. */
            struct eth_addr mac;
        } mac;
        struct bnd_trace trace; /* BND_FX_TRACE. */
    };
};

/* An append-only queue of effects. */
struct bnd_effects {
    struct bnd_effect *fx;      /* 'n' of them, oldest first. */
    size_t n;
    size_t allocated;
};

#define BND_EFFECTS_INITIALIZER { NULL, 0, 0 }

void bnd_effects_init(struct bnd_effects *);
void bnd_effects_uninit(struct bnd_effects *);

/* Empties the queue and frees what its effects own; keeps its memory. */
void bnd_effects_clear(struct bnd_effects *);

/* Is there at least one effect of 'type'? */
bool bnd_effects_has(const struct bnd_effects *, enum bnd_effect_type type);

/* Append one effect.  bnd_fx_frame() takes over 'data', which must come from
 * malloc().  bnd_fx_simple() is for types that carry nothing, of which one per
 * queue is enough: it does nothing if 'type' stands in the queue already. */
void bnd_fx_frame(struct bnd_effects *, bnd_id, uint8_t *data, size_t len);
void bnd_fx_enable(struct bnd_effects *, bnd_id, bool on);
void bnd_fx_set_mac(struct bnd_effects *, bnd_id, struct eth_addr);
void bnd_fx_bond_mac(struct bnd_effects *, struct eth_addr);
void bnd_fx_simple(struct bnd_effects *, enum bnd_effect_type type);

/* Appends a trace record about member 'id' called 'member' (may be null, is
 * copied) and returns it for the caller to fill in the rest.  The pointer is
 * good until the next effect is added. */
struct bnd_trace *bnd_fx_trace(struct bnd_effects *, enum bnd_trace_type,
                               long long int now, bnd_id id,
                               const char *member);

/* Appends a BND_TRACE_FSM record.  'machine', 'from', 'to' are constants. */
void bnd_fx_trace_fsm(struct bnd_effects *, long long int now, bnd_id id,
                      const char *member, const char *machine,
                      const char *from, const char *to);

const char *bnd_effect_name(enum bnd_effect_type);

/* Appends one line per effect to 'ds', for replay tests: every byte of an
 * effect shows. */
void bnd_effects_format(const struct bnd_effects *, const char *bond,
                        struct ds *ds);

#endif /* effects.h */
