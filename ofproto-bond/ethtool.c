/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/ethtool.h"

#include <errno.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>
#include <linux/ethtool.h>
#include <linux/mii.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include "socket-util.h"
#include "util.h"

/* Room for the three maps of modes that follow ETHTOOL_GLINKSETTINGS; the
 * kernel says how many words each needs, a signed byte. */
#define MAX_MAP_WORDS 127

struct link_settings {
    struct ethtool_link_settings base;
    uint32_t maps[3 * MAX_MAP_WORDS];
};

static int
ask(const char *name, void *data, const char *what)
{
    struct ifreq ifr;

    memset(&ifr, 0, sizeof ifr);
    ifr.ifr_data = data;
    return af_inet_ifreq_ioctl(name, &ifr, SIOCETHTOOL, what);
}

static void
take_link(uint32_t speed, uint8_t duplex, uint32_t *speed_mbps,
          enum bnd_duplex *out)
{
    *speed_mbps = speed == (uint32_t) SPEED_UNKNOWN ? 0 : speed;
    *out = (duplex == DUPLEX_FULL ? BND_DUPLEX_FULL
            : duplex == DUPLEX_HALF ? BND_DUPLEX_HALF : BND_DUPLEX_UNKNOWN);
}

/* For drivers of old. */
static int
old_link(const char *name, uint32_t *speed_mbps, enum bnd_duplex *duplex)
{
    struct ethtool_cmd cmd = { .cmd = ETHTOOL_GSET };
    int error = ask(name, &cmd, "ETHTOOL_GSET");

    if (!error) {
        uint32_t speed = ethtool_cmd_speed(&cmd);

        take_link(speed == UINT16_MAX ? (uint32_t) SPEED_UNKNOWN : speed,
                  cmd.duplex, speed_mbps, duplex);
    }
    return error;
}

int
ob_ethtool_link(const char *name, uint32_t *speed_mbps,
                enum bnd_duplex *duplex)
{
    struct link_settings ls;
    int error;

    /* The first question is answered with minus the size of the maps, the
     * second, which names it, with everything. */
    memset(&ls, 0, sizeof ls);
    ls.base.cmd = ETHTOOL_GLINKSETTINGS;
    error = ask(name, &ls, "ETHTOOL_GLINKSETTINGS");
    if (!error && ls.base.link_mode_masks_nwords < 0) {
        ls.base.cmd = ETHTOOL_GLINKSETTINGS;
        ls.base.link_mode_masks_nwords = -ls.base.link_mode_masks_nwords;
        error = ask(name, &ls, "ETHTOOL_GLINKSETTINGS");
        if (!error) {
            take_link(ls.base.speed, ls.base.duplex, speed_mbps, duplex);
            return 0;
        }
    }
    return old_link(name, speed_mbps, duplex);
}

int
ob_ethtool_perm_mac(const char *name, struct eth_addr *mac)
{
    static const struct eth_addr zero;
    struct {
        struct ethtool_perm_addr head;
        uint8_t data[32];       /* As long as an address can be. */
    } perm;
    int error;

    memset(&perm, 0, sizeof perm);
    perm.head.cmd = ETHTOOL_GPERMADDR;
    perm.head.size = sizeof perm.data;
    error = ask(name, &perm, "ETHTOOL_GPERMADDR");
    if (!error) {
        if (perm.head.size != sizeof mac->ea
            || !memcmp(perm.data, &zero, sizeof zero)) {
            return ENODATA;
        }
        memcpy(mac->ea, perm.data, sizeof mac->ea);
    }
    return error;
}

int
ob_ethtool_mac(const char *name, struct eth_addr *mac)
{
    struct ifreq ifr;
    int error;

    memset(&ifr, 0, sizeof ifr);
    error = af_inet_ifreq_ioctl(name, &ifr, SIOCGIFHWADDR, "SIOCGIFHWADDR");
    if (!error) {
        if (ifr.ifr_hwaddr.sa_family != ARPHRD_ETHER) {
            return EOPNOTSUPP;
        }
        memcpy(mac->ea, ifr.ifr_hwaddr.sa_data, sizeof mac->ea);
    }
    return error;
}

int
ob_ethtool_mii_link(const char *name, bool *up)
{
    struct ifreq ifr;
    struct mii_ioctl_data data;
    int error;

    memset(&ifr, 0, sizeof ifr);
    error = af_inet_ifreq_ioctl(name, &ifr, SIOCGMIIPHY, "SIOCGMIIPHY");
    if (!error) {
        /* The number of the transceiver stays in there. */
        BUILD_ASSERT_DECL(sizeof data <= sizeof ifr.ifr_ifru);
        memcpy(&data, &ifr.ifr_ifru, sizeof data);
        data.reg_num = MII_BMSR;
        memcpy(&ifr.ifr_ifru, &data, sizeof data);
        error = af_inet_ifreq_ioctl(name, &ifr, SIOCGMIIREG, "SIOCGMIIREG");
    }
    if (!error) {
        memcpy(&data, &ifr.ifr_ifru, sizeof data);
        *up = data.val_out & BMSR_LSTATUS;
    }
    return error;
}

int
ob_ethtool_link_detected(const char *name, bool *up)
{
    struct ethtool_value value = { .cmd = ETHTOOL_GLINK };
    int error = ask(name, &value, "ETHTOOL_GLINK");

    if (!error) {
        *up = value.data;
    }
    return error;
}
