#!/usr/bin/python3 -B
"""Compiles the fuzz targets of a configured build folder with $CC $CFLAGS and links them with $CXX
and $LIB_FUZZING_ENGINE.

usage: build_targets.py MESON-BUILD FOLDER
"""
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

DROPPED = ("-fsanitize", "-fno-sanitize", "-Werror", "-W", "-O", "-fdiagnostics-color",
           "-fcolor-diagnostics")  # -W too: newer compilers have warnings of their own


def words(name):
    return shlex.split(os.environ.get(name, ""))


def run(command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{shlex.join(map(str, command))}\n{done.stderr}")


class Compiler:
    """Compiles each source once, however many targets have it with the same parameters."""

    def __init__(self, folder):
        self.folder = folder
        self.objects = {}

    def compile(self, source, parameters):
        key = hashlib.sha256("\0".join([source, *parameters]).encode()).hexdigest()[:16]
        place = self.folder / f"{pathlib.Path(source).stem}-{key}.o"
        if place not in self.objects:
            self.objects[place] = True
            run([*words("CC"), *words("CFLAGS"), *parameters, "-c", source, "-o", place])
        return place


def is_fuzz_target(target):
    """Those that meson would link with libFuzzer; the others have a main of their own."""
    return target["type"] == "executable" and target["name"].startswith("fuzz_") and any(
        parameter.startswith("-fsanitize=fuzzer") for group in target["target_sources"]
        for parameter in group.get("parameters", ()))


def kept(parameters):
    return [parameter for parameter in parameters
            if not parameter.startswith(DROPPED) and not parameter.endswith(".p")]


def build_target(target, compiler, folder):
    jobs = [(source, kept(group["parameters"])) for group in target["target_sources"]
            if group.get("language") == "c" for source in group["sources"]]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        objects = list(pool.map(lambda job: compiler.compile(*job), jobs))
    run([*words("CXX"), *words("CXXFLAGS"), *objects, *words("LIB_FUZZING_ENGINE"), "-pthread",
         "-ldl", "-o", folder / target["name"]])
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
    chosen = [target for target in targets if is_fuzz_target(target)]
    if not chosen:
        print("no fuzz target: is $CC a clang?", file=sys.stderr)
        return 1
    run(["ninja", "-C", build, *generated(targets, build)])
    compiler = Compiler(build / "objects")
    compiler.folder.mkdir(exist_ok=True)
    for target in chosen:
        build_target(target, compiler, folder)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
