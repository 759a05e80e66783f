#!/usr/bin/python3
"""Reports of the debug library in situations where little works, and its options; as TAP.

usage: run.py --lib build/libspanguard-debug.so [--only TEXT]
"""
import pathlib
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import choices  # noqa: E402
import meanwhile  # noqa: E402
import plugins  # noqa: E402
import rare  # noqa: E402
import secure  # noqa: E402
import suppressed  # noqa: E402
import surroundings  # noqa: E402
from bench import Bench, tap  # noqa: E402

CHECKS = (surroundings.CHECKS | choices.CHECKS | meanwhile.CHECKS | secure.CHECKS
          | suppressed.CHECKS | plugins.CHECKS | rare.CHECKS)


def main():
    arguments = tap.arguments(__doc__.splitlines()[0]).parse_args()
    library = tap.library_of(arguments.lib)
    report = tap.Report()
    with tap.Workshop() as shop:
        bench = Bench(shop, library, report)
        for name, check in CHECKS.items():
            if tap.wanted(name, arguments.only):
                check(bench)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
