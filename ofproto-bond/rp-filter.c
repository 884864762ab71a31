/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/rp-filter.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "netdev.h"
#include "ofproto-bond/attach.h"
#include "ofproto-bond/handle.h"
#include "ofproto-bond/owner.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(bond_rp_filter);

/* What a device has.  The greater one of its own and of "all" is in force. */
enum { OFF, STRICT, LOOSE };

static char *
path_of(const char *name)
{
    return xasprintf("/proc/sys/net/ipv4/conf/%s/rp_filter", name);
}

/* Returns what 'name' has, or a negative errno. */
static int
get(const char *name)
{
    char *path = path_of(name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int value = -errno;
    char c;

    if (fd >= 0) {
        value = read(fd, &c, 1) == 1 && c >= '0' && c <= '2' ? c - '0' : -EIO;
        close(fd);
    }
    free(path);
    return value;
}

/* Returns 0 or a positive errno. */
static int
set(const char *name, int value)
{
    char *path = path_of(name);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    int error = fd < 0 ? errno : 0;
    char c = '0' + value;

    if (!error) {
        error = write(fd, &c, 1) == 1 ? 0 : errno;
        close(fd);
    }
    free(path);
    return error;
}

/* May the kernel take what peers of the host send to members of 'o'? */
static bool
is_wanted(const struct ob_owner *o)
{
    const struct ob_view *ov = o->bond ? ob_bond_view(o->bond) : NULL;
    const struct ofproto_dpif *ofproto = ob_owner_ofproto(o);

    return (ov && ov->view->take_arp && ofproto
            && ob_attach_is_userspace(ofproto));
}

static void
filter(struct ob_member *m)
{
    const char *name = netdev_get_name(m->netdev);
    int old = get(name);

    m->rp_error = old < 0 ? -old : 0;
    if (!m->rp_error && old != STRICT) {
        m->rp_error = set(name, STRICT);
        if (!m->rp_error) {
            m->rp_filter = old;
            m->rp_changed = true;
        }
    }
    if (m->rp_error) {
        VLOG_DBG("member %s: rp_filter cannot be set (%s)", m->name,
                 ovs_strerror(m->rp_error));
    }
    m->rp_asked = true;
}

void
ob_rp_filter_release(struct ob_member *m)
{
    if (m->rp_changed && m->netdev) {
        const char *name = netdev_get_name(m->netdev);

        /* Unless somebody else has changed it since. */
        if (get(name) == STRICT) {
            set(name, m->rp_filter);
        }
    }
    m->rp_asked = m->rp_changed = false;
    m->rp_error = 0;
}

void
ob_rp_filter_update(struct ob_owner *o)
{
    bool wanted = is_wanted(o);

    for (size_t i = 0; i < o->n_members; i++) {
        struct ob_member *m = &o->members[i];

        if (!wanted || !m->in_bond || !m->netdev || !m->in_kernel) {
            ob_rp_filter_release(m);
        } else if (!m->rp_asked) {
            filter(m);
        }
    }
}

void
ob_rp_filter_put_notes(const struct ob_owner *o, struct ds *ds)
{
    bool loose = is_wanted(o) && get("all") == LOOSE;

    for (size_t i = 0; i < o->n_members; i++) {
        const struct ob_member *m = &o->members[i];

        if (m->rp_error) {
            ds_put_format(ds, "member %s: rp_filter cannot be set (%s), so "
                          "the kernel may answer peers, too\n", m->name,
                          ovs_strerror(m->rp_error));
        } else if (m->rp_asked && loose) {
            ds_put_format(ds, "member %s: net.ipv4.conf.all.rp_filter is 2, "
                          "so the kernel may answer peers, too\n", m->name);
        }
    }
}
