# SPDX-License-Identifier: Apache-2.0

"""The kernel's datapath, openvswitch.ko, in a QEMU guest.

It has no action that picks a member for each packet.  A member is picked
either by a hash that the kernel takes, a recirculation and a rule per bucket,
or in translation, once per flow.  These tests look at what comes out of the
members' cables.  One boot serves all."""

import re
import socket
import struct
import time

import pytest

from differential import Network
from kernel_guest import (DEVICE, INLET, MEMBERS, OUTLET, OUTLETS,
                          KernelSwitch, Wire, flow, mac, shares)
from lab import SLOW, checked_lab, holds_for, wait_until
from switch import Switch

pytestmark = pytest.mark.guest

STILL = "other_config:bond-rebalance-interval=0"
FAST = ["lacp=active", "other_config:lacp-time=fast"]

# Flows that one field tells apart.
PORTS = {i: flow(i) for i in range(240)}
TCP = {i: flow(i, proto=6) for i in range(240)}
MACS = {i: flow(src="02:00:00:00:%02x:%02x" % (i, 7 * i & 255), sport=i + 1)
        for i in range(1, 241)}
ADDRESSES = {i: flow(saddr="10.1.%d.%d" % (i // 7, i)) for i in range(1, 241)}
IGMP = {0: flow(proto=2, dst="01:00:5e:01:02:03", daddr="239.1.2.3")}


class Rig:
    """The switch in the guest, its partner at the other end of the members'
    cables (a stock switch, which has a bond only if LACP is wanted), and the
    cables' far ends."""

    def __init__(self, lab, daemon, stock):
        self.partner = Switch(lab, "partner", stock)
        self.k = KernelSwitch(lab, self.partner.ns, daemon)
        self.guest = self.k.guest
        self.wire = Wire(self.partner.ns)

    def bond(self, *settings, members=3):
        """Makes bond0; returns the taps at its members."""
        self.k.add_bond("bond0", MEMBERS[:members], STILL, *settings)
        if any(s.startswith("lacp=") for s in settings):
            self.partner.add_bond("bond0", OUTLETS[:members], STILL, *FAST)
        self.k.wait_enabled(MEMBERS[:members], timeout=20)
        return OUTLETS[:members]

    def clear(self):
        """Removes what a test made."""
        for i in range(len(MEMBERS) + 1):
            self.guest.mend(i)
        if not self.k.alive():
            self.k.start()
        for switch in self.k, self.partner:
            switch.vsctl("--if-exists", "del-port", "bond0")
        self.k.appctl("fdb/flush", "br0")
        self.k.appctl("revalidator/purge")

    def cut(self, outlet):
        """Pulls the cable at 'outlet' and waits until that is known."""
        before = self.k.enabled()
        self.guest.cut(1 + OUTLETS.index(outlet))
        self.k.wait_enabled(before - {DEVICE[outlet]}, timeout=5)

    def mend(self, outlet):
        """Plugs it in again."""
        before = self.k.enabled()
        self.guest.mend(1 + OUTLETS.index(outlet))
        self.k.wait_enabled(before | {DEVICE[outlet]}, timeout=20)

    def settled(self, flows, n=1, copies=1, **kwargs):
        """Sends until everything arrives, then 'n' frames more of every
        flow, which all must arrive 'copies' times."""
        self.wire.wait_lossless(flows, copies)
        return self.wire.round(flows, n, copies, **kwargs).check(copies)

    def active(self):
        """The tap at the active member."""
        return OUTLET[self.k.bond().active]

    def masks(self):
        """Keys of the datapath's flows that came from the inlet and did not
        recirculate, with IPv4."""
        number = {v: k for k, v in self.k.port_numbers().items()}["eth0"]
        return self.k.flows(r"recirc_id\(0\),in_port\(%d\).*0x0800" % number)


@pytest.fixture(scope="module")
def shared(daemon, stock):
    """One boot for all tests."""
    with checked_lab() as lab:
        rig = Rig(lab, daemon, stock)
        yield rig
        rig.wire.close()


@pytest.fixture
def rig(shared):
    """The rig, without a bond before and after; its kernel and daemon have
    nothing to complain about."""
    yield shared
    shared.clear()
    assert not shared.k.problems()


def assert_fair(way, outlets, least=0.6):
    """Every outlet has at least 'least' of its fair share of the flows."""
    count = shares(way)
    assert set(count) == set(outlets)
    fair = len(way) / len(outlets)
    assert min(count.values()) > least * fair, count


def assert_cut_moves_its_own(rig, flows, outlets, spread=True):
    """Cuts and mends the first member.  The cut moves only that member's
    flows, to all the others if 'spread' and else to one; mending moves flows
    only back to it.  Returns where flows were with all members, without the
    first, and after its return."""
    outlets = list(outlets)
    lost = outlets[0]
    before = rig.settled(flows, 2).way()
    rig.cut(lost)
    during = rig.settled(flows, 2).way()
    assert set(during.values()) == set(outlets[1:])
    moved = {n for n in flows if before[n] != during[n]}
    assert moved == {n for n in flows if before[n] == lost}
    displaced = {n: during[n] for n in moved}
    assert_fair(displaced, outlets[1:] if spread else outlets[1:2], 0.3)
    rig.mend(lost)
    # All members are usable, so nothing at all may be lost.
    rig.wire.round(flows).check()
    after = rig.settled(flows, 2).way()
    strays = {n: (before[n], during[n], after[n]) for n in flows
              if after[n] not in (during[n], lost)}
    assert not strays, "flows moved between members that were never cut: " \
        "%s" % strays
    assert shares(after)[lost] < 1.5 * len(flows) / len(outlets)
    return before, during, after


def test_datapath_is_the_kernels(rig):
    """The lab itself."""
    assert re.search(r"(?m)^openvswitch ", rig.guest.run("cat /proc/modules"))
    rig.bond("bond_mode=active-backup", members=2)
    assert set(MEMBERS[:2] + ["eth0"]) <= set(rig.k.port_numbers().values())
    assert "system@ovs-system" in rig.k.appctl("dpctl/dump-dps")
    assert "netdev" not in rig.k.appctl("dpctl/dump-dps")
    # Frames are seen at the cables' far ends, and not made up.
    assert not rig.wire.drain()
    seen = rig.wire.round({1: flow()}).check()
    assert seen.count == {(1, rig.wire.seq): 1}
    with pytest.raises(AssertionError):
        seen.check(2)


def test_active_backup(rig):
    """All flows leave by the active member; a cut moves all of them, and
    they stay when it is mended."""
    outlets = rig.bond("bond_mode=active-backup")
    first = rig.active()
    assert rig.settled(PORTS, 2).outlets() == {first}
    rig.cut(first)
    second = rig.active()
    assert second != first
    assert rig.settled(PORTS, 2).outlets() == {second}
    rig.mend(first)
    assert rig.wire.round(PORTS, 2).check().outlets() == {second}
    for outlet in outlets[:2]:
        rig.guest.cut(1 + OUTLETS.index(outlet))
    rig.k.wait_enabled(MEMBERS[2:])
    assert rig.settled(PORTS).outlets() == {OUTLETS[2]}


@pytest.mark.parametrize("mode, accepting", [
    ("active-backup", {"m1"}), ("balance-slb", {"m1", "m2", "m3"})])
def test_reception(rig, mode, accepting):
    """Unicast is taken from the active member, or from all; broadcasts from
    the active member alone."""
    outlets = rig.bond("bond_mode=" + mode)
    rig.k.appctl("bond/set-active-member", "bond0", "eth1")
    assert_reception(rig, {o: 1 if o in accepting else 0 for o in outlets})
    for outlet in outlets:
        copies = 1 if outlet == "m1" else 0
        seen = rig.wire.round({0: flow(dst="ff:ff:ff:ff:ff:ff")}, 3, copies,
                              at=outlet).check(copies)
        assert seen.outlets() <= {INLET}


def assert_reception(rig, copies):
    """Of unicast that comes in at an outlet, 'copies' ({outlet: number})
    come out, and at the inlet."""
    # Somebody at the inlet must be known, else frames would be flooded.
    teach = {0: flow(src="02:00:00:00:02:02", dst="02:00:00:00:01:01")}
    for _ in range(3):
        rig.wire.round(teach)
    for outlet, n in copies.items():
        seen = rig.wire.round(PORTS, 1, n, at=outlet).check(n)
        assert seen.outlets() <= {INLET}


def test_slb(rig):
    """A source MAC leaves by one member, whatever else is in its frames."""
    outlets = rig.bond("bond_mode=balance-slb", members=2)
    before, _during, _after = assert_cut_moves_its_own(rig, MACS, outlets)
    assert_fair(before, outlets)
    assert not [f for f in rig.masks() if "recirc" in f.actions]
    flows = {i: flow(i) for i in range(100)}
    assert len(rig.settled(flows).outlets()) == 1


def dp_hash_flows(rig):
    """Checks how the datapath does dp_hash; returns the flows of the rules
    after recirculation."""
    first = rig.masks()
    assert len(first) == 1, first       # However many flows come in.
    m = re.search(r"hash\(l4\(0\)\),recirc\((0x[0-9a-f]+)\)",
                  first[0].actions)
    assert m, first
    flows = rig.k.flows(r"recirc_id\(%s\),dp_hash\(0x[0-9a-f]+/0xff\)"
                        % m.group(1))
    names = rig.k.port_numbers()
    for f in flows:
        assert len(f.outputs()) == 1, f
        assert names[f.outputs()[0]] in MEMBERS, f
    return flows


@pytest.mark.parametrize("lb_output", ["", "true"])
def test_tcp(rig, lb_output, request, known_in_stock):
    """balance-tcp: the kernel hashes, recirculates, and finds the rule of a
    bucket; also if lb_output is wanted, which it does not have."""
    known_in_stock(request, "3.1.0 leaves buckets on the member that was "
                   "enabled first")
    settings = ["bond_mode=balance-tcp"] + FAST
    if lb_output:
        settings.append("other_config:lb-output-action=" + lb_output)
    outlets = rig.bond(*settings, members=2)
    show = rig.k.bond()
    assert show.fields["bond may use recirculation"].startswith("yes")
    assert show.fields["lb_output action"].startswith("disabled")
    flows = {i: flow(i) for i in range(1024)}
    way = rig.settled(flows, 2).way()
    assert_fair(way, outlets, 0.7)
    assert 128 < len(dp_hash_flows(rig)) <= 256
    assert rig.wire.round(flows).check().way() == way
    # Also where the first frame goes, which the daemon sends.
    rig.k.appctl("revalidator/purge")
    assert rig.wire.round(flows).check().way() == way
    assert_cut_moves_its_own(rig, flows, outlets)


def test_tcp_three_members(rig):
    """What a member had is shared by the two that are left."""
    outlets = rig.bond("bond_mode=balance-tcp", *FAST)
    assert_cut_moves_its_own(rig, PORTS, outlets)


@pytest.mark.parametrize("mode", ["balance-slb", "balance-tcp"])
def test_rebalances(rig, mode):
    """Load that all comes to one member is shared after some intervals: the
    kernel's counters of rules and flows reach the balancer."""
    settings = ["bond_mode=" + mode] + (FAST if mode == "balance-tcp" else [])
    rig.bond(*settings, members=2)
    some = MACS if mode == "balance-slb" else PORTS
    way = rig.settled(some).way()
    heavy = {n: some[n] for n in [n for n in some if way[n] == "m1"][:8]}
    rig.k.vsctl("set", "port", "bond0",
                "other_config:bond-rebalance-interval=1000")

    def shared():
        seen = rig.wire.round(heavy, 20, size=1300, quiet=0)
        return seen.outlets() == {"m1", "m2"}
    wait_until(shared, "the load is shared", 30, interval=0)
    rig.k.vsctl("set", "port", "bond0", STILL)


def arp_reply_way(rig, host, client, address, own):
    """Has the host answer a client; returns the outlet by which the answer
    leaves, which is to have that one's address in 'own'."""
    reply = struct.pack("!HHBBH6s4s6s4s", 1, 0x800, 6, 4, 2, mac(host),
                        socket.inet_aton("10.1.0.1"), mac(client),
                        socket.inet_aton(address))
    rig.wire.drain()
    rig.wire.sockets[INLET].send(mac(client) + mac(host) + b"\x08\x06"
                                 + reply)
    seen = []

    def came():
        for name in OUTLETS:
            try:
                data = rig.wire.sockets[name].recv(2048)
            except BlockingIOError:
                continue
            if data[12:14] == b"\x08\x06" and data[38:42] == reply[24:28]:
                seen.append((name, data))
        return seen
    wait_until(came, "the answer leaves")
    [(outlet, data)] = seen
    assert data[6:12] == data[22:28] == mac(own[outlet])
    assert data[:6] == mac(client)
    return outlet


def test_host_by_members(rig):
    """In balance-tlb and balance-alb the host's frames leave by all members,
    by others than the active one with their addresses and by a recirculation
    each, so that nobody else in the switch sees these.  Frames of guests are
    as they were.  A cut moves what the member had, and only that; load moves,
    too.  ARP of the host does not leave by the datapath."""
    host = rig.guest.run("cat /sys/class/net/br0/address").strip()
    flows = {i: flow(src=host, daddr="10.2.0.%d" % i) for i in range(1, 49)}
    flows.update({100 + i: f for i, f in list(MACS.items())[:8]})
    outlets = rig.bond("other_config:bond-mode=balance-alb")
    member = {m: rig.guest.run("cat /sys/class/net/%s/address" % m).strip()
              for m in MEMBERS}

    def check(way):
        active = rig.active()
        own = {o: host if o == active else member[DEVICE[o]]
               for o in outlets}
        for outlet, number, src, dst in rig.wire.addresses:
            assert dst == flows[number].dst
            assert src == (own[outlet] if number < 100
                           else flows[number].src), (outlet, number)
        assert {a[0] for a in rig.wire.addresses if a[1] < 100} == \
            set(way.values())

    rig.settled(flows)
    rig.wire.addresses.clear()
    before = rig.settled(flows, 2).way()
    check(before)
    assert_fair({n: o for n, o in before.items() if n < 100}, outlets, 0.5)
    # What goes round leaves the switch by one port, with one address.
    again = rig.k.flows(r"recirc_id\(0x[1-9a-f][0-9a-f]*\)")
    assert again and all("set(eth(src=" in f.actions and len(f.outputs()) == 1
                         for f in again), again
    assert not [f for f in rig.k.flows(r"recirc_id\(0\)")
                if "set(" in f.actions]

    lost = next(o for o in outlets if o != rig.active())
    rig.cut(lost)
    rig.settled(flows)
    rig.wire.addresses.clear()
    during = rig.settled(flows, 2).way()
    check(during)
    assert not [n for n in flows if before[n] not in (during[n], lost)]

    # A member's address is the host's, who is behind the inlet now.
    for outlet in set(outlets) - {lost}:
        rig.wire.addresses.clear()
        some = {i: flow(src="02:00:00:00:03:01", dst=member[DEVICE[outlet]],
                        sport=i) for i in range(1, 5)}
        seen = rig.wire.round(some, 2, 1, at=outlet).check(1)
        assert seen.outlets() == {INLET}
        assert {a[3] for a in rig.wire.addresses} == {host}
    rig.mend(lost)

    # Each client is told the address of one member, by that one.
    own = {o: host if o == rig.active() else member[DEVICE[o]]
           for o in outlets}
    told = {}
    for i in range(1, 7):
        client = "02:00:00:00:04:%02x" % i
        told[arp_reply_way(rig, host, client, "10.2.0.%d" % i, own)] = True
    assert set(told) == set(outlets)

    # Counters of recirculated flows reach the balancer.
    rig.k.vsctl("set", "port", "bond0",
                "other_config:bond-rebalance-interval=1000")
    way = {n: o for n, o in rig.settled(flows).way().items()
           if n < 100 and o != rig.active()}
    [(some, n)] = shares(way).most_common(1)
    assert n >= 8
    heavy = {n: flows[n] for n in [n for n in way if way[n] == some][:8]}

    def shared():
        seen = rig.wire.round(heavy, 20, size=1300, quiet=0)
        return seen.outlets() == set(outlets)
    wait_until(shared, "the load is shared", 30, interval=0)


def test_mode_changes(rig, request, known_in_stock):
    """Changing the mode leaves nothing behind of the other mechanism."""
    known_in_stock(request, "3.1.0 leaves buckets on the member that was "
                   "enabled first")
    outlets = rig.bond("bond_mode=balance-slb", *FAST)
    for mode in ("balance-tcp", "active-backup", "balance-tcp",
                 "balance-slb"):
        rig.k.vsctl("set", "port", "bond0", "bond_mode=" + mode)
        rig.k.appctl("revalidator/wait")
        way = rig.settled(PORTS, 2).way()
        if mode == "balance-tcp":
            assert_fair(way, outlets)
            wait_until(lambda: dp_hash_flows(rig), "dp_hash is used")
        else:
            assert len(set(way.values())) == 1
            # Those without a rule drop, and go when they have been idle.
            wait_until(lambda: not [f for f in rig.k.flows("dp_hash")
                                    if f.outputs()],
                       "no flow of dp_hash sends")


def test_daemon_dies_and_returns(rig):
    """Known flows go on in the kernel while the daemon is dead, and all flow
    again when it is back."""
    outlets = rig.bond("bond_mode=balance-slb")
    way = rig.settled(MACS, 2).way()
    rig.k.stop(9)
    assert rig.wire.round(MACS, 2).check().way() == way
    rig.k.start()
    rig.k.wait_enabled(MEMBERS)
    assert_fair(rig.settled(MACS, 2).way(), outlets)
    rig.k.may_be_dead = False


def test_failover_time(rig):
    """A cut is noticed by the kernel's event, not by polling: frames flow
    again soon, even in a slow guest."""
    rig.bond("bond_mode=active-backup", members=2)
    first = rig.active()
    rig.settled(PORTS)
    start = time.monotonic()
    rig.guest.cut(1 + OUTLETS.index(first))
    rig.wire.wait_lossless({1: PORTS[1]})
    assert time.monotonic() - start < 2 * SLOW


# Modes of Linux.

def other_config(**settings):
    """Settings of Port.other_config for options of Linux."""
    return ["other_config:bond-%s=%s" % (key.replace("_", "-"), value)
            for key, value in settings.items()]


def mechanism(rig):
    """How the datapath finds a member, as bond/show and the database say."""
    said = rig.k.get("port", "bond0", "status:bond_mechanism").strip('"')
    assert said in ("recirculation", "flow")
    assert re.search(r"(?m)^.*mechanism.*\b%s\b" % said, rig.k.bond().text), \
        "bond/show should name the mechanism, %s:\n%s" % (
            said, rig.k.bond().text)
    return said


def low_hash(policy, f):
    """The low 8 bits of Linux's hash of Flow 'f', UDP over IPv4."""
    def fold(x):
        x ^= x >> 16
        return x ^ x >> 8
    layer2 = mac(f.src)[5] ^ mac(f.dst)[5] ^ 0x0800
    addresses = (struct.unpack("<I", socket.inet_aton(f.saddr))[0]
                 ^ struct.unpack("<I", socket.inet_aton(f.daddr))[0])
    ports = struct.unpack("<I", struct.pack("!HH", f.sport, f.dport))[0]
    src = mac(f.src)
    return {"layer2": layer2,
            "layer2+3": fold(layer2 ^ addresses),
            "encap2+3": fold(layer2 ^ addresses),
            "layer3+4": fold(ports ^ addresses) >> 1,
            "encap3+4": fold(ports ^ addresses) >> 1,
            "vlan+srcmac": (f.vlan ^ int.from_bytes(src[:3], "big")
                            ^ int.from_bytes(src[3:], "big")),
            }[policy] & 0xff


# What the key of a flow must tell for a policy to choose by flow.
FIELDS = {"layer2": r"eth\(src=[^)]*dst=",
          "layer2+3": r"eth\(src=[^)]*dst=.*ipv4\(src=[^)]*dst=",
          "layer3+4": r"ipv4\(src=[^)]*dst=.*udp\(src=[^)]*dst=",
          "encap2+3": r"eth\(src=[^)]*dst=.*ipv4\(src=[^)]*dst=",
          "encap3+4": r"ipv4\(src=[^)]*dst=.*udp\(src=[^)]*dst=",
          "vlan+srcmac": r"eth\(src="}

VLANS = {i: flow(vlan=100 + i) for i in range(240)}

# Flows that the policy tells apart, and flows that it does not.
POLICIES = [("balance-xor", "layer2", MACS, PORTS),
            ("balance-xor", "layer2+3", ADDRESSES, PORTS),
            ("balance-xor", "layer3+4", PORTS, None),
            ("balance-xor", "encap2+3", ADDRESSES, PORTS),
            ("balance-xor", "encap3+4", PORTS, None),
            ("balance-xor", "vlan+srcmac", VLANS, PORTS),
            ("802.3ad", "layer2", MACS, PORTS),
            ("802.3ad", "layer2+3", ADDRESSES, PORTS),
            ("802.3ad", "layer3+4", PORTS, None)]


@pytest.mark.parametrize("mode, policy, apart, same", POLICIES)
def test_hash_policy(rig, mode, policy, apart, same, request,
                     known_in_stock):
    """Members share the flows that a policy tells apart; a cut moves only
    what it must.  If the choice is by flow, it is Linux's hash that is
    taken; if the kernel's hash is, that of a rule per bucket."""
    known_in_stock(request, "stock OVS has no modes of Linux")
    settings = other_config(mode=mode, xmit_hash_policy=policy)
    outlets = rig.bond(*settings, *(FAST if mode == "802.3ad" else []))
    way = rig.settled(apart, 2).way()
    assert_fair(way, outlets)
    used = mechanism(rig)
    if used == "recirculation":
        assert dp_hash_flows(rig)
    else:
        assert not rig.k.flows("dp_hash|recirc\\(0x")
        wrong = [f for f in rig.masks()
                 if not re.search(FIELDS[policy], f.key)]
        assert not wrong, "members were chosen without fields of %s: %s" % (
            policy, wrong[:3])
        buckets = {}
        for n, f in apart.items():
            buckets.setdefault(low_hash(policy, f), set()).add(way[n])
        assert all(len(w) == 1 for w in buckets.values()), buckets
        if same:
            assert len(rig.settled(same).outlets()) == 1
    rig.k.appctl("revalidator/purge")
    assert rig.wire.round(apart).check().way() == way
    assert_cut_moves_its_own(rig, apart, outlets)


def test_xor_reception(rig, request, known_in_stock):
    """Every member may take unicast."""
    known_in_stock(request, "stock OVS has no modes of Linux")
    outlets = rig.bond(*other_config(mode="balance-xor"))
    assert_reception(rig, {o: 1 for o in outlets})


def test_broadcast(rig, request, known_in_stock):
    """Every frame leaves by every usable member, once by each."""
    known_in_stock(request, "stock OVS has no modes of Linux")
    outlets = rig.bond(*other_config(mode="broadcast"))
    mechanism(rig)

    def by_each(expected, n=3):
        seen = rig.settled(PORTS, n, len(expected))
        for ways in seen.ways.values():
            assert ways == {o: n for o in expected}
    by_each(outlets)
    for outlet in outlets:
        rig.cut(outlet)
        by_each([o for o in outlets if o != outlet])
        rig.mend(outlet)
        by_each(outlets)
    rig.cut("m1")
    rig.cut("m2")
    by_each(["m3"])
    rig.mend("m1")
    rig.mend("m2")
    assert_reception(rig, {o: 1 for o in outlets})


def test_broadcast_loses_nothing(rig, request, known_in_stock):
    """While one member is cut and mended, every frame still comes."""
    known_in_stock(request, "stock OVS has no modes of Linux")
    rig.bond(*other_config(mode="broadcast"))
    some = {n: PORTS[n] for n in range(10)}
    rig.settled(some, 1, 3)
    for change in rig.guest.cut, rig.guest.mend:
        change(1)
        end = time.monotonic() + 1
        while time.monotonic() < end:
            seen = rig.wire.round(some, 1, 3, patience=0.1, quiet=0)
            assert all(2 <= seen.count[k] <= 3 for k in seen.sent), seen.count


def test_round_robin(rig, request, known_in_stock):
    """Flows are dealt to the members, since the kernel cannot do it with
    frames; IGMP goes by the active member."""
    known_in_stock(request, "stock OVS has no modes of Linux")
    outlets = rig.bond(*other_config(mode="balance-rr"))
    assert mechanism(rig) == "flow"
    for flows in TCP, ADDRESSES:
        assert_fair(rig.settled(flows, 2).way(), outlets)
    assert rig.settled(IGMP, 5).outlets() == {rig.active()}
    # Who follows takes the turns of one that is cut.
    assert_cut_moves_its_own(rig, TCP, outlets, spread=False)
    active = rig.active()
    rig.cut(active)
    assert rig.active() != active
    assert rig.settled(IGMP, 5).outlets() == {rig.active()}
    rig.mend(active)
    assert_reception(rig, {o: 1 for o in outlets})


def test_round_robin_udp(rig):
    """Flows of UDP are dealt too: what the choice depends on is in the keys
    of the datapath's flows."""
    outlets = rig.bond(*other_config(mode="balance-rr"))
    assert_fair(rig.settled(PORTS, 2).way(), outlets)
    assert len(rig.masks()) >= len(PORTS)


def test_modes_of_linux_change(rig, request, known_in_stock):
    """From every mode to every other kind, under the same traffic."""
    known_in_stock(request, "stock OVS has no modes of Linux")
    rig.bond(*other_config(mode="balance-xor"), *FAST)
    for mode, policy, copies in (("broadcast", "layer2", 3),
                                 ("802.3ad", "layer3+4", 1),
                                 ("balance-rr", "layer2", 1),
                                 ("broadcast", "layer3+4", 3),
                                 ("active-backup", "layer2", 1),
                                 ("balance-xor", "layer3+4", 1)):
        rig.k.vsctl("set", "port", "bond0",
                    *other_config(mode=mode, xmit_hash_policy=policy))
        assert rig.k.bond().fields["bond_mode"] in (
            mode, {"802.3ad": "balance-tcp"}.get(mode))

        def right():
            return rig.wire.round(PORTS, 1, copies, quiet=0.1,
                                  patience=0.3).check(copies)
        wait_until(right, "%d copies in mode %s" % (copies, mode), 5)
        rig.wire.round(PORTS, 3, copies).check(copies)


@pytest.mark.parametrize("mode", ["active-backup", "balance-rr"])
def test_queues(rig, mode, request, known_in_stock):
    """Packets of an OpenFlow queue leave by the member whose queue that is,
    while it has carrier (LB-AB-02, 03, 05)."""
    known_in_stock(request, "stock OVS has no queues of members")
    outlets = rig.bond(*other_config(mode=mode))
    pinned, others = TCP, PORTS
    first = "eth3" if rig.active() == "m2" else "eth2"
    by_all = rig.settled(others).outlets()
    assert by_all == ({rig.active()} if mode == "active-backup"
                      else set(outlets))
    rig.guest.run("ovs-ofctl add-flow br0 "
                  "priority=9,tcp,actions=set_queue:5,NORMAL")
    try:
        rig.k.vsctl("set", "interface", first,
                    "other_config:bond-queue-id=5")
        wait_until(lambda: rig.wire.round(pinned).check().outlets()
                   == {OUTLET[first]}, "the queue leaves by its member")
        assert rig.settled(others).outlets() == by_all
        rig.cut(OUTLET[first])
        left = by_all - {OUTLET[first]}
        assert rig.settled(pinned).outlets() == left
        rig.mend(OUTLET[first])
        assert rig.settled(pinned).outlets() == {OUTLET[first]}
        rig.k.vsctl("remove", "interface", first, "other_config",
                    "bond-queue-id")
        wait_until(lambda: rig.wire.round(pinned).check().outlets()
                   == by_all, "the queue is nobody's")
    finally:
        rig.guest.run("ovs-ofctl --strict del-flows br0 priority=9,tcp")


@pytest.mark.parametrize("mode", ["active-backup", "balance-xor"])
def test_probes(rig, mode, request, known_in_stock):
    """Probes go out by members and answers are heard; a path that dies with
    its link up is left, and taken up again."""
    known_in_stock(request, "stock OVS does not probe")
    network = Network(rig.partner.ns, OUTLETS)
    network.set_up(["10.0.0.254"], mode != "active-backup")
    try:
        rig.guest.run("ip addr add 10.0.0.1/24 dev br0 && "
                      "ip link set br0 up")
        rig.bond(*other_config(mode=mode, arp_interval=500, arp_validate="all",
                               arp_ip_target="10.0.0.254"))
        wait_until(lambda: rig.k.flows("arp.*slow_path"), "answers are heard")
        holds_for(lambda: rig.k.enabled() == set(MEMBERS), "no false alarm",
                  1, 0.2)
        first = rig.active()
        network.leave(OUTLETS.index(first))
        left = set(MEMBERS) - {DEVICE[first]}
        rig.k.wait_enabled(left, timeout=6)
        assert rig.active() != first
        wait_until(lambda: " 0% " in rig.guest.run(
            "ping -c 3 -W 1 10.0.0.254 || true"), "traffic has moved")
        network.join(OUTLETS.index(first))
        rig.k.wait_enabled(MEMBERS, timeout=6)
    finally:
        network.tear_down()
        rig.guest.run("ip addr flush dev br0; ip link set br0 down")
