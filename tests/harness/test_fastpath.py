# SPDX-License-Identifier: Apache-2.0

"""Members chosen by the userspace datapath, packet by packet, on real frames.

Host h1 sends frames of its own making through s1; each member of the bond
leads to an interface of the namespace "far", where frames are counted."""

import re
import socket
import struct
import threading
import time

import pytest

from lab import SLOW, Cable, run, wait_until
from switch import Switch
from test_guard import main_thread_stopped

SRC = "02:00:00:00:0a:01"
DST = "02:00:00:00:0b:01"
PORTS = ["p1", "p2", "p3"]
MODES = {
    "balance-rr": ["other_config:bond-mode=balance-rr"],
    "balance-xor-layer2": ["other_config:bond-mode=balance-xor"],
    "balance-xor-layer2+3": ["other_config:bond-mode=balance-xor",
                             "other_config:bond-xmit-hash-policy=layer2+3"],
    "balance-xor-layer3+4": ["other_config:bond-mode=balance-xor",
                             "other_config:bond-xmit-hash-policy=layer3+4"],
    "broadcast": ["other_config:bond-mode=broadcast"],
    "active-backup": ["bond_mode=active-backup"],
    "balance-slb": ["bond_mode=balance-slb"],
}
LACP_MODES = {
    "balance-tcp": ["bond_mode=balance-tcp"],
    "802.3ad": ["other_config:bond-mode=802.3ad",
                "other_config:bond-xmit-hash-policy=layer3+4"],
}
LACP = ["lacp=active", "other_config:lacp-time=fast"]


def mac_bytes(mac):
    """The six octets of an address."""
    return bytes.fromhex(mac.replace(":", ""))


def frame(i, src=SRC, dst=DST, size=90):
    """UDP frame number 'i' of a flow of its own."""
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, size - 14, 0, 0, 64, 17, 0,
                     bytes([10, 9, i >> 8 & 255, i & 255]),
                     bytes([10, 8, 7, i * 37 & 255]))
    udp = struct.pack("!HHHH", 1024 + i * 7 % 50000, 5000 + i % 13,
                      size - 34, 0)
    body = struct.pack("!I", i)
    return (mac_bytes(dst) + mac_bytes(src) + b"\x08\x00" + ip + udp
            + body + bytes(size - 46))


def fold(x):
    """As in the formulas of the hash policies."""
    x ^= x >> 16
    return x ^ x >> 8


def policy_hash(data, policy):
    """What Linux makes of 'data', which is UDP."""
    l2 = data[5] ^ data[11] ^ 0x0800
    src, dst, ports = struct.unpack_from("<III", data, 26)
    if policy == "layer2":
        return l2
    if policy == "layer2+3":
        return fold(l2 ^ src ^ dst)
    return fold(ports ^ src ^ dst) >> 1


class Counter:
    """Counts our frames that come in at an interface."""

    def __init__(self, ns, ifname):
        self.sock = ns.packet_socket(ifname)
        self.sock.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)
        self.sock.settimeout(0.1)
        self.seen = []              # (time, number, length)
        self.closing = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.closing:
            try:
                data, address = self.sock.recvfrom(2048)
            except TimeoutError:
                continue
            except OSError:         # The interface is down.
                time.sleep(0.001)
                continue
            if (address[2] != 4 and data[12:14] == b"\x08\x00"
                    and data[23] == 17 and data[26:28] == b"\x0a\x09"):
                self.seen.append((time.monotonic(),
                                  struct.unpack_from("!I", data, 42)[0],
                                  len(data)))

    def close(self):
        """Ends counting."""
        self.closing = True
        self.thread.join()
        self.sock.close()


