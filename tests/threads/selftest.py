#!/usr/bin/python3
"""Proves that the stress can fail: it must notice each defect of the interface tests' broken.c."""
import argparse
import sys

sys.dont_write_bytecode = True

import run  # noqa: E402
import tap  # noqa: E402

DEFECTS = ("blocks are handed out twice", "calloc is dirty", "realloc forgets the last byte",
           "blocks are aligned to 8", "aligned_alloc wants multiples")


def main():
    argparse.ArgumentParser(description=__doc__).parse_args()
    report = tap.Report()
    with tap.Workshop() as shop:
        program = run.build(shop)
        source = run.SOURCES.parent / "interface" / "broken.c"
        shop.library = shop.compile([source], "broken.so", ["-shared", "-fPIC"])
        for defect in ("",) + DEFECTS:
            outcome = shop.run([program, "-d", "1000"], {"BROKEN": defect}, run.TIMEOUT)
            good = run.is_good(outcome) == (defect == "")
            report.result(f"the stress notices: {defect}" if defect else
                          "the stress passes over broken.c without a defect", good,
                          [] if good else outcome.notes())
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
