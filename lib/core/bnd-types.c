/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "core/bnd-types.h"

#include <string.h>
#include "util.h"

static const char *const mode_names[] = {
#define BND_MODE(ENUM, NAME) [BND_MODE_##ENUM] = NAME,
    BND_MODES
#undef BND_MODE
};

static const char *const policy_names[] = {
#define BND_POLICY(ENUM, NAME) [BND_POLICY_##ENUM] = NAME,
    BND_POLICIES
#undef BND_POLICY
};

static const char *const link_state_names[] = {
#define BND_LINK_STATE(ENUM, NAME) [BND_LINK_##ENUM] = NAME,
    BND_LINK_STATES
#undef BND_LINK_STATE
};

static const char *const duplex_names[] = {
#define BND_DUPLEX(ENUM, NAME) [BND_DUPLEX_##ENUM] = NAME,
    BND_DUPLEXES
#undef BND_DUPLEX
};

static const char *const admin_names[] = {
#define BND_ADMIN(ENUM, NAME) [BND_ADMIN_##ENUM] = NAME,
    BND_ADMINS
#undef BND_ADMIN
};

static const char *const mac_trouble_names[] = {
#define BND_MAC_TROUBLE(ENUM, NAME) [BND_MAC_##ENUM] = NAME,
    BND_MAC_TROUBLES
#undef BND_MAC_TROUBLE
};

static const char *const probe_reason_names[] = {
#define BND_PROBE_REASON(ENUM, NAME) NAME,
    BND_PROBE_REASONS
#undef BND_PROBE_REASON
};

static const char *const cause_names[] = {
#define BND_CAUSE(ENUM, NAME) [BND_CAUSE_##ENUM] = NAME,
    BND_CAUSES
#undef BND_CAUSE
};

static const char *const lacp_status_names[] = {
#define BND_LACP_STATUS(ENUM, NAME) [BND_LACP_##ENUM] = NAME,
    BND_LACP_STATUSES
#undef BND_LACP_STATUS
};

static const char *const drop_reason_names[] = {
#define BND_DROP_REASON(ENUM, NAME) [BND_DROP_##ENUM] = NAME,
    BND_DROP_REASONS
#undef BND_DROP_REASON
};

/* Returns the name of 'mode' as users write it. */
const char *
bnd_mode_name(enum bnd_mode mode)
{
    ovs_assert(mode < BND_N_MODES);
    return mode_names[mode];
}

/* Looks up 'name'.  Returns true and stores the mode in '*mode' if there is
 * such a mode, otherwise returns false and leaves '*mode' alone. */
bool
bnd_mode_from_name(const char *name, enum bnd_mode *mode)
{
    for (size_t i = 0; i < BND_N_MODES; i++) {
        if (!strcmp(name, mode_names[i])) {
            *mode = i;
            return true;
        }
    }
    return false;
}

const char *
bnd_policy_name(enum bnd_policy policy)
{
    ovs_assert(policy < BND_N_POLICIES);
    return policy_names[policy];
}

const char *
bnd_link_state_name(enum bnd_link_state state)
{
    ovs_assert(state < BND_N_LINK_STATES);
    return link_state_names[state];
}

const char *
bnd_duplex_name(enum bnd_duplex duplex)
{
    ovs_assert(duplex < BND_N_DUPLEXES);
    return duplex_names[duplex];
}

const char *
bnd_admin_name(enum bnd_admin admin)
{
    ovs_assert(admin < BND_N_ADMINS);
    return admin_names[admin];
}

const char *
bnd_mac_trouble_name(enum bnd_mac_trouble trouble)
{
    ovs_assert(trouble < BND_N_MAC_TROUBLES);
    return mac_trouble_names[trouble];
}

const char *
bnd_probe_reason_name(enum bnd_probe_reason reason)
{
    ovs_assert(reason < BND_N_PROBE_REASONS);
    return probe_reason_names[reason];
}

const char *
bnd_cause_name(enum bnd_cause cause)
{
    ovs_assert(cause < BND_N_CAUSES);
    return cause_names[cause];
}

const char *
bnd_lacp_status_name(enum bnd_lacp_status status)
{
    ovs_assert(status < BND_N_LACP_STATUSES);
    return lacp_status_names[status];
}

const char *
bnd_drop_reason_name(enum bnd_drop_reason reason)
{
    ovs_assert(reason < BND_N_DROP_REASONS);
    return drop_reason_names[reason];
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Returns how many digits the number at '*p' has, leading zeros left out, and
 * has '*p' stand on the first of them. */
static size_t
number_len(const char **p)
{
    size_t n = 0;

    while ((*p)[0] == '0' && is_digit((*p)[1])) {
        (*p)++;
    }
    while (is_digit((*p)[n])) {
        n++;
    }
    return n;
}

int
bnd_compare_names(const char *a, const char *b)
{
    const char *p = a, *q = b;

    while (*p && *q) {
        if (is_digit(*p) && is_digit(*q)) {
            size_t n = number_len(&p);
            size_t m = number_len(&q);
            int cmp = n != m ? (n < m ? -1 : 1) : memcmp(p, q, n);

            if (cmp) {
                return cmp;
            }
            p += n;
            q += m;
        } else if (*p != *q) {
            break;
        } else {
            p++;
            q++;
        }
    }
    return *p == *q ? strcmp(a, b) : (*p < *q ? -1 : 1);
}
