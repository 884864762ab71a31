# SPDX-License-Identifier: Apache-2.0

"""A switch with the kernel's datapath, in a guest.

The host's kernel may have no openvswitch module; the guest's has one.  The
initramfs is that of guest.py with openvswitch.ko, the daemon under test, the
database and the tools of Open vSwitch.

    h: tap "in" ---- eth0        guest         eth1 ---- tap m1
                           br0 (system)        eth2 ---- tap m2
                                       bond0   eth3 ---- tap m3

Frames are sent and captured at the taps, with packet sockets.
"""

import collections
import pathlib
import re
import shlex
import shutil
import socket
import struct
import subprocess
import tempfile
import time

import guest as guest_module
from lab import SLOW, CommandError, LabError, require, run, wait_until
from switch import SCHEMA, Switch

INLET = "in"
OUTLETS = ["m1", "m2", "m3"]
MEMBERS = ["eth1", "eth2", "eth3"]          # Their names inside.
DEVICE = dict(zip(OUTLETS, MEMBERS))
OUTLET = dict(zip(MEMBERS, OUTLETS))

# crc32c_generic is needed by libcrc32c and nfnetlink by the daemon, for
# connection tracking; neither is named as a dependency.
MODULES = ["virtio_pci", "virtio_net", "crc32c_generic", "nfnetlink_cttimeout",
           "openvswitch"]
TOOLS = ["ovs-vsctl", "ovs-appctl", "ovs-ofctl", "ovs-dpctl", "ovsdb-server"]

DIR = "/tmp/ovs"
SETUP = """\
export LD_LIBRARY_PATH=/lib
export OVS_RUNDIR=%(dir)s OVS_LOGDIR=%(dir)s OVS_DBDIR=%(dir)s
export OVS_SYSCONFDIR=%(dir)s
mkdir -p %(dir)s && cp /conf.db %(dir)s/ && \\
for i in 0 1 2 3; do ip link set eth$i up || echo failed $i; done
ovsdb-server %(dir)s/conf.db --detach --no-chdir --pidfile --log-file \\
    -vconsole:off --remote=punix:%(dir)s/db.sock &&
ovs-vsctl --no-wait init
# count_cpu_cores() of Open vSwitch says 0 in the first 10 s after boot, and
# then nobody would take the datapath's upcalls.
while [ $(cut -d. -f1 /proc/uptime) -lt 11 ]; do usleep 100000; done
""" % {"dir": DIR}


def libraries(programs):
    """Paths of the shared libraries that 'programs' need, and the loader's,
    which is a path that the programs name."""
    libs = {}
    loader = None
    for line in run(["ldd"] + programs).stdout.splitlines():
        m = re.match(r"\s+(?:(\S+) => )?(/\S+) \(0x", line)
        if m and m.group(1):
            libs[m.group(1)] = pathlib.Path(m.group(2))
        elif m:
            loader = pathlib.Path(m.group(2))
    if not loader:
        raise LabError("ldd names no loader for %s" % programs)
    return libs, loader


def _files(daemon):
    """What the initramfs holds: {path: contents}."""
    files = {}
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        # Debug information would be most of the image.
        run(["strip", "-o", work / "ovs-vswitchd", daemon], timeout=60)
        run(["ovsdb-tool", "create", work / "conf.db", SCHEMA])
        files["bin/ovs-vswitchd"] = (work / "ovs-vswitchd").read_bytes()
        files["conf.db"] = (work / "conf.db").read_bytes()
    programs = [shutil.which(tool) for tool in TOOLS]
    for path in programs:
        files["bin/" + pathlib.Path(path).name] = \
            pathlib.Path(path).read_bytes()
    libs, loader = libraries(programs + [str(daemon)])
    for name, path in libs.items():
        files["lib/" + name] = path.read_bytes()
    files[str(loader).lstrip("/")] = loader.read_bytes()
    return files


