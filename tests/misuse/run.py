#!/usr/bin/python3
"""Every misuse of every call has the ending that the table states, in each profile, as TAP.

Each case also runs without its misuse: that must end with 0 and nothing on stderr.
"""
import pathlib
import shutil
import signal
import sys
from concurrent.futures import ThreadPoolExecutor

sys.dont_write_bytecode = True
SOURCES = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(SOURCES.parent / "interface"))

import peers  # noqa: E402
import tap  # noqa: E402
from cases import PROFILES, all_cases  # noqa: E402
from lines import facts_of, read_line, wrong_in_line  # noqa: E402

TIMEOUT = 20
WORKERS = 2
MISSED = 10
COPY_LIBRARY = "libspanguard-copy.so"


def build(shop):
    return shop.compile(sorted(SOURCES.glob("*.cc")), "misuse", ["-ldl"])


def judge_lines(case, codes, facts, outcome):
    """Two threads may both get as far as their line; anyone else says one."""
    lines = outcome.stderr.splitlines(keepends=True)
    if not 1 <= len(lines) <= (2 if case.misuse == "two_threads_free" else 1):
        return "not exactly one line"
    for line in lines:
        wrong = wrong_in_line(line, case, facts, outcome.pid)
        if wrong is not None:
            return wrong
        if read_line(line)[0]["code"] not in codes:
            return "another code"
    return None


def judge(case, outcome):
    """What is wrong with this ending of a misuse, or None."""
    facts, wanted = facts_of(outcome.stdout), case.expected
    if facts is None:
        return "the program did not get as far as the misuse"
    if wanted.reports and outcome.died_by(signal.SIGABRT):
        return judge_lines(case, wanted.reports, facts, outcome)
    if wanted.faults and outcome.died_by(signal.SIGSEGV):
        return judge_lines(case, wanted.faults, facts, outcome)
    silent = outcome.stderr == "" and not outcome.timed_out
    if wanted.is_bare_fault and silent and outcome.died_by(signal.SIGSEGV):
        return None
    if wanted.word and silent and outcome.status == 0 and facts.word == wanted.word:
        return None
    if wanted.missed and silent and outcome.status == MISSED:
        return None
    return "not one of the right endings"


def judge_clean(outcome, count):
    """The same for a clean run of so many cases in one process."""
    told = outcome.stdout.splitlines(keepends=True)
    if any(facts_of(line) is None for line in told) or len(told) > count:
        return "the clean run told something else"
    if not outcome.passed() or outcome.stderr != "":
        return f"the clean run was not silent and successful; it told {len(told)} of {count}"
    return None if len(told) == count else "the clean run ended early"


FAULTS = ("P102", "P104", "P201")


class Classes:
    """Collects the class that reports give to a size: it must be the same in all of them."""

    def __init__(self):
        self.of_size = {}

    def add(self, case, outcome):
        facts, read = facts_of(outcome.stdout), read_line(outcome.stderr)
        if read and read[0]["code"] in FAULTS:
            return  # an overflow may have run far before it met a guard: another block's
        if facts and read and read[0]["klass"] and not case.is_sampled():
            key = (case.profile, facts.usable, case.is_aligned())
            self.of_size.setdefault(key, set()).add(read[0]["klass"])

    def wrong(self):
        return {size: names for size, names in self.of_size.items() if len(names) > 1}

    def tell(self, report):
        if self.of_size:
            report.result("each size has one class in all reports", not self.wrong(),
                          [f"{size}: {sorted(names)}" for size, names in self.wrong().items()])


class Bench:
    """The program and the libraries that it runs over."""

    def __init__(self, shop, library, more_options=""):
        self.shop = shop
        self.program = build(shop)
        self.more_options = more_options
        self.copy_library = None
        self.adopt(library)

    def adopt(self, library):
        """Runs over this library from now on, and over the copy library that lies beside it."""
        self.shop.adopt(library)
        beside = library and library.parent / COPY_LIBRARY
        self.copy_library = None
        if beside and beside.is_file():
            self.copy_library = shutil.copy(beside, self.shop.folder / COPY_LIBRARY)

    def start(self, case, arguments, timeout=TIMEOUT):
        preload = self.shop.library
        if case.has_copy_library and self.copy_library:
            preload = f"{preload}:{self.copy_library}" if preload else self.copy_library
        setting = {"SPANGUARD_OPTIONS": case.setting() + self.more_options}
        return self.shop.run([self.program, *arguments], environment=setting, timeout=timeout,
                             preload=preload)

    def misuse(self, case):
        return self.start(case, case.arguments())

    def clean(self, cases):
        """All of them in one process, without their misuse."""
        path = self.shop.folder / f"batch-{abs(hash(cases[0]))}-{len(cases)}"
        path.write_text("".join(" ".join(case.arguments()) + "\n" for case in cases))
        return self.start(cases[0], ["--batch", path], timeout=6 * TIMEOUT)


