# SPDX-License-Identifier: Apache-2.0
#
# Programs for people, and manual pages.  They speak unixctl and OVSDB and
# include nothing of ours.  Add scripts to bin_SCRIPTS and EXTRA_DIST, pages to
# dist_man_MANS.
