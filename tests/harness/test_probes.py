# SPDX-License-Identifier: Apache-2.0

"""ARP and neighbour monitors on real frames: the path is dead, the links are
not.

    switch s: bond0 of a0, a1        network: bridge "core" of z0, z1, ...
    host at its br0: 10.0.0.1        targets at "core": 10.0.0.254, .253

A path dies when the far end of its cable leaves the bridge: the carrier stays
and nothing passes.  What the monitor has to see is said in tests/unit; here
it is that probes really go out and answers come in, whatever else is on."""

import json
import socket
import struct
import threading
import time

import pytest

import dpdk
from lab import SLOW, Cable, holds_for, run, wait_until
from switch import Switch
from test_guard import main_thread_stopped
from traffic import Iperf, Ping, reachable

INTERVAL = 100                  # ms.
# Until a path is given up: missed_max and a half, until the next tick, and
# what a busy machine takes.
DEAD = (2.5 + 1) * INTERVAL / 1000
SLACK = 0.4
ARP = ["other_config:bond-arp-interval=%d" % INTERVAL,
       "other_config:bond-arp-ip-target=10.0.0.254"]
AB = "bond_mode=active-backup"
ALL = "other_config:bond-arp-validate=all"


def mode(name):
    """The setting for a mode."""
    return "other_config:bond-mode=" + name


def mac_bytes(mac):
    """The bytes of a MAC address."""
    return bytes.fromhex(mac.replace(":", ""))


class Net:
    """The network, and one switch after the other at it."""

    def __init__(self, lab, daemon):
        self.lab = lab
        self.daemon = daemon
        self.ns = lab.namespace("net")
        self.ns.run("sh", "-ec", """
            sysctl -qw net.ipv6.conf.all.accept_dad=0 \
                net.ipv6.conf.default.accept_dad=0 \
                net.ipv4.conf.all.arp_ignore=1
            ip link add core type bridge forward_delay 0 mcast_snooping 0
            ip link set core address 02:00:00:00:0b:01
            ip addr add 10.0.0.254/24 dev core
            ip addr add 10.0.0.253/24 dev core
            ip link set core up""")
        self.ends = {}

    def switch(self, name, address, *settings, isolated=False,
               with_dpdk=False):
        """A switch with bond0 of NAME0, NAME1, a host at 'address', and
        cables into the network; 'isolated' ones, of static trunks, do not
        hear each other.  With DPDK the members are dNAME0, dNAME1."""
        s = Switch(self.lab, name, self.daemon)
        s.ns.run("sysctl", "-qw", "net.ipv6.conf.all.accept_dad=0",
                 "net.ipv6.conf.default.accept_dad=0",
                 # What comes to members' addresses is not for the host.
                 "net.ipv4.conf.all.rp_filter=1")
        members = [name + "0", name + "1"]
        for m in members:
            end = "z-" + m
            Cable(s.ns, m, self.ns, end)
            for ns, dev in (s.ns, m), (self.ns, end):   # Speak for nobody.
                ns.run("sysctl", "-qw",
                       "net.ipv6.conf.%s.disable_ipv6=1" % dev)
            self.ends[m] = isolated
            self.join(m)
        if address:
            s.ns.run("ip", "addr", "add", address, "dev", "br0")
        s.ns.set_link("br0", "up")
        if with_dpdk:
            dpdk.start(s)
            settings += tuple(dpdk.ports(*members))
            members = ["d" + m for m in members]
        s.add_bond("bond0", members, *settings)
        return s

    def join(self, *members):
        """The path of members is there."""
        for m in members:
            end = "z-" + m
            self.ns.run("ip", "link", "set", "dev", end, "master", "core")
            if self.ends[m]:
                self.ns.run("bridge", "link", "set", "dev", end, "isolated",
                            "on")

    def leave(self, *members):
        """It is not."""
        for m in members:
            self.ns.run("ip", "link", "set", "dev", "z-" + m, "nomaster")


