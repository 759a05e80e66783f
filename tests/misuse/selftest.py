#!/usr/bin/python3
"""Proves that the misuse runner can fail: wrong endings, wrong lines, other allocators."""
import argparse
import signal
import sys
from dataclasses import replace

sys.dont_write_bytecode = True

import run  # noqa: E402
import peers  # noqa: E402
import tap  # noqa: E402
from cases import COPIES, NOT_SAMPLED, SAMPLED, Case, all_cases  # noqa: E402
from expected import Expected, fault, holds, missed, report as reported  # noqa: E402
from lines import SENTENCES, facts_of  # noqa: E402

PID = 4711
NOT_IN_GLIBC = (12, 13)  # a function of C23, a section of ours


def told(block=0x1000, usable=64, offset=0, stated="64,60", **act):
    facts = {"from": 0, "count": 0, "before": -1, "neighbour": 0, **act}
    return (f"block={block:#x} usable={usable} pointer={block + offset:#x} stated={stated} " +
            " ".join(f"{name}={value}" for name, value in facts.items()) + "\n")


def case_of(misuse, expected, call="free", size=64, **more):
    return Case(misuse, call, size, "hardened", expected, **more)


END = "(profile=hardened class=5 at=misuse+0x1a2b id=0badcafe)"
LARGE_END = END.replace("class=5", "class=large")
NO_CLASS_END = END.replace("class=5 ", "")
SAMPLED_END = END.replace(")", " allocated=misuse+0x10<libc.so.6+0x2724a freed=misuse+0x20)")
WRITE_8 = {"from": 64, "count": 8, "before": 7}

# Written out, so that a mistake in lines.py does not agree with itself.
LINES = (
    (case_of("overflow_8", reported("P101")), told(**WRITE_8),
     f"P101 heap overflow: free: a block of 64 bytes was written past its end, first at +64 {END}"),
    (case_of("overflow_1", fault("P102"), size=1 << 20),
     told(usable=1 << 20, **{"from": 1 << 20, "count": 1}),
     "P102 heap overflow: fault: WRITE at +1048576, 0 bytes past the end of a block of 1048576 "
     f"bytes {LARGE_END}"),
    (case_of("underflow_8", reported("P103"), call="delete"), told(**{"from": -8, "count": 8}),
     "P103 heap underflow: operator delete: 8 bytes before the block that follows one of 64 bytes "
     f"were written {END}"),
    (case_of("underflow_8", fault("P104"), size=1 << 20),
     told(usable=1 << 20, **{"from": -8, "count": 8}),
     f"P104 heap underflow: fault: WRITE 8 bytes before a block of 1048576 bytes {LARGE_END}"),
    (case_of("memcpy_x4_inside", reported("P105"), has_copy_library=True),
     told(**{"from": 4, "count": 256}),
     f"P105 copy overflow: memcpy: 256 bytes to +4 of a block of 64 bytes {END}"),
    (case_of("memcpy_over_read", reported("P106"), has_copy_library=True),
     told(**{"count": 256}),
     f"P106 copy over-read: memcpy: 256 bytes from +0 of a block of 64 bytes {END}"),
    (case_of("read_after_free", fault("P201"), options=SAMPLED), told(),
     f"P201 use after free: fault: READ at +0 of a freed block of 64 bytes {SAMPLED_END}"),
    (case_of("write_after_free_inside", reported("P202")), told(**{"from": 32, "count": 8}),
     f"P202 write after free: malloc: a free block of 72 bytes was written to, first at +32 {END}"),
    (case_of("double_free_immediate", reported("P204", "P203"), call="realloc_same",
             size=1 << 20), told(usable=1 << 20),
     f"P203 double free: realloc: a block of 1048576 bytes that is already free {LARGE_END}"),
    (case_of("double_free_immediate", reported("P204", "P203"), size=1 << 20),
     told(usable=1 << 20),
     "P204 stale pointer: free: no block is there any more, its memory was recycled "
     f"{NO_CLASS_END}"),
    (case_of("interior", reported("P301"), call="cfree"), told(offset=16),
     f"P301 interior pointer: cfree: 16 bytes inside a live block of 64 bytes {END}"),
    (case_of("foreign_stack", reported("P302")), told(usable=0),
     "P302 foreign pointer: free: the address was never handed out by this allocator "
     f"{NO_CLASS_END}"),
    (case_of("unaligned", reported("P303")), told(offset=3),
     f"P303 unaligned pointer: free: 3 bytes inside a live block of 64 bytes {END}"),
    (case_of("made_by_new_array", reported("P401"), call="delete", maker="new[]"), told(),
     f"P401 interface mismatch: operator delete: a block of 64 bytes made by new[] {END}"),
    (case_of("size_too_big", reported("P402"), call="delete_array_sized"), told(),
     f"P402 size mismatch: operator delete[]: size 60 stated for a block of 64 bytes {END}"),
    (case_of("alignment_too_big", reported("P403"), call="delete_aligned"), told(),
     "P403 alignment mismatch: operator delete: alignment 64 stated for a block of 64 bytes that "
     f"lacks it {END}"),
    (case_of("two_threads_free", reported("P203", "P801")), told(),
     "P801 free slot changed hands: malloc: a block of 64 bytes waits in a cache and is not free: "
     f"freed by two threads at once, or by a signal handler inside malloc {END}"),
    (case_of("damaged_cache_entry", reported("P803")), told(),
     "P803 damaged cache entry: malloc: an entry of a cache of free blocks does not decode "
     f"{NO_CLASS_END}"),
)


