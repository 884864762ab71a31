# SPDX-License-Identifier: Apache-2.0

"""balance-tlb and balance-alb on real hosts: who sends and gets how much by
which member, and who still reaches whom when a member is lost.

A learning switch (learning.py) connects everybody.  It forgets nothing when a
port of its own loses its carrier: that a MAC address is elsewhere now, it has
to be told."""

import collections
import concurrent.futures
import json
import re
import time

import pytest

import alb
from alb import HOST, HOST10, VLAN
from differential import MACS
from lab import SLOW, wait_until
from traffic import Iperf, Ping

BALANCED = 15                   # s.  By then shares are even, after two looks
                                # at loads...
EVEN = 0.2                      # ...but for a fifth.
BACK = 1.0 * SLOW               # s.  All are reachable again after a cut.
TOLD = 2.0 * SLOW               # s.  Nobody believes in a dead member.
# A failover may move addresses at once; so do the messages that follow.
FAILOVER = 1.5 * SLOW


class Net:
    """One bond at a learning switch, and those who talk."""

    def __init__(self, lab, bond, core, mode, members, options=None,
                 vlan=False, guests=0, interval=0.1, ipv6=False):
        self.bond, self.core = bond, core
        self.members = list(members)
        self.failovers = []             # (from, to).
        bond.create(mode, self.members, options, vlan)
        if ipv6:
            bond.add_ipv6()
            for c in core.clients:
                c.add_ipv6()
        self.echo = alb.Echo(interval)
        for c in core.clients:
            self.echo.add(c.address, c, c.host)
        self.guests = [bond.guest(i) for i in range(guests)]
        self.from_guests = alb.Echo(0.4)
        for g in self.guests:
            self.from_guests.add(g.address, g, core.clients[0].address)
            self.from_guests.add(g.address + " to the host", g, HOST)
        self.tables = alb.Tables(core)

    def start(self):
        """All talk, from now on; returns when they began to."""
        began = time.time()
        self.echo.start()
        if self.guests:
            self.from_guests.start()
        self.echo.wait_all()
        return began

    def close(self):
        """Ends threads."""
        self.echo.close()
        self.from_guests.close()
        self.tables.close()
        self.core.close()

    def lost(self, since, until):
        """Who had no answer then."""
        return {**self.echo.lost(since, until),
                **self.from_guests.lost(since, until)}

    def cut(self, i):
        """Cuts a member."""
        at = self.bond.cut(i)
        self.failovers.append((at, at + FAILOVER))
        return at

    def mend(self, i):
        """Mends it."""
        at = self.bond.mend(i)
        self.failovers.append((at, at + FAILOVER))
        return at

    def activate(self, i):
        """Makes it the active one."""
        at = self.bond.activate(i)
        self.failovers.append((at, at + FAILOVER))
        return at

    def check_cut(self, at, dead, seconds=2.7):
        """Looks at what has come of a cut of the member 'dead' at 'at'."""
        sleep_until(at + seconds * SLOW)
        now = time.time() - 0.2 * SLOW  # The last answers are under way.
        lost = self.lost(at + BACK, now)
        assert not lost, "no answer after a cut of p%d: %s" % (dead, lost)
        wrong = self.tables.dead(self.core.report(), "q%d" % dead,
                                 at + TOLD, now)
        assert not wrong, "entries that point to p%d: %s" % (dead, wrong)

    def check_quiet(self, since):
        """Nobody lost anything, nothing moved since then."""
        now = time.time() - 0.2 * SLOW
        lost = self.lost(since, now)
        assert not lost, "no answer though nothing happened: %s" % lost
        moved = [m for m in self.core.report().moves() if m.time > since]
        assert not moved, moved

    def check_unrest(self):
        """No address was at two ports within a second but for failovers; and
        for guests that were moved because of the load, which they are not
        soon again."""
        unrest = self.core.report().unrest(self.failovers)
        guests = {g.mac_address: [] for g in self.guests}
        for m in unrest:
            assert m.mac in guests, "\n".join(map(str, unrest))
            guests[m.mac].append(m.time)
        for times in guests.values():
            assert all(b - a > 5 for a, b in zip(times, times[1:])), unrest

    def check_guests(self):
        """Guests' frames are theirs, and the host's are the bond's."""
        report = self.core.report()
        own = {g.address: {g.mac_address} for g in self.guests}
        own[HOST] = own[HOST10] = set(MACS[:len(self.bond.cables)])
        for mac, vlan, ip in report.sources:
            assert mac in own[ip], (mac, vlan, ip)
            assert vlan == alb.vlan_of(ip), (mac, vlan, ip)
        arps = [a for a in report.arps if a.spa != "0.0.0.0"]
        for a in arps:
            assert a.src in own[a.spa] and a.sha in own[a.spa], a
            assert a.vlan == alb.vlan_of(a.spa), a
        for g in self.guests:
            assert any(a.spa == g.address for a in arps), g.address
            # Nobody balances what stays inside.
            assert MACS[0] in g.run("ip", "neigh", "show", HOST).stdout


