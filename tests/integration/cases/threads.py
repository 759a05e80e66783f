"""Thread churn: a thread's cache must be drained when it ends, and its blocks outlive it."""

from harness.case import Case

THREADS = 4000
STEP = 16  # the program wants a multiple of it


def run_short_lived(session):
    program = session.compile("threads/short_lived.c")
    threads = session.scaled(THREADS // STEP) * STEP
    finished = session.run([program, str(threads)])
    session.require(f"{threads} threads" in finished.stdout, "not every thread was run")


CASES = [
    Case("short-threads", f"{THREADS} short-lived threads that free one another's blocks",
         run_short_lived),
]
