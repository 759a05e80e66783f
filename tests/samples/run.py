#!/usr/bin/python3
"""Every sample has the report that the table states, with its places, in each build; as TAP.

usage: run.py --lib build/libspanguard-debug.so [--only TEXT] [--profile debug|guard] [--variant O0]
              [--update]

--update writes the golden reports of those samples whose facts are right.
"""
import pathlib
import signal
import sys
from concurrent.futures import ThreadPoolExecutor

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "interface"))

import golden  # noqa: E402
import ours  # noqa: E402
import program  # noqa: E402
import tap  # noqa: E402
from samples import SAMPLES  # noqa: E402

TIMEOUT = 30
WORKERS = 2
PROFILES = ("debug", "guard")
# Codes whose report is made where the bug is; the others are found late.
AT_ONCE = {"P102", "P104", "P201", "P203", "P204", "P301", "P302", "P401", "P402", "P403", "P701"}
OF_FREED = {"P201", "P202", "P203", "P204", "P701", "P702"}
NO_BLOCK = {"P205", "P302", "P901"}
GOES_ON = {"P901"}  # malloc() returns NULL, as it must
IN_A_CHILD = {"child_overflow"}


class Run:
    """One program under one profile: how it ended, and its reports."""

    def __init__(self, outcome, records):
        self.outcome = outcome
        self.records = records
        self.code = records[0]["code"] if records else None

    def notes(self):
        return self.outcome.notes()


class Bench:
    def __init__(self, shop, library):
        self.shop = shop
        self.library = library

    def run(self, sample, profile, variant, is_fixed=False):
        built = program.build(sample.name, variant, is_fixed, self.shop.folder)
        report = self.shop.folder / f"{sample.name}.{profile}.{variant}.{is_fixed}.jsonl"
        options = ":".join(filter(None, (f"profile={profile}", sample.options)))
        environment = {"SPANGUARD_OPTIONS": options, "SPANGUARD_REPORT_FILE": str(report),
                       "NO_COLOR": "1"}
        outcome = self.shop.run(built.command, environment, TIMEOUT, preload=self.library)
        text = report.read_text(errors="replace") if report.exists() else ""
        return Run(outcome, ours.records(text))


def wrong_ending(sample, run, profile):
    """A report ends the program by SIGABRT; without one it ends as it would without us."""
    if run.outcome.timed_out:
        return "the program did not end"
    is_child = sample.name in IN_A_CHILD
    if run.code and run.code not in GOES_ON and not is_child:
        return None if run.outcome.died_by(signal.SIGABRT) else "a report, but no SIGABRT"
    if run.outcome.died_by(signal.SIGSEGV) and profile in sample.faults.split():
        return None
    return None if run.outcome.status == 0 else "no report, but another ending"


def wrong_code(sample, run, profile):
    due = sample.due(profile)
    if due and run.code is None:
        return f"no report, where {' or '.join(due)} is due"
    if run.code and run.code not in sample.allowed(profile):
        return f"{run.code}, where {' or '.join(due) or 'nothing'} is due"
    return None


def wanted_markers(code, is_forgotten):
    """The markers whose place a report of this code must show. `is_forgotten`: the block was freed
    so long ago that nothing is known of it, and the report says so."""
    markers = [] if code in NO_BLOCK or is_forgotten else ["ALLOC"]
    markers += ["FREE"] if code in OF_FREED and not is_forgotten else []
    return markers + (["BUG"] if code in AT_ONCE else [])


def wrong_places(sample, run, variant, due):
    """The places of the first report: lines or, without debug information, functions."""
    if run.code is None or not due or variant == "stripped":
        return None
    record, marked = run.records[0], program.sites(sample.name)
    stacks = ours.stacks_of(record)
    is_forgotten = sample.is_forgotten and run.code == "P204" and not record.get("block")
    for marker in wanted_markers(run.code, is_forgotten):
        names = [site.place() if variant != "nodebug" else site.function
                 for site in marked[marker]]
        if names and not any(name in stacks[marker] for name in names):
            return f"no {marker} at {' or '.join(names)} in:\n{stacks[marker]}"
    return None


def judge(sample, run, profile, variant):
    """What is wrong, or None."""
    if len(run.records) > 1:
        return "more than one report"
    return (wrong_code(sample, run, profile) or wrong_ending(sample, run, profile)
            or wrong_places(sample, run, variant, sample.due(profile)))


def judge_fixed(run):
    if run.code:
        return f"{run.code} for a program without a bug"
    if run.outcome.stderr or not run.outcome.passed():
        return "the corrected program says something, or fails"
    return None


def judge_golden(sample, run, profile, wrong):
    """The report's text: None, or what differs. What is left to chance has no golden report."""
    if not sample.compared(profile):
        return None
    if wrong:
        return "not compared: its facts are wrong"
    difference = golden.difference(sample, profile, run.outcome.stderr)
    return difference and "\n".join(difference)


def results_of(bench, sample, options):
    """[(name, what is wrong or None, notes)] of one sample."""
    results = []
    for profile in options.profile or PROFILES:
        for variant in options.variant or program.VARIANTS:
            run = bench.run(sample, profile, variant)
            wrong = judge(sample, run, profile, variant)
            due = " or ".join(sample.due(profile)) or "nothing is due"
            results.append((f"{sample.name} {profile} {variant}: {due}", wrong, run.notes()))
            if variant != "O0":
                continue
            if options.update and wrong is None and sample.compared(profile):
                golden.update(sample, profile, run.outcome.stderr)
            results.append((f"{sample.name} {profile}: the report reads as the golden one",
                            judge_golden(sample, run, profile, wrong), []))
            fixed = bench.run(sample, profile, variant, is_fixed=True)
            results.append((f"{sample.name} {profile}: nothing to say when corrected",
                            judge_fixed(fixed), fixed.notes()))
    return results


def parse():
    parser = tap.arguments(__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--profile", action="append", choices=PROFILES)
    parser.add_argument("--variant", action="append", choices=list(program.VARIANTS))
    parser.add_argument("--update", action="store_true")
    return parser.parse_args()


def main():
    options = parse()
    library = tap.library_of(options.lib)
    samples = [sample for sample in SAMPLES if tap.wanted(sample.name, options.only)]
    report = tap.Report()
    known = {sample.name for sample in SAMPLES}
    report.result("every source has its row, and every row its source",
                  known == set(program.names()), sorted(known ^ set(program.names())))
    with tap.Workshop() as shop, ThreadPoolExecutor(WORKERS) as pool:
        bench = Bench(shop, library)
        for results in pool.map(lambda sample: results_of(bench, sample, options), samples):
            for name, wrong, notes in results:
                report.result(name, wrong is None, [wrong, *notes] if wrong else ())
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
