/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "core/trace.h"

#include <inttypes.h>
#include "openvswitch/dynamic-string.h"
#include "util.h"

enum bnd_trace_level
bnd_trace_level(enum bnd_trace_type type)
{
    switch (type) {
#define BND_TRACE(ENUM, LEVEL) \
    case BND_TRACE_##ENUM: return BND_TRACE_##LEVEL;
    BND_TRACES
#undef BND_TRACE
    case BND_N_TRACES:
    default:
        OVS_NOT_REACHED();
    }
}

const char *
bnd_trace_type_name(enum bnd_trace_type type)
{
    switch (type) {
#define BND_TRACE(ENUM, LEVEL) case BND_TRACE_##ENUM: return #ENUM;
    BND_TRACES
#undef BND_TRACE
    case BND_N_TRACES:
    default:
        OVS_NOT_REACHED();
    }
}

static const char *
on_off(const struct bnd_trace *t, const char *on, const char *off)
{
    return t->on ? on : off;
}

/* The records that are about LACP. */
static void
format_lacp(const struct bnd_trace *t, const char *bond, const char *member,
            struct ds *ds)
{
    switch (t->type) {
    case BND_TRACE_FSM:
        ds_put_format(ds, "bond %s: member %s: %s machine: %s -> %s",
                      bond, member, t->machine, t->from, t->to);
        break;

    case BND_TRACE_LACP_STATUS:
        ds_put_format(ds, "bond %s: LACP status: %s -> %s",
                      bond, t->from, t->to);
        break;

    case BND_TRACE_LOOPBACK:
        ds_put_format(ds, "bond %s: member %s: LACPDUs come back to the "
                      "system that sent them; is the member connected to "
                      "its own bond?", bond, member);
        break;

    case BND_TRACE_SILENT:
        ds_put_format(ds, "bond %s: member %s: no LACPDU from the partner for "
                      "%lld ms", bond, member, t->ms);
        break;

    case BND_TRACE_OVERDUE:
        ds_put_format(ds, "bond %s: member %s: no LACPDU was sent for %lld "
                      "ms, which is close to the partner's timeout", bond,
                      member, t->ms);
        break;

    case BND_TRACE_RESTORED:
        ds_put_format(ds, "bond %s: member %s: LACP %s%s", bond, member,
                      on_off(t, "goes on as before the restart",
                             "begins anew after the restart: "),
                      on_off(t, "", t->to));
        break;

    case BND_TRACE_IN_TIME:
        ds_put_format(ds, "bond %s: member %s: LACPDUs are in time again",
                      bond, member);
        break;

    case BND_TRACE_AGGREGATOR:
        if (t->slot) {
            ds_put_format(ds, "bond %s: aggregator %d is now in use%s", bond,
                          t->slot, on_off(t, "", ", without a partner that "
                                          "speaks LACP"));
        } else {
            ds_put_format(ds, "bond %s: no aggregator is in use", bond);
        }
        break;

    case BND_TRACE_FALLBACK:
        ds_put_format(ds, "bond %s: LACP fallback: %s", bond, t->to);
        break;

    case BND_TRACE_BAD_FRAME:
        ds_put_format(ds, "bond %s: member %s: received slow protocol frame "
                      "dropped: %s", bond, member,
                      bnd_drop_reason_name(t->reason));
        break;

    case BND_TRACE_LINK:
    case BND_TRACE_LINK_DELAY:
    case BND_TRACE_LINK_RELAPSE:
    case BND_TRACE_NO_SPEED:
    case BND_TRACE_ADMIN:
    case BND_TRACE_REFUSED:
    case BND_TRACE_ENABLED:
    case BND_TRACE_ACTIVE:
    case BND_TRACE_NO_ACTIVE:
    case BND_TRACE_BOND_MAC:
    case BND_TRACE_MAC_REFUSED:
    case BND_TRACE_MAC_FOREIGN:
    case BND_TRACE_MAC_FORCED:
    case BND_TRACE_MAC_KEPT:
    case BND_TRACE_SHIFT:
    case BND_N_TRACES:
    default:
        OVS_NOT_REACHED();
    }
}