def batches(cases):
    """Cases that differ in call and size alone run clean in one process."""
    groups = {}
    for case in cases:
        key = (case.profile, case.misuse, case.options, case.has_copy_library)
        groups.setdefault(key, []).append(case)
    return list(groups.values())


def run_misuses(report, bench, cases):
    classes = Classes()
    with ThreadPoolExecutor(WORKERS) as pool:
        for case, outcome in zip(cases, pool.map(bench.misuse, cases)):
            wrong = judge(case, outcome)
            classes.add(case, outcome)
            report.result(case.name, wrong is None, [] if wrong is None else
                          [wrong, f"expected: {case.expected.text()}", *outcome.notes()])
    classes.tell(report)


def run_clean(report, bench, cases):
    groups = batches(cases)
    with ThreadPoolExecutor(WORKERS) as pool:
        for group, outcome in zip(groups, pool.map(bench.clean, groups)):
            wrong = judge_clean(outcome, len(group))
            extra = group[0].name.split(f" in {group[0].profile}")[1]
            report.result(f"{group[0].misuse} left out, {len(group)} times in one process, in "
                          f"{group[0].profile}{extra}", wrong is None,
                          [] if wrong is None else [wrong, *outcome.notes()])


def run_identity(report, bench, cases):
    """The id names the place in the program, not the process: two runs give one."""
    chosen = [case for case in cases if case.misuse in ("double_free_immediate", "interior")
              and case.call in ("free", "delete") and case.size in (64, 1024)]
    for case in chosen:
        reads = [read_line(bench.misuse(case).stderr) for _ in range(2)]
        ids = [read and (read[0]["id"], read[0]["at"]) for read in reads]
        report.result(f"{case.name}: id and place are those of the other run",
                      None not in ids and ids[0] == ids[1], [str(ids)])


def print_expectations(cases):
    """One line for each misuse, profile and expectation, with the sizes that share it."""
    rows = {}
    for case in cases:
        extra = " sampled" * case.is_sampled() + " with checked copies" * case.has_copy_library
        key = (case.misuse + extra, case.profile, case.expected.text())
        rows.setdefault(key, set()).add(case.size)
    for (misuse, profile, text), sizes in rows.items():
        print(f"{misuse} | {profile} | {', '.join(map(str, sorted(sizes)))} | {text}")


def parse():
    parser = tap.arguments(__doc__)
    parser.add_argument("--profile", action="append", choices=PROFILES,
                        help="only this profile; may be repeated")
    parser.add_argument("--table", action="store_true",
                        help="print what must come of each misuse, and leave")
    parser.add_argument("--peers", action="store_true",
                        help="print what other allocators notice, and leave")
    return parser.parse_args()


def main():
    arguments = parse()
    cases = [case for case in all_cases(arguments.profile or PROFILES)
             if tap.wanted(case.name, arguments.only)]
    if arguments.table:
        print_expectations(cases)
        return 0
    if arguments.peers:
        return peers.main(arguments.lib)
    report = tap.Report()
    library = tap.library_of(arguments.lib)
    with tap.Workshop() as shop:
        try:
            bench = Bench(shop, library)
        except tap.BuildError as error:
            report.result("the misuse program compiles", False, [error])
            return report.finish()
        if bench.copy_library is None and any(case.has_copy_library for case in cases):
            report.skip("checked copies", f"no {COPY_LIBRARY} beside the library")
            cases = [case for case in cases if not case.has_copy_library]
        run_misuses(report, bench, cases)
        run_clean(report, bench, cases)
        run_identity(report, bench, cases)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
