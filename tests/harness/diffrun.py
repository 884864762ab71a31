# SPDX-License-Identifier: Apache-2.0

"""Stimuli, and what is compared, of the differential test.

A case is a way of making the bond and a list of steps.  Each step is done to
both bonds at once, or looks at both.  What a step expects is the catalogue's
(spec, 10), and both must agree with it and with each other.  Where we deviate
on purpose a step says what each has to show, in 'linux' and 'ours'."""

import collections
import difflib
import socket
import struct
import time

from differential import GROUP, MACS, N, NAMES, VLAN, Watch, host_mac
from kernel_guest import mac
from lab import SLOW

PATIENCE = 4                # s.  For what should take a tick or two.
TICK = 0.1                  # s.  miimon of most cases.
PROBE = 0.2                 # s.  arp_interval.
EARLY = 0.05                # s.  What is too early may be so by the clocks.

Case = collections.namedtuple(
    "Case", "id mode options steps members prio addresses tagged mtu targets")


def case(name, mode, options, *steps, members=range(N), prio=None,
         addresses=("10.0.0.1/24",), tagged=None, mtu=None, targets=()):
    """A Case; 'options' are Linux' names, miimon=100 if not given, unless
    'targets' are probed instead."""
    monitor = {"arp_interval": round(1000 * PROBE),
               "arp_ip_target": ",".join(targets)} if targets \
        else {"miimon": 100}
    return Case(name, mode, {**monitor, **options}, steps,
                tuple(members), prio or {}, addresses, tagged, mtu, targets)


class Run:
    """A case being run."""

    def __init__(self, pair, this):
        self.pair = pair
        self.case = this
        self.at = time.time()       # The last stimulus.
        self.marks = {}             # Frames that came before it.
        self.watches = {}

    def __enter__(self):
        c = self.case
        for _attempt in range(4 if c.targets else 1):
            try:
                self.pair.create(c.mode, c.options, c.members, c.prio,
                                 c.addresses, c.tagged, c.mtu, c.targets)
            except BaseException:
                self.pair.clear()
                raise
            if not c.targets or self.is_calm():
                break
            self.pair.clear()
        self.watches = {b.label: Watch(b) for b in self.pair.bonds}
        return self

    def __exit__(self, *exc):
        for watch in self.watches.values():
            watch.close()
        self.pair.clear()

    def is_calm(self):
        """True if all members have heard of all, and none has failed until
        then, as may happen where the machine is slow."""
        time.sleep(1)
        return not any(sum(b.status().fails.values())
                       for b in self.pair.bonds)

    def wanted(self, fields, linux, ours):
        """{label: what a bond has to show}."""
        extra = {"linux": linux or {}, "ours": ours or {}}
        return {b.label: {**fields, **extra[b.kind]}
                for b in self.pair.bonds}

    def stimulus(self):
        """Notes that something is about to be done."""
        self.at = time.time()
        self.marks = {b.label: len(b.sniffer.frames)
                      for b in self.pair.bonds}

    def story(self):
        """What was seen of both, for a report."""
        lines = []
        for label, watch in self.watches.items():
            for before, after, now in watch.history:
                if after > self.at - 3:
                    lines.append("%6s %+.3f..%+.3f active=%s mii=%s %s %s" % (
                        label, before - self.at, after - self.at, now.active,
                        now.mii, now.links, now.fails))
            lines += ["%6s %s" % (label, e) for e in watch.errors[-2:]]
        return "\n".join(lines)

    def frames(self, label):
        """Frames that came out of the members since the last stimulus."""
        bond = [b for b in self.pair.bonds if b.label == label][0]
        return bond.sniffer.frames[self.marks.get(label, 0):]

    def go(self):
        """Does all the steps."""
        for i, step in enumerate(self.case.steps):
            try:
                step(self)
            except AssertionError as e:
                raise AssertionError("step %d, %s: %s\n%s" % (
                    i, step.__name__, e, self.story())) from e


# Stimuli.

def do(method, *args):
    """The step that calls a method of both bonds."""
    def step(run):
        run.stimulus()
        run.pair.both(method, *args)
    step.__name__ = "%s%r" % (method, args)
    return step


def network(method, *args):
    """The step that calls a method of both networks."""
    def step(run):
        run.stimulus()
        run.pair.network(method, *args)
    step.__name__ = "%s%r" % (method, args)
    return step


