/* SPDX-License-Identifier: Apache-2.0 */

/* Monitors that send probes
 * =========================
 *
 * Carrier says that the cable is in.  That what lies behind it works, only a
 * station behind it can say, so such a monitor asks targets every interval,
 * and looks at each tick how long ago there was a sign of life, and how long
 * ago there was a probe that could have had one for an answer.
 *
 * There are two algorithms, since members whose switch knows nothing of the
 * bond cannot all be probed from one address:
 *
 *   probe-search.c   active-backup: the active member alone is probed; the
 *                    others hear of it, or of others.  Where there is none,
 *                    members are tried in turn until one hears an answer.
 *   probe-each.c     the modes that balance: each member is probed and judged
 *                    by itself.
 *
 * What a probe looks like and what an answer does, mon-arp.c and mon-nd.c
 * know; whom to believe, trust.h.
 *
 * Where the switch at the other end knows nothing of the bond and yet all
 * members work (balance-slb), the host's Ethernet address must not come by all
 * of them, and the host's addresses of IP must not come with another one
 * (route.h).  There members speak for themselves: from 0.0.0.0, or from the
 * link-local address that their own Ethernet address makes.  So do members in
 * active-backup that must not have the host's Ethernet address
 * (fail-over-mac=active or follow), and those that are probed beside the one
 * that is in use, since switches send what is for the host to whoever used its
 * address last.
 *
 * Windows
 * -------
 * A stamp is "fresh in K intervals" until half an interval after that.  The
 * half is for probes and answers that are under way, so that a member is down
 * at the first tick more than missed_max + 1/2 intervals after the last sign of
 * life: that one and missed_max - 1 more probes were without an answer.
 *
 * Lateness
 * --------
 * We compare times at which things happened, not counts of what we saw, so an
 * answer that waited for us while others had the processor is as good as one
 * that we took in at once.  What we did not do is another matter: had nobody
 * sent probes for five seconds because the daemon was held up, nobody could
 * have answered them.  So the time by which a tick is late, if that is more
 * than the half interval that windows have to spare, has not been: all stamps
 * move by it, unless the interval that there is to be between two ticks would be
 * shorter by that.  Silence then counts from where it was when we were held up.  The
 * price is that a path that dies meanwhile is found dead later by as much.
 *
 * But for the first one, which is at once, ticks are multiples of the interval
 * by the clock.  So all bonds that have the same interval tick together: what
 * many bonds cost is above all the rounds of the main loop.
 *
 * Any packet as a sign of life
 * ----------------------------
 * Unless the option arp-validate is about a member, any packet that it receives
 * will do.  The device counts them; somebody reads its counter right before a
 * tick.  A change since the last reading counts as a packet right after that
 * reading, the earliest that it can have come, so that a dead path is not found
 * later than by an exact stamp.  Where frames that we see anyway have come by all
 * members since the last tick, nobody needs to read, unless missed_max is 1.  Where somebody should have
 * and has not, that cannot be held against a member: it is judged as of the last
 * reading, and a change that the next one shows counts as of an interval ago.
 *
 * We differ from Linux:
 *
 *   - A probe comes from the Ethernet address of whoever has its source
 *     address.  In Linux that is the member's, too; where it is not, all who
 *     hear the probe would from then on send to the member what is for the
 *     host.
 *   - A member that joins is not judged before it has been probed, and without
 *     carrier it has never been heard of.
 *   - A shorter interval begins anew for all that is up; a longer one brings
 *     up nobody who has been silent.
 *   - arp-all-targets=all is about targets of both kinds, and only where
 *     signs of life are validated.
 *   - In the modes that balance, all members are believed as the active one
 *     is; there, members that are down can hear nothing else, so all would
 *     stay down.
 *   - Each target has its own stamps, and keeps them whichever others come and
 *     go.
 *   - Where there is no active member though some have come up (LACP or a
 *     delay does not let them work yet), those are probed, too.
 *
 * Thread-safety
 * -------------
 * One thread at a time per instance, as for all of lib/ (see bond/bond.h).
 *
 * Source: Linux Documentation/networking/bonding.rst, arp_interval,
 * arp_missed_max, arp_validate, arp_all_targets, ns_ip6_target. */

#ifndef BND_PROBE_H
#define BND_PROBE_H 1

#include "core/member.h"
#include "monitor/route.h"

struct bnd_effects;

/* Values of the option "arp-validate" are sums of these. */
#define BND_VALIDATE_ACTIVE 0x1
#define BND_VALIDATE_BACKUP 0x2
#define BND_VALIDATE_FILTER 0x4

struct bnd_target {
    struct bnd_ip ip;
    struct bnd_route route;     /* As of what the host has now. */
};

struct bnd_probe_config {
    long long int interval;     /* ms, 0: off. */
    int missed_max;
    unsigned int validate;      /* BND_VALIDATE_*. */
    bool all_targets;
    int vlan;                   /* VLAN to probe in, 0: untagged, -1: find it
                                 * out. */
    uint32_t source;            /* Address for want of another, or 0. */
    bool pin;                   /* Targets keep their Ethernet addresses. */
};

