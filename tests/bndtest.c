/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "bndtest.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "openvswitch/util.h"
#include "util.h"

/* Sorted by name, so that the list does not depend on the order of linking. */
static struct bndtest_command *commands;

void
bndtest_register(struct bndtest_command *command)
{
    struct bndtest_command **p = &commands;

    while (*p && strcmp((*p)->name, command->name) < 0) {
        p = &(*p)->next;
    }
    command->next = *p;
    *p = command;
}

FILE *
bndtest_open(const char *name, struct bndtest_line *line)
{
    FILE *stream = strcmp(name, "-") ? fopen(name, "r") : stdin;

    if (!stream) {
        fprintf(stderr, "%s: %s\n", name, strerror(errno));
        exit(1);
    }
    memset(line, 0, sizeof *line);
    line->file = name;
    return stream;
}

void
bndtest_split(struct bndtest_line *line, const char *text)
{
    ovs_strlcpy(line->text, text, sizeof line->text);
    line->text[strcspn(line->text, "\r\n")] = '\0';
    ovs_strlcpy(line->buf, line->text, sizeof line->buf);
    line->indent = strspn(line->buf, " \t");
    line->n_words = 0;

    bool quoted = false;
    bool in_word = false;
    char *out = line->buf;
    for (char *p = line->buf; *p; p++) {
        char c = *p;

        if (c == '"') {
            quoted = !quoted;
            continue;
        } else if (!quoted && c == '#') {
            break;
        } else if (!quoted && isspace((unsigned char) c)) {
            if (in_word) {
                *out++ = '\0';
            }
            in_word = false;
            continue;
        }
        if (!in_word) {
            if (line->n_words >= BNDTEST_MAX_WORDS) {
                bndtest_fatal(line, "too many words");
            }
            line->word[line->n_words++] = out;
            in_word = true;
        }
        *out++ = c;
    }
    *out = '\0';
    line->word[line->n_words] = NULL;
}

bool
bndtest_next(FILE *stream, struct bndtest_line *line)
{
    char text[sizeof line->text];

    while (fgets(text, sizeof text, stream)) {
        line->number++;
        bndtest_split(line, text);
        if (line->n_words) {
            return true;
        }
    }
    return false;
}

void
bndtest_shift(struct bndtest_line *line, int n)
{
    ovs_assert(n <= line->n_words);
    memmove(line->word, line->word + n,
            (line->n_words - n + 1) * sizeof line->word[0]);
    line->n_words -= n;
}

const char *
bndtest_value(const struct bndtest_line *line, const char *key)
{
    size_t len = strlen(key);

    for (int i = 0; i < line->n_words; i++) {
        if (!strncmp(line->word[i], key, len) && line->word[i][len] == '=') {
            return line->word[i] + len + 1;
        }
    }
    return NULL;
}

bool
bndtest_has(const struct bndtest_line *line, const char *word)
{
    for (int i = 0; i < line->n_words; i++) {
        if (!strcmp(line->word[i], word)) {
            return true;
        }
    }
    return false;
}

static long long int
to_number(const struct bndtest_line *line, const char *s)
{
    char *end;

    errno = 0;
    long long int n = strtoll(s, &end, 0);
    if (end == s || *end || errno) {
        bndtest_fatal(line, "'%s' is not a number", s);
    }
    return n;
}

long long int
bndtest_number(const struct bndtest_line *line, int index)
{
    if (index >= line->n_words) {
        bndtest_fatal(line, "a number is missing");
    }
    return to_number(line, line->word[index]);
}

long long int
bndtest_key_number(const struct bndtest_line *line, const char *key,
                   long long int absent)
{
    const char *value = bndtest_value(line, key);

    return value ? to_number(line, value) : absent;
}

void
bndtest_fatal(const struct bndtest_line *line, const char *format, ...)
{
    va_list args;

    fflush(stdout);
    fprintf(stderr, "%s:%d: %s\n%s:%d: ", line->file, line->number,
            line->text, line->file, line->number);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    putc('\n', stderr);
    exit(1);
}

int
bndtest_hex(const char *hex, void *out_, size_t size)
{
    uint8_t *out = out_;
    size_t n = 0;

    while (*hex) {
        if (*hex == ':' || isspace((unsigned char) *hex)) {
            hex++;
            continue;
        }
        if (!isxdigit((unsigned char) hex[0])
            || !isxdigit((unsigned char) hex[1]) || n >= size) {
            return -1;
        }
        out[n++] = hexit_value(hex[0]) * 16 + hexit_value(hex[1]);
        hex += 2;
    }
    return n;
}

static void
usage(FILE *stream)
{
    fputs("usage: bndtest COMMAND [ARG...]\n\nCommands:\n", stream);
    for (const struct bndtest_command *c = commands; c; c = c->next) {
        fprintf(stream, "  %s %s\n", c->name, c->usage);
    }
}

int
bndtest_replay(int argc, char *argv[], bndtest_fuzz_one *one)
{
    for (int i = 1; i < argc; i++) {
        uint8_t data[4096];
        FILE *stream = fopen(argv[i], "rb");

        if (!stream) {
            perror(argv[i]);
            return 1;
        }
        one(data, fread(data, 1, sizeof data, stream));
        fclose(stream);
    }
    return 0;
}

int
main(int argc, char *argv[])
{
    set_program_name(argv[0]);
    if (argc < 2) {
        usage(stderr);
        return 2;
    }
    if (!strcmp(argv[1], "--help")) {
        usage(stdout);
        return 0;
    }
    for (const struct bndtest_command *c = commands; c; c = c->next) {
        if (!strcmp(c->name, argv[1])) {
            return c->run(argc - 1, argv + 1);
        }
    }
    fprintf(stderr, "bndtest: unknown command '%s'\n", argv[1]);
    usage(stderr);
    return 2;
}
