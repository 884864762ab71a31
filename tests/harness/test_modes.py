"""What every mode must do: carry traffic, and go on carrying it."""

import signal

import pytest

from lab import SLOW, Cable, checked_lab, wait_until
from switch import Switch
from traffic import Iperf, Ping, iperf, reachable

MAX_GAP = 1.0 * SLOW        # Seconds without an answer after a failure.
LACP_GAP = 2.5 * SLOW       # One end may use a mended link 1 s too early.
DATABASE_GAP = 5 * SLOW     # The daemon tries again after 1 s, then 2 s.
SMALL_GAP = 0.5 * SLOW      # The same for a change that was asked for.

LACP = ["lacp=active", "other_config:lacp-time=fast"]
MODES = {
    "active-backup": ["bond_mode=active-backup"],
    "balance-slb": ["bond_mode=balance-slb"],
    "balance-tcp": ["bond_mode=balance-tcp"] + LACP,
    "balance-tcp-lb-output": ["bond_mode=balance-tcp",
                              "other_config:lb-output-action=true"] + LACP,
    "active-backup-lacp": ["bond_mode=active-backup"] + LACP,
}


class Net:
    """Host h1, switch s1, a bond bond0 of p1 and p2, and a remote host: that
    of a static trunk, or, with LACP, one behind a second (stock) switch."""

    def __init__(self, lab, mode, daemon, stock):
        self.mode = mode
        self.lacp = "lacp=active" in MODES[mode]
        self.s1 = Switch(lab, "s1", daemon)
        self.h1 = lab.host("h1", self.s1, "to-h1", "10.0.0.1")
        self.remote = "10.0.0.2"
        self.max_gap = LACP_GAP if self.lacp else MAX_GAP
        self.cables = {}
        if self.lacp:
            self.s2 = Switch(lab, "s2", stock)
            self.far = lab.host("h2", self.s2, "to-h2", self.remote)
        else:
            self.far = self.trunk = lab.trunk("trunk", self.remote, self.s1)
        for port in "p1", "p2", "p3":
            self._lay(port)
        self.members = {"p1", "p2"}
        self.s1.add_bond("bond0", ["p1", "p2"], *MODES[mode])
        if self.lacp:
            self.s2.add_bond("bond0", ["q1", "q2"], *MODES[mode])

    def _lay(self, port):
        if self.lacp:
            self.cables[port] = Cable(self.s1.ns, port, self.s2.ns,
                                      port.replace("p", "q"))
        else:
            self.trunk.plug(self.s1, port)
            self.cables[port] = self.trunk.cable(port)

    def add_member(self, port):
        """Adds a member at both ends."""
        self.members.add(port)
        if self.lacp:
            self.s2.add_member("bond0", port.replace("p", "q"))
        self.s1.add_member("bond0", port)

    def del_member(self, port):
        """Removes a member at both ends."""
        self.members.remove(port)
        self.s1.del_member("bond0", port)
        if self.lacp:
            self.s2.del_member("bond0", port.replace("p", "q"))

    def settle(self):
        """Waits until all is well."""
        self.s1.wait_enabled(self.members, timeout=30)
        if self.lacp:
            far = {p.replace("p", "q") for p in self.members}
            self.s2.wait_enabled(far, timeout=30)
            wait_until(lambda: self.s1.lacp().current() == self.members
                       and self.s2.lacp().current() == far,
                       "all members aggregate", 30)
        reachable(self.h1, self.remote)

    def sent(self):
        """Packets that each member has sent."""
        return {p: self.s1.ns.counters(p)[1] for p in self.members}

    def member_in_use(self, ping):
        """The member by which the requests of 'ping' leave."""
        before = self.sent()
        ping.wait_replies(40)
        after = self.sent()
        used = [p for p in self.members if after[p] - before[p] >= 30]
        assert len(used) == 1, "a ping leaves by one member: %s" % used
        return used[0]


@pytest.fixture(scope="module", params=list(MODES))
def net(request, daemon, stock):
    """One net for all tests of a mode."""
    with checked_lab() as lab:
        yield Net(lab, request.param, daemon, stock)


@pytest.fixture(autouse=True)
def settled(net):
    """Starts every test from a net in order."""
    net.settle()


def check(ping, max_gap, min_sent=100):
    """Asserts that a ping went well enough."""
    ping.stop()
    assert ping.sent >= min_sent
    assert ping.gap < max_gap, "%s" % ping
    assert ping.lost <= 5 + max_gap / ping.interval, "%s" % ping
    assert ping.duplicates == 0, "%s" % ping


