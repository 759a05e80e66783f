"""Which misuse meets which call at which size in which profile."""
from dataclasses import dataclass

import expected
from expected import Expected, fault, holds, report

PROFILES = ("fast", "hardened", "strict")
SIZES = (16, 64, 1024, 65536, 1 << 20)
LARGEST_SMALL = expected.LARGEST_SMALL

PLAIN = ("free", "free_of_calloc", "free_of_realloc", "free_of_posix_memalign", "realloc_grow",
         "realloc_shrink", "realloc_same", "reallocarray", "malloc_usable_size", "cfree",
         "free_sized", "free_aligned_sized")
OPERATORS = ("delete", "delete_array", "delete_nothrow", "delete_sized", "delete_array_sized",
             "delete_aligned", "delete_array_aligned", "delete_aligned_sized",
             "delete_array_aligned_sized")
CALLS = PLAIN + OPERATORS
SIZED = ("free_sized", "free_aligned_sized", "delete_sized", "delete_array_sized",
         "delete_aligned_sized", "delete_array_aligned_sized")
ALIGNED = ("free_aligned_sized", "delete_aligned", "delete_array_aligned",
           "delete_aligned_sized", "delete_array_aligned_sized")
# One call for each interface that makes blocks.
MAKERS = ("free", "free_of_calloc", "free_of_realloc", "free_of_posix_memalign",
          "free_aligned_sized", "delete", "delete_array", "delete_aligned",
          "delete_array_aligned")

DOUBLE_FREES = ("double_free_immediate", "double_free_interleaved",
                "double_free_200_frees_later", "double_free_in_another_thread",
                "double_free_by_two_remote_threads", "double_free_after_its_thread_ended",
                "double_free_after_a_write", "double_free_after_traffic",
                "double_free_after_the_span_was_recycled")
FOREIGN = ("foreign_stack", "foreign_global", "foreign_mapping", "foreign_code", "foreign_one",
           "foreign_non_canonical", "foreign_kernel", "foreign_all_ones")
COPIES = ("memcpy_x4", "memcpy_x4_inside", "memmove_x4", "memset_x4", "strcpy_x4")

# Who made the block, in the words of the report, and the calls that must refuse it.
PLAIN_ENDERS = ("free", "realloc_grow", "realloc_same", "reallocarray", "cfree", "free_sized")
MISMATCHES = {
    "malloc": OPERATORS,
    "aligned_alloc": OPERATORS,
    "new": PLAIN_ENDERS + ("free_aligned_sized", "delete_array", "delete_array_sized",
                           "delete_aligned", "delete_array_aligned"),
    "new[]": PLAIN_ENDERS + ("free_aligned_sized", "delete", "delete_nothrow", "delete_sized",
                             "delete_aligned", "delete_array_aligned"),
    "aligned new": PLAIN_ENDERS + ("delete", "delete_sized", "delete_array",
                                   "delete_array_aligned"),
    "aligned new[]": PLAIN_ENDERS + ("delete", "delete_array", "delete_array_sized",
                                     "delete_aligned"),
}

# Where one block in some is guarded at random, the report is another one: not by chance, here.
NOT_SAMPLED = "sample_bytes=0"
SAMPLED = "sample_bytes=1:sample_slots=256"


def is_aligned(call):
    return call in ALIGNED or call == "free_of_posix_memalign"


@dataclass(frozen=True)
class Case:
    """One misuse: the program's arguments, its options, and what must come of it."""
    misuse: str
    call: str
    size: int
    profile: str
    expected: Expected
    maker: str = ""
    options: str = NOT_SAMPLED
    has_copy_library: bool = False

    @property
    def name(self):
        extra = " with checked copies" * self.has_copy_library + " sampled" * self.is_sampled()
        return f"{self.misuse} by {self.call} at {self.size} in {self.profile}{extra}"

    def arguments(self):
        return [self.misuse, self.call, str(self.size)]

    def is_sampled(self):
        return self.options == SAMPLED

    def is_aligned(self):
        """Whether the block was made with an alignment: its class may be another one."""
        return "aligned" in self.maker if self.maker else is_aligned(self.call)

    def setting(self):
        return f"profile={self.profile}:{self.options}"


def made_by(rule, misuse, calls, sizes, profile, **more):
    for call in calls:
        for size in sizes:
            yield Case(misuse, call, size, profile, rule(misuse, size, profile), **more)


def always(outcome):
    return lambda _misuse, _size, _profile: outcome


def pointer_cases(profile):
    for misuse in DOUBLE_FREES:
        yield from made_by(expected.double_free, misuse, CALLS, SIZES, profile)
    inside, unaligned, foreign = (always(report(code)) for code in ("P301", "P303", "P302"))
    for misuse in ("unaligned", "unaligned_far"):
        yield from made_by(unaligned, misuse, CALLS, SIZES, profile)
    yield from made_by(inside, "interior", CALLS, SIZES[1:], profile)
    yield from made_by(inside, "interior_of_a_free_block", CALLS, SIZES[1:4], profile)
    yield from made_by(inside, "interior_far", CALLS, SIZES[3:], profile)
    for misuse in FOREIGN:
        yield from made_by(foreign, misuse, CALLS, (64,), profile)


