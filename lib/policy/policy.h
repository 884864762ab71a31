/* SPDX-License-Identifier: Apache-2.0 */

/* Modes
 * =====
 *
 * A mode is one constant struct in one file: traits that the rest of the
 * engine may ask for, and hooks, each of them optional.  It sees only a
 * 'struct bnd_pass'.  Nothing outside this directory compares a mode.
 *
 * A bond that has LACP without a partner, and is allowed to fall back, is run
 * by active-backup in place of its own mode; bnd_policy_effective() says so.
 *
 * Thread-safety
 * -------------
 * Classes are constants; private state belongs to one engine instance. */

#ifndef BND_POLICY_H
#define BND_POLICY_H 1

#include <stddef.h>
#include "balance/slots.h"
#include "config/settings.h"
#include "core/event.h"
#include "core/member.h"
#include "lacp/lacp.h"
#include "monitor/route.h"
#include "xmit/view.h"

struct bnd_effects;
struct bnd_status;

/* Traits. */
#define BND_TRAITS                                                          \
    BND_TRAIT(BALANCED)      /* Spreads load over members by buckets. */    \
    BND_TRAIT(RECIRCULATE)   /* Buckets may live in the datapath. */        \
    BND_TRAIT(DATAPATH_ID)   /* Owns an id for recirculation. */            \
    BND_TRAIT(ANNOUNCE)      /* Peers learn addresses from what we send. */ \
    BND_TRAIT(REPORT)        /* The active member takes multicast: groups   \
                              * are reported anew when it changes. */       \
    BND_TRAIT(ONE_ACTIVE)    /* The active member alone is used. */         \
    BND_TRAIT(ALL_ACTIVE)    /* Shows all-members-active. */                \
    BND_TRAIT(BY_SOURCE)     /* Buckets are of source addresses. */         \
    BND_TRAIT(PER_PACKET)    /* No flow belongs to one member. */           \
    BND_TRAIT(TURNS)         /* Deals in turn. */                           \
    BND_TRAIT(POLICY)        /* Heeds the transmit hash policy. */          \
    BND_TRAIT(QUEUES)        /* Heeds the members' queue-id. */             \
    BND_TRAIT(AGGREGATORS)   /* Has LACP with Linux's choice of links. */   \
    BND_TRAIT(HOST_LB)       /* The host's frames have buckets of their     \
                              * own and members logical addresses. */       \
    BND_TRAIT(HOST_ARP)      /* The host's ARP is the bond's affair. */     \
    BND_TRAIT(NEEDS_LACP)    /* Carries nothing without it. */              \
    BND_TRAIT(NEEDS_CARRIER) /* Sends by members with carrier alone, though \
                              * downdelay is not over. */                   \
    BND_TRAIT(NEEDS_SPEED)   /* With miimon, a link whose speed is not      \
                              * known is down. */

enum bnd_trait_bit {
#define BND_TRAIT(ENUM) BND_MT_BIT_##ENUM,
    BND_TRAITS
#undef BND_TRAIT
    BND_N_TRAITS
};

enum bnd_trait {
#define BND_TRAIT(ENUM) BND_MT_##ENUM = 1 << BND_MT_BIT_##ENUM,
    BND_TRAITS
#undef BND_TRAIT
};

/* What a mode may read. */
struct bnd_pass {
    const struct bnd_settings *settings;
    const struct bnd_member *const *members; /* In order of joining. */
    size_t n_members;
    bnd_id active;              /* Active member of this pass. */
    enum bnd_lacp_status lacp_status;
    enum bnd_lacp_fallback lacp_fallback; /* BND_LACP_FB_NONE: none. */
    bool lacp_carrier;          /* LACP as a whole is up. */
    struct eth_addr host_mac;   /* Of the host, or zero if it is not known. */
    const struct bnd_host *hosts; /* What the host has... */
    size_t n_hosts;             /* ...so much of it. */
    long long int now;
};

struct bnd_mode_class {
    enum bnd_mode mode;
    uint32_t traits;            /* BND_MT_*. */
    size_t priv_size;           /* Private state, zeroed before init(). */

