"""A switch: a namespace with an ovsdb-server and an ovs-vswitchd."""

import contextlib
import os
import pathlib
import re
import signal

import isolate
import lab as lab_module
from lab import LabError, run, wait_until

STOCK = "/usr/lib/openvswitch-switch/ovs-vswitchd"
PRODUCT = lab_module.REPO / "_build" / "plain" / "vswitchd-ext" / \
    "ovs-vswitchd"
DPDK_PRODUCT = lab_module.REPO / "_build" / "dpdk" / "vswitchd-ext" / \
    "ovs-vswitchd"
SCHEMA = "/usr/share/openvswitch/vswitch.ovsschema"


def find_daemon(path=None):
    """The daemon to test: 'path', $OB_DAEMON, or the one built here."""
    path = path or os.environ.get("OB_DAEMON") or PRODUCT
    path = pathlib.Path(path).resolve()
    if not os.access(path, os.X_OK):
        raise LabError("no daemon at %s (build it, or name one with --daemon "
                       "or OB_DAEMON)" % path)
    if path.name != "ovs-vswitchd":
        raise LabError("%s: must be called ovs-vswitchd, the names of its "
                       "sockets come from that" % path)
    return path


def stock_daemon():
    """The distribution's daemon."""
    path = pathlib.Path(os.environ.get("OB_STOCK", STOCK))
    if not os.access(path, os.X_OK):
        raise LabError("no stock daemon at %s: apt-get install "
                       "openvswitch-switch" % path)
    return path


def is_stock(daemon):
    """True if 'daemon' is the distribution's."""
    return pathlib.Path(daemon).resolve() == stock_daemon().resolve()


