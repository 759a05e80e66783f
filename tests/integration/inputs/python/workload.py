"""What the packaged test suite leaves out, and what crosses between python and C by pointer."""

import ctypes
import hashlib
import json
import multiprocessing
import sqlite3
import threading
import zlib

LIBC = ctypes.CDLL(None)
LIBC.malloc.restype = LIBC.realloc.restype = ctypes.c_void_p
LIBC.malloc.argtypes = [ctypes.c_size_t]
LIBC.realloc.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
LIBC.free.argtypes = [ctypes.c_void_p]


def numbers(seed):
    state = seed
    while True:
        state = (state * 1103515245 + 12345) % (1 << 31)
        yield state >> 12


def digest(value):
    return hashlib.sha256(repr(value).encode()).hexdigest()[:16]


def through_sqlite(seed):
    """Functions and aggregates called back from SQL, with blobs in both directions."""
    source = numbers(seed)
    database = sqlite3.connect(":memory:")
    database.create_function("pack", 1, lambda text: zlib.compress(text.encode()))
    database.execute("CREATE TABLE item(id INTEGER PRIMARY KEY, text TEXT, body BLOB)")
    rows = [(i, f"item {next(source) % 300}" * (i % 7), bytes(next(source) % 500))
            for i in range(4000)]
    database.executemany("INSERT INTO item VALUES (?, ?, ?)", rows)
    packed = database.execute("SELECT text, pack(text || id), body FROM item ORDER BY text, id")
    saved = digest(packed.fetchall())
    database.commit()
    copy = sqlite3.connect(":memory:")
    database.backup(copy)
    text = "\n".join(copy.iterdump())
    database.close()
    copy.close()
    return saved, digest(text)


def through_json(seed):
    source = numbers(seed)
    value = {f"key{i}": [next(source) % 100, {"text": "x" * (next(source) % 50)}]
             for i in range(3000)}
    for _ in range(4):
        value = json.loads(json.dumps(value))
    return digest(sorted(value.items(), key=str))


def through_libc(seed):
    """Blocks from malloc itself, resized, written and read by python."""
    source, blocks, total = numbers(seed), [], 0
    for number in range(3000):
        size = 1 + next(source) % 4000
        block = LIBC.realloc(LIBC.malloc(size), size * 2)
        ctypes.memset(block, number % 251, size * 2)
        blocks.append((block, size * 2, number % 251))
        if len(blocks) > 100:
            block, size, fill = blocks.pop(next(source) % 100)
            assert ctypes.string_at(block, size) == bytes([fill]) * size
            total += size
            LIBC.free(block)
    for block, size, _ in blocks:
        total += size
        LIBC.free(block)
    return total


def everything(seed):
    return [seed, through_sqlite(seed), through_json(seed), through_libc(seed)]


def in_threads(count):
    answers = [None] * count
    def work(place):
        answers[place] = everything(place)
    threads = [threading.Thread(target=work, args=(place,)) for place in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def big_numbers():
    value = 3 ** 4000
    for step in range(200):
        value = value * (step + 2) + 1
    return hashlib.sha256(hex(value).encode()).hexdigest()[:16]


def main():
    print("numbers", big_numbers())
    for answer in in_threads(6):
        print("thread", answer)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        for answer in pool.map(everything, range(6, 12)):
            print("forked", answer)
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        for answer in pool.map(everything, range(12, 16)):
            print("spawned", answer)
    print("end of workload")


if __name__ == "__main__":
    main()
