#!/usr/bin/python3 -B
"""What each defence costs: nanoseconds of a malloc and its free, and resident memory.

Every defence is priced twice, by what the `hardened` profile saves without it and by what it adds
to a base that has everything off. All configurations run interleaved, shape by shape in random
order; differences are taken inside a round, and the tables show their median and quartiles."""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from types import SimpleNamespace

sys.dont_write_bytecode = True

import build  # noqa: E402
import defences  # noqa: E402
import pairs  # noqa: E402
import peers  # noqa: E402
import price_report  # noqa: E402
from defences import GLIBC  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
FILLS = {"filled": 64 << 20, "small": 64 << 10}  # bytes held
FILL_COLUMNS = ("full", "peak", "after")
COPY_LIBRARY = "libspanguard-copy.so"
RUN_SECONDS = 120


class Stopped(BaseException):
    """A signal asked us to end; complete rounds are still reported."""


def stop(number, _frame):
    raise Stopped(number)


def say(text):
    print(text, file=sys.stderr, flush=True)


def configurations(plan, library):
    """glibc, then one allocator for each configuration of the library."""
    ours = [peers.Allocator(name, library, (("SPANGUARD_OPTIONS", defences.entries(options)),))
            for name, options in plan.options.items()]
    return [peers.Allocator(GLIBC, ""), *ours]


def output_of(program, arguments, allocator):
    """The lines of a run with malloc from where it should be; None, and a word on stderr, if not.

    Whatever the library says on stderr is a refusal or a report: the figure would be another's."""
    try:
        done = subprocess.run([program, *arguments], env=peers.environment(allocator), text=True,
                              capture_output=True, timeout=RUN_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        say(f"{allocator.name}: no result in {RUN_SECONDS} s")
        return None
    lines = done.stdout.splitlines()
    served_by = lines[0].removeprefix("# malloc from ") if lines else ""
    if done.returncode != 0 or done.stderr or not peers.serves(allocator, served_by):
        say(f"{allocator.name}: exit {done.returncode}, malloc from {served_by}: {done.stderr}")
        return None
    return lines


def pair_shapes(program, shapes):
    """The names of all single measurements, such as random-64."""
    done = subprocess.run([program, *shapes], env=peers.environment(peers.GLIBC), text=True,
                          capture_output=True, timeout=RUN_SECONDS, check=True)
    return list(pairs.parse(done.stdout, "median")[0])


def time_round(program, shapes, allocators, order):
    """{configuration: {shape: ns}}. Shape by shape, so that what is compared lies seconds apart."""
    found = {allocator.name: {} for allocator in allocators}
    for shape in order.sample(shapes, len(shapes)):
        arguments = SimpleNamespace(shape=[shape], statistic="median", timeout=RUN_SECONDS)
        for allocator in order.sample(allocators, len(allocators)):
            found[allocator.name] |= pairs.run_once(program, allocator, arguments) or {}
    return {name: {shape: figures[shape] for shape in shapes}
            for name, figures in found.items() if len(figures) == len(shapes)}


def memory_round(program, allocators, order):
    """{configuration: {"filled-peak": KiB, ...}}"""
    found = {}
    for allocator in order.sample(allocators, len(allocators)):
        figures = {}
        for fill, held in FILLS.items():
            lines = output_of(program, [str(held)], allocator)
            if lines:
                figures |= {f"{fill}-{column}": int(value) for column, value in
                            zip(FILL_COLUMNS, lines[1].split("\t"))}
        if len(figures) == len(FILLS) * len(FILL_COLUMNS):
            found[allocator.name] = figures
    return found


def copy_round(program, library, copy_library, order):
    """{"plain" or "checked": {row: ns}}; plain is the library without the second preload."""
    found = {}
    sides = {"plain": "", "checked": copy_library}
    for side in order.sample(list(sides), len(sides)):
        settings = (("LD_PRELOAD", f"{library}:{sides[side]}".rstrip(":")),)
        lines = output_of(program, [], peers.Allocator(side, library, settings))
        if not lines:
            continue
        if sides[side] and lines[1] != f"# memcpy from {sides[side]}":
            say(f"{side}: {lines[1]}")
            continue
        found[side] = {name: float(ns) for name, ns in (line.split("\t") for line in lines[2:])}
    return found if len(found) == len(sides) else {}


def measure(folder, plan, arguments):
    """{"time": rounds, "memory": rounds, "copy": rounds}"""
    order = random.Random(arguments.seed)
    programs = {name: build.compile_program(os.path.join(folder, name), sources) for name, sources
                in (("pairs", pairs.SOURCES), ("fill", [os.path.join(HERE, "fill.c")]),
                    ("copy", [os.path.join(HERE, "copy.c")]))}
    allocators = configurations(plan, arguments.lib)
    shapes = pair_shapes(programs["pairs"], arguments.shape)
    copy_library = os.path.join(os.path.dirname(arguments.lib), COPY_LIBRARY)
    measured = {"time": [], "memory": [], "copy": []}
    try:
        for number in range(arguments.rounds):
            if number < arguments.memory_rounds:
                measured["memory"].append(memory_round(programs["fill"], allocators, order))
            if os.path.exists(copy_library):
                measured["copy"].append(
                    copy_round(programs["copy"], arguments.lib, copy_library, order))
            measured["time"].append(time_round(programs["pairs"], shapes, allocators, order))
            say(f"round {number + 1} of {arguments.rounds}")
    except Stopped as signal_number:
        say(f"stopped by signal {signal_number}: what follows was measured until then")
    if not measured["copy"]:
        plan.notes.append(f"no {COPY_LIBRARY} beside the library: copies are not priced")
    return measured


def own_defence(text):
    try:
        return defences.own_defence(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text}: not NAME:OPTION=OFF:OPTION=ON") from error


def command_line():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lib", required=True, help="the spanguard library")
    parser.add_argument("--rounds", type=int, default=10, help="default 10")
    parser.add_argument("--memory-rounds", type=int, default=5, help="(default 5)")
    parser.add_argument("--only", nargs="+", default=[], metavar="DEFENCE", help="these only",
                        choices=[defence.name for defence in defences.DEFENCES])
    parser.add_argument("--also", action="append", default=[], type=own_defence,
                        metavar="NAME:OPTION=OFF:OPTION=ON", help="price this option too")
    parser.add_argument("--shape", action="append", default=[],
                        help="as in pairs.py, for a shorter run")
    parser.add_argument("--seed", type=int, help="fixes the order of the runs")
    parser.add_argument("--json", metavar="FILE", help="also write the figures there")
    parser.add_argument("--plot", metavar="FILE.svg", help="also draw the prices there")
    arguments = parser.parse_args()
    arguments.lib = peers.existing(arguments.lib)
    return arguments


def main():
    arguments = command_line()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)
    plan = defences.make_plan(arguments.lib, arguments.only, arguments.also)
    with tempfile.TemporaryDirectory() as folder:
        measured = measure(folder, plan, arguments)
    if not measured["time"]:
        sys.exit("no round was complete")
    result = price_report.analyse(plan, measured)
    price_report.show(result, plan.notes)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"analysis": result, "options": plan.options, "notes": plan.notes,
                       "rounds": measured}, file, indent=1)
    if arguments.plot:
        price_report.draw(result, arguments.plot)


if __name__ == "__main__":
    main()
