# SPDX-License-Identifier: Apache-2.0
#
# The adapter to ofproto and the datapath, and the two modules of Open vSwitch
# that we replace: bond.c and lacp.c define every symbol of its headers, so its
# own objects are never taken from its libraries (check-hooks sees to that).
# Objects, not a library: they must be on the linker's command line.

ofproto_bond_SOURCES = \
	ofproto-bond/announce.c \
	ofproto-bond/announce.h \
	ofproto-bond/attach.c \
	ofproto-bond/attach.h \
	ofproto-bond/bond.c \
	ofproto-bond/buckets.c \
	ofproto-bond/buckets.h \
	ofproto-bond/bundles.c \
	ofproto-bond/bundles.h \
	ofproto-bond/carrier.c \
	ofproto-bond/carrier.h \
	ofproto-bond/cuts.c \
	ofproto-bond/cuts.h \
	ofproto-bond/device.c \
	ofproto-bond/device.h \
	ofproto-bond/ethtool.c \
	ofproto-bond/ethtool.h \
	ofproto-bond/event-log.c \
	ofproto-bond/event-log.h \
	ofproto-bond/fast-lanes.c \
	ofproto-bond/fast-lanes.h \
	ofproto-bond/fast-output.c \
	ofproto-bond/fastpath-private.h \
	ofproto-bond/fastpath.c \
	ofproto-bond/fastpath.h \
	ofproto-bond/frames.c \
	ofproto-bond/frames.h \
	ofproto-bond/groups.c \
	ofproto-bond/groups.h \
	ofproto-bond/guard.c \
	ofproto-bond/guard.h \
	ofproto-bond/handle.c \
	ofproto-bond/handle.h \
	ofproto-bond/host-list.c \
	ofproto-bond/host-list.h \
	ofproto-bond/host-mac.c \
	ofproto-bond/host-mac.h \
	ofproto-bond/hosts.c \
	ofproto-bond/hosts.h \
	ofproto-bond/inbox.c \
	ofproto-bond/inbox.h \
	ofproto-bond/keep.c \
	ofproto-bond/keep.h \
	ofproto-bond/lacp.c \
	ofproto-bond/lb-flow.c \
	ofproto-bond/lb-flow.h \
	ofproto-bond/lb-host.c \
	ofproto-bond/lb-host.h \
	ofproto-bond/lb-rules.c \
	ofproto-bond/lb-rules.h \
	ofproto-bond/listen.c \
	ofproto-bond/listen.h \
	ofproto-bond/notices.c \
	ofproto-bond/notices.h \
	ofproto-bond/ob-config.c \
	ofproto-bond/ob-config.h \
	ofproto-bond/ob-options.c \
	ofproto-bond/ob-options.h \
	ofproto-bond/owner-config.c \
	ofproto-bond/owner-private.h \
	ofproto-bond/owner-status.c \
	ofproto-bond/owner.c \
	ofproto-bond/owner.h \
	ofproto-bond/routes.c \
	ofproto-bond/routes.h \
	ofproto-bond/rp-filter.c \
	ofproto-bond/rp-filter.h \
	ofproto-bond/sense.c \
	ofproto-bond/sense.h \
	ofproto-bond/slow.c \
	ofproto-bond/slow.h \
	ofproto-bond/sources.c \
	ofproto-bond/sources.h \
	ofproto-bond/taps.c \
	ofproto-bond/taps.h \
	ofproto-bond/thread-slot.c \
	ofproto-bond/thread-slot.h \
	ofproto-bond/worker.c \
	ofproto-bond/worker.h \
	ofproto-bond/xlate.c

HOUSE_FILES += $(ofproto_bond_SOURCES)
