# SPDX-License-Identifier: Apache-2.0

"""Two bonds side by side: the real Linux driver's, in a QEMU guest, and ours.

    guest:  bond "b" of s0, s1, s2, VLAN device b.10    taps p0, p1, p2
    ours:   bond "b" of s0, s1, s2, br0 and v10         veth peers p0, p1, p2

Both are made with the same options, suffer the same stimuli at the same time
and are looked at in the same way: the text of /proc/net/bonding/b, the MACs
and MTUs of the interfaces, the frames at the far ends p0, p1, p2.

LinuxBond and OurBond have one interface; Pair does everything to both at
once.

With OB_DIFF_AGAINST=linux the real driver is compared with itself, in two
guests: what fails then is the test's fault."""

import collections
import concurrent.futures
import os
import pathlib
import re
import selectors
import shutil
import socket
import struct
import tempfile
import threading
import time

import guest as guest_module
from kernel_guest import PACKET_OUTGOING, SO_RCVBUFFORCE, libraries
from lab import Cable, LabError, require, run, wait_until
from switch import Switch

N = 3
NAMES = ["s%d" % i for i in range(N)]
# Not locally administered: a bridge takes the lowest address of its ports, if
# it is none of these, so that the host has s0's, as in Linux.
MACS = ["00:16:3e:00:01:%02x" % i for i in range(8)]
VLAN = 10
GROUP = "239.1.2.3"

Status = collections.namedtuple("Status", "active mii links fails text")
Frame = collections.namedtuple("Frame", "time member data")


def status(text):
    """What a text of /proc/net/bonding/b says."""
    proc = guest_module.ProcBond(text)
    active = proc.fields.get("Currently Active Slave", "None")
    # The first line has the version, which is nobody's behaviour.  What speed
    # a device without carrier reports is the device's.
    text = re.sub(r"(?m)^(MII Status: (?!up).*\n)Speed: .*\nDuplex: .*\n",
                  r"\1", text.split("\n", 1)[1].strip())
    return Status(None if active == "None" else active,
                  proc.fields["MII Status"],
                  {n: m["MII Status"] for n, m in proc.members.items()},
                  {n: int(m["Link Failure Count"])
                   for n, m in proc.members.items()},
                  text)


def host_ip(i):
    """The address of another host of the subnet."""
    return "10.0.0.%d" % (100 + i)


def host_mac(i):
    """Its MAC."""
    return "02:00:00:00:02:%02x" % i


def neighbours(ip, dev, hosts):
    """Shell lines that make other hosts known."""
    return ["%s neigh replace %s lladdr %s dev %s nud permanent"
            % (ip, host_ip(i), host_mac(i), dev) for i in hosts]


class BondGuest(guest_module.Guest):
    """A guest with VLANs, iproute2 and our MACs."""

    programs = {"ip2": "ip"}            # Names inside and here.

    def __init__(self, lab, ns, taps, name):
        require("ldd", *self.programs.values())
        paths = {n: shutil.which(p) for n, p in self.programs.items()}
        files = {"bin/" + n: pathlib.Path(path).read_bytes()
                 for n, path in paths.items()}
        libs, loader = libraries(list(paths.values()))
        for lib, path in libs.items():
            files["lib/" + lib] = path.read_bytes()
        files[str(loader).lstrip("/")] = loader.read_bytes()
        initrd = lab.dir / ("initramfs-" + name)
        initrd.write_bytes(guest_module.archive(
            guest_module.MODULES + ["8021q"],
            {"bonding.ko": "max_bonds=0"}, files))
        super().__init__(lab, ns, taps, name, initrd)
        initrd.unlink()
        self._check_clock()

    def _check_clock(self):
        """A clock that runs at another speed would make every delay differ."""
        def look():
            before = time.time()
            up = float(self.run("cat /proc/uptime").split()[0])
            return (before + time.time()) / 2, time.time() - before, up
        host, error, guest = look()
        time.sleep(1)
        host2, error2, guest2 = look()
        passed = host2 - host
        if abs(guest2 - guest - passed) > 0.05 * passed + error + error2:
            raise LabError("%.3f s pass in the guest while %.3f s pass here"
                           % (guest2 - guest, passed))

    @staticmethod
    def mac(i):
        """The MAC of interface 'i'."""
        return MACS[i]


