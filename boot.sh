#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes configure.  Only needed in a git tree, and after acinclude.m4 changed.
cd "$(dirname "$0")" && mkdir -p m4 && exec autoreconf --install --warnings=all,no-portability,no-obsolete
