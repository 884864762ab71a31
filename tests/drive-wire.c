/* SPDX-License-Identifier: Apache-2.0 */

/* Drives the frame codecs.
 *
 *     bndtest wire SCRIPT
 *
 *     decode HEX          print what a slow protocol frame says, or why it is
 *                         refused
 *     repeat HEX...       like decode, but 'HEX' is a template: each further
 *                         word OFFSET=HEX replaces bytes of it, one at a time
 *     prefixes HEX        decode all beginnings of a frame; print the shortest
 *                         one that is taken
 *     random SEED N       encode N random LACPDUs and Markers and decode them
 *                         again, which must give the same
 *     neighbour HEX       print what an ARP or neighbour message says, or why it
 *                         is refused
 *     neighbours HEX      the same for all beginnings of it
 *     cursor              read and write past the end */

#include <config.h>
#include "bndtest.h"

#include <stdlib.h>
#include <string.h>
#include "util.h"
#include "wire/arp.h"
#include "wire/eth.h"
#include "wire/lacpdu.h"
#include "wire/marker.h"
#include "wire/nd.h"

#define MAX_FRAME 1600

static void
print_info(const char *label, const struct bnd_lacp_info *info)
{
    printf("%s %u.", label, info->system_priority);
    for (int i = 0; i < 6; i++) {
        printf("%02x", info->system.ea[i]);
    }
    printf(".%u.%u.%u %#04x", info->key, info->port_priority, info->port_id,
           info->state);
}

/* Decodes 'len' bytes at 'data' from a block of exactly that size, so that
 * tools see each read outside of it; prints the result if 'print'. */
static enum bnd_drop_reason
decode(const uint8_t *data, size_t len, bool print)
{
    uint8_t *frame = xmemdup(data, len ? len : 1);
    struct bnd_cursor body;
    struct bnd_lacpdu pdu;
    struct bnd_marker marker;
    uint8_t subtype = 0;
    enum bnd_drop_reason reason;

    reason = bnd_slow_open(frame, len, &body, &subtype);
    if (!reason) {
        reason = (subtype == BND_SLOW_MARKER
                  ? bnd_marker_decode(body, &marker)
                  : bnd_lacpdu_decode(body, &pdu));
    }
    if (!print) {
        /* Nothing to say. */
    } else if (reason) {
        puts(bnd_drop_reason_name(reason));
    } else if (subtype == BND_SLOW_MARKER) {
        printf("marker %u port %u transaction %u\n", marker.type,
               marker.port_id, marker.transaction);
    } else {
        print_info("actor", &pdu.actor);
        print_info(" partner", &pdu.partner);
        putchar('\n');
    }
    free(frame);
    return reason;
}

/* Stores the frame in word 'index' in 'data' and returns its length. */
static size_t
arg_frame(const struct bndtest_line *l, int index, uint8_t data[MAX_FRAME])
{
    int len = (index < l->n_words
               ? bndtest_hex(l->word[index], data, MAX_FRAME) : -1);

    if (len < 0) {
        bndtest_fatal(l, "a frame in hex is missing");
    }
    return len;
}

static void
cmd_repeat(const struct bndtest_line *l)
{
    uint8_t data[MAX_FRAME];
    size_t len = arg_frame(l, 1, data);

    for (int i = 2; i < l->n_words; i++) {
        uint8_t changed[MAX_FRAME];
        char *end;
        size_t ofs = strtoul(l->word[i], &end, 0);

        memcpy(changed, data, len);
        if (*end != '=' || ofs > len
            || bndtest_hex(end + 1, changed + ofs, len - ofs) < 0) {
            bndtest_fatal(l, "OFFSET=HEX expected");
        }
        printf("%s: ", l->word[i]);
        decode(changed, len, true);
    }
}

