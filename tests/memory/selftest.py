#!/usr/bin/python3 -B
"""Every gate of these tests can fail: each is run over an allocator with the fault that it is
there to find, and must say "not ok" for it. Prints TAP; "ok" means that the fault was found."""

import argparse
import io
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

import harness  # noqa: E402
import map_clear  # noqa: E402
import run  # noqa: E402
import sleeping_threads  # noqa: E402
from harness import build, peers  # noqa: E402

# The fault, the test, and words of the result that must fail.
PLANTED = (
    ("BREAK_EAGER", "lazy", "malloc of 256 MiB is not resident"),
    ("BREAK_EAGER", "lazy", "calloc: ten touched pages"),
    ("BREAK_FREE", "lazy", "malloc: freeing it brings"),
    ("BREAK_ZERO", "lazy", "calloc: the pages read as zero"),
    ("BREAK_ZERO", "lazy", "calloc after freeing a dirty block"),
    ("BREAK_REALLOC", "lazy", "keeps the contents"),
    ("BREAK_ABORT", "max_map_count", "the program ran to its end"),
    ("BREAK_ERRNO", "max_map_count", "a request gives a block, or NULL and ENOMEM"),
    ("BREAK_OVERLAP", "max_map_count", "every block keeps what was written"),
    ("BREAK_ZERO", "max_map_count", "calloc is zero"),
    ("BREAK_REALLOC", "max_map_count", "realloc of large blocks keeps them"),
    ("BREAK_ERRNO", "rlimit_as", "end in NULL and ENOMEM"),
    ("BREAK_FREE", "rlimit_as", "at least four fifths of it again"),
    ("BREAK_FREE", "rlimit_as", "at least a quarter of the limit"),
    ("BREAK_START", "rlimit_as", "64 MiB: the program ran to its end"),
    ("BREAK_START", "start_limit", "bash starts under a limit"),
    ("BREAK_START", "start_limit", "python3 starts under a limit"),
    ("BREAK_THREADS", "sleeping_threads", "resident set is at most"),
    ("BREAK_FREE", "hysteresis", "does not fault every round"),
    ("BREAK_HANG", "hysteresis", "the program ran to its end"),
)

SMALL = {"nodes": 300000, "threads": 2000, "timeout": 60}


class Bench:
    """Runs tests over broken allocators, each pair once, and keeps which results failed."""

    def __init__(self, folder):
        self.folder = folder
        self.failed = {}

    def broken(self, fault):
        output = os.path.join(self.folder, fault + ".so")
        if not os.path.exists(output):
            build.compile_program(output, [os.path.join(harness.HERE, "broken.c")], "-shared",
                                  "-fPIC", "-fno-builtin", f"-D{fault}")
        return peers.Allocator(fault, output)

    def failures(self, key, allocator, test, **limits):
        """The names of the results that were not ok, and the whole output."""
        if key not in self.failed:
            text = io.StringIO()
            report = harness.Report(text)
            test(harness.Context(allocator, self.folder, report, **{**SMALL, **limits}))
            report.finish()
            self.failed[key] = (report.failed, text.getvalue())
        return self.failed[key]


def expect_failure(report, name, words, failures):
    failed, output = failures
    found = any(words in result for result in failed)
    report.result(found, name, *([] if found else ["not among the failed results of:", output]))


def check_planted(report, bench, only):
    for fault, test, words in PLANTED:
        if only and only != test:
            continue
        limits = {"timeout": 2} if fault == "BREAK_HANG" else {}
        found = bench.failures((fault, test), bench.broken(fault), run.TESTS[test], **limits)
        expect_failure(report, f"{test} over {fault} fails: {words}", words, found)


def check_map_clear(report, bench):
    """glibc keeps what a map held, so it is the broken allocator here."""
    for variant, title in map_clear.VARIANTS.items():
        def test(context, variant=variant):
            map_clear.check(context, [variant], ["shuffled"])
        found = bench.failures(("glibc", variant), peers.GLIBC, test)
        expect_failure(report, f"map_clear over glibc fails: {title}", title, found)


def check_faulting_glibc(report, bench):
    """Told to map every large block anew, glibc faults in every round."""
    allocator = peers.Allocator("glibc", "", (("MALLOC_MMAP_THRESHOLD_", "65536"),))
    found = bench.failures("faulting", allocator, run.TESTS["hysteresis"])
    words = "does not fault every round"
    expect_failure(report, f"hysteresis over glibc without its heap fails: {words}", words, found)


def check_lost_preload(report, bench):
    """The loader drops a library that it cannot load, and the program runs over glibc."""
    path = os.path.join(bench.folder, "not-a-library.so")
    with open(path, "w", encoding="utf-8") as file:
        file.write("this is not a library\n")
    found = bench.failures("lost", peers.Allocator("lost", path), run.TESTS["hysteresis"])
    words = "the program ran to its end"
    expect_failure(report, "a library that the loader drops fails the run", words, found)
    found = bench.failures("lost threads", peers.Allocator("lost", path),
                           lambda context: sleeping_threads.check_mode(context, "keep"))
    expect_failure(report, "a library that the loader drops fails a measurement", words, found)


def check_sound_glibc(report, bench):
    """The same tests pass where nothing is broken: they do not just fail always."""
    for name in ("lazy", "max_map_count", "start_limit", "sleeping_threads", "hysteresis"):
        failed, output = bench.failures(("glibc", name), peers.GLIBC, run.TESTS[name])
        report.result(not failed, f"{name} over glibc passes", *([output] if failed else []))


def check_exit_status(report):
    """The command itself says no: by its status and in its output."""
    command = [sys.executable, "-B", os.path.join(harness.HERE, "map_clear.py"), "--lib", "glibc",
               "--nodes", "300000", "--only", "byte_on_top", "--order", "ascending"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    passed = done.returncode == 1 and "\nnot ok 2 " in done.stdout and "1..2" in done.stdout
    report.result(passed, "map_clear.py over glibc with one byte on top exits 1",
                  *([] if passed else [done.stdout]))
    empty = harness.Report(io.StringIO())
    report.result(empty.finish() == 1, "a run that tests nothing fails")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=run.TESTS, help="only the planted faults of this test")
    arguments = parser.parse_args()
    report = harness.Report()
    harness.refuse_core_files()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(folder)
        check_planted(report, bench, arguments.only)
        if not arguments.only:
            check_map_clear(report, bench)
            check_faulting_glibc(report, bench)
            check_lost_preload(report, bench)
            check_sound_glibc(report, bench)
            check_exit_status(report)
    sys.exit(report.finish())


if __name__ == "__main__":
    main()
