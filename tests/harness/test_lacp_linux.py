"""LACP with a foreign partner: the Linux bonding driver, mode 802.3ad, in a
QEMU guest.  One boot serves all tests."""

import struct
import threading
import time

import pytest

import guest as guest_module
from lab import SLOW, checked_lab, wait_until
from switch import Switch
from traffic import Ping, reachable

pytestmark = pytest.mark.guest

TAPS = ["k1", "k2"]
ETHS = {"eth0", "eth1"}
ACTIVITY, TIMEOUT, EXPIRED, DEFAULTED = 0x01, 0x02, 0x80, 0x40
DISTRIBUTING = 0x20


class Link:
    """h1 - switch - two taps - guest with bond0."""

    def __init__(self, lab, daemon):
        self.s = Switch(lab, "s1", daemon)
        self.guest = guest_module.Guest(lab, self.s.ns, TAPS)
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


@pytest.mark.parametrize("rate", ["fast", "slow"])
@pytest.mark.parametrize("ours, linux", [("active", "active"),
                                         ("passive", "active"),
                                         ("active", "passive")])
def test_aggregates(link, ours, linux, rate):
    """Both members aggregate, traffic passes both ways, a cut link leaves,
    and rejoins when it is mended."""
    link.bond(ours, rate, linux == "active")
    link.wait_aggregated()
    show = link.s.lacp()
    proc = link.guest.bond()
    assert show.fields["status"] == ours + " negotiated"
    assert proc.fields["LACP rate"] == rate
    assert proc.fields["LACP active"] == (
        "on" if linux == "active" else "off")
    for i, tap in enumerate(TAPS):
        state = set(show.members[tap]["partner state"].split())
        assert ("activity" in state) == (linux == "active")
        assert ("timeout" in state) == (rate == "fast")
        assert (show.members[tap]["partner sys_id"]
                in (link.guest.mac(0), link.guest.mac(1)))
        state = proc.state("eth%d" % i, "partner")
        assert bool(state & ACTIVITY) == (ours == "active")
        assert bool(state & TIMEOUT) == (rate == "fast")
        assert (proc.members["eth%d" % i]["partner"]["system mac address"]
                == show.members[tap]["actor sys_id"])
    reachable(link.h1, "10.0.0.2")
    assert " 0% packet loss" in link.guest.run("ping -c 3 -i 0.1 10.0.0.1")

    ping = Ping(link.h1, "10.0.0.2", interval=0.02)
    for i, tap in enumerate(TAPS):
        link.guest.cut(i)
        link.s.wait_enabled(set(TAPS) - {tap}, timeout=5)
        wait_until(lambda: link.guest.bond().aggregated()
                   == ETHS - {"eth%d" % i}, "the guest sees the cut", 5)
        ping.wait_replies(20)
        link.guest.mend(i)
        link.wait_aggregated()
        ping.wait_replies(20)
    ping.stop()
    assert ping.gap < 3 * SLOW and ping.duplicates == 0, "%s" % ping


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
    link.s.vsctl("set", "port", "bond0", "other_config:bond-mode=" + mode)
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
