# SPDX-License-Identifier: Apache-2.0

"""Many bonds of ours, each with partners in one guest, at the same time.

Each case has some interfaces of its own, whose other ends are in the guest,
and makes bonds of them at both ends.  All cases run at once, each in a thread,
since most of the time they wait for LACP; one thread looks at all bonds for
all of them."""

import collections
import re
import threading
import time

import differential
import guest as guest_module
from lab import SLOW, Timeout
from switch import BondShow, LacpShow, Switch

ACTIVITY, TIMEOUT, AGGREGATION, SYNC = 0x01, 0x02, 0x04, 0x08
COLLECTING, DISTRIBUTING, DEFAULTED, EXPIRED = 0x10, 0x20, 0x40, 0x80
MOVING = SYNC | COLLECTING | DISTRIBUTING

MANY = 6                        # Looks in vain after which one may give up.

# A bond of ours or of the guest's: 'ports' are numbers of the case's
# interfaces, 'settings' what ovs-vsctl gets, or {option: value}.
Bond = collections.namedtuple("Bond", "ports settings")

# What is seen: all replies about our bonds, and of the guest's whether they
# are up, the active aggregator, and for each port (MII status, aggregator,
# actor's state, partner's state).
Look = collections.namedtuple("Look", "start bonds lacp linux")
LinuxBond = collections.namedtuple("LinuxBond", "up active key ports")
LinuxPort = collections.namedtuple("LinuxPort", "mii aggregator actor partner")


class WideGuest(differential.BondGuest):
    """A guest with many interfaces, whose speed is set, and which can be
    started anew."""

    programs = {"ethtool": "ethtool"}
    nic = ""
    reboots = True

    def __init__(self, lab, ns, taps, name):
        super().__init__(lab, ns, taps, name)
        self.set_speed(range(len(taps)), 10000)

    @staticmethod
    def mac(i):
        """The MAC of interface 'i'."""
        return "00:16:3e:00:02:%02x" % i

    def reset(self):
        """Pushes the reset button; returns when it has booted."""
        super().reset()
        self.set_speed(range(len(self.taps)), 10000)

    def set_speed(self, nics, speed):
        """Sets the speed of interfaces."""
        self.run("\n".join("ethtool -s eth%d speed %d duplex full autoneg off"
                           % (i, speed) for i in nics), timeout=60)


