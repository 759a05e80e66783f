#!/usr/bin/python3 -B
"""Holds the layers to their order: includes, system headers, forbidden calls, upward calls.

usage: check_layers.py [--root FOLDER] [--objects BUILD]

With --objects, links every prefix of the layer list (BUILD/libsg_LAYER.a) against libc alone:
a call from a layer to one above it is an undefined symbol then. See layer_objects.py.
"""
import argparse
import collections
import pathlib
import re
import sys

import layer_objects
import layers
from layer_objects import ALLOCATES, MAY_ALLOCATE
from tap import Tap

# Files that the build makes, and the layer they belong to.
GENERATED = {"size_class_table.inc": "span"}

# Headers of the language, harmless anywhere: they declare nothing that reaches the system.
C_HEADERS = set("assert.h errno.h limits.h stdalign.h stdarg.h stdatomic.h stdbool.h stddef.h "
                "stdint.h stdnoreturn.h string.h immintrin.h emmintrin.h".split())

# What else a layer other than os may include, and why.
HEADERS_ALLOWED = {
    ("api", "stdio.h"): "malloc_info and malloc_stats write to a FILE",
    ("api", "dlfcn.h"): "the real dlopen behind ours, libstdc++'s new handler",
    ("api", "malloc.h"): "struct mallinfo2 and the prototypes that we implement",
    ("api", "stdlib.h"): "abort, where operator new cannot throw",
    ("base", "valgrind/helgrind.h"): "requests to valgrind's thread checkers, in their build only",
    ("base", "valgrind/drd.h"): "the same, for the other of the two",
    ("unwind", "dlfcn.h"): "_dl_find_object: the module around an address, without a lock",
    ("unwind", "link.h"): "the name of that module",
    ("unwind", "ucontext.h"): "the registers of an interrupted thread",
    ("hardening", "stdlib.h"): "abort, which ends the process after a report",
    ("debug", "stdlib.h"): "abort and _Exit, which end the process after a report",
    ("debug", "valgrind/helgrind.h"): "requests to valgrind, where its headers are",
    ("debug", "valgrind/memcheck.h"): "the same",
    ("debug", "elf.h"): "the build-id in a module's mapped headers",
}

INCLUDE = re.compile(r"^[ \t]*#[ \t]*include[ \t]*(.*?)[ \t]*$", re.MULTILINE)
CALL = re.compile(r"(?<![\w.>])(\w+)\s*\(")
SYSTEM_CALL = re.compile(r"(?<!\w)(syscall|os_syscall\w*|__NR_\w+|SYS_\w+)(?!\w)|\basm\b.*syscall")


def line_of(text, position):
    return text.count("\n", 0, position) + 1


class Tree:
    """The source files, by layer, with what each include line asks for."""

    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.homes = collections.defaultdict(list)  # header name -> layers that hold it
        for layer in layers.LAYERS:
            for path in layers.sources(root, layer):
                self.homes[path.name].append(layer)
        for name, layer in GENERATED.items():
            self.homes[name].append(layer)
        self.public = {str(path.relative_to(self.root / layers.PUBLIC))
                       for path in (self.root / layers.PUBLIC).rglob("*.h")}

    def files(self, layer):
        for path in layers.sources(self.root, layer):
            yield path.relative_to(self.root), path.read_text(encoding="utf-8")

    def includes(self, layer):
        for name, text in self.files(layer):
            text = layers.without_comments(text)
            for match in INCLUDE.finditer(text):
                yield f"{name}:{line_of(text, match.start())}", match[1]


def include_problem(tree, layer, place, wanted):
    """What is wrong with `#include "wanted"` at a place of `layer`; None if nothing is."""
    if wanted in tree.public:
        return None
    if "/" in wanted:
        return "a path in an include hides the layer it reaches into"
    homes = tree.homes.get(wanted, [])
    if not homes:
        return "no layer has such a file"
    if wanted == layers.DEBUG_API:
        return "only the build of the debug library reads it, before each file of api"
    if set(homes) & set(layers.may_see(place.split(":")[0], layer)):
        return None
    return f"{layer} may not look up to {homes[0]}"


def find_include_problems(tree, layer):
    for place, wanted in tree.includes(layer):
        if wanted.startswith('"'):
            problem = include_problem(tree, layer, place, wanted.strip('"'))
            if problem:
                yield f"{place}: #include {wanted}: {problem}"
        elif not wanted.startswith("<"):
            yield f"{place}: #include {wanted}: names no file"


def find_header_problems(tree, layer, used):
    if layer == "os":
        return
    for place, wanted in tree.includes(layer):
        header = wanted.strip("<>")
        if not wanted.startswith("<") or header in C_HEADERS | tree.public:
            continue
        if (layer, header) in HEADERS_ALLOWED:
            used.add((layer, header))
        else:
            yield f"{place}: #include {wanted}: only lib/os asks the system"


def find_call_problems(tree, layer):
    for name, text in tree.files(layer):
        text = layers.without_comments_and_strings(text)
        if layer not in MAY_ALLOCATE:
            for match in CALL.finditer(text):
                if match[1] in ALLOCATES:
                    yield f"{name}:{line_of(text, match.start())}: {match[1]}() may allocate"
    if layer == "os":
        return
    for name, text in tree.files(layer):
        text = layers.without_comments(text)
        for match in SYSTEM_CALL.finditer(text):
            yield f"{name}:{line_of(text, match.start())}: {match[0]}: a system call outside lib/os"


def unused(allowed, used):
    return [f"{layer}: {what}" for layer, what in allowed if (layer, what) not in used]


def check_sources(tap, tree):
    used = set()
    for layer in layers.LAYERS:
        empty = [] if list(tree.files(layer)) else [f"{layers.LAYERS[layer]} has no source"]
        tap.check(f"{layer} includes only itself and the layers below",
                  empty + list(find_include_problems(tree, layer)))
        tap.check(f"{layer} includes no system header that it may not",
                  find_header_problems(tree, layer, used))
        tap.check(f"{layer} calls neither the system nor what may allocate",
                  find_call_problems(tree, layer))
    tap.check("no file name is used by two layers",
              (f"{name}: {', '.join(homes)}" for name, homes in sorted(tree.homes.items())
               if len(set(homes)) > 1 and name.endswith(".h")))
    tap.check("every system header allowed to a layer is used by it",
              unused(HEADERS_ALLOWED, used))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--root", default=pathlib.Path(__file__).resolve().parent.parent)
    parser.add_argument("--objects", metavar="BUILD")
    arguments = parser.parse_args()
    tap = Tap()
    check_sources(tap, Tree(arguments.root))
    if arguments.objects:
        layer_objects.check(tap, arguments.objects)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
