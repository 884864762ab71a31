/* SPDX-License-Identifier: Apache-2.0 */

/* Choosing a member for a packet, and admitting a packet
 * ======================================================
 *
 * Pure functions of a view and a few fields of a packet: the packet path may
 * call them from any thread, without a lock, as often as it likes.
 *
 * Thread-safety
 * -------------
 * Pure functions.
 *
 * Source: Open vSwitch Documentation/topics/bonding.rst (balance-slb: source
 * MAC and VLAN; why multicast is taken on one member only). */

#ifndef BND_CHOOSE_H
#define BND_CHOOSE_H 1

#include "xmit/view.h"

/* Hash of balance-slb: source address 'mac', 'vlan' (0 if untagged), 'basis'.
 * The number of the bucket is its low 8 bits.  The same as stock OVS's, so
 * that bond/hash gives the answers that users know. */
uint32_t bnd_hash_src(struct eth_addr mac, uint16_t vlan, uint32_t basis);

/* Returns the index in 'view' of the member that a packet with 'hash' (of the
 * kind that 'view->xmit' names) leaves by, or BND_VIEW_NONE to drop it.  Where
 * the host's frames have buckets of their own, this is for all others.  Where
 * every packet has a turn of its own, or leaves by all members, this deals by
 * 'hash' and names the active one, for those who send flow by flow. */
uint8_t bnd_choose(const struct bnd_view *view, uint32_t hash);

/* May a packet to 'dst' that came in by the member with index 'i' be taken?
 * An unknown member (BND_VIEW_NONE) may take nothing.  Where members have
 * addresses for the host (BND_XMIT_LB), frames to them are to have got the
 * host's own before.
 *
 * Frames to the addresses of bridges (01:80:c2:00:00:00 to :0f) are between
 * the two ends of one link.  LACPDUs, LLDP and the like are handled before
 * anyone asks here; if what is left is to be forwarded at all, it is by the
 * rule for broadcast: a group that every link has of its own is not among
 * those that the option "multicast" is about. */
enum bnd_verdict bnd_admit(const struct bnd_view *view, uint8_t i,
                           struct eth_addr dst);

#endif /* choose.h */