def sleep_until(when):
    """Waits until that time."""
    time.sleep(max(0, when - time.time()))


def check_even(shares, members):
    """Shares of members differ from even ones by a fifth at most."""
    even = sum(shares.values()) / len(members)
    assert even > 0
    for i in members:
        assert abs(shares["q%d" % i] - even) <= EVEN * even, dict(shares)


@pytest.fixture
def net_of(lab, daemon):
    """Makes a Net of our bond that is closed at the end."""
    nets = []

    def make(mode, n, vlans, **kwargs):
        core = alb.Core(lab, vlans)
        bond = alb.OurBond(lab, daemon, core, n)
        core.start()
        nets.append(Net(lab, bond, core, mode, range(n), **kwargs))
        return nets[-1]
    yield make
    for net in nets:
        net.close()


def test_alb(net_of):
    """16 clients, 4 of them in a VLAN, with guests beside the host: both
    directions are shared evenly; members are lost and come back, one client
    ignores what it is told, and all stay reachable."""
    net = net_of("balance-alb", 2, [0] * 12 + [VLAN] * 4, vlan=True, guests=2)
    began = net.start()
    stubborn = net.core.clients[3]
    mac = wait_until(lambda: net.tables.now()[stubborn.address], "its entry")
    stubborn.run("ip", "neigh", "replace", HOST, "lladdr", mac, "dev", "eth0",
                 "nud", "permanent")

    sleep_until(began + BALANCED)
    net.core.count()
    time.sleep(2.5)
    report = net.core.report()
    check_even(report.shares("tx"), net.members)
    check_even(report.shares("rx"), net.members)
    assert report.flooded == 0
    counts = collections.Counter(net.tables.now().values())
    assert counts == {MACS[0]: 8, MACS[1]: 8}
    net.check_quiet(began + 2)
    check_learning(report, began)
    check_table(net)
    check_once(net)

    first = net.bond.active()
    other = 1 - first
    client = net.core.clients[0]
    up = Iperf(net.bond.s.ns, client, HOST, seconds=4, mbps=6)
    down = Iperf(net.bond.s.ns, client, HOST, seconds=4, mbps=6, port=5202,
                 reverse=True)
    time.sleep(0.5)
    at = net.cut(first)
    net.check_cut(at, first)
    assert net.bond.active() == other
    for result in up.result(), down.result():
        assert steady(result.rates), result.rates
    at = net.mend(first)
    sleep_until(at + 3 * SLOW)
    # Whoever comes back takes nothing away.
    assert not net.lost(at, time.time() - 0.2 * SLOW)
    counts = collections.Counter(
        mac for c, mac in net.tables.now().items() if c != stubborn.address)
    assert sorted(counts.values()) == [7, 8], counts
    assert net.bond.active() == other

    # One after the other, faster than a client is willing to learn.
    net.cut(other)
    time.sleep(0.6)
    net.mend(other)
    time.sleep(0.4)
    at = net.cut(first)
    net.check_cut(at, first)
    assert net.tables.now()[stubborn.address] == mac
    net.check_unrest()
    check_requests(net, stubborn)
    net.check_guests()


