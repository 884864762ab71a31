/* SPDX-License-Identifier: Apache-2.0 */

/* Drives the transmit hash policies.
 *
 *     bndtest xmit-hash [--only=PREFIX] SCRIPT...
 *
 *     frame NAME HEX [pad=LEN] POLICY=HASH...
 *         hash a frame, filled up with zeros to LEN bytes; each HASH has to be
 *         right.  POLICY=HASH is one of
 *             POLICY=HEX          the whole hash, of 32 bits
 *             POLICY%N=INDEX      the hash modulo N
 *         with "old-" before POLICY for those of Linux 2.6.  The inline
 *         functions have to give the same.
 *     same POLICY NAME...
 *     distinct POLICY NAME...
 *         the hashes of these frames are all the same, or all distinct; POLICY
 *         as above, "%N" and "old-" included
 *
 * With PREFIX only frames with names that begin so are hashed, and only those
 * other lines are run that are about them; there has to be one. */

#include <config.h>
#include "bndtest.h"

#include <stdlib.h>
#include <string.h>
#include "openvswitch/shash.h"
#include "util.h"
#include "xmit/hash.h"

#define MAX_FRAME 512

struct frame {
    uint8_t *data;              /* Exactly 'len' bytes, so that tools see each
                                 * read outside of it. */
    size_t len;
};

/* What "[old-]POLICY[%N]" says. */
struct formula {
    enum bnd_policy policy;
    bool compat26;
    long long int modulus;      /* 0 for none. */
};

static struct formula
parse_formula(const struct bndtest_line *l, const char *s, size_t len)
{
    struct formula formula = { .compat26 = !strncmp(s, "old-", 4) };
    const char *percent = memchr(s, '%', len);

    if (formula.compat26) {
        s += 4;
        len -= 4;
    }
    if (percent) {
        formula.modulus = strtoll(percent + 1, NULL, 10);
        len = percent - s;
    }
    for (int i = 0; i < BND_N_POLICIES; i++) {
        const char *name = bnd_policy_name(i);

        if (strlen(name) == len && !strncmp(name, s, len)) {
            formula.policy = i;
            return formula;
        }
    }
    bndtest_fatal(l, "unknown policy");
}

static uint32_t
apply(const struct bndtest_line *l, const struct formula *formula,
      const struct frame *frame)
{
    uint32_t hash = bnd_hash_frame(formula->policy, formula->compat26,
                                   frame->data, frame->len);

    if (!formula->compat26) {
        uint32_t quick = bnd_hash_quick(formula->policy, frame->data,
                                        frame->len);

        if (quick != hash) {
            bndtest_fatal(l, "%s: %08x, but the inline function says %08x",
                          bnd_policy_name(formula->policy), hash, quick);
        }
    }
    return formula->modulus ? hash % formula->modulus : hash;
}

static void
cmd_frame(const struct bndtest_line *l, struct shash *frames)
{
    uint8_t data[MAX_FRAME] = { 0 };
    int n = l->n_words > 2 ? bndtest_hex(l->word[2], data, MAX_FRAME) : -1;
    long long int len = bndtest_key_number(l, "pad", n);

    if (n < 0 || len < n || len > MAX_FRAME) {
        bndtest_fatal(l, "a name and a frame in hex expected");
    }

    struct frame *frame = xmalloc(sizeof *frame);
    frame->data = xmemdup(data, len ? len : 1);
    frame->len = len;
    if (!shash_add_once(frames, l->word[1], frame)) {
        bndtest_fatal(l, "this name is taken");
    }

    for (int i = 3; i < l->n_words; i++) {
        const char *word = l->word[i];
        const char *equals = strchr(word, '=');

        if (!equals) {
            bndtest_fatal(l, "POLICY=HASH expected");
        } else if (!strncmp(word, "pad=", 4)) {
            continue;
        }

        struct formula formula = parse_formula(l, word, equals - word);
        uint32_t expected = strtoul(equals + 1, NULL,
                                    formula.modulus ? 10 : 16);
        uint32_t hash = apply(l, &formula, frame);
        if (hash != expected) {
            bndtest_fatal(l, formula.modulus ? "%s: got %u" : "%s: got %08x",
                          word, hash);
        }
    }
}

static void
cmd_compare(const struct bndtest_line *l, const struct shash *frames)
{
    bool same = !strcmp(l->word[0], "same");
    struct formula formula = parse_formula(l, l->word[1], strlen(l->word[1]));
    uint32_t hashes[BNDTEST_MAX_WORDS];

    for (int i = 2; i < l->n_words; i++) {
        const struct frame *frame = shash_find_data(frames, l->word[i]);

        if (!frame) {
            bndtest_fatal(l, "%s: no such frame", l->word[i]);
        }
        hashes[i] = apply(l, &formula, frame);
        for (int j = 2; j < i; j++) {
            if (same != (hashes[i] == hashes[j])) {
                bndtest_fatal(l, "%s has %08x, %s has %08x", l->word[j],
                              hashes[j], l->word[i], hashes[i]);
            }
        }
    }
}

static int
run_script(const char *name, const char *only, struct shash *frames)
{
    struct bndtest_line line;
    FILE *stream = bndtest_open(name, &line);
    int n = 0;

    while (bndtest_next(stream, &line)) {
        const char *cmd = line.word[0];
        bool is_frame = !strcmp(cmd, "frame");

        if (line.n_words < 3) {
            bndtest_fatal(&line, "incomplete");
        }
        if (strncmp(line.word[is_frame ? 1 : 2], only, strlen(only))) {
            continue;
        }
        n++;
        if (is_frame) {
            cmd_frame(&line, frames);
        } else if (!strcmp(cmd, "same") || !strcmp(cmd, "distinct")) {
            cmd_compare(&line, frames);
        } else {
            bndtest_fatal(&line, "unknown command");
        }
    }
    fclose(stream);
    return n;
}

static int
drive_hash(int argc, char *argv[])
{
    struct shash frames = SHASH_INITIALIZER(&frames);
    struct shash_node *node;
    const char *only = "";
    int i = 1;
    int n = 0;

    if (argc > 1 && !strncmp(argv[1], "--only=", 7)) {
        only = argv[i++] + 7;
    }
    if (i >= argc) {
        fprintf(stderr,
                "usage: bndtest xmit-hash [--only=PREFIX] SCRIPT...\n");
        return 2;
    }
    for (; i < argc; i++) {
        n += run_script(argv[i], only, &frames);
    }
    SHASH_FOR_EACH (node, &frames) {
        struct frame *frame = node->data;

        free(frame->data);
    }
    shash_destroy_free_data(&frames);
    if (!n) {
        fprintf(stderr, "nothing begins with \"%s\"\n", only);
        return 1;
    }
    return 0;
}

BNDTEST_REGISTER("xmit-hash", "[--only=PREFIX] SCRIPT...", drive_hash)
