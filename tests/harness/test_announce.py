# SPDX-License-Identifier: Apache-2.0

"""What a bond announces after a failover, on real frames.

Each member of the bond leads to an interface of the namespace "far", where all
frames are captured.  The host is br0 itself; names like LB_FO_01 are those of
the specification's catalogue of tests."""

import fcntl
import ipaddress
import re
import select
import socket
import struct
import subprocess
import threading
import time

import pytest

from lab import SLOW, Cable, run, wait_until
from switch import Switch

PORTS = ["p1", "p2"]
A, B = "10.0.0.1", "10.0.0.7"       # br0's addresses...
A6 = "2001:db8::1"
C, C6 = "10.10.0.1", "2001:db8:10::1"   # ...and those of v10, with tag=10.
ETH_ARP, ETH_RARP, ETH_IP, ETH_IP6 = 0x806, 0x8035, 0x800, 0x86dd


def mac_bytes(mac):
    """The six octets of an address."""
    return bytes.fromhex(mac.replace(":", ""))


def mac_text(data):
    """The same, the other way."""
    return ":".join("%02x" % b for b in data)


class Frame:
    """A frame that was captured."""

    def __init__(self, when, port, data):
        self.when, self.port, self.data = when, port, data
        self.src = mac_text(data[6:12])
        self.tags = []              # (tpid, vid)
        at = 12
        while True:
            self.type, = struct.unpack_from("!H", data, at)
            at += 2
            if self.type not in (0x8100, 0x88a8):
                break
            tci, = struct.unpack_from("!H", data, at)
            self.tags.append((self.type, tci & 0xfff))
            at += 2
        self.body = data[at:]
        self.vlan = self.tags[0][1] if self.tags else 0

    def untagged(self):
        """Its bytes without tags."""
        return self.data[:12] + struct.pack("!H", self.type) + self.body

    def garp(self):
        """The address that it is a gratuitous ARP for, or None."""
        if self.type != ETH_ARP or len(self.body) < 28:
            return None
        if self.body[14:18] != self.body[24:28]:
            return None
        return socket.inet_ntoa(self.body[14:18])

    def na(self):
        """The address that it advertises, unasked, or None."""
        if (self.type != ETH_IP6 or self.body[6] != 58
                or self.body[40] != 136 or self.body[44] & 0x40):
            return None
        return str(ipaddress.IPv6Address(self.body[48:64]))

    def igmp(self):
        """(version, group, source) of a report, or None."""
        if self.type != ETH_IP or self.body[9] != 2:
            return None
        ihl = (self.body[0] & 15) * 4
        igmp = self.body[ihl:struct.unpack_from("!H", self.body, 2)[0]]
        source = socket.inet_ntoa(self.body[12:16])
        if igmp[0] == 0x22:
            if igmp[8] != 2 or len(igmp) != 16:
                return None         # The kernel's own.
            return 3, socket.inet_ntoa(igmp[12:16]), source
        version = {0x12: 1, 0x16: 2}.get(igmp[0])
        return version and (version, socket.inet_ntoa(igmp[4:8]), source)

    def mld(self):
        """The same for MLD."""
        if (self.type != ETH_IP6 or self.body[6] != 0
                or self.body[40] != 58):
            return None
        icmp = self.body[48:]
        source = str(ipaddress.IPv6Address(self.body[8:24]))
        if icmp[0] == 143:
            n, = struct.unpack_from("!H", icmp, 6)
            if n != 1 or icmp[8] != 2:
                return None         # The kernel's own.
            return 2, str(ipaddress.IPv6Address(icmp[12:28])), source
        if icmp[0] == 131:
            return 1, str(ipaddress.IPv6Address(icmp[8:24])), source
        return None


class Capture:
    """Captures what comes in at an interface."""

    AUXDATA, STATUS_VLAN, STATUS_TPID = 8, 0x10, 0x40

    def __init__(self, ns, ifname, port):
        self.port = port
        self.frames = []
        self.sock = ns.packet_socket(ifname)
        self.sock.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)
        self.sock.setsockopt(socket.SOL_SOCKET, 35, 1)      # Time stamps.
        self.sock.setsockopt(263, self.AUXDATA, 1)
        self.sock.settimeout(0.1)
        self.closing = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _run(self):
        while not self.closing:
            try:
                data, aux, _flags, address = self.sock.recvmsg(2048, 256)
            except TimeoutError:
                continue
            except OSError:         # The interface is down.
                time.sleep(0.001)
                continue
            if address[2] != 4:     # Not what we send ourselves.
                self._take(data, aux)

    def _take(self, data, aux):
        when = time.time()
        for level, kind, value in aux:
            if level == 263 and kind == self.AUXDATA:
                status, _, _, _, _, tci, tpid = struct.unpack(
                    "IIIHHHH", value[:20])
                if status & self.STATUS_VLAN:
                    tpid = tpid if status & self.STATUS_TPID else 0x8100
                    data = (data[:12] + struct.pack("!HH", tpid, tci)
                            + data[12:])
            elif level == socket.SOL_SOCKET and kind == 35:
                s, ns = struct.unpack("qq", value)
                when = s + ns / 1e9
        self.frames.append(Frame(when, self.port, data))

    def close(self):
        """Ends it."""
        self.closing = True
        self.thread.join()
        self.sock.close()


