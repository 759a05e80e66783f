#!/usr/bin/python3 -B
"""Runs clang-tidy over lib/ and hardening/, with the flags that the build compiles them with.

usage: check_tidy.py --build BUILD [--root FOLDER] [--leave-out FOLDER...]
"""
import argparse
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

from tap import Tap

# The build's flags are gcc's; what clang does not know of them is no finding.
EXTRA = ["--extra-arg=-Wno-unknown-warning-option",
         "--extra-arg=-Wno-ignored-optimization-argument"]
WORKERS = 2
FINDING = re.compile(r": (?:error|warning): ")


def commands(root, build, left_out):
    """file -> how the build compiles it, for the C files of lib/ and hardening/. Of the variants
    of a file the last counts, the debug build: its asserts tell the analyser what holds."""
    found = {}
    for entry in json.loads((build / "compile_commands.json").read_text(encoding="utf-8")):
        path = (pathlib.Path(entry["directory"]) / entry["file"]).resolve()
        if (path.suffix == ".c" and path.is_relative_to(root)
                and path.relative_to(root).parts[0] in ("lib", "hardening")
                and str(path.parent.relative_to(root)) not in left_out):
            found[path] = {**entry, "file": str(path)}
    return found


def findings(tidy, root, database, path):
    command = [tidy, "--quiet", "-p", database, *EXTRA, str(path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=root)
    lines = [re.sub(rf"^(?:{re.escape(str(root))}/)?(?:[\w.]+/\.\./|\.\./)?", "", line)
             for line in result.stdout.splitlines() if FINDING.search(line)]
    if result.returncode != 0 and not lines:
        lines = [f"{path}: clang-tidy ended with {result.returncode}", *result.stderr.splitlines()]
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--build", required=True, type=pathlib.Path)
    parser.add_argument("--root", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parent.parent)
    parser.add_argument("--leave-out", nargs="*", default=[], metavar="FOLDER")
    arguments = parser.parse_args()
    root, build = arguments.root.resolve(), arguments.build.resolve()
    tap = Tap()
    tidy = shutil.which("clang-tidy-14") or shutil.which("clang-tidy")
    if tidy is None:
        tap.skip("clang-tidy finds nothing", "clang-tidy is not installed")
        return tap.finish()
    compiled = commands(root, build, arguments.leave_out)
    with tempfile.TemporaryDirectory() as database:
        pathlib.Path(database, "compile_commands.json").write_text(
            json.dumps(list(compiled.values())), encoding="utf-8")
        with ThreadPoolExecutor(WORKERS) as pool:
            found = dict(zip(sorted(compiled), pool.map(
                lambda path: findings(tidy, root, database, path), sorted(compiled))))
    for folder in sorted({path.parent for path in compiled}):
        problems = [line for path in found if path.parent == folder for line in found[path]]
        tap.check(f"clang-tidy finds nothing in {folder.relative_to(root)}",
                  dict.fromkeys(problems))
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
