#!/usr/bin/python3 -B
"""The walk in real programs gives the frames that libgcc's unwinder gives. Prints TAP.

usage: unwind_programs.py --lib LIBUNWIND_PROGRAMS.SO
"""
import argparse
import collections
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

SECONDS = 40
SOURCE = "#include <map>\n#include <regex>\n#include <iostream>\n" \
         "int main() { std::regex r(\"a+\"); std::map<int, int> m; std::cout << m.size(); }\n"
PYTHON = "import json, re\nx = [json.loads(json.dumps({str(i): [i] * 9})) for i in range(20000)]\n" \
         "y = sorted(x, key=lambda d: re.sub('1', '2', str(d)))\n"
PERL = "my %h; $h{$_ % 999} .= \"x$_\" for 1..300000; my @s = sort { $h{$a} cmp $h{$b} } keys %h;"

# name -> command, in a folder that holds x.cc and a small git repository; fewest walks expected
PROGRAMS = {
    "python3": (["/usr/bin/python3", "-c", PYTHON], 10),
    "perl": (["perl", "-e", PERL], 10),
    "git": (["git", "log", "--stat", "-p"], 1),
    "g++": (["g++", "-O1", "-c", "x.cc", "-o", "x.o"], 100),
}


def prepare(folder):
    (folder / "x.cc").write_text(SOURCE, encoding="utf-8")
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@localhost"]
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    for round_ in range(12):
        (folder / "text").write_text("".join(f"{i * round_}\n" for i in range(3000)), "utf-8")
        subprocess.run(["git", "add", "text"], cwd=folder, check=True)
        subprocess.run([*git, "commit", "-qm", f"{round_}"], cwd=folder, check=True)


def facts_of(log):
    """The sums over all processes, and the lines that tell of differences."""
    sums, complaints = collections.Counter(), []
    for line in log.read_text(encoding="utf-8").splitlines() if log.exists() else []:
        words = line.split()
        if words[0] == "walks":
            sums.update(dict(zip(words[::2], map(int, words[1::2]))))
        else:
            complaints.append(line)
    return sums, complaints


def problems_of(library, folder, name):
    command, fewest = PROGRAMS[name]
    log = folder / f"{name}.log"
    environment = {**os.environ, "LD_PRELOAD": str(library), "UNWIND_LOG": str(log),
                   "GIT_PAGER": "cat", "GIT_CONFIG_GLOBAL": "/dev/null"}
    result = subprocess.run(command, cwd=folder, env=environment, timeout=SECONDS, check=False,
                            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    sums, problems = facts_of(log)
    print(f"# {name}: {dict(sums)}")
    if result.returncode != 0:
        problems.append(f"exit {result.returncode}: {result.stderr[-300:]}")
    if sums["walks"] < fewest:
        problems.append(f"only {sums['walks']} walks")
    if sums["frames"] < 5 * sums["walks"]:
        problems.append("the walks are too short to mean anything")
    return problems


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--lib", required=True, type=pathlib.Path)
    library = parser.parse_args().lib.resolve()
    failed = 0
    print(f"1..{len(PROGRAMS)}")
    with tempfile.TemporaryDirectory() as scratch:
        prepare(pathlib.Path(scratch))
        for number, (name, (command, _)) in enumerate(PROGRAMS.items(), 1):
            if shutil.which(command[0]) is None:
                print(f"ok {number} - {name} # SKIP not installed")
                continue
            problems = problems_of(library, pathlib.Path(scratch), name)
            failed += bool(problems)
            print(f"{'not ok' if problems else 'ok'} {number} - {name} is walked as libgcc does")
            for problem in problems:
                print(f"#   {problem}")
    return failed != 0


if __name__ == "__main__":
    sys.exit(main())
