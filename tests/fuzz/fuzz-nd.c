/* SPDX-License-Identifier: Apache-2.0 */

/* Fuzzes the decoder of neighbour messages, and what a bond that probes by
 * neighbour solicitations makes of them.
 *
 * With a fuzzing engine (-DBND_FUZZER -fsanitize=fuzzer) this is a program of
 * its own.  Otherwise it is a sub-command of bndtest,
 *
 *     bndtest fuzz-nd FILE...
 *     bndtest fuzz-nd --random SEED N
 *
 * that replays files, or N mutations of good frames, half of them with the
 * checksum mended. */

#include <config.h>
#include "tests/bndtest.h"
#include "tests/fuzz/fuzz-neighbour.h"

#include "wire/nd.h"

static void
fuzz_one(const uint8_t *data, size_t size)
{
    uint8_t *frame = xmemdup(data, size ? size : 1);
    struct bnd_cursor c = bnd_cursor(frame, size);
    struct bnd_eth eth = bnd_eth_decode(&c);
    struct bnd_nd nd;

    if (!c.bad && eth.type == BND_ETH_TYPE_IPV6
        && bnd_nd_decode(c, &nd) == BND_DROP_NONE) {
        ovs_assert(size - c.pos >= 64);
    }
    fuzz_bonds(frame, size);
    free(frame);
}

#ifdef BND_FUZZER
BNDTEST_FUZZER(fuzz_one)
#else
/* An advertisement by the target whose flags, options and so on are random but
 * whose checksum is right. */
static void
write_advert(struct bnd_writer *w, uint64_t *state)
{
    static const struct bnd_ip6 host = FUZZ_HOST6, target = FUZZ_TARGET6;
    struct eth_addr member = FUZZ_MEMBER(1), mac = FUZZ_TARGET_MAC;
    uint8_t body[64];
    struct bnd_writer b = bnd_writer(body, sizeof body);

    bnd_writer_u8(&b, 135 + fuzz_next(state) % 3);
    bnd_writer_u8(&b, fuzz_next(state) % 8 == 0);
    bnd_writer_u16(&b, 0);
    bnd_writer_u32(&b, fuzz_next(state));
    bnd_writer_bytes(&b, &target, sizeof target);
    for (int n = fuzz_next(state) % 32; n > 0; n--) {
        bnd_writer_u8(&b, fuzz_next(state));
    }
    bnd_eth_encode(w, member, mac, BND_ETH_TYPE_IPV6);
    bnd_ip6_icmp(w, &target, &host, 255, fuzz_next(state) % 8 == 0, body,
                 b.pos - (fuzz_next(state) % 8 == 0 ? 4 : 0));
}

static size_t
make_frame(uint8_t *frame, size_t size, uint64_t *state)
{
    static const struct bnd_ip6 host = FUZZ_HOST6, target = FUZZ_TARGET6;
    static const struct bnd_tags tags = {
        .n = 1, .tag = { { BND_ETH_TYPE_VLAN, 5 } }
    };
    struct bnd_writer w = bnd_writer(frame, size);
    struct eth_addr member = FUZZ_MEMBER(1);

    if (fuzz_next(state) % 2) {
        write_advert(&w, state);
    } else {
        bnd_nd_solicit(&w, member, fuzz_next(state) % 2 ? &tags : NULL, &host,
                       &target);
    }
    return w.pos;
}

static int
fuzz_nd(int argc, char *argv[])
{
    return fuzz_main(argc, argv, fuzz_one, make_frame);
}

BNDTEST_REGISTER("fuzz-nd", "FILE... | --random SEED N", fuzz_nd)
#endif
