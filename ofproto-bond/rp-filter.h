/* SPDX-License-Identifier: Apache-2.0 */

/* Keeping the kernel from what comes for the host
 * ===============================================
 *
 * In balance-alb peers send to the addresses of members.  A member that is a
 * device of Linux, in the userspace datapath, is Linux's own port, too: it
 * takes a frame to its address and, as the host's IP addresses are on the same
 * machine, answers, besides what comes by the bridge.  So while the mode is
 * such, members filter by the reverse path: nothing is routed by a member, so
 * nothing is taken by one.  They get back what they had, also when the daemon
 * ends, unless it is killed.
 *
 * We simplify: this is for IPv4.  Nor is it of use where
 * net.ipv4.conf.all.rp_filter is 2 (loose), which goes before, or where the
 * daemon may not write there; bond/show tells.
 *
 * Threads: main.
 *
 * Source: Linux Documentation/networking/ip-sysctl.rst, rp_filter. */

#ifndef OB_RP_FILTER_H
#define OB_RP_FILTER_H 1

struct ds;
struct ob_member;
struct ob_owner;

/* Sets what members of the bond of 'o' are to have as its view is now. */
void ob_rp_filter_update(struct ob_owner *);

/* Gives 'm' back what it had. */
void ob_rp_filter_release(struct ob_member *m);

/* Appends a line for each member for which it cannot be done. */
void ob_rp_filter_put_notes(const struct ob_owner *, struct ds *);

#endif /* rp-filter.h */
