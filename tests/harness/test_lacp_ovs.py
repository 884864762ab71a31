"""LACP with a foreign partner: the distribution's ovs-vswitchd."""

import time

import pytest

from lab import SLOW, Cable, checked_lab, holds_for, wait_until
from switch import Switch
from traffic import Ping, reachable

OURS = {"p1", "p2"}
THEIRS = {"q1", "q2"}


class Pair:
    """h1 - ours - two cables - theirs - h2."""

    def __init__(self, lab, daemon, stock):
        self.ours = Switch(lab, "ours", daemon)
        self.theirs = Switch(lab, "theirs", stock)
        self.cables = {p: Cable(self.ours.ns, p, self.theirs.ns,
                                p.replace("p", "q"))
                       for p in sorted(OURS)}
        self.h1 = lab.host("h1", self.ours, "to-h1", "10.0.0.1")
        self.h2 = lab.host("h2", self.theirs, "to-h2", "10.0.0.2")

    def bond(self, ours, theirs, rate, *settings):
        """Makes the bond at both ends."""
        rate = "other_config:lacp-time=" + rate
        mode = "bond_mode=balance-tcp"
        self.ours.add_bond("bond0", sorted(OURS), mode, "lacp=" + ours, rate,
                           *settings)
        self.theirs.add_bond("bond0", sorted(THEIRS), mode, "lacp=" + theirs,
                             rate)

    def clear(self):
        """Removes the bond."""
        for switch in self.ours, self.theirs:
            switch.vsctl("--if-exists", "del-port", "bond0")
        for cable in self.cables.values():
            cable.mend()

    def aggregated(self):
        """True if both members are in use at both ends."""
        return (self.ours.lacp().current() == OURS
                and self.theirs.lacp().current() == THEIRS
                and self.ours.enabled() == OURS
                and self.theirs.enabled() == THEIRS)

    def wait_aggregated(self, timeout=40):
        """Waits until both members are in use at both ends."""
        wait_until(self.aggregated, "both members aggregate", timeout)


@pytest.fixture(scope="module")
def shared(daemon, stock):
    """One pair for all tests."""
    with checked_lab() as lab:
        yield Pair(lab, daemon, stock)


@pytest.fixture
def pair(shared):
    """The pair, without a bond before and after."""
    yield shared
    shared.clear()


@pytest.mark.parametrize("rate", ["fast", "slow"])
@pytest.mark.parametrize("ours, theirs", [("active", "active"),
                                          ("passive", "active"),
                                          ("active", "passive")])
def test_aggregates(pair, ours, theirs, rate):
    """Both members aggregate, traffic passes, a cut link leaves, and rejoins
    when it is mended; each end knows what the other is."""
    pair.bond(ours, theirs, rate)
    pair.wait_aggregated()
    for switch, mine, other in ((pair.ours, ours, theirs),
                                (pair.theirs, theirs, ours)):
        show = switch.lacp()
        assert show.fields["status"] == mine + " negotiated"
        assert show.fields["lacp_time"] == rate
        for member in show.members.values():
            for side, what in (("actor", mine), ("partner", other)):
                state = set(member[side + " state"].split())
                assert {"aggregation", "synchronized"} <= state
                assert ("activity" in state) == (what == "active")
                assert ("timeout" in state) == (rate == "fast")
    a, b = pair.ours.lacp(), pair.theirs.lacp()
    for p, q in (("p1", "q1"), ("p2", "q2")):
        for field in "sys_id", "sys_priority", "port_id", "key":
            assert (a.members[p]["actor " + field]
                    == b.members[q]["partner " + field])
            assert (a.members[p]["partner " + field]
                    == b.members[q]["actor " + field])
    reachable(pair.h1, "10.0.0.2")
    reachable(pair.h2, "10.0.0.1")

    ping = Ping(pair.h1, "10.0.0.2")
    for port in "p1", "p2":
        left = OURS - {port}
        pair.cables[port].cut()
        pair.ours.wait_enabled(left, timeout=5)
        pair.theirs.wait_enabled({p.replace("p", "q") for p in left},
                                 timeout=5)
        assert pair.ours.lacp().current() == left
        ping.wait_replies(50)
        pair.cables[port].mend()
        pair.wait_aggregated()
        ping.wait_replies(50)
    ping.stop()
    assert ping.gap < 2.5 * SLOW and ping.duplicates == 0, "%s" % ping


