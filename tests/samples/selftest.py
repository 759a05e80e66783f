#!/usr/bin/python3
"""Proves that the samples' runners can fail: markers, parsers of each tool, verdicts."""
import json
import pathlib
import signal
import sys

sys.dont_write_bytecode = True

import run  # noqa: E402  finds the other folders
import compare  # noqa: E402
import golden  # noqa: E402
import ours  # noqa: E402
import peers  # noqa: E402
import program  # noqa: E402
import tap  # noqa: E402
from samples import SAMPLES, Sample  # noqa: E402

BY_NAME = {sample.name: sample for sample in SAMPLES}

# What each tool said of a bug, in short; and what is to be read from it.
VALGRIND = """==1== Invalid write of size 8
==1==    at 0x109219: cache_hit (uaf_write.c:28)
==1==  Address 0x4a42048 is 8 bytes inside a block of size 64 free'd
==1==    at 0x484417B: free (in /usr/libexec/valgrind/x.so)
==1==    by 0x109204: cache_drop (uaf_write.c:22)
==1==  Block was alloc'd at
==1==    by 0x1091C6: cache_add (uaf_write.c:14)
==1== 
"""
ASAN = """==2==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x60 at pc 0x55
WRITE of size 1 at 0x60 thread T0
    #0 0x55 in trim /x/underflow_trim.c:22
0x60 is located 1 bytes before 40-byte region [0x61,0x62)
allocated by thread T0 here:
    #1 0x55 in make_line /x/underflow_trim.c:9
SUMMARY: AddressSanitizer: heap-buffer-overflow
"""
SAID = (
    ("valgrind", peers.parse_valgrind, VALGRIND, "uaf", {"cache_hit": "BUG", "cache_drop": "FREE"}),
    ("asan", peers.parse_asan, ASAN, "underflow", {"trim.c:22": "BUG", "make_line": "ALLOC"}),
    ("asan", peers.parse_asan, "==1==ERROR: AddressSanitizer: SEGV on unknown", None, {}),
    ("glibc", peers.parse_glibc, "free(): double free detected in tcache 2\n", "double free", {}),
    ("glibc", peers.parse_glibc, "corrupted size vs. prev_size\n", None, {}),
    ("scudo", peers.parse_scudo, "Scudo ERROR: invalid sized delete when", "size", {}),
    ("efence", peers.parse_efence, "ElectricFence Aborting: free(7f): address not from malloc().",
     "bad free", {}),
    ("tcmalloc", peers.parse_tcmalloc, "memory stomping bug: a word after object at", "overflow",
     {}),
    ("release", ours.parse_release, "spanguard[7]: P103 heap underflow: free: 8 bytes", "underflow",
     {}),
)
SILENT = (
    ("valgrind", peers.parse_valgrind, "warning: set address range perms"),
    ("asan", peers.parse_asan, "done\n"), ("glibc", peers.parse_glibc, "done\n"),
    ("efence", peers.parse_efence, "\n  Electric Fence 2.2 Copyright (C) 1987-1999 Bruce Perens\n"),
    ("tcmalloc", peers.parse_tcmalloc, "No leaks found for check \"_main_\"\n"),
    ("release", ours.parse_release, "spanguard: unknown option 'x'\n"),
)


def stack(*places):
    return [{"function": function, "file": f"src/{file}", "line": line}
            for function, file, line in places]


def record(code="P203", bug=20, made=26, freed=13):
    file = "double_free_owners.c"
    return {"code": code, "at": stack(("connection_close", file, bug)),
            "block": {"allocated_by": {"stack": stack(("main", file, made))},
                      "freed_by": {"stack": stack(("connection_error", file, freed))}}}


def a_run(records, status=-signal.SIGABRT, stderr="", timed_out=False):
    return run.Run(tap.Outcome(1, status, "", stderr, timed_out), records)


def check_markers(report):
    marked = program.sites("double_free_copy")
    report.result("a constructor and a destructor are found by their markers",
                  (marked["ALLOC"][0].function, marked["FREE"][0].function) == ("Name", "~Name"))
    lost = [(name, site) for name in program.names()
            for sites in program.sites(name).values() for site in sites if not site.function]
    report.result("every marker is in a function", not lost, lost)
    free = {sample.name for sample in SAMPLES if sample.kind in ("leak", "none")}
    bare = [name for name in program.names()
            if name not in free and not program.sites(name)["BUG"]]
    report.result("every sample but leaks has its bug marked", not bare, bare)


