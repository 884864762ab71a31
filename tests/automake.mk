# SPDX-License-Identifier: Apache-2.0
#
# Tests, by what they need:
#
#   check           engine scripts over simulated time (tests/unit)
#   check-valgrind  the same under valgrind
#   check-system    our ovs-vswitchd with the dummy datapath (tests/system)
#   check-harness   hosts in network namespaces, and QEMU; needs root
#   check-ovs-bond  Open vSwitch's own groups about bonds and LACP
#   check-ovs       Open vSwitch's own suite, all of it
#   check-asan      check and check-system in a build with sanitizers, made in
#                   asan/ of this build directory
#
# Both suites are made in the build directory and are not distributed: the
# second one holds macros of Open vSwitch (m4_include from its source tree), so
# it must not be.  Making them takes autom4te, which is part of autoconf.

# The engine's test program.  Sub-commands register themselves.
check_PROGRAMS += tests/bndtest
tests_bndtest_SOURCES = \
	tests/bench-hash.c \
	tests/bond-rig.c \
	tests/bond-rig.h \
	tests/bond-walk.c \
	tests/bond-walk.h \
	tests/bndtest.c \
	tests/bndtest.h \
	tests/drive-bond.c \
	tests/drive-hash.c \
	tests/drive-lacp.c \
	tests/drive-notices.c \
	tests/drive-settings.c \
	tests/drive-slots.c \
	tests/drive-wire.c \
	tests/fuzz/fuzz-arp.c \
	tests/fuzz/fuzz-config.c \
	tests/fuzz/fuzz-events.c \
	tests/fuzz/fuzz-hash.c \
	tests/fuzz/fuzz-lacpdu.c \
	tests/fuzz/fuzz-nd.c \
	tests/fuzz/fuzz-neighbour.h \
	tests/lacp-net.c \
	tests/lacp-net.h \
	tests/lacp-rules.c \
	tests/lacp-rules.h \
	tests/prop-bond.c \
	tests/prop-lacp.c \
	tests/prop-linux.c \
	tests/prop-mii.c \
	tests/rig-net.c \
	tests/rig-net.h \
	tests/truth-acts.c \
	tests/truth-lacp.c
tests_bndtest_LDADD = \
	lib/libbond-engine.a \
	$(OVS_BUILDDIR)/lib/libopenvswitch.la
tests_bndtest_DEPENDENCIES = lib/libbond-engine.a ovs-libs.stamp

# The packet path without a datapath.  The test is the datapath, hence the hooks
# that are missing here.
check_PROGRAMS += tests/fasttest
tests_fasttest_SOURCES = \
	ofproto-bond/fast-lanes.c \
	ofproto-bond/fast-lanes.h \
	ofproto-bond/fast-output.c \
	ofproto-bond/fastpath-private.h \
	ofproto-bond/fastpath.c \
	ofproto-bond/fastpath.h \
	ofproto-bond/lb-flow.c \
	ofproto-bond/lb-flow.h \
	ofproto-bond/thread-slot.c \
	ofproto-bond/thread-slot.h \
	tests/fasttest.c
tests_fasttest_LDFLAGS = \
	$(AM_LDFLAGS) \
	-Wl,--wrap=dpif_execute \
	-Wl,--wrap=odp_execute_actions \
	$(OVS_LDFLAGS)
tests_fasttest_LDADD = $(tests_bndtest_LDADD)
tests_fasttest_DEPENDENCIES = $(tests_bndtest_DEPENDENCIES)

# Scripts: add each file that testsuite.at (system-testsuite.at) includes.
TESTSUITE_AT = \
	tests/testsuite.at \
	tests/bnd-macros.at \
	tests/unit/bond-active.at \
	tests/unit/bond-address.at \
	tests/unit/bond-announce.at \
	tests/unit/bond-arp.at \
	tests/unit/bond-drain.at \
	tests/unit/bond-lacp.at \
	tests/unit/bond-life.at \
	tests/unit/bond-mii.at \
	tests/unit/bond-modes.at \
	tests/unit/bond-receive.at \
	tests/unit/bond-link.at \
	tests/unit/bond-select.at \
	tests/unit/bond-slb.at \
	tests/unit/bond-tlb.at \
	tests/unit/bond-alb.at \
	tests/unit/bond-status.at \
	tests/unit/fastpath.at \
	tests/unit/hash.at \
	tests/unit/lacp.at \
	tests/unit/lacp-late.at \
	tests/unit/lacp-linux.at \
	tests/unit/lacp-save.at \
	tests/unit/lacp-standard.at \
	tests/unit/prop-bond.at \
	tests/unit/lacp-found.at \
	tests/unit/prop-lacp.at \
	tests/unit/settings.at \
	tests/unit/slots.at \
	tests/unit/wire.at
