#!/usr/bin/python3
"""Proves that the runner can fail: each part, with commands that do it wrong in different ways."""
import argparse
import pathlib
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True

import run  # noqa: E402
from harness import ROOT, Tap  # noqa: E402

# What asks another program, and a check that such a command passes by right.
APART = ("a full output", "spanguard-symbolize")
# what is wrong -> a command that does so; REAL stands for the right one; checks that must fail
BROKEN = {
    "says nothing and does nothing": (
        "exit 0", [name for part in run.PARTS for name in part.CHECKS if name not in APART]),
    "hides the status": (
        'REAL "$@"; exit 0',
        ["wrong usage", "run with a wrong option", "refused", "own status", "descendants", "codes",
         "config check", "a program", "a process"]),
    "runs what cannot be protected": (
        '[ "$1" != run ] || { shift; case $1 in -*) ;; *) exec "$@";; esac; set -- run "$@"; }\n'
        'exec REAL "$@"', ["run", "refused", "run a script", "more rights", "the library"]),
    "says too much": (
        'echo "spanguard 0.1 by me" >&2; exec REAL "$@"',
        ["run", "run in surroundings", "own status", "reports in", "config check", "a process"]),
}


def failed_checks(command, libraries, names):
    """Names of `names` that have a failed result, and of those that have none at all."""
    only = [word for name in names for word in ("--only", name)]
    done = subprocess.run([sys.executable, pathlib.Path(run.__file__), "--command", command,
                           *libraries, *only],
                          capture_output=True, text=True, timeout=300, check=False)
    failed = re.findall(r"^not ok \d+ - (.*)", done.stdout, re.MULTILINE)
    passed = [name for name in names if not any(line.startswith(name) for line in failed)]
    return done.returncode, passed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--command", default=ROOT / "build" / "spanguard", type=pathlib.Path)
    parser.add_argument("--lib", default=ROOT / "build" / "libspanguard.so", type=pathlib.Path)
    parser.add_argument("--debug-lib", default=ROOT / "build" / "libspanguard-debug.so")
    arguments = parser.parse_args()
    libraries = ["--lib", arguments.lib, "--debug-lib", arguments.debug_lib]
    tap = Tap()
    with tempfile.TemporaryDirectory(prefix="spanguard-selftest-") as folder:
        helper = arguments.command.resolve().parent / "spanguard-symbolize"
        pathlib.Path(folder, helper.name).symlink_to(helper)
        for what, (body, names) in BROKEN.items():
            names = [name for name in names if helper.exists() or helper.name not in name]
            command = pathlib.Path(folder, "spanguard")
            real = str(arguments.command.resolve())
            command.write_text("#!/bin/sh\n" + body.replace("REAL", real) + "\n")
            command.chmod(0o755)
            status, passed = failed_checks(command, libraries, names)
            tap.check(f"a command that {what} is found out", [
                status != 1 and f"status {status}", *(f"passed: {name}" for name in passed)])
        status, _passed = failed_checks(arguments.command, libraries, ["no such check"])
        tap.check("a run without a check fails", [status != 1 and f"status {status}"])
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
