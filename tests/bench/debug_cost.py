#!/usr/bin/python3 -B
"""What the debug library costs programs that do little but allocate, beside AddressSanitizer: user
and system time of the whole process over the same program on glibc, and the most memory it had.

In each round every column runs once, in random order; ratios are formed inside a round."""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True

import build  # noqa: E402
import summary  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
PYTHON = "/usr/bin/python3"
COLUMNS = ("glibc", "asan", "debug", "no stacks", "guard")
OPTIONS = {"debug": "profile=debug", "no stacks": "profile=debug:stack_depth=0",
           "guard": "profile=guard"}
LIMIT_SECONDS = 300

# Under guard each block costs a page: a part of the work is enough, over a part of glibc's.
SHAPES = {"churn": (1000000, 100000), "tree": (300000, 50000), "strings": (300000, 50000),
          "threads": (1000000, 100000), "json": (20000, 4000)}

JSON_WORK = """
import json
rows = [{"id": i, "name": "item %d" % i, "tags": ["a", "b", str(i)], "value": i * 1.5}
        for i in range(@COUNT@)]
assert len(json.loads(json.dumps(rows))) == @COUNT@
"""


def command_of(shape, column, count, programs):
    if shape == "json":
        return [PYTHON, "-c", JSON_WORK.replace("@COUNT@", str(count))]
    return [programs["asan" if column == "asan" else "plain"], shape, str(count)]


def environment_of(shape, column, args):
    environment = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "PYTHONMALLOC": "malloc",
                   "ASAN_OPTIONS": "detect_leaks=0"}
    if column in OPTIONS:
        environment["LD_PRELOAD"] = os.path.abspath(args.lib)
        environment["SPANGUARD_OPTIONS"] = OPTIONS[column]
    elif column == "asan" and shape == "json":
        environment["LD_PRELOAD"] = args.libasan
    return environment


def run(command, environment):
    """(CPU seconds, KiB at most); a program that fails ends the benchmark."""
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(command, env=environment, stdout=said, stderr=said)
        usage = wait(process)
        if process.returncode != 0:
            said.seek(0)
            sys.exit(f"{command} ended with {process.returncode}:\n"
                     f"{said.read().decode(errors='replace')}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def wait(process):
    end = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < end:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid != 0:
            process.returncode = os.waitstatus_to_exitcode(status)
            return usage
        time.sleep(0.01)
    process.kill()
    process.wait()
    return sys.exit(f"still running after {LIMIT_SECONDS} s")


def runs_of(shape, columns):
    """(column, which count): each column with its reference."""
    wanted = [("glibc", 0)] + [(column, 0) for column in columns if column not in ("glibc", "guard")]
    if "guard" in columns:
        wanted += [("glibc", 1), ("guard", 1)]
    return wanted


def measure(shape, columns, programs, args):
    results = {one: [] for one in runs_of(shape, columns)}
    for _ in range(args.rounds):
        for column, part in random.sample(list(results), len(results)):
            command = command_of(shape, column, SHAPES[shape][part], programs)
            results[column, part].append(run(command, environment_of(shape, column, args)))
    return results


def row_of(shape, columns, results):
    row = [shape]
    for column in columns:
        part = int(column == "guard")
        seconds = [one[0] for one in results[column, part]]
        reference = [one[0] for one in results["glibc", part]]
        memory = summary.spread([one[1] / 1024 for one in results[column, part]]).median
        figure = (f"{summary.spread(seconds).median:.3f} s" if column == "glibc"
                  else summary.paired(seconds, reference).ratio())
        row += [figure, f"{memory:.0f}"]
    return row


def over_asan(results):
    """The column debug over asan, round by round."""
    pair = [[one[0] for one in results[column, 0]] for column in ("debug", "asan")]
    return summary.paired(*pair).ratio()


def kernel_part(programs, args):
    """The least that guard can cost in churn: its system calls and faults without an allocator."""
    count = SHAPES["churn"][1]
    seconds = {"pages": [], "churn": []}
    if subprocess.run([programs["plain"], "pages", "1"], check=False).returncode != 0:
        return "this kernel has no guard pages of madvise"
    for _ in range(args.rounds):
        for shape in random.sample(list(seconds), len(seconds)):
            usage = run([programs["plain"], shape, str(count)], environment_of(shape, "glibc", args))
            seconds[shape].append(usage[0])
    each = summary.spread(seconds["pages"]).median / count * 1e6
    return (f"a page opened, written to and closed takes the kernel {each:.1f} us: "
            f"guard in churn cannot be below {summary.paired(seconds['pages'], seconds['churn']).ratio()}")


def find_libasan():
    done = subprocess.run(["cc", "-print-file-name=libasan.so"], capture_output=True, text=True,
                          check=False)
    path = done.stdout.strip()
    return path if os.path.isabs(path) else None


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lib", required=True, help="libspanguard-debug.so")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--shape", choices=SHAPES, action="append", help="only this one")
    parser.add_argument("--json", help="file for all figures")
    args = parser.parse_args()
    if not os.path.exists(args.lib):
        parser.error(f"no file {args.lib}")
    args.libasan = find_libasan()
    return args


def compile_programs(folder, columns):
    source = os.path.join(HERE, "debug_cost.c")
    programs = {"plain": build.compile_program(os.path.join(folder, "plain"), [source], "-g")}
    if "asan" in columns:
        programs["asan"] = build.compile_program(os.path.join(folder, "asan"), [source], "-g",
                                                 "-fsanitize=address")
    return programs


def main():
    args = arguments()
    columns = [column for column in COLUMNS if column != "asan" or args.libasan]
    if not args.libasan:
        print("no AddressSanitizer here: left out", file=sys.stderr)
    figures = {}
    with tempfile.TemporaryDirectory() as folder:
        programs = compile_programs(folder, columns)
        for shape in args.shape or SHAPES:
            figures[shape] = measure(shape, columns, programs, args)
        least = kernel_part(programs, args) if "churn" in figures else None
    header = ["CPU time over glibc"] + [cell for column in columns for cell in (column, "MiB")]
    print(summary.table(header, [row_of(shape, columns, figures[shape]) for shape in figures]))
    if args.libasan:
        print("\ndebug over asan: " +
              ", ".join(f"{shape} {over_asan(figures[shape])}" for shape in figures))
    if least:
        print("\n" + least)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as out:
            json.dump({shape: {f"{column} {part}": values for (column, part), values in
                               results.items()} for shape, results in figures.items()}, out)


if __name__ == "__main__":
    main()
