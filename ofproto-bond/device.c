/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/device.h"

#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#ifdef DPDK_NETDEV
#include <rte_ethdev.h>
#endif
#include "bond/bond.h"
#include "netdev-provider.h"
#include "ofproto-bond/attach.h"
#include "ofproto-bond/host-mac.h"
#include "ofproto-bond/owner-private.h"
#include "ofproto-bond/rp-filter.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "smap.h"
#include "socket-util.h"

VLOG_DEFINE_THIS_MODULE(bond_device);

static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 5);

static bool leave_all;

/* Addresses. */

/* Gives a tap device 'mac' as it is.  Open vSwitch would set it down for that,
 * which takes its routes away, and which Linux has not needed since 3.10. */
static int
set_tap_mac(const struct netdev *netdev, struct eth_addr mac)
{
    struct ifreq ifr;
    int error;

    memset(&ifr, 0, sizeof ifr);
    ifr.ifr_hwaddr.sa_family = ARPHRD_ETHER;
    memcpy(ifr.ifr_hwaddr.sa_data, mac.ea, sizeof mac.ea);
    error = af_inet_ifreq_ioctl(netdev_get_name(netdev), &ifr, SIOCSIFHWADDR,
                                "SIOCSIFHWADDR");
    if (!error) {
        netdev_run();           /* Has Open vSwitch see the change now. */
    }
    return error;
}

int
ob_device_set_mac(struct netdev *netdev, struct eth_addr mac)
{
    struct eth_addr present;

    if (!netdev_get_etheraddr(netdev, &present)
        && eth_addr_equals(present, mac)) {
        return 0;
    }
    if (!strcmp(netdev_get_type(netdev), "tap")
        && !set_tap_mac(netdev, mac)) {
        return 0;
    }
    return ob_attach_set_etheraddr(netdev, mac);
}

/* Carries out what the engine wants 'm' to have. */
static void
set_member_mac(struct ob_owner *o, struct ob_member *m, struct eth_addr mac)
{
    int error = m->netdev ? ob_device_set_mac(m->netdev, mac) : ENODEV;

    if (!error) {
        m->mac_changed = !eth_addr_equals(mac, m->perm_mac);
        m->set_mac = m->mac_changed ? mac : eth_addr_zero;
        m->change_seq = 0;
    } else if (error != ENODEV) {
        struct bnd_event e = { .type = BND_EV_MAC_REFUSED, .id = m->id };

        VLOG_WARN_RL(&rl, "bond %s: member %s: cannot set address "
                     ETH_ADDR_FMT" (%s)", o->name, m->name,
                     ETH_ADDR_ARGS(mac), ovs_strerror(error));
        ob_owner_event(o, &e);
    }
}

void
ob_device_hold_mac(struct ob_member *m, struct eth_addr *mac)
{
    if (!eth_addr_is_zero(m->set_mac) && !eth_addr_equals(*mac, m->set_mac)
        && !strcmp(netdev_get_type(m->netdev), "dpdk")
        && !ob_device_set_mac(m->netdev, m->set_mac)) {
        *mac = m->set_mac;
    }
}

static void
set_host_mac(struct ob_owner *o, struct eth_addr mac)
{
    const struct ofproto_dpif *ofproto = ob_owner_ofproto(o);

    if (!ofproto) {
        /* No bond at present.  What it wanted stands until it is back. */
    } else if (eth_addr_is_zero(mac)) {
        ob_host_mac_release(o->name);
    } else {
        ob_host_mac_claim(o->name, ob_attach_local_name(ofproto), mac);
    }
}

