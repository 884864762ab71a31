# SPDX-License-Identifier: Apache-2.0

"""Which aggregator is active?  Bonds of the real driver and of ours side by
side, each connected to two partners, while cables are plugged and unplugged.

    guest:  bonds a0, a1... of four interfaces each     taps
    ours:   bonds a0, a1... of four ports each          taps

Every third bond has the same policy; three bonds in a row, a lane, suffer the
same sequence.  At the other end of each tap is a port of partner A or of
partner B, which speaks LACP here, or of nobody, who does not.

There is one way only in which it may end after each step, if the steps come
one at a time and each has had its effect; so both must come to use the same
members."""

import collections
import concurrent.futures
import fcntl
import os
import random
import selectors
import struct
import threading
import time

from guest import ProcBond
from kernel_guest import PACKET_OUTGOING
from lab import SLOW, run, wait_until
from switch import Switch

POLICIES = ["stable", "bandwidth", "count"]
LANES = 3
PORTS = 4                       # Of a bond.
BONDS = LANES * len(POLICIES)
NICS = BONDS * PORTS

AFTER_CUT = 1.2                 # s.  When to look; it may take longer.
AFTER_MEND = 3.2
FLAP = 0.6                      # s.  As long as no cable is plugged in.
NEXT = 1.3                      # s.  Until what was plugged in is known.
PATIENCE = 8                    # s.

SYSTEMS = {"A": b"\0\x16\x3e\0\x0a\x01", "B": b"\0\x16\x3e\0\x0b\x01"}
KEYS = {"A": 10, "B": 11}


class Port:
    """A partner's port.  It is always ready, and tells so at once; or, with no
    'partner', it says nothing."""

    def __init__(self, send):
        self._send = send
        self._lock = threading.Lock()
        self.plugged = False
        self._identity = None
        self._peer = None               # What it said of itself.
        self._due = 0.0

    def become(self, partner, number):
        """Is from now on port 'number' of 'partner'."""
        with self._lock:
            self._identity = partner and struct.pack(
                "!H6sHHH", 65535, SYSTEMS[partner], KEYS[partner], 255,
                number)

    def plug(self, plugged):
        """The cable is plugged in, or unplugged."""
        with self._lock:
            self.plugged = plugged
            self._peer = None
            self._due = 0.0

    def _info(self):
        state = 0x07                    # Active, fast, aggregatable
        if not self._peer:
            state |= 0x40               # but without a partner, or
        else:
            state |= 0x18               # in sync, collecting
            if self._peer[-1] & 0x08:
                state |= 0x20           # and distributing.
        return self._identity + bytes([state])

    def heard(self, data):
        """A frame has come."""
        if data[12:15] != b"\x88\x09\x01" or len(data) < 124:
            return
        with self._lock:
            if self.plugged and self._identity:
                if self._peer != data[18:33] or self._info() != data[38:53]:
                    self._due = min(self._due, time.monotonic() + 0.02)
                self._peer = data[18:33]

    def tick(self):
        """Says what is due."""
        with self._lock:
            now = time.monotonic()
            if not self.plugged or not self._identity or now < self._due:
                return
            self._due = now + 1
            pdu = (b"\1\1\1\x14" + self._info() + bytes(3) + b"\2\x14"
                   + (self._peer or bytes(15)) + bytes(3) + b"\3\x10")
            frame = (b"\1\x80\xc2\0\0\2" + self._identity[2:8] + b"\x88\x09"
                     + pdu)
        try:
            self._send(frame.ljust(124, b"\0"))
        except OSError:                 # The link is down.
            pass


class Partners:
    """All ports of partners, and the thread that lets them speak.  They are
    given as functions that send a frame, and that receive one or None, and
    the file they do it with."""

    def __init__(self, ends):
        self._selector = selectors.DefaultSelector()
        self.ports = []
        for file, send, receive in ends:
            port = Port(send)
            self.ports.append(port)
            self._selector.register(file, selectors.EVENT_READ,
                                    (port, receive))
        self._end = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._end:
            for key, _events in self._selector.select(0.02):
                port, receive = key.data
                try:
                    data = receive()
                except OSError:         # It is down, or there is none.
                    continue
                if data:
                    port.heard(data)
            for port in self.ports:
                port.tick()

    def close(self):
        """Ends it."""
        self._end = True
        self._thread.join()


