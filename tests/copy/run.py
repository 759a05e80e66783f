#!/usr/bin/python3
"""The checked copies: what fits passes, one unit more is reported, and every copy is right; TAP."""
import pathlib
import re
import signal
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interface"))

import tap  # noqa: E402
import build  # noqa: E402

SIZES = (16, 64, 1024, 65536, 1 << 20)
READERS = ("memcpy", "memmove", "mempcpy", "wmemcpy", "wmemmove", "wmempcpy")
NAMES = re.findall(r"X\((\w+), (\d),", (build.FOLDER / "calls.h").read_text(encoding="utf-8"))
FACTS = re.compile(r"usable=(\d+) bytes=(\d+)\n")
END = (r" \((?:profile=\w+ )?class=(?:\d+|large)(?: at=[^ ]+\+0x[0-9a-f]+)?"
       r"(?: id=[0-9a-f]{8})?\)\n")
PROGRAMS = (
    ["/usr/bin/python3", "-c", "import json; print(len(json.dumps(list(range(9999)))))"],
    ["perl", "-e", "my %h = map { $_ => 'x' x $_ } 1..999; print length join '', %h"],
    ["git", "--version"],
    ["sqlite3", ":memory:", "with recursive n(i) as (select 1 union all select i + 1 from n "
                            "where i < 9999) select sum(i), length(group_concat(i)) from n;"],
)
# What fortified code makes of them, in the C library's own headers.
FORTIFIED_NAMES = {"bcopy": "memmove", "bzero": "memset"}
IMPORTS = {"__chk_fail", "spanguard_block_room", "spanguard_report_copy", "spanguard_copy_reads",
           "_dl_find_object", "__cxa_finalize", "__gmon_start__", "_ITM_registerTMCloneTable",
           "_ITM_deregisterTMCloneTable"}


class Report(tap.Report):
    """Notes are for failures; a report that was expected is none."""

    def result(self, name, passed, notes=()):
        super().result(name, passed, () if passed else notes)


class Libraries:
    """What is preloaded: the allocator, and the copies to be judged."""

    def __init__(self, main, copy):
        self.main, self.copy = main, copy
        self.debug = pathlib.Path(main).parent / "libspanguard-debug.so"
        self.both = f"{main} {copy}"


def line_of(pid, code, call, place):
    """The pattern of the whole report; `place` is offset, usable bytes and live or free."""
    function, count = call
    offset, usable, kind = place
    title = "copy overflow" if code == "P105" else "copy over-read"
    word = "to" if code == "P105" else "from"
    return re.compile(re.escape(f"spanguard[{pid}]: {code} {title}: {function}: {count} bytes "
                                f"{word} +{offset} of a {kind}block of ") +
                      (r"\d+" if kind else str(usable)) + " bytes" + END)


def is_reported(outcome, function, offset, code="P105", kind=""):
    facts = FACTS.match(outcome.stdout)
    if facts is None or not outcome.died_by(signal.SIGABRT) or "end" in outcome.stdout:
        return False
    pattern = line_of(outcome.pid, code, (function, facts[2]), (offset, facts[1], kind))
    return pattern.fullmatch(outcome.stderr) is not None


def is_quiet(outcome):
    return outcome.passed() and outcome.stdout.endswith("end\n") and outcome.stderr == ""


def try_target(shop, libraries, *words):
    return shop.run(words, preload=libraries.both, timeout=20)


