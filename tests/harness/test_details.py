"""What is special in each mode, on real frames."""

import signal
import struct
import time

import pytest

from lab import SLOW, Cable, holds_for, wait_until
from switch import Switch, hash_of
from traffic import Iperf, Ping, iperf, reachable, unreachable

MAC_A = "02:00:00:00:0a:01"
MAC_B = "02:00:00:00:0b:01"
SOL_PACKET = 263
PACKET_AUXDATA = 8
LACP = ["bond_mode=balance-tcp", "lacp=active",
        "other_config:lacp-time=fast"]


class Simple:
    """h1 - s1 - bond0 of p1, p2 - static trunk."""

    def __init__(self, lab, daemon, *settings):
        self.s = Switch(lab, "s1", daemon)
        self.trunk = lab.trunk("trunk", "10.0.0.2", self.s, "p1", "p2")
        self.h1 = lab.host("h1", self.s, "to-h1", "10.0.0.1", MAC_A)
        self.s.add_bond("bond0", ["p1", "p2"], *settings)
        self.s.wait_enabled({"p1", "p2"})
        reachable(self.h1, "10.0.0.2")

    def ping(self, **kwargs):
        """A ping through the bond."""
        return Ping(self.h1, "10.0.0.2", **kwargs)

    def cut(self, port):
        """Pulls the cable of 'port'."""
        self.trunk.cable(port).cut()

    def mend(self, port):
        """Puts it back."""
        self.trunk.cable(port).mend()

    def set(self, *settings):
        """Changes settings of the bond."""
        self.s.vsctl("set", "port", "bond0", *settings)

    def sent(self, port):
        """Packets sent by a member."""
        return self.s.ns.counters(port)[1]


AB = "bond_mode=active-backup"
SLB = "bond_mode=balance-slb"


# Active-backup.

@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGKILL],
                         ids=["term", "kill"])
def test_active_member_is_kept(lab, daemon, signum, request,
                               known_in_stock):
    """The active member is the same after a restart, whichever it was."""
    known_in_stock(request, "3.1.0 does not restore the active member")
    net = Simple(lab, daemon, AB)
    for member in "p1", "p2", "p1":
        net.s.appctl("bond/set-active-member", "bond0", member)
        net.s.wait_active(member)
        mac = net.s.ns.mac(member)
        wait_until(lambda: net.s.get("port", "bond0", "bond_active_slave")
                   == '"%s"' % mac, "the database knows the active member")
        net.s.stop(signum)
        net.s.start()
        net.s.wait_enabled({"p1", "p2"})
        reachable(net.h1, "10.0.0.2")
        assert net.s.bond().active == member
        assert net.s.get("port", "bond0", "bond_active_slave") \
            == '"%s"' % mac


def test_active_member_is_sticky(lab, daemon):
    """A member that comes back does not take over."""
    net = Simple(lab, daemon, AB)
    active = net.s.bond().active
    other = {"p1": "p2", "p2": "p1"}[active]
    net.cut(active)
    net.s.wait_active(other)
    net.mend(active)
    net.s.wait_enabled({"p1", "p2"})
    holds_for(lambda: net.s.bond().active == other, "active member", 0.5)


def test_primary(lab, daemon):
    """bond-primary is preferred, takes over when it returns, and may be
    changed, misspelled and removed."""
    net = Simple(lab, daemon, AB, "other_config:bond-primary=p2")
    net.s.wait_active("p2")
    ping = net.ping()
    net.cut("p2")
    net.s.wait_active("p1")
    ping.wait_replies(50)
    net.mend("p2")
    net.s.wait_active("p2")
    ping.wait_replies(50)
    net.set("other_config:bond-primary=p1")
    net.s.wait_active("p1")
    ping.wait_replies(50)
    net.set("other_config:bond-primary=p9")
    wait_until(lambda: "p9" in net.s.bond().fields["active-backup primary"],
               "bond/show names the primary")
    ping.wait_replies(50)
    net.s.vsctl("remove", "port", "bond0", "other_config", "bond-primary")
    wait_until(lambda: net.s.bond().fields["active-backup primary"]
               == "<none>", "no primary")
    ping.wait_replies(50)
    assert ping.stop().gap < 1 * SLOW, "%s" % ping
    assert ping.duplicates == 0


