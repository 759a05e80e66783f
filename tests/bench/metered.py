"""Runs a case of the integration suite once and says what its processes cost.

Two kinds of run: `prove` is the integration suite's own, with its witness and its checks; `measure`
is the same work without them, each program started through meter.c."""

import os
import resource
import shutil
import signal
import subprocess
import sys
from typing import NamedTuple

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "integration"))

from harness import processes  # noqa: E402
from harness.session import Session  # noqa: E402


class Cost(NamedTuple):
    cpu_s: float  # user and system time of every process that ended
    peak_kib: int  # the largest resident set that any one of them had


class Unwitnessed:
    """Stands where the witness would: it costs every process that starts a little."""

    def check_process(self, pid, what):
        pass

    def check_program(self, name):
        pass

    def check_owners(self):
        pass


class MeteredProcess:
    """What the harness needs of subprocess.Popen, for a program that the meter started."""

    def __init__(self, meter, arguments, options):
        reading, writing = os.pipe()
        self._report = os.fdopen(reading, encoding="ascii")
        try:
            self._meter = subprocess.Popen([meter, str(writing), *arguments],
                                           pass_fds=(writing,), start_new_session=True,
                                           **options)
        finally:
            os.close(writing)
        self.pid = int(self._report.readline())
        self.returncode = None
        self.peak_kib = 0

    def poll(self):
        return self._ended() if self._meter.poll() is not None else None

    def wait(self, timeout=None):
        self._meter.wait(timeout)
        return self._ended()

    def send_signal(self, number):
        if self.poll() is None:
            os.kill(self.pid, number)

    def _ended(self):
        if self.returncode is None:
            with self._report as report:
                fields = report.read().split()
            if len(fields) != 4:  # it was killed; raising here would hide what made us end it
                self.returncode = -signal.SIGKILL
                return self.returncode
            self.returncode = os.waitstatus_to_exitcode(int(fields[0]))
            self.peak_kib = int(fields[3])
        return self.returncode


class MeteredSession(Session):
    """A session whose programs run without the witness, and through the meter."""

    def __init__(self, place, allocator, tools, limit_seconds):
        super().__init__(place, allocator, tools, limit_seconds)
        self.environment["LD_PRELOAD"] = str(allocator.library or "")
        self.witness = Unwitnessed()
        self.metered = []

    def _spawn(self, arguments, stdin):
        self._started += 1
        stem = f"{self._started:03}-{os.path.basename(arguments[0])}"
        capture = {name: self.output / f"{stem}.{name}" for name in ("stdout", "stderr")}
        with (open(self.folder / stdin if stdin else os.devnull, "rb") as source,
              open(capture["stdout"], "wb") as out, open(capture["stderr"], "wb") as err):
            process = MeteredProcess(self.tools.meter, arguments, {
                "cwd": self.folder, "env": self.environment, "stdin": source, "stdout": out,
                "stderr": err, **self._credentials()})
        self.metered.append(process)
        return process, capture


def prove(case, allocator, tools, home):
    """The transcript of a run in which every process was seen to use the allocator."""
    return _perform(case, home, lambda place: Session(
        place, allocator, tools, case.limit_seconds))[1]


def measure(case, allocator, tools, home):
    before = _children_cpu()
    session, _ = _perform(case, home, lambda place: MeteredSession(
        place, allocator, tools, case.limit_seconds))
    return Cost(_children_cpu() - before, max(process.peak_kib for process in session.metered))


def _perform(case, home, open_session):
    """The session and its transcript, with every process of it gone; raises CaseFailed."""
    place = home / "run"
    try:
        session = open_session(place)
        try:
            case.run(session)
        finally:
            leftovers = processes.end_orphans()
        session.require(not leftovers, f"left running: {', '.join(leftovers)}")
        return session, session.finish()
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _children_cpu():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
