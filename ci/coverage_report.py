#!/usr/bin/python3 -B
"""What tests and fuzz inputs ran of lib/ and hardening/, by line and branch; see coverage.sh.

usage: coverage_report.py --build FOLDER [--gaps FILE] [--need LINES BRANCHES] [--missed FILE...]

FOLDER is a build of coverage.sh with recorded/tests and recorded/fuzz, or one of them. Counted is
the release library: what it has of lines and branches, run in whichever variant. ASSERT is not.
Writes missed.txt there: each line and branch not run. FILE of --missed: prints those of these.

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


def groups(build):
    """The programs of one variant: a function of them has one body."""
    units = sorted((build / "tests/unit").glob("*_test"))
    laboratory = [path for path in units if path.name.startswith("laboratory_")]
    linked = [path for path in units if path.name in LINKED_UNITS]
    copies = [path for path in [build / "libspanguard-copy.so"] if path.exists()]
    others = [path for path in units if path not in laboratory + linked]
    return {
        "release": [build / "libspanguard.so", *copies, *linked],
        "debug": [build / "libspanguard-checked.so", *others],
        "laboratory": [*sorted((build / "fuzz").glob("fuzz_*_replay")), *laboratory],
    }


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


def read_kind(build, profile, tools):
    """The places of the release library, and what was run in any variant."""
    reader, universe, run = Reader(Tree(ROOT)), Places(), Places()
    for variant, programs in groups(build).items():
        if not programs:
            continue
        places = reader.read(export(tools, programs, profile))
        run.add(places)
        if variant == "release":
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


def main(arguments):
    options = parse(arguments)
    tools, results, both = tools_of(options.build), {}, Places()
    for kind in KINDS:
        profile = recorded(options.build, kind, tools)
        if profile:
            results[kind] = read_kind(options.build, profile, tools)
            both.add(results[kind])
    if not results:
        sys.exit("nothing is recorded")
    if len(results) > 1:
        results["together"] = both
    print_table(results)
    rows = list(missed(both, Tree(ROOT)))
    write_missed(options.build / "missed.txt", rows)
    for file, function, line, text, what in rows:
        if file in options.missed:
            print(f"{file}:{line}: {function}: {what}: {text}")
    return judge(both, rows, options)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