class Net:
    """br0 and v10 (tag=10) with addresses; bond0 of p1 and p2, each to an
    interface of the namespace far; to-h1, to a host that sends whatever we
    like."""

    def __init__(self, lab, daemon, *settings, v10=True):
        self.s = Switch(lab, "s1", daemon,
                        hwaddr="02:00:00:00:01:00")
        ns = self.ns = self.s.ns
        self.far = lab.namespace("far")
        self.h1 = lab.namespace("h1")
        for n in ns, self.far, self.h1:
            n.run("sysctl", "-qw", "net.ipv6.conf.all.accept_ra=0",
                  "net.ipv6.conf.default.dad_transmits=0")
        for n in self.far, self.h1:
            n.run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1",
                  "net.ipv6.conf.default.disable_ipv6=1")
        Cable(ns, "to-h1", self.h1, "eth0")
        self.s.vsctl("add-port", "br0", "to-h1")
        ns.run("ip", "addr", "add", A + "/24", "dev", "br0")
        ns.run("ip", "addr", "add", B + "/24", "dev", "br0")
        ns.run("ip", "-6", "addr", "add", A6 + "/64", "dev", "br0", "nodad")
        ns.run("ip", "link", "set", "br0", "up")
        if v10:
            self.add_v10()
        self.cables = {p: Cable(ns, p, self.far, p.replace("p", "q"))
                       for p in PORTS}
        for p in PORTS:
            ns.run("sysctl", "-qw",
                   "net.ipv6.conf.%s.disable_ipv6=1" % p)
        self.s.add_bond("bond0", PORTS, *settings)
        self.s.wait_enabled(PORTS)
        self.s.appctl("bond/set-active-member", "bond0", "p1")
        self.out = self.h1.packet_socket("eth0")
        self.captures = [Capture(self.far, p.replace("p", "q"), p)
                         for p in PORTS]
        self.mac = ns.mac("br0")
        self.ll = self.link_local("br0")
        time.sleep(0.5)             # Announcements of the start.

    def add_v10(self):
        """Adds the internal port v10."""
        self.s.vsctl("add-port", "br0", "v10", "tag=10", "--", "set",
                     "interface", "v10", "type=internal")
        wait_until(lambda: "v10" in self.ns.links(), "v10 exists")
        self.ns.run("ip", "addr", "add", C + "/24", "dev", "v10")
        self.ns.run("ip", "-6", "addr", "add", C6 + "/64", "dev", "v10")
        self.ns.run("ip", "link", "set", "v10", "up")

    def link_local(self, ifname):
        """The link-local address of an interface, once it is good."""
        def found():
            out = self.ns.run("ip", "-6", "-o", "addr", "show", "dev",
                              ifname, "scope", "link").stdout
            m = re.search(r"inet6 (fe80\S+)/64", out)
            return m and "tentative" not in out and m.group(1)
        return wait_until(found, "%s has a link-local address" % ifname)

    def close(self):
        """Ends threads."""
        for c in self.captures:
            c.close()
        self.out.close()

    def clear(self):
        """Forgets all frames."""
        for c in self.captures:
            c.frames = []

    def frames(self, port=None):
        """Frames that came by 'port', or by all, in order of time."""
        found = [f for c in self.captures for f in c.frames
                 if port in (None, c.port)]
        return sorted(found, key=lambda f: f.when)

    def set(self, *settings):
        """Sets keys of the bond."""
        self.s.vsctl("set", "port", "bond0", *settings)

    def cut(self):
        """Cuts p1's cable, without the time that a process takes to start;
        returns when."""
        get, put, up = 0x8913, 0x8914, 1
        sock = self.captures[0].sock
        name, flags = struct.unpack_from("16sH", fcntl.ioctl(
            sock, get, struct.pack("16s24x", b"q1")))
        when = time.time()
        fcntl.ioctl(sock, put, struct.pack("16sH22x", name, flags & ~up))
        return when

    def fail_over(self, seconds=0.5):
        """Cuts p1's cable; returns when, and what then came by p2 for
        'seconds'."""
        self.clear()
        when = self.cut()
        time.sleep(seconds * SLOW)
        return when, self.frames("p2")

    def fail_over_in_time(self, in_time, seconds=0.5):
        """The same until 'in_time(when, frames)', three times at most: the
        machine may delay anything once, a fault always does.  It asserts what
        must be so each time."""
        for attempt in range(3):
            if attempt:
                self.mend()
            when, frames = self.fail_over(seconds)
            if in_time(when, frames):
                return when, frames
        raise AssertionError("late three times")

    def mend(self):
        """Undoes it and makes p1 active."""
        self.cables["p1"].mend()
        self.s.wait_enabled(PORTS)
        self.s.appctl("bond/set-active-member", "bond0", "p1")
        time.sleep(0.3)


