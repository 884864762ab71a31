/* SPDX-License-Identifier: Apache-2.0 */

/* Fuzzes what a port does with slow protocol frames.
 *
 * With a fuzzing engine (-DBND_FUZZER -fsanitize=fuzzer) this is a program of
 * its own.  Otherwise it is a sub-command of bndtest,
 *
 *     bndtest fuzz-lacpdu FILE...
 *     bndtest fuzz-lacpdu --random SEED N
 *
 * that replays files, or N mutations of LACPDUs, Markers and others.
 *
 * Looked at: each frame is counted, once, as what the standard and Linux say
 * that it is; one that is malformed is dropped, and changes nothing else, then
 * or later: a twin of the system, which never saw it, goes the same way. */

#include <config.h>
#include "tests/bndtest.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "util.h"
#include "core/effects.h"
#include "lacp/lacp.h"
#include "openvswitch/dynamic-string.h"
#include "wire/eth.h"
#include "wire/marker.h"

#define SYSTEM {{{ 2, 0, 0, 0, 0, 1 }}}
#define PARTNER {{{ 2, 0, 0, 0, 0, 2 }}}

/* What a frame is, by its bytes alone: as the tables of the standard have it
 * [802.1AX-2008 5.4.2.2, 5.5.2.2], but what Linux does not look at. */
enum kind {
    OTHER,                      /* Not of a slow protocol. */
    ILLEGAL,                    /* Too short. */
    UNKNOWN,                    /* Of another slow protocol. */
    LACPDU, BAD_LACPDU,
    MARKER_INFO, MARKER_RESP, BAD_MARKER
};

static bool
is_bytes(const uint8_t *data, uint8_t first, uint8_t second)
{
    return data[0] == first && data[1] == second;
}

static enum kind
classify(const uint8_t *data, size_t size)
{
    struct bnd_cursor c = bnd_cursor(data, size);
    struct bnd_eth eth = bnd_eth_decode(&c);

    if (c.bad) {
        return ILLEGAL;
    } else if (eth.type != 0x8809) {
        return OTHER;
    } else if (size - c.pos < 110) {
        return ILLEGAL;
    }

    const uint8_t *body = data + c.pos;
    switch (body[0]) {
    case 1:
        return (is_bytes(body + 2, 1, 20) && is_bytes(body + 22, 2, 20)
                ? LACPDU : BAD_LACPDU);
    case 2:
        return (body[3] != 0x10 && body[3] != 0x16 ? BAD_MARKER
                : body[2] == 1 ? MARKER_INFO
                : body[2] == 2 ? MARKER_RESP
                : BAD_MARKER);
    default:
        return UNKNOWN;
    }
}

static bool
is_good(enum kind kind)
{
    return kind == LACPDU || kind == MARKER_INFO || kind == MARKER_RESP;
}

/* Has 'kind' been counted in 'new', and nothing else, since 'old'? */
static void
check_counters(enum kind kind, const struct bnd_lacp_port_status *old,
               const struct bnd_lacp_port_status *new)
{
    const struct {
        uint32_t old;
        uint32_t new;
        unsigned int kinds;
    } counters[] = {
#define COUNTER(NAME, KINDS) { old->NAME, new->NAME, KINDS }
        COUNTER(n_rx, UINT_MAX),
        COUNTER(n_bad, (1u << OTHER | 1u << ILLEGAL | 1u << UNKNOWN
                        | 1u << BAD_LACPDU)),
        COUNTER(n_marker_rx, (1u << MARKER_INFO | 1u << MARKER_RESP
                              | 1u << BAD_MARKER)),
        COUNTER(n_lacpdu_rx, 1u << LACPDU | 1u << BAD_LACPDU),
        COUNTER(n_illegal_rx, 1u << ILLEGAL),
        COUNTER(n_unknown_rx, 1u << UNKNOWN),
        COUNTER(n_marker_info_rx, 1u << MARKER_INFO),
        COUNTER(n_marker_resp_tx, 1u << MARKER_INFO),
        COUNTER(n_marker_resp_rx, 1u << MARKER_RESP),
        COUNTER(n_marker_unknown_rx, 1u << BAD_MARKER),
#undef COUNTER
    };

    for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
        if (counters[i].new - counters[i].old
            != (counters[i].kinds >> kind & 1)) {
            ovs_abort(0, "kind %d: counter %"PRIuSIZE" goes from %u to %u",
                      kind, i, counters[i].old, counters[i].new);
        }
    }

    /* Every slow protocol frame is one of those that Linux counts. */
    ovs_assert(new->n_lacpdu_rx + new->n_unknown_rx + new->n_illegal_rx
               + new->n_marker_info_rx + new->n_marker_resp_rx
               + new->n_marker_unknown_rx
               - (old->n_lacpdu_rx + old->n_unknown_rx + old->n_illegal_rx
                  + old->n_marker_info_rx + old->n_marker_resp_rx
                  + old->n_marker_unknown_rx) == (kind != OTHER));
}

