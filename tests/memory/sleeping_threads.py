"""What ten thousand sleeping threads leave in their caches, against glibc."""

import harness
from harness import MIB, peers

ALLOWED = 64 * MIB
MODES = {
    "keep": "one block each, kept",
    "free": "one block each, freed",
    "burst": "64 blocks each, freed",
}


def measure(context, mode):
    program = context.program("sleeping_threads.c")
    return harness.read_figures(context, [program, mode, context.threads])


def check_mode(context, mode):
    title = f"sleeping_threads: {context.threads} threads, {MODES[mode]}"
    base, _ = measure(context.with_allocator(peers.GLIBC), mode)
    if base.get("threads") != context.threads:
        context.report.skip(title, "so many threads cannot be started here, not over glibc either")
        return
    own, outcome = measure(context, mode)
    if not own:
        context.report.result(False, f"{title}: the program ran to its end", *outcome.notes())
        return
    context.report.result(own["threads"] == context.threads and own["failures"] == 0,
                          f"{title}: every thread starts and gets its blocks",
                          f"{own['threads']} started, {own['failures']} requests failed")
    difference = own["asleep"] - base["asleep"]
    context.report.result(
        difference <= ALLOWED,
        f"{title}: resident set is at most {ALLOWED // MIB} MiB above glibc's",
        f"{own['asleep'] / MIB:.1f} MiB, glibc {base['asleep'] / MIB:.1f} MiB: "
        f"{difference / MIB:+.1f} MiB",
        f"mallinfo2 says {own['cached'] / MIB:.2f} MiB in thread caches; "
        f"{own['joined'] / MIB:.1f} MiB resident after all threads have ended")


def check(context):
    for mode in MODES:
        check_mode(context, mode)
