"""The command as it is installed, in a temporary folder: bin/spanguard beside lib/libspanguard.so.
Everything that a check runs is bounded in time and lives below that folder."""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
NOBODY = 65534
FORGOTTEN = ("LD_PRELOAD", "LD_LIBRARY_PATH", "SPANGUARD_OPTIONS", "SPANGUARD_REPORT_FILE",
             "SPANGUARD_REPORT_DESCRIPTOR", "GITHUB_ACTIONS", "NO_COLOR")


class Tap:
    """Prints TAP as results come in; an empty suite is a failure."""

    def __init__(self, only=()):
        self.only = only
        self.count = 0
        self.failures = 0

    def wants(self, name):
        return not self.only or any(text in name for text in self.only)

    def check(self, name, problems):
        """`problems`: what is wrong, one text each; nothing if all is well."""
        problems = [problem for problem in problems if problem]
        self.count += 1
        self.failures += bool(problems)
        print(f"{'not ok' if problems else 'ok'} {self.count} - {name}")
        for line in (line for problem in problems for line in str(problem).splitlines()):
            print(f"#   {line[:400]}")
        sys.stdout.flush()

    def skip(self, name, reason):
        self.count += 1
        print(f"ok {self.count} - {name} # SKIP {reason}", flush=True)

    def finish(self):
        print(f"1..{self.count}")
        return 1 if self.failures or self.count == 0 else 0


@dataclass
class Outcome:
    status: int
    stdout: str
    stderr: str

    def expect(self, status, stderr="", stdout=None):
        """Problems: another status, or a stream that lacks a text; stderr "" must be empty."""
        yield self.status != status and f"status {self.status}, expected {status}"
        if stderr == "":
            yield self.stderr != "" and f"stderr is not empty: {self.stderr}"
        else:
            yield stderr not in self.stderr and f"stderr lacks {stderr!r}: {self.stderr}"
        if stdout is not None:
            yield stdout not in self.stdout and f"stdout lacks {stdout!r}: {self.stdout}"


class Shop:
    """The folder, the command in it, and programs for it."""

    def __init__(self, command, library, debug_library=None):
        self._folder = tempfile.TemporaryDirectory(prefix="spanguard-command-")
        self.folder = pathlib.Path(self._folder.name)
        self.folder.chmod(0o755)
        for name in ("bin", "lib", "work"):
            (self.folder / name).mkdir()
        self.command = self.folder / "bin" / "spanguard"
        self.library = self.folder / "lib" / "libspanguard.so"
        shutil.copy(command, self.command)
        shutil.copy(library, self.library)
        self.debug_library = debug_library
        self.work = self.folder / "work"
        symbolize = pathlib.Path(command).resolve().parent / "spanguard-symbolize"
        self.symbolize = symbolize if symbolize.is_file() else None
        self.probe = self.compile("probe")

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._folder.cleanup()

    def compile(self, name, *flags, source="probe.c"):
        target = self.folder / name
        subprocess.run(["cc", "-O1", "-g", "-w", "-fno-builtin", "-D_GNU_SOURCE",
                        str(HERE / source), "-o", str(target), *flags],
                       check=True, timeout=120)
        return target

    def script(self, name, text, mode=0o755):
        path = self.folder / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def environment(self, extra):
        kept = {key: text for key, text in os.environ.items() if key not in FORGOTTEN}
        return {**kept, **{key: str(text) for key, text in extra.items()}}

    def start(self, *arguments, command=None, env=(), **more):
        more = {"cwd": self.work, "stdin": subprocess.DEVNULL, **more}
        return subprocess.Popen(
            [str(word) for word in (command or self.command, *arguments)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
            env=self.environment(dict(env)), start_new_session=True, **more)

    def finish(self, process, seconds=30, text=None):
        try:
            stdout, stderr = process.communicate(text, timeout=seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)  # the session that was made for it
            stdout, stderr = process.communicate()
            stderr += f"\nstill running after {seconds} s"
        return Outcome(process.returncode, stdout, stderr)

    def __call__(self, *arguments, text=None, seconds=30, **more):
        """Runs the command. `text` is its standard input."""
        if text is not None:
            more["stdin"] = subprocess.PIPE
        return self.finish(self.start(*arguments, **more), seconds, text)

    def run(self, *arguments, **more):
        return self("run", *arguments, **more)


def told(outcome):
    """What `probe tell` printed, as a dictionary."""
    return dict(line.split("=", 1) for line in outcome.stdout.splitlines() if "=" in line)