class Net:
    """h1 - s1 - bond0 of p1, p2, p3 - far (q1, q2, q3); with 'stock', far is
    a switch with a bond, too."""

    def __init__(self, lab, daemon, settings, stock=None, members=()):
        self.lab = lab
        self.s = Switch(lab, "s1", daemon)
        if stock:
            self.s2 = Switch(lab, "s2", stock)
            self.far = self.s2.ns
        else:
            self.far = lab.namespace("far")
        self.h1 = lab.namespace("h1")
        for ns in self.s.ns, self.far, self.h1:
            ns.run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1",
                   "net.ipv6.conf.default.disable_ipv6=1")
        Cable(self.s.ns, "to-h1", self.h1, "eth0")
        self.s.vsctl("add-port", "br0", "to-h1")
        self.cables = {p: Cable(self.s.ns, p, self.far, p.replace("p", "q"))
                       for p in PORTS}
        lacp = LACP if stock else []
        self.s.add_bond("bond0", PORTS, *settings, *lacp, *members)
        if stock:
            self.s2.add_bond("bond0", [p.replace("p", "q") for p in PORTS],
                             "bond_mode=balance-tcp", *LACP)
        self.s.wait_enabled(PORTS, timeout=30)
        if stock:
            wait_until(lambda: len(self.s2.enabled()) == 3, "LACP", 30)
        self.out = self.h1.packet_socket("eth0")
        self.counters = {p: Counter(self.far, p.replace("p", "q"))
                         for p in PORTS}
        # So that all come to the bond: DST was learned on no other port.
        self.send([frame(0)])
        wait_until(lambda: self.total() >= 1, "a frame passes")
        time.sleep(0.3)
        self.clear()

    def close(self):
        """Ends threads."""
        for c in self.counters.values():
            c.close()
        self.out.close()

    def total(self):
        """Frames that came in anywhere."""
        return sum(len(c.seen) for c in self.counters.values())

    def clear(self):
        """Counts from 0."""
        for c in self.counters.values():
            c.seen = []

    def send(self, frames, pause=0.0001):
        """Sends frames, not too fast for a receiver in Python."""
        for f in frames:
            self.out.send(f)
            if pause:
                time.sleep(pause)

    def numbers(self):
        """Numbers of the frames that came in, by member."""
        return {p: [n for _t, n, _l in c.seen]
                for p, c in self.counters.items()}

    def exchange(self, frames, copies=1, timeout=10):
        """Sends frames and waits for them; returns numbers().  Where some may
        be lost that are to be sent again, 'timeout' should be short."""
        self.clear()
        self.send(frames)
        wait_until(lambda: self.total() >= copies * len(frames),
                   "all frames arrive", timeout)
        time.sleep(0.05)
        assert self.total() == copies * len(frames)
        return self.numbers()

    def flows(self):
        """Flows of our frames in the datapath."""
        return [line for line in
                self.s.appctl("dpctl/dump-flows").splitlines()
                if "src=" + SRC in line or
                ("in_port(" in line and "eth_type(0x0800)" in line)]

    def counted(self):
        """What the switch says that each member has sent: {name: packets}."""
        text = self.s.appctl("bond/show", "bond0")
        found = {}
        for m in re.finditer(r"member (\S+) sent (\d+) packets, (\d+) bytes",
                             text):
            found[m.group(1)] = int(m.group(2)), int(m.group(3))
        return found


@pytest.fixture
def net_of(lab, daemon, stock):
    """Makes a Net that is closed at the end."""
    nets = []

    def make(settings, **kwargs):
        if kwargs.pop("lacp", False):
            kwargs["stock"] = stock
        nets.append(Net(lab, daemon, settings, **kwargs))
        return nets[-1]
    yield make
    for net in nets:
        net.close()


def expected(net, mode, frames):
    """Members by which 'frames' must leave: {number: name}, or None if the
    test cannot know it."""
    if mode.startswith("balance-xor") or mode == "802.3ad":
        policy = mode[12:] if mode != "802.3ad" else "layer3+4"
        return {i: PORTS[policy_hash(f, policy) % 3]
                for i, f in enumerate(frames)}
    return None


@pytest.mark.parametrize("mode", list(MODES) + list(LACP_MODES))
def test_members(net_of, mode):
    """Frames leave by the members that the mode says; one flow in the
    datapath does; and what is counted is what arrived."""
    if mode in MODES:
        net = net_of(MODES[mode])
    else:
        net = net_of(LACP_MODES[mode], lacp=True)
    before = net.counted()
    frames = [frame(i) for i in range(600)]
    got = net.exchange(frames, 3 if mode == "broadcast" else 1)
    n = {p: len(got[p]) for p in PORTS}
    want = expected(net, mode, frames)
    if want:
        assert {i: p for p in PORTS for i in got[p]} == want
    elif mode == "balance-rr":
        assert sorted(n.values()) == [200, 200, 200], n
        assert all(b - a == 3 for p in PORTS
                   for a, b in zip(got[p], got[p][1:]))
    elif mode == "broadcast":
        assert n == {p: 600 for p in PORTS}
    elif mode == "balance-tcp":
        assert all(120 < x < 280 for x in n.values()), n
    else:
        assert sorted(n.values()) == [0, 0, 600], n
        if mode == "active-backup":
            assert n[net.s.bond().active] == 600

    flows = [f for f in net.flows() if "lb_output" in f]
    assert len(flows) == 1, net.s.appctl("dpctl/dump-flows")

    after = net.counted()
    assert {p: after[p][0] - before[p][0] for p in PORTS} == n, after
    assert {p: after[p][1] - before[p][1] for p in PORTS} \
        == {p: 90 * x for p, x in n.items()}, after
    statistics = {p: '%s_tx_bytes=%d' % (p, after[p][1]) for p in PORTS}
    wait_until(lambda: all(s in net.s.get("port", "bond0", "statistics")
                           for s in statistics.values()),
               "the database has %s" % statistics)
    status = net.s.get("port", "bond0", "status")
    assert "bond_mechanism=lb_output" in status, status


