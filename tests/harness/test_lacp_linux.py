"""LACP with a foreign partner: the Linux bonding driver, mode 802.3ad, in a
QEMU guest.  One boot serves all tests: some that let the guest, or us, stand
still; then all cases of interop.py at once; then random sequences of cables
plugged and unplugged, while what is left of those goes on."""

import os
import random
import struct
import threading
import time

import pytest

import diffagg
import interop
from interop import (ACTIVITY, DEFAULTED, DISTRIBUTING, EXPIRED, TIMEOUT,
                     Case, WideGuest, moving)
from lab import SLOW, checked_lab, wait_until
from switch import Switch
from traffic import Ping, reachable

pytestmark = pytest.mark.guest

TAPS = ["k1", "k2"]
ETHS = {"eth0", "eth1"}


# The cases
# ---------

def lacp_2(*settings):
    """Settings of a bond in mode 802.3ad."""
    return ["other_config:bond-" + s for s in (
        "mode=802.3ad", "miimon=100", "lacp-rate=fast") + settings]


def aggregates(mode, ours, linux, rate):
    """Both members aggregate, traffic passes, a cut link leaves, and rejoins
    when it is mended."""
    def go(c):
        look = c.wait_aggregated(0, 1, timeout=40)
        show = look.lacp[c.our()]
        proc = c.proc()
        assert show.fields["status"] == ours + " negotiated"
        assert show.fields["lacp_time"] == rate
        assert proc.fields["LACP rate"] == rate
        assert proc.fields["LACP active"] == (
            "on" if linux == "active" else "off")
        for i in 0, 1:
            tap, eth = c.tap(i), c.eth(i)
            state = set(show.members[tap]["partner state"].split())
            assert ("activity" in state) == (linux == "active")
            assert ("timeout" in state) == (rate == "fast")
            assert show.members[tap]["partner sys_id"] in {
                c.bench.guest.mac(c.first + j) for j in (0, 1)}
            state = proc.state(eth, "partner")
            assert bool(state & ACTIVITY) == (ours == "active")
            assert bool(state & TIMEOUT) == (rate == "fast")
            assert (proc.members[eth]["partner"]["system mac address"]
                    == show.members[tap]["actor sys_id"])
        ping = Ping(c.bench.s.ns, c.address(2), interval=0.05)
        for i in 0, 1:
            c.cut(i)
            c.wait_aggregated(1 - i)
            ping.wait_replies(10)
            c.mend(i)
            c.wait_aggregated(0, 1, timeout=40)
            ping.wait_replies(10)
        ping.stop()
        assert ping.gap < 3 * SLOW and ping.duplicates == 0, "%s" % ping

    on = {"active": "on", "passive": "off"}
    settings = lacp_2("lacp-active=" + on[ours]) \
        + ["other_config:bond-lacp-rate=" + rate] \
        if mode == "802.3ad" else [
            "bond_mode=balance-tcp", "lacp=" + ours,
            "other_config:lacp-time=" + rate]
    return Case("-".join([mode, ours, linux, rate]), 2, [([0, 1], settings)],
                [([0, 1], {"lacp_active": on[linux], "lacp_rate": rate})], go)


def chooses(policy):
    """Two partners, one with two members: what ad_select says becomes of
    them (LB-AGG-01..15)."""
    def go(c):
        c.cut(2)
        c.wait_aggregated(0, 1)
        c.mend(2)
        look = c.see(lambda look: look.lacp[c.our()].members[c.tap(2)][
            "status"][0] == "current", "the other partner is known")
        c.see(lambda l: l.start > look.start + 2.5 * SLOW, "time passes", 20)
        c.wait_aggregated(0, 1)
        assert not moving(c.bench.look.linux[c.their(1)])
        c.cut(0)                        # A tie.
        c.wait_aggregated(1)
        c.cut(1)
        c.wait_aggregated(2, j=1)
        c.mend(0)                       # A tie again.
        look = c.see(lambda look: look.lacp[c.our()].members[c.tap(0)][
            "status"][0] == "current", "the first partner is back")
        c.see(lambda l: l.start > look.start + 2.5 * SLOW, "time passes", 20)
        c.wait_aggregated(2, j=1)
        c.mend(1)
        look = c.see(lambda look: look.lacp[c.our()].members[c.tap(1)][
            "status"][0] == "current", "all of it is back")
        c.see(lambda l: l.start > look.start + 2.5 * SLOW, "time passes", 20)
        if policy == "stable":
            c.wait_aggregated(2, j=1)
        else:
            c.wait_aggregated(0, 1)
    return Case("ad-select-" + policy, 3,
                [([0, 1, 2], lacp_2("ad-select=" + policy))],
                [([0, 1], {}), ([2], {})], go)


