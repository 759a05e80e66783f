"""What must come of a misuse in a profile: a report, a fault, a property that holds, or nothing."""
from dataclasses import dataclass

LARGEST_SMALL = 262144  # above it a block has its own span, with guard pages at both ends
COMPLETELY_ZEROED = 256  # in hardened; strict zeroes and checks everything

NO_CANARY = "fast has no canaries, and guard pages only every 256 KiB"
OWN_SLACK = "fast gives the program the whole slot, as malloc_usable_size says"
NO_FREED_CHECK = "fast neither zeroes nor checks nor holds back what is freed"
NO_LARGE_FREED = "fast keeps freed large blocks accessible for reuse"
NOW_AND_THEN = "one block in some dozens is cleared wholly"
PARTLY_ZEROED = "hardened zeroes and checks head and tail alone above 256 bytes"
COPY_READS = "reads are checked only where the copy library is told to"
CLASS_GRANULAR = "fast does not know the size that was asked for, only the class"

ALIGNED_NOTHING = "no bytes with an alignment are a slot like any other, and not without access"

LARGE_CANARY = "it depends on the layout whether the canary of a large block of whole pages has " \
               "a page of its own"
WHICH_SIDE = "the eight bytes between two blocks may have been written from either side"
NEAR_END = "whether the span ends so soon depends on the slot, which is random"
PAGES_GONE = "the pages of a large block or of a recycled span may be gone, or in other use"
NEIGHBOUR_SPAN = "spans of this class hold several blocks, and more than 64 KiB"
MAY_BE_LAST = "the block may be the last before a guard page"
EITHER_END = "a guarded block lies at either end of its page, at random"
GIVEN_BACK = "whole pages may have gone back to the kernel"
ZERO_BY_CHANCE = "the neighbour may begin with a zero"
OWN_PAGE = "what lies before a guarded block in its page is nobody's"
ANY_CLASS = "strict alone keeps the addresses of a class to it"
RACE = "who sees it first is a race"


@dataclass(frozen=True)
class Expected:
    """Any one of these is right; `why` says what keeps it from being only one."""
    reports: tuple = ()    # codes of a line on stderr, and SIGABRT
    faults: tuple = ()     # codes of a line on stderr, and SIGSEGV
    word: str = ""         # on stdout, and exit 0: a property holds
    missed: str = ""       # why nothing notices: exit 10 in silence
    is_bare_fault: bool = False  # SIGSEGV in silence
    why: str = ""

    def text(self):
        ways = [f"report {' or '.join(self.reports)}"] if self.reports else []
        ways += [f"fault {' or '.join(self.faults)}"] if self.faults else []
        ways += [f"property: {self.word}"] if self.word else []
        ways += ["fault"] if self.is_bare_fault else []
        ways += [f"missed ({self.missed})"] if self.missed else []
        return "; or ".join(ways) + (f" ({self.why})" if self.why else "")


def report(*codes, why=""):
    return Expected(reports=codes, why=why)


def fault(*codes):
    return Expected(faults=codes)


def holds(word):
    return Expected(word=word)


def missed(reason):
    return Expected(missed=reason)


def overflow(_misuse, size, profile):
    if profile == "fast":
        return fault("P102") if size > LARGEST_SMALL else Expected(
            missed=NO_CANARY, faults=("P102",), why=MAY_BE_LAST)
    if size > LARGEST_SMALL:
        return Expected(("P101",), ("P102",), why=LARGE_CANARY)
    return report("P101")


def overflow_nul(_misuse, size, profile):
    """Behind a block there is a zero: a text that lost its NUL ends there when it is read."""
    if profile == "fast":
        return fault("P102") if size > LARGEST_SMALL else Expected(
            missed=NO_CANARY, faults=("P102",), word="harmless", why=ZERO_BY_CHANCE)
    if size > LARGEST_SMALL:
        return Expected(word="harmless", faults=("P102",), why=LARGE_CANARY)
    return holds("harmless")


def overflow_slack(_misuse, _size, profile):
    return missed(OWN_SLACK) if profile == "fast" else report("P101")


def overflow_linear(_misuse, size, profile):
    if size > LARGEST_SMALL:
        return fault("P102")
    if profile == "fast":
        return Expected(missed=NO_CANARY, faults=("P102",), why=NEAR_END)
    if size > 8192:
        return Expected(("P101",), ("P102",), why=NEIGHBOUR_SPAN)
    return fault("P102")


