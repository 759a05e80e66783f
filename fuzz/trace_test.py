#!/usr/bin/python3 -B
"""From a trace to an input to the calls that fuzz_decode prints, as TAP.

usage: trace_test.py FUZZ-DECODE
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import make_corpus
from trace_corpus import DESCRIPTOR, build_logger, run_traced
from trace_input import (EXPONENTS, RECORDS_MAX, SLOTS, Sizes, read_trace, window_input,
                         window_starts)

HERE = pathlib.Path(__file__).resolve().parent
sys.path.append(str(HERE.parent / "ci"))
from tap import Tap

# Process 7 is a program whose first blocks are lost to the next one; 8 made fewer calls.
TRACE = """7 m 9000 5
7 x
8 m a000 1
7 m a000 18
7 c b000 200
7 r c000 64 0
7 f 9000
7 p d000 2711 20
7 l e000 30 2000
7 a f000 8 40
7 r c000 1000001 c000
7 f a000
7 r a000 c8 b000
7 r 0 0 a000
7 f e000"""
EXPECTED = ["b[0] = malloc(24)", "b[1] = calloc(1, 512)", "b[2] = malloc(100)",
            "posix_memalign(&old, 0x20, 10228), b[3]", "b[4] = memalign(0x2000, 48)",
            "b[5] = aligned_alloc(0x40, 8)", "b[2] = realloc(b[2], 8390640)", "free b[0]",
            "b[1] = realloc(b[1], 200)", "free b[1]", "free b[4]"]
PROGRAM = """#define _GNU_SOURCE
#include <malloc.h>
#include <stdlib.h>
int main(void)
{
    void *a = malloc(1234567), *b = calloc(3, 411522), *c = realloc(NULL, 1234569), *d = NULL;
    void *e = reallocarray(NULL, 2, 617285), *f = memalign(64, 1234571);
    void *g = aligned_alloc(128, 1234572);
    int error = posix_memalign(&d, 256, 1234573), bad = posix_memalign(&d, 24, 1);
    c = realloc(c, 9);
    free(a), free(b), free(c), free(d), free(e), free(f), free(g), free(malloc(1234574));
    return error != 0 || bad == 0;
}
"""


def calls_of(decode, folder, data):
    """The calls that the decoder prints for the input, one line each."""
    (folder / "input").write_bytes(data)
    done = subprocess.run([decode, folder / "input"], capture_output=True, text=True, check=True,
                          timeout=20)
    calls = []
    for line in done.stdout.partition("(void)old;\n")[2].splitlines():
        ended = re.match(r" *old = (b\[\d+\]), \1 = NULL;", line)
        made = re.match(r" *(?:old = NULL, \(void\))?(b\[\d+\] = .*\)|posix_.*\]) ?[;=]", line)
        if ended or made:
            calls.append(f"free {ended[1]}" if ended else made[1])
    return calls


def difference(found, expected):
    return [] if found == expected else [f"expected {expected}", f"found {found}"]


def input_of(lines, first=0):
    return window_input(read_trace(lines)[0], first, make_corpus.header(), SIZES)


def test_fixed(tap, decode, folder):
    tap.check("a trace becomes the calls that it holds",
              difference(calls_of(decode, folder, input_of(TRACE.splitlines())), EXPECTED))
    later = calls_of(decode, folder, input_of(TRACE.splitlines(), 7))
    tap.check("blocks from before a window are made first, if they end in it", difference(
        later, ["b[0] = malloc(24)", "b[1] = calloc(1, 512)", "b[2] = memalign(0x2000, 48)",
                "free b[0]", "b[1] = realloc(b[1], 200)", "free b[1]", "free b[2]"]))


def test_sizes(tap, decode, folder):
    """The decoder knows what a record says: the size must be the one that was meant."""
    wanted = list(range(0, 3000, 7)) + [int(2.7 * 1.02 ** i) for i in range(350, 777)]
    wanted += [size for size in (262143, 262144, 262145, 1 << 20, (1 << 20) + 8, 9 << 20)]
    wrong = []
    for exponent in (16, 0, 2, 9, 14):
        op = make_corpus.MALLOC if exponent == 16 else make_corpus.ALIGNED
        for at in range(0, len(wanted), 400):
            said = [SIZES.nearest(size, exponent) for size in wanted[at:at + 400]]
            data = make_corpus.header() + b"".join(
                make_corpus.record(op, 0, size) + make_corpus.record(make_corpus.FREE)
                for _, size in said)
            head = f"aligned_alloc({1 << EXPONENTS[exponent % 15]:#x}, "
            head = "malloc(" if exponent == 16 else head
            meant = [f"b[0] = {head}{size})" for size, _ in said]
            found = calls_of(decode, folder, data)[::2]
            wrong += [pair for pair in zip(meant, found) if pair[0] != pair[1]][:3]
            wrong += [] if len(meant) == len(found) else ["calls are missing"]
    tap.check("the size that is nearest is the one decoded", wrong)
    tap.check("the nearest may be smaller, or larger", difference(
        [SIZES.nearest(size, 2)[0] for size in (9300, 10001, 99 << 20)], [9219, 10228, 8387312]))
    tap.check("small sizes can all be said", [
        size for size in range(1025) if SIZES.nearest(size)[0] != size])


def test_many(tap, decode, folder):
    """More blocks than slots, and more bytes than an input may hold."""
    lines = [f"1 m {i + 1:x} {i % 50 + 1:x}" for i in range(2 * SLOTS)]
    calls = calls_of(decode, folder, input_of(lines + ["1 f 1", f"1 f {2 * SLOTS:x}"]))
    made = sum("malloc" in call for call in calls)
    tap.check("each block is made, the oldest that ends last gives way", difference(
        (made, len(calls), calls[SLOTS:SLOTS + 2], calls[-2:]),
        (2 * SLOTS, 3 * SLOTS + 2, ["free b[1]", "b[1] = malloc(15)"], ["free b[0]", "free b[1]"])))
    lines = [f"1 m {i + 1:x} 500000" for i in range(5)]
    calls = calls_of(decode, folder, input_of(lines))
    tap.check("large blocks give way too", difference(
        [call.partition(" = ")[0] for call in calls],
        ["b[0]", "b[1]", "b[2]", "free b[0]", "b[3]", "free b[1]", "b[4]"]))
    lines = [f"1 m {i + 1:x} 20" for i in range(2 * RECORDS_MAX)]
    starts = window_starts(read_trace(lines)[0], 2)
    tap.check("windows do not overlap, an input has at most 4 KiB", difference(
        (starts, len(input_of(lines))), ([0, RECORDS_MAX], 4096)))


def test_logger(tap, folder):
    (folder / "program.c").write_text(PROGRAM, encoding="ascii")
    subprocess.run([os.environ.get("CC", "cc"), "-fno-builtin", "-o", folder / "program",
                    folder / "program.c"], check=True, timeout=60)
    lines = run_traced(build_logger(folder), [folder / "program"], "", {})
    calls = [call for call in read_trace(lines)[0] if call.bytes in range(1234560, 1234580)]
    tap.check("each function is logged, with its size", difference(
        [(call.kind, call.bytes - 1234560, call.alignment) for call in calls],
        [("m", 7, 0), ("c", 6, 0), ("r", 9, 0), ("r", 10, 0), ("l", 11, 64), ("a", 12, 128),
         ("p", 13, 256), ("m", 14, 0)]))
    ended = [call.ended for call in read_trace(lines)[0]]
    tap.check("each block ends once", [call for call in calls if ended.count(call.made) != 1])
    try:
        os.fstat(DESCRIPTOR)
        tap.check("the descriptor is closed again", ["it is open"])
    except OSError:
        tap.check("the descriptor is closed again", [])


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    tap = Tap()
    with tempfile.TemporaryDirectory() as temporary:
        folder = pathlib.Path(temporary)
        test_fixed(tap, sys.argv[1], folder)
        test_sizes(tap, sys.argv[1], folder)
        test_many(tap, sys.argv[1], folder)
        test_logger(tap, folder)
    return tap.finish()


SIZES = Sizes()
if __name__ == "__main__":
    sys.exit(main())
