/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "core/status.h"

#include <stdlib.h>
#include <string.h>
#include "openvswitch/dynamic-string.h"
#include "util.h"

void
bnd_status_uninit(struct bnd_status *s)
{
    for (size_t i = 0; i < s->n_members; i++) {
        free(s->members[i].name);
        free(s->members[i].probed);
    }
    free(s->members);
    for (size_t i = 0; i < s->n_probes; i++) {
        struct bnd_status_probe *p = &s->probes[i];

        for (size_t j = 0; j < p->n_targets; j++) {
            free(p->targets[j].address);
            free(p->targets[j].source);
        }
        free(p->targets);
    }
    for (size_t i = 0; i < s->n_options; i++) {
        free(s->options[i].value);
    }
    free(s->options);
    for (size_t i = 0; i < s->n_kept; i++) {
        free(s->failovers[i].from);
        free(s->failovers[i].to);
    }
    free(s->failovers);
    free(s->aggs);
    for (size_t i = 0; i < s->n_rlb; i++) {
        free(s->rlb[i].client);
        free(s->rlb[i].server);
    }
    free(s->rlb);
    free(s->tlb);
    free(s->slots);
    free(s->primary);
    free(s->refusal);
    memset(s, 0, sizeof *s);
}

static const struct bnd_status_option *
find_option(const struct bnd_status *s, const char *name)
{
    for (size_t i = 0; i < s->n_options; i++) {
        if (!strcmp(s->options[i].name, name)) {
            return &s->options[i];
        }
    }
    return NULL;
}

const char *
bnd_status_option(const struct bnd_status *s, const char *name)
{
    const struct bnd_status_option *option = find_option(s, name);

    return option ? option->value : "";
}

bool
bnd_status_is_given(const struct bnd_status *s, const char *name)
{
    const struct bnd_status_option *option = find_option(s, name);

    return option && option->given;
}

const char *
bnd_status_member_name(const struct bnd_status *s, bnd_id id,
                       const char *otherwise)
{
    for (size_t i = 0; i < s->n_members; i++) {
        if (s->members[i].id == id) {
            return s->members[i].name;
        }
    }
    return otherwise;
}

const struct bnd_failover *
bnd_status_last_failover(const struct bnd_status *s)
{
    for (size_t i = s->n_kept; i-- > 0; ) {
        if (s->failovers[i].counted) {
            return &s->failovers[i];
        }
    }
    return NULL;
}

const struct bnd_status_member *
bnd_status_active(const struct bnd_status *s)
{
    for (size_t i = 0; i < s->n_members; i++) {
        if (s->members[i].active) {
            return &s->members[i];
        }
    }
    return NULL;
}

size_t
bnd_status_n_buckets(const struct bnd_status *s, bnd_id id)
{
    size_t n = 0;

    for (size_t i = 0; s->slots && i < s->n_slots; i++) {
        n += s->slots[i].owner == id;
    }
    return n;
}

const struct bnd_status_aggregator *
bnd_status_active_agg(const struct bnd_status *s, int *n)
{
    const struct bnd_status_aggregator *active = NULL;

    *n = 0;
    for (size_t i = 0; i < s->n_aggs; i++) {
        if (s->aggs[i].active) {
            active = &s->aggs[i];
        }
    }
    for (size_t i = 0; active && i < s->n_members; i++) {
        const struct bnd_status_member *m = &s->members[i];

        *n += (m->has_lacp && m->lacp.in_active && m->link == BND_LINK_UP);
    }
    return *n ? active : NULL;
}

/* Days since 1970 of the first day of 'year'. */
static long long int
days_before(int year)
{
    int y = year - 1;

    return 365LL * (year - 1970) + (y / 4 - y / 100 + y / 400) - 477;
}

void
bnd_format_time(long long int wall, struct ds *ds)
{
    long long int days = wall / 86400000;
    int ms = wall % 86400000;
    int year = 1970 + days / 366; /* That or later. */

    while (days_before(year + 1) <= days) {
        year++;
    }
    int day = days - days_before(year);
    bool leap = days_before(year + 1) - days_before(year) == 366;
    int lengths[] = { 31, leap ? 29 : 28, 31, 30, 31, 30,
                      31, 31, 30, 31, 30, 31 };
    int month = 0;

    while (day >= lengths[month]) {
        day -= lengths[month++];
    }
    ds_put_format(ds, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", year, month + 1,
                  day + 1, ms / 3600000, ms / 60000 % 60, ms / 1000 % 60,
                  ms % 1000);
}
