#!/usr/bin/python3 -B
"""Heap oracles for fuzzing, side by side: which planted bugs each finds and names, and what it costs.

usage: compare.py --lib build/libspanguard-debug.so [--quick] [--dislocator FILE]

`name`: found, and the kind of the bug was said rightly. `stop`: the program ended by a signal, and
nothing or something else was said. `-`: it ran through. Takes three minutes; --quick: the bugs only.
"""
import argparse
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import fuzzers  # noqa: E402
from bugs import BUGS, Bug  # noqa: E402
from workshop import build, environment_of, feed_bug, oracles, run  # noqa: E402

DISLOCATOR = "/usr/lib/afl/libdislocator.so"
AFL_SECONDS = 6
FORKS = "100"
SPEED = Bug(0, "tlv", "", b"", "", "", "")


def verdict(bug, oracle, found):
    if not found.signal:
        return "-"
    if oracle.is_asan:
        return "name" if found.asan_word.startswith(bug.asan) or (
            bug.asan.startswith("allocation-size") and found.asan_word.startswith("allocation size")
        ) else "stop"
    expected = bug.guard if oracle.name == "guard" else bug.debug
    return "name" if found.code and found.code == expected else "stop"


def build_plain(bug, folder, is_asan):
    flags = (f"-DBUG={bug.number}", *(("-fsanitize=address",) if is_asan else ()))
    return build(bug.target, folder, "clang-19", flags)


def detection(found_oracles, folder):
    """A row for each bug."""
    for bug in BUGS:
        programs = {is_asan: build_plain(bug, folder, is_asan) for is_asan in (False, True)}
        yield bug, [verdict(bug, oracle, feed_bug(programs[oracle.is_asan], bug, oracle))
                    for oracle in found_oracles]


def row(first, cells):
    print(f"{first:30}" + "".join(f"{cell:>18}" for cell in cells))


def print_detection(found_oracles, folder):
    row("bug", [oracle.name for oracle in found_oracles])
    totals = [{"name": 0, "stop": 0, "-": 0} for _ in found_oracles]
    for bug, verdicts in detection(found_oracles, folder):
        row(f"{bug.number} {bug.what}", verdicts)
        for total, word in zip(totals, verdicts):
            total[word] += 1
    row(f"found, of {len(BUGS)}", [total["name"] + total["stop"] for total in totals])
    row("rightly named", [total["name"] for total in totals])


def speeds(oracle, folder):
    """Executions per second: a fork for each input, and none."""
    for flags in ((), (fuzzers.PERSISTENT,)):
        program = fuzzers.build_afl(SPEED.target, folder, flags, oracle.is_asan)
        facts, _ = fuzzers.run_afl(program, oracle, SPEED, folder, AFL_SECONDS)
        yield float(facts["execs_per_sec"])


def fork_cost(program, oracle, mebibytes):
    environment = environment_of(oracle)
    if oracle.preload:
        environment["LD_PRELOAD"] = oracle.preload
    done = subprocess.run([str(program), mebibytes, FORKS], env=environment, capture_output=True,
                          text=True, check=True, timeout=60)
    return f"{float(done.stdout):.0f}"


def print_speed(found_oracles, folder):
    measured = [list(speeds(oracle, folder)) for oracle in found_oracles]
    for title, place in (("fork for each input, 1/s", 0), ("persistent, 1/s", 1)):
        row(title, [f"{one[place]:.0f}" for one in measured])
        row("  of glibc's", [f"{one[place] / measured[0][place]:.2f}" for one in measured])
    forks = folder / "forks"
    run(["cc", "-O1", HERE / "forks.c", "-o", forks], None)
    for mebibytes in ("0", "64"):
        row(f"fork, {mebibytes} MiB were freed, us",
            ["" if oracle.is_asan or oracle.name == "libdislocator"
             else fork_cost(forks, oracle, mebibytes) for oracle in found_oracles])


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lib", type=pathlib.Path, required=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--dislocator", default=DISLOCATOR)
    given = parser.parse_args()
    found_oracles = oracles(given.lib.resolve(strict=True), given.dislocator)
    with tempfile.TemporaryDirectory() as folder:
        print_detection(found_oracles, pathlib.Path(folder))
        if not given.quick:
            print_speed(found_oracles, pathlib.Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
