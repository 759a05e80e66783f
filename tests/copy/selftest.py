#!/usr/bin/python3
"""Proves that the checks of run.py can fail: one defect at a time, built into the library; TAP."""
import argparse
import re
import sys

sys.dont_write_bytecode = True

import run  # noqa: E402
import tap  # noqa: E402
import build  # noqa: E402

# name, file, what stands there, what stands there instead, the check, a result that must fail
DEFECTS = (
    ("one byte too much fits", "check.h", "spanguard_block_room(address) >= bytes",
     "spanguard_block_room(address) + 1 >= bytes", "check_bounds", "strcpy, plain: fits"),
    ("one byte too few fits", "check.h", "spanguard_block_room(address) >= bytes",
     "spanguard_block_room(address) > bytes", "check_bounds", "memcpy, plain: fits"),
    ("a fortified twin asks nobody", "strings.c", "check_write(name, to, bytes);",
     "if (object_bytes == UNKNOWN_BYTES) check_write(name, to, bytes);", "check_bounds",
     "strcpy, fortified: fits"),
    ("the terminator is forgotten", "strings.c", "check_target(name, to, length + 1",
     "check_target(name, to, length", "check_bounds", "stpcpy, plain: fits"),
    ("a wrong name is reported", "memory.c", '"bzero"', '"memset"', "check_bounds",
     "bzero, plain: fits"),
    ("reads are not checked", "check.h", "sg_copy_machine.checks_reads && ", "false && ",
     "check_reads", "memcpy: reads"),
    ("the switch of the reads is dead", "check.h", "sg_copy_machine.checks_reads && ", "",
     "check_reads", "memcpy: spanguard_copy_reads"),
    ("overlap goes wrong", "vector_loops.inc", "(uintptr_t)to - (uintptr_t)from < bytes",
     "false", "check_semantics", "every function"),
    ("a string is found too long", "find.c", "done < bytes && matches(block, wanted) == 0",
     "done < bytes", "check_semantics", "every function"),
    ("the narrow fill stops short", "vector_loops.inc", "store_four(end - STEP, four);",
     "store_four(end - STEP - 1, four);", "check_semantics", "every function"),
    ("the allocator is judged too", "check.c", "return theirs.dlfo_link_map == ours.dlfo_link_map",
     "return false", "check_corners", "the allocator's own"),
    ("everybody is the allocator", "check.c", "return theirs.dlfo_link_map == ours.dlfo_link_map",
     "return true", "check_corners", "those of its program"),
    ("the compiler's knowledge is lost", "check.h", "bytes > object_bytes",
     "bytes > object_bytes && false",
     "check_corners", "fortified: 25"),
    ("a copy calls a copy", "memory.c", 'fill("bzero", to, 0, bytes);', "memset(to, 0, bytes);",
     "check_code", "no copy calls"),
    ("an import more", "check.c", "__builtin_trap();",
     "extern void abort(void); abort();", "check_code", "nothing else is imported"),
)


class Silent(tap.Report):
    """Remembers what failed, and prints nothing."""

    def __init__(self):
        super().__init__()
        self.failed = []

    def result(self, name, passed, notes=()):
        self.count += 1
        if not passed:
            self.failed.append(name)


def failures_of(shop, libraries, check):
    silent = Silent()
    if check == "check_code":
        run.check_code(silent, libraries)
    else:
        getattr(run, check)(silent, shop, libraries)
    return silent.failed, silent.count


def try_defect(report, main, number, defect):
    name, file, old, new, check, expected = defect
    with tap.Workshop() as shop:
        try:
            copy = build.library_with(shop, f"libbroken{number}.so", file, old, new)
        except (tap.BuildError, ValueError) as error:
            report.result(f"{name}: is noticed", False, [error])
            return
        failed, _count = failures_of(shop, run.Libraries(main, copy), check)
    report.result(f"{name}: is noticed", any(line.startswith(expected) for line in failed), failed)


def test_lines(report):
    right = "spanguard[7]: P105 copy overflow: memcpy: 100 bytes to +4 of a block of 24 bytes "
    full = right + "(profile=hardened class=2 at=prog+0x11f3 id=0123abcd)\n"
    pattern = run.line_of(7, "P105", ("memcpy", 100), (4, 24, ""))
    report.result("the agreed line is taken", pattern.fullmatch(full) is not None)
    for old, new in (("[7]", "[8]"), ("P105", "P106"), ("memcpy", "memmove"), ("100", "101"),
                     ("+4", "+5"), ("24 bytes", "25 bytes"), ("of a block", "of a free block"),
                     ("id=0123abcd", "id=0123"), ("prog+0x11f3", "0x7f0000001000"),
                     (")\n", ") \n"), ("\n", "\n\n")):
        report.result(f"with {new!r} for {old!r} it is not",
                      pattern.fullmatch(full.replace(old, new)) is None)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lib", default=str(tap.DEFAULT_LIBRARY), metavar="PATH")
    library = tap.library_of(parser.parse_args().lib)
    run.SIZES = (64,)  # one size shows a defect
    run.NAMES = [row for row in run.NAMES if not re.match("wcs|wcp", row[0])]
    report = run.Report()
    test_lines(report)
    for number, defect in enumerate(DEFECTS):
        try_defect(report, library, number, defect)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