static void
cmd_prefixes(const struct bndtest_line *l)
{
    uint8_t data[MAX_FRAME];
    size_t len = arg_frame(l, 1, data);
    bool taken = false;

    for (size_t n = 0; n <= len; n++) {
        bool ok = !decode(data, n, false);

        if (ok && !taken) {
            printf("taken from %"PRIuSIZE" bytes on\n", n);
        } else if (!ok && taken) {
            bndtest_fatal(l, "refused at %"PRIuSIZE" bytes", n);
        }
        taken = ok;
    }
    if (!taken) {
        puts("never taken");
    }
}

static uint32_t
next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
    return *state >> 33;
}

static struct bnd_lacp_info
random_info(uint64_t *state)
{
    struct bnd_lacp_info info = {
        .system_priority = next_random(state),
        .key = next_random(state),
        .port_priority = next_random(state),
        .port_id = next_random(state),
        .state = next_random(state),
    };

    for (int i = 0; i < 6; i++) {
        info.system.ea[i] = next_random(state);
    }
    return info;
}

static void
check_lacpdu(const struct bndtest_line *l, uint64_t *state)
{
    struct bnd_lacpdu out = {
        .actor = random_info(state),
        .partner = random_info(state),
        .collector_max_delay = next_random(state),
    };
    struct bnd_lacpdu in;
    struct bnd_cursor body;
    uint8_t subtype;
    uint8_t *frame = bnd_lacpdu_encode(&out, out.actor.system);

    if (bnd_slow_open(frame, BND_SLOW_FRAME_LEN, &body, &subtype)
        || bnd_lacpdu_decode(body, &in)
        || !bnd_lacp_info_equal(&in.actor, &out.actor, UINT8_MAX)
        || !bnd_lacp_info_equal(&in.partner, &out.partner, UINT8_MAX)
        || in.collector_max_delay != out.collector_max_delay) {
        bndtest_fatal(l, "LACPDU does not come back as it went");
    }
    free(frame);
}

static void
check_marker(const struct bndtest_line *l, uint64_t *state)
{
    struct bnd_marker out = {
        .type = 1 + next_random(state) % 2,
        .tlv_len = next_random(state) % 2 ? 0x10 : 0x16,
        .port_id = next_random(state),
        .transaction = next_random(state),
    };
    struct bnd_marker in;
    struct bnd_cursor body;
    uint8_t subtype;
    uint8_t *frame = bnd_marker_encode(&out, out.system);

    if (bnd_slow_open(frame, BND_SLOW_FRAME_LEN, &body, &subtype)
        || bnd_marker_decode(body, &in)
        || in.type != out.type || in.tlv_len != out.tlv_len
        || in.port_id != out.port_id || in.transaction != out.transaction) {
        bndtest_fatal(l, "Marker does not come back as it went");
    }
    free(frame);
}

static void
cmd_random(const struct bndtest_line *l)
{
    uint64_t state = bndtest_number(l, 1);
    long long int n = bndtest_number(l, 2);

    for (long long int i = 0; i < n; i++) {
        check_lacpdu(l, &state);
        check_marker(l, &state);
    }
    printf("%lld of each\n", n);
}

static void
print_bytes(const char *label, const void *bytes, size_t n)
{
    const uint8_t *b = bytes;

    printf(" %s ", label);
    for (size_t i = 0; i < n; i++) {
        printf("%02x", b[i]);
    }
}

