"""From what a program asked of malloc, as trace.c writes it down, to inputs of the pool target.

A window of the trace becomes one input, each call in it one record. Blocks from before that end in
the window are made first. A program has more blocks than an input has slots: where none is left,
the block that is needed again last ends early, and its own later calls are left out.
"""
import bisect
import collections
import pathlib
import sys

from make_corpus import (ALIGNED, CALLOC, EDGE, EXACT, FREE, LARGE, MALLOC, PAGES, REALLOC, SPECIAL,
                         record)

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "lib" / "span"))
from generate_size_classes import sizes

SLOTS = 64
RECORDS_MAX = 1022          # 4 KiB with the header
OLDER_BLOCKS_MAX = SLOTS // 2
LIVE_BYTES_MAX = 16 << 20   # as in ops.h, where a call that would exceed it is none
EXPONENTS = (0, 4, 5, 6, 7, 8, 10, 12, 13, 14, 15, 16, 18, 20, 22)
MAKERS = {"m": (MALLOC, 0), "c": (CALLOC, 0), "r": (REALLOC, 0),
          "a": (ALIGNED, 0), "p": (ALIGNED, 1), "l": (ALIGNED, 2)}

# `made` and `ended` are blocks, by numbers that are never given again; None: there is no such.
Call = collections.namedtuple("Call", "kind made ended bytes alignment")


def sayable():
    """(bytes, size of a record), of all that a record can say; see bytes_of() in ops.c."""
    edges = [(EDGE, i, size) for i, size in enumerate(sizes())]
    edges += [(PAGES, i, (i + 1) * 4096) for i in range(256)]
    edges += [(SPECIAL, 64 * i + 7, (256 << 10) + i * 8192) for i in range(4)]
    for kind, index, edge in edges:
        for delta in range(256):
            yield edge + delta % 16 - 12, (kind, index, delta)
    for delta in range(256):
        yield delta, (SPECIAL, 1, delta)
        yield 0, (SPECIAL, 0, delta)
        for index in range(256):
            yield (index + 1) * (32 << 10) + delta * 16 - 2048, (LARGE, index, delta)


class Sizes:
    """The nearest size that a record can say, also where its delta names an alignment as well."""

    def __init__(self):
        self.tables = [{} for _ in range(16)]
        for size, said in sayable():
            self.tables[said[2] >> 4].setdefault(size, said)
        merged = {}
        for table in self.tables:
            merged = table | merged
        self.tables.append(merged)
        self.sorted = [sorted(table) for table in self.tables]

    def nearest(self, size, exponent=16):
        """Returns (bytes, size of the record) for the exponent of this index; 16: any delta."""
        known = self.sorted[exponent]
        at = bisect.bisect_left(known, size)
        best = min(known[max(at - 1, 0):at + 1], key=lambda known_size: abs(known_size - size))
        return best, self.tables[exponent][best]


def exponent_index(alignment):
    """Of the smallest alignment a record can say that is no less, or of the largest."""
    wanted = alignment.bit_length() - 1
    return next((i for i, log2 in enumerate(EXPONENTS) if log2 >= wanted), len(EXPONENTS) - 1)


class Process:
    """The calls of one program, its blocks named afresh."""

    def __init__(self):
        self.calls = []
        self.blocks = {}
        self.count = 0

    def add(self, kind, place, size=0, other=0):
        made = ended = None
        if kind in ("f", "r"):
            ended = self.blocks.pop(place if kind == "f" else other, None)
        if kind != "f" and place != 0:
            made = self.blocks[place] = self.count
            self.count += 1
        if made is not None or ended is not None:
            self.calls.append(Call(kind, made, ended, size, other if kind in "apl" else 0))


def read_trace(lines):
    """Returns the calls of each program that ran, the one with the most first."""
    running, done = {}, []
    for line in lines:
        words = line.split()
        if words[1] == "x" or words[0] not in running:
            running[words[0]] = Process()
            done.append(running[words[0]])
        if words[1] != "x":
            running[words[0]].add(words[1], *(int(word, 16) for word in words[2:]))
    return [process.calls for process in sorted(done, key=lambda some: -len(some.calls))]


class Window:
    """Writes the records for calls[first:], as many as fit."""

    def __init__(self, calls, first, known_sizes):
        self.known = known_sizes
        self.records = []
        self.slots = {}                    # block -> (slot, bytes)
        self.empty = list(range(SLOTS))
        window = calls[first:first + RECORDS_MAX]
        # block -> index of the call that ends it
        self.last_use = {call.ended: i for i, call in enumerate(window) if call.ended is not None}
        self.make_older(calls[:first])
        for call in window:
            self.add(call)

    def make_older(self, before):
        makers = {call.made: call for call in before if call.made in self.last_use}
        needed = sorted(makers, key=self.last_use.get)[:OLDER_BLOCKS_MAX]
        for block in sorted(needed):
            self.make(makers[block]._replace(ended=None))

    def say(self, op, slot, size=(EDGE, 0, EXACT), variant=0):
        self.records.append(record(op, slot, size, variant))

    def end(self, block):
        slot, _ = self.slots.pop(block)
        self.empty.append(slot)
        return slot

    def make_room(self, size):
        def is_full():
            return sum(held for _, held in self.slots.values()) + size > LIVE_BYTES_MAX

        while not self.empty or is_full():
            self.say(FREE, self.end(max(
                self.slots, key=lambda block: (self.last_use.get(block, RECORDS_MAX), -block))))

    def make(self, call, slot=None):
        """In that slot, or in any."""
        op, variant = MAKERS[call.kind]
        exponent = exponent_index(call.alignment) if op == ALIGNED else 16
        size, said = self.known.nearest(call.bytes, exponent)
        self.make_room(size)
        slot = self.empty[0] if slot is None else slot
        self.empty.remove(slot)
        self.slots[call.made] = (slot, size)
        self.say(op, slot, said, variant)

    def add(self, call):
        if call.made is None and call.ended in self.slots:
            realloc_to_nothing = call.kind == "r"
            self.say(REALLOC if realloc_to_nothing else FREE, self.end(call.ended),
                     (SPECIAL, 0, 0) if realloc_to_nothing else (EDGE, 0, EXACT))
        elif call.made is not None:
            self.make(call, self.end(call.ended) if call.ended in self.slots else None)


def window_input(calls, first, start, known_sizes):
    """The input whose window begins at that call, its header `start`."""
    window = Window(calls, first, known_sizes)
    return start + b"".join(window.records[:RECORDS_MAX])


def variety(calls, first):
    """How many different requests are in the window."""
    window = calls[first:first + RECORDS_MAX]
    made = (call for call in window if call.made is not None)
    return len({(call.kind, call.bytes, call.alignment) for call in made})


def window_starts(calls, count):
    """Where the `count` windows begin that have most variety and do not overlap."""
    starts = range(0, max(1, len(calls) - RECORDS_MAX + 1), RECORDS_MAX)
    return sorted(sorted(starts, key=lambda first: -variety(calls, first))[:count])
