# SPDX-License-Identifier: Apache-2.0
#
# Goals in the context of Open vSwitch's own Makefile.  Run with -f from its
# build directory.  bb-built comes before bb-libs, in a make of its own:
# automake makes BUILT_SOURCES only for its own goals.

include Makefile

# The generated sources.
bb-built: $(BUILT_SOURCES)

# What ovs-vswitchd is linked from, and no program.
bb-libs: $(vswitchd_ovs_vswitchd_OBJECTS) $(vswitchd_ovs_vswitchd_LDADD)

# Prints the value of one variable of that Makefile.
bb-print-%:
	@printf '%s\n' '$($*)'

.PHONY: bb-built bb-libs
