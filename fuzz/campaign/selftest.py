#!/usr/bin/python3 -B
"""The smoke campaign, and proof that a campaign can fail, as TAP.

Beside the eight fast plants stand three that are none: a comment, which nobody can find, a patch
that fits no source, and one that does not compile. The campaign must say so of each.
"""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from campaign import SMOKE, SMOKE_SECONDS
from plant import FOLDER

HERE = pathlib.Path(__file__).resolve().parent
HEADER = """What: no defect
Targets: pool
Threaded: no
Oracle: .

"""
PATCH = """diff --git a/lib/base/units.h b/lib/base/units.h
--- a/lib/base/units.h
+++ b/lib/base/units.h
@@ -{line},2 +{line},3 @@
 {first}
+{added}
 {second}
"""


def patch(first_of, added):
    """A patch that adds a line behind the first line that begins so."""
    lines = (HERE.parents[1] / "lib/base/units.h").read_text(encoding="utf-8").splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith(first_of))
    return HEADER + PATCH.format(line=at + 1, first=lines[at], second=lines[at + 1], added=added)


def controls():
    """Name -> (patch, how the campaign must call it)."""
    fitting = patch("#define PAGE_SHIFT", "/* no defect */")
    return {
        "control-comment": (fitting, "survived"),
        "control-misfit": (fitting.replace("PAGE_SHIFT", "NO_SUCH_LINE"), "does not fit"),
        "control-broken": (patch("#define PAGE_SHIFT", "int no program;"), "does not build"),
    }


def campaign(folder):
    """Returns (status, what it told, name -> row)."""
    for name in SMOKE:
        shutil.copy(FOLDER / f"{name}.patch", folder)
    for name, (text, _) in controls().items():
        (folder / f"{name}.patch").write_text(text, encoding="utf-8")
    told = folder / "result.json"
    done = subprocess.run(
        [HERE / "campaign.py", "--plants", folder, "--json", told, "--seeds", "1",
         "--seconds", str(SMOKE_SECONDS)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if not told.exists():
        return done.returncode, done.stdout, {}
    rows = json.loads(told.read_text(encoding="utf-8"))["rows"]
    return done.returncode, done.stdout, {row["plant"]: row for row in rows}


def results(folder):
    """(name, whether it is right) of each thing that must be so."""
    status, told, rows = campaign(folder)
    yield "a campaign with a survivor has status 1", status == 1
    for name in SMOKE:
        yield f"{name} is found", name in rows and rows[name]["problem"] is None
    for name, (_, word) in controls().items():
        problem = rows.get(name, {}).get("problem") or ""
        yield f"{name}: {word}", problem.startswith(word)
    if not rows:
        print("\n".join("# " + line for line in told.splitlines()[-20:]))


def main():
    failures = count = 0
    with tempfile.TemporaryDirectory(prefix="campaign-") as folder:
        for count, (name, is_right) in enumerate(results(pathlib.Path(folder)), 1):
            print(f"{'ok' if is_right else 'not ok'} {count} - {name}")
            failures += not is_right
    print(f"1..{count}")
    return failures != 0


if __name__ == "__main__":
    os.nice(5)
    sys.exit(main())
