#!/usr/bin/python3 -B
"""Counts the tests of a meson test log by their TAP lines, and says so in its last line.

usage: count_tap.py TESTLOG.json EXPECTED TESTS.json [SUITE...]

TESTLOG.json is meson's log, EXPECTED a file of `meson test --list` with the same selection, and
TESTS.json what `meson introspect --tests` knows. Fails for a test that says
"not ok", a program that dies, times out, breaks its plan or prints no test, an expected program
that the log does not know, and a SUITE without a test. Nothing is taken from meson's verdicts:
it lets a program that prints nothing pass as skipped.
"""
import collections
import json
import re
import sys

RESULT = re.compile(r"(not )?ok\b\s*(\d+)?\s*(?:-\s*)?((?:[^#\\]|\\.)*)(?:#\s*(.*))?$")
PLAN = re.compile(r"1\.\.(\d+)\s*(?:#\s*(.*))?$")
SKIP = re.compile(r"skip\S*\s*(.*)", re.IGNORECASE)
SHOWN_LINES = 60


class Program:
    """The outcome of one test program: its counts, and what is wrong with it as a whole."""

    def __init__(self, entry):
        self.name = entry["name"]
        self.entry = entry
        self.passed = 0
        self.failed = []
        self.skipped = []
        self.plan = None
        self.bail = None
        for line in entry.get("stdout", "").splitlines():
            self.read(line)
        self.faults = list(self.find_faults())

    def read(self, line):
        if line.startswith("Bail out!"):
            self.bail = line
        elif match := RESULT.match(line):
            self.read_result(*match.groups())
        elif match := PLAN.match(line):
            self.read_plan(int(match[1]), match[2] or "")

    def read_result(self, failed, _number, name, directive):
        skip = SKIP.match(directive or "")
        if failed:
            self.failed.append(name.strip())
        elif skip:
            self.skipped.append((name.strip(), skip[1]))
        else:
            self.passed += 1

    def read_plan(self, count, directive):
        self.plan = count if self.plan is None else -1
        if count == 0 and (skip := SKIP.match(directive)):
            self.skipped.append(("all of it", skip[1]))
            self.plan = 1

    def tests(self):
        return self.passed + len(self.failed) + len(self.skipped)

    def find_faults(self):
        status = self.entry.get("returncode", 0)
        if self.entry.get("result") == "TIMEOUT":
            yield "timed out"
        elif status < 0 or status >= 128:
            yield f"died (status {status})"
        elif status != 0 and not self.failed:
            yield f"ended with status {status}, though no test of it failed"
        if self.bail:
            yield self.bail
        if self.tests() == 0:
            yield "printed no test"
        elif self.plan != self.tests():
            yield f"printed {self.tests()} tests, its plan is {self.plan or 'missing'}"
        for name, reason in self.skipped:
            if not reason:
                yield f"skipped without a reason: {name}"

    def failures(self):
        """A fault counts as one more failed test, however many faults there are."""
        return len(self.failed) + bool(self.faults)

    def show(self):
        print(f"\nFAILED  {self.name}")
        for text in [f"not ok: {name}" for name in self.failed] + self.faults:
            print(f"  {text}")
        self.show_output("stdout")
        self.show_output("stderr")

    def show_output(self, stream):
        lines = self.entry.get(stream, "").splitlines()
        if len(lines) > SHOWN_LINES:
            print(f"  {stream}: the last {SHOWN_LINES} of {len(lines)} lines")
        for line in lines[-SHOWN_LINES:]:
            print(f"  {stream} | {line}")


def read_log(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as log:
            return [Program(json.loads(line)) for line in log if line.strip()]
    except (OSError, ValueError) as error:
        print(f"FAILED  the test log cannot be read: {error}")
        return []


def read_expected(path):
    """The names in `meson test --list`, which says in its own words if there is none."""
    with open(path, encoding="utf-8") as listing:
        names = [line.strip() for line in listing if line.strip()]
    return [] if names == ["No suitable tests defined."] else names


def read_suites(path):
    """The names of the suites that have a test, without the project in front."""
    with open(path, encoding="utf-8") as tests:
        return {suite.split(":")[-1] for test in json.load(tests) for suite in test["suite"]}


def lost_tests(programs, expected, missing_suites):
    """What should have run and left no trace, one line each."""
    missing = collections.Counter(expected) - collections.Counter(p.name for p in programs)
    for name in missing.elements():
        yield f"{name}: did not run"
    for suite in missing_suites:
        yield f"suite {suite}: has no test"
    if not any(program.passed or program.failures() for program in programs):
        yield "nothing was tested"


def suite_of(name):
    """The first of the suites in a name such as "project:gates+slow / check_tidy"."""
    return name.split(" / ")[0].split(":")[-1].split("+")[0]


def show_times(programs):
    """The time of each suite: that of its programs, which may have run side by side."""
    seconds = collections.Counter()
    for program in programs:
        seconds[suite_of(program.name)] += program.entry.get("duration", 0)
    for suite, spent in seconds.most_common():
        print(f"== {suite:<11} {spent:5.0f} s")


def main(arguments):
    if len(arguments) < 3:
        sys.exit(__doc__)
    log, expected, tests, *suites = arguments
    programs = read_log(log)
    missing = sorted(set(suites) - read_suites(tests))
    lost = list(lost_tests(programs, read_expected(expected), missing))
    for program in programs:
        for name, reason in program.skipped:
            print(f"skipped  {program.name}: {name}: {reason}")
    for program in programs:
        if program.failures():
            program.show()
    for line in lost:
        print(f"\nFAILED  {line}")
    print()
    show_times(programs)
    passed = sum(program.passed for program in programs)
    failed = sum(program.failures() for program in programs) + len(lost)
    skipped = sum(len(program.skipped) for program in programs)
    print(f"\n{passed} passed, {failed} failed, {skipped} skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
