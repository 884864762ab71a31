/* SPDX-License-Identifier: Apache-2.0 */

/* What a bond is told: settings and events.  They become
 * facts; the pass, in bond.c, decides. */

#include <config.h>
#include "bond/bond.h"

#include <stdlib.h>
#include <string.h>
#include "bond/bond-private.h"
#include "monitor/link.h"
#include "util.h"

/* Configuration. */

void
bnd_reconfigure(struct bnd_bond *b, const struct bnd_settings *settings,
                long long int now, struct bnd_effects *fx)
{
    bnd_advance(b, now);
    bnd_links_before(b, now);
    b->settled = false;
    b->bonded = settings != NULL;
    if (!settings) {
        bnd_mii_set_interval(&b->mii, 0, now);
        bnd_probes_configure(b, now);
        /* Where there is no bond there is no view; the next one is new. */
        free(b->view);
        b->view = NULL;
        bnd_fx_simple(fx, BND_FX_VIEW);
        return;
    }

    enum bnd_apply apply = bnd_settings_diff(&b->settings, settings);
    bnd_active_reconfigure(b, settings);
    bnd_settings_uninit(&b->settings);
    bnd_settings_clone(&b->settings, settings);
    bnd_mii_set_interval(&b->mii, bnd_settings_num(settings, BND_OPT_MIIMON),
                         now);
    bnd_probes_configure(b, now);

    const struct bnd_member **present = xcalloc(b->n_members + 1,
                                                sizeof *present);
    const struct bnd_mode_class *class
        = bnd_policy_get(bnd_settings_mode(settings));
    struct bnd_pass pass;

    bnd_make_pass(b, now, present, &pass);
    if (class != b->class
        || (apply != BND_APPLY_NONE && class->reconfigure
            && !class->reconfigure(b->priv, &pass))) {
        b->retell |= (b->class && b->class->traits & BND_MT_HOST_ARP
                      && b->was_bonded);
        bnd_drop_class(b);
        b->class = class;
        b->priv = xzalloc(class->priv_size + 1);
        if (class->init) {
            class->init(b->priv, &pass);
        }
    }
    if (apply != BND_APPLY_NONE) {
        bnd_fx_simple(fx, BND_FX_STATUS);
    }
    bnd_lacp_reconfigure(b, now);
    free(present);
}

void
bnd_set_sticky(struct bnd_bond *b, struct eth_addr mac)
{
    b->sticky = mac;
}

/* Events. */

/* Puts 'm' at the end of the list.  Members that join between two passes, as
 * those of one configuration do, come in whatever order OVSDB kept its set in;
 * among themselves they go by name. */
static void
list_member(struct bnd_bond *b, struct bnd_member *m)
{
    size_t i = b->n_members;

    b->members = xrealloc(b->members,
                          (b->n_members + 1) * sizeof *b->members);
    for (; i > b->n_joined
         && bnd_compare_names(b->members[i - 1]->name, m->name) > 0; i--) {
        b->members[i] = b->members[i - 1];
    }
    b->members[i] = m;
    b->n_members++;
}

/* Takes note of what the device of 'm' says. */
static void
take_facts(struct bnd_member *m, const struct bnd_facts *facts)
{
    m->mac = facts->mac;
    m->carrier = facts->carrier;
    m->speed_lost = facts->speed_lost;
    m->told_mbps = facts->speed_mbps;
    m->told_duplex = facts->duplex;
    /* A link that is down has no speed, which is no reason to forget. */
    if (facts->speed_mbps) {
        m->speed_mbps = facts->speed_mbps;
    }
    if (facts->duplex != BND_DUPLEX_UNKNOWN) {
        m->duplex = facts->duplex;
    }
}

/* A member joins, or comes back from being only remembered. */
static void
event_member_add(struct bnd_bond *b, const struct bnd_event *e,
                 long long int now)
{
    struct bnd_member *m = bnd_find_member(b, e->id);

    if (!m) {
        m = xzalloc(sizeof *m);
        m->id = e->id;
        m->name = xstrdup(e->add.name);
        list_member(b, m);
    }
    m->present = true;
    bnd_address_event(b, m, e, NULL);
    take_facts(m, &e->add.facts);
    m->may_enable = true;
    bnd_links_join(b, m);
    bnd_probes_join(b, m, now);
    bnd_active_joined(b, m);
    if (b->lacp) {
        bnd_lacp_port_set_mac(b->lacp, m->id, m->mac);
        bnd_lacp_port_set_carrier(b->lacp, m->id, m->carrier, now);
    }
}

/* A member leaves for good, or, with 'remember', loses its port only. */
static void
event_member_del(struct bnd_bond *b, struct bnd_member *m, bool remember,
                 long long int now, struct bnd_effects *fx)
{
    if (b->lacp) {
        bnd_lacp_port_del(b->lacp, m->id, now, fx);
    }
    b->lost |= m->enabled;
    bnd_probes_leave(b, m);
    if (remember) {
        m->present = false;
        return;
    }

    for (size_t i = 0; i < b->n_members; i++) {
        if (b->members[i] == m) {
            memmove(&b->members[i], &b->members[i + 1],
                    (b->n_members - i - 1) * sizeof *b->members);
            b->n_members--;
            b->n_joined -= i < b->n_joined;
            break;
        }
    }
    bnd_member_destroy(m);
}

