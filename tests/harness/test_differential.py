# SPDX-License-Identifier: Apache-2.0

"""Our bond against the real Linux driver's: the same stimulus at the same
time, and the same roles, link states, counters, addresses and frames.

The cases are named as in the catalogue of the specification (10.2 to 10.11).
What a case writes as linux=... and ours=... is a deviation on purpose:

    B1    with equal prio we stay where we are, Linux jumps
    B2    without any usable member we ignore updelay in every mode
    B9    we send all the announcements, Linux loses one
    miimon=0    we go by the carrier, Linux believes every link is up
    members keep their own MAC unless fail_over_mac is given
    without downdelay we act on a lost carrier at once, not at the next tick
    a lost member moves its own flows alone; in Linux the remainder of the
    hash, by one member less, moves others, too

With a step's expectations met the texts of both must be equal, line by line,
but for the version and for the speed of a link that is down.
"""

import os
import random

import pytest

import differential
import diffrandom
from differential import MACS
from diffrun import (PROBE, Run, actives, announced, case, copies, cut, do,
                     flap, join, keep, leave, links, mend, network, option,
                     pause, receives, reported, see, transmits)
from lab import checked_lab

pytestmark = pytest.mark.guest

AB = "active-backup"
T2 = (0, 1)
TICKS = [60, 120, 240]          # ms.  miimon of the random sequences.

def single(counts):
    """Every flow took one way."""
    return all(len(ways) == 1 for ways in counts.values())


def in_turn(*members):
    """A check that 'members' took turns."""
    def check(counts):
        ways = counts[0]
        return (set(ways) == set(members)
                and max(ways.values()) - min(ways.values()) <= 15)
    return check


