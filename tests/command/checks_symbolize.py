"""spanguard-symbolize by itself: names and lines that are odd, files that are none, requests that
no library of ours writes. lib/command/symbolize.h says what goes to and fro."""
import os
import shutil
import subprocess

LONG = "n" + 150 * "\u00e9"  # 301 bytes; what is said of a name ends before byte 240
SOURCE = f"""
#line 7 "../up/./a//b.c"
int dotted(void) {{ return 1; }}
#line 8 "x/y/../../../../../../../../../../../../../../top.c"
int topmost(void) {{ return 2; }}
#line 9 "sub//x.c"
int below(void) {{ return 3; }}
#line 10 "odd\\001%\\177.c"
int escaped(void) {{ return 4; }}
#line 2 "lines.txt"
int cut(void) {{ return 5; }}
#line 3 "lines.txt"
int blank(void) {{ return 6; }}
#line 99 "lines.txt"
int beyond(void) {{ return 7; }}
#line 1 "large.txt"
int large(void) {{ return 8; }}
#line 12 "a.c"
int {LONG}(void) {{ return 9; }}
int variable = 5;
__asm__(".text\\n.globl plain\\nplain: ret\\n.data\\n.globl loose\\nloose: .long 1\\n");
int main(void) {{ return 0; }}
"""


class Bench:
    """A program that has it all, in a folder of its own, and where its symbols are."""

    def __init__(self, shop):
        self.shop = shop
        self.folder = shop.folder / "names"
        self.folder.mkdir()
        (self.folder / "odd.c").write_text(SOURCE)
        (self.folder / "lines.txt").write_text(f"first\n  {'x' * 158}\u00e9 end\n \t \n")
        with open(self.folder / "large.txt", "wb") as file:
            file.write(b"text\n")
            file.truncate(17 << 20)
        self.program = self.build("odd", "odd.c", "-g")
        self.symbols = {line.split()[2]: line.split()[0] for line in self.tool(
            "nm", self.program).splitlines() if len(line.split()) == 3}

    def tool(self, *words):
        return subprocess.run([str(word) for word in words], cwd=self.folder, timeout=60, text=True,
                              capture_output=True, check=True).stdout

    def build(self, name, *words):
        self.tool("cc", "-O0", "-w", *words, "-o", name)
        return self.folder / name

    def ask(self, request):
        return self.shop(command=self.shop.symbolize, text=request, cwd=self.folder)

    def frame(self, symbol, program=None, kind="code", build_id="-"):
        """The lines of one answer."""
        outcome = self.ask(f"module {build_id} {program or self.program}\n"
                           f"{kind} 0 {self.symbols[symbol]}\nend\n")
        return outcome.stdout.splitlines()


def expect(tap, name, found, due):
    tap.check(name, [found != due and f"{found}, expected {due}"])


def places(tap, bench, name):
    up = bench.folder.parent / "up" / "a" / "b.c"
    cut = "x" * 158
    cases = {
        "dotted": f"frame\t7\t18\tdotted\t{up}\t", "topmost": "frame\t8\t19\ttopmost\t/top.c\t",
        "below": "frame\t9\t17\tbelow\tsub/x.c\t",
        "escaped": "frame\t10\t19\tescaped\todd%01%25%7f.c\t",
        "cut": f"frame\t2\t15\tcut\tlines.txt\t{cut}", "blank": "frame\t3\t17\tblank\tlines.txt\t",
        "beyond": "frame\t99\t18\tbeyond\tlines.txt\t", "large": "frame\t1\t17\tlarge\tlarge.txt\t",
        LONG: None,
    }
    for symbol, line in cases.items():
        found = bench.frame(symbol)
        if symbol == LONG:
            line = f"frame\t12\t{len(LONG.encode()) + 12}\tn{119 * chr(0xe9)}\ta.c\t"
        expect(tap, f"{name} {symbol[:8]}", found, [line, ".", "end"])


def data(tap, bench, name):
    expect(tap, f"{name} has its name", bench.frame("variable", kind="data"),
           ["name\tvariable", ".", "end"])
    expect(tap, f"{name} without a type has none", bench.frame("loose", kind="data"), [".", "end"])
    expect(tap, f"{name} is no function", bench.frame("dotted", kind="data"), [".", "end"])
    expect(tap, f"{name} is no code", bench.frame("variable"), [".", "end"])
    bench.tool("strip", "-g", "odd", "-o", "bare")
    expect(tap, f"{name}: a function without lines", bench.frame("dotted", bench.folder / "bare"),
           ["frame\t0\t0\tdotted\t\t", ".", "end"])


