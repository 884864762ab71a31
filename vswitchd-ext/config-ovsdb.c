/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "vswitchd-ext/config-ovsdb.h"

#include <stdlib.h>
#include <string.h>
#include "ofproto-bond/ob-config.h"
#include "ovsdb-idl.h"
#include "packets.h"
#include "smap.h"
#include "util.h"
#include "vswitch-idl.h"

static struct ovsdb_idl *the_idl;
static struct ovsdb_idl_index *by_name;

/* Keys that begin like ours but are Open vSwitch's. */
static const char *const ovs_keys[] = {
    "bond-detect-mode",
    "bond-hash-basis",
    "bond-miimon-interval",
    "bond-primary",
    "bond-rebalance-interval",
};

const struct ovsrec_port *
bx_find_port(const char *name)
{
    if (!by_name) {
        return NULL;
    }

    struct ovsrec_port *key = ovsrec_port_index_init_row(by_name);
    ovsrec_port_index_set_name(key, name);
    const struct ovsrec_port *port = ovsrec_port_index_find(by_name, key);
    ovsrec_port_index_destroy_row(key);
    return port;
}

static bool
is_ovs_key(const char *key)
{
    for (size_t i = 0; i < ARRAY_SIZE(ovs_keys); i++) {
        if (!strcmp(key, ovs_keys[i])) {
            return true;
        }
    }
    return false;
}

/* Does 'key' begin as ours do? */
static bool
is_bond_key(const char *key)
{
    return !strncmp(key, "bond", 4) && (key[4] == '-' || key[4] == '_');
}

static void
read_keys(const struct smap *other_config, struct bnd_overlay *overlay)
{
    const struct smap_node **sorted = smap_sort(other_config);

    for (size_t i = 0; i < smap_count(other_config); i++) {
        const char *key = sorted[i]->key;

        if (is_bond_key(key) && !is_ovs_key(key)) {
            bnd_overlay_key(overlay, key + 5, sorted[i]->value);
        }
    }
    free(sorted);
}

/* Open vSwitch made 'num' of the value 'text' of its key 'key', maybe without a
 * word about it. */
static void
check_ovs_key(const char *key, enum bnd_opt opt, const char *text,
              long long int num, struct bnd_overlay *overlay)
{
    const struct bnd_row *row = bnd_opt_row(opt);
    struct ds taken = DS_EMPTY_INITIALIZER;
    struct bnd_value value;
    char *error = bnd_row_parse(row, text, &value);

    bnd_row_format(row, num, NULL, &taken);
    if (error) {
        bnd_overlay_error(overlay, "%s; Open vSwitch takes %s", error,
                          ds_cstr(&taken));
    } else if ((uint32_t) value.num != (uint32_t) num
               && opt != BND_OPT_REBALANCE) {
        /* Its least rebalance-interval is documented. */
        bnd_overlay_note(overlay, "%s: \"%s\": Open vSwitch takes %s", key,
                         text, ds_cstr(&taken));
    }
    free(error);
    ds_destroy(&taken);
}

/* The key that goes with bond-detect-mode=miimon, of which we need to know no
 * more than whether it is right: devices do the rest. */
static void
check_miimon_interval(const struct smap *other_config,
                      struct bnd_overlay *overlay)
{
    static const struct bnd_row row = {
        .name = "miimon-interval", BND_T_INT(1, INT_MAX, 200)
    };
    const char *text = smap_get(other_config, "bond-miimon-interval");
    struct bnd_value value;
    char *error = text ? bnd_row_parse(&row, text, &value) : NULL;

    if (error) {
        bnd_overlay_error(overlay, "%s; Open vSwitch takes %lld", error,
                          row.def);
        free(error);
    }
}

/* Open vSwitch's own keys.  It has parsed them, 'base' says what came of it,
 * but not whether they are there; of what is not there, 'base' forgets.  A key
 * of ours for the same thing counts before them. */
