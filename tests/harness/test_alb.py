# SPDX-License-Identifier: Apache-2.0

"""balance-tlb on real hosts: who sends and gets how much by
which member, and who still reaches whom when a member is lost.

A learning switch (learning.py) connects everybody.  It forgets nothing when a
port of its own loses its carrier: that a MAC address is elsewhere now, it has
to be told."""

import time

import pytest

import alb
from alb import HOST, HOST10
from differential import MACS
from lab import SLOW, wait_until
from traffic import Ping

BALANCED = 15                   # s.  By then shares are even...
EVEN = 0.2                      # ...but for a fifth.
BACK = 1.0 * SLOW               # s.  All are reachable again after a cut.
TOLD = 2.0 * SLOW               # s.  Nobody believes in a dead member.
# A failover may move addresses at once; so do the messages that follow.
FAILOVER = 1.5 * SLOW


class Net:
    """One bond at a learning switch, and those who talk."""

    def __init__(self, lab, bond, core, mode, members, options=None,
                 vlan=False, guests=0, interval=0.04):
        self.bond, self.core = bond, core
        self.members = list(members)
        self.failovers = []             # (from, to).
        bond.create(mode, self.members, options, vlan)
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

    def check_cut(self, at, dead, seconds=3.5):
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


def test_tlb(net_of):
    """balance-tlb: what the host sends is shared by four members, what it
    gets comes by the active one, and a lost member is replaced."""
    net = net_of("balance-tlb", 4, [0] * 16, guests=1)
    began = net.start()
    sleep_until(began + BALANCED)
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
    net.check_quiet(began + 2)

    for dead in (active + 1) % 4, active:
        at = net.cut(dead)
        net.check_cut(at, dead, 2.5)
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
    gaps = {}
    for mode in "active-backup", "balance-tlb":
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
