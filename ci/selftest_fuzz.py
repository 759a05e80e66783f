#!/usr/bin/python3 -B
"""Sees that fuzz.sh, fuzz_crashes.py and the list of coverage gaps can fail.

usage: selftest_fuzz.py

Fuzz targets are played by scripts: one that passes, and some that fail in known ways.
"""
import pathlib
import subprocess
import sys
import tempfile

from coverage_gaps import Gaps
from coverage_read import counted_lines
from planting import HERE, write
from tap import Tap

PASSES = "#!/bin/sh\nexit 0\n"
FAILS_BY_SEED = '#!/bin/sh\ncase $1 in --random) [ "$2" != 1001 ] || exit 1 ;; esac\n'
FAILS_IN_CORPUS = '#!/bin/sh\ncase $1 in --random) ;; *) echo "fuzz: promise"; exit 1 ;; esac\n'
BY_CONTENT = """\
#!/bin/sh
for file; do :; done
case $(cat "$file") in
a*) echo "fuzz: block of 24 bytes lies over another" >&2; exit 1 ;;
b*) echo "SUMMARY: AddressSanitizer: SEGV /x/y.c:3 in f" >&2; exit 1 ;;
esac
"""
ROWS = [("lib/a.c", "f", 3, "return NULL;", "line"), ("lib/a.c", "g", 9, "x();", "line")]


def expect(tap, name, holds):
    tap.check(name, [] if holds else ["it does not hold"])


def program(folder, text, name="fuzz/fuzz_pool_replay"):
    write(folder / name, text)
    (folder / name).chmod(0o755)
    return folder / name


def smoke(folder, text):
    program(folder, text)
    command = [HERE / "fuzz.sh", "--smoke", "--seconds", "2", "--build", folder, "pool"]
    return subprocess.run([str(part) for part in command], capture_output=True, text=True,
                          check=False, timeout=100)


def test_smoke(tap, folder):
    done = smoke(folder, PASSES)
    expect(tap, "smoke: what passes, passes", done.returncode == 0 and "1..3" in done.stdout
               and "not ok" not in done.stdout)
    for name, text, line in (("a seed that fails", FAILS_BY_SEED, "not ok 2"),
                             ("a corpus that fails", FAILS_IN_CORPUS, "not ok 1")):
        done = smoke(folder, text)
        expect(tap, f"smoke: {name} is a failure", done.returncode == 1 and line in done.stdout)
    (folder / "fuzz/fuzz_pool_replay").unlink()
    command = [HERE / "fuzz.sh", "--smoke", "--seconds", "2", "--build", str(folder), "pool"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    expect(tap, "smoke: a missing program is a failure", done.returncode == 1)


def test_crashes(tap, folder):
    target = program(folder, BY_CONTENT, "target")
    for name, text in (("1", "a"), ("2", "aaa"), ("3", "b"), ("4", "c")):
        write(folder / "crashes" / name, text)
    done = subprocess.run([HERE / "fuzz_crashes.py", "--program", target, folder / "crashes"],
                          capture_output=True, text=True, check=False, timeout=100)
    lines = done.stdout.splitlines()
    expect(tap, "crashes: two that break one promise are one kind", done.returncode == 1 and
               lines[0].endswith("2 x fuzz: block of N bytes lies over another")
               and lines[1].endswith("/1 (1 bytes)"))
    expect(tap, "crashes: the sanitizer's line is a kind, without the path",
               any("AddressSanitizer: SEGV y.c" in line for line in lines))
    expect(tap, "crashes: one that passes does not replay",
               any("1 x does not replay" in line for line in lines))


def gaps_of(folder, text):
    write(folder / "gaps.txt", text)
    return Gaps(folder / "gaps.txt")


def test_gaps(tap, folder):
    gaps = gaps_of(folder, '# why\nlib/a.c:f no memory\nlib/a.c:g "x()" never\n')
    expect(tap, "gaps: what is listed is excused", gaps.take(ROWS) == [] and gaps.faults() == [])
    gaps = gaps_of(folder, "lib/a.c:f no memory\n")
    expect(tap, "gaps: what is not listed is not", gaps.take(ROWS) == ROWS[1:])
    gaps = gaps_of(folder, 'lib/a.c:f "malloc" no memory\nlib/a.c:h gone\nnonsense\n')
    expect(tap, "gaps: an entry without a gap, and no entry, are faults",
               gaps.take(ROWS) == ROWS and len(gaps.faults()) == 3)
    gaps = gaps_of(folder, '~ lib/a.c:f a race\n~ lib/a.c:h a race\n~lib/a.c:g no entry\n')
    expect(tap, "gaps: what is a matter of luck is excused, and never a fault",
               gaps.take(ROWS) == ROWS[1:] and len(gaps.faults()) == 1)


def test_lines(tap):
    """[line, column, count, has count, is an entry, is a gap]: a function of lines 1 to 5, with
    line 3 never run and line 4 beside it only in part."""
    segments = [[1, 1, 7, True, True, False], [3, 5, 0, True, True, False],
                [4, 2, 7, True, False, False], [5, 2, 0, False, False, False]]
    expect(tap, "lines are counted as llvm-cov does",
               dict(counted_lines(segments)) == {1: 7, 2: 7, 3: 7, 4: 0, 5: 7})


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        test_smoke(tap, folder)
        test_crashes(tap, folder)
        test_gaps(tap, folder)
    test_lines(tap)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
