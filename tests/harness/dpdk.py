# SPDX-License-Identifier: Apache-2.0

"""Ports of DPDK, each on an interface of Linux (its driver af_packet)."""

import contextlib
import fcntl
import os

import pytest

from lab import run
from switch import DPDK_PRODUCT


def find_daemon(daemon):
    """The daemon under test if it has DPDK, else $OB_DPDK_DAEMON, or the one
    that quickstart built."""
    for path in (daemon, os.environ.get("OB_DPDK_DAEMON", DPDK_PRODUCT)):
        if os.access(path, os.X_OK) \
                and "DPDK" in run([path, "--version"]).stdout:
            return path
    pytest.skip("no daemon with DPDK here")


@contextlib.contextmanager
def huge_pages():
    """Some 300 MB in huge pages, if the system lets us have them; for one at a
    time, since they are the whole machine's."""
    path = "/proc/sys/vm/nr_hugepages"
    with open(__file__) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            with open(path) as f:
                before = f.read()
            with open(path, "w") as f:
                f.write(str(int(before) + 150))
        except OSError as e:
            pytest.skip("no huge pages: %s" % e)
        try:
            yield
        finally:
            with open(path, "w") as f:
                f.write(before)


def start(switch):
    """Has the daemon of 'switch', which is started anew, use DPDK."""
    switch.vsctl(
        "--no-wait", "set", "open_vswitch", ".", "other_config:dpdk-init=true",
        "other_config:pmd-cpu-mask=1",
        'other_config:dpdk-extra="--no-pci --iova-mode=va -m 256 '
        '--file-prefix=ob%d --no-telemetry"' % switch.vswitchd.pid)
    switch.stop()
    switch.start()


def ports(*names):
    """Arguments of ovs-vsctl that make ports of DPDK, called "d" and the name
    of the interface of Linux on which each is."""
    args = []
    for i, name in enumerate(names):
        args += ["--", "set", "interface", "d" + name, "type=dpdk",
                 "options:dpdk-devargs=net_af_packet%d\\,iface=%s"
                 % (i, name)]
    return args
