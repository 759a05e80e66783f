"""The tools that the samples are compared under, and what each says, taken apart.

A finding is what kind of bug a tool named, and the stacks that it showed for it: of the bug, of who
allocated the block, of who freed it. `kind` is None if it did not say what is wrong.
"""
import pathlib
import re
import shutil
from dataclasses import dataclass, field

FOLDERS = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib")
SCUDO = "llvm-19/lib/clang/19/lib/linux/libclang_rt.scudo_standalone-*.so"
SCUDO_MACHINES = ("x86_64", "aarch64")


@dataclass
class Finding:
    """kind None: only that something is wrong."""
    kind: str = None
    stacks: dict = field(default_factory=dict)

    def shows(self, marker, site):
        text = self.stacks.get(marker, "")
        return site.place() in text or re.search(rf"\b{site.function}\b", text) is not None


@dataclass(frozen=True)
class Tool:
    """`parse` turns what the program said into a Finding, or None: nothing was found."""
    name: str
    parse: object
    preload: str = ""
    environment: tuple = ()
    prefix: tuple = ()
    build: str = "O0"  # or "gcc" or "clang": by AddressSanitizer's


def first_kind(kinds, text):
    """The kind whose pattern comes first in the text."""
    found = [(match.start(), kind) for pattern, kind in kinds
             for match in [re.search(pattern, text)] if match]
    return min(found)[1] if found else None


def parse_by(kinds, alarm):
    """A parser for tools that show no stacks."""
    def parse(text):
        kind = first_kind(kinds, text)
        return Finding(kind) if kind or re.search(alarm, text) else None
    return parse


parse_glibc = parse_by((("double free detected|double free or", "double free"),
                        (r"free\(\): invalid pointer|free\(\): invalid size", "bad free")),
                       r"(malloc|free|realloc|munmap_chunk|calloc)\(\): |corrupted|glibc error")
parse_scudo = parse_by((("invalid chunk state", "double free"),
                        ("type mismatch", "mismatch"), ("invalid sized delete", "size"),
                        ("misaligned pointer", "bad free")), "Scudo ERROR")
parse_efence = parse_by(((r"free\(.*address not from malloc", "bad free"),),
                        "ElectricFence (Aborting|Exiting)")


def parse_tcmalloc(text):
    kinds = (("a word after object|Buffer overflow", "overflow"),
             ("stomping bug: a word before", "underflow"),
             ("already deallocated|freed twice", "double free"),
             ("corrupted memory buffer|corrupted a deleted", "uaf"),
             ("deallocation mismatch", "mismatch"), ("given_size == size", "size"),
             ("detected leaks", "leak"))
    alarm = r"stomping|memory allocation bug|Check failed|invalid pointer"
    kind = first_kind(kinds, text)
    if kind is None and not re.search(alarm, text):
        return None
    marker = {"leak": "ALLOC", "uaf": "FREE"}.get(kind)
    return Finding(kind, {marker: text} if marker else {})


VALGRIND_KINDS = (("Mismatched free", "mismatch"), ("definitely lost|possibly lost", "leak"),
                  (r"Invalid free\(\)(.|\n)*inside a block of size [\d,]+ free'd", "double free"),
                  (r"Invalid free\(\)", "bad free"),
                  (r"Invalid (read|write)(.|\n)*inside a block of size [\d,]+ free'd", "uaf"),
                  (r"Invalid (read|write)(.|\n)*bytes after a block", "overflow"),
                  (r"Invalid (read|write)(.|\n)*bytes before a block", "underflow"),
                  (r"Invalid (read|write)(.|\n)*inside a block of size [\d,]+ alloc'd", "overflow"),
                  ("uninitialised", "uninitialised"))
VALGRIND_ALARM = r"Invalid |Mismatched |lost in loss|uninitialised|Process terminating"


