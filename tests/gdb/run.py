#!/usr/bin/python3 -B
"""The commands that spanguard gives to gdb, on a live process and on its core; as TAP.

usage: run.py --lib build/libspanguard-debug.so
"""
import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "ci"))
from tap import Tap  # noqa: E402

SCRIPT = ROOT / "lib" / "debug" / "gdb" / "spanguard-gdb.py"
SECONDS = 100
# gdb's own core files lack regions with guards by madvise.
OPTIONS = "symbols=0:guard_madvise=0"

WHY = {
    "whole": r"is 0 bytes inside a live block of 21 bytes\n.*\n  made +by calloc, thread 1\n"
             r"    main \(.*target\.c:\d+\)",
    "whole+20": r"is 20 bytes inside a live block of 21 bytes",
    "whole+21": r"is 0 bytes past the end of a live block of 21 bytes",
    "whole-1": r"is 1 byte before a live block of 21 bytes",
    "freed+999": r"is 999 bytes inside a freed block of 1,000 bytes\n(.*\n)+  ended +by free, "
                 r"thread 1\n    main \(.*target\.c:\d+\)",
    "many[0]": r"is 0 bytes inside a freed block of 100 bytes\n(.*\n)+    make_many "
               r"\(.*target\.c:\d+\)\n    main \((.*\n)+  ended +by realloc(.*\n)+"
               r"  moved to +(0x[0-9a-f]+)\n",
    "$sp": r"is in no block and near none",
}
LISTS = {
    "heap list": r"5,000 B +1  main \(.*\n +29,900 B +299  make_many|"
                 r"29,900 B +299  make_many \(.* < main \((.*\n)+.*5,000 B +1  main \(",
    "heap list --site make_many": r"(0x[0-9a-f]+  100 bytes, allocation #\d+, thread 1\n){50}"
                                  r"\.\.\.\n299 blocks, 29,900 bytes\n",
    "heap list --freed": r"3 blocks, 1,150 bytes, from 3 places\n",
    "heap check": r"\n306 blocks checked, 0 damaged\n|^306 blocks checked, 0 damaged\n",
}
DAMAGE = {
    "heap check": r"306 blocks checked, 3 damaged\n",
    "heap check  ": r"1 byte of the bytes behind it changed, the first at \+24\n  block +24 bytes",
    "heap check   ": r"1 byte of the bytes before it changed, the first at -3\n  block +40 bytes",
    "heap check    ": r"2 bytes of the bytes since it was freed changed, the first at \+20\n"
                      r"  block +50 bytes",
    "heap why written+20": r"damaged +2 bytes of the bytes since it was freed, the first at \+20",
    "heap why over+24": r"is 0 bytes past the end of a busy block of 24 bytes\n",
}


class Session:
    """One gdb over the program, its process or its core."""

    def __init__(self, program, library, folder, options=OPTIONS):
        self.program = program
        self.folder = folder
        self.start = ["set startup-with-shell off", f"set environment LD_PRELOAD {library}",
                      f"set environment SPANGUARD_OPTIONS profile=debug:{options}",
                      "set breakpoint pending on"]

    def run(self, commands, *arguments, script=SCRIPT):
        """What each command printed."""
        words = ["gdb", "-nx", "-batch", "-iex", "set confirm off", "-iex", "set width 0",
                 "-iex", "set debuginfod enabled off", *arguments]
        if script is not None:
            words += ["-x", str(script)]
        for number, command in enumerate(commands):
            words += ["-ex", command, "-ex", f"echo \\n=={number}==\\n"]
        done = subprocess.run([*words, str(self.program)] + self.after(), cwd=self.folder,
                              capture_output=True, text=True, check=False, timeout=SECONDS)
        parts = re.split(r"\n==\d+==\n", done.stdout)
        return dict(zip(commands, parts)), done.stdout + done.stderr

    def after(self):
        return []

    def live(self, commands, place="settled"):
        return self.run([*self.start, f"break {place}", "run", *commands, "kill"])


class CoreSession(Session):
    def after(self):
        return ["core.target"]


def mismatches(answers, expected, prefix=""):
    for command, pattern in expected.items():
        answer = answers.get(prefix + command, "no answer")
        if re.search(pattern, answer) is None:
            yield f"{prefix}{command}: expected {pattern}\n{answer[:1500]}"


def commands_of(*tables):
    return [command for table in tables for command in table]


def test_live(tap, session):
    whys = ["heap why " + address for address in WHY]
    answers, text = session.live([*whys, *LISTS, "print moved"])
    tap.check("heap why: state, place, stacks", mismatches(answers, WHY, "heap why "))
    moved = re.search(r"moved to +(0x[0-9a-f]+)", answers.get("heap why many[0]", ""))
    tap.check("heap why: where realloc moved a block",
              [] if moved and moved[1] in answers.get("print moved", "") else [text[-1500:]])
    tap.check("heap list and check of a sound heap", mismatches(answers, LISTS))


def test_report(tap, session):
    """At the report, and then the same of the core that is written there."""
    answers, text = session.live([*DAMAGE, "generate-core-file core.target"],
                                 "spanguard_on_report")
    tap.check("at spanguard_on_report: what is damaged", mismatches(answers, DAMAGE))
    core = CoreSession(session.program, "", session.folder)
    if not (session.folder / "core.target").exists():
        tap.check("a core is written", [text[-1500:]])
        return
    answers, _ = core.run(commands_of(DAMAGE))
    tap.check("on a core: what is damaged", mismatches(answers, DAMAGE))


def test_mistakes(tap, session):
    answers, text = session.run(["heap check"])
    tap.check("without the library: said so",
              [] if "libspanguard-debug.so is not loaded" in text else [str(answers), text])
    text = session.live(["heap list --size 3", "heap why"])[1]
    tap.check("wrong arguments: usage", [words for words in ("heap list [--site TEXT] [--freed]",
                                                              "heap why ADDRESS")
                                         if words not in text])


def test_auto_load(tap, session, library):
    """As gdb finds it beside the library; installed, it lies in gdb's own folder for this."""
    beside = session.folder / library.name
    shutil.copy(library, beside)
    shutil.copy(SCRIPT, session.folder / (library.name + "-gdb.py"))
    again = Session(session.program, beside, session.folder)
    answers, text = again.run([*again.start, "break settled", "run", "heap check", "kill"],
                              "-iex", f"add-auto-load-safe-path {session.folder}", script=None)
    tap.check("gdb loads it by itself", mismatches(answers, {"heap check": "306 blocks checked"})
              if "heap check" in answers else [text[-1500:]])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lib", type=pathlib.Path, required=True)
    library = parser.parse_args().lib.resolve(strict=True)
    tap = Tap()
    if shutil.which("gdb") is None:
        tap.skip("the debug heap under gdb", "gdb is not installed")
        return tap.finish()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        subprocess.run(["cc", "-g", "-O1", "-fno-builtin", HERE / "target.c", "-o",
                        folder / "target"], check=True, timeout=60)
        session = Session(folder / "target", library, folder)
        test_live(tap, session)
        test_report(tap, session)
        test_mistakes(tap, session)
        test_auto_load(tap, session, library)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
