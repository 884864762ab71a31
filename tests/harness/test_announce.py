# SPDX-License-Identifier: Apache-2.0

"""What a bond announces after a failover, on real frames.

Each member of the bond leads to an interface of the namespace "far", where all
frames are captured.  The host is br0 itself; names like LB_FO_01 are those of
the specification's catalogue of tests."""

import ipaddress
import re
import socket
import struct
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
            assert igmp[8] == 2 and len(igmp) == 16
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
        ns.run("ip", "-6", "addr", "add", A6 + "/64", "dev", "br0")
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

    def fail_over(self, seconds=0.5):
        """Cuts p1's cable; returns when, and what then came by p2 for
        'seconds'."""
        self.clear()
        when = time.time()
        self.cables["p1"].cut()
        time.sleep(seconds * SLOW)
        return when, self.frames("p2")

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


def test_lb_fo_01_02_host(make):
    """Each address of the host is announced once, on its VLAN, by the new
    member, at once, in Linux's format."""
    net = make(AB)
    v10_ll = net.link_local("v10")
    when, frames = net.fail_over()
    assert told(frames) == sorted(
        [(0, A), (0, B), (0, A6), (0, net.ll),
         (10, C), (10, C6), (10, v10_ll)])
    garp = [f for f in frames if f.garp() == A][0]
    m = net.mac.replace(":", "")
    assert garp.untagged()[:42].hex() == (
        "ffffffffffff" + m + "0806" + "0001080006040001"
        + m + "0a000001" + "000000000000" + "0a000001")
    last = max(f.when for f in frames if f.garp() or f.na())
    print("host announced %.1f ms after the cut" % ((last - when) * 1000))
