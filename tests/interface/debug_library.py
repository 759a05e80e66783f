"""The debug library under these checks: which of them are about it, and where it differs."""
import tap

# Small, or each child of a fork copies 64 MiB.
OPTIONS = {"debug": "profile=debug:quarantine=8M", "guard": "profile=guard"}

# What any malloc owes a program. The other parts are about defences of the tiers below, which are
# off there, and about options of the other profiles.
_CONTRACT = ("failure", "empty", "aligned", "content", "free_sized", "introspection", "symbols",
             "operators", "replaced", "fork", "fork_stdio", "spawn", "thread_exit", "seccomp", "plugins",
             "late_dlopen", "regressions", "sealed", "core_dump", "malloc_info", "malloc_stats",
             "lifecycle", "signals", "tls", "secure")
PARTS = {"debug": _CONTRACT,
         "guard": ("empty", "aligned", "free_sized", "faults", "fault_handlers",
                   "lifecycle", "operators")}

_WHOLE_REPORT = "the report is a screen of text and ends the program by SIGABRT; see tests/samples"
_NUMBER = "the number of a thread is thread-local too"
# Checks that must fail there, each with its reason: one that passes after all is a failure.
DIFFERENT = {
    "debug": {
        "empty: a write to malloc of zero bytes faults": "a redzone is behind it, not a guard",
        "empty: a read from malloc of zero bytes faults": "a redzone is behind it, not a guard",
        "the library's thread-local storage is one pointer": _NUMBER,
    },
    "guard": {
        "empty: a write to malloc of zero bytes faults": _WHOLE_REPORT,
        "empty: a read from malloc of zero bytes faults": _WHOLE_REPORT,
        "operators: the new handler can free memory and new then succeeds":
            "the addresses of blocks freed before are enough; the handler is not asked",
        "faults: a fault on a guard is told and ends the program by SIGSEGV": _WHOLE_REPORT,
        "faults: faults are told in every profile and without guard madvise":
            "the other profiles are not of this library",
        "faults: a fault in a thread or a forked child is told": _WHOLE_REPORT,
        "faults: faults in several threads at once are whole lines": _WHOLE_REPORT,
        "fault_handlers: a handler that chains gets the line and the end": _WHOLE_REPORT,
    },
}


# What comes out one way or the other there.
UNTOLD = {
    "debug": {
        "empty: realloc to zero bytes frees and returns NULL":
            "up to 64 emptied spans are held back from reuse with their memory",
    },
    "guard": {},
}


class Report(tap.Report):
    """Knows what differs: a failure that is due is a check that passed."""

    def __init__(self, profile):
        super().__init__()
        self._different = DIFFERENT[profile]
        self._untold = UNTOLD[profile]

    def result(self, name, passed, notes=()):
        if name in self._untold:
            self.count += 1
            print(f"ok {self.count} - {name} # SKIP {self._untold[name]}", flush=True)
            return None
        reason = self._different.get(name)
        if reason is None:
            return super().result(name, passed, notes)
        return super().result(f"{name}: not here, since {reason}", not passed, notes)
