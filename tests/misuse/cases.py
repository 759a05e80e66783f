"""Which misuse meets which call at which size, and the one line that must come of it."""
import re
from dataclasses import dataclass

SIZES = (16, 64, 1024, 65536, 1 << 20)
LARGEST_SMALL = 262144  # above it a block is a span of its own: "class large"

PLAIN = ("free", "realloc_grow", "realloc_shrink", "realloc_same", "reallocarray",
         "malloc_usable_size", "cfree", "free_sized", "free_aligned_sized")
OPERATORS = ("delete", "delete_array", "delete_nothrow", "delete_sized", "delete_array_sized",
             "delete_aligned", "delete_array_aligned", "delete_aligned_sized",
             "delete_array_aligned_sized")
CALLS = PLAIN + OPERATORS
SIZED = ("free_sized", "free_aligned_sized", "delete_sized", "delete_array_sized",
         "delete_aligned_sized", "delete_array_aligned_sized")
ALIGNED = ("free_aligned_sized", "delete_aligned", "delete_array_aligned",
           "delete_aligned_sized", "delete_array_aligned_sized")

DOUBLE_FREES = ("double_free_immediate", "double_free_interleaved",
                "double_free_200_frees_later", "double_free_in_another_thread",
                "double_free_by_two_remote_threads", "double_free_after_its_thread_ended",
                "double_free_after_the_span_was_recycled")
FOREIGN = ("foreign_stack", "foreign_global", "foreign_mapping", "foreign_code", "foreign_one",
           "foreign_non_canonical", "foreign_kernel", "foreign_all_ones")

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


def function_of(call):
    """The name that the report gives to a call."""
    if call.startswith("delete"):
        return "operator delete[]" if "array" in call else "operator delete"
    return re.sub(r"^(realloc)_\w+", r"\1", call)


@dataclass(frozen=True)
class Case:
    """One misuse: the program's arguments and the codes of the reports that are right."""
    misuse: str
    call: str
    size: int
    codes: tuple
    maker: str = ""

    @property
    def name(self):
        return f"{self.misuse} by {self.call} at {self.size}"

    def arguments(self, clean=False):
        return [self.misuse, self.call, str(self.size)] + (["--clean"] if clean else [])


@dataclass(frozen=True)
class Facts:
    """What the program said about its pointer before the misuse."""
    block: int
    usable: int
    pointer: int
    alignment: int
    stated: int


FACTS = re.compile(r"block=(\w+) usable=(\d+) pointer=(\w+) stated=(\d+),(\d+)\n")


def facts_of(text):
    match = FACTS.fullmatch(text)
    if match is None:
        return None
    return Facts(int(match[1], 16), int(match[2]), int(match[3], 16), int(match[4]),
                 int(match[5]))


def inside(facts, call):
    """A block that is freed before it is pointed into is reported as what it is."""
    state = "free" if call.misuse == "interior_of_a_free_block" else "live"
    return (f"{facts.pointer - facts.block} bytes inside the {state} block at "
            f"{facts.block:#x} of {facts.usable} bytes (class CLASS)")


def sentence(code, case, facts):
    """The report behind `spanguard[PID]: `, with CLASS for the class."""
    function, pointer = function_of(case.call), f"{facts.pointer:#x}"
    block = f"the block at {facts.block:#x}"
    return {
        "P203": lambda: f"P203 double free: {function}({pointer}): {block} of {facts.usable} "
                        "bytes is already free (class CLASS)",
        "P204": lambda: f"P204 stale pointer: {function}({pointer}): no block is there any more, "
                        "its memory was recycled",
        "P301": lambda: f"P301 interior pointer: {function}({pointer}): {inside(facts, case)}",
        "P303": lambda: f"P303 unaligned pointer: {function}({pointer}): {inside(facts, case)}",
        "P302": lambda: f"P302 foreign pointer: {function}({pointer}): the address was never "
                        "handed out by this allocator",
        "P401": lambda: f"P401 interface mismatch: {function}({pointer}): {block} of "
                        f"{facts.usable} bytes was made by {case.maker} (class CLASS)",
        "P402": lambda: f"P402 size mismatch: {function}({pointer}, {facts.stated}): {block} has "
                        f"{facts.usable} bytes (class CLASS)",
    }[code]()


def line_pattern(code, case, facts, pid):
    """A regular expression for the whole of stderr; its group is the class, where there is one."""
    if code == "P403":  # its details are not fixed
        start = f"spanguard[{pid}]: P403 alignment mismatch: {function_of(case.call)}("
        return re.compile(re.escape(f"{start}{facts.pointer:#x}, ") + r"[^\n]+\): [^\n]+\n")
    name = "(large)" if facts.usable > LARGEST_SMALL else r"(\d+)"
    text = re.escape(f"spanguard[{pid}]: {sentence(code, case, facts)}\n")
    return re.compile(text.replace("CLASS", name))


def double_free_codes(misuse, size):
    """The pages of a large block, or of a recycled span, may be gone already: both are right."""
    gone = size > LARGEST_SMALL or misuse.endswith("recycled")
    return ("P204", "P203") if gone else ("P203",)


def pointer_cases():
    for call in CALLS:
        for size in SIZES:
            for misuse in DOUBLE_FREES:
                yield Case(misuse, call, size, double_free_codes(misuse, size))
            for misuse in ("unaligned", "unaligned_far"):
                yield Case(misuse, call, size, ("P303",))
            if size > 16:
                yield Case("interior", call, size, ("P301",))
            if 16 < size <= LARGEST_SMALL:
                yield Case("interior_of_a_free_block", call, size, ("P301",))
            if size > 8192:
                yield Case("interior_far", call, size, ("P301",))
        for misuse in FOREIGN:
            yield Case(misuse, call, 64, ("P302",))


def agreement_cases():
    for size in SIZES:
        for maker, calls in MISMATCHES.items():
            misuse = "made_by_" + maker.replace(" ", "_").replace("[]", "_array")
            for call in calls:
                yield Case(misuse, call, size, ("P401",), maker)
        for call in SIZED:
            yield Case("size_too_big", call, size, ("P402",))
            if size > 64:  # half of 64 may be the same class where blocks are aligned to 64
                yield Case("size_too_small", call, size, ("P402",))
        for call in ALIGNED:
            yield Case("alignment_too_big", call, size, ("P403",))


def all_cases():
    yield from pointer_cases()
    yield from agreement_cases()
