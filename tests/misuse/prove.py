#!/usr/bin/python3
"""Takes out one defence at a time and shows which misuse then passes.

By default the defence is taken out of the library, by `meson setup -Dwithout=NAME`; with
--by-option it is turned off where the program starts. A defence that nothing misses is a failure.
"""
import argparse
import json
import pathlib
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

sys.dont_write_bytecode = True

import run  # noqa: E402
import tap  # noqa: E402
from cases import all_cases  # noqa: E402

CALLS = ("free", "delete", "delete_sized")
BUILD_LIMIT = 300
# What turns a defence off at the start; the others are in the code or not at all. (encode=0 leaves
# the hash of an entry, which an attack of one word cannot know either.)
OPTIONS = {
    "canary": "canary=0", "zero": "zero_bytes=0", "zero_check": "zero_check=0",
    "quarantine": "quarantine_slots=0", "span_quarantine": "span_quarantine=0",
    "guard_spans": "guard_interval=1G", "guard_large": "guard_large=0",
    "guard_free": "guard_free=0", "sample": "sample_bytes=0",
    "seal": "seal=0", "isolate": "isolate_classes=0",
}
# Whose attack another profile stops in no case.
PROFILE_OF = {"isolate": "strict"}


def checked(command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=BUILD_LIMIT, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout


def removable_defences():
    """What -Dwithout= may name, from meson; its default stands for a complete library."""
    text = checked(["meson", "introspect", "--buildoptions", tap.REPOSITORY / "meson.build"])
    for option in json.loads(text):
        if option["name"] == "without":
            value = option["value"]
            kept = value if isinstance(value, list) else [value]
            return [name for name in option["choices"] if name not in kept and name]
    sys.exit("meson has no option 'without'")


def build_library(folder, name):
    """The path of a library without the named defence."""
    tree = folder / f"without-{name}"
    checked(["meson", "setup", tree, tap.REPOSITORY, f"-Dwithout={name}"])
    targets = [pathlib.Path(file).relative_to(tree)
               for target in json.loads(checked(["meson", "introspect", "--targets", tree]))
               if target["type"] == "shared library" for file in target["filename"]
               if pathlib.Path(file).name in ("libspanguard.so", "libspanguard-copy.so")]
    checked(["ninja", "-j2", "-C", tree, *targets])
    return tree / "libspanguard.so"


def failures(bench, cases):
    """Names of the cases that do not end as they must."""
    with ThreadPoolExecutor(run.WORKERS) as pool:
        outcomes = pool.map(bench.misuse, cases)
        return [case.name for case, outcome in zip(cases, outcomes)
                if run.judge(case, outcome) is not None]


def passing(bench, cases):
    failed = set(failures(bench, cases))
    return [case for case in cases if case.name not in failed], sorted(failed)


def print_row(name, missed):
    misuses = {}
    for case in missed:
        misuses.setdefault(case.split(" by ")[0], []).append(case)
    examples = ", ".join(f"{misuse} ({len(group)})" for misuse, group in misuses.items())
    print(f"| {name} | {len(missed)} | {examples or '**nothing**'} |", flush=True)


def those_of(cases, name, profile):
    return [case for case in cases if case.profile == PROFILE_OF.get(name, profile)]


def prove_by_builds(bench, cases, names, profile):
    useless = []
    with tempfile.TemporaryDirectory(prefix="spanguard-prove-") as folder:
        for name in names:
            bench.adopt(build_library(pathlib.Path(folder), name))
            missed = failures(bench, those_of(cases, name, profile))
            print_row(name, missed)
            useless += [] if missed else [name]
    return useless


def prove_by_options(bench, cases, names, profile):
    useless = []
    for name in names:
        bench.more_options = ":" + OPTIONS[name]
        missed = failures(bench, those_of(cases, name, profile))
        print_row(name, missed)
        useless += [] if missed else [name]
    return useless


def parse():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lib", default=str(tap.DEFAULT_LIBRARY), metavar="PATH",
                        help="the complete library (default: build/libspanguard.so)")
    parser.add_argument("--by-option", action="store_true", help="turn off instead of take out")
    parser.add_argument("--only", action="append", metavar="NAME", help="only this defence")
    parser.add_argument("--profile", default="hardened", choices=("fast", "hardened", "strict"))
    return parser.parse_args()


def main():
    arguments = parse()
    names = list(OPTIONS) if arguments.by_option else removable_defences()
    names = [name for name in names if not arguments.only or name in arguments.only]
    profiles = {PROFILE_OF.get(name, arguments.profile) for name in names}
    wanted = [case for case in all_cases(sorted(profiles)) if case.call in CALLS]
    with tap.Workshop() as shop:
        bench = run.Bench(shop, tap.library_of(arguments.lib))
        if bench.copy_library is None:
            wanted = [case for case in wanted if not case.has_copy_library]
        cases, failed = passing(bench, wanted)
        print(f"{len(cases)} cases pass with the complete library; left out, because they do not: "
              f"{', '.join(failed) or 'none'}\n")
        print("| without | cases that fail then | misuse |\n|---|---|---|")
        prove = prove_by_options if arguments.by_option else prove_by_builds
        useless = prove(bench, cases, names, arguments.profile)
    if useless or not names:
        print(f"\nno case needs: {', '.join(useless) or 'any defence; there is none'}")
    return 1 if useless or not names or not cases else 0


if __name__ == "__main__":
    sys.exit(main())
