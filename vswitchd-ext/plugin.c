/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "vswitchd-ext/plugin.h"

#include "ofproto-bond/attach.h"
#include "ofproto-bond/carrier.h"
#include "ofproto-bond/device.h"
#include "ofproto-bond/guard.h"
#include "ofproto-bond/keep.h"
#include "ofproto-bond/owner.h"
#include "ofproto-bond/slow.h"
#include "ovsdb-idl.h"
#include "util.h"
#include "vswitch-idl.h"
#include "vswitchd-ext/appctl.h"
#include "vswitchd-ext/appctl-options.h"
#include "vswitchd-ext/config-ovsdb.h"
#include "vswitchd-ext/status-ovsdb.h"
#include "vswitchd/bridge.h"

OB_HOOK(ovsdb_idl_create);
OB_HOOK(ovsdb_idl_run);
OB_HOOK(bridge_run);
OB_HOOK(bridge_wait);
OB_HOOK(bridge_exit);

/* The daemon's connection to the database, once there is one. */
static struct ovsdb_idl *idl;
static unsigned int idl_seqno;

void
bx_plugin_init(void)
{
    ob_owners_init();
    ob_keep_init();
    bx_appctl_init();
    bx_appctl_options_init();
    bx_status_init();
}

static bool
port_exists(const char *name, void *aux OVS_UNUSED)
{
    return bx_find_port(name) != NULL;
}

void
bx_plugin_run(void)
{
    bool detached = ob_owners_run();

    if (idl && (detached || idl_seqno != ovsdb_idl_get_seqno(idl))
        && ovsdb_idl_has_ever_connected(idl)) {
        idl_seqno = ovsdb_idl_get_seqno(idl);
        ob_owners_purge(port_exists, NULL);
    }
    if (idl) {
        bx_status_run(idl);
    }
}

void
bx_plugin_wait(void)
{
    ob_owners_wait();
    if (idl) {
        bx_status_wait(idl);
    }
}

void
bx_plugin_exit(bool delete_datapath)
{
    ob_carrier_stop();
    ob_guard_stop();
    ob_keep_exit(delete_datapath);
    ob_slow_stop();
    if (!delete_datapath) {
        ob_device_leave_all();
    }
}

struct ovsdb_idl *
__wrap_ovsdb_idl_create(const char *remote,
                        const struct ovsdb_idl_class *class,
                        bool monitor_everything_by_default, bool retry)
{
    struct ovsdb_idl *new = __real_ovsdb_idl_create(
        remote, class, monitor_everything_by_default, retry);

    if (class == &ovsrec_idl_class) {
        idl = new;
        bx_config_init(idl);
        bx_plugin_init();
    }
    return new;
}

void
__wrap_ovsdb_idl_run(struct ovsdb_idl *any)
{
    __real_ovsdb_idl_run(any);
    if (any == idl) {
        bx_status_read(any);
    }
}

void
__wrap_bridge_run(void)
{
    ob_owners_begin();
    __real_bridge_run();
    bx_plugin_run();
}

void
__wrap_bridge_wait(void)
{
    __real_bridge_wait();
    bx_plugin_wait();
}

void
__wrap_bridge_exit(bool delete_datapath)
{
    bx_plugin_exit(delete_datapath);
    bx_status_exit();
    bx_config_exit();
    __real_bridge_exit(delete_datapath);
    idl = NULL;
}
