#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0

"""Records what the real bonding driver says in /proc/net/bonding.

    sudo tests/vectors/gen-proc.py > tests/vectors/proc-linux

boots the guest of tests/harness (QEMU, Debian's kernel), makes a bond "bond"
of eth0, eth1 and eth2 in every way listed here, and writes its text, and the
script that makes the same of "bndtest bond".  In an option's place "!" leads
what is done when the bond is up: a line for the guest's shell, or "cut" and the
number of a member, then "?" and the command of the script for it.
"""

import datetime
import pathlib
import sys
import time

HARNESS = pathlib.Path(__file__).resolve().parent.parent / "harness"
sys.dont_write_bytecode = True
sys.path.insert(0, str(HARNESS))

import guest as guest_module                                # noqa: E402
import isolate                                              # noqa: E402
import lab as lab_module                                    # noqa: E402

N = 3
PATH = "/sys/class/net/bond/bonding/"
CUT = ["!cut %d?carrier %d down speed=10000 duplex=full" % (i, i + 1)
       for i in range(N)]        # Such a NIC has its speed without carrier.
CASES = {
    "balance-rr": ["miimon=100", "updelay=250", "downdelay=199",
                   "peer_notif_delay=350"],
    "active-backup": ["miimon=100"],
    "active-backup-follow": ["miimon=100", "fail_over_mac=follow",
                             "primary=eth1", "primary_reselect=better"],
    "active-backup-active": ["miimon=50", "fail_over_mac=active",
                             "primary=eth9", "primary_reselect=failure"],
    "active-backup-queues": [
        "miimon=100", "primary=eth2",
        "!echo eth1:2 > " + PATH + "queue_id?set 2 queue-id=2"],
    "active-backup-down": ["miimon=100", CUT[1]],
    "active-backup-lost": ["miimon=100", CUT[1], CUT[0], CUT[2]],
    "balance-xor": ["miimon=100", "xmit_hash_policy=layer3+4"],
    "balance-xor-fail-over-mac": ["miimon=100", "fail_over_mac=active",
                                  "xmit_hash_policy=vlan+srcmac"],
    "broadcast": ["miimon=100", "primary_reselect=better"],
    "802.3ad": ["miimon=100"],
    "balance-tlb": ["miimon=100", "primary=eth0"],
    "balance-tlb-static": ["miimon=100", "tlb_dynamic_lb=0"],
    "balance-alb": ["miimon=100"],
    "balance-rr-arp": ["arp_interval=1000"],
    "active-backup-arp": ["arp_interval=1000", "arp_ip_target=+10.0.0.1",
                          "arp_ip_target=+10.0.0.2"],
}
MODES = ["balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad",
         "balance-tlb", "balance-alb"]


def linux(guest, mode, words):
    """The driver's text of a bond."""
    lines = ["echo +bond > /sys/class/net/bonding_masters",
             "echo %s > %smode" % (mode, PATH)]
    for word in words:
        if not word.startswith("!"):
            key, value = word.split("=", 1)
            lines.append("echo %s > %s%s" % (value, PATH, key))
    lines += ["echo +eth%d > %sslaves" % (i, PATH) for i in range(N)]
    lines.append("ip link set bond up")
    guest.run(" &&\n".join(lines))
    time.sleep(1)
    for word in words:
        if word.startswith("!cut"):
            guest.monitor("set_link d%s off" % word[5])
        elif word.startswith("!"):
            guest.run(word[1:].split("?")[0])
    time.sleep(1.5)
    text = guest.run("cat /proc/net/bonding/bond")
    guest.run("echo -bond > /sys/class/net/bonding_masters")
    for i in range(N):
        guest.monitor("set_link d%d on" % i)
        guest.run("ip link set eth%d down" % i)
    return text.strip("\n").split("\n")


def script(guest, mode, words):
    """The same for the engine."""
    yield "bond mode=%s" % mode
    for word in words:
        if not word.startswith("!"):
            yield "bond %s" % word
    for i in range(N):
        yield ("member %d eth%d up speed=10000 duplex=full mac=%s"
               % (i + 1, i, guest.mac(i)))
    for i, word in enumerate(w for w in words if w.startswith("!")):
        yield "at %d000: %s" % (i + 1, word.split("?")[1])
    yield "at 9000: proc"


def main():
    """Prints all cases."""
    guest_module.fetch()
    isolate.isolate()
    with lab_module.checked_lab() as lab:
        guest = guest_module.Guest(lab, lab.namespace("wire"),
                                   ["t%d" % i for i in range(N)])
        print("# SPDX-License-Identifier: Apache-2.0\n"
              "# /proc/net/bonding of Linux %s, recorded by gen-proc.py on %s."
              "\n# > leads a line of the script, | a line of the text."
              % (guest.run("uname -r").strip(), datetime.date.today()))
        for name, words in CASES.items():
            mode = max((m for m in MODES if name.startswith(m)), key=len)
            print("\n%s" % name)
            for line in script(guest, mode, words):
                print("> " + line)
            for line in linux(guest, mode, words):
                print("| " + line if line else "|")


if __name__ == "__main__":
    main()
