"""Reads what llvm-cov exports: which lines and branches there are, and which were run.

A place is a line, or a branch by where it stands: several functions (a header's in each file, the
release and the debug build of one file) are one place, run if one of them ran it.
"""
import collections
import json
import pathlib
import subprocess

EXPANSION = 1  # a region that stands for a macro's text
SKIPPED_MACROS = ("ASSERT(",)  # a mistake of ours, in the debug build only: its other end is a bug
FOLDERS = ("lib/", "hardening/")

Function = collections.namedtuple("Function", "name first last")


class Places:
    """By file: lines -> was it run; branches -> were (true, false) taken; its functions."""

    def __init__(self):
        self.lines = collections.defaultdict(dict)
        self.branches = collections.defaultdict(dict)
        self.functions = collections.defaultdict(set)

    def add_line(self, file, line, was_run):
        self.lines[file][line] = self.lines[file].get(line, False) or was_run

    def add_branch(self, file, key, taken):
        old = self.branches[file].get(key, (False, False))
        self.branches[file][key] = (old[0] or taken[0], old[1] or taken[1])

    def add(self, other):
        for file, lines in other.lines.items():
            for line, was_run in lines.items():
                self.add_line(file, line, was_run)
        for file, branches in other.branches.items():
            for key, taken in branches.items():
                self.add_branch(file, key, taken)
        for file, functions in other.functions.items():
            self.functions[file] |= functions

    def within(self, universe):
        """The places of the universe, with what was run of them here."""
        result = Places()
        for file, lines in universe.lines.items():
            for line in lines:
                result.add_line(file, line, self.lines[file].get(line, False))
        for file, branches in universe.branches.items():
            for key in branches:
                result.add_branch(file, key, self.branches[file].get(key, (False, False)))
        result.functions = universe.functions
        return result

    def without(self, files):
        """The places of other files."""
        result = Places()
        for all_of, kept in ((self.lines, result.lines), (self.branches, result.branches),
                             (self.functions, result.functions)):
            kept.update((file, value) for file, value in all_of.items() if file not in files)
        return result


class Tree:
    """The sources: names relative to the root, and their text."""

    def __init__(self, root):
        self.root = pathlib.Path(root).resolve()
        self.texts = {}
        self.names = {}

    def name(self, path):
        if path not in self.names:
            whole = pathlib.Path(path).resolve()
            inside = whole.is_relative_to(self.root)
            self.names[path] = str(whole.relative_to(self.root)) if inside else str(whole)
        return self.names[path]

    def line(self, file, number):
        if file not in self.texts:
            self.texts[file] = (self.root / file).read_text(encoding="utf-8").splitlines()
        lines = self.texts[file]
        return lines[number - 1] if number <= len(lines) else ""


def is_ours(file):
    return file.startswith(FOLDERS)


def counted_lines(segments):
    """Yields (line, count) as llvm-cov's own reports count them."""
    by_line = collections.defaultdict(list)
    for line, _column, count, has_count, is_entry, is_gap in segments:
        by_line[line].append((count, has_count, is_entry, is_gap))
    wrapped = None
    for line in range(min(by_line, default=1), max(by_line, default=0) + 1):
        here = by_line.get(line, [])
        starts = [count for count, has, entry, gap in here if has and entry and not gap]
        is_skipped = bool(here) and not here[0][1] and here[0][2]
        if not is_skipped and (starts or (wrapped and wrapped[1])):
            before = [wrapped[0]] if wrapped and wrapped[1] else []
            yield line, max(before + starts)
        wrapped = here[-1] if here else wrapped


class Reader:
    def __init__(self, tree):
        self.tree = tree

    def read(self, text):
        places = Places()
        data = json.loads(text)["data"][0]
        for entry in data["files"]:
            file = self.tree.name(entry["filename"])
            for line, count in counted_lines(entry["segments"]) if is_ours(file) else ():
                places.add_line(file, line, count > 0)
        for function in data["functions"]:
            self.read_function(function, places)
        return places

    def read_function(self, function, places):
        files = [self.tree.name(path) for path in function["filenames"]]
        if not is_ours(files[0]):
            return
        first, _, last = function["regions"][0][:3]
        places.functions[files[0]].add(Function(function["name"].split(":")[-1], first, last))
        parents = {region[6]: region for region in function["regions"] if region[7] == EXPANSION}
        for branch in function["branches"]:
            chain = self.chain(branch[6], parents)
            if not self.is_skipped(chain, files):
                key = (*(chain[-1][:2] if chain else ()), *branch[:4])
                places.add_branch(files[0], key, (branch[4] > 0, branch[5] > 0))

    @staticmethod
    def chain(number, parents):
        """The macros that a place lies in, the innermost first."""
        found = []
        while number in parents:
            found.append(parents[number])
            number = parents[number][5]
        return found

    def is_skipped(self, chain, files):
        return any(self.tree.line(files[region[5]], region[0])[region[1] - 1:].startswith(
            SKIPPED_MACROS) for region in chain)


def line_of(key):
    """Where a branch is said to stand: what calls the macro, if it lies in one."""
    return key[0]


def export(tools, programs, profile):
    more = [part for program in programs[1:] for part in ("-object", program)]
    command = [tools["llvm-cov"], "export", programs[0], *more, "-instr-profile", profile]
    done = subprocess.run([str(part) for part in command], check=True, capture_output=True)
    return done.stdout
