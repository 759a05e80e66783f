#!/usr/bin/python3 -B
"""CPU time of malloc+free pairs over glibc and its rivals, interleaved round after round.

In a round every allocator runs once, in random order; a ratio is always taken inside a round, so
that a machine that slows down slows both sides. Prints the median of the ratios to glibc and their
quartiles for each shape, then the geometric mean over all shapes."""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

import build  # noqa: E402
import peers  # noqa: E402
import plot  # noqa: E402
import summary  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCES = [os.path.join(HERE, name) for name in ("pairs.c", "pairs_single.c", "pairs_threads.c")]
STATISTICS = ("median", "best", "mean")


def parse(output, statistic):
    """{"random-64": ns per pair} from one run, and the path it reported for malloc."""
    column = 3 + STATISTICS.index(statistic)
    result, served_by = {}, ""
    for line in output.splitlines():
        if line.startswith("# malloc from "):
            served_by = line.removeprefix("# malloc from ")
        else:
            fields = line.split("\t")
            result[f"{fields[0]}-{fields[1]}"] = float(fields[column])
    return result, served_by


def run_once(program, allocator, arguments):
    """One run's figures; None, and a line on stderr, if the run failed."""
    done = None
    try:
        done = subprocess.run([program, *arguments.shape], env=peers.environment(allocator),
                              capture_output=True, text=True, timeout=arguments.timeout,
                              check=False)
    except subprocess.TimeoutExpired:
        print(f"{allocator.name}: no result in {arguments.timeout} s", file=sys.stderr)
        return None
    if done.returncode != 0:
        print(f"{allocator.name}: exit {done.returncode}: {done.stderr[-500:]}", file=sys.stderr)
        return None
    try:
        figures, served_by = parse(done.stdout, arguments.statistic)
    except (IndexError, ValueError):
        print(f"{allocator.name}: cannot read: {done.stdout[-500:]}", file=sys.stderr)
        return None
    if not peers.serves(allocator, served_by):
        print(f"{allocator.name}: malloc came from {served_by}", file=sys.stderr)
        return None
    return figures


def run_rounds(program, allocators, arguments):
    """One dictionary per complete round: allocator name -> figures. An allocator that fails is
    left out of that round; a round without glibc is dropped."""
    order = random.Random(arguments.seed)
    rounds = []
    for number in range(arguments.rounds):
        figures = {}
        for allocator in order.sample(allocators, len(allocators)):
            result = run_once(program, allocator, arguments)
            if result:
                figures[allocator.name] = result
        if "glibc" in figures:
            rounds.append(figures)
        if sys.stderr.isatty():
            print(f"\rround {number + 1} of {arguments.rounds}", end="", file=sys.stderr)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return rounds


def shape_spread(rounds, name, shape):
    both = [figures for figures in rounds if name in figures]
    return summary.paired([figures[name][shape] for figures in both],
                          [figures["glibc"][shape] for figures in both])


def mean_spread(rounds, name):
    """The spread over the rounds of each round's geometric mean."""
    means = []
    for figures in rounds:
        if name in figures:
            base = figures["glibc"]
            means.append(summary.geometric_mean([figures[name][s] / base[s] for s in base]))
    return summary.spread(means)


def analyse(rounds, names):
    """What the table, the plot and the JSON file are made of."""
    shapes = list(rounds[0]["glibc"])
    glibc = {s: summary.spread([figures["glibc"][s] for figures in rounds]) for s in shapes}
    result = {"rounds": len(rounds), "glibc_ns": glibc, "ratios": {}, "mean": {}, "worst": {}}
    for name in names:
        ratios = {shape: shape_spread(rounds, name, shape) for shape in shapes}
        result["ratios"][name] = ratios
        result["mean"][name] = (summary.geometric_mean([r.median for r in ratios.values()]),
                                mean_spread(rounds, name))
        result["worst"][name] = max(shapes, key=lambda shape: ratios[shape].median)
    return result


def print_report(result, names):
    header = ["shape", "glibc ns", *names]
    rows = [[shape, f"{ns.median:.1f}", *[result["ratios"][n][shape].ratio() for n in names]]
            for shape, ns in result["glibc_ns"].items()]
    print(f"CPU time per pair, ratio to glibc: median (quartiles) of {result['rounds']} rounds\n")
    print(summary.table(header, rows))
    print("\ngeometric mean of the medians over all shapes (quartiles of the rounds' own means)")
    for name in names:
        mean, rounds = result["mean"][name]
        worst = result["worst"][name]
        print(f"  {name:12} {mean:.3f} ({rounds.low:.3f}-{rounds.high:.3f})   worst: {worst} "
              f"{result['ratios'][name][worst].ratio()}")


def command_line():
    parser = argparse.ArgumentParser(description=__doc__)
    peers.add_arguments(parser)
    parser.add_argument("--rounds", type=int, default=10, help="default 10; about 8 s each")
    parser.add_argument("--shape", action="append", default=[],
                        help="same, fifo, random, threads, handover, or one such as random-64")
    parser.add_argument("--statistic", choices=STATISTICS, default="median",
                        help="which figure of a run's chunks to compare (default: median)")
    parser.add_argument("--seed", type=int, help="fixes the order of the runs")
    parser.add_argument("--timeout", type=int, default=120, help="seconds for one run")
    parser.add_argument("--json", metavar="FILE", help="also write the figures there")
    parser.add_argument("--plot", metavar="FILE.svg", help="also draw the ratios there")
    return parser.parse_args()


def main():
    arguments = command_line()
    allocators = peers.chosen(arguments)
    with tempfile.TemporaryDirectory() as folder:
        program = build.compile_program(os.path.join(folder, "pairs"), SOURCES)
        rounds = run_rounds(program, allocators, arguments)
    if not rounds:
        sys.exit("no round was complete")
    measured = [a.name for a in allocators[1:] if any(a.name in figures for figures in rounds)]
    result = analyse(rounds, measured)
    print_report(result, measured)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"analysis": result, "rounds": rounds}, file, indent=1)
    if arguments.plot:
        plot.ratios(arguments.plot, result, measured)
    failed = [a.name for a in allocators[1:] if a.name not in measured]
    if failed:
        sys.exit("never completed a run: " + ", ".join(failed))


if __name__ == "__main__":
    main()
