/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "core/status.h"

#include <stdlib.h>
#include <string.h>
#include "util.h"

void
bnd_status_uninit(struct bnd_status *s)
{
    for (size_t i = 0; i < s->n_members; i++) {
        free(s->members[i].name);
    }
    free(s->members);
    for (size_t i = 0; i < s->n_options; i++) {
        free(s->options[i].value);
    }
    free(s->options);
    for (size_t i = 0; i < s->n_kept; i++) {
        free(s->failovers[i].from);
        free(s->failovers[i].to);
    }
    free(s->failovers);
    free(s->slots);
    free(s->primary);
    memset(s, 0, sizeof *s);
}

const char *
bnd_status_option(const struct bnd_status *s, const char *name)
{
    for (size_t i = 0; i < s->n_options; i++) {
        if (!strcmp(s->options[i].name, name)) {
            return s->options[i].value;
        }
    }
    return "";
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
