/* SPDX-License-Identifier: Apache-2.0 */

/* How late LACPDUs are
 * ====================
 *
 * The account that a member keeps of it, as plain data; lacp/lacp-late.h says
 * what it is for. */

#ifndef BND_LATE_H
#define BND_LATE_H 1

#include <stdbool.h>
#include <stdint.h>

/* Time from one LACPDU to the next that came, by upper bounds in ms, and those
 * above all. */
#define BND_LATE_GAPS \
    BND_LATE_GAP(500) BND_LATE_GAP(900) BND_LATE_GAP(1100) \
    BND_LATE_GAP(1500) BND_LATE_GAP(2000) BND_LATE_GAP(2500) \
    BND_LATE_GAP(3000) BND_LATE_GAP(27000) BND_LATE_GAP(33000) \
    BND_LATE_GAP(60000) BND_LATE_GAP(90000)

/* How much later than it should a periodic LACPDU of ours left, likewise. */
#define BND_LATE_DELAYS \
    BND_LATE_DELAY(1) BND_LATE_DELAY(10) BND_LATE_DELAY(100) \
    BND_LATE_DELAY(500) BND_LATE_DELAY(1000) BND_LATE_DELAY(2000)

enum {
#define BND_LATE_GAP(MS) BND_LATE_GAP_##MS,
    BND_LATE_GAPS
#undef BND_LATE_GAP
    BND_LATE_GAP_MORE,
    BND_N_LATE_GAPS
};

enum {
#define BND_LATE_DELAY(MS) BND_LATE_DELAY_##MS,
    BND_LATE_DELAYS
#undef BND_LATE_DELAY
    BND_LATE_DELAY_MORE,
    BND_N_LATE_DELAYS
};

struct bnd_late {
    uint32_t gaps[BND_N_LATE_GAPS];     /* LACPDUs that came... */
    long long int worst_gap;            /* ...and the longest gap, ms. */
    uint32_t delays[BND_N_LATE_DELAYS]; /* Periodic ones that left... */
    long long int worst_delay;          /* ...and the latest of them, ms. */

    /* Alarms: two thirds of the time after which one side gives up the other
     * have gone by without a LACPDU. */
    bool silent;                /* From the partner, just now... */
    uint32_t n_silent;          /* ...and so many times. */
    bool overdue;               /* From us, before the last one... */
    uint32_t n_overdue;         /* ...and so many times. */
};

#endif /* late.h */