# What is seen of a bond: if it is up, the numbers of those members in the
# active aggregator that are up, and all that may help to understand it.
Seen = collections.namedtuple("Seen", "up active text")


class LinuxSide:
    """The bonds of the real driver: on 'nics', numbers of interfaces of
    'guest'."""

    kind = "linux"

    def __init__(self, guest, nics, label="linux"):
        self.label = label
        self.guest = guest
        self.nics = list(nics)
        self._lock = threading.Lock()
        self._bonds = 0
        self._sockets = [guest.ns.packet_socket(guest.taps[i])
                         for i in self.nics]
        for s in self._sockets:
            s.setblocking(False)
        self.partners = Partners([(s, s.send, self._receiver(s))
                                  for s in self._sockets])
        self.plug({i: False for i in range(NICS)})

    @staticmethod
    def _receiver(s):
        def receive():
            data, address = s.recvfrom(2048)
            return None if address[2] == PACKET_OUTGOING else data
        return receive

    def run(self, lines):
        """Runs shell lines in the guest; all must succeed."""
        with self._lock:
            return self.guest.run(" &&\n".join(lines), timeout=60)

    def create(self, sequences):
        """Makes the bonds of as many lanes as there are 'sequences'."""
        lines = []
        for b, policy, seq in bonds_of(sequences):
            name, path = "a%d" % b, "/sys/class/net/a%d/bonding/" % b
            lines += ["echo +%s > /sys/class/net/bonding_masters" % name,
                      "cd " + path, "echo 802.3ad > mode",
                      "echo 100 > miimon", "echo fast > lacp_rate",
                      "echo %s > ad_select" % policy]
            for j in range(len(seq.partners)):
                eth = "eth%d" % self.nics[b * PORTS + j]
                lines += ["ethtool -s %s speed %d duplex full autoneg off"
                          % (eth, seq.speeds[j]), "echo +%s > slaves" % eth]
            lines.append("ip link set %s up" % name)
            self._bonds = b + 1
        self.run(lines)

    def clear(self):
        """Removes them."""
        if self._bonds:
            self.run(["echo -a%d > /sys/class/net/bonding_masters" % b
                      for b in range(self._bonds)])
            self._bonds = 0

    def plug(self, ports):
        """Plugs in or unplugs: {number: plugged?}."""
        with self._lock:
            for i, plugged in ports.items():
                self.partners.ports[i].plug(plugged)
                self.guest.monitor("set_link d%d %s" % (
                    self.nics[i], "on" if plugged else "off"))

    def look(self, sequences):
        """[Seen] of all bonds."""
        files = []
        for b, _policy, seq in bonds_of(sequences):
            files += ["a%d/operstate" % b, "a%d/bonding/ad_aggregator" % b,
                      "a%d/bonding/ad_partner_key" % b]
            for j in range(len(seq.partners)):
                files += ["eth%d/bonding_slave/%s" % (
                    self.nics[b * PORTS + j], f) for f in (
                        "mii_status", "ad_aggregator_id",
                        "ad_actor_oper_port_state",
                        "ad_partner_oper_port_state")]
        words = self.run(["cd /sys/class/net", "cat " + " ".join(
            files)]).split("\n")
        words = iter(w.strip() for w in words)
        found = []
        for _b, _policy, seq in bonds_of(sequences):
            up, active, key = next(words) == "up", next(words), next(words)
            members = [[next(words) for _ in range(4)]
                       for _ in seq.partners]
            found.append(seen(up, active, key, members))
        return found

    def close(self):
        """Ends what is not the lab's."""
        self.partners.close()
        for s in self._sockets:
            s.close()