def linux_chooses(c):
    """Linux has two bonds of ours as partners, and uses one; the other one
    carries nothing."""
    c.cut(3)
    c.wait_aggregated(0, 1)
    c.see(lambda look: not look.bonds[c.our(1)].enabled,
          "the other bond is unused")
    c.cut(0, 1)
    c.see(lambda look: c.aggregated(look, [2], k=1), "the other one is used")
    c.see(lambda look: not look.bonds[c.our(0)].enabled, "this one is not")
    c.mend(0, 1)
    c.wait_aggregated(0, 1)


def two_keys(c):
    """Of two members with different keys at the other end one is used, the
    same at both ends."""
    c.cut(1)
    c.wait_aggregated(0)
    c.mend(1)
    look = c.see(lambda look: look.lacp[c.our()].members[c.tap(1)][
        "status"][0] == "current", "the other one's partner is known")
    c.see(lambda l: l.start > look.start + 2.5 * SLOW, "time passes", 20)
    c.wait_aggregated(0)
    proc = c.our_proc()
    assert (proc.members[c.tap(0)]["Aggregator ID"]
            != proc.members[c.tap(1)]["Aggregator ID"])
    assert (proc.members[c.tap(0)]["partner"]["oper key"]
            != proc.members[c.tap(1)]["partner"]["oper key"])
    c.cut(0)
    c.wait_aggregated(1)


def min_links(c):
    """With too few members both ends are down, and up again with enough
    (LB-LAC-39)."""
    def both(up):
        return c.see(lambda look: look.linux[c.their()].up == up
                     and c.our_proc().fields["MII Status"] == (
                         "up" if up else "down"), "both ends are up: %s" % up)
    c.wait_aggregated(0, 1)
    both(True)
    c.cut(0)
    both(False)
    c.mend(0)
    both(True)
    c.wait_aggregated(0, 1)
    reachable(c.bench.s.ns, c.address(2))


def one_way(drop):
    """A cable loses all that one end sends: soon neither end uses it, and
    both do again when it is mended."""
    def go(c):
        c.wait_aggregated(0, 1)
        c.bench.guest.one_way(c.first, drop)
        # 3 s until it expires, and 3 more until it is forgotten.
        c.wait_aggregated(1, timeout=9)
        reachable(c.bench.s.ns, c.address(2))
        c.bench.guest.one_way(c.first, None)
        # If both have forgotten each other, one of them speaks in 30 s.
        c.wait_aggregated(0, 1, timeout=45)
    return Case({"rx": "one-way-from-linux", "tx": "one-way-to-linux"}[drop],
                2, [([0, 1], lacp_2())], [([0, 1], {})], go)


def standby(c):
    """With max-links=1 one member is used at both ends; when it fails, the
    other one."""
    look = c.see(lambda look: any(c.aggregated(look, [i]) for i in (0, 1)),
                 "one of the members is used")
    used = 0 if c.aggregated(look, [0]) else 1
    c.see(lambda l: l.start > look.start + 2.5 * SLOW, "time passes", 20)
    c.wait_aggregated(used)
    c.cut(used)
    c.wait_aggregated(1 - used)
    reachable(c.bench.s.ns, c.address(2))


def negotiated(c):
    """Both members aggregate; what comes of it is looked at later."""
    c.wait_aggregated(0, 1)


def alone(c):
    """Nobody answers: one member works on its own (LB-LAC-05)."""
    c.see(lambda look: len(look.bonds[c.our()].enabled) == 1,
          "one member is used")


alone.early = False                     # The partner comes later.

