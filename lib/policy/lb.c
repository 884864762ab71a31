/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "policy/lb.h"

#include <stdlib.h>
#include <string.h>
#include "core/status.h"
#include "util.h"

void
bnd_lb_reconfigure(struct bnd_lb *lb, const struct bnd_pass *pass)
{
    const struct bnd_settings *s = pass->settings;
    bool is_dynamic = bnd_settings_num(s, BND_OPT_TLB_DYNAMIC);
    enum bnd_mode mode = bnd_settings_mode(s);
    bool learns = is_dynamic || mode == BND_MODE_ALB;

    lb->is_dynamic = is_dynamic;
    bnd_tlb_set_interval(&lb->tlb, (is_dynamic
                                    ? bnd_settings_num(s, BND_OPT_REBALANCE)
                                    : 0), pass->now);
    /* As in Linux, which then has no use for the timer. */
    bnd_macs_set_interval(&lb->macs,
                          learns ? 1000 * bnd_settings_num(s,
                                                           BND_OPT_LP_INTERVAL)
                          : 0, pass->now);
    bnd_balanced_reconfigure(&lb->guests, pass);
}

void
bnd_lb_init(struct bnd_lb *lb, const struct bnd_pass *pass)
{
    bnd_balanced_init(&lb->guests, pass);
    bnd_slots_set_patient(&lb->guests.slots);
    bnd_macs_init(&lb->macs);
    bnd_tlb_init(&lb->tlb, 0, pass->now);
    bnd_slots_init(&lb->homes, true, 0, pass->now);
    bnd_lb_reconfigure(lb, pass);
}

void
bnd_lb_uninit(struct bnd_lb *lb)
{
    bnd_balanced_destroy(&lb->guests);
    bnd_macs_uninit(&lb->macs);
    bnd_tlb_uninit(&lb->tlb);
    bnd_slots_uninit(&lb->homes);
}

void
bnd_lb_event(struct bnd_lb *lb, const struct bnd_event *e)
{
    bnd_balanced_event(&lb->guests, e);
    if (e->type == BND_EV_TX_BYTES) {
        bnd_tlb_account(&lb->tlb, e->host_bytes, e->unbalanced);
        lb->look = true;
    }
}

/* Stores in 'out' those of the members of 'pass' that can be used, and returns
 * how many there are; only those with carrier if 'carrier', and only those who
 * do not settle if 'calm'. */
static size_t
filter(const struct bnd_lb *lb, const struct bnd_pass *pass, bool carrier,
       bool calm, const struct bnd_member **out)
{
    size_t n = 0;

    for (size_t i = 0; i < pass->n_members; i++) {
        const struct bnd_member *m = pass->members[i];

        if (m->enabled && (m->carrier || !carrier)
            && !(calm && bnd_macs_is_settling(&lb->macs, m, pass->now))) {
            out[n++] = m;
        }
    }
    return n;
}

size_t
bnd_lb_calm(const struct bnd_lb *lb, const struct bnd_pass *pass,
            const struct bnd_member **out)
{
    size_t n = filter(lb, pass, false, true, out);

    return n ? n : filter(lb, pass, false, false, out);
}

/* The host's frames do not wait for the end of downdelay, as long as there is
 * another member to send them. */
static void
decide_host(struct bnd_lb *lb, const struct bnd_pass *pass)
{
    const struct bnd_member **fit = xcalloc(pass->n_members + 1, sizeof *fit);
    const struct bnd_member **all = xcalloc(pass->n_members + 1, sizeof *all);
    size_t n = filter(lb, pass, true, true, fit);
    size_t n_all = filter(lb, pass, false, false, all);

    if (!n) {
        n = bnd_lb_calm(lb, pass, fit);
    }
    bnd_tlb_assign(&lb->tlb, fit, n, all, n_all, pass->now);
    if (lb->look
        && bnd_tlb_rebalance(&lb->tlb, fit, n, pass->active, pass->now)) {
        bnd_tlb_plan(&lb->tlb, fit, n, all, n_all);
    }
    free(fit);
    free(all);
}

/* The same where buckets have homes.  Who settles is, to them, somebody who
 * cannot be used, unless there is nobody else. */
static void
decide_homes(struct bnd_lb *lb, const struct bnd_pass *pass)
{
    size_t n = pass->n_members;
    const struct bnd_member **members = xcalloc(n + 1, sizeof *members);
    size_t n_calm = filter(lb, pass, false, true, members);

    for (size_t i = 0; i < n; i++) {
        members[i] = pass->members[i];
        if (n_calm && bnd_macs_is_settling(&lb->macs, members[i],
                                             pass->now)) {
            struct bnd_member *m = xmemdup(members[i], sizeof *m);

            m->enabled = false;
            members[i] = m;
        }
    }
    bnd_slots_assign(&lb->homes, members, n);
    if (n_calm > 1) {
        bnd_slots_plan(&lb->homes, members, n);
    } else {
        /* Who is the last one is followed by any of the others. */
        lb->homes.dirty = true;
        bnd_slots_plan(&lb->homes, pass->members, n);
    }
    for (size_t i = 0; i < n; i++) {
        if (members[i] != pass->members[i]) {
            free((void *) members[i]);
        }
    }
    free(members);
}