def ending(case, facts, line, **changes):
    number = signal.SIGSEGV if case.expected.faults else signal.SIGABRT
    return replace(tap.Outcome(PID, -number, facts, f"spanguard[{PID}]: {line}\n"), **changes)


def is_accepted(case, outcome):
    return run.judge(case, outcome) is None


def numbers_changed(line):
    """The line with each number of its sentence made wrong, one at a time."""
    head, said = line.split(": ", 2)[:2], line.split(": ", 2)[2].split(" (")[0]
    words = said.split(" ")
    for index, word in enumerate(words):
        digits = word.strip("+,")
        if digits.isdigit():
            changed = words[:index] + [word.replace(digits, str(int(digits) + 1000))]
            yield ": ".join(head + [" ".join(changed + words[index + 1:])]) + \
                line[line.index(" (profile"):]


def test_lines(report):
    for case, facts, line in LINES:
        code = line[:4]
        report.result(f"the judge takes the agreed line {code} of {case.misuse}",
                      is_accepted(case, ending(case, facts, line)),
                      [str(run.judge(case, ending(case, facts, line)))])
        others = [other[2] for other in LINES if other[2] != line and is_accepted(
            case, ending(case, facts, other[2]))]
        allowed = {"P203", "P204"} if "P204" in case.expected.reports else set()
        report.result(f"the judge of {code} for {case.misuse} takes no other case's line",
                      {other[:4] for other in others} <= allowed, others)
        taken = [one for one in numbers_changed(line)
                 if is_accepted(case, ending(case, facts, one))]
        report.result(f"the judge of {code} takes no other number", not taken, taken)
    report.result("there is a line for each code",
                  {line[:4] for _, _, line in LINES} == set(SENTENCES))


def test_judge(report):
    case, facts, line = LINES[10]
    right = ending(case, facts, line).stderr
    wrong = {
        "another pid": {"stderr": right.replace(str(PID), "4712")},
        "another function": {"stderr": right.replace("cfree:", "free:")},
        "a free block": {"stderr": right.replace("live", "free")},
        "a large class": {"stderr": right.replace("class=5", "class=large")},
        "no class": {"stderr": right.replace("class=5 ", "")},
        "another profile": {"stderr": right.replace("=hardened", "=strict")},
        "no place": {"stderr": right.replace(" at=misuse+0x1a2b", "")},
        "a place in the allocator": {"stderr": right.replace("misuse+", "libspanguard.so+")},
        "an address for a place": {"stderr": right.replace("misuse+0x", "0x7fff")},
        "no id": {"stderr": right.replace(" id=0badcafe", "")},
        "a short id": {"stderr": right.replace("0badcafe", "0badcaf")},
        "stacks of a block that is not sampled": {
            "stderr": right.replace(END, SAMPLED_END)},
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
        "a misuse that nothing noticed": {"status": run.MISSED, "stderr": ""},
    }
    for name, changes in wrong.items():
        report.result(f"the judge refuses {name}",
                      not is_accepted(case, ending(case, facts, line, **changes)))


def test_other_endings(report):
    """Properties, bare faults, what is missed, and sampled blocks."""
    quiet = tap.Outcome(PID, 0, told() + "unreadable\n", "")
    unnoticed = replace(quiet, status=run.MISSED, stdout=told())
    faulted = replace(unnoticed, status=-signal.SIGSEGV)
    property_, none = case_of("read_after_free", holds("unreadable")), case_of("x", missed("why"))
    bare = case_of("write_to_sealed_options", Expected(is_bare_fault=True))
    right = ((property_, quiet), (none, unnoticed), (bare, faulted))
    for case, outcome in right:
        report.result(f"the judge takes: {case.expected.text()}", is_accepted(case, outcome))
        report.result(f"and nothing else: {case.expected.text()}",
                      not any(is_accepted(case, other) for other in (quiet, unnoticed, faulted)
                              if other is not outcome))
        report.result(f"nor words on stderr: {case.expected.text()}",
                      not is_accepted(case, replace(outcome, stderr="x\n")))
    report.result("another property is not that property", not is_accepted(
        property_, replace(quiet, stdout=told() + "refused\n")))
    case, facts, line = LINES[6]
    for name, stacks in (("without stacks", END), ("that nobody freed",
                         SAMPLED_END.replace(" freed=misuse+0x20", ""))):
        report.result(f"the judge refuses a use after free of a sampled block {name}",
                      not is_accepted(case, ending(case, facts, line.replace(SAMPLED_END, stacks))))


