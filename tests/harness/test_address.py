"""Addresses and MTU of real devices: who has what, and what is given back.

Names such as LB-MAC-04 are of the catalogue of tests of the Linux driver's
behaviour."""

import json
import re

import pytest

import dpdk
from lab import holds_for, wait_until
from switch import Switch, is_stock

AB = "bond_mode=active-backup"
OWN = {"p1": "02:00:00:00:01:01", "p2": "02:00:00:00:01:02",
       "p3": "02:00:00:00:01:03"}
GIVEN = "02:00:00:00:0a:0a"


def quoted(text):
    """A value with colons, as ovs-vsctl wants it."""
    return '"%s"' % text


class Net:
    """A switch with a trunk to three devices with known addresses."""

    def __init__(self, lab, daemon):
        if is_stock(daemon):
            pytest.skip("stock Open vSwitch leaves devices alone")
        self.s = Switch(lab, "s1", daemon)
        self.trunk = lab.trunk("trunk", "10.0.0.2", self.s, *OWN)
        for name, mac in OWN.items():
            self.s.ns.run("ip", "link", "set", "dev", name, "address", mac)

    def bond(self, members, *other_config, mode=AB):
        """Makes the bond, with its first member the active one."""
        self.s.add_bond("bond0", members, mode, *(
            "other_config:" + pair for pair in other_config))
        self.s.wait_enabled(set(members))
        if mode == AB and self.s.bond().active != members[0]:
            self.s.appctl("bond/set-active-member", "bond0", members[0])

    def set(self, *pairs):
        """Sets keys of the bond's other_config."""
        self.s.vsctl("set", "port", "bond0",
                     *("other_config:" + pair for pair in pairs))

    def unset(self, key):
        """Removes a key of the bond's other_config."""
        self.s.vsctl("remove", "port", "bond0", "other_config", key)

    def macs(self):
        """Addresses of the members."""
        return {name: self.s.ns.mac(name) for name in OWN}

    def local(self):
        """The address of the LOCAL port."""
        return self.s.ns.mac("br0")

    def expect(self, p1, p2, p3, local=None):
        """Waits until the devices have these addresses."""
        want = {"p1": p1, "p2": p2, "p3": p3}
        wait_until(lambda: self.macs() == want,
                   "addresses %s (are %s)" % (want, self.macs()))
        if local:
            wait_until(lambda: self.local() == local,
                       "LOCAL has %s (has %s)" % (local, self.local()))

    def mtu(self, ifname):
        """The MTU of an interface."""
        out = self.s.ns.run("ip", "-o", "link", "show", "dev", ifname).stdout
        return int(out.split(" mtu ")[1].split()[0])

    def mtus(self):
        """MTUs of the members."""
        return [self.mtu(name) for name in sorted(OWN)]

    def promiscuity(self, ifname):
        """How many want the interface to be promiscuous."""
        out = self.s.ns.run("ip", "-d", "-o", "link", "show", "dev",
                            ifname).stdout
        return int(re.search(r"promiscuity (\d+)", out).group(1))

    def status(self, key):
        """A value of Port.status, or ""."""
        return self.s.vsctl("--if-exists", "get", "port", "bond0",
                            "status:" + key).strip().strip('"').replace("\\", "")

    def leave_meanwhile(self, member):
        """Takes a member out of the bond without the daemon."""
        self.s.vsctl("--no-wait", "remove", "port", "bond0", "interfaces",
                     self.s.get("interface", member, "_uuid"))

    def fail_over(self, old, new):
        """Cuts the cable of 'old' and waits for 'new' to be active."""
        self.trunk.cable(old).cut()
        self.s.wait_active(new)


@pytest.fixture
def net(lab, daemon):
    """A switch without a bond."""
    return Net(lab, daemon)


P1, P2, P3 = (OWN[name] for name in sorted(OWN))


def test_nothing_is_touched(net):
    """Without the option nobody's address or MTU changes, and nothing of it
    stands in the database."""
    net.bond(["p1", "p2", "p3"])
    before = net.local()
    net.fail_over("p1", "p2")
    net.expect(P1, P2, P3, before)
    assert "hwaddr" not in net.s.get("port", "bond0", "status")
    assert "bond_address" not in net.s.get("port", "bond0", "status")


