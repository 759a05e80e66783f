#!/usr/bin/python3 -B
"""Holds lib/ and hardening/, layers or not, to their sizes: lines of a function and of a file, parameters, width.

usage: check_size.py [--root FOLDER]

Relies on the format that ci/check_format.sh proves: a function's braces, and nothing else, stand
alone in the first column. A function's lines are counted as clang-tidy does, from brace to brace.
"""
import argparse
import collections
import pathlib
import re
import sys

import layers
from tap import Tap

FUNCTION_LINES = 40
FILE_LINES = 400
PARAMETERS = 4
COLUMNS = 100
FEWEST_FUNCTIONS = 3  # fewer in a whole layer list: this script no longer sees them

# (file or function, what) -> the limit agreed for it, and why. A row that is not needed fails.
EXCEPTIONS = {
    ("os_kernel_call", "parameters"): (7, "a system call has a number and up to six arguments"),
}

Function = collections.namedtuple("Function", "name line lines parameters")


def files(root):
    found = sorted((root / layers.PUBLIC).rglob("*.h"))
    for layer in layers.LAYERS | layers.ASIDE:
        found += layers.sources(root, layer, {".c", ".h"})
    return found


def parameters_of(signature):
    """The number of parameters between the first parenthesis of the name and its partner."""
    start = re.search(r"\b\w+\s*\((?!\()", strip_attributes(signature))
    text = strip_attributes(signature)[start.end():] if start else ""
    depth, commas, seen = 0, 0, ""
    for character in text:
        if character == ")" and depth == 0:
            break
        depth += {"(": 1, ")": -1}.get(character, 0)
        commas += character == "," and depth == 0
        seen += character
    return 0 if seen.strip() in ("", "void") else commas + 1


def strip_attributes(signature):
    return re.sub(r"__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)|\bREQUIRES\([^()]*\)|"
                  r"\b(?:alignas|_Alignas)\([^()]*\)", " ", signature)


def name_of(signature):
    match = re.search(r"(\w+)\s*\(", strip_attributes(signature))
    return match[1] if match else signature.strip()


def functions(text):
    """Each function of a formatted file: its signature ends where a lone "{" stands."""
    lines = layers.without_comments_and_strings(text).splitlines()
    lines = ["" if line.lstrip().startswith("#") else line for line in lines]
    opened = None
    for index, line in enumerate(lines):
        if line.rstrip() == "{":
            opened = index
        elif line.rstrip() == "}" and opened is not None:
            signature = signature_above(lines, opened)
            yield Function(name_of(signature), opened + 1, index - opened,
                           parameters_of(signature))
            opened = None


def signature_above(lines, opened):
    first = opened
    while first > 0 and lines[first - 1].strip() and lines[first - 1].rstrip()[-1] not in ";}":
        first -= 1
    return " ".join(lines[first:opened])


class Limits:
    def __init__(self):
        self.used = set()

    def exceeded(self, subject, what, value, limit):
        agreed, _reason = EXCEPTIONS.get((subject, what), (limit, ""))
        if value > limit and value <= agreed:
            self.used.add((subject, what))
        return value > agreed


def size_problems(root, path, limits):
    name = str(path.relative_to(root))
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    if limits.exceeded(name, "lines", len(lines), FILE_LINES):
        yield f"{name}: {len(lines)} lines, limit {FILE_LINES}"
    for number, line in enumerate(lines, 1):
        if limits.exceeded(name, "columns", len(line), COLUMNS):
            yield f"{name}:{number}: {len(line)} columns, limit {COLUMNS}"
    for function in functions(text):
        place = f"{name}:{function.line}: {function.name}()"
        if limits.exceeded(function.name, "lines", function.lines, FUNCTION_LINES):
            yield f"{place}: {function.lines} lines, limit {FUNCTION_LINES}"
        if limits.exceeded(function.name, "parameters", function.parameters, PARAMETERS):
            yield f"{place}: {function.parameters} parameters, limit {PARAMETERS}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--root", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parent.parent)
    root = parser.parse_args().root.resolve()
    tap, limits = Tap(), Limits()
    found = files(root)
    count = sum(len(list(functions(path.read_text(encoding="utf-8")))) for path in found)
    tap.check("the functions are found", [] if count >= FEWEST_FUNCTIONS else [f"only {count}"])
    for folder in sorted({path.parent for path in found}):
        problems = [problem for path in found if path.parent == folder
                    for problem in size_problems(root, path, limits)]
        tap.check(f"{folder.relative_to(root)} keeps its functions and files small", problems)
    tap.check("every exception is needed",
              (f"{subject}: {what}" for subject, what in EXCEPTIONS
               if (subject, what) not in limits.used))
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
