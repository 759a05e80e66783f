"""Violations planted in a small shared library: symbols, segments, the cost of the fast path."""
import pathlib
import shutil
import subprocess

from planting import flipped, only, run_gate, write

EXPORTS = ["malloc", "free", "_Znwm", "_ZdlPvm"]
# Costs that one can count by eye: 2 instructions for malloc and new, 1 for free and delete.
LIBRARY = """\
#include <string.h>
__thread void *sg_thread __attribute__((tls_model("initial-exec"), visibility("hidden")));
static char block[1 << 16];
char *sg_block = block;
__asm__(".globl malloc, free, _Znwm, _ZdlPvm\\n"
        ".type malloc, @function\\n.type free, @function\\n"
        ".type _Znwm, @function\\n.type _ZdlPvm, @function\\n"
        "malloc: _Znwm: lea block(%rip), %rax\\n ret\\n"
        "free: _ZdlPvm: ret\\n");
__attribute__((visibility("hidden"))) void *sg_use(void *p, size_t n)
{
    return memcpy(sg_thread, p, n);
}
"""
FLAGS = ["-shared", "-fPIC", "-O1", "-fvisibility=hidden", "-Wl,-z,relro,-z,now,-z,noexecstack"]

SYMBOLS = {
    "exports": "it exports exactly the golden list",
    "imports": "it imports exactly the golden list",
    "needs": "it needs libc.so.6 alone",
    "stack": "its stack is not executable",
    "relro": "its relocations are read-only once it is loaded",
    "wx": "nothing in it is writable and executable",
    "tls": "its thread-local storage is one pointer",
}
PUBLIC = '__attribute__((visibility("default"))) '

# name, further source, further flags, the test that must fail, words of the report
SYMBOL_PLANTS = [
    ("one export too many", PUBLIC + "int sg_extra(void) { return 1; }", [], "exports", "sg_extra"),
    ("an import that is not listed", "int getpid(void); int sg_f(void) { return getpid(); }",
     [], "imports", "getpid"),
    ("a weak import that is not listed",
     "__attribute__((weak)) int getpid(void); int sg_f(void) { return getpid(); }",
     [], "imports", "getpid"),
    ("a second library", "", ["-Wl,--no-as-needed", "-lm"], "needs", "libm.so.6"),
    ("an executable stack", "", ["-Wl,-z,execstack"], "stack", "executable stack"),
    ("no RELRO", "", ["-Wl,-z,norelro"], "relro", "no RELRO"),
    ("lazy binding", "", ["-Wl,-z,lazy"], "relro", "not bound at load"),
    ("writable code", '__asm__(".section .planted,\\"awx\\"\\n .quad 1\\n .text");', [], "wx",
     "writable and executable"),
    ("a second thread-local word",
     '__thread long sg_more __attribute__((tls_model("initial-exec")));'
     "long sg_g(void) { return sg_more++; }", [], "tls", "has 16 bytes"),
]
COST_PLANTS = [
    ("one instruction more", ("lea block", "nop\\n lea block"), "malloc of 16 bytes",
     "instructions: 3, the table says 2"),
    ("a branch", ("free: _ZdlPvm: ret", "free: _ZdlPvm: jc 1f\\n1: ret"), "free of 64 bytes",
     "branches: 1, the table says 0"),
    ("an atomic", ("free: _ZdlPvm: ret", "free: _ZdlPvm: lock incl block(%rip)\\n ret"),
     "delete of 1024 bytes", "atomics: 1, the table says 0"),
    ("stack", ("lea block", "push %rax\\n pop %rax\\n lea block"), "new of 4096 bytes",
     "stack: 8, the table says 0"),
]


def compile_library(path, source, flags=()):
    code = path.with_suffix(".c")
    write(code, source)
    subprocess.run(["cc", *FLAGS, "-o", str(path), str(code), *flags], check=True,
                   capture_output=True)


