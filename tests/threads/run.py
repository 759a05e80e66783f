#!/usr/bin/python3
"""Bounded stress of the allocator by several threads, several ways, as TAP.

Runs under the library and under the -debug.so beside it, when there is one.
"""
import pathlib
import re
import sys

sys.dont_write_bytecode = True
SOURCES = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(SOURCES.parent / "interface"))

import tap  # noqa: E402

SUMMARY = re.compile(r"made=(\d+) ended=\1 handed_over=(\d+)\n")
TIGHT = {"SPANGUARD_OPTIONS": "thread_cache_bytes=0:dirty_bytes=0"}
TIMEOUT = 60

# (what is special, arguments of stress, environment)
WAYS = (
    ("four threads for two seconds", ["-r", "1"], {}),
    ("four threads, another seed", ["-r", "2", "-d", "1000"], {}),
    ("one thread", ["-t", "1", "-c", "0", "-d", "500"], {}),
    ("sixteen threads", ["-t", "16", "-c", "0", "-d", "1000"], {}),
    ("mostly short-lived threads", ["-t", "1", "-c", "12", "-d", "1000"], {}),
    ("small blocks only", ["-b", "256", "-d", "1000"], {}),
    ("blocks up to 32 MiB", ["-b", str(32 << 20), "-d", "1000"], {}),
    ("no cached and no dirty bytes", ["-d", "1000"], TIGHT),
    ("a fixed number of steps", ["-d", "0", "-s", "30000", "-r", "3"], {}),
)


def build(shop):
    return shop.compile([SOURCES / "stress.c"], "stress")


def is_good(outcome):
    """The program's own sum must hold, and nobody may have complained."""
    match = SUMMARY.fullmatch(outcome.stdout)
    return outcome.passed() and outcome.stderr == "" and match is not None and int(match[1]) > 0


def libraries_of(library):
    """The library and its debug build."""
    if library is None:
        return {"glibc": None}
    found = {library.name: library}
    debug = library.with_name(f"{library.stem}-debug.so")
    if debug.is_file():
        found[debug.name] = debug
    return found


def run_way(report, shop, program, name, way):
    title, arguments, environment = way
    outcome = shop.run([program, *arguments], environment, TIMEOUT)
    good = is_good(outcome)
    report.result(f"{name}: {title}", good, [outcome.stdout] if good else outcome.notes())


def run_prefix(report, shop):
    """The form that a race detector is linked with: two equal runs over libc's heap."""
    program = shop.compile([SOURCES / "stress.c", SOURCES / "prefix_shim.c"], "stress_prefix",
                           ["-DSTRESS_PREFIX"])
    command = [program, "-d", "0", "-s", "20000", "-t", "1", "-c", "0"]
    first, second = (shop.run(command, timeout=TIMEOUT, preload=None) for _ in range(2))
    report.result("stress.c links with sg_test_malloc and its kin", is_good(first),
                  first.notes())
    report.result("a seed and a number of steps give the same run twice",
                  is_good(second) and first.stdout == second.stdout)


def main():
    arguments = tap.arguments(__doc__).parse_args()
    library = tap.library_of(arguments.lib)
    report = tap.Report()
    try:
        with tap.Workshop() as shop:
            if tap.wanted("prefix", arguments.only):
                run_prefix(report, shop)
            program = build(shop)
            for name, path in libraries_of(library).items():
                shop.adopt(path)
                for way in WAYS:
                    if tap.wanted(f"{name}: {way[0]}", arguments.only):
                        run_way(report, shop, program, name, way)
    except tap.BuildError as error:
        report.result("the stress program compiles", False, [error])
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
