#!/usr/bin/python3
"""Proves that the misuse runner can fail: wrong endings, wrong lines, other allocators."""
import argparse
import signal
import sys
from dataclasses import replace

sys.dont_write_bytecode = True

import run  # noqa: E402
import tap  # noqa: E402
from cases import Case, all_cases, facts_of, sentence  # noqa: E402

PID = 4711
TOLD = "block=0x7f0000001000 usable=64 pointer=0x7f0000001010 stated=64,60\n"
LARGE = "block=0x7f0000001000 usable=1048576 pointer=0x7f0000001000 stated=64,1048576\n"
INTERIOR = Case("interior", "free", 60, ("P301",))
DOUBLE = Case("double_free_immediate", "realloc_same", 1 << 20, ("P204", "P203"))
SIZED = Case("size_too_big", "delete_array_sized", 60, ("P402",))
MADE = Case("made_by_new_array", "delete", 60, ("P401",), "new[]")

# Written out, so that a mistake in cases.py does not agree with itself.
LINES = (
    (INTERIOR, TOLD, "P301 interior pointer: free(0x7f0000001010): 16 bytes inside the live block "
                     "at 0x7f0000001000 of 64 bytes (class 3)"),
    (DOUBLE, LARGE, "P203 double free: realloc(0x7f0000001000): the block at 0x7f0000001000 of "
                    "1048576 bytes is already free (class large)"),
    (DOUBLE, LARGE, "P204 stale pointer: realloc(0x7f0000001000): no block is there any more, its "
                    "memory was recycled"),
    (SIZED, TOLD, "P402 size mismatch: operator delete[](0x7f0000001010, 60): the block at "
                  "0x7f0000001000 has 64 bytes (class 3)"),
    (MADE, TOLD, "P401 interface mismatch: operator delete(0x7f0000001010): the block at "
                 "0x7f0000001000 of 64 bytes was made by new[] (class 3)"),
)


def ending(told, line, **changes):
    outcome = tap.Outcome(PID, -signal.SIGABRT, told, f"spanguard[{PID}]: {line}\n")
    return replace(outcome, **changes)


def is_accepted(case, outcome):
    return run.judge(case, outcome)[0] is None


def test_judge(report):
    for case, told, line in LINES:
        report.result(f"the judge takes the agreed line {line[:4]}",
                      is_accepted(case, ending(told, line)))
        others = [other for other in LINES if other[0] is not case]
        report.result(f"the judge of {line[:4]} takes no other case's line",
                      not any(is_accepted(case, ending(told, other[2])) for other in others))
    case, told, line = LINES[0]
    right = ending(told, line).stderr
    wrong = {
        "another pid": {"stderr": right.replace(str(PID), "4712")},
        "another address": {"stderr": right.replace("1010)", "1018)")},
        "another block": {"stderr": right.replace("at 0x7f0000001000", "at 0x7f0000001008")},
        "another distance": {"stderr": right.replace(" 16 bytes", " 15 bytes")},
        "another size": {"stderr": right.replace("of 64", "of 60")},
        "another function": {"stderr": right.replace("free(", "cfree(")},
        "a free block": {"stderr": right.replace("live", "free")},
        "a large class": {"stderr": right.replace("class 3", "class large")},
        "no class": {"stderr": right.replace(" (class 3)", "")},
        "the line twice": {"stderr": right * 2},
        "a line before it": {"stderr": "note\n" + right},
        "words after it": {"stderr": right.replace(")\n", ") oops\n")},
        "no line feed": {"stderr": right.rstrip("\n")},
        "silence": {"stderr": ""},
        "a fault": {"status": -signal.SIGSEGV},
        "exit 0": {"status": 0},
        "exit 134": {"status": 134},
        "a time-out": {"timed_out": True},
        "a program that told nothing": {"stdout": ""},
    }
    for name, changes in wrong.items():
        report.result(f"the judge refuses {name}",
                      not is_accepted(case, ending(told, line, **changes)))


def test_judge_clean(report):
    good = tap.Outcome(PID, 0, TOLD, "")
    report.result("a clean run that is silent passes", run.judge_clean(good) is None)
    for name, changes in {"a word on stderr": {"stderr": "x"}, "exit 1": {"status": 1},
                          "an abort": {"status": -signal.SIGABRT}, "nothing told": {"stdout": ""},
                          "a time-out": {"timed_out": True}}.items():
        report.result(f"a clean run with {name} fails",
                      run.judge_clean(replace(good, **changes)) is not None)


def test_classes(report):
    classes = run.Classes()
    classes.add((64, "3"))
    classes.add((64, "3"))
    classes.add((80, "4"))
    report.result("one class for each size is consistent", not classes.wrong())
    classes.add((64, "4"))
    report.result("two classes for one size are not", list(classes.wrong()) == [64])


def test_other_allocators(report, shop):
    """Over glibc no line matches, and every clean run is clean where the function exists."""
    program = run.build(shop)
    passed, unclean = [], []
    for case in [case for index, case in enumerate(all_cases()) if index % 7 == 0]:
        if is_accepted(case, shop.run([program, *case.arguments()], timeout=run.TIMEOUT)):
            passed.append(case.name)
        clean = shop.run([program, *case.arguments(clean=True)], timeout=run.TIMEOUT)
        if clean.status != 12 and run.judge_clean(clean) is not None:  # 12: no such function
            unclean.append(case.name)
    report.result("over glibc no misuse passes", not passed, passed)
    report.result("over glibc the clean programs are clean", not unclean, unclean)
    usage = shop.run([program, "no_such_case", "free", "64"])
    report.result("an unknown case is an error", usage.status == 2)


def test_table(report):
    cases = list(all_cases())
    report.result("no two cases have one name", len({case.name for case in cases}) == len(cases))
    facts = facts_of(TOLD)
    texts = {code: sentence(code, cases[0], facts)
             for code in ("P203", "P204", "P301", "P302", "P303", "P401", "P402")}
    report.result("each code has a sentence of its own", len(set(texts.values())) == len(texts))


def main():
    argparse.ArgumentParser(description=__doc__).parse_args()
    report = tap.Report()
    test_judge(report)
    test_judge_clean(report)
    test_classes(report)
    test_table(report)
    with tap.Workshop() as shop:
        test_other_allocators(report, shop)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
