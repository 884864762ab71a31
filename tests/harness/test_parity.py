"""What users and their scripts read: the replies must be those of the stock
daemon.

Both daemons run side by side, in labs alike to the last MAC address, get the
same configuration and the same commands; the replies are compared as text."""

import re

import pytest

import compare
from lab import Cable, checked_lab, wait_until
from switch import Switch

AB = "bond_mode=active-backup"
SLB = "bond_mode=balance-slb"
TCP = "bond_mode=balance-tcp"
FAST = "other_config:lacp-time=fast"


class Side:
    """A switch with three cables to a stock switch."""

    def __init__(self, lab, daemon, stock):
        self.lab = lab
        self.s = Switch(lab, "s1", daemon, hwaddr="02:00:00:00:01:00")
        self.peer = Switch(lab, "s2", stock, hwaddr="02:00:00:00:02:00")
        self.cables = {}
        for i in 1, 2, 3:
            cable = Cable(self.s.ns, "p%d" % i, self.peer.ns, "q%d" % i)
            self.s.ns.run("ip", "link", "set", "dev", cable.a, "address",
                          "02:00:00:00:01:0%d" % i)
            self.peer.ns.run("ip", "link", "set", "dev", cable.b, "address",
                             "02:00:00:00:02:0%d" % i)
            self.cables[cable.a] = cable

    @staticmethod
    def _ports(members, key):
        """Settings that make the numbers in lacp/show predictable: stock
        takes the key from the port number of some member, but not of a
        particular one."""
        args = []
        for name in members:
            args += ["--", "set", "interface", name,
                     "ofport_request=1" + name[1]]
            if key:
                args.append("other_config:lacp-aggregation-key=%d" % key)
        return args

    def configure(self, config):
        """Makes bond0 at both ends."""
        n = config.get("members", 2)
        members = ["p%d" % i for i in range(1, n + 1)]
        key = config.get("key", 0)
        self.s.vsctl("add-bond", "br0", "bond0", *members,
                     *config["settings"], *self._ports(members, key))
        if "peer" in config:
            far = [m.replace("p", "q") for m in members]
            self.peer.vsctl("add-bond", "br0", "bond0", *far,
                            *config["peer"], *self._ports(far, key + 1))
        for step in config.get("then", []):
            self.do(step)

    def do(self, step):
        """("cut", port), ("mend", port), ("appctl", ...) or
        ("vsctl", ...)."""
        if step[0] == "cut":
            self.cables[step[1]].cut()
        elif step[0] == "mend":
            self.cables[step[1]].mend()
        elif step[0] == "enabled":
            self.s.wait_enabled(set(step[1:]), timeout=20)
        elif step[0] == "appctl":
            return self.s.try_appctl(*step[1:])
        else:
            assert step[0] == "vsctl"
            proc = self.s.try_vsctl(*step[1:])
            return proc.returncode, proc.stdout + proc.stderr
        return 0, ""

    def clear(self):
        """Removes bond0 from both ends and mends the cables."""
        for switch in self.s, self.peer:
            switch.vsctl("--if-exists", "del-port", "bond0")
        for cable in self.cables.values():
            cable.mend()


@pytest.fixture(scope="module")
def sides(daemon, stock):
    """(ours, stock's)."""
    with checked_lab() as a, checked_lab() as b:
        yield Side(a, daemon, stock), Side(b, stock, stock)


@pytest.fixture(autouse=True)
def cleared(sides):
    """Removes the bond after each test."""
    yield
    for side in sides:
        side.clear()


CHOOSE_P1 = ("appctl", "bond/set-active-member", "bond0", "p1")
CHOOSE_P2 = ("appctl", "bond/set-active-member", "bond0", "p2")
BOTH = ("enabled", "p1", "p2")

