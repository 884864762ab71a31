/* SPDX-License-Identifier: Apache-2.0 */

/* When to tell the network that a path has changed
 * ================================================
 *
 * Whoever reached the host by the old member must hear at once that it is now
 * behind another one, and, as frames get lost, may be told more than once:
 * 'num_grat_arp' times, the first at once, the others 'peer_notif_delay' (but
 * at least one interval of the link monitor) apart.  Switches that snoop
 * multicast groups hear 'resend_igmp' reports, BND_IGMP_INTERVAL apart.
 *
 * What there is to tell, and to whom, is the adapter's business; this says
 * only when.
 *
 * Thread-safety
 * -------------
 * One thread at a time per instance, as for all of lib/ (see bond/bond.h).
 *
 * Source: Linux Documentation/networking/bonding.rst, num_grat_arp,
 * num_unsol_na, peer_notif_delay, resend_igmp. */

#ifndef BND_NOTIFY_H
#define BND_NOTIFY_H 1

#include "config/settings.h"

struct bnd_effects;

/* Milliseconds between two rounds of multicast reports... */
#define BND_IGMP_INTERVAL 200
/* ...and between two notices to peers where the link monitor has no interval
 * of its own. */
#define BND_PEERS_INTERVAL 100

/* Zeroed: nothing to tell. */
struct bnd_notify {
    int n_peers;                /* Rounds left for peers... */
    long long int next_peers;   /* ...the next at that time, ms. */
    int n_igmp;                 /* The same for multicast reports. */
    long long int next_igmp;
};

/* A path has changed at 'now': begins anew with what the settings say, for
 * 'peers', and for multicast groups ('igmp'). */
void bnd_notify_arm(struct bnd_notify *, const struct bnd_settings *,
                    bool peers, bool igmp, long long int now);

/* Appends BND_FX_NOTIFY_PEERS and BND_FX_RESEND_IGMP when they are due.  While
 * 'can_send' is false they wait. */
void bnd_notify_step(struct bnd_notify *, const struct bnd_settings *,
                     bool can_send, long long int now, struct bnd_effects *);

/* Forgets what is left to tell. */
void bnd_notify_cancel(struct bnd_notify *);

/* When the next one is due, or BND_NEVER. */
long long int bnd_notify_wake_time(const struct bnd_notify *);

#endif /* notify.h */
