#!/usr/bin/python3 -B
"""Programs with a known price must be seen at that price: TAP.

handicap.c is glibc's malloc with one defence that burns time, one that keeps memory, and one that
does nothing. Bounds are wide; a busy machine moves figures, not their order."""

import json
import os
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

import build  # noqa: E402
import defences  # noqa: E402
import price_report  # noqa: E402
import program_report  # noqa: E402
import summary  # noqa: E402
from metered import Cost  # noqa: E402
from workloads import WORKLOADS  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
LIMIT_SECONDS = 240
SLOW, HELD = "canary", "quarantine_slots"
LEAST_HELD_KIB = 40 << 10


class Tap:
    def __init__(self):
        self.count, self.failed = 0, 0

    def check(self, name, holds, seen=""):
        self.count += 1
        self.failed += not holds
        print(f"{'ok' if holds else 'not ok'} {self.count} - {name}", flush=True)
        if not holds:
            print("\n".join(f"# {line}" for line in str(seen).splitlines()), flush=True)

    def finish(self):
        print(f"1..{self.count}")
        return 1 if self.failed or not self.count else 0


def source(name):
    return os.path.join(HERE, name)


def run(folder, program, *arguments):
    """(exit status, everything printed, the JSON file's content or None)"""
    report = os.path.join(folder, "report.json")
    if os.path.exists(report):
        os.unlink(report)
    done = subprocess.run([sys.executable, "-B", source(program), "--json", report, *arguments],
                          capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)
    content = None
    if os.path.exists(report):
        with open(report, encoding="utf-8") as file:
            content = json.load(file)
    return done.returncode, done.stdout + done.stderr, content


def check_programs(tap, folder, library, empty):
    options = [f"{name}:SPANGUARD_OPTIONS={setting}"
               for name, setting in (("slow", f"{SLOW}=1"), ("holding", f"{HELD}=64"))]
    status, printed, report = run(
        folder, "programs.py", "--lib", library, "--no-peers", "--only", "perl", "--rounds", "3",
        "--variant", options[0], "--variant", options[1], "--extra", f"nothing={empty}")
    if report is None:
        tap.check("programs.py measures perl", False, f"exit status {status}\n{printed}")
        return
    tap.check("programs.py measures perl", status == 0, printed)
    time, peak = ({name: summary.Spread(*spread) for name, spread in
                   report["analysis"][column]["ratios"]["perl"].items()}
                  for column in ("cpu_s", "peak_kib"))
    tap.check("an allocator that burns time is seen as slower", time["slow"].low > 1.15, printed)
    tap.check("and not as bigger", peak["slow"].median < 1.1, printed)
    tap.check("an allocator that keeps memory is seen as bigger", peak["holding"].low > 1.2,
              printed)
    tap.check("glibc's own malloc preloaded is neither",
              0.8 < time["spanguard"].median < 1.15 and 0.9 < peak["spanguard"].median < 1.1,
              printed)
    tap.check("figures above the limit are marked, others not",
              [line.count(" !") for line in printed.splitlines() if line.startswith("perl *")] ==
              [sum(s.median > program_report.LIMIT for s in column.values())
               for column in (time, peak)], printed)
    tap.check("a preload that serves no malloc is left out and named",
              "nothing" not in time and "nothing: " in printed, printed)


def check_prices(tap, folder, library):
    status, printed, report = run(folder, "prices.py", "--lib", library, "--rounds", "3",
                                  "--memory-rounds", "1", "--shape", "same-64")
    if report is None:
        tap.check("prices.py prices the defences", False, f"exit status {status}\n{printed}")
        return
    tap.check("prices.py prices the defences", status == 0, printed)
    prices = report["analysis"]["prices"]
    for base in (defences.HARDENED, defences.BARE):
        ns = {name: both[base]["ns"][0] for name, both in prices.items()}
        peak = {name: both[base]["memory"]["filled-peak"][0] for name, both in prices.items()}
        tap.check(f"{base}: what burns time costs time", ns[SLOW] > 20, printed)
        tap.check(f"{base}: what does nothing costs none", abs(ns["seal"]) < ns[SLOW] / 3, printed)
        tap.check(f"{base}: only what keeps memory costs memory",
                  peak[HELD] > LEAST_HELD_KIB and
                  max(abs(peak[SLOW]), abs(peak["seal"])) < LEAST_HELD_KIB / 10, printed)
    tap.check("a defence that the library lacks is named, not priced",
              "guard_large: no such option" in printed and "guard_large" not in prices, printed)
    copies = report["analysis"]["copy"]
    tap.check("slow copies are seen as slower", len(copies) == 4 and
              all(row["more"][1] > 5 for row in copies.values()), printed)


