#!/usr/bin/python3 -B
"""What tests and fuzz inputs ran of lib/ and hardening/, by line and branch; see coverage.sh.

usage: coverage_report.py --build FOLDER [--gaps FILE] [--need LINES BRANCHES] [--missed FILE...]

FOLDER is a build of coverage.sh with recorded/tests and recorded/fuzz, or one of them. Counted is
the release library: what it has of lines and branches, run in whichever variant; and apart what the
debug library and the command have besides. ASSERT is not counted. Writes missed.txt there: each
line and branch not run. FILE of --missed: prints those of these. --need is about the release
library; --gaps has reasons for both.

Status 1: fewer percent than --need, or a gap of the list that is none.
"""
import argparse
import pathlib
import subprocess
import sys

from coverage_gaps import Gaps
from coverage_read import Places, Reader, Tree, export, line_of

ROOT = pathlib.Path(__file__).resolve().parent.parent
KINDS = ("tests", "fuzz")
LINKED_UNITS = ("linked_test", "operators_replaced_test")  # unit programs over the shipped library
# Unit programs over layers of the debug library, whose inline functions have bodies of their own.
DEBUG_UNITS = ("access_test", "bug_", "capture_", "depot_test", "place_test", "suppress_test",
               "sweep_test", "symbols_")


def existing(paths):
    return [path for path in paths if path.exists()]


def groups(build):
    """By part, then variant: the programs. A function of a variant has one body; what the first
    one has is counted."""
    units = sorted((build / "tests/unit").glob("*_test"))
    laboratory = [path for path in units if path.name.startswith("laboratory_")]
    linked = [path for path in units if path.name in LINKED_UNITS]
    debug = [path for path in units if path.name.startswith(DEBUG_UNITS)]
    others = [path for path in units if path not in laboratory + linked + debug]
    release = {
        "release": [build / "libspanguard.so", *existing([build / "libspanguard-copy.so"]),
                    *linked],
        "checked": [build / "libspanguard-checked.so", *others],
        "laboratory": [*sorted((build / "fuzz").glob("fuzz_*_replay")), *laboratory],
    }
    besides = {
        "debug": [build / "libspanguard-debug.so", build / "spanguard",
                  *existing([build / "spanguard-symbolize"])],
        "debug checked": [build / "libspanguard-debug-checked.so", *debug],
    }
    return {"release library": release, "debug library, command": besides}


def tools_of(build):
    version = (build / "llvm-version").read_text(encoding="utf-8").strip()
    return {name: f"{name}-{version}" for name in ("llvm-cov", "llvm-profdata")}


def recorded(build, kind, tools):
    """The merged profile of one kind, or None if it was not run."""
    raw = sorted((build / "recorded" / kind).glob("*.profraw"))
    if not raw:
        return None
    merged = build / "recorded" / f"{kind}.profdata"
    subprocess.run([tools["llvm-profdata"], "merge", "-sparse", "-o", merged, *raw], check=True)
    return merged


def read_part(variants, profile, tools):
    """The places of the first variant, and what was run in any."""
    reader, universe, run = Reader(Tree(ROOT)), Places(), Places()
    for programs in variants.values():
        if not programs:
            continue
        places = reader.read(export(tools, programs, profile))
        run.add(places)
        if not universe.lines:
            universe.add(places)
    return run.within(universe)


def percent(part, whole):
    return 100.0 * part / whole if whole else 100.0


def count_lines(places, file):
    lines = places.lines.get(file, {})
    return sum(lines.values()), len(lines)


def count_branches(places, file):
    """A condition has two: taken, and not taken."""
    branches = places.branches.get(file, {}).values()
    return sum(a + b for a, b in branches), 2 * len(branches)


COUNTS = (("lines", count_lines), ("branches", count_branches))


def cells(places, files):
    texts = []
    for _name, count in COUNTS:
        parts = [count(places, file) for file in files]
        done, whole = sum(p[0] for p in parts), sum(p[1] for p in parts)
        texts.append(f"{percent(done, whole):6.1f} {whole - done:4d}")
    return "  ".join(texts)