static void
take_ovs_keys(const struct smap *other_config, struct bnd_overlay *overlay,
              struct bnd_settings *base)
{
    static const struct {
        const char *key;
        enum bnd_opt opt;
    } nums[] = {
        { "bond-detect-mode", BND_OPT_DETECT },
        { "bond-hash-basis", BND_OPT_HASH_BASIS },
        { "bond-rebalance-interval", BND_OPT_REBALANCE },
        { "all-members-active", BND_OPT_ALL_ACTIVE },
        { "lb-output-action", BND_OPT_LB_OUTPUT },
        { "lacp-fallback-ab", BND_OPT_FALLBACK },
    };
    const struct bnd_settings *keys = &overlay->now[BND_SOURCE_KEY];
    const char *primary = smap_get(other_config, "bond-primary");
    const char *detect = smap_get(other_config, "bond-detect-mode");

    bnd_settings_set_num(base, BND_OPT_DETECT,
                         detect && !strcmp(detect, "miimon"));

    /* Open vSwitch heeds it in balance-tcp alone. */
    bnd_settings_set_num(base, BND_OPT_LB_OUTPUT,
                         smap_get_bool(other_config, "lb-output-action",
                                       false));
    for (size_t i = 0; i < ARRAY_SIZE(nums); i++) {
        const char *text = smap_get(other_config, nums[i].key);
        enum bnd_opt opt = nums[i].opt;
        long long int num = bnd_settings_num(base, opt);

        if (text && keys->given[opt]) {
            bnd_overlay_key(overlay, bnd_opt_name(opt), text);
        } else if (text) {
            check_ovs_key(nums[i].key, opt, text, num, overlay);
            bnd_overlay_set_num(overlay, opt, num);
        }
        bnd_settings_unset(base, opt);
    }
    check_miimon_interval(other_config, overlay);
    if (primary && keys->given[BND_OPT_PRIMARY]) {
        bnd_overlay_key(overlay, bnd_opt_name(BND_OPT_PRIMARY), primary);
    } else if (primary) {
        bnd_overlay_set_str(overlay, BND_OPT_PRIMARY, primary);
    }
    bnd_settings_unset(base, BND_OPT_PRIMARY);
}

/* Columns.  'base' forgets those that say nothing. */
static void
take_columns(const struct ovsrec_port *port, struct bnd_settings *base)
{
    if (!port->bond_mode) {
        bnd_settings_unset(base, BND_OPT_MODE);
    }
    if (!port->bond_updelay) {
        bnd_settings_unset(base, BND_OPT_UPDELAY);
    }
    if (!port->bond_downdelay) {
        bnd_settings_unset(base, BND_OPT_DOWNDELAY);
    }
}

static void
read_member(const struct ovsrec_interface *iface, struct bnd_overlay *overlay)
{
    const struct smap_node **sorted = smap_sort(&iface->other_config);

    bnd_overlay_member(overlay, iface->name);
    for (size_t i = 0; i < smap_count(&iface->other_config); i++) {
        const char *key = sorted[i]->key;

        if (is_bond_key(key)) {
            bnd_overlay_member_key(overlay, iface->name, key + 5,
                                   sorted[i]->value);
        }
    }
    free(sorted);
}

/* Has 'overlay' a value of 'opt', right or not? */
static bool
is_given(const struct bnd_overlay *overlay, enum bnd_opt opt)
{
    for (int i = 0; i < BND_N_SOURCES; i++) {
        if (overlay->now[i].given[opt]) {
            return true;
        }
    }
    return false;
}

/* Stores in '*mac' the address that the user wants the bridge of 'port' to
 * have.  False if he wants none in particular. */
static bool
bridge_address(const struct ovsrec_port *port, struct eth_addr *mac)
{
    const struct ovsrec_bridge *bridge;

    OVSREC_BRIDGE_FOR_EACH (bridge, the_idl) {
        for (size_t i = 0; i < bridge->n_ports; i++) {
            if (bridge->ports[i] == port) {
                const char *text = smap_get_def(&bridge->other_config,
                                                "hwaddr", "");

                return (eth_addr_from_string(text, mac)
                        && !eth_addr_is_multicast(*mac)
                        && !eth_addr_is_zero(*mac));
            }
        }
    }
    return false;
}

