#!/usr/bin/python3
"""Every sample under every tool: what is found, what is rightly named, which places are shown.

usage: compare.py [--lib build/libspanguard-debug.so] [--release build/libspanguard.so]
                  [--only TEXT] [--tool TEXT] [--markdown]

A sample is found if the tool says something or the program dies of a signal; the same program with
its bug corrected must end with 0 and nothing said, else the cell is a false alarm.
"""
import argparse
import pathlib
import sys
from concurrent.futures import ThreadPoolExecutor

sys.dont_write_bytecode = True
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "interface"))

import ours  # noqa: E402
import peers  # noqa: E402
import program  # noqa: E402
import tap  # noqa: E402
from samples import SAMPLES  # noqa: E402

TIMEOUT = 20
WORKERS = 2
MARKERS = ("ALLOC", "FREE", "BUG")
LETTERS = {"ALLOC": "a", "FREE": "f", "BUG": "b"}
ALSO_NAMED = {"usable_size_freed": {"bad free"}, "alignment_delete": {"mismatch"}}


class Cell:
    """One sample under one tool."""

    def __init__(self, sample, buggy, fixed, marked):
        finding, self.ending = buggy
        self.false_alarm = fixed[0] is not None or fixed[1] != "exit 0"
        self.fixed_ending = fixed[1]
        self.is_quiet = finding is None
        self.found = finding is not None and sample.kind != "none" and not self.false_alarm
        kinds = {sample.kind} | ALSO_NAMED.get(sample.name, set())
        self.named = self.found and finding.kind in kinds
        self.wrong_kind = finding.kind if self.found and not self.named else None
        self.shown = {marker for marker in MARKERS if self.found and marked[marker]
                      and any(finding.shows(marker, site) for site in marked[marker])}
        if sample.kind == "none":
            self.false_alarm = self.false_alarm or finding is not None

    def merits(self):
        """What the tool achieved, as a set that can be compared."""
        merits = {"found"} if self.found else set()
        merits |= {"named"} if self.named else set()
        return merits | {f"{marker.lower()} site" for marker in self.shown}

    def text(self):
        if self.false_alarm:
            return "!"
        if not self.found:
            return "."
        mark = "N" if self.named else "x" if self.wrong_kind else "s"
        return mark + "".join(LETTERS[m] if m in self.shown else "" for m in MARKERS)


class Bench:
    """Builds each sample once for each way, and runs it under the tools."""

    def __init__(self, shop):
        self.shop = shop
        self.marked = {sample.name: program.sites(sample.name) for sample in SAMPLES}

    def build(self, sample, kind, is_fixed):
        folder = self.shop.folder
        if kind in program.VARIANTS:
            return program.build(sample.name, kind, is_fixed, folder)
        return program.build_asan(sample.name, kind == "clang", is_fixed, folder / "asan")

    def build_all(self, samples, tools):
        todo = [(sample, kind, is_fixed) for kind in sorted({tool.build for tool in tools})
                for sample in samples for is_fixed in (False, True)]
        with ThreadPoolExecutor(WORKERS) as pool:
            built = pool.map(lambda job: self.build(*job), todo)
            self.built = {(job[0].name, *job[1:]): result for job, result in zip(todo, built)}

    def run(self, sample, tool, is_fixed):
        """(finding or None, ending) of one run."""
        built = self.built[(sample.name, tool.build, is_fixed)]
        environment = dict(tool.environment)
        is_ours = tool.parse is ours.parse_reports
        report = self.shop.folder / f"{sample.name}.{tool.name}.{is_fixed}.jsonl"
        if is_ours:
            environment["SPANGUARD_REPORT_FILE"] = str(report)
            if sample.options:
                environment["SPANGUARD_OPTIONS"] += ":" + sample.options
        outcome = self.shop.run([*tool.prefix, *built.command], environment, TIMEOUT,
                                preload=tool.preload or None)
        said = outcome.stderr
        if is_ours:
            said = report.read_text(errors="replace") if report.exists() else ""
        finding = tool.parse(said)
        if finding is None and outcome.status < 0 and not outcome.timed_out:
            finding = peers.Finding()
        return finding, outcome.ending()

    def cell(self, job):
        sample, tool = job
        buggy, fixed = (self.run(sample, tool, is_fixed) for is_fixed in (False, True))
        return Cell(sample, buggy, fixed, self.marked[sample.name])

    def rows(self, samples, tools):
        """(sample, its cells) one after the other, as they come."""
        with ThreadPoolExecutor(WORKERS) as pool:
            cells = pool.map(self.cell, [(sample, tool) for sample in samples for tool in tools])
            for sample in samples:
                yield sample, [next(cells) for _ in tools]


