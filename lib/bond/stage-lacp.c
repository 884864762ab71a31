/* SPDX-License-Identifier: Apache-2.0 */

/* Stage 4 of a pass: LACP.  What it is told comes from two sides: Open vSwitch
 * configures it by columns and keys of its own, and the bond's options, where
 * they are given, come before that.  In a mode that asks for it the standard's
 * flavour takes the place of Open vSwitch's, with the defaults of Linux. */

#include <config.h>
#include "bond/bond-private.h"

#include "monitor/link.h"
#include "util.h"
#include "wire/eth.h"

/* Where Linux has a default of its own, Open vSwitch's means nothing; this is
 * the priority of a system with bonds. */
#define STOCK_SYSTEM_PRIORITY 65534

/* Puts in '*c' what only the standard's flavour knows. */
static void
configure_standard(const struct bnd_settings *s, struct bnd_lacp_config *c)
{
    c->flavour = BND_LACP_FLAVOUR_STANDARD;
    if (!c->system_priority || c->system_priority == STOCK_SYSTEM_PRIORITY) {
        c->system_priority = UINT16_MAX;
    }
    c->select = bnd_settings_num(s, BND_OPT_AD_SELECT);
    c->coupled = bnd_settings_num(s, BND_OPT_COUPLED);
    c->strict = bnd_settings_num(s, BND_OPT_LACP_STRICT);
    c->min_links = bnd_settings_num(s, BND_OPT_MIN_LINKS);
    c->max_links = bnd_settings_num(s, BND_OPT_MAX_LINKS);
    c->user_key = bnd_settings_num(s, BND_OPT_AD_USER_KEY);
    c->fallback_kind = bnd_settings_num(s, BND_OPT_LACP_FALLBACK);
    c->fallback_timeout = bnd_settings_num(s, BND_OPT_LACP_FALLBACK_TIMEOUT);
    if (bnd_settings_is_given(s, BND_OPT_LACP_FALLBACK)) {
        c->fallback = false;
    }
}

void
bnd_lacp_overlay(const struct bnd_settings *s, struct bnd_lacp_config *c)
{
    struct eth_addr system;

    if (bnd_policy_get(bnd_settings_mode(s))->traits & BND_MT_AGGREGATORS) {
        configure_standard(s, c);
    }
    if (bnd_settings_is_given(s, BND_OPT_LACP_RATE)) {
        c->fast = bnd_settings_num(s, BND_OPT_LACP_RATE);
    }
    if (bnd_settings_is_given(s, BND_OPT_LACP_ACTIVE)) {
        c->active = bnd_settings_num(s, BND_OPT_LACP_ACTIVE);
    }
    if (bnd_settings_is_given(s, BND_OPT_AD_SYS_PRIO)) {
        c->system_priority = bnd_settings_num(s, BND_OPT_AD_SYS_PRIO);
    }
    if (bnd_settings_mac(s, BND_OPT_AD_SYSTEM, &system)
        && !bnd_eth_addr_is_zero(system)) {
        c->system = system;
    }
}

/* What is in force, of what 'b' was told by Open vSwitch and by options.  Where
 * there is no bond the former has all. */
static struct bnd_lacp_config
effective_config(const struct bnd_bond *b)
{
    struct bnd_lacp_config c = b->lacp_told;

    if (b->bonded) {
        bnd_lacp_overlay(&b->settings, &c);
    }
    return c;
}

void
bnd_lacp_reconfigure(struct bnd_bond *b, long long int now)
{
    if (b->lacp) {
        b->lacp_config = effective_config(b);
        bnd_lacp_configure(b->lacp, &b->lacp_config, now);
    }
}

void
bnd_set_lacp(struct bnd_bond *b, const struct bnd_lacp_config *config,
             long long int now)
{
    bnd_advance(b, now);
    bnd_links_before(b, now);
    b->settled = false;
    if (!config) {
        bnd_lacp_destroy(b->lacp);
        b->lacp = NULL;
        return;
    }
    b->lacp_told = *config;
    if (!b->lacp) {
        b->lacp_config = effective_config(b);
        b->lacp = bnd_lacp_create(&b->lacp_config, now);
    } else {
        bnd_lacp_reconfigure(b, now);
    }
}

