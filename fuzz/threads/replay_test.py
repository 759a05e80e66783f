#!/usr/bin/python3
"""A race that was found is found again, each time, as TAP.

Usage: replay_test.py PLANTED [TIMES]. PLANTED is the target with a planted race. Its first failing
random input is saved and replayed TIMES times, each in a process of its own: every one must fail,
with the same words and the same hash of all choices. And an input that passes must do so each time.
"""
import os
import re
import subprocess
import sys
import tempfile

INPUTS_MOST = 20000
SECONDS = 100


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, errors="replace",
                          timeout=SECONDS, check=False, env={**os.environ, "FUZZ_TRACE": "1"})
    return done.returncode, done.stdout + done.stderr


def words_of(text):
    """What was broken, without the process's number, and the trace: of the last input."""
    said = re.findall(r"^(?:fuzz: |spanguard\[\d+\]: )(.*)$", text, re.MULTILINE)
    traces = re.findall(r"^# trace .*$", text, re.MULTILINE)
    return (re.sub(r"id=[0-9a-f]+|at=\S+", "", said[-1]) if said else "", traces[-1:])


def replay(planted, path, times):
    """What the replays ended with: the sets of statuses and of words."""
    runs = [run(planted, path) for _ in range(times)]
    return {status for status, _ in runs}, {str(words_of(text)) for _, text in runs}


def report(number, good, name, detail):
    print(f"{'ok' if good else 'not ok'} {number} - {name}")
    print(f"# {detail}")
    return good


def main():
    if len(sys.argv) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 2
    planted, times = sys.argv[1], int(sys.argv[2]) if len(sys.argv) == 3 else 100
    print("1..3")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "input")
        status, text = run(planted, "--save", path, "--random", "1", str(INPUTS_MOST))
        good = report(1, status < 0 and os.path.exists(path), "the planted race is found",
                      f"status {status}, {words_of(text)}")
        if not good:
            return 1
        statuses, words = replay(planted, path, times)
        good = report(2, statuses == {status} and len(words) == 1,
                      f"{times} replays fail alike", f"{statuses} {words}")
        with open(path, "wb") as file:
            file.write(bytes(16) + bytes(40) + bytes([0, 0, 9, 0, 0x10, 1, 9, 0]))
        statuses, words = replay(planted, path, 5)
        good = report(3, statuses == {0} and len(words) == 1, "an input without the race passes",
                      f"{statuses} {words}") and good
    return not good


sys.exit(main())