MII = [
    case("LB-MII-01", AB, {},
         cut(0), see(active=1, mii="up", s0="down", fails={0: 1}),
         actives(0, 1), members=T2),
    case("LB-MII-02", AB, {},
         cut(0), see(active=1, s0="down"),
         mend(0), see(active=1, s0="up", fails={0: 1}), keep(0.4, active=1),
         actives(0, 1), members=T2),
    case("LB-MII-03", AB, {"downdelay": 1000},
         cut(0), see(active=0, s0="going down", fails={0: 0}), pause(0.2),
         mend(0), see(active=0, s0="up", fails={0: 0}),
         keep(1.2, active=0, s0="up", fails={0: 0}), actives(0)),
    case("LB-MII-04", AB, {"downdelay": 500},
         cut(0), see(active=0, mii="up", s0="going down", fails={0: 0}),
         see(active=1, s0="down", fails={0: 1}, after=0.5),
         actives(0, 1)),
    case("LB-MII-05", AB, {"updelay": 600},
         cut(0), see(active=1, s0="down"),
         mend(0), see(active=1, s0="going back"),
         see(active=1, s0="up", after=0.6), keep(0.3, active=1),
         actives(0, 1), members=T2),
    case("LB-MII-06", AB, {"updelay": 1000},
         cut(0), see(s0="down", fails={0: 1}),
         mend(0), see(s0="going back", fails={0: 1}),
         cut(0), see(s0="down", fails={0: 2}), keep(1.2, s0="down"),
         see(fails={0: 2})),
    case("LB-MII-07", AB, {},
         option("updelay", 8000), cut(0, 1, 2),
         see(active=None, mii="down", fails={0: 1, 1: 1, 2: 1}),
         mend(0), see(active=0, mii="up", s0="up", before=4)),
    case("LB-MII-08", "balance-xor", {},
         option("updelay", 8000), cut(0, 1, 2), see(mii="down"),
         mend(0), see(mii="up", s0="up", before=4)),
    case("LB-MII-09-rr", "balance-rr", {},
         option("updelay", 2000), cut(0, 1, 2), see(mii="down"),
         mend(0), see(linux={"s0": "going back"}, ours={"s0": "up"},
                      before=1.5),
         see(s0="up", mii="up")),
    case("LB-MII-09-broadcast", "broadcast", {},
         option("updelay", 2000), cut(0, 1, 2), see(mii="down"),
         mend(0), see(linux={"s0": "going back"}, ours={"s0": "up"},
                      before=1.5),
         see(s0="up", mii="up")),
    case("LB-MII-10", AB, {},
         option("updelay", 8000), cut(0, 1, 2), see(active=None),
         mend(1, 0), see(active=0, s0="up", s1="going back", s2="down",
                         before=4)),
    case("LB-MII-11", AB, {"downdelay": 1000},
         option("updelay", 8000),
         cut(1, 2), see(active=0, s1="down", s2="down", after=1),
         mend(1), see(active=0, s1="going back"), pause(0.3),
         mend(2), see(active=0, s2="going back"),
         cut(0), see(active=0, s0="going down", mii="down"),
         see(active=1, s0="down", s1="up", s2="going back", mii="up",
             after=1)),
    case("LB-MII-12", AB, {"downdelay": 1000},
         cut(1, 2), see(s1="down", s2="down"),
         cut(0), see(mii="down", s0="going down", active=0, before=1),
         see(mii="down", s0="down", active=None, after=1)),
    case("LB-MII-13", AB, {"updelay": 1000},
         do("enslave", 2), see(active=0, s2="going back"),
         see(active=0, s2="up", after=1), members=T2),
    case("LB-MII-14", AB, {},
         do("admin", 0, "down"), see(active=1, s0="down", fails={0: 1}),
         do("admin", 0, "up"), see(active=1, s0="up", fails={0: 1})),
    case("LB-MII-15", AB, {"miimon": 0},
         cut(0), see(linux={"active": 0, "s0": "up", "fails": {0: 0}},
                     ours={"active": 1, "s0": "down", "fails": {0: 1}}),
         keep(0.5, linux={"active": 0, "mii": "up"}, ours={"active": 1})),
    case("LB-MII-16", AB, {"miimon": 0},
         cut(0), pause(0.5), see(linux={"active": 0}, ours={"active": 1}),
         option("miimon", 100), see(active=1, s0="down", fails={0: 1})),
    case("LB-MII-17", AB, {},
         option("miimon", 0), pause(0.3),
         cut(0), pause(0.5), see(linux={"active": 0, "s0": "up"},
                                 ours={"active": 1, "s0": "down"})),
    case("LB-MII-18", AB, {"use_carrier": 0},
         cut(0), see(active=1, s0="down", fails={0: 1}),
         mend(0), see(active=1, s0="up")),
    case("LB-MII-20", "balance-rr", {},
         cut(1), see(mii="up", s1="down", fails={1: 1}),
         transmits(30, check=in_turn(0, 2), exact=False)),
    case("LB-MII-21", AB, {},
         option("miimon", 2000), pause(0.4),
         cut(0), see(active=1, s0="down", before=3)),
    case("LB-MII-22", "balance-xor", {"downdelay": 20000},
         cut(1), see(s1="going down"),
         transmits(2, 8, lambda c: all(v == {0: 2} for v in c.values())),
         see(s1="going down"), members=T2),
    case("LB-MII-23", AB, {"downdelay": 20000},
         cut(0), see(active=0, s0="going down"),
         transmits(5, check=lambda c: not c[0]),
         see(active=0, s0="going down")),
    case("LB-MII-25", AB, {},
         flap(0, 5, 0.35), see(active=1, s0="up", mii="up", fails={0: 5}),
         actives(0, 1)),
]