@pytest.fixture
def make(lab, daemon):
    """Makes a net with these settings."""
    nets = []

    def maker(*settings, **kwargs):
        nets.append(Net(lab, daemon, *settings, **kwargs))
        return nets[-1]
    yield maker
    for net in nets:
        net.close()


def told(frames, vlan=None):
    """[(VLAN, address)] that gratuitous ARP and advertisements tell of."""
    found = [(f.vlan, f.garp() or f.na()) for f in frames]
    return sorted(x for x in found
                  if x[1] and (vlan is None or x[0] == vlan))


AB = "bond_mode=active-backup"
KEY = "other_config:bond-"


def bursts(frames, address=A):
    """When 'address' was announced, in s after the first time."""
    times = [f.when for f in frames if f.garp() == address]
    return [t - times[0] for t in times]


def near(times, wanted, tolerance=0.08):
    """Are 'times' those that are wanted?  There must be as many."""
    assert len(times) == len(wanted), times
    return all(-0.02 <= t - w <= tolerance * SLOW
               for t, w in zip(times, wanted))


def test_lb_fo_01_02_host(make):
    """Each address of the host is announced once, on its VLAN, by the new
    member, at once, in Linux's format."""
    net = make(AB)
    v10_ll = net.link_local("v10")

    def in_time(when, frames):
        assert told(frames) == sorted(
            [(0, A), (0, B), (0, A6), (0, net.ll),
             (10, C), (10, C6), (10, v10_ll)])
        last = max(f.when for f in frames if f.garp() or f.na())
        print("host announced %.1f ms after the cut" % ((last - when) * 1000))
        return last - when < 0.05 * SLOW
    _when, frames = net.fail_over_in_time(in_time)
    m = net.mac.replace(":", "")
    garp = [f for f in frames if f.garp() == A][0]
    assert garp.data.hex() == (
        "ffffffffffff" + m + "0806" + "0001080006040001"
        + m + "0a000001" + "000000000000" + "0a000001")
    na = [f for f in frames if f.na() == A6][0]
    a6 = ipaddress.IPv6Address(A6).packed.hex()
    assert na.data[:56].hex()[:108] == (
        "333300000001" + m + "86dd" + "60000000" + "00203aff"
        + a6 + "ff02" + "00" * 13 + "01")
    assert na.body[40:].hex()[8:] == "20000000" + a6 + "0201" + m
    tagged = [f for f in frames if f.garp() == C][0]
    assert tagged.tags == [(0x8100, 10)]
    assert tagged.src == net.ns.mac("v10")


def test_lb_fo_02_ipv6_state(make):
    """An address that is not known to be unique is not announced; a router
    says that it is one."""
    net = make(AB, v10=False)
    net.ns.run("sysctl", "-qw", "net.ipv6.conf.br0.dad_transmits=100")
    net.ns.run("ip", "-6", "addr", "add", "2001:db8::77/64", "dev", "br0")
    _when, frames = net.fail_over()
    assert (0, A6) in told(frames)
    assert (0, "2001:db8::77") not in told(frames)
    assert all(not f.body[44] & 0x80 for f in frames if f.na())
    net.mend()
    net.ns.run("sysctl", "-qw", "net.ipv6.conf.br0.forwarding=1")
    net.ns.run("ip", "-6", "addr", "del", A6 + "/64", "dev", "br0")
    net.ns.run("ip", "addr", "add", "10.0.0.9/24", "dev", "br0")
    _when, frames = net.fail_over()
    assert told(frames) == sorted([(0, A), (0, B), (0, "10.0.0.9"),
                                   (0, net.ll)])
    assert all(f.body[44] & 0x80 for f in frames if f.na())


def test_lb_fo_03_no_address(make):
    """A device without addresses, or one that is down, is not announced."""
    net = make(AB)
    net.s.vsctl("add-port", "br0", "v11", "tag=11", "--", "set",
                "interface", "v11", "type=internal")
    wait_until(lambda: "v11" in net.ns.links(), "v11 exists")
    net.ns.run("sysctl", "-qw", "net.ipv6.conf.v11.disable_ipv6=1")
    net.ns.run("ip", "link", "set", "v11", "up")
    net.ns.run("ip", "link", "set", "v10", "down")
    time.sleep(0.3)
    _when, frames = net.fail_over()
    assert [f for f in frames if f.vlan == 11] == []
    assert told(frames, 10) == []
    assert (0, A) in told(frames)