def test_carries_traffic(net):
    """Ping and iperf3 pass, without a loss and without duplicates, and by
    the members of the bond."""
    assert net.s1.bond().fields["bond_mode"] == net.mode.replace(
        "-lb-output", "").replace("-lacp", "")
    before = net.sent()
    ping = Ping(net.h1, net.remote)
    ping.wait_replies(200)
    check(ping, SMALL_GAP, 200)
    assert ping.lost <= 2, "%s" % ping
    report = iperf(net.far, net.h1, net.remote, seconds=1)
    back = iperf(net.far, net.h1, net.remote, seconds=1, reverse=True)
    assert report.mbps > 5 and back.mbps > 5
    after = net.sent()
    packets = sum(after.values()) - sum(before.values())
    assert packets * 1514 > report.bytes * 0.9
    used = {p for p in net.members if after[p] - before[p] > 100}
    if net.mode.startswith("active-backup"):
        assert used == {net.s1.bond().active}


def test_cut_and_restore(net):
    """The member in use loses its carrier under load, and gets it back."""
    ping = Ping(net.h1, net.remote)
    used = net.member_in_use(ping)
    load = Iperf(net.far, net.h1, net.remote, seconds=4, streams=4, mbps=5)
    ping.wait_replies(100)
    net.cables[used].cut()
    net.s1.wait_enabled(net.members - {used})
    before = net.sent()
    ping.wait_replies(200)
    after = net.sent()
    assert sum(after[p] - before[p] for p in net.members - {used}) >= 190
    net.cables[used].mend()
    net.s1.wait_enabled(net.members, timeout=30)
    net.settle()
    ping.wait_replies(100)
    report = load.result()
    check(ping, net.max_gap, 300)
    assert report.bytes > 4 * 4 * 5e6 / 8 * 0.5
    assert report.rates[-2] > 1, "%s" % report.rates


def test_member_added_and_removed(net):
    """A third member joins and leaves; the one in use leaves and joins."""
    ping = Ping(net.h1, net.remote)
    net.add_member("p3")
    net.s1.wait_enabled({"p1", "p2", "p3"}, timeout=30)
    ping.wait_replies(100)
    used = net.member_in_use(ping)
    net.del_member(used)
    net.s1.wait_enabled(net.members)
    assert used not in net.s1.bond().members
    ping.wait_replies(100)
    net.add_member(used)
    net.s1.wait_enabled({"p1", "p2", "p3"}, timeout=30)
    ping.wait_replies(100)
    net.del_member("p3")
    net.settle()
    ping.wait_replies(100)
    check(ping, net.max_gap, 400)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGKILL],
                         ids=["term", "kill"])
def test_daemon_restart(net, signum):
    """The daemon ends, or is killed, and comes back with its bond."""
    ping = Ping(net.h1, net.remote)
    net.s1.stop(signum)
    wait_until(lambda: ping.quiet_for(0.3), "the traffic stops")
    net.s1.start()
    ping.wait_replies(100, 20)
    net.settle()
    ping.stop()
    assert ping.duplicates == 0
    mode = net.s1.bond().fields["bond_mode"]
    assert mode in MODES[net.mode][0]


def test_database_restart(net):
    """ovsdb-server is restarted: the bond keeps its members and its choice,
    takes a new setting, and fails over."""
    ping = Ping(net.h1, net.remote)
    before = net.s1.bond()
    net.s1.stop_db()
    # While its database is away ovs-vswitchd does nothing but try to connect
    # again, so a userspace datapath without PMD threads stands still.
    net.s1.start_db()
    # Waits for the daemon, which must have connected again.
    net.s1.vsctl("set", "port", "bond0", "bond_downdelay=7", timeout=30)
    ping.wait_replies(100)
    after = net.s1.bond()
    assert after.fields["downdelay"] == "7 ms"
    assert (after.enabled, after.active) == (before.enabled, before.active)
    net.s1.vsctl("set", "port", "bond0", "bond_downdelay=0")
    net.settle()
    used = net.member_in_use(ping)
    net.cables[used].cut()
    net.s1.wait_enabled(net.members - {used})
    ping.wait_replies(100)
    net.cables[used].mend()
    net.settle()
    check(ping, DATABASE_GAP, 300)


def test_changing_settings_is_no_flap(net):
    """Changing what has nothing to do with forwarding loses nothing."""
    ping = Ping(net.h1, net.remote)
    for value in "100", "0":
        net.s1.vsctl("set", "port", "bond0", "bond_updelay=" + value)
        assert net.s1.bond().fields["updelay"] == value + " ms"
        assert net.s1.enabled() == net.members
        ping.wait_replies(50)
    check(ping, SMALL_GAP)
    assert ping.lost <= 2, "%s" % ping