def leave(*members):
    """Nothing passes by members any more, but their links are up."""
    return network("leave", *members)


def join(*members):
    """It does again."""
    return network("join", *members)


def cut(*members):
    """Members lose their carrier."""
    return do("cut", *members)


def mend(*members):
    """Members have it again."""
    return do("mend", *members)


def option(name, value):
    """An option is written."""
    return do("option", name, value)


def flap(member, times, period):
    """A member's carrier goes and comes, 'times' times."""
    def step(run):
        run.stimulus()
        for _ in range(times):
            run.pair.both("cut", member)
            time.sleep(period)
            run.pair.both("mend", member)
            time.sleep(period)
    step.__name__ = "flap(%d, %d)" % (member, times)
    return step


def pause(seconds):
    """Nothing happens."""
    def step(_run):
        time.sleep(seconds)
    step.__name__ = "pause(%g)" % seconds
    return step


# What is looked at.

def shows(now, fields):
    """True if a Status has what 'fields' say: active (a member's number or
    None), mii, s0..s2 (link states), fails ({number: count}), names."""
    for key, want in fields.items():
        if key == "active":
            ok = now.active == (None if want is None else NAMES[want])
        elif key == "mii":
            ok = now.mii == want
        elif key == "fails":
            ok = all(now.fails.get(NAMES[i]) == n for i, n in want.items())
        elif key == "members":
            ok = list(now.links) == [NAMES[i] for i in want]
        else:
            ok = now.links.get(key) == want
        if not ok:
            return False
    return True


def see(after=0, before=0, linux=None, ours=None, apart=None, **fields):
    """Both come to show 'fields', no earlier than 'after' s after the last
    stimulus, and before 'before' s, if given; and no more than 'apart' s one
    after the other; and then the same text."""
    def step(run):
        want = run.wanted(fields, linux, ours)
        deadline = run.at + (before or after + PATIENCE) * SLOW

        def matches(label):
            latest = run.watches[label].latest
            return latest and latest[0] >= run.at and shows(latest[2],
                                                            want[label])
        while not all(matches(label) for label in want):
            if time.time() > deadline:
                raise AssertionError("not seen: " + ", ".join(
                    "%s %s" % (label, want[label]) for label in want
                    if not matches(label)))
            time.sleep(0.01)
        times = []
        for label, watch in run.watches.items():
            for _before, at, now in watch.history:
                if at > run.at and shows(now, want[label]):
                    late = at - run.at
                    assert late >= after - EARLY, \
                        "%s: %.3f s after, that is too early" % (label, late)
                    times.append(late)
                    break
        if apart:
            assert abs(times[0] - times[-1]) <= apart * SLOW + EARLY, \
                "at different times: %s" % times
        while not linux and not ours:
            texts = [w.latest[2].text for w in run.watches.values()]
            if texts[0] == texts[1]:
                break
            assert time.time() < deadline, "\n".join(
                ["texts differ:"] + list(difflib.unified_diff(
                    *(t.splitlines() for t in texts), "linux", "ours",
                    lineterm="", n=0)))
            time.sleep(0.01)
    step.__name__ = "see(%s, linux=%s, ours=%s)" % (fields, linux, ours)
    return step


def keep(seconds, linux=None, ours=None, **fields):
    """For so long both always show 'fields'."""
    def step(run):
        start = time.time()
        time.sleep(seconds)
        for label, want in run.wanted(fields, linux, ours).items():
            watch = run.watches[label]
            seen = [now for before, _after, now in watch.history
                    if before >= start] + [watch.latest[2]]
            for now in seen:
                assert shows(now, want), "%s did not keep %s" % (
                    label, want)
    step.__name__ = "keep(%s, linux=%s, ours=%s)" % (fields, linux, ours)
    return step


def actives(*members, linux=None, ours=None):
    """The active members there have been since the case began, in order."""
    def step(run):
        for bond in run.pair.bonds:
            label, watch = bond.label, run.watches[bond.label]
            want = {"linux": linux, "ours": ours}[bond.kind] or members
            want = [None if i is None else NAMES[i] for i in want]
            assert watch.actives() == want, "%s: active were %s, not %s" % (
                label, watch.actives(), want)
    step.__name__ = "actives"
    return step


