#!/usr/bin/env python3
"""Writes size_class_table.inc: one row per size class, and the two look-up tables.

The steps are the design; what follows from them (span length, batch, inverse) is computed here and
checked again by the compiler in size_class.c, so that a mistake here cannot pass.
"""
import sys

PAGE_BYTES = 8192
# (last size of the segment, step); the class count is 64 + 16 + 48 + 56 + 24 = 208.
SEGMENTS = [(1 << 10, 16), (2 << 10, 64), (8 << 10, 128), (64 << 10, 1 << 10), (256 << 10, 8 << 10)]
MAX_SPAN_PAGES = 32         # 256 KiB: one 64-bit mask says which 4 KiB pieces were given back
WANTED_SLOTS = 32           # per span, so that a batch seldom needs two spans
BATCH_BYTES = 32 << 10      # that move between tiers at once: what every thread soon caches
BATCH_BYTES_BEYOND_A_PAGE = 256 << 10  # cached by those only that ask often
BATCH_MAX = 64


def sizes():
    size = 0
    for last, step in SEGMENTS:
        while size < last:
            size += step
            yield size


def tail_waste(size, pages):
    return pages * PAGE_BYTES % size


def pages_of_span(size):
    """Small slots: the shortest span with enough of them whose unused tail is at most 1/16.
    Slots beyond a page: the span that wastes least, the longest of several such."""
    if size <= PAGE_BYTES:
        wanted = 1 if size <= 256 else min(size * WANTED_SLOTS // PAGE_BYTES, MAX_SPAN_PAGES)
        for pages in range(max(1, wanted), MAX_SPAN_PAGES + 1):
            if tail_waste(size, pages) * 16 <= pages * PAGE_BYTES:
                return pages
    shortest = -(-size // PAGE_BYTES)
    return min(range(shortest, MAX_SPAN_PAGES + 1),
               key=lambda pages: (tail_waste(size, pages) / pages, -pages))


def row(index, size):
    pages = pages_of_span(size)
    rotation = (size & -size).bit_length() - 1
    inverse = pow(size >> rotation, -1, 1 << 64)
    batch_bytes = BATCH_BYTES if size < PAGE_BYTES else BATCH_BYTES_BEYOND_A_PAGE
    batch = max(1, min(BATCH_MAX, batch_bytes // size))
    return (f"SIZE_CLASS({index}, {size}, {pages}, {pages * PAGE_BYTES // size}, {batch}, "
            f"{rotation}, {inverse:#x}u)")


def lookup(name, all_sizes, last, step):
    """Class of each multiple of `step` up to `last`, indexed by the number of steps."""
    lines = [f"#define {name}"]
    for units in range(last // step + 1):
        index = next(i for i, size in enumerate(all_sizes, 1) if size >= units * step)
        lines.append(f"    [{units}] = {index},")
    return " \\\n".join(lines)


def main():
    all_sizes = list(sizes())
    with open(sys.argv[1], "w", encoding="ascii") as out:
        print("/* Written by generate_size_classes.py. */", file=out)
        print("#ifdef SIZE_CLASS", file=out)
        # Class 0 is malloc(0): distinct addresses, 16 bytes apart, on pages without access.
        print(row(0, 16), file=out)
        for index, size in enumerate(all_sizes, 1):
            print(row(index, size), file=out)
        print("#endif", file=out)
        print(lookup("SIZE_CLASS_BY_64", all_sizes, 8 << 10, 64), file=out)
        print(lookup("SIZE_CLASS_BY_1024", all_sizes, 256 << 10, 1 << 10), file=out)


if __name__ == "__main__":
    main()