static bool
read_port(const char *name, struct bnd_overlay *overlay,
          struct bnd_settings *base, bool *lacp)
{
    const struct ovsrec_port *port = bx_find_port(name);

    if (!port) {
        return false;
    }

    const struct smap *other_config = &port->other_config;
    const char *string = smap_get(other_config, "bonding");

    if (string) {
        bnd_overlay_string(overlay, string);
    }
    read_keys(other_config, overlay);
    take_ovs_keys(other_config, overlay, base);
    take_columns(port, base);
    for (size_t i = 0; i < port->n_interfaces; i++) {
        read_member(port->interfaces[i], overlay);
    }
    if (is_given(overlay, BND_OPT_FAIL_OVER_MAC)) {
        struct eth_addr mac;

        if (bridge_address(port, &mac)) {
            char *text = xasprintf(ETH_ADDR_FMT, ETH_ADDR_ARGS(mac));

            bnd_settings_set_str(base, BND_OPT_ADDRESS, text);
            free(text);
        }
    }
    /* Where the column says nothing, a mode that needs LACP gets it. */
    *lacp = !port->lacp || strcmp(port->lacp, "off");
    return true;
}

static bool
has_bond_keys(const struct smap *other_config)
{
    const struct smap_node *node;

    SMAP_FOR_EACH (node, other_config) {
        if (!strcmp(node->key, "bonding") || is_bond_key(node->key)) {
            return true;
        }
    }
    return false;
}

/* Returns the value of 'key', or 0 if that is not in the range of LACP. */
static uint16_t
get_u16(const struct smap *other_config, const char *key)
{
    int value = smap_get_int(other_config, key, 0);

    return value > 0 && value <= UINT16_MAX ? value : 0;
}

static bool
read_lacp(const char *name, struct ob_lacp_keys *keys)
{
    const struct ovsrec_port *port = bx_find_port(name);
    const char *system;

    if (!port) {
        return false;
    }
    keys->any = has_bond_keys(&port->other_config);
    system = smap_get_def(&port->other_config, "lacp-system-id", "");
    if (!eth_addr_from_string(system, &keys->system)) {
        keys->system = eth_addr_zero;
    }
    keys->active = !port->lacp || strcmp(port->lacp, "passive");
    keys->fast = !strcasecmp(smap_get_def(&port->other_config, "lacp-time",
                                          ""), "fast");
    keys->fallback = smap_get_bool(&port->other_config, "lacp-fallback-ab",
                                   false);
    keys->system_priority = get_u16(&port->other_config,
                                    "lacp-system-priority");
    return true;
}

static bool
read_lacp_member(const char *name, const char *member,
                 struct ob_lacp_member_keys *keys)
{
    const struct ovsrec_port *port = bx_find_port(name);

    for (size_t i = 0; port && i < port->n_interfaces; i++) {
        const struct ovsrec_interface *iface = port->interfaces[i];

        if (!strcmp(iface->name, member)) {
            keys->port_id = get_u16(&iface->other_config, "lacp-port-id");
            keys->priority = get_u16(&iface->other_config,
                                     "lacp-port-priority");
            keys->key = get_u16(&iface->other_config,
                                "lacp-aggregation-key");
            return true;
        }
    }
    return false;
}

void
bx_config_exit(void)
{
    by_name = NULL;
    the_idl = NULL;
}

void
bx_config_init(struct ovsdb_idl *idl)
{
    the_idl = idl;
    by_name = ovsdb_idl_index_create1(idl, &ovsrec_port_col_name);
    ob_config_set_source(read_port);
    ob_config_set_lacp_sources(read_lacp, read_lacp_member);
}