def test_two_passive_ends_stay_silent(pair):
    """Nobody begins, nobody aggregates, not one PDU is sent."""
    pair.bond("passive", "passive", "fast")
    holds_for(lambda: not pair.ours.lacp().current()
              and not pair.ours.enabled(), "nothing aggregates", 4)
    for stats in pair.ours.lacp_stats().values():
        assert stats["TX PDUs"] == 0 and stats["RX PDUs"] == 0


@pytest.mark.parametrize("how", ["frozen", "killed"])
def test_dead_partner_expires(pair, how):
    """3 s after its last PDU a fast partner is given up, although the
    carrier is there; and it is welcome when it returns."""
    pair.bond("active", "active", "fast")
    pair.wait_aggregated()
    reachable(pair.h1, "10.0.0.2")

    # The clock starts with a PDU that has just arrived on p1.
    count = pair.ours.lacp_stats()["p1"]["RX PDUs"]
    wait_until(lambda: pair.ours.lacp_stats()["p1"]["RX PDUs"] > count,
               "a PDU arrives", 5, interval=0.005)
    start = time.monotonic()
    if how == "frozen":
        pair.theirs.freeze()
    else:
        pair.theirs.kill()
    wait_until(lambda: "p1" not in pair.ours.lacp().current(),
               "p1's partner expires", 10)
    waited = time.monotonic() - start
    assert 2.5 < waited < 3 + 2 * SLOW
    status = pair.ours.lacp().members["p1"]["status"]
    assert status[0] in ("expired", "defaulted")
    wait_until(lambda: not pair.ours.lacp().current(), "p2's expires", 3)
    wait_until(lambda: all(m["status"][0] == "defaulted" for m in
                           pair.ours.lacp().members.values()),
               "both are defaulted", 8)
    wait_until(lambda: not pair.ours.enabled(), "no member is enabled", 2)
    assert "LOWER_UP" in pair.ours.ns.run("ip", "link", "show", "p1").stdout

    if how == "frozen":
        pair.theirs.thaw()
    else:
        pair.theirs.start()
    pair.wait_aggregated()
    reachable(pair.h1, "10.0.0.2")


def test_our_death_is_noticed(pair):
    """The partner gives us up 3 s after our last PDU, not earlier: we send
    in time."""
    pair.bond("active", "active", "fast")
    pair.wait_aggregated()
    count = pair.theirs.lacp_stats()["q1"]["RX PDUs"]
    wait_until(lambda: pair.theirs.lacp_stats()["q1"]["RX PDUs"] > count,
               "a PDU arrives", 5, interval=0.005)
    start = time.monotonic()
    pair.ours.freeze()
    wait_until(lambda: "q1" not in pair.theirs.lacp().current(),
               "we expire", 10)
    assert 2.5 < time.monotonic() - start < 3 + 2 * SLOW
    pair.ours.thaw()
    pair.wait_aggregated()


def test_pdu_rate(pair):
    """With a fast partner we send one PDU a second, no less and not many
    more."""
    pair.bond("active", "active", "fast")
    pair.wait_aggregated()
    before = pair.theirs.lacp_stats()
    start = time.monotonic()
    holds_for(lambda: pair.theirs.lacp().current() == THEIRS, "current", 5.0)
    after = pair.theirs.lacp_stats()
    seconds = time.monotonic() - start
    for port in THEIRS:
        n = after[port]["RX PDUs"] - before[port]["RX PDUs"]
        assert seconds - 1.5 <= n <= seconds + 3, n
        assert after[port]["RX Bad PDUs"] == 0


def test_restart_of_our_daemon(pair):
    """After kill -9 and a start the partner takes us back."""
    pair.bond("active", "active", "fast")
    pair.wait_aggregated()
    pair.ours.kill()
    pair.ours.start()
    pair.wait_aggregated()
    reachable(pair.h1, "10.0.0.2")


