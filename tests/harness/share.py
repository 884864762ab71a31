# SPDX-License-Identifier: Apache-2.0

"""Several processes of pytest that do the tests of one run together: a plugin
of pytest that run.py loads.

They collect the same tests and claim them one unit after the other.  A unit
is one test, or all tests that share a fixture of their module (one boot of a
guest, say).  Units with a guest are claimed one at a time, since each of them
keeps a CPU busy, and by the first process first.

In the directory that the processes share:

    tests            all tests and their files, one a line, in the order of
                     collection
    claims/UNIT      exists once a unit is claimed
    guest            locked while a unit with a guest runs
    results.N        what became of tests, a JSON object a line; a file for
                     each process
"""

import fcntl
import hashlib
import itertools
import json
import os
import pathlib

import pytest


def unit_of(item):
    """What has to run together with 'item' has the same unit: a string."""
    shared = False
    params = []
    info = item._fixtureinfo                    # pylint: disable=W0212
    for name, defs in info.name2fixturedefs.items():
        if defs[-1].scope == "module":
            shared = True
            callspec = getattr(item, "callspec", None)
            if callspec and name in callspec.params:
                params.append("%s=%s" % (name, callspec.params[name]))
    if not shared:
        return item.nodeid
    return " ".join([item.nodeid.split("::")[0]] + sorted(params))


def pytest_addoption(parser):
    """Adds --share."""
    parser.addoption("--share", metavar="DIR", required=True,
                     help="do only what no other process with the same "
                     "directory does, and leave the results there")


def pytest_configure(config):
    """Takes the place of pytest's own loop."""
    config.pluginmanager.register(Share(config.option.share))


class Share:
    """Runs what nobody else does and tells what became of it."""

    def __init__(self, directory):
        self.dir = pathlib.Path(directory)
        self.results = None
        self.guest_lock = None

    def _claim(self, unit):
        """Is 'unit' ours from now on?"""
        name = hashlib.sha256(unit.encode()).hexdigest()[:16]
        try:
            os.close(os.open(self.dir / "claims" / name,
                             os.O_CREAT | os.O_EXCL | os.O_WRONLY))
        except FileExistsError:
            return False
        return True

    def _claim_next(self, units, wait):
        """Claims one of 'units', a list of (unit, has guest) from which those
        that are taken vanish.  Returns None if there is nothing to do, now
        or, with 'wait', at all."""
        for entry in list(units):
            unit, guest = entry
            if guest:
                how = fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB)
                try:
                    fcntl.flock(self.guest_lock, how)
                except BlockingIOError:
                    continue
            units.remove(entry)
            if self._claim(unit):
                return entry
            if guest:
                fcntl.flock(self.guest_lock, fcntl.LOCK_UN)
        return None

    def _open_results(self):
        """A file that is this process' own.  Its pid would not do, each being
        in a process namespace of its own."""
        for n in itertools.count():
            try:
                return open(self.dir / ("results.%d" % n), "x")
            except FileExistsError:
                continue

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session):
        """Instead of pytest's own loop."""
        if session.testsfailed or session.config.option.collectonly:
            return None
        self.guest_lock = os.open(self.dir / "guest", os.O_CREAT | os.O_RDWR)
        self.results = self._open_results()
        first = self._claim("tests")
        if first:
            (self.dir / "tests").write_text(
                "".join("%s\t%s\n" % (i.nodeid, i.path)
                        for i in session.items))
        units = {}
        for item in session.items:
            units.setdefault(unit_of(item), []).append(item)
        todo = [(unit, bool(items[0].get_closest_marker("guest")))
                for unit, items in units.items()]
        # The long ones, which have a guest, come first, and then those with
        # several tests.
        todo.sort(key=lambda u: (not u[1] if first else u[1],
                                 -len(units[u[0]])))
        while True:
            entry = self._claim_next(todo, False) \
                or self._claim_next(todo, True)
            if not entry:
                return True
            items = units[entry[0]]
            for i, item in enumerate(items):
                item.config.hook.pytest_runtest_protocol(
                    item=item,
                    nextitem=items[i + 1] if i + 1 < len(items) else None)
                if session.shouldstop:
                    raise session.Interrupted(session.shouldstop)
            if entry[1]:
                fcntl.flock(self.guest_lock, fcntl.LOCK_UN)

    def pytest_runtest_logreport(self, report):
        """Notes a result at once."""
        if report.outcome == "skipped" and not hasattr(report, "wasxfail"):
            reason = report.longrepr[2] if isinstance(
                report.longrepr, tuple) else str(report.longrepr)
        else:
            reason = ""
        json.dump({"test": report.nodeid, "when": report.when,
                   "outcome": report.outcome, "reason": reason,
                   "xfail": hasattr(report, "wasxfail"),
                   "seconds": report.duration}, self.results)
        self.results.write("\n")
        self.results.flush()
