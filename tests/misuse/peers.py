"""The table of `run.py --peers`: what each allocator notices of each kind of misuse, at worst.

    A  abort or trap with a report    G  fault    ok  property holds
    X  memory has two owners          ·  nothing  -  no such function
"""
import pathlib
import signal
from concurrent.futures import ThreadPoolExecutor

import tap
from cases import PROFILES, SIZES

FOLDERS = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib")
FILES = {"jemalloc": "libjemalloc.so.2", "tcmalloc": "libtcmalloc_minimal.so.4",
         "mimalloc": "libmimalloc.so.2", "mimalloc secure": "libmimalloc-secure.so.2"}
SCUDO = "llvm-*/lib/clang/*/lib/linux/libclang_rt.scudo_standalone-*.so"
SCUDO_MACHINES = ("x86_64", "aarch64")
ENDINGS = {0: "ok", 10: "·", 11: "X", 12: "-", -signal.SIGABRT: "A", -signal.SIGTRAP: "A",
           -signal.SIGILL: "A", -signal.SIGSEGV: "G", -signal.SIGBUS: "G"}
RANK = {"X": 0, "?": 0, "·": 1, "-": 1, "A": 2, "G": 2, "ok": 2}
SMALL = SIZES[:4]

# The kind, as peers are compared; its misuses and calls; the sizes.
KINDS = (
    ("double free, immediate", ["double_free_immediate free"], SMALL),
    ("double free, interleaved", ["double_free_interleaved free"], SMALL),
    ("double free, 200 frees later", ["double_free_200_frees_later free"], SMALL),
    ("double free, both remote threads", ["double_free_by_two_remote_threads free"], SMALL),
    ("double free, local then remote", ["double_free_in_another_thread free"], SMALL),
    ("double free after 48 B written", ["double_free_after_a_write free"], SMALL),
    ("double free, 1 MiB", ["double_free_immediate free"], (1 << 20,)),
    ("two threads free at once", ["two_threads_free free"], SMALL),
    ("interior free +16", ["interior free"], SMALL[1:]),
    ("unaligned free +3", ["unaligned free"], SMALL),
    ("free of a stack address", ["foreign_stack free"], (64,)),
    ("free inside an mmap", ["foreign_mapping free"], (64,)),
    ("free of a global", ["foreign_global free"], (64,)),
    ("large interior free", ["interior free", "interior_far free"], (1 << 20,)),
    ("overflow 1 B past usable", ["overflow_1 free"], SMALL),
    ("overflow 1 B into slack", ["overflow_slack free"], (13, 60, 1000)),
    ("overflow 8 B past usable", ["overflow_8 free"], SMALL),
    ("underflow 8 B", ["underflow_8 free"], SMALL),
    ("linear overflow 64 KiB", ["overflow_linear free"], SIZES[:3]),
    ("overflow 1 B past 1 MiB", ["overflow_1 free"], (1 << 20,)),
    ("write after free, bytes 0-7", ["write_after_free_head free"], SIZES[:3]),
    ("write after free, bytes 32-39", ["write_after_free_inside free"], (64, 200)),
    ("write after free, last byte", ["write_after_free_last free"], (16, 64, 200)),
    ("freed small data unreadable", ["read_after_free free"], (16, 64, 200)),
    ("freed 1 MiB unreadable", ["read_after_free free"], (1 << 20,)),
    ("no immediate reuse", ["no_immediate_reuse free"], SIZES),
    ("no reuse in 100 mallocs", ["no_reuse_in_100 free"], SIZES),
    ("write to malloc(0)", ["write_to_nothing free"], (0,)),
    ("realloc(freed, same class)", ["double_free_immediate realloc_same"], SMALL),
    ("realloc(freed, grow)", ["double_free_immediate realloc_grow"], SMALL),
    ("realloc(interior)", ["interior realloc_same", "interior realloc_grow"], SMALL[1:]),
    ("malloc_usable_size(freed)", ["double_free_immediate malloc_usable_size"], SMALL),
    ("memcpy overflow x4", ["memcpy_x4 free"], SMALL),
    ("sized delete, too big", ["size_too_big delete_sized"], SIZES),
    ("sized delete, too small", ["size_too_small delete_sized"], SIZES[2:]),
    ("new/free and malloc/delete", ["made_by_new free", "made_by_malloc delete"], SMALL),
    ("malloc(-64) gives NULL", ["impossible_sizes free"], (64,)),
    ("calloc overflow gives NULL", ["wrapping_products free"], (64,)),
)


