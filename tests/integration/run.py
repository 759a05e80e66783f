#!/usr/bin/python3
"""Runs real programs under glibc and under a preloaded allocator; fails where they differ."""

import argparse
import contextlib
import os
import resource
import shutil
import signal
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

sys.dont_write_bytecode = True  # nothing is written outside the temporary folder

from cases import CASES
from harness import compare, processes, tap
from harness.allocator import PRELOAD, Allocator, UnusableLibrary, check_library, snapshot
from harness.case import reason_to_skip
from harness.tools import CannotCompile, Tools

BAD_ARGUMENTS = 2
LARGEST_FILE_BYTES = 2 << 30
SLOW_LIMIT = 4  # times the limit of a case, with --profile


@dataclass(frozen=True)
class Profile:
    """A profile of the debug library, and how much slower than the others it is."""
    slowness: int
    short: tuple[str, ...]  # the cases of --short: those that take seconds


SHORT = ("perl", "text-tools", "dpkg", "apt-cache", "git", "short-threads", "fork-storm", "sqlite3")
PROFILES = {"debug": Profile(8, SHORT), "guard": Profile(20, SHORT)}


def assignment(text):
    name, separator, value = text.partition("=")
    if not separator or not name:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=VALUE")
    if name.startswith("LD_"):
        raise argparse.ArgumentTypeError(f"{name} belongs to this program; use --lib")
    return name, value


def positive(text):
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive whole number")
    return int(text)


def parse(arguments):
    parser = argparse.ArgumentParser(prog="run.py", description=__doc__, allow_abbrev=False)
    parser.add_argument("--lib", metavar="PATH", help="the shared object to preload")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="run these cases only")
    parser.add_argument("--list", action="store_true", help="print the cases and stop")
    parser.add_argument("--keep", action="store_true", help="keep the temporary folder, print it")
    parser.add_argument("--env", nargs="+", action="extend", default=[], type=assignment,
                        metavar="NAME=VALUE", help="set in the environment of preloaded runs only")
    parser.add_argument("--profile", choices=PROFILES,
                        help="of the debug library: smaller loads, and more time")
    parser.add_argument("--short", action="store_true",
                        help="with --profile: only the cases that take seconds")
    parser.add_argument("--no-skip", action="store_true",
                        help="a case that cannot run is a failure")
    parser.add_argument("--limit", type=positive, metavar="SECONDS",
                        help="replace each case's own time limit for one run")
    options = parser.parse_args(arguments)
    unknown = set(options.only or ()) - {case.name for case in CASES}
    if unknown:
        parser.error(f"no such case: {', '.join(sorted(unknown))} (see --list)")
    if not options.list and not options.lib:
        parser.error("--lib is required")
    if options.short and not options.profile:
        parser.error("--short goes with --profile")
    if options.profile:
        settle_profile(options)
    return options


def settle_profile(options):
    """What else the caller says of SPANGUARD_OPTIONS stays."""
    environment = dict(options.env)
    said = environment.get("SPANGUARD_OPTIONS")
    environment["SPANGUARD_OPTIONS"] = ":".join(filter(None, (f"profile={options.profile}", said)))
    options.env = list(environment.items())
    if options.short and not options.only:
        options.only = list(PROFILES[options.profile].short)


def preloaded_allocator(options, suite):
    slowness = PROFILES[options.profile].slowness if options.profile else 1
    return Allocator(PRELOAD, snapshot(options.lib, suite), dict(options.env), slowness)


def seconds_of(case, options):
    """For one run, if not the case's own limit: loads that do not scale take longer."""
    return options.limit or (case.limit_seconds * SLOW_LIMIT if options.profile else None)


def chosen(options):
    return [case for case in CASES if not options.only or case.name in options.only]


def show(cases):
    for case in cases:
        reason = reason_to_skip(case)
        print(f"{case.name:20} {case.about}" + (f" [{reason}]" if reason else ""))


@contextlib.contextmanager
def suite_folder(keep):
    folder = Path(tempfile.mkdtemp(prefix="spanguard-integration-"))
    os.chmod(folder, 0o755)  # servers that give up root must be able to enter
    try:
        yield folder
    finally:
        if keep:
            tap.note(f"kept: {folder}")
        else:
            shutil.rmtree(folder, ignore_errors=True)


def run_case(number, case, context):
    """True when the case passed, False when it failed, None when it could not run."""
    options, preloaded, tools, suite = context
    reason = reason_to_skip(case)
    if reason:
        if options.no_skip:
            tap.result(number, case.name, False)
            tap.note(reason)
            return False
        tap.skipped(number, case.name, reason)
        return None
    verdict = compare.judge(case, preloaded, tools, suite, seconds_of(case, options))
    tap.result(number, case.name, verdict.passed)
    tap.note(" ".join(f"{side} {seconds:.1f} s" for side, seconds in verdict.seconds.items()))
    tap.note(verdict.text)
    if not options.keep:
        compare.discard(case, suite)
    return verdict.passed


def run_all(options, suite):
    if any(character in str(suite) for character in " :"):
        raise UnusableLibrary(f"LD_PRELOAD cannot name files in {suite}: set TMPDIR")
    check_library(options.lib)
    preloaded = preloaded_allocator(options, suite)
    context = (options, preloaded, Tools(suite), suite)
    cases = chosen(options)
    tap.plan(len(cases))
    results = [run_case(number, case, context) for number, case in enumerate(cases, 1)]
    if not any(passed is not None for passed in results):
        tap.note("no case could run: that proves nothing")
        return 1
    return 1 if False in results else 0


def stop(number, _frame):
    sys.exit(128 + number)


def main(arguments):
    options = parse(arguments)
    if options.list:
        show(chosen(options))
        return 0
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE_BYTES, LARGEST_FILE_BYTES))
    processes.become_subreaper()
    try:
        with suite_folder(options.keep) as suite:
            return run_all(options, suite)
    except (UnusableLibrary, CannotCompile) as error:
        print(f"run.py: {error}", file=sys.stderr)
        return BAD_ARGUMENTS


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