def check_table(net):
    """bond/rlb and bond/status say what clients believe."""
    told = net.tables.now()
    clients = {c.address: c for c in net.core.clients}
    text = net.bond.s.appctl("bond/rlb", "b")
    lines = re.findall(r"client (\S+) \((\S+)\) of (\S+?)(?: in VLAN (\d+))?:"
                       r" member (\S+) for \d+ ms, told (\S+?)\n", text)
    table = {}
    for address, client_mac, host, vlan, member, mac in lines:
        c = clients[address]
        assert (client_mac, host, int(vlan or 0)) \
            == (c.mac_address, c.host, c.vlan), text
        assert mac == MACS[int(member[1:])], text   # Nothing has moved.
        table[address] = mac
    assert table == told, text
    status = json.loads(net.bond.s.appctl("bond/status", "b"))
    assert {e["client"]: e["server_mac"] for e in status["rlb"]} == told
    assert all(e["age_ms"] > 10000 and not e["pending"]
               for e in status["rlb"]), status["rlb"]


def check_flood(net):
    """The network no longer knows where addresses are, and sends frames
    everywhere: they arrive once.  (In balance-alb all members take what is for
    the host, as in Linux: LB-RX-09.)"""
    for _ in range(5):
        net.core.forget()
        time.sleep(0.1)
    assert net.core.report().flooded
    copies = {f.name: f.copies for f in net.echo.flows + net.from_guests.flows
              if f.copies}
    assert not copies, copies


def check_requests(net, stubborn):
    """The host has forgotten all clients and asks for them, which tells all
    of them the bond's address; soon it is as before."""
    for i in net.members:
        net.mend(i)
    net.bond.s.wait_enabled(["p%d" % i for i in net.members], "b")
    time.sleep(1.5 * SLOW)
    at = time.time()
    for dev in "br0", "v10":
        net.bond.s.ns.run("ip", "neigh", "flush", "dev", dev)
    sleep_until(at + 3 * SLOW)
    counts = collections.Counter(
        mac for c, mac in net.tables.now().items() if c != stubborn.address)
    assert sorted(counts.values()) == [7, 8], counts
    net.check_quiet(at + BACK)


def steady(rates):
    """Nothing was heard for a second at most."""
    longest = current = 0
    for rate in rates:
        current = 0 if rate else current + 1
        longest = max(longest, current)
    return longest <= 4 * SLOW


def check_once(net):
    """Peers that send to a member's own address are answered once."""
    assert net.bond.filters(net.members) == [1, 1]
    for mac in MACS[:2]:
        client = next(c for c in net.core.clients
                      if net.tables.now()[c.address] == mac)
        out = client.run("ping", "-c", "3", "-i", "0.1", client.host).stdout
        assert " 3 received" in out and "duplicates" not in out, out


def check_learning(report, since):
    """Learning packets teach where each address is, in each VLAN."""
    for vlan in 0, VLAN:
        for mac in MACS[:2]:
            times = [x.time for x in report.learning
                     if (x.vlan, x.src) == (vlan, mac) and x.time > since + 2]
            assert len(times) >= BALANCED - 3, (vlan, mac, times)
            gaps = [b - a for a, b in zip(times, times[1:])]
            assert max(gaps) < 1.1 + 0.5 * SLOW, (vlan, mac, gaps)
    for x in report.learning:
        assert x.src == x.dst and x.len == 60 and x.src in MACS[:2], x


