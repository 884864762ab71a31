"""Traffic: ping with a count of what was lost, and iperf3."""

import json
import re
import signal
import subprocess
import threading
import time

from lab import Timeout, wait_until


class Ping:
    """A ping at a high rate that runs until stop()."""

    def __init__(self, ns, address, interval=0.005, start=True):
        self.address = address
        self.interval = interval
        self.replies = []           # (arrival time, sequence number)
        self.duplicates = 0
        self.result = None
        self._summary = ""
        self.proc = ns.popen("ping", "-n", "-D", "-i", "%g" % interval,
                             address, stdout=subprocess.PIPE,
                             stderr=subprocess.STDOUT, text=True)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()
        if start:
            self.wait_replies(20)

    def _read(self):
        for line in self.proc.stdout:
            m = re.match(r"\[([0-9.]+)\] \d+ bytes from .*icmp_seq=(\d+)",
                         line)
            if not m:
                self._summary += line
            elif "DUP!" in line:
                self.duplicates += 1
            else:
                self.replies.append((float(m.group(1)), int(m.group(2))))

    def wait_replies(self, n, timeout=10):
        """Waits until 'n' more replies have come."""
        goal = len(self.replies) + n
        wait_until(lambda: len(self.replies) >= goal,
                   "%d more replies from %s" % (n, self.address), timeout)

    def quiet_for(self, seconds):
        """True once no reply has come for 'seconds'."""
        return (not self.replies
                or time.time() - self.replies[-1][0] >= seconds)

    def stop(self):
        """Ends the ping; returns self, with sent, received, lost, gap.
        Requests that are still under way are not lost."""
        if self.result is None:
            flowing = not self.quiet_for(0.1)
            self.proc.send_signal(signal.SIGINT)
            try:
                self.proc.wait(10)
            except subprocess.TimeoutExpired:
                raise Timeout("ping does not end")
            self._thread.join(10)
            m = re.search(r"(\d+) packets transmitted, (\d+) received",
                          self._summary)
            if not m:
                raise AssertionError("ping said:\n" + self._summary)
            sent, received = int(m.group(1)), int(m.group(2))
            if flowing and self.replies:
                sent = max(number for _, number in self.replies)
            self.result = sent, received
        self.sent, self.received = self.result
        self.lost = self.sent - self.received
        self.gap = longest_gap(self.replies)
        return self

    def __str__(self):
        return "%d sent, %d lost, %d duplicates, longest gap %.0f ms" % (
            self.sent, self.lost, self.duplicates, self.gap * 1000)


def longest_gap(replies):
    """The longest time between two replies, in seconds."""
    times = [t for t, _seq in replies]
    return max((b - a for a, b in zip(times, times[1:])), default=0.0)


def reachable(ns, address, n=3, timeout=10):
    """Waits until 'n' pings in a row are answered."""
    def once():
        return ns.run("ping", "-n", "-c", str(n), "-i", "0.05", "-W", "1",
                      address, check=False).returncode == 0
    wait_until(once, "%s answers %s" % (address, ns.name), timeout)


def unreachable(ns, address, n=5):
    """Asserts that none of 'n' pings is answered."""
    out = ns.run("ping", "-n", "-c", str(n), "-i", "0.05", "-W", "1", address,
                 check=False).stdout
    assert ", 0 received" in out, "should get no answer:\n" + out


class Iperf:
    """An iperf3 run of a fixed length in the background."""

    def __init__(self, server, client, address, seconds=3, streams=1,
                 mbps=None, udp=False, port=5201, reverse=False):
        self.seconds = seconds
        self.server = server.popen("iperf3", "-s", "-1", "-p", str(port),
                                   stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        wait_until(lambda: _listens(server, port), "iperf3 listens")
        args = ["iperf3", "-J", "-c", address, "-p", str(port), "-t",
                str(seconds), "-i", "0.25", "-P", str(streams)]
        if mbps:                    # Of each stream.
            args += ["-b", "%gM" % mbps]
        if udp:
            args += ["-u", "-l", "1200"]
        if reverse:
            args.append("-R")
        self.client = client.popen(*args, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True)
        self.started = time.monotonic()

    def result(self):
        """Waits for the end; returns the report."""
        try:
            out, _err = self.client.communicate(timeout=self.seconds + 30)
        except subprocess.TimeoutExpired:
            raise Timeout("iperf3 does not end")
        report = json.loads(out)
        if "error" in report:
            raise AssertionError("iperf3: " + report["error"])
        self.server.wait(10)
        self.rates = [i["sum"]["bits_per_second"] / 1e6
                      for i in report["intervals"]]
        end = report["end"]
        self.mbps = (end.get("sum_received") or end["sum"])[
            "bits_per_second"] / 1e6
        self.bytes = (end.get("sum_received") or end["sum"])["bytes"]
        return self


def _listens(ns, port):
    """True if a TCP socket in 'ns' listens on 'port'."""
    out = ns.run("cat", "/proc/net/tcp", "/proc/net/tcp6").stdout
    return any(line.split()[1].endswith(":%04X" % port)
               and line.split()[3] == "0A"
               for line in out.splitlines() if ":" in line.split()[0])


def iperf(server, client, address, **kwargs):
    """Runs iperf3 to its end."""
    return Iperf(server, client, address, **kwargs).result()

