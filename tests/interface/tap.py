"""TAP, compiling and bounded runs: what every runner of a preloaded malloc needs.

A library of None stands for glibc: nothing is preloaded.
"""
import argparse
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
DEFAULT_LIBRARY = REPOSITORY / "build" / "libspanguard.so"
FLAGS = ["-O2", "-g", "-fno-builtin", "-Wall", "-Wextra", "-pthread", "-D_GNU_SOURCE"]
STANDARDS = {".c": ("cc", "-std=gnu11"), ".cc": ("c++", "-std=c++17")}
FORGOTTEN = ("LD_PRELOAD", "LD_LIBRARY_PATH", "SPANGUARD_OPTIONS", "GLIBC_TUNABLES",
             "MALLOC_CONF", "MALLOC_PERTURB_", "CHECK_PRELOAD", "CHECK_OPTIONS")


class BuildError(Exception):
    """A test program does not compile; the text is the compiler's."""


class Report:
    """Prints TAP as results come in; an empty suite is a failure."""

    def __init__(self):
        self.count = 0
        self.failures = 0

    def result(self, name, passed, notes=()):
        self.count += 1
        self.failures += not passed
        print(f"{'ok' if passed else 'not ok'} {self.count} - {name}")
        for note in notes:
            for line in str(note).splitlines():
                print(f"# {line}")
        sys.stdout.flush()

    def skip(self, name, reason):
        self.count += 1
        print(f"ok {self.count} - {name} # SKIP {reason}", flush=True)

    def finish(self):
        """Prints the plan and returns the exit status."""
        print(f"1..{self.count}")
        if self.count == 0:
            print("# nothing ran")
        elif self.failures:
            print(f"# {self.failures} of {self.count} failed")
        sys.stdout.flush()
        return 1 if self.failures or self.count == 0 else 0


@dataclass
class Outcome:
    """How one program ended; status is the exit status, or minus the signal."""
    pid: int
    status: int
    stdout: str
    stderr: str
    timed_out: bool = False

    def ending(self):
        if self.timed_out:
            return "still running at the time limit"
        if self.status < 0:
            return signal.Signals(-self.status).name
        return f"exit {self.status}"

    def died_by(self, number):
        return not self.timed_out and self.status == -number

    def passed(self):
        return not self.timed_out and self.status == 0

    def notes(self):
        """The ending and the last lines of both streams, for a diagnostic."""
        lines = [f"ended with {self.ending()}"]
        for name, text in (("stdout", self.stdout), ("stderr", self.stderr)):
            lines += [f"{name}: {line[:300]}" for line in text.splitlines()[-6:]]
        return lines


def clean_environment(extra=()):
    environment = {key: value for key, value in os.environ.items() if key not in FORGOTTEN}
    environment.update(extra)
    return environment


class Workshop:
    """A temporary folder where test programs are built and run; nothing outside it changes."""

    def __init__(self, library=None, options=None):
        """`options`: SPANGUARD_OPTIONS, where a run does not say others."""
        self._folder = tempfile.TemporaryDirectory(prefix="spanguard-test-")
        self.folder = pathlib.Path(self._folder.name)
        self.library = None
        self.options = options
        self.patience = 4 if options else 1  # times the limits: the debug library is slow
        self.adopt(library)
        resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._folder.cleanup()

    def adopt(self, library):
        """Takes a copy of a library, so that a build during the runs changes nothing."""
        self.library = library and pathlib.Path(shutil.copy(library, self.folder / library.name))

    def compile(self, sources, name, flags=()):
        """Builds `name` in the folder from C or C++ sources; returns its path."""
        target = self.folder / name
        sources = [pathlib.Path(source) for source in sources]
        is_cxx = any(source.suffix == ".cc" for source in sources)
        compiler, standard = STANDARDS[".cc" if is_cxx else ".c"]
        target.parent.mkdir(parents=True, exist_ok=True)
        command = [compiler, standard, *FLAGS, *map(str, sources), "-o", str(target), *flags]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            raise BuildError(done.stderr)
        if done.stderr:
            print("\n".join(f"# {line}" for line in done.stderr.splitlines()))
        return target

    def run(self, command, environment=(), timeout=60, preload="library", **popen):
        """Runs a command under the library (or under `preload`) within `timeout` seconds."""
        preload = self.library if preload == "library" else preload
        variables = clean_environment(environment)
        if self.options is not None and preload is not None:
            variables.setdefault("SPANGUARD_OPTIONS", self.options)
            variables["CHECK_OPTIONS"] = self.options
        if preload is not None:
            variables.setdefault("LD_PRELOAD", str(preload))
            variables["CHECK_PRELOAD"] = str(preload)
        process = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, errors="replace", env=variables,
            cwd=self.folder, start_new_session=True, **popen)
        timed_out = False
        try:
            stdout, stderr = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            timed_out = True
            os.killpg(process.pid, signal.SIGKILL)  # the session that was made for it
            stdout, stderr = process.communicate()
        return Outcome(process.pid, process.returncode, stdout, stderr, timed_out)


def arguments(description):
    """The parser that every runner starts from."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--lib", default=str(DEFAULT_LIBRARY), metavar="PATH",
                        help="library to preload, or 'glibc' for none "
                             "(default: build/libspanguard.so)")
    parser.add_argument("--only", action="append", metavar="TEXT",
                        help="only what has TEXT in its name; may be repeated")
    return parser


def library_of(text):
    """The path behind --lib; None for glibc."""
    if text == "glibc":
        return None
    path = pathlib.Path(text).resolve()
    if not path.is_file():
        print(f"Bail out! no library at {text}")
        sys.exit(1)
    return path


def wanted(name, only):
    return not only or any(text in name for text in only)
