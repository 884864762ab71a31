/* SPDX-License-Identifier: Apache-2.0 */

/* The engine's test program
 * =========================
 *
 * One binary, many drivers.  Each driver is a source file that registers a
 * sub-command before main() begins, so that adding one touches no list but the
 * makefile's:
 *
 *     static int
 *     drive_lacp(int argc, char *argv[])
 *     {
 *         ...
 *     }
 *     BNDTEST_REGISTER("lacp", "SCRIPT", drive_lacp)
 *
 * 'argv[0]' is the name of the sub-command.  The return value is the exit
 * status.
 *
 * Scripts
 * -------
 * Drivers that read scripts share the reader below: one command a line, words
 * separated by blanks, '#' starts a comment, empty lines do not count, double
 * quotes keep blanks in a word.  Many words are KEY=VALUE.
 *
 * A driver that meets a script error or a failed expectation calls
 * bndtest_fatal(), which says where and exits with status 1: a failure has to
 * show the line, since the script is what a reader has before him.
 *
 * Thread-safety
 * -------------
 * Single-threaded. */

#ifndef BNDTEST_H
#define BNDTEST_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include "compiler.h"

typedef int bndtest_run(int argc, char *argv[]);

/* A sub-command.  Lives in static memory, linked by bndtest_register(). */
struct bndtest_command {
    const char *name;
    const char *usage;          /* Arguments, for the list of commands. */
    bndtest_run *run;
    struct bndtest_command *next;
};

void bndtest_register(struct bndtest_command *);

#define BNDTEST_REGISTER(NAME, USAGE, RUN)                      \
    static struct bndtest_command RUN##_command__ =             \
        { NAME, USAGE, RUN, NULL };                             \
    OVS_CONSTRUCTOR(RUN##_register__) {                         \
        bndtest_register(&RUN##_command__);                     \
    }

/* Fuzzers
 * -------
 *
 * One function that takes an input is both: the entry of libFuzzer, if it is
 * built for that, and a sub-command that replays files of a corpus. */
typedef void bndtest_fuzz_one(const uint8_t *data, size_t size);

#define BNDTEST_FUZZER(ONE)                                     \
    int LLVMFuzzerTestOneInput(const uint8_t *, size_t);        \
    int                                                         \
    LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)    \
    {                                                           \
        ONE(data, size);                                        \
        return 0;                                               \
    }

/* Hands the first 4,096 bytes of each file in 'argv' to 'one'.  Returns an exit
 * status. */
int bndtest_replay(int argc, char *argv[], bndtest_fuzz_one *one);

#define BNDTEST_MAX_WORDS 64

/* The line of a script that is being run. */
struct bndtest_line {
    const char *file;           /* For messages. */
    int number;                 /* From 1. */
    int indent;                 /* Leading blanks. */
    char text[1024];            /* Unchanged, for messages. */
    char buf[1024];             /* What 'word' points into. */
    char *word[BNDTEST_MAX_WORDS + 1]; /* 'n_words' of them, then null. */
    int n_words;
};

/* Opens script 'name', "-" being standard input, and prepares '*line'.  Exits
 * if it cannot. */
FILE *bndtest_open(const char *name, struct bndtest_line *line);

/* Reads the next line with at least one word into '*line'.  Returns false at
 * the end of the script. */
bool bndtest_next(FILE *, struct bndtest_line *line);

/* Splits 'text' as if it were the next line. */
void bndtest_split(struct bndtest_line *line, const char *text);

/* Removes the first 'n' words. */
void bndtest_shift(struct bndtest_line *line, int n);

/* Returns VALUE of the word KEY=VALUE, or null if there is none. */
const char *bndtest_value(const struct bndtest_line *line, const char *key);

/* Is there a word equal to 'word'? */
bool bndtest_has(const struct bndtest_line *line, const char *word);

/* The word at 'index' as a number; 'base' as for strtoll().  Exits if there is
 * none, or if it is not a number. */
long long int bndtest_number(const struct bndtest_line *line, int index);

/* VALUE of KEY=VALUE as a number, or 'absent' if there is no such word. */
long long int bndtest_key_number(const struct bndtest_line *line,
                                 const char *key, long long int absent);

/* Prints file, line number, the text of the line and the message, then exits
 * with status 1. */
OVS_NO_RETURN void bndtest_fatal(const struct bndtest_line *line,
                                 const char *format, ...)
    OVS_PRINTF_FORMAT(2, 3);

/* Converts pairs of hexadecimal digits (colons and blanks between pairs are
 * skipped) into at most 'size' bytes at 'out'.  Returns the number of bytes,
 * or -1 if 'hex' is something else or too long. */
int bndtest_hex(const char *hex, void *out, size_t size);

#endif /* bndtest.h */