CONFIGS = {
    "active-backup": {
        "settings": [AB], "then": [BOTH, CHOOSE_P2]},
    "active-backup-3": {
        "settings": [AB], "members": 3,
        "then": [("enabled", "p1", "p2", "p3"), CHOOSE_P2]},
    "primary": {
        "settings": [AB, "other_config:bond-primary=p2", "bond_updelay=100",
                     "bond_downdelay=200"],
        "then": [BOTH]},
    "primary-missing": {
        "settings": [AB, "other_config:bond-primary=nobody"],
        "then": [BOTH, CHOOSE_P1]},
    "negative-delays": {
        "settings": [AB, "bond_updelay=-5", "bond_downdelay=-1"],
        "then": [BOTH, CHOOSE_P1]},
    "cut": {
        "settings": [AB], "then": [BOTH, ("cut", "p1"),
                                   ("enabled", "p2")]},
    "all-cut": {
        "settings": [AB], "then": [BOTH, CHOOSE_P1, ("cut", "p1"),
                                   ("cut", "p2"), ("enabled",)]},
    "downdelay-running": {
        "settings": [AB, "bond_downdelay=60000"],
        "then": [BOTH, CHOOSE_P1, ("cut", "p1")]},
    "updelay-running": {
        "settings": [AB, "bond_updelay=60000"],
        "then": [BOTH, CHOOSE_P1, ("cut", "p2"), ("enabled", "p1"),
                 ("mend", "p2")]},
    "disabled-member": {
        "settings": [AB],
        "then": [BOTH, CHOOSE_P2,
                 ("appctl", "bond/disable-member", "bond0", "p1")]},
    "miimon": {
        "settings": [AB, "other_config:bond-detect-mode=miimon",
                     "other_config:bond-miimon-interval=100"],
        "then": [BOTH, CHOOSE_P1]},
    "all-members-active": {
        "settings": [AB, "other_config:all-members-active=true"],
        "then": [BOTH, CHOOSE_P1]},
    "balance-slb": {
        "settings": [SLB, "other_config:bond-hash-basis=7"],
        "then": [BOTH, CHOOSE_P1]},
    "balance-slb-no-rebalance": {
        "settings": [SLB, "other_config:bond-rebalance-interval=0"],
        "then": [BOTH, CHOOSE_P1]},
    "balance-slb-odd-interval": {
        "settings": [SLB, "other_config:bond-rebalance-interval=5"],
        "then": [BOTH, CHOOSE_P1]},
    "balance-slb-lb-output": {
        "settings": [SLB, "other_config:lb-output-action=true"],
        "then": [BOTH, CHOOSE_P1]},
    "fake-iface": {
        "settings": [AB, "bond_fake_iface=true"], "then": [BOTH, CHOOSE_P1]},
    "lacp-active-backup": {
        "settings": [AB, "lacp=active", FAST],
        "peer": [AB, "lacp=active", FAST], "then": [BOTH, CHOOSE_P1]},
    "balance-tcp": {
        "settings": [TCP, "lacp=active", FAST],
        "peer": [TCP, "lacp=active", FAST], "then": [BOTH]},
    "balance-tcp-slow": {
        "settings": [TCP, "lacp=active"],
        "peer": [TCP, "lacp=active"], "then": [BOTH]},
    "balance-tcp-lb-output": {
        "settings": [TCP, "lacp=active", FAST,
                     "other_config:lb-output-action=true"],
        "peer": [TCP, "lacp=active", FAST], "then": [BOTH]},
    "lacp-passive": {
        "settings": [TCP, "lacp=passive", FAST],
        "peer": [TCP, "lacp=active", FAST], "then": [BOTH]},
    "lacp-partner-passive": {
        "settings": [TCP, "lacp=active", FAST],
        "peer": [TCP, "lacp=passive", FAST], "then": [BOTH]},
    "lacp-default-key": {
        "settings": [TCP, "lacp=active", FAST],
        "peer": [TCP, "lacp=active", FAST], "then": [BOTH], "key": 0},
    "lacp-names": {
        "key": 0,
        "settings": [
            TCP, "lacp=active", FAST,
            "other_config:lacp-system-id=\"02:00:00:00:77:00\"",
            "other_config:lacp-system-priority=1000", "--",
            "set", "interface", "p1", "other_config:lacp-port-id=21",
            "other_config:lacp-port-priority=9",
            "other_config:lacp-aggregation-key=33", "--",
            "set", "interface", "p2", "other_config:lacp-port-id=22",
            "other_config:lacp-aggregation-key=33"],
        "peer": [TCP, "lacp=active", FAST], "then": [BOTH]},
    "lacp-bad-system-id": {
        "settings": [TCP, "lacp=active", FAST,
                     "other_config:lacp-system-id=rubbish",
                     "other_config:lacp-system-priority=99999999"],
        "peer": [TCP, "lacp=active", FAST], "then": [BOTH]},
    "lacp-no-partner": {
        "settings": [TCP, "lacp=active", FAST], "then": [("enabled",)]},
    "lacp-no-partner-passive": {
        "settings": [TCP, "lacp=passive", FAST], "then": [("enabled",)]},
    "lacp-fallback": {
        "settings": [TCP, "lacp=active", FAST,
                     "other_config:lacp-fallback-ab=true"],
        "then": [BOTH, CHOOSE_P1]},
    "lacp-cut": {
        "settings": [TCP, "lacp=active", FAST],
        "peer": [TCP, "lacp=active", FAST],
        "then": [BOTH, ("cut", "p1"), ("enabled", "p2")]},
    "tcp-without-lacp": {
        "settings": [TCP], "then": [BOTH, CHOOSE_P1]},
}
for _config in CONFIGS.values():
    if "peer" in _config:
        _config["then"] = [CHOOSE_P1 if step == BOTH else step
                           for step in _config["then"]]
        _config["then"].insert(0, BOTH)
    if any(s.startswith("lacp=") for s in _config["settings"]):
        _config.setdefault("key", 40)

