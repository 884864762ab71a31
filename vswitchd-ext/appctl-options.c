/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "vswitchd-ext/appctl-options.h"

#include "config/manual.h"
#include "ofproto-bond/ob-options.h"
#include "ofproto-bond/owner.h"
#include "openvswitch/dynamic-string.h"
#include "unixctl.h"
#include "util.h"

static void
format_one(struct ob_owner *o, void *ds)
{
    if (o->bond) {
        ob_options_format(o, ds);
    }
}

static void
cmd_options(struct unixctl_conn *conn, int argc, const char *argv[],
            void *aux OVS_UNUSED)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    if (argc > 1) {
        struct ob_owner *o = ob_owner_find(argv[1]);

        if (!o || !o->bond) {
            unixctl_command_reply_error(conn, "no such bond");
            return;
        }
        format_one(o, &ds);
    } else {
        ob_owners_for_each(format_one, &ds);
    }
    unixctl_command_reply(conn, ds_cstr(&ds));
    ds_destroy(&ds);
}

static void
cmd_help(struct unixctl_conn *conn, int argc, const char *argv[],
         void *aux OVS_UNUSED)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    if (argc == 1) {
        bnd_manual_list(&ds);
    } else if (!bnd_manual_option(argv[1], &ds)) {
        unixctl_command_reply_error(conn, "no such option");
        return;
    }
    unixctl_command_reply(conn, ds_cstr(&ds));
    ds_destroy(&ds);
}

void
bx_appctl_options_init(void)
{
    unixctl_command_register("bond/options", "[port]", 0, 1, cmd_options,
                             NULL);
    unixctl_command_register("bond/help", "[option]", 0, 1, cmd_help, NULL);
}
