# SPDX-License-Identifier: Apache-2.0

"""Modes that balance with nothing but addresses, on real frames.

    clients - learning switch ==== bond: a switch of ours, with guests beside
                                   the host; or Linux' own driver in QEMU

The learning switch (learning.py) says what it has seen; Echo keeps everybody
talking; Tables has what clients believe about the host's address."""

import collections
import json
import os
import selectors
import socket
import struct
import subprocess
import threading
import time

from differential import MACS, BondGuest
from lab import Cable, Host, Namespace, wait_until
from switch import Switch

HOST, HOST10 = "10.0.0.1", "10.10.0.1"  # The latter is in VLAN 10.
HOST6 = "fd00::1"
VLAN = 10

Seen = collections.namedtuple("Seen", "time mac")
Move = collections.namedtuple("Move", "mac vlan before after time gap")
Arp = collections.namedtuple("Arp", "time port vlan src dst op sha spa tha "
                             "tpa")
Learning = collections.namedtuple("Learning", "time port vlan src dst len")


def client_ip(i, vlan):
    """The address of client 'i': no two give the same when their bytes are
    XORed."""
    return "10.%d.0.%d" % (vlan, (96 if vlan else 32) + i)


def vlan_of(ip):
    """The VLAN of an address."""
    return VLAN if ip.startswith("10.%d." % VLAN) else 0


