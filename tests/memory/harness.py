"""What the memory tests share: the TAP they print, and bounded runs of their programs."""

import os
import re
import resource
import subprocess
import sys
from typing import NamedTuple

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "bench"))

import build  # noqa: E402  (found through the path set above)
import peers  # noqa: E402
import summary  # noqa: E402,F401  (for map_clear.py)

MIB = 1 << 20
RESULT = re.compile(r"(ok|not ok) - (.*?)(?: # SKIP (.*))?$")


class Report:
    """TAP as it comes in. Having tested nothing is a failure."""

    def __init__(self, stream=sys.stdout):
        self.stream = stream
        self.count = 0
        self.failed = []

    def write(self, line):
        print(line, file=self.stream, flush=True)

    def result(self, passed, name, *notes):
        self.count += 1
        if not passed:
            self.failed.append(name)
        self.write(f"{'ok' if passed else 'not ok'} {self.count} - {name}")
        self.note(*notes)
        return passed

    def skip(self, name, reason):
        self.count += 1
        self.write(f"ok {self.count} - {name} # SKIP {reason}")

    def note(self, *notes):
        for note in notes:
            for line in str(note).splitlines():
                self.write(f"# {line}")

    def finish(self):
        """Prints the plan and returns the exit status."""
        if self.count == 0:
            self.result(False, "there is something to test")
        self.write(f"1..{self.count}")
        return 1 if self.failed else 0


class Outcome(NamedTuple):
    status: int  # the exit status, or minus the signal
    stdout: str
    stderr: str
    timed_out: bool = False

    def ending(self):
        if self.timed_out:
            return "still running at its time limit"
        if self.status < 0:
            return f"killed by signal {-self.status}"
        return f"exit {self.status}"

    def notes(self):
        last_words = [line[:300] for line in self.stderr.splitlines()[-5:]]
        return [f"ended with {self.ending()}", *last_words]


class Context:
    """One allocator, one temporary folder, one report; and how much to do."""

    def __init__(self, allocator, folder, report, **limits):
        self.allocator = allocator
        self.folder = folder
        self.report = report
        self.nodes = limits.get("nodes", 2000000)
        self.threads = limits.get("threads", 10000)
        self.timeout = limits.get("timeout", 120)

    def with_allocator(self, allocator):
        return Context(allocator, self.folder, self.report, nodes=self.nodes,
                       threads=self.threads, timeout=self.timeout)

    def program(self, source, *flags):
        """The path of a program built from one of this folder's sources, built once."""
        output = os.path.join(self.folder, os.path.splitext(source)[0])
        if not os.path.exists(output):
            build.compile_program(output, [os.path.join(HERE, source)], *flags)
        return output

    def run(self, command, address_space=None, timeout=None):
        """Runs a command under the allocator; under a limit on its address space if one is given.

        The limit and the preload are set by two small programs that exec one another, so that
        neither this process nor they run into the limit or over the allocator."""
        variables = peers.environment(self.allocator)
        variables["LC_ALL"] = "C"
        command = [str(word) for word in command]
        if address_space is not None:
            preload = variables.pop("LD_PRELOAD", "")
            setting = [f"LD_PRELOAD={preload}"] if preload else []
            command = ["prlimit", f"--as={address_space}", "env", *setting, *command]
        return run_bounded(command, variables, self.folder, timeout or self.timeout)


def run_bounded(command, variables, folder, timeout):
    with subprocess.Popen(command, env=variables, cwd=folder, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          errors="replace") as process:
        try:
            stdout, stderr = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            stdout, stderr = process.communicate()
            return Outcome(process.returncode, stdout, stderr, timed_out=True)
    return Outcome(process.returncode, stdout, stderr)


def refuse_core_files():
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def served_by(outcome):
    match = re.search(r"^(?:# )?malloc from (.*)$", outcome.stdout, re.MULTILINE)
    return match[1] if match else "unknown"


def run_tap(context, name, command, **run_options):
    """Takes over the results of a program that prints TAP, and adds one on the program itself."""
    outcome = context.run(command, **run_options)
    count, plan = 0, None
    for line in outcome.stdout.splitlines():
        match = RESULT.match(line)
        if match and match[3]:
            context.report.skip(f"{name}: {match[2]}", match[3])
        elif match:
            context.report.result(match[1] == "ok", f"{name}: {match[2]}")
        elif line.startswith("1.."):
            plan = int(line[3:])
        else:
            context.report.note(line.removeprefix("# "))
        count += bool(match)
    served = peers.serves(context.allocator, served_by(outcome))
    finished = outcome.status in (0, 1) and not outcome.timed_out and plan == count and count > 0
    context.report.result(finished and served, f"{name}: the program ran to its end",
                          *([] if finished and served else outcome.notes()))


def read_figures(context, command, timeout=None):
    """The "name value" lines of a program as a dictionary, and the outcome. The dictionary is
    empty if the program failed or ran over another allocator."""
    outcome = context.run(command, timeout=timeout)
    figures = {}
    if outcome.status == 0 and peers.serves(context.allocator, served_by(outcome)):
        for line in outcome.stdout.splitlines():
            name, _, value = line.partition(" ")
            if value.isdigit():
                figures[name] = int(value)
    return figures, outcome


def allocator_named(text):
    """What --lib names: a file, or "glibc" for none."""
    if text == "glibc":
        return peers.GLIBC
    if not os.path.isfile(text):
        print(f"Bail out! no library at {text}")
        sys.exit(1)
    name = os.path.basename(text)
    return peers.Allocator("spanguard" if "spanguard" in name else name, os.path.abspath(text))


def default_library():
    return os.path.join(os.path.dirname(os.path.dirname(HERE)), "build", "libspanguard.so")