def test_tlb(net_of):
    """balance-tlb: what the host sends is shared by four members, what it
    gets comes by the active one, and a lost member is replaced."""
    net = net_of("balance-tlb", 4, [0] * 16, guests=1)
    began = net.start()
    sleep_until(began + 3)          # Loads have been looked at once.
    net.core.count()
    time.sleep(2)
    report = net.core.report()
    active = net.bond.active()
    check_even(report.shares("tx"), net.members)
    assert set(report.shares("rx")) == {"q%d" % active}
    # One flow does not change its member.
    assert all(len(p) == 1 for p in report.ways("tx").values())
    assert {m for m, _v, ip in report.sources if ip == HOST} \
        == set(MACS[:4])
    net.check_quiet(began + 1)
    check_flood(net)

    for dead in (active + 1) % 4, active:
        at = net.cut(dead)
        net.check_cut(at, dead)
    assert net.bond.active() not in (active, (active + 1) % 4)
    # Nobody was told of any other address.
    assert set(net.tables.now().values()) == {MACS[0]}
    assert {a.sha for a in net.core.report().arps if a.spa == HOST} \
        == {MACS[0]}
    net.check_unrest()
    net.check_guests()

    net.bond.option("xmit_hash_policy", "layer2")
    net.bond.option("tlb_dynamic_lb", 0)
    for i in (active + 1) % 4, active:
        net.mend(i)
    net.bond.s.wait_enabled(["p%d" % i for i in range(4)], "b")
    time.sleep(0.5)
    net.core.count()
    now = time.time()
    time.sleep(2.5)
    report = net.core.report()
    last = int(MACS[0][-2:], 16)
    for c in net.core.clients:
        # IPv4; the addresses' last bytes; a power of two.
        member = (last ^ int(c.mac_address[-2:], 16) ^ 0x0800) % 4
        assert report.ways("tx")[c.address] == {"q%d" % member}, c.address
    assert not [x for x in report.learning if x.time > now]


def test_one_client(net_of):
    """With one client nothing is worse than with active-backup."""
    net = net_of("active-backup", 2, [0])
    client = net.core.clients[0]
    filters = net.bond.filters(net.members)
    gaps = {}
    for mode in "active-backup", "balance-tlb", "balance-alb":
        net.bond.option("mode", mode)
        wait_until(lambda: net.bond.s.bond("b").fields["bond_mode"] == mode,
                   "the mode is " + mode)
        ping = Ping(client, HOST, 0.01)
        active = net.bond.active()
        net.cut(active)
        ping.wait_replies(30)
        net.mend(active)
        net.bond.s.wait_enabled(["p0", "p1"], "b")
        ping.wait_replies(50)
        ping.stop()
        assert ping.duplicates == 0
        gaps[mode] = ping.gap, ping.lost
    for mode, (gap, lost) in gaps.items():
        assert gap <= gaps["active-backup"][0] + 0.2 * SLOW, gaps
        assert lost <= gaps["active-backup"][1] + 20 * SLOW, gaps
    # The kernel lets in again what it did, though the bond goes on later.
    assert net.bond.filters(net.members) == [1, 1] != filters
    net.bond.s.may_be_dead = True
    net.bond.s.appctl("exit")
    wait_until(lambda: net.bond.filters(net.members) == filters,
               "members have their filters back")


@pytest.mark.parametrize("mode", ["balance-slb", "balance-alb"])
def test_restart(net_of, mode):
    """A daemon that begins announces the host, which is silent, by another
    member than the active one; that comes back by the latter, and does not mean
    that the host is behind the bond."""
    net = net_of(mode, 3, [0] * 2, guests=1)
    s = net.bond.s
    net.start()
    for c in net.core.clients + net.guests:     # It has nothing to ask for.
        s.ns.run("ip", "neigh", "replace", c.address, "lladdr",
                 c.mac_address, "dev", "br0", "nud", "permanent")
    at = time.time()
    s.stop()
    s.start()
    sleep_until(at + 4 * SLOW)
    net.check_quiet(at + 2 * SLOW)
    if mode == "balance-slb":
        assert [a for a in net.core.report().arps if a.spa == a.tpa == HOST
                and a.time > at and a.port != "q%d" % net.bond.active()]


def test_modes(net_of):
    """Whoever was told the address of a member by balance-alb is told the
    host's when that ends."""
    net = net_of("balance-alb", 2, [0] * 4)
    net.start()
    wait_until(lambda: set(net.tables.now().values()) == set(MACS[:2]),
               "clients are shared")
    net.bond.option("mode", "active-backup")
    at = time.time()
    sleep_until(at + 2 * SLOW)
    lost = net.lost(at + BACK, time.time() - 0.2 * SLOW)
    assert not lost, lost
    assert set(net.tables.now().values()) == {MACS[0]}


