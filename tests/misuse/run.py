#!/usr/bin/python3
"""Every misuse of every call ends in SIGABRT and exactly one line on stderr, as TAP.

Each case is also run without its misuse: that must end with 0 and nothing on stderr.
"""
import pathlib
import signal
import sys

sys.dont_write_bytecode = True
SOURCES = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(SOURCES.parent / "interface"))

import tap  # noqa: E402
from cases import all_cases, facts_of, line_pattern  # noqa: E402
from peers import print_table  # noqa: E402

TIMEOUT = 20


def build(shop):
    sources = sorted(SOURCES.glob("*.cc"))
    return shop.compile(sources, "misuse", ["-ldl"])


def judge(case, outcome):
    """What is wrong with this ending of a misuse, or None; and the class that was reported."""
    facts = facts_of(outcome.stdout)
    if facts is None:
        return "the program did not get as far as the misuse", None
    if not outcome.died_by(signal.SIGABRT):
        return "not stopped by SIGABRT", None
    if outcome.stderr.count("\n") != 1:
        return "not exactly one line", None
    for code in case.codes:
        match = line_pattern(code, case, facts, outcome.pid).fullmatch(outcome.stderr)
        if match is not None:
            return None, (facts.usable, match[1]) if match.groups() else None
    return f"not the line of {' or '.join(case.codes)}", None


def judge_clean(outcome):
    if not outcome.passed() or outcome.stderr != "":
        return "the clean run was not silent and successful"
    return None if facts_of(outcome.stdout) else "the clean run told nothing"


class Classes:
    """Collects the class that reports give to a size: it must be the same in all of them."""

    def __init__(self):
        self.of_size = {}

    def add(self, pair):
        if pair is not None:
            self.of_size.setdefault(pair[0], set()).add(pair[1])

    def wrong(self):
        return {size: names for size, names in self.of_size.items() if len(names) > 1}

    def tell(self, report):
        if self.of_size:
            report.result("each size has one class in all reports", not self.wrong(),
                          [f"{size}: {sorted(names)}" for size, names in self.wrong().items()])


def run_case(report, shop, program, case, classes):
    outcome = shop.run([program, *case.arguments()], timeout=TIMEOUT)
    wrong, pair = judge(case, outcome)
    classes.add(pair)
    notes = [] if wrong is None else [wrong, *outcome.notes()]
    clean = shop.run([program, *case.arguments(clean=True)], timeout=TIMEOUT)
    wrong_clean = judge_clean(clean)
    if wrong_clean is not None:
        notes += [wrong_clean, *clean.notes()]
    report.result(case.name, not notes, notes)


def main():
    parser = tap.arguments(__doc__)
    parser.add_argument("--peers", action="store_true",
                        help="print what Debian's allocators notice, and leave")
    arguments = parser.parse_args()
    if arguments.peers:
        with tap.Workshop() as shop:
            print_table(shop, build(shop), arguments.lib)
        return 0
    report, classes = tap.Report(), Classes()
    with tap.Workshop(tap.library_of(arguments.lib)) as shop:
        try:
            program = build(shop)
        except tap.BuildError as error:
            report.result("the misuse program compiles", False, [error])
            return report.finish()
        for case in all_cases():
            if tap.wanted(case.name, arguments.only):
                run_case(report, shop, program, case, classes)
    classes.tell(report)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
