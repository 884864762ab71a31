/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/handle.h"

#include <stdlib.h>
#include "guarded-list.h"
#include "ofproto-bond/owner.h"
#include "odp-util.h"
#include "util.h"

static struct guarded_list dead_bonds
    = GUARDED_OVS_LIST_INITIALIZER(&dead_bonds);
static struct ovs_list leaving = OVS_LIST_INITIALIZER(&leaving);
static struct guarded_list dead_lacps
    = GUARDED_OVS_LIST_INITIALIZER(&dead_lacps);

static void
view_free(struct ob_view *ov)
{
    free(ov->view);
    free(ov->aux);
    free(ov->ofp_port);
    free(ov->odp_port);
    free(ov->priority);
    free(ov);
}

/* Returns OVS's names for the members of 'view'. */
static struct ob_view *
view_wrap(const struct bond *bond, struct bnd_view *view)
{
    const struct ob_owner *o = bond->owner;
    struct ob_view *ov = xzalloc(sizeof *ov);

    ov->view = view;
    ov->aux = xcalloc(view->n_members + 1, sizeof *ov->aux);
    ov->ofp_port = xcalloc(view->n_members + 1, sizeof *ov->ofp_port);
    ov->odp_port = xcalloc(view->n_members + 1, sizeof *ov->odp_port);
    ov->priority = xcalloc(view->n_members + 1, sizeof *ov->priority);
    for (size_t i = 0; i < view->n_members; i++) {
        uint16_t queue_id = view->members[i].queue_id;

        ov->ofp_port[i] = OFPP_NONE;
        ov->odp_port[i] = ODPP_NONE;
        if (queue_id && queue_id < OB_N_QUEUES) {
            ov->priority[i] = bond->priority[queue_id];
        }
        for (size_t j = 0; j < o->n_members; j++) {
            if (o->members[j].id == view->members[i].id) {
                ov->aux[i] = o->members[j].aux;
                ov->ofp_port[i] = o->members[j].ofp_port;
                ov->odp_port[i] = o->members[j].odp_port;
            }
        }
    }
    return ov;
}

void
ob_bond_publish(struct bond *bond, struct bnd_view *view)
{
    struct ob_view *old = ovsrcu_get_protected(struct ob_view *, &bond->view);
    struct ob_view *new = view ? view_wrap(bond, view) : NULL;

    if (bond->fast) {
        /* First, as packets are waiting there. */
        ob_fast_publish(bond->fast, view, new ? new->odp_port : NULL,
                        new ? new->priority : NULL);
    }
    ovsrcu_set(&bond->view, new);
    if (old) {
        ovsrcu_postpone(view_free, old);
    }
}

void
ob_bond_set_fast(struct bond *bond, struct ob_fast *fast)
{
    struct ob_owner *o = bond->owner;

    ovs_mutex_lock(&o->mutex);
    const struct ob_view *ov = ob_bond_view(bond);

    bond->fast = fast;
    if (fast) {
        ob_fast_publish(fast, ov ? ov->view : NULL,
                        ov ? ov->odp_port : NULL,
                        ov ? ov->priority : NULL);
    }
    ovs_mutex_unlock(&o->mutex);
}

void
ob_bond_retire(struct bond *bond)
{
    guarded_list_push_back(&dead_bonds, &bond->reap_node, SIZE_MAX);
    ob_owners_wake();
}

void
ob_lacp_retire(struct lacp *lacp)
{
    guarded_list_push_back(&dead_lacps, &lacp->reap_node, SIZE_MAX);
    ob_owners_wake();
}

static void
bond_free(struct bond *bond)
{
    struct ob_view *ov = ovsrcu_get_protected(struct ob_view *, &bond->view);

    if (ov) {
        view_free(ov);
    }
    ob_inbox_uninit(&bond->inbox);
    ob_sources_uninit(&bond->sources);
    free(bond);
}

static void
lacp_free(struct lacp *lacp)
{
    ob_inbox_uninit(&lacp->inbox);
    free(lacp);
}

bool
ob_handles_reap(void)
{
    bool any = false;
    struct ovs_list list;
    struct bond *bond;
    struct lacp *lacp;

    guarded_list_pop_all(&dead_bonds, &list);
    ovs_list_push_back_all(&leaving, &list);
    LIST_FOR_EACH_SAFE (bond, reap_node, &leaving) {
        if (bond->owner && !ob_owner_finish(bond->owner)) {
            continue;
        }
        ovs_list_remove(&bond->reap_node);
        if (bond->owner) {
            ob_owner_detach_bond(bond->owner);
            any = true;
        }
        /* Some thread may have found it just now (sources.h). */
        ovsrcu_postpone(bond_free, bond);
    }

    guarded_list_pop_all(&dead_lacps, &list);
    LIST_FOR_EACH_POP (lacp, reap_node, &list) {
        if (lacp->owner) {
            ob_owner_detach_lacp(lacp->owner);
            any = true;
        }
        lacp_free(lacp);
    }
    return any;
}
