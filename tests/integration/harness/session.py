"""One run of one case: its folder, what it starts, and the transcript that is compared."""

import os
import pwd
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from harness import processes
from harness.allocator import REPORT_MARK
from harness.case import SEARCH_PATH, CaseFailed
from harness.server import Server
from harness.witness import VARIABLE, Witness

INPUTS = Path(__file__).resolve().parent.parent / "inputs"
TAIL_LINES = 12


@dataclass(frozen=True)
class Finished:
    stdout: str
    stderr: str


def read_text(path):
    return path.read_text(encoding="utf-8", errors="backslashreplace")


def tail(text):
    return "\n".join(text.splitlines()[-TAIL_LINES:])


class Session:
    """Both runs of a case use the same path, so that paths in the output need no normalising."""

    def __init__(self, place, allocator, tools, limit_seconds):
        self.folder = place / "files"
        self.output = place / "output"
        for folder in (place, self.folder, self.output):
            folder.mkdir(mode=0o755)
        self.allocator = allocator
        self.tools = tools
        self.deadline = time.monotonic() + limit_seconds
        self.witness = Witness(place / "witness", allocator.library)
        self.user = None
        self.environment = self._base_environment()
        self.transcript = []
        self._started = 0

    def _base_environment(self):
        return {
            "PATH": SEARCH_PATH, "HOME": str(self.folder), "TMPDIR": str(self.folder),
            "LC_ALL": "C.UTF-8", "TZ": "UTC", VARIABLE: str(self.witness.notes),
            **self.allocator.environment(self.tools.witness),
        }

    def run(self, arguments, *, stdin=None, clean=None, exit_code=0):
        """Runs to the end; clean(text) removes what differs between any two runs."""
        process, capture = self._spawn(arguments, stdin)
        code = processes.wait(process, self.seconds_left())
        finished = Finished(read_text(capture["stdout"]), read_text(capture["stderr"]))
        label = Path(arguments[0]).name
        self._judge(label, code, exit_code, finished)
        self.witness.check_process(process.pid, label)
        self._record(label, finished, clean or str)
        return finished

    def server(self, arguments, ready):
        """A context: inside it ready() has become true; leaving it stops the server cleanly."""
        process, capture = self._spawn(arguments, None)
        return Server(self, process, capture, ready)

    def note(self, text):
        self.transcript.append(text)

    def require(self, condition, complaint):
        if not condition:
            raise CaseFailed(complaint)

    def scaled(self, count):
        """A load's count, of which a slow allocator gets a part; the same in both runs."""
        return max(1, count // self.allocator.slowness)

    def seconds_left(self):
        return self.deadline - time.monotonic()

    def copy_input(self, name):
        """Copies a file or folder of inputs/ into the run's folder; returns its bare name."""
        source, target = INPUTS / name, self.folder / Path(name).name
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copyfile(source, target)
        return target.name

    def compile(self, name):
        """The same binary serves both runs."""
        return str(self.tools.compile(INPUTS / name))

    def become_user(self, name):
        """What is started from now on runs as that user, who comes to own the folder."""
        entry = pwd.getpwnam(name)
        os.chown(self.folder, entry.pw_uid, entry.pw_gid)
        self.user = entry

    def finish(self):
        """What can only be judged once every process is gone."""
        self.witness.check_owners()
        for log in sorted(self.folder.rglob("*.log")):
            if log.is_file():
                self.refuse_report(log.name, read_text(log))
        self.require(self.transcript, "the case recorded nothing to compare")
        return "\n".join(self.transcript) + "\n"

    def refuse_report(self, label, text):
        for line in text.splitlines():
            if REPORT_MARK in line:
                raise CaseFailed(f"{label}: the allocator reported: {line}")

    def _spawn(self, arguments, stdin):
        self._started += 1
        stem = f"{self._started:03}-{Path(arguments[0]).name}"
        capture = {name: self.output / f"{stem}.{name}" for name in ("stdout", "stderr")}
        source = open(self.folder / stdin, "rb") if stdin else subprocess.DEVNULL
        # Files, not pipes: a grandchild that keeps one open cannot make us wait for it.
        with open(capture["stdout"], "wb") as out, open(capture["stderr"], "wb") as err:
            process = subprocess.Popen(
                arguments, cwd=self.folder, env=self.environment, stdin=source, stdout=out,
                stderr=err, start_new_session=True, **self._credentials())
        if stdin:
            source.close()
        return process, capture

    def _credentials(self):
        if self.user is None:
            return {}
        return {"user": self.user.pw_uid, "group": self.user.pw_gid, "extra_groups": []}

    def _judge(self, label, code, expected, finished):
        self.refuse_report(label, finished.stderr)
        self.refuse_report(label, finished.stdout)
        if code is None:
            raise CaseFailed(f"{label}: timed out\n{tail(finished.stdout + finished.stderr)}")
        if code != expected:
            found = processes.signal_name(code)
            last = tail(finished.stdout) + "\n" + tail(finished.stderr)
            raise CaseFailed(f"{label}: {found}, expected exit status {expected}\n{last}")

    def _record(self, label, finished, clean):
        self.note(f"== {label}")
        self.note(clean(finished.stdout))
        self.note(f"-- {label} stderr")
        self.note(clean(finished.stderr))
