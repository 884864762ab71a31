/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "core/effects.h"

#include <stdlib.h>
#include <string.h>
#include "openvswitch/dynamic-string.h"
#include "util.h"

static const char *const effect_names[] = {
#define BND_EFFECT(ENUM, NAME) [BND_FX_##ENUM] = NAME,
    BND_EFFECTS
#undef BND_EFFECT
};

const char *
bnd_effect_name(enum bnd_effect_type type)
{
    ovs_assert(type < BND_N_FX);
    return effect_names[type];
}

void
bnd_effects_init(struct bnd_effects *q)
{
    memset(q, 0, sizeof *q);
}

static void
effect_uninit(struct bnd_effect *e)
{
    switch (e->type) {
    case BND_FX_FRAME_TX:
        free(e->frame.data);
        break;

    case BND_FX_TRACE:
        free(e->trace.member);
        free(e->trace.peer);
        break;

    case BND_FX_VIEW:
    case BND_FX_MEMBER_ENABLE:
    case BND_FX_REVALIDATE:
    case BND_FX_WANT_ADDRS:
    case BND_FX_NOTIFY_PEERS:
    case BND_FX_RESEND_IGMP:
    case BND_FX_SET_MAC:
    case BND_FX_BOND_MAC:
    case BND_FX_ACTIVE:
    case BND_FX_STATUS:
        break;

    case BND_N_FX:
    default:
        OVS_NOT_REACHED();
    }
}

void
bnd_effects_clear(struct bnd_effects *q)
{
    for (size_t i = 0; i < q->n; i++) {
        effect_uninit(&q->fx[i]);
    }
    q->n = 0;
}

void
bnd_effects_uninit(struct bnd_effects *q)
{
    bnd_effects_clear(q);
    free(q->fx);
    bnd_effects_init(q);
}

bool
bnd_effects_has(const struct bnd_effects *q, enum bnd_effect_type type)
{
    for (size_t i = 0; i < q->n; i++) {
        if (q->fx[i].type == type) {
            return true;
        }
    }
    return false;
}

static struct bnd_effect *
append(struct bnd_effects *q, enum bnd_effect_type type)
{
    if (q->n >= q->allocated) {
        q->fx = x2nrealloc(q->fx, &q->allocated, sizeof *q->fx);
    }

    struct bnd_effect *e = &q->fx[q->n++];
    memset(e, 0, sizeof *e);
    e->type = type;
    return e;
}

void
bnd_fx_frame(struct bnd_effects *q, bnd_id id, uint8_t *data, size_t len)
{
    struct bnd_effect *e = append(q, BND_FX_FRAME_TX);
    e->frame.id = id;
    e->frame.data = data;
    e->frame.len = len;
}

void
bnd_fx_enable(struct bnd_effects *q, bnd_id id, bool on)
{
    struct bnd_effect *e = append(q, BND_FX_MEMBER_ENABLE);
    e->enable.id = id;
    e->enable.on = on;
}

void
bnd_fx_set_mac(struct bnd_effects *q, bnd_id id, struct eth_addr mac)
{
    struct bnd_effect *e = append(q, BND_FX_SET_MAC);
    e->mac.id = id;
    e->mac.mac = mac;
}

void
bnd_fx_bond_mac(struct bnd_effects *q, struct eth_addr mac)
{
    struct bnd_effect *e = append(q, BND_FX_BOND_MAC);
    e->mac.mac = mac;
}

void
bnd_fx_simple(struct bnd_effects *q, enum bnd_effect_type type)
{
    if (!bnd_effects_has(q, type)) {
        append(q, type);
    }
}

struct bnd_trace *
bnd_fx_trace(struct bnd_effects *q, enum bnd_trace_type type,
             long long int now, bnd_id id, const char *member)
{
    struct bnd_trace *t = &append(q, BND_FX_TRACE)->trace;
    t->type = type;
    t->when = now;
    t->id = id;
    t->member = nullable_xstrdup(member);
    return t;
}

void
bnd_fx_trace_fsm(struct bnd_effects *q, long long int now, bnd_id id,
                 const char *member, const char *machine,
                 const char *from, const char *to)
{
    struct bnd_trace *t = bnd_fx_trace(q, BND_TRACE_FSM, now, id, member);
    t->machine = machine;
    t->from = from;
    t->to = to;
}

static void
format_hex(const uint8_t *byte, size_t n, struct ds *ds)
{
    for (size_t i = 0; i < n; i++) {
        ds_put_format(ds, "%02x", byte[i]);
    }
}

void
bnd_effects_format(const struct bnd_effects *q, const char *bond,
                   struct ds *ds)
{
    for (size_t i = 0; i < q->n; i++) {
        const struct bnd_effect *e = &q->fx[i];

        ds_put_cstr(ds, bnd_effect_name(e->type));
        switch (e->type) {
        case BND_FX_FRAME_TX:
            ds_put_format(ds, " %u ", e->frame.id);
            format_hex(e->frame.data, e->frame.len, ds);
            break;

        case BND_FX_MEMBER_ENABLE:
            ds_put_format(ds, " %u %s", e->enable.id,
                          e->enable.on ? "on" : "off");
            break;

        case BND_FX_SET_MAC:
        case BND_FX_BOND_MAC:
            ds_put_format(ds, " %u ", e->mac.id);
            format_hex(e->mac.mac.ea, sizeof e->mac.mac.ea, ds);
            break;

        case BND_FX_TRACE:
            ds_put_format(ds, " %lld %s ", e->trace.when,
                          bnd_trace_type_name(e->trace.type));
            bnd_trace_format(&e->trace, bond, ds);
            break;

        case BND_FX_VIEW:
        case BND_FX_REVALIDATE:
        case BND_FX_WANT_ADDRS:
        case BND_FX_NOTIFY_PEERS:
        case BND_FX_RESEND_IGMP:
        case BND_FX_ACTIVE:
        case BND_FX_STATUS:
            break;

        case BND_N_FX:
        default:
            OVS_NOT_REACHED();
        }
        ds_put_char(ds, '\n');
    }
}
