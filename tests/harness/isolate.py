"""Private namespaces for everything the harness starts.

The process forks into a pid, mount and network namespace of its own.  Its
/run is a private tmpfs, so named network namespaces, sockets, databases and
logs live there.  When the process ends, for whatever reason, kill -9
included, the kernel ends every process of the pid namespace and frees every
interface, namespace and file with them.  Nothing of the host is touched, not
even an Open vSwitch that runs on it.

    caller            waits, passes signals on, takes over the exit status
      init (pid 1)    reaps orphans
        worker        isolate() returns here
"""

import ctypes
import os
import signal
import subprocess
import sys

CLONE_NEWNS = 0x00020000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)
_isolated = False


class IsolationError(Exception):
    """This process may not create namespaces."""


def _ptrace(request, tid):
    if _libc.ptrace(ctypes.c_long(request), ctypes.c_long(tid), None, None):
        err = ctypes.get_errno()
        raise OSError(err, "ptrace: " + os.strerror(err))


def hold_thread(tid):
    """Stops one thread of a process."""
    seize, interrupt, wall = 0x4206, 0x4207, 0x40000000
    _ptrace(seize, tid)
    _ptrace(interrupt, tid)
    os.waitpid(tid, wall)


def release_thread(tid):
    """Lets it go on; to be called by whoever held it."""
    detach = 17
    _ptrace(detach, tid)


def unshare(flags):
    """Leaves the namespaces named by 'flags'."""
    if _libc.unshare(flags):
        err = ctypes.get_errno()
        raise IsolationError("cannot create private namespaces: %s (run as "
                             "root, with CAP_SYS_ADMIN)" % os.strerror(err))


def setns(fd):
    """Moves the calling thread into the network namespace 'fd'."""
    if _libc.setns(fd, CLONE_NEWNET):
        err = ctypes.get_errno()
        raise OSError(err, os.strerror(err))


def die_with_parent():
    """Asks for SIGKILL when the parent process ends."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def is_isolated():
    """True in the worker that isolate() returned to."""
    return _isolated


def isolate():
    """Forks; returns only in a worker inside private namespaces."""
    global _isolated
    if _isolated:
        return
    if os.geteuid() != 0:
        raise IsolationError("must be run as root")

    sys.stdout.flush()
    sys.stderr.flush()
    unshare(CLONE_NEWPID)
    caller = os.getpid()
    init = os.fork()
    if init:
        _wait_and_exit(init)

    die_with_parent()
    if os.getppid() not in (0, caller):
        os._exit(1)             # The caller is gone already.
    status = 1
    try:
        unshare(CLONE_NEWNS | CLONE_NEWNET)
        _private_mounts()
        worker = os.fork()
        if worker:
            status = _init(worker)
            os._exit(status)
    except BaseException as e:
        sys.stderr.write("isolation failed: %s\n" % e)
        sys.stderr.flush()
        os._exit(1)

    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    _isolated = True


def _interrupt(signum, _frame):
    raise KeyboardInterrupt("signal %d" % signum)


def _private_mounts():
    for cmd in (["mount", "--make-rprivate", "/"],
                ["mount", "-t", "proc", "proc", "/proc"],
                ["mount", "-t", "sysfs", "sysfs", "/sys"],
                ["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"],
                ["ip", "link", "set", "lo", "up"]):
        subprocess.run(cmd, check=True, stdin=subprocess.DEVNULL)


def _exit_code(status):
    if os.WIFSIGNALED(status):
        return 128 + os.WTERMSIG(status)
    return os.WEXITSTATUS(status)


def _forward(child):
    def handler(signum, _frame):
        try:
            os.kill(child, signum)
        except ProcessLookupError:
            pass
    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, handler)
    # A terminal sends ctrl-C to the worker too; a plain kill -INT does not.
    # The worker takes a second one while it cleans up as impatience only if
    # it came from the terminal, so nothing is passed on there.
    if not sys.stdin or not sys.stdin.isatty():
        signal.signal(signal.SIGINT, handler)
    else:
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _wait_and_exit(init):
    _forward(init)
    while True:
        try:
            _pid, status = os.waitpid(init, 0)
            break
        except InterruptedError:
            continue
    os._exit(_exit_code(status))


def _init(worker):
    _forward(worker)
    while True:
        try:
            pid, status = os.wait()
        except InterruptedError:
            continue
        except ChildProcessError:
            return 1
        if pid == worker:
            return _exit_code(status)