CHURN = [
    Case("negotiated", 2, [([0, 1], lacp_2())], [([0, 1], {})], negotiated),
    Case("alone", 2, [([0, 1], lacp_2())], [([0, 1], {})], alone),
]
CASES = CHURN + [
    aggregates(mode, ours, linux, rate)
    for mode in ("balance-tcp", "802.3ad") for rate in ("fast", "slow")
    for ours, linux in (("active", "active"), ("passive", "active"),
                        ("active", "passive"))
] + [chooses(policy) for policy in diffagg.POLICIES] + [
    Case("linux-ad-select", 4, [([0, 1], lacp_2()), ([2, 3], lacp_2())],
         [([0, 1, 2, 3], {"ad_select": "bandwidth"})], linux_chooses),
    Case("key-mismatch", 2, [([0, 1], lacp_2())], [([0, 1], {})], two_keys,
         speeds={1: 1000}),
    Case("min-links", 2, [([0, 1], lacp_2("min-links=2"))],
         [([0, 1], {"min_links": 2})], min_links),
    one_way("rx"), one_way("tx"),
    Case("max-links", 2, [([0, 1], lacp_2("max-links=1"))],
         [([0, 1], {})], standby),
]
NICS = sum(c.n for c in CASES)


class Link:
    """h1 - switch - taps - guest, where two of them are bond0's."""

    def __init__(self, lab, daemon):
        self.lab = lab
        self.s = Switch(lab, "s1", daemon)
        self.guest = WideGuest(lab, self.s.ns, ["k%d" % (i + 1)
                                                for i in range(NICS)], "guest")
        self.h1 = lab.host("h1", self.s, "to-h1", "10.0.0.1")

    def bond(self, lacp="active", rate="fast", linux_active=True):
        """Makes the bond at both ends."""
        self.s.add_bond("bond0", TAPS, "bond_mode=balance-tcp",
                        "lacp=" + lacp, "other_config:lacp-time=" + rate)
        self.guest.make_bond("10.0.0.2", mode="802.3ad", miimon="100",
                             lacp_rate=rate,
                             lacp_active="on" if linux_active else "off")

    def clear(self):
        """Removes it, whatever state it is in."""
        self.guest.cont()
        if not self.s.alive():
            self.s.start()
        self.s.thaw()
        for i in range(len(TAPS)):
            self.guest.mend(i)
        self.s.vsctl("--if-exists", "del-port", "bond0")
        self.guest.remove_bond()

    def aggregated(self):
        """True if both members are in use at both ends."""
        return (self.s.lacp().current() == set(TAPS)
                and self.s.enabled() == set(TAPS)
                and self.guest.bond().aggregated() == ETHS)

    def wait_aggregated(self, timeout=60):
        """Waits until both members are in use at both ends."""
        wait_until(self.aggregated, "both members aggregate", timeout,
                   interval=0.1)


@pytest.fixture(scope="module")
def shared(daemon):
    """One boot for all tests."""
    with checked_lab() as lab:
        yield Link(lab, daemon)


@pytest.fixture
def link(shared):
    """The link, without a bond before and after."""
    yield shared
    shared.clear()


def test_guest_reports_failures(shared):
    """The remote control itself: a command that fails is not a success."""
    assert shared.guest.run("echo a b; echo c") == "a b\nc"
    with pytest.raises(AssertionError):
        shared.guest.run("false")
    with pytest.raises(AssertionError):
        shared.guest.run("cat /nonexistent")
    assert "bonding" in shared.guest.run("cat /proc/modules")
    with pytest.raises(AssertionError):
        shared.guest.bond()         # There is none yet.


def test_dead_guest_expires(link):
    """The guest stands still, its carrier stays: it is given up 3 s after
    its last PDU, and welcome when it goes on."""
    link.bond()
    link.wait_aggregated()
    reachable(link.h1, "10.0.0.2")
    count = link.s.lacp_stats()["k1"]["RX PDUs"]
    wait_until(lambda: link.s.lacp_stats()["k1"]["RX PDUs"] > count,
               "a PDU arrives", 5, interval=0.005)
    start = time.monotonic()
    link.guest.stop()
    wait_until(lambda: "k1" not in link.s.lacp().current(), "k1 expires")
    waited = time.monotonic() - start
    assert 2.5 < waited < 3 + 2 * SLOW
    wait_until(lambda: not link.s.lacp().current(), "k2 expires", 3)
    assert "LOWER_UP" in link.s.ns.run("ip", "link", "show", "k1").stdout
    link.guest.cont()
    link.wait_aggregated()
    reachable(link.h1, "10.0.0.2")


