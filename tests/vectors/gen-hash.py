#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Computes tests/vectors/hash-computed: frames and their hashes.

A second implementation of the transmit hash policies, on purpose with nothing
in common with lib/xmit/hash.c: written from the description of the formulas,
with plain loops over slices of bytes.  Usage: gen-hash.py > hash-computed"""

import random
import struct

rng = random.Random(20261121)

POLICIES = ["layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4",
            "vlan+srcmac"]
PORT_OFFSET = {6: 0, 17: 0, 33: 0, 132: 0, 136: 0, 50: 0, 51: 4}


# --- The formulas -----------------------------------------------------------

class Unknown(Exception):
    """Nothing that the policy understands: the layer2 formula."""


def number(octets):
    value = 0
    for octet in octets:
        value = value * 256 + octet
    return value


def little(octets):
    return number(reversed(octets))


def fold(x):
    x = x ^ (x // 65536)
    x = x ^ (x // 256)
    return x


def need(data, n):
    if len(data) < n:
        raise Unknown
    return data[:n], data[n:]


def xor_words(data):
    value = 0
    for i in range(0, len(data), 4):
        value ^= little(data[i:i + 4])
    return value


def parse_ip(data, version):
    """Returns (A, protocol or None for fragments, what follows)."""
    header, rest = need(data, 20 if version == 4 else 40)
    if header[0] // 16 != version:
        raise Unknown
    if version == 6:
        return xor_words(header[8:40]), header[6], rest
    words = header[0] % 16
    if words < 5:
        raise Unknown
    rest = data[words * 4:]
    fragment = number(header[6:8]) % 0x4000 != 0
    return xor_words(header[12:20]), None if fragment else header[9], rest


def parse_ports(protocol, data):
    if protocol not in PORT_OFFSET:
        return 0
    at = PORT_OFFSET[protocol]
    if len(data) < at + 4:
        return 0
    return little(data[at:at + 4])


def icmp_value(data):
    if len(data) < 8 or data[0] not in (0, 8, 13, 14, 128, 129):
        return None
    ident = number(data[4:6])
    if ident == 0:
        ident = 1
    return data[0] + data[1] * 256 + ident * 65536


def is_icmp(version, protocol):
    return (version, protocol) in ((4, 1), (6, 58))


def is_icmp_error(version, data):
    if len(data) < 8:
        return False
    return data[0] in (3, 4, 5, 11, 12) if version == 4 else data[0] < 128


def outer(ethertype, data):
    """(A, X) of layer2+3 and layer3+4."""
    if ethertype not in (0x0800, 0x86dd):
        raise Unknown
    version = 4 if ethertype == 0x0800 else 6
    addresses, protocol, rest = parse_ip(data, version)
    value = None
    if is_icmp(version, protocol):
        value = icmp_value(rest)
        if is_icmp_error(version, rest):
            addresses, protocol, rest = parse_ip(rest[8:], version)
    if value is None:
        value = parse_ports(protocol, rest)
    return addresses, value


def inner(ethertype, data):
    """(A, X) of encap2+3 and encap3+4, of at most 15 headers."""
    addresses = 0
    headers = 0
    while headers < 15:
        headers += 1
        if ethertype in (0x8100, 0x88a8):
            tag, data = need(data, 4)
            ethertype = number(tag[2:4])
            continue
        if ethertype == 0x8864:
            pppoe, data = need(data, 8)
            if pppoe[0] != 0x11 or pppoe[1] != 0:
                raise Unknown
            ppp = number(pppoe[6:8])
            if ppp not in (0x21, 0x57, 0x281, 0x283):
                raise Unknown
            ethertype = {0x21: 0x0800, 0x57: 0x86dd}.get(ppp, 0x8847)
            continue
        if ethertype in (0x8847, 0x8848):
            need(data, 4)
            return addresses, 0
        if ethertype in (0x0806, 0x8035):
            return addresses, 0
        if ethertype not in (0x0800, 0x86dd):
            raise Unknown
        version = 4 if ethertype == 0x0800 else 6
        addresses, protocol, data = parse_ip(data, version)
        while version == 6 and protocol in (0, 43, 60):
            extension, _ = need(data, 8)
            _, data = need(data, 8 + extension[1] * 8)
            protocol = extension[0]
            headers += 1
        if protocol is None:
            return addresses, 0
        if headers >= 15:
            break
        if protocol == 4:
            ethertype = 0x0800
        elif protocol == 41:
            ethertype = 0x86dd
        elif protocol == 47:
            headers += 1
            gre, data = need(data, 4)
            flags = number(gre[0:2])
            ethertype = number(gre[2:4])
            if flags & 0x4007:
                return addresses, 0
            for bit in (0x8000, 0x2000, 0x1000):
                if flags & bit:
                    _, data = need(data, 4)
            if ethertype == 0x6558:
                ethernet, data = need(data, 14)
                ethertype = number(ethernet[12:14])
        else:
            value = None
            if is_icmp(version, protocol):
                value = icmp_value(data)
            if value is None:
                value = parse_ports(protocol, data)
            return addresses, value
    raise Unknown


def split(frame):
    """(tag control, Ethernet type, rest) without one tag."""
    ethertype = number(frame[12:14])
    if ethertype in (0x8100, 0x88a8) and len(frame) >= 18:
        return number(frame[14:16]), number(frame[16:18]), frame[18:]
    return 0, ethertype, frame[14:]


def hash_current(policy, frame):
    if len(frame) < 14:
        return 0
    tci, ethertype, rest = split(frame)
    if policy == "vlan+srcmac":
        return tci ^ number(frame[6:9]) ^ number(frame[9:12])
    l2 = frame[5] ^ frame[11] ^ ethertype
    if policy == "layer2":
        return l2
    try:
        where = inner if policy.startswith("encap") else outer
        addresses, value = where(ethertype, rest)
    except Unknown:
        return l2
    if policy.endswith("2+3"):
        return fold(l2 ^ addresses)
    return fold(value ^ addresses) // 2


def hash_old(policy, frame):
    if len(frame) < 14:
        return 0
    s = frame[5] ^ frame[11]
    _, ethertype, rest = split(frame)
    try:
        if policy == "layer2" or ethertype != 0x0800:
            raise Unknown
        _, protocol, payload = parse_ip(rest, 4)
    except Unknown:
        return s
    w = (number(rest[12:16]) ^ number(rest[16:20])) % 65536
    if policy == "layer2+3":
        return w ^ s
    q = 0
    if protocol in (6, 17) and len(payload) >= 4:
        q = number(payload[0:2]) ^ number(payload[2:4])
    return q ^ w


# --- Frames -----------------------------------------------------------------

def octets(n):
    return bytes(rng.randrange(256) for _ in range(n))


def mac():
    return b"\x02" + octets(5)


def ether(ethertype, payload, tags=(), macs=None):
    head = macs or mac() + mac()
    for tpid, tci in tags:
        head += struct.pack(">HH", tpid, tci)
    return head + struct.pack(">H", ethertype) + payload


def ip4(protocol, payload, options=b"", fragment=0x4000, addrs=None):
    return struct.pack(">BBHHHBBH", 0x45 + len(options) // 4, 0,
                       20 + len(options) + len(payload),
                       rng.randrange(65536), fragment, 64, protocol,
                       rng.randrange(65536)) \
        + (addrs or octets(8)) + options + payload


def ip6(protocol, payload, addrs=None):
    return struct.pack(">IHBB", 0x60000000 + rng.randrange(1 << 28),
                       len(payload), protocol, 64) \
        + (addrs or octets(32)) + payload


def l4():
    return octets(20)


def extension(next_header, n_words=0):
    return bytes([next_header, n_words]) + octets(6 + 8 * n_words)


def gre(ethertype, payload, flags=0, n_fields=None):
    if n_fields is None:
        n_fields = sum(1 for bit in (0x8000, 0x2000, 0x1000) if flags & bit)
    return struct.pack(">HH", flags, ethertype) + octets(4 * n_fields) \
        + payload


def icmp(kind, code, ident, rest=b""):
    return struct.pack(">BBHHH", kind, code, rng.randrange(65536), ident,
                       rng.randrange(65536)) + rest


def pppoe(ppp, payload, vertype=0x11, code=0):
    return struct.pack(">BBHHH", vertype, code, rng.randrange(65536),
                       len(payload) + 2, ppp) + payload


def mpls():
    return octets(2) + b"\x01" + octets(1)


emitted = []


def emit(name, frame):
    emitted.append((name, frame))
    words = ["frame", name, frame.hex() or ":"]
    for policy in POLICIES:
        words.append("%s=%08x" % (policy, hash_current(policy, frame)))
    for policy in POLICIES[:3]:
        words.append("old-%s=%08x" % (policy, hash_old(policy, frame)))
    print(" ".join(words))


def same(policies, *names):
    for policy in policies:
        print("same", policy, *names)


def distinct(policies, *names):
    for policy in policies:
        print("distinct", policy, *names)


def catalogue():
    """Frames of the test catalogue, by its IDs."""
    for i in range(64):
        macs = b"\x02\0\0\0\0" + bytes([i // 8 * 37 % 256]) \
            + b"\x02\0\0\0\1" + bytes([i % 8 * 29])
        emit("LB-XOR-01/%d" % i, ether(0x88b5, octets(46), macs=macs))

    flow, ports = octets(8), octets(4)
    emit("LB-XOR-07/there", ether(0x0800, ip4(6, ports + l4(), addrs=flow)))
    emit("LB-XOR-07/back",
         ether(0x0800, ip4(6, ports[2:] + ports[:2] + l4(),
                           addrs=flow[4:] + flow[:4])))
    # The ports lie in the word in another order, so that only the low seven
    # bits of the hash are the same.
    same(["layer3+4%128", "encap3+4%128"], "LB-XOR-07/there", "LB-XOR-07/back")
    same(["old-layer3+4"], "LB-XOR-07/there", "LB-XOR-07/back")

    for name, fragment in (("first", 0x2000), ("second", 0x2010),
                           ("last", 0x0020)):
        emit("LB-XOR-08/" + name,
             ether(0x0800, ip4(17, l4(), fragment=fragment, addrs=flow)))
    same(["layer3+4", "encap3+4", "old-layer3+4"], "LB-XOR-08/first",
         "LB-XOR-08/second", "LB-XOR-08/last")

    flow6 = octets(32)
    for i in range(2):
        emit("LB-XOR-09/%d" % i,
             ether(0x86dd, ip6(44, extension(17) + l4(), addrs=flow6)))
    same(["layer3+4", "encap3+4"], "LB-XOR-09/0", "LB-XOR-09/1")

    for ident in range(1, 51):
        emit("LB-XOR-10/%d" % ident,
             ether(0x0800, ip4(1, icmp(8, 0, ident), addrs=flow)))
    emit("LB-XOR-10/none", ether(0x0800, ip4(1, icmp(8, 0, 0), addrs=flow)))
    emit("LB-XOR-10/reply", ether(0x0800, ip4(1, icmp(0, 0, 7), addrs=flow)))
    emit("LB-XOR-10/six",
         ether(0x86dd, ip6(58, icmp(128, 0, 7), addrs=flow6)))
    emit("LB-XOR-10/six2",
         ether(0x86dd, ip6(58, icmp(128, 0, 8), addrs=flow6)))
    distinct(["layer3+4", "encap3+4"],
             *["LB-XOR-10/%d" % i for i in range(1, 51)] + ["LB-XOR-10/reply"])
    distinct(["layer3+4", "encap3+4"], "LB-XOR-10/six", "LB-XOR-10/six2")
    same(["layer3+4"], "LB-XOR-10/none", "LB-XOR-10/1")

    macs = mac() + mac()
    for name, protocol in (("tcp", 6), ("udp", 17)):
        packet = ip4(protocol, l4(), addrs=flow)
        about = "LB-XOR-11/" + name
        names = [about]
        emit(about, ether(0x0800, packet, macs=macs))
        for kind in (3, 4, 5, 11, 12):
            names.append("%s/%d" % (about, kind))
            emit(names[-1], ether(0x0800, ip4(1, icmp(kind, 1, 0, packet)),
                                  macs=macs))
        same(["layer3+4", "layer2+3"], *names)
        packet = ip6(protocol, l4(), addrs=flow6)
        names = [about + "6"]
        emit(about + "6", ether(0x86dd, packet, macs=macs))
        for kind in (1, 2, 3, 4, 127):
            names.append("%s6/%d" % (about, kind))
            emit(names[-1], ether(0x86dd, ip6(58, icmp(kind, 0, 0, packet)),
                                  macs=macs))
        same(["layer3+4", "layer2+3"], *names)
        distinct(["encap2+3", "encap3+4"], *names)

    for i in range(4):
        emit("LB-XOR-12/%d" % i,
             ether(0x0800, ip4(50, octets(4) + octets(16), addrs=flow)))
    distinct(["layer3+4", "encap3+4"],
             *["LB-XOR-12/%d" % i for i in range(4)])

    for i in range(2):
        emit("LB-XOR-13/%d" % i,
             ether(0x0800, ip4(47, gre(0x0800, ip4(6, l4())), addrs=flow),
                   macs=macs))
    distinct(["encap2+3", "encap3+4"], "LB-XOR-13/0", "LB-XOR-13/1")
    same(["layer2+3", "layer3+4"], "LB-XOR-13/0", "LB-XOR-13/1")

    emit("LB-XOR-14/arp", ether(0x0806, octets(46)))
    emit("LB-XOR-14/rarp", ether(0x8035, octets(46)))
    emit("LB-XOR-15/lldp", ether(0x88cc, octets(46)))
    emit("LB-XOR-15/test", ether(0x88b5, octets(46)))
    emit("LB-XOR-15/length", ether(60, octets(60)))

    for protocol in (1, 6, 17, 132):
        for fragment in (0, 0x4000, 0x8000, 0x2000, 1):
            emit("LB-XOR-18/%d/%d" % (protocol, fragment),
                 ether(0x0800, ip4(protocol, l4(), fragment=fragment)))
        emit("LB-XOR-18/%d/six" % protocol,
             ether(0x86dd, ip6(protocol, l4())))
    emit("LB-XOR-18/arp", ether(0x0806, octets(46)))


def plain_kinds():
    """(name, Ethernet type, payload) of every kind that ends here."""
    for protocol in (6, 17, 33, 50, 51, 132, 136, 0, 2, 58, 89, 255):
        yield "v4-%d" % protocol, 0x0800, ip4(protocol, l4())
    for n in (4, 8, 40):
        yield "v4-options-%d" % n, 0x0800, ip4(6, l4(), options=octets(n))
    yield "v4-reserved", 0x0800, ip4(6, l4(), fragment=0x8000)
    yield "v4-fragment-options", 0x0800, ip4(6, l4(), options=octets(4),
                                             fragment=0x2000)
    yield "v4-bad-version", 0x0800, b"\x55" + ip4(6, l4())[1:]
    yield "v4-bad-ihl", 0x0800, b"\x44" + ip4(6, l4())[1:]
    yield "v4-in-v6-type", 0x86dd, ip4(6, l4() + l4())
    yield "v6-in-v4-type", 0x0800, ip6(6, l4())
    for protocol in (6, 17, 33, 50, 51, 132, 136, 1, 59, 255):
        yield "v6-%d" % protocol, 0x86dd, ip6(protocol, l4())
    for header in (0, 43, 60):
        for n in (0, 1, 3):
            yield "v6-ext-%d-%d" % (header, n), 0x86dd, \
                ip6(header, extension(17, n) + l4())
    yield "v6-ext-long", 0x86dd, ip6(0, extension(17, 9)[:30])
    yield "v6-ext-chain", 0x86dd, \
        ip6(0, extension(60) + extension(43) + extension(6, 2) + l4())
    yield "v6-ext-fragment", 0x86dd, \
        ip6(0, extension(44) + extension(17) + l4())
    yield "v6-ext-icmp", 0x86dd, ip6(60, extension(58) + icmp(128, 0, 5))
    yield "v6-ext-error", 0x86dd, \
        ip6(60, extension(58) + icmp(1, 0, 5, ip6(6, l4())))
    for kind in (0, 1, 3, 8, 9, 10, 13, 14, 15, 17, 128, 129, 130, 255):
        for ident in (0, 0x1234):
            yield "v4-icmp-%d-%d" % (kind, ident), 0x0800, \
                ip4(1, icmp(kind, 3, ident, ip4(6, l4())))
    for kind in (0, 1, 8, 13, 14, 127, 128, 129, 130, 133, 255):
        for ident in (0, 0x1234):
            yield "v6-icmp-%d-%d" % (kind, ident), 0x86dd, \
                ip6(58, icmp(kind, 3, ident, ip6(6, l4())))
    for name, packet in (("icmp", ip4(1, icmp(8, 0, 9))),
                         ("error", ip4(1, icmp(3, 0, 9, ip4(6, l4())))),
                         ("fragment", ip4(17, l4(), fragment=0x2000)),
                         ("options", ip4(17, l4(), options=octets(12))),
                         ("short", ip4(17, l4())[:19]),
                         ("bad", b"\x65" + octets(60))):
        yield "v4-error-with-" + name, 0x0800, ip4(1, icmp(3, 1, 0, packet))
    yield "v4-error-fragment", 0x0800, \
        ip4(1, icmp(3, 1, 0, ip4(6, l4())), fragment=0x2000)
    yield "v6-error-short", 0x86dd, ip6(58, icmp(1, 0, 0, ip6(6, l4())[:39]))
    yield "v6-error-ext", 0x86dd, \
        ip6(58, icmp(1, 0, 0, ip6(0, extension(6) + l4())))
    yield "arp", 0x0806, octets(46)
    yield "lldp", 0x88cc, octets(46)


def tunnel_kinds():
    v4, v6 = (lambda: ip4(6, l4())), (lambda: ip6(17, l4()))
    yield "ipip", 0x0800, ip4(4, v4())
    yield "sit", 0x0800, ip4(41, v6())
    yield "v4-in-v6", 0x86dd, ip6(4, v4())
    yield "v6-in-v6", 0x86dd, ip6(41, v6())
    yield "v6-ext-in-v6", 0x86dd, ip6(60, extension(41) + v6())
    yield "ipip-ipip", 0x0800, ip4(4, ip4(4, v4()))
    yield "ipip-fragment", 0x0800, ip4(4, v4(), fragment=0x2000)
    yield "ipip-of-fragment", 0x0800, ip4(4, ip4(17, l4(), fragment=0x2000))
    yield "ipip-options", 0x0800, ip4(4, v4(), options=octets(8))
    yield "ipip-short", 0x0800, ip4(4, v4()[:19])
    yield "ipip-bad", 0x0800, ip4(4, v6())
    yield "ipip-icmp", 0x0800, ip4(4, ip4(1, icmp(8, 0, 77)))
    yield "ipip-error", 0x0800, ip4(4, ip4(1, icmp(3, 0, 77, v4())))
    for flags in (0, 0x8000, 0x2000, 0x1000, 0xa000, 0x9000, 0x3000, 0xb000,
                  0x4000, 0x0800, 1, 2, 0x2001, 0x0078):
        yield "gre-v4-%04x" % flags, 0x0800, \
            ip4(47, gre(0x0800, v4(), flags))
        yield "gre-v6-%04x" % flags, 0x86dd, \
            ip6(47, gre(0x86dd, v6(), flags))
        yield "gre-teb-%04x" % flags, 0x0800, \
            ip4(47, gre(0x6558, ether(0x0800, v4()), flags))
    yield "gre-short", 0x0800, ip4(47, gre(0x0800, v4())[:3])
    yield "gre-short-key", 0x0800, ip4(47, gre(0x0800, b"", 0x2000, 0))
    yield "gre-teb-short", 0x0800, \
        ip4(47, gre(0x6558, ether(0x0800, b"")[:13]))
    yield "gre-teb-vlan", 0x0800, \
        ip4(47, gre(0x6558, ether(0x86dd, v6(), [(0x8100, 5)])))
    yield "gre-teb-arp", 0x0800, ip4(47, gre(0x6558, ether(0x0806, l4())))
    yield "gre-teb-lldp", 0x0800, ip4(47, gre(0x6558, ether(0x88cc, l4())))
    yield "gre-unknown", 0x0800, ip4(47, gre(0x1234, v4()))
    yield "gre-mpls", 0x0800, ip4(47, gre(0x8847, mpls() + v4()))
    yield "gre-gre", 0x0800, ip4(47, gre(0x0800, ip4(47, gre(0x86dd, v6()))))
    yield "gre-fragment", 0x0800, ip4(47, gre(0x0800, v4()), fragment=1)
    yield "vxlan", 0x0800, \
        ip4(17, b"\xc0\x01\x12\xb5" + octets(12) + ether(0x0800, v4()))
    yield "pppoe-v4", 0x8864, pppoe(0x21, v4())
    yield "pppoe-v6", 0x8864, pppoe(0x57, v6())
    yield "pppoe-mpls", 0x8864, pppoe(0x281, mpls() + v4())
    yield "pppoe-mpls-m", 0x8864, pppoe(0x283, mpls() + v4())
    yield "pppoe-lcp", 0x8864, pppoe(0xc021, octets(40))
    yield "pppoe-version", 0x8864, pppoe(0x21, v4(), vertype=0x21)
    yield "pppoe-code", 0x8864, pppoe(0x21, v4(), code=9)
    yield "pppoe-short", 0x8864, pppoe(0x21, b"")[:7]
    yield "pppoe-discovery", 0x8863, pppoe(0x21, v4())
    yield "mpls", 0x8847, mpls() + v4()
    yield "mpls-m", 0x8848, mpls() + v4()
    yield "mpls-short", 0x8847, mpls()[:3]
    for depth in (5, 12, 13, 14, 15, 16):
        packet = ip4(6, l4())
        for _ in range(depth):
            packet = ip4(4, packet)
        yield "ipip-%d" % depth, 0x0800, packet
        packet = b"".join(extension(0) for _ in range(depth - 1)) \
            + extension(6) + l4()
        yield "ext-%d" % depth, 0x86dd, ip6(0, packet)
        packet = b"\0\1\x81\0" * (depth - 3) + b"\0\1\x08\0" + ip4(6, l4())
        yield "gre-%d" % depth, 0x0800, ip4(47, gre(0x8100, packet))


def main():
    print("# Computed by tests/vectors/gen-hash.py with Python, 2026-11-21,"
          " from the\n# published formulas; independent of lib/xmit/hash.c.")
    catalogue()
    tags = {"": [], "+c": [(0x8100, 0xa003)], "+s": [(0x88a8, 10)],
            "+0": [(0x8100, 0)], "+qq": [(0x88a8, 100), (0x8100, 0x6007)],
            "+cc": [(0x8100, 1), (0x8100, 2)],
            "+sss": [(0x88a8, 1), (0x88a8, 2), (0x8100, 3)]}
    for kinds in (plain_kinds, tunnel_kinds):
        for name, ethertype, payload in kinds():
            few = name.startswith(("ipip-1", "ext-", "gre-1"))
            for suffix in [""] if few else ["", rng.choice(list(tags)[1:])]:
                emit(name + suffix, ether(ethertype, payload, tags[suffix]))
    for kind, ethertype, payload in (("tcp", 0x0800, ip4(6, l4())),
                                     ("udp6", 0x86dd, ip6(17, l4())),
                                     ("ah", 0x0800, ip4(51, l4())),
                                     ("echo", 0x0800, ip4(1, icmp(8, 0, 3))),
                                     ("llc", 0x0005, octets(46))):
        for suffix in tags:
            emit("tags-%s%s" % (kind, suffix),
                 ether(ethertype, payload, tags[suffix]))
    # Cut off everywhere.
    for kind, frame in (
            ("tcp", ether(0x0800, ip4(6, octets(8)), [(0x8100, 9)])),
            ("qinq", ether(0x0800, ip4(17, octets(4)),
                           [(0x88a8, 9), (0x8100, 7)])),
            ("ah6", ether(0x86dd, ip6(51, octets(9)))),
            ("error", ether(0x0800, ip4(1, icmp(3, 0, 0,
                                                ip4(17, octets(6))))))):
        for n in range(len(frame) + 1):
            emit("cut-%s-%d" % (kind, n), frame[:n])


main()