@pytest.mark.parametrize("settings, wanted", [
    (["num-grat-arp=3", "miimon=100"], [0, 0.1, 0.2]),          # LB-FO-04
    (["num-unsol-na=3", "miimon=100", "peer-notif-delay=300"],
     [0, 0.3, 0.6]),                                            # LB-FO-05
    (["num-grat-arp=0"], []),                                   # LB-FO-06
])
def test_lb_fo_04_05_06_bursts(make, settings, wanted):
    """So many times, so far apart, all addresses each time."""
    net = make(AB, *[KEY + s for s in settings])

    def in_time(_when, frames):
        assert len([f for f in frames if f.na() == C6]) == len(wanted)
        return (near(bursts(frames), wanted)
                and near(bursts(frames, C), wanted))
    net.fail_over_in_time(in_time, 1.2)


def test_lb_fo_06_guests_stay(make):
    """Without notices guests are announced, as stock does, and the host as
    one of them."""
    net = make(AB, KEY + "num-grat-arp=0", v10=False)
    net.ns.run("ping", "-c1", "-W1", "10.0.0.99", check=False)
    _when, frames = net.fail_over()
    assert told(frames) == []
    assert [f.src for f in frames if f.type == ETH_RARP
            and f.src == net.mac] == [net.mac]


def test_lb_fo_07_by_command(make):
    """A change that is asked for is one, too."""
    net = make(AB)
    net.clear()
    net.s.appctl("bond/set-active-member", "bond0", "p2")
    wait_until(lambda: (0, A) in told(net.frames("p2")), "p2 announces")
    time.sleep(0.3)
    assert near(bursts(net.frames("p2")), [0])
    assert told(net.frames("p1")) == []


def test_new_address(make):
    """With fail_over_mac=active notices carry the address that the host has
    from then on."""
    net = make(AB, KEY + "fail-over-mac=active")
    new = net.ns.mac("p2")
    assert net.ns.mac("br0") == net.ns.mac("p1") != new
    _when, frames = net.fail_over()
    assert net.ns.mac("br0") == new
    for address in A, B, A6:
        assert [f.src for f in frames
                if address in (f.garp(), f.na())] == [new]


@pytest.mark.parametrize("mode", ["balance-rr", "balance-xor", "broadcast"])
def test_lb_fo_10_other_modes(make, mode):
    """Peers of other modes know of the bond: nothing is announced."""
    net = make(KEY + "mode=" + mode, KEY + "num-grat-arp=3")
    _when, frames = net.fail_over(0.6)
    assert told(frames) == []
    assert [f for f in frames if f.type == ETH_RARP] == []


def test_slb(make):
    """In balance-slb each address is announced by the member that its frames
    use."""
    net = make("bond_mode=balance-slb")
    _when, frames = net.fail_over()
    assert (0, A) in told(frames) and (10, C) in told(frames)
    assert near(bursts(frames), [0])


@pytest.mark.parametrize("settings, host, guest", [
    (["tag=10"], {10: 0}, {10: 0}),
    (["trunks=10"], {10: 10}, {10: 10}),
    (["vlan_mode=native-untagged", "tag=10"], {10: 0}, {10: 0, 20: 20}),
    (["vlan_mode=dot1q-tunnel", "tag=10"], {10: 0}, {10: 0}),
    (["vlan_mode=native-tagged", "tag=10"], {10: 10}, {10: 10, 20: 20}),
    ([], {0: 0, 10: 10}, {0: 0, 10: 10, 20: 20}),
])
def test_vlans(make, settings, host, guest):
    """Host, guests and groups have the tags that NORMAL gives them: which VLAN
    leaves with which tag."""
    net = make(AB, *settings)
    net.s.vsctl("set", "bridge", "br0", "mcast_snooping_enable=true")
    macs = {vlan: "02:00:00:00:99:%02x" % vlan for vlan in (0, 10, 20)}
    for vlan, mac in macs.items():
        learn(net, [(mac, vlan)])
        net.out.send(with_tag(igmp_report(mac, "239.7.7.%d" % (vlan + 1), 3),
                              vlan))
    wait_until(lambda: net.s.appctl("mdb/show", "br0").count("239.7.7.") == 3,
               "groups are learned")
    _when, frames = net.fail_over()
    addresses = {0: A, 10: C}
    assert ([(v, a) for v, a in told(frames) if a in (A, C)]
            == sorted((t, addresses[v]) for v, t in host.items()))
    assert (sorted((f.vlan, f.src) for f in frames if f.type == ETH_RARP
                   and f.src in macs.values())
            == sorted((t, macs[v]) for v, t in guest.items()))
    assert (sorted((f.vlan, f.igmp()[1]) for f in frames
                   if f.igmp() and f.igmp()[1].startswith("239.7.7."))
            == sorted((t, "239.7.7.%d" % (v + 1)) for v, t in guest.items()))


