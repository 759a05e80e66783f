"""The list of what is not run, and why: coverage_gaps.txt.

One entry a line, `FILE:FUNCTION reason` for all that is not run of a function, or
`FILE:FUNCTION "TEXT" reason` for the lines of it that contain TEXT. An entry that meets nothing is
a fault: what it excuses is run by now, or gone. But not one whose line begins with "~ ": that is
run in some runs and not in others, as a race is.
"""
import collections
import re

ENTRY = re.compile(r'(?P<luck>~ )?(?P<file>[^:\s]+):(?P<function>\w+|\?)(?:\s+"(?P<text>[^"]+)")?\s+(?P<why>\S.*)')

Entry = collections.namedtuple("Entry", "number file function text why is_luck")


class Gaps:
    def __init__(self, path):
        self.name = path.name
        self.entries, self.bad = [], []
        self.met = set()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if line.strip() and not line.startswith("#"):
                self.read(number, line)

    def read(self, number, line):
        match = ENTRY.fullmatch(line.strip())
        if match:
            self.entries.append(Entry(number, match["file"], match["function"], match["text"],
                                      match["why"], bool(match["luck"])))
        else:
            self.bad.append(f"{self.name}:{number}: not an entry: {line.strip()}")

    def excuses(self, row):
        file, function, _line, text, _what = row
        found = [entry for entry in self.entries if (entry.file, entry.function) ==
                 (file, function) and (entry.text is None or entry.text in text)]
        self.met.update(entry.number for entry in found)
        return bool(found)

    def take(self, rows):
        """The rows without a reason."""
        return [row for row in rows if not self.excuses(row)]

    def faults(self):
        stale = [f"{self.name}:{entry.number}: {entry.file}:{entry.function} is run by now, or gone"
                 for entry in self.entries if not (entry.is_luck or entry.number in self.met)]
        return self.bad + stale