def test_ipv6(net_of):
    """Neighbour discovery is balanced as ARP is, if one wants it."""
    net = net_of("balance-alb", 2, [0] * 4, options={"rlb_ipv6": "true"},
                 ipv6=True)
    net.start()
    wait_until(lambda: sorted(collections.Counter(
        net.tables.now().values()).items()) == [(MACS[0], 2), (MACS[1], 2)],
        "clients are shared")
    time.sleep(2 * SLOW)
    dead = net.bond.active()
    at = net.cut(dead)
    net.check_cut(at, dead)
    net.check_unrest()
    assert sum(f.copies for f in net.echo.flows) == 0


class Snapshot:
    """What is where."""

    def __init__(self, net):
        macs = net.tables.now()
        report = net.core.report()
        now = time.time()
        self.active = net.bond.active()
        self.ports = {mac: report.port_of(mac, 0, now) for mac in MACS[:3]}
        self.entries = {c.address: report.port_of(macs[c.address], c.vlan,
                                                  now)
                        for c in net.core.clients}
        self.counts = sorted(collections.Counter(macs.values()).values())

    def __repr__(self):
        return "active p%s, %s, %s" % (self.active, self.ports, self.entries)


def settle(net, members):
    """Waits until clients are shared by 'members' as evenly as can be, and
    returns what is where then."""
    def once():
        found = Snapshot(net)
        even = len(net.core.clients) // members
        assert len(found.counts) == members and found.counts[0] >= even \
            and found.counts[-1] <= even + 1, found
        return found
    return wait_until(once, "clients are shared", 7)


def when_told(net, at, dead):
    """How long after 'at' an entry last pointed to the member 'dead'."""
    report = net.core.report()
    now = time.time()
    last = 0.0
    for c in net.core.clients:
        for s, following in net.tables.between(c.address, at, now):
            until = following.time if following else now
            stays = report.stays.get((s.mac, c.vlan), [])
            for stay, later in zip(stays, stays[1:] + [None]):
                gone = min(until, later[1] if later else now)
                if stay[0] == "q%d" % dead and stay[1] < until and gone > at:
                    last = max(last, gone - at)
    return last


@pytest.fixture
def pool():
    """Threads that outlive a lab that is asked for after them."""
    with concurrent.futures.ThreadPoolExecutor(2) as threads:
        yield threads


@pytest.mark.guest
def test_like_linux(pool, lab, daemon):
    """At each event all tables are as with Linux' own driver: who is active,
    which address is where, how many clients were told of which.

    We differ on purpose: clients of a dead member are told at once, while
    Linux lets up to 2.1 s pass; and what the host sends is shared out from
    the first, while in Linux it leaves by one member until 10 s have
    passed."""
    twins = alb.Twins(pool, lab, daemon, [0] * 8 + [VLAN] * 2, 3)
    nets = []
    try:
        for label, bond in twins.bonds.items():
            nets.append(Net(lab, bond, twins.cores[label], "balance-alb",
                            range(3), vlan=True))
        for net in nets:
            net.start()
        linux, ours = nets
        before = [Snapshot(net) for net in nets]
        # Members take turns, in the order in which clients have come.
        assert before[0].entries == before[1].entries, before
        report = linux.core.report()
        assert set(report.shares("tx")) == {"q0"}
        for event, i in (("cut", 1), ("mend", 1), ("activate", 2),
                         ("cut", 2)):
            at = [getattr(net, event)(i) for net in nets]
            if event == "activate":
                time.sleep(2.5 * SLOW)
            now = [settle(net, 2 if event == "cut" else 3) for net in nets]
            for what in "active", "ports", "counts":
                assert getattr(now[0], what) == getattr(now[1], what), \
                    (event, i, now)
            if event == "activate":     # It moves addresses, nobody else.
                assert now[1].entries == last.entries, (last, now[1])
            last = now[1]
            if event == "cut":
                assert when_told(ours, at[1], i) < 0.5 * SLOW
                # Those of healthy members hear nothing (LB-FO-10).
                for net in nets:
                    assert not [a for a in net.core.report().arps
                                if a.dst == "ff:ff:ff:ff:ff:ff"
                                and a.spa == a.tpa and a.time > at[0]]
                ours.check_cut(at[1], i, 2.5)
        ours.check_unrest()
        ours.check_guests()
    finally:
        for net in nets:
            net.close()
