"""stress-ng's malloc stressor, which checks the contents of its own blocks."""

import re

from harness.case import Case

OPERATIONS = 30_000


def without_times(text):
    """Process ids and durations differ between any two runs."""
    return re.sub(r"\[\d+\]|\d+\.\d+ ?s(ecs?)?\b", "", text)


def run_malloc_stressor(session):
    limits = ["--malloc-bytes", "4M", "--malloc-max", "2000", "--timeout", "40"]
    for more in ([], ["--malloc-pthreads", "3"]):
        finished = session.run(
            ["stress-ng", "--malloc", "2", "--malloc-ops", str(session.scaled(OPERATIONS)), "--verify",
             "--temp-path", str(session.folder), *limits, *more], clean=without_times)
        said = finished.stdout + finished.stderr
        session.require("passed: 2: malloc (2)" in said or "successful run completed" in said,
                        f"stress-ng does not say that it passed\n{said}")


CASES = [
    Case("stress-ng", "the malloc stressor with --verify, with and without threads",
         run_malloc_stressor, ("stress-ng",)),
]
