"""The programs of src/: their marked lines, and how they are built."""
import functools
import pathlib
import re
import subprocess
from dataclasses import dataclass

SOURCES = pathlib.Path(__file__).resolve().parent / "src"
MARKER = re.compile(r"/\* ((?:BUG|ALLOC|FREE)(?: (?:BUG|ALLOC|FREE))*) \*/")
FUNCTION = re.compile(r"(~?\w+)\(")
COMPILERS = {".c": ("gcc", "-std=gnu11"), ".cc": ("g++", "-std=c++17")}
CLANGS = {".c": ("clang-19", "-std=gnu11"), ".cc": ("clang++-19", "-std=c++17")}
COMMON = ["-w", "-pthread", "-D_GNU_SOURCE"]
ASAN = ["-O0", "-g", "-fsanitize=address", "-fno-omit-frame-pointer"]
COMPILE_SECONDS = 120

# A call at the end of a function that became a jump has left no frame to be shown.
OPTIMISED = ["-O2", "-fno-optimize-sibling-calls"]
# name -> flags of the compiler; "stripped" is made of "nodebug"
VARIANTS = {"O0": ["-O0", "-g"], "O2": [*OPTIMISED, "-g"], "nodebug": OPTIMISED, "stripped": []}


class BuildError(Exception):
    """A sample does not compile; the text is the compiler's."""


@dataclass(frozen=True)
class Site:
    """A marked line, and the function that it is in."""
    file: str
    line: int
    function: str

    def place(self):
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Program:
    """A built sample: what to run."""
    command: tuple


def source_of(name):
    for suffix in COMPILERS:
        path = SOURCES / (name + suffix)
        if path.is_file():
            return path
    raise BuildError(f"no source for {name}")


def plugin_of(name):
    path = SOURCES / f"{name}_so.c"
    return path if path.is_file() else None


def names():
    """All samples that have a source."""
    return sorted(path.stem for path in SOURCES.iterdir()
                  if path.suffix in COMPILERS and not path.stem.endswith("_so"))


def function_at(lines, index):
    """The function that holds the line. Only a function's brace stands alone after a list of
    parameters: ci/check_format.sh sees to that."""
    for above in range(index, -1, -1):
        found = FUNCTION.search(lines[above])
        if found and lines[above + 1].strip() == "{":
            return found.group(1)
    return None


def sites(name):
    """{"BUG": [Site], "ALLOC": [Site], "FREE": [Site]} of a sample and its plugin."""
    marked = {"BUG": [], "ALLOC": [], "FREE": []}
    for path in filter(None, (source_of(name), plugin_of(name))):
        lines = path.read_text().splitlines()
        for index, line in enumerate(lines):
            found = MARKER.search(line)
            for kind in found.group(1).split() if found else ():
                marked[kind].append(Site(path.name, index + 1, function_at(lines, index)))
    return marked


def compile_one(compilers, flags, source, target):
    compiler, standard = compilers[source.suffix]
    command = [compiler, standard, *COMMON, *flags, source.name, "-o", str(target)]
    done = subprocess.run(command, cwd=source.parent, capture_output=True, text=True,
                          timeout=COMPILE_SECONDS, check=False)
    if done.returncode != 0:
        raise BuildError(f"{source.name}: {done.stderr}")


def compile_sample(name, flags, folder, compilers=None):
    """Builds the sample, and its plugin if it has one, into a folder of its own there."""
    compilers = compilers or COMPILERS
    folder.mkdir(parents=True, exist_ok=True)
    target, plugin = folder / name, plugin_of(name)
    compile_one(compilers, flags, source_of(name), target)
    if plugin is None:
        return Program((str(target),))
    library = folder / f"{name}.so"
    compile_one(compilers, [*flags, "-shared", "-fPIC"], plugin, library)
    return Program((str(target), str(library)))


def strip(whole, folder):
    """Copies of a program and its plugin, without symbols."""
    folder.mkdir(parents=True, exist_ok=True)
    bare = [folder / pathlib.Path(path).name for path in whole.command]
    for path, target in zip(whole.command, bare):
        subprocess.run(["strip", "--strip-all", "-o", str(target), path],
                       timeout=COMPILE_SECONDS, check=True)
    return Program(tuple(map(str, bare)))


@functools.lru_cache(maxsize=None)
def build(name, variant, is_fixed, folder):
    """The sample as one of VARIANTS, with its bug or without; once. No two threads may build the
    same."""
    place = folder / variant / ("fixed" if is_fixed else "buggy")
    if variant == "stripped":
        return strip(build(name, "nodebug", is_fixed, folder), place)
    return compile_sample(name, VARIANTS[variant] + (["-DFIXED"] if is_fixed else []), place)


def build_asan(name, clang, is_fixed, folder):
    """The sample with AddressSanitizer, by gcc or by clang."""
    flags = ASAN + (["-DFIXED"] if is_fixed else [])
    place = folder / ("clang" if clang else "gcc") / ("fixed" if is_fixed else "buggy")
    return compile_sample(name, flags, place, CLANGS if clang else COMPILERS)