@pytest.mark.parametrize("how", ["frozen", "killed"])
def test_our_death_is_noticed(link, how):
    """Our daemon dies, and 3 s after its last PDU Linux gives us up; and
    takes us back."""
    link.bond()
    link.wait_aggregated()
    count = link.s.lacp_stats()["k1"]["TX PDUs"]
    wait_until(lambda: link.s.lacp_stats()["k1"]["TX PDUs"] > count,
               "a PDU is sent", 5, interval=0.005)
    start = time.monotonic()
    if how == "frozen":
        link.s.freeze()
    else:
        link.s.kill()
    wait_until(lambda: link.guest.bond().state("eth0", "actor")
               & (EXPIRED | DEFAULTED), "Linux gives us up", 10)
    waited = time.monotonic() - start
    assert 2.5 < waited < 3 + 2 * SLOW
    wait_until(lambda: not link.guest.bond().aggregated(), "both members", 3)
    if how == "frozen":
        link.s.thaw()
    else:
        link.s.start()
    link.wait_aggregated()
    reachable(link.h1, "10.0.0.2")


class Eavesdropper:
    """Hears LACPDUs at ports of a namespace, both ways."""

    def __init__(self, ns, ports):
        self.seen = []          # (time, port, by us?, state of the actor)
        self._end = False
        self._threads = []
        for port in ports:
            sock = ns.packet_socket(port)
            thread = threading.Thread(target=self._listen, args=(port, sock))
            thread.start()
            self._threads.append(thread)

    def _listen(self, port, sock):
        sock.settimeout(0.1)
        while not self._end:
            try:
                frame, address = sock.recvfrom(2048)
            except TimeoutError:
                continue
            if struct.unpack_from("!H", frame, 12)[0] == 0x8809:
                self.seen.append((time.monotonic(), port, address[2] == 4,
                                  frame[14 + 18]))
        sock.close()

    def stop(self):
        """Ends it; returns what was heard."""
        self._end = True
        for thread in self._threads:
            thread.join()
        return sorted(self.seen)


@pytest.mark.parametrize("mode, how", [("balance-tcp", "killed"),
                                       ("802.3ad", "killed"),
                                       ("802.3ad", "terminated"),
                                       ("802.3ad", "exits")])
def test_restart_is_not_noticed(link, mode, how):
    """The daemon ends and is back within 2 s: Linux goes on distributing,
    and so do we."""
    link.bond()
    if mode == "802.3ad":       # It needs no column of Open vSwitch.
        link.s.vsctl("clear", "port", "bond0", "lacp", "other_config", "--",
                     "set", "port", "bond0", "other_config:bond-mode=" + mode,
                     "other_config:bond-lacp-rate=fast")
    link.wait_aggregated()
    # What was heard last is in the file a second later.
    time.sleep(1.5)
    ears = Eavesdropper(link.s.ns, TAPS)
    start = time.monotonic()
    link.s.may_be_dead = True
    if how == "exits":
        link.s.appctl("exit")
        link.s.vswitchd.wait(20)
    elif how == "terminated":
        link.s.stop()
    else:
        link.s.kill()
    time.sleep(max(0, start + 1.6 - time.monotonic()))
    link.s.start()
    time.sleep(2.5)
    seen = ears.stop()
    for port in TAPS:
        for us in False, True:
            states = [s for _t, p, u, s in seen if p == port and u == us]
            assert states and all(s & DISTRIBUTING for s in states), seen
    assert link.aggregated()
    assert link.s.log().count("LACP goes on as before") >= len(TAPS)


class Bench(interop.Bench):
    """All cases, or those that tests of this run are of."""

    def __init__(self, link, wanted):
        super().__init__(link.s, link.guest)
        self.started = time.monotonic()
        self.lab = link.lab
        self.start([c for c in CASES if c.name in wanted or c in CHURN])
        self.results = self.run_all()
        self.stop(*CHURN)


