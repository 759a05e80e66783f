#!/usr/bin/python3 -B
"""Compares what the library exports, imports and asks of the loader with the golden lists.

usage: check_symbols.py --lib LIBRARY [--golden FOLDER [--besides FOLDER]] [--tls-bytes N]
                        [--update-imports]

--besides names a folder with lists of the same names: what this library has more than those say.
"""
import argparse
import pathlib
import re
import subprocess
import sys

from tap import Tap

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "tests" / "golden"
EXPORTS, IMPORTS = "exported_symbols.txt", "imported_symbols.txt"
POINTER_BYTES = 8
# Weak, in every shared library that gcc links: its crtbeginS.o and crti.o ask for them.
START_FILES = {"__cxa_finalize", "__gmon_start__", "_ITM_registerTMCloneTable",
               "_ITM_deregisterTMCloneTable"}


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True,
                          env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"}).stdout


def read_list(path):
    lines = (line.split("#")[0].strip() for line in path.read_text(encoding="utf-8").splitlines())
    return {line for line in lines if line}


def read_lists(folders, name):
    return set().union(*(read_list(folder / name) for folder in folders))


class Library:
    def __init__(self, path):
        self.path = str(path)
        self.dynamic = run("readelf", "-dW", self.path)
        self.segments = run("readelf", "-lW", self.path)

    def symbols(self, *options):
        """name -> type letter of nm, without version suffixes"""
        listing = run("nm", "-D", "--format=posix", *options, self.path)
        rows = (line.split() for line in listing.splitlines())
        return {row[0].split("@")[0]: row[1] for row in rows if len(row) > 1}

    def exports(self):
        return set(self.symbols("--defined-only"))

    def imports(self):
        return self.symbols("--undefined-only")

    def needed(self):
        return re.findall(r"\(NEEDED\)\s+Shared library: \[(.*?)\]", self.dynamic)

    def segment(self, name):
        """The columns of a program header: offset, addresses, sizes, flags; None if it has none."""
        match = re.search(rf"^\s+{name}\s+(.*)$", self.segments, re.MULTILINE)
        return match[1].split() if match else None


def compare(found, golden, what):
    for name in sorted(golden - found):
        yield f"missing: {name} is in the list, and not {what}"
    for name in sorted(found - golden):
        yield f"too much: {name} is {what}, and not in the list"


def is_free(name, kind):
    """Weak, and of the start files or of C++: what the program brings, the library may use."""
    return kind in "wv" and (name in START_FILES or name.startswith(("_ZS", "_ZTI", "_Unwind_")))


def listed_imports(library):
    return {name for name, kind in library.imports().items() if not is_free(name, kind)}


def stack_problems(library):
    header = library.segment("GNU_STACK")
    if header is None:
        yield "no GNU_STACK header: the loader makes the stack executable"
    elif "E" in "".join(header[5:-1]):
        yield "GNU_STACK asks for an executable stack"


def relocation_problems(library):
    if library.segment("GNU_RELRO") is None:
        yield "no RELRO segment"
    if not re.search(r"BIND_NOW|FLAGS_1\).*\bNOW", library.dynamic):
        yield "not bound at load: the GOT stays writable"
    if "TEXTREL" in library.dynamic:
        yield "relocations in the code"


def segment_problems(library):
    for line in re.findall(r"^\s+LOAD\s.*$", library.segments, re.MULTILINE):
        if re.search(r"\sRWE\s", line):
            yield f"writable and executable: {line.strip()}"


def tls_problems(library, wanted):
    header = library.segment("TLS")
    bytes_used = int(header[4], 16) if header else 0
    if bytes_used != wanted:
        yield f"the TLS segment has {bytes_used} bytes, not {wanted}"


def check(tap, library, folders, tls_bytes):
    tap.check("it exports exactly the golden list",
              compare(library.exports(), read_lists(folders, EXPORTS), "exported"))
    tap.check("it imports exactly the golden list",
              compare(listed_imports(library), read_lists(folders, IMPORTS), "imported"))
    tap.check("it needs libc.so.6 alone",
              [] if library.needed() == ["libc.so.6"] else [f"NEEDED: {library.needed()}"])
    tap.check("its stack is not executable", stack_problems(library))
    tap.check("its relocations are read-only once it is loaded", relocation_problems(library))
    tap.check("nothing in it is writable and executable", segment_problems(library))
    what = "one pointer" if tls_bytes == POINTER_BYTES else f"{tls_bytes} bytes"
    tap.check(f"its thread-local storage is {what}", tls_problems(library, tls_bytes))


def update_imports(library, folders):
    """Rewrites the last list, and keeps the comment that it opens with."""
    *others, last = folders
    path = last / IMPORTS
    names = sorted(listed_imports(library) - read_lists(others, IMPORTS))
    head = [line for line in path.read_text(encoding="utf-8").splitlines() if line[:1] == "#"]
    path.write_text("\n".join(head + names) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--lib", required=True, type=pathlib.Path)
    parser.add_argument("--golden", default=GOLDEN, type=pathlib.Path)
    parser.add_argument("--besides", type=pathlib.Path, metavar="FOLDER")
    parser.add_argument("--tls-bytes", type=int, default=POINTER_BYTES)
    parser.add_argument("--update-imports", action="store_true",
                        help="rewrite the list of imports: every new line is a decision")
    arguments = parser.parse_args()
    folders = [folder for folder in (arguments.golden, arguments.besides) if folder]
    tap = Tap()
    try:
        library = Library(arguments.lib)
        if arguments.update_imports:
            update_imports(library, folders)
        check(tap, library, folders, arguments.tls_bytes)
    except (OSError, subprocess.CalledProcessError) as error:
        tap.check("the library and the lists can be read", [error])
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
