/* SPDX-License-Identifier: Apache-2.0 */

/* What the owner tells of its bond, and when there is something new to tell.
 * Main thread, but for what a pass calls; see owner.h. */

#include <config.h>
#include "ofproto-bond/owner-private.h"

#include "ofproto-bond/buckets.h"
#include "ofproto-bond/device.h"
#include "ofproto-bond/fastpath.h"
#include "ofproto-bond/handle.h"
#include "openvswitch/dynamic-string.h"

/* Changes of all owners together. */
static atomic_count all_changes = ATOMIC_COUNT_INIT(0);

static void (*writer)(struct ob_owner *);

void
ob_owner_status_changed__(struct ob_owner *o)
{
    o->status_seq++;
    atomic_count_inc(&all_changes);
}

void
ob_owner_status_changed(struct ob_owner *o)
{
    ovs_mutex_lock(&o->mutex);
    ob_owner_status_changed__(o);
    ovs_mutex_unlock(&o->mutex);
}

uint64_t
ob_owner_status_seq(struct ob_owner *o)
{
    uint64_t seq;

    ovs_mutex_lock(&o->mutex);
    seq = o->status_seq;
    ovs_mutex_unlock(&o->mutex);
    return seq;
}

unsigned int
ob_owners_status_seq(void)
{
    return atomic_count_get(&all_changes);
}

/* May what the status tells have changed along with 'e'?  Not with what LACP
 * does every second. */
static bool
is_change(const struct bnd_effect *e)
{
    return (e->type == BND_FX_TRACE
            ? bnd_trace_level(e->trace.type) != BND_TRACE_DBG
            : e->type != BND_FX_FRAME_TX && e->type != BND_FX_STATUS);
}

void
ob_owner_note_effects__(struct ob_owner *o, const struct bnd_effects *fx)
{
    for (uint32_t n = bnd_n_changes(o->engine); o->n_changes != n; ) {
        o->changed[o->n_changes++ % BND_N_FAILOVERS] = time_wall_msec();
    }
    for (size_t i = 0; i < fx->n; i++) {
        if (is_change(&fx->fx[i])) {
            ob_owner_status_changed__(o);
            return;
        }
    }
}

/* Adds the times of failovers as the clock of the wall has them. */
static void
fill_failovers(const struct ob_owner *o, struct bnd_status *s)
    OVS_REQUIRES(o->mutex)
{
    for (size_t i = 0; i < s->n_kept; i++) {
        uint32_t n = s->n_changes - s->n_kept + i;

        s->failovers[i].wall = o->changed[n % BND_N_FAILOVERS];
    }
}

/* Puts the text of 'ds' in place of '*kept', null if there is none. */
static void
keep_text(struct ds *ds, char **kept)
{
    free(*kept);
    *kept = ds->length ? ds_steal_cstr(ds) : NULL;
    ds_destroy(ds);
}

/* Adds what devices make of the configuration. */
static void
fill_device(struct ob_owner *o, struct bnd_status *s,
            struct bnd_status_extra *extra)
{
    struct ds errors = DS_EMPTY_INITIALIZER;
    struct ds notes = DS_EMPTY_INITIALIZER;

    ds_put_cstr(&errors, extra->errors ? extra->errors : "");
    ob_device_put_errors(o, &errors);
    keep_text(&errors, &o->told_errors);
    extra->errors = o->told_errors;

    ds_put_cstr(&notes, extra->notes ? extra->notes : "");
    ob_device_put_notes(o, s, &notes);
    keep_text(&notes, &o->told_notes);
    extra->notes = o->told_notes;
    ob_device_fill(o, s);
}

/* Frames that came in and were refused. */
static uint64_t
n_dropped(struct ob_owner *o)
{
    uint64_t lacp = 0, probes = 0;

    if (o->lacp) {
        atomic_read_relaxed(&o->lacp->inbox.n_dropped, &lacp);
    }
    if (o->bond) {
        atomic_read_relaxed(&o->bond->inbox.n_dropped, &probes);
    }
    return lacp + probes;
}

/* Adds to 'extra' what is not kept there. */
static void
fill_extra(struct ob_owner *o, struct bnd_status *s,
           struct bnd_status_extra *extra)
{
    extra->errors = o->config_errors;
    extra->notes = o->config_notes;
    fill_device(o, s, extra);
    extra->wall = time_wall_msec() - time_msec();
    if (o->bond) {
        extra->datapath_id = ob_buckets_id(o->buckets);
        atomic_read_relaxed(&o->bond->lb_output, &extra->lb_output);
        ob_buckets_describe(o->buckets, &extra->mechanism, &extra->why,
                            &extra->as_stock);
    }
    extra->n_dropped = n_dropped(o);
}

/* Adds what was sent. */
static void
fill_tx(struct ob_owner *o, struct bnd_status *status,
        struct bnd_status_extra *extra)
{
    struct ob_stats stats;

    if (!o->bond) {
        return;
    }
    ob_buckets_get_stats(o->buckets, o->bond, &stats);
    extra->has_tx = true;
    for (size_t i = 0; i < stats.n_members; i++) {
        extra->tx_packets += stats.members[i].counts.n_packets;
        extra->tx_bytes += stats.members[i].counts.n_bytes;
    }
    for (size_t i = 0; i < status->n_members; i++) {
        struct bnd_status_member *m = &status->members[i];
        const struct ob_counts *c = ob_stats_member(&stats, m->id);

        m->has_tx = true;
        m->tx_packets = c->n_packets;
        m->tx_bytes = c->n_bytes;
    }
    for (int i = 0; status->slots && i < BND_N_SLOTS; i++) {
        status->slots[i].tx_packets = stats.places[i].n_packets;
        status->slots[i].tx_bytes = stats.places[i].n_bytes;
    }
    ob_stats_uninit(&stats);
}

void
ob_owner_get_status(struct ob_owner *o, struct bnd_status *status,
                    struct bnd_status_extra *extra)
{
    ovs_mutex_lock(&o->mutex);
    bnd_get_status(o->engine, ob_owner_now(o), status);
    fill_failovers(o, status);
    *extra = o->extra;
    ovs_mutex_unlock(&o->mutex);
    fill_extra(o, status, extra);
    fill_tx(o, status, extra);
}

void
ob_owner_get_brief(struct ob_owner *o, struct bnd_status *status,
                   struct bnd_status_extra *extra)
{
    ovs_mutex_lock(&o->mutex);
    bnd_get_brief(o->engine, status);
    fill_failovers(o, status);
    *extra = o->extra;
    ovs_mutex_unlock(&o->mutex);
    fill_extra(o, status, extra);
}

void
ob_owner_get_counters(struct ob_owner *o, struct bnd_status *status,
                      struct bnd_status_extra *extra)
{
    /* Every second for each bond, so no device is asked for this. */
    ovs_mutex_lock(&o->mutex);
    bnd_get_brief(o->engine, status);
    *extra = o->extra;
    ovs_mutex_unlock(&o->mutex);
    fill_tx(o, status, extra);
}

const char *
ob_owner_why_not_active(struct ob_owner *o, const struct ob_member *m)
{
    const char *why;

    ovs_mutex_lock(&o->mutex);
    why = bnd_why_not_active(o->engine, m->id);
    ovs_mutex_unlock(&o->mutex);
    return why;
}

void
ob_owners_set_writer(void (*writer_)(struct ob_owner *))
{
    writer = writer_;
}

void
ob_owner_write(struct ob_owner *o)
{
    if (writer) {
        writer(o);
    }
}