class Switch:
    """A namespace, a database, a daemon and a bridge br0 (netdev).

    The daemon has a namespace of its own because the netdev datapath makes
    persistent tap devices there."""

    def __init__(self, lab, name, daemon, bridge="br0", hwaddr=None):
        self.lab = lab
        self.name = name
        self.daemon = pathlib.Path(daemon)
        self.ns = lab.namespace(name)
        self.dir = lab.dir / name
        self.dir.mkdir()
        self.env = dict(os.environ)
        for var in ("RUNDIR", "LOGDIR", "DBDIR", "SYSCONFDIR"):
            self.env["OVS_" + var] = str(self.dir)
        self.db = None
        self.vswitchd = None
        self.may_be_dead = False
        self.bridge = bridge
        lab.switches.append(self)
        run(["ovsdb-tool", "create", self.dir / "conf.db", SCHEMA])
        self.start_db()
        self.vsctl("--no-wait", "init")
        self.start()
        if bridge:
            cmd = ["add-br", bridge, "--", "set", "bridge", bridge,
                   "datapath_type=netdev"]
            if hwaddr:
                cmd.append('other-config:hwaddr="%s"' % hwaddr)
            self.vsctl(*cmd)

    # Processes.

    def _spawn(self, name, args):
        err = open(self.dir / (name + ".stderr"), "ab")
        proc = self.ns.popen(*args, env=self.env, cwd=self.dir, stdout=err,
                             stderr=err)
        err.close()
        return proc

    def start_db(self):
        """Starts ovsdb-server and waits until it answers."""
        self.db = self._spawn("ovsdb-server", [
            "ovsdb-server", self.dir / "conf.db", "--pidfile", "--log-file",
            "-vconsole:off", "--remote=punix:%s/db.sock" % self.dir])
        wait_until(lambda: self._answers("ovsdb-server", self.db),
                   "ovsdb-server of %s answers" % self.name)

    def stop_db(self):
        """Ends ovsdb-server."""
        self.db.send_signal(signal.SIGTERM)
        self.db.wait(10)

    def start(self):
        """Starts the daemon and waits until it has read its database."""
        self.vswitchd = self._spawn("ovs-vswitchd", [
            self.daemon, "unix:%s/db.sock" % self.dir, "--pidfile",
            "--log-file", "-vconsole:off"])
        self.may_be_dead = False
        wait_until(lambda: self._answers("ovs-vswitchd", self.vswitchd),
                   "%s of %s answers" % (self.daemon, self.name), 20)
        # Acknowledged by the daemon only when it has configured itself.
        self.vsctl("set", "open_vswitch", ".", "external_ids:harness=%d"
                   % self.vswitchd.pid)

    def stop(self, signum=signal.SIGTERM):
        """Ends the daemon with a signal."""
        self.may_be_dead = True
        self.vswitchd.send_signal(signum)
        self.vswitchd.wait(20)

    def kill(self):
        """Ends the daemon as a crash would."""
        self.stop(signal.SIGKILL)

    def freeze(self):
        """Stops the daemon without ending it."""
        os.kill(self.vswitchd.pid, signal.SIGSTOP)

    def thaw(self):
        """Lets the daemon go on."""
        os.kill(self.vswitchd.pid, signal.SIGCONT)

    @contextlib.contextmanager
    def main_loop_held(self):
        """Meanwhile its main thread stands still, all others go on."""
        tid = int((self.dir / "ovs-vswitchd.pid").read_text())
        isolate.hold_thread(tid)
        try:
            yield
        finally:
            isolate.release_thread(tid)

    def _answers(self, target, proc):
        if proc.poll() is not None:
            raise LabError("%s of %s ended with status %s:\n%s" % (
                target, self.name, proc.returncode, self.output(target)))
        pidfile = self.dir / (target + ".pid")
        if not pidfile.exists() or pidfile.read_text().strip() != str(
                proc.pid):
            return False
        return run(["ovs-appctl", "-t", target, "version"], check=False,
                   env=self.env).returncode == 0

    def alive(self):
        """True while the daemon runs."""
        return self.vswitchd.poll() is None

    def output(self, target="ovs-vswitchd", lines=40):
        """The end of a daemon's log and of its standard error."""
        text = ""
        for suffix in (".stderr", ".log"):
            path = self.dir / (target + suffix)
            if path.exists():
                tail = path.read_text(errors="replace").splitlines()
                text += "\n".join(tail[-lines:]) + "\n"
        return text

    def log(self):
        """The whole log of the daemon."""
        return (self.dir / "ovs-vswitchd.log").read_text(errors="replace")

    def problems(self):
        """Why this switch is not healthy: a list of strings."""
        found = []
        if not self.may_be_dead and not self.alive():
            found.append("%s: daemon ended with status %s" % (
                self.name, self.vswitchd.returncode))
        for suffix in (".stderr", ".log"):
            path = self.dir / ("ovs-vswitchd" + suffix)
            if not path.exists():
                continue
            for line in path.read_text(errors="replace").splitlines():
                if re.search(r"\|EMER\||AddressSanitizer|runtime error:"
                             r"|ThreadSanitizer|LeakSanitizer|ssertion",
                             line):
                    found.append("%s: %s" % (self.name, line))
        return found

    # Commands.

    def vsctl(self, *args, check=True, timeout=15):
        """ovs-vsctl; returns its standard output."""
        return self.try_vsctl(*args, check=check, timeout=timeout).stdout

    def try_vsctl(self, *args, check=False, timeout=15):
        """ovs-vsctl; returns the CompletedProcess."""
        cmd = ["ovs-vsctl", "--timeout=%d" % timeout] + list(args)
        return run(cmd, check=check, env=self.env, timeout=timeout + 5)

    def appctl(self, *args):
        """ovs-appctl to the daemon; returns its standard output."""
        return run(["ovs-appctl", "-t", "ovs-vswitchd"] + list(args),
                   env=self.env).stdout

    def try_appctl(self, *args):
        """ovs-appctl; returns (status, output and errors)."""
        proc = run(["ovs-appctl", "-t", "ovs-vswitchd"] + list(args),
                   check=False, env=self.env)
        return proc.returncode, proc.stdout + proc.stderr

    def get(self, table, record, column):
        """The value of one column, as text."""
        return self.vsctl("get", table, record, column).strip()

    # Bonds.

    def add_bond(self, name, members, *settings):
        """ovs-vsctl add-bond."""
        self.vsctl("add-bond", self.bridge, name, *members, *settings)

    def add_member(self, bond, member):
        """Adds an interface to a bond that exists."""
        self.vsctl("--id=@i", "create", "interface", "name=" + member, "--",
                   "add", "port", bond, "interfaces", "@i")

    def del_member(self, bond, member):
        """Removes an interface from a bond."""
        uuid = self.get("interface", member, "_uuid")
        self.vsctl("remove", "port", bond, "interfaces", uuid)

    def bond(self, name="bond0"):
        """What bond/show says, parsed."""
        return BondShow(self.appctl("bond/show", name))

    def lacp(self, name="bond0"):
        """What lacp/show says, parsed."""
        return LacpShow(self.appctl("lacp/show", name))

    def lacp_stats(self, name="bond0"):
        """lacp/show-stats: {member: {"TX PDUs": 3, ...}}."""
        stats = {}
        member = None
        for line in self.appctl("lacp/show-stats", name).splitlines():
            m = re.match(r"\s*member: ([^:]+):", line)
            if m:
                member = stats.setdefault(m.group(1), {})
                continue
            m = re.match(r"\s+(.*): (\d+)$", line)
            if m and member is not None:
                member[m.group(1)] = int(m.group(2))
        return stats

    def enabled(self, name="bond0"):
        """Names of the enabled members of a bond."""
        return self.bond(name).enabled

    def wait_enabled(self, members, name="bond0", timeout=10):
        """Waits until exactly 'members' are enabled."""
        wait_until(lambda: self.enabled(name) == set(members),
                   "enabled members of %s at %s are %s"
                   % (name, self.name, sorted(members)), timeout)

    def wait_active(self, member, name="bond0", timeout=10):
        """Waits until 'member' is the active one."""
        wait_until(lambda: self.bond(name).active == member,
                   "%s is active in %s at %s" % (member, name, self.name),
                   timeout)