class Sniffer:
    """Takes down every frame that comes out of the members."""

    def __init__(self, ns, names):
        self.frames = []
        self._sockets = []
        self._selector = selectors.DefaultSelector()
        for i, name in enumerate(names):
            s = ns.packet_socket(name)
            s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 22)
            s.setsockopt(socket.SOL_SOCKET, 35, 1)      # SO_TIMESTAMPNS
            s.setsockopt(263, 8, 1)                     # PACKET_AUXDATA
            s.setblocking(False)
            self._sockets.append(s)
            self._selector.register(s, selectors.EVENT_READ, i)
        self._end = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._end:
            for key, _events in self._selector.select(0.1):
                try:
                    self._take(key.fileobj, key.data)
                except OSError:         # The interface is down: told once.
                    pass

    def _take(self, s, i):
        data, extra, _flags, address = s.recvmsg(2048, 256)
        if address[2] == PACKET_OUTGOING:
            return
        when = time.time()
        for level, kind, value in extra:
            if level == socket.SOL_SOCKET and kind == 35:
                sec, nsec = struct.unpack("qq", value)
                when = sec + nsec / 1e9
            elif level == 263 and kind == 8:
                valid, tci, tpid = struct.unpack("I12xHH", value)
                if valid & 0x10:        # TP_STATUS_VLAN_VALID
                    data = data[:12] + struct.pack("!HH", tpid,
                                                   tci) + data[12:]
        self.frames.append(Frame(when, i, data))

    def send(self, i, data):
        """Sends a frame towards member 'i'."""
        self._sockets[i].send(data)

    def close(self):
        """Ends it."""
        self._end = True
        self._thread.join()
        for s in self._sockets:
            s.close()


class Network:
    """What is behind the far ends, if a case wants it: a switch with a host
    that has the targets of probes.  Frames of one member reach the others,
    unless they are a static trunk's."""

    def __init__(self, ns, ends):
        self.ns = ns
        self.ends = ends
        self.trunk = False

    def set_up(self, targets, trunk):
        """Connects all far ends."""
        self.trunk = trunk
        # Nobody answers but by the switch.
        self.ns.run("sh", "-ec", """
            echo 1 > /proc/sys/net/ipv4/conf/all/arp_ignore
            ip link add core type bridge forward_delay 0 mcast_snooping 0
            ip link set core address 02:00:00:00:0b:01 up""")
        self.answer(*targets)
        self.join(*range(N))

    def tear_down(self):
        """Removes it, if it is there."""
        self.ns.run("ip", "link", "del", "core", check=False)

    def join(self, *members):
        """The paths of members are there."""
        for i in members:
            self.ns.run("ip", "link", "set", self.ends[i], "master", "core")
            if self.trunk:
                self.ns.run("bridge", "link", "set", "dev", self.ends[i],
                            "isolated", "on")

    def leave(self, *members):
        """They are not: links stay, but nothing passes."""
        for i in members:
            self.ns.run("ip", "link", "set", self.ends[i], "nomaster")

    def answer(self, *targets):
        """Targets are there."""
        for target in targets:
            self.ns.run("ip", "addr", "add", target + "/24", "dev", "core")

    def fall_silent(self, *targets):
        """They are not."""
        for target in targets:
            self.ns.run("ip", "addr", "del", target + "/24", "dev", "core")


