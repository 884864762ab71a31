dnl SPDX-License-Identifier: Apache-2.0
dnl
dnl Our configure checks.  The first half finds (or makes) a pair of Open
dnl vSwitch trees, source and build, and reads from the build tree the flags
dnl that its own objects are compiled and linked with.  The second half holds
dnl our few switches.

dnl BND_OVS_SOURCE
dnl
dnl Sets OVS_SRCDIR, absolute.  --with-ovs-source names a source tree, or a
dnl tarball, which is unpacked to ovs/src in the build directory.
AC_DEFUN([BND_OVS_SOURCE],
  [AC_ARG_WITH([ovs-source],
     [AS_HELP_STRING([--with-ovs-source=DIR|TARBALL],
        [Open vSwitch source tree or tarball; by default the tarball of
         Debian's package openvswitch-source])],
     [], [with_ovs_source=])
   AC_MSG_CHECKING([for the Open vSwitch source])
   case $with_ovs_source in
     yes | no) AC_MSG_ERROR([--with-ovs-source needs a directory or tarball]) ;;
     '') bnd_ovs_source=/usr/src/openvswitch/openvswitch.tar.gz
         AS_IF([test ! -f "$bnd_ovs_source"], [AC_MSG_ERROR([none at
$bnd_ovs_source.
Install the package openvswitch-source, or give --with-ovs-source=DIR or
--with-ovs-source=TARBALL.])]) ;;
     *) bnd_ovs_source=$with_ovs_source ;;
   esac
   AS_IF([test -d "$bnd_ovs_source"],
     [OVS_SRCDIR=`cd "$bnd_ovs_source" && pwd`],
     [test -f "$bnd_ovs_source"],
     [OVS_SRCDIR=`pwd`/ovs/src
      dnl The stamp says which tarball, so that another one is unpacked anew.
      bnd_ovs_id=`cksum < "$bnd_ovs_source"`
      AS_IF([test "x`cat ovs/src.stamp 2>/dev/null`" != "x$bnd_ovs_id"],
        [rm -rf ovs
         mkdir -p ovs/src
         tar -x --no-same-owner --strip-components=1 -C ovs/src \
             -f "$bnd_ovs_source" \
           || AC_MSG_ERROR([cannot unpack $bnd_ovs_source])
         echo "$bnd_ovs_id" > ovs/src.stamp])],
     [AC_MSG_ERROR([$bnd_ovs_source does not exist])])
   AS_IF([test ! -f "$OVS_SRCDIR/vswitchd/bridge.c"],
     [AC_MSG_ERROR([$bnd_ovs_source is not an Open vSwitch source tree
(it has no vswitchd/bridge.c)])])
   AC_MSG_RESULT([$OVS_SRCDIR])
   AC_SUBST([OVS_SRCDIR])])

