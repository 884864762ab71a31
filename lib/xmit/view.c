/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "xmit/view.h"

#include <string.h>
#include "util.h"

static size_t
view_size(size_t n_members)
{
    return (sizeof(struct bnd_view)
            + n_members * sizeof(struct bnd_view_member));
}

struct bnd_view *
bnd_view_new(size_t n_members)
{
    ovs_assert(n_members <= BND_VIEW_MAX);

    struct bnd_view *view = xzalloc(view_size(n_members));
    view->active = view->next_active = BND_VIEW_NONE;
    view->n_members = n_members;
    memset(view->slots, BND_VIEW_NONE, sizeof view->slots);
    memset(view->backup, BND_VIEW_NONE, sizeof view->backup);
    memset(view->host_slots, BND_VIEW_NONE, sizeof view->host_slots);
    memset(view->host_backup, BND_VIEW_NONE, sizeof view->host_backup);
    return view;
}

size_t
bnd_view_size(const struct bnd_view *view)
{
    return view_size(view->n_members);
}

bool
bnd_view_equal(const struct bnd_view *a, const struct bnd_view *b)
{
    return (a->n_members == b->n_members
            && !memcmp(a, b, bnd_view_size(a)));
}

/* The same as far as the host's frames go, which flows tell from others. */
static bool
same_host_flows(const struct bnd_view *a, const struct bnd_view *b)
{
    if (memcmp(&a->host_mac, &b->host_mac, sizeof a->host_mac)
        || a->lb_rule != b->lb_rule || a->take_arp != b->take_arp
        || a->take_nd != b->take_nd) {
        return false;
    }
    for (size_t i = 0; i < a->n_members; i++) {
        const struct bnd_view_member *x = &a->members[i];
        const struct bnd_view_member *y = &b->members[i];

        if (x->admit_host != y->admit_host
            || memcmp(&x->mac, &y->mac, sizeof x->mac)
            || memcmp(&x->perm_mac, &y->perm_mac, sizeof x->perm_mac)) {
            return false;
        }
    }
    return true;
}

bool
bnd_view_same_flows(const struct bnd_view *a, const struct bnd_view *b)
{
    if (a->n_members != b->n_members || a->blocked != b->blocked
        || a->xmit != b->xmit || a->lb != b->lb || a->watch != b->watch
        || (a->active == BND_VIEW_NONE) != (b->active == BND_VIEW_NONE)) {
        return false;
    }
    for (size_t i = 0; i < a->n_members; i++) {
        if (a->members[i].id != b->members[i].id
            || a->members[i].admit_unicast != b->members[i].admit_unicast
            || (a->members[i].admit_multicast
                != b->members[i].admit_multicast)
            || (a->members[i].admit_broadcast
                != b->members[i].admit_broadcast)) {
            return false;
        }
    }
    return same_host_flows(a, b);
}

uint8_t
bnd_view_index(const struct bnd_view *view, bnd_id id)
{
    for (size_t i = 0; i < view->n_members; i++) {
        if (view->members[i].id == id) {
            return i;
        }
    }
    return BND_VIEW_NONE;
}
