/* SPDX-License-Identifier: Apache-2.0 */

/* A network for a bond under test
 * ===============================
 *
 * What the host has, and what hangs on the members: switches that flood or do
 * not, paths that are dead although the link is up, targets that answer at
 * once.  Lines of scripts:
 *
 *     host none | ADDRESS/LENGTH [mac=MAC] [vlan=V[.V]] [route | elsewhere |
 *                 elsewhere-route]    adds to what the host has
 *     host-mac MAC                    the host's address
 *     target none | ADDRESS [mac=MAC] [vlan=V[.V]] [via=ID]
 *                                     a station that answers to probes
 *     path ID on|off                  does anything pass between the member and
 *                                     the others?  It does at first
 *     flood on|off                    do members hear what others broadcast?
 *     rx ID N                         it receives N packets of no interest
 *     busy ID on|off                  it does so in every interval
 *     counters on|off                 does anybody read counters?
 *     arp ID request|reply FROM TO [sha=MAC] [tha=MAC] [dst=MAC] [vlan=V[.V]]
 *         [ago=MS]                    such a message comes in
 *     host-arp request|reply FROM TO [sha=MAC] [tha=MAC] [dst=MAC]
 *         [vlan=V[.V]]
 *     host-nd solicit|advert FROM TO [mac=MAC] [dst=MAC] [vlan=V[.V]]
 *                                     the host would send such a message
 *     host-frame HEX                  or any frame
 *     nd ID solicit|advert FROM TO [about=ADDRESS] [src=MAC] [dst=MAC]
 *         [vlan=V[.V]] [ago=MS]       ditto */

#ifndef RIG_NET_H
#define RIG_NET_H 1

#include "bndtest.h"
#include "monitor/route.h"

#define RIG_NET_MAX 40          /* Of whatever there is. */
#define RIG_NET_MAX_PORTS 64

struct bond_rig;
struct ds;

struct rig_target {
    struct bnd_ip ip;
    struct eth_addr mac;
    struct bnd_tags tags;
    bnd_id via;                 /* Reached by that member alone, or 0. */
};

/* Zeroed: there is nothing. */
struct rig_net {
    struct bnd_host hosts[RIG_NET_MAX];
    size_t n_hosts;
    struct eth_addr host_mac;
    struct rig_target targets[RIG_NET_MAX];
    size_t n_targets;
    bool cut[RIG_NET_MAX_PORTS]; /* By member id. */
    bool busy[RIG_NET_MAX_PORTS];
    uint64_t n_rx[RIG_NET_MAX_PORTS];
    bool flood;
    bool no_counters;
};

/* Carries out 'line' if it is one of those above; else returns false. */
bool rig_net_command(struct bond_rig *, const struct bndtest_line *line);

/* Member 'id' has sent a frame. */
void rig_net_sent(struct bond_rig *, bnd_id id, const uint8_t *data,
                  size_t len);

/* Appends 'mac' by a short name: "B" of the host, "pN" of member N, "cN" of
 * client N, "all", "0" for none, or in full. */
void rig_net_put_mac(const struct bond_rig *, struct eth_addr mac,
                     struct ds *);

/* Notes in 'rig' what member 'id' sends, if it is a learning packet or a
 * message of ARP or neighbour discovery. */
void rig_net_describe(struct bond_rig *rig, bnd_id id, const uint8_t *data,
                      size_t len);

/* Reads the counters, if they are wanted before the next pass. */
void rig_net_count(struct bond_rig *);

#endif /* rig-net.h */
