# SPDX-License-Identifier: Apache-2.0

"""Random sequences of link events for the differential test.

The driver itself is vague by a tick or two: when a loss is noticed and when a
delay ends depends on the phase of its timer.  So a sequence is made such that
no event comes while another's effect may be due, and no two effects may be due
at once.  What is left are quiet times, at which the state is settled, be it in
the middle of a delay; at each of them both must show the same text.  Where
nobody looked in such a time, which may be short, nothing is compared, but that
may not happen often."""

import random
import time

from differential import N, NAMES, Watch

LONGER = 1.2            # A tick of Linux is that much longer, at most.


class Sequence:
    """A sequence, made from a seed; times are in ticks.  'start' is the member
    that is made active first, or None if the bond's own choice stands."""

    slack = 3.2             # Ticks from an event to its effect, at most.
    least = 2               # Ticks that a quiet time lasts, at least.

    def __init__(self, seed):
        rng = random.Random(seed)
        self.seed = seed
        self.updelay = rng.choice([0, 0, 4, 8, 12])
        self.downdelay = rng.choice([0, 0, 4, 8])
        self.primary = rng.choice([None] + NAMES)
        self.reselect = rng.choice(["always", "better", "failure"])
        self.prio = {i: rng.choice([-5, 0, 0, 10, 20]) for i in range(N)}
        if rng.random() < 0.3:
            self.prio = {}
        self.start = rng.choice([None] + list(range(N)))
        self.events = []                # (time, "cut" or "mend", member)
        self._pending = {}              # Member: (begin, end).
        self._busy = []                 # (begin, end)
        self._make(rng, rng.randint(6, 10))

    def _make(self, rng, n):
        up = [True] * N
        now = 2.0
        for _ in range(n):
            # Rather cut the active one's cable than leave all as it is.
            member = rng.randrange(N)
            delay = self.downdelay if up[member] else self.updelay
            now = self._room(now + rng.choice([0, 0, 1, 2, 4, 8]), member,
                             delay)
            self.events.append((now, "cut" if up[member] else "mend",
                                member))
            up[member] = not up[member]
            self._busy.append((now, now + self.slack))
            self._forget(member, now)
            if delay:
                self._pending[member] = self._due(now, delay)
        self._busy += self._pending.values()
        self.end = max(b for _a, b in self._busy) + 2 * self.least

    def _due(self, now, delay):
        return now + delay, now + delay * LONGER + self.slack

    def _forget(self, member, now):
        """An event at 'member' puts an end to what was pending there."""
        window = self._pending.pop(member, None)
        if window and window[0] < now:
            self._busy.append(window)

    def _room(self, now, member, delay):
        """The first time from 'now' on for an event at 'member'."""
        while True:
            mine = [(now, now + self.slack)]
            if delay:
                mine.append(self._due(now, delay))
            others = [w for m, w in self._pending.items()
                      if m != member or w[0] < now + self.slack]
            if not any(a < d + self.least and c < b + self.least
                       for a, b in mine for c, d in self._busy + others):
                return now
            now += 0.5

    def quiet(self):
        """[(begin, end)], when everything stands still."""
        found = []
        last = 0.0
        for a, b in sorted(self._busy) + [(self.end, self.end)]:
            if a - last >= self.least - 0.01:
                found.append((last, a))
            last = max(last, b)
        return found

    def options(self, tick):
        """The options, with 'tick' ms."""
        options = {"miimon": tick, "primary_reselect": self.reselect}
        if self.primary:
            options["primary"] = self.primary
        return options

    def __str__(self):
        return ("seed %s: updelay %d ticks, downdelay %d, primary %s (%s), "
                "prio %s, first active s%s\n%s" % (
                    self.seed, self.updelay, self.downdelay, self.primary,
                    self.reselect, self.prio,
                    "?" if self.start is None else self.start,
                    "\n".join("  at %5.1f %s s%d" % e for e in self.events)))


class Noise(Exception):
    """The machine was too slow for the comparison to mean anything."""


class Mismatch(AssertionError):
    """The bonds differ."""


def play(pair, sequence, tick):
    """Plays a sequence with ticks of 'tick' ms; raises Mismatch or Noise.
    Returns how many quiet times were compared, and how many there were."""
    watches = []
    try:
        pair.create("active-backup", sequence.options(tick),
                    prio=sequence.prio)
        for name in "updelay", "downdelay":
            pair.both("option", name, getattr(sequence, name) * tick)
        if sequence.start is not None:
            pair.both("activate", sequence.start)
        time.sleep(tick * 3 / 1000)
        watches = [Watch(b, 0.005) for b in pair.bonds]
        start = time.time()
        for when, verb, member in sequence.events:
            at = start + when * tick / 1000
            time.sleep(max(0, at - time.time()))
            pair.both(verb, member)
            # Of the slack two ticks are the driver's own.
            if time.time() - at > tick / 1000:
                raise Noise("an event took %.3f s" % (time.time() - at))
        time.sleep(max(0, start + sequence.end * tick / 1000 - time.time()))
    finally:
        for watch in watches:
            watch.close()
        pair.clear()
    return compare(watches, sequence, start, tick)


def compare(watches, sequence, start, tick):
    """Compares what was seen in the quiet times."""
    quiet = sequence.quiet()
    unseen = []
    for a, b in quiet:
        begin, end = start + a * tick / 1000, start + b * tick / 1000
        seen = [{s.text: s for before, after, s in w.samples
                 if before >= begin and after <= end} for w in watches]
        if not all(seen):
            unseen.append("%.1f to %.1f" % (a, b))
            continue
        if not set(seen[0]) & set(seen[1]):
            raise Mismatch("\n".join(
                ["between %.1f and %.1f of %s" % (a, b, sequence)]
                + [story(w, start, tick) for w in watches]))
    if len(unseen) > len(quiet) / 4:
        raise Noise("nothing seen from %s" % ", ".join(unseen))
    return len(quiet) - len(unseen), len(quiet)


def story(watch, start, tick):
    """What was seen, for a report."""
    return "\n".join("%6s %5.1f..%5.1f active=%s mii=%s %s" % (
        watch.bond.label, (before - start) * 1000 / tick,
        (after - start) * 1000 / tick, s.active, s.mii,
        {n: (s.links[n], s.fails[n]) for n in s.links})
        for before, after, s in watch.history)