void
bnd_lb_decide(struct bnd_lb *lb, const struct bnd_pass *pass,
              struct bnd_effects *fx)
{
    bnd_macs_update(&lb->macs, pass->members, pass->n_members, pass->active,
                    pass->host_mac);
    bnd_balanced_decide(&lb->guests, pass, fx);
    if (lb->is_dynamic) {
        decide_host(lb, pass);
    } else {
        decide_homes(lb, pass);
    }
    lb->look = false;
}

/* Is what 'host' has reached by frames from the host's address, with 'tags' of
 * their own that none before it have? */
static bool
has_new_tags(const struct bnd_pass *pass, size_t i)
{
    const struct bnd_host *h = &pass->hosts[i];

    if (h->kind != BND_HOST_ADDR || !h->tags.n
        || !(bnd_eth_addr_is_zero(h->mac)
             || bnd_eth_addr_equal(h->mac, pass->host_mac))) {
        return false;
    }
    for (size_t j = 0; j < i; j++) {
        if (pass->hosts[j].kind == BND_HOST_ADDR
            && bnd_tags_equal(&pass->hosts[j].tags, &h->tags)) {
            return false;
        }
    }
    return true;
}

void
bnd_lb_send(struct bnd_lb *lb, const struct bnd_pass *pass,
            struct bnd_effects *fx)
{
    struct bnd_tags *tags = xcalloc(pass->n_hosts + 1, sizeof *tags);
    size_t n_tags = 0;

    for (size_t i = 0; i < pass->n_hosts; i++) {
        if (has_new_tags(pass, i)) {
            tags[n_tags++] = pass->hosts[i].tags;
        }
    }
    bnd_macs_send(&lb->macs, pass->members, pass->n_members, pass->active,
                  tags, n_tags, pass->now, fx);
    free(tags);
}

/* Buckets of the host's frames, in the terms of 'view'. */
static void
view_host_slots(const struct bnd_lb *lb, struct bnd_view *view)
{
    view->n_host_slots = lb->is_dynamic ? BND_N_SLOTS : lb->homes.n_slots;
    for (size_t i = 0; i < view->n_host_slots; i++) {
        bnd_id owner = (lb->is_dynamic ? lb->tlb.slots[i].owner
                        : lb->homes.owner[i]);
        bnd_id backup = (lb->is_dynamic ? lb->tlb.slots[i].backup
                         : lb->homes.backup[i]);

        view->host_slots[i] = bnd_view_index(view, owner);
        view->host_backup[i] = bnd_view_index(view, backup);
    }
}

static void
view_admission(const struct bnd_pass *pass, enum bnd_verdict others,
               struct bnd_view *view)
{
    bool all = bnd_settings_num(pass->settings, BND_OPT_ALL_ACTIVE);

    if (bnd_policy_admit_lacp(pass, view, BND_DROP)) {
        for (size_t i = 0; i < view->n_members; i++) {
            view->members[i].admit_host = view->members[i].admit_unicast;
        }
        return;
    }
    for (size_t i = 0; i < view->n_members; i++) {
        struct bnd_view_member *vm = &view->members[i];
        bool takes_all = all || i == view->active;

        vm->admit_unicast = BND_DROP_IF_MOVED;
        vm->admit_multicast = takes_all ? BND_DROP_IF_MOVED : BND_DROP;
        vm->admit_host = (takes_all || pass->members[i]->lingers
                          ? BND_DROP_IF_MOVED : others);
    }
}

void
bnd_lb_view(const struct bnd_lb *lb, const struct bnd_pass *pass,
            enum bnd_lb_rule rule, enum bnd_verdict others,
            struct bnd_view *view)
{
    const struct bnd_settings *s = pass->settings;

    view->xmit = BND_XMIT_LB;
    view->lb_rule = rule;
    view->policy = bnd_settings_num(s, BND_OPT_XMIT_POLICY);
    view->compat = bnd_settings_num(s, BND_OPT_HASH_COMPAT);
    view->host_mac = pass->host_mac;
    for (size_t i = 0; i < view->n_members; i++) {
        view->members[i].mac = bnd_macs_get(&lb->macs, view->members[i].id);
        view->members[i].perm_mac = pass->members[i]->perm_mac;
    }
    bnd_balanced_view(&lb->guests, pass, view);
    view_host_slots(lb, view);
    view_admission(pass, others, view);
}

long long int
bnd_lb_next_rebalance(const struct bnd_lb *lb)
{
    long long int next = lb->guests.slots.next_rebalance;

    return lb->is_dynamic ? MIN(next, lb->tlb.next) : next;
}

void
bnd_lb_status(const struct bnd_lb *lb, bool brief, struct bnd_status *s)
{
    s->has_tlb = true;
    s->host_mac = lb->macs.host;
    s->unbalanced = lb->tlb.unbalanced_load;
    s->next_rebalance = bnd_lb_next_rebalance(lb);
    for (size_t i = 0; i < s->n_members; i++) {
        s->members[i].logical_mac = bnd_macs_get(&lb->macs, s->members[i].id);
    }
    if (brief) {
        return;
    }
    s->n_tlb = lb->is_dynamic ? BND_N_SLOTS : lb->homes.n_slots;
    s->tlb = xcalloc(s->n_tlb + 1, sizeof *s->tlb);
    for (size_t i = 0; i < s->n_tlb; i++) {
        s->tlb[i].member = (lb->is_dynamic ? lb->tlb.slots[i].owner
                            : lb->homes.owner[i]);
        s->tlb[i].load = lb->is_dynamic ? lb->tlb.slots[i].load : 0;
    }
}
