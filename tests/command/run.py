#!/usr/bin/python3
"""The spanguard command: what it runs and refuses, collects, explains and finds, as TAP."""
import argparse
import pathlib
import sys

sys.dont_write_bytecode = True

import checks_ci  # noqa: E402
import checks_completion  # noqa: E402
import checks_debug  # noqa: E402
import checks_doctor  # noqa: E402
import checks_explain  # noqa: E402
import checks_odd  # noqa: E402
import checks_refused  # noqa: E402
import checks_run  # noqa: E402
import checks_settings  # noqa: E402
import checks_symbolize  # noqa: E402
import checks_system  # noqa: E402
import checks_usage  # noqa: E402
from harness import ROOT, Shop, Tap  # noqa: E402

PARTS = (checks_usage, checks_run, checks_ci, checks_explain, checks_doctor, checks_settings,
         checks_completion, checks_debug, checks_odd,
         checks_symbolize, checks_system, checks_refused)


def run_check(tap, shop, name, check):
    """A check that cannot read what the command made of it fails, and the next one follows."""
    try:
        check(tap, shop, name)
    except (AttributeError, IndexError, KeyError, OSError, SyntaxError, ValueError) as error:
        tap.check(f"{name}: can be judged", [f"{type(error).__name__}: {error}"])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--command", default=ROOT / "build" / "spanguard", metavar="PATH")
    parser.add_argument("--lib", default=ROOT / "build" / "libspanguard.so", metavar="PATH")
    parser.add_argument("--debug-lib", metavar="PATH", type=pathlib.Path,
                        default=ROOT / "build" / "libspanguard-debug.so")
    parser.add_argument("--only", action="append", default=[], metavar="TEXT",
                        help="only checks with TEXT in their names; may be repeated")
    arguments = parser.parse_args()
    tap = Tap(arguments.only)
    with Shop(arguments.command, arguments.lib, arguments.debug_lib) as shop:
        for part in PARTS:
            for name, check in part.CHECKS.items():
                if tap.wants(name):
                    run_check(tap, shop, name, check)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