@pytest.fixture(scope="module")
def bench(shared, request):
    """All cases have been run; those of CHURN are still there."""
    wanted = {i.callspec.params["name"] for i in request.session.items
              if i.name.startswith("test_interop[")}
    return Bench(shared, wanted)


@pytest.mark.parametrize("name", [c.name for c in CASES])
def test_interop(bench, name):
    """A case succeeds."""
    if bench.results[name]:
        pytest.fail(bench.results[name], pytrace=False)


def race(shared, daemon):
    """Bonds of Linux on interfaces that no case needs any more, and ours."""
    free = sum(c.n for c in CHURN)
    linux = diffagg.LinuxSide(shared.guest, range(free, free + diffagg.NICS))
    if os.environ.get("OB_DIFF_AGAINST") == "linux":
        ns = shared.lab.namespace("other")
        guest = WideGuest(shared.lab, ns, ["k%d" % i for i in range(
            diffagg.NICS)], "other")
        return diffagg.Race(linux, diffagg.LinuxSide(
            guest, range(diffagg.NICS), "ours"))
    return diffagg.Race(linux, diffagg.OurSide(shared.lab, daemon))


def test_same_aggregator(shared, bench, daemon):
    """Cables plugged and unplugged at random, with two partners: in each
    policy of ad_select Linux and we come to use the same members.

    OB_DIFF_COUNT sequences from the seed OB_DIFF_SEED.  A sequence after which
    they differ is played again, as who of two comes first may be a matter of
    chance; one that differs three times fails."""
    assert bench.results is not None
    seed = int(os.environ.get("OB_DIFF_SEED") or random.randrange(1 << 30))
    count = int(os.environ.get("OB_DIFF_COUNT") or diffagg.LANES)
    todo = [(diffagg.Sequence(seed + i), 1) for i in range(count)]
    again, compared = [], 0
    both = race(shared, daemon)
    try:
        while todo:
            now, todo = todo[:diffagg.LANES], todo[diffagg.LANES:]
            wrong, n = both.play([seq for seq, _attempt in now])
            compared += n
            for seq, attempt in now:
                reports = [r for s, _policy, r in wrong if s is seq]
                again += reports
                assert not reports or attempt < 3, "\n\n".join(reports)
                if reports:
                    todo.append((seq, attempt + 1))
    finally:
        both.close()
    print("%d sequences from seed %d, compared %d times; %d times again" % (
        count, seed, compared, len(again)))
    for text in again:
        print(text)


def test_churn(bench):
    """After a minute: who has a partner has not churned, at either end; who
    has none, has, but for the actor of the member that is used (LB-LAC-35,
    LB-LAC-36)."""
    pair, lonely = CHURN
    time.sleep(max(0, bench.started + 66 * SLOW - time.monotonic()))
    for proc in pair.our_proc(), pair.proc():
        for member in proc.members.values():
            assert member["Actor Churn State"] == "none"
            assert member["Partner Churn State"] == "none"
            assert member["Actor Churned Count"] == "0"
            assert member["Partner Churned Count"] == "0"
    proc = lonely.our_proc()
    used = bench.take_look().bonds[lonely.our()].enabled
    assert len(used) == 1
    for name, member in proc.members.items():
        assert member["Actor Churn State"] == (
            "none" if name in used else "churned")
        assert member["Partner Churn State"] == "churned"
        assert member["Actor Churned Count"] == (
            "0" if name in used else "1")
        assert member["Partner Churned Count"] == "1"
    lonely.make_theirs()
    wait_until(lambda: lonely.aggregated(bench.take_look(), [0, 1]),
               "the partner comes late, and is welcome", 20, interval=0.3)
    for member in lonely.our_proc().members.values():
        assert member["Partner Churn State"] != "churned"


def test_partner_reboots(bench):
    """The partner is reset: its members are given up, and taken back when it
    has booted."""
    pair = CHURN[0]
    bench.theirs = {}
    bench.guest.reset()
    assert not bench.take_look().lacp[pair.our()].current()
    pair.make_theirs()
    wait_until(lambda: pair.aggregated(bench.take_look(), [0, 1]),
               "both members aggregate again", 20, interval=0.3)
    reachable(bench.s.ns, pair.address(2))