class BondShow:
    """The reply of bond/show for one bond."""

    def __init__(self, text):
        self.text = text
        self.fields = {}
        self.members = {}
        member = None
        for line in text.splitlines():
            m = re.match(r"member (\S+): (\w+)$", line)
            if m:
                member = {"enabled": m.group(2) == "enabled",
                          "active": False, "lines": []}
                self.members[m.group(1)] = member
            elif member is not None and line.startswith("  "):
                member["lines"].append(line.strip())
                if line.strip() == "active member":
                    member["active"] = True
            elif ": " in line and member is None:
                key, value = line.split(": ", 1)
                self.fields[key] = value
        if "bond_mode" not in self.fields:
            raise AssertionError("not a reply of bond/show:\n" + text)

    @property
    def enabled(self):
        """Names of the enabled members."""
        return {n for n, m in self.members.items() if m["enabled"]}

    @property
    def active(self):
        """Name of the active member, or None."""
        names = [n for n, m in self.members.items() if m["active"]]
        assert len(names) <= 1, "two active members:\n" + self.text
        return names[0] if names else None


class LacpShow:
    """The reply of lacp/show for one bond."""

    def __init__(self, text):
        self.text = text
        self.fields = {}
        self.members = {}
        member = None
        for line in text.splitlines():
            m = re.match(r"member: ([^:]+): (.*)$", line)
            if m:
                member = {"status": m.group(2).split()}
                self.members[m.group(1)] = member
            elif ": " in line:
                key, value = line.strip().split(": ", 1)
                (self.fields if member is None else member)[key] = value
            elif line.startswith("\tstatus"):
                self.fields["status"] = line.split(None, 1)[1]

    def current(self):
        """Names of members whose partner information is current and that
        are attached and collecting and distributing on both sides."""
        moving = {"collecting", "distributing"}
        return {name for name, m in self.members.items()
                if {"current", "attached"} <= set(m["status"])
                and moving <= set(m.get("actor state", "").split())
                and moving <= set(m.get("partner state", "").split())}


def hash_of(switch, mac, vlan=0):
    """The bucket of a source MAC, by bond/hash."""
    return int(switch.appctl("bond/hash", mac, str(vlan)))

