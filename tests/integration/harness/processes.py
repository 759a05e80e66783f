"""Starting, awaiting and ending processes; nothing is ever ended but by an id that we started."""

import ctypes
import os
import signal
import subprocess
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
ORPHAN_GRACE_SECONDS = 3
ORPHAN_ROUNDS = 10


def become_subreaper():
    """Orphans of a case come to us, so that a hung grandchild is seen and can be ended."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_CHILD_SUBREAPER)")


def parents():
    """Child id to parent id, for every process there is."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            after_name = (entry / "stat").read_text(errors="replace").rpartition(")")[2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        found[int(entry.name)] = int(after_name.split()[1])
    return found


def descendants(pid):
    family, table = [pid], parents()
    for member in family:  # grows while it is walked: breadth first
        family += [child for child, parent in table.items() if parent == member]
    return family[1:]


def signal_name(code):
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"


def end_group(process):
    """Only while the leader is not reaped, so that the group id cannot mean anyone else."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait(process, seconds):
    """The exit code, or None when the time ran out; in no case is the process left behind."""
    try:
        return process.wait(max(seconds, 0.1))
    except subprocess.TimeoutExpired:
        return None
    finally:
        end_group(process)


def end_orphans():
    """Names of the processes that outlived their case and had to be killed."""
    killed = []
    _reap_until(time.monotonic() + ORPHAN_GRACE_SECONDS)
    for _ in range(ORPHAN_ROUNDS):  # ending one may hand us its children
        orphans = _reap()
        if not orphans:
            break
        killed += [f"{_command(pid)} ({pid})" for pid in orphans]
        for pid in orphans:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
    return killed


def _reap_until(deadline):
    while _reap() and time.monotonic() < deadline:
        time.sleep(0.02)


def _reap():
    """Collects our dead children and returns the living ones."""
    children = [pid for pid, parent in parents().items() if parent == os.getpid()]
    return [pid for pid in children if os.waitpid(pid, os.WNOHANG) == (0, 0)]


def _command(pid):
    return Path(f"/proc/{pid}/comm").read_text().strip()
