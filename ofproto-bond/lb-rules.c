/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/lb-rules.h"

#include <stdlib.h>
#include "ofproto/ofproto-dpif.h"
#include "ofproto/ofproto-dpif-rid.h"
#include "ofproto-bond/attach.h"
#include "ofproto-bond/handle.h"
#include "packets.h"
#include "util.h"

/* The rule of one member. */
struct lb_rule {
    bnd_id member;
    const void *port;           /* OVS's struct ofport_dpif... */
    ofp_port_t ofp_port;        /* ...with this number... */
    struct eth_addr mac;        /* ...and what is sent by it has this. */
    uint32_t id;                /* Of recirculation; 0: out of use. */
};

/* Immutable once it can be found. */
struct ob_lb_rules {
    size_t n;
    struct lb_rule rules[];
};

static const struct lb_rule *
find(const struct ob_lb_rules *rules, bnd_id member)
{
    for (size_t i = 0; rules && i < rules->n; i++) {
        if (rules->rules[i].member == member) {
            return &rules->rules[i];
        }
    }
    return NULL;
}

/* Makes '*rule' stand in place of 'old', which may be null, under the same
 * id. */
static void
install(struct ofproto_dpif *ofproto, struct lb_rule *rule,
        const struct lb_rule *old)
{
    bool stood = old && old->id;

    rule->id = stood ? old->id : recirc_alloc_id(ofproto);
    if (!rule->id || (stood && old->ofp_port == rule->ofp_port
                      && eth_addr_equals(old->mac, rule->mac))) {
        return;
    }
    if (!ob_attach_set_source_rule(ofproto, rule->id, rule->mac,
                                   rule->ofp_port)) {
        if (!stood) {
            recirc_free_id(rule->id);   /* Else drop() does. */
        }
        rule->id = 0;
    }
}

/* Returns the rules for 'ov', made to stand; those that are in 'old', too,
 * keep their ids. */
static struct ob_lb_rules *
make(struct ofproto_dpif *ofproto, const struct ob_view *ov,
     const struct ob_lb_rules *old)
{
    size_t n = ov->view->n_members;
    struct ob_lb_rules *new = xzalloc(sizeof *new + n * sizeof new->rules[0]);

    for (size_t i = 0; i < n; i++) {
        const struct bnd_view_member *vm = &ov->view->members[i];

        if (ov->aux[i] && ov->ofp_port[i] != OFPP_NONE) {
            struct lb_rule *rule = &new->rules[new->n++];

            rule->member = vm->id;
            rule->port = ov->aux[i];
            rule->ofp_port = ov->ofp_port[i];
            rule->mac = vm->mac;
            install(ofproto, rule, find(old, vm->id));
        }
    }
    return new;
}

/* Removes those of 'old' that 'new' (may be null) does not have. */
static void
drop(struct ofproto_dpif *ofproto, const struct ob_lb_rules *old,
     const struct ob_lb_rules *new, bool exists)
{
    for (size_t i = 0; old && i < old->n; i++) {
        const struct lb_rule *rule = &old->rules[i];
        const struct lb_rule *kept = find(new, rule->member);

        if (rule->id && !(kept && kept->id == rule->id)) {
            if (exists) {
                ob_attach_delete_flood_rule(ofproto, rule->id);
            }
            recirc_free_id(rule->id);
        }
    }
}

static bool
equal(const struct ob_lb_rules *a, const struct ob_lb_rules *b)
{
    if (!a || !b || a->n != b->n) {
        return a == b;
    }
    for (size_t i = 0; i < a->n; i++) {
        const struct lb_rule *x = &a->rules[i], *y = &b->rules[i];

        if (x->member != y->member || x->port != y->port
            || x->ofp_port != y->ofp_port || x->id != y->id
            || !eth_addr_equals(x->mac, y->mac)) {
            return false;
        }
    }
    return true;
}

bool
ob_lb_rules_update(struct bond *bond, struct ofproto_dpif *ofproto,
                   bool wanted, bool exists)
{
    struct ob_lb_rules *old = ovsrcu_get_protected(struct ob_lb_rules *,
                                                   &bond->lb_rules);
    const struct ob_view *ov = ob_bond_view(bond);
    struct ob_lb_rules *new = NULL;

    if (!old && !wanted) {
        return false;
    }
    if (wanted && exists && ov) {
        new = make(ofproto, ov, old);
    }
    if (equal(old, new)) {
        free(new);
        return false;
    }
    ovsrcu_set(&bond->lb_rules, new);
    drop(ofproto, old, new, exists);
    ovsrcu_postpone(free, old);
    return true;
}

uint32_t
ob_lb_rules_id(const struct bond *bond, const void *port, struct eth_addr mac)
{
    const struct ob_lb_rules *rules = ovsrcu_get(struct ob_lb_rules *,
                                                 &bond->lb_rules);

    for (size_t i = 0; rules && i < rules->n; i++) {
        const struct lb_rule *rule = &rules->rules[i];

        if (rule->port == port && eth_addr_equals(rule->mac, mac)) {
            return rule->id;
        }
    }
    return 0;
}