SEL = [
    case("LB-SEL-01", AB, {}, see(active=0)),
    case("LB-SEL-02", AB, {},
         option("primary", "s2"), see(active=2), actives(0, 2)),
    case("LB-SEL-03", AB, {"primary": "s2", "primary_reselect": "failure"},
         see(active=2),
         cut(2), see(active=0, s2="down"),
         mend(2), see(active=0, s2="up"), keep(0.4, active=0),
         cut(0), see(active=2)),
    case("LB-SEL-04", AB, {"primary": "s2", "primary_reselect": "always"},
         see(active=2),
         cut(2), see(active=0, s2="down"),
         mend(2), see(active=2, s2="up")),
    case("LB-SEL-05", AB, {"primary": "s2", "primary_reselect": "better"},
         see(active=2),
         cut(2), see(active=0, s2="down"),
         mend(2), see(active=0, s2="up"), keep(0.4, active=0)),
    case("LB-SEL-08", AB, {"primary": "s2", "primary_reselect": "failure"},
         cut(2), see(active=0, s2="down"),
         mend(2), see(active=0, s2="up"),
         option("primary", "s1"), see(active=1),
         option("primary", "s2"), see(active=2)),
    case("LB-SEL-09", AB, {"primary": "s1", "primary_reselect": "failure"},
         cut(1), see(active=0, s1="down"),
         mend(1), see(active=0, s1="up"),
         option("primary_reselect", "always"), see(active=1)),
    case("LB-SEL-10", AB, {"primary": "s1"},
         see(active=1),
         do("activate", 2), see(active=2), keep(0.3, active=2),
         do("release", 0), see(active=2, members=(1, 2)),
         keep(0.3, active=2),
         do("enslave", 0), see(active=1, members=(1, 2, 0))),
    case("LB-SEL-12", AB, {},
         cut(0), see(active=1, s0="down"),
         mend(0), see(active=1, s0="up"),
         do("enslave", 2), see(s2="up", linux={"active": 0},
                               ours={"active": 1}),
         keep(0.4, linux={"active": 0}, ours={"active": 1}), members=T2),
    case("LB-SEL-13", AB, {}, see(active=1),
         cut(1), see(active=2, s1="down"),
         mend(1), see(active=1, s1="up"), prio={1: 20, 2: 10}),
    case("LB-SEL-14", AB, {"primary_reselect": "failure"},
         do("activate", 1), see(active=1),
         cut(1), see(active=2, s1="down"),
         mend(1), see(active=2, s1="up"), keep(0.4, active=2),
         cut(2), see(active=1, s2="down"), prio={1: 20, 2: 10}),
    case("LB-SEL-15", AB, {"primary": "s0"}, see(active=0),
         cut(0), see(active=2, s0="down"),
         mend(0), see(active=0, s0="up"), prio={2: 100}),
    case("LB-SEL-16", AB, {},
         do("release", 0), see(active=1, members=(1, 2),
                               fails={1: 0, 2: 0})),
    case("LB-SEL-17", AB, {},
         do("release", 1), see(active=0, members=(0, 2)),
         keep(0.3, active=0), actives(0)),
    case("LB-SEL-18", AB, {"primary": "s1"}, see(active=1),
         do("release", 1), see(active=0, members=(0, 2)),
         do("enslave", 1), see(active=1, members=(0, 2, 1))),
    case("LB-SEL-19", AB, {},
         cut(0, 1, 2), see(active=None, mii="down", s0="down", s1="down",
                           s2="down"),
         mend(1), see(active=1, mii="up", s1="up"),
         mend(0), see(active=1, s0="up")),
    case("LB-SEL-20", AB, {"primary": "s1"}, see(active=1),
         do("activate", 2), see(active=2),
         do("down"), pause(0.3), do("up"), see(active=2, mii="up"),
         keep(0.4, active=2)),
    case("LB-SEL-21", AB, {},
         cut(0, 1, 2), see(active=None),
         mend(2, 1), see(active=1, s1="up", s2="up")),
    case("LB-SEL-23", AB, {}, see(active=1),
         cut(1), see(active=2, s1="down"),
         cut(2), see(active=0, s2="down"),
         mend(2), see(active=2, s2="up"),
         prio={0: -2147483648, 1: 2147483647, 2: -1}),
    case("LB-SEL-prio-live", AB, {}, see(active=0),
         do("prio", 2, 5), see(active=2),
         do("prio", 1, 6), see(active=1),
         do("prio", 1, -6), see(active=2)),
]

BOTH = {"addresses": ("10.0.0.1/24", "10.0.0.2/24", "fd00::1/64"),
        "tagged": ("10.10.0.1/24", "fd10::1/64")}

FO = [
    # Untagged two IPv4 addresses and a link-local one; tagged one and one.
    case("LB-FO-01", AB, {},
         cut(0), announced(1, 1, kinds=5, linux_n=1),
         addresses=BOTH["addresses"][:2], tagged=BOTH["tagged"][:1]),
    case("LB-FO-02", AB, {},
         cut(0), announced(1, 1, kinds=7, linux_n=1), **BOTH),
    case("LB-FO-03", AB, {},
         cut(0), announced(1, 1, kinds=2, linux_n=1), tagged=()),
    case("LB-FO-04", AB, {"num_grat_arp": 3},
         cut(0), announced(3, 1, kinds=5, linux_n=2),
         addresses=BOTH["addresses"][:2], tagged=BOTH["tagged"][:1]),
    case("LB-FO-05", AB, {"num_grat_arp": 3, "peer_notif_delay": 300},
         cut(0), announced(3, 1, 0.3, kinds=4, linux_n=3),
         tagged=BOTH["tagged"][:1]),
    case("LB-FO-06", AB, {"num_grat_arp": 0},
         cut(0), see(active=1), announced(0), **BOTH),
    case("LB-FO-07", AB, {"num_grat_arp": 2},
         do("activate", 2), announced(2, 2, kinds=2), see(active=2)),
    # The bond has no carrier yet when s2 becomes active: Linux loses one for
    # that, too.
    case("LB-FO-08", AB, {"num_grat_arp": 3},
         cut(0, 1, 2), see(active=None), pause(0.3),
         mend(2), announced(3, 2, kinds=2, linux_n=2)),
    case("LB-FO-11", AB, {"resend_igmp": 4},
         do("join"), pause(1.5), cut(0), reported(4, 1),
         see(active=1, s0="down")),
    case("LB-FO-11-rr", "balance-rr", {"resend_igmp": 2},
         do("join"), pause(1.5), cut(0), reported(2), see(s0="down")),
    case("LB-FO-12", AB, {"resend_igmp": 0},
         do("join"), pause(1.5), cut(0), reported(0), see(active=1)),
    case("LB-FO-10-rr", "balance-rr", {"num_grat_arp": 3},
         cut(0), see(s0="down"), announced(0)),
    case("LB-FO-10-xor", "balance-xor", {"num_grat_arp": 3},
         cut(0), see(s0="down"), announced(0)),
]