def print_row(cells, is_markdown):
    if is_markdown:
        print("| " + " | ".join(cells) + " |")
    else:
        print(cells[0].ljust(26) + "".join(cell.ljust(14) for cell in cells[1:]).rstrip(),
              flush=True)


def print_table(rows, tools, is_markdown):
    """Prints each row at once; returns {(sample, tool): cell}."""
    cells = {}
    print_row(["sample"] + [tool.name for tool in tools], is_markdown)
    if is_markdown:
        print_row(["---"] * (len(tools) + 1), is_markdown)
    for sample, row in rows:
        print_row([sample.name] + [cell.text() for cell in row], is_markdown)
        cells.update({(sample.name, tool.name): cell for tool, cell in zip(tools, row)})
    return cells


def print_totals(samples, tools, cells, is_markdown):
    for what in ("found", "named", "alloc site", "free site", "bug site", "false alarms"):
        print_row([what] + [total(samples, tool, cells, what) for tool in tools], is_markdown)


def total(samples, tool, cells, what):
    row = [cells[sample.name, tool.name] for sample in samples]
    if what == "false alarms":
        return str(sum(cell.false_alarm for cell in row))
    return str(sum(what in cell.merits() for cell in row))


def print_ahead(samples, tools, cells):
    """The rows where a peer achieves what none of our profiles does."""
    own = [tool.name for tool in tools if tool.name.startswith("our ")]
    for sample in samples if own else ():
        have = set().union(*(cells[sample.name, name].merits() for name in own))
        for tool in tools:
            lead = cells[sample.name, tool.name].merits() - have
            if lead:
                print(f"ahead of ours: {sample.name}: {tool.name}: {', '.join(sorted(lead))}")


def print_alarms(samples, tools, cells):
    for sample in samples:
        for tool in tools:
            cell = cells[sample.name, tool.name]
            if cell.false_alarm:
                print(f"false alarm: {sample.name}: {tool.name}: corrected: {cell.fixed_ending}")


def all_tools(options):
    tools = peers.peers()
    if options.release:
        path = pathlib.Path(options.release).resolve()
        tools += [ours.release_tool(profile, path) for profile in ("hardened", "strict")]
    if options.lib:
        path = pathlib.Path(options.lib).resolve()
        tools += [ours.debug_tool(profile, path) for profile in ("debug", "guard")]
        tools += [ours.debug_tool("guard", path, side)
                  for side in ("guard_exact=1", "guard_side=below")]
    return [tool for tool in tools if tap.wanted(tool.name, options.tool)]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--lib", metavar="PATH", help="the debug library")
    parser.add_argument("--release", metavar="PATH", help="the release library")
    parser.add_argument("--only", action="append", metavar="TEXT")
    parser.add_argument("--tool", action="append", metavar="TEXT")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    tools = all_tools(options)
    samples = [sample for sample in SAMPLES if tap.wanted(sample.name, options.only)]
    with tap.Workshop() as shop:
        bench = Bench(shop)
        bench.build_all(samples, tools)
        cells = print_table(bench.rows(samples, tools), tools, options.markdown)
    print_totals(samples, tools, cells, options.markdown)
    print_alarms(samples, tools, cells)
    print_ahead(samples, tools, cells)
    return 0


if __name__ == "__main__":
    sys.exit(main())