static bool
run_macs(struct ob_owner *o)
{
    struct ob_mac_todo *todo;
    size_t n;

    ovs_mutex_lock(&o->mutex);
    todo = o->todo_macs;
    n = o->n_todo_macs;
    o->todo_macs = NULL;
    o->n_todo_macs = 0;
    ovs_mutex_unlock(&o->mutex);

    for (size_t i = 0; i < n; i++) {
        if (todo[i].id == BND_NO_MEMBER) {
            set_host_mac(o, todo[i].mac);
            continue;
        }
        for (size_t j = 0; j < o->n_members; j++) {
            if (o->members[j].id == todo[i].id) {
                set_member_mac(o, &o->members[j], todo[i].mac);
            }
        }
    }
    free(todo);
    return n > 0;
}

/* MTU. */

/* The present MTU of 'netdev', or 0 if it has none. */
static int
get_mtu(const struct netdev *netdev)
{
    int mtu;

    return netdev && !netdev_get_mtu(netdev, &mtu) ? mtu : 0;
}

static bool
has_mtu(const struct ob_member *m)
{
    return m->in_bond && get_mtu(m->netdev);
}

#ifdef DPDK_NETDEV
/* A device of DPDK takes any MTU, and is lost, and opened anew, over and over,
 * if it turns out later that it cannot have it.  Would it refuse 'mtu'? */
static bool
would_refuse(const struct netdev *netdev, unsigned int mtu)
{
    struct smap status = SMAP_INITIALIZER(&status);
    struct rte_eth_dev_info info;
    bool refuse = false;
    int port = -1;

    if (!strcmp(netdev_get_type(netdev), "dpdk")
        && !netdev_get_status(netdev, &status)) {
        port = smap_get_int(&status, "port_no", -1);
    }
    smap_destroy(&status);
    if (port >= 0 && !rte_eth_dev_info_get(port, &info)) {
        unsigned int overhead = (info.max_mtu != UINT16_MAX
                                 && info.max_rx_pktlen > info.max_mtu
                                 ? info.max_rx_pktlen - info.max_mtu
                                 : RTE_ETHER_HDR_LEN + RTE_ETHER_CRC_LEN);

        refuse = (mtu < info.min_mtu || mtu > info.max_mtu
                  || (info.max_rx_pktlen
                      && mtu + overhead > info.max_rx_pktlen));
    }
    return refuse;
}
#else
static bool
would_refuse(const struct netdev *netdev OVS_UNUSED,
             unsigned int mtu OVS_UNUSED)
{
    return false;
}
#endif

/* Sets the MTU of 'm' and remembers what it had before the first time. */
static int
set_mtu(struct ob_member *m, int mtu)
{
    int before = get_mtu(m->netdev);
    int error = (before == mtu ? 0
                 : would_refuse(m->netdev, mtu) ? EINVAL
                 : netdev_set_mtu(m->netdev, mtu));

    if (!error) {
        m->own_mtu = m->own_mtu ? m->own_mtu : before;
        m->change_seq = 0;
    }
    return error;
}

static void
refuse_mtu(struct ob_owner *o, const struct ob_member *m, int mtu, int error,
           const char *consequence)
{
    free(o->mtu_error);
    o->mtu_error = xasprintf("mtu: \"%d\": member %s, which has %d, refuses "
                             "it (%s); %s", mtu, m->name,
                             get_mtu(m->netdev), ovs_strerror(error),
                             consequence);
    VLOG_WARN_RL(&rl, "bond %s: %s", o->name, o->mtu_error);
}

static void
restore_mtu(struct ob_member *m)
{
    if (m->own_mtu && m->netdev) {
        int error = netdev_set_mtu(m->netdev, m->own_mtu);

        if (error && error != ENODEV) {
            VLOG_WARN_RL(&rl, "member %s: cannot be given back its MTU of %d "
                         "(%s)", m->name, m->own_mtu, ovs_strerror(error));
        }
    }
    m->own_mtu = 0;
    m->change_seq = 0;
}