class KernelGuest(guest_module.Guest):
    """A guest with openvswitch.ko and the programs."""

    def __init__(self, lab, ns, daemon):
        require("ovs-vsctl", "ovs-appctl", "ovs-ofctl", "ovs-dpctl",
                "ovsdb-server", "ovsdb-tool", "ldd", "strip")
        initrd = lab.dir / "initramfs"
        initrd.write_bytes(guest_module.archive(MODULES,
                                                files=_files(daemon)))
        super().__init__(lab, ns, [INLET] + OUTLETS, "guest", initrd, 512)
        initrd.unlink()             # Not wanted among the logs of a failure.
        # Frames of the guest's own would only be in the way.
        for tap in self.taps:
            ns.run("sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/%s/"
                   "disable_ipv6" % tap)

    def mend(self, i):
        """Plugs cable 'i' in; the tap first, so that the guest's first frame
        already passes."""
        self.ns.set_link(self.taps[i], "up")
        self.monitor("set_link d%d on" % i)

    def complaints(self):
        """What the kernel is not happy with: a list of lines."""
        found = [line for line in self.run("dmesg").splitlines()
                 if re.search(r"WARNING|BUG|Oops|Call Trace|rcu:.*stall"
                              r"|refcount|page allocation failure"
                              r"|openvswitch.*(fail|error|invalid|drop)"
                              r"|deferred action limit|recursion limit", line)]
        tainted = int(self.run("cat /proc/sys/kernel/tainted"))
        if tainted & (1 << 4 | 1 << 5 | 1 << 7 | 1 << 9):
            found.append("the kernel is tainted: %d" % tainted)
        return found


class KernelSwitch(Switch):
    """The switch in the guest.  Only what differs from Switch is here: how
    programs are started, and where files are."""

    def __init__(self, lab, ns, daemon):    # pylint: disable=W0231
        self.lab = lab
        self.name = "guest"
        self.ns = ns
        self.daemon = pathlib.Path(daemon)
        self.bridge = "br0"
        self.may_be_dead = False
        self.guest = KernelGuest(lab, ns, daemon)
        self.dir = self.guest.dir
        self.guest.run(SETUP)
        lab.switches.append(self)
        self.start()
        self.vsctl("add-br", "br0", "--", "add-port", "br0", "eth0")

    def start(self):
        """Starts the daemon."""
        self.guest.run("ovs-vswitchd unix:%s/db.sock --detach --no-chdir "
                       "--pidfile --log-file -vconsole:off" % DIR)
        self.may_be_dead = False

    def stop(self, signum=15):
        """Ends the daemon with a signal."""
        self.may_be_dead = True
        self.guest.run("p=$(cat %s/ovs-vswitchd.pid); kill -%d $p; "
                       "while kill -0 $p 2>/dev/null; do usleep 10000; done"
                       % (DIR, signum))

    def alive(self):
        """True while the daemon runs."""
        return "dead" not in self.guest.run(
            "kill -0 $(cat %s/ovs-vswitchd.pid) 2>/dev/null || echo dead"
            % DIR)

    def log(self):
        """The log of the daemon."""
        return self.guest.run("cat %s/ovs-vswitchd.log" % DIR, timeout=60)

    def output(self, target="ovs-vswitchd", lines=60):
        """The end of the log; the logs of the guest are saved on the way."""
        text = self.log()
        (self.dir / "ovs-vswitchd.log").write_text(text)
        (self.dir / "dmesg").write_text(self.guest.run("dmesg"))
        return "\n".join(text.splitlines()[-lines:])

    def problems(self):
        """Why the switch or its kernel is not healthy: a list."""
        found = list(self.guest.complaints())
        if not self.may_be_dead and not self.alive():
            found.append("the daemon ended")
        # A flow that the kernel refuses is one that we should not make.
        found += [line for line in self.log().splitlines()
                  if re.search(r"\|EMER\||ssertion|failed to (put|flow_put"
                               r"|flow_del|execute)|\|ERR\|", line)]
        return ["guest: " + line for line in found]

    def _command(self, args, check, timeout):
        """Runs a program in the guest; returns a CompletedProcess."""
        args = [str(a) for a in args]
        out = self.guest.run("%s; x=$?; echo; echo status $x"
                             % " ".join(map(shlex.quote, args)),
                             timeout=timeout)
        text, _sep, status = out.rpartition("status ")
        proc = subprocess.CompletedProcess(args, int(status),
                                           text.rstrip("\n") + "\n", "")
        if check and proc.returncode:
            raise CommandError(args, proc)
        return proc

    def try_vsctl(self, *args, check=False, timeout=15):
        """ovs-vsctl; returns the CompletedProcess."""
        return self._command(["ovs-vsctl", "--timeout=%d" % timeout]
                             + list(args), check, timeout + 5)

    def appctl(self, *args):
        """ovs-appctl; returns its output."""
        return self._command(["ovs-appctl", "-t", "ovs-vswitchd"]
                             + list(args), True, 20).stdout

    def try_appctl(self, *args):
        """ovs-appctl; returns (status, output)."""
        proc = self._command(["ovs-appctl", "-t", "ovs-vswitchd"]
                             + list(args), False, 20)
        return proc.returncode, proc.stdout

    # The datapath.

    def flows(self, grep=""):
        """Flows of the kernel's datapath, as itself says, of those lines
        that match the extended regular expression 'grep'."""
        text = self._command(
            ["sh", "-c", "ovs-dpctl dump-flows system@ovs-system | "
             "grep -E -e \"$1\" | head -n 2000", "sh", grep], True, 60).stdout
        return [DpFlow(line) for line in text.splitlines() if line]

    def flush(self):
        """Removes all flows of the datapath."""
        self.appctl("revalidator/purge")

    def port_numbers(self):
        """{datapath port number: name}."""
        text = self._command(["ovs-dpctl", "show", "system@ovs-system"],
                             True, 20).stdout
        return {int(n): name for n, name in re.findall(
            r"(?m)^  port (\d+): (\S+)", text)}