def differing(left, right):
    return {name for name in {*left, *right} if left.get(name) != right.get(name)}


def plan_without(refused):
    """The plan for a library that has every defence on, and refuses one option's value 0."""
    everything = {option: "7" for defence in defences.DEFENCES for option in defence.off}
    asked = defences.ask
    defences.ask = lambda library, options: (
        None if options.get(refused) == "0" else {**everything, **options})
    try:
        return defences.make_plan("unused")
    finally:
        defences.ask = asked


def check_plan(tap):
    """Every defence known and on: a plan must then price each by itself, on both bases."""
    plan = plan_without("")
    tap.check("every known defence has two prices",
              sorted(p.defence for p in plan.prices) ==
              sorted(2 * [defence.name for defence in defences.DEFENCES]), plan)
    known = {defence.name: set(defence.off) for defence in defences.DEFENCES}
    wrong = [p for p in plan.prices if not
             {p.defence} <= differing(plan.options[p.having], plan.options[p.lacking]) <=
             known[p.defence]]
    tap.check("two configurations differ in the defence that they price", not wrong, wrong)
    alone = [p for p in plan.prices if p.base == defences.BARE and p.defence == "zero_check"]
    tap.check("a check of zeroes is priced where there are zeroes",
              plan.options[alone[0].lacking]["zero_bytes"] == "7", plan)
    plan = plan_without("guard_pages")
    tap.check("what cannot be switched off is named, and spoils no other price",
              any(note.startswith("guard_pages: ") for note in plan.notes) and
              len(plan.prices) == 2 * len(defences.DEFENCES) - 2, plan)
    for text in ("name", "name:a=1", "name:a=1:b=2", "name:a:a=1"):
        try:
            found = defences.own_defence(text)
        except ValueError:
            found = None
        tap.check(f"--also {text} is refused", found is None, found)


def check_arithmetic(tap):
    """Ratios inside rounds, whatever the machine did between them."""
    rounds = {"perl": [{"glibc": Cost(speed, 1000), "spanguard": Cost(speed * 1.2, 900)}
                       for speed in (1.0, 3.0, 0.5)]}
    result = program_report.analyse(rounds, WORKLOADS)
    ratio = result["cpu_s"]["ratios"]["perl"]["spanguard"]
    tap.check("a slow round slows no ratio", max(abs(value - 1.2) for value in ratio) < 1e-9, ratio)
    peak = result["peak_kib"]["means"]["spanguard"]["all"][0]
    tap.check("memory has a mean of its own", abs(peak - 0.9) < 1e-9, peak)
    price = defences.Price("x", defences.BARE, "with", "without")
    time = [{"with": {"a": ns + 3.0, "b": ns + 3.0}, "without": {"a": ns, "b": ns}}
            for ns in (5.0, 50.0)]
    found = price_report.price_time(time, price)
    tap.check("a price is the difference inside a round",
              max(abs(value - 3.0) for value in found["ns"]) < 1e-9, found)


def main():
    tap = Tap()
    check_plan(tap)
    check_arithmetic(tap)
    with tempfile.TemporaryDirectory() as folder:
        library = build.compile_program(os.path.join(folder, "handicap.so"),
                                        [source("handicap.c")], "-shared", "-fPIC")
        build.compile_program(os.path.join(folder, "libspanguard-copy.so"),
                              [source("handicap_copy.c")], "-shared", "-fPIC", "-fno-builtin",
                              "-fno-tree-loop-distribute-patterns")
        empty = build.compile_program(os.path.join(folder, "empty.so"), [source("empty.c")],
                                      "-shared", "-fPIC")
        check_programs(tap, folder, library, empty)
        check_prices(tap, folder, library)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