def print_table(results):
    files = sorted(next(iter(results.values())).lines)
    width = max(map(len, files))
    print(f"{'':{width}}  " + "   ".join(f"{kind + ': % lines, branches':^25}" for kind in results))
    for name, rows in [*((file, [file]) for file in files), ("all", files)]:
        print(f"{name:{width}}  " + "   ".join(f"{cells(p, rows):25}" for p in results.values()))


def describe(place, sides):
    words = {(False, False): "never reached", (True, False): "always true",
             (False, True): "always false"}
    return words[sides] if place else ""


def missed(places, tree):
    """Each place not run as (file, function, line, text of the line, what)."""
    for file in sorted(places.lines):
        spans = sorted(places.functions[file], key=lambda f: f.last - f.first)
        rows = [(line, "line") for line, was_run in places.lines[file].items() if not was_run]
        dark = {line for line, _what in rows}
        rows += [(line_of(key), describe(key, taken))
                 for key, taken in places.branches[file].items()
                 if not all(taken) and line_of(key) not in dark]
        for line, what in sorted(rows):
            function = next((f.name for f in spans if f.first <= line <= f.last), "?")
            yield file, function, line, tree.line(file, line).strip(), what


def totals(places):
    return [percent(sum(count(places, f)[0] for f in places.lines),
                    sum(count(places, f)[1] for f in places.lines)) for _name, count in COUNTS]


def judge(places, rows, options):
    """Prints what is wrong with the whole; returns whether anything is."""
    wrong = []
    for (name, _count), got, needed in zip(COUNTS, totals(places), options.need):
        if got < needed:
            wrong.append(f"{got:.2f} % of the {name}, and not {needed} %")
    if options.gaps:
        gaps = Gaps(options.gaps)
        rest = gaps.take(rows)
        wrong += gaps.faults()
        print(f"{len(rows) - len(rest)} of {len(rows)} places not run have a reason in "
              f"{options.gaps.name}")
    for text in wrong:
        print(f"FAILED  {text}")
    return bool(wrong)


def write_missed(path, rows):
    with open(path, "w", encoding="utf-8") as listing:
        for file, function, line, text, what in rows:
            listing.write(f"{file}:{line}: {function}: {what}: {text}\n")


def parse(arguments):
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--build", type=pathlib.Path, required=True)
    parser.add_argument("--gaps", type=pathlib.Path)
    parser.add_argument("--need", type=float, nargs=2, default=(0.0, 0.0))
    parser.add_argument("--missed", nargs="*", default=())
    return parser.parse_args(arguments)


def read_all(build):
    """By part: kind -> places, and "together". A file is of the first part that has it."""
    tools = tools_of(build)
    profiles = {kind: recorded(build, kind, tools) for kind in KINDS}
    profiles = {kind: profile for kind, profile in profiles.items() if profile}
    if not profiles:
        sys.exit("nothing is recorded")
    parts, taken = {}, set()
    for part, variants in groups(build).items():
        results = {kind: read_part(variants, profile, tools).without(taken)
                   for kind, profile in profiles.items()}
        if len(results) > 1:
            together = Places()
            for places in results.values():
                together.add(places)
            results["together"] = together
        taken |= set(next(iter(results.values())).lines)
        parts[part] = results
    return parts


def main(arguments):
    options = parse(arguments)
    rows = {}
    parts = read_all(options.build)
    for part, results in parts.items():
        print(f"\n# {part}\n")
        print_table(results)
        rows[part] = list(missed(list(results.values())[-1], Tree(ROOT)))
    every = [row for some in rows.values() for row in some]
    write_missed(options.build / "missed.txt", every)
    for file, function, line, text, what in every:
        if file in options.missed:
            print(f"{file}:{line}: {function}: {what}: {text}")
    results = next(iter(parts.values()))
    return judge(list(results.values())[-1], every, options)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
