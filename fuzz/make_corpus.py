#!/usr/bin/env python3
"""Writes the seed corpus of the pool target: one small file for each thing worth trying.

Usage: make_corpus.py FOLDER. The encoding is that of ops.h; files of other names stay.
"""
import pathlib
import random
import sys

MALLOC, CALLOC, ALIGNED, REALLOC, NEAR, FREE, STATED, USABLE = range(8)
VERIFY, TRIM, STATISTICS, BURST = range(8, 12)
EDGE, PAGES, LARGE, SPECIAL = range(4)  # kinds of sizes
ONE, TWO, EIGHT, ALL = 0, 4, 8, 12      # on how many slots
NEW, NEW_ARRAY = 1, 2                   # variants of MALLOC
EXACT = 12                              # deltas go from -12 to +3
CLASSES = 208
NO_CACHE, NOTHING_DIRTY, DENSE = 1, 4, 16  # bits of the tuning
MOST_BYTES = 1024


def header(tuning=0, seed=1):
    return bytes([0, tuning]) + seed.to_bytes(6, "big")


def record(op, slot=0, size=(EDGE, 0, EXACT), variant=0):
    kind, index, delta = size
    return bytes([op | variant << 4, slot % 64 | kind << 6, index % 256, delta % 256])


def each_class(delta, op=MALLOC, end=FREE):
    """A block of each class, 64 at a time."""
    records = b""
    for index in range(CLASSES):
        records += record(op, index, (EDGE, index, delta))
        if index % 64 == 63:
            records += record(end, 0, variant=ALL)
    return records


def aligned(size):
    """All alignments, up to one that no address space has."""
    records = b""
    for exponent in range(16):
        kind, index, delta = size
        records += record(ALIGNED, exponent, (kind, index, exponent << 4 | delta & 15))
    records += record(VERIFY) + record(STATED, 0, variant=EIGHT)
    return records + record(FREE, 8, variant=ALL)


def impossible(op):
    records = record(MALLOC, 0, (EDGE, 40, EXACT), ALL)
    for index in (2, 3, 4, 5, 6, 22, 118, 246):
        for delta in (0, 1, 200):
            records += record(op, index if op == REALLOC else index + 64, (SPECIAL, index, delta))
    return records + record(VERIFY) + record(STATISTICS)


def realloc_chain(start, kind, index, rounds, tuning=0):
    """The same slot resized by a rule again and again."""
    records = record(CALLOC, 5, start) + record(MALLOC, 6, start)
    for _ in range(rounds):
        records += record(NEAR, 5, (kind, index, EXACT)) + record(NEAR, 6, (kind, index, EXACT + 1))
        records += record(USABLE, 6)
    return header(tuning) + records + record(VERIFY) + record(STATED, 5, variant=TWO)


def large_merge(order):
    records = b"".join(record(MALLOC, i, (PAGES, 63 + i, EXACT)) for i in range(8))
    for i in order:
        records += record(FREE, i) + record(STATISTICS)
    records += record(CALLOC, 9, (LARGE, 60, 128)) + record(TRIM)
    return records + record(CALLOC, 10, (LARGE, 8, 0))


def recycled():
    """Written memory goes round and must come back as zeroes."""
    records = b""
    for index in (3, 60, 90, 150, 190, 207):
        records += record(MALLOC, 0, (EDGE, index, EXACT), EIGHT) + record(USABLE, 0, variant=EIGHT)
        records += record(FREE, 0, variant=EIGHT) + record(CALLOC, 0, (EDGE, index, 0), EIGHT)
        records += record(FREE, 0, variant=EIGHT)
    for index in (10, 40, 100):
        records += record(MALLOC, 20, (LARGE, index, 0)) + record(USABLE, 20) + record(FREE, 20)
        records += record(CALLOC, 20, (LARGE, index, 5)) + record(FREE, 20)
    return records


def survivors():
    """Bursts that leave a few blocks behind in their spans, and the sweep that follows."""
    records = b""
    for index in (2, 15, 63, 70, 100, 140):
        most = (EDGE, index, 252)  # blocks, of the exact size
        records += record(BURST, 0, most, 0) + record(MALLOC, index, (EDGE, index, 4))
        records += record(BURST, 0, most, 1) + record(BURST, 0, most, 2)
        records += record(TRIM) + record(VERIFY) + record(CALLOC, index + 1, (EDGE, index, EXACT))
    return records