def test_other_tags(make):
    """A guest behind a tunnel port is announced with the tag of that port; and
    a tag without a VLAN goes where it is wanted."""
    net = make(AB, "other_config:priority-tags=always")
    net.s.vsctl("set", "port", "to-h1", "vlan_mode=dot1q-tunnel", "tag=20",
                "other_config:qinq-ethtype=802.1ad", "--",
                "set", "port", "br0", "tag=0")
    guest = "02:00:00:01:00:01"
    for _ in range(3):
        net.out.send(mac_bytes("02:00:00:00:fe:fe") + mac_bytes(guest)
                     + b"\x88\xb5" + bytes(46))
    wait_until(lambda: guest in net.s.appctl("fdb/show", "br0"), "learned")
    _when, frames = net.fail_over()
    assert [f.tags for f in frames if f.type == ETH_RARP
            and f.src == guest] == [[(0x88a8, 20)]]
    assert [f.tags for f in frames if f.garp() == A] == [[(0x8100, 0)]]
    assert [f.tags for f in frames if f.garp() == C] == [[(0x8100, 10)]]


# Guests.

def with_tag(data, vlan):
    """'data' with a tag, unless 'vlan' is 0."""
    return (data[:12] + struct.pack("!HH", 0x8100, vlan) + data[12:]
            if vlan else data)


def learn(net, guests):
    """Sends a frame of each (MAC, VLAN) from h1, and waits until the switch
    has learned them all."""
    for i, (mac, vlan) in enumerate(guests):
        data = (mac_bytes("02:00:00:00:fe:fe") + mac_bytes(mac)
                + b"\x88\xb5" + bytes(46))
        net.out.send(with_tag(data, vlan))
        if i % 20 == 19:
            time.sleep(0.01)

    def learned():
        known = {(m, int(v)) for _p, v, m, _age in
                 (line.split()[:4] for line in
                  net.s.appctl("fdb/show", "br0").splitlines()[1:])}
        return not set(guests) - known
    wait_until(learned, "%d guests are learned" % len(guests), 20)


def test_thousand_guests(make):
    """Each of 1,000 guests is announced once in each round, in its VLAN, no
    faster than asked for, and after the host."""
    rate = 2000
    net = make(AB, KEY + "num-grat-arp=2", KEY + "announce-rate=%d" % rate)
    guests = [("02:00:00:01:%02x:%02x" % (i >> 8, i & 255), 20 + i % 2 * 10)
              for i in range(1000)]
    learn(net, guests)
    when, frames = net.fail_over(2.0)
    rarp = [f for f in frames if f.type == ETH_RARP
            and f.src.startswith("02:00:00:01:")]
    rounds = [rarp[:1000], rarp[1000:]]
    for n, r in enumerate(rounds):
        assert sorted((f.src, f.vlan) for f in r) == sorted(guests), n
        print("round %d: %.0f ms to %.0f ms after the cut" % (
            n, (r[0].when - when) * 1000, (r[-1].when - when) * 1000))
    host = [f for f in frames if f.garp() or f.na()]
    assert max(f.when for f in host[:7]) <= rarp[0].when
    assert [f for f in frames if f.type == ETH_RARP
            and f.src == net.mac] == [], "announced by ARP already"
    times = [f.when for f in frames if f.type == ETH_RARP]
    for i, t in enumerate(times):
        window = len([x for x in times[i:] if x < t + 0.1])
        # The burst that is allowed, and what time stamps may be late.
        assert window <= rate * 0.1 + rate / 100 + 20, (i, window)
    assert times[-1] - times[0] < 1.5 * SLOW


def rarp_of(frames, prefix="02:00:00:02:"):
    """[(MAC, VLAN)] that RARP tells of."""
    return sorted((f.src, f.vlan) for f in frames if f.type == ETH_RARP
                  and f.src.startswith(prefix))


def send_to_member(net, *flows):
    """Has the switch send what h1 sends by member p1, without NORMAL."""
    run(["ovs-ofctl", "del-flows", "br0"], env=net.s.env)
    for flow in flows + ("in_port=p1,actions=to-h1", "in_port=p2,actions=to-h1",
                         "in_port=LOCAL,actions=p1"):
        run(["ovs-ofctl", "add-flow", "br0", flow], env=net.s.env)


def speak(net, macs, vlan=0):
    """Sends a frame from each of 'macs' by h1, which p1 must let out."""
    before = len(net.frames("p1"))
    for mac in macs:
        net.out.send(with_tag(mac_bytes("02:00:00:00:fe:fe") + mac_bytes(mac)
                              + b"\x88\xb5" + bytes(46), vlan))
        time.sleep(0.001)
    wait_until(lambda: len(net.frames("p1")) >= before + len(macs),
               "p1 sends them")


