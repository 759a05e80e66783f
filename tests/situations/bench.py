"""Runs the program of the situations, and reads what the debug library said."""
import json
import pathlib
import re
import sys
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "interface"))

import tap  # noqa: E402

CORE = re.compile(r"^spanguard\[\d+\]: (P\d{3}) [^\n]+ id=[0-9a-f]{8}[^\n]*\)$", re.M)
SECONDS = 60


@dataclass
class Said:
    """How a body ended, and the reports: of the file, and the first lines on stderr."""
    outcome: tap.Outcome
    records: list

    @property
    def codes(self):
        return [record["code"] for record in self.records]

    @property
    def cores(self):
        return CORE.findall(self.outcome.stderr)


class Bench:
    def __init__(self, shop, library, report):
        self.shop = shop
        self.library = library
        self.report = report
        self.program = self.compile("situations")

    def compile(self, name, *flags):
        sources = [HERE / name for name in ("main.c", "surroundings.c", "choices.c", "meanwhile.c",
                                         "rare.c")]
        return self.shop.compile(sources, name, ["-O0", "-Wno-use-after-free", *flags])

    def run(self, body, options="", **variables):
        path = self.shop.folder / "reports.jsonl"
        path.unlink(missing_ok=True)
        environment = {"SPANGUARD_OPTIONS": options, "SPANGUARD_REPORT_FILE": str(path),
                       "NO_COLOR": "1", **variables}
        outcome = self.shop.run([self.program, body], environment, SECONDS, preload=self.library)
        text = path.read_text(errors="replace") if path.exists() else ""
        return Said(outcome, [json.loads(line) for line in text.splitlines()])

    def expect(self, name, said, problems):
        """`problems`: strings; those that are empty or False do not count."""
        problems = [str(problem) for problem in problems if problem]
        notes = problems + said.outcome.notes() + [f"codes {said.codes}"] if problems else []
        self.report.result(name, not problems, notes)


def differs(what, found, due):
    return found != due and f"{what}: {found!r}, expected {due!r}"
