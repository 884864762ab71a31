#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0

"""A learning switch that remembers what it has seen.

    learning.py NAME:VLAN... NAME:trunk...

It is a process of its own, in a namespace with the interfaces NAME.  A port is
an access port of one VLAN, or a trunk to a bond, where untagged frames are
those of VLAN 0.  Each VLAN has a table of its own.
A port that loses its carrier does not make the switch forget whom it has
heard there: as if a media converter stood between them, so that nothing but a
frame by another port tells the switch where an address is now.

Each line on standard input asks for what has been seen until now:

    report      one line of JSON on standard output
    count       counts frames and bytes from 0
    forget      no longer knows where addresses are, so that frames to them go
                everywhere

A report has

    stays       {"MAC/VLAN": [[port, first, last, frames], ...]}: at which
                trunk an address was seen as source, one entry for each change
    arps        [time, port, VLAN, source, destination, operation,
                 sender's MAC, sender's IP, target's MAC, target's IP]
    learning    [time, port, VLAN, source, destination, length] of EtherType
                0x9000
    bytes       {"tx|rx bond's IP, client's IP": {port: bytes}} of unicast IPv4
                that the bond has sent, or got
    sources     {"MAC, VLAN, IP": frames} of IPv4 that came from a bond
    flooded     unicast IPv4 frames that went everywhere
"""

import json
import select
import socket
import struct
import sys

PACKET_OUTGOING = 4
SO_RCVBUFFORCE = 33
SO_TIMESTAMPNS = 35
SOL_PACKET, PACKET_AUXDATA = 263, 8
STATUS_VLAN = 0x10
BATCH = 32


def mac_text(data):
    """A MAC address as one writes it."""
    return data.hex(":")


class Port:
    """An interface."""

    def __init__(self, spec):
        self.name, vlan = spec.split(":")
        self.trunk = vlan == "trunk"
        self.vlan = 0 if self.trunk else int(vlan)
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
        s.bind((self.name, 0))
        s.setblocking(False)
        if self.trunk:
            s.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
            s.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        # Else the kernel makes no difference between "from" and "to" here.
        s.setsockopt(SOL_PACKET, 23, 1)         # PACKET_IGNORE_OUTGOING
        self.socket = s

    def receive(self):
        """(time, VLAN, frame without a tag), or None."""
        if not self.trunk:
            return 0, self.vlan, self.socket.recv(2048)
        data, extra, _flags, _address = self.socket.recvmsg(2048, 256)
        when, vlan = 0, 0
        for level, kind, value in extra:
            if level == SOL_PACKET and kind == PACKET_AUXDATA:
                status, tci = struct.unpack_from("I12xH", value)
                if status & STATUS_VLAN:
                    vlan = tci & 0xfff
            elif kind == SO_TIMESTAMPNS:
                sec, nsec = struct.unpack("qq", value)
                when = sec + nsec / 1e9
        if data[12:14] == b"\x81\x00":
            vlan = (data[14] & 15) << 8 | data[15]
            data = data[:12] + data[16:]
        return when, vlan, data

    def send(self, vlan, data):
        """Sends a frame of a VLAN if the port is in it."""
        if self.trunk:
            if vlan:
                data = data[:12] + b"\x81\x00" + struct.pack("!H", vlan) \
                    + data[12:]
        elif vlan != self.vlan:
            return
        try:
            self.socket.send(data)
        except OSError:                 # The interface is down.
            pass


class LearningSwitch:
    """All of them."""

    def __init__(self, specs):
        self.ports = [Port(s) for s in specs]
        self.table = {}             # (VLAN, MAC): Port.
        self.stays, self.arps, self.learning = {}, [], []
        self.count()

    def count(self):
        """Counts from 0."""
        self.bytes, self.sources, self.flooded = {}, {}, 0

    def run(self):
        """Forwards until standard input ends."""
        poll = select.epoll()
        by_fd = {p.socket.fileno(): p for p in self.ports}
        for fd in by_fd:
            poll.register(fd, select.EPOLLIN)
        poll.register(0, select.EPOLLIN)
        while True:
            for fd, _events in poll.poll():
                if fd == 0:
                    if not self.command():
                        return
                else:
                    self.take(by_fd[fd])

    def command(self):
        """Reads a line from standard input."""
        line = sys.stdin.readline().strip()
        if line == "report":
            print(json.dumps({
                "stays": {"%s/%d" % (mac_text(m), v): s
                          for (v, m), s in self.stays.items()},
                "arps": self.arps, "learning": self.learning,
                "bytes": {"%s %s, %s" % (
                    d, socket.inet_ntoa(a), socket.inet_ntoa(b)): n
                    for (d, a, b), n in self.bytes.items()},
                "sources": {"%s, %d, %s" % (mac_text(m), v,
                                            socket.inet_ntoa(ip)): n
                            for (m, v, ip), n in self.sources.items()},
                "flooded": self.flooded}), flush=True)
        elif line == "count":
            self.count()
            print("{}", flush=True)
        elif line == "forget":
            self.table.clear()
            print("{}", flush=True)
        return line != ""

    def take(self, port):
        """Forwards what has come in by 'port', some frames at most."""
        try:
            for _ in range(BATCH):
                when, vlan, data = port.receive()
                if len(data) >= 14:
                    self.forward(port, when, vlan, data)
        except OSError:                 # Nothing more, or it is down.
            pass

    def forward(self, port, when, vlan, data):
        """Learns and forwards one frame."""
        dst, src = data[:6], data[6:12]
        if not src[0] & 1:
            self.table[vlan, src] = port
        if port.trunk:
            self.note(port, when, vlan, src, data)
        to = None if dst[0] & 1 else self.table.get((vlan, dst))
        if to is port:
            return
        is_ip = data[12:14] == b"\x08\x00" and not dst[0] & 1
        if is_ip and not to:
            self.flooded += 1
        if is_ip and to and to.trunk and not port.trunk:
            self.add("rx", data[30:34], data[26:30], to, data)
        for p in [to] if to else self.ports:
            if p is not port:
                p.send(vlan, data)

    def note(self, port, when, vlan, src, data):
        """Writes down a frame that comes from a bond."""
        stays = self.stays.setdefault((vlan, src), [])
        if stays and stays[-1][0] == port.name:
            stays[-1][2] = max(when, stays[-1][2])
            stays[-1][3] += 1
        else:
            stays.append([port.name, when, when, 1])
        kind = data[12:14]
        if kind == b"\x08\x00" and len(data) >= 34:
            key = src, vlan, data[26:30]
            self.sources[key] = self.sources.get(key, 0) + 1
            if not data[0] & 1:
                self.add("tx", data[26:30], data[30:34], port, data)
        elif kind == b"\x08\x06" and len(data) >= 42:
            self.arps.append([when, port.name, vlan, mac_text(src),
                              mac_text(data[:6]), data[21],
                              mac_text(data[22:28]),
                              socket.inet_ntoa(data[28:32]),
                              mac_text(data[32:38]),
                              socket.inet_ntoa(data[38:42])])
        elif kind == b"\x90\x00":
            self.learning.append([when, port.name, vlan, mac_text(src),
                                  mac_text(data[:6]), len(data)])

    def add(self, way, host, other, port, data):
        """Counts bytes of IPv4."""
        ports = self.bytes.setdefault((way, host, other), {})
        ports[port.name] = ports.get(port.name, 0) + len(data)


if __name__ == "__main__":
    LearningSwitch(sys.argv[1:]).run()
