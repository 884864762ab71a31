#!/usr/bin/python3
"""Shows bonds at work: real frames between hosts, a pulled cable, a failover.

Part 1 is active-backup towards a plain switch, part 2 is LACP with
balance-tcp between two of our switches.  Everything happens in private
namespaces, as root, takes well under a minute and leaves nothing behind.

The exit status is 0 if traffic survived, 1 if not, 2 if the demonstration
could not be given at all.
"""

import argparse
import os
import sys

sys.dont_write_bytecode = True

import isolate                                              # noqa: E402
from lab import Cable, Lab, LabError, leftovers, wait_until     # noqa: E402
from switch import Switch, find_daemon                      # noqa: E402
from traffic import Iperf, Ping, reachable                  # noqa: E402

# Seconds without any reply that we still call survival.  With LACP one end
# may use a mended link a PDU, that is a second, before the other does.
MAX_OUTAGE = 1.0
MAX_OUTAGE_LACP = 2.5

PICTURE_1 = r"""
      host h1                  switch s1              another switch
    10.0.0.1 ------------- br0 === bond0 === p1 ------------ trunk, no LACP
                                         === p2 ------------ 10.0.0.2
"""

PICTURE_2 = r"""
    host h1      switch s1                     switch s2      host h2
   10.0.0.1 ----- br0 == bond0 == p1 --- q1 == bond0 == br0 ----- 10.0.0.2
                               == p2 --- q2 ==
"""


class Failure(Exception):
    """Traffic did not survive."""


def say(text=""):
    """One line of narration."""
    print(text, flush=True)


def show(command, text):
    """A command and its reply."""
    say("  $ " + command)
    for line in text.rstrip("\n").split("\n"):
        say("    " + line)
    say()


def check_ping(ping, what, max_outage=MAX_OUTAGE):
    """Narrates the result of a ping; raises Failure if it was a bad one."""
    ping.stop()
    say("%s: %d pings sent, %d answered, %d lost; the longest gap between "
        "two answers was %d ms." % (what, ping.sent, ping.received,
                                    ping.lost, round(ping.gap * 1000)))
    if not ping.received or ping.gap > max_outage:
        raise Failure("the traffic was interrupted for %.1f s" % ping.gap)


def active_backup(lab, daemon):
    """Part 1."""
    say("Part 1: active-backup, and somebody pulls the cable in use")
    say(PICTURE_1)
    s1 = Switch(lab, "s1", daemon)
    trunk = lab.trunk("trunk", "10.0.0.2", s1, "p1", "p2")
    h1 = lab.host("h1", s1, "to-h1", "10.0.0.1")
    settings = ["bond_mode=active-backup"]
    s1.add_bond("bond0", ["p1", "p2"], *settings)
    say("  $ ovs-vsctl add-bond br0 bond0 p1 p2 " + " ".join(settings))
    s1.wait_enabled({"p1", "p2"})
    reachable(h1, "10.0.0.2")

    ping = Ping(h1, "10.0.0.2", interval=0.001)
    ping.wait_replies(500)
    active = s1.bond().active
    say("h1 now sends 1000 pings a second to 10.0.0.2.  They leave through "
        "%s:" % active)
    say()
    show("ovs-appctl bond/show bond0", s1.appctl("bond/show", "bond0"))

    other = {"p1": "p2", "p2": "p1"}[active]
    say("Pulling the cable of %s ..." % active)
    trunk.cable(active).cut()
    s1.wait_active(other)
    ping.wait_replies(1000)
    say("The bond goes on with %s, and the answers keep coming:" % other)
    say()
    show("ovs-appctl bond/show bond0", s1.appctl("bond/show", "bond0"))

    say("Putting the cable of %s back ..." % active)
    trunk.cable(active).mend()
    s1.wait_enabled({"p1", "p2"})
    ping.wait_replies(500)
    say("%s is enabled again; %s stays the active one, as nothing is gained "
        "by moving." % (active, s1.bond().active))
    check_ping(ping, "In all")
    say()
    return ping