def test_none(net):
    """LB-MAC-01, LB-MAC-02, LB-LIFE-03, LB-LIFE-05, LB-LIFE-09."""
    net.bond(["p1", "p2"], "bond-fail-over-mac=none")
    net.expect(P1, P1, P3, P1)
    net.s.add_member("bond0", "p3")
    net.expect(P1, P1, P1, P1)
    net.fail_over("p1", "p2")
    net.expect(P1, P1, P1, P1)
    assert net.status("p2_perm_hwaddr") == P2
    net.set("bond-address=" + quoted(GIVEN))
    net.expect(GIVEN, GIVEN, GIVEN, GIVEN)
    net.s.del_member("bond0", "p2")
    net.expect(GIVEN, P2, GIVEN, GIVEN)
    net.s.vsctl("del-port", "bond0")
    net.expect(P1, P2, P3)
    wait_until(lambda: net.local() != GIVEN, "LOCAL has its own address")


def test_active(net):
    """LB-MAC-03, LB-MAC-04, LB-MAC-08."""
    net.bond(["p1", "p2", "p3"], "bond-fail-over-mac=active")
    net.expect(P1, P2, P3, P1)
    net.fail_over("p1", "p2")
    net.expect(P1, P2, P3, P2)
    net.trunk.cable("p1").mend()
    net.s.wait_enabled({"p1", "p2", "p3"})
    net.trunk.cable("p3").cut()
    net.fail_over("p2", "p1")
    net.expect(P1, P2, P3, P1)
    net.trunk.cable("p1").cut()
    net.s.wait_enabled(set())
    net.expect(P1, P2, P3, P1)
    net.trunk.cable("p3").mend()
    net.s.wait_active("p3")
    net.expect(P1, P2, P3, P3)
    net.set("bond-address=" + quoted(GIVEN))
    net.expect(P1, P2, P3, P3)


def test_follow(net):
    """LB-MAC-05, LB-MAC-06, LB-MAC-07."""
    net.bond(["p1", "p2", "p3"], "bond-fail-over-mac=follow")
    net.expect(P1, P2, P3, P1)
    net.fail_over("p1", "p2")
    net.expect(P2, P1, P3, P1)
    net.trunk.cable("p3").cut()
    net.trunk.cable("p2").cut()
    net.s.wait_enabled(set())
    net.trunk.cable("p3").mend()
    net.s.wait_active("p3")
    net.expect(P2, P3, P1, P1)
    net.s.vsctl("del-port", "bond0")
    net.expect(P1, P2, P3)


@pytest.mark.parametrize("policy", ["none", "follow"])
def test_crash(net, policy):
    """A daemon that is killed and started again goes on where it was, and
    what devices had is not forgotten."""
    net.bond(["p1", "p2", "p3"], "bond-fail-over-mac=" + policy,
             "bond-mtu=1400")
    net.fail_over("p1", "p2")
    held = (P1, P1, P1) if policy == "none" else (P2, P1, P3)
    net.expect(*held, P1)
    wait_until(lambda: net.status("p2_perm_hwaddr") == P2,
               "the database knows what p2 had")
    wait_until(lambda: net.status("p2_own_mtu") == "1500",
               "and what MTU")
    net.s.kill()
    net.expect(*held)
    net.s.start()
    net.s.wait_active("p2")
    net.expect(*held, P1)
    holds_for(lambda: tuple(net.macs()[n] for n in sorted(OWN)) == held,
              "addresses stay", 0.5)
    assert net.status("p2_perm_hwaddr") == P2
    net.s.vsctl("del-port", "bond0")
    net.expect(P1, P2, P3)
    wait_until(lambda: net.mtus() == [1500] * 3, "MTU is given back")


def test_end(net):
    """A daemon that ends leaves the bond as it is; options that are taken
    away meanwhile are heeded by the next one."""
    net.bond(["p1", "p2"], "bond-fail-over-mac=none", "bond-mtu=1400")
    net.expect(P1, P1, P3, P1)
    wait_until(lambda: net.status("p2_perm_hwaddr") == P2,
               "the database knows what p2 had")
    wait_until(lambda: net.status("p2_own_mtu") == "1500",
               "and what MTU")
    net.s.stop()
    net.expect(P1, P1, P3)
    assert net.mtus() == [1400, 1400, 1500]
    for key in "bond-fail-over-mac", "bond-mtu":
        net.s.vsctl("--no-wait", "remove", "port", "bond0", "other_config",
                    key)
    net.s.start()
    net.expect(P1, P2, P3)
    wait_until(lambda: net.mtus() == [1500] * 3, "MTU is given back")