@pytest.mark.parametrize("mode", list(MODES))
def test_openflow_output_is_exact(net_of, mode):
    """output:MEMBER sends by that member, in every mode, and NORMAL goes on
    to be the bond's."""
    net = net_of(MODES[mode])
    for port in PORTS:
        run_ofctl(net, "add-flow", "br0", "priority=9,udp,nw_src=10.9.1.0/24,"
                  "actions=output:" + port)
        net.s.appctl("revalidator/wait")
        got = net.exchange([frame(256 + i) for i in range(50)])
        assert {p: len(got[p]) for p in PORTS} \
            == {p: 50 if p == port else 0 for p in PORTS}
        got = net.exchange([frame(i) for i in range(30)],
                           3 if mode == "broadcast" else 1)
        if mode == "balance-rr":
            assert {len(x) for x in got.values()} == {10}
        run_ofctl(net, "del-flows", "br0", "udp,nw_src=10.9.1.0/24")
        net.s.appctl("revalidator/wait")


def run_ofctl(net, *args):
    """ovs-ofctl."""
    run(["ovs-ofctl"] + list(args), env=net.s.env)


@pytest.mark.parametrize("mode", list(MODES))
def test_mirror(net_of, mode):
    """A mirror of what the bond sends sees each packet once."""
    net = net_of(MODES[mode])
    Cable(net.s.ns, "to-m", net.h1, "mirror")
    net.s.vsctl("add-port", "br0", "to-m", "--", "--id=@b", "get", "port",
                "bond0", "--", "--id=@m", "get", "port", "to-m", "--",
                "--id=@x", "create", "mirror", "name=x",
                "select_dst_port=@b", "output_port=@m", "--", "set",
                "bridge", "br0", "mirrors=@x")
    mirror = Counter(net.h1, "mirror")
    try:
        got = net.exchange([frame(i) for i in range(300)],
                           3 if mode == "broadcast" else 1)
        wait_until(lambda: len(mirror.seen) >= 300, "the mirror sees all")
        time.sleep(0.1)
        assert sorted(n for _t, n, _l in mirror.seen) == list(range(300))
        if mode == "balance-rr":
            assert {len(x) for x in got.values()} == {100}
    finally:
        mirror.close()


class Stream:
    """Sends frames of many source addresses until it is stopped."""

    def __init__(self, net, n_macs, pause=0.0002):
        self.net = net
        self.frames = [frame(i, "02:00:00:01:%02x:%02x" % (i >> 8, i & 255))
                       for i in range(n_macs)]
        self.sent = 0
        self.stopping = False
        self.pause = pause
        net.clear()
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.stopping:
            self.net.out.send(self.frames[self.sent % len(self.frames)])
            self.sent += 1
            time.sleep(self.pause)

    def wait(self, n):
        """Waits until 'n' more frames have been sent."""
        goal = self.sent + n
        wait_until(lambda: self.sent >= goal, "%d more frames" % n, 30)

    def stop(self):
        """Ends it; returns how many frames were lost."""
        self.stopping = True
        self.thread.join()
        time.sleep(0.3)
        return self.sent - self.net.total()

    def gap(self):
        """The longest time without any frame."""
        times = sorted(t for c in self.net.counters.values()
                       for t, _n, _l in c.seen)
        return max(b - a for a, b in zip(times, times[1:]))


