"""fork in a process whose other threads are inside malloc and inside stdio.

A fork handler that holds the allocator's locks while libc waits for a stream's lock stops for
ever here; so does a child that inherits a lock nobody will release. The program's own alarm and
the case's limit turn that into a failure.
"""

from functools import partial

from harness.case import Case

FORKS = 300


def run_storm(variant, session):
    program = session.compile("threads/fork_storm.c")
    forks = session.scaled(FORKS)
    finished = session.run([program, variant, str(forks)])
    session.require(finished.stdout.count("child ") == forks, "a child's line is missing")
    session.require(f"{forks} children" in finished.stdout, "the parent did not finish")


CASES = [
    Case("fork-storm", f"{FORKS} forks under malloc and stdio load; the child exits through stdio",
         partial(run_storm, "plain")),
    Case("fork-storm-thread", "the same; each child starts a thread of its own",
         partial(run_storm, "thread")),
    Case("fork-storm-memory", "the same; streams that call realloc under their own lock",
         partial(run_storm, "memory")),
]
