# SPDX-License-Identifier: Apache-2.0

"""What a bond takes, and by whom queues of OpenFlow leave, on real frames.

Frames come in at the far ends of the members' cables; what passes is seen at
br0, the switch's own port.  Names of tests and frames are the catalogue's."""

import struct
import time

import pytest

from lab import SLOW, Cable, wait_until
from switch import Switch
from test_fastpath import (DST, LACP, PORTS, SRC, Net, Stream, frame,
                           mac_bytes, run_ofctl)

REMOTE = "02:00:00:00:0c:01"    # Whoever sends by the far ends.
ETH_TYPE = 0x88b5
ALL = ["a1", "a2", "a3", "a4", "a5", "a6", "a7"]
BROADCAST = "ff:ff:ff:ff:ff:ff"


class Receiver:
    """Switch s1 with bond0 of p1, p2, p3; the far ends are q1, q2, q3.  With
    'stock', a switch of that kind, q1 and q2 are a bond with LACP there."""

    def __init__(self, lab, daemon, settings, stock=None):
        self.s = Switch(lab, "s1", daemon)
        if stock:
            self.s2 = Switch(lab, "s2", stock)
            self.far = self.s2.ns
        else:
            self.far = lab.namespace("far")
        for ns in self.s.ns, self.far:
            ns.run("sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1",
                   "net.ipv6.conf.default.disable_ipv6=1")
        self.s.vsctl("set", "bridge", "br0",
                     "other_config:forward-bpdu=true")
        self.s.ns.set_link("br0", "up")
        self.cables = {p: Cable(self.s.ns, p, self.far, p.replace("p", "q"))
                       for p in PORTS}
        if stock:
            self.s2.add_bond("bond0", ["q1", "q2"], "bond_mode=balance-tcp",
                             *LACP)
            settings = settings + LACP
        self.s.add_bond("bond0", PORTS, *settings)
        self.s.wait_enabled(PORTS[:2] if stock else PORTS, timeout=30)
        self.far_ends = {p: self.far.packet_socket(p.replace("p", "q"))
                         for p in PORTS}
        self.host = self.s.ns.packet_socket("br0")
        self.host.settimeout(0.05)
        self.count = 0

    def close(self):
        """Closes sockets."""
        for s in [self.host] + list(self.far_ends.values()):
            s.close()

    def destination(self, name, member):
        """Where frame 'name' goes to if it comes in by 'member'."""
        return {"a1": self.s.ns.mac("br0"), "a2": self.s.ns.mac(member),
                "a3": BROADCAST, "a4": "01:00:5e:01:01:01",
                "a5": "01:80:c2:00:00:0e", "a6": "01:80:c2:00:00:00",
                "a7": "02:00:00:00:0d:01"}[name]

    def inject(self, member, dst, src=REMOTE, number=None):
        """Sends a frame by the far end of 'member'; returns its number."""
        if number is None:
            self.count += 1
            number = self.count
        self.far_ends[member].send(
            mac_bytes(dst) + mac_bytes(src)
            + struct.pack("!HI", ETH_TYPE, number) + bytes(46))
        return number

    def arrived(self):
        """Numbers of the frames that have come to the host, once no more
        come."""
        found = []
        quiet = time.monotonic() + 0.25 * SLOW
        while time.monotonic() < quiet:
            try:
                data, address = self.host.recvfrom(2048)
            except TimeoutError:
                continue
            if (address[2] != 4 and len(data) >= 18
                    and data[12:14] == struct.pack("!H", ETH_TYPE)):
                found.append(struct.unpack_from("!I", data, 14)[0])
                quiet = time.monotonic() + 0.25 * SLOW
        return found

    def delivered(self, member):
        """Which of a1 to a7 pass if they come in by 'member'."""
        numbers = {}
        for name in ALL:
            for _ in range(2):
                numbers[self.inject(member, self.destination(name, member))] \
                    = name
                time.sleep(0.01)
        got = [numbers[n] for n in self.arrived()]
        assert all(got.count(name) in (0, 2) for name in ALL), got
        return sorted(set(got))

    def set(self, *settings):
        """Changes bond0, live."""
        self.s.vsctl("set", "port", "bond0", *settings)
        self.settle()

    def settle(self):
        """Waits until no flow in the datapath is older than a change that
        the main loop has seen: one dump may be under way by then."""
        self.s.appctl("revalidator/wait")
        self.s.appctl("revalidator/wait")

    def table(self):
        """What passes, by member."""
        return {p: self.delivered(p) for p in PORTS}

    def spares(self):
        """Members other than the active one."""
        return [p for p in PORTS if p != self.s.bond().active]


