/* SPDX-License-Identifier: Apache-2.0 */

/* Frames of our own by a bond
 * ===========================
 *
 * Sends frames that announce something by the member that the bond would choose
 * for their sender, with the tags that NORMAL would give them; and the notices
 * of the host's own addresses.
 *
 * Threads: whichever holds 'ob_host_mutex' (hosts.h).
 *
 * Source: Linux, Documentation/networking/bonding.rst, num_grat_arp. */

#ifndef OB_NOTICES_H
#define OB_NOTICES_H 1

#include "ofproto-bond/bundles.h"
#include "openvswitch/types.h"

struct dp_packet;
struct ob_owner;

/* Who is to send? */
enum ob_notice_by {
    OB_NOTICE_BY_SOURCE,        /* The member that the sender's frames use. */
    OB_NOTICE_BY_ACTIVE,        /* The active one. */
};

/* Sends 'packet', which has no tags yet, from 'src'.  'inside' is as what it
 * goes through the switch.  The caller keeps 'packet', with whatever happened
 * to it.  False if it does not leave by the bond, or if nobody can send. */
bool ob_notice_send(struct ob_owner *, struct dp_packet *packet,
                    struct eth_addr src, const struct ob_tags *inside,
                    enum ob_notice_by);

/* The same for one that leaves with 'tags'. */
bool ob_notice_send_tagged(struct ob_owner *, struct dp_packet *packet,
                           struct eth_addr src, const struct ob_tags *tags,
                           enum ob_notice_by);

/* The same as the first for 'len' bytes at 'frame'. */
bool ob_notice_send_frame(struct ob_owner *, const void *frame, size_t len,
                          struct eth_addr src, const struct ob_tags *inside,
                          enum ob_notice_by);

/* Announces all addresses of the host on all its VLANs, once. */
void ob_notice_host(struct ob_owner *);

#endif /* notices.h */
