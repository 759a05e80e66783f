"""Test programs, the library under test, and the helper that it starts, in one folder."""
import os
import pathlib
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interface"))

import tap  # noqa: E402

FOLDER = pathlib.Path(__file__).resolve().parent
HELPER = "spanguard-symbolize"


@dataclass
class Frame:
    """One line of what probe.c prints."""
    stack: str
    is_inlined: bool
    function: str
    file: str
    line: int
    column: int
    source: str
    module: str
    offset: str
    build_id: str

    @classmethod
    def read(cls, text):
        stack, inlined, function, file, line, column, *rest = text.split("\t")
        return cls(stack, inlined == "1", function, file, int(line), int(column), *rest)


class Answer:
    """What a program printed of one or more bugs."""

    def __init__(self, outcome):
        self.outcome = outcome
        lines = outcome.stdout.splitlines()
        found = [line.split("\t") for line in lines if line.startswith("found\t")]
        self.found = bool(found) and all(words[1] == "1" for words in found)
        self.milliseconds = int(found[0][2]) if found else -1
        self.string_bytes = int(found[0][3]) if found else -1
        self.places = [line.split("\t")[1] for line in lines if line.startswith("place\t")]
        self.frames = [Frame.read(line) for line in lines
                       if line.startswith(("at\t", "made\t", "leak\t"))]

    def functions(self):
        return [frame.function for frame in self.frames]

    def notes(self):
        return self.outcome.notes()


def line_of(source, marker):
    """The number of the line of a source file that has the marker in its comment."""
    lines = (FOLDER / source).read_text(encoding="utf-8").splitlines()
    return next(i for i, line in enumerate(lines, 1) if re.search(rf"/[*/] {marker}\b", line))


class Workbench(tap.Workshop):
    """Builds in a folder that others may read: some programs run with fewer rights."""

    def __init__(self, arguments):
        super().__init__()
        self.folder.chmod(0o755)
        self.arguments = arguments
        self.library = None
        shutil.copy(arguments.lib, self.folder / "libsymbols_probe.so")
        self.use_helper()

    def helper(self):
        return self.folder / HELPER

    def use_helper(self, source=None):
        """The helper beside the library: the real one, or another program."""
        self.remove_helper()
        shutil.copy(source or self.arguments.helper, self.helper())

    def use_script(self, text):
        self.remove_helper()
        self.helper().write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
        self.helper().chmod(0o755)

    def remove_helper(self):
        self.helper().unlink(missing_ok=True)

    def build(self, source, name, flags=(), compiler=None):
        """Compiles a program of this folder against the library under test."""
        target = self.folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        is_cxx = source.endswith(".cc")
        command = [compiler or ("c++" if is_cxx else "cc"),
                   "-std=c++17" if is_cxx else "-std=gnu11", "-O2", "-Wall", "-Wextra",
                   "-D_GNU_SOURCE", "-pthread", str(FOLDER / source), f"-I{FOLDER}",
                   f"-L{self.folder}", f"-Wl,-rpath,{self.folder}", "-o", str(target), *flags,
                   "-Wl,--no-as-needed", "-lsymbols_probe"]
        self.tool(*command)
        return target

    def target(self):
        """The program of many modes; built when first asked for."""
        path = self.folder / "target"
        return path if path.exists() else self.build("target.c", "target", ["-g"])

    def tool(self, *command):
        done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=120,
                              check=False, cwd=self.folder)
        if done.returncode != 0:
            raise tap.BuildError(f"{command[0]}: {done.stderr}")
        return done.stdout

    def ask(self, *command, **more):
        return Answer(self.run(command, preload=None, **more))

    def converse(self, request):
        """What the helper itself says to a request."""
        return subprocess.run([self.arguments.helper], input=request, capture_output=True,
                              timeout=20, check=False, env={}, cwd=self.folder)


def is_alive(process):
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True