/* Zeroed: off. */
struct bnd_probe {
    int index;                  /* Of what members know, 'probed[index]'. */
    struct bnd_probe_config config;
    struct bnd_target targets[BND_MAX_PROBED];
    size_t n_targets;
    long long int last;         /* Last tick, ms... */
    long long int next;         /* ...and the next one. */
    bool send;                  /* It has come, probes are still to go. */
    bnd_id candidate;           /* Member that is being tried. */
};

/* What a monitor works on.  Members that are absent are left alone. */
struct bnd_probe_input {
    struct bnd_member *const *members;  /* In order of joining. */
    size_t n_members;
    bool search;                /* By probe-search.c, not probe-each.c. */
    bnd_id active;              /* Active member, or BND_NO_MEMBER. */
    bnd_id in_use;              /* Whom the bond uses as such, though this
                                 * monitor may think that it is dead. */
    bool apart;                 /* Members must not send from one address. */
    const struct bnd_host *hosts; /* What the host has. */
    size_t n_hosts;
};

/* Puts 'config' with these targets in force.  A monitor that starts takes the
 * links as they are. */
void bnd_probe_configure(struct bnd_probe *, const struct bnd_probe_input *,
                         const struct bnd_probe_config *,
                         const struct bnd_ip *targets, size_t n_targets,
                         long long int now);

/* The host has something else now. */
void bnd_probe_route(struct bnd_probe *, const struct bnd_probe_input *);

/* A member joins, with its facts; one leaves. */
void bnd_probe_join(struct bnd_probe *, const struct bnd_probe_input *,
                    struct bnd_member *, long long int now);
void bnd_probe_leave(struct bnd_probe *, bnd_id);

/* Member 'm' was made the active one. */
void bnd_probe_activated(const struct bnd_probe *, struct bnd_member *m,
                         long long int now);

/* The operator says that the link of 'm' is 'up'. */
void bnd_probe_force(const struct bnd_probe *, struct bnd_member *m, bool up,
                     long long int now);

/* 'm' has received the 'len' bytes at 'frame' at 'arrival'. */
void bnd_probe_heard(const struct bnd_probe *, const struct bnd_probe_input *,
                     struct bnd_member *m, const uint8_t *frame, size_t len,
                     long long int arrival);

/* 'm' has received 'n_rx' packets until 'now', or cannot tell. */
void bnd_probe_counted(const struct bnd_probe *,
                       const struct bnd_probe_input *, struct bnd_member *m,
                       bool known, uint64_t n_rx, long long int now);

/* Do counters matter at the tick that is due at 'now', if one is? */
bool bnd_probe_wants_counters(const struct bnd_probe *,
                              const struct bnd_probe_input *,
                              long long int now);

/* The two halves of a tick, if it is due: judging members, which may change
 * 'probed[index].state', and, after an active member has been chosen of what
 * came of it, probing.  bnd_probe_send() returns true if the search has
 * changed states, too. */
void bnd_probe_judge(struct bnd_probe *, const struct bnd_probe_input *,
                     long long int now, struct bnd_effects *);
bool bnd_probe_send(struct bnd_probe *, const struct bnd_probe_input *,
                    long long int now, struct bnd_effects *);

/* When the next tick is due, or BND_NEVER. */
long long int bnd_probe_wake_time(const struct bnd_probe *,
                                  const struct bnd_probe_input *);

/* For the two algorithms.
 *
 * bnd_probe_is_fresh(): has there been something within 'k' intervals?
 * bnd_probe_has_heard(): has 'm' been heard of within 'k' intervals, by the
 * rules for what it is?
 * bnd_probe_put(): the verdict. */
static inline bool
bnd_probe_is_fresh(const struct bnd_probe *p, long long int stamp, int k,
                   long long int now)
{
    return 2 * (now - stamp) <= (2 * k + 1) * p->config.interval;
}

bool bnd_probe_has_heard(const struct bnd_probe *,
                         const struct bnd_probe_input *,
                         const struct bnd_member *m, int k,
                         long long int now);
void bnd_probe_put(const struct bnd_probe *, struct bnd_member *,
                   enum bnd_link_state, enum bnd_probe_reason,
                   long long int now, struct bnd_effects *);

/* Why 'm', which was not heard of, was not. */
enum bnd_probe_reason bnd_probe_silence(const struct bnd_probe *,
                                        const struct bnd_probe_input *,
                                        const struct bnd_member *m);

/* Probes all targets by 'm'. */
void bnd_probe_ask(const struct bnd_probe *, const struct bnd_probe_input *,
                   struct bnd_member *m, long long int now,
                   struct bnd_effects *);

void bnd_each_judge(struct bnd_probe *, const struct bnd_probe_input *,
                    long long int now, struct bnd_effects *);
bool bnd_each_send(struct bnd_probe *, const struct bnd_probe_input *,
                   long long int now, struct bnd_effects *);
void bnd_search_judge(struct bnd_probe *, const struct bnd_probe_input *,
                      long long int now, struct bnd_effects *);
bool bnd_search_send(struct bnd_probe *, const struct bnd_probe_input *,
                     long long int now, struct bnd_effects *);

#endif /* probe.h */