# We announce the first active member, too; Linux had it before it was up.
FO = [c._replace(steps=(pause(0.6),) + c.steps) for c in FO]

OWN = {"s0": "P0", "s1": "P1", "s2": "P2"}
ONE = {"s0": "P0", "s1": "P0", "s2": "P0"}
MAC = [
    case("LB-MAC-01", AB, {}, links(b="P0", linux=ONE, ours=OWN),
         cut(0), see(active=1), links(b="P0", linux=ONE, ours=OWN)),
    case("LB-MAC-01-none", AB, {"fail_over_mac": "none"},
         links(b="P0", **ONE),
         cut(0), see(active=1), links(b="P0", **ONE),
         do("release", 2), see(members=(0, 1)),
         links(s0="P0", s1="P0", s2="P2"),
         do("enslave", 2), see(s2="up"), links(b="P0", **ONE)),
    case("LB-MAC-02", AB, {"fail_over_mac": "none"},
         do("set_mac", MACS[5]),
         links(b="P5", s0="P5", s1="P5", s2="P5"),
         do("release", 1), see(members=(0, 2)), links(s0="P5", s1="P1")),
    case("LB-MAC-08", AB, {"fail_over_mac": "active"},
         do("set_mac", MACS[5]), pause(0.3), links(b="P0", **OWN)),
    case("LB-MAC-03", AB, {"fail_over_mac": "active"},
         links(b="P0", **OWN), see(active=0)),
    case("LB-MAC-04", AB, {"fail_over_mac": "active"},
         cut(0), see(active=1), links(b="P1", **OWN),
         mend(0), see(s0="up", active=1), links(b="P1", **OWN),
         cut(1), see(active=0), links(b="P0", **OWN),
         cut(2), see(s2="down"), cut(0), see(active=None),
         links(b="P0", **OWN),
         mend(2), see(active=2), links(b="P2", **OWN)),
    case("LB-MAC-05", AB, {"fail_over_mac": "follow"},
         links(b="P0", **OWN),
         cut(0), see(active=1), links(b="P0", s0="P1", s1="P0", s2="P2")),
    case("LB-MAC-06", AB, {"fail_over_mac": "follow"},
         cut(0), see(active=1),
         cut(1), see(active=2), links(b="P0", s2="P0"),
         cut(2), see(active=None), links(b="P0", s2="P0"),
         mend(1), see(active=1), links(b="P0", s1="P0")),
    case("LB-MAC-06-same", AB, {"fail_over_mac": "follow"},
         cut(0), see(active=1), links(s0="P1", s1="P0"),
         mend(0), see(s0="up"),
         cut(1), see(active=0), links(s0="P0", s1="P1"),
         cut(2), see(s2="down"), cut(0), see(active=None),
         mend(2), see(active=2), links(b="P0", s0="P2", s1="P1", s2="P0")),
    case("LB-MAC-07", AB, {"fail_over_mac": "follow"},
         cut(0), see(active=1), links(s0="P1", s1="P0"),
         do("release", 0), see(members=(1, 2)), links(b="P0", s0="P0")),
    case("LB-FO-MAC", AB, {"fail_over_mac": "active"},
         pause(0.3), cut(0), announced(1, 1, linux_n=1), links(b="P1")),
    case("LB-LIFE-11", AB, {},
         do("release", 0), see(members=(1, 2), active=1),
         do("enslave", 0), see(members=(1, 2, 0), s0="up",
                               linux={"active": 1}, ours={"active": 1})),
    case("LB-LIFE-15", AB, {},
         do("set_mtu", 9000), links(b=9000, s0=9000, s1=9000, s2=9000),
         do("release", 2), see(members=(0, 1)), links(s1=9000, s2=1500),
         do("enslave", 2), see(s2="up"), links(s2=9000)),
    case("LB-LIFE-15-first", AB, {}, see(active=0),
         links(b=3000, s0=3000, s1=3000, s2=3000), mtu=3000),
]