@pytest.mark.parametrize("actions, vlan, wanted", [
    ("output:p1", 0, 0),
    ("output:p1", 20, 20),
    ("strip_vlan,output:p1", 20, 0),
    ("mod_vlan_vid:30,output:p1", 0, 30),
])
def test_without_normal(make, actions, vlan, wanted):
    """Guests that flows let out by a member, past NORMAL, are announced, each
    once, with the tags that their frames have there."""
    net = make(AB, KEY + "announce-sources=true")
    send_to_member(net, "in_port=to-h1,actions=" + actions)
    guests = ["02:00:00:02:00:%02x" % i for i in range(50)]
    speak(net, guests, vlan)
    _when, frames = net.fail_over()
    assert rarp_of(frames) == sorted((m, wanted) for m in guests)
    assert near(bursts(frames), [0])
    # All of the same cached flow if nobody asked to tell them apart.
    net.mend()
    net.set(KEY + "announce-sources=false")
    net.s.appctl("revalidator/purge")
    other = ["02:00:00:02:01:%02x" % i for i in range(50)]
    speak(net, other, vlan)
    _when, frames = net.fail_over()
    seen = [x for x in rarp_of(frames, "02:00:00:02:01:")]
    assert 1 <= len(seen) <= 5, seen
    assert {v for _m, v in seen} == {wanted}


def test_without_normal_moved(make):
    """A source whose address flows change is announced as what they make of
    it; and one that has moved to behind the bond is not."""
    net = make(AB, KEY + "announce-sources=true", v10=False)
    send_to_member(
        net, "in_port=to-h1,dl_src=02:00:00:02:00:01,"
        "actions=mod_dl_src:02:00:00:02:ff:01,output:p1",
        "in_port=to-h1,priority=1,actions=output:p1")
    speak(net, ["02:00:00:02:00:%02x" % i for i in (1, 2, 3)])
    back = net.far.packet_socket("q1")
    back.send(mac_bytes("02:00:00:00:fe:fe") + mac_bytes("02:00:00:02:00:03")
              + b"\x88\xb5" + bytes(46))
    time.sleep(0.3)
    back.close()
    _when, frames = net.fail_over()
    assert rarp_of(frames) == [("02:00:00:02:00:02", 0),
                               ("02:00:00:02:ff:01", 0)]


def test_new_failover_begins_anew(make):
    """Guests that were not announced yet are when the path changes again, by
    the member that is active then, and none twice."""
    net = make(AB, KEY + "announce-rate=200", v10=False)
    guests = [("02:00:00:01:00:%02x" % i, 0) for i in range(100)]
    learn(net, guests)
    net.fail_over(0.2)
    before = {f.src for f in net.frames("p2") if f.type == ETH_RARP}
    assert 0 < len(before) < 90
    net.clear()
    net.mend()
    time.sleep(1.0 * SLOW)
    again = [f.src for f in net.frames("p1") if f.type == ETH_RARP
             and f.src.startswith("02:00:00:01:")]
    assert sorted(again) == sorted(m for m, _v in guests)


def test_neighbours_table(make):
    """A switch next to us learns the host, and guests, at the new port."""
    net = make(AB, v10=False)
    net.far.run("ip", "link", "add", "sw", "type", "bridge",
                "forward_delay", "0", "mcast_snooping", "0")
    for q in "q1", "q2":
        net.far.run("ip", "link", "set", "dev", q, "master", "sw")
        net.far.run("bridge", "link", "set", "dev", q, "isolated", "on")
    net.far.run("ip", "link", "set", "sw", "up")
    guest = "02:00:00:01:00:01"
    learn(net, [(guest, 0)])
    net.ns.run("ping", "-c1", "-W1", "10.0.0.99", check=False)
    fdb = lambda: net.far.run("bridge", "fdb", "show").stdout  # noqa: E731
    wait_until(lambda: "%s dev q1" % net.mac in fdb(), "learned by q1")

    def in_time():
        monitor = Monitor(net.far)
        when, _frames = net.fail_over()
        monitor.stop()
        late = []
        for mac in net.mac, guest:
            t = monitor.moved(mac, "q2")
            assert t is not None, monitor.text
            print("%s at the new port %.1f ms after the cut"
                  % (mac, (t - when) * 1000))
            late.append(t - when)
        net.mend()
        wait_until(lambda: "%s dev q1" % net.mac in fdb(), "back at q1")
        return max(late) < 0.05 * SLOW
    assert any(in_time() for _ in range(3))


