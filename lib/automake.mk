# SPDX-License-Identifier: Apache-2.0
#
# The engine: an archive with no clock, lock, thread, log or I/O in it, which
# check-symbols proves.  Add each .c and .h file (and .def) here, in order of
# rank as in build-aux/layers.txt.

noinst_LIBRARIES += lib/libbond-engine.a

lib_libbond_engine_a_SOURCES = \
	lib/core/bnd-types.c \
	lib/core/bnd-types.h \
	lib/core/deadline.h \
	lib/core/effects.c \
	lib/core/effects.h \
	lib/core/event.h \
	lib/core/late.h \
	lib/core/member.h \
	lib/core/status.c \
	lib/core/status.h \
	lib/core/trace.c \
	lib/core/trace.h \
	lib/wire/arp.c \
	lib/wire/arp.h \
	lib/wire/cursor.c \
	lib/wire/cursor.h \
	lib/wire/dissect.c \
	lib/wire/dissect.h \
	lib/wire/eth.c \
	lib/wire/eth.h \
	lib/wire/igmp.c \
	lib/wire/igmp.h \
	lib/wire/ip.c \
	lib/wire/ip.h \
	lib/wire/lacpdu.c \
	lib/wire/lacpdu.h \
	lib/wire/marker.c \
	lib/wire/marker.h \
	lib/wire/learn.c \
	lib/wire/learn.h \
	lib/wire/mld.c \
	lib/wire/mld.h \
	lib/wire/nd.c \
	lib/wire/nd.h \
	lib/config/manual.c \
	lib/config/manual.h \
	lib/config/member-options.def \
	lib/config/members.c \
	lib/config/members.h \
	lib/config/options.def \
	lib/config/overlay.c \
	lib/config/overlay.h \
	lib/config/row.c \
	lib/config/row.h \
	lib/config/settings.c \
	lib/config/settings.h \
	lib/address/address.c \
	lib/address/address.h \
	lib/announce/notify.c \
	lib/announce/notify.h \
	lib/lacp/lacp-late.c \
	lib/lacp/lacp-late.h \
	lib/lacp/lacp-aggregate.c \
	lib/lacp/lacp-carrier.c \
	lib/lacp/lacp-churn.c \
	lib/lacp/lacp-marker.c \
	lib/lacp/lacp-mux.c \
	lib/lacp/lacp-periodic.c \
	lib/lacp/lacp-port.c \
	lib/lacp/lacp-private.h \
	lib/lacp/lacp-rx.c \
	lib/lacp/lacp-select.c \
	lib/lacp/lacp-standby.c \
	lib/lacp/lacp-status.c \
	lib/lacp/lacp-system.c \
	lib/lacp/lacp-tx.c \
	lib/lacp/lacp.h \
	lib/monitor/link.c \
	lib/monitor/link.h \
	lib/monitor/mii.c \
	lib/monitor/mii.h \
	lib/monitor/mon-arp.c \
	lib/monitor/mon-nd.c \
	lib/monitor/pin.c \
	lib/monitor/pin.h \
	lib/monitor/probe-each.c \
	lib/monitor/probe-search.c \
	lib/monitor/probe.c \
	lib/monitor/probe.h \
	lib/monitor/route.c \
	lib/monitor/route.h \
	lib/monitor/trust.c \
	lib/monitor/trust.h \
	lib/select/select.c \
	lib/select/select.h \
	lib/xmit/choose.c \
	lib/xmit/choose.h \
	lib/xmit/hash.c \
	lib/xmit/hash.h \
	lib/xmit/lb.c \
	lib/xmit/lb.h \
	lib/xmit/resolve.c \
	lib/xmit/resolve.h \
	lib/xmit/view.c \
	lib/xmit/view.h \
	lib/balance/homes.c \
	lib/balance/homes.h \
	lib/balance/macs.c \
	lib/balance/macs.h \
	lib/balance/rlb-frames.c \
	lib/balance/rlb.c \
	lib/balance/rlb.h \
	lib/balance/slots.c \
	lib/balance/slots.h \
	lib/balance/tlb.c \
	lib/balance/tlb.h \
	lib/policy/balanced.c \
	lib/policy/balanced.h \
	lib/policy/check.c \
	lib/policy/check.h \
	lib/policy/lb.c \
	lib/policy/lb.h \
	lib/policy/mode-ab.c \
	lib/policy/mode-alb.c \
	lib/policy/mode-broadcast.c \
	lib/policy/mode-rr.c \
	lib/policy/mode-slb.c \
	lib/policy/mode-tcp.c \
	lib/policy/mode-tlb.c \
	lib/policy/mode-xor.c \
	lib/policy/policy.c \
	lib/policy/policy.h \
	lib/bond/active.c \
	lib/bond/admin.c \
	lib/bond/answers.c \
	lib/bond/bond-private.h \
	lib/bond/bond.c \
	lib/bond/bond.h \
	lib/bond/history.c \
	lib/bond/intake.c \
	lib/bond/invariants.c \
	lib/bond/stage-address.c \
	lib/bond/stage-lacp.c \
	lib/bond/links.c \
	lib/bond/probes.c \
	lib/bond/status-fill.c \
	lib/bond/status-json.c \
	lib/bond/status-lacp.c \
	lib/bond/status-lb.c \
	lib/bond/status-more.c \
	lib/bond/status-probe.c \
	lib/bond/status-proc.c \
	lib/bond/status-text.c \
	lib/bond/status-text.h

# Every switch over one of our enums names every value of it.
lib_libbond_engine_a_CFLAGS = $(AM_CFLAGS) -Wswitch-enum

HOUSE_FILES += $(lib_libbond_engine_a_SOURCES)