def find_peers():
    """Name and library of each allocator that is installed."""
    peers = {"glibc": None}
    for name, file in FILES.items():
        found = [pathlib.Path(folder) / file for folder in FOLDERS]
        peers.update({name: path for path in found if path.exists()})
    for path in sorted(pathlib.Path("/usr/lib").glob(SCUDO)):
        if path.stem.rsplit("-", 1)[1] in SCUDO_MACHINES:
            peers["Scudo"] = path
    return peers


def columns_of(library):
    """(name, preload, environment) for each column; ours come last, once for each profile."""
    columns = [(name, path, {}) for name, path in find_peers().items()]
    if library != "glibc":
        path = pathlib.Path(library).resolve()
        copy = path.parent / "libspanguard-copy.so"
        preload = f"{path}:{copy}" if copy.is_file() else path
        columns += [(f"ours, {profile}", preload,
                     {"SPANGUARD_OPTIONS": f"profile={profile}:sample_bytes=0"})
                    for profile in PROFILES]
    return columns


def letter_of(outcome):
    return "?" if outcome.timed_out else ENDINGS.get(outcome.status, "?")


def worst(letters):
    """The letter that ranks lowest; the first of several such."""
    return min(letters, key=RANK.get)


def run_row(shop, program, kind, column):
    _, misuses, sizes = kind
    _, preload, environment = column
    return [letter_of(shop.run([program, *misuse.split(), size], preload=preload,
                               environment=environment, timeout=20))
            for misuse in misuses for size in sizes]


def who_is_ahead(table, names):
    """(kind, peer, profile) wherever a peer does better than a profile of ours at some size."""
    ours = [name for name in names if name.startswith("ours")]
    peers = [name for name in names if not name.startswith("ours")]
    return [(kind, peer, one) for kind, letters in table.items() for peer in peers for one in ours
            if any(RANK[theirs] > RANK[our] for theirs, our in zip(letters[peer], letters[one]))]


def print_verdict(table, names):
    ahead = who_is_ahead(table, names)
    for profile in (name for name in names if name.startswith("ours")):
        rows = [f"{kind} ({peer})" for kind, peer, one in ahead if one == profile]
        print(f"\n{profile}: " + ("no peer is ahead on any row." if not rows else
                                  f"a peer is ahead on {len(rows)}: " + "; ".join(rows)))


def print_table(shop, program, columns):
    names = [name for name, _, _ in columns]
    print(__doc__.split("\n", 2)[2].rstrip() + "\n")
    print("| misuse | " + " | ".join(names) + " |")
    print("|---|" + "---|" * len(names))
    table = {}
    with ThreadPoolExecutor(2) as pool:
        for kind in KINDS:
            letters = pool.map(lambda column: run_row(shop, program, kind, column), columns)
            table[kind[0]] = dict(zip(names, letters))
            row = [worst(table[kind[0]][name]).replace("X", "**X**") for name in names]
            print(f"| {kind[0]} | " + " | ".join(row) + " |", flush=True)
    print_verdict(table, names)
    return table


def main(library):
    """Nonzero if a peer is ahead of the default profile."""
    with tap.Workshop() as shop:
        program = shop.compile(sorted(pathlib.Path(__file__).resolve().parent.glob("*.cc")),
                               "misuse", ["-ldl"])
        columns = columns_of(library)
        names = [name for name, _, _ in columns]
        ahead = who_is_ahead(print_table(shop, program, columns), names)
    return int(any(one == "ours, hardened" for _, _, one in ahead))