def test_main_loop_held_up(make):
    """Host, guests and groups are announced, once, though the main loop hears
    of nothing; and a link that comes and goes meanwhile is good after it."""
    net = make(AB, KEY + "announce-rate=1000")
    join(net, "br0", "239.1.2.3")
    guests = [("02:00:00:01:00:%02x" % i, 0) for i in range(100)]
    learn(net, guests)
    all_told = told(net.fail_over()[1])
    net.mend()

    def announced():
        frames = net.frames("p2")
        assert told(frames) == all_told
        assert rarp_of(frames, "02:00:00:01:") == guests
        assert len(reports(frames, "239.1.2.3")) == 1
        return True
    for flaps in False, True:
        net.clear()
        with net.s.main_loop_held():
            net.cut()
            wait_until(announced, "all are announced")
            if flaps:
                net.cables["p1"].mend()
                time.sleep(0.1 * SLOW)
        time.sleep(0.3 * SLOW)
        announced()
        net.s.wait_enabled(PORTS if flaps else ["p2"])
        net.s.wait_active("p2")
        net.mend()


def test_kernel_is_late(lab, daemon):
    """Linux tells of lost carriers of NICs once in a second; a failover does
    not wait for that."""
    switch = Switch(lab, "s1", daemon)
    switch.ns.run("ip", "addr", "add", A + "/24", "dev", "br0")
    switch.ns.run("ip", "link", "set", "br0", "up")
    taps = {n: switch.ns.tap(n) for n in PORTS + ["p3"]}
    switch.add_bond("bond0", PORTS, AB)

    def set_carrier(port, up):
        fcntl.ioctl(taps[port], 0x400454e2, struct.pack("I", up))

    def announced():
        """Reads a frame: is it the host's?"""
        assert select.select([taps["p2"]], [], [], 3)[0], "nothing announced"
        return Frame(0, "p2", taps["p2"].read(2048)).garp() == A

    def in_time():
        switch.wait_enabled(PORTS)
        switch.appctl("bond/set-active-member", "bond0", "p1")
        time.sleep(1.2)             # Linux has told all.
        while select.select([taps["p2"]], [], [], 0)[0]:
            taps["p2"].read(2048)
        set_carrier("p3", 0)
        time.sleep(0.1)
        when = time.time()
        set_carrier("p1", 0)
        while not announced():
            pass
        late = time.time() - when
        print("announced %.1f ms after the loss" % (late * 1000))
        set_carrier("p1", 1)
        set_carrier("p3", 1)
        return late < 0.1 * SLOW
    assert any(in_time() for _ in range(3))
    for tap in taps.values():
        tap.close()


class Monitor:
    """Listens to a Linux bridge that learns."""

    def __init__(self, ns):
        self.proc = ns.popen("bridge", "-timestamp", "monitor", "fdb",
                             stdout=subprocess.PIPE, text=True)
        time.sleep(0.3)
        self.text = ""

    def stop(self):
        """Ends it."""
        self.proc.terminate()
        self.text = self.proc.communicate(timeout=10)[0]

    def moved(self, mac, ifname):
        """When 'mac' was learned at 'ifname', or None."""
        when = None
        for line in self.text.splitlines():
            m = re.match(r"Timestamp: (.*) (\d+) usec", line)
            if m:
                when = (time.mktime(time.strptime(m.group(1)))
                        + int(m.group(2)) / 1e6)
            elif line.startswith("%s dev %s" % (mac, ifname)):
                return when
        return None


# Multicast.

def checksum(data):
    """Of the Internet."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def igmp_report(mac, group, version):
    """A guest's report."""
    g = socket.inet_aton(group)
    if version == 3:
        dst = socket.inet_aton("224.0.0.22")
        body = bytes.fromhex("2200000000000001" "04000000") + g
    else:
        dst = g
        body = bytes([{1: 0x12, 2: 0x16}[version], 0, 0, 0]) + g
    body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
    ip = (struct.pack("!BBHHHBBH", 0x46, 0xc0, 24 + len(body), 0, 0, 1, 2, 0)
          + socket.inet_aton("10.0.0.50") + dst + b"\x94\x04\0\0")
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    return (b"\x01\x00\x5e" + bytes([dst[1] & 0x7f]) + dst[2:]
            + mac_bytes(mac) + b"\x08\x00" + ip + body + bytes(20))


def mld_report(mac, group, version):
    """The same for IPv6."""
    g = ipaddress.IPv6Address(group).packed
    src = ipaddress.IPv6Address("fe80::50").packed
    if version == 2:
        dst = ipaddress.IPv6Address("ff02::16").packed
        body = bytes.fromhex("8f00000000000001" "04000000") + g
    else:
        dst = g
        body = bytes.fromhex("8300000000000000") + g
    pseudo = src + dst + struct.pack("!II", len(body), 58)
    body = (body[:2] + struct.pack("!H", checksum(pseudo + body))
            + body[4:])
    return (b"\x33\x33" + dst[12:] + mac_bytes(mac) + b"\x86\xdd"
            + struct.pack("!IHBB", 6 << 28, 8 + len(body), 0, 1)
            + src + dst + bytes.fromhex("3a00050200000100") + body)


