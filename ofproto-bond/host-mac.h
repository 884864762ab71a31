/* SPDX-License-Identifier: Apache-2.0 */

/* Whose address the host has
 * ==========================
 *
 * Open vSwitch gives a bridge's LOCAL port the least address of the bridge's
 * ports, or the one that the user has set, and does so again at every
 * reconfiguration.  A bond with an address of its own (address/address.h) has
 * LOCAL carry that.  Whatever Open vSwitch asks for meanwhile is kept in mind,
 * so LOCAL never changes back and forth, and gets it when the bond no longer
 * has a say.
 *
 * Of several bonds in one bridge that have an address the first by name has
 * its way.
 *
 * A claim belongs to a bond's name: it outlives a bond that is down to one
 * member for a while.
 *
 * Threads: main. */

#ifndef OB_HOST_MAC_H
#define OB_HOST_MAC_H 1

#include <stdbool.h>
#include "openvswitch/types.h"

struct netdev;

/* Bond 'bond' wants the LOCAL port 'local' to have 'mac'.  Returns 0 or a
 * positive errno; the claim stands in any case. */
int ob_host_mac_claim(const char *bond, const char *local,
                      struct eth_addr mac);

/* Bond 'bond' wants nothing any more. */
void ob_host_mac_release(const char *bond);

/* The bond that has its way in place of 'bond', or null. */
const char *ob_host_mac_winner(const char *bond);

/* Open vSwitch is about to give 'netdev' the address '*mac'.  Replaces it if
 * a bond knows better. */
void ob_host_mac_filter(const struct netdev *netdev, struct eth_addr *mac);

/* Stores in '*mac' what Open vSwitch last asked LOCAL port 'local' to have,
 * which is the address of its bridge.  False if it never did. */
bool ob_host_mac_asked(const char *local, struct eth_addr *mac);

#endif /* host-mac.h */