/* A system with two ports, and all that it did. */
struct twin {
    struct bnd_lacp *lacp;
    struct ds did;
    long long int now;
    bool keep;                  /* Is 'did' of interest? */
};

static void
twin_note(struct twin *t, struct bnd_effects *fx)
{
    if (t->keep) {
        ds_put_format(&t->did, "%lld\n", t->now);
        bnd_effects_format(fx, "fuzz", &t->did);
    }
    bnd_effects_clear(fx);
}

/* The partner of port 'id' says that it is in sync and collects. */
static void
twin_hear_partner(struct twin *t, bnd_id id, struct bnd_effects *fx)
{
    struct bnd_lacp_port_status s;

    bnd_lacp_get_port_status(t->lacp, id, &s);

    struct bnd_lacpdu pdu = {
        .actor = { 1, PARTNER, 1, 1, id, 0x3d },
        .partner = s.actor,
    };
    uint8_t *frame = bnd_lacpdu_encode(&pdu, pdu.actor.system);

    bnd_lacp_receive(t->lacp, id, frame, BND_SLOW_FRAME_LEN, t->now, t->now,
                     fx);
    free(frame);
}

static void
twin_create(struct twin *t, int variant, bool keep)
{
    struct bnd_effects fx = BND_EFFECTS_INITIALIZER;
    struct bnd_lacp_config config = {
        .system = SYSTEM,
        .system_priority = 65535,
        .active = true,
        .fast = true,
        .flavour = (variant & 1 ? BND_LACP_FLAVOUR_STANDARD
                    : BND_LACP_FLAVOUR_OVS),
        .coupled = variant & 2,
    };

    *t = (struct twin) { .did = DS_EMPTY_INITIALIZER, .keep = keep };
    t->lacp = bnd_lacp_create(&config, t->now);
    for (bnd_id id = 1; id <= 2; id++) {
        struct bnd_lacp_port_config port = {
            .port_id = id, .priority = 1, .key = 7
        };

        bnd_lacp_port_set(t->lacp, id, "fuzz", &port, t->now);
        bnd_lacp_port_set_enabled(t->lacp, id, true, t->now);
    }
    bnd_lacp_run(t->lacp, t->now, &fx);
    twin_note(t, &fx);
    bnd_effects_uninit(&fx);
}

/* Hears the partner on port 1, then runs up to 'until', from wake time to wake
 * time. */
static void
twin_run(struct twin *t, long long int until)
{
    struct bnd_effects fx = BND_EFFECTS_INITIALIZER;

    twin_hear_partner(t, 1, &fx);
    for (;;) {
        bnd_lacp_run(t->lacp, t->now, &fx);
        twin_note(t, &fx);
        ovs_assert(bnd_lacp_wake_time(t->lacp) > t->now);
        if (bnd_lacp_wake_time(t->lacp) > until) {
            break;
        }
        t->now = bnd_lacp_wake_time(t->lacp);
    }
    t->now = until;
    bnd_effects_uninit(&fx);
}