def join(net, ifname, group):
    """Has the host join a group, until the test ends."""
    v6 = ":" in group
    code = ("import socket, struct, time; "
            "i = socket.if_nametoindex(%r); " % ifname)
    if v6:
        code += ("s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM); "
                 "s.setsockopt(41, 20, socket.inet_pton(socket.AF_INET6, %r) "
                 "+ struct.pack('I', i)); " % group)
    else:
        code += ("s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); "
                 "s.setsockopt(0, 35, struct.pack('4s4si', "
                 "socket.inet_aton(%r), bytes(4), i)); " % group)
    net.ns.popen("/usr/bin/python3", "-c", code + "time.sleep(600)")
    files = "/proc/net/igmp6" if v6 else "/proc/net/igmp"
    want = (ipaddress.IPv6Address(group).packed.hex() if v6
            else socket.inet_aton(group)[::-1].hex().upper())
    wait_until(lambda: want in net.ns.run("cat", files).stdout,
               "%s is joined" % group)


def reports(frames, group):
    """[(when, VLAN, version, source)] of reports for 'group'."""
    found = []
    for f in frames:
        r = f.igmp() or f.mld()
        if r and r[1] == group:
            found.append((f.when, f.vlan, r[0], r[2]))
    return found


@pytest.mark.parametrize("mode", ["active-backup", "balance-rr",
                                  "balance-slb"])
def test_lb_fo_11_13_host_groups(make, mode):
    """The host's groups are reported four times, 200 ms apart, by the active
    member, tagged where they are."""
    net = make(KEY + "mode=" + mode, KEY + "resend-igmp=4")
    join(net, "br0", "239.1.2.3")
    join(net, "v10", "239.1.2.4")
    join(net, "br0", "ff05::123")
    v10_ll = net.link_local("v10")
    time.sleep(1.0)

    def in_time(when, frames):
        late = False
        for group, vlan, version, source in (
                ("239.1.2.3", 0, 3, (A, B)), ("239.1.2.4", 10, 3, (C,)),
                ("ff05::123", 0, 2, (net.ll,))):
            found = reports(frames, group)
            assert {r[1:3] for r in found} == {(vlan, version)}
            assert {r[3] for r in found} <= set(source)
            late |= (not near([r[0] - found[0][0] for r in found],
                              [0, 0.2, 0.4, 0.6])
                     or found[0][0] - when > 0.05 * SLOW)
        return not late
    _when, frames = net.fail_over_in_time(in_time, 1.0)
    assert v10_ll in {r[2] for f in frames for r in [f.mld()]
                      if r and f.vlan == 10}
    assert reports(frames, "224.0.0.1") == []
    assert reports(frames, "ff02::1") == []


def test_lb_fo_12_none(make):
    """Nothing is reported with resend_igmp=0."""
    net = make(AB, KEY + "resend-igmp=0")
    join(net, "br0", "239.1.2.3")
    time.sleep(0.5)
    _when, frames = net.fail_over()
    assert [f for f in frames if f.igmp() or f.mld()] == []
    assert (0, A) in told(frames)


def test_snooped_groups(make):
    """Groups that guests have joined are reported once a round, in their
    version, by the host where it has an address and by nobody else."""
    net = make(AB, KEY + "resend-igmp=2")
    net.s.vsctl("set", "bridge", "br0", "mcast_snooping_enable=true")
    guest = "02:00:00:01:00:01"
    for data, vlan in ((igmp_report(guest, "239.9.0.1", 1), 0),
                       (igmp_report(guest, "239.9.0.2", 2), 10),
                       (igmp_report(guest, "239.9.0.3", 3), 30),
                       (mld_report(guest, "ff05::901", 1), 10),
                       (mld_report(guest, "ff05::902", 2), 30)):
        net.out.send(with_tag(data, vlan))
    groups = ["239.9.0.1", "239.9.0.2", "239.9.0.3", "ff05::901", "ff05::902"]
    wait_until(lambda: all(g in net.s.appctl("mdb/show", "br0")
                           for g in groups), "all are learned")
    v10_ll = net.link_local("v10")
    wanted = [(0, 1, A), (10, 2, C), (30, 3, "0.0.0.0"), (10, 1, v10_ll),
              (30, 2, "::")]

    def in_time(_when, frames):
        late = False
        for group, want in zip(groups, wanted):
            found = reports(frames, group)
            assert [r[1:] for r in found] == [want] * 2, group
            late |= not near([r[0] - found[0][0] for r in found], [0, 0.2])
        return not late
    _when, frames = net.fail_over_in_time(in_time, 0.8)
    source = {f.src for f in frames if f.igmp() and f.vlan == 30}
    assert source == {net.mac}