def underflow(misuse, size, profile):
    """Less than eight bytes leave the beginning of the canary whole: no overflow made them."""
    if size > LARGEST_SMALL:
        return fault("P104")
    if profile == "fast":
        return Expected(missed=NO_CANARY, faults=("P104",), why=MAY_BE_LAST)
    return report("P101", "P103", why=WHICH_SIDE) if misuse == "underflow_8" else report("P103")


def underflow_linear(_misuse, size, profile):
    if size > LARGEST_SMALL:
        return fault("P104")
    if profile == "fast":
        return Expected(missed=NO_CANARY, faults=("P104",), why=NEAR_END)
    if size > 8192:
        return Expected(("P101", "P103"), ("P104",), why=NEIGHBOUR_SPAN)
    return fault("P104")


def copy_overflow(_misuse, size, profile):
    if size > LARGEST_SMALL:
        return Expected(("P101",) if profile != "fast" else (), ("P102",))
    if profile == "fast":
        return Expected(missed=NO_CANARY, faults=("P102",), why=NEAR_END)
    return Expected(("P101",), ("P102",), why=NEAR_END)


def checked_copy(misuse, _size, _profile):
    if misuse == "memcpy_over_read":
        return Expected(("P106",), ("P102",), missed=COPY_READS, why="the build decides")
    return report("P105")


def write_after_free(misuse, size, profile):
    if profile == "fast":
        reason = NO_LARGE_FREED if size > LARGEST_SMALL else NO_FREED_CHECK
        return missed(reason)
    if size > LARGEST_SMALL:
        return fault("P201")
    if profile == "hardened" and size > COMPLETELY_ZEROED and not misuse.endswith("head"):
        return Expected(("P202",), missed=PARTLY_ZEROED, why="how long head and tail are is tuning")
    return report("P202")


def read_after_free(misuse, size, profile):
    if profile == "fast" and size > 8192:
        return Expected(missed=NO_LARGE_FREED, word="unreadable", why=GIVEN_BACK)
    if profile == "fast":
        return missed(NO_FREED_CHECK)
    if size > LARGEST_SMALL:
        return fault("P201")
    if profile == "hardened" and size > COMPLETELY_ZEROED and not misuse.endswith("head"):
        return Expected(missed=PARTLY_ZEROED, word="unreadable", why=NOW_AND_THEN)
    return holds("unreadable")


def no_reuse(_misuse, _size, profile):
    if profile == "fast":
        return Expected(missed=NO_FREED_CHECK, word="not reused",
                        why="the slot may have gone to the central cache")
    return holds("not reused")


def no_other_class(_misuse, _size, profile):
    return holds("no other class") if profile == "strict" else missed(ANY_CLASS)


def double_free(misuse, size, profile):
    gone = size > LARGEST_SMALL or misuse.endswith("recycled")
    if misuse == "double_free_after_a_write" and size > LARGEST_SMALL and profile != "fast":
        return fault("P201")
    again = ("P301", "P303") if gone and misuse.endswith(("recycled", "traffic")) else ()
    return report("P204", "P203", *again, why=PAGES_GONE) if gone else report("P203")


def race(_misuse, size, _profile):
    codes = ("P203", "P801") + (("P204",) if size > LARGEST_SMALL else ())
    return report(*codes, why=RACE)


def aligned_nothing(misuse, _size, profile):
    if misuse.startswith("write") and profile != "fast":
        return report("P101")
    return missed(ALIGNED_NOTHING)


def size_one_less(_misuse, size, profile):
    is_missed = profile == "fast" and size <= LARGEST_SMALL
    return missed(CLASS_GRANULAR) if is_missed else report("P402")


SAMPLED = {
    "overflow_1": Expected(("P101",), ("P102",), why=EITHER_END),
    "overflow_linear": fault("P102"),
    "underflow_8": Expected(("P101", "P103"), ("P104",), missed=OWN_PAGE, why=EITHER_END),
    "underflow_linear": fault("P104"),
    "write_after_free_head": fault("P201"),
    "read_after_free": fault("P201"),
    "double_free_immediate": report("P203"),
    "interior": report("P301"),
}