dnl BND_OVS_BUILD
dnl
dnl Sets OVS_BUILDDIR, absolute, to a configured build tree of OVS_SRCDIR.
dnl --with-ovs-build names one; if it is not configured yet we do that, and
dnl 'make' builds the libraries in it.
AC_DEFUN([BND_OVS_BUILD],
  [AC_REQUIRE([BND_OVS_SOURCE])
   AC_ARG_WITH([ovs-build],
     [AS_HELP_STRING([--with-ovs-build=DIR],
        [Open vSwitch build tree: used as it is if it is configured, otherwise
         configured here; by default ovs/build in the build directory, or the
         source tree if that one is configured])],
     [], [with_ovs_build=])
   AC_ARG_WITH([dpdk],
     [AS_HELP_STRING([--with-dpdk@<:@=shared|static@:>@],
        [configure Open vSwitch with DPDK])],
     [], [with_dpdk=no])
   AC_ARG_ENABLE([afxdp],
     [AS_HELP_STRING([--enable-afxdp],
        [fail if Open vSwitch cannot support AF_XDP (default: as it finds)])],
     [], [enable_afxdp=])
   AC_ARG_WITH([ovs-configure-flags],
     [AS_HELP_STRING([--with-ovs-configure-flags=FLAGS],
        [more arguments for the configure script of Open vSwitch])],
     [], [with_ovs_configure_flags=])

   case $with_ovs_build in
     yes | no) AC_MSG_ERROR([--with-ovs-build needs a directory]) ;;
     '') AS_IF([test -f "$OVS_SRCDIR/config.h"],
               [OVS_BUILDDIR=$OVS_SRCDIR],
               [OVS_BUILDDIR=`pwd`/ovs/build]) ;;
     /*) OVS_BUILDDIR=$with_ovs_build ;;
     *) OVS_BUILDDIR=`pwd`/$with_ovs_build ;;
   esac

   dnl A drop-in uses the directories of the distribution's Open vSwitch
   dnl (database, sockets, schema) wherever it is installed itself, hence no
   dnl --prefix=$prefix here.
   bnd_flags="--prefix=/usr --localstatedir=/var --sysconfdir=/etc"
   bnd_flags="$bnd_flags --disable-shared --disable-dependency-tracking"
   case $with_dpdk in
     no) ;;
     yes) bnd_flags="$bnd_flags --with-dpdk" ;;
     shared | static) bnd_flags="$bnd_flags --with-dpdk=$with_dpdk" ;;
     *) AC_MSG_ERROR([--with-dpdk is shared or static, not $with_dpdk]) ;;
   esac
   AS_IF([test -n "$enable_afxdp"],
         [bnd_flags="$bnd_flags --enable-afxdp=$enable_afxdp"])
   bnd_flags="$bnd_flags $with_ovs_configure_flags"

   dnl A tree that was named is never changed if it is configured; our own
   dnl ovs/build is configured again when the arguments change.
   bnd_args="$OVS_SRCDIR $bnd_flags CC=$CC CFLAGS=$CFLAGS CPPFLAGS=$CPPFLAGS"
   bnd_args="$bnd_args LDFLAGS=$LDFLAGS"
   bnd_stamp=$OVS_BUILDDIR/.bnd-configured
   AC_MSG_CHECKING([for the Open vSwitch build tree])
   AS_IF([test -f "$OVS_BUILDDIR/config.h" \
          && { test "$OVS_BUILDDIR" != "`pwd`/ovs/build" \
               || test "x`cat "$bnd_stamp" 2>/dev/null`" = "x$bnd_args"; }],
     [AC_MSG_RESULT([$OVS_BUILDDIR])],
     [AC_MSG_RESULT([$OVS_BUILDDIR, to be configured])
      mkdir -p "$OVS_BUILDDIR" || AC_MSG_ERROR([cannot create $OVS_BUILDDIR])
      rm -f "$bnd_stamp" "$OVS_BUILDDIR/config.h"
      bnd_log=$OVS_BUILDDIR/configure.log
      AC_MSG_NOTICE([configuring Open vSwitch: $bnd_flags])
      dnl CONFIG_SITE and friends pass through; the python3 must be ours.
      (cd "$OVS_BUILDDIR" && MAKEFLAGS= && unset MAKEFLAGS MAKELEVEL \
       && $CONFIG_SHELL "$OVS_SRCDIR/configure" --quiet $bnd_flags \
            CC="$CC" CFLAGS="$CFLAGS" CPPFLAGS="$CPPFLAGS" \
            LDFLAGS="$LDFLAGS" PYTHON3="$PYTHON3") > "$bnd_log" 2>&1 \
        || { tail -n 20 "$bnd_log" >&2
             AC_MSG_ERROR([Open vSwitch cannot be configured, see $bnd_log]); }
      dnl Objects compiled with other arguments are of no use any more.
      find "$OVS_BUILDDIR" \( -name '*.o' -o -name '*.lo' -o -name '*.la' \) \
           -exec rm -f {} +
      echo "$bnd_args" > "$bnd_stamp"])
   OVS_BUILDDIR=`cd "$OVS_BUILDDIR" && pwd`
   AC_SUBST([OVS_BUILDDIR])])

dnl BND_OVS_FLAGS
dnl
dnl Reads flags from the Makefile of the build tree.  OVS_OBJS are the objects
dnl of its own daemon, OVS_LADD its libraries; both become absolute.
AC_DEFUN([BND_OVS_FLAGS],
  [AC_REQUIRE([BND_OVS_BUILD])
   AC_MSG_CHECKING([for the flags of Open vSwitch])
   bnd_ovs_mk=`cd "$srcdir" && pwd`/build-aux/ovs.mk
   bnd_print ()
   {
     (cd "$OVS_BUILDDIR" && MAKEFLAGS= && unset MAKEFLAGS MAKELEVEL \
      && ${MAKE-make} -s -f "$bnd_ovs_mk" "bb-print-$[]1") 2>>config.log \
       || AC_MSG_ERROR([cannot read $[]1 from $OVS_BUILDDIR/Makefile, see
config.log])
   }
   OVS_VERSION=`bnd_print VERSION` || exit 1
   OVS_CFLAGS=`bnd_print AM[]_CFLAGS` || exit 1
   bnd_cppflags=`bnd_print AM[]_CPPFLAGS` || exit 1
   OVS_LIBS=`bnd_print LIBS` || exit 1
   bnd_am_ldflags=`bnd_print AM[]_LDFLAGS` || exit 1
   OVS_LDFLAGS=`bnd_print vswitchd_ovs_vswitchd_LDFLAGS` || exit 1
   bnd_objs=`bnd_print vswitchd_ovs_vswitchd_OBJECTS` || exit 1
   bnd_ladd=`bnd_print vswitchd_ovs_vswitchd_LDADD` || exit 1
   AS_IF([test -z "$bnd_objs"],
     [AC_MSG_ERROR([$OVS_BUILDDIR has no objects of ovs-vswitchd])])

   dnl Include directories by their relative names mean nothing here: ours come
   dnl from the two trees.  Everything else (-D, absolute -I) stays.
   OVS_CPPFLAGS=
   bnd_skip=no
   for bnd_flag in $bnd_cppflags; do
     case $bnd_skip,$bnd_flag in
       yes,/*) OVS_CPPFLAGS="$OVS_CPPFLAGS -I $bnd_flag"; bnd_skip=no ;;
       yes,*) bnd_skip=no ;;
       no,-I) bnd_skip=yes ;;
       no,-I/*) OVS_CPPFLAGS="$OVS_CPPFLAGS $bnd_flag" ;;
       no,-I*) ;;
       *) OVS_CPPFLAGS="$OVS_CPPFLAGS $bnd_flag" ;;
     esac
   done
   bnd_incs="-I $OVS_BUILDDIR"
   for bnd_dir in "$OVS_BUILDDIR/include" "$OVS_SRCDIR/include" \
                  "$OVS_BUILDDIR/lib" "$OVS_SRCDIR/lib" "$OVS_SRCDIR"; do
     bnd_incs="$bnd_incs -I $bnd_dir"
   done
   OVS_CPPFLAGS="$bnd_incs $OVS_CPPFLAGS"

   OVS_OBJS=
   for bnd_flag in $bnd_objs; do
     OVS_OBJS="$OVS_OBJS $OVS_BUILDDIR/$bnd_flag"
   done
   OVS_LADD=
   for bnd_flag in $bnd_ladd; do
     case $bnd_flag in
       -* | /*) OVS_LADD="$OVS_LADD $bnd_flag" ;;
       *) OVS_LADD="$OVS_LADD $OVS_BUILDDIR/$bnd_flag" ;;
     esac
   done
   OVS_LDFLAGS="$OVS_LDFLAGS $bnd_am_ldflags"

   AS_IF([$GREP '^@%:@define DPDK_NETDEV' "$OVS_BUILDDIR/config.h" >/dev/null],
     [BND_FLAVOUR=dpdk
      bonddir='${prefix}/lib/openvswitch-switch-bond/dpdk'],
     [BND_FLAVOUR=plain
      bonddir='${prefix}/lib/openvswitch-switch-bond'])
   AS_IF([test "$with_dpdk" != no && test $BND_FLAVOUR = plain],
     [AC_MSG_ERROR([$OVS_BUILDDIR was configured without DPDK])])
   case $OVS_VERSION in
     3.@<:@1-9@:>@.* | 3.@<:@1-9@:>@@<:@0-9@:>@.* | 4.*) ;;
     *) AC_MSG_WARN([Open vSwitch $OVS_VERSION was never tried; 3.1 is the
reference]) ;;
   esac
   AC_DEFINE_UNQUOTED([BND_OVS_VERSION], ["$OVS_VERSION"],
     [The version of Open vSwitch that we are built against.])
   AC_SUBST([OVS_VERSION])
   AC_SUBST([OVS_CFLAGS])
   AC_SUBST([OVS_CPPFLAGS])
   AC_SUBST([OVS_LIBS])
   AC_SUBST([OVS_LDFLAGS])
   AC_SUBST([OVS_OBJS])
   AC_SUBST([OVS_LADD])
   AC_SUBST([BND_FLAVOUR])
   AC_SUBST([bonddir])
   AC_MSG_RESULT([Open vSwitch $OVS_VERSION, $BND_FLAVOUR])])

dnl BND_CHECK_WRAP
dnl
dnl Everything hangs on the linker's --wrap, so see that it does what it says.
AC_DEFUN([BND_CHECK_WRAP],
  [AC_MSG_CHECKING([whether the linker redirects symbols with --wrap])
   bnd_save_LDFLAGS=$LDFLAGS
   LDFLAGS="$LDFLAGS -Wl,--wrap=bnd_nowhere"
   AC_LINK_IFELSE(
     [AC_LANG_PROGRAM([[int bnd_nowhere(void);
                        int __wrap_bnd_nowhere(void);
                        int __wrap_bnd_nowhere(void) { return 0; }]],
                      [[return bnd_nowhere();]])],
     [AC_MSG_RESULT([yes])],
     [AC_MSG_RESULT([no])
      AC_MSG_ERROR([this linker cannot --wrap symbols; use GNU ld])])
   LDFLAGS=$bnd_save_LDFLAGS])

dnl BND_ENABLE_WERROR
AC_DEFUN([BND_ENABLE_WERROR],
  [AC_ARG_ENABLE([Werror],
     [AS_HELP_STRING([--enable-Werror], [treat our warnings as errors])],
     [bnd_werror=$enableval], [bnd_werror=no])
   BND_WERROR=
   AS_IF([test "$bnd_werror" != no], [bnd_werror=yes BND_WERROR=-Werror])
   AC_SUBST([BND_WERROR])])

dnl BND_ENABLE_SANITIZERS
dnl
dnl Our objects only: the libraries of Open vSwitch stay as they are, so that
dnl one build tree of it serves both.
AC_DEFUN([BND_ENABLE_SANITIZERS],
  [AC_ARG_ENABLE([sanitizers],
     [AS_HELP_STRING([--enable-sanitizers],
        [build our objects with the address and undefined behaviour
         sanitizers])],
     [bnd_sanitizers=$enableval], [bnd_sanitizers=no])
   BND_SANITIZER_FLAGS=
   AS_IF([test "$bnd_sanitizers" != no],
     [bnd_sanitizers=yes
      BND_SANITIZER_FLAGS="-fsanitize=address,undefined"
      BND_SANITIZER_FLAGS="$BND_SANITIZER_FLAGS -fno-omit-frame-pointer"
      BND_SANITIZER_FLAGS="$BND_SANITIZER_FLAGS -fno-common"
      bnd_save_CFLAGS=$CFLAGS
      CFLAGS="$CFLAGS $BND_SANITIZER_FLAGS"
      AC_MSG_CHECKING([whether the sanitizers work])
      AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
        [AC_MSG_RESULT([yes])],
        [AC_MSG_RESULT([no])
         AC_MSG_ERROR([$CC cannot link with $BND_SANITIZER_FLAGS])])
      CFLAGS=$bnd_save_CFLAGS])
   AC_SUBST([BND_SANITIZER_FLAGS])
   AM_CONDITIONAL([BND_SANITIZERS], [test "$bnd_sanitizers" = yes])])

dnl BND_ENABLE_COVERAGE
AC_DEFUN([BND_ENABLE_COVERAGE],
  [AC_ARG_ENABLE([coverage],
     [AS_HELP_STRING([--enable-coverage],
        [build our objects for gcov (use CFLAGS=-O0 with it)])],
     [bnd_coverage=$enableval], [bnd_coverage=no])
   BND_COVERAGE_FLAGS=
   AS_IF([test "$bnd_coverage" != no],
     [bnd_coverage=yes BND_COVERAGE_FLAGS=--coverage])
   AC_SUBST([BND_COVERAGE_FLAGS])
   AM_CONDITIONAL([BND_INSTRUMENTED],
     [test "$bnd_coverage" = yes || test "$bnd_sanitizers" = yes])])