void
bnd_set_lacp_port(struct bnd_bond *b, bnd_id id,
                  const struct bnd_lacp_port_config *config,
                  long long int now, struct bnd_effects *fx)
{
    struct bnd_member *m = bnd_find_member(b, id);

    bnd_advance(b, now);
    b->settled = false;
    if (!b->lacp || !m) {
        return;
    }
    if (config) {
        bool new = !bnd_lacp_has_port(b->lacp, id);

        bnd_lacp_port_set(b->lacp, id, m->name, config, now);
        bnd_lacp_port_set_mac(b->lacp, id, m->mac);
        if (new) {
            bnd_lacp_port_set_carrier(b->lacp, id, m->carrier, now);
            bnd_saved_port(b, m, now);
        }
    } else {
        bnd_lacp_port_del(b->lacp, id, now, fx);
    }
}

/* The stage. */

static bool
is_standard(const struct bnd_bond *b)
{
    return b->lacp_config.flavour == BND_LACP_FLAVOUR_STANDARD;
}

/* Does the port of 'm' speak LACP?  As in Open vSwitch as long as it is there,
 * with or without carrier, a change of which makes it doubt its partner; with
 * the MII monitor or the standard's flavour, as in Linux, as long as the
 * monitor believes in the link.  Probes have no say, as where LACP is needed
 * nothing answers them without it. */
static bool
speaks_lacp(const struct bnd_bond *b, const struct bnd_member *m)
{
    return (m->present
            && ((!bnd_has_mii(b) && !is_standard(b))
                || (bnd_probes_say(b, m) ? m->carrier
                    : bnd_link_is_enabled(&m->link))));
}

static void
tell_lacp(struct bnd_bond *b, long long int now)
{
    for (size_t i = 0; i < b->n_members; i++) {
        struct bnd_member *m = b->members[i];

        bnd_lacp_port_set_priority(b->lacp, m->id, m->options.actor_port_prio,
                                   now);
        if (is_standard(b)) {
            bnd_lacp_port_set_carrier(b->lacp, m->id,
                                      m->present && m->carrier, now);
            bnd_lacp_port_set_link(b->lacp, m->id, m->speed_mbps, m->duplex,
                                   now);
        }
        bnd_lacp_port_set_enabled(b->lacp, m->id, speaks_lacp(b, m), now);
    }
}

static void
ask_lacp(struct bnd_bond *b, struct bnd_member *m, struct bnd_effects *fx)
{
    bool ok = !b->lacp || bnd_lacp_port_may_enable(b->lacp, m->id);
    bool rx = !b->lacp || bnd_lacp_port_may_collect(b->lacp, m->id);
    bool current = b->lacp && bnd_lacp_port_is_current(b->lacp, m->id);

    m->lacp_rx = rx;
    if (ok != m->lacp_ok || current != m->lacp_current) {
        m->lacp_ok = ok;
        m->lacp_current = current;
        if (b->lacp) {
            bnd_fx_enable(fx, m->id, ok);
        }
    }
}

void
bnd_stage_lacp(struct bnd_bond *b, long long int now, struct bnd_effects *fx)
{
    enum bnd_lacp_status old = b->lacp_status;

    if (b->lacp) {
        tell_lacp(b, now);
        bnd_lacp_run(b->lacp, now, fx);
    }
    b->lacp_status = b->lacp ? bnd_lacp_get_status(b->lacp) : BND_LACP_OFF;
    b->lacp_fallback = (b->lacp ? bnd_lacp_get_fallback(b->lacp)
                        : BND_LACP_FB_NONE);
    b->lacp_carrier = b->lacp && bnd_lacp_has_carrier(b->lacp);
    for (size_t i = 0; i < b->n_members; i++) {
        ask_lacp(b, b->members[i], fx);
    }
    if (old != b->lacp_status) {
        struct bnd_trace *t = bnd_fx_trace(fx, BND_TRACE_LACP_STATUS, now,
                                           BND_NO_MEMBER, NULL);
        t->from = bnd_lacp_status_name(old);
        t->to = bnd_lacp_status_name(b->lacp_status);
    }
}
