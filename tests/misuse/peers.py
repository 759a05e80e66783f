"""The table of `run.py --peers`: what each allocator of Debian notices of a misuse.

    A  abort or trap    G  hardware fault    X  memory has two owners
    .  nothing          -  no such function  ?  anything else
"""
import pathlib
import signal

FOLDER = pathlib.Path("/usr/lib/x86_64-linux-gnu")
PEERS = {"glibc": None, "jemalloc": FOLDER / "libjemalloc.so.2",
         "tcmalloc": FOLDER / "libtcmalloc_minimal.so.4",
         "mimalloc": FOLDER / "libmimalloc.so.2"}
ENDINGS = {10: ".", 11: "X", 12: "-", -signal.SIGABRT: "A", -signal.SIGTRAP: "A",
           -signal.SIGILL: "A", -signal.SIGSEGV: "G", -signal.SIGBUS: "G"}
ROWS = (
    [(misuse, "free", size)
     for misuse in ("double_free_immediate", "double_free_interleaved",
                    "double_free_200_frees_later", "double_free_by_two_remote_threads",
                    "interior", "unaligned")
     for size in (64, 1 << 20)]
    + [(misuse, "free", 64) for misuse in ("foreign_stack", "foreign_global", "foreign_mapping",
                                           "foreign_one", "foreign_non_canonical")]
    + [("double_free_immediate", call, 1024)
       for call in ("realloc_same", "realloc_grow", "malloc_usable_size", "delete_sized")]
    + [("interior", call, 1024) for call in ("realloc_same", "malloc_usable_size")]
    + [("made_by_malloc", "delete", 64), ("made_by_new", "free", 64),
       ("made_by_new_array", "delete", 64), ("made_by_aligned_new", "delete", 64),
       ("size_too_small", "delete_sized", 1024), ("size_too_big", "delete_sized", 1024)])


def present_peers(library):
    peers = {name: path for name, path in PEERS.items() if path is None or path.exists()}
    path = pathlib.Path(library)
    if library != "glibc" and path.is_file():
        peers["this one"] = path.resolve()
    return peers


def verdict(outcome):
    return "?" if outcome.timed_out else ENDINGS.get(outcome.status, "?")


def print_table(shop, program, library):
    peers = present_peers(library)
    print(__doc__.split("\n", 2)[2].rstrip() + "\n")
    print(f"{'misuse, call, bytes':56}" + "".join(f"{name:>10}" for name in peers))
    for misuse, call, size in ROWS:
        verdicts = [verdict(shop.run([program, misuse, call, size], preload=path, timeout=20))
                    for path in peers.values()]
        title = f"{misuse} {call} {size}"
        print(f"{title:56}" + "".join(f"{letter:>10}" for letter in verdicts), flush=True)
