"""Fixtures of the harness.

    sudo /usr/bin/python3 -m pytest tests/harness [--daemon PATH]

After collection, pytest moves into private namespaces (isolate.py); only the
download of the guest's kernel, if a test needs it, comes before.
"""

import os
import pathlib
import re
import sys

import pytest

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import dpdk                                                 # noqa: E402
import guest as guest_module                                # noqa: E402
import isolate                                              # noqa: E402
import lab as lab_module                                    # noqa: E402
import switch as switch_module                              # noqa: E402

LOGS = pathlib.Path(os.environ.get(
    "OB_LOGS", lab_module.REPO / "_build" / "harness-logs"))


def pytest_addoption(parser):
    """Adds --daemon."""
    parser.addoption("--daemon", metavar="PATH", default=None,
                     help="the ovs-vswitchd to test (default: $OB_DAEMON, or "
                     "the one built in _build/plain)")


def pytest_configure(config):
    """Registers the marks; keeps pytest from writing into the tree."""
    config.addinivalue_line("markers", "guest: needs the QEMU guest")


def pytest_collection_finish(session):
    """Leaves the host before the first test."""
    if session.config.option.collectonly or not session.items:
        return
    try:
        switch_module.find_daemon(session.config.option.daemon)
        switch_module.stock_daemon()
        lab_module.require(*[p for p in lab_module.PACKAGES
                             if lab_module.PACKAGES[p] not in (
                                 "qemu-system-x86", "busybox-static")])
        if any(i.get_closest_marker("guest") for i in session.items):
            guest_module.fetch()
        isolate.isolate()
    except (lab_module.LabError, isolate.IsolationError) as e:
        pytest.exit(str(e), returncode=3)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """Adds the daemons' logs to the report of a failed test."""
    outcome = yield
    report = outcome.get_result()
    if not report.failed:
        return
    for lab in lab_module.open_labs:
        for switch in lab.switches:
            report.sections.append(("%s's daemon" % switch.name,
                                    switch.output()))
            try:
                text = (switch.appctl("bond/show")
                        + switch.appctl("lacp/show"))
            except AssertionError as e:
                text = str(e)
            report.sections.append(("bond/show of %s" % switch.name, text))
        name = re.sub(r"[^\w.-]+", "_", item.name)
        where = LOGS / ("%s-%s-%s" % (item.path.stem, name, lab.name))
        lab.save_logs(where)
        report.sections.append(("logs", "saved in %s" % where))


@pytest.fixture
def lab():
    """An empty lab of one test."""
    with lab_module.checked_lab() as lab:
        yield lab


@pytest.fixture(scope="session", autouse=True)
def clean_end():
    """Asserts at the very end that nothing at all is left."""
    yield
    left = lab_module.leftovers()
    assert not left, "left behind: " + ", ".join(left)


@pytest.fixture(scope="session")
def daemon(pytestconfig):
    """The daemon under test."""
    return switch_module.find_daemon(pytestconfig.option.daemon)


@pytest.fixture(scope="session")
def stock():
    """The distribution's daemon."""
    return switch_module.stock_daemon()


@pytest.fixture
def dpdk_daemon(daemon):
    """A daemon with DPDK, and huge pages for it."""
    found = dpdk.find_daemon(daemon)
    with dpdk.huge_pages():
        yield found


@pytest.fixture
def known_in_stock(daemon):
    """Call it with a reason to expect a failure if the daemon under test is
    the stock one, which has a known fault.  Ours must pass."""
    def mark(request, reason):
        if switch_module.is_stock(daemon):
            request.node.add_marker(pytest.mark.xfail(reason=reason))
    return mark
