#!/usr/bin/python3 -B
"""A report names the program's place, the same in each run under ASLR. Prints TAP.

usage: report_places.py --lib LIBSPANGUARD.SO --program PROGRAM --fixed PROGRAM

--fixed is the same program, linked to a fixed address.
"""
import argparse
import os
import re
import signal
import subprocess
import sys

LINE = re.compile(r"spanguard\[\d+\]: P203 double free: free: a block of \d+ bytes that is already "
                  r"free \(profile=\w+ class=\d+ at=([^ +]+)\+0x([0-9a-f]+) id=([0-9a-f]{8})\)\n")
RUNS = 4


def run(library, program, *arguments):
    environment = {**os.environ, "LD_PRELOAD": library}
    result = subprocess.run([program, *arguments], env=environment, timeout=20, check=False,
                            stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return result.returncode, result.stderr


def report(library, program, *arguments):
    """Module, offset and id of the one line that the program ends with."""
    code, said = run(library, program, *arguments)
    match = LINE.fullmatch(said)
    if code != -signal.SIGABRT or match is None:
        raise AssertionError(f"ended with {code}, said {said!r}")
    return match[1], int(match[2], 16), match[3]


def code_of(program, function):
    """Offsets from the load address that the function takes up."""
    symbols = subprocess.run(["nm", "-S", program], check=True, capture_output=True, text=True)
    headers = subprocess.run(["readelf", "-lW", program], check=True, capture_output=True,
                             text=True)
    start = min(int(line.split()[2], 16) for line in headers.stdout.splitlines()
                if line.split()[:1] == ["LOAD"])
    for line in symbols.stdout.splitlines():
        words = line.split()
        if len(words) == 4 and words[3] == function:
            first = int(words[0], 16) - start
            return range(first, first + int(words[1], 16))
    raise AssertionError(f"{program} has no {function}")


def names_the_caller(library, program):
    for arguments, function in (([], "first_place"), (["second"], "second_place")):
        module, offset, _ = report(library, program, *arguments)
        assert module == os.path.basename(program), module
        assert offset in code_of(program, function), f"{offset:#x} is not in {function}"


def is_the_same_in_each_run(library, program):
    seen = {report(library, program) for _ in range(RUNS)}
    assert len(seen) == 1, seen
    other = report(library, program, "second")
    assert other[2] != seen.pop()[2], "two places have one id"


def survives_a_closed_stderr(library, program):
    assert run(library, program, "closed") == (-signal.SIGABRT, "")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    for name in ("--lib", "--program", "--fixed"):
        parser.add_argument(name, required=True)
    arguments = parser.parse_args()
    checks = (names_the_caller, is_the_same_in_each_run, survives_a_closed_stderr)
    cases = [(check, kind, program) for kind, program in
             (("a", arguments.program), ("a fixed", arguments.fixed)) for check in checks]
    failed = 0
    print(f"1..{len(cases)}")
    for number, (check, kind, program) in enumerate(cases, 1):
        verdict, problem = "ok", None
        try:
            check(arguments.lib, program)
        except (AssertionError, subprocess.SubprocessError) as error:
            verdict, problem = "not ok", error
            failed += 1
        print(f"{verdict} {number} - a report in {kind} program {check.__name__.replace('_', ' ')}")
        if problem is not None:
            print(f"#   {problem}")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