/* Gives all members the MTU that is asked for, or none of them. */
static void
change_mtu(struct ob_owner *o)
{
    int *before = xcalloc(o->n_members + 1, sizeof *before);
    int *own = xcalloc(o->n_members + 1, sizeof *own);
    int error = 0;
    size_t i;

    for (i = 0; i < o->n_members && !error; i++) {
        struct ob_member *m = &o->members[i];

        if (has_mtu(m)) {
            before[i] = get_mtu(m->netdev);
            own[i] = m->own_mtu;
            error = set_mtu(m, o->mtu_wanted);
            if (error) {
                refuse_mtu(o, m, o->mtu_wanted, error,
                           "no member's MTU is changed");
            }
        }
    }
    if (!error) {
        o->mtu = o->mtu_wanted;
    } else {
        for (size_t j = 0; j + 1 < i; j++) {
            if (before[j]) {
                netdev_set_mtu(o->members[j].netdev, before[j]);
                o->members[j].own_mtu = own[j];
            }
        }
    }
    free(own);
    free(before);
}

/* Gives members that have joined since the MTU that the others have. */
static void
join_mtu(struct ob_owner *o)
{
    for (size_t i = 0; i < o->n_members && o->mtu; i++) {
        struct ob_member *m = &o->members[i];

        if (!m->mtu_set && has_mtu(m)) {
            int error = set_mtu(m, o->mtu);

            if (error) {
                refuse_mtu(o, m, o->mtu, error, "it is used with that");
            }
        }
    }
}

static void
run_mtu(struct ob_owner *o)
{
    o->mtu_dirty = false;
    free(o->mtu_error);
    o->mtu_error = NULL;
    if (o->mtu_wanted && o->mtu_wanted != o->mtu) {
        change_mtu(o);
    } else if (!o->mtu_wanted) {
        for (size_t i = 0; i < o->n_members; i++) {
            restore_mtu(&o->members[i]);
        }
        o->mtu = 0;
    }
    join_mtu(o);
    for (size_t i = 0; i < o->n_members; i++) {
        o->members[i].mtu_set = o->mtu && has_mtu(&o->members[i]);
    }
}

/* Both. */

void
ob_device_configure(struct ob_owner *o, const struct bnd_settings *s)
{
    int mtu = bnd_settings_num(s, BND_OPT_MTU);

    o->mtu_dirty |= mtu != o->mtu_wanted;
    o->mtu_wanted = mtu;
    if (!bnd_settings_is_given(s, BND_OPT_FAIL_OVER_MAC)
        && !bnd_settings_is_given(s, BND_OPT_ADDRESS)) {
        /* It may still have a claim of its former life as a bond. */
        ob_host_mac_release(o->name);
    }
}

void
ob_device_members_changed(struct ob_owner *o)
{
    o->mtu_dirty |= o->mtu_wanted != 0;
    for (size_t i = 0; i < o->n_members; i++) {
        /* An earlier daemon may have changed it for an option that has gone
         * meanwhile. */
        o->mtu_dirty |= o->members[i].own_mtu != 0;
    }
}

bool
ob_device_run(struct ob_owner *o)
{
    bool changed = false;
    bool macs;

    atomic_read_relaxed(&o->todo, &macs);
    if (macs) {
        changed = run_macs(o);
    }
    if (o->mtu_dirty && o->bond) {
        run_mtu(o);
        changed = true;
    }
    return changed;
}

void
ob_device_release(struct ob_member *m)
{
    ob_rp_filter_release(m);    /* The next daemon could not tell. */
    if (leave_all || !m->netdev) {
        return;
    }
    if (m->mac_changed) {
        int error = ob_device_set_mac(m->netdev, m->perm_mac);

        if (error && error != ENODEV) {
            VLOG_WARN_RL(&rl, "member %s: cannot be given back its address "
                         ETH_ADDR_FMT" (%s)", m->name,
                         ETH_ADDR_ARGS(m->perm_mac), ovs_strerror(error));
        }
        m->mac_changed = false;
    }
    m->set_mac = eth_addr_zero;
    if (m->own_mtu) {
        restore_mtu(m);
    }
    m->mtu_set = false;
}