def links(linux=None, ours=None, **fields):
    """MACs and MTUs: {"b": "P0"} stands for the permanent MAC of s0, a number
    for an MTU."""
    def wrong(found, want):
        for name, value in want.items():
            is_mac = isinstance(value, str)
            have = found[name][0 if is_mac else 1]
            if have != (MACS[int(value[1:])] if is_mac else value):
                return "%s has %s, should be %s" % (name, have, value)
        return None

    def step(run):
        deadline = time.time() + PATIENCE * SLOW
        while True:
            found = run.pair.both("links")
            bad = {label: wrong(found[label], want) for label, want
                   in run.wanted(fields, linux, ours).items()}
            if not any(bad.values()):
                return
            assert time.time() < deadline, "%s\n%s" % (bad, found)
            time.sleep(0.05)
    step.__name__ = "links(%s)" % fields
    return step


# Frames.

def is_announcement(data):
    """True for a gratuitous ARP request, and for an unsolicited neighbour
    advertisement to all nodes; tagged or not."""
    tag = 4 if data[12:14] == b"\x81\x00" else 0
    kind, rest = data[12 + tag:14 + tag], data[14 + tag:]
    if kind == b"\x08\x06":
        return (data[:6] == b"\xff" * 6 and rest[6:8] == b"\0\1"
                and rest[14:18] == rest[24:28])
    return (kind == b"\x86\xdd" and data[:6] == mac("33:33:00:00:00:01")
            and rest[6] == 58 and rest[40] == 136)


def announced(n, member=None, spacing=TICK, kinds=None, linux_n=None):
    """'n' bursts of announcements by 'member', the same frames, byte by byte,
    from both, and nothing by another member.  From the MII monitor Linux
    loses one (B9), so it may send 'linux_n'.  'kinds' is how many frames
    there are in a burst."""
    def step(run):
        time.sleep(max(0, run.at + 0.5 + n * spacing - time.time()))
        deadline = time.time() + PATIENCE * SLOW
        while True:
            try:
                return check(run)
            except AssertionError:
                if time.time() > deadline or not n:
                    raise
            time.sleep(0.1)

    def check(run):
        seen = {}
        for label in run.watches:
            by = collections.defaultdict(list)
            for f in run.frames(label):
                if is_announcement(f.data):
                    by[f.member, f.data].append(f.time)
            seen[label] = by
        if not n:
            assert not any(seen.values()), "announcements: %s" % seen
            return
        assert set(seen["linux"]) == set(seen["ours"]), "\n".join(
            "only %s: %d %s" % (label, m, d.hex())
            for label, other in (("linux", "ours"), ("ours", "linux"))
            for m, d in set(seen[label]) - set(seen[other]))
        assert {m for m, _d in seen["ours"]} == {member}
        if kinds:
            assert len(seen["ours"]) == kinds, sorted(
                d.hex() for _m, d in seen["ours"])
        for bond in run.pair.bonds:
            label, by = bond.label, seen[bond.label]
            is_linux = bond.kind == "linux"
            for (_m, data), times in by.items():
                counts = {n}
                if is_linux:
                    counts = {n, n - 1 if linux_n is None else linux_n}
                assert len(times) in counts, "%s: %d times %s" % (
                    label, len(times), data.hex())
                # Linux is a tick early after the first (B9); a late tick
                # makes the next gap short.
                least = spacing - TICK if is_linux else spacing
                for a, b in zip(times, times[1:]):
                    assert b - a >= least * 0.6 - 0.02, \
                        "%s: %.3f s apart" % (label, b - a)
                    assert b - a < spacing + 1 * SLOW, \
                        "%s: %.3f s apart" % (label, b - a)
    step.__name__ = "announced(%d)" % n
    return step


def reported(n, member=None):
    """'n' times the group that the host is in is reported, every 200 ms, by
    'member' if given."""
    def step(run):
        time.sleep(max(0, run.at + 0.6 + n * 0.2 - time.time()))
        deadline = time.time() + PATIENCE * SLOW
        while True:
            seen = {label: reports(run, label) for label in run.watches}
            if all(len(s) == n for s in seen.values()) or \
                    time.time() > deadline:
                break
            time.sleep(0.1)
        for label, frames in seen.items():
            assert len(frames) == n, "%s: %d reports, %s" % (
                label, len(frames), [(f.time - run.at, f.member)
                                     for f in frames])
            assert member is None or {f.member for f in frames} <= {member}
            for a, b in zip(frames, frames[1:]):
                assert 0.1 < b.time - a.time < 0.2 + 1 * SLOW, "%s: %s" % (
                    label, [f.time - run.at for f in frames])
        assert len({f.data for s in seen.values() for f in s}) <= 1, seen

    def reports(run, label):
        return [f for f in run.frames(label)
                if f.data[:6] == mac("01:00:5e:00:00:16")
                and f.data.endswith(socket.inet_aton(GROUP))]
    step.__name__ = "reported(%d)" % n
    return step


