#!/usr/bin/python3 -B
"""The debug library under valgrind's tools: memcheck sees each byte, helgrind and DRD are quiet; as
TAP.

usage: run.py --lib build/libspanguard-debug.so
"""
import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "ci"))
from tap import Tap  # noqa: E402

SUPPRESSIONS = ROOT / "lib" / "debug" / "spanguard.supp"
SECONDS = 120
FOUND = 99
# malloc stays ours; this valgrind wants DWARF 4, and does not know mseal.
VALGRIND = ("valgrind", "-q", f"--error-exitcode={FOUND}",
            "--soname-synonyms=somalloc=nouserintercepts", f"--suppressions={SUPPRESSIONS}")
BUILD = ("cc", "-gdwarf-4", "-O0", "-fno-builtin", "-pthread", "-Wall", "-Wextra", "-Werror")

PAST = r"Address 0x\w+ is {} bytes after a block of size 25 alloc'd\n(.*\n)+.*main \(samples\.c:"
# What the tool says, and what of the block.
SAMPLES = (
    (1, "Invalid read of size 1", PAST.format(0)),
    (2, "Invalid write of size 1", PAST.format(0)),
    (3, "Invalid read of size 1",
     r"Address 0x\w+ is 1 bytes before a block of size 25 alloc'd\n(.*\n)+.*main \(samples\.c:"),
    (4, "Invalid read of size 1", r"Address 0x\w+ "),
    (5, "Invalid read of size 1",
     r"is 7 bytes inside a block of size 25 free'd\n(.*\n)+.*ended \(samples\.c:\d+\)\n(.*\n)+"
     r".*Block was alloc'd at\n(.*\n)+.*main \(samples\.c:"),
    (6, "Invalid write of size 1",
     r"is 2 bytes inside a block of size 25 free'd\n(.*\n)+.*ended \(samples\.c:\d+\)\n"),
    (7, r"Conditional jump or move depends on uninitialised value\(s\)", ""),
    (8, r"Conditional jump or move depends on uninitialised value\(s\)", ""),
)
PROFILES = ("debug", "guard")


class Bench:
    def __init__(self, library, folder):
        self.library = library
        self.folder = folder

    def build(self, name):
        program = self.folder / name
        subprocess.run([*BUILD, HERE / f"{name}.c", "-o", program], check=True, timeout=60)
        return program

    def run(self, program, *arguments, tool="memcheck", options="profile=debug"):
        """Status and text, without what valgrind says of system calls that it does not know."""
        environment = {**os.environ, "LD_PRELOAD": str(self.library),
                       "SPANGUARD_OPTIONS": f"{options}:symbols=0:seal=0"}
        done = subprocess.run([*VALGRIND, f"--tool={tool}", program, *arguments],
                              env=environment, capture_output=True, text=True, check=False,
                              timeout=SECONDS)
        return done.returncode, re.sub(r"==\d+== ", "", done.stderr)


def line_of(number):
    lines = (HERE / "samples.c").read_text(encoding="utf-8").splitlines()
    return next(i for i, line in enumerate(lines, 1) if f"/* {number}: " in line)


def test_samples(tap, bench):
    program = bench.build("samples")
    for number, words, block in SAMPLES:
        status, text = bench.run(program, str(number))
        pattern = rf"{words}\n +at 0x\w+: \w+ \(samples\.c:{line_of(number)}\)\n(.*\n)*.*{block}"
        errors = re.findall(r"Invalid (?:read|write)|Conditional jump", text)
        good = re.search(pattern, text) and len(errors) == 1
        tap.check(f"memcheck: sample {number}, on its line and nothing else",
                  [] if good else [f"status {status}, expected {pattern}", text[:2500]])
    for profile in PROFILES:
        status, text = bench.run(program, options=f"profile={profile}")
        tap.check(f"memcheck: a correct program, profile {profile}",
                  [] if status == 0 and "Invalid" not in text else [text[:2500]])
    return program


def test_threads(tap, bench):
    program = bench.build("threads")
    for tool in ("memcheck", "helgrind", "drd"):
        for options in ("profile=debug", "profile=debug:quarantine=0", "profile=guard"):
            status, text = bench.run(program, tool=tool, options=options)
            tap.check(f"{tool} is quiet: threads, {options}",
                      [] if status == 0 else [f"status {status}", text[:2500]])


def test_race(tap, bench):
    """Quiet is worth something only if a race of the program's is still told."""
    program = bench.build("race")
    for tool, words in (("helgrind", "Possible data race"), ("drd", "Conflicting")):
        status, text = bench.run(program, tool=tool)
        tap.check(f"{tool} tells a race in a block",
                  [] if status == FOUND and words in text and "race.c:" in text
                  else [f"status {status}", text[:2500]])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lib", type=pathlib.Path, required=True)
    library = parser.parse_args().lib.resolve(strict=True)
    tap = Tap()
    if shutil.which("valgrind") is None:
        tap.skip("the debug library under valgrind", "valgrind is not installed")
        return tap.finish()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(library, pathlib.Path(folder))
        test_samples(tap, bench)
        test_threads(tap, bench)
        test_race(tap, bench)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