def check_parsers(report):
    for name, parse, text, kind, shown in SAID:
        finding = parse(text)
        right = finding is not None and finding.kind == kind and all(
            where in finding.stacks[marker] for where, marker in shown.items())
        report.result(f"{name}: its report is read: {kind}", right, () if right else [finding])
    for name, parse, text in SILENT:
        report.result(f"{name}: what is no report is none", parse(text) is None)


def check_verdicts(report):
    sample, judge = BY_NAME["double_free_owners"], run.judge
    cases = (
        ("the right report passes", a_run([record()]), True),
        ("no report fails", a_run([], status=0), False),
        ("a bare abort fails", a_run([]), False),
        ("another code fails", a_run([record("P301")]), False),
        ("two reports fail", a_run([record(), record()]), False),
        ("a report without SIGABRT fails", a_run([record()], status=0), False),
        ("a program that hangs fails", a_run([record()], timed_out=True), False),
        ("another bug site fails", a_run([record(bug=21)]), False),
        ("another allocation site fails", a_run([record(made=1)]), False),
        ("another free site fails", a_run([record(freed=1)]), False),
    )
    for name, ran, passes in cases:
        wrong = judge(sample, ran, "debug", "O0")
        report.result(name, (wrong is None) == passes, [] if passes else [wrong])
    report.result("lines are not asked for where there are none",
                  judge(sample, a_run([record(bug=1)]), "debug", "nodebug") is None)
    quiet = BY_NAME["uaf_read"]
    report.result("a report where none is due fails",
                  judge(quiet, a_run([record()]), "debug", "O0") is not None)
    report.result("a fault where none is due fails",
                  judge(quiet, a_run([], status=-signal.SIGSEGV), "debug", "O0") is not None)
    report.result("a corrected program that reports fails",
                  run.judge_fixed(a_run([record()])) is not None)
    report.result("a corrected program that says something fails",
                  run.judge_fixed(a_run([], status=0, stderr="x")) is not None)


def check_goldens(report):
    sample = BY_NAME["double_free_owners"]
    one = golden.normalised("x[12]: 8 us before, at 0x7f1234567890 id=0badcafe\n", sample)
    two = golden.normalised("x[3]: 17 ms before, at 0x55555555aaaa id=12345678\n", sample)
    report.result("what differs from run to run is not compared", one == two)
    report.result("what does not is", golden.normalised("a block of 24 bytes", sample)
                  != golden.normalised("a block of 25 bytes", sample))
    lost = Sample("no_such_sample", "overflow", "P101", "P101")
    report.result("a golden report that is missing fails",
                  golden.difference(lost, "debug", "text") is not None)
    report.result("no report where one is due is no golden one",
                  run.judge_golden(sample, a_run([]), "debug", "no report") is not None)
    names = {f"{sample.name}.{profile}.txt" for sample in SAMPLES for profile in run.PROFILES
             if sample.compared(profile)}
    extra = [path.name for path in golden.FOLDER.glob("*") if path.name not in names]
    report.result("no golden report is nobody's", not extra, extra)


def check_cells(report):
    marked = program.sites("double_free_owners")
    sample, finding = BY_NAME["double_free_owners"], ours.parse_reports(json.dumps(record()))
    quiet = (None, "exit 0")
    cell = compare.Cell(sample, (finding, "SIGABRT"), quiet, marked)
    report.result("a full cell", cell.text() == "Nafb")
    cell = compare.Cell(sample, (finding, "SIGABRT"), (finding, "SIGABRT"), marked)
    report.result("a report of the corrected program is a false alarm", cell.text() == "!")
    cell = compare.Cell(sample, quiet, quiet, marked)
    report.result("nothing found", cell.text() == "." and not cell.merits())
    cell = compare.Cell(BY_NAME["reachable"], (finding, "SIGABRT"), quiet, marked)
    report.result("a leak that is none is a false alarm", cell.text() == "!")


def check_glibc(report):
    """A run for real, without any library of ours: what is due is missed."""
    with tap.Workshop() as shop:
        bench = run.Bench(shop, None)
        for name in ("overflow_nul", "uaf_write", "leak_block"):
            ran = bench.run(BY_NAME[name], "debug", "O0")
            wrong = run.judge(BY_NAME[name], ran, "debug", "O0")
            report.result(f"{name} under glibc fails", wrong is not None, [wrong])
        fixed = bench.run(BY_NAME["uaf_write"], "debug", "O0", is_fixed=True)
        report.result("corrected, it passes", run.judge_fixed(fixed) is None, fixed.notes())


def main():
    report = tap.Report()
    for check in (check_markers, check_parsers, check_verdicts, check_goldens, check_cells,
                  check_glibc):
        check(report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
