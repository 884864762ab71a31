"""A wrong configuration never stops the other bonds, nor its own."""

import importlib.machinery
import importlib.util
import json
import os
import time

import pytest

from lab import SLOW, wait_until
from switch import Switch, is_stock
from traffic import Ping, reachable

AB = "bond_mode=active-backup"

# (command, refused by vsctl or the schema)
WRONG = {
    "unknown-mode": ("set port bad bond_mode=balance-foo", True),
    "mode-not-in-schema": ("set port bad bond_mode=802.3ad", True),
    "delay-not-a-number": ("set port bad bond_updelay=soon", True),
    "one-member": ("add-bond br0 bond9 x3", True),
    "duplicate-member": ("add-bond br0 bond9 x3 x3", True),
    "member-of-another-bond": ("add-bond br0 bond9 p1 x3", True),
    "missing-members": ("add-bond br0 bond9 gone1 gone2", False),
    "one-missing-member": ("add-bond br0 bond9 x3 gone1", False),
    "negative-updelay": ("set port bad bond_updelay=-5", False),
    "negative-downdelay": ("set port bad bond_downdelay=-50000", False),
    "bad-system-id": (
        "set port bad lacp=active other_config:lacp-system-id=rubbish",
        False),
    "bad-lacp-time": (
        "set port bad lacp=active other_config:lacp-time=never", False),
    "bad-port-id": (
        "set interface x1 other_config:lacp-port-id=999999 "
        "other_config:lacp-port-priority=-1", False),
    "bad-interval": (
        "set port bad bond_mode=balance-slb "
        "other_config:bond-rebalance-interval=-17", False),
    "bad-detect-mode": (
        "set port bad other_config:bond-detect-mode=telepathy "
        "other_config:bond-miimon-interval=0", False),
    "missing-primary": (
        "set port bad other_config:bond-primary=nobody", False),
    "misspelt-option": ("set port bad other_config:bond-updlay=5", False),
    "8023ad-without-lacp": (
        "set port bad other_config:bond-mode=802.3ad", False),
    "bad-option-string": (
        "set port bad other_config:bonding=mode=9", False),
    "tcp-without-lacp": ("set port bad bond_mode=balance-tcp", False),
    "members-removed": ("clear-members", False),
}


class TwoBonds:
    """A good bond that carries traffic, and another to be spoilt."""

    def __init__(self, lab, daemon):
        self.s = Switch(lab, "s1", daemon)
        self.trunk = lab.trunk("trunk", "10.0.0.2", self.s, "p1", "p2")
        self.other = lab.trunk("other", "10.0.9.2", self.s, "x1", "x2", "x3")
        self.h1 = lab.host("h1", self.s, "to-h1", "10.0.0.1")
        self.s.add_bond("good", ["p1", "p2"], AB, "tag=5")
        self.s.vsctl("set", "port", "to-h1", "tag=5")
        self.s.add_bond("bad", ["x1", "x2"], AB, "tag=9")
        self.s.wait_enabled({"p1", "p2"}, "good")
        self.s.wait_enabled({"x1", "x2"}, "bad")
        reachable(self.h1, "10.0.0.2")


@pytest.mark.parametrize("name", list(WRONG))
def test_wrong_configuration(lab, daemon, name):
    """The good bond loses nothing, fails over, and outlives a restart with
    the wrong configuration in the database."""
    net = TwoBonds(lab, daemon)
    ping = Ping(net.h1, "10.0.0.2")
    before = net.s.bond("good")
    command, refused = WRONG[name]
    if command == "clear-members":
        net.s.del_member("bad", "x2")
    else:
        proc = net.s.try_vsctl(*command.split())
        assert (proc.returncode != 0) == refused, proc
        assert not refused or proc.stderr.strip()
    ping.wait_replies(100)
    assert net.s.alive()
    after = net.s.bond("good")
    assert (after.enabled, after.active) == (before.enabled, before.active)
    ping.stop()
    assert ping.lost <= 3 and ping.gap < 0.5 * SLOW, "%s" % ping

    net.trunk.cable(after.active).cut()
    wait_until(lambda: net.s.bond("good").active
               not in (None, after.active), "fails over")
    reachable(net.h1, "10.0.0.2")
    if not refused:
        net.s.stop()
        net.s.start()
        reachable(net.h1, "10.0.0.2")


def other_config(switch, *pairs):
    """Makes 'pairs' all that bond "good" has in other_config."""
    command = ["clear", "port", "good", "other_config"]
    for pair in pairs:
        command += ["--", "set", "port", "good", "other_config:" + pair]
    switch.vsctl(*command)


