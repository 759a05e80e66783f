#!/usr/bin/python3
"""The drop-in contract: what a program may expect of the library, check by check, as TAP."""
import sys

sys.dont_write_bytecode = True

import debug_library  # noqa: E402
import tap  # noqa: E402
from options import check_options  # noqa: E402
from outside import CHECKS  # noqa: E402
from topics import TOPICS, run_topic  # noqa: E402


def main():
    parser = tap.arguments(__doc__)
    parser.add_argument("--list", action="store_true", help="print the parts and leave")
    parser.add_argument("--profile", choices=debug_library.PARTS,
                        help="of the debug library: the parts that are about it")
    parser.add_argument("--part", action="append", metavar="NAME",
                        help="only this part, by its whole name; may be repeated")
    arguments = parser.parse_args()
    parts = {topic: (lambda report, shop, topic=topic: run_topic(report, shop, topic))
             for topic in TOPICS} | CHECKS | {"options": check_options}
    report = tap.Report()
    if arguments.profile:
        report = debug_library.Report(arguments.profile)
        parts = {name: parts[name] for name in debug_library.PARTS[arguments.profile]}
    if arguments.part:
        parts = {name: parts[name] for name in arguments.part}
    if arguments.list:
        print("\n".join(parts))
        return 0
    options = debug_library.OPTIONS.get(arguments.profile)
    with tap.Workshop(tap.library_of(arguments.lib), options) as shop:
        for name, part in parts.items():
            if not tap.wanted(name, arguments.only):
                continue
            try:
                part(report, shop)
            except tap.BuildError as error:
                report.result(f"{name}: compiles", False, [error])
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
