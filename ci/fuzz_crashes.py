#!/usr/bin/python3 -B
"""Sorts crashing inputs by what was wrong: the broken promise, or the sanitizer's line.

usage: fuzz_crashes.py --program FUZZ-TARGET FOLDER    a table; status 1 if the folder has crashes
       fuzz_crashes.py --program FUZZ-TARGET --kind FILE   what is wrong with one; nothing if none

Each input is run again. One that passes now is of the kind "does not replay".
"""
import argparse
import collections
import pathlib
import re
import subprocess
import sys

SECONDS = 60
PROMISE = re.compile(r"^(fuzz: .*|spanguard\[\d+\]: .*)$", re.MULTILINE)
SANITIZER = re.compile(r"^(?:SUMMARY: (.*)|.*(runtime error: .*))$", re.MULTILINE)
FRAME = re.compile(r"^ *#\d+ 0x[0-9a-f]+ in (\w+) (\S*/(?:lib|hardening)/\S+?):\d+", re.MULTILINE)
FRAMES = 3
REPLAYS_NOT = "does not replay"


def without_numbers(text):
    """Addresses, sizes, processes and ids differ from input to input."""
    text = re.sub(r"^spanguard\[\d+\]", "spanguard", text)
    return re.sub(r"\b(?:0x[0-9a-f]+|id=[0-9a-f]{8}|\d+)\b", "N", text)


def kind_of(output):
    """The first promise that was broken; else the sanitizer's line; with where it was."""
    found = PROMISE.search(output)
    if found:
        line = found[1]
    elif found := SANITIZER.search(output):
        line = re.sub(r" /\S*/", " ", found[1] or found[2])
    else:
        line = next(iter(output.strip().splitlines()[-1:]), "died without a word")
    frames = [match[1] for match in FRAME.finditer(output)][:FRAMES]
    return " < ".join([without_numbers(line), *frames])


def run(program, path):
    """The kind of one input, or None if it passes."""
    command = [program, "-timeout=20", "-rss_limit_mb=2048", path]
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace",
                              timeout=SECONDS, stdin=subprocess.DEVNULL)
    except subprocess.TimeoutExpired:
        return f"runs for more than {SECONDS} s"
    return kind_of(done.stdout + done.stderr) if done.returncode != 0 else None


def sort(program, paths):
    kinds = collections.defaultdict(list)
    for path in paths:
        kinds[run(program, path) or REPLAYS_NOT].append(path)
    return kinds


def print_table(name, kinds):
    for kind, paths in sorted(kinds.items(), key=lambda item: -len(item[1])):
        smallest = min(paths, key=lambda path: (path.stat().st_size, path.name))
        print(f"{name}: {len(paths)} x {kind}\n    {smallest} ({smallest.stat().st_size} bytes)")


def main(arguments):
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("--program", type=pathlib.Path, required=True)
    parser.add_argument("--kind", action="store_true")
    parser.add_argument("path", type=pathlib.Path)
    options = parser.parse_args(arguments)
    if options.kind:
        print(run(options.program, options.path) or "", end="")
        return 0
    paths = sorted(path for path in options.path.glob("*") if path.is_file())
    kinds = sort(options.program, paths)
    print_table(options.program.name, kinds)
    return 1 if kinds else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