def test_left_meanwhile(net):
    """Members that leave while no daemon runs are given back what they had,
    also the one that is left alone."""
    net.bond(["p1", "p2", "p3"], "bond-fail-over-mac=follow", "bond-mtu=1400")
    net.fail_over("p1", "p2")
    net.expect(P2, P1, P3, P1)
    wait_until(lambda: net.status("p2_perm_hwaddr") == P2,
               "the database knows what p2 had")
    net.s.kill()
    net.leave_meanwhile("p2")
    net.s.start()
    net.expect(P2, P2, P1, P1)      # As Linux has it after a release.
    assert net.mtus() == [1400, 1500, 1400]
    wait_until(lambda: net.status("p3_perm_hwaddr") == P3,
               "the database knows what p3 had")
    net.s.stop()
    net.leave_meanwhile("p1")
    net.s.start()
    net.expect(P1, P2, P3)
    assert net.mtus() == [1500] * 3


def test_address_of_who_left(net):
    """A warning tells that the bond keeps the address of a member that has
    left, but not if the bond itself goes."""
    words = "keeps the address"
    net.bond(["p1", "p2"], "bond-fail-over-mac=none")
    net.s.add_member("bond0", "p3")     # It goes last.
    net.expect(P1, P1, P1, P1)
    net.s.vsctl("del-port", "bond0")
    net.expect(P1, P2, P3)
    assert words not in net.s.log()
    net.bond(["p1", "p2", "p3"], "bond-fail-over-mac=none")
    net.expect(P1, P1, P1, P1)
    net.s.del_member("bond0", "p1")
    net.expect(P1, P1, P1, P1)
    wait_until(lambda: words in net.s.log(), "it is told")


def test_option_goes_with_the_bond(net):
    """A bond that is down to one member keeps LOCAL's address, but not if it
    comes back without the option."""
    net.s.vsctl("set", "bridge", "br0",
                "other_config:hwaddr=" + quoted("02:00:00:00:0b:0b"))
    net.bond(["p1", "p2"], "bond-fail-over-mac=active")
    net.expect(P1, P2, P3, P1)
    net.s.del_member("bond0", "p2")
    net.unset("bond-fail-over-mac")
    net.expect(P1, P2, P3, P1)
    net.s.add_member("bond0", "p2")
    net.expect(P1, P2, P3, "02:00:00:00:0b:0b")


def test_local_does_not_flip(net):
    """Whatever else is reconfigured, LOCAL keeps the bond's address, and
    returns to Open vSwitch's choice when the bond has no more say."""
    net.s.vsctl("set", "bridge", "br0",
                "other_config:hwaddr=" + quoted("02:00:00:00:0b:0b"))
    net.bond(["p1", "p2"], "bond-fail-over-mac=active")
    net.expect(P1, P2, P3, P1)
    monitor = net.s.ns.popen("ip", "monitor", "link", "dev", "br0",
                             stdout=-1, text=True)
    for i in range(5):
        net.s.vsctl("set", "bridge", "br0", "external_ids:x=%d" % i)
        net.s.vsctl("add-port", "br0", "i%d" % i, "--", "set", "interface",
                    "i%d" % i, "type=internal")
        assert net.local() == P1
    monitor.terminate()
    assert "02:00:00:00:0b:0b" not in monitor.communicate()[0]
    net.unset("bond-fail-over-mac")
    wait_until(lambda: net.local() == "02:00:00:00:0b:0b",
               "LOCAL has the bridge's address")
    # LB-LIFE-04: an address that the user has set is the bond's.
    net.set("bond-fail-over-mac=none")
    net.expect("02:00:00:00:0b:0b", "02:00:00:00:0b:0b", P3,
               "02:00:00:00:0b:0b")


def test_routes_survive(net):
    """LOCAL is not set down to get another address: its routes stay."""
    ns = net.s.ns
    net.bond(["p1", "p2"], "bond-fail-over-mac=active")
    net.expect(P1, P2, P3, P1)
    ns.run("ip", "addr", "add", "10.0.0.1/24", "dev", "br0")
    ns.set_link("br0", "up")
    ns.run("ip", "route", "add", "192.0.2.0/24", "via", "10.0.0.2")
    net.fail_over("p1", "p2")
    net.expect(P1, P2, P3, P2)
    assert "192.0.2.0/24" in ns.run("ip", "route").stdout
    ns.run("ping", "-c", "1", "-w", "5", "10.0.0.2")