class Case:
    """A case: 'n' interfaces, bonds of ours and of the guest's, and what to
    do with them: 'go(self)'."""

    def __init__(self, name, n, ours, theirs, go, speeds=None):
        self.name = name
        self.n = n
        self.go = go
        self.ours = [Bond(*b) for b in ours]
        self.theirs = [Bond(*b) for b in theirs]
        self.speeds = speeds or {}
        self.bench = self.first = self.number = None

    # Names.

    def tap(self, i):
        """Our interface 'i'."""
        return self.bench.guest.taps[self.first + i]

    def eth(self, i):
        """The guest's."""
        return "eth%d" % (self.first + i)

    def taps(self, *some):
        """Names of our interfaces."""
        return {self.tap(i) for i in some}

    def eths(self, *some):
        """Names of the guest's."""
        return {self.eth(i) for i in some}

    def our(self, k=0):
        """Name of our bond 'k'."""
        return "o%d-%d" % (self.number, k)

    def their(self, k=0):
        """Name of the guest's."""
        return "g%d-%d" % (self.number, k)

    def bridge(self, k=0):
        """Name of the bridge with our bond 'k'."""
        return "b%d-%d" % (self.number, k)

    def address(self, end, k=0):
        """The address of end 1, ours, or 2 of the bonds 'k'."""
        return "10.%d.%d.%d" % (self.number, k, end)

    # Making and removing.

    def our_commands(self):
        """Arguments of ovs-vsctl that make our bonds."""
        cmd = []
        for k, bond in enumerate(self.ours):
            cmd += ["--", "add-br", self.bridge(k), "--", "set", "bridge",
                    self.bridge(k), "datapath_type=netdev", "--", "add-bond",
                    self.bridge(k), self.our(k)]
            cmd += [self.tap(i) for i in bond.ports] + list(bond.settings)
        return cmd

    def their_commands(self):
        """Shell lines that make the guest's bonds."""
        lines = []
        for i, speed in self.speeds.items():
            lines.append("ethtool -s %s speed %d duplex full autoneg off"
                         % (self.eth(i), speed))
        for k, bond in enumerate(self.theirs):
            name = self.their(k)
            options = {"mode": "802.3ad", "miimon": 100, "lacp_rate": "fast",
                       **bond.settings}
            lines += ["echo +%s > /sys/class/net/bonding_masters" % name,
                      "cd /sys/class/net/%s/bonding" % name]
            lines += ["echo %s > %s" % (v, o) for o, v in options.items()]
            for i in bond.ports:
                lines += ["ip link set %s down" % self.eth(i),
                          "echo +%s > slaves" % self.eth(i)]
            lines += ["ip addr add %s/24 dev %s" % (self.address(2, k), name),
                      "ip link set %s up" % name]
        return lines

    def make_theirs(self):
        """Makes the guest's bonds."""
        self.bench.guest.run(" &&\n".join(self.their_commands()), timeout=60)
        self.bench.theirs.update((self.their(k), self)
                                 for k in range(len(self.theirs)))

    # Stimuli.

    def cut(self, *some):
        """Pulls cables."""
        for i in some:
            self.bench.guest.cut(self.first + i)

    def mend(self, *some):
        """Plugs them in again."""
        for i in some:
            self.bench.guest.mend(self.first + i)

    # Looking.

    def see(self, condition, what, timeout=10):
        """Waits until 'condition(look)' is true of a Look that began after
        now; returns it."""
        return self.bench.see(condition, "%s: %s" % (self.name, what),
                              timeout)

    def aggregated(self, look, ports, k=0, j=0, of=None):
        """True if 'ports' and no others of our bond 'k' are in use at both
        ends, in the guest's bond 'j', 'of' whose ports, if given, are
        aggregated."""
        taps = self.taps(*ports)
        # As with Linux, members of an aggregator that is not in use any more
        # may look as if they were.
        return (taps <= look.lacp[self.our(k)].current()
                and look.bonds[self.our(k)].enabled == taps
                and moving(look.linux[self.their(j)])
                == self.eths(*(ports if of is None else of)))

    def wait_aggregated(self, *ports, k=0, j=0, of=None, timeout=15):
        """Waits for that."""
        return self.see(lambda look: self.aggregated(look, ports, k, j, of),
                        "%s of o%d are used, of g%d the same" % (ports, k, j),
                        timeout)

    def proc(self, j=0):
        """What /proc/net/bonding says of the guest's bond 'j', parsed."""
        return guest_module.ProcBond(self.bench.guest.run(
            "cat /proc/net/bonding/" + self.their(j)))

    def our_proc(self, k=0):
        """What bond/proc says of ours."""
        return guest_module.ProcBond(self.bench.s.appctl("bond/proc",
                                                         self.our(k)))

    def report(self):
        """All that is known now, for a report."""
        look = self.bench.look
        text = []
        for k in range(len(self.ours)):
            text.append(look.bonds[self.our(k)].text
                        + look.lacp[self.our(k)].text)
        for j in range(len(self.theirs)):
            text.append("%s: %s" % (self.their(j), look.linux.get(
                self.their(j))))
        return "\n".join(text)


def moving(bond):
    """Of a guest's bond the ports that are in the active aggregator, and
    collecting and distributing at both ends."""
    return {name for name, p in bond.ports.items()
            if p.mii == "up" and p.aggregator == bond.active
            and p.actor & (MOVING | EXPIRED | DEFAULTED) == MOVING
            and p.partner & MOVING == MOVING}


