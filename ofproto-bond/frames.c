/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "dp-packet.h"
#include "ofproto-bond/attach.h"
#include "ofproto-bond/owner.h"
#include "ofproto-bond/taps.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(bond_frames);

/* Sends by a socket of 'm'.  Returns 0 or a positive errno; ENODEV, as for
 * want of a socket, if its device is not there any more. */
static int
send_past(const struct ob_member *m, const void *data, size_t len)
{
    int error = ob_tap_send(m->slow >= 0 ? m->slow : m->tap, data, len);

    return error == ENXIO ? ENODEV : error;
}

void
ob_frames_send(struct ob_owner *o, bnd_id id, const void *data, size_t len)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 5);
    struct dp_packet packet;
    int error = 0;

    dp_packet_init(&packet, len);
    dp_packet_put(&packet, data, len);

    for (size_t i = 0; i < o->n_members; i++) {
        struct ob_member *m = &o->members[i];

        if (m->id == id && m->aux) {
            error = send_past(m, data, len);
            if (error == ENODEV) {
                /* Not for any other error, as it may take a lock of the
                 * datapath that the main thread has, and sends no better. */
                error = ob_attach_send_packet(m->aux, &packet);
            }
            if (error) {
                /* EINVAL is what a port says that is just coming or going,
                 * and ENETDOWN what a device does that is not up. */
                VLOG_RL(&rl, (error == EINVAL || error == ENETDOWN
                              ? VLL_DBG : VLL_WARN),
                        "bond %s: member %s: cannot send a control frame "
                        "(%s)", o->name, m->name, ovs_strerror(error));
            }
        }
    }
    dp_packet_uninit(&packet);
}