def interfaces():
    records = b""
    for index in range(0, CLASSES, 26):
        records += record(MALLOC, 0, (EDGE, index, EXACT), EIGHT + NEW)
        records += record(MALLOC, 8, (EDGE, index, 1), EIGHT + NEW_ARRAY)
        records += record(MALLOC, 16, (EDGE, index, 15), EIGHT)
        records += record(STATED, 0, variant=ALL)
    return records


def shrunk():
    """Blocks made smaller in place, and ended by their new size."""
    records = b""
    for i, index in enumerate(range(0, CLASSES, 14)):
        records += record(MALLOC, i, (EDGE, index, EXACT)) + record(NEAR, i, (SPECIAL, 12, EXACT))
    return records + record(STATED, 0, variant=ALL)


def chance(number):
    source = random.Random(number)
    sizes = [(source.choice((EDGE, EDGE, PAGES, SPECIAL)), source.randrange(256)) for _ in range(3)]
    records = b""
    for _ in range(200):
        records += record(source.randrange(16), source.randrange(source.choice((4, 64))),
                          source.choice(sizes) + (source.randrange(256),), source.randrange(10))
    return header(source.randrange(256), number) + records


def corpus():
    """(name, input)"""
    yield "empty", b""
    yield "header", header()
    for name, delta in (("minus_12", 0), ("minus_1", 11), ("exact", 12), ("plus_1", 13)):
        yield f"edge_{name}", header() + each_class(delta, end=STATED)
    yield "edge_calloc", header(NO_CACHE) + each_class(EXACT, CALLOC)
    yield "edge_aligned", header() + each_class(EXACT + 0x50, ALIGNED, STATED)
    yield "aligned_small", header() + aligned((EDGE, 4, EXACT))
    yield "aligned_empty", header() + aligned((SPECIAL, 0, 0))
    yield "aligned_large", header() + aligned((PAGES, 99, 3))
    yield "impossible_malloc", header() + impossible(MALLOC)
    yield "impossible_calloc", header() + impossible(CALLOC)
    yield "impossible_aligned", header() + impossible(ALIGNED)
    yield "impossible_realloc", header() + impossible(REALLOC)
    yield "realloc_double", realloc_chain((EDGE, 0, EXACT), LARGE, 0, 20, DENSE)
    yield "realloc_halve", realloc_chain((LARGE, 240, 0), PAGES, 0, 20)
    yield "realloc_near", realloc_chain((PAGES, 70, EXACT), EDGE, 0, 40)
    yield "realloc_eighths", realloc_chain((PAGES, 90, EXACT), SPECIAL, 18, 12)
    yield "realloc_to_nothing", header() + record(MALLOC, 1, variant=EIGHT) + record(
        REALLOC, 0, (SPECIAL, 0, 0), ALL) * 3
    yield "threshold", header() + b"".join(
        record(op, slot + 16 * op, (SPECIAL, 7 + 64 * (slot % 4), slot))
        for op in (MALLOC, CALLOC, REALLOC) for slot in range(16)) + record(STATED, 0, variant=ALL)
    yield "merge_upwards", header() + large_merge(range(8))
    yield "merge_downwards", header(NOTHING_DIRTY) + large_merge(range(7, -1, -1))
    yield "merge_middle", header() + large_merge((1, 3, 5, 7, 2, 6, 4, 0))
    yield "recycled", header(DENSE) + recycled()
    yield "survivors", header() + survivors()
    yield "survivors_no_cache", header(NO_CACHE | NOTHING_DIRTY) + survivors()
    yield "interfaces", header() + interfaces()
    yield "shrunk", header() + shrunk()
    for number in range(8):
        yield f"chance_{number}", chance(number)


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in corpus():
        if len(data) >= MOST_BYTES:
            print(f"{name}: {len(data)} bytes are too many", file=sys.stderr)
            return 1
        (folder / name).write_bytes(data)
    return 0


if __name__ == "__main__":
    sys.exit(main())
