"""The harness itself: it must notice what is wrong, and clean up."""

import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import pytest

import alb
import compare
from lab import (Cable, Timeout, leftovers, other_processes, run,
                 wait_until)
from switch import Switch
from traffic import Ping, reachable, unreachable

DEMO = pathlib.Path(__file__).resolve().parent / "demo.py"
RUNNER = DEMO.with_name("run.py")

SHOW = """\
---- bond0 ----
bond_mode: active-backup
bond may use recirculation: no, Recirc-ID : -1
updelay: 0 ms

member p1: enabled
  active member
  may_enable: true

---- bond1 ----
bond_mode: balance-tcp
bond may use recirculation: yes, Recirc-ID : 3
next rebalance: 1234 ms

member p2: enabled
  may_enable: true

"""


def test_compare_masks_numbers():
    """What changes from run to run is no difference; all else is one."""
    other = SHOW.replace("Recirc-ID : 3", "Recirc-ID : 17").replace(
        "1234 ms", "7 ms")
    assert other != SHOW
    assert compare.differences(other, SHOW) == ""
    for old, new in (("updelay: 0", "updelay: 1"), ("p1: en", "p1: dis"),
                     ("Recirc-ID : -1", "Recirc-ID : 4"),
                     ("bond1", "bond2"), ("  active member\n", ""),
                     ("balance-tcp", "balance-slb")):
        assert compare.differences(SHOW.replace(old, new), SHOW)
        assert compare.differences(SHOW, SHOW.replace(old, new))


def test_compare_tolerates_more_at_the_end():
    """Our lines may follow stock's, nowhere else, and only if allowed."""
    more = SHOW.replace("  may_enable: true\n\n----",
                        "  may_enable: true\n\nours: 1\nours: 2\n\n----", 1)
    assert more != SHOW
    assert compare.differences(more, SHOW, extra=True) == ""
    assert compare.differences(more, SHOW)
    assert compare.differences(SHOW, more, extra=True)
    middle = SHOW.replace("updelay: 0 ms\n", "updelay: 0 ms\nours: 1\n")
    assert compare.differences(middle, SHOW, extra=True)
    assert compare.differences("", SHOW, extra=True)


def test_compare_list():
    """Members in bond/list come in any order, but the same ones."""
    line = "bond\ttype\trecircID\tmembers\nb\tbalance-tcp\t%d\t%s\n"
    assert not compare.differences(line % (3, "p1, p2"),
                                   line % (9, "p2, p1"))
    assert compare.differences(line % (3, "p1, p2"), line % (3, "p1, p3"))
    assert compare.differences(line % (3, "p1, p2"), line % (0, "p1, p2"))


def test_losses_are_noticed(lab, stock):
    """A ping over a cable that is cut counts the loss."""
    s = Switch(lab, "s1", stock)
    h1 = lab.host("h1", s, "to-h1", "10.0.0.1")
    h2 = lab.host("h2", s, "to-h2", "10.0.0.2")
    reachable(h1, "10.0.0.2")
    with pytest.raises(AssertionError):
        unreachable(h1, "10.0.0.2")
    ping = Ping(h1, "10.0.0.2")
    h2.cable.cut()
    wait_until(lambda: ping.quiet_for(0.6), "no more answers")
    with pytest.raises(Timeout):
        ping.wait_replies(1, 0.3)
    h2.cable.mend()
    ping.wait_replies(20)
    ping.stop()
    assert ping.lost > 40 and ping.gap > 0.5, "%s" % ping


SAMPLE = """
import pathlib
import pytest

HERE = pathlib.Path(__file__).parent


@pytest.fixture(scope="module", params=["a", "b"])
def shared(request):
    yield request.param
    (HERE / ("closed-" + request.param)).touch()


@pytest.mark.parametrize("i", range(20))
def test_good(i):
    with open(HERE / ("ran-%d" % i), "x"):
        pass


def test_shared_1(shared):
    assert not (HERE / ("closed-" + shared)).exists()


def test_shared_2(shared):
    assert not (HERE / ("closed-" + shared)).exists()


def test_bad():
    assert False


def test_bad_once():
    there = (HERE / "once").exists()
    (HERE / "once").touch()
    assert there


def test_bad_end(request):
    request.addfinalizer(lambda: 1 / 0)


def test_skipped():
    pytest.skip("a reason")
"""


def runner(*args):
    """What run.py prints, and its exit status."""
    proc = run([sys.executable, RUNNER] + list(args), check=False, timeout=60)
    return proc.stdout, proc.returncode


