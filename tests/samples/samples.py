"""The table of samples: what is wrong with each, and which report is due in which profile.

Nothing is said here of lines: they are marked in the sources. `debug` and `guard` name the codes of
which one is due; an empty string says that an allocator alone cannot see it there, and `why`. Where
nothing is due, a report may come (what a far write hits is chance), but only of a code in `may`;
and where there is none, the program ends as it would, or dies of what it read (`fault`).
"""
from dataclasses import dataclass

NO_TRACE = "a read leaves no trace, and the memory is readable"
LEAKS = "leaks=1"


@dataclass(frozen=True)
class Sample:
    """One row. Codes are separated by blanks."""
    name: str
    kind: str
    debug: str
    guard: str
    why: str = ""
    may: str = ""
    options: str = ""
    faults: str = ""        # profiles in which a bare SIGSEGV is right: what was read is no address
    is_volatile: bool = False  # bytes of memory differ from run to run: no golden shows them
    is_forgotten: bool = False  # P204 may come without the old block
    has_golden: bool = True  # False: names may be missing, or how it is found is chance

    def compared(self, profile):
        """Whether its report must read as a golden one."""
        return self.has_golden and len(self.due(profile)) == 1

    def due(self, profile):
        return tuple((self.debug if profile == "debug" else self.guard).split())

    def allowed(self, profile):
        return self.due(profile) + tuple(self.may.split())


def overflows():
    """Writes behind a block; under guard a fault, unless they end in the bytes before the page."""
    faults = ("run large memcpy strcpy int_array calloc aligned_alloc posix_memalign getline "
              "vector new_array").split()
    in_slack = "nul slack sprintf read struct strdup asprintf".split()
    rows = [Sample(f"overflow_{name}", "overflow", "P101", "P102") for name in faults]
    rows += [Sample(f"overflow_{name}", "overflow", "P101", "P101") for name in in_slack]
    return rows + [
        Sample("overflow_stride", "overflow", "", "P102", "it jumps over the redzone",
               may="P101 P103 P202", is_volatile=True),
        Sample("overflow_field", "overflow", "", "", "the write stays inside of its block"),
        Sample("overflow_memset", "overflow", "P101 P102 P103", "P102"),
        Sample("child_overflow", "overflow", "P101", "P102"),
        Sample("plugin_overflow", "overflow", "P101", "P101"),
        Sample("thread_overflow", "overflow", "P101", "P102", is_volatile=True),
        Sample("overread_heartbeat", "overflow", "", "P102", NO_TRACE),
        Sample("overread_no_nul", "overflow", "", "P102", NO_TRACE),
        Sample("underflow_trim", "underflow", "P103", "P103"),
        Sample("underflow_header", "underflow", "P103", "P104"),
        Sample("underflow_read", "underflow", "", "P104", NO_TRACE),
    ]


def uses_after_free():
    return [
        Sample("uaf_read", "uaf", "", "P201", NO_TRACE),
        Sample("uaf_write", "uaf", "P202", "P201"),
        Sample("uaf_write_zero", "uaf", "P202", "P201"),
        Sample("uaf_late", "uaf", "", "P201", "the memory left the quarantine and is another's",
               may="P202"),
        Sample("uaf_large", "uaf", "", "P201", NO_TRACE, may="P201"),
        Sample("uaf_list", "uaf", "P205", "P201"),
        Sample("uaf_thread", "uaf", "P202", "P201"),
        Sample("uaf_vector", "uaf", "P202", "P201"),
        Sample("uaf_map", "uaf", "P205", "P201"),
        Sample("uaf_map_value", "uaf", "P202", "P201"),
        Sample("uaf_delete_this", "uaf", "P202", "P201"),
        Sample("uaf_virtual", "uaf", "P205", "P201"),
        Sample("uaf_c_str", "uaf", "", "P201", NO_TRACE),
        Sample("realloc_write", "uaf", "P702", "P701"),
        Sample("realloc_read", "uaf", "", "P701", NO_TRACE),
    ]


def wrong_frees():
    twice = ("double_free_loop double_free_owners double_free_thread double_free_realloc "
             "double_free_copy double_free_stale double_free_signal double_free_at_exit "
             "realloc_freed usable_size_freed").split()
    foreign = "stack global literal mmap brk arena wild".split()
    mismatches = ("malloc_delete new_free new_array_free new_array_delete new_delete_array "
                  "aligned_new_free").split()
    rows = [Sample(name, "double free", "P203", "P203") for name in twice]
    rows += [Sample(f"free_{name}", "bad free", "P301", "P301") for name in
             ("interior", "unaligned")]
    rows += [Sample(f"free_{name}", "bad free", "P302", "P302") for name in foreign]
    rows += [Sample(f"mismatch_{name}", "mismatch", "P401", "P401") for name in mismatches]
    rows += [Sample(f"size_{name}", "size", "P402", "P402") for name in
             ("no_virtual", "operator_delete", "free_sized")]
    return rows + [Sample("alignment_delete", "size", "P401", "P401"),
                   Sample("double_free_late", "double free", "P204 P203", "P204 P203",
                          "so long after the free the block itself is forgotten",
                          is_forgotten=True)]


def others():
    leaks = "block list cycle thread container shared_ptr".split()
    rows = [Sample(f"leak_{name}", "leak", "P501", "P501", options=LEAKS) for name in leaks]
    return rows + [
        Sample("reachable", "none", "", "", "what is reachable is no leak", options=LEAKS),
        Sample("map_limit", "limit", "P901", "P901", has_golden=False),
        Sample("uninitialised", "uninitialised", "", "", NO_TRACE),
    ]


SAMPLES = overflows() + uses_after_free() + wrong_frees() + others()
