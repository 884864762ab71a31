/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/frames.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "dp-packet.h"
#include "hash.h"
#include "ofproto-bond/attach.h"
#include "ofproto-bond/handle.h"
#include "ofproto-bond/owner.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(bond_frames);

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
            error = ob_attach_send_packet(m->aux, &packet);
            if (error) {
                /* EINVAL is what a port says that is just coming or going. */
                VLOG_RL(&rl, error == EINVAL ? VLL_DBG : VLL_WARN,
                        "bond %s: member %s: cannot send a control frame "
                        "(%s)", o->name, m->name, ovs_strerror(error));
            }
        }
    }
    dp_packet_uninit(&packet);
}

void
ob_frames_receive(struct lacp *lacp, const void *aux,
                  const struct dp_packet *packet)
{
    size_t port = hash_pointer(aux, 0) % OB_FRAME_PORTS;
    uint32_t n;

    atomic_add_explicit(&lacp->n_by_port[port], 1, &n, memory_order_relaxed);
    if (n >= OB_MAX_FRAMES) {
        atomic_sub_explicit(&lacp->n_by_port[port], 1, &n,
                            memory_order_relaxed);
        atomic_count_inc64(&lacp->n_dropped);
        return;
    }
    struct ob_frame *f = xmalloc(sizeof *f);
    f->aux = aux;
    f->port = port;
    f->arrival = time_msec();
    f->len = MIN(dp_packet_size(packet), sizeof f->data);
    memcpy(f->data, dp_packet_data(packet), f->len);

    /* What a partner has said before may wait a little, if there are many
     * bonds to look after. */
    uint32_t hash = hash_bytes(f->data, f->len, hash_pointer(aux, 0));
    uint32_t last;
    bool patient;

    atomic_read_relaxed(&lacp->last_hash[port], &last);
    atomic_store_relaxed(&lacp->last_hash[port], hash);
    patient = hash == last && ob_owners_many_lacp();

    atomic_add_explicit(&lacp->n_frames, 1, &n, memory_order_relaxed);
    if (!patient) {
        atomic_store_relaxed(&lacp->due, f->arrival);
    } else if (!n) {
        atomic_store_relaxed(&lacp->due, f->arrival + OB_LACP_GRID);
    }
    mpsc_queue_insert(&lacp->frames, &f->node);
    if (!patient) {
        ob_owners_wake();
    }
}