def assembled(tap, bench, name):
    (bench.folder / "code.s").write_text(
        ".text\n.globl main\nmain: ret\nhere: nop\nret\n.section .note.GNU-stack\n")
    program = bench.build("code", "-g", "code.s")
    at = next(line.split()[0] for line in bench.tool("nm", program).splitlines()
              if line.endswith(" here"))
    outcome = bench.ask(f"module - {program}\ncode 0 {at}\nend\n")
    expect(tap, f"{name} has lines and no function", outcome.stdout.splitlines(),
           ["frame\t4\t0\t\tcode.s\there: nop", ".", "end"])


def requests(tap, bench, name):
    module = f"module - {bench.program}\n"
    at = bench.symbols["below"]
    escaped = str(bench.program).replace("odd", "%6fdd").replace("names", "n%61mes")
    shutil.copy(bench.program, bench.folder / "p%2")
    answered = "\tbelow\t"
    cases = {
        "an escaped path": (f"module - {escaped}\ncode 0 {at}\nend\n", answered),
        "a path with half an escape": (f"module - {bench.folder}/p%2\ncode 0 {at}\nend\n", ".\nend\n"),
        "an offset with more behind it": (f"{module}code 0 {at}x\nend\n", ""),
        "an offset too large": (f"{module}code 0 1{'0' * 16}\nend\n", ""),
        "no offset": (f"{module}code 0\nend\n", ""),
        "no number": (f"{module}code x y\nend\n", ""),
        "a module that was not said": (f"{module}code 1 {at}\nend\n", ""),
        "a module without a path": ("module -\nend\n", ""),
        "another word": (f"{module}what 0 {at}\nend\n", ""),
        "more modules than there may be": (module * 500 + f"code 0 {at}\nend\n", ""),
        "nothing": ("", ""), "nothing but its end": ("end\n", "end\n"),
    }
    for what, (request, expected) in cases.items():
        outcome = bench.ask(request)
        tap.check(f"{name}: {what}", [
            outcome.status not in (0, 1) and f"status {outcome.status}", outcome.stderr,
            expected == "" and outcome.stdout, expected and expected not in outcome.stdout
            and f"{outcome.stdout} lacks {expected!r}"])


def modules(tap, bench, name):
    identity = next((line.split()[-1] for line in bench.tool("readelf", "-n", bench.program)
                     .splitlines() if "Build ID" in line), "")
    cases = {"its own": (identity, True), "another": ("0" * len(identity), False),
             "a short one": (identity[:6], False), "a very short one": ("ab", False),
             "a long one": (identity * 4, False)}
    for what, (build_id, is_found) in cases.items() if identity else ():
        found = bench.frame("below", build_id=build_id)
        expect(tap, f"{name} with {what} for a build-id", len(found) == 3, is_found)
    bench.tool("cc", "-c", "-g", "odd.c", "-o", "odd.o")
    whole = bench.program.read_bytes()
    (bench.folder / "cut").write_bytes(whole[:60])
    (bench.folder / "half").write_bytes(whole[:600])
    (bench.folder / "text").write_text("no program\n")
    os.mkfifo(bench.folder / "fifo")
    (bench.folder / "a-folder").mkdir()
    for what in ("odd.o", "cut", "text", "fifo", "a-folder", "absent"):
        expect(tap, f"{name}: {what}", bench.frame("below", bench.folder / what), [".", "end"])
    tap.check(f"{name}: half of one is answered", [
        bench.frame("below", bench.folder / "half")[-1:] != ["end"] and "it is not"])


def symbolize(tap, shop, name):
    if shop.symbolize is None:
        tap.skip(name, "spanguard-symbolize is not built: libdw-dev is missing")
        return
    bench = Bench(shop)
    for what, check in {"the place of": places, "data": data, "assembled code": assembled,
                        "a request with": requests, "a module": modules}.items():
        check(tap, bench, f"{name}: {what}")


CHECKS = {"spanguard-symbolize": symbolize}