def test_two_bonds(lab, daemon):
    """Of two bonds that have an address the first by name has its way."""
    net = Net(lab, daemon)
    lab.trunk("other", "10.0.9.2", net.s, "q1", "q2")
    net.bond(["p1", "p2"], "bond-address=" + quoted("02:00:00:00:0a:01"))
    net.s.add_bond("bond1", ["q1", "q2"], AB, "tag=9",
                   "other_config:bond-address=" + quoted("02:00:00:00:0a:02"))
    wait_until(lambda: net.local() == "02:00:00:00:0a:01", "bond0's address")
    wait_until(lambda: "address: the bridge has that of bond bond0"
               in notes(net.s, "bond1"), "the other one is told of")
    assert "address:" not in notes(net.s, "bond0")
    net.unset("bond-address")
    wait_until(lambda: net.local() == "02:00:00:00:0a:02", "bond1's address")


def test_wrong_address(net):
    """LB-MAC-09: the last good address stays."""
    net.bond(["p1", "p2"], "bond-fail-over-mac=none",
             "bond-address=" + quoted(GIVEN))
    net.expect(GIVEN, GIVEN, P3, GIVEN)
    net.set("bond-address=" + quoted("01:00:5e:00:00:01"))
    wait_until(lambda: "address" in net.status("bond_error"), "it is told")
    net.expect(GIVEN, GIVEN, P3, GIVEN)


def test_foreign_change(net):
    """What somebody else does to a member's address is told and left."""
    net.bond(["p1", "p2"], "bond-fail-over-mac=none")
    net.expect(P1, P1, P3, P1)
    net.s.ns.run("ip", "link", "set", "dev", "p2", "address", GIVEN)
    wait_until(lambda: "changed from outside" in notes(net.s, "bond0"),
               "it is told")
    net.expect(P1, GIVEN, P3, P1)
    net.s.vsctl("del-port", "bond0")
    net.expect(P1, P2, P3)


def notes(switch, bond):
    """What bond/show notes of a bond."""
    return "\n".join(line for line in switch.appctl(
        "bond/show", bond).splitlines() if line.startswith("config note:"))


# MTU.

def test_mtu(net):
    """LB-LIFE-15, LB-LIFE-16: members have the bond's MTU, may be given
    another one by hand, and have their own when they leave."""
    net.bond(["p1", "p2"], "bond-mtu=9000")
    wait_until(lambda: net.mtus() == [9000, 9000, 1500], "MTU is set")
    net.s.add_member("bond0", "p3")
    wait_until(lambda: net.mtus() == [9000] * 3, "the new one has it, too")
    net.s.ns.run("ip", "link", "set", "dev", "p2", "mtu", "1300")
    wait_until(lambda: 'mtu: "9000": member p2 has 1300'
               in notes(net.s, "bond0"), "it is told")
    assert net.mtus() == [9000, 1300, 9000]
    net.set("bond-mtu=8000")
    wait_until(lambda: net.mtus() == [8000] * 3, "all have it anew")
    net.s.del_member("bond0", "p3")
    wait_until(lambda: net.mtus() == [8000, 8000, 1500], "p3 has its own")
    net.unset("bond-mtu")
    wait_until(lambda: net.mtus() == [1500] * 3, "all have their own")


def test_mtu_refused(net):
    """LB-LIFE-17: one refuses, and all keep what they have."""
    net.bond(["p1", "p2", "p3"], "bond-mtu=1600")
    wait_until(lambda: net.mtus() == [1600] * 3, "MTU is set")
    net.set("bond-mtu=40")          # Less than Ethernet may have.
    wait_until(lambda: re.match(
        'mtu: "40": member p[123], which has 1600, refuses it',
        net.status("bond_error")), "it is told")
    assert net.mtus() == [1600] * 3
    net.set("bond-mtu=1700")
    wait_until(lambda: net.mtus() == [1700] * 3, "a good value is taken")
    wait_until(lambda: not net.status("bond_error"), "and no error is left")


