#!/usr/bin/python3 -B
"""Tests of how much memory the allocator takes, keeps and gives back, as one TAP stream.

Programs are built into a temporary folder and run with the library preloaded. SPANGUARD_QUICK in
the environment means fewer nodes in map_clear."""

import argparse
import os
import sys
import tempfile

sys.dont_write_bytecode = True

import harness  # noqa: E402
import map_clear  # noqa: E402
import sleeping_threads  # noqa: E402
import start_limit  # noqa: E402
from harness import MIB  # noqa: E402

# MiB of address space, and the block sizes that are allocated up to it. Under the large limit only
# blocks that need not be touched in every page: two GiB of resident memory is not a test's to take.
ADDRESS_SPACES = (
    (64, (64, 1024, 16 << 10, 256 << 10, 4 << 20)),
    (256, (64, 1024, 16 << 10, 256 << 10, 4 << 20)),
    (2048, (16 << 10, 256 << 10, 4 << 20)),
)


def program_test(name):
    """A test that is one program with TAP of its own."""
    def check(context):
        harness.run_tap(context, name, [context.program(name + ".c")])
    return check


def rlimit_as(context):
    program = context.program("rlimit_as.c")
    for limit, sizes in ADDRESS_SPACES:
        harness.run_tap(context, f"rlimit_as: {limit} MiB", [program, *sizes],
                        address_space=limit * MIB)


def map_clear_test(context):
    map_clear.check(context)
    map_clear.note_second_time(context)


TESTS = {
    "map_clear": map_clear_test,
    "lazy": program_test("lazy"),
    "max_map_count": program_test("max_map_count"),
    "rlimit_as": rlimit_as,
    "start_limit": start_limit.check,
    "sleeping_threads": sleeping_threads.check,
    "hysteresis": program_test("hysteresis"),
}


def command_line():
    nodes = 500000 if os.environ.get("SPANGUARD_QUICK") else 2000000
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lib", default=harness.default_library(), metavar="FILE",
                        help="what to test: a library, or glibc (default: build/libspanguard.so)")
    parser.add_argument("--only", choices=TESTS, action="append", help="only this; may be repeated")
    parser.add_argument("--nodes", type=int, default=nodes, help=f"of map_clear (default {nodes})")
    parser.add_argument("--threads", type=int, default=10000, help="of sleeping_threads")
    parser.add_argument("--timeout", type=int, default=120, help="seconds for one program")
    return parser.parse_args()


def main():
    arguments = command_line()
    report = harness.Report()
    harness.refuse_core_files()
    with tempfile.TemporaryDirectory() as folder:
        context = harness.Context(harness.allocator_named(arguments.lib), folder, report,
                                  nodes=arguments.nodes, threads=arguments.threads,
                                  timeout=arguments.timeout)
        for name in arguments.only or TESTS:
            TESTS[name](context)
    sys.exit(report.finish())


if __name__ == "__main__":
    main()