    void (*init)(void *priv, const struct bnd_pass *);
    void (*destroy)(void *priv);
    /* Settings have changed.  False asks for destroy() and init(). */
    bool (*reconfigure)(void *priv, const struct bnd_pass *);
    /* One BND_EV_TX_BYTES or BND_EV_MIGRATE; BND_EV_FRAME_RX, but for slow
     * protocols, and BND_EV_HOST_ARP.  Frames are only borrowed. */
    void (*event)(void *priv, const struct bnd_event *);
    /* Stage 5 of a pass. */
    void (*decide)(void *priv, const struct bnd_pass *, struct bnd_effects *);
    /* Fills in all but the members of 'view', which are there already; of
     * those, what they admit, but for 'admit_broadcast': to the modes that is
     * multicast as any other.  Admission is by what a member is to the bond,
     * not by whether it may send: what comes in over a link that is down, or
     * by a member that drains, has come in. */
    void (*view)(const void *priv, const struct bnd_pass *,
                 struct bnd_view *view);
    /* Buckets to show, or null. */
    const struct bnd_slots *(*slots)(const void *priv);
    /* When counters are wanted, if not when 'slots' says. */
    long long int (*next_rebalance)(const void *priv);

    /* Only while it is the mode's own view that is in force: */

    /* The end of a pass, when the view is published: sends frames, changes
     * nothing that the view shows. */
    void (*send)(void *priv, const struct bnd_pass *, struct bnd_effects *);
    /* When decide() or send() has something to do without an event, in the
     * past if at once; BND_NEVER. */
    long long int (*wake_time)(const void *priv);
    /* Adds to a status that has its members already; 'brief': nothing that
     * takes long. */
    void (*status)(const void *priv, bool brief, struct bnd_status *);

    /* Returns null if what must hold after a pass does hold, otherwise a
     * message that the caller frees. */
    char *(*check)(const void *priv, const struct bnd_pass *);
};

extern const struct bnd_mode_class bnd_mode_rr;
extern const struct bnd_mode_class bnd_mode_ab;
extern const struct bnd_mode_class bnd_mode_xor;
extern const struct bnd_mode_class bnd_mode_broadcast;
extern const struct bnd_mode_class bnd_mode_8023ad;
extern const struct bnd_mode_class bnd_mode_tlb;
extern const struct bnd_mode_class bnd_mode_alb;
extern const struct bnd_mode_class bnd_mode_slb;
extern const struct bnd_mode_class bnd_mode_tcp;

/* Returns the class of 'mode'. */
const struct bnd_mode_class *bnd_policy_get(enum bnd_mode mode);

/* Has the bond fallen back to active-backup? */
bool bnd_policy_is_fallback(const struct bnd_settings *,
                            enum bnd_lacp_status, enum bnd_lacp_fallback);

/* Returns the class that governs forwarding now: that of the configured mode,
 * or active-backup where the bond has fallen back to it. */
const struct bnd_mode_class *
bnd_policy_effective(const struct bnd_settings *, enum bnd_lacp_status,
                     enum bnd_lacp_fallback);

/* Helpers for view hooks.
 *
 * bnd_policy_admit_lacp() sets what members may take on a bond whose LACP is
 * configured and returns true, or returns false if LACP has no say (it is off,
 * or the bond has fallen back).  'spare' is the verdict for members that LACP
 * does not let work: BND_DROP, or what bnd_policy_spare_verdict() says.
 *
 * bnd_policy_admit_ad() is the same for a mode with aggregators, where LACP may
 * have a member work without a partner, and the bond may be down as a whole.
 *
 * bnd_policy_spare_verdict() returns the verdict for what comes in by a member
 * that the mode does not use: BND_DROP or, with all-members-active,
 * BND_DROP_IF_MOVED.  That is all but one's own: such a member hangs on a
 * switch that does not know of the bond and floods back to us what our guests
 * send.  A host that takes that in shrugs, but a switch would learn its own
 * guests behind the bond.
 *
 * bnd_policy_admit_static() is for modes whose other end knows of the bond by
 * configuration: nothing comes twice, so every member takes everything, unless
 * there is LACP and it says otherwise.
 *
 * bnd_policy_block() lets nothing in or out. */
bool bnd_policy_admit_lacp(const struct bnd_pass *, struct bnd_view *,
                           enum bnd_verdict spare);
bool bnd_policy_admit_ad(const struct bnd_pass *, struct bnd_view *,
                         enum bnd_verdict spare);
enum bnd_verdict bnd_policy_spare_verdict(const struct bnd_settings *);
void bnd_policy_admit_static(const struct bnd_pass *, struct bnd_view *);
void bnd_policy_block(struct bnd_view *);

/* Completes 'view' after its mode's own hook: what is the same in all modes
 * (the option "multicast"), and who takes which OpenFlow queue. */
void bnd_policy_finish_view(const struct bnd_pass *, struct bnd_view *view);

#endif /* policy.h */
