/* SPDX-License-Identifier: Apache-2.0 */

/* Fuzzes the decoder of ARP, and what a bond that probes by ARP makes of it.
 *
 * With a fuzzing engine (-DBND_FUZZER -fsanitize=fuzzer) this is a program of
 * its own.  Otherwise it is a sub-command of bndtest,
 *
 *     bndtest fuzz-arp FILE...
 *     bndtest fuzz-arp --random SEED N
 *
 * that replays files, or N mutations of good frames. */

#include <config.h>
#include "tests/bndtest.h"
#include "tests/fuzz/fuzz-neighbour.h"

#include "wire/arp.h"

/* What is decoded comes back as it was if it is encoded again. */
static void
check_decoder(const uint8_t *data, size_t size)
{
    struct bnd_cursor c = bnd_cursor(data, size);
    struct bnd_eth eth = bnd_eth_decode(&c);
    struct bnd_arp arp;

    if (c.bad || eth.type != BND_ETH_TYPE_ARP
        || bnd_arp_decode(c, &arp) != BND_DROP_NONE) {
        return;
    }

    struct bnd_tags tags = bnd_eth_tags(&eth);
    uint8_t frame[BND_ARP_FRAME_MAX];
    struct bnd_writer w = bnd_writer(frame, sizeof frame);
    size_t body = c.pos;

    bnd_arp_encode(&w, eth.dst, eth.src, &tags, &arp);
    ovs_assert(!w.bad && size - body >= 28);
    ovs_assert(!memcmp(frame + w.pos - 28, data + body, 28));
}

static void
fuzz_one(const uint8_t *data, size_t size)
{
    uint8_t *frame = xmemdup(data, size ? size : 1);

    check_decoder(frame, size);
    fuzz_bonds(frame, size);
    free(frame);
}

#ifdef BND_FUZZER
BNDTEST_FUZZER(fuzz_one)
#else
static size_t
make_frame(uint8_t *frame, size_t size, uint64_t *state)
{
    static const struct bnd_tags tags = {
        .n = 2, .tag = { { BND_ETH_TYPE_SVLAN, 5 }, { BND_ETH_TYPE_VLAN, 6 } }
    };
    struct bnd_writer w = bnd_writer(frame, size);
    struct eth_addr member = FUZZ_MEMBER(1);
    struct bnd_arp reply = {
        .op = BND_ARP_REPLY, .sha = FUZZ_TARGET_MAC, .spa = FUZZ_TARGET4,
        .tha = member, .tpa = FUZZ_HOST4
    };

    switch (fuzz_next(state) % 3) {
    case 0:
        bnd_arp_request(&w, member, NULL, FUZZ_HOST4, FUZZ_TARGET4);
        break;
    case 1:
        bnd_arp_request(&w, member, &tags, FUZZ_HOST4, FUZZ_TARGET4);
        break;
    default:
        bnd_arp_encode(&w, member, reply.sha, NULL, &reply);
        break;
    }
    return w.pos;
}

static int
fuzz_arp(int argc, char *argv[])
{
    return fuzz_main(argc, argv, fuzz_one, make_frame);
}

BNDTEST_REGISTER("fuzz-arp", "FILE... | --random SEED N", fuzz_arp)
#endif