def test_rate_changes_while_running(pair):
    """Changing lacp-time under traffic breaks nothing."""
    pair.bond("active", "active", "slow")
    pair.wait_aggregated()
    ping = Ping(pair.h1, "10.0.0.2")
    for rate in "fast", "slow":
        pair.ours.vsctl("set", "port", "bond0",
                        "other_config:lacp-time=" + rate)
        wait_until(lambda: ("timeout" in pair.theirs.lacp()
                            .members["q1"]["partner state"])
                   == (rate == "fast"), "the partner knows", 35)
        assert pair.aggregated()
        ping.wait_replies(50)
    ping.stop()
    assert ping.lost <= 3, "%s" % ping


class Many:
    """Several bonds of a Pair's switches at once: of bridges of their own, at
    which the switches' own namespaces are the hosts."""

    def __init__(self, pair, combinations):
        self.pair = pair
        self.combinations = combinations
        self.cables = []
        ends = pair.ours, pair.theirs
        cmds = [], []
        for n, (ours, theirs, rate) in enumerate(combinations):
            for i in 0, 1:
                names = ["%s%d-%d" % (c, n, i) for c in "pq"]
                self.cables.append(Cable(ends[0].ns, names[0], ends[1].ns,
                                         names[1]))
            settings = (
                ["other_config:bond-" + o for o in (
                    "mode=802.3ad", "miimon=100", "lacp-rate=" + rate,
                    "lacp-active=" + ("on" if ours == "active" else "off"))],
                ["bond_mode=balance-tcp", "lacp=" + theirs,
                 "other_config:lacp-time=" + rate])
            for cmd, char, some in zip(cmds, "pq", settings):
                cmd += ["--", "add-br", "m%d" % n, "--", "set", "bridge",
                        "m%d" % n, "datapath_type=netdev", "--", "add-bond",
                        "m%d" % n, "bond%d" % n, "%s%d-0" % (char, n),
                        "%s%d-1" % (char, n)] + some
        for end, (switch, cmd) in enumerate(zip(ends, cmds), 1):
            switch.vsctl(*cmd[1:])
            # A member does not answer for its bridge.
            switch.ns.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/conf/all/"
                          "arp_ignore")
            for n in range(len(combinations)):
                switch.ns.set_link("m%d" % n, "up")
                switch.ns.run("ip", "addr", "add", "10.1.%d.%d/24" % (n, end),
                              "dev", "m%d" % n)

    def used(self, switch):
        """The members in use, of all bonds."""
        found = set()
        for n in range(len(self.combinations)):
            found |= (switch.lacp("bond%d" % n).current()
                      & switch.enabled("bond%d" % n))
        return found

    def wait_used(self, *some):
        """Waits until of each bond these members are used, at both ends."""
        for switch, char in (self.pair.ours, "p"), (self.pair.theirs, "q"):
            want = {"%s%d-%d" % (char, n, i) for i in some
                    for n in range(len(self.combinations))}
            wait_until(lambda: self.used(switch) == want,
                       "%s are used" % sorted(want), 40, interval=0.1)

    def traffic(self):
        """Hosts reach each other."""
        for n in range(len(self.combinations)):
            reachable(self.pair.ours.ns, "10.1.%d.2" % n)

    def clear(self):
        """Removes all."""
        for switch in self.pair.ours, self.pair.theirs:
            switch.vsctl(*sum((["--", "del-br", "m%d" % n] for n in range(
                len(self.combinations))), [])[1:])


def test_8023ad(shared):
    """Mode 802.3ad with a stock partner, active and passive, fast and slow:
    aggregates, carries traffic, loses a member, and takes it back."""
    many = Many(shared, [(ours, theirs, rate) for rate in ("fast", "slow")
                         for ours, theirs in (("active", "active"),
                                              ("passive", "active"),
                                              ("active", "passive"))])
    many.wait_used(0, 1)
    many.traffic()
    for n, (ours, theirs, rate) in enumerate(many.combinations):
        for switch, mine, other in ((shared.ours, ours, theirs),
                                    (shared.theirs, theirs, ours)):
            show = switch.lacp("bond%d" % n)
            assert show.fields["status"] == mine + " negotiated"
            assert show.fields["lacp_time"] == rate
            for member in show.members.values():
                state = set(member["partner state"].split())
                assert ("activity" in state) == (other == "active")
                assert ("timeout" in state) == (rate == "fast")
    for cable in many.cables[::2]:
        cable.cut()
    many.wait_used(1)
    many.traffic()
    for cable in many.cables[::2]:
        cable.mend()
    many.wait_used(0, 1)
    many.traffic()
    many.clear()