class Client(Namespace):
    """A computer at the learning switch."""

    def __init__(self, lab, name, core, i, vlan):
        super().__init__(lab, name)
        self.vlan = vlan
        self.address = client_ip(i, vlan)
        self.host = HOST10 if vlan else HOST
        self.mac_address = "02:00:00:00:0c:%02x" % i
        self.port = "c%d" % i
        self.cable = Cable(self, "eth0", core, self.port)
        self.run("sh", "-ec", """
            echo 1 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6
            ip link set eth0 address %s
            ip addr add %s/24 dev eth0""" % (self.mac_address, self.address))
        self._netlink = self.inside(lambda: socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW, 0))

    def add_ipv6(self):
        """An address of IPv6, fd00::a0 for 10.0.0.160, and from now on the
        host is known by its own."""
        self.address = "fd00::%x" % int(self.address.split(".")[3])
        self.host = HOST6
        self.run("sh", "-ec", """
            echo 0 > /proc/sys/net/ipv6/conf/eth0/disable_ipv6
            ip addr add %s/64 dev eth0 nodad""" % self.address)

    def neighbours(self):
        """{IP: MAC or None} as the kernel has them."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        # RTM_GETNEIGH, NLM_F_REQUEST | NLM_F_DUMP.
        self._netlink.send(struct.pack("=IHHIIBBHiHBB", 28, 30, 0x301, 1, 0,
                                       family, 0, 0, 0, 0, 0, 0))
        found = {}
        while True:
            data = self._netlink.recv(1 << 16)
            at = 0
            while at < len(data):
                size, kind = struct.unpack_from("=IH", data, at)
                if kind == 3:           # NLMSG_DONE
                    return found
                attributes = dict(_attributes(data[at + 28:at + size]))
                mac = attributes.get(2)
                found[socket.inet_ntop(family, attributes[1])] \
                    = mac and mac.hex(":")
                at += (size + 3) & ~3

    def close(self):
        """Closes a socket."""
        self._netlink.close()


def _attributes(data):
    at = 0
    while at < len(data):
        size, kind = struct.unpack_from("=HH", data, at)
        yield kind, data[at + 4:at + size]
        at += (size + 3) & ~3


class Core:
    """The learning switch, with its clients; client i is in VLAN vlans[i].
    Trunks are to be in 'ns' and known by 'trunks' before start()."""

    def __init__(self, lab, vlans, prefix=""):
        self.ns = lab.namespace(prefix + "core")
        self.ns.run("sh", "-c", "echo 1 > "
                    "/proc/sys/net/ipv6/conf/default/disable_ipv6")
        self.trunks = []
        self.clients = [lab.add(Client(lab, "%sc%d" % (prefix, i), self.ns,
                                       i, vlan))
                        for i, vlan in enumerate(vlans)]

    def start(self):
        """Starts it."""
        here = os.path.dirname(os.path.abspath(__file__))
        self.proc = self.ns.popen(
            "/usr/bin/python3", os.path.join(here, "learning.py"),
            *["%s:trunk" % t for t in self.trunks],
            *["%s:%d" % (c.port, c.vlan) for c in self.clients],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._lock = threading.Lock()
        self.count()

    def _ask(self, word):
        with self._lock:
            self.proc.stdin.write(word + "\n")
            self.proc.stdin.flush()
            return json.loads(self.proc.stdout.readline())

    def count(self):
        """Counts frames and bytes from 0."""
        self._ask("count")

    def forget(self):
        """Frames go everywhere until their destinations are heard of."""
        self._ask("forget")

    def report(self):
        """What was seen until now."""
        return Report(self._ask("report"))

    def close(self):
        """Closes sockets."""
        for c in self.clients:
            c.close()


class Report:
    """What the learning switch has seen."""

    def __init__(self, data):
        self.stays = {}
        for key, stays in data["stays"].items():
            mac, vlan = key.split("/")
            self.stays[mac, int(vlan)] = stays
        self.arps = [Arp(*a) for a in data["arps"]]
        self.learning = [Learning(*x) for x in data["learning"]]
        self.sources = {}               # {(MAC, VLAN, IP): frames}
        for key, n in data["sources"].items():
            mac, vlan, ip = key.split(", ")
            self.sources[mac, int(vlan), ip] = n
        self.bytes = {}                 # {(way, IP, IP): {port: bytes}}
        for key, ports in data["bytes"].items():
            self.bytes[tuple(key.replace(",", "").split())] = ports
        self.flooded = data["flooded"]

    def port_of(self, mac, vlan, when):
        """At which trunk an address was at that time, if at one."""
        found = None
        for port, first, _last, _n in self.stays.get((mac, vlan), []):
            if first <= when:
                found = port
        return found

    def moves(self):
        """Whatever went from one trunk to another; 'gap' is for how long
        nothing was heard of it."""
        return sorted((Move(mac, vlan, a[0], b[0], b[1], b[1] - a[2])
                       for (mac, vlan), stays in self.stays.items()
                       for a, b in zip(stays, stays[1:])),
                      key=lambda m: m.time)

    def unrest(self, allowed=(), macs=None):
        """Moves after less than a second of silence, outside the spans of
        time 'allowed'; of 'macs' only, if given."""
        return [m for m in self.moves()
                if m.gap < 1 and (macs is None or m.mac in macs)
                and not any(a <= m.time <= b for a, b in allowed)]

    def shares(self, way, hosts=(HOST, HOST10)):
        """{port: bytes} that the bond's hosts have sent, "tx", or got,
        "rx"."""
        total = collections.Counter()
        for (w, host, _client), ports in self.bytes.items():
            if w == way and host in hosts:
                total.update(ports)
        return total

    def ways(self, way, host=HOST):
        """{client's address: ports that its traffic took}."""
        return {c: set(ports) for (w, h, c), ports in self.bytes.items()
                if w == way and h == host}


class Flow:
    """Echo requests from a namespace to an address."""

    def __init__(self, name, ns, address, number):
        self.name = name
        self.address = address
        self.number = number
        self.ipv6 = ":" in address
        self.socket = ns.inside(lambda: socket.socket(
            socket.AF_INET6 if self.ipv6 else socket.AF_INET,
            socket.SOCK_RAW, socket.IPPROTO_ICMPV6 if self.ipv6
            else socket.IPPROTO_ICMP))
        self.socket.setblocking(False)
        self.sent = []                  # Times, by sequence number.
        self.answered = {}              # {sequence number: time}
        self.copies = 0                 # Answers that came again.

    def send(self, size):
        """Sends one request."""
        body = struct.pack("!BBHHH", 128 if self.ipv6 else 8, 0, 0,
                           self.number, len(self.sent) & 0xffff) + bytes(size)
        total = sum(struct.unpack("!%dH" % (len(body) // 2), body))
        total = (total & 0xffff) + (total >> 16)
        total += total >> 16
        body = body[:2] + struct.pack("!H", ~total & 0xffff) + body[4:]
        self.sent.append(time.time())
        try:
            self.socket.sendto(body, (self.address, 0))
        except OSError:                 # Its neighbour is not there.
            pass

    def receive(self):
        """Takes what has come."""
        try:
            while True:
                data = self.socket.recv(2048)
                data = data if self.ipv6 else data[20:]
                kind = data[0]
                number, seq = struct.unpack_from("!HH", data, 4)
                if kind in (0, 129) and number == self.number:
                    self.copies += seq in self.answered
                    self.answered.setdefault(seq, time.time())
        except OSError:
            pass

    def lost(self, since, until):
        """When the requests of a span of time were sent that have had no
        answer."""
        return [t for seq, t in enumerate(self.sent)
                if since <= t < until and seq not in self.answered]


class Echo:
    """Everybody asks for an echo, all the time: as many bytes to the host as
    back from it."""

    def __init__(self, interval=0.04, size=400):
        self.interval = interval
        self.size = size
        self.flows = []
        self._selector = selectors.DefaultSelector()
        self._end = False
        self._thread = threading.Thread(target=self._run, daemon=True)

    def add(self, name, ns, address):
        """One more; before start()."""
        flow = Flow(name, ns, address, 1000 + len(self.flows))
        self.flows.append(flow)
        self._selector.register(flow.socket, selectors.EVENT_READ, flow)
        return flow

    def start(self):
        """They begin."""
        self._thread.start()
        return self

    def _run(self):
        due = time.monotonic()
        turn = 0
        while not self._end:
            now = time.monotonic()
            if now >= due:
                self.flows[turn].send(self.size)
                turn = (turn + 1) % len(self.flows)
                # Late ones are not made up for at once.
                due = max(due + self.interval / len(self.flows),
                          now - self.interval)
            for key, _events in self._selector.select(
                    max(0, min(due - now, 0.05))):
                key.data.receive()

    def wait_all(self, timeout=10):
        """Waits until everybody has been answered."""
        start = time.time()

        def silent():
            return [f.name for f in self.flows if not any(
                t >= start for t in list(f.answered.values())[-3:])]
        wait_until(lambda: not silent(), "all are answered", timeout)

    def lost(self, since, until):
        """{name: [seconds after 'since']} of requests of that span of time
        without an answer."""
        found = {f.name: [round(t - since, 2) for t in f.lost(since, until)]
                 for f in self.flows}
        return {name: times for name, times in found.items() if times}

    def close(self):
        """Ends it."""
        self._end = True
        if self._thread.is_alive():
            self._thread.join()
        for f in self.flows:
            f.socket.close()


class Tables:
    """What the clients' tables say about the host, with the times when that
    changed."""

    def __init__(self, core, pause=0.05):
        self.core = core
        self.pause = pause
        self.history = {c.address: [] for c in core.clients}
        self._end = False
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._end:
            self._look()
            time.sleep(self.pause)

    def _look(self):
        with self._lock:
            for c in self.core.clients:
                mac = c.neighbours().get(c.host)
                history = self.history[c.address]
                if not history or history[-1].mac != mac:
                    history.append(Seen(time.time(), mac))

    def now(self):
        """{client's address: MAC or None}."""
        self._look()
        return {c: h[-1].mac for c, h in self.history.items()}

    def between(self, client, since, until):
        """The [(Seen, the one after it or None)] of a span of time, with that
        from before which was still true."""
        history = self.history[client]
        return [(s, following)
                for s, following in zip(history, history[1:] + [None])
                if s.time < until
                and (following is None or following.time > since)]

    def dead(self, report, port, since, until):
        """Entries that pointed at 'port' in that span of time: (client, MAC,
        seconds after 'since')."""
        found = []
        for c in self.core.clients:
            for s, following in self.between(c.address, since, until):
                at = max(s.time, since)
                end = min(following.time if following else until, until)
                times = [at] + [
                    first for _port, first, _last, _n in report.stays.get(
                        (s.mac, c.vlan), []) if at < first < end]
                found += [(c.address, s.mac, round(t - since, 2))
                          for t in times
                          if report.port_of(s.mac, c.vlan, t) == port]
        return found

    def close(self):
        """Ends it."""
        self._end = True
        self._thread.join()


class OurBond:
    """Our bond, of p0... whose cables lead to q0... of the learning switch;
    the host is br0's own port, and v10 in VLAN 10."""

    def __init__(self, lab, daemon, core, n):
        self.lab = lab
        self.core = core
        self.s = Switch(lab, "s1", daemon, hwaddr=MACS[0])
        self.s.ns.run("sh", "-ec", """
            cd /proc/sys/net
            for i in all default br0; do
                echo 1 > ipv6/conf/$i/disable_ipv6
            done""")
        self.cables = []
        for i in range(n):
            cable = Cable(self.s.ns, "p%d" % i, core.ns, "q%d" % i)
            self.s.ns.run("ip", "link", "set", cable.a, "address", MACS[i])
            self.cables.append(cable)
            core.trunks.append(cable.b)

    def add_ipv6(self):
        """An address of IPv6 for the host."""
        self.s.ns.run("sh", "-ec", """
            echo 0 > /proc/sys/net/ipv6/conf/br0/disable_ipv6
            ip addr add %s/64 dev br0 nodad""" % HOST6)

    def create(self, mode, members, options=None, vlan=False):
        """Makes the bond."""
        # What comes to members' addresses is not for the host; in balance-alb
        # the switch sees to that itself.
        self.s.ns.run("sh", "-ec", """
            echo 0 > /proc/sys/net/ipv4/conf/default/rp_filter
            echo %d > /proc/sys/net/ipv4/conf/all/rp_filter"""
                      % (mode != "balance-alb"))
        options = {"mode": mode, "miimon": 100, **(options or {})}
        self.s.add_bond("b", ["p%d" % i for i in members], "--", "set",
                        "port", "b", *[
                            "other_config:bond-%s=%s"
                            % (k.replace("_", "-"), v)
                            for k, v in options.items()])
        if vlan:
            self.s.vsctl("add-port", "br0", "v10", "tag=%d" % VLAN, "--",
                         "set", "interface", "v10", "type=internal",
                         'mac="%s"' % MACS[0])
            self.s.ns.run("sh", "-ec", "ip addr add %s/24 dev v10\n"
                          "ip link set v10 up" % HOST10)
        self.s.ns.run("sh", "-ec", "ip addr add %s/24 dev br0\n"
                      "ip link set br0 up" % HOST)
        self.s.wait_enabled(["p%d" % i for i in members], "b")

    def filters(self, members):
        """Whether the kernel filters what comes in by members."""
        return [int(self.s.ns.run(
            "cat", "/proc/sys/net/ipv4/conf/p%d/rp_filter" % i).stdout)
                for i in members]

    def guest(self, i):
        """A computer beside the host."""
        name = "g%d" % i
        guest = self.lab.add(Host(self.lab, name))
        guest.plug(self.s, name, "10.0.0.%d" % (200 + i),
                   "02:00:00:00:0a:%02x" % i)
        guest.mac_address = "02:00:00:00:0a:%02x" % i
        self.s.ns.run("sh", "-c", "echo 1 > "
                      "/proc/sys/net/ipv4/conf/%s/rp_filter" % name)
        return guest

    def option(self, name, value):
        """Sets an option."""
        self.s.vsctl("set", "port", "b", "other_config:bond-%s=%s"
                     % (name.replace("_", "-"), value))

    def activate(self, i):
        """Makes a member the active one; returns when."""
        now = time.time()
        self.s.appctl("bond/set-active-member", "b", "p%d" % i)
        return now

    def enslave(self, i):
        """Adds a member."""
        self.s.add_member("b", "p%d" % i)

    def release(self, i):
        """Takes a member out."""
        self.s.del_member("b", "p%d" % i)

    def cut(self, i):
        """A member loses its carrier; returns when."""
        now = time.time()
        self.cables[i].cut()
        return now

    def mend(self, i):
        """It has it back; returns when."""
        now = time.time()
        self.cables[i].mend()
        return now

    def active(self):
        """The active member's number."""
        name = self.s.bond("b").active
        return None if name is None else int(name[1:])


class LinuxBond:
    """The same of the real driver, with VLAN 10 on top."""

    path = "/sys/class/net/b/bonding/"

    def __init__(self, lab, core, n):
        ends = ["q%d" % i for i in range(n)]
        core.trunks += ends
        self.guest = BondGuest(lab, core.ns, ends, "linux")
        self.run("for i in all default; do",
                 "echo 1 > /proc/sys/net/ipv6/conf/$i/disable_ipv6", "done",
                 *["ip link set eth%d name p%d" % (i, i) for i in range(n)])

    def run(self, *lines):
        """Runs shell lines in the guest."""
        return self.guest.run("\n".join(("set -e",) + lines + ("set +e",)))

    def create(self, mode, members, options=None, vlan=False):
        """Makes the bond."""
        options = {"mode": mode, "miimon": 100, **(options or {})}
        lines = ["echo +b > /sys/class/net/bonding_masters"]
        lines += ["echo %s > %s%s" % (v, self.path, k)
                  for k, v in options.items()]
        lines += ["echo +p%d > %sslaves" % (i, self.path) for i in members]
        lines += ["ip link set b up", "ip addr add %s/24 dev b" % HOST]
        if vlan:
            lines += ["ip link add link b name b.10 type vlan id %d" % VLAN,
                      "ip addr add %s/24 dev b.10" % HOST10,
                      "ip link set b.10 up"]
        self.run(*lines)

    def option(self, name, value):
        """Writes an option."""
        self.run("echo %s > %s%s" % (value, self.path, name))

    def activate(self, i):
        """Makes a member the active one; returns when."""
        now = time.time()
        self.option("active_slave", "p%d" % i)
        return now

    def enslave(self, i):
        """Adds a member."""
        self.run("echo +p%d > %sslaves" % (i, self.path))

    def release(self, i):
        """Takes a member out."""
        self.run("echo -p%d > %sslaves" % (i, self.path))

    def cut(self, i):
        """A member loses its carrier; returns when."""
        now = time.time()
        self.guest.monitor("set_link d%d off" % i)
        return now

    def mend(self, i):
        """It has it back; returns when."""
        now = time.time()
        self.guest.monitor("set_link d%d on" % i)
        return now

    def active(self):
        """The active member's number."""
        name = self.run("cat %sactive_slave" % self.path).strip()
        return int(name[1:]) if name else None


class Twins:
    """The same network twice: at Linux' driver, and at our bond.  'pool' must
    live as long as the lab: what a thread has started ends with it."""

    def __init__(self, pool, lab, daemon, vlans, n):
        cores = [Core(lab, vlans, label) for label in ("linux-", "ours-")]
        linux = pool.submit(LinuxBond, lab, cores[0], n)
        ours = pool.submit(OurBond, lab, daemon, cores[1], n)
        self.bonds = {"linux": linux.result(), "ours": ours.result()}
        self.cores = dict(zip(self.bonds, cores))
        for core in cores:
            core.start()