QUERIES = [["bond/show"], ["bond/show", "bond0"], ["bond/list"],
           ["lacp/show"], ["lacp/show", "bond0"],
           ["lacp/show-stats", "bond0"]]


@pytest.mark.parametrize("name", list(CONFIGS))
def test_show(sides, name):
    """bond/show, bond/list and lacp/show for one configuration."""
    for side in sides:
        side.configure(CONFIGS[name])

    def equal():
        # Both are asked again until they agree: two daemons do not pass
        # through the moments of a negotiation at the same time.
        for query in QUERIES:
            ours, theirs = [side.s.try_appctl(*query) for side in sides]
            assert ours[0] == theirs[0], "%s: %s %s" % (query, ours, theirs)
            # A bond must be there to compare; lacp/show is silent without
            # LACP.
            if query[0].startswith("bond/"):
                assert "bond0" in theirs[1]
            texts = ours[1], theirs[1]
            if CONFIGS[name].get("key") == 0:
                texts = [re.sub(r"key: 1[12]$", "key: 1N", t, flags=re.M)
                         for t in texts]
            found = compare.differences(
                *texts, extra=query[0] == "bond/show")
            assert not found, "%s: %s" % (" ".join(query), found)
        return True
    wait_until(equal, "the replies are equal", 15, interval=0.2)

    for column in ("lacp_current", "link_state", "admin_state"):
        values = [[side.s.get("interface", p, column)
                   for p in ("p1", "p2")] for side in sides]
        assert values[0] == values[1], column
    actives = [side.s.get("port", "bond0", "bond_active_slave")
               for side in sides]
    assert actives[0] == actives[1]
    assert sides[0].s.ns.links() == sides[1].s.ns.links()


COMMANDS = [
    "bond/show nobody", "bond/show a b", "bond/list x", "bond/hash",
    "bond/hash 02:00:00:00:00:01", "bond/hash 02:00:00:00:00:01 10",
    "bond/hash 02:00:00:00:00:01 10 7", "bond/hash 02:00:00:00:00:01 4095",
    "bond/hash 02:00:00:00:00:01 4096", "bond/hash 02:00:00:00:00:01 x",
    "bond/hash 02:00:00:00:00:01 10 x", "bond/hash rubbish",
    "bond/hash 02:00:00:00:00", "bond/hash FF:FF:FF:FF:FF:FF",
    "bond/hash 02:00:00:00:00:01 -1", "bond/hash 02:00:00:00:00:01 0",
    "bond/hash 02:00:00:00:00:01 1 2 3",
    "bond/migrate", "bond/migrate bond0 1", "bond/migrate nobody 1 p1",
    "bond/migrate bond0 x p1", "bond/migrate bond0 1 nobody",
    "bond/migrate bond0 1 p1", "bond/migrate bond0 1 p2",
    "bond/migrate bond0 255 p2", "bond/migrate bond0 256 p2",
    "bond/migrate bond0 1 p1 x",
    "bond/set-active-member", "bond/set-active-member nobody p1",
    "bond/set-active-member bond0 nobody", "bond/set-active-member bond0 p1",
    "bond/set-active-member bond0 p1", "bond/set-active-slave bond0 p2",
    "bond/set-active-slave bond0 p1",
    "bond/disable-member nobody p1", "bond/disable-member bond0 nobody",
    "bond/disable-member bond0 p2", "bond/migrate bond0 1 p2",
    "bond/set-active-member bond0 p2", "bond/disable-member bond0 p2",
    "bond/enable-member bond0 p2", "bond/enable-member bond0 p2",
    "bond/disable-slave bond0 p2", "bond/enable-slave bond0 p2",
    "bond/enable-member nobody p1", "bond/enable-member bond0 nobody",
    "bond/enable-member bond0", "bond/disable-member",
    "bond/disable-slave bond0", "bond/set-active-slave",
    "lacp/show nobody", "lacp/show a b", "lacp/show-stats nobody",
    "lacp/show-stats a b",
]


@pytest.mark.parametrize("mode", ["active-backup", "balance-slb",
                                  "balance-tcp"])
def test_commands(sides, mode):
    """Every command, right and wrong, replies as stock does, and leaves the
    bond in the same state."""
    config = {"settings": ["bond_mode=" + mode], "then": [BOTH]}
    if mode == "balance-tcp":
        lacp = [TCP, "lacp=active", FAST]
        config = {"settings": lacp, "peer": lacp, "then": [BOTH]}
    for side in sides:
        side.configure(config)
    # Both start from the same active member.
    for side in sides:
        side.do(CHOOSE_P2)
    errors = []
    good = 0
    for command in COMMANDS:
        ours, theirs = [side.s.try_appctl(*command.split())
                        for side in sides]
        if ours != theirs:
            errors.append("%s:\n  ours:  %s\n  stock: %s"
                          % (command, ours, theirs))
        good += theirs[0] == 0

        def same_state():
            shows = [side.s.appctl("bond/show", "bond0") for side in sides]
            return not compare.differences(*shows, extra=True)
        try:
            wait_until(same_state, "same state", 5)
        except AssertionError:
            shows = [side.s.appctl("bond/show", "bond0") for side in sides]
            errors.append("after %s: %s" % (
                command, compare.differences(*shows, extra=True)))
    assert not errors, "\n".join(errors)
    assert good >= 10


