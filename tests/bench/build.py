"""Compiles a test's or benchmark's program into a folder that its caller owns."""

import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
FLAGS = ["-O2", "-Wall", "-Wextra", "-D_GNU_SOURCE", f"-I{HERE}"]


def compile_program(output, sources, *flags):
    """Compiles `sources` (paths) into `output`; if that fails, ends the run with what was said."""
    compiler = shutil.which("c++" if sources[0].endswith(".cc") else "cc")
    if compiler is None:
        sys.exit("no C or C++ compiler in PATH")
    command = [compiler, *FLAGS, *flags, "-o", output, *sources, "-lpthread"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"cannot compile {sources}:\n{done.stderr}")
    if done.stderr:
        print(done.stderr, file=sys.stderr)
    return output