class LinuxBond:
    """The bond of the real driver."""

    kind = "linux"
    path = "/sys/class/net/b/bonding/"

    def __init__(self, lab, label="linux"):
        self.label = label
        self.ns = lab.namespace("wire-" + label)
        self.ns.run("sh", "-c", "echo 1 > "
                    "/proc/sys/net/ipv6/conf/default/disable_ipv6")
        self.ends = ["p%d" % i for i in range(N)]
        self.network = Network(self.ns, self.ends)
        self.guest = BondGuest(lab, self.ns, self.ends, label)
        self._lock = threading.Lock()
        self._made = False
        # No probing for duplicates: an address can be announced at once.
        self.run("for i in all default; do\n"
                 "echo 0 > /proc/sys/net/ipv6/conf/$i/accept_dad\ndone\n"
                 + "\n".join("ip link set eth%d name s%d" % (i, i)
                             for i in range(N)))
        self.sniffer = Sniffer(self.ns, self.ends)

    def run(self, *lines):
        """Runs shell lines in the guest; all must succeed."""
        with self._lock:
            return self.guest.run(" &&\n".join(lines))

    def create(self, mode, options, members, prio, addresses, tagged, mtu):
        """Makes the bond."""
        path = self.path
        lines = ["echo +b > /sys/class/net/bonding_masters",
                 "echo %s > %smode" % (mode, path)]
        self._made = True
        for key in sorted(options, key=lambda k: k != "miimon"):
            sign = "+" if key.endswith("_target") else ""
            for value in str(options[key]).split(",") if sign \
                    else [options[key]]:
                lines.append("echo %s%s > %s%s" % (sign, value, path, key))
        if mtu:
            lines.append("ip link set b mtu %d" % mtu)
        for i in members:
            lines.append("echo +s%d > %sslaves" % (i, path))
            if i in prio:
                lines.append("ip2 link set s%d type bond_slave prio %d"
                             % (i, prio[i]))
        lines.append("ip link set b up")
        lines += ["ip addr add %s dev b" % a for a in addresses]
        if tagged is not None:
            lines += ["ip link add link b name b.%d type vlan id %d"
                      % (VLAN, VLAN), "ip link set b.%d up" % VLAN]
            lines += ["ip addr add %s dev b.%d" % (a, VLAN) for a in tagged]
            if not tagged:          # Not even a link-local one.
                lines.append("echo 1 > /proc/sys/net/ipv6/conf/b.%d/"
                             "disable_ipv6" % VLAN)
        self.run(*lines)

    def clear(self):
        """Removes the bond, mends what is cut."""
        self.mend(*range(N))
        if self._made:
            self.run("echo -b > /sys/class/net/bonding_masters", *[
                "ip link set s%d down && ip link set s%d mtu 1500 address %s"
                % (i, i, MACS[i]) for i in range(N)])
        self._made = False

    def cut(self, *members):
        """Members lose their carrier."""
        for i in members:
            self.guest.monitor("set_link d%d off" % i)

    def mend(self, *members):
        """Members have their carrier back."""
        for i in members:
            self.guest.monitor("set_link d%d on" % i)

    def admin(self, i, state):
        """Sets member 'i' administratively "up" or "down"."""
        self.run("ip link set s%d %s" % (i, state))

    def option(self, name, value):
        """Writes an option."""
        self.run("echo %s > %s%s" % (value, self.path, name))

    def prio(self, i, value):
        """Sets the prio of a member."""
        self.run("ip2 link set s%d type bond_slave prio %d" % (i, value))

    def activate(self, i):
        """Writes active_slave."""
        self.option("active_slave", "s%d" % i)

    def down(self):
        """Sets the bond administratively down."""
        self.run("ip link set b down")

    def up(self):
        """Sets it up again."""
        self.run("ip link set b up")

    def release(self, i):
        """Takes member 'i' out."""
        self.option("slaves", "-s%d" % i)

    def enslave(self, i):
        """Adds member 'i'."""
        self.run("ip link set s%d down" % i,
                 "echo +s%d > %sslaves" % (i, self.path))

    def set_mtu(self, mtu):
        """Sets the bond's MTU."""
        self.run("ip link set b mtu %d" % mtu)

    def set_mac(self, address):
        """Sets the bond's MAC."""
        self.run("ip link set b address %s" % address)

    def join(self):
        """The host joins a multicast group."""
        self.run("ip2 addr add %s/32 dev b autojoin" % GROUP)

    def promiscuous(self):
        """Lets the NICs, which are of virtio, not filter."""
        self.run(*["ip link set %s promisc on" % n for n in NAMES])

    def transmit(self, n, hosts):
        """The host sends 'n' frames to each of 'hosts' others."""
        self.run(*neighbours("ip2", "b", hosts), *[
            "(for h in %s; do ping -q -c %d -i 0.02 -W 1 $h & done; "
            "wait) > /dev/null" % (" ".join(map(host_ip, hosts)), n)])

    def status(self):
        """The state, as Status."""
        return status(self.run("cat /proc/net/bonding/b") + "\n")

    def links(self):
        """{name: (MAC, MTU)} of the members and of the bond, "b"."""
        names = ["b"] + NAMES
        words = self.run("cd /sys/class/net", "cat %s" % " ".join(
            "%s/address %s/mtu" % (n, n) for n in names)).split()
        return {n: (words[2 * i], int(words[2 * i + 1]))
                for i, n in enumerate(names)}

    def delivered(self):
        """Frames of the VLAN that the bond has let in."""
        return int(self.run("cat /sys/class/net/b.%d/statistics/rx_packets"
                            % VLAN))

    def close(self):
        """Ends what is not the lab's."""
        self.sniffer.close()


