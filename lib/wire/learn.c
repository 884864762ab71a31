/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "wire/learn.h"

void
bnd_learn_encode(struct bnd_writer *w, struct eth_addr mac,
                 const struct bnd_tags *tags)
{
    bnd_eth_encode_tagged(w, mac, mac, tags, BND_ETH_TYPE_LEARN);
    bnd_writer_zeros(w, BND_LEARN_FRAME_LEN - BND_ETH_HEADER_LEN);
}
