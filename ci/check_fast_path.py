#!/usr/bin/python3 -B
"""Counts what one warm malloc, free, new and delete execute, and compares with the golden table.

usage: check_fast_path.py --lib LIBRARY [--golden FILE] [--update] [--show PROFILE OPERATION BYTES]

The counts are exact: ci/fast_path_probe.c steps through the calls, and of its rounds the most
frequent count is taken, so that a rare visit to the slow path does not matter. They belong to
the compiler that the table names; a library by another one is not compared.
"""
import argparse
import collections
import pathlib
import platform
import re
import subprocess
import sys
import tempfile

from tap import Tap

HERE = pathlib.Path(__file__).resolve().parent
GOLDEN = HERE.parent / "tests" / "golden" / "fast_path.txt"
SIZES = ["16", "64", "1024", "4096"]
PROFILES = ["fast", "hardened"]
NO_PTRACE = 77

Cost = collections.namedtuple("Cost", "instructions branches calls atomics stack")
HEAD = """\
# What one warm call executes, by ci/check_fast_path.py: instructions of the library, conditional
# branches, calls, atomic read-modify-writes, bytes of stack. A changed line is a decision.
# compiler: {compiler}
"""


class NotMeasurable(Exception):
    pass


def run(*command, **options):
    return subprocess.run(command, capture_output=True, text=True, check=True, **options).stdout


def compiler_of(library):
    comment = run("readelf", "-p", ".comment", library)
    found = sorted(set(re.findall(r"\]\s+(.+)", comment)))
    return " + ".join(found) or "unknown"


def disassemble(library):
    """offset -> instruction text"""
    code = {}
    for line in run("objdump", "-d", "--no-show-raw-insn", library).splitlines():
        if match := re.match(r"\s*([0-9a-f]+):\s+(.*)", line):
            code[int(match[1], 16)] = match[2]
    return code


def build_probe(folder):
    probe = pathlib.Path(folder) / "fast_path_probe"
    run("cc", "-O2", "-o", str(probe), str(HERE / "fast_path_probe.c"))
    return str(probe)


def trace(library, profile):
    """The lines of the probe: profile, operation, bytes, stack, one offset for each instruction."""
    with tempfile.TemporaryDirectory() as folder:
        command = [build_probe(folder), library, *SIZES]
        options = f"profile={profile}:sample_bytes=0"
        probe = subprocess.run(command, env={"LD_PRELOAD": library, "SPANGUARD_OPTIONS": options},
                               capture_output=True, text=True, check=False, timeout=120)
    if probe.returncode == NO_PTRACE:
        raise NotMeasurable("ptrace is not permitted here")
    if probe.returncode != 0:
        raise RuntimeError(f"the probe ended with {probe.returncode}: {probe.stderr.strip()}")
    return [[profile, *line.split()] for line in probe.stdout.splitlines()]


def is_atomic(text):
    return text.startswith("lock ") or (text.startswith("xchg") and "(" in text)


def cost_of(stack, offsets, code):
    texts = [code[int(offset, 16)] for offset in offsets if offset != "-"]
    mnemonics = [text.split()[0] for text in texts]
    return Cost(
        instructions=len(texts),
        branches=sum(name[0] == "j" and not name.startswith("jmp") for name in mnemonics),
        calls=sum(name.startswith("call") for name in mnemonics),
        atomics=sum(map(is_atomic, texts)),
        stack=int(stack))


def measure(rows, code):
    """(profile, operation, bytes) -> its most frequent cost; the cheaper one of two equally frequent"""
    costs = collections.defaultdict(collections.Counter)
    for profile, operation, size, stack, *offsets in rows:
        costs[profile, operation, size][cost_of(stack, offsets, code)] += 1
    return {call: min(counter, key=lambda cost: (-counter[cost], cost))
            for call, counter in costs.items()}


def show(rows, code, call):
    """One typical run of a call, instruction by instruction."""
    lengths = collections.Counter(len(row) for row in rows if tuple(row[:3]) == call)
    typical = lengths.most_common(1)[0][0]
    row = next(row for row in rows if tuple(row[:3]) == call and len(row) == typical)
    for offset in row[4:]:
        print(f"{offset:>8}  {code.get(int(offset, 16)) if offset != '-' else 'outside'}")


def write_golden(path, compiler, costs):
    titles = [" profile", "operation", "bytes", *Cost._fields]
    rows = [titles] + [[*call, *map(str, cost)] for call, cost in costs.items()]
    text = HEAD.format(compiler=compiler)
    for row in rows:
        text += "  ".join(f"{cell:>{len(title)}}" for cell, title in zip(row, titles)) + "\n"
    path.write_text(text, encoding="utf-8")


def read_golden(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    compiler = next(line for line in lines if line.startswith("# compiler: "))
    rows = [line.split() for line in lines if line and not line.startswith("#")][1:]
    costs = {tuple(row[:3]): Cost(*map(int, row[3:])) for row in rows}
    return compiler.removeprefix("# compiler: "), costs


def differences(found, golden):
    if found is None or golden is None:
        yield f"{'not measured' if found is None else 'not in the table'}: {found or golden}"
        return
    for name in Cost._fields:
        is_now, was = getattr(found, name), getattr(golden, name)
        if is_now != was:
            yield f"{name}: {is_now}, the table says {was}"


def compare(tap, found, golden):
    for call in {**golden, **found}:
        tap.check(f"{call[1]} of {call[2]} bytes in {call[0]} costs what the table says",
                  differences(found.get(call), golden.get(call)))


def check(tap, arguments):
    library = str(arguments.lib.resolve())
    if platform.machine() != "x86_64":
        raise NotMeasurable("the table is for x86_64")
    compiler = compiler_of(library)
    code = disassemble(library)
    rows = [row for profile in PROFILES for row in trace(library, profile)]
    costs = measure(rows, code)
    if arguments.show:
        show(rows, code, tuple(arguments.show))
    if arguments.update:
        write_golden(arguments.golden, compiler, costs)
    golden_compiler, golden = read_golden(arguments.golden)
    if golden_compiler != compiler:
        raise NotMeasurable(f"the table is for {golden_compiler}, the library by {compiler}")
    compare(tap, costs, golden)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--lib", required=True, type=pathlib.Path)
    parser.add_argument("--golden", default=GOLDEN, type=pathlib.Path)
    parser.add_argument("--update", action="store_true", help="rewrite the table")
    parser.add_argument("--show", nargs=3, metavar=("PROFILE", "OPERATION", "BYTES"),
                        help="print the instructions of one such call")
    arguments = parser.parse_args()
    tap = Tap()
    try:
        check(tap, arguments)
    except NotMeasurable as reason:
        tap.skip("the fast path costs what the table says", reason)
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        tap.check("the fast path can be measured", [error])
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