/* The frame comes to port 'id' of 't'. */
static void
twin_hear(struct twin *t, bnd_id id, const uint8_t *data, size_t size)
{
    struct bnd_effects fx = BND_EFFECTS_INITIALIZER;
    enum kind kind = classify(data, size);
    struct bnd_lacp_port_status old, new;

    bnd_lacp_get_port_status(t->lacp, id, &old);

    enum bnd_drop_reason reason = bnd_lacp_receive(t->lacp, id, data, size,
                                                   t->now, t->now, &fx);

    bnd_lacp_get_port_status(t->lacp, id, &new);
    check_counters(kind, &old, &new);
    ovs_assert(is_good(kind)
               ? reason == BND_DROP_NONE || reason == BND_DROP_LOOPBACK
               : reason != BND_DROP_NONE);
    ovs_assert(bnd_effects_has(&fx, BND_FX_FRAME_TX)
               == (kind == MARKER_INFO));
    ovs_assert(is_good(kind) || !fx.n);
    bnd_effects_uninit(&fx);
}

/* One of two twins takes the frame by both ports: at the start, when it has a
 * partner, and when it has lost it. */
static void
fuzz_variant(const uint8_t *data, size_t size, int variant)
{
    bool bad = !is_good(classify(data, size));
    struct twin a, b;

    twin_create(&a, variant, bad);
    twin_create(&b, variant, bad);
    for (int i = 0; i < 3; i++) {
        static const long long int until[] = { 3000, 6100, 12000 };

        twin_hear(&a, 1 + i % 2, data, size);
        twin_run(&a, until[i]);
        if (bad) {
            twin_run(&b, until[i]);
        }
    }
    ovs_assert(!strcmp(ds_cstr(&a.did), ds_cstr(&b.did)));
    bnd_lacp_destroy(a.lacp);
    bnd_lacp_destroy(b.lacp);
    ds_destroy(&a.did);
    ds_destroy(&b.did);
}

static void
fuzz_one(const uint8_t *data, size_t size)
{
    uint8_t *frame = xmemdup(data, size ? size : 1);

    for (int variant = 0; variant < 4; variant++) {
        if (variant != 2) {     /* Coupled control is of the standard. */
            fuzz_variant(frame, size, variant);
        }
    }
    free(frame);
}

#ifdef BND_FUZZER
BNDTEST_FUZZER(fuzz_one)
#else
static uint32_t
next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
    return *state >> 33;
}

static void
mutate(uint8_t *frame, size_t *len, uint64_t *state)
{
    int n = next_random(state) % 4;

    for (int i = 0; i < n; i++) {
        /* Mostly where the fields are. */
        frame[12 + next_random(state) % 60] = next_random(state);
    }
    if (next_random(state) % 4 == 0) {
        *len = next_random(state) % (BND_SLOW_FRAME_LEN + 1);
    }
}

static void
fuzz_random(uint64_t state, long long int n)
{
    static const struct bnd_lacpdu pdu = {
        .actor = { 1, PARTNER, 1, 1, 1, 0x3d },
        .partner = { 65535, SYSTEM, 7, 1, 1, 0x3f },
    };

    for (long long int i = 0; i < n; i++) {
        struct bnd_marker marker = { 1 + i / 8 % 3, i & 64 ? 0x10 : 0x16, 1,
                                     PARTNER, 1 };
        uint8_t *frame = (i % 8 ? bnd_lacpdu_encode(&pdu, pdu.actor.system)
                          : bnd_marker_encode(&marker, marker.system));
        size_t len = BND_SLOW_FRAME_LEN;

        mutate(frame, &len, &state);
        fuzz_one(frame, len);
        free(frame);
    }
}

static int
fuzz_lacpdu(int argc, char *argv[])
{
    if (argc == 4 && !strcmp(argv[1], "--random")) {
        fuzz_random(strtoull(argv[2], NULL, 0), strtoll(argv[3], NULL, 0));
        return 0;
    }
    return bndtest_replay(argc, argv, fuzz_one);
}

BNDTEST_REGISTER("fuzz-lacpdu", "FILE... | --random SEED N", fuzz_lacpdu)
#endif
