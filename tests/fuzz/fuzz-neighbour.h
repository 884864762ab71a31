/* SPDX-License-Identifier: Apache-2.0 */

/* What fuzz-arp.c and fuzz-nd.c share: bonds that probe targets, which take a
 * frame in, and mutations of good frames. */

#ifndef FUZZ_NEIGHBOUR_H
#define FUZZ_NEIGHBOUR_H 1

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "bond/bond.h"
#include "util.h"

/* The addresses that valid frames speak of. */
#define FUZZ_HOST4   0x0a000001
#define FUZZ_TARGET4 0x0a0000fe
#define FUZZ_HOST6   { { 0x20, 1, 0x0d, 0xb8, [15] = 1 } }
#define FUZZ_TARGET6 { { 0x20, 1, 0x0d, 0xb8, [15] = 9 } }
#define FUZZ_MEMBER(ID) {{{ 2, 0, 0, 0, 0, ID }}}
#define FUZZ_TARGET_MAC {{{ 2, 0xcc, 0, 0, 0, 1 }}}

static void
fuzz_check(const struct bnd_bond *bond, long long int now)
{
    char *broken = bnd_check_invariants(bond, now);

    if (broken) {
        ovs_abort(0, "%s", broken);
    }
}

/* A bond whose options are 'words' takes the 'size' bytes at 'frame' by both of
 * its members, as the active one and not, and then runs for some intervals. */
static void
fuzz_bond(const char *const words[][2], const uint8_t *frame, size_t size)
{
    const struct bnd_host hosts[] = {
        { .kind = BND_HOST_ADDR, .ip = { .ip4 = FUZZ_HOST4 }, .plen = 24 },
        { .kind = BND_HOST_ADDR, .ip = { .is_ip6 = true,
                                         .ip6 = FUZZ_HOST6 }, .plen = 64 },
    };
    struct bnd_effects fx = BND_EFFECTS_INITIALIZER;
    struct bnd_bond *bond = bnd_create(1, 0);
    struct bnd_settings settings;
    long long int now = 0;

    bnd_settings_init(&settings);
    for (size_t i = 0; words[i][0]; i++) {
        free(bnd_settings_parse(&settings, words[i][0], words[i][1]));
    }
    bnd_reconfigure(bond, &settings, now, &fx);
    bnd_set_host(bond, hosts, ARRAY_SIZE(hosts), now);
    for (bnd_id id = 1; id <= 2; id++) {
        struct bnd_event e = {
            .type = BND_EV_MEMBER_ADD, .id = id,
            .add = { .name = id == 1 ? "a" : "b",
                     .facts = { .carrier = true, .mac = FUZZ_MEMBER(id) },
                     .perm_mac = FUZZ_MEMBER(id) }
        };

        bnd_event(bond, &e, now, &fx);
    }
    for (int i = 0; i < 40; i++) {
        bnd_run(bond, now, &fx);
        for (bnd_id id = 1; id <= 2 && i % 8 == 1; id++) {
            struct bnd_event e = { .type = BND_EV_FRAME_RX, .id = id };

            e.frame.data = frame;
            e.frame.len = size;
            e.frame.arrival = now;
            bnd_event(bond, &e, now, &fx);
        }
        fuzz_check(bond, now);
        now = MAX(now, bnd_wake_time(bond));
        bnd_effects_clear(&fx);
    }
    bnd_settings_uninit(&settings);
    bnd_destroy(bond);
    bnd_effects_uninit(&fx);
}

static void
fuzz_bonds(const uint8_t *frame, size_t size)
{
    static const char *const search[][2] = {
        { "mode", "active-backup" }, { "arp-interval", "100" },
        { "arp-ip-target", "10.0.0.254" }, { "arp-validate", "all" },
        { "ns-ip6-target", "2001:db8::9" }, { NULL, NULL }
    };
    static const char *const each[][2] = {
        { "mode", "balance-rr" }, { "arp-interval", "100" },
        { "arp-ip-target", "10.0.0.254" }, { "arp-validate", "filter" },
        { "ns-ip6-target", "2001:db8::9" }, { "arp-vlan", "5" },
        { NULL, NULL }
    };

    fuzz_bond(search, frame, size);
    fuzz_bond(each, frame, size);
}

#ifndef BND_FUZZER
static uint32_t
fuzz_next(uint64_t *state)
{
    *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
    return *state >> 33;
}

/* Changes some of the '*len' bytes at 'frame'. */
static void
fuzz_mutate(uint8_t *frame, size_t *len, uint64_t *state)
{
    for (int n = fuzz_next(state) % 4; n > 0; n--) {
        frame[fuzz_next(state) % *len] = fuzz_next(state);
    }
    if (fuzz_next(state) % 4 == 0) {
        *len = fuzz_next(state) % (*len + 1);
    }
}

/* The sub-command of one fuzzer. */
static int
fuzz_main(int argc, char *argv[], bndtest_fuzz_one *one,
          size_t (*make)(uint8_t *frame, size_t size, uint64_t *state))
{
    if (argc == 4 && !strcmp(argv[1], "--random")) {
        uint64_t state = strtoull(argv[2], NULL, 0);

        for (long long int n = strtoll(argv[3], NULL, 0); n > 0; n--) {
            uint8_t frame[256];
            size_t len = make(frame, sizeof frame, &state);

            fuzz_mutate(frame, &len, &state);
            one(frame, len);
        }
        return 0;
    }
    return bndtest_replay(argc, argv, one);
}
#endif

#endif /* fuzz-neighbour.h */