static void
event_link(struct bnd_bond *b, struct bnd_member *m,
           const struct bnd_event *e, long long int now,
           struct bnd_effects *fx)
{
    const struct bnd_facts *facts = &e->link.facts;
    bool lacp = b->lacp && bnd_lacp_has_port(b->lacp, m->id);

    bnd_address_event(b, m, e, fx);
    if (m->id == b->active) {
        b->sticky = m->perm_mac;
    }
    if (lacp && memcmp(&m->mac, &facts->mac, sizeof m->mac)) {
        bnd_lacp_port_set_mac(b->lacp, m->id, facts->mac);
    }
    if (lacp && e->link.reset && !bnd_has_mii(b)) {
        /* As in Open vSwitch, not for a device that merely is set down. */
        bnd_lacp_port_carrier_changed(b->lacp, m->id, now);
    }
    if (lacp && (e->link.reset || facts->carrier)) {
        bnd_lacp_port_set_carrier(b->lacp, m->id, facts->carrier, now);
    }
    if (e->link.reset && facts->carrier && m->carrier && !b->lacp
        && !bnd_has_mii(b)) {
        /* The link was lost and is back: its delays start anew. */
        m->good = false;
        bnd_link_step(m, 0, bnd_settings_num(&b->settings, BND_OPT_DOWNDELAY),
                      now, fx);
    }
    take_facts(m, facts);
}

/* Does 'e' only tell what a later tick will look at? */
static bool
is_quiet(const struct bnd_event *e)
{
    struct bnd_cursor c;

    if (e->type != BND_EV_FRAME_RX) {
        return e->type == BND_EV_COUNTERS;
    }
    c = bnd_cursor(e->frame.data, e->frame.len);
    return bnd_eth_decode(&c).type != BND_ETH_TYPE_SLOW && !c.bad;
}

static void
event_mode(struct bnd_bond *b, const struct bnd_event *e)
{
    if (b->class && b->class->event) {
        b->class->event(b->priv, e);
    }
}

static void
event_frame(struct bnd_bond *b, struct bnd_member *m,
            const struct bnd_event *e, long long int now,
            struct bnd_effects *fx)
{
    enum bnd_drop_reason reason;

    if (is_quiet(e)) {
        bnd_probes_event(b, m, e, now);
        event_mode(b, e);
        return;
    }
    reason = (b->lacp && bnd_lacp_has_port(b->lacp, m->id)
              ? bnd_lacp_receive(b->lacp, m->id, e->frame.data, e->frame.len,
                                 e->frame.arrival, now, fx)
              : BND_DROP_NO_MEMBER);
    /* A port that is just being set up or taken down is no fault. */
    if (reason != BND_DROP_NONE && reason != BND_DROP_DISABLED) {
        bnd_fx_trace(fx, BND_TRACE_BAD_FRAME, now, m->id, m->name)->reason
            = reason;
    }
}

static void
event_set(struct bnd_bond *b, struct bnd_member *m,
          const struct bnd_member_options *options, long long int now,
          struct bnd_effects *fx)
{
    bool prio = m->options.prio != options->prio;
    enum bnd_admin admin = m->options.admin;

    m->options = *options;
    if (prio) {
        bnd_active_prio_changed(b);
    }
    if (admin != options->admin) {
        bnd_admin_changed(b, m, admin, now, fx);
    }
}

void
bnd_event(struct bnd_bond *b, const struct bnd_event *e, long long int now,
          struct bnd_effects *fx)
{
    struct bnd_member *m = bnd_find_member(b, e->id);

    bnd_advance(b, now);
    if (!is_quiet(e)) {
        bnd_links_before(b, now);
        b->settled = false;
    }
    if (!m && e->type != BND_EV_MEMBER_ADD && e->type != BND_EV_TX_BYTES
        && e->type != BND_EV_HOST_ARP
        && (e->type != BND_EV_SET_ACTIVE || e->id)) {
        return;
    }

    switch (e->type) {
    case BND_EV_MEMBER_ADD:
        event_member_add(b, e, now);
        break;

    case BND_EV_MEMBER_DEL:
        if (!e->del.remember && !e->del.bond_goes) {
            bnd_address_event(b, m, e, fx);
        }
        event_member_del(b, m, e->del.remember, now, fx);
        break;

    case BND_EV_LINK:
        event_link(b, m, e, now, fx);
        break;

    case BND_EV_MEMBER_SET:
        event_set(b, m, &e->set, now, fx);
        break;

    case BND_EV_MAC_REFUSED:
        bnd_address_event(b, m, e, fx);
        break;

    case BND_EV_MAY_ENABLE:
        m->may_enable = e->on;
        break;

    case BND_EV_FRAME_RX:
        event_frame(b, m, e, now, fx);
        break;

    case BND_EV_FORCE:
        bnd_link_init(&m->link, e->on);
        bnd_probes_force(b, m, e->on, now);
        break;

    case BND_EV_SET_ACTIVE:
        bnd_order_active(b, e->id, now, fx);
        break;

    case BND_EV_MIGRATE:
        if (m->enabled && m->present
            && e->slot >= 0 && e->slot < BND_N_SLOTS) {
            event_mode(b, e);
        }
        break;

    case BND_EV_COUNTERS:
        bnd_probes_event(b, m, e, now);
        break;

    case BND_EV_HOST_ARP:
    case BND_EV_TX_BYTES:
        event_mode(b, e);
        break;

    case BND_N_EVENTS:
    default:
        OVS_NOT_REACHED();
    }
}