@pytest.mark.parametrize("mode", [m for m in MODES if m != "broadcast"])
def test_cut(net_of, mode):
    """A member loses its carrier while 2,000 addresses send: a few
    milliseconds' worth of frames is lost, and no flow has to change."""
    net = net_of(MODES[mode])
    stream = Stream(net, 2000)
    stream.wait(4500)
    got = net.numbers()
    victim = max(PORTS, key=lambda p: len(got[p][-500:]) and len(got[p]))
    net.cables[victim].cut()
    net.s.wait_enabled(set(PORTS) - {victim})
    stream.wait(3000)
    assert net.counters[victim].seen
    lost = stream.stop()
    # The whole bond sends a frame in no less than 0.2 ms.
    assert lost <= 20 * SLOW, lost
    assert stream.gap() < 0.1 * SLOW


def test_cut_while_main_is_stopped(net_of):
    """The main thread is held up, and carrier goes: traffic moves."""
    members = sum((["--", "set", "interface", p, "type=afxdp",
                    "options:xdp-mode=generic"]
                   for p in PORTS + ["to-h1"]), [])
    net = net_of(MODES["balance-xor-layer3+4"], members=members)
    frames = [frame(i) for i in range(300)]
    net.exchange(frames)
    with main_thread_stopped(net.s):
        net.cables["p2"].cut()
        # Frames that go to p2 before it is known to be cut are lost.
        got = wait_until(lambda: net.exchange(frames, timeout=1),
                         "traffic moves")
        assert not got["p2"]
        assert len(got["p1"]) > 100 and len(got["p3"]) > 100
    net.s.wait_enabled({"p1", "p3"})
    again = net.exchange(frames)
    # What was decided meanwhile is what the bond decides.
    assert {p: sorted(x) for p, x in again.items()} \
        == {p: sorted(x) for p, x in got.items()}


def test_live_changes(net_of):
    """Modes and policies change under traffic, and nothing is lost."""
    net = net_of(MODES["balance-rr"])
    stream = Stream(net, 50, 0.0005)
    for mode, policy in (("balance-xor", "layer2"),
                         ("balance-xor", "layer3+4"),
                         ("balance-xor", "layer2+3"), ("balance-rr", None),
                         ("balance-slb", None), ("active-backup", None),
                         ("balance-xor", "vlan+srcmac"),
                         ("balance-rr", None)):
        net.s.vsctl("remove", "port", "bond0", "other_config",
                    "bond-xmit-hash-policy", "--", "set", "port", "bond0",
                    "other_config:bond-mode=" + mode,
                    *(["other_config:bond-xmit-hash-policy=" + policy]
                      if policy else []))
        assert net.s.bond().fields["bond_mode"] == mode
        stream.wait(300)
    assert stream.stop() == 0
    assert stream.gap() < 0.5 * SLOW


@pytest.mark.parametrize("mode", ["active-backup", "balance-slb"])
def test_stock_mechanism(net_of, mode):
    """lb-output-action=false gives stock flows, and the database says so."""
    net = net_of(MODES[mode] + ["other_config:lb-output-action=false"])
    before = net.counted()
    got = net.exchange([frame(i) for i in range(200)])
    assert sorted(len(x) for x in got.values()) == [0, 0, 200]
    assert "lb_output" not in net.s.appctl("dpctl/dump-flows")
    wait_until(lambda: "bond_mechanism=flow"
               in net.s.get("port", "bond0", "status"), "it is told")
    # Flows are asked for their counters once in a while.
    wait_until(lambda: {p: net.counted()[p][0] - before[p][0]
                        for p in PORTS}
               == {p: len(got[p]) for p in PORTS}, "it is counted", 15)
    net.s.vsctl("set", "port", "bond0",
                "other_config:lb-output-action=true")
    wait_until(lambda: "bond_mechanism=lb_output"
               in net.s.get("port", "bond0", "status"), "it is told")
    net.exchange([frame(i) for i in range(200)])
    assert "lb_output" in net.s.appctl("dpctl/dump-flows")


@pytest.mark.parametrize("mode", ["balance-rr", "balance-xor-layer3+4"])
def test_restart(net_of, mode):
    """After a restart all is as before."""
    net = net_of(MODES[mode])
    frames = [frame(i) for i in range(300)]
    before = net.exchange(frames)
    net.s.stop()
    net.s.start()
    net.s.wait_enabled(PORTS)
    net.clear()
    net.send([frame(0)])
    wait_until(lambda: net.total() >= 1, "a frame passes")
    time.sleep(0.2)
    after = net.exchange(frames)
    if mode == "balance-rr":
        assert {len(x) for x in after.values()} == {100}
    else:
        assert {p: sorted(x) for p, x in after.items()} \
            == {p: sorted(x) for p, x in before.items()}
