"""Test logs with one thing wrong in each, for ci/count_tap.py."""
import json
import pathlib
import subprocess

from planting import HERE, write

GOOD = "1..2\nok 1 - a\nok 2 - b\n"
NAME = "project:unit / program"

# name, log entry, what count_tap.py is also told to expect, its last line
CASES = [
    ("two tests that pass", {"stdout": GOOD}, [], "2 passed, 0 failed, 0 skipped"),
    ("a skipped test", {"stdout": "1..2\nok 1 - a\nok 2 # SKIP no cat\n"}, [],
     "1 passed, 0 failed, 1 skipped"),
    ("a program that skips itself", {"stdout": "1..0 # SKIP no cat\n"}, [],
     "2 passed, 0 failed, 1 skipped"),
    ("a failed test", {"stdout": "1..2\nok 1 - a\nnot ok 2 - b\n", "returncode": 1}, [],
     "1 passed, 1 failed, 0 skipped"),
    ("a failure marked as known", {"stdout": "1..1\nnot ok 1 - a # TODO later\n"}, [],
     "0 passed, 1 failed, 0 skipped"),
    ("a program that dies", {"stdout": GOOD, "returncode": -11}, [],
     "2 passed, 1 failed, 0 skipped"),
    ("a program that times out", {"stdout": GOOD, "result": "TIMEOUT"}, [],
     "2 passed, 1 failed, 0 skipped"),
    ("a program with a bad status", {"stdout": GOOD, "returncode": 3}, [],
     "2 passed, 1 failed, 0 skipped"),
    ("a program that prints no test", {"stdout": "hello\n"}, [], "0 passed, 1 failed, 0 skipped"),
    ("a plan that is not kept", {"stdout": "1..3\nok 1 - a\nok 2 - b\n"}, [],
     "2 passed, 1 failed, 0 skipped"),
    ("a missing plan", {"stdout": "ok 1 - a\n"}, [], "1 passed, 1 failed, 0 skipped"),
    ("a bail-out", {"stdout": GOOD + "Bail out! no disk\n"}, [], "2 passed, 1 failed, 0 skipped"),
    ("a skip without a reason", {"stdout": "1..2\nok 1 - a\nok 2 - b # SKIP\n"}, [],
     "1 passed, 1 failed, 1 skipped"),
    ("a program that never ran", {"stdout": GOOD}, ["project:unit / lost"],
     "2 passed, 1 failed, 0 skipped"),
]


def count(scratch, entries, expected, *suites):
    folder = pathlib.Path(scratch)
    log, listing, tests = folder / "log.json", folder / "expected.txt", folder / "tests.json"
    write(log, "".join(json.dumps(entry) + "\n" for entry in entries))
    write(listing, "".join(f"{name}\n" for name in expected))
    write(tests, json.dumps([{"name": "program", "suite": ["project:unit"]}]))
    return subprocess.run([HERE / "count_tap.py", log, listing, tests, *suites],
                          capture_output=True, text=True, check=False)


def problems(result, line, status):
    last = result.stdout.splitlines()[-1] if result.stdout else result.stderr
    if last != line:
        yield f"its last line is: {last}"
        yield f"and not:          {line}"
    if result.returncode != status:
        yield f"status {result.returncode}, not {status}"


def trials(scratch, wanted):
    for name, entry, also, line in CASES:
        if wanted not in f"count: {name}":
            continue
        entries = [{"name": NAME, "result": "OK", "returncode": 0, **entry}]
        if entry["stdout"].startswith("1..0"):
            entries.append({"name": "project:unit / other", "returncode": 0, "stdout": GOOD})
        result = count(scratch, entries, [entry["name"] for entry in entries] + also)
        yield f"count: {name}", list(problems(result, line, int(" 0 failed" not in line)))
    if wanted in "count: the time of each suite":
        names = ("project:unit / a", "project:unit+slow / b", "project:gates / c")
        entries = [{"name": name, "returncode": 0, "stdout": GOOD, "duration": 20} for name in names]
        said = count(scratch, entries, names).stdout
        yield "count: the time of each suite", [
            said for line in ("== unit           40 s", "== gates          20 s")
            if line not in said.splitlines()]
    if wanted in "count: an empty suite":
        entries = [{"name": NAME, "returncode": 0, "stdout": GOOD}]
        result = count(scratch, entries, [NAME], "unit", "empty")
        yield "count: an empty suite", list(problems(result, "2 passed, 1 failed, 0 skipped", 1))
        result = count(scratch, [], ["No suitable tests defined."])
        yield "count: no test at all", list(problems(result, "0 passed, 1 failed, 0 skipped", 1))
