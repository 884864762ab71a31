# SPDX-License-Identifier: Apache-2.0

"""LACP with a foreign partner: DPDK's net_bonding in mode 4, in testpmd.

    h1 - br1 of ours - bond1 - p1, p2 - testpmd - h2
    h3 - br2 of ours - bond2 - p3, p4 - testpmd - h4

p1 to p4 are taps that testpmd makes.  What comes by a bond it sends to the
host behind it, and the other way round."""

import os
import re
import subprocess

import pytest

import lab as lab_module
from lab import SLOW, Cable, checked_lab, wait_until
from switch import Switch
from traffic import Ping, reachable

BONDS = {"balance-tcp": 1, "802.3ad": 2}
MEMBERS = {1: ["p1", "p2"], 2: ["p3", "p4"]}
SETTINGS = {
    1: ["bond_mode=balance-tcp", "lacp=active", "other_config:lacp-time=fast"],
    2: ["other_config:bond-mode=802.3ad", "other_config:bond-lacp-rate=fast",
        "other_config:bond-miimon=100"],
}
# Ports of testpmd by number: taps, the hosts' and the bonds.
VDEVS = ["net_tap%d,iface=p%d" % (i, i + 1) for i in range(4)] + [
    "net_af_packet%d,iface=x%d" % (n, n) for n in BONDS.values()] + [
        "net_bonding%d,mode=4,slave=net_tap%d,slave=net_tap%d"
        % (n, 2 * n - 2, 2 * n - 1) for n in BONDS.values()]
# Its bonds.
PORTS = {1: 6, 2: 7}


class Pmd:
    """The switch, testpmd and the hosts."""

    def __init__(self, lab, daemon):
        lab_module.require("dpdk-testpmd")
        self.s = Switch(lab, "s1", daemon, bridge=None)
        self.near, self.far = {}, {}
        for n in BONDS.values():
            self.s.vsctl("add-br", "br%d" % n, "--", "set", "bridge",
                         "br%d" % n, "datapath_type=netdev")
            self.near[n] = lab_module.Host(lab, "h%d" % (2 * n - 1))
            lab.add(self.near[n]).plug(self.s, "to-%d" % n, "10.0.%d.1" % n,
                                       bridge="br%d" % n)
            self.far[n] = lab.namespace("h%d" % (2 * n))
            Cable(self.far[n], "eth0", self.s.ns, "x%d" % n)
            self.far[n].run("ip", "addr", "add", "10.0.%d.2/24" % n, "dev",
                            "eth0")
            # net_bonding speaks LACP when it is given something to send, and
            # has to be given it ten times a second.
            self.far[n].run("ip", "neigh", "add", "10.0.%d.1" % n, "lladdr",
                            self.near[n].mac("eth0"), "dev", "eth0", "nud",
                            "permanent")
            self.far[n].popen("ping", "-q", "-i", "0.05", "10.0.%d.1" % n,
                              stdout=subprocess.DEVNULL)
        self.output = lab.dir / "testpmd"
        # It polls, so that all else comes first.
        cpus = ",".join(map(str, sorted(os.sched_getaffinity(0))[:2]))
        with open(self.output, "wb") as out:
            self.proc = self.s.ns.popen(
                "nice", "-n", "19", "stdbuf", "-oL", "dpdk-testpmd",
                "--no-pci", "--no-huge",
                "-m", "128", "--iova-mode=va", "--file-prefix=obpmd",
                "--no-telemetry", "--lcores=(0-1)@(%s)" % cpus,
                *["--vdev=" + v for v in VDEVS], "--", "-i",
                "--forward-mode=io", "--portlist=4,6,5,7",
                "--total-num-mbufs=8192", "--no-flush-rx",
                stdin=subprocess.PIPE, stdout=out, stderr=out)
        self.say("start")
        names = sum(MEMBERS.values(), [])
        wait_until(lambda: "start" in self.text()
                   and set(names) <= self.s.ns.links(), "testpmd has started",
                   30)
        for n in BONDS.values():
            self.s.vsctl("add-bond", "br%d" % n, "bond%d" % n, *MEMBERS[n],
                         *SETTINGS[n])

    def say(self, command):
        """A command for testpmd."""
        self.proc.stdin.write(command.encode() + b"\n")
        self.proc.stdin.flush()

    def text(self):
        """All that testpmd has printed."""
        assert self.proc.poll() is None, self.output.read_text()
        return self.output.read_text(errors="replace")

    def states(self, n):
        """What testpmd says of its members: [(actor's state, partner's)]."""
        before = len(self.text())
        self.say("show bonding lacp info %d" % PORTS[n])

        def states():
            found = re.findall(r"port state: ([A-Z ]*)\n",
                               self.text()[before:])
            return found if len(found) == 4 else None
        found = [set(s.split()) for s in wait_until(states, "testpmd answers")]
        return list(zip(found[::2], found[1::2]))

    def aggregated(self, n, *members):
        """True if these and no others are used, by us and by testpmd."""
        if not (self.s.lacp("bond%d" % n).current() == set(members)
                == self.s.enabled("bond%d" % n)):
            return False
        moving = {"SYNCHRONIZATION", "COLLECTING", "DISTRIBUTING"}
        return [name in members for name in MEMBERS[n]] == [
            moving <= actor and moving <= partner
            for actor, partner in self.states(n)]

    def wait_aggregated(self, n, *members):
        """Waits until they are."""
        wait_until(lambda: self.aggregated(n, *members), "%s are used"
                   % (members,), 30, interval=0.2)


@pytest.fixture(scope="module")
def pmd(daemon):
    """One testpmd for all tests."""
    with checked_lab() as lab:
        yield Pmd(lab, daemon)


@pytest.mark.parametrize("mode", sorted(BONDS))
def test_testpmd(pmd, mode):
    """Both members aggregate, traffic passes both ways, a member whose cable
    is cut leaves, and returns."""
    n = BONDS[mode]
    both = MEMBERS[n]
    pmd.wait_aggregated(n, *both)
    for member in pmd.s.lacp("bond%d" % n).members.values():
        assert "activity" in member["partner state"].split()
        assert "timeout" not in member["partner state"].split()
    reachable(pmd.near[n], "10.0.%d.2" % n)
    ping = Ping(pmd.near[n], "10.0.%d.2" % n, interval=0.02)
    for i in 0, 1:
        pmd.s.ns.set_link(both[i], "down")
        pmd.wait_aggregated(n, both[1 - i])
        ping.wait_replies(20)
        pmd.s.ns.set_link(both[i], "up")
        pmd.wait_aggregated(n, *both)
        ping.wait_replies(20)
    ping.stop()
    assert ping.gap < 3 * SLOW, "%s" % ping