class OurBond:
    """Our bond: the bond of a bridge, whose host is the bridge's LOCAL
    port."""

    kind = label = "ours"

    def __init__(self, lab, daemon):
        self.far = lab.namespace("far")
        self.far.run("sh", "-c", "echo 1 > "
                     "/proc/sys/net/ipv6/conf/default/disable_ipv6")
        self.s = Switch(lab, "ours", daemon)
        self.s.ns.run("sh", "-c", "cd /proc/sys/net/ipv6/conf; for i in all "
                      "default br0; do echo 0 > $i/accept_dad; done")
        self.ends = ["p%d" % i for i in range(N)]
        self.network = Network(self.far, self.ends)
        self.cables = []
        for i in range(N):
            cable = Cable(self.s.ns, NAMES[i], self.far, self.ends[i])
            self._sh("ip link set s%d address %s" % (i, MACS[i]),
                     "echo 1 > /proc/sys/net/ipv6/conf/s%d/disable_ipv6" % i)
            self.cables.append(cable)
        # Frames to link-local groups are a bridge's to drop; here they shall
        # be the bond's.
        self.s.vsctl("set", "bridge", "br0", "other_config:forward-bpdu=true")
        self.sniffer = Sniffer(self.far, self.ends)
        self._inner = None

    def _sh(self, *lines):
        return self.s.ns.run("sh", "-c", " &&\n".join(lines)).stdout

    @staticmethod
    def _key(name):
        return "bond-" + name.replace("_", "-")

    def create(self, mode, options, members, prio, addresses, tagged, mtu):
        """Makes the bond."""
        settings = ["other_config:%s=%s" % (self._key(k), v)
                    for k, v in [("mode", mode)] + list(options.items())]
        if mtu:
            settings.append("other_config:bond-mtu=%d" % mtu)
        cmd = ["add-bond", "br0", "b"] + [NAMES[i] for i in members]
        cmd += ["--", "set", "port", "b"] + settings
        for i, value in prio.items():
            cmd += ["--", "set", "interface", NAMES[i],
                    "other_config:bond-prio=%d" % value]
        if tagged is not None:
            cmd += ["--", "add-port", "br0", "v10", "tag=%d" % VLAN, "--",
                    "set", "interface", "v10", "type=internal",
                    'mac="%s"' % MACS[0]]
        self.s.vsctl(*cmd)
        lines = ["ip link set br0 up"]
        lines += ["ip addr add %s dev br0" % a for a in addresses]
        if tagged is not None:
            lines.append("ip link set v10 up")
            lines += ["ip addr add %s dev v10" % a for a in tagged]
            if not tagged:          # Not even a link-local one.
                lines.append("echo 1 > /proc/sys/net/ipv6/conf/v10/"
                             "disable_ipv6")
        self._sh(*lines)
        if tagged is not None:
            self._inner = self.s.ns.packet_socket("v10")
            self._inner.setblocking(False)
        self._count = 0

    def clear(self):
        """Removes the bond, mends what is cut."""
        self.mend(*range(N))
        if self._inner:
            self._inner.close()
            self._inner = None
        self.s.vsctl("--if-exists", "del-port", "b", "--", "--if-exists",
                     "del-port", "v10")
        self._sh("ip addr flush dev br0", "ip link set br0 down", *[
            "ip link set s%d up mtu 1500 address %s" % (i, MACS[i])
            for i in range(N)])

    def _carrier(self, members, state):
        with tempfile.TemporaryFile("w+") as batch:
            batch.writelines("link set dev p%d %s\n" % (i, state)
                             for i in members)
            batch.seek(0)
            run(["ip", "-n", self.far.full, "-batch", "-"], stdin=batch)

    def cut(self, *members):
        """Members lose their carrier, the ones right after the others."""
        self._carrier(members, "down")

    def mend(self, *members):
        """Members have their carrier back."""
        self._carrier(members, "up")

    def admin(self, i, state):
        """Sets member 'i' administratively "up" or "down"."""
        self._sh("ip link set s%d %s" % (i, state))

    def option(self, name, value):
        """Sets an option."""
        self.s.vsctl("set", "port", "b", "other_config:%s=%s"
                     % (self._key(name), value))

    def prio(self, i, value):
        """Sets the prio of a member."""
        self.s.vsctl("set", "interface", NAMES[i],
                     "other_config:bond-prio=%d" % value)

    def activate(self, i):
        """Makes member 'i' the active one."""
        self.s.appctl("bond/set-active-member", "b", NAMES[i])

    def down(self):
        """Sets the host's port administratively down."""
        self._sh("ip link set br0 down")

    def up(self):
        """Sets it up again."""
        self._sh("ip link set br0 up")

    def release(self, i):
        """Takes member 'i' out."""
        self.s.del_member("b", NAMES[i])

    def enslave(self, i):
        """Adds member 'i'."""
        self.s.add_member("b", NAMES[i])

    def set_mtu(self, mtu):
        """Sets the bond's MTU; the host's port takes its ports' MTU."""
        self.option("mtu", mtu)

    def set_mac(self, address):
        """Sets the bond's MAC."""
        self.s.vsctl("set", "port", "b", 'other_config:bond-address="%s"'
                     % address)

    def join(self):
        """The host joins a multicast group."""
        self._sh("ip addr add %s/32 dev br0 autojoin" % GROUP)

    def promiscuous(self):
        """Ports of a bridge do not filter."""

    def transmit(self, n, hosts):
        """The host sends 'n' frames to each of 'hosts' others."""
        self._sh(*neighbours("ip", "br0", hosts), *[
            "(for h in %s; do ping -q -n -c %d -i 0.02 -W 0.1 $h & done; "
            "wait) > /dev/null" % (" ".join(map(host_ip, hosts)), n)])

    def status(self):
        """The state, as Status."""
        return status(self.s.appctl("bond/proc", "b"))

    def links(self):
        """{name: (MAC, MTU)} of the members and of the host, "b"."""
        found = {}
        out = self._sh("ip -o link show")
        for m in re.finditer(r"(?m)^\d+: ([^:@]+)[:@].* mtu (\d+) .*"
                             r"link/ether (\S+)", out):
            found[m.group(1)] = m.group(3), int(m.group(2))
        return {n: found["br0" if n == "b" else n] for n in ["b"] + NAMES}

    def delivered(self):
        """Frames of the VLAN that the bond has let in."""
        while True:
            try:
                _data, address = self._inner.recvfrom(2048)
            except BlockingIOError:
                return self._count
            if address[2] != PACKET_OUTGOING:
                self._count += 1

    def close(self):
        """Ends what is not the lab's."""
        if self._inner:
            self._inner.close()
        self.sniffer.close()