def test_set_active_disable_enable(lab, daemon, request, known_in_stock):
    """The administrator's commands move the traffic."""
    known_in_stock(request, "3.1.0 does not revalidate flows after "
                   "bond/set-active-member")
    net = Simple(lab, daemon, AB, "bond_updelay=60000")
    ping = net.ping()
    for member in "p2", "p1", "p2":
        assert net.s.appctl("bond/set-active-member", "bond0",
                            member).strip() == "done" \
            or net.s.bond().active == member
        net.s.wait_active(member)
        ping.wait_replies(10)
        before = net.sent(member)
        ping.wait_replies(50)
        assert net.sent(member) - before >= 45
    # A command against the link's state lasts for one delay.
    net.s.appctl("bond/disable-member", "bond0", "p2")
    net.s.wait_active("p1")
    assert net.s.enabled() == {"p1"}
    ping.wait_replies(50)
    net.s.appctl("bond/enable-member", "bond0", "p2")
    net.s.wait_enabled({"p1", "p2"})
    assert ping.stop().gap < 1 * SLOW, "%s" % ping


def test_learning_packets(lab, daemon):
    """After a failover the bond tells the world where its hosts are now."""
    net = Simple(lab, daemon, AB)
    active = net.s.bond().active
    other = {"p1": "p2", "p2": "p1"}[active]
    sock = net.trunk.packet_socket("t-" + other)
    sock.settimeout(5 * SLOW)
    net.cut(active)
    want = bytes.fromhex(MAC_A.replace(":", ""))
    deadline = time.monotonic() + 5 * SLOW
    with sock:
        while True:
            frame = sock.recv(2000)
            if frame[12:14] == b"\x80\x35" and frame[6:12] == want:
                break               # A RARP from h1.
            assert time.monotonic() < deadline, "no learning packet"
    assert frame[:6] == b"\xff" * 6


