"""What the suite compiles for itself, once, with the system's compiler and no preload."""

import os
import subprocess
from pathlib import Path

from harness.case import SEARCH_PATH

WITNESS_SOURCE = Path(__file__).resolve().parent / "witness.c"
FLAGS = ("-O2", "-g", "-Wall", "-Wextra", "-Werror", "-pthread")
COMPILE_SECONDS = 60


class CannotCompile(Exception):
    """Without a compiler nothing can be proven, so nothing is run."""


class Tools:
    def __init__(self, folder):
        self.folder = folder / "tools"
        self.folder.mkdir(mode=0o755)
        self.witness = self.compile(WITNESS_SOURCE, "-shared", "-fPIC", "-Wl,-z,now")

    def compile(self, source, *more):
        target = self.folder / source.stem
        if not target.exists():
            self._run_compiler(["cc", *FLAGS, *more, "-o", str(target), str(source)])
            os.chmod(target, 0o755)
        return target

    def _run_compiler(self, command):
        environment = {"PATH": SEARCH_PATH, "LC_ALL": "C.UTF-8", "TMPDIR": str(self.folder)}
        try:
            subprocess.run(command, env=environment, check=True, timeout=COMPILE_SECONDS,
                           capture_output=True, text=True)
        except FileNotFoundError as error:
            raise CannotCompile("no C compiler (cc) is installed") from error
        except subprocess.CalledProcessError as error:
            raise CannotCompile(f"{command[-1]}: {error.stderr}") from error