/* Like decode(). */
static enum bnd_drop_reason
neighbour(const uint8_t *data, size_t len, bool print)
{
    uint8_t *frame = xmemdup(data, len ? len : 1);
    struct bnd_cursor c = bnd_cursor(frame, len);
    struct bnd_eth eth = bnd_eth_decode(&c);
    struct bnd_tags tags = bnd_eth_tags(&eth);
    enum bnd_drop_reason reason = BND_DROP_ETHERTYPE;
    struct bnd_arp arp;
    struct bnd_nd nd;

    if (eth.type == BND_ETH_TYPE_ARP) {
        reason = bnd_arp_decode(c, &arp);
    } else if (eth.type == BND_ETH_TYPE_IPV6) {
        reason = bnd_nd_decode(c, &nd);
    }
    if (!print) {
        /* Nothing to say. */
    } else if (reason) {
        puts(bnd_drop_reason_name(reason));
    } else {
        for (int i = 0; i < tags.n; i++) {
            printf("vlan %u ", tags.tag[i].vid);
        }
        if (eth.type == BND_ETH_TYPE_ARP) {
            printf("arp %u", arp.op);
            print_bytes("from", &arp.sha, sizeof arp.sha);
            printf(" %08x", arp.spa);
            print_bytes("to", &arp.tha, sizeof arp.tha);
            printf(" %08x\n", arp.tpa);
        } else {
            printf("%s", nd.is_advert ? "advert" : "solicit");
            print_bytes("from", &nd.src, sizeof nd.src);
            print_bytes("to", &nd.dst, sizeof nd.dst);
            print_bytes("about", &nd.target, sizeof nd.target);
            putchar('\n');
        }
    }
    free(frame);
    return reason;
}

static void
cmd_neighbours(const struct bndtest_line *l)
{
    uint8_t data[MAX_FRAME];
    size_t len = arg_frame(l, 1, data);
    size_t n = 0;

    while (n < len && neighbour(data, n, false)) {
        n++;
    }
    printf("taken from %"PRIuSIZE" bytes on, with %"PRIuSIZE" left\n", n,
           len - n);
}

static void
cmd_cursor(void)
{
    uint8_t *bytes = xmalloc(3);
    struct bnd_cursor c;
    struct bnd_writer w = bnd_writer(bytes, 3);

    bnd_writer_u16(&w, 0x0102);
    printf("written %"PRIuSIZE" bad %d\n", w.pos, w.bad);
    bnd_writer_u16(&w, 0x0304);
    printf("written %"PRIuSIZE" bad %d\n", w.pos, w.bad);
    w = bnd_writer(bytes, 3);
    bnd_writer_u8(&w, 9);
    bnd_writer_zeros(&w, 3);
    printf("written %"PRIuSIZE" bad %d bytes %d %d %d\n", w.pos, w.bad,
           bytes[0], bytes[1], bytes[2]);

    bytes[2] = 7;
    c = bnd_cursor(bytes, 3);
    bnd_cursor_skip(&c, 1);
    printf("u16 %#x", bnd_cursor_u16(&c));
    printf(" bad %d", c.bad);
    printf(" u8 %u", bnd_cursor_u8(&c));
    printf(" bad %d", c.bad);
    c = bnd_cursor(bytes, 3);
    printf(" u32 %u", bnd_cursor_u32(&c));
    printf(" bad %d left %"PRIuSIZE"\n", c.bad, bnd_cursor_left(&c));
    free(bytes);
}

static int
drive_wire(int argc, char *argv[])
{
    struct bndtest_line line;

    if (argc != 2) {
        fprintf(stderr, "usage: bndtest wire SCRIPT\n");
        return 2;
    }

    FILE *stream = bndtest_open(argv[1], &line);
    while (bndtest_next(stream, &line)) {
        const char *cmd = line.word[0];

        if (!strcmp(cmd, "decode")) {
            uint8_t data[MAX_FRAME];
            size_t len = arg_frame(&line, 1, data);

            decode(data, len, true);
        } else if (!strcmp(cmd, "repeat")) {
            cmd_repeat(&line);
        } else if (!strcmp(cmd, "prefixes")) {
            cmd_prefixes(&line);
        } else if (!strcmp(cmd, "random")) {
            cmd_random(&line);
        } else if (!strcmp(cmd, "neighbour")) {
            uint8_t data[MAX_FRAME];
            size_t len = arg_frame(&line, 1, data);

            neighbour(data, len, true);
        } else if (!strcmp(cmd, "neighbours")) {
            cmd_neighbours(&line);
        } else if (!strcmp(cmd, "cursor")) {
            cmd_cursor();
        } else {
            bndtest_fatal(&line, "unknown command");
        }
    }
    fclose(stream);
    return 0;
}

BNDTEST_REGISTER("wire", "SCRIPT", drive_wire)
