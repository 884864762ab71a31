"""The lab: namespaces, cables, processes, and waiting for things.

A Lab owns network namespaces, a directory and processes, and closes all of
them.  It must live in a process that isolate.isolate() has returned to.
"""

import contextlib
import fcntl
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import threading
import time

import isolate

BASE = pathlib.Path("/run/ob")
REPO = pathlib.Path(__file__).resolve().parents[2]

# Every program that the harness starts, and the Debian package that has it.
PACKAGES = {
    "ip": "iproute2",
    "bridge": "iproute2",
    "ethtool": "ethtool",
    "ping": "iputils-ping",
    "iperf3": "iperf3",
    "mount": "mount",
    "ovs-vsctl": "openvswitch-switch",
    "ovs-appctl": "openvswitch-common",
    "ovs-ofctl": "openvswitch-common",
    "ovs-dpctl": "openvswitch-switch",
    "ovsdb-server": "openvswitch-common",
    "ovsdb-tool": "openvswitch-common",
    "qemu-system-x86_64": "qemu-system-x86",
    "busybox": "busybox-static",
    "apt-get": "apt",
    "dpkg-deb": "dpkg",
    "tar": "tar",
    "ldd": "libc-bin",
    "dpdk-testpmd": "dpdk-dev",
    "strip": "binutils",
}
SBIN = "/usr/sbin:/sbin"

# Stretches deadlines, for daemons slowed down by a sanitizer or valgrind.
SLOW = float(os.environ.get("OB_SLOW", "1"))


class LabError(Exception):
    """The lab itself, not the product, has a problem."""


class Timeout(AssertionError):
    """Something that should have happened did not."""


class CommandError(AssertionError):
    """A command failed that should have succeeded."""

    def __init__(self, args, proc):
        super().__init__("%s: exit status %d\n%s%s" % (
            " ".join(map(str, args)), proc.returncode, proc.stdout,
            proc.stderr))
        self.proc = proc


def require(*programs):
    """Raises LabError, naming the packages, unless all 'programs' exist."""
    os.environ["PATH"] = os.environ.get("PATH", "/usr/bin:/bin")
    if "/usr/sbin" not in os.environ["PATH"].split(":"):
        os.environ["PATH"] += ":" + SBIN
    missing = sorted({PACKAGES[p] for p in programs if not shutil.which(p)})
    if missing:
        raise LabError("missing programs: apt-get install %s"
                       % " ".join(missing))


def wait_until(condition, what, timeout=10, interval=0.02):
    """Polls until 'condition()' is true and returns what it returned.

    An AssertionError inside 'condition' counts as "not yet"."""
    deadline = time.monotonic() + timeout * SLOW
    while True:
        last = None
        try:
            value = condition()
            if value:
                return value
            last = value
        except AssertionError as e:
            last = e
        if time.monotonic() >= deadline:
            raise Timeout("after %g s still not: %s (last: %s)"
                          % (timeout * SLOW, what, last))
        time.sleep(interval)


def holds_for(condition, what, seconds, interval=0.02):
    """Asserts that 'condition()' stays true for 'seconds'; returns the number
    of times it was looked at."""
    deadline = time.monotonic() + seconds
    looks = 0
    while time.monotonic() < deadline:
        assert condition(), "%s: no longer true" % what
        looks += 1
        time.sleep(interval)
    return looks


def run(args, check=True, timeout=20, env=None, stdin=None):
    """Runs a command to its end; returns the CompletedProcess, in text."""
    args = [str(a) for a in args]
    try:
        proc = subprocess.run(args, stdin=stdin or subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=timeout * SLOW, env=env)
    except subprocess.TimeoutExpired:
        raise Timeout("%s: no end after %g s"
                      % (" ".join(args), timeout * SLOW))
    if check and proc.returncode:
        raise CommandError(args, proc)
    return proc