class OurSide:
    """Our bonds."""

    kind = label = "ours"

    def __init__(self, lab, daemon):
        self.s = Switch(lab, "agg", daemon)
        # Our ports are in the order of their names.
        self.names = ["m%03d" % i for i in range(NICS)]
        self._taps = [self.s.ns.tap(n) for n in self.names]
        for tap in self._taps:
            os.set_blocking(tap.fileno(), False)
        self.partners = Partners([(t, t.write, self._receiver(t))
                                  for t in self._taps])
        self._bonds = 0
        self.plug({i: False for i in range(NICS)})

    @staticmethod
    def _receiver(tap):
        return lambda: os.read(tap.fileno(), 2048)

    def create(self, sequences):
        """Makes the bonds."""
        cmd, lines = [], []
        for b, policy, seq in bonds_of(sequences):
            names = self.names[b * PORTS:][:len(seq.partners)]
            cmd += ["--", "add-bond", "br0", "a%d" % b] + names
            cmd += ["--", "set", "port", "a%d" % b] + [
                "other_config:bond-" + o for o in (
                    "mode=802.3ad", "miimon=100", "lacp-rate=fast",
                    "ad-select=" + policy)]
            lines += ["ethtool -s %s speed %d duplex full" % (n, speed)
                      for n, speed in zip(names, seq.speeds)]
            self._bonds = b + 1
        self.s.ns.run("sh", "-ec", "\n".join(lines))
        self.s.vsctl(*cmd[1:])

    def clear(self):
        """Removes them."""
        cmd = []
        for b in range(self._bonds):
            cmd += ["--", "del-port", "a%d" % b]
        if cmd:
            self.s.vsctl(*cmd[1:])
        self._bonds = 0

    def plug(self, ports):
        """Plugs in or unplugs."""
        for i, plugged in ports.items():
            self.partners.ports[i].plug(plugged)
            fcntl.ioctl(self._taps[i], 0x400454e2,      # TUNSETCARRIER
                        struct.pack("i", plugged))

    def look(self, sequences):
        """[Seen] of all bonds."""
        found = []
        for b, _policy, seq in bonds_of(sequences):
            proc = ProcBond(self.s.appctl("bond/proc", "a%d" % b))
            members = []
            for j in range(len(seq.partners)):
                m = proc.members[self.names[b * PORTS + j]]
                members.append([m["MII Status"], m["Aggregator ID"],
                                m["actor"].get("port state", "?"),
                                m["partner"].get("port state", "?")])
            found.append(seen(proc.fields["MII Status"] == "up",
                              proc.fields.get("Aggregator ID"),
                              proc.fields.get("Partner Key", "0"),
                              members))
        return found

    def close(self):
        """Ends what is not the lab's."""
        self.partners.close()
        for tap in self._taps:
            tap.close()


def bonds_of(sequences):
    """(number, policy, sequence) of each bond, those of lanes without a
    sequence left out."""
    for lane, seq in enumerate(sequences):
        for p, policy in enumerate(POLICIES):
            yield lane * len(POLICIES) + p, policy, seq


def seen(up, active, key, members):
    """A Seen; of 'members' each has MII status, aggregator and states."""
    return Seen(up, frozenset(
        j for j, m in enumerate(members) if m[0] == "up" and m[1] == active),
        "%s, active %s (partner's key %s): %s" % (
            "up" if up else "down", active, key,
            ", ".join(" ".join(m) for m in members)))


class Sequence:
    """A sequence, made from a seed: who is the partner of each port, which
    have a cable at first, and then what is plugged in or unplugged."""

    LAYOUTS = ["AAB"] * 3 + ["AABB"] * 3 + ["AAAB"] * 2 + [
        "AAB-", "AB", "AB-", "A--", "AA-", "ABB-"]

    def __init__(self, seed, n=8):
        rng = random.Random(seed)
        self.seed = seed
        layout = list(rng.choice(self.LAYOUTS))
        rng.shuffle(layout)
        self.partners = [None if p == "-" else p for p in layout]
        slow = rng.choice(["", "", "A", "B", "?"])
        self.speeds = [1000 if slow == p or (slow == "?" and rng.random() < .5)
                       else 10000 for p in layout]
        ports = range(len(layout))
        # Who speaks first would be a matter of chance, if it were not of one
        # partner alone.
        first = rng.choice(layout)
        self.first = [j for j in ports if layout[j] == first]
        if first == "-":
            self.first = self.first[:1]
        self._plugged = set(self.first)
        self.steps = []                 # Each a list of ({port: plugged?},
        for _ in range(n):              # time until the next, or None).
            first = self._change(rng)
            if rng.random() < 0.25 and not any(first.values()):
                self.steps.append([(first, FLAP),
                                   (self._to(first, True), None)])
            elif rng.random() < 0.35:
                self.steps.append([(first, NEXT), (self._change(rng), None)])
            else:
                self.steps.append([(first, None)])

    def _to(self, some, plugged):
        some = set(some)
        self._plugged = self._plugged | some if plugged \
            else self._plugged - some
        return {j: plugged for j in sorted(some)}

    def _change(self, rng):
        """Something to plug in or to unplug: a port, or, if a partner fails or
        returns, all of its ports."""
        ports = range(len(self.partners))
        some = [rng.choice(ports)]
        if rng.random() < 0.35:
            partner = rng.choice(self.partners)
            if partner:
                some = [j for j in ports if self.partners[j] == partner]
        elif rng.random() < 0.3 and set(ports) - self._plugged:
            some = [min(set(ports) - self._plugged)]
        return self._to(some, not self._plugged & set(some))

    def __str__(self):
        return "seed %d: partners %s, speeds %s, at first %s\n%s" % (
            self.seed, "".join(p or "-" for p in self.partners), self.speeds,
            self.first, "\n".join("  %d: %s" % (i + 1, ", then ".join(
                "%s %s" % ("mend" if any(s.values()) else "cut", sorted(s))
                for s, _gap in step)) for i, step in enumerate(self.steps)))


