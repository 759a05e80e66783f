"""The report lines: what each says, taken apart and compared with what the program told."""
import re
from dataclasses import dataclass

LARGEST_SMALL = 262144  # a block above it is a span of its own: "class=large"

FRAME = r"[\w.+-]+\+0x[0-9a-f]+"
STACK = rf"{FRAME}(?:<{FRAME}){{0,7}}"
LINE = re.compile(
    r"spanguard\[(?P<pid>\d+)\]: (?P<code>P\d+) (?P<title>[a-z -]+): (?P<function>[\w\[\] ]+): "
    r"(?P<said>[^\n()]+) \(profile=(?P<profile>\w+)(?: class=(?P<klass>\d+|large))?"
    rf"(?: at=(?P<at>{FRAME}))? id=(?P<id>[0-9a-f]{{8}})"
    rf"(?: allocated=(?P<allocated>{STACK}))?(?: freed=(?P<freed>{STACK}))?\)\n")

# code: title, what was observed
SENTENCES = {
    "P101": ("heap overflow", r"a block of (?P<bytes>\d+) bytes was written past its end, first "
                              r"at \+(?P<first>\d+)"),
    "P102": ("heap overflow", r"(?P<how>READ|WRITE) at \+(?P<first>\d+), (?P<past>\d+) bytes past "
                              r"the end of a block of (?P<bytes>\d+) bytes"),
    "P103": ("heap underflow", r"(?P<count>\d+) bytes before the block that follows one of "
                               r"(?P<bytes>\d+) bytes were written"),
    "P104": ("heap underflow", r"(?P<how>READ|WRITE) (?P<count>\d+) bytes before a block of "
                               r"(?P<bytes>\d+) bytes"),
    "P105": ("copy overflow", r"(?P<count>\d+) bytes to \+(?P<first>\d+) of a block of "
                              r"(?P<bytes>\d+) bytes"),
    "P106": ("copy over-read", r"(?P<count>\d+) bytes from \+(?P<first>\d+) of a block of "
                               r"(?P<bytes>\d+) bytes"),
    "P201": ("use after free", r"(?P<how>READ|WRITE) at \+(?P<first>\d+) of a freed block of "
                               r"(?P<ended>\d+) bytes"),
    "P202": ("write after free", r"a free block of (?P<ended>\d+) bytes was written to, first at "
                                 r"\+(?P<first>\d+)"),
    "P203": ("double free", r"a block of (?P<ended>\d+) bytes that is already free"),
    "P204": ("stale pointer", r"no block is there any more, its memory was recycled"),
    "P301": ("interior pointer", r"(?P<inside>\d+) bytes inside a (?P<state>live|free) block of "
                                 r"(?P<bytes>\d+) bytes"),
    "P302": ("foreign pointer", r"the address was never handed out by this allocator"),
    "P303": ("unaligned pointer", r"(?P<inside>\d+) bytes inside a (?P<state>live|free) block of "
                                  r"(?P<bytes>\d+) bytes"),
    "P401": ("interface mismatch", r"a block of (?P<bytes>\d+) bytes made by "
                                   r"(?P<maker>[\w\[\] ]+)"),
    "P402": ("size mismatch", r"size (?P<size>\d+) stated for a block of (?P<bytes>\d+) bytes"),
    "P403": ("alignment mismatch", r"alignment (?P<alignment>\d+) stated for a block of "
                                   r"(?P<bytes>\d+) bytes that lacks it"),
    "P801": ("free slot changed hands",
             r"a block of (?P<ended>\d+) bytes waits in a cache and is not free: freed by two "
             r"threads at once, or by a signal handler inside malloc"),
    "P803": ("damaged cache entry", r"an entry of a cache of free blocks does not decode"),
}
WITHOUT_CLASS = ("P204", "P302", "P803")
FAULTS = ("P102", "P104", "P201")
FOUND_AT_REUSE = ("P202", "P803")


@dataclass(frozen=True)
class Facts:
    """What the program said about its pointer before the misuse."""
    block: int
    usable: int
    pointer: int
    alignment: int
    stated: int
    from_: int
    count: int
    before: int
    has_neighbour: bool
    word: str = ""


FACTS = re.compile(r"block=(\w+) usable=(\d+) pointer=(\w+) stated=(\d+),(\d+) from=(-?\d+) "
                   r"count=(\d+) before=(-?\d+) neighbour=([01])\n(?:([a-z ]+)\n)?")


def facts_of(text):
    match = FACTS.fullmatch(text)
    if match is None:
        return None
    hexadecimal = [int(match[group], 16) for group in (1, 3)]
    decimal = [int(match[group]) for group in (2, 4, 5, 6, 7, 8)]
    return Facts(hexadecimal[0], decimal[0], hexadecimal[1], *decimal[1:], match[9] == "1",
                 match[10] or "")


def function_of(call):
    """The name that the report gives to a call."""
    if call.startswith("delete"):
        return "operator delete[]" if "array" in call else "operator delete"
    return re.sub(r"^(realloc|free)_(?!sized|aligned_sized)\w+", r"\1", call)


def end_of(call):
    """What ends a block in the usual way, by the interface that goes with the call."""
    return function_of(call) if call.startswith("delete") else "free"


def functions_of(code, case):
    """The right names of the function that a report of this code was found in."""
    if code in FAULTS:
        return {"fault"}
    if code in FOUND_AT_REUSE:
        return {"malloc"}
    if code in ("P105", "P106"):
        return {case.misuse.split("_", 1)[0]}
    if case.misuse == "two_threads_free":  # found by either, or when the slot is handed out
        # P801 may be seen in a batch, which knows no other name for the way back.
        return {end_of(case.call), "malloc"} | ({"free"} if code == "P801" else set())
    # What malloc_usable_size lets pass the end of the block finds, or that of its neighbour.
    is_later = case.call == "malloc_usable_size" or is_linear(case)
    return {function_of(case.call)} | ({end_of(case.call)} if is_later else set())