@pytest.mark.parametrize("mode", [AB, SLB])
def test_backup_drops_broadcast(lab, daemon, mode):
    """What a backup member receives by broadcast is dropped,
    unless, in balance-slb, all-members-active is set."""
    net = Simple(lab, daemon, mode)
    active = net.s.bond().active
    backup = {"p1": "p2", "p2": "p1"}[active]

    def inject(port, mark):
        # A new source each time: a flow that drops may be cached.
        frame = (b"\xff" * 6 + bytes.fromhex("0200000099") + mark
                 + struct.pack("!H", 0x88b5) + b"MARK" + mark)
        with net.trunk.packet_socket("t-" + port) as sock:
            sock.send(frame.ljust(60, b"\0"))

    def arrives(mark, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            sock.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                if b"MARK" + mark in sock.recv(2000):
                    return True
            except TimeoutError:
                return False
        return False

    with net.h1.packet_socket("eth0") as sock:
        inject(active, b"1")
        assert arrives(b"1", 3 * SLOW), "the active member must receive"
        inject(backup, b"2")
        assert not arrives(b"2", 0.5), "the backup must drop"
        if mode == AB:
            return                  # The option is balance-slb's.
        net.set("other_config:all-members-active=true")
        inject(backup, b"3")
        assert arrives(b"3", 3 * SLOW), "all-members-active lets it in"


def test_updelay(lab, daemon):
    """A member that comes back must be well for updelay; but a bond without
    any other takes it at once."""
    net = Simple(lab, daemon, AB, "bond_updelay=1500")
    active = net.s.bond().active
    backup = {"p1": "p2", "p2": "p1"}[active]
    net.cut(backup)
    net.s.wait_enabled({active})
    start = time.monotonic()
    net.mend(backup)
    net.s.wait_enabled({active, backup}, timeout=10)
    waited = time.monotonic() - start
    assert 1.4 < waited < 1.5 + 1.0 * SLOW
    net.set("bond_updelay=20000")
    ping = net.ping()
    net.cut(active)
    net.cut(backup)
    net.s.wait_enabled(set())
    wait_until(lambda: ping.quiet_for(0.3), "the traffic stops")
    net.mend(backup)
    net.s.wait_enabled({backup}, timeout=5)
    ping.wait_replies(50)


def test_updelay_starts_again(lab, daemon):
    """A member that flaps during updelay starts again from zero."""
    net = Simple(lab, daemon, AB, "bond_updelay=2000")
    active = net.s.bond().active
    backup = {"p1": "p2", "p2": "p1"}[active]
    net.cut(backup)
    net.s.wait_enabled({active})
    net.mend(backup)
    holds_for(lambda: net.s.enabled() == {active}, "not yet", 1.0)
    net.cut(backup)
    holds_for(lambda: net.s.enabled() == {active}, "not yet", 0.1)
    start = time.monotonic()
    net.mend(backup)
    net.s.wait_enabled({active, backup}, timeout=10)
    assert time.monotonic() - start > 1.9


def test_downdelay(lab, daemon):
    """A member that loses its carrier stays for downdelay, and a short loss
    is nothing at all."""
    net = Simple(lab, daemon, AB, "bond_downdelay=1500")
    active = net.s.bond().active
    other = {"p1": "p2", "p2": "p1"}[active]
    net.cut(active)
    holds_for(lambda: net.s.bond().active == active, "active", 0.5)
    net.mend(active)
    holds_for(lambda: net.s.bond().active == active, "active", 1.5)
    start = time.monotonic()
    net.cut(active)
    net.s.wait_active(other)
    assert 1.4 < time.monotonic() - start < 1.5 + 1.0 * SLOW
    reachable(net.h1, "10.0.0.2")


def test_all_members_down(lab, daemon):
    """With all cables pulled nothing passes; one is enough to go on."""
    net = Simple(lab, daemon, AB)
    net.cut("p1")
    net.cut("p2")
    net.s.wait_enabled(set())
    unreachable(net.h1, "10.0.0.2")
    for port in "p2", "p1":
        net.mend(port)
        net.s.wait_active(port)
        reachable(net.h1, "10.0.0.2")
        net.cut(port)
        net.s.wait_enabled(set())


def test_bond_fake_iface(lab, daemon):
    """bond_fake_iface, for old tools, changes nothing in the traffic."""
    net = Simple(lab, daemon, AB, "bond_fake_iface=true")
    ping = net.ping()
    net.set("bond_fake_iface=false")
    ping.wait_replies(50)
    net.set("bond_fake_iface=true")
    ping.wait_replies(50)
    assert net.s.enabled() == {"p1", "p2"}
    assert "bond0" in net.s.vsctl("list-ports", "br0").split()
    assert ping.stop().lost <= 3, "%s" % ping


def test_device_disappears(lab, daemon, request, known_in_stock):
    """An interface is deleted, made again, and added again."""
    known_in_stock(request, "3.1.0 does not revalidate flows when a member's "
                   "device is gone")
    net = Simple(lab, daemon, AB)
    ping = net.ping()
    active = net.s.bond().active
    other = {"p1": "p2", "p2": "p1"}[active]
    net.s.ns.run("ip", "link", "del", active)
    net.s.wait_enabled({other})
    ping.wait_replies(100, 30)
    net.trunk.cables.remove(net.trunk.cable(active))
    net.trunk.plug(net.s, active)
    # The userspace datapath still has the old device open.
    net.s.del_member("bond0", active)
    net.s.add_member("bond0", active)
    net.s.wait_enabled({"p1", "p2"}, timeout=20)
    ping.wait_replies(50, 30)
    net.cut(other)
    net.s.wait_active(active)
    ping.wait_replies(50, 30)
    assert ping.stop().gap < 2 * SLOW, "%s" % ping


# balance-slb.

def test_slb_migrate_moves_traffic(lab, daemon):
    """bond/migrate moves the traffic of a source MAC, and only that."""
    net = Simple(lab, daemon, SLB,
                 "other_config:bond-rebalance-interval=0")
    bucket = hash_of(net.s, MAC_A)
    ping = net.ping()
    for member in "p1", "p2", "p1":
        reply = net.s.appctl("bond/migrate", "bond0", str(bucket), member)
        assert reply.strip() in ("migrated", ""), reply
        ping.wait_replies(20)
        before = net.sent(member)
        ping.wait_replies(50)
        assert net.sent(member) - before >= 45, "it leaves by " + member
    assert ping.stop().gap < 1 * SLOW, "%s" % ping
    assert ping.duplicates == 0


def test_slb_rebalances(lab, daemon):
    """Two heavy hosts on one member are moved apart."""
    net = Simple(lab, daemon, SLB,
                 "other_config:bond-rebalance-interval=1000")
    h2 = lab.host("h2", net.s, "to-h2", "10.0.0.3", MAC_B)
    reachable(h2, "10.0.0.2")
    a, b = hash_of(net.s, MAC_A), hash_of(net.s, MAC_B)
    assert a != b
    for bucket in a, b:
        net.s.appctl("bond/migrate", "bond0", str(bucket), "p1")
    before = net.sent("p2")
    loads = [Iperf(net.trunk, host, "10.0.0.2", seconds=10, mbps=20,
                   udp=True, port=port)
             for host, port in ((net.h1, 5201), (h2, 5202))]
    wait_until(lambda: net.sent("p2") - before > 1000, "p2 is used, too", 10)
    first = net.sent("p1")
    second = net.sent("p2")
    wait_until(lambda: net.sent("p1") - first > 500
               and net.sent("p2") - second > 500, "both are used", 5)
    for load in loads:
        assert load.result().bytes > 0


# balance-tcp.

class Aggregate:
    """h1 - s1 - bond0 of p1, p2 - s2 (stock) - h2, with LACP."""

    def __init__(self, lab, daemon, stock, *settings):
        self.s = Switch(lab, "s1", daemon)
        self.s2 = Switch(lab, "s2", stock)
        self.cables = {p: Cable(self.s.ns, p, self.s2.ns, q)
                       for p, q in (("p1", "q1"), ("p2", "q2"))}
        self.h1 = lab.host("h1", self.s, "to-h1", "10.0.0.1", MAC_A)
        self.h2 = lab.host("h2", self.s2, "to-h2", "10.0.0.2")
        self.s.add_bond("bond0", ["p1", "p2"], *settings)
        self.s2.add_bond("bond0", ["q1", "q2"], *LACP)
        wait_until(lambda: len(self.s.lacp().current()) == 2
                   and len(self.s2.lacp().current()) == 2, "aggregates", 20)
        reachable(self.h1, "10.0.0.2")

    def flows(self):
        """The flows in the datapath."""
        return self.s.appctl("dpctl/dump-flows")


@pytest.mark.parametrize("lb_output", [False, True],
                         ids=["recirculation", "lb-output"])
def test_tcp_spreads_connections(lab, daemon, stock, lb_output):
    """Connections are spread over both members, by the means asked for."""
    setting = "other_config:lb-output-action=%s" % str(lb_output).lower()
    net = Aggregate(lab, daemon, stock, *LACP, setting,
                    "other_config:bond-rebalance-interval=1000")
    before = {p: net.s.ns.counters(p)[3] for p in net.cables}
    load = Iperf(net.h2, net.h1, "10.0.0.2", seconds=8, streams=16, mbps=4)
    wanted = "lb_output(" if lb_output else "recirc("
    other = "recirc(" if lb_output else "lb_output("
    wait_until(lambda: wanted in net.flows(), "flows with " + wanted, 5)
    assert other not in net.flows()
    fields = net.s.bond().fields
    state = fields["lb_output action"].split(",")[0]
    assert state == ("enabled" if lb_output else "disabled")
    # A member that came second may have to wait for the next rebalancing.
    report = load.result()
    sent = {p: net.s.ns.counters(p)[3] - before[p] for p in net.cables}
    assert min(sent.values()) > report.bytes * 0.03, "%s" % sent
    assert sum(sent.values()) > report.bytes * 0.95


def test_tcp_switching_lb_output(lab, daemon, stock):
    """lb-output-action may be changed under traffic."""
    net = Aggregate(lab, daemon, stock, *LACP)
    ping = Ping(net.h1, "10.0.0.2")
    for value in "true", "false", "true":
        net.s.vsctl("set", "port", "bond0",
                    "other_config:lb-output-action=" + value)
        want = {"true": "enabled", "false": "disabled"}[value]
        wait_until(lambda: net.s.bond().fields["lb_output action"]
                   .startswith(want), "lb_output is " + want)
        ping.wait_replies(100)
    assert ping.stop().gap < 1 * SLOW, "%s" % ping


def test_tcp_needs_lacp(lab, daemon):
    """Towards a partner without LACP balance-tcp sends nothing; with
    lacp-fallback-ab it becomes active-backup."""
    s = Switch(lab, "s1", daemon)
    trunk = lab.trunk("trunk", "10.0.0.2", s, "p1", "p2")
    h1 = lab.host("h1", s, "to-h1", "10.0.0.1")
    s.add_bond("bond0", ["p1", "p2"], *LACP)
    wait_until(lambda: all("defaulted" in m["status"]
                           for m in s.lacp().members.values()),
               "no partner is found", 20)
    assert s.enabled() == set()
    unreachable(h1, "10.0.0.2")
    s.vsctl("set", "port", "bond0", "other_config:lacp-fallback-ab=true")
    reachable(h1, "10.0.0.2", timeout=20)
    ping = Ping(h1, "10.0.0.2")
    active = s.bond().active
    assert active
    trunk.cable(active).cut()
    ping.wait_replies(100)
    assert s.bond().active not in (None, active)
    assert ping.stop().duplicates == 0


def test_mode_changes_under_traffic(lab, daemon):
    """A bond may change its mode; traffic goes on."""
    net = Simple(lab, daemon, AB)
    ping = net.ping()
    for mode in "balance-slb", "active-backup", "balance-slb":
        net.set("bond_mode=" + mode)
        wait_until(lambda: net.s.bond().fields["bond_mode"] == mode, mode)
        ping.wait_replies(100)
    assert ping.stop().gap < 1 * SLOW, "%s" % ping
    assert iperf(net.trunk, net.h1, "10.0.0.2", seconds=1).mbps > 5


def vlan_of(sock, source):
    """The VLANs of the frames that 'sock' has received from 'source'; 0
    stands for an untagged frame."""
    vlans = set()
    while True:
        try:
            data, ancillary, _flags, _addr = sock.recvmsg(2000, 256)
        except BlockingIOError:
            return vlans
        if data[6:12] != source:
            continue
        # struct tpacket_auxdata: the kernel takes the tag off.
        for level, kind, aux in ancillary:
            if (level, kind) == (SOL_PACKET, PACKET_AUXDATA):
                status, _len, _snap, _mac, _net, tci = struct.unpack_from(
                    "=IIIHHH", aux)
                vlans.add(tci & 0xfff if status & 0x10 else 0)


def test_vlan(lab, daemon):
    """Frames of an access port leave the bond tagged, and the other way
    round."""
    net = Simple(lab, daemon, SLB)
    source = bytes.fromhex(MAC_A.replace(":", ""))
    with net.trunk.packet_socket("t-p1") as one, \
            net.trunk.packet_socket("t-p2") as two:
        for sock in one, two:
            sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
            sock.setblocking(False)
        reachable(net.h1, "10.0.0.2")
        assert vlan_of(one, source) | vlan_of(two, source) == {0}
        net.s.vsctl("set", "port", "to-h1", "tag=7")
        unreachable(net.h1, "10.0.0.2")
        for sock in one, two:
            vlan_of(sock, source)
        unreachable(net.h1, "10.0.0.2")
        assert vlan_of(one, source) | vlan_of(two, source) == {7}
        net.set("tag=7")
        reachable(net.h1, "10.0.0.2")