@pytest.fixture
def net(lab, daemon):
    """An empty network."""
    return Net(lab, daemon)


def failures(s):
    """Link failures of the members, by name."""
    bond = json.loads(s.appctl("bond/status", "bond0"))
    return {m["name"]: m["link_failure_count"] for m in bond["slaves"]}


def wait_change(s, what, start, least=0.0, most=DEAD, **want):
    """Waits for the bond to show 'want' (active=..., enabled=...), no earlier
    than 'least' s and no later than 'most' s after 'start'."""
    def matches():
        bond = s.bond()
        return all(getattr(bond, k) == v for k, v in want.items())
    wait_until(matches, what, most + 2, interval=0.01)
    took = time.monotonic() - start
    assert least - 0.02 <= took <= (most + SLACK) * SLOW, \
        "%s: after %.3f s" % (what, took)


def run_ofctl(s, *args):
    """ovs-ofctl at a switch."""
    run(["ovs-ofctl"] + list(args), env=s.env)


def forwarding_entries(s):
    """What the bridge has learned: {mac: port}."""
    entries = {}
    for line in s.appctl("fdb/show", "br0").splitlines()[1:]:
        port, _vlan, mac, _age = line.split()
        entries[mac] = port
    return entries


def arp(src, op, sha, spa, tha, tpa, dst="ff:ff:ff:ff:ff:ff"):
    """An ARP frame."""
    return (mac_bytes(dst) + mac_bytes(src) + struct.pack(
        "!HHHBBH", 0x0806, 1, 0x0800, 6, 4, op) + mac_bytes(sha)
        + socket.inet_aton(spa) + mac_bytes(tha)
        + socket.inet_aton(tpa)).ljust(60, b"\0")


class Requests:
    """ARP requests that come to an interface, each as (vlan, source MAC,
    sender IP, target IP)."""

    def __init__(self, ns, ifname):
        self.socket = ns.packet_socket(ifname)
        self.socket.setsockopt(263, 8, 1)               # PACKET_AUXDATA
        self.socket.settimeout(0.05)

    def next(self):
        """The next one, or None if there is none for 50 ms."""
        try:
            data, extra, _flags, address = self.socket.recvmsg(2048, 256)
        except (TimeoutError, OSError):
            return None
        vlan = 0
        for level, kind, value in extra:
            if level == 263 and kind == 8:
                valid, tci = struct.unpack("I12xH", value[:18])
                vlan = tci & 0xfff if valid & 0x10 else 0
        if (address[2] == 4 or data[12:14] != b"\x08\x06"
                or data[20:22] != b"\0\1"):
            return None
        return (vlan, data[6:12].hex(":"), socket.inet_ntoa(data[28:32]),
                socket.inet_ntoa(data[38:42]))

    def all(self, seconds):
        """All that come, as a set."""
        found = set()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found.add(self.next())
        return found - {None}

    def close(self):
        """Closes the socket."""
        self.socket.close()


def requests(ns, ifname, seconds):
    """The ARP requests that come to an interface."""
    r = Requests(ns, ifname)
    found = r.all(seconds)
    r.close()
    return found


class Station(threading.Thread):
    """A station of VLAN 10 that answers for 10.10.0.254 on an interface."""

    MAC = "02:00:00:00:0b:10"

    def __init__(self, ns, ifname):
        super().__init__(daemon=True)
        self.requests = Requests(ns, ifname)
        self.answers = True
        self.start()

    def run(self):
        while self.answers is not None:
            request = self.requests.next()
            if request and self.answers and request[0] == 10 and \
                    request[3] == "10.10.0.254":
                _vlan, mac, sender, target = request
                data = arp(self.MAC, 2, self.MAC, target, mac, sender, mac)
                self.requests.socket.send(
                    data[:12] + b"\x81\0\0\x0a" + data[12:])
        self.requests.close()

    def end(self):
        """Ends it."""
        self.answers = None
        self.join()


