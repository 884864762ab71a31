"""A guest with the real Linux bonding driver, under QEMU's TCG.

Debian's kernel is downloaded as a package and unpacked into the build
directory, never installed.  The initramfs is busybox, the modules needed and
an init of a few lines; it gives a root shell on the serial console, which is
our remote control.  The guest boots in a few seconds.

    python3 guest.py fetch      downloads and builds what is needed
"""

import gzip
import hashlib
import io
import os
import pathlib
import re
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import threading

import lab as lab_module
from lab import SLOW, LabError, Timeout, require, run, wait_until

CACHE = pathlib.Path(os.environ.get(
    "OB_QEMU_CACHE", lab_module.REPO / "_build" / "qemu"))
META_PACKAGE = "linux-image-amd64"

# Modules to load, in order; what they depend on is found in the modules.
MODULES = ["virtio_pci", "virtio_net", "bonding"]
# What to take out of the package, for this guest and for kernel_guest.py.
MODULE_DIRS = ["drivers/net/bonding", "drivers/net/net_failover.ko",
               "drivers/net/virtio_net.ko", "drivers/virtio", "net/core",
               "net/tls", "lib", "crypto/crc32c_generic.ko",
               "net/ipv4/netfilter/nf_defrag_ipv4.ko",
               "net/ipv6/netfilter/nf_defrag_ipv6.ko",
               "net/netfilter/nf_", "net/netfilter/nfnetlink",
               "net/nsh", "net/openvswitch", "net/8021q", "net/802/",
               "net/llc"]

# The guest's clock, as exact as the host's.  How fast the TSC and the local
# APIC's timer run, the kernel would have to measure, and on a busy host it
# measures wrong, by a factor even.
CLOCK = "clocksource=hpet tsc=unstable nolapic_timer"

INIT = """\
#!/bin/busybox sh
/bin/busybox mkdir -p /proc /sys /dev /tmp
/bin/busybox --install -s /bin
export PATH=/bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs dev /dev
echo 1 > /proc/sys/kernel/printk
for m in $(cat /modules/order); do
    insmod /modules/$m $(cat /modules/$m.options 2>/dev/null) ||
        echo "INSMOD FAILED $m"
done
ip link set lo up
exec < /dev/ttyS0 > /dev/ttyS0 2>&1
stty -echo -onlcr -icanon min 1
echo GUEST READY
# A shell that reads a script gives no prompts and does no line editing.
exec sh /dev/ttyS0
"""


def _kernel_package():
    """The name of the package that has the kernel."""
    proc = run(["apt-cache", "depends", META_PACKAGE], check=False)
    m = re.search(r"Depends: (linux-image-[0-9]\S+)", proc.stdout)
    if not m:
        run(["apt-get", "-qq", "update"], timeout=180)
        proc = run(["apt-cache", "depends", META_PACKAGE])
        m = re.search(r"Depends: (linux-image-[0-9]\S+)", proc.stdout)
    if not m:
        raise LabError("apt-cache does not know %s" % META_PACKAGE)
    return m.group(1)


def _fetched():
    """True if the cache has everything that is needed today."""
    try:
        text = (CACHE / "complete").read_text()
    except OSError:
        return False
    return text.splitlines()[1:] == [" ".join(MODULE_DIRS)]


def fetch():
    """Makes sure that kernel and modules are in the cache.

    Needs the network, so it comes before isolation."""
    require("qemu-system-x86_64", "busybox", "apt-get", "dpkg-deb", "tar")
    if _fetched():
        return
    package = _kernel_package()
    CACHE.mkdir(parents=True, exist_ok=True)
    (CACHE / "complete").unlink(missing_ok=True)
    work = pathlib.Path(tempfile.mkdtemp(prefix="fetch-", dir=CACHE))
    try:
        cmd = ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download",
               package]
        proc = subprocess.run(cmd, cwd=work, text=True, timeout=600,
                              stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        if proc.returncode:         # The index may be older than the archive.
            run(["apt-get", "-qq", "update"], timeout=180)
            proc = subprocess.run(cmd, cwd=work, text=True, timeout=600,
                                  stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, check=False)
        debs = list(work.glob("*.deb"))
        if proc.returncode or len(debs) != 1:
            raise LabError("cannot download %s:\n%s"
                           % (package, proc.stdout))
        root = work / "root"
        root.mkdir()
        _unpack(debs[0], root)
        shutil.copy(next((root / "boot").glob("vmlinuz-*")),
                    CACHE / "vmlinuz")
        modules = CACHE / "modules"
        shutil.rmtree(modules, ignore_errors=True)
        modules.mkdir()
        for path in root.glob("lib/modules/*/kernel/**/*.ko"):
            shutil.copy(path, modules / path.name.replace("-", "_"))
        (CACHE / "complete").write_text("%s\n%s\n"
                                        % (package, " ".join(MODULE_DIRS)))
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _unpack(deb, root):
    """Unpacks the kernel and the modules that we may need."""
    wanted = ["./boot/vmlinuz-*"]
    wanted += ["./lib/modules/*/kernel/%s*" % d for d in MODULE_DIRS]
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", deb],
                          stdout=subprocess.PIPE) as data:
        tar = subprocess.run(["tar", "-x", "-C", root, "--wildcards",
                              "--no-same-owner"] + wanted,
                             stdin=data.stdout, stderr=subprocess.PIPE,
                             text=True, check=False)
        data.stdout.close()
    if tar.returncode:
        raise LabError("cannot unpack %s: %s" % (deb, tar.stderr))