class Namespace:
    """A network namespace."""

    def __init__(self, lab, name):
        self.lab = lab
        self.name = name
        self.full = "%s-%s" % (lab.name, name)
        run(["ip", "netns", "add", self.full])
        self.run("ip", "link", "set", "lo", "up")

    def argv(self, args):
        """The command line that runs 'args' in here."""
        return ["ip", "netns", "exec", self.full] + [str(a) for a in args]

    def run(self, *args, **kwargs):
        """Runs a command in here to its end."""
        return run(self.argv(args), **kwargs)

    def popen(self, *args, **kwargs):
        """Starts a process in here that the lab ends."""
        return self.lab.popen(self.argv(args), **kwargs)

    def links(self):
        """Names of the interfaces in here."""
        out = self.run("ip", "-o", "link", "show").stdout
        return {line.split(": ")[1].split("@")[0]
                for line in out.splitlines()}

    def set_link(self, ifname, state):
        """Sets an interface "up" or "down"."""
        self.run("ip", "link", "set", "dev", ifname, state)

    def mac(self, ifname):
        """The MAC address of an interface."""
        out = self.run("ip", "-o", "link", "show", "dev", ifname).stdout
        return out.split("link/ether ")[1].split()[0]

    def counters(self, ifname):
        """(rx packets, tx packets, rx bytes, tx bytes) of an interface."""
        out = self.run("ip", "-o", "-s", "link", "show", "dev",
                       ifname).stdout
        rx, tx = out.split("RX:")[1].split("TX:")
        rx = rx.split("\\")[1].split()
        tx = tx.split("\\")[1].split()
        return int(rx[1]), int(tx[1]), int(rx[0]), int(tx[0])

    def packet_socket(self, ifname):
        """A raw packet socket bound to 'ifname' in here."""
        def make():
            s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                              socket.htons(3))
            s.bind((ifname, 0))
            return s
        return self.inside(make)

    def tap(self, ifname):
        """A new tap device in here, set up: its other end, to read frames
        from."""
        def make():
            tap = open("/dev/net/tun", "r+b", buffering=0)
            fcntl.ioctl(tap, 0x400454ca,        # TUNSETIFF
                        struct.pack("16sH22x", ifname.encode(), 0x1002))
            return tap
        tap = self.inside(make)
        self.run("sysctl", "-qw",
                 "net.ipv6.conf.%s.disable_ipv6=1" % ifname)
        self.set_link(ifname, "up")
        return tap

    def inside(self, make):
        """What 'make()' returns in here."""
        result = []

        def inside():
            try:
                with open("/run/netns/" + self.full) as f:
                    isolate.setns(f.fileno())
                result.append(make())
            except OSError as e:
                result.append(e)
        thread = threading.Thread(target=inside)
        thread.start()
        thread.join()
        if isinstance(result[0], OSError):
            raise result[0]
        return result[0]


class Cable:
    """A veth pair between (a_ns, a) and (b_ns, b).

    To cut it is to set the far end, b, down: both ends lose their carrier and
    'a' stays administratively up, as with a real cable."""

    def __init__(self, a_ns, a, b_ns, b):
        self.a_ns, self.a, self.b_ns, self.b = a_ns, a, b_ns, b
        run(["ip", "link", "add", "name", a, "netns", a_ns.full, "type",
             "veth", "peer", "name", b, "netns", b_ns.full])
        for ns, end in ((a_ns, a), (b_ns, b)):
            # Frames that leave through a userspace switch need checksums.
            ns.run("ethtool", "-K", end, "tx", "off")
            ns.set_link(end, "up")

    def cut(self):
        """Pulls the cable."""
        self.b_ns.set_link(self.b, "down")

    def mend(self):
        """Plugs it in again."""
        self.b_ns.set_link(self.b, "up")


class Host(Namespace):
    """A computer with one interface, eth0, plugged into a switch."""

    def plug(self, switch, port, address, mac=None, bridge="br0"):
        """Connects the host to a new port of 'switch'."""
        self.address = address
        self.cable = Cable(switch.ns, port, self, "eth0")
        if mac:
            self.run("ip", "link", "set", "dev", "eth0", "address", mac)
        self.run("ip", "addr", "add", address + "/24", "dev", "eth0")
        switch.vsctl("add-port", bridge, port)
        return self


class Trunk(Namespace):
    """A switch with a static trunk (no LACP), with a host behind it.

    A Linux bridge over all cables does it if no frame goes from one cable to
    another, which is what "isolated" says."""

    def __init__(self, lab, name, address):
        super().__init__(lab, name)
        self.address = address
        self.cables = []
        # Without forward_delay a port that comes up waits 15 s even if STP
        # is off.
        self.run("ip", "link", "add", "name", "trunk0", "type", "bridge",
                 "forward_delay", "0", "mcast_snooping", "0")
        # An address of its own: else it is a port's, and goes with the port.
        self.run("ip", "link", "set", "trunk0", "address",
                 "02:00:00:00:0b:%02x" % int(address.split(".")[-1]))
        self.run("ip", "addr", "add", address + "/24", "dev", "trunk0")
        self.run("ip", "link", "set", "trunk0", "up")

    def plug(self, switch, *ports):
        """Makes a cable for each name in 'ports', an interface of
        'switch' that is not yet a port of its bridge."""
        for port in ports:
            end = "t-" + port
            cable = Cable(switch.ns, port, self, end)
            self.run("ip", "link", "set", "dev", end, "master", "trunk0")
            self.run("bridge", "link", "set", "dev", end, "isolated", "on")
            self.cables.append(cable)
        return self

    def cable(self, port):
        """The cable at the switch's 'port'."""
        return [c for c in self.cables if c.a == port][0]


