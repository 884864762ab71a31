# SPDX-License-Identifier: Apache-2.0
#
# Programs for people, and manual pages.  They speak unixctl and OVSDB and
# include nothing of ours.  Add scripts to bin_SCRIPTS and EXTRA_DIST, pages to
# dist_man_MANS.

# What the options' rows say: the manual page ofproto-bond(7), the description
# of the keys as Open vSwitch describes its database, and docs/options.md.
noinst_PROGRAMS += utilities/gen-options
utilities_gen_options_SOURCES = utilities/gen-options.c
utilities_gen_options_LDADD = \
	lib/libbond-engine.a \
	$(OVS_BUILDDIR)/lib/libopenvswitch.la
utilities_gen_options_DEPENDENCIES = lib/libbond-engine.a ovs-libs.stamp

man_MANS += utilities/ofproto-bond.7
utilities/ofproto-bond.7: utilities/ofproto-bond.7.in utilities/gen-options
	$(AM_V_GEN)utilities/gen-options man > $@.1 && \
	utilities/gen-options man-members > $@.2 && \
	sed -e '/^@OPTIONS@$$/{r $@.1' -e 'd;}' \
	    -e '/^@MEMBER_OPTIONS@$$/{r $@.2' -e 'd;}' \
	    -e 's/@VERSION[@]/$(VERSION)/' \
	    $(srcdir)/utilities/ofproto-bond.7.in > $@.3 && \
	mv $@.3 $@ && rm -f $@.1 $@.2

doc_DATA += utilities/bond-options.xml
utilities/bond-options.xml: utilities/gen-options
	$(AM_V_GEN)utilities/gen-options xml > $@.tmp && mv $@.tmp $@

CLEANFILES += utilities/ofproto-bond.7 utilities/bond-options.xml \
	utilities/ofproto-bond.7.1 utilities/ofproto-bond.7.2 \
	utilities/ofproto-bond.7.3 utilities/bond-options.xml.tmp
EXTRA_DIST += docs/options.md utilities/ofproto-bond.7.in

# docs/options.md is kept in the sources, for readers of those; 'make check'
# sees that it says what the rows do.
.PHONY: update-docs
update-docs: utilities/gen-options
	utilities/gen-options markdown > $(srcdir)/docs/options.md