void
ob_device_give_back(const char *name, struct eth_addr mac, int mtu)
{
    struct netdev *netdev;
    int error = netdev_open(name, "system", &netdev);

    if (!error) {
        error = eth_addr_is_zero(mac) ? 0 : ob_device_set_mac(netdev, mac);
        if (!error && mtu && get_mtu(netdev) != mtu) {
            error = netdev_set_mtu(netdev, mtu);
        }
        netdev_close(netdev);
    }
    if (error) {
        VLOG_WARN("former member %s: cannot be given back its address "
                  "and MTU (%s)", name, ovs_strerror(error));
    } else {
        VLOG_INFO("former member %s: has its own address and MTU again",
                  name);
    }
}

void
ob_device_leave_all(void)
{
    leave_all = true;
}

/* Status. */

void
ob_device_put_errors(const struct ob_owner *o, struct ds *ds)
{
    if (o->mtu_error) {
        ds_put_format(ds, "%s\n", o->mtu_error);
    }
}

/* Notes on members whose MTU is not what it might be expected to be. */
static void
put_mtu_notes(const struct ob_owner *o, struct ds *ds)
{
    const struct ofproto_dpif *ofproto = ob_owner_ofproto(o);
    const char *name = ofproto ? ob_attach_local_name(ofproto) : NULL;
    struct netdev *local = name ? netdev_from_name(name) : NULL;
    int greatest = get_mtu(local);

    netdev_close(local);
    for (size_t i = 0; i < o->n_members; i++) {
        const struct ob_member *m = &o->members[i];

        if (has_mtu(m) && get_mtu(m->netdev) > greatest) {
            greatest = get_mtu(m->netdev);
            name = m->name;
        }
    }
    for (size_t i = 0; i < o->n_members; i++) {
        const struct ob_member *m = &o->members[i];
        int mtu = has_mtu(m) ? get_mtu(m->netdev) : 0;

        if (o->mtu && mtu && mtu != o->mtu) {
            ds_put_format(ds, "mtu: \"%d\": member %s has %d\n", o->mtu,
                          m->name, mtu);
        } else if (!o->mtu && mtu && mtu < greatest) {
            ds_put_format(ds, "member %s: its MTU of %d is less than that of "
                          "%s, %d\n", m->name, mtu, name, greatest);
        }
    }
}

void
ob_device_put_notes(const struct ob_owner *o, const struct bnd_status *s,
                    struct ds *ds)
{
    const char *winner = (eth_addr_is_zero(s->mac)
                          ? NULL : ob_host_mac_winner(o->name));

    if (winner) {
        ds_put_format(ds, "address: the bridge has that of bond %s, not "
                      ETH_ADDR_FMT"\n", winner, ETH_ADDR_ARGS(s->mac));
    }
    if (s->mac_forced) {
        ds_put_format(ds, "fail-over-mac: \"%s\" is in force, as the first "
                      "member cannot change its address\n", s->mac_policy);
    }
    for (size_t i = 0; i < s->n_members; i++) {
        const struct bnd_status_member *m = &s->members[i];

        if (m->mac_trouble != BND_MAC_FINE) {
            ds_put_format(ds, "member %s: its address is "ETH_ADDR_FMT": %s\n",
                          m->name, ETH_ADDR_ARGS(m->mac),
                          bnd_mac_trouble_name(m->mac_trouble));
        }
    }
    if (o->bond) {
        put_mtu_notes(o, ds);
        ob_rp_filter_put_notes(o, ds);
    }
}

void
ob_device_fill(const struct ob_owner *o, struct bnd_status *s)
{
    for (size_t i = 0; i < s->n_members; i++) {
        for (size_t j = 0; j < o->n_members; j++) {
            const struct ob_member *m = &o->members[j];

            if (m->id == s->members[i].id) {
                s->members[i].mtu = get_mtu(m->netdev);
                s->members[i].own_mtu = m->own_mtu;
                s->members[i].mac_changed = m->mac_changed;
            }
        }
    }
}
