/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "announce/notify.h"

#include <string.h>
#include "core/deadline.h"
#include "core/effects.h"
#include "util.h"

void
bnd_notify_arm(struct bnd_notify *n, const struct bnd_settings *s,
               bool peers, bool igmp, long long int now)
{
    if (peers) {
        n->n_peers = bnd_settings_num(s, BND_OPT_NUM_PEER_NOTIF);
        n->next_peers = now;
    }
    if (igmp) {
        n->n_igmp = bnd_settings_num(s, BND_OPT_RESEND_IGMP);
        n->next_igmp = now;
    }
}

/* Milliseconds between two notices to peers. */
static long long int
peers_interval(const struct bnd_settings *s)
{
    long long int miimon = bnd_settings_num(s, BND_OPT_MIIMON);
    long long int delay = bnd_settings_ticks(s, BND_OPT_PEER_NOTIF_DELAY);

    return MAX(delay, miimon ? miimon : BND_PEERS_INTERVAL);
}

/* Is one of the '*n' rounds due?  If so, takes it and sets the next one. */
static bool
take_round(int *n, long long int *next, long long int interval,
           long long int now)
{
    if (!*n || now < *next) {
        return false;
    }
    --*n;
    *next = bnd_deadline_in(now, interval);
    return true;
}

void
bnd_notify_step(struct bnd_notify *n, const struct bnd_settings *s,
                bool can_send, long long int now, struct bnd_effects *fx)
{
    if (!can_send) {
        return;
    }
    if (take_round(&n->n_peers, &n->next_peers, peers_interval(s), now)) {
        bnd_fx_simple(fx, BND_FX_NOTIFY_PEERS);
    }
    if (take_round(&n->n_igmp, &n->next_igmp, BND_IGMP_INTERVAL, now)) {
        bnd_fx_simple(fx, BND_FX_RESEND_IGMP);
    }
}

void
bnd_notify_cancel(struct bnd_notify *n)
{
    memset(n, 0, sizeof *n);
}

long long int
bnd_notify_wake_time(const struct bnd_notify *n)
{
    return bnd_deadline_min(n->n_peers ? n->next_peers : BND_NEVER,
                            n->n_igmp ? n->next_igmp : BND_NEVER);
}