def db_error(switch):
    """Port.status:bond_error of bond "good", or ""."""
    return switch.vsctl("--if-exists", "get", "port", "good",
                        "status:bond_error").strip().strip('"')


def test_mistakes_are_told(lab, daemon):
    """A misspelt key and a bad value are told within a second, in bond/show
    and in the database, until they are mended; traffic does not notice."""
    if is_stock(daemon):
        pytest.skip("stock Open vSwitch has no such options")
    net = TwoBonds(lab, daemon)
    other_config(net.s, "bond-downdelay=70")
    ping = Ping(net.h1, "10.0.0.2")
    for pair, said in (("bond-downdlay=80", "downdlay"),
                       ("bond-downdelay=soon", "downdelay"),
                       ("bonding=xmit_hash_policy=layer9",
                        "xmit-hash-policy")):
        keep = [] if "downdelay" in pair else ["bond-downdelay=70"]
        started = time.time()
        other_config(net.s, pair, *keep)
        wait_until(lambda: said in db_error(net.s), "told in the database", 5)
        assert time.time() - started < 1 * SLOW
        text = net.s.appctl("bond/show", "good")
        assert "config error: " + said in text
        assert "downdelay: 70 ms" in text
        ping.wait_replies(20)
        other_config(net.s, "bond-downdelay=70")
        wait_until(lambda: not db_error(net.s), "mended", 5)
        assert "config error" not in net.s.appctl("bond/show", "good")
    ping.wait_replies(20)
    ping.stop()
    assert ping.lost == 0 and ping.gap < 0.5 * SLOW, "%s" % ping


def refused_values():
    """(option, value) that an active-backup bond with lacp=off refuses: of
    each option one that the mode does not have, or that is not supported yet,
    or else all values that are wrong."""
    path = os.path.join(os.path.dirname(__file__), "..", "options-matrix")
    loader = importlib.machinery.SourceFileLoader("options_matrix", path)
    spec = importlib.util.spec_from_loader(loader.name, loader)
    matrix = importlib.util.module_from_spec(spec)
    loader.exec_module(matrix)
    for name, row in list(matrix.LINUX.items()) + list(matrix.OURS.items()):
        kind, modes, _, supported, _, rest = row
        values = list(matrix.values(kind, rest))
        if 1 not in modes or not supported:
            yield name, next(text for text, shown in values
                             if shown is not None)
        for text, shown in values:
            if shown is None:
                yield name, text
    yield "mode", "802.3ad"
    yield "mode", "7"
    yield "misspelt", "5"


def test_every_refused_value(lab, daemon):
    """All values that are refused, one after the other, on a bond that
    carries a ping: each is told within a second, nothing is lost, and the
    last good values stay."""
    if is_stock(daemon):
        pytest.skip("stock Open vSwitch has no such options")
    net = TwoBonds(lab, daemon)
    good = ["bond-downdelay=70", "bond-num-grat-arp=3"]
    other_config(net.s, *good)
    net.s.vsctl("set", "port", "good", "lacp=off")
    values = list(refused_values())
    assert len(values) > 400
    ping = Ping(net.h1, "10.0.0.2")
    slowest = 0
    for i, (name, value) in enumerate(values):
        keep = [g for g in good
                if g.split("=")[0][len("bond-"):] != name.replace("_", "-")
                and (name, g) != ("num_unsol_na", "bond-num-grat-arp=3")]
        # Each has a text of its own, so that what is told is about it.
        started = time.time()
        other_config(net.s, "bond-%s=%s" % (name, json.dumps(value)), *keep)
        said = "%s:" % {"missed_max": "arp-missed-max",
                        "all_slaves_active": "all-members-active",
                        "num_unsol_na": "num-grat-arp",
                        "lb_output_action": "lb-output",
                        }.get(name, name.replace("_", "-"))
        wait_until(lambda: db_error(net.s).startswith(said),
                   "%s=%r is told" % (name, value), 5)
        slowest = max(slowest, time.time() - started)
        if i % 50 == 0:
            text = net.s.appctl("bond/show", "good")
            assert "config error: " + said in text
            assert "bond_mode: active-backup" in text
            assert "downdelay: 70 ms" in text
    assert slowest < 1 * SLOW, "%.2f s" % slowest
    assert "num-grat-arp: 3 (key)" in net.s.appctl("bond/options", "good")
    other_config(net.s, *good)
    wait_until(lambda: not db_error(net.s), "mended", 5)
    assert "config " not in net.s.appctl("bond/show", "good")
    ping.wait_replies(20)
    ping.stop()
    assert ping.lost == 0 and ping.gap < 0.5 * SLOW, "%s" % ping