def test_path_dies(net):
    """The uplink dies, links stay up: the monitor fails over, and traffic
    with it; carrier alone does not.  Forged ARP does not wake the dead.  No
    false alarm under load, and nobody's address is mislearned."""
    s = net.switch("a", "10.0.0.1/24", AB, ALL, *ARP)
    plain = net.switch("b", "10.0.0.2/24", AB)
    s.wait_active("a0")
    plain.wait_active("b0")
    s.wait_enabled(["a0", "a1"])
    # More comes in than the datapath can take.
    load = Iperf(net.ns, s.ns, "10.0.0.254", seconds=3, streams=4,
                 reverse=True)
    load.result()
    assert load.mbps > 1
    assert failures(s) == {"a0": 0, "a1": 0}
    entries = forwarding_entries(s)
    assert entries[s.ns.mac("br0")] == "LOCAL"
    assert set(entries) & {s.ns.mac("a0"), s.ns.mac("a1")} <= {
        s.ns.mac("br0")}

    far = net.ns.packet_socket("z-a0")
    foreign = arp("02:00:00:00:66:66", 1, "02:00:00:00:66:66", "10.0.0.77",
                  "00:00:00:00:00:00", "10.0.0.78")
    end = time.monotonic() + 1
    while time.monotonic() < end:       # A storm.
        far.send(foreign)
    assert failures(s) == {"a0": 0, "a1": 0}

    ping = Ping(s.ns, "10.0.0.254", 0.01)
    start = time.monotonic()
    net.leave("a0", "b0")
    wait_change(s, "a1 is active", start, 0.15, active="a1", enabled={"a1"})
    ping.wait_replies(10)
    assert ping.stop().gap < (DEAD + SLACK) * SLOW
    assert plain.bond().active == "b0"
    assert failures(s) == {"a0": 1, "a1": 0}

    ours, theirs = s.ns.mac("a0"), "02:00:00:00:66:66"

    def forge():
        for src, op, spa, tpa in [
                (theirs, 2, "10.0.0.77", "10.0.0.1"),   # Not a target.
                (theirs, 2, "10.0.0.254", "10.0.0.1"),  # Not asked for there.
                (theirs, 1, "10.0.0.254", "10.0.0.9"),  # Not to us.
                (theirs, 1, "10.0.0.254", "10.0.0.254"),    # Gratuitous.
                (theirs, 1, "10.0.0.77", "10.0.0.254")]:    # Not ours.
            far.send(arp(src, op, src, spa, ours, tpa))
        return "a0" not in s.bond().enabled
    holds_for(forge, "a0 is dead", 0.6, interval=0.03)
    far.close()
    start = time.monotonic()
    net.join("a0")
    wait_change(s, "a0 is back", start, active="a1", enabled={"a0", "a1"})


def test_validation(net):
    """Two bonds probe the same target behind one switch.  When its uplink
    dies each hears the other's probes: without validation that is taken for a
    sign of life, with validation it is not."""
    trusting = net.switch("a", "10.0.0.1/24", AB, *ARP)
    careful = net.switch("b", "10.0.0.2/24", AB, ALL, *ARP)
    for s, name in (trusting, "a"), (careful, "b"):
        s.wait_enabled([name + "0", name + "1"])
    start = time.monotonic()
    net.ns.run("ip", "addr", "flush", "dev", "core")
    wait_change(careful, "none of b is believed", start, enabled=set())
    holds_for(lambda: trusting.bond().active and careful.bond().active
              is None, "only the trusting one is up", 0.8)
    assert sum(failures(trusting).values()) == 0
    net.ns.run("ip", "addr", "add", "10.0.0.254/24", "dev", "core")
    wait_until(lambda: careful.bond().active, "b is back")


