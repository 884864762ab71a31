# SPDX-License-Identifier: Apache-2.0
#
# The adapter to OVSDB and the process, and the program: Open vSwitch's own
# ovs-vswitchd.o, bridge.o and libraries, with our objects before them.

vswitchd_ext_SOURCES = \
	vswitchd-ext/appctl.c \
	vswitchd-ext/appctl.h \
	vswitchd-ext/appctl-options.c \
	vswitchd-ext/appctl-options.h \
	vswitchd-ext/config-ovsdb.c \
	vswitchd-ext/config-ovsdb.h \
	vswitchd-ext/plugin.c \
	vswitchd-ext/plugin.h \
	vswitchd-ext/status-ovsdb.c \
	vswitchd-ext/status-ovsdb.h

HOUSE_FILES += $(vswitchd_ext_SOURCES)

# Functions of Open vSwitch that we interpose: each has a __wrap_ function
# among our objects, and no others may (build-aux/check-hooks).
BND_HOOKS = \
	bridge_exit \
	bridge_run \
	bridge_wait \
	mcast_snooping_add_group4 \
	mcast_snooping_add_mld \
	netdev_rxq_recv \
	netdev_set_etheraddr \
	odp_execute_actions \
	ofproto_bundle_register \
	ovsdb_idl_create \
	ovsdb_idl_run \
	xlate_actions \
	xlate_bundle_remove \
	xlate_bundle_set \
	xlate_ofport_remove \
	xlate_ofport_set \
	xlate_push_stats \
	xlate_push_stats_entry \
	xlate_remove_ofproto

bond_PROGRAMS += vswitchd-ext/ovs-vswitchd
vswitchd_ext_ovs_vswitchd_SOURCES = \
	$(ofproto_bond_SOURCES) \
	$(vswitchd_ext_SOURCES)
vswitchd_ext_ovs_vswitchd_LDFLAGS = \
	$(AM_LDFLAGS) \
	$(BND_HOOKS:%=-Wl,--wrap=%) \
	-Wl,-Map=vswitchd-ext/ovs-vswitchd.map \
	$(OVS_LDFLAGS)
vswitchd_ext_ovs_vswitchd_LDADD = \
	lib/libbond-engine.a \
	$(OVS_OBJS) \
	$(OVS_LADD)
vswitchd_ext_ovs_vswitchd_DEPENDENCIES = lib/libbond-engine.a ovs-libs.stamp
CLEANFILES += vswitchd-ext/ovs-vswitchd.map

# The post-link check: did our objects and hooks really take their places?
hooks.stamp: build-aux/check-hooks vswitchd-ext/ovs-vswitchd
	$(AM_V_GEN)NM='$(NM)' $(SHELL) $(srcdir)/build-aux/check-hooks \
	    vswitchd-ext/ovs-vswitchd vswitchd-ext/ovs-vswitchd.map \
	    '$(OVS_BUILDDIR)' '$(BND_HOOKS)' \
	    $(vswitchd_ext_ovs_vswitchd_OBJECTS)
	@echo checked > $@
ALL_LOCAL += hooks.stamp
MOSTLYCLEANFILES += hooks.stamp
