"""The smallest `ulimit -v` under which ordinary programs still start."""

import os
import sys

from harness import MIB, peers

ALLOWED_MIB = 16  # what we may need beyond glibc
MOST_MIB = 4096
PYTHON = "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable

PROGRAMS = {
    "bash": ("bash", "-c", "echo ready"),
    "python3": (PYTHON, "-c", "print('ready')"),
}


def starts(context, command, limit_mib):
    """Whether it runs as if there were no limit. A word on stderr is a failure: under a tight
    limit the loader gives up the preload, says so there, and the program runs over glibc."""
    outcome = context.run(command, address_space=limit_mib * MIB, timeout=20)
    return outcome.status == 0 and outcome.stdout == "ready\n" and outcome.stderr == ""


def smallest_limit(context, command):
    """In MiB, by bisection; None if it does not even start under the highest."""
    low, high = 0, MOST_MIB
    if not starts(context, command, high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        if starts(context, command, middle):
            high = middle
        else:
            low = middle
    return high


def check(context):
    for name, command in PROGRAMS.items():
        title = f"start_limit: {name} starts under a limit at most {ALLOWED_MIB} MiB above glibc's"
        base = smallest_limit(context.with_allocator(peers.GLIBC), command)
        if base is None:
            context.report.skip(title, f"{name} does not run here")
            continue
        own = smallest_limit(context, command)
        needed = f"{own} MiB" if own is not None else f"more than {MOST_MIB} MiB"
        context.report.result(own is not None and own <= base + ALLOWED_MIB, title,
                              f"needs {needed}; glibc needs {base} MiB")