@pytest.fixture
def receiver(lab, daemon, stock):
    """Makes a Receiver that is closed at the end."""
    made = []

    def make(*settings, lacp=False):
        made.append(Receiver(lab, daemon, list(settings),
                             stock if lacp else None))
        return made[-1]
    yield make
    for r in made:
        r.close()


@pytest.mark.parametrize("mode", ["balance-rr", "balance-xor", "broadcast"])
def test_lb_rx_01(receiver, mode):
    """All members deliver everything, one that the bond does not use, too."""
    r = receiver("other_config:bond-mode=" + mode)
    assert r.table() == {p: ALL for p in PORTS}
    r.s.appctl("bond/disable-member", "bond0", "p2")
    r.set("bond_updelay=60000")
    r.cables["p3"].cut()
    r.s.wait_enabled({"p1", "p2"})
    r.cables["p3"].mend()
    r.far_ends["p3"].close()        # It remembers that it was down.
    r.far_ends["p3"] = r.far.packet_socket("q3")
    # It is up again for the network, but not yet for the bond.
    assert "p3" not in r.s.enabled()
    assert r.delivered("p3") == ALL
    assert "p3" not in r.s.enabled()


def test_lb_rx_02_to_05(receiver):
    """active-backup: the active member delivers everything, a backup nothing
    or, with all_slaves_active, everything, which is live."""
    r = receiver("bond_mode=active-backup")
    active = r.s.bond().active
    quiet = {p: ALL if p == active else [] for p in PORTS}
    assert r.table() == quiet
    r.set("other_config:bond-all-slaves-active=1")
    assert r.table() == {p: ALL for p in PORTS}
    r.set("other_config:bond-all-slaves-active=0")
    assert r.table() == quiet
    r.s.vsctl("remove", "port", "bond0", "other_config",
              "bond-all-slaves-active")
    r.set("other_config:all-members-active=true")
    assert r.table() == {p: ALL for p in PORTS}


def test_lb_rx_10(receiver):
    """A broadcast that comes by all members is delivered once, and with
    all_slaves_active as often as it came; after a failover likewise."""
    r = receiver("bond_mode=active-backup")

    def everywhere():
        number = r.inject(PORTS[0], BROADCAST)
        for p in PORTS[1:]:
            r.inject(p, BROADCAST, number=number)
        return r.arrived() == [number]
    assert everywhere()
    alive = r.spares()
    r.cables[r.s.bond().active].cut()
    r.s.wait_enabled(alive)
    r.settle()
    number = r.inject(alive[0], BROADCAST)
    r.inject(alive[1], BROADCAST, number=number)
    assert r.arrived() == [number]
    r.set("other_config:bond-all-slaves-active=1")
    number = r.inject(alive[0], BROADCAST)
    r.inject(alive[1], BROADCAST, number=number)
    assert r.arrived() == [number] * 2


def test_own_frames_that_come_back(receiver, lab):
    """all_slaves_active does not make the switch believe that a guest is
    behind the bond when the network floods its frame back to a backup."""
    r = receiver("bond_mode=active-backup",
                 "other_config:bond-all-slaves-active=1")
    h1 = lab.namespace("h1")
    Cable(r.s.ns, "to-h1", h1, "eth0")
    r.s.vsctl("add-port", "br0", "to-h1")
    out = h1.packet_socket("eth0")
    try:
        out.send(mac_bytes(BROADCAST) + mac_bytes(SRC)
                 + struct.pack("!HI", ETH_TYPE, 1 << 20) + bytes(46))
        assert r.arrived() == [1 << 20]
        where = [line for line in r.s.appctl("fdb/show", "br0").splitlines()
                 if SRC in line]
        for p in r.spares():
            r.inject(p, BROADCAST, src=SRC)
        assert not r.arrived()
        now = [line for line in r.s.appctl("fdb/show", "br0").splitlines()
               if SRC in line]
        assert where and [line.split()[0] for line in now] \
            == [line.split()[0] for line in where]
    finally:
        out.close()


