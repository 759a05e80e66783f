#!/usr/bin/python3
"""Symbols for reports: what the debug library learns of frames, and how it asks for it; TAP."""
import sys

sys.dont_write_bytecode = True

import workbench  # noqa: E402
import names  # noqa: E402
import starting  # noqa: E402
import tap  # noqa: E402


class Report(tap.Report):
    """Notes are for failures."""

    def result(self, name, passed, notes=()):
        super().result(name, passed, () if passed else notes)


def main():
    parser = tap.arguments(__doc__)
    parser.add_argument("--helper", required=True, metavar="PATH", help="spanguard-symbolize")
    parser.add_argument("--libexec", required=True, metavar="FOLDER",
                        help="where the library under test looks for the helper as installed")
    arguments = parser.parse_args()
    report = Report()
    with workbench.Workbench(arguments) as bench:
        for check in names.CHECKS + starting.CHECKS:
            if not tap.wanted(check.__name__, arguments.only):
                continue
            bench.use_helper()
            try:
                check(report, bench)
            except tap.BuildError as error:
                report.result(f"{check.__name__}: builds", False, [error])
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
