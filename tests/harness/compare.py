"""Compares replies of our daemon with those of the stock daemon.

Ours may say more, but only after what stock says: at the end of the block of
a bond.  Numbers that cannot be equal are masked."""

import re

MASKS = [
    (re.compile(r"(Recirc-ID ?: )[1-9]\d*"), r"\1N"),
    (re.compile(r"(bond-id: )[1-9]\d*"), r"\1N"),
    (re.compile(r"(next rebalance: )-?\d+ ms"), r"\1N ms"),
    (re.compile(r"((?:up|down)delay expires in )\d+ ms"), r"\1N ms"),
    (re.compile(r"(hash \d+: )\d+ kB"), r"\1N kB"),
    (re.compile(r"(PDUs|Expired|Defaulted|Changed): \d+"), r"\1: N"),
]
MAC = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}")
LIST = re.compile(r"(?m)^(\S+\t\S+\t)(\d+)\t(.*)$")
HEADER = re.compile(r"---- (.*) ----$")


def _mask_list(m):
    """A line of bond/list: members come in no particular order."""
    return "%s%s\t%s" % (m.group(1), "N" if m.group(2) != "0" else "0",
                         ", ".join(sorted(m.group(3).split(", "))))


def mask(text, macs=False):
    """Masks what may differ; MAC addresses only if 'macs'."""
    for pattern, replacement in MASKS:
        text = pattern.sub(replacement, text)
    text = LIST.sub(_mask_list, text)
    return MAC.sub("MAC", text) if macs else text


def blocks(text):
    """Splits a reply into [(bond or None, lines without blank ones at the
    end)]."""
    result = [(None, [])]
    for line in text.split("\n"):
        m = HEADER.match(line)
        if m:
            result.append((m.group(1), []))
        result[-1][1].append(line)
    for _name, lines in result:
        while lines and not lines[-1].strip():
            lines.pop()
    return [b for b in result if b[0] is not None or b[1]]


def differences(ours, stock, macs=False, extra=False):
    """What differs, as text, "" if nothing that matters.

    With 'extra', our blocks may have more lines at their ends."""
    a = blocks(mask(ours, macs))
    b = blocks(mask(stock, macs))
    if [n for n, _l in a] != [n for n, _l in b]:
        return "bonds: %s, stock has %s\n%s\n%s" % (
            [n for n, _l in a], [n for n, _l in b], ours, stock)
    for (name, mine), (_name, theirs) in zip(a, b):
        if mine == theirs:
            continue
        if extra and mine[:len(theirs)] == theirs:
            continue
        for i in range(max(len(mine), len(theirs))):
            x = mine[i] if i < len(mine) else "(no line)"
            y = theirs[i] if i < len(theirs) else "(no line)"
            if x != y:
                return ("%s, line %d:\n  ours:  %r\n  stock: %r\n"
                        "ours:\n%s\nstock:\n%s"
                        % (name, i + 1, x, y, "\n".join(mine),
                           "\n".join(theirs)))
    return ""
