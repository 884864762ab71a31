#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0

"""Runs the harness: its tests, several at a time, and those that failed again.

    sudo /usr/bin/python3 tests/harness/run.py [--jobs N] [pytest's argument...]

Most tests wait most of the time, so that two processes of pytest, each in
namespaces of its own, need little more than half the time of one.  Tests that
fail run once more, one at a time, when nothing else runs: a deadline that was
missed because the machine was busy is met then, and a fault of ours shows
again.  Which ones needed that is said.

The last line is "N passed, N failed, N skipped"."""

import argparse
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent


class Run:
    """One go at some tests, by one or several processes."""

    def __init__(self, args, work, name):
        self.args = args
        self.dir = work / name
        (self.dir / "claims").mkdir(parents=True)
        self.procs = []

    def go(self, jobs, tests):
        """Runs 'tests', arguments of pytest, and waits for the end.  Returns
        the exit statuses."""
        env = dict(os.environ, PYTHONDONTWRITEBYTECODE="1",
                   PYTHONPATH=str(HERE))
        for i in range(jobs):
            with open(self.dir / ("output.%d" % i), "w") as output:
                self.procs.append(subprocess.Popen(
                    [sys.executable, "-m", "pytest", "-p", "no:cacheprovider",
                     "-p", "share", "--share", str(self.dir), "-v"] + tests,
                    stdin=subprocess.DEVNULL, stdout=output,
                    stderr=subprocess.STDOUT, env=env, cwd=HERE.parent.parent))
            # One collects, and fetches the kernel if need be, first.
            while (i == 0 and jobs > 1 and self.procs[0].poll() is None
                   and not (self.dir / "tests").exists()):
                time.sleep(0.1)
        return [p.wait() for p in self.procs]

    def stop(self):
        """Ends what runs; the processes clean up."""
        for p in self.procs:
            if p.poll() is None:
                p.send_signal(signal.SIGTERM)
        for p in self.procs:
            try:
                p.wait(30)
            except subprocess.TimeoutExpired:
                p.kill()

    def tests(self):
        """All tests that there were to run, each with the argument of pytest
        that names it wherever pytest is."""
        path = self.dir / "tests"
        lines = path.read_text().splitlines() if path.exists() else []
        return {t: "::".join([f] + t.split("::")[1:])
                for t, f in (line.rsplit("\t", 1) for line in lines)}

    def output(self):
        """What the processes have printed."""
        return "".join(p.read_text(errors="replace")
                       for p in sorted(self.dir.glob("output.*")))

    def results(self):
        """{test: (verdict, reason, seconds)}; a test that was begun and never
        ended, or never begun, has failed."""
        found = {t: ["no result", "", 0.0] for t in self.tests()}
        for path in sorted(self.dir.glob("results.*")):
            for line in path.read_text().splitlines():
                r = json.loads(line)
                entry = found.setdefault(r["test"], ["no result", "", 0.0])
                entry[2] += r["seconds"]
                if r["outcome"] == "failed" or (
                        r["xfail"] and r["outcome"] == "passed"
                        and r["when"] == "call"):
                    entry[0] = "failed"
                elif r["outcome"] == "skipped" and not r["xfail"]:
                    entry[0:2] = ["skipped", r["reason"]]
                elif r["when"] == "teardown" and entry[0] == "no result":
                    entry[0] = "passed"
        return found


def say(text):
    """Prints a line, at once."""
    print(text, flush=True)


def show_times(results, n=15):
    """Prints the slowest tests, and files."""
    files = {}
    for test, (_verdict, _reason, seconds) in results.items():
        name = test.split("::")[0].rsplit("/", 1)[-1]
        files[name] = files.get(name, 0) + seconds
    say("seconds, by file:")
    for name, seconds in sorted(files.items(), key=lambda x: -x[1]):
        say("  %6.1f  %s" % (seconds, name))
    say("and the slowest tests:")
    for test, r in sorted(results.items(), key=lambda x: -x[1][2])[:n]:
        say("  %6.1f  %s" % (r[2], test))


def check(args, work, runs):
    """Runs everything; returns True if nothing failed."""
    first = Run(args, work, "first")
    runs.append(first)
    start = time.monotonic()
    statuses = first.go(args.jobs, args.pytest or [str(HERE)])
    results = first.results()
    print(first.output(), flush=True)
    # 0: all passed; 1: some failed; 5: nothing was left for this one.
    odd = [s for s in statuses if s not in (0, 1, 5)]
    if odd or not results:
        say("pytest ended with status %s" % ", ".join(map(str, odd or [5])))
        say("0 passed, 1 failed, 0 skipped")
        return False
    show_times(results)
    say("the first go took %d s" % (time.monotonic() - start))

    failed = [t for t, r in results.items()
              if r[0] in ("failed", "no result")]
    limit = max(args.again, len(results) // 20)
    if failed and len(failed) > limit:
        say("%d tests failed, more than %d: not run again"
            % (len(failed), limit))
    elif failed and not args.once:
        say("running %d tests again, one at a time" % len(failed))
        again = Run(args, work, "again")
        runs.append(again)
        again.go(1, [first.tests()[t] for t in failed])
        print(again.output(), flush=True)
        passes = {again.tests()[t] for t, r in again.results().items()
                  if r[0] == "passed"}
        for test in failed:
            if first.tests()[test] in passes:
                say("%s: passes when run again" % test)
                results[test][0] = "passed"
    verdicts = [r[0] for r in results.values()]
    for test, r in sorted(results.items()):
        if r[0] in ("failed", "no result"):
            say("FAILED: %s%s" % (test, "" if r[0] == "failed"
                                  else " (no result)"))
        elif r[0] == "skipped":
            say("skipped: %s (%s)" % (test, r[1]))
    n_bad = verdicts.count("failed") + verdicts.count("no result")
    say("%d passed, %d failed, %d skipped" % (
        verdicts.count("passed"), n_bad, verdicts.count("skipped")))
    return not n_bad


def main():
    """Parses the command line and runs."""
    parser = argparse.ArgumentParser(
        description="Run the tests of the harness, several at a time.",
        usage="%(prog)s [--jobs N] [--once] [pytest's argument...]")
    parser.add_argument("--jobs", type=int, default=2, metavar="N",
                        help="processes at a time (default %(default)s)")
    parser.add_argument("--once", action="store_true",
                        help="do not run again what failed")
    parser.add_argument("--again", type=int, default=5, metavar="N",
                        help="run failed tests again if there are no more "
                        "than N (default %(default)s), or 5 %% of all")
    args, args.pytest = parser.parse_known_args()

    def terminate(signum, _frame):
        raise KeyboardInterrupt(signal.Signals(signum).name)
    for sig in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(sig, terminate)

    work = pathlib.Path(tempfile.mkdtemp(prefix="harness-"))
    runs = []
    try:
        return 0 if check(args, work, runs) else 1
    except KeyboardInterrupt:
        say("interrupted")
        return 130
    finally:
        for run in runs:
            run.stop()
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
