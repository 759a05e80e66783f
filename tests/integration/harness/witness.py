"""Proof that the preload was on: a static or set-uid program ignores it without a word."""

import os
from dataclasses import dataclass
from pathlib import Path

from harness.case import CaseFailed

VARIABLE = "INTEGRATION_WITNESS"


@dataclass(frozen=True)
class Testimony:
    pid: int
    program: str
    owners: frozenset[str]


class Witness:
    """The notes that the processes of one run left about themselves."""

    def __init__(self, notes, library):
        self.notes = notes
        self.library = library
        notes.touch()
        os.chmod(notes, 0o666)  # a server may run as another user

    def testimonies(self):
        lines = self.notes.read_text(errors="backslashreplace").splitlines()
        fields = [line.split("\t") for line in lines]
        return [Testimony(int(f[0]), Path(f[1]).name, frozenset(f[2:])) for f in fields]

    def check_process(self, pid, what):
        if not any(t.pid == pid for t in self.testimonies()):
            raise CaseFailed(f"{what}: LD_PRELOAD was not honoured by the process it started as")

    def check_program(self, name):
        if not any(t.program == name for t in self.testimonies()):
            raise CaseFailed(f"no process ran {name} with LD_PRELOAD honoured")

    def check_owners(self):
        """Every process that loaded the preload, children included, must allocate from it."""
        for testimony in self.testimonies():
            if self.library and testimony.owners != {str(self.library)}:
                found = ", ".join(sorted(testimony.owners))
                raise CaseFailed(f"{testimony.program}: malloc and its family come from {found}")


def maps_library(pid, library):
    """The kernel's own view of a process; None when it has ended, also if nobody awaited it yet."""
    try:
        mapped = Path(f"/proc/{pid}/maps").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return str(library) in mapped if mapped else None