def bounds_notes(shop, libraries, program, name, called):
    """What is wrong with the ends that this function finds; `called` is its name in reports."""
    notes, unit = [], dict(NAMES)[name]
    for size in SIZES:
        for offset in (0, 4, size // 2):
            words = [program, name, size, offset]
            fits = try_target(shop, libraries, *words, 0, "heap")
            over = try_target(shop, libraries, *words, unit, "heap")
            if not is_quiet(fits):
                notes += [f"{size} bytes at +{offset}: an exact fit fails", *fits.notes()]
            if not is_reported(over, called, offset):
                notes += [f"{size} bytes at +{offset}: too much is not reported", *over.notes()]
    return notes


def check_bounds(report, shop, libraries):
    plain, fortified = build.program(shop, "target"), build.fortified(shop, "target")
    for name, _unit in NAMES:
        for kind, program in (("plain", plain), ("fortified", fortified)):
            called = FORTIFIED_NAMES.get(name, name) if program is fortified else name
            notes = bounds_notes(shop, libraries, program, name, called)
            report.result(f"{name}, {kind}: fits to the last byte, and no further", not notes,
                          notes[:12])
        others = [try_target(shop, libraries, program, name, 4096, 0, 0, place)
                  for place in ("stack", "global") for program in (plain, fortified)]
        bad = [note for outcome in others if not is_quiet(outcome) for note in outcome.notes()]
        report.result(f"{name}: stack and globals pass", not bad, bad)
        freed = try_target(shop, libraries, plain, name, 64, 4, 0, "freed")
        report.result(f"{name}: a free block has no room",
                      is_reported(freed, name, 4, kind="free "), freed.notes())


def check_reads(report, shop, libraries):
    target = build.program(shop, "target", "reader")
    off, on = (build.program(shop, "reads_off", f"libreads_{value}.so",
                             ["-shared", "-fPIC", f"-DREADS={value}"])
               for value in ("false", "true"))
    for name in READERS:
        unit = dict(NAMES)[name]
        fits = try_target(shop, libraries, target, name, 1024, 4, 0, "source")
        over = try_target(shop, libraries, target, name, 1024, 4, unit, "source")
        unchecked = shop.run([target, name, 1024, 4, unit, "source"],
                             preload=f"{off} {libraries.both}")
        report.result(f"{name}: reads to the last byte of a block, and no further",
                      is_quiet(fits) and is_reported(over, name, 4, "P106"),
                      fits.notes() + over.notes())
        report.result(f"{name}: spanguard_copy_reads = false leaves reads alone",
                      is_quiet(unchecked), unchecked.notes())
    checked = shop.run([target, "memcpy", 1024, 4, 1, "source"], preload=f"{on} {libraries.both}")
    report.result("spanguard_copy_reads = true does not", is_reported(checked, "memcpy", 4, "P106"),
                  checked.notes())


def check_semantics(report, shop, libraries):
    compare = build.program(shop, "compare")
    narrow = build.library_with(shop, "libnarrow.so", "check.c",
                                '__builtin_cpu_supports("avx2")', "false")
    for title, preload in (("alone", libraries.copy), ("with the allocator", libraries.both),
                           ("without wide vectors", narrow), ("glibc, to compare", None)):
        outcome = shop.run([compare, 7, 400], preload=preload, timeout=60)
        notes = [line for line in outcome.stdout.splitlines() if not line.startswith("ok ")]
        right = outcome.passed() and outcome.stdout.count("ok ") == len(NAMES)
        report.result(f"every function does what plain loops do: {title}", right,
                      notes + outcome.notes())


def check_room(report, shop, libraries):
    program = build.program(shop, "room")
    outcome = shop.run([program], preload=libraries.main)
    wrong = [line for line in outcome.stdout.splitlines() if not line.startswith("ok ")]
    report.result("spanguard_block_room says what is left of a block, of any address",
                  outcome.passed() and not wrong, wrong + outcome.notes())


def check_corners(report, shop, libraries):
    early = shop.run([build.beside(shop, "early")], preload=libraries.both)
    report.result("a resolver may copy before relocation", early.passed(), early.notes())
    allocator = build.beside(shop, "allocator")
    own = shop.run([allocator], preload=libraries.copy)
    report.result("the allocator's own writes are not judged", own.passed(), own.notes())
    other = shop.run([allocator, "x"], preload=libraries.copy)
    report.result("those of its program are", other.status == 9, other.notes())
    wide = shop.run([build.program(shop, "wide_count")], preload=libraries.both)
    sentence = f"wmemset: {2 ** 64 - 1} bytes to +0 of a block of 64 bytes"
    report.result("more wide characters than memory holds are reported",
                  wide.died_by(signal.SIGABRT) and sentence in wide.stderr, wide.notes())
    fortified = build.fortified(shop, "fortified")
    fits = shop.run([fortified, "x" * 23, 24], preload=libraries.both)
    report.result("fortified code on the stack passes", fits.passed(), fits.notes())
    for text, count in (("x" * 24, 1), ("x" * 23, 25)):
        over = shop.run([fortified, text, count], preload=libraries.both)
        report.result(f"fortified: {len(text) + 1} and {count} bytes into 24 end as in glibc",
                      over.died_by(signal.SIGABRT) and "buffer overflow detected" in over.stderr,
                      over.notes())


def check_debug(report, shop, libraries):
    """The debug library knows the block itself, and not the longer one that the tiers gave."""
    both = f"{libraries.debug} {libraries.copy}"
    program = build.program(shop, "target")
    for place, line in (("heap", "P102 heap overflow: memcpy: WRITE at +4 across the end of a "
                                 "block of 64 bytes "),
                        ("freed", "P201 use after free: memcpy: WRITE at +4 of a freed block of 64 "
                                  "bytes ")):
        outcome = shop.run([program, "memcpy", 64, 4, 1, place], preload=both, timeout=20)
        report.result(f"the debug library tells a copy to a block: {place}",
                      outcome.died_by(signal.SIGABRT)
                      and outcome.stderr.startswith(f"spanguard[{outcome.pid}]: {line}"),
                      outcome.notes())


def listing(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


def check_code(report, libraries):
    library = str(libraries.copy)
    symbols = listing("nm", "-D", "--format=posix", library).splitlines()
    undefined = {row.split()[0].split("@")[0] for row in symbols if row.split()[1] in "Uwv"}
    exported = {row.split()[0] for row in symbols if row.split()[1] in "TW"}
    missing = {name for name, _unit in NAMES} - exported
    report.result("every function is exported", not missing and len(exported) > 40, missing)
    extra = undefined - IMPORTS
    report.result("nothing else is imported", not extra, extra)
    calls = re.findall(r"\b(?:call|jmp)\b.*?<(\w+)>", listing("objdump", "-d", library))
    bound = re.findall(r" R_X86_64_\w+ .*? (\w+)(?:@\S+)? \+ 0$",
                       listing("readelf", "-rW", library), re.MULTILINE)
    own = sorted(set(calls + bound) & exported)
    seen = len(calls) > 100 and "__chk_fail" in bound
    report.result("no copy calls an exported copy", seen and not own, own)
    needed = re.findall(r"NEEDED.*\[(.*)\]", listing("readelf", "-dW", library))
    report.result("it needs libc alone", needed == ["libc.so.6"], needed)


def check_programs(report, shop, libraries):
    for command in PROGRAMS:
        bare, checked = shop.run(command, preload=None), shop.run(command, preload=libraries.both)
        report.result(f"{pathlib.Path(command[0]).name} works as without",
                      checked.passed() and checked.stderr == "" and checked.stdout == bare.stdout,
                      checked.notes())


def main():
    parser = tap.arguments(__doc__)
    parser.add_argument("--copy", metavar="PATH", help="default: libspanguard-copy.so beside --lib")
    arguments = parser.parse_args()
    main_library = tap.library_of(arguments.lib)
    copy = arguments.copy or main_library.parent / "libspanguard-copy.so"
    libraries = Libraries(main_library, tap.library_of(str(copy)))
    report = Report()
    with tap.Workshop() as shop:
        for check in (check_room, check_bounds, check_reads, check_semantics, check_corners,
                      check_debug, check_programs):
            try:
                check(report, shop, libraries)
            except tap.BuildError as error:
                report.result(f"{check.__name__}: compiles", False, [error])
    check_code(report, libraries)
    return report.finish()


if __name__ == "__main__":
    sys.exit(main())