RX = [
    case("LB-RX-01-rr", "balance-rr", {},
         receives(s0="all", s1="all", s2="all"), tagged=()),
    case("LB-RX-01-xor", "balance-xor", {},
         receives(s0="all", s1="all", s2="all"), tagged=()),
    case("LB-RX-01-broadcast", "broadcast", {},
         receives(s0="all", s1="all", s2="all"), tagged=()),
    case("LB-RX-02", AB, {}, receives(s0="all"), tagged=()),
    case("LB-RX-03", AB, {}, receives(s1="", s2=""), tagged=()),
    case("LB-RX-03-failover", AB, {},
         cut(0), see(active=1), mend(0), see(active=1, s0="up"),
         receives(s0="", s1="all", s2=""), tagged=()),
    case("LB-RX-04", AB, {"all_slaves_active": 1},
         receives(s0="all", s1="all", s2="all"), tagged=()),
    case("LB-RX-05", AB, {"all_slaves_active": 1},
         receives(s1="all"),
         option("all_slaves_active", 0), pause(0.1), receives(s1=""),
         option("all_slaves_active", 1), pause(0.1), receives(s1="all"),
         tagged=()),
    case("LB-RX-10", AB, {},
         copies(1), cut(0), see(active=1), mend(0), see(s0="up"), copies(1),
         tagged=()),
    case("LB-RX-10-all", AB, {"all_slaves_active": 1}, copies(3), tagged=()),
    case("LB-BC-04", "broadcast", {}, copies(3), tagged=()),
]

# With two members that are left out of three, the flows of the lost one go
# elsewhere than in Linux; with one out of two there is no choice.
TX = [
    case("LB-AB-01", AB, {},
         transmits(10, check=lambda c: c[0] == {0: 10}),
         do("activate", 2), see(active=2),
         transmits(10, check=lambda c: c[0] == {2: 10})),
    case("LB-BC-01", "broadcast", {},
         transmits(3, check=lambda c: c[0] == {0: 3, 1: 3, 2: 3}),
         cut(1), see(s1="down"),
         transmits(3, check=lambda c: c[0] == {0: 3, 2: 3})),
    case("LB-RR-01", "balance-rr", {},
         transmits(30, check=in_turn(0, 1, 2), exact=False)),
    case("LB-RR-05", "balance-rr", {},
         cut(0, 1), see(s0="down", s1="down"),
         transmits(6, check=lambda c: c[0] == {2: 6})),
    case("LB-XOR-layer2", "balance-xor", {"xmit_hash_policy": "layer2"},
         transmits(2, 12, single)),
    case("LB-XOR-layer2-cut", "balance-xor", {"xmit_hash_policy": "layer2"},
         transmits(2, 12, single), cut(1), see(s1="down"),
         transmits(2, 12, single), members=T2),
    case("LB-XOR-layer2+3", "balance-xor", {"xmit_hash_policy": "layer2+3"},
         transmits(2, 12, single)),
    case("LB-XOR-vlan+srcmac", "balance-xor",
         {"xmit_hash_policy": "vlan+srcmac"}, transmits(2, 12, single)),
]

# Probes: targets behind the far ends, and paths that die with their links up.
ONE = ("10.0.0.254",)
TWO = ("10.0.0.254", "10.0.0.253")
VALID = {"arp_validate": "all"}
ALL = {"arp_validate": "all", "arp_all_targets": "all"}
SAME = 2 * PROBE                # s.  Times may differ by two intervals.
# Given for both, so that the rest of the text is not compared.
NOBODY = {"active": None}
# Whoever was being tried is active, and when the other follows depends on that.
WORKING = {"s0": "up", "s1": "up"}

