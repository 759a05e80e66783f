"""Planted defects as they lie in plants/: a patch with four lines about it in front.

    What: one sentence
    Targets: those that should see it, the best first
    Threaded: yes or no
    Oracle: a regular expression for the line that tells of it

A target is fuzz_NAME_replay or, if there is none, the program fuzz_NAME, which takes no seed;
NAME:10:1 runs it with these arguments.
"""
import dataclasses
import pathlib
import re

FOLDER = pathlib.Path(__file__).resolve().parent / "plants"
KEYS = ("What", "Targets", "Threaded", "Oracle")


class BadPlant(Exception):
    pass


@dataclasses.dataclass(frozen=True)
class Plant:
    name: str
    path: pathlib.Path
    what: str
    targets: tuple
    is_threaded: bool
    oracle: str

    def is_expected(self, line):
        return re.search(self.oracle, line, re.IGNORECASE) is not None


def header_of(path):
    head = path.read_text(encoding="utf-8").split("\ndiff --git ", 1)[0]
    found = dict(re.findall(r"^(\w+): *(.+?) *$", head, re.MULTILINE))
    missing = [key for key in KEYS if key not in found]
    if missing:
        raise BadPlant(f"{path.name}: no line {', '.join(missing)}")
    return found


def read(path):
    header = header_of(path)
    if header["Threaded"] not in ("yes", "no"):
        raise BadPlant(f"{path.name}: Threaded is yes or no")
    return Plant(name=path.stem, path=path, what=header["What"],
                 targets=tuple(header["Targets"].split()),
                 is_threaded=header["Threaded"] == "yes", oracle=header["Oracle"])


def read_all(folder, only=()):
    """All plants of the folder, or those of the names."""
    plants = [read(path) for path in sorted(pathlib.Path(folder).resolve().glob("*.patch"))]
    unknown = set(only) - {plant.name for plant in plants}
    if unknown:
        raise BadPlant(f"no plant {', '.join(sorted(unknown))}")
    return [plant for plant in plants if not only or plant.name in only]