class DpFlow:
    """A line of dump-flows."""

    def __init__(self, line):
        self.line = line
        self.key, _sep, self.actions = line.partition(" actions:")
        self.key = self.key.partition(", packets:")[0]
        m = re.search(r"packets:(\d+)", line)
        self.packets = int(m.group(1)) if m else 0

    def outputs(self):
        """Numbers of the ports that the flow outputs to."""
        return [int(a) for a in re.split(r",(?![^(]*\))", self.actions)
                if a.isdigit()]

    def __repr__(self):
        return self.line


# Frames.

MAGIC = b"OB-kernel-test:"
TAIL = struct.Struct("!II")
PACKET_OUTGOING = 4
SO_RCVBUFFORCE = 33


def checksum(data):
    """The Internet checksum."""
    total = sum(struct.unpack("!%dH" % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def mac(text):
    """A MAC address as bytes."""
    return bytes.fromhex(text.replace(":", ""))


Flow = collections.namedtuple(
    "Flow", "src dst vlan proto saddr daddr sport dport")


def flow(i=0, **fields):
    """A UDP flow between two computers, the source port telling it from
    others, unless 'fields' differ."""
    defaults = {"src": "02:00:00:00:01:01", "dst": "02:00:00:00:02:02",
                "vlan": 0, "proto": 17, "saddr": "10.1.0.1",
                "daddr": "10.2.0.1", "sport": 10000 + i, "dport": 443}
    return Flow(**{**defaults, **fields})


def frame(f, number, seq, size=0):
    """A frame of Flow 'f', marked with two numbers, with a payload of at
    least 'size' bytes."""
    payload = (MAGIC + TAIL.pack(number, seq)).ljust(size, b"\0")
    if f.proto == 17:
        body = struct.pack("!HHHH", f.sport, f.dport, 8 + len(payload), 0)
        options = b""
    elif f.proto == 6:
        body = struct.pack("!HHIIBBHHH", f.sport, f.dport, 1, 1, 0x50, 0x10,
                           1024, 0, 0)
        options = b""
    elif f.proto == 2:              # IGMPv2 report, with router alert.
        body = struct.pack("!BBH4s", 0x16, 0, 0, socket.inet_aton(f.daddr))
        body = body[:2] + struct.pack("!H", checksum(body)) + body[4:]
        options = b"\x94\x04\x00\x00"
    else:
        raise ValueError(f.proto)
    body += payload
    header = struct.pack("!BBHHHBBH4s4s", 0x45 + len(options) // 4, 0,
                         20 + len(options) + len(body), 0, 0x4000, 64,
                         f.proto, 0, socket.inet_aton(f.saddr),
                         socket.inet_aton(f.daddr)) + options
    header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
    tag = struct.pack("!HH", 0x8100, f.vlan) if f.vlan else b""
    return mac(f.dst) + mac(f.src) + tag + b"\x08\x00" + header + body


class Wire:
    """The far ends of the guest's cables."""

    WINDOW = 48                 # Frames on their way at most.

    def __init__(self, ns):
        self.sockets = {}
        self.addresses = set()      # See drain().
        for name in [INLET] + OUTLETS:
            s = ns.packet_socket(name)
            s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 23)
            s.setblocking(False)
            self.sockets[name] = s
        self.seq = 0

    def close(self):
        """Closes the sockets."""
        for s in self.sockets.values():
            s.close()

    def drain(self):
        """What has come out: a list of (tap, flow number, seq).  Adds to
        'addresses' (tap, flow number, source, destination)."""
        got = []
        for name, s in self.sockets.items():
            while True:
                try:
                    data, address = s.recvfrom(2048)
                except BlockingIOError:
                    break
                except OSError:         # The tap is down: told once.
                    continue
                at = data.find(MAGIC)
                if address[2] != PACKET_OUTGOING and at >= 0:
                    tail = TAIL.unpack_from(data, at + len(MAGIC))
                    got.append((name,) + tail)
                    self.addresses.add((name, tail[0], data[6:12].hex(":"),
                                        data[:6].hex(":")))
        return got

    def round(self, flows, n=1, copies=1, at=INLET, size=0, patience=1.0,
              quiet=0.15):
        """Sends 'n' frames of each of 'flows' ({number: Flow}) into the tap
        'at', a window at a time; returns a Seen."""
        self.drain()
        start = self.seq + 1
        frames = []
        for _ in range(n):
            self.seq += 1
            for number, f in flows.items():
                frames.append((number, self.seq,
                               frame(f, number, self.seq, size)))
        seen = []
        for i in range(0, len(frames), self.WINDOW):
            burst = frames[i:i + self.WINDOW]
            goal = len(seen) + len(burst) * copies
            for _number, _seq, data in burst:
                self.sockets[at].send(data)
            deadline = time.monotonic() + patience * SLOW
            while len(seen) < goal and time.monotonic() < deadline:
                time.sleep(0.001)
                seen += self.drain()
        time.sleep(quiet)               # Duplicates would come now.
        seen += self.drain()
        return Seen([f[:2] for f in frames],
                    [s for s in seen if s[2] >= start])

    def wait_lossless(self, flows, copies=1, timeout=10):
        """Sends until a round comes through whole, after a cut."""
        def once():
            seen = self.round(flows, copies=copies, patience=0.3, quiet=0)
            return all(seen.count[k] >= copies for k in seen.sent)
        wait_until(once, "frames pass without loss", timeout)


class Seen:
    """What became of the frames of a round."""

    def __init__(self, sent, seen):
        self.sent = sent
        self.count = collections.Counter((f, s) for _o, f, s in seen)
        self.ways = collections.defaultdict(collections.Counter)
        for outlet, number, _seq in seen:
            self.ways[number][outlet] += 1

    def check(self, copies=1):
        """Every frame came out 'copies' times, no more and no less."""
        wrong = {k: self.count[k] for k in self.sent
                 if self.count[k] != copies}
        assert not wrong, "%d of %d frames did not come %d times: %s" % (
            len(wrong), len(self.sent), copies, sorted(wrong.items())[:10])
        return self

    def way(self):
        """{flow number: outlet}; all frames of a flow took one way."""
        split = {n: dict(w) for n, w in self.ways.items() if len(w) != 1}
        assert not split, "%d flows took several ways: %s" % (
            len(split), sorted(split.items())[:10])
        return {n: next(iter(w)) for n, w in self.ways.items()}

    def outlets(self):
        """Outlets that anything came out of."""
        return {o for w in self.ways.values() for o in w}


def shares(way):
    """{outlet: number of flows}."""
    return collections.Counter(way.values())
