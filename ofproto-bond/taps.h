/* SPDX-License-Identifier: Apache-2.0 */

/* Control frames past the datapath
 * ================================
 *
 * In the userspace datapath a device of the kernel is read by a socket, and
 * what the datapath does not read in time is dropped there, answers to probes
 * among it: the busier a path is, the sooner it would be taken for dead.  So
 * each such member of a bond that probes has a socket of ours in addition, to
 * which the kernel gives ARP and neighbour discovery alone.  Nobody waits for
 * it: each pass reads it.
 *
 * What translation sees (listen.h) is for all other members then.
 *
 * Probes leave by the same socket: the datapath would look through all its
 * ports for each of them, which takes more time than all the rest where there
 * are hundreds of bonds.
 *
 * LACPDUs have a socket, too, with kernel's datapath or not: whoever holds up
 * the main loop may hold up the datapath, or have its locks.  See slow.h.
 *
 * Threads
 * -------
 * ob_tap_read() and ob_tap_send() any, one at a time each; all else main.
 *
 * Source: packet(7), socket(7). */

#ifndef OB_TAPS_H
#define OB_TAPS_H 1

#include <stdbool.h>
#include <stddef.h>
#include "wire/ip.h"

struct dp_packet;
struct netdev;

/* What a socket is for. */
enum ob_tap_kind {
    OB_TAP_PROBES,              /* ARP and neighbour discovery. */
    OB_TAP_SLOW                 /* Slow protocols: LACP and Marker. */
};

/* Returns a socket for the device of 'netdev', or -1 if it cannot have one. */
int ob_tap_open(const struct netdev *netdev, enum ob_tap_kind);

/* Lets 'fd', for probes, have of ARP only what names one of the 'n' at
 * 'targets', unless it is 'any': what it has no use for shall not fill its
 * queue. */
void ob_tap_listen_for(int fd, bool any, const struct bnd_ip *targets,
                       size_t n);

/* Closes 'fd', which may be -1. */
void ob_tap_close(int fd);

/* Bytes of a frame that are kept, and room for a tag. */
#define OB_TAP_FRAME 320

/* Frames of one port that a pass reads at most. */
#define OB_TAP_FRAMES 256

/* Reads a frame into 'packet', which uses a stub of OB_TAP_FRAME bytes at
 * least.  Returns false if there is none; '*arrival' is when it came, ms. */
bool ob_tap_read(int fd, struct dp_packet *packet, long long int *arrival);

/* Sends the frame of 'len' bytes at 'data'.  Returns 0 or a positive errno,
 * ENODEV if 'fd' is -1. */
int ob_tap_send(int fd, const void *data, size_t len);

#endif /* taps.h */