def test_mtu_note(net):
    """Without the option a member whose MTU is too small is told of."""
    net.s.ns.run("ip", "link", "set", "dev", "p2", "mtu", "9000")
    net.bond(["p1", "p2"])
    wait_until(lambda: "member p1: its MTU of 1500 is less than that of p2, "
               "9000" in notes(net.s, "bond0"), "it is told")
    assert not net.status("bond_error")


# What devices say.

def test_promiscuous(net):
    """A switch's port takes everything: every member, not the active one
    alone, is promiscuous until it leaves."""
    net.bond(["p1", "p2"])
    assert [net.promiscuity(p) for p in sorted(OWN)] == [1, 1, 0]
    net.fail_over("p1", "p2")
    assert [net.promiscuity(p) for p in sorted(OWN)] == [1, 1, 0]
    net.s.vsctl("del-port", "bond0")
    wait_until(lambda: [net.promiscuity(p) for p in sorted(OWN)] == [0] * 3,
               "promiscuity is gone")


def test_speed(net):
    """Speed and duplex as ethtool tells them, also ones that OpenFlow has no
    bit for."""
    for name, speed in (("p1", 25000), ("p2", 200000)):
        net.s.ns.run("ethtool", "-s", name, "speed", speed, "duplex", "full",
                     "autoneg", "off", check=False)
    net.bond(["p1", "p2"], "bond-mode=balance-xor")
    told = {}
    for block in net.s.appctl("bond/proc", "bond0").split("\n\n"):
        m = re.search(r"Slave Interface: (\S+)", block)
        if m:
            told[m.group(1)] = (
                re.search(r"Speed: (\S+)", block).group(1),
                re.search(r"Duplex: (\S+)", block).group(1))
    real = {}
    for name in ("p1", "p2"):
        out = net.s.ns.run("ethtool", name).stdout
        real[name] = (re.search(r"Speed: (\d+)", out).group(1),
                      re.search(r"Duplex: (\S+)", out).group(1).lower())
    assert told == real
    out = json.loads(net.s.appctl("bond/status", "bond0"))
    assert str(sum(int(speed) for speed, _ in real.values())) in str(out)


def test_use_carrier(net):
    """LB-MII-18: devices that are asked tell the same as those that are
    believed; one that is set down has no link."""
    net.bond(["p1", "p2"], "bond-miimon=50", "bond-use-carrier=0")
    net.fail_over("p1", "p2")
    net.trunk.cable("p1").mend()
    net.s.wait_enabled({"p1", "p2"})
    net.s.ns.set_link("p2", "down")
    net.s.wait_active("p1")
    net.s.ns.set_link("p2", "up")
    net.s.wait_enabled({"p1", "p2"})


# DPDK.

def test_dpdk(lab, dpdk_daemon):
    """Ports of DPDK get addresses and MTUs like others, and are promiscuous
    whatever their bond does."""
    net = Net(lab, dpdk_daemon)
    s = net.s
    dpdk.start(s)
    s.add_bond("bond0", ["dp1", "dp2"], AB,
               "other_config:bond-fail-over-mac=none",
               "other_config:bond-mtu=1400", *dpdk.ports("p1", "p2"))
    s.wait_enabled({"dp1", "dp2"})

    def port(name, column):
        return s.get("interface", name, column).strip('"')
    wait_until(lambda: port("dp1", "mac_in_use") == port("dp2", "mac_in_use"),
               "both have the same address", 20)
    assert port("dp1", "mac_in_use") == net.local()
    wait_until(lambda: [port(n, "mtu") for n in ("dp1", "dp2")]
               == ["1400", "1400"], "both have the MTU", 20)
    net.set("bond-mtu=9000")            # More than the driver can.
    wait_until(lambda: re.match('mtu: "9000": member dp[12], which has 1400, '
                                'refuses it', net.status("bond_error")),
               "the driver's limit is told")
    holds_for(lambda: s.enabled() == {"dp1", "dp2"}, "ports stay", 1)
    assert [port(n, "mtu") for n in ("dp1", "dp2")] == ["1400", "1400"]
    told = {m["name"]: m for m in json.loads(
        s.appctl("bond/status", "bond0"))["slaves"]}
    assert told["dp1"]["perm_hwaddr"] != told["dp2"]["perm_hwaddr"]
    assert told["dp1"]["speed"] and told["dp1"]["duplex"] == "full"
    assert [net.promiscuity(n) >= 1 for n in ("p1", "p2")] == [True, True]