def agreement_cases(profile):
    refused, wrong, lacking = (always(report(code)) for code in ("P401", "P402", "P403"))
    for maker, calls in MISMATCHES.items():
        misuse = "made_by_" + maker.replace(" ", "_").replace("[]", "_array")
        yield from made_by(refused, misuse, calls, SIZES, profile, maker=maker)
    yield from made_by(wrong, "size_too_big", SIZED, SIZES, profile)
    # Half of 64 may be the same class where blocks are aligned to 64.
    yield from made_by(wrong, "size_too_small", SIZED, SIZES[2:], profile)
    yield from made_by(expected.size_one_less, "size_one_less", SIZED, SIZES, profile)
    yield from made_by(lacking, "alignment_too_big", ALIGNED, SIZES, profile)


def overflow_cases(profile):
    yield from made_by(expected.overflow, "overflow_1", CALLS, SIZES, profile)
    yield from made_by(expected.overflow, "overflow_8", MAKERS, SIZES, profile)
    yield from made_by(expected.overflow_nul, "overflow_nul", MAKERS, SIZES, profile)
    yield from made_by(expected.overflow_slack, "overflow_slack", CALLS, (13, 60, 1000, 300000),
                       profile)
    yield from made_by(expected.underflow, "underflow_4", CALLS, (16, 24, 64, 1024), profile)
    yield from made_by(expected.underflow, "underflow_4", MAKERS, SIZES[3:], profile)
    yield from made_by(expected.underflow, "underflow_8", MAKERS, SIZES, profile)
    yield from made_by(expected.overflow_linear, "overflow_linear", MAKERS, SIZES, profile)
    yield from made_by(expected.underflow_linear, "underflow_linear", MAKERS, SIZES, profile)


def copy_cases(profile):
    for misuse in COPIES:
        if misuse != "memcpy_x4_inside":
            yield from made_by(expected.copy_overflow, misuse, ("free", "delete_array"), SIZES,
                               profile)
        yield from made_by(expected.checked_copy, misuse, MAKERS, SIZES, profile,
                           has_copy_library=True)
    yield from made_by(expected.checked_copy, "memcpy_over_read", ("free",), SIZES, profile,
                       has_copy_library=True)


def freed_cases(profile):
    yield from made_by(expected.write_after_free, "write_after_free_head", MAKERS, SIZES, profile)
    yield from made_by(expected.write_after_free, "write_after_free_inside", MAKERS, SIZES[1:],
                       profile)
    yield from made_by(expected.write_after_free, "write_after_free_last", MAKERS, SIZES, profile)
    for misuse in ("read_after_free", "read_after_free_head"):
        yield from made_by(expected.read_after_free, misuse, MAKERS, SIZES, profile)
    for misuse in ("no_immediate_reuse", "no_reuse_in_100"):
        yield from made_by(expected.no_reuse, misuse, MAKERS, SIZES, profile)
    yield from made_by(expected.no_other_class, "no_reuse_by_another_class", ("free", "delete"),
                       SIZES[1:4], profile)
    yield from made_by(expected.race, "two_threads_free", MAKERS, SIZES, profile)


def other_cases(profile):
    without = always(fault("P102"))
    makers = [call for call in MAKERS if call != "free_of_realloc"]  # realloc(p, 0) frees
    aligned = [call for call in makers if is_aligned(call)]
    for misuse in ("write_to_nothing", "read_of_nothing"):
        yield from made_by(without, misuse, [call for call in makers if call not in aligned],
                           (0,), profile)
        yield from made_by(expected.aligned_nothing, misuse, aligned, (0,), profile)
    for misuse in ("impossible_sizes", "wrapping_products"):
        yield from made_by(always(holds("refused")), misuse, ("free",), (16, 64, 1024), profile)
    yield from made_by(always(report("P803")), "damaged_cache_entry", ("free", "delete"),
                       (48, 1024), profile, options=NOT_SAMPLED + ":quarantine_slots=0")
    yield from made_by(always(Expected(is_bare_fault=True)), "write_to_sealed_options", ("free",),
                       (48,), profile)


def sampled_cases(profile):
    for misuse, outcome in expected.SAMPLED.items():
        sizes = SIZES[1:3] if misuse == "interior" else SIZES[:3]
        # Blocks of an aligned interface are not sampled.
        makers = [call for call in MAKERS if not is_aligned(call)]
        yield from made_by(always(outcome), misuse, makers, sizes, profile, options=SAMPLED)


def all_cases(profiles=PROFILES):
    for profile in profiles:
        for family in (pointer_cases, agreement_cases, overflow_cases, copy_cases, freed_cases,
                       other_cases, sampled_cases):
            yield from family(profile)