def test_flooding_switch(net):
    """A switch that sends everything everywhere: backups hear answers that
    are not for them, and a dead member is seen all the same.  A target behind
    one member only is found there, and only there."""
    net.ns.run("ip", "link", "set", "core", "type", "bridge", "ageing_time",
               "0")
    net.ns.run("ip", "link", "add", "name", "other", "type", "bridge",
               "forward_delay", "0")
    net.ns.set_link("other", "up")
    s = net.switch("a", "10.0.0.1/24", AB, ALL, *ARP)
    s.wait_enabled(["a0", "a1"])
    holds_for(lambda: s.enabled() == {"a0", "a1"}, "no false alarm", 1)
    start = time.monotonic()
    net.leave("a0")
    wait_change(s, "a1 is active", start, active="a1", enabled={"a1"})
    reachable(s.ns, "10.0.0.254")
    # In another network, with others' ARP, but without a target.
    net.ns.run("ip", "link", "set", "dev", "z-a0", "master", "other")
    net.join("a0")
    net.leave("a1")
    s.wait_active("a0")
    net.ns.run("ip", "link", "set", "dev", "z-a1", "master", "other")
    holds_for(lambda: s.enabled() == {"a0"}, "only a0 has a target", 0.8)


def test_ipv6_only(net):
    """Neighbour solicitations alone, on a host without IPv4."""
    net.ns.run("ip", "addr", "add", "fd00::fe/64", "dev", "core")
    s = net.switch("a", None, AB, ALL, *ARP[:1],
                   'other_config:bond-ns-ip6-target="fd00::fe"')
    s.ns.run("ip", "addr", "add", "fd00::1/64", "dev", "br0", "nodad")
    time.sleep(5 * INTERVAL / 1000)     # There was no address at first.
    s.wait_enabled(["a0", "a1"])
    holds_for(lambda: s.enabled() == {"a0", "a1"}, "no false alarm", 0.6)
    reachable(s.ns, "fd00::fe")     # It still knows by which address.
    start = time.monotonic()
    net.leave("a0")
    wait_change(s, "a1 is active", start, active="a1", enabled={"a1"})
    reachable(s.ns, "fd00::fe")
    net.join("a0")
    s.wait_enabled(["a0", "a1"])


def test_tagged(net):
    """Probes are tagged as the host's own frames for the target's subnet are,
    and come from its address there; a VLAN that is named wins.  A target that
    is reached by another device is not probed."""
    s = net.switch("a", "10.0.0.1/24", AB, mode("balance-xor"), ALL, ARP[0],
                   'other_config:bond-arp-ip-target="10.10.0.254,10.9.0.9"',
                   isolated=True)
    s.ns.run("sh", "-ec", """
        ip link add other type veth peer name rehto
        ip addr add 10.9.0.1/24 dev other
        ip link set other up""")
    s.vsctl("add-port", "br0", "v10", "tag=10", "--", "set", "interface",
            "v10", "type=internal")
    s.ns.run("sh", "-ec", "ip addr add 10.10.0.1/24 dev v10\n"
             "ip link set v10 up")
    stations = [Station(net.ns, "z-" + m) for m in ("a0", "a1")]
    time.sleep(5 * INTERVAL / 1000)     # There was no address at first.
    s.wait_enabled(["a0", "a1"])
    holds_for(lambda: s.enabled() == {"a0", "a1"}, "no false alarm", 0.6)
    assert requests(net.ns, "z-a0", 0.4) == {
        (10, s.ns.mac("v10"), "10.10.0.1", "10.10.0.254")}
    start = time.monotonic()
    stations[0].answers = False
    wait_change(s, "a0 is dead", start, 0.15, enabled={"a1"})
    for station in stations:
        station.end()
    s.vsctl("set", "port", "bond0", "other_config:bond-arp-vlan=20",
            "other_config:bond-arp-source=10.20.0.1",
            "other_config:bond-arp-ip-target=10.20.0.254")
    wait_until(lambda: (20, s.ns.mac("a1"), "10.20.0.1", "10.20.0.254")
               in requests(net.ns, "z-a1", 0.3), "probes in VLAN 20")


