"""cmake and ninja on a small project, then its tests with ctest."""

import hashlib
import re

from harness.case import Case

PRODUCTS = ("whole", "libhalves.so", "table.txt", "build.ninja")


def in_any_order(text):
    """Two jobs at a time end in either order, which also moves the [n/m] counters."""
    lines = [re.sub(r"^\[\d+/\d+\] ", "", line) for line in text.splitlines()]
    return "\n".join(sorted(lines))


def without_durations(text):
    """ctest pads its table with dots up to a duration, and adds the durations up; jobs end in
    either order, and each is numbered when it ends."""
    kept = [re.sub(r"\s+\d+\.\d+ sec.*|^ *\d+/\d+ ", "", line) for line in text.splitlines()]
    return "\n".join(sorted(kept))


def run_cmake(session):
    source = session.copy_input("cmake/project")
    session.run(["cmake", "-G", "Ninja", "-S", source, "-B", "made"])
    session.run(["ninja", "-C", "made", "-j", "2"], clean=in_any_order)
    session.run(["ninja", "-C", "made", "-n"])
    for name in PRODUCTS:
        content = (session.folder / "made" / name).read_bytes()
        session.note(f"{name} {len(content)} {hashlib.sha256(content).hexdigest()}")
    tested = session.run(["ctest", "--test-dir", "made", "-j", "2"], clean=without_durations)
    session.require("100% tests passed, 0 tests failed out of 8" in tested.stdout,
                    "ctest does not say that all 8 tests passed")
    for program in ("cmake", "ninja", "cc1", "cc1plus", "whole"):
        session.witness.check_program(program)


CASES = [
    Case("cmake-ninja", "configure, build and test a generated project of 22 sources", run_cmake,
         ("cmake", "ninja", "ctest", "g++")),
]