def is_linear(case):
    return case.misuse.endswith("linear") or "_x4" in case.misuse


def is_read(case):
    return case.misuse.startswith("read_") or case.misuse.endswith("over_read")


def is_size_lost(case):
    """A write over all of the canary takes with it how much the program had asked for."""
    return is_linear(case) or case.misuse == "underflow_8"


def most_in_slot(case, usable):
    """The sizes that the slot may have room for which holds a block of `usable` bytes."""
    canary = 0 if case.profile == "fast" else 8
    if usable > LARGEST_SMALL:
        return {(usable + canary + 8191) // 8192 * 8192 - canary}
    return {slot - canary for slot in range(16, (usable + 8) * 9 // 8 + 80, 16)
            if slot >= usable + canary}


def first_is_right(code, case, facts, said):
    """The first byte. A long write begins at one byte and is found at a later one."""
    first = int(said["first"])
    if code in ("P105", "P106"):
        return first == facts.from_
    if code == "P101" and is_size_lost(case):
        return facts.usable <= first <= int(said["bytes"])
    if code == "P101":
        return first == facts.usable
    if "_x4" in case.misuse:
        return first >= facts.usable
    return first >= facts.from_ if is_linear(case) else first == facts.from_


def count_is_right(code, case, facts, said):
    count = int(said["count"])
    if code in ("P103", "P104"):
        return count >= 1 if is_linear(case) else count == -facts.from_
    return count == facts.count


def ended_is_right(case, ended, facts):
    """Of a freed block the allocator may know its slot alone."""
    return ended == facts.usable or ended in most_in_slot(case, facts.usable)


def bytes_are_right(code, case, said, facts):
    """A block that an overflow ran through on its way to the guard may be of another size."""
    told = int(said["bytes"])
    if code in ("P102", "P104") and is_linear(case) and case.size <= LARGEST_SMALL:
        return True
    if code == "P101" and is_size_lost(case) or said.get("state") == "free":
        return ended_is_right(case, told, facts)
    return told == facts.usable


def inside_is_right(case, said, facts):
    """Where a freed block was, another one may lie in the meantime, which begins elsewhere."""
    return (case.misuse.startswith("double_free")
            or int(said["inside"]) == facts.pointer - facts.block)


def state_is_right(case, said):
    is_freed = case.misuse.startswith("double_free") or case.misuse == "interior_of_a_free_block"
    return said["state"] == ("free" if is_freed else "live")


def wrong_facts(code, case, facts, said):
    """The names of the values in the sentence that differ from what the program told."""
    checks = {
        "bytes": lambda: bytes_are_right(code, case, said, facts),
        "ended": lambda: ended_is_right(case, int(said["ended"]), facts),
        "first": lambda: first_is_right(code, case, facts, said),
        "count": lambda: count_is_right(code, case, facts, said),
        "past": lambda: int(said["past"]) == int(said["first"]) - int(said["bytes"]),
        "how": lambda: said["how"] == ("READ" if is_read(case) else "WRITE"),
        "inside": lambda: inside_is_right(case, said, facts),
        "state": lambda: state_is_right(case, said),
        "maker": lambda: said["maker"] == case.maker,
        "size": lambda: int(said["size"]) == facts.stated,
        "alignment": lambda: int(said["alignment"]) == facts.alignment,
    }
    return [name for name in said if not checks[name]()]


def class_is_right(code, case, facts, klass):
    if case.is_sampled():  # guarded blocks are of no class of slots
        return True
    if code in WITHOUT_CLASS:
        return klass is None
    if klass is None:
        return False
    return (klass == "large") == (facts.usable > LARGEST_SMALL)


def stacks_are_right(code, case, match):
    """A guarded block knows who made it, and who ended it; no other block does."""
    if not case.is_sampled():
        return match["allocated"] is None and match["freed"] is None
    is_ended = code in ("P201", "P202", "P203")
    return ((match["allocated"] or "").startswith("misuse+0x")
            and (match["freed"] or "").startswith("misuse+0x") == is_ended)


def place_is_right(code, case, match):
    """The misuse is the program's own, or in a function of libc that it called."""
    modules = {"misuse"}
    if "_x4" in case.misuse or "over_read" in case.misuse:
        modules |= {"libc.so.6", "libspanguard-copy.so"} if code in FAULTS else set()
    return match["at"] is not None and match["at"].split("+0x")[0] in modules


def read_line(text):
    """The match of a whole report line and what its sentence says, or None."""
    match = LINE.fullmatch(text)
    if match is None or match["code"] not in SENTENCES:
        return None
    title, sentence = SENTENCES[match["code"]]
    said = re.fullmatch(sentence, match["said"])
    if match["title"] != title or said is None:
        return None
    return match, said.groupdict()


def wrong_in_line(text, case, facts, pid):
    """What is wrong with one report line, as text; None if it is right but for its code."""
    read = read_line(text)
    if read is None:
        return "not a line of the catalogue"
    match, said = read
    code = match["code"]
    checks = (
        ("pid", int(match["pid"]) == pid), ("profile", match["profile"] == case.profile),
        ("function", match["function"] in functions_of(code, case)),
        ("class", class_is_right(code, case, facts, match["klass"])),
        ("at", place_is_right(code, case, match)),
        ("allocated and freed", stacks_are_right(code, case, match)))
    wrong = [name for name, is_right in checks if not is_right]
    wrong += wrong_facts(code, case, facts, said)
    return f"wrong in the line: {', '.join(wrong)}" if wrong else None
