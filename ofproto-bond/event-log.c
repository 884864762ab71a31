/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/event-log.h"

#include "core/trace.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(bond);
extern struct vlog_module *VLM_lacp;

/* Each module has a limit for each level, so that a flood of one kind does not
 * hide the other. */
static struct vlog_rate_limit limits[2][3] = {
    { VLOG_RATE_LIMIT_INIT(60, 60), VLOG_RATE_LIMIT_INIT(20, 20),
      VLOG_RATE_LIMIT_INIT(600, 600) },
    { VLOG_RATE_LIMIT_INIT(60, 60), VLOG_RATE_LIMIT_INIT(20, 20),
      VLOG_RATE_LIMIT_INIT(600, 600) },
};

static bool
is_lacp(enum bnd_trace_type type)
{
    switch (type) {
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
        return true;

    case BND_TRACE_LINK:
    case BND_TRACE_LINK_DELAY:
    case BND_TRACE_LINK_RELAPSE:
    case BND_TRACE_NO_SPEED:
    case BND_TRACE_REFUSED:
    case BND_TRACE_ADMIN:
    case BND_TRACE_ENABLED:
    case BND_TRACE_ACTIVE:
    case BND_TRACE_NO_ACTIVE:
    case BND_TRACE_BOND_MAC:
    case BND_TRACE_MAC_REFUSED:
    case BND_TRACE_MAC_FOREIGN:
    case BND_TRACE_MAC_FORCED:
    case BND_TRACE_MAC_KEPT:
    case BND_TRACE_SHIFT:
        return false;

    case BND_N_TRACES:
    default:
        OVS_NOT_REACHED();
    }
}

static enum vlog_level
vlog_level(enum bnd_trace_level level)
{
    switch (level) {
    case BND_TRACE_INFO:
        return VLL_INFO;
    case BND_TRACE_WARN:
        return VLL_WARN;
    case BND_TRACE_DBG:
        return VLL_DBG;
    default:
        OVS_NOT_REACHED();
    }
}

void
ob_log_trace(const char *name, const struct bnd_trace *trace)
{
    enum bnd_trace_level level = bnd_trace_level(trace->type);
    enum vlog_level vll = vlog_level(level);
    bool lacp = is_lacp(trace->type);
    struct vlog_module *module = lacp ? VLM_lacp : VLM_bond;

    if (vlog_is_enabled(module, vll)) {
        struct ds ds = DS_EMPTY_INITIALIZER;

        bnd_trace_format(trace, name, &ds);
        vlog_rate_limit(module, vll, &limits[lacp][level], "%s",
                        ds_cstr(&ds));
        ds_destroy(&ds);
    }
}

void
ob_log_config_error(const char *name, const char *error)
{
    static struct vlog_rate_limit limit = VLOG_RATE_LIMIT_INIT(60, 60);

    vlog_rate_limit(VLM_bond, VLL_WARN, &limit, "bond %s: config error: %s",
                    name, error);
}