class Watch:
    """Looks at a bond all the time, every 'pause' s.  An entry (before, after,
    Status) has the times between which it was looked at; 'samples' has all,
    'history' the first of each state."""

    def __init__(self, bond, pause=0.03):
        self.bond = bond
        self.pause = pause
        self.samples = []
        self.history = []
        self.errors = []
        self._end = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        wait_until(lambda: self.latest or self._end, "a look at the bond")

    def _run(self):
        while not self._end:
            before = time.time()
            try:
                now = self.bond.status()
            except (AssertionError, KeyError) as e:
                self.errors.append(e)
                now = None
            after = time.time()
            if now:
                if not self.history or self.history[-1][2] != now:
                    self.history.append((before, after, now))
                self.samples.append((before, after, now))
            time.sleep(self.pause)

    @property
    def latest(self):
        """The latest sample, or None."""
        return self.samples[-1] if self.samples else None

    def actives(self, since=0):
        """The active members that were seen, in order."""
        found = []
        for _before, after, now in self.history:
            if after >= since and (not found or found[-1] != now.active):
                found.append(now.active)
        return found

    def close(self):
        """Stops looking."""
        self._end = True
        self._thread.join()


class Pair:
    """Both bonds."""

    def __init__(self, lab, daemon):
        self.pool = concurrent.futures.ThreadPoolExecutor(2)
        if os.environ.get("OB_DIFF_AGAINST") == "linux":
            ours = self.pool.submit(LinuxBond, lab, "ours")
        else:
            ours = self.pool.submit(OurBond, lab, daemon)
        self.linux = LinuxBond(lab)
        self.ours = ours.result()
        self.bonds = [self.linux, self.ours]

    def both(self, method, *args, **kwargs):
        """Calls a method of both at once; returns {label: result}."""
        jobs = [(b.label, self.pool.submit(getattr(b, method), *args,
                                           **kwargs)) for b in self.bonds]
        concurrent.futures.wait([j for _label, j in jobs])
        return {label: job.result() for label, job in jobs}

    def network(self, method, *args):
        """Calls a method of both networks at once."""
        jobs = [self.pool.submit(getattr(b.network, method), *args)
                for b in self.bonds]
        for job in jobs:
            job.result()

    def create(self, mode, options=None, members=range(N), prio=None,
               addresses=("10.0.0.1/24",), tagged=None, mtu=None,
               targets=()):
        """Makes both bonds and waits until all members are up."""
        members = list(members)
        if targets:
            self.network("set_up", targets, mode != "active-backup")
        self.both("create", mode, options or {}, members, prio or {},
                  addresses, tagged, mtu)
        for bond in self.bonds:
            wait_until(lambda: set(bond.status().links.values()) == {"up"},
                       "all members of %s's bond are up" % bond.label)

    def clear(self):
        """Removes both."""
        self.both("clear")
        self.network("tear_down")

    def close(self):
        """Ends what is not the lab's."""
        for bond in self.bonds:
            bond.close()
        self.pool.shutdown()