def test_two_targets(net):
    """One of two targets dies, the path does not: with "any" nothing
    happens, with "all" the bond is down."""
    s = net.switch("a", "10.0.0.1/24", AB, ALL, ARP[0],
                   "other_config:bond-arp-ip-target=10.0.0.254,10.0.0.253")
    run_ofctl(s, "del-flows", "br0")    # Whatever flows say.
    s.appctl("revalidator/wait")
    s.wait_enabled(["a0", "a1"])
    net.ns.run("ip", "addr", "del", "10.0.0.253/24", "dev", "core")
    holds_for(lambda: s.enabled() == {"a0", "a1"}, "one is enough", 0.8)
    start = time.monotonic()
    s.vsctl("set", "port", "bond0",
            "other_config:bond-arp-all-targets=all")
    wait_change(s, "the bond is down", start, enabled=set())
    net.ns.run("ip", "addr", "add", "10.0.0.253/24", "dev", "core")
    wait_until(lambda: s.enabled() == {"a0", "a1"}, "both are back")


def test_dpdk(lab, dpdk_daemon):
    """Probes and answers pass ports of DPDK, too, by PMD threads."""
    net = Net(lab, dpdk_daemon)
    s = net.switch("a", "10.0.0.1/24", AB, ALL, *ARP, with_dpdk=True)
    s.wait_enabled(["da0", "da1"])
    s.appctl("bond/set-active-member", "bond0", "da0")
    reachable(s.ns, "10.0.0.254")
    holds_for(lambda: not any(failures(s).values()), "no alarm", 1)
    start = time.monotonic()
    net.leave("a0")
    wait_change(s, "da1 is active", start, 0.15, active="da1",
                enabled={"da1"})
    reachable(s.ns, "10.0.0.254")
    net.join("a0")
    wait_change(s, "da0 is back", start, most=10, active="da1",
                enabled={"da0", "da1"})
    assert failures(s) == {"da0": 1, "da1": 0}
    entries = forwarding_entries(s)
    assert entries[s.ns.mac("br0")] == "LOCAL"


def test_main_loop_is_held_up(net):
    """The guard goes on probing and hears the answers."""
    s = net.switch("a", "10.0.0.1/24", AB, ALL, *ARP)
    s.wait_enabled(["a0", "a1"])
    far = Requests(net.ns, "z-a0")
    with main_thread_stopped(s):
        times = []
        end = time.monotonic() + 2
        while time.monotonic() < end:
            if far.next():
                times.append(time.monotonic())
    far.close()
    assert len(times) >= 4, "%d probes in two seconds" % len(times)
    holds_for(lambda: s.enabled() == {"a0", "a1"}, "no false alarm", 0.4)
    assert failures(s) == {"a0": 0, "a1": 0}


@pytest.mark.parametrize("name", ["balance-rr", "balance-xor", "broadcast"])
def test_load_balancing(net, name):
    """Every member is probed and judged; traffic leaves the dead one, and
    comes back to it."""
    s = net.switch("a", "10.0.0.1/24", AB, mode(name), ALL, *ARP,
                   isolated=True)
    s.wait_enabled(["a0", "a1"])
    holds_for(lambda: s.enabled() == {"a0", "a1"}, "no false alarm", 0.6)
    for m in "a0", "a1":
        assert requests(net.ns, "z-" + m, 0.3) == {
            (0, s.ns.mac("br0"), "10.0.0.1", "10.0.0.254")}
    start = time.monotonic()
    net.leave("a0")
    wait_change(s, "a0 is dead", start, 0.15, enabled={"a1"})
    reachable(s.ns, "10.0.0.254")
    start = time.monotonic()
    net.leave("a1")
    wait_change(s, "none is left", start, 0.15, enabled=set())
    net.join("a0", "a1")
    wait_until(lambda: s.enabled() == {"a0", "a1"}, "both are back")
    reachable(s.ns, "10.0.0.254")