def parse_valgrind(text):
    """Only the first error counts: the others may follow from it."""
    for block in re.split(r"^==\d+== *\n", text, flags=re.M):
        if re.search(VALGRIND_ALARM, block):
            break
    else:
        return None
    kind = next((kind for pattern, kind in VALGRIND_KINDS if re.search(pattern, block)), None)
    bug, _, rest = block.partition("  Address 0x")
    freed, _, made = rest.partition("Block was alloc'd at")
    if "free'd" not in freed:
        made = freed
        freed = ""
    if kind == "leak":
        bug, made = "", bug
    return Finding(kind, {"BUG": bug, "ALLOC": made, "FREE": freed})


ASAN_KINDS = (("attempting double-free", "double free"), ("alloc-dealloc-mismatch", "mismatch"),
              ("new-delete-type-mismatch", "size"), ("LeakSanitizer: detected", "leak"),
              ("attempting free on address|bad-free", "bad free"), ("heap-use-after-free", "uaf"),
              ("attempting to call malloc_usable_size", "bad free"),
              (r"heap-buffer-overflow(.|\n)*bytes (before|to the left)", "underflow"),
              ("heap-buffer-overflow", "overflow"), ("max_map_count|number of mappings", "limit"))
ASAN_PARTS = (("FREE", r"^freed by thread"), ("ALLOC", r"^(previously )?allocated by thread"))


def parse_asan(text):
    """The first report, cut where its next stack begins."""
    start = re.search(r"==\d+==\s*ERROR: (Address|Leak)Sanitizer", text)
    if start is None:
        return None
    report = text[start.start():].split("SUMMARY:")[0]
    kind = next((kind for pattern, kind in ASAN_KINDS if re.search(pattern, report)), None)
    if kind == "leak":
        return Finding(kind, {"ALLOC": report})
    cuts = [(match.start(), marker) for marker, pattern in ASAN_PARTS
            for match in [re.search(pattern, report, re.M)] if match]
    places = sorted([(0, "BUG"), *cuts]) + [(len(report), "")]
    stacks = {marker: report[place:end] for (place, marker), (end, _) in zip(places, places[1:])}
    return Finding(kind, stacks)


def library(pattern):
    found = sorted(path for folder in FOLDERS for path in pathlib.Path(folder).glob(pattern))
    found = [path for path in found if "scudo" not in path.name or
             any(machine in path.name for machine in SCUDO_MACHINES)]
    return str(found[-1]) if found else None


def preloaded():
    """The peers that are preloaded, those of them that are installed."""
    profiler = shutil.which("google-pprof") or ""
    rows = (("MALLOC_CHECK_", parse_glibc, "libc_malloc_debug.so.0", (("MALLOC_CHECK_", "3"),)),
            ("scudo", parse_scudo, SCUDO, (("SCUDO_OPTIONS", "dealloc_type_mismatch=true"),)),
            ("tcmalloc dbg", parse_tcmalloc, "libtcmalloc_debug.so.4",
             (("HEAPCHECK", "normal"), ("PPROF_PATH", profiler))),
            ("efence", parse_efence, "libefence.so.0",
             (("EF_ALLOW_MALLOC_0", "1"), ("EF_PROTECT_FREE", "1"))))
    return [Tool(name, parse, library(file), environment)
            for name, parse, file, environment in rows if library(file)]


def peers():
    """All tools but ours that this machine has."""
    found = [Tool("glibc", parse_glibc)] + preloaded()
    if shutil.which("valgrind"):
        found.append(Tool("valgrind", parse_valgrind, prefix=(
            "valgrind", "-q", "--leak-check=full", "--error-exitcode=99", "--num-callers=20")))
    found.append(Tool("asan gcc", parse_asan, build="gcc"))
    if shutil.which("clang-19"):
        symbolizer = shutil.which("llvm-symbolizer-19") or ""
        found.append(Tool("asan clang", parse_asan, build="clang",
                          environment=(("ASAN_SYMBOLIZER_PATH", symbolizer),)))
    return found
