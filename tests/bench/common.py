# SPDX-License-Identifier: Apache-2.0

"""What the benchmarks share."""

import json
import os
import platform
import re
import statistics
import subprocess
import time


class BenchError(Exception):
    """The benchmark cannot go on."""


def say(text):
    """Prints 'text' as a line of its own, at once."""
    print(text, flush=True)


def run(command, timeout=30, check=True):
    """Runs 'command'; returns what it printed."""
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT, timeout=timeout)
    if check and done.returncode:
        raise BenchError("%s: %s" % (" ".join(command), done.stdout.strip()))
    return done.stdout


def wait_for(what, condition, timeout=30):
    """Calls 'condition' until it is true; 'what' is for the complaint."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise BenchError("timeout while waiting for " + what)
        time.sleep(0.1)


def machine():
    """Returns a dict that describes the machine."""
    model = "?"
    with open("/proc/cpuinfo") as f:
        for line in f:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return {"cpu": model, "n_cpus": os.cpu_count(),
            "kernel": platform.release(),
            "load": round(os.getloadavg()[0], 2)}


class HugePages:
    """Huge pages for the time of a 'with' statement."""

    FILE = "/proc/sys/vm/nr_hugepages"

    def __init__(self, size_mb):
        self.size_mb = size_mb
        self.before = 0

    def __enter__(self):
        size_kb = None
        with open("/proc/meminfo") as f:
            for line in f:
                if line.startswith("Hugepagesize:"):
                    size_kb = int(line.split()[1])
        if not size_kb:
            raise BenchError("this kernel has no huge pages")
        self.before = self.read("HugePages_Total")
        want = self.size_mb * 1024 // size_kb
        missing = want - self.read("HugePages_Free")
        if missing > 0:
            self.write(self.before + missing)
        if self.read("HugePages_Free") < want:
            self.write(self.before)
            raise BenchError("cannot get %d MB of huge pages" % self.size_mb)
        return self

    def __exit__(self, *_):
        # The kernel may still be freeing what the daemons had.
        for _ in range(50):
            self.write(self.before)
            if self.read("HugePages_Total") <= self.before:
                break
            time.sleep(0.1)

    @staticmethod
    def read(key):
        """Returns the number called 'key' in /proc/meminfo."""
        with open("/proc/meminfo") as f:
            return int(re.search(r"%s: +(\d+)" % key, f.read()).group(1))

    def write(self, n):
        """Asks the kernel for 'n' huge pages."""
        with open(self.FILE, "w") as f:
            f.write("%d\n" % n)


def write_json(path, out):
    """Writes 'out' to the file 'path', if there is one."""
    if path:
        with open(path, "w") as f:
            json.dump(out, f, indent=2)
            f.write("\n")


def numbers(text):
    """Parses a list such as "1,64k,1M"; for argparse."""
    scale = {"k": 1 << 10, "K": 1 << 10, "M": 1 << 20}
    found = []
    for word in text.split(","):
        m = re.fullmatch(r"(\d+)([kKM]?)", word.strip())
        if not m or not int(m.group(1)):
            raise ValueError(word)
        found.append(int(m.group(1)) * scale.get(m.group(2), 1))
    return found


def percentile(values, share):
    """Returns the smallest of 'values' that 'share' (0..1) of them do not
    exceed, None if there are none."""
    values = sorted(values)
    if not values:
        return None
    return values[max(0, min(len(values) - 1,
                             -int(-share * len(values) // 1) - 1))]


def median(values):
    """Returns the median, None if there are no values."""
    return statistics.median(values) if values else None