class Lab:
    """Everything that one test builds."""

    count = 0

    def __init__(self, name=None):
        if not isolate.is_isolated():
            raise LabError("a lab needs isolate.isolate() first")
        require("ip", "bridge", "ethtool", "ping", "iperf3", "ovs-vsctl",
                "ovs-appctl", "ovs-ofctl", "ovsdb-server", "ovsdb-tool")
        Lab.count += 1
        self.name = name or "L%d" % Lab.count
        self.dir = BASE / self.name
        self.dir.mkdir(parents=True)
        self.namespaces = []
        self.procs = []
        self.switches = []

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self.close()

    def add(self, ns):
        """Registers a namespace (or a subclass) to be deleted by close()."""
        self.namespaces.append(ns)
        return ns

    def namespace(self, name):
        """A new, empty namespace."""
        return self.add(Namespace(self, name))

    def host(self, name, switch, port, address, mac=None):
        """A new host at a new port of 'switch'."""
        return self.add(Host(self, name)).plug(switch, port, address, mac)

    def trunk(self, name, address, switch, *ports):
        """A new static trunk to 'ports' of 'switch'."""
        trunk = self.add(Trunk(self, name, address))
        return trunk.plug(switch, *ports)

    def popen(self, args, **kwargs):
        """Starts a process that close() ends."""
        kwargs.setdefault("stdin", subprocess.DEVNULL)
        proc = subprocess.Popen([str(a) for a in args],
                                start_new_session=True,
                                preexec_fn=isolate.die_with_parent, **kwargs)
        self.procs.append(proc)
        return proc

    def close(self):
        """Ends and removes everything; may be called twice."""
        for proc in self.procs:
            if proc.poll() is None:
                try:
                    os.kill(proc.pid, signal.SIGCONT)
                    proc.terminate()
                except ProcessLookupError:
                    pass
        deadline = time.monotonic() + 3
        for proc in self.procs:
            try:
                proc.wait(max(0.01, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                proc.kill()
                proc.wait(10)
        for ns in self.namespaces:
            run(["ip", "netns", "del", ns.full], check=False)
        self.namespaces = []
        shutil.rmtree(self.dir, ignore_errors=True)

    def save_logs(self, where):
        """Copies logs and databases to the directory 'where'."""
        where = pathlib.Path(where)
        shutil.rmtree(where, ignore_errors=True)
        shutil.copytree(self.dir, where,
                        ignore=lambda d, names: [
                            n for n in names
                            if not (pathlib.Path(d, n).is_dir()
                                    or pathlib.Path(d, n).is_file())])


open_labs = []


@contextlib.contextmanager
def checked_lab():
    """A lab that is always closed, and then found to have been healthy and
    to have left nothing."""
    lab = Lab()
    open_labs.append(lab)
    try:
        yield lab
        problems = sum((s.problems() for s in lab.switches), [])
    finally:
        open_labs.remove(lab)
        lab.close()
    assert not problems, "\n".join(problems)
    left = leftovers([lab.name])
    assert not left, "left behind: " + ", ".join(left)


def leftovers(lab_names=None):
    """What is still there of the labs (all, or those named): a list of
    strings, empty if all is clean.  Looks at namespaces, interfaces of the
    harness' own namespace, processes and files."""
    found = []
    for entry in run(["ip", "netns", "list"]).stdout.split("\n"):
        name = entry.split(" ")[0]
        if name and (lab_names is None
                     or name.split("-")[0] in lab_names):
            found.append("namespace " + name)
    for line in run(["ip", "-o", "link", "show"]).stdout.splitlines():
        name = line.split(": ")[1].split("@")[0]
        if name not in ("lo", "tunl0", "sit0", "gre0", "gretap0", "erspan0",
                        "ip_vti0", "ip6_vti0", "ip6tnl0", "ip6gre0", "ifb0",
                        "ifb1", "dummy0", "bond0", "teql0"):
            found.append("interface " + name)
    if BASE.is_dir():
        found += ["file %s" % p for p in BASE.iterdir()
                  if lab_names is None or p.name in lab_names]
    if lab_names is None:
        found += ["process %s" % p for p in other_processes()]
    return found


def other_processes():
    """Every process of this pid namespace but init and this one and its
    ancestors."""
    ours = {1, os.getpid(), os.getppid()}
    found = []
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) in ours:
            continue
        try:
            cmd = (entry / "cmdline").read_bytes().replace(b"\0", b" ")
        except OSError:
            continue
        if cmd:                 # A zombie has none.
            found.append("%s: %s" % (entry.name, cmd.decode()))
    return found