ARP = [
    case("LB-ARP-09", AB, VALID,
         leave(0), see(active=1, s0="down", s1="up", mii="up", fails={0: 1},
                       after=0.4, before=1.2, apart=SAME),
         join(0), see(active=1, s0="up", fails={0: 1}, before=1, apart=SAME),
         keep(0.5, active=1, s0="up", s1="up"), actives(0, 1), members=T2,
         targets=ONE),
    case("LB-ARP-10", AB, {**VALID, "arp_missed_max": 4},
         leave(0), see(active=1, s0="down", fails={0: 1}, after=0.8,
                       before=1.6, apart=SAME), members=T2, targets=ONE),
    case("LB-ARP-11", AB, VALID,
         leave(1), see(active=0, s1="down", fails={0: 0, 1: 1}, after=0.6,
                       before=1.4, apart=SAME),
         join(1), see(active=0, s1="up", before=1, apart=SAME), targets=ONE),
    case("LB-ARP-13", AB, {**VALID, "primary": "s0"},
         leave(0), see(active=1, s0="down", apart=SAME),
         join(0), see(active=0, s0="up", apart=SAME), actives(0, 1, 0),
         members=T2, targets=ONE),
    case("LB-ARP-14", AB, VALID,
         cut(0), see(active=1, s0="down", fails={0: 1}, after=0.4,
                     before=1.2, apart=SAME),
         mend(0), see(active=1, s0="up", apart=SAME), members=T2,
         targets=ONE),
    # Whom they try when they search, and when, is not the same.
    case("LB-ARP-15", AB, VALID,
         leave(0, 1), see(linux=NOBODY, ours=NOBODY, mii="down", before=1.6,
                          apart=SAME),
         keep(1, active=None, mii="down"),
         join(1), see(active=1, s1="up", mii="up", before=1.6,
                      apart=SAME), members=T2, targets=ONE),
    case("LB-ARP-25", AB, ALL,
         keep(0.8, active=0, s0="up", s1="up"),
         network("fall_silent", TWO[1]),
         see(linux=NOBODY, ours=NOBODY, mii="down", before=2, apart=SAME),
         network("answer", TWO[1]), see(linux=WORKING, ours=WORKING, mii="up"),
         members=T2, targets=TWO),
    case("LB-ARP-25-any", AB, VALID,
         network("fall_silent", TWO[1]),
         keep(1.2, active=0, s0="up", s1="up"), members=T2, targets=TWO),
    case("LB-ARP-27", "balance-xor", {},
         leave(0), see(s0="down", s1="up", s2="up", mii="up", fails={0: 1},
                       after=0.4, before=1.2, apart=SAME),
         join(0), see(s0="up", before=1, apart=SAME),
         keep(0.5, s0="up", s1="up", s2="up"), targets=ONE),
    case("LB-ARP-29", "balance-xor", {"arp_validate": "active"},
         leave(0, 1, 2), see(s0="down", s1="down", s2="down", mii="down",
                             after=0.4, before=1.2, apart=SAME),
         join(0, 1, 2), see(s0="up", s1="up", s2="up", mii="up", before=1.2,
                            apart=SAME), targets=ONE),
]

CASES = MII + SEL + FO + MAC + RX + TX + ARP


@pytest.fixture(scope="module")
def pair(daemon):
    """Both bonds; one boot for all tests."""
    with checked_lab() as lab:
        both = differential.Pair(lab, daemon)
        yield both
        both.close()


@pytest.mark.parametrize("this", CASES, ids=[c.id for c in CASES])
def test_case(pair, this):
    """Both behave as the catalogue says."""
    with Run(pair, this) as run:
        run.go()


def test_random_sequences(pair):
    """Random link events with random updelay, downdelay, primary, reselect
    policy and prio: both choose the same active member, and say the same of
    every member, whenever nothing is on its way.

    OB_DIFF_COUNT sequences (100 were run when this was written) from the seed
    OB_DIFF_SEED.  A sequence that differs, or that the machine was too slow
    for, is played again with longer ticks, since a machine that stands still
    for a moment makes a difference of its own; one that differs every time
    fails."""
    seed = int(os.environ.get("OB_DIFF_SEED") or random.randrange(1 << 30))
    count = int(os.environ.get("OB_DIFF_COUNT") or 8)
    compared = total = 0
    again = []
    for i in range(count):
        sequence = diffrandom.Sequence(seed + i)
        for tick in TICKS:
            try:
                n, of = diffrandom.play(pair, sequence, tick)
                compared, total = compared + n, total + of
                break
            except (diffrandom.Mismatch, diffrandom.Noise) as e:
                again.append("tick %d: %s\n%s" % (tick, e, sequence))
                if tick == TICKS[-1]:
                    raise AssertionError("\n\n".join(again[-3:])) from e
    print("%d sequences from seed %d, %d of %d quiet times compared, %d times "
          "again" % (count, seed, compared, total, len(again)))
    for text in again:
        print(text)