SYSTEM_TESTSUITE_AT = \
	tests/system-testsuite.at \
	tests/system/announce.at \
	tests/system/bond.at \
	tests/system/config.at \
	tests/system/lb.at \
	tests/system/probes.at \
	tests/system/status.at

# Data that the scripts read: vectors, and so on.
TEST_FILES = \
	tests/fuzz/corpus-arp/empty \
	tests/fuzz/corpus-arp/ends-in-tag \
	tests/fuzz/corpus-arp/gratuitous \
	tests/fuzz/corpus-arp/infiniband \
	tests/fuzz/corpus-arp/no-addresses \
	tests/fuzz/corpus-arp/rarp \
	tests/fuzz/corpus-arp/reply \
	tests/fuzz/corpus-arp/reply-qinq \
	tests/fuzz/corpus-arp/reply-tagged \
	tests/fuzz/corpus-arp/request \
	tests/fuzz/corpus-arp/short \
	tests/fuzz/corpus-arp/three-tags \
	tests/fuzz/corpus-config/invalid \
	tests/fuzz/corpus-config/string \
	tests/fuzz/corpus-config/valid \
	tests/fuzz/corpus-events/ones \
	tests/fuzz/corpus-events/random-150 \
	tests/fuzz/corpus-events/random-300 \
	tests/fuzz/corpus-events/random-40 \
	tests/fuzz/corpus-events/random-400 \
	tests/fuzz/corpus-events/zeros \
	tests/fuzz/corpus-lacpdu/empty \
	tests/fuzz/corpus-lacpdu/header-cut \
	tests/fuzz/corpus-lacpdu/header-only \
	tests/fuzz/corpus-lacpdu/lacpdu \
	tests/fuzz/corpus-lacpdu/lacpdu-bad-actor-length \
	tests/fuzz/corpus-lacpdu/lacpdu-bad-actor-type \
	tests/fuzz/corpus-lacpdu/lacpdu-bad-partner-length \
	tests/fuzz/corpus-lacpdu/lacpdu-bad-partner-type \
	tests/fuzz/corpus-lacpdu/lacpdu-expired \
	tests/fuzz/corpus-lacpdu/lacpdu-individual \
	tests/fuzz/corpus-lacpdu/lacpdu-long \
	tests/fuzz/corpus-lacpdu/lacpdu-loopback \
	tests/fuzz/corpus-lacpdu/lacpdu-no-system \
	tests/fuzz/corpus-lacpdu/lacpdu-not-in-sync \
	tests/fuzz/corpus-lacpdu/lacpdu-odd-collector \
	tests/fuzz/corpus-lacpdu/lacpdu-qinq \
	tests/fuzz/corpus-lacpdu/lacpdu-short-by-one \
	tests/fuzz/corpus-lacpdu/lacpdu-stranger \
	tests/fuzz/corpus-lacpdu/lacpdu-tagged \
	tests/fuzz/corpus-lacpdu/lacpdu-tagged-short-by-one \
	tests/fuzz/corpus-lacpdu/lacpdu-three-tags \
	tests/fuzz/corpus-lacpdu/lacpdu-untold \
	tests/fuzz/corpus-lacpdu/lacpdu-version-0 \
	tests/fuzz/corpus-lacpdu/lacpdu-version-2 \
	tests/fuzz/corpus-lacpdu/lacpdu-wrong-key \
	tests/fuzz/corpus-lacpdu/marker-bad-length \
	tests/fuzz/corpus-lacpdu/marker-information \
	tests/fuzz/corpus-lacpdu/marker-information-802.1AX \
	tests/fuzz/corpus-lacpdu/marker-information-tagged \
	tests/fuzz/corpus-lacpdu/marker-length-0 \
	tests/fuzz/corpus-lacpdu/marker-long \
	tests/fuzz/corpus-lacpdu/marker-response \
	tests/fuzz/corpus-lacpdu/marker-type-0 \
	tests/fuzz/corpus-lacpdu/marker-unknown \
	tests/fuzz/corpus-lacpdu/ones \
	tests/fuzz/corpus-lacpdu/other-type \
	tests/fuzz/corpus-lacpdu/short-60 \
	tests/fuzz/corpus-lacpdu/short-60-unknown \
	tests/fuzz/corpus-lacpdu/short-marker \
	tests/fuzz/corpus-lacpdu/slow-ones \
	tests/fuzz/corpus-lacpdu/subtype-0 \
	tests/fuzz/corpus-lacpdu/subtype-10-ossp \
	tests/fuzz/corpus-lacpdu/subtype-3-oam \
	tests/fuzz/corpus-lacpdu/subtype-9 \
	tests/fuzz/corpus-lacpdu/tag-cut \
	tests/fuzz/corpus-lacpdu/zeros \
	tests/fuzz/corpus-nd/advert \
	tests/fuzz/corpus-nd/advert-all-nodes \
	tests/fuzz/corpus-nd/advert-tagged \
	tests/fuzz/corpus-nd/bad-checksum \
	tests/fuzz/corpus-nd/empty \
	tests/fuzz/corpus-nd/extension \
	tests/fuzz/corpus-nd/forwarded \
	tests/fuzz/corpus-nd/no-length \
	tests/fuzz/corpus-nd/odd-length \
	tests/fuzz/corpus-nd/solicit \
	tests/fuzz/corpus-nd/solicit-nobody \
	tests/fuzz/corpus-nd/too-long \
	tests/fuzz/corpus-nd/too-short \
	tests/fuzz/corpus-nd/version-4 \
	tests/vectors/gen-hash.py \
	tests/vectors/gen-proc.py \
	tests/vectors/hash-computed \
	tests/vectors/hash-linux \
	tests/vectors/proc-linux

