/* SPDX-License-Identifier: Apache-2.0 */

/* Fuzzes what a port does with slow protocol frames.
 *
 * With a fuzzing engine (-DBND_FUZZER -fsanitize=fuzzer) this is a program of
 * its own.  Otherwise it is a sub-command of bndtest,
 *
 *     bndtest fuzz-lacpdu FILE...
 *     bndtest fuzz-lacpdu --random SEED N
 *
 * that replays files, or N mutations of a valid LACPDU and a Marker. */

#include <config.h>
#include "tests/bndtest.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "util.h"
#include "core/effects.h"
#include "lacp/lacp.h"
#include "wire/marker.h"

/* One system of each flavour takes 'data' twice, a second apart, then time
 * goes by until nothing is left of it. */
static void
fuzz_one(const uint8_t *data, size_t size)
{
    for (int flavour = 0; flavour < 2; flavour++) {
        struct bnd_effects fx = BND_EFFECTS_INITIALIZER;
        struct bnd_lacp_config config = {
            .system = {{{ 2, 0, 0, 0, 0, 1 }}},
            .system_priority = 65535,
            .active = true,
            .fast = true,
            .flavour = flavour,
        };
        struct bnd_lacp_port_config port = { .port_id = 1, .priority = 1 };
        struct bnd_lacp *lacp = bnd_lacp_create(&config, 0);
        uint8_t *frame = xmemdup(data, size ? size : 1);
        long long int now = 0;

        for (bnd_id id = 1; id <= 2; id++) {
            bnd_lacp_port_set(lacp, id, "fuzz", &port, now);
            bnd_lacp_port_set_enabled(lacp, id, true, now);
            bnd_lacp_run(lacp, now, &fx);
            bnd_lacp_receive(lacp, id, frame, size, now, now, &fx);
            bnd_lacp_run(lacp, now, &fx);
            now += 1000;
        }
        for (int i = 0; i < 20; i++) {
            now = MAX(now, bnd_lacp_wake_time(lacp));
            bnd_lacp_run(lacp, now, &fx);
            ovs_assert(bnd_lacp_wake_time(lacp) > now);
            bnd_effects_clear(&fx);
        }
        bnd_lacp_destroy(lacp);
        bnd_effects_uninit(&fx);
        free(frame);
    }
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
        .actor = { 1, {{{ 2, 0, 0, 0, 0, 2 }}}, 1, 1, 1, 0x3d },
        .partner = { 65535, {{{ 2, 0, 0, 0, 0, 1 }}}, 1, 1, 1, 0x3f },
    };
    static const struct bnd_marker marker = { 1, 0x10, 1,
                                              {{{ 2, 0, 0, 0, 0, 2 }}}, 1 };

    for (long long int i = 0; i < n; i++) {
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
