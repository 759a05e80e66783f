"""Checks that need a look at the program from outside: streams, endings, the ELF file."""
import re
import shutil
import signal
import struct
import subprocess
import xml.etree.ElementTree

import tap
from topics import SOURCES, build_shared

REENTRY_REPORT = re.compile(r"spanguard\[\d+\]: P8\d\d [^\n]+\n")
ENDING = ["atexit", "static destructor", "library destructor"]
NOBODY = 65534
PT_TLS = 7


def build_say(shop):
    return shop.compile([SOURCES / "say.c"], "say")


def check_malloc_info(report, shop):
    outcome = shop.run([build_say(shop), "info"])
    try:
        root = xml.etree.ElementTree.fromstring(outcome.stdout)
        good = root.tag == "malloc" and "version" in root.attrib and len(root) > 0
    except xml.etree.ElementTree.ParseError as error:
        outcome.stderr += f"\n{error}"
        good = False
    report.result("malloc_info prints well-formed XML", good and outcome.passed(),
                  [] if good else outcome.notes())


def check_malloc_stats(report, shop):
    outcome = shop.run([build_say(shop), "stats"])
    good = outcome.passed() and outcome.stdout == "" and re.search(r"\d", outcome.stderr)
    report.result("malloc_stats prints figures on stderr and nothing on stdout", bool(good),
                  [] if good else outcome.notes())


def expect_lines(report, name, outcome, lines):
    expected = "".join(f"{line}\n" for line in lines)
    good = outcome.passed() and outcome.stdout == expected and outcome.stderr == ""
    report.result(name, good, [] if good else outcome.notes())


def check_lifecycle(report, shop):
    """Memory in an IFUNC resolver, constructors, atexit, destructors, after main."""
    build_shared(shop, "lifecycle_early.c", "libearly.so")
    for binding in ("lazy", "now"):
        program = shop.compile(
            [SOURCES / "lifecycle.cc"], f"lifecycle_{binding}",
            [f"-L{shop.folder}", "-learly", f"-Wl,-rpath,$ORIGIN,-z,{binding}"])
        for way, lines in (("return", ["main"]), ("pthread_exit", ["main", "thread after main"])):
            expect_lines(report, "memory works from IFUNC resolver to last destructor "
                         f"({binding} binding, main ends by {way})",
                         shop.run([program, way], timeout=20), lines + ENDING)
    other = build_shared(shop, "lifecycle_early.c", "libother.so", ["-Dearly_block=other_block"])
    library = [] if shop.library is None else [shop.library]
    for order, preloads in (("before", [other, *library]), ("after", [*library, other])):
        environment = {"LD_PRELOAD": ":".join(map(str, preloads))}
        expect_lines(report, f"memory works in a library that is preloaded {order} this one",
                     shop.run([program, "return"], environment, timeout=20),
                     ["main", *ENDING, ENDING[-1]])


def check_signals(report, shop):
    """A report of the re-entry is as good as an end without harm; silence over harm is not."""
    program = shop.compile([SOURCES / "signals.c"], "signals")
    for way in ("timer", "directed"):
        name = f"signal handlers that allocate do no silent harm ({way})"
        if shop.library is None:
            report.skip(name, "glibc makes no promise here")
            continue
        outcome = shop.run([program, way], timeout=20)
        reported = (outcome.died_by(signal.SIGABRT)
                    and REENTRY_REPORT.fullmatch(outcome.stderr) is not None)
        good = reported or (outcome.passed() and outcome.stderr == "")
        report.result(name, good, outcome.notes() if reported or not good else [])


def segments(path):
    """(type, size in memory) of each program header of a 64-bit little-endian ELF file."""
    data = path.read_bytes()
    offset, = struct.unpack_from("<Q", data, 32)
    size, count = struct.unpack_from("<HH", data, 54)
    for index in range(count):
        start = offset + index * size
        kind, = struct.unpack_from("<I", data, start)
        in_memory, = struct.unpack_from("<Q", data, start + 40)
        yield kind, in_memory


def check_tls(report, shop):
    name = "the library's thread-local storage is one pointer"
    if shop.library is None:
        return report.skip(name, "there is no library to look at")
    total = sum(size for kind, size in segments(shop.library) if kind == PT_TLS)
    return report.result(name, total <= 8, [f"{total} bytes"])


def build_secure(shop):
    """A program that names a copy of the library as needed: no LD_PRELOAD to be ignored."""
    folder = shop.folder / "secure"
    folder.mkdir()
    dynamic = subprocess.run(["readelf", "-d", str(shop.library)], capture_output=True,
                             text=True, timeout=20, check=True).stdout
    match = re.search(r"SONAME.*\[(.+)\]", dynamic)
    copy = folder / (match[1] if match else shop.library.name)
    shutil.copy(shop.library, copy)
    copy.chmod(0o755)
    program = shop.compile([SOURCES / "say.c"], "secure/say",
                           ["-Wl,--no-as-needed", str(copy), f"-Wl,-rpath,{folder}"])
    for path in (shop.folder, folder):
        path.chmod(0o755)
    return program


def run_as_nobody(shop, program, mode, preload=None):
    program.chmod(mode)
    return shop.run([program, "secure"], {"SPANGUARD_OPTIONS": "bogus=1:help=1"}, preload=preload,
                    user=NOBODY, group=NOBODY, extra_groups=[])


def check_secure(report, shop):
    """Set-uid: options in the environment of whoever runs it count for nothing."""
    name = "a set-uid program ignores SPANGUARD_OPTIONS"
    if shop.library is None:
        return report.skip(name, "glibc has no such options")
    if tap.os.geteuid() != 0:
        return report.skip(name, "only root can make a set-uid program of another user")
    program = build_secure(shop)
    plain = run_as_nobody(shop, program, 0o755)
    obeys = plain.passed() and "bogus" in plain.stderr
    report.result("the same program without set-uid obeys SPANGUARD_OPTIONS", obeys,
                  [] if obeys else plain.notes())
    for title, preload in ((name, None), ("a set-uid program runs where LD_PRELOAD has a slash",
                                          shop.library)):
        outcome = run_as_nobody(shop, program, 0o4755, preload)
        if "AT_SECURE is 0" in outcome.stdout:
            report.skip(title, "set-uid has no effect in this file system")
            continue
        good = (outcome.passed() and outcome.stderr == ""
                and outcome.stdout == "AT_SECURE is 1\nalive\n")
        report.result(title, good, [] if good else outcome.notes())
    return None


CHECKS = {"malloc_info": check_malloc_info, "malloc_stats": check_malloc_stats,
          "lifecycle": check_lifecycle, "signals": check_signals, "tls": check_tls,
          "secure": check_secure}