def test_runner(tmp_path):
    """Each test runs once, those that failed twice; verdicts are counted."""
    sample = tmp_path / "test_sample.py"
    sample.write_text(SAMPLE)
    out, status = runner(sample)
    assert status == 1
    lines = out.splitlines()
    assert lines[-1] == "25 passed, 2 failed, 1 skipped", out
    said = "\n".join(lines[-10:])
    assert "test_bad_once: passes when run again" in said
    assert re.search("FAILED: .*test_bad$", said, re.M)
    assert re.search("FAILED: .*test_bad_end$", said, re.M)
    assert re.search(r"skipped: .*test_skipped \(.*a reason\)$", said, re.M)
    assert (tmp_path / "closed-a").exists()
    assert (tmp_path / "closed-b").exists()


def test_runner_without_tests(tmp_path):
    """What cannot be run, or is nothing, is no success."""
    sample = tmp_path / "test_sample.py"
    for text in "import nothing_such", "":
        sample.write_text(text)
        out, status = runner(sample)
        assert status == 1 and out.endswith("0 passed, 1 failed, 0 skipped\n")


def test_death_is_noticed(lab, stock):
    """A daemon that ends by itself is a problem."""
    s = Switch(lab, "s1", stock)
    assert s.problems() == []
    os.kill(s.vswitchd.pid, signal.SIGKILL)
    s.vswitchd.wait(10)
    assert s.problems()
    s.start()
    assert s.problems() == []


def test_open_lab_is_seen(lab):
    """leftovers() sees what a lab has not removed yet."""
    lab.namespace("x")
    lab.popen(["sleep", "60"])
    found = " ".join(leftovers())
    for what in "namespace " + lab.name, "process ", "file ":
        assert what in found


def demo(daemon, **kwargs):
    """Starts demo.py."""
    return subprocess.Popen([sys.executable, DEMO, "--daemon", daemon],
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True, **kwargs)


def test_demo(daemon):
    """The demonstration succeeds, counts what was lost, leaves nothing."""
    proc = demo(daemon)
    out, _err = proc.communicate(timeout=110)
    assert proc.returncode == 0, out
    assert out.count(" lost; the longest gap") == 2
    assert "---- bond0 ----" in out and "partner state:" in out
    assert other_processes() == []


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM,
                                    signal.SIGKILL],
                         ids=["int", "term", "kill"])
def test_interrupted_demo(daemon, signum):
    """Whenever it is ended, nothing stays."""
    links = os.listdir("/sys/class/net")
    proc = demo(daemon)
    for line in proc.stdout:
        if line.startswith("Pulling"):
            break
    running = " ".join(other_processes())
    assert "ovs-vswitchd" in running and "ping" in running
    proc.send_signal(signum)
    proc.stdout.read()
    assert proc.wait(30) != 0
    proc.stdout.close()
    wait_until(lambda: not other_processes(), "no process is left", 10)
    assert leftovers() == []
    assert os.listdir("/sys/class/net") == links


def test_demo_with_a_bad_daemon():
    """A daemon that does not work is not a success."""
    where = pathlib.Path("/run/bad")
    where.mkdir()
    fake = where / "ovs-vswitchd"
    try:
        fake.write_text("#!/bin/sh\nexit 1\n")
        fake.chmod(0o755)
        proc = demo(fake)
        out, _err = proc.communicate(timeout=60)
        assert proc.returncode != 0 and "survived" not in out
        assert other_processes() == []
    finally:
        fake.unlink()
        where.rmdir()


def test_learning_switch(lab):
    """It learns, keeps VLANs apart, and remembers who moved and when."""
    core = alb.Core(lab, [0, 0, alb.VLAN])
    far = lab.namespace("far")
    for i in range(2):
        core.trunks.append(Cable(far, "p%d" % i, core.ns, "q%d" % i).b)
    core.start()
    a, b, c = core.clients
    reachable(a, b.address)
    assert a.neighbours()[b.address] == b.mac_address
    c.run("ip", "addr", "add", "10.0.0.99/24", "dev", "eth0")
    unreachable(a, "10.0.0.99", 1)
    out = [far.packet_socket("p%d" % i) for i in range(2)]
    moving = "02:00:00:00:0d:01"
    src = bytes.fromhex(moving.replace(":", ""))
    try:
        for i, tag in (0, b""), (0, b"\x81\0\0\n"), (1, b""):
            out[i].send(b"\xff" * 6 + src + tag + b"\x90\0" + bytes(46))
        report = wait_until(lambda: len(core.report().learning) == 3
                            and core.report(), "it has seen all")
    finally:
        for s in out:
            s.close()
        core.close()
    now = time.time()
    assert report.port_of(moving, 0, now) == "q1"
    assert report.port_of(moving, alb.VLAN, now) == "q0"
    assert [m[:4] for m in report.unrest()] == [(moving, 0, "q0", "q1")]
    assert report.unrest([(now - 5, now)]) == []