class Race:
    """Both sides."""

    def __init__(self, linux, ours):
        self.sides = [linux, ours]
        self._pool = concurrent.futures.ThreadPoolExecutor(2)

    def both(self, method, *args):
        """Calls a method of both at once; returns both results."""
        jobs = [self._pool.submit(getattr(s, method), *args)
                for s in self.sides]
        concurrent.futures.wait(jobs)
        return [job.result() for job in jobs]

    def play(self, sequences):
        """Plays one sequence in each lane; returns [(sequence, policy,
        report)] of what differs, and how often they were compared."""
        assert len(sequences) <= LANES
        try:
            self._begin(sequences)
            return self._steps(sequences)
        finally:
            self.both("plug", {i: False for i in range(NICS)})
            self.both("clear")

    def _begin(self, sequences):
        for b, _policy, seq in bonds_of(sequences):
            for j, partner in enumerate(seq.partners):
                for side in self.sides:
                    side.partners.ports[b * PORTS + j].become(partner, j + 1)
        self.both("create", sequences)

    def _steps(self, sequences):
        history = collections.defaultdict(list)
        wrong = {}
        n = 0
        steps = [[[({j: True for j in seq.first}, None)]] + seq.steps
                 for seq in sequences]
        for k in range(len(steps[0])):
            self._step([s[k] for s in steps], sequences)
            now = self._settle(sequences, wrong)
            for i, (b, policy, seq) in enumerate(bonds_of(sequences)):
                history[b].append("step %d" % k)
                history[b] += ["  %5s %s" % (side.label, s[i].text)
                               for side, s in zip(self.sides, now)]
                n += b not in wrong
                if b not in wrong and not same(now[0][i], now[1][i]):
                    wrong[b] = seq, policy, "%s: differs after step %d of %s" \
                        "\n%s" % (policy, k, seq, "\n".join(history[b]))
        return list(wrong.values()), n

    def _step(self, now, sequences):
        """Does a step of each lane, and waits a moment."""
        start = time.monotonic()
        todo = []                       # (time, lane, {port: plugged?})
        for lane, parts in enumerate(now):
            at = 0
            for ports, gap in parts:
                todo.append((at, lane, ports))
                at += (gap or 0) * SLOW
        for at, lane, ports in sorted(todo, key=lambda t: t[0]):
            time.sleep(max(0, start + at - time.monotonic()))
            self.both("plug", {
                b * PORTS + j: plugged for b, _policy, _seq in bonds_of(
                    sequences) if b // len(POLICIES) == lane
                for j, plugged in ports.items()})
        mended = any(any(ports.values()) for _at, _lane, ports in todo)
        time.sleep((AFTER_MEND if mended else AFTER_CUT) * SLOW)

    def _settle(self, sequences, wrong):
        """Waits until all bonds but those that are 'wrong' already are the
        same, or long enough; returns what is seen."""
        deadline = time.monotonic() + PATIENCE * SLOW
        while True:
            now = self.both("look", sequences)
            if time.monotonic() >= deadline or all(
                    b in wrong or same(now[0][i], now[1][i])
                    for i, (b, _p, _s) in enumerate(bonds_of(sequences))):
                return now
            time.sleep(0.3)

    def close(self):
        """Ends what is not the lab's."""
        self._pool.shutdown()
        for side in self.sides:
            side.close()


def same(a, b):
    """Is the same seen of both?"""
    return a.up == b.up and a.active == b.active