def lacp(lab, daemon):
    """Part 2."""
    say("Part 2: LACP and balance-tcp between two of our switches")
    say(PICTURE_2.rstrip("\n"))
    say()
    s1 = Switch(lab, "s1b", daemon)
    s2 = Switch(lab, "s2b", daemon)
    cables = {"p1": Cable(s1.ns, "p1", s2.ns, "q1"),
              "p2": Cable(s1.ns, "p2", s2.ns, "q2")}
    h1 = lab.host("h1b", s1, "to-h1", "10.0.0.1")
    h2 = lab.host("h2b", s2, "to-h2", "10.0.0.2")
    settings = ["bond_mode=balance-tcp", "lacp=active",
                "other_config:lacp-time=fast",
                "other_config:bond-rebalance-interval=1000"]
    s1.add_bond("bond0", ["p1", "p2"], *settings)
    s2.add_bond("bond0", ["q1", "q2"], *settings)
    say("  $ ovs-vsctl add-bond br0 bond0 p1 p2 \\")
    say("        " + " ".join(settings[:2]) + " \\")
    say("        " + " ".join(settings[2:]))
    for switch in s1, s2:
        wait_until(lambda: len(switch.lacp().current()) == 2,
                   "both members of %s aggregate" % switch.name, 20)
    reachable(h1, "10.0.0.2")
    say("Both members have found their partners:")
    say()
    show("ovs-appctl lacp/show bond0", short_lacp(s1))

    before = {p: s1.ns.counters(p)[3] for p in cables}
    ping = Ping(h1, "10.0.0.2", interval=0.001)
    load = Iperf(h2, h1, "10.0.0.2", seconds=8, streams=16,
                 mbps=10)
    ping.wait_replies(1000, 20)

    def share():
        return {p: s1.ns.counters(p)[3] - before[p] for p in cables}
    # A member that came second may wait for the next rebalancing.
    wait_until(lambda: min(share().values()) > 1e6,
               "both members carry some of the load", 6)
    used = share()
    say("Sixteen TCP connections of 10 Mbit/s from h1 to h2, and 1000 pings a "
        "second; so far p1 carried %.1f MB and p2 %.1f MB."
        % (used["p1"] / 1e6, used["p2"] / 1e6))
    say("Pulling the cable between p1 and q1 ...")
    cables["p1"].cut()
    for switch, left in (s1, "p2"), (s2, "q2"):
        switch.wait_enabled({left})
    ping.wait_replies(500, 20)
    show("ovs-appctl lacp/show bond0", short_lacp(s1))
    say("Putting it back ...")
    cables["p1"].mend()
    wait_until(lambda: len(s1.lacp().current()) == 2
               and len(s2.lacp().current()) == 2,
               "both members aggregate again", 40)
    s1.wait_enabled({"p1", "p2"})
    ping.wait_replies(500, 20)
    say("Both members carry traffic again.")
    report = load.result()
    say("iperf3: %.0f MB in %d s, none of the connections broke."
        % (report.bytes / 1e6, report.seconds))
    check_ping(ping, "In all", MAX_OUTAGE_LACP)
    if not report.bytes:
        raise Failure("iperf3 moved nothing")
    say()


def short_lacp(switch):
    """lacp/show, reduced to what matters here."""
    show = switch.lacp()
    lines = ["status: " + show.fields.get("status", "?")]
    for name, member in sorted(show.members.items()):
        lines += ["", "member: %s: %s" % (name, " ".join(member["status"])),
                  "  actor state: " + member.get("actor state", "?"),
                  "  partner sys_id: " + member.get("partner sys_id", "?"),
                  "  partner state: " + member.get("partner state", "?")]
    return "\n".join(lines)


def main():
    """Runs the demonstration."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--daemon", metavar="PATH",
                        help="the ovs-vswitchd to show (default: $OB_DAEMON, "
                        "or the one built in _build/plain)")
    args = parser.parse_args()
    try:
        daemon = find_daemon(args.daemon)
        isolate.isolate()
        with Lab("demo") as lab:
            say("The daemon is %s." % os.path.relpath(daemon))
            say()
            active_backup(lab, daemon)
            lacp(lab, daemon)
            problems = sum((s.problems() for s in lab.switches), [])
            if problems:
                raise Failure("\n".join(problems))
        left = leftovers()
        if left:
            raise Failure("left behind: " + ", ".join(left))
    except (Failure, AssertionError) as e:
        say("FAILED: %s" % e)
        return 1
    except (LabError, isolate.IsolationError, OSError) as e:
        say("Cannot give the demonstration: %s" % e)
        return 2
    except KeyboardInterrupt:
        say("Interrupted; cleaned up.")
        return 130
    say("Traffic survived both times.  Nothing is left behind.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
