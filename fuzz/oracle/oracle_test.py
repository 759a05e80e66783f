#!/usr/bin/python3 -B
"""The debug library as the oracle of other people's fuzzing: each planted bug ends its target by
SIGABRT with the code that bugs.py states, correct targets run through; as TAP.

usage: oracle_test.py --lib build/libspanguard-debug.so
"""
import argparse
import json
import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1] / "ci")]
import fuzzers  # noqa: E402
from bugs import BUGS, SEEDS, TARGETS  # noqa: E402
from tap import Tap  # noqa: E402
from workshop import OPTIONS, Oracle, build, feed, feed_bug, has  # noqa: E402

PROFILES = ("debug", "guard")
# Facts of a run, not of the bug.
OF_THE_RUN = ("process", "microseconds")


def ours(library, profile, more=OPTIONS):
    return Oracle(profile, str(library), f"profile={profile}:{more}")


def bug_problems(bug, profile, found):
    code = getattr(bug, profile)
    end = "SIGABRT" if code else bug.crashes
    if found.signal != end or found.code != code:
        yield f"{profile}: {end or 'no signal'} {code} expected, {found.signal} {found.code} seen"
        yield from found.notes()


def test_bugs(tap, shop):
    for bug in BUGS:
        program = build(bug.target, shop.folder, flags=(f"-DBUG={bug.number}",))
        problems = [problem for profile in PROFILES
                    for problem in bug_problems(bug, profile, feed_bug(program, bug,
                                                                       shop.oracles[profile]))]
        tap.check(f"bug {bug.number}, {bug.what}: {bug.debug or 'nothing'} in debug, "
                  f"{bug.guard or 'nothing'} in guard", problems)


def clean_problems(program, data, oracle, options):
    found = feed(program, data, oracle, options)
    if found.status != 0 or found.text:
        yield f"{oracle.name}: {data!r}"
        yield from found.notes()


def test_correct(tap, shop):
    for target in TARGETS:
        program = build(target, shop.folder)
        inputs = [(seed, "") for seed in SEEDS[target]]
        inputs += [(bug.trigger, bug.options) for bug in BUGS if bug.target == target]
        tap.check(f"{target} without a bug: {len(inputs)} inputs, no report",
                  [problem for profile in PROFILES for data, options in inputs
                   for problem in clean_problems(program, data, shop.oracles[profile], options)])


def without_run(value):
    if isinstance(value, dict):
        return {key: without_run(part) for key, part in value.items() if key not in OF_THE_RUN}
    return [without_run(part) for part in value] if isinstance(value, list) else value


def seeded_report(shop, bug, profile, seed):
    """Addresses and all, but what differs from run to run with any allocator."""
    program = build(bug.target, shop.folder, flags=(f"-DBUG={bug.number}",))
    oracle = ours(shop.library, profile, f"symbols=0:report_format=jsonl:seed={seed}")
    found = feed(program, bug.trigger, oracle, bug.options, prefix=("setarch", "-R"))
    lines = [line for line in found.text.splitlines() if line.startswith("{")]
    return without_run(json.loads(lines[0])) if len(lines) == 1 else found.notes()


def test_seed(tap, shop):
    for profile in PROFILES:
        problems = []
        for bug in (BUGS[3], BUGS[11]):
            reports = [seeded_report(shop, bug, profile, seed) for seed in (7, 7)]
            if reports[0] != reports[1] or "code" not in reports[0]:
                problems += [f"bug {bug.number}", *reports]
        tap.check(f"seed=7 gives the same report twice, addresses too, in {profile}", problems)
    start = [seeded_report(shop, BUGS[3], "debug", seed)["block"]["start"] for seed in (7, 8)]
    tap.check("seed=8 gives other addresses", [start] if start[0] == start[1] else [])


def test_limit(tap, shop):
    """Bug 14 does not look whether it got the gigabyte."""
    program = build("decode", shop.folder, flags=("-DBUG=14",))
    bug = BUGS[13]
    for profile in PROFILES:
        refused = feed_bug(program, bug, shop.oracles[profile])
        granted = feed(program, bug.trigger, shop.oracles[profile])
        tap.check(f"max_alloc: longer requests get NULL and no report, in {profile}",
                  [note for found, end in ((refused, "SIGSEGV"), (granted, ""))
                   if found.signal != end or found.text for note in found.notes()])


class Shop:
    def __init__(self, library, folder):
        self.library = library
        self.folder = folder
        self.oracles = {profile: ours(library, profile) for profile in PROFILES}


def test_fuzzers(tap, shop):
    engines = (("AFL++", fuzzers.afl_problems, ("afl-fuzz", "afl-clang-fast")),
               ("libFuzzer", fuzzers.libfuzzer_problems, ("clang-19",)))
    for name, problems_of, programs in engines:
        for profile in PROFILES:
            title = f"{name} finds bug 8 by profile {profile} and keeps the input"
            if has(*programs):
                tap.check(title, problems_of(shop, profile))
            else:
                tap.skip(title, f"{', '.join(programs)} not installed")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lib", type=pathlib.Path, required=True)
    library = parser.parse_args().lib.resolve(strict=True)
    tap = Tap()
    with tempfile.TemporaryDirectory() as folder:
        shop = Shop(library, pathlib.Path(folder))
        test_bugs(tap, shop)
        test_correct(tap, shop)
        test_seed(tap, shop)
        test_limit(tap, shop)
        test_fuzzers(tap, shop)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
