/* SPDX-License-Identifier: Apache-2.0 */

/* Received frames on their way to the engine
 * ==========================================
 *
 * Translation sees control frames on whatever thread takes them from a port;
 * the engine gets them in a pass.  Between the two they are copied, with the
 * time at which they came, into a queue.
 *
 * How many frames of one port may wait is limited, so that a port that is
 * flooded neither fills the memory nor silences others; what is refused is
 * counted.
 *
 * Threads
 * -------
 * ob_inbox_put() on any, ob_inbox_drain() on one at a time, with the owner's
 * mutex. */

#ifndef OB_INBOX_H
#define OB_INBOX_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "mpsc-queue.h"
#include "ovs-atomic.h"

struct dp_packet;

/* Received frames are counted by port, as ports fall into this many classes,
 * and this many of a class may wait. */
#define OB_FRAME_PORTS 16
#define OB_MAX_FRAMES 64

/* Bytes of a frame that are kept: slow protocols use 124, and of neighbour
 * discovery it is all but what nobody sends. */
#define OB_MAX_FRAME 320

struct ob_frame {
    struct mpsc_queue_node node;
    const void *aux;            /* Port it came in by... */
    size_t port;                /* ...and its class. */
    bool by_socket;             /* Heard by a socket of ours. */
    long long int arrival;      /* ms. */
    size_t len;                 /* Bytes in 'data'. */
    uint8_t data[];
};

/* Who wants a frame, and when. */
enum ob_inbox_urgency {
    OB_INBOX_NOW,               /* At once, or a little later if it only says
                                 * again what its port has said before and
                                 * there are many bonds to look after. */
    OB_INBOX_SOON,              /* Within OB_LACP_GRID: many that come at once
                                 * are one pass. */
    OB_INBOX_NEXT_PASS          /* It is enough for the next pass to see it,
                                 * unless too many wait. */
};

struct ob_inbox {
    struct mpsc_queue frames;   /* Of struct ob_frame. */
    atomic_uint32_t n_frames;   /* In 'frames'... */
    atomic_llong due;           /* ...to be handled at that time, ms. */
    atomic_uint32_t last_hash[OB_FRAME_PORTS]; /* Of the last frame. */
    atomic_uint32_t n_by_port[OB_FRAME_PORTS];
    atomic_uint64_t n_dropped;  /* Refused as too many. */
};

void ob_inbox_init(struct ob_inbox *);
void ob_inbox_uninit(struct ob_inbox *);

/* Copies 'packet', which came in by port 'aux', into the inbox and, if that is
 * called for, wakes whoever runs the pass. */
void ob_inbox_put(struct ob_inbox *, const void *aux,
                  const struct dp_packet *packet, enum ob_inbox_urgency);

/* The same for one that a socket of ours heard at 'arrival', ms. */
void ob_inbox_put_heard(struct ob_inbox *, const void *aux,
                        const struct dp_packet *packet,
                        long long int arrival, enum ob_inbox_urgency);

/* When are the frames due that wait?  BND_NEVER if there are none, or if they
 * have time. */
long long int ob_inbox_due(const struct ob_inbox *);

/* Takes out all frames, oldest first, and calls 'cb' for each. */
void ob_inbox_drain(struct ob_inbox *,
                    void (*cb)(const struct ob_frame *, void *aux),
                    void *aux);

#endif /* inbox.h */
