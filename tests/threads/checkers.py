#!/usr/bin/python3
"""The stress under ThreadSanitizer, helgrind and memcheck, as TAP.

Usage: checkers.py STRESS_TSAN STRESS_VALGRIND. Each run must end well and report nothing; and each
detector is shown to be awake: a run with a planted race (SPANGUARD_PLANT_RACE) must be reported.
DRD is left out: its annotations and helgrind's exclude each other, and it cannot see our locks.
"""
import os
import subprocess
import sys

TIMEOUT = 120


def run(command, environment):
    try:
        done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True,
                              text=True, timeout=TIMEOUT, check=False)
    except subprocess.TimeoutExpired:
        return None, "ran out of time"
    return done.returncode, done.stdout + done.stderr


def valgrind(tool, program, *options):
    return ["valgrind", f"--tool={tool}", "--error-exitcode=99", "-q", *options, program]


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    tsan, plain = sys.argv[1:]
    small = ["-d", "0", "-s", "1500", "-t", "3", "-c", "2", "-b", "300000"]
    runs = (
        ("ThreadSanitizer", [tsan, "-d", "0", "-s", "20000"], {"TSAN_OPTIONS": "exitcode=99"}),
        ("ThreadSanitizer, no caches", [tsan, "-d", "0", "-s", "6000"],
         {"TSAN_OPTIONS": "exitcode=99", "SPANGUARD_OPTIONS": "thread_cache_bytes=0:dirty_bytes=0"}),
        ("helgrind", valgrind("helgrind", plain) + small, {}),
        ("memcheck", valgrind("memcheck", plain, "--leak-check=no") + small, {}),
    )
    failed = 0
    print(f"1..{len(runs) + 2}")
    for number, (name, command, environment) in enumerate(runs, 1):
        status, text = run(command, environment)
        good = status == 0
        failed += not good
        print(f"{'ok' if good else 'not ok'} {number} - {name} finds nothing")
        if not good:
            print(f"# status {status}")
            print("\n".join("# " + line for line in text.splitlines()[:60]))
    plants = (("ThreadSanitizer", [tsan, "-d", "0", "-s", "100"]),
              ("helgrind", valgrind("helgrind", plain) + ["-d", "0", "-s", "100"]))
    for number, (name, command) in enumerate(plants, len(runs) + 1):
        status, text = run(command, {"SPANGUARD_PLANT_RACE": "1", "TSAN_OPTIONS": "exitcode=99"})
        good = status == 99
        failed += not good
        print(f"{'ok' if good else 'not ok'} {number} - {name} finds a planted race")
        if not good:
            print(f"# status {status}\n" + "\n".join("# " + line for line in text.splitlines()[:9]))
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