def _depends(path):
    """The modules that a module file says it depends on."""
    m = re.search(rb"\0depends=([^\0]*)\0", path.read_bytes())
    return [d.replace("-", "_") for d in m.group(1).decode().split(",")
            if d] if m else []


def _module_order(modules):
    """File names of the modules to load, dependencies first."""
    order = []

    def visit(name):
        path = CACHE / "modules" / (name + ".ko")
        if not path.exists():
            raise LabError("the kernel package has no module %s" % name)
        for dep in _depends(path):
            visit(dep)
        if path.name not in order:
            order.append(path.name)
    for name in modules:
        visit(name)
    return order


class Cpio:
    """Writes an archive in cpio's "newc" format."""

    def __init__(self):
        self.out = io.BytesIO()
        self.ino = 0

    def add(self, name, data=b"", mode=stat.S_IFREG | 0o755, rdev=(0, 0)):
        """Adds one entry."""
        self.ino += 1
        raw = name.encode() + b"\0"
        fields = [self.ino, mode, 0, 0, 1, 0, len(data), 0, 0, rdev[0],
                  rdev[1], len(raw), 0]
        self.out.write(b"070701" + b"".join(b"%08X" % f for f in fields))
        self.out.write(raw)
        self._pad()
        self.out.write(data)
        self._pad()

    def _pad(self):
        self.out.write(b"\0" * (-self.out.tell() % 4))

    def finish(self):
        """The archive."""
        self.add("TRAILER!!!", mode=0)
        return self.out.getvalue()


def archive(modules, options=None, files=None):
    """An initramfs: busybox, our init, 'modules' and what they depend on,
    and 'files' (path without a leading slash: contents)."""
    files = files or {}
    options = options or {}
    order = _module_order(modules)
    busybox = pathlib.Path(shutil.which("busybox")).read_bytes()
    cpio = Cpio()
    dirs = {"bin", "dev", "modules"}
    for path in files:
        dirs.update(str(d) for d in pathlib.PurePath(path).parents)
    for d in sorted(dirs - {"."}):
        cpio.add(d, mode=stat.S_IFDIR | 0o755)
    cpio.add("dev/console", mode=stat.S_IFCHR | 0o600, rdev=(5, 1))
    cpio.add("dev/null", mode=stat.S_IFCHR | 0o666, rdev=(1, 3))
    cpio.add("bin/busybox", busybox)
    cpio.add("init", INIT.encode())
    cpio.add("modules/order", "\n".join(order).encode())
    for name in order:
        cpio.add("modules/" + name, (CACHE / "modules" / name).read_bytes())
        if name in options:
            cpio.add("modules/%s.options" % name, options[name].encode())
    for path, data in files.items():
        cpio.add(path, data)
    return cpio.finish()


def initramfs():
    """Builds the initramfs if it is not in the cache; returns its path."""
    data = archive(MODULES, {"bonding.ko": "max_bonds=0"})
    path = CACHE / ("initramfs-%s.gz" % hashlib.sha256(data).hexdigest()[:12])
    if not path.exists():
        for old in CACHE.glob("initramfs-*"):
            old.unlink()
        temp = path.with_suffix(".tmp%d" % os.getpid())
        temp.write_bytes(gzip.compress(data, 1))
        temp.rename(path)
    return path