class Bench:
    """The switch, the guest and the cases."""

    def __init__(self, switch, guest):
        self.s = switch
        self.guest = guest
        self.cases = []
        self.theirs = {}                # {name: case} of those that are there.
        self.look = None
        self.errors = []
        self._end = True
        self._thread = None

    def start(self, cases, first=0):
        """Makes all bonds, of interfaces from 'first' on, and starts to look
        at them."""
        self.cases = list(cases)
        for number, case in enumerate(self.cases):
            case.bench, case.number, case.first = self, number, first
            first += case.n
        assert first <= len(self.guest.taps)
        lines = []
        for case in self.cases:
            if getattr(case.go, "early", True):
                lines += case.their_commands()
                self.theirs.update((case.their(k), case)
                                   for k in range(len(case.theirs)))
        self.guest.run(" &&\n".join(lines), timeout=90)
        # A member does not answer for its bridge.
        self.s.ns.run("sh", "-c",
                      "echo 1 > /proc/sys/net/ipv4/conf/all/arp_ignore")
        self.s.vsctl(*sum((c.our_commands() for c in self.cases), [])[1:],
                     timeout=60)
        for case in self.cases:
            for k in range(len(case.ours)):
                self.s.ns.set_link(case.bridge(k), "up")
                self.s.ns.run("ip", "addr", "add", case.address(1, k) + "/24",
                              "dev", case.bridge(k))
        self._end = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self, *keep):
        """Removes the bonds of all cases but 'keep'; looks no more."""
        self._end = True
        self._thread.join()
        cmd, lines = [], []
        for case in self.cases:
            if case in keep:
                continue
            case.mend(*range(case.n))
            for k in range(len(case.ours)):
                cmd += ["--", "del-br", case.bridge(k)]
            for k in range(len(case.theirs)):
                if self.theirs.pop(case.their(k), None):
                    lines.append("echo -%s > /sys/class/net/bonding_masters"
                                 % case.their(k))
        if cmd:
            self.s.vsctl(*cmd[1:], timeout=60)
            self.guest.run("\n".join(lines), timeout=60)
        self.cases = list(keep)

    def _run(self):
        while not self._end:
            try:
                self.look = self._look()
            except (AssertionError, KeyError, ValueError) as e:
                self.errors.append(e)
            time.sleep(0.1)

    def take_look(self):
        """A Look, now; to be called where nobody else looks."""
        self.look = self._look()
        return self.look

    def _look(self):
        start = time.monotonic()
        bonds, lacp = (
            {m.group(1): kind(m.group(0)) for m in re.finditer(
                r"---- (\S+) ----\n(?:(?!---- ).*\n)*", self.s.appctl(
                    command))}
            for command, kind in (("bond/show", BondShow),
                                  ("lacp/show", LacpShow)))
        return Look(start, bonds, lacp, self._look_at_guest())

    def _look_at_guest(self):
        todo = sorted(self.theirs.items())
        files = []
        for name, case in todo:
            files += ["%s/%s" % (name, f) for f in (
                "operstate", "bonding/ad_aggregator",
                "bonding/ad_partner_key")]
            for i in case.theirs[int(name[-1])].ports:
                files += ["%s/bonding_slave/%s" % (case.eth(i), f) for f in (
                    "mii_status", "ad_aggregator_id",
                    "ad_actor_oper_port_state",
                    "ad_partner_oper_port_state")]
        words = iter(self.guest.run("cd /sys/class/net && cat "
                                    + " ".join(files)).split("\n"))
        found = {}
        for name, case in todo:
            up, active, key = next(words), next(words), next(words)
            found[name] = LinuxBond(up == "up", active, int(key), {
                case.eth(i): LinuxPort(next(words), next(words),
                                       int(next(words)), int(next(words)))
                for i in case.theirs[int(name[-1])].ports})
        return found

    def see(self, condition, what, timeout):
        """Waits until a Look that began after now makes it true.  On a busy
        machine a look takes long, so that it is some of them at least."""
        start = time.monotonic()
        deadline = start + timeout * SLOW
        end = start + 6 * timeout * SLOW
        last, n = None, 0
        while True:
            look = self.look
            if look and look.start >= start:
                start = look.start + 0.001
                n += 1
                try:
                    last = condition(look)
                    if last:
                        return look
                except (AssertionError, KeyError) as e:
                    last = e
            now = time.monotonic()
            if now > end or (now > deadline and n >= MANY):
                raise Timeout("after %g s, %d looks, still not: %s (last: %r; "
                              "%s)" % (timeout * SLOW, n, what, last,
                                       self.errors[-1:]))
            time.sleep(0.02)

    def run_all(self):
        """Runs the cases, all at once; returns {name: error or None}."""
        results = {}

        def one(case):
            try:
                case.go(case)
                results[case.name] = None
            except BaseException as e:  # pylint: disable=W0718
                results[case.name] = "%s: %r\n%s\n%s" % (
                    case.name, e, e, case.report())
        threads = [threading.Thread(target=one, args=[c]) for c in self.cases]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        return results