def test_lb_rx_06_07(receiver):
    """802.3ad: a port without a partner delivers nothing, but its slow
    protocols are heard; with all_slaves_active it delivers everything."""
    r = receiver("other_config:bond-mode=802.3ad", lacp=True)
    want = {"p1": ALL, "p2": ALL, "p3": []}
    assert r.s.enabled() == {"p1", "p2"}
    assert r.table() == want
    before = r.s.lacp_stats()["p3"]
    r.far_ends["p3"].send(mac_bytes("01:80:c2:00:00:02") + mac_bytes(REMOTE)
                          + b"\x88\x09\x01\x01" + bytes(108))
    wait_until(lambda: r.s.lacp_stats()["p3"] != before, "p3 hears LACP")
    r.set("other_config:bond-all-slaves-active=1")
    assert r.table() == {p: ALL for p in PORTS}
    r.set("other_config:bond-all-slaves-active=0")
    assert r.table() == want


@pytest.mark.parametrize("mode", ["balance-xor", "active-backup"])
def test_multicast(receiver, mode):
    """multicast=disabled, active and all, live: it is about groups, neither
    broadcast nor link-local frames."""
    r = receiver("other_config:bond-mode=" + mode)
    spare = ALL if mode == "balance-xor" else []
    active = r.s.bond().active
    assert r.table() == {p: ALL if p == active else spare for p in PORTS}

    def without(names):
        return [n for n in names if n != "a4"]
    for value, want in (
            ("disabled", {p: without(ALL if p == active else spare)
                          for p in PORTS}),
            ("active", {p: ALL if p == active else without(spare)
                        for p in PORTS}),
            ("all", {p: ALL if p == active else spare for p in PORTS})):
        r.set("other_config:bond-multicast=" + value)
        assert r.table() == want, value
    status = r.s.get("port", "bond0", "status")
    assert "bond_error" not in status, status


def test_multicast_active_follows(receiver):
    """With multicast=active another active member is the one to take it."""
    r = receiver("other_config:bond-mode=balance-rr",
                 "other_config:bond-multicast=active")
    group = "01:00:5e:01:01:01"
    first = r.s.bond().active
    numbers = {p: r.inject(p, group) for p in PORTS}
    assert r.arrived() == [numbers[first]]
    r.cables[first].cut()
    r.s.wait_enabled(set(PORTS) - {first})
    r.settle()
    second = r.s.bond().active
    assert second != first
    numbers = {p: r.inject(p, group) for p in PORTS if p != first}
    assert r.arrived() == [numbers[second]]


# Queues of OpenFlow.

PINNED = [frame(256 + i) for i in range(120)]
OTHERS = [frame(i) for i in range(120)]


@pytest.fixture
def queue_net(lab, daemon):
    """Makes a Net whose p2 has queue 2; packets of 10.9.1.0/24 are in queue
    'queue'."""
    nets = []

    def make(*settings, queue=2, members=()):
        nets.append(Net(lab, daemon, list(settings), members=[
            "--", "set", "interface", "p2", "other_config:bond-queue-id=2"]
            + list(members)))
        pin(nets[-1], queue)
        return nets[-1]
    yield make
    for net in nets:
        net.close()


def pin(net, queue):
    """Puts packets of 10.9.1.0/24 in a queue."""
    run_ofctl(net, "add-flow", "br0", "priority=9,udp,nw_src=10.9.1.0/24,"
              "actions=set_queue:%d,NORMAL" % queue)
    settle(net)


def settle(net):
    """As Receiver.settle()."""
    net.s.appctl("revalidator/wait")
    net.s.appctl("revalidator/wait")


def spread(net, frames, timeout=10):
    """How many of 'frames' leave by each member; 'timeout' as for
    exchange()."""
    got = net.exchange(frames, timeout=timeout)
    return [len(got[p]) for p in PORTS]


def only(member):
    """Frames by member if all leave by 'member'."""
    return [120 if p == member else 0 for p in PORTS]


