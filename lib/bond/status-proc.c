/* SPDX-License-Identifier: Apache-2.0 */

/* The text of /proc/net/bonding
 * =============================
 *
 * Scripts read it by its labels, so these are Linux's, and so is the order.
 * Open vSwitch's own modes have long names in the same style.  The block on
 * LACP stands in every bond that speaks it, as modes other than 802.3ad may
 * here.
 *
 * Linux shows a part of it only to the administrator; nobody else can speak to
 * the daemon.
 *
 * We simplify: what LACP of other modes does not have is left out, not made up:
 * the policy by which an aggregator is chosen (ad_select) and the churn
 * machines' lines. */

#include <config.h>
#include "bond/status-text.h"

#include <inttypes.h>
#include <string.h>
#include "openvswitch/dynamic-string.h"
#include "util.h"

#ifndef BND_VERSION
#error "the build defines BND_VERSION"
#endif

/* What a mode is called, and what Linux shows of it. */
static const struct {
    const char *long_name;
    bool one_active;            /* Has one active member, maybe a primary. */
    bool fail_over_mac;         /* The option has an effect. */
} modes[BND_N_MODES] = {
    [BND_MODE_RR] = { "load balancing (round-robin)", false, false },
    [BND_MODE_AB] = { "fault-tolerance (active-backup)", true, true },
    [BND_MODE_XOR] = { "load balancing (xor)", false, false },
    [BND_MODE_BROADCAST] = { "fault-tolerance (broadcast)", false, false },
    [BND_MODE_8023AD] = { "IEEE 802.3ad Dynamic link aggregation", false,
                          false },
    [BND_MODE_TLB] = { "transmit load balancing", true, false },
    [BND_MODE_ALB] = { "adaptive load balancing", true, false },
    [BND_MODE_SLB] = { "load balancing (balance-slb)", true, false },
    [BND_MODE_TCP] = { "load balancing (balance-tcp)", false, false },
};

static const char *
up_down(bool up)
{
    return up ? "up" : "down";
}

static void
put_mac(const char *label, struct eth_addr mac, struct ds *ds)
{
    ds_put_format(ds, "%s: "BND_MAC_FMT"\n", label, BND_MAC_ARGS(mac));
}

static void
format_mode(const struct bnd_status *s, struct ds *ds)
{
    const struct bnd_status_member *active = bnd_status_active(s);

    ds_put_format(ds, "Bonding Mode: %s", modes[s->mode].long_name);
    if (modes[s->mode].fail_over_mac && s->mac_policy
        && strcmp(s->mac_policy, "none")) {
        ds_put_format(ds, " (fail_over_mac %s)", s->mac_policy);
    }
    ds_put_char(ds, '\n');
    if (s->has_policy) {
        ds_put_format(ds, "Transmit Hash Policy: %s (%d)\n",
                      bnd_policy_name(s->policy), s->policy);
    }
    if (modes[s->mode].one_active || s->fallback) {
        if (s->primary_present) {
            ds_put_format(ds, "Primary Slave: %s (primary_reselect %s)\n",
                          s->primary,
                          bnd_status_option(s, "primary-reselect"));
        } else {
            ds_put_cstr(ds, "Primary Slave: None\n");
        }
        ds_put_format(ds, "Currently Active Slave: %s\n",
                      active ? active->name : "None");
    }
}

static void
format_monitor(const struct bnd_status *s, struct ds *ds)
{
    ds_put_format(ds, "MII Status: %s\n", up_down(s->carrier));
    ds_put_format(ds, "MII Polling Interval (ms): %lld\n", s->miimon);
    ds_put_format(ds, "Up Delay (ms): %lld\n", s->updelay);
    ds_put_format(ds, "Down Delay (ms): %lld\n", s->downdelay);
    ds_put_format(ds, "Peer Notification Delay (ms): %lld\n",
                  s->peer_notif_delay);
}

static void
format_member(const struct bnd_status *s, const struct bnd_status_member *m,
              struct ds *ds)
{
    ds_put_format(ds, "\nSlave Interface: %s\n", m->name);
    ds_put_format(ds, "MII Status: %s\n", bnd_link_state_name(m->link));
    if (m->speed_mbps) {
        ds_put_format(ds, "Speed: %"PRIu32" Mbps\n", m->speed_mbps);
    } else {
        ds_put_cstr(ds, "Speed: Unknown\n");
    }
    ds_put_format(ds, "Duplex: %s\n",
                  m->duplex == BND_DUPLEX_UNKNOWN ? "Unknown"
                  : bnd_duplex_name(m->duplex));
    ds_put_format(ds, "Link Failure Count: %"PRIu32"\n", m->n_failures);
    put_mac("Permanent HW addr", m->perm_mac, ds);
    ds_put_format(ds, "Slave queue ID: %u\n", m->options.queue_id);

    if (m->has_lacp) {
        bnd_format_proc_lacp_port(s, &m->lacp, ds);
    }
}

void
bnd_format_proc(const char *name, const struct bnd_status *s,
                const struct bnd_status_extra *x OVS_UNUSED, struct ds *ds)
{
    ds_put_cstr(ds, "Ethernet Channel Bonding Driver: v"BND_VERSION"\n\n");
    format_mode(s, ds);
    format_monitor(s, ds);
    bnd_format_proc_probes(s, ds);
    if (s->has_lacp) {
        bnd_format_proc_lacp(name, s, ds);
    }
    for (size_t i = 0; i < s->n_members; i++) {
        format_member(s, &s->members[i], ds);
    }
}
