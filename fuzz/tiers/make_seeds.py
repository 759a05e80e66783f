#!/usr/bin/python3
"""Writes the seeds of the tier targets: one small file for each thing worth trying.

Usage: make_seeds.py CORPUS. Into its folders page_map, page_cache, central_cache, thread_cache and
options; files of other names stay. The encoding is that of tier.h and of each target.
"""
import pathlib
import sys

TEXT = 255


def header(first=0, second=0, seed=1):
    return bytes([first, second]) + seed.to_bytes(6, "big")


def record(op, a=0, b=0, c=0):
    return bytes([op % 256, a % 256, b % 256, c % 256])


def many(count, op, a=0, b=0, c=0, step=1):
    """The same on one place after the other."""
    return b"".join(record(op, a + i * step, b, c) for i in range(count))


def page_map_seeds():
    for anchor in range(13):
        edge = b"".join(record(op, anchor, 28 + length, length) for length in range(8) for op in (0, 2, 3, 10, 5))
        yield f"edge_{anchor}", header(1) + edge
    yield "no_memory", header() + b"".join(record(4, a, 31, 1) + record(0, a, 31, 1) for a in range(13))


def page_cache_seeds():
    take, give, shrink, extend, trim, wait = 0, 0, 11, 10, 12, 13
    for options in range(32):
        fragments = many(40, take, 0, 5) + many(20, give, 0, step=2) + many(20, take, 40, 2) + many(20, give, 1, step=2)
        yield f"fragments_{options}", header(options) + fragments + record(trim, 0, 1, 30)
    yield "long_runs", header(0) + many(12, take, 0, 200) + many(6, give, 0, step=2) + many(6, take, 20, 206)
    yield "aligned", header(0) + many(20, take, 0, 9, 24 + 96) + many(10, give, 0, step=2) + many(9, take, 30, 3, 24 + 64)
    large = 16
    resize = many(8, take + large, 0, 190) + many(4, give, 1, step=2) + many(4, extend, 0, 7, step=2)
    yield "resized", header(24) + resize + many(4, shrink, 0, 3, 2, step=2) + many(8, give, 0)
    yield "regret", header(1) + (many(8, take, 0, 190) + many(8, give, 0) + record(wait, 0, 0, 2)) * 3 + record(wait, 0, 0, 7)
    yield "odd_pages", header(0, 12) + many(30, take, 0, 190) + many(30, give, 0)
    yield "refused", header(0) + record(15, 0, 0, 0) + many(4, take) + record(15, 0, 1, 0) + many(4, give) + record(trim)


def central_cache_seeds():
    take, give, trim, fill, empty, meanwhile = 0, 4, 11, 8, 9, 3
    for profile in range(3):
        every = b"".join(record(take, a, 40) for a in range(209)) + many(209, give, 0, 30, 2)
        yield f"every_class_{profile}", header(profile) + every
        sweep = record(fill, 1, 0, 15) * 3 + record(empty, 1, 17, 2) + record(meanwhile, 1, 3, 1) + record(trim, 1)
        yield f"sweep_{profile}", header(profile, 240) + sweep + record(fill, 1, 0, 15)
        yield f"transfer_{profile}", header(profile) + (record(take, 2, 20) + record(give, 2, 20, 1)) * 40
    for kind in range(3):
        yield f"attack_{kind}", header(234 + kind) + record(take, 1, 10) + record(15, 1, 3, kind)


def thread_cache_seeds():
    take, give, again, drain, attack = 2, 6, 8, 10, 12
    for profile in range(3):
        every = b"".join(record(0, a, 3) for a in range(209)) + many(209, 4 + 16, 0, 7)
        yield f"every_class_{profile}", header(profile) + every + record(drain + 16)
        turn = (record(take, 1, 200) + record(give, 1, 200, 1)) * 12
        yield f"in_turn_{profile}", header(profile, 64 * profile) + turn + record(again, 1) * 8
        yield f"handed_over_{profile}", header(profile) + (record(take, 3, 100) + record(give + 16, 3, 100)) * 8
    for kind in range(4):
        yield f"attack_{kind}", header(234) + record(take, 1, 100) + record(give, 1, 60) + record(attack, 1, 3, kind)


def options_seeds():
    texts = {
        "environment": "profile=strict:canary=0:report=fd:5:dirty_bytes=3M:nonsense=1:help=1",
        "wrong": "canary=2:dirty_bytes=12X:profile=hard:report=fd:65536:=:x:dirty_bytes=18014398509481984K",
        "files": "pool=system\0seal=off\0lock = yes # root's\n[exe:fuzzed]\ncanary = 0\n[exe:other]\ncanary = 1\n"
                 "\0profile = fast\n\0sample_bytes = 0\n",
        "locked": "profile=fast:sample_bytes=0:guard_interval=5:report=journal\0canary=0\0lock=1\n\0lock=0\n\0lock=1\n",
        "sections": "\0\0[exe:/usr/bin/fuzzed] # x\nzero_bytes = 1K\n[exe:fuzzed\n[a]\nx\n = \n",
        "many_mistakes": "x=1:" * 60 + "\0" + "y=1:" * 19 + "\0" + "z\n" * 20,
        "long_words": "a" * 300 + "=" + "b" * 300 + ":canary=\x01\x1b[31m",
    }
    for name, text in texts.items():
        yield name, bytes([TEXT]) + bytes(7) + text.encode()


SEEDS = {"page_map": page_map_seeds, "page_cache": page_cache_seeds, "central_cache": central_cache_seeds,
         "thread_cache": thread_cache_seeds, "options": options_seeds}


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for folder, seeds in SEEDS.items():
        path = pathlib.Path(sys.argv[1]) / folder
        path.mkdir(exist_ok=True)
        for name, content in seeds():
            (path / name).write_bytes(content)


if __name__ == "__main__":
    main()
