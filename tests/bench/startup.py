#!/usr/bin/python3 -B
"""What a preload costs a program that does nothing: CPU time of its whole life, and the memory
resident when it exits, over the same program without a preload.

`empty` is a preload without a single function: what it costs, every preload costs."""

import argparse
import collections
import json
import os
import random
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

import build  # noqa: E402
import peers  # noqa: E402
import summary  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))

PROGRAMS = (
    ("/bin/true",),
    ("/bin/sh", "-c", ":"),
    ("/bin/bash", "-c", ":"),
    ("/usr/bin/python3", "-c", "pass"),
)


def spawn(launcher, mode, rounds, allocators, program):
    """The launcher's lines as {name: [(figure, ...), ...]}; None if it could not do it.

    The children's stderr must stay empty: the loader says there when it drops a preload."""
    named = [f"{a.name}={a.preload}" for a in allocators]
    command = [launcher, mode, str(rounds), str(random.randrange(1 << 30)), *named, "--", *program]
    done = subprocess.run(command, env=peers.environment(peers.GLIBC), capture_output=True,
                          text=True, timeout=60 + rounds * len(allocators), check=False)
    if done.returncode != 0 or done.stderr:
        print(f"{' '.join(program)}, {mode}: {done.stderr.strip()}", file=sys.stderr)
        return None
    result = collections.defaultdict(list)
    for line in done.stdout.splitlines():
        name, *figures = line.split("\t")
        result[name].append(tuple(int(figure) for figure in figures))
    return result


def over(figures, name, column):
    """By how many KiB `name` lies over glibc, round by round."""
    return summary.spread([own[column] - base[column]
                           for own, base in zip(figures[name], figures["glibc"])])


def kib(spread):
    return f"{spread.median:+.0f} ({spread.low:+.0f}..{spread.high:+.0f})"


def cpu_cell(cpu, name):
    base = [figure[0] for figure in cpu["glibc"]]
    return summary.paired([figure[0] for figure in cpu[name]], base)


def measure_program(launcher, program, allocators, arguments):
    """A row of results per allocator, as dictionaries that json can write."""
    cpu = spawn(launcher, "cpu", arguments.rounds, allocators, program)
    memory = spawn(launcher, "memory", arguments.memory_rounds, allocators, program)
    result = {}
    for allocator in allocators:
        row = {}
        if cpu:
            row["cpu_us"] = summary.spread([figure[0] for figure in cpu[allocator.name]])
            row["cpu_ratio"] = cpu_cell(cpu, allocator.name)
        if memory:
            row["resident_kib"] = summary.spread([f[0] for f in memory[allocator.name]])
            row["resident_over_glibc_kib"] = over(memory, allocator.name, 0)
            row["anonymous_over_glibc_kib"] = over(memory, allocator.name, 1)
        result[allocator.name] = row
    return result


def print_program(program, result):
    header = ["", "CPU us", "ratio to glibc", "resident KiB", "over glibc", "anonymous over glibc"]
    rows = []
    for name, row in result.items():
        cells = ["-"] * 5
        if "cpu_us" in row:
            cells[:2] = [f"{row['cpu_us'].median:.0f}", row["cpu_ratio"].ratio()]
        if "resident_kib" in row:
            cells[2:] = [f"{row['resident_kib'].median:.0f}", kib(row["resident_over_glibc_kib"]),
                         kib(row["anonymous_over_glibc_kib"])]
        rows.append([name, *cells])
    print(f"{' '.join(program)}\n{summary.table(header, rows)}\n")


def command_line():
    parser = argparse.ArgumentParser(description=__doc__)
    peers.add_arguments(parser)
    parser.add_argument("--rounds", type=int, default=200, help="starts of each (default 200)")
    parser.add_argument("--memory-rounds", type=int, default=11, help="(default 11)")
    parser.add_argument("--json", metavar="FILE", help="also write the figures there")
    arguments = parser.parse_args()
    if arguments.variant:
        parser.error("--variant: a start is measured in one environment; export it instead")
    return arguments


def main():
    arguments = command_line()
    allocators = peers.chosen(arguments)
    results = {}
    with tempfile.TemporaryDirectory() as folder:
        launcher = build.compile_program(os.path.join(folder, "spawn"),
                                         [os.path.join(HERE, "spawn.c")], "-static")
        empty = build.compile_program(os.path.join(folder, "empty.so"),
                                      [os.path.join(HERE, "empty.c")], "-shared", "-fPIC")
        allocators.insert(1, peers.Allocator("empty", empty))
        print("median (quartiles); ratios and differences are taken inside a round\n")
        for program in PROGRAMS:
            if not os.path.exists(program[0]):
                print(f"{program[0]}: absent\n")
                continue
            results[" ".join(program)] = measure_program(launcher, program, allocators, arguments)
            print_program(program, results[" ".join(program)])
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1)


if __name__ == "__main__":
    main()
