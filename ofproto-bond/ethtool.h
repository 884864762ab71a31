/* SPDX-License-Identifier: Apache-2.0 */

/* Questions to devices of Linux that Open vSwitch does not ask
 * ============================================================
 *
 * Open vSwitch knows speeds by the bits that OpenFlow has for them, and there
 * is none for 25, 50 or 200 Gb/s; it does not tell permanent addresses; and it
 * asks for a link by MII registers alone.
 *
 * All functions ask the device called 'name' of this network namespace and
 * return 0 or a positive errno: ENODEV if there is none, EOPNOTSUPP (or some
 * other) if it does not tell.
 *
 * Threads: any.
 *
 * Source: Linux, linux/ethtool.h (ETHTOOL_GLINKSETTINGS, ETHTOOL_GSET,
 * ETHTOOL_GPERMADDR, ETHTOOL_GLINK); IEEE 802.3 22.2.4.2 (status register). */

#ifndef OB_ETHTOOL_H
#define OB_ETHTOOL_H 1

#include "core/bnd-types.h"

/* Speed (0 if the device does not know at present) and duplex. */
int ob_ethtool_link(const char *name, uint32_t *speed_mbps,
                    enum bnd_duplex *duplex);

/* The address that the device was made with.  ENODATA if it has none of that
 * kind, as devices of software have not. */
int ob_ethtool_perm_mac(const char *name, struct eth_addr *mac);

/* The address that the device has at present. */
int ob_ethtool_mac(const char *name, struct eth_addr *mac);

/* Is there a link?  By the registers of its transceiver, and by the driver's
 * own answer. */
int ob_ethtool_mii_link(const char *name, bool *up);
int ob_ethtool_link_detected(const char *name, bool *up);

#endif /* ethtool.h */
