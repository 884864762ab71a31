/* SPDX-License-Identifier: Apache-2.0 */

/* Learning packets
 * ================
 *
 * A frame from an address to itself, of a type that nobody speaks: all that it
 * does is to show switches where the address is.
 *
 * Thread-safety
 * -------------
 * Pure functions.
 *
 * Source: Linux Documentation/networking/bonding.rst, lp_interval; what
 * Linux 6.1 sends. */

#ifndef BND_WIRE_LEARN_H
#define BND_WIRE_LEARN_H 1

#include "wire/eth.h"

#define BND_ETH_TYPE_LEARN 0x9000       /* Loopback. */

/* Bytes of an untagged one, and of one with as many tags as there can be. */
#define BND_LEARN_FRAME_LEN 60
#define BND_LEARN_FRAME_MAX (BND_LEARN_FRAME_LEN + 4 * BND_ETH_MAX_TAGS)

/* Writes one for 'mac', with 'tags', which may be null. */
void bnd_learn_encode(struct bnd_writer *, struct eth_addr mac,
                      const struct bnd_tags *tags);

#endif /* wire/learn.h */