def test_list_commands(sides):
    """Every bond and LACP command of stock is there, with the same
    arguments."""
    ours, theirs = [
        {" ".join(line.split())
         for line in side.s.appctl("list-commands").splitlines()
         if line.strip().startswith(("bond/", "lacp/"))} for side in sides]
    assert len(theirs) >= 9
    assert theirs <= ours, "missing: %s" % (theirs - ours)


def test_several_bonds(sides):
    """bond/show and bond/list with two bonds."""
    for side in sides:
        side.configure({"settings": [AB], "then": [BOTH, CHOOSE_P1]})
        for i in 4, 5:
            if "x%d" % i not in side.s.ns.links():
                cable = Cable(side.s.ns, "x%d" % i, side.peer.ns, "y%d" % i)
                side.s.ns.run("ip", "link", "set", "dev", cable.a, "address",
                              "02:00:00:00:01:0%d" % i)
        side.s.add_bond("bond1", ["x4", "x5"], SLB)
        side.s.wait_enabled({"x4", "x5"}, "bond1")
        side.s.appctl("bond/set-active-member", "bond1", "x5")
    try:
        for query in QUERIES[:3]:
            texts = [side.s.appctl(*query) for side in sides]
            if query[0] == "bond/show":     # In no particular order.
                texts = ["".join("\n".join(lines) + "\n" for _n, lines
                                 in sorted(compare.blocks(t)))
                         for t in texts]
                if len(query) == 1:
                    assert "---- bond1 ----" in texts[1]
            else:
                texts = ["\n".join(sorted(t.split("\n"))) for t in texts]
            found = compare.differences(*texts, extra=True)
            assert not found, found
    finally:
        for side in sides:
            side.s.vsctl("del-port", "bond1")


WRONG = [
    "set port bond0 bond_mode=balance-rr",
    "set port bond0 bond_mode=rubbish",
    "set port bond0 bond_updelay=x",
    "set port bond0 bond_updelay=-5",
    "set port bond0 bond_downdelay=-5",
    "set port bond0 lacp=sometimes",
    "set port bond0 other_config:lacp-system-id=rubbish",
    "set port bond0 other_config:lacp-system-id=00:00:00:00:00:00",
    "set port bond0 other_config:lacp-system-priority=0",
    "set port bond0 other_config:lacp-system-priority=-3",
    "set port bond0 other_config:lacp-time=never",
    "set port bond0 other_config:bond-rebalance-interval=-1",
    "set port bond0 other_config:bond-hash-basis=x",
    "set port bond0 other_config:bond-detect-mode=rubbish",
    "set port bond0 other_config:bond-miimon-interval=-7",
    "set port bond0 other_config:bond-primary=",
    "add-bond br0 bond0 p1 p2",
    "add-bond br0 bond9 p3",
    "add-bond br0 bond9 p1 p2",
    "add-bond br0 bond9 p3 p3",
    "add-bond br0 bond9 missing1 missing2",
    "add-bond br0 bond8 missing3 missing4 bond_mode=balance-slb",
    "add-bond br9 bond9 p3 missing1",
    "del-port bond9", "del-port bond8", "del-port bond8",
]


def test_wrong_configuration(sides):
    """The answers to a wrong configuration, and the state of the bond after
    each."""
    for side in sides:
        side.configure({"settings": [AB], "then": [BOTH, CHOOSE_P1]})
    errors = []
    refused = 0
    for command in WRONG:
        results = []
        for side in sides:
            proc = side.s.try_vsctl("--timeout=5", *command.split())
            text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
                          "UUID", proc.stdout + proc.stderr)
            text = re.sub(r"\d{4}-\d\d-\d\dT[0-9:.]+Z", "DATE", text)
            text = text.replace(str(side.s.dir), "DIR")
            results.append((proc.returncode, text))
        refused += results[1][0] != 0
        if results[0] != results[1]:
            errors.append("%s:\n  ours:  %s\n  stock: %s"
                          % (command, *results))
        shows = [side.s.appctl("bond/show", "bond0") for side in sides]
        found = compare.differences(*shows, extra=True)
        if found:
            errors.append("after %s: %s" % (command, found))
    assert not errors, "\n".join(errors)
    assert refused >= 6
