#!/usr/bin/python3 -B
"""Compiles the fuzz targets of a configured build folder with $CC $CFLAGS and links them with $CXX
and $LIB_FUZZING_ENGINE.

usage: build_targets.py MESON-BUILD FOLDER
"""
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

DROPPED = ("-fsanitize", "-fno-sanitize", "-Werror", "-W", "-O", "-fdiagnostics-color",
           "-fcolor-diagnostics")  # -W too: newer compilers have warnings of their own


ROOT = pathlib.Path(__file__).resolve().parents[2]


def words(name):
    return shlex.split(os.environ.get(name, ""))


def run(command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{shlex.join(map(str, command))}\n{done.stderr}")


class Compiler:
    """Compiles each source once, however many targets have it with the same parameters. The names
    of the objects are meson's: fuzz/state.ld chooses by them."""

    def __init__(self, build):
        self.build = build
        self.folder = build / "objects"

    def compile(self, source, parameters):
        folder = self.folder / hashlib.sha256("\0".join(parameters).encode()).hexdigest()[:16]
        folder.mkdir(parents=True, exist_ok=True)
        name = os.path.relpath(source, ROOT).replace("/", "_")
        place = folder / f"{name}.o"
        if not place.exists():
            run([*words("CC"), *words("CFLAGS"), *parameters, "-c", source, "-o", place])
        return place


TIERS = ("fuzz_tiers_sanitized", "fuzz_api_sanitized")  # libraries whose objects each target has


def is_fuzz_target(target, targets):
    """Those with a replay of their own beside them, under the plain name."""
    return target["type"] == "executable" and any(
        other["name"] == f"{target['name']}_replay" for other in targets)


def kept(parameters):
    return [parameter for parameter in parameters
            if not parameter.startswith(DROPPED) and not parameter.endswith(".p")]


def link_arguments(build, name):
    """Those of meson's own link that are ours: introspection does not tell them."""
    rule = re.search(rf"^build fuzz/{name}: .*?^ LINK_ARGS = (.*?)$",
                     (build / "build.ninja").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [word for word in shlex.split(rule[1]) if word.startswith(("-Wl,-T,", "-Wl,--wrap="))]


def build_target(target, libraries, compiler, folder):
    jobs = [(source, kept(group["parameters"]))
            for group in target["target_sources"] + libraries if group.get("language") == "c"
            for source in group["sources"]]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = list(pool.map(lambda job: compiler.compile(*job), jobs))
    run([*words("CXX"), *words("CXXFLAGS"), *objects, *words("LIB_FUZZING_ENGINE"),
         *link_arguments(compiler.build, target["name"]), "-pthread", "-ldl", "-o", folder / target["name"]])
    print(f"built {target['name']} of {len(objects)} sources")


def generated(targets, build):
    """Headers and tables that the sources include and meson's build makes."""
    return [os.path.relpath(name, build) for target in targets if target["type"] == "custom"
            for name in target["filename"] if name.endswith((".inc", ".h"))]


def main(arguments):
    if len(arguments) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    build, folder = map(pathlib.Path, arguments)
    targets = json.loads((build / "meson-info/intro-targets.json").read_text(encoding="utf-8"))
    chosen = [target for target in targets if is_fuzz_target(target, targets)]
    if not chosen:
        print("no fuzz target: is $CC a clang?", file=sys.stderr)
        return 1
    run(["ninja", "-C", build, *generated(targets, build)])
    compiler = Compiler(build)
    libraries = [group for target in targets if target["name"] in TIERS
                 for group in target["target_sources"]]
    for target in chosen:
        build_target(target, libraries, compiler, folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
