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
    free(s->slots);
    free(s->primary);
    memset(s, 0, sizeof *s);
}