EXTRA_DIST += \
	$(TESTSUITE_AT) \
	$(SYSTEM_TESTSUITE_AT) \
	$(TEST_FILES) \
	tests/atlocal.in \
	tests/check-ovs \
	tests/under-valgrind \
	tests/options-matrix \
	tests/bench/README.md \
	tests/bench/common.py \
	tests/bench/failover \
	tests/bench/failover-gen.c \
	tests/bench/forward \
	tests/bench/scale \
	$(wildcard $(srcdir)/tests/harness/*.py $(srcdir)/tests/harness/*.md \
	    $(srcdir)/tests/harness/*.ini)

# Suites
# ------

BND_AUTOTEST = $(AUTOM4TE) --language=autotest -I '$(srcdir)' -I tests

tests/package.m4: $(top_builddir)/config.status
	$(AM_V_GEN)$(MKDIR_P) tests && { \
	    echo 'm4_define([AT_PACKAGE_NAME],      [$(PACKAGE_NAME)])'; \
	    echo 'm4_define([AT_PACKAGE_TARNAME],   [$(PACKAGE_TARNAME)])'; \
	    echo 'm4_define([AT_PACKAGE_VERSION],   [$(PACKAGE_VERSION)])'; \
	    echo 'm4_define([AT_PACKAGE_STRING],    [$(PACKAGE_STRING)])'; \
	    echo 'm4_define([AT_PACKAGE_BUGREPORT], [$(PACKAGE_BUGREPORT)])'; \
	} > $@
tests/testsuite: tests/package.m4 $(TESTSUITE_AT)
	$(AM_V_GEN)$(BND_AUTOTEST) -o $@.tmp $(srcdir)/tests/testsuite.at
	@mv $@.tmp $@
tests/system-testsuite: tests/package.m4 $(SYSTEM_TESTSUITE_AT) \
		$(OVS_SRCDIR)/tests/ovs-macros.at
	$(AM_V_GEN)$(BND_AUTOTEST) -I '$(OVS_SRCDIR)' -o $@.tmp \
	    $(srcdir)/tests/system-testsuite.at
	@mv $@.tmp $@
CLEANFILES += tests/package.m4 tests/testsuite tests/system-testsuite

# TESTSUITEFLAGS is for people: numbers, -k KEYWORD, -v, -d.
CHECK_JOBS = 4
AUTOTEST_RUN = -C tests -j$(CHECK_JOBS)
ENGINE_PATH = tests
SYSTEM_PATH = $(abs_builddir)/vswitchd-ext:$(OVS_BUILDDIR)/utilities:$(OVS_SRCDIR)/utilities:$(OVS_BUILDDIR)/ovsdb:$(OVS_BUILDDIR)/tests:$(OVS_SRCDIR)/tests

CHECK_LOCAL += check-engine
check-engine: tests/testsuite tests/atconfig tests/atlocal tests/bndtest \
		tests/fasttest utilities/gen-options utilities/ofproto-bond.7
	$(SHELL) tests/testsuite $(AUTOTEST_RUN) \
	    AUTOTEST_PATH='$(ENGINE_PATH)' $(TESTSUITEFLAGS)
.PHONY: check-engine

tests/valgrind/bndtest: $(top_builddir)/config.status
	@$(MKDIR_P) tests/valgrind
	$(AM_V_GEN)printf '%s\n' '#!/bin/sh' \
	    "exec '$(abs_srcdir)/tests/under-valgrind' '$(VALGRIND)' \\" \
	    "    '$(abs_builddir)/tests/bndtest' \"\$$@\"" > $@ && chmod +x $@
CLEANFILES += tests/valgrind/bndtest
check-valgrind: all tests/testsuite tests/bndtest tests/valgrind/bndtest
	@if test '$(VALGRIND)' = no; then \
	    echo "install valgrind and configure again" >&2; exit 1; fi
	$(SHELL) tests/testsuite $(AUTOTEST_RUN) \
	    AUTOTEST_PATH='tests/valgrind:$(ENGINE_PATH)' $(TESTSUITEFLAGS)
.PHONY: check-valgrind

# Programs of Open vSwitch that tests run: everything in its tree.
ovs-programs.stamp: ovs-libs.stamp
	@echo "  OVS      all programs in $(OVS_BUILDDIR)"
	$(AM_V_at)cd '$(OVS_BUILDDIR)' && $(MAKE) --no-print-directory -s all
	@echo built > $@
MOSTLYCLEANFILES += ovs-programs.stamp
ovs-programs: ovs-programs.stamp
.PHONY: ovs-programs

check-system: all tests/system-testsuite ovs-programs.stamp
	$(SHELL) tests/system-testsuite $(AUTOTEST_RUN) \
	    AUTOTEST_PATH='$(SYSTEM_PATH)' $(TESTSUITEFLAGS)
.PHONY: check-system

# HARNESSFLAGS is for people: options of run.py, arguments of pytest.
check-harness: all
	cd $(srcdir) && OB_DAEMON='$(abs_builddir)/vswitchd-ext/ovs-vswitchd' \
	    PYTHONDONTWRITEBYTECODE=1 \
	    $(PYTHON3) tests/harness/run.py $(HARNESSFLAGS)
.PHONY: check-harness

CHECK_OVS = $(PYTHON3) $(srcdir)/tests/check-ovs \
	--daemon-dir '$(abs_builddir)/vswitchd-ext' \
	--ovs-source '$(OVS_SRCDIR)' --ovs-build '$(OVS_BUILDDIR)'
check-ovs: all ovs-programs.stamp
	$(CHECK_OVS) $(CHECKOVSFLAGS)
check-ovs-bond: all ovs-programs.stamp
	$(CHECK_OVS) --fast $(CHECKOVSFLAGS)
.PHONY: check-ovs check-ovs-bond

# The libraries of Open vSwitch are shared with this build, uninstrumented.
check-asan: ovs-libs.stamp
	$(MKDIR_P) asan
	cd asan && { test -f Makefile || \
	    $(SHELL) '$(abs_top_srcdir)/configure' --enable-sanitizers \
	        --with-ovs-source='$(OVS_SRCDIR)' \
	        --with-ovs-build='$(OVS_BUILDDIR)' CC='$(CC)'; }
	cd asan && $(MAKE) all && $(MAKE) check && $(MAKE) check-system
.PHONY: check-asan

# Leftovers of runs.
CLEAN_LOCAL += clean-tests
clean-tests:
	-rm -rf asan tests/testsuite.dir tests/testsuite.log \
	    tests/system-testsuite.dir tests/system-testsuite.log
.PHONY: clean-tests
DISTCLEANFILES += tests/atconfig
