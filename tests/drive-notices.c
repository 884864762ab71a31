/* SPDX-License-Identifier: Apache-2.0 */

/* Drives the builders of frames that announce a new path.
 *
 *     bndtest notices SCRIPT
 *
 *     garp MAC IP             print the frame in hex
 *     na MAC IP6 [router]
 *     igmp VERSION MAC SRC GROUP
 *     mld VERSION MAC SRC6 GROUP6
 *     reported IP6            print whether the group is one to be reported
 *     mld1 HEX                print of what group an MLD message is a report of
 *                             version 1; none if it is cut off
 *
 * Addresses are in hex.  Each frame is built again into all smaller blocks of
 * memory, in which it must not fit, and which nothing may be written behind. */

#include <config.h>
#include "bndtest.h"

#include <stdlib.h>
#include <string.h>
#include "util.h"
#include "wire/arp.h"
#include "wire/igmp.h"
#include "wire/mld.h"
#include "wire/nd.h"

#define MAX_FRAME 128

static void
arg_bytes(const struct bndtest_line *l, int index, void *out, size_t n)
{
    if (index >= l->n_words
        || bndtest_hex(l->word[index], out, n) != (int) n) {
        bndtest_fatal(l, "%"PRIuSIZE" bytes in hex expected", n);
    }
}

static uint32_t
arg_ip(const struct bndtest_line *l, int index)
{
    uint8_t b[4];

    arg_bytes(l, index, b, sizeof b);
    return (uint32_t) b[0] << 24 | b[1] << 16 | b[2] << 8 | b[3];
}

static void
build(const struct bndtest_line *l, struct bnd_writer *w)
{
    const char *cmd = l->word[0];
    struct bnd_ip6 a, b;
    struct eth_addr mac;
    bool versions = !strcmp(cmd, "igmp") || !strcmp(cmd, "mld");
    int version = versions ? bndtest_number(l, 1) : 0;

    arg_bytes(l, 1 + versions, &mac, sizeof mac);
    if (!strcmp(cmd, "garp")) {
        bnd_arp_gratuitous(w, mac, arg_ip(l, 2));
    } else if (!strcmp(cmd, "na")) {
        arg_bytes(l, 2, &a, sizeof a);
        bnd_nd_unsolicited(w, mac, &a, bndtest_has(l, "router"));
    } else if (!strcmp(cmd, "igmp")) {
        bnd_igmp_report(w, mac, arg_ip(l, 3), arg_ip(l, 4), version);
    } else if (!strcmp(cmd, "mld")) {
        arg_bytes(l, 3, &a, sizeof a);
        arg_bytes(l, 4, &b, sizeof b);
        bnd_mld_report(w, mac, &a, &b, version);
    } else {
        bndtest_fatal(l, "unknown command");
    }
}

static void
print(const struct bndtest_line *l)
{
    uint8_t frame[MAX_FRAME];
    struct bnd_writer w = bnd_writer(frame, sizeof frame);

    build(l, &w);
    if (w.bad) {
        bndtest_fatal(l, "the frame is too long");
    }
    for (size_t i = 0; i < w.pos; i++) {
        printf("%02x", frame[i]);
    }
    putchar('\n');

    for (size_t size = 0; size < w.pos; size++) {
        uint8_t *small = xmalloc(size + 1);
        struct bnd_writer s = bnd_writer(small, size);

        small[size] = 0xa5;
        build(l, &s);
        if (!s.bad || small[size] != 0xa5) {
            bndtest_fatal(l, "it fits in %"PRIuSIZE" bytes", size);
        }
        free(small);
    }
}

static void
decode_mld1(const struct bndtest_line *l)
{
    uint8_t data[MAX_FRAME];
    int len = bndtest_hex(l->n_words > 1 ? l->word[1] : "", data,
                          sizeof data);

    for (int n = len; n >= 0; n--) {
        uint8_t *message = xmemdup(data, n ? n : 1);
        struct bnd_ip6 group;
        bool is_report = bnd_mld_decode_v1(bnd_cursor(message, n), &group);

        free(message);
        if (n == len) {
            for (size_t i = 0; is_report && i < sizeof group.b; i++) {
                printf("%02x", group.b[i]);
            }
            puts(is_report ? "" : "no report");
        } else if (is_report && n < 24) {
            bndtest_fatal(l, "taken with %d bytes", n);
        }
    }
}

static int
drive_notices(int argc, char *argv[])
{
    struct bndtest_line line;

    if (argc != 2) {
        fprintf(stderr, "usage: bndtest notices SCRIPT\n");
        return 2;
    }

    FILE *stream = bndtest_open(argv[1], &line);
    while (bndtest_next(stream, &line)) {
        if (!strcmp(line.word[0], "reported")) {
            struct bnd_ip6 group;

            arg_bytes(&line, 1, &group, sizeof group);
            puts(bnd_mld_is_reported(&group) ? "yes" : "no");
        } else if (!strcmp(line.word[0], "mld1")) {
            decode_mld1(&line);
        } else {
            print(&line);
        }
    }
    fclose(stream);
    return 0;
}

BNDTEST_REGISTER("notices", "SCRIPT", drive_notices)
