/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "policy/policy.h"

#include "util.h"

static const struct bnd_mode_class *const classes[BND_N_MODES] = {
    [BND_MODE_RR] = &bnd_mode_rr,
    [BND_MODE_AB] = &bnd_mode_ab,
    [BND_MODE_XOR] = &bnd_mode_xor,
    [BND_MODE_BROADCAST] = &bnd_mode_broadcast,
    [BND_MODE_8023AD] = &bnd_mode_8023ad,
    [BND_MODE_TLB] = &bnd_mode_tlb,
    [BND_MODE_ALB] = &bnd_mode_alb,
    [BND_MODE_SLB] = &bnd_mode_slb,
    [BND_MODE_TCP] = &bnd_mode_tcp,
};

const struct bnd_mode_class *
bnd_policy_get(enum bnd_mode mode)
{
    ovs_assert(mode < BND_N_MODES);
    return classes[mode];
}

bool
bnd_policy_is_fallback(const struct bnd_settings *s,
                       enum bnd_lacp_status status,
                       enum bnd_lacp_fallback fallback)
{
    uint32_t traits = bnd_policy_get(bnd_settings_mode(s))->traits;

    return (traits & BND_MT_AGGREGATORS
            ? fallback == BND_LACP_FB_AB
            : (status == BND_LACP_CONFIGURED
               && bnd_settings_num(s, BND_OPT_FALLBACK)));
}

const struct bnd_mode_class *
bnd_policy_effective(const struct bnd_settings *s,
                     enum bnd_lacp_status status,
                     enum bnd_lacp_fallback fallback)
{
    return (bnd_policy_is_fallback(s, status, fallback)
            ? &bnd_mode_ab
            : bnd_policy_get(bnd_settings_mode(s)));
}

enum bnd_verdict
bnd_policy_spare_verdict(const struct bnd_settings *s)
{
    return (bnd_settings_num(s, BND_OPT_ALL_ACTIVE)
            ? BND_DROP_IF_MOVED : BND_DROP);
}

bool
bnd_policy_admit_lacp(const struct bnd_pass *pass, struct bnd_view *view,
                      enum bnd_verdict spare)
{
    if (pass->lacp_status == BND_LACP_OFF
        || bnd_policy_is_fallback(pass->settings, pass->lacp_status,
                                  pass->lacp_fallback)) {
        return false;
    }

    /* The partner knows of the bond and sends nothing twice, so a member that
     * LACP lets work takes everything, even before OVS has heard of it. */
    bool negotiated = pass->lacp_status == BND_LACP_NEGOTIATED;
    for (size_t i = 0; i < view->n_members; i++) {
        const struct bnd_member *m = pass->members[i];
        struct bnd_view_member *vm = &view->members[i];

        vm->admit_unicast = vm->admit_multicast
            = (negotiated && (m->lacp_ok || m->lingers) && m->good
               ? BND_ACCEPT : spare);
    }
    view->blocked = !negotiated;
    return true;
}

bool
bnd_policy_admit_ad(const struct bnd_pass *pass, struct bnd_view *view,
                    enum bnd_verdict spare)
{
    if (pass->lacp_status == BND_LACP_OFF) {
        return false;
    }
    for (size_t i = 0; i < view->n_members; i++) {
        const struct bnd_member *m = pass->members[i];
        struct bnd_view_member *vm = &view->members[i];

        vm->admit_unicast = vm->admit_multicast
            = (((m->lacp_rx && pass->lacp_carrier) || m->lingers) && m->good
               ? BND_ACCEPT : spare);
    }
    view->blocked = !pass->lacp_carrier;
    return true;
}

static void
admit_all(struct bnd_view *view, enum bnd_verdict verdict)
{
    for (size_t i = 0; i < view->n_members; i++) {
        view->members[i].admit_unicast = verdict;
        view->members[i].admit_multicast = verdict;
    }
}

void
bnd_policy_admit_static(const struct bnd_pass *pass, struct bnd_view *view)
{
    if (!bnd_policy_admit_lacp(pass, view,
                               bnd_policy_spare_verdict(pass->settings))) {
        admit_all(view, BND_ACCEPT);
    }
}

void
bnd_policy_block(struct bnd_view *view)
{
    admit_all(view, BND_DROP);
    view->blocked = true;
}

/* Values of the option "multicast": who takes it. */
enum takers {
    TAKERS_NONE,
    TAKERS_ACTIVE,
    TAKERS_ALL
};

static void
finish_admission(const struct bnd_pass *pass, struct bnd_view *view)
{
    enum takers takers = bnd_settings_num(pass->settings, BND_OPT_MULTICAST);

    for (size_t i = 0; i < view->n_members; i++) {
        struct bnd_view_member *vm = &view->members[i];

        if (pass->members[i]->out) {
            vm->admit_unicast = vm->admit_multicast = BND_DROP;
            vm->admit_host = BND_DROP;
        }
        vm->admit_broadcast = vm->admit_multicast;
        if (takers == TAKERS_NONE
            || (takers == TAKERS_ACTIVE && i != view->active)) {
            vm->admit_multicast = BND_DROP;
        }
    }
}

/* Is member 'i' the one that queue 'queue_id' leaves by? */
static bool
has_queue(const struct bnd_pass *pass, size_t i, uint16_t queue_id)
{
    const struct bnd_member *m = pass->members[i];

    for (size_t j = 0; j < i; j++) {
        if (pass->members[j]->options.queue_id == queue_id) {
            return false;
        }
    }
    return m->enabled && m->carrier && m->link.state == BND_LINK_UP;
}

/* A queue goes by its member only while that is beyond doubt: not if it works
 * without carrier for as long as downdelay runs. */
static void
pin_queues(const struct bnd_pass *pass, struct bnd_view *view)
{
    for (size_t i = 0; i < view->n_members; i++) {
        uint16_t queue_id = pass->members[i]->options.queue_id;

        if (queue_id && has_queue(pass, i, queue_id)) {
            view->members[i].queue_id = queue_id;
            view->pinned = true;
        }
    }
}

void
bnd_policy_finish_view(const struct bnd_pass *pass, struct bnd_view *view)
{
    const struct bnd_mode_class *class
        = bnd_policy_get(bnd_settings_mode(pass->settings));

    /* The mode that is fallen back to knows nothing of min_links. */
    if (pass->lacp_fallback == BND_LACP_FB_AB && !pass->lacp_carrier
        && class->traits & BND_MT_AGGREGATORS) {
        bnd_policy_block(view);
    }
    finish_admission(pass, view);
    if (class->traits & BND_MT_QUEUES && !view->blocked) {
        pin_queues(pass, view);
    }
}
