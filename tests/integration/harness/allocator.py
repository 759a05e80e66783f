"""The two sides of the comparison: glibc as it is, and glibc with the library preloaded."""

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

GLIBC = "glibc"
PRELOAD = "preload"
REPORT_MARK = "spanguard["
ELF_SHARED_OBJECT = 3


class UnusableLibrary(Exception):
    """The path given cannot be preloaded at all."""


@dataclass(frozen=True)
class Allocator:
    label: str
    library: Path | None = None
    options: dict[str, str] = field(default_factory=dict)
    slowness: int = 1  # the loads of cases that scale are so many times smaller

    def environment(self, witness):
        """The witness comes second: it must see the allocator, never stand in front of it."""
        objects = [str(path) for path in (self.library, witness) if path]
        return {**self.options, "LD_PRELOAD": ":".join(objects)}


def check_library(path):
    """ld.so only warns about an object it cannot preload, so it is refused here."""
    try:
        with open(path, "rb") as file:
            header = file.read(18)
    except OSError as error:
        raise UnusableLibrary(f"cannot read {path}: {error.strerror}") from error
    kind = int.from_bytes(header[16:18], "little")
    if header[:4] != b"\x7fELF" or kind != ELF_SHARED_OBJECT:
        raise UnusableLibrary(f"{path} is not a shared object")


def snapshot(path, folder):
    """A copy that every user may read and that a build in progress cannot change under us."""
    copy = folder / Path(path).name
    shutil.copyfile(path, copy)
    os.chmod(copy, 0o755)
    return copy