KINDS = {"bond": MACS[0], "member": MACS[1], "broadcast": "ff:ff:ff:ff:ff:ff",
         "multicast": "01:00:5e:01:01:01", "lldp": "01:80:c2:00:00:0e",
         "stp": "01:80:c2:00:00:00", "other": "02:00:00:00:07:07"}


def receives(linux=None, ours=None, **members):
    """Frames of all KINDS arrive at members (s0="all", s1="", or some kinds
    by name): which of them the host gets."""
    def step(run):
        run.pair.both("promiscuous")
        wanted = run.wanted(members, linux, ours)
        for name in members:
            kinds = {label: set(KINDS if w[name] == "all"
                                else w[name].split())
                     for label, w in wanted.items()}
            # First those that nobody is to get, which might be slow.
            none = set(KINDS) - set.union(*kinds.values())
            for some in none, set(KINDS) - none:
                arrive(run, int(name[1:]), some, kinds)

    def arrive(run, member, some, kinds, copies=2):
        before = run.pair.both("delivered")
        goal = {label: before[label] + copies * len(some & kinds[label])
                for label in kinds}
        for kind in sorted(some) * copies:
            data = (mac(KINDS[kind]) + mac(host_mac(0x50 + member))
                    + struct.pack("!HHH", 0x8100, VLAN,
                                  0x88b5)).ljust(64, b"\0")
            for bond in run.pair.bonds:
                bond.sniffer.send(member, data)
        if goal == before:              # They might still come.
            time.sleep(0.2)
        deadline = time.time() + PATIENCE * SLOW
        while True:
            found = run.pair.both("delivered")
            if found == goal:
                break
            assert time.time() < deadline and all(
                found[label] <= goal[label] for label in goal), \
                "to %s at s%d: delivered %s, not %s" % (
                    sorted(some), member,
                    {k: found[k] - before[k] for k in found},
                    {k: goal[k] - before[k] for k in goal})
            time.sleep(0.02)
    step.__name__ = "receives(%s)" % members
    return step


def copies(n):
    """The same broadcast arrives at all members: the host gets it 'n'
    times."""
    def step(run):
        run.pair.both("promiscuous")
        before = run.pair.both("delivered")
        data = (mac(KINDS["broadcast"]) + mac(host_mac(0x50))
                + struct.pack("!HHH", 0x8100, VLAN, 0x88b5)).ljust(64, b"\0")
        for bond in run.pair.bonds:
            for i in range(N):
                bond.sniffer.send(i, data)
        time.sleep(0.3)
        deadline = time.time() + PATIENCE * SLOW
        while True:
            found = run.pair.both("delivered")
            got = {label: found[label] - before[label] for label in found}
            if set(got.values()) == {n}:
                return
            assert time.time() < deadline, "%s copies, not %d" % (got, n)
            time.sleep(0.02)
    step.__name__ = "copies(%d)" % n
    return step


def transmits(n, hosts=1, check=None, exact=True):
    """The host sends 'n' frames to each of some hosts.  Both send each of them
    by the same members equally often (or not, as other frames take a turn,
    too), and 'check', if any, is true of {host: {member: count}}."""
    def step(run):
        run.stimulus()
        run.pair.both("transmit", n, range(hosts))
        time.sleep(0.1)
        count = {}
        for label in run.watches:
            count[label] = {i: collections.Counter() for i in range(hosts)}
            for f in run.frames(label):
                for i in range(hosts):
                    if f.data[:6] == mac(host_mac(i)):
                        count[label][i][f.member] += 1
        if exact:
            assert count["linux"] == count["ours"], "%s" % count
        for label, c in count.items():
            assert not check or check(c), "%s: %s" % (label, c)
    step.__name__ = "transmits(%d)" % n
    return step
