#!/usr/bin/python3 -B
"""CPU time and peak memory of real programs under the allocator, glibc and its rivals.

The programs are those of tests/integration. In each round every allocator runs a program once, in
random order, and ratios to glibc are formed inside the round. Before that, an untimed run of each
proves that every process allocates from where it should and that the output is glibc's."""

import argparse
import json
import os
import random
import resource
import signal
import sys
import tempfile
import traceback
from pathlib import Path

sys.dont_write_bytecode = True

import build  # noqa: E402
import metered  # noqa: E402
import peers  # noqa: E402
import program_report  # noqa: E402
from harness import processes  # noqa: E402
from harness.allocator import Allocator, snapshot  # noqa: E402
from harness.case import CaseFailed, reason_to_skip  # noqa: E402
from harness.tools import Tools  # noqa: E402
from workloads import ELEVEN, WORKLOADS  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))


class Stopped(BaseException):
    """A signal asked us to end: nothing but measure_all may catch it."""


def say(text):
    print(text, file=sys.stderr, flush=True)


def library_of_glibc():
    """Debian's redis is linked to jemalloc. Preloaded, libc comes before that."""
    with open("/proc/self/maps", encoding="utf-8") as maps:
        for line in maps:
            if line.rstrip().endswith("/libc.so.6"):
                return Path(line.split()[-1])
    return None


def in_harness_terms(allocator, suite):
    """A copy that every user may read, in a folder of its own since names may be the same."""
    if not allocator.preload:
        return Allocator(allocator.name, library_of_glibc())
    folder = suite / allocator.name
    folder.mkdir(mode=0o755)
    return Allocator(allocator.name, snapshot(allocator.preload, folder), dict(allocator.settings))


def attempt(action, case, allocator, context):
    """What the run gave; None, and a line on stderr, if it failed."""
    tools, home = context
    try:
        return action(case, allocator, tools, home)
    except CaseFailed as failure:
        say(f"{case.name}: {allocator.label}: {failure}")
    except Exception:  # one program that breaks must not end hours of measuring
        say(f"{case.name}: {allocator.label}: {traceback.format_exc()}")
    return None


def proven(workload, allocators, context):
    """The allocators that this program runs well under; none if it fails under glibc."""
    reference = attempt(metered.prove, workload.case, allocators[0], context)
    if reference is None:
        return []
    good = [allocators[0]]
    for allocator in allocators[1:]:
        transcript = attempt(metered.prove, workload.case, allocator, context)
        if transcript == reference:
            good.append(allocator)
        elif transcript is not None:
            say(f"{workload.name}: {allocator.label}: the output is not that under glibc")
    return good


def one_round(workload, allocators, context, order):
    """{allocator: Cost}; empty if glibc's own run failed, for then there is no ratio."""
    costs = {}
    for allocator in order.sample(allocators, len(allocators)):
        cost = attempt(metered.measure, workload.case, allocator, context)
        if cost is not None:
            costs[allocator.label] = cost
    return costs if "glibc" in costs else {}


def measure_all(workloads, allocators, context, arguments):
    """{program: [{allocator: Cost}, one per round]}"""
    order = random.Random(arguments.seed)
    rounds = {}
    try:
        fit = {w.name: allocators if arguments.unproven else proven(w, allocators, context)
               for w in workloads}
        for number in range(arguments.rounds):
            for workload in order.sample(workloads, len(workloads)):
                costs = fit[workload.name] and one_round(workload, fit[workload.name], context,
                                                         order)
                if costs:
                    rounds.setdefault(workload.name, []).append(costs)
            say(f"round {number + 1} of {arguments.rounds}")
    except Stopped as signal_number:
        say(f"stopped by signal {signal_number}: what follows was measured until then")
    return {w.name: rounds[w.name] for w in workloads if w.name in rounds}


def installed(arguments):
    chosen = []
    for workload in WORKLOADS:
        if arguments.only and workload.name not in arguments.only:
            continue
        if arguments.eleven and not workload.eleven:
            continue
        reason = reason_to_skip(workload.case)
        if reason:
            say(f"{workload.name}: {reason}")
        else:
            chosen.append(workload)
    return chosen


def command_line():
    parser = argparse.ArgumentParser(description=__doc__)
    peers.add_arguments(parser)
    parser.add_argument("--profile", nargs="+", default=[], metavar="P",
                        help="also run --lib with SPANGUARD_OPTIONS=profile=P")
    parser.add_argument("--rounds", type=int, default=5, help="default 5")
    parser.add_argument("--only", nargs="+", metavar="PROGRAM", help="these programs only")
    parser.add_argument("--eleven", action="store_true", help=f"only {', '.join(ELEVEN)}")
    parser.add_argument("--unproven", action="store_true",
                        help="skip the proof; for repeating a measurement")
    parser.add_argument("--seed", type=int, help="fixes the order of the runs")
    parser.add_argument("--json", metavar="FILE", help="also write the figures there")
    arguments = parser.parse_args()
    unknown = set(arguments.only or ()) - {workload.name for workload in WORKLOADS}
    if unknown:
        parser.error(f"no such program: {', '.join(sorted(unknown))}")
    if arguments.profile and not arguments.lib:
        parser.error("--profile needs --lib")
    arguments.variant += [f"{name}:SPANGUARD_OPTIONS=profile={name}" for name in arguments.profile]
    return arguments


def measure_in(suite, arguments):
    os.chmod(suite, 0o755)  # servers that give up root must be able to enter
    tools = Tools(suite)
    tools.meter = build.compile_program(str(suite / "meter"), [os.path.join(HERE, "meter.c")],
                                        "-static")
    home = suite / "home"
    home.mkdir(mode=0o755)
    allocators = [in_harness_terms(allocator, suite) for allocator in peers.chosen(arguments)]
    return measure_all(installed(arguments), allocators, (tools, home), arguments)


def stop(number, _frame):
    """By an exception, so that no server is left running and complete runs are still reported."""
    raise Stopped(number)


def main():
    arguments = command_line()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    processes.become_subreaper()
    with tempfile.TemporaryDirectory(prefix="spanguard-programs-") as folder:
        rounds = measure_in(Path(folder), arguments)
    if not rounds:
        sys.exit("no program was measured")
    result = program_report.analyse(rounds, WORKLOADS)
    program_report.show(result)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"analysis": result, "rounds": rounds}, file, indent=1)


if __name__ == "__main__":
    main()