def symbol_trials(folder, wanted):
    write(folder / "exported_symbols.txt", "".join(f"{name}\n" for name in EXPORTS))
    write(folder / "imported_symbols.txt", "memcpy\n")
    library = folder / "libplanted.so"

    def check(source, flags):
        compile_library(library, LIBRARY + source + "\n", flags)
        return run_gate("check_symbols.py", "--lib", library, "--golden", folder)

    clean = check("", [])
    for name, source, flags, test, words in SYMBOL_PLANTS:
        if wanted in f"symbols: {name}":
            trial = flipped(clean, check(source, flags), SYMBOLS[test], words)
            yield f"symbols: finds {name}", list(trial)
    if wanted in "symbols: lists besides":
        yield "symbols: finds what lists besides lack", list(besides_trial(folder, library))
    if wanted in "symbols: a missing export":
        write(folder / "exported_symbols.txt", "calloc\n" + "\n".join(EXPORTS))
        trial = flipped(clean, check("", []), SYMBOLS["exports"], "missing: calloc")
        yield "symbols: finds a missing export", list(trial)


def besides_trial(folder, library):
    """Another library has more than the lists say, and more lists: all of it must be there."""
    more = folder / "more"
    write(more / "exported_symbols.txt", "sg_extra\n")
    write(more / "imported_symbols.txt", "getpid\n")
    extra = (PUBLIC + "int sg_extra(void) { return 1; }\n"
             "int getpid(void); int sg_f(void) { return getpid(); }\n"
             '__thread long sg_more __attribute__((tls_model("initial-exec")));'
             "long sg_g(void) { return sg_more++; }\n")

    def check(source, tls_bytes):
        compile_library(library, LIBRARY + source)
        return run_gate("check_symbols.py", "--lib", library, "--golden", folder, "--besides",
                        more, "--tls-bytes", tls_bytes)

    clean = check(extra, 16)
    yield from flipped(clean, check(extra.replace(PUBLIC, ""), 16), SYMBOLS["exports"],
                       "missing: sg_extra")
    yield from flipped(clean, check(extra.replace("return getpid()", "return 1"), 16),
                       SYMBOLS["imports"], "missing: getpid")
    _, failed, result = check(extra, 24)
    if clean[1] or len(failed) != 1 or "has 16 bytes, not 24" not in result.stdout:
        yield f"thread-local storage: {clean[1]}, {failed}"


def cost_trials(folder, wanted):
    library, golden = folder / "libfast.so", folder / "fast_path.txt"

    def check(source, *options):
        compile_library(library, source)
        return run_gate("check_fast_path.py", "--lib", library, "--golden", golden, *options)

    clean = check(LIBRARY, "--update")
    if "SKIP" in clean[2].stdout:
        yield "cost: the fast path can be measured here", [clean[2].stdout]
        return
    yield "cost: counts as by eye", list(wrong_counts(golden.read_text(encoding="utf-8")))
    for name, (old, new), call, words in COST_PLANTS:
        if wanted in f"cost: {name}":
            test = f"{call} in fast costs what the table says"
            planted = check(LIBRARY.replace(old, new))
            yield f"cost: finds {name}", list(flipped(clean, only(planted, test), test, words))


def wrong_counts(table):
    for call, row in (("fast malloc 16", "2 0 0 0 0"), ("hardened delete 4096", "1 0 0 0 0")):
        if f"{call} {row}" not in [" ".join(line.split()) for line in table.splitlines()]:
            yield f"no row: {call} {row}"
            yield table


def trials(scratch, wanted):
    folder = pathlib.Path(scratch) / "binary"
    folder.mkdir()
    if wanted in "symbols: lists besides" or any(
            wanted in f"symbols: {plant[0]}" for plant in SYMBOL_PLANTS):
        yield from symbol_trials(folder, wanted)
    if any(wanted in f"cost: {plant[0]}" for plant in COST_PLANTS):
        yield from cost_trials(folder, wanted)
    shutil.rmtree(folder)
