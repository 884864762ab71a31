/* SPDX-License-Identifier: Apache-2.0 */

/* Fuzzes the transmit hash policies with frames: the inline functions have to
 * give the same as the general one, and a tag must not change a hash, except
 * for vlan+srcmac, which it changes by what it holds.
 *
 * With a fuzzing engine (-DBND_FUZZER -fsanitize=fuzzer) this is a program of
 * its own.  Otherwise it is a sub-command of bndtest,
 *
 *     bndtest fuzz-hash FILE...
 *     bndtest fuzz-hash --random SEED N VECTORS...
 *
 * that replays files, or N mutations of the frames in files of vectors (see
 * drive-hash.c) and as many frames of random bytes. */

#include <config.h>
#include "tests/bndtest.h"

#include <stdlib.h>
#include <string.h>
#include "util.h"
#include "xmit/hash.h"

#define MAX_FRAME 512

static void
report(const uint8_t *frame, size_t len, enum bnd_policy policy,
       const char *what, uint32_t a, uint32_t b)
{
    for (size_t i = 0; i < len; i++) {
        printf("%02x", frame[i]);
    }
    fflush(stdout);
    ovs_abort(0, " %s: %s: %08x, not %08x", bnd_policy_name(policy), what, a,
              b);
}

/* Inserts a tag that depends on the frame. */
static void
check_tag(const uint8_t *data, size_t size, const uint32_t *hashes)
{
    uint16_t tci = data[6] << 8 | data[size - 1];
    bool service = data[7] & 1;
    uint8_t *tagged = xmalloc(size + 4);
    const uint8_t tag[] = { service ? 0x88 : 0x81, service ? 0xa8 : 0,
                            tci >> 8, tci };

    memcpy(tagged, data, 12);
    memcpy(tagged + 12, tag, 4);
    memcpy(tagged + 16, data + 12, size - 12);
    for (int i = 0; i < BND_N_POLICIES; i++) {
        uint32_t expected
            = i == BND_POLICY_VLAN_SRCMAC ? hashes[i] ^ tci : hashes[i];
        uint32_t hash = bnd_hash_quick(i, tagged, size + 4);

        if (hash != expected) {
            report(tagged, size + 4, i, "without the tag", hash, expected);
        }
        hash = bnd_hash_frame(i, false, tagged, size + 4);
        if (hash != expected) {
            report(tagged, size + 4, i, "without the tag", hash, expected);
        }
    }
    free(tagged);
}

static void
fuzz_one(const uint8_t *data, size_t size)
{
    uint32_t hashes[BND_N_POLICIES];
    uint8_t *frame = xmemdup(data, size ? size : 1);

    for (int i = 0; i < BND_N_POLICIES; i++) {
        uint32_t old = bnd_hash_frame(i, true, frame, size);
        uint32_t quick = bnd_hash_quick(i, frame, size);

        hashes[i] = bnd_hash_frame(i, false, frame, size);
        if (quick != hashes[i]) {
            report(frame, size, i, "inline", quick, hashes[i]);
        }
        /* Of 2.6 there are 16 bits, or the policy is not of 2.6. */
        if (old > UINT16_MAX && old != hashes[i]) {
            report(frame, size, i, "old", old, hashes[i]);
        }
    }
    if (size >= BND_ETH_HEADER_LEN && !bnd_peek_is_tagged(frame, size)) {
        check_tag(frame, size, hashes);
    }
    free(frame);
}

#ifdef BND_FUZZER
BNDTEST_FUZZER(fuzz_one)
#else
struct seed {
    uint8_t data[MAX_FRAME];
    size_t len;
};

static uint32_t
next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
    return *state >> 33;
}

static struct seed *
load(int n_files, char *files[], size_t *n)
{
    struct seed *seeds = NULL;
    size_t allocated = 0;

    *n = 0;
    for (int i = 0; i < n_files; i++) {
        struct bndtest_line line;
        FILE *stream = bndtest_open(files[i], &line);

        while (bndtest_next(stream, &line)) {
            if (strcmp(line.word[0], "frame") || line.n_words < 3) {
                continue;
            }
            if (*n >= allocated) {
                seeds = x2nrealloc(seeds, &allocated, sizeof *seeds);
            }

            int len = bndtest_hex(line.word[2], seeds[*n].data, MAX_FRAME);
            if (len < 0) {
                bndtest_fatal(&line, "not a frame");
            }
            seeds[(*n)++].len = len;
        }
        fclose(stream);
    }
    return seeds;
}

static void
mutate(struct seed *f, uint64_t *state)
{
    /* What fields of importance hold. */
    static const uint8_t favourites[] = {
        0, 1, 4, 6, 8, 17, 41, 44, 47, 50, 51, 58, 60, 0x45, 0x46, 0x60, 0x65,
        0x81, 0x86, 0x88, 0xa8, 0xdd, 128, 132, 136, 255
    };
    int n = next_random(state) % 4;

    for (int i = 0; i < n && f->len; i++) {
        uint32_t pos = next_random(state);
        uint32_t value = next_random(state);

        /* Mostly where the fields are. */
        pos = (pos & 3 ? 12 + (pos >> 2) % 12 : pos >> 2) % f->len;
        f->data[pos] = (value & 3 ? favourites[(value >> 2)
                                               % ARRAY_SIZE(favourites)]
                        : value >> 2);
    }
    if (next_random(state) % 4 == 0) {
        f->len = next_random(state) % (f->len + 1);
    }
}

static int
fuzz_random(uint64_t state, long long int n, int n_files, char *files[])
{
    size_t n_seeds;
    struct seed *seeds = load(n_files, files, &n_seeds);

    if (!n_seeds) {
        fprintf(stderr, "no frames to begin with\n");
        return 1;
    }
    for (long long int i = 0; i < n; i++) {
        struct seed f = seeds[next_random(&state) % n_seeds];

        mutate(&f, &state);
        fuzz_one(f.data, f.len);

        f.len = next_random(&state) % 128;
        for (size_t j = 0; j < f.len; j++) {
            f.data[j] = next_random(&state);
        }
        fuzz_one(f.data, f.len);
    }
    free(seeds);
    return 0;
}

static int
fuzz_hash(int argc, char *argv[])
{
    if (argc > 4 && !strcmp(argv[1], "--random")) {
        return fuzz_random(strtoull(argv[2], NULL, 0),
                           strtoll(argv[3], NULL, 0), argc - 4, argv + 4);
    }
    return bndtest_replay(argc, argv, fuzz_one);
}

BNDTEST_REGISTER("fuzz-hash", "FILE... | --random SEED N VECTORS...",
                 fuzz_hash)
#endif
