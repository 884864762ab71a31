/* SPDX-License-Identifier: Apache-2.0 */

/* Measures the transmit hash policies.
 *
 *     bndtest bench-hash [ROUNDS]
 *
 * prints what a hash costs for 1,024 frames of each kind, all in the first
 * level cache, by the inline function and by the general one: cycles of the
 * time stamp counter, or nanoseconds where there is none.  The best of some
 * runs, as others use the machine, too.  Not a gate. */

#include <config.h>
#include "bndtest.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "util.h"
#include "xmit/hash.h"

#define N_FRAMES 1024
#define FRAME_LEN 64
#define BATCH 32
#define N_RUNS 15

static uint64_t
now_ticks(void)
{
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#else
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * UINT64_C(1000000000) + ts.tv_nsec;
#endif
}

/* A frame is addresses, then these bytes, then random ones. */
struct kind {
    const char *name;
    const char *head[2];        /* Hex; frames alternate at random. */
};

#define IP4(PROTO) "0800 4500 0020 1234 4000 40" PROTO "0000"
#define IP6(PROTO) "86dd 60000000 0010" PROTO "40"

static const struct kind kinds[] = {
    { "udp", { IP4("11"), IP4("11") } },
    { "tcp+udp", { IP4("06"), IP4("11") } },
    { "vlan udp", { "8100 0064" IP4("11"), "8100 0064" IP4("11") } },
    { "udp6", { IP6("11"), IP6("11") } },
    { "udp+udp6", { IP4("11"), IP6("11") } },
    { "arp", { "0806", "0806" } },
};

static uint32_t
next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
    return *state >> 33;
}

static void
fill(const struct kind *kind, uint8_t frames[N_FRAMES][FRAME_LEN])
{
    uint64_t state = 1;

    for (int i = 0; i < N_FRAMES; i++) {
        for (int j = 0; j < FRAME_LEN; j++) {
            frames[i][j] = next_random(&state);
        }
        if (bndtest_hex(kind->head[next_random(&state) >> 8 & 1],
                        frames[i] + 12, FRAME_LEN - 12) < 0) {
            ovs_abort(0, "%s: bad template", kind->name);
        }
    }
}

/* Hashes all frames in batches by calling EXPR, which makes a hash of 'frame',
 * 'rounds' times. */
#define DEFINE_LOOP(NAME, EXPR)                                         \
    static uint32_t                                                     \
    NAME(uint8_t frames[N_FRAMES][FRAME_LEN], long long int rounds,     \
         enum bnd_policy policy OVS_UNUSED)                             \
    {                                                                   \
        uint32_t out[BATCH] = { 0 };                                    \
        uint32_t sum = 0;                                               \
                                                                        \
        for (long long int r = 0; r < rounds; r++) {                    \
            for (int i = 0; i < N_FRAMES; i += BATCH) {                 \
                for (int j = 0; j < BATCH; j++) {                       \
                    const uint8_t *frame = frames[i + j];               \
                    size_t len = FRAME_LEN;                             \
                                                                        \
                    /* Not known at compile time. */                    \
                    __asm__ volatile("" : "+r" (len), "+r" (frame));    \
                    out[j] = EXPR;                                      \
                }                                                       \
                __asm__ volatile("" : : "r" (out) : "memory");          \
            }                                                           \
            sum += out[r % BATCH];                                      \
        }                                                               \
        return sum;                                                     \
    }

typedef uint32_t bench_loop(uint8_t frames[N_FRAMES][FRAME_LEN],
                            long long int rounds, enum bnd_policy);

DEFINE_LOOP(loop_nothing, len)
DEFINE_LOOP(loop_layer2, bnd_hash_layer2(frame, len))
DEFINE_LOOP(loop_layer34, bnd_hash_layer34(frame, len))
DEFINE_LOOP(loop_layer23, bnd_hash_layer23(frame, len))
DEFINE_LOOP(loop_encap23, bnd_hash_encap23(frame, len))
DEFINE_LOOP(loop_encap34, bnd_hash_encap34(frame, len))
DEFINE_LOOP(loop_vlan_srcmac, bnd_hash_vlan_srcmac(frame, len))
DEFINE_LOOP(loop_general, bnd_hash_frame(policy, false, frame, len))

static bench_loop *const loops[] = {
    [BND_POLICY_LAYER2] = loop_layer2,
    [BND_POLICY_LAYER34] = loop_layer34,
    [BND_POLICY_LAYER23] = loop_layer23,
    [BND_POLICY_ENCAP23] = loop_encap23,
    [BND_POLICY_ENCAP34] = loop_encap34,
    [BND_POLICY_VLAN_SRCMAC] = loop_vlan_srcmac,
};

static double
measure(bench_loop *loop, uint8_t frames[N_FRAMES][FRAME_LEN],
        long long int rounds, enum bnd_policy policy)
{
    uint64_t best = UINT64_MAX;

    for (int i = 0; i < N_RUNS; i++) {
        uint64_t start = now_ticks();

        loop(frames, rounds, policy);
        best = MIN(best, now_ticks() - start);
    }
    return (double) best / rounds / N_FRAMES;
}

static int
bench_hash(int argc, char *argv[])
{
    static uint8_t frames[N_FRAMES][FRAME_LEN];
    long long int rounds = argc > 1 ? strtoll(argv[1], NULL, 0) : 200;

    if (rounds < 1) {
        fprintf(stderr, "usage: bndtest bench-hash [ROUNDS]\n");
        return 2;
    }
    printf("empty loop: %.1f\n",
           measure(loop_nothing, frames, rounds, BND_POLICY_LAYER2));
    for (int i = 0; i < ARRAY_SIZE(kinds); i++) {
        fill(&kinds[i], frames);
        printf("%s\n", kinds[i].name);
        for (int policy = 0; policy < BND_N_POLICIES; policy++) {
            printf("    %-12s inline %5.1f  general %5.1f\n",
                   bnd_policy_name(policy),
                   measure(loops[policy], frames, rounds, policy),
                   measure(loop_general, frames, rounds, policy));
        }
    }
    return 0;
}

BNDTEST_REGISTER("bench-hash", "[ROUNDS]", bench_hash)
