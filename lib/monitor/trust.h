/* SPDX-License-Identifier: Apache-2.0 */

/* Whom to believe
 * ===============
 *
 * A path works if a target can be heard by it that heard us.  What reaches a
 * member may come from anywhere, though: the switch at its other end floods,
 * and stations on that same switch talk, also where its uplink, which the
 * probes are to find out about, is dead.  ARP proves nothing of who sent
 * it.  So we believe a message only if it could not be there had the path not
 * worked:
 *
 *   As to the active member (also the one that is being tried, and all where
 *   the mode balances): a target says something to us.  The sender is a
 *   target, and who is spoken to is an address of the host on the bond.  What
 *   a target announces to all (gratuitous ARP), and what it says to other
 *   stations, comes without our probe having gone out, and does not count.
 *
 *   As to a backup, while the active member has had answers since it became
 *   active: our own question has come round.  The sender is us, and who is
 *   asked for is a target.  The answers go to the active member, so this is
 *   all that a backup can hear.  Where the active member has not had any
 *   answer, its question coming round would say that the two members hang on
 *   the same switch, no more.
 *
 *   As to a backup, while another member is being tried and was probed in the
 *   last interval: an answer to us, as for the active one.  Switches have not
 *   learned yet where we are.
 *
 * Addresses of IP alone are easily the same by mistake: two bonds that probe
 * one target from 0.0.0.0 ask the same question.  Whoever counts as "us" must
 * be so by Ethernet address, too, as the sender; and as the receiver, where we
 * spoke without an address of our own.
 *
 * And the message must be in the VLAN in which the address is ours and the
 * target is probed: the same numbers in another VLAN are another network.
 * What is tagged with a priority alone is untagged.
 *
 * What this cannot tell: a station that sends as a target and to us, by all
 * addresses of IP.  If the target has answered before, its Ethernet address
 * tells them apart (pin.h); if that is forged, too, it is the target as far as
 * anybody on the link can know.
 *
 * We differ from Linux, which looks neither at VLANs nor at the Ethernet
 * addresses in the message.
 *
 * Thread-safety
 * -------------
 * Pure functions.
 *
 * Source: Linux Documentation/networking/bonding.rst, arp_validate. */

#ifndef BND_TRUST_H
#define BND_TRUST_H 1

#include "monitor/probe.h"

/* What a message says of who speaks to whom. */
struct bnd_claim {
    bool is_answer;             /* ARP reply; any message of neighbours. */
    struct bnd_tags tags;
    struct bnd_ip from;
    struct eth_addr from_mac;   /* Of the sender, as it says itself. */
    struct bnd_ip to;
    struct eth_addr to_mac;
    struct eth_addr dst;        /* Of the frame. */
};

/* Read such a message of the kind that their names tell, from what follows the
 * Ethernet header 'eth'.  They return false if it is none. */
struct bnd_cursor;
bool bnd_arp_claim(const struct bnd_eth *, struct bnd_cursor,
                   struct bnd_claim *);
bool bnd_nd_claim(const struct bnd_eth *, struct bnd_cursor,
                  struct bnd_claim *);

/* Returns the number of the target of which 'claim', which 'm' took in at
 * 'arrival', is to be believed that it is alive; -1 if of none. */
int bnd_trust(const struct bnd_probe *, const struct bnd_probe_input *,
              const struct bnd_member *m, const struct bnd_claim *claim,
              long long int arrival);

/* Write a probe of 'target' by 'mac' to 'w'. */
struct bnd_writer;
void bnd_arp_ask(struct bnd_writer *w, struct eth_addr mac,
                 const struct bnd_target *target);
void bnd_nd_ask(struct bnd_writer *w, struct eth_addr mac,
                const struct bnd_target *target);

/* The address from which 'mac' speaks for itself. */
struct bnd_ip bnd_probe_self(bool is_ip6, struct eth_addr mac);

/* Does 'm' speak for itself, unless it has the host's Ethernet address? */
bool bnd_probe_is_apart(const struct bnd_probe *,
                        const struct bnd_probe_input *,
                        const struct bnd_member *m);

/* Is 'm' one to which the rules for the active member apply? */
bool bnd_probe_is_active(const struct bnd_probe *,
                         const struct bnd_probe_input *,
                         const struct bnd_member *m);

/* When was the last sign of life of 'm' that counts? */
long long int bnd_probe_last_heard(const struct bnd_probe *,
                                   const struct bnd_probe_input *,
                                   const struct bnd_member *m);

#endif /* trust.h */