class Guest:
    """A running guest.  Its NICs are taps in the namespace 'ns' with the
    names in 'taps'; inside they are eth0, eth1... with MACs of ours."""

    nic = ",speed=10000,duplex=full"    # More properties of each.
    reboots = False                     # Or does QEMU end when it would?

    def __init__(self, lab, ns, taps, name="guest", initrd=None, memory=192):
        require("qemu-system-x86_64", "busybox")
        if not _fetched():
            raise LabError("run guest.fetch() before isolation")
        self.ns = ns
        self.taps = list(taps)
        self.dir = lab.dir / name
        self.dir.mkdir()
        args = ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "qemu64",
                "-m", str(memory), "-nodefaults", "-no-user-config",
                "-display", "none",
                "-kernel", CACHE / "vmlinuz", "-initrd",
                initrd or initramfs(),
                "-append", "console=ttyS0 quiet panic=-1 net.ifnames=0 "
                "mitigations=off " + CLOCK,
                "-chardev", "socket,id=con,path=%s/console,server=on,"
                "wait=off,logfile=%s/console.log" % (self.dir, self.dir),
                "-serial", "chardev:con",
                "-chardev", "socket,id=mon,path=%s/monitor,server=on,"
                "wait=off" % self.dir,
                "-mon", "chardev=mon,mode=readline"]
        if not self.reboots:
            args.append("-no-reboot")
        for i, tap in enumerate(self.taps):
            ns.run("ip", "tuntap", "add", "dev", tap, "mode", "tap")
            ns.set_link(tap, "up")
            args += ["-netdev", "tap,id=n%d,ifname=%s,script=no,"
                     "downscript=no" % (i, tap),
                     "-device", "virtio-net-pci,id=d%d,netdev=n%d,mac=%s,"
                     "addr=%x.%x,multifunction=on,romfile=,csum=off,gso=off,"
                     "guest_csum=off,guest_tso4=off,guest_tso6=off,guest_ufo="
                     "off,host_tso4=off,host_tso6=off,host_ufo=off%s"
                     % (i, i, self.mac(i), 3 + i // 8, i % 8, self.nic)]
        log = open(self.dir / "qemu.log", "wb")
        self.proc = ns.popen(*args, stdout=log, stderr=log)
        log.close()
        self._n = 0
        self._lock = threading.Lock()
        self._monitor_lock = threading.Lock()
        self._console = self._connect("console")
        self._read_until("GUEST READY", 180)
        self._monitor = self._connect("monitor")
        self._expect_monitor()
        assert "INSMOD FAILED" not in self.boot_text, self.boot_text

    @staticmethod
    def mac(i):
        """The MAC of interface 'i' in the guest."""
        return "52:54:00:0b:0d:%02x" % (i + 1)

    def _connect(self, name):
        path = str(self.dir / name)

        def once():
            if self.proc.poll() is not None:
                raise LabError("qemu ended: " + (
                    self.dir / "qemu.log").read_text())
            s = socket.socket(socket.AF_UNIX)
            try:
                s.connect(path)
                return s
            except OSError:
                s.close()
                return None
        return wait_until(once, "qemu's " + name)

    def _read_until(self, marker, timeout):
        """Reads the console up to a line that starts with 'marker'."""
        text = b""
        want = re.compile(rb"^" + marker.encode() + rb"([^\n]*)\n", re.M)
        self._console.settimeout(timeout * SLOW)
        try:
            while True:
                m = want.search(text)
                if m:
                    break
                data = self._console.recv(65536)
                if not data:
                    raise LabError("the guest's console closed")
                text += data.replace(b"\r", b"")
        except socket.timeout:
            raise Timeout("no %s from the guest in %g s; console:\n%s"
                          % (marker, timeout * SLOW,
                             text.decode(errors="replace")))
        if marker == "GUEST READY":
            self.boot_text = text.decode(errors="replace")
        return text[:m.start()].decode(errors="replace"), \
            m.group(1).decode().strip()

    def run(self, command, check=True, timeout=20):
        """Runs a shell line in the guest; returns its output.  Others that
        want to, wait."""
        with self._lock:
            return self._run(command, check, timeout)

    def _run(self, command, check, timeout):
        self._n += 1
        marker = "DONE-%d" % self._n
        # The marker is put together by the shell, so that an echo of the
        # command cannot be taken for it.
        line = ("{ %s\n} </dev/null 2>&1; s=$?; echo; "
                "echo DONE-''%d $s\n" % (command, self._n))
        self._console.sendall(line.encode())
        out, status = self._read_until(marker, timeout)
        if check and status != "0":
            raise AssertionError("guest: %s: status %s\n%s"
                                 % (command, status, out))
        return out.strip("\n")

    def _expect_monitor(self):
        text = b""
        self._monitor.settimeout(10 * SLOW)
        while not text.endswith(b"(qemu) "):
            data = self._monitor.recv(4096)
            if not data:
                raise LabError("qemu's monitor closed")
            text += data
        return text.decode(errors="replace")

    def monitor(self, command):
        """Runs a command of QEMU's monitor.  Others that want to, wait."""
        with self._monitor_lock:
            self._monitor.sendall(command.encode() + b"\n")
            return self._expect_monitor()

    def stop(self):
        """Freezes the guest; the taps keep their carrier."""
        self.monitor("stop")

    def cont(self):
        """Lets the guest go on."""
        self.monitor("cont")

    def reset(self):
        """Pushes the reset button; returns when it has booted."""
        with self._lock:
            self.monitor("system_reset")
            self._read_until("GUEST READY", 180)

    def one_way(self, i, drop):
        """Lets cable 'i' lose what the guest sends ("rx"), or what it is to
        get ("tx"); None mends it."""
        self.monitor("object_del way%d" % i)
        if drop:
            self.monitor("chardev-add null,id=null%d" % i)
            self.monitor("object_add filter-redirector,id=way%d,netdev=n%d,"
                         "queue=%s,outdev=null%d" % (i, i, drop, i))

    def cut(self, i):
        """Pulls cable 'i': both the guest and the switch see it."""
        self.ns.set_link(self.taps[i], "down")
        self.monitor("set_link d%d off" % i)

    def mend(self, i):
        """Plugs it in again."""
        self.monitor("set_link d%d on" % i)
        self.ns.set_link(self.taps[i], "up")

    # Bonding.

    def make_bond(self, address, members=2, **options):
        """Makes bond0 of eth0... with 'options' (as in sysfs)."""
        path = "/sys/class/net/bond0/bonding/"
        lines = ["echo +bond0 > /sys/class/net/bonding_masters"]
        for key in sorted(options, key=lambda k: k != "mode"):
            lines.append("echo %s > %s%s" % (options[key], path, key))
        for i in range(members):
            lines += ["ip link set eth%d down" % i,
                      "echo +eth%d > %sslaves" % (i, path)]
        lines += ["ip addr add %s/24 dev bond0" % address,
                  "ip link set bond0 up"]
        self.run("\n".join("%s || exit_status=1" % line for line in lines)
                 + "\n[ -z \"$exit_status\" ]")

    def remove_bond(self):
        """Removes bond0."""
        self.run("ip link set bond0 down\n"
                 "echo -bond0 > /sys/class/net/bonding_masters")

    def bond(self):
        """What /proc/net/bonding/bond0 says, parsed."""
        return ProcBond(self.run("cat /proc/net/bonding/bond0"))


class ProcBond:
    """The text of /proc/net/bonding/BOND."""

    def __init__(self, text):
        self.text = text
        parts = re.split(r"(?m)^Slave Interface: ", text)
        self.fields = self._parse(parts[0])
        self.members = {}
        for part in parts[1:]:
            name, rest = part.split("\n", 1)
            # The actor's fields come first, then the partner's, both with
            # the same names.
            actor, _sep, partner = rest.partition("details partner lacp pdu")
            member = self._parse(actor)
            member["actor"] = self._parse(
                actor.partition("details actor lacp pdu")[2])
            member["partner"] = self._parse(partner)
            self.members[name.strip()] = member
        if "Bonding Mode" not in self.fields:
            raise AssertionError("not a bond:\n" + text)

    @staticmethod
    def _parse(text):
        fields = {}
        for line in text.splitlines():
            if ": " in line:
                key, value = line.strip().split(": ", 1)
                fields.setdefault(key, value)
        return fields

    def state(self, member, side):
        """A member's port state as a number; 'side' is "actor" or
        "partner"."""
        return int(self.members[member][side]["port state"])

    def aggregated(self):
        """Names of the members that are in the active aggregator with both
        sides in sync, collecting and distributing."""
        active = self.fields.get("Aggregator ID") or re.search(
            r"Active Aggregator Info:\s+Aggregator ID: (\d+)",
            self.text).group(1)
        moving = 0x38               # Synchronization, collecting,
        return {name for name, m in self.members.items()    # distributing.
                if m.get("Aggregator ID") == active
                and m.get("MII Status") == "up"
                and self.state(name, "actor") & (moving | 0xc0) == moving
                and self.state(name, "partner") & moving == moving}


if __name__ == "__main__":
    if sys.argv[1:] != ["fetch"]:
        sys.exit(__doc__)
    try:
        fetch()
    except (LabError, AssertionError) as e:
        sys.exit(str(e))
