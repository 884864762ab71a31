"""What commands tell of a bond of real devices."""

import json
import pathlib
import re

import pytest

from lab import wait_until
from switch import Switch, is_stock

NAMES = ["eth0", "eth1", "eth2"]
VECTORS = pathlib.Path(__file__).parent.parent / "vectors" / "proc-linux"
CASES = ["balance-rr", "active-backup", "active-backup-follow",
         "active-backup-active", "active-backup-queues",
         "active-backup-down", "active-backup-lost", "balance-xor",
         "broadcast"]
MAC = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}")


def vector(name):
    """Script and text of a case that was recorded from Linux."""
    block = re.search(r"(?m)^%s\n((?:[>|].*\n)+)" % re.escape(name),
                      VECTORS.read_text()).group(1)
    lines = block.splitlines()
    return ([n[2:] for n in lines if n.startswith(">")],
            [n[2:] for n in lines if n.startswith("|")])


def masked(lines):
    """Text without versions and addresses."""
    return [MAC.sub("MAC", re.sub(r"Driver: v.*", "Driver: vN", n))
            for n in lines]


class Trio:
    """A bond of three devices."""

    def __init__(self, lab, daemon, *settings):
        if is_stock(daemon):
            pytest.skip("the stock daemon has no such commands")
        self.s = Switch(lab, "s1", daemon)
        self.trunk = lab.trunk("trunk", "10.0.0.2", self.s, *NAMES)
        self.s.add_bond("bond", NAMES, *settings)
        self.s.wait_enabled(set(NAMES), "bond")

    def status(self):
        """The object of bond/status."""
        return json.loads(self.s.appctl("bond/status", "bond"))


@pytest.mark.parametrize("name", CASES)
def test_proc(lab, daemon, name):
    """bond/proc is what Linux says of the same bond, but for versions and
    addresses (LB-ST-02, LB-ST-16)."""
    script, expected = vector(name)
    words = [line.split() for line in script]
    net = Trio(lab, daemon, "bond_mode=active-backup", *[
        "other_config:bond-" + w[1] for w in words if w[0] == "bond"])
    for w in words:
        if w[0] == "at" and w[2] == "carrier":
            net.trunk.cable(NAMES[int(w[3]) - 1]).cut()
        elif w[0] == "at" and w[2] == "set":
            net.s.vsctl("set", "interface", NAMES[int(w[3]) - 1],
                        "other_config:bond-" + w[4])
    got = []

    def same():
        got[:] = net.s.appctl("bond/proc", "bond").splitlines()
        return masked(got) == masked(expected)
    try:
        wait_until(same, "the same text")
    except AssertionError:
        assert masked(got) == masked(expected)
    macs = [n.split()[-1] for n in got if n.startswith("Permanent")]
    assert len(set(macs)) == len(NAMES)


def test_status(lab, daemon):
    """bond/status knows speeds, failures, and who failed over to whom
    (LB-ST-12, LB-ST-13)."""
    net = Trio(lab, daemon, "bond_mode=active-backup",
               "other_config:bond-miimon=50",
               "other_config:bond-primary=eth0")
    net.s.wait_active("eth0", "bond")
    assert (net.status()["speed"], net.status()["duplex"]) == (10000, "full")
    for n in range(1, 4):
        net.trunk.cable("eth0").cut()
        wait_until(lambda: net.status()["active_slave"] == "eth1",
                   "eth1 is active")
        net.trunk.cable("eth0").mend()
        wait_until(lambda: net.status()["active_slave"] == "eth0",
                   "eth0 is active again")
        assert net.status()["slaves"][0]["link_failure_count"] == n
    s = net.status()
    assert [f["cause"] for f in s["failovers"]][-2:] \
        == ["link failure", "primary or priority"]
    assert [f["time"] for f in s["failovers"]] \
        == sorted(f["time"] for f in s["failovers"])
    assert s["failover_count"] == sum(f["counted"] for f in s["failovers"])
    text = net.s.appctl("bond/show", "bond")
    assert "last failover: %s, eth1 to eth0, cause: primary or priority" \
        % s["failovers"][-1]["time"] in text
    wait_until(lambda: net.s.get("port", "bond", "status:bond_last_failover")
               == '"%s"' % s["failovers"][-1]["time"],
               "the database has the same time")
    net.s.vsctl("set", "port", "bond", "other_config:bond-mode=balance-rr")
    wait_until(lambda: net.status()["speed"] == 30000, "the sum of speeds")
    net.s.vsctl("set", "port", "bond", "other_config:bond-mode=broadcast")
    wait_until(lambda: net.status()["speed"] == 10000, "the slowest")
