# SPDX-License-Identifier: Apache-2.0

"""The guard thread: LACP goes on while the main thread is held up.

The main thread alone is stopped, as a debugger would do it (ptrace); the
daemon's other threads go on."""

import contextlib
import ctypes
import os
import re
import struct
import time

import pytest

from lab import Cable, wait_until
from switch import Switch
from traffic import reachable

PTRACE_DETACH = 17
PTRACE_SEIZE = 0x4206
PTRACE_INTERRUPT = 0x4207
WALL = 0x40000000

LACP = ["bond_mode=active-backup", "lacp=active",
        "other_config:lacp-time=fast"]


def ptrace(request, tid):
    """Calls ptrace(2) without address and data."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p,
                            ctypes.c_void_p]
    libc.ptrace.restype = ctypes.c_long
    if libc.ptrace(request, tid, None, None) < 0:
        err = ctypes.get_errno()
        raise OSError(err, "ptrace %#x: %s" % (request, os.strerror(err)))


@contextlib.contextmanager
def main_thread_stopped(switch):
    """Stops the daemon's main thread, whose id is the process's."""
    tid = switch.vswitchd.pid
    ptrace(PTRACE_SEIZE, tid)
    try:
        ptrace(PTRACE_INTERRUPT, tid)
        os.waitpid(tid, WALL)
        yield
    finally:
        ptrace(PTRACE_DETACH, tid)


def lacpdus(sock, seconds):
    """Times at which LACPDUs came in at 'sock', and their actor states."""
    seen = []
    end = time.monotonic() + seconds
    while True:
        left = end - time.monotonic()
        if left <= 0:
            return seen
        sock.settimeout(left)
        try:
            frame, address = sock.recvfrom(2048)
        except TimeoutError:
            return seen
        outgoing = address[2] == 4
        if not outgoing and struct.unpack_from("!H", frame, 12)[0] == 0x8809:
            seen.append((time.monotonic(), frame[14 + 18]))


class Pair:
    """Our switch s1 and the stock switch s2, joined by a bond of two."""

    def __init__(self, lab, daemon, stock, members=()):
        self.s1 = Switch(lab, "s1", daemon)
        self.s2 = Switch(lab, "s2", stock)
        self.h1 = lab.host("h1", self.s1, "to-h1", "10.0.0.1")
        self.h2 = lab.host("h2", self.s2, "to-h2", "10.0.0.2")
        self.cables = [Cable(self.s1.ns, "p%d" % i, self.s2.ns, "q%d" % i)
                       for i in (1, 2)]
        self.s1.add_bond("bond0", ["p1", "p2"], *LACP, *members)
        self.s2.add_bond("bond0", ["q1", "q2"], *LACP)
        self.converge()

    def converge(self):
        """Waits until both ends use both members."""
        for switch in self.s1, self.s2:
            wait_until(lambda s=switch: len(s.lacp().current()) == 2
                       and len(s.enabled()) == 2, "LACP converges", 20)
        reachable(self.h1, "10.0.0.2")


def guard_passes(switch):
    """What bond/show tells: (late passes, worst lateness in ms, passes run
    by the guard)."""
    m = re.search(r"late passes: (\d+) of \d+ \(over 200 ms\), "
                  r"worst (\d+) ms, run by the guard: (\d+)",
                  switch.appctl("bond/show", "bond0"))
    return tuple(int(x) for x in m.groups()) if m else None


def test_lacpdus_go_out_while_main_is_stopped(lab, daemon, stock, request,
                                              known_in_stock):
    known_in_stock(request, "stock OVS has no guard")
    pair = Pair(lab, daemon, stock)
    assert guard_passes(pair.s1) is None
    sock = pair.s2.ns.packet_socket("q1")
    with main_thread_stopped(pair.s1):
        seen = lacpdus(sock, 2.8)
        partner = pair.s2.lacp()
        # Nor does a failover wait.
        pair.cables[0].cut()
        wait_until(lambda: "active member is now p2" in pair.s1.log(),
                   "p2 is active", 2)
    sock.close()
    pair.cables[0].mend()
    # One a second, the first at most 200 ms and a bit late.
    assert len(seen) >= 2, seen
    gaps = [b[0] - a[0] for a, b in zip(seen, seen[1:])]
    assert max(gaps) < 1.8, gaps
    assert len(partner.current()) == 2
    late, worst, by_guard = guard_passes(pair.s1)
    assert by_guard >= 2 and late >= 1, (late, by_guard)
    assert 200 <= worst < 3000, worst
    # Nobody lost anything by it.
    wait_until(lambda: len(pair.s1.lacp().current()) == 2, "both current")
    assert all(s["Link Expired"] == 0
               for s in pair.s2.lacp_stats().values())
    reachable(pair.h1, "10.0.0.2")


def test_lacp_that_was_turned_on_later(lab, daemon, stock, request,
                                       known_in_stock):
    """A bond that had no deadline for long is guarded when it has one."""
    known_in_stock(request, "stock OVS has no guard")
    pair = Pair(lab, daemon, stock)
    for value in "off", "active":
        time.sleep(1)
        for switch in pair.s1, pair.s2:
            switch.vsctl("set", "port", "bond0", "lacp=" + value)
    pair.converge()
    sock = pair.s2.ns.packet_socket("q1")
    with main_thread_stopped(pair.s1):
        seen = lacpdus(sock, 2.8)
    sock.close()
    assert len(seen) >= 2, seen


AFXDP = ["--", "set", "interface", "p1", "type=afxdp",
         "options:xdp-mode=generic", "--", "set", "interface", "p2",
         "type=afxdp", "options:xdp-mode=generic"]


@pytest.mark.parametrize("members, seconds", [
    pytest.param([], 10, id="veth"), pytest.param(AFXDP, 6, id="af_xdp")])
def test_no_flap_at_either_end(lab, daemon, stock, request, known_in_stock,
                               members, seconds):
    """All members hear their partner while the main thread is stopped, for
    longer than the timeout of 3 s: those that the main thread polls for the
    datapath by sockets of their own, others by threads of the datapath.  And
    each LACPDU is heard once."""
    known_in_stock(request, "stock OVS has no guard")
    pair = Pair(lab, daemon, stock, members)
    before = pair.s1.lacp_stats(), pair.s2.lacp_stats()
    with main_thread_stopped(pair.s1):
        time.sleep(seconds)
        assert len(pair.s2.lacp().current()) == 2
    assert guard_passes(pair.s1)[2] >= seconds
    for switch in pair.s1, pair.s2:
        assert len(switch.lacp().current()) == 2
        assert all(s["Link Expired"] == 0
                   for s in switch.lacp_stats().values()), switch.name
    reachable(pair.h1, "10.0.0.2")
    after = pair.s1.lacp_stats(), pair.s2.lacp_stats()
    for p, q in ("p1", "q1"), ("p2", "q2"):
        heard = after[0][p]["RX PDUs"] - before[0][p]["RX PDUs"]
        sent = after[1][q]["TX PDUs"] - before[1][q]["TX PDUs"]
        assert abs(heard - sent) <= 1 and heard >= seconds, (heard, sent)


def test_no_flap_while_the_database_is_away(lab, daemon, stock, request,
                                            known_in_stock):
    """Without its database the main loop runs no bridge.  LACP goes on."""
    known_in_stock(request, "stock OVS has no guard")
    pair = Pair(lab, daemon, stock, AFXDP)
    pair.s1.stop_db()
    time.sleep(6)
    assert len(pair.s2.lacp().current()) == 2
    pair.s1.start_db()
    wait_until(lambda: pair.s1.try_vsctl("--timeout=5", "show").returncode
               == 0, "the daemon has its database again", 20)
    reachable(pair.h1, "10.0.0.2")
    for switch in pair.s1, pair.s2:
        assert len(switch.lacp().current()) == 2
        assert all(s["Link Expired"] == 0
                   for s in switch.lacp_stats().values()), switch.name