def test_judge_clean(report):
    good = tap.Outcome(PID, 0, told() * 3, "")
    report.result("a clean batch that is silent passes", run.judge_clean(good, 3) is None)
    for name, changes in {"a word on stderr": {"stderr": "x"}, "exit 1": {"status": 1},
                          "an abort": {"status": -signal.SIGABRT}, "nothing told": {"stdout": ""},
                          "one case left out": {"stdout": told() * 2},
                          "one case too many": {"stdout": told() * 4},
                          "a time-out": {"timed_out": True}}.items():
        report.result(f"a clean batch with {name} fails",
                      run.judge_clean(replace(good, **changes), 3) is not None)


def test_classes(report):
    classes = run.Classes()
    case, facts, line = LINES[10]
    classes.add(case, ending(case, facts, line))
    classes.add(case, ending(case, facts, line))
    report.result("one class for each size is consistent", classes.of_size and not classes.wrong())
    classes.add(case, ending(case, facts, line.replace("class=5", "class=6")))
    report.result("two classes for one size are not", len(classes.wrong()) == 1)


def test_table(report):
    cases = list(all_cases())
    report.result("no two cases have one name", len({case.name for case in cases}) == len(cases))
    empty = [case.name for case in cases if case.expected == Expected()]
    report.result("each case expects something", not empty, empty)
    vague = [case.name for case in cases if not case.expected.why and sum(map(bool, (
        case.expected.reports, case.expected.faults, case.expected.word,
        case.expected.missed))) > 1 and not case.misuse.endswith("_x4")]
    report.result("each alternative has its reason", not vague, vague)
    weak = [case.name for case in cases if case.profile != "fast" and case.expected.missed
            and 0 < case.size <= 256 and not case.is_sampled()
            and case.misuse not in (*COPIES, "memcpy_over_read")
            and (case.profile, case.misuse) != ("hardened", "no_reuse_by_another_class")]
    report.result("beyond fast nothing of up to 256 bytes is missed", not weak, weak)
    known = {(misuse.split()[0]) for _, misuses, _ in peers.KINDS for misuse in misuses}
    report.result("the peers' table is of misuses that we test",
                  known <= {case.misuse for case in cases} and len(peers.KINDS) >= 38,
                  [str(known - {case.misuse for case in cases})])


def test_peers_verdict(report):
    names = ["glibc", "ours, fast"]
    report.result("a peer that notices more is said to be ahead",
                  peers.who_is_ahead({"a": {"glibc": "A", "ours, fast": "·"}}, names)
                  and peers.who_is_ahead({"a": {"glibc": "·", "ours, fast": "X"}}, names))
    report.result("also if it does so for one size of several",
                  peers.who_is_ahead({"a": {"glibc": "·A", "ours, fast": "A·"}}, names))
    report.result("a peer that notices the same is not",
                  not peers.who_is_ahead({"a": {"glibc": "G", "ours, fast": "A"}}, names))
    report.result("the worst of several sizes counts", peers.worst(["A", "·", "X", "G"]) == "X"
                  and peers.worst(["A", "·"]) == "·")


def test_other_allocators(report, shop):
    """Over glibc no line matches, and every clean run is clean where the function exists."""
    bench = run.Bench(shop, None)
    cases = [case for case in all_cases(("hardened",)) if case.options == NOT_SAMPLED]
    noticed = [case for case in cases[::11]
               if case.expected.missed == "" and case.expected.word == ""]
    passed = [case.name for case in noticed if is_accepted(case, bench.misuse(case))]
    report.result("over glibc no misuse passes", noticed and not passed, passed)
    for case in (LINES[0][0], property_case()):
        report.result(f"a silent allocator is noticed: {case.misuse}",
                      not is_accepted(case, bench.misuse(case)))
    unclean = []
    for group in run.batches([case for case in cases if case.call in ("free", "delete")]):
        outcome = bench.clean(group)
        wrong = run.judge_clean(outcome, len(group))
        if wrong is not None and outcome.status not in NOT_IN_GLIBC:
            unclean += [group[0].misuse, wrong]
    report.result("over glibc the clean programs are clean", not unclean, unclean)
    usage = shop.run([bench.program, "no_such_case", "free", "64"])
    report.result("an unknown case is an error", usage.status == 2)


def property_case():
    return case_of("no_immediate_reuse", holds("not reused"))


def main():
    argparse.ArgumentParser(description=__doc__).parse_args()
    report = tap.Report()
    test_lines(report)
    test_judge(report)
    test_other_endings(report)
    test_judge_clean(report)
    test_classes(report)
    test_table(report)
    test_peers_verdict(report)
    with tap.Workshop() as shop:
        test_other_allocators(report, shop)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
