"""The targets, what they are fed to begin with, and the bugs that can be planted in them."""
from dataclasses import dataclass

TARGETS = ("tlv", "ini", "decode")


def record(tag, value=b""):
    return tag + bytes([len(value)]) + value


NAME, LONG = b"sixteen letters!", b"0123456789abcdef" * 12

SEEDS = {
    "tlv": (b"", record(b"a", b"alice") + record(b"?", b"a"),
            record(b"b", b"bob") + record(b"+", b"b more") + record(b"?") + record(b"!"),
            record(b"c", b"") + record(b"-", b"c") + record(b"c", NAME) + record(b"?")),
    "ini": (b"", b"[net]\nport=80\nhost = here;\n", b"a=  b\nflag\n[x]\n[y]\nz=\n",
            b"[a section of a long name, cut]\nk=v;\n"),
    "decode": (b"", b"BSGVsbG8gd29ybGQ=", b"R\3a\2b\5c", b"H\0\1\0\0", b"Nname", b"B!\nSGVs"),
}


@dataclass(frozen=True)
class Bug:
    """`debug`, `guard`: the code that the profile finds it by, "" for none. `options`: what is
    needed for that. `asan`: its word for it."""
    number: int
    target: str
    what: str
    trigger: bytes
    debug: str
    guard: str
    asan: str
    options: str = ""
    asan_options: str = ""
    crashes: str = ""  # without a report, by this signal


BUGS = (
    Bug(1, "tlv", "overflow by one", record(b"a", NAME), "P101", "P102", "heap-buffer-overflow"),
    Bug(2, "tlv", "overflow, long", record(b"a", NAME) + record(b"+", b"a" + LONG), "P101", "P102",
        "heap-buffer-overflow"),
    Bug(3, "tlv", "read after free", record(b"a", NAME) + record(b"-", b"a") + record(b"?"),
        "", "P201", "heap-use-after-free"),
    Bug(4, "tlv", "write after free", record(b"a", NAME) + record(b"-", b"a") + record(b"!"),
        "P202", "P201", "heap-use-after-free"),
    Bug(5, "tlv", "double free", record(b"a", NAME) + record(b"-", b"a"), "P203", "P203",
        "attempting double-free"),
    Bug(6, "ini", "write after realloc", b"[a]\n[b]\n[c]\nk=v\n", "P702", "P701",
        "heap-use-after-free"),
    Bug(7, "ini", "free inside a block", b"key=   value\n", "P301", "P301",
        "attempting free on address which was not malloc()-ed"),
    Bug(8, "ini", "write before a block", b"key=\n", "P103", "P104", "heap-buffer-overflow",
        options="guard_side=below"),
    Bug(9, "ini", "read past the end", b"key=" + NAME + b"\n", "", "P102", "heap-buffer-overflow"),
    Bug(10, "ini", "free of a global", b"flag\n", "P302", "P302",
        "attempting free on address which was not malloc()-ed"),
    Bug(11, "decode", "overflow, rounded down", b"BSGVsbG8gd29ybGQhIQo", "P101", "P101",
        "heap-buffer-overflow"),
    Bug(12, "decode", "overflow, sum wraps", b"R\xffa\x10b" + b"\xffc" * 16, "P101", "P102",
        "heap-buffer-overflow"),
    Bug(13, "decode", "new[] and free", b"Nname", "P401", "P401", "alloc-dealloc-mismatch"),
    Bug(14, "decode", "unbounded length", b"H\0\0\0\x40", "", "", "allocation-size-too-big",
        options="max_alloc=64M", asan_options="max_allocation_size_mb=64", crashes="SIGSEGV"),
    Bug(15, "decode", "leak", b"B" + b"SGV!\n" * 4, "P501", "P501", "detected memory leaks",
        options="leaks=1", asan_options="detect_leaks=1"),
)