@pytest.mark.parametrize("lb_output", ["true", "false"])
def test_lb_ab_02_to_04(queue_net, lb_output):
    """active-backup: a queue leaves by its member while that has carrier."""
    net = queue_net("bond_mode=active-backup",
                    "other_config:bond-primary=p1",
                    "other_config:lb-output-action=" + lb_output)
    net.s.wait_active("p1")
    before = net.counted()
    assert spread(net, OTHERS) == only("p1")
    assert spread(net, PINNED) == only("p2")
    assert spread(net, OTHERS) == only("p1")
    want = [before[p][0] + n for p, n in zip(PORTS, [240, 120, 0])]
    wait_until(lambda: [net.counted()[p][0] for p in PORTS] == want,
               "%s are counted" % want, 15)
    dump = net.s.appctl("dpctl/dump-flows")
    assert ("lb_output" in dump) == (lb_output == "true"), dump
    # Queue 3 is nobody's, and 2 is somebody else's.
    pin(net, 3)
    assert spread(net, PINNED) == only("p1")
    net.s.vsctl("set", "interface", "p2", "other_config:bond-queue-id=0",
                "--", "set", "interface", "p3",
                "other_config:bond-queue-id=3")
    settle(net)
    assert spread(net, PINNED) == only("p3")
    net.cables["p3"].cut()
    net.s.wait_enabled({"p1", "p2"})
    settle(net)
    assert spread(net, PINNED) == only("p1")
    net.cables["p3"].mend()
    net.s.wait_enabled(PORTS)
    settle(net)
    assert spread(net, PINNED) == only("p3")


def test_queue_heeds_carrier_before_downdelay(queue_net):
    """The active member works on without carrier while downdelay runs; a
    queue does not wait for that."""
    net = queue_net("bond_mode=active-backup", "bond_downdelay=60000",
                    "other_config:bond-primary=p1")
    net.s.wait_active("p1")
    assert spread(net, PINNED) == only("p2")
    net.cables["p2"].cut()
    # Frames that go to p2 before it is known to be cut are lost.
    wait_until(lambda: spread(net, PINNED, timeout=1) == only("p1"),
               "the queue moves")
    assert net.s.enabled() == set(PORTS)


def test_lb_ab_05(queue_net):
    """balance-rr: a queue leaves by its member, all others in turn."""
    net = queue_net("other_config:bond-mode=balance-rr")
    assert spread(net, PINNED) == only("p2")
    assert spread(net, OTHERS) == [40, 40, 40]
    net.clear()
    mixed = [f for pair in zip(PINNED, OTHERS) for f in pair]
    got = net.exchange(mixed)
    assert [len(got[p]) for p in PORTS] == [40, 160, 40]
    net.cables["p2"].cut()
    net.s.wait_enabled({"p1", "p3"})
    assert spread(net, PINNED) == [40, 0, 80]
    assert [f for f in net.s.appctl("dpctl/dump-flows").splitlines()
            if "skb_priority(0x2)" in f and "lb_output" in f]


def test_lb_ab_06(queue_net):
    """balance-xor does not heed queues."""
    net = queue_net("other_config:bond-mode=balance-xor")
    got = spread(net, PINNED)
    assert sorted(got) == [0, 0, 120]
    assert got == spread(net, OTHERS)       # layer2: the same addresses.


def test_queue_cut_under_load(queue_net):
    """The queue's member loses its carrier: its packets move at once."""
    net = queue_net("other_config:bond-mode=balance-rr")
    stream = Stream(net, 1)
    stream.frames = [frame(256 + i) for i in range(200)]
    stream.wait(1500)
    net.cables["p2"].cut()
    net.s.wait_enabled({"p1", "p3"})
    stream.wait(1000)
    got = net.numbers()
    assert len(got["p1"]) > 100 and len(got["p3"]) > 100
    net.cables["p2"].mend()
    net.s.wait_enabled(PORTS)
    net.clear()
    stream.sent = 0
    stream.wait(1000)
    lost = stream.stop()
    n = {p: len(x) for p, x in net.numbers().items()}
    assert n["p2"] > 900 and n["p1"] + n["p3"] < 20, n
    assert lost <= 20 * SLOW, lost


def test_queue_on_pmd(queue_net):
    """The same with PMD threads, and while the main thread stands still."""
    from test_guard import main_thread_stopped
    members = sum((["--", "set", "interface", p, "type=afxdp",
                    "options:xdp-mode=generic"]
                   for p in PORTS + ["to-h1"]), [])
    net = queue_net("bond_mode=active-backup",
                    "other_config:bond-primary=p1", members=members)
    net.s.wait_active("p1")
    assert spread(net, PINNED) == only("p2")
    assert spread(net, OTHERS) == only("p1")
    with main_thread_stopped(net.s):
        net.cables["p2"].cut()
        wait_until(lambda: spread(net, PINNED, timeout=1) == only("p1"),
                   "the queue moves")
    assert DST not in net.s.appctl("fdb/show", "br0")