/* The records that are about Ethernet addresses. */
static void
format_mac(const struct bnd_trace *t, const char *bond, const char *member,
           struct ds *ds)
{
    switch (t->type) {
    case BND_TRACE_BOND_MAC:
        ds_put_format(ds, "bond %s: address is now "BND_MAC_FMT, bond,
                      BND_MAC_ARGS(t->mac));
        break;

    case BND_TRACE_MAC_REFUSED:
        ds_put_format(ds, "bond %s: member %s: cannot be given the address "
                      BND_MAC_FMT, bond, member, BND_MAC_ARGS(t->mac));
        break;

    case BND_TRACE_MAC_FOREIGN:
        ds_put_format(ds, "bond %s: member %s: address was changed from "
                      "outside to "BND_MAC_FMT", which is left as it is",
                      bond, member, BND_MAC_ARGS(t->mac));
        break;

    case BND_TRACE_MAC_FORCED:
        ds_put_format(ds, "bond %s: fail-over-mac: \"active\" is in force, as "
                      "the first member, %s, cannot change its address",
                      bond, member);
        break;

    case BND_TRACE_MAC_KEPT:
        ds_put_format(ds, "bond %s: keeps the address "BND_MAC_FMT" although "
                      "it is that of %s, which is no member any more",
                      bond, BND_MAC_ARGS(t->mac), member);
        break;

    case BND_TRACE_LINK:
    case BND_TRACE_LINK_DELAY:
    case BND_TRACE_LINK_RELAPSE:
    case BND_TRACE_NO_SPEED:
    case BND_TRACE_ADMIN:
    case BND_TRACE_REFUSED:
    case BND_TRACE_ENABLED:
    case BND_TRACE_ACTIVE:
    case BND_TRACE_NO_ACTIVE:
    case BND_TRACE_SHIFT:
    case BND_TRACE_FSM:
    case BND_TRACE_LACP_STATUS:
    case BND_TRACE_AGGREGATOR:
    case BND_TRACE_FALLBACK:
    case BND_TRACE_LOOPBACK:
    case BND_TRACE_SILENT:
    case BND_TRACE_OVERDUE:
    case BND_TRACE_IN_TIME:
    case BND_TRACE_RESTORED:
    case BND_TRACE_BAD_FRAME:
    case BND_N_TRACES:
    default:
        OVS_NOT_REACHED();
    }
}

void
bnd_trace_format(const struct bnd_trace *t, const char *bond, struct ds *ds)
{
    const char *member = t->member ? t->member : "<none>";

    switch (t->type) {
    case BND_TRACE_LINK:
        ds_put_format(ds, "member %s: link state %s", member,
                      on_off(t, "up", "down"));
        break;

    case BND_TRACE_LINK_DELAY:
        ds_put_format(ds, "member %s: will be %s if it stays %s for %lld ms",
                      member, on_off(t, "enabled", "disabled"),
                      on_off(t, "up", "down"), t->ms);
        break;

    case BND_TRACE_LINK_RELAPSE:
        ds_put_format(ds, "member %s: will not be %s", member,
                      on_off(t, "enabled", "disabled"));
        break;

    case BND_TRACE_NO_SPEED:
        ds_put_format(ds, "member %s: the link is up, but the device does not "
                      "tell its speed; it cannot be used", member);
        break;

    case BND_TRACE_ADMIN:
        ds_put_format(ds, "member %s: bond-admin: ", member);
        if (t->ms) {
            ds_put_format(ds, "drains, out of use in %lld ms", t->ms);
        } else {
            ds_put_cstr(ds, on_off(t, "may be used again", "out of use"));
        }
        break;

    case BND_TRACE_REFUSED:
        ds_put_format(ds, "bond %s: active-slave: \"%s\": %s", bond, member,
                      t->to);
        break;

    case BND_TRACE_ENABLED:
        ds_put_format(ds, "member %s: %s", member,
                      on_off(t, "enabled", "disabled"));
        break;

    case BND_TRACE_ACTIVE:
        ds_put_format(ds, "bond %s: active member is now %s", bond, member);
        if (t->ms > 0) {
            ds_put_format(ds, ", the remaining updelay of %lld ms is skipped "
                          "as no other member is up", t->ms);
        }
        break;

    case BND_TRACE_NO_ACTIVE:
        ds_put_format(ds, "bond %s: all members disabled", bond);
        break;

    case BND_TRACE_SHIFT:
        ds_put_format(ds, "bond %s: hash %d with %"PRIu64" kB of load moves "
                      "from %s to %s", bond, t->slot, t->bytes / 1024,
                      member, t->peer ? t->peer : "<none>");
        break;

    case BND_TRACE_FSM:
    case BND_TRACE_LACP_STATUS:
    case BND_TRACE_AGGREGATOR:
    case BND_TRACE_FALLBACK:
    case BND_TRACE_LOOPBACK:
    case BND_TRACE_SILENT:
    case BND_TRACE_OVERDUE:
    case BND_TRACE_IN_TIME:
    case BND_TRACE_RESTORED:
    case BND_TRACE_BAD_FRAME:
        format_lacp(t, bond, member, ds);
        break;

    case BND_TRACE_BOND_MAC:
    case BND_TRACE_MAC_REFUSED:
    case BND_TRACE_MAC_FOREIGN:
    case BND_TRACE_MAC_FORCED:
    case BND_TRACE_MAC_KEPT:
        format_mac(t, bond, member, ds);
        break;

    case BND_N_TRACES:
    default:
        OVS_NOT_REACHED();
    }
}
