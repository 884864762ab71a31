/* SPDX-License-Identifier: Apache-2.0 */

/* The account of late LACPDUs
 * ===========================
 *
 * A partner that waits in vain for three seconds (ninety, at the slow rate)
 * takes the link out of use, and so do we.  Long before that happens there are
 * signs: the LACPDUs of a busy machine come less and less evenly.  So each
 * port counts how far apart those that it hears are, and how late its own
 * leave; and it raises an alarm when two thirds of the time are over.  That
 * is the moment at which a partner at the fast rate has missed one LACPDU and
 * is about to miss the second.
 *
 * Our own silence shows only when it ends, with the next run of the machines:
 * whoever is asked to run them late cannot know earlier.
 *
 * A port that is down or may not send is not late.
 *
 * Thread-safety
 * -------------
 * As lacp.h says. */

#ifndef BND_LACP_LATE_H
#define BND_LACP_LATE_H 1

#include "core/bnd-types.h"
#include "core/late.h"

struct bnd_effects;
struct bnd_lacp_port;

/* Of one port.  Times in ms. */
struct bnd_lacp_watch {
    struct bnd_late late;
    long long int last_rx;      /* LACPDU that came, or BND_NEVER... */
    long long int rx_alarm;     /* ...and when the next has been missed. */
    long long int last_tx;      /* LACPDU that left, or BND_NEVER... */
    long long int tx_alarm;     /* ...and when the next will be. */
    bool told;                  /* That there is an alarm. */
};

void bnd_late_init(struct bnd_lacp_watch *);

/* A LACPDU has come at 'arrival', with which 'port' is content for 'timeout'
 * ms. */
void bnd_late_received(struct bnd_lacp_port *port, long long int arrival,
                       long long int timeout);

/* It is content with the last one for 'timeout' ms now. */
void bnd_late_wait(struct bnd_lacp_port *, long long int timeout);

/* A LACPDU leaves at 'now'. */
void bnd_late_sent(struct bnd_lacp_port *, long long int now,
                   struct bnd_effects *);

/* It is a periodic one, 'delay' ms late. */
void bnd_late_delayed(struct bnd_lacp_port *, long long int delay);

/* Looks for alarms at the end of a run. */
void bnd_late_check(struct bnd_lacp_port *, long long int now,
                    struct bnd_effects *);

/* When bnd_late_check() would next raise one. */
long long int bnd_late_wake_time(const struct bnd_lacp_port *);

#endif /* lacp-late.h */
