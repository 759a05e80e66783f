#!/usr/bin/python3 -B
"""Every header compiles alone, twice over, with what its layer may see; its guard is its place.

usage: check_headers.py [--root FOLDER]

A public header must also compile as C99, as C++, and with nothing else of ours in sight.
"""
import argparse
import pathlib
import re
import subprocess
import sys

import layers
from tap import Tap

STRICT = ["-fsyntax-only", "-Wall", "-Wextra", "-Wundef", "-Wshadow", "-Werror"]
OURS = ["cc", "-x", "c", "-std=gnu11", "-Wstrict-prototypes"]
PUBLIC = {
    "C99": ["cc", "-x", "c", "-std=c99", "-pedantic", "-Wstrict-prototypes"],
    "C++": ["c++", "-x", "c++", "-std=c++11", "-pedantic"],
}
GUARD = re.compile(r"\s*#ifndef (\w+)\n#define (\w+)\n.*\n#endif\s*$", re.DOTALL)


def compile_problems(command, header, include_folders):
    """Includes the header twice, and nothing before it."""
    source = f'#include "{header}"\n' * 2
    flags = [flag for folder in include_folders for flag in ("-I", str(folder))]
    result = subprocess.run([*command, *STRICT, *flags, "-"], input=source, text=True,
                            capture_output=True, check=False)
    return result.stderr.splitlines()[:12] if result.returncode != 0 else []


def guard_problems(header, expected):
    text = layers.without_comments(header.read_text(encoding="utf-8"))
    match = GUARD.match(text)
    if match is None:
        yield "is not enclosed by one #ifndef, #define, #endif"
    elif match[1] != match[2]:
        yield f"tests {match[1]} and defines {match[2]}"
    elif match[1] not in expected:
        yield f"guard {match[1]}, expected {' or '.join(expected)}"


def guards_of(header):
    """lib/span/page_map.h -> SG_SPAN_PAGE_MAP_H; lib/os/os_file.h need not say os twice"""
    folder = header.parent.name
    stems = dict.fromkeys([header.stem, header.stem.removeprefix(f"{folder}_")])
    return [re.sub(r"\W", "_", f"SG_{folder}_{stem}_H".upper()) for stem in stems]


def visible(root, seen):
    folders = [root / layers.PUBLIC]
    for name in seen:
        folders += layers.folders(root, name)
    return folders


def check_header(tap, root, header, seen):
    name = header.relative_to(root)
    tap.check(f"{name} compiles alone and guards itself",
              compile_problems(OURS, header, visible(root, seen)) +
              list(guard_problems(header, guards_of(header))))


def check_layers(tap, root):
    for layer in layers.LAYERS:
        for header in layers.sources(root, layer, {".h"}):
            check_header(tap, root, header, layers.may_see(header, layer))
    for name, uses in layers.ASIDE_USES.items():
        for header in layers.sources(root, name, {".h"}):
            check_header(tap, root, header, [*uses, name])


def check_public(tap, root):
    folder = root / layers.PUBLIC
    for header in sorted(folder.rglob("*.h")):
        name = header.relative_to(folder)
        for language, command in PUBLIC.items():
            tap.check(f"<{name}> compiles alone as {language}",
                      compile_problems(command, header, [folder]))
        tap.check(f"<{name}> guards itself",
                  guard_problems(header, [re.sub(r"\W", "_", str(name).upper())]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--root", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parent.parent)
    root = parser.parse_args().root.resolve()
    tap = Tap()
    check_layers(tap, root)
    check_public(tap, root)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
