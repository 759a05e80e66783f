#!/usr/bin/python3 -B
"""Writes seeds of the pool target from what real programs ask of malloc.

usage: trace_corpus.py FOLDER             runs the programs that are there, and writes
                                          FOLDER/trace-PROGRAM-N
       trace_corpus.py FOLDER NAME FILE   as if NAME had left the trace in FILE

Older files trace-* of the same program go away. No two runs write the same: programs hash by
chance.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from make_corpus import header
from trace_input import Sizes, read_trace, window_input, window_starts

HERE = pathlib.Path(__file__).resolve().parent
FILES_MAX = 12
WINDOWS = 2             # of each program
PROFILES = 3            # hardened, fast, strict
DESCRIPTOR = 200        # beyond those that programs close or use
SECONDS = 60
CALLS_FEWEST = 100      # fewer: the logger was not there, or the program failed

SQL = """create table t(a integer primary key, b text, c blob);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 900)
insert into t select i, hex(randomblob(i % 90)), zeroblob(i * 7 % 3000) from n;
create index u on t(b); select count(*), max(length(b)) from t group by a % 7 order by 2;
update t set c = zeroblob(9000) where a % 50 = 0; delete from t where a % 3 = 0; vacuum;"""
PERL = """my %words; for my $i (1..900) { push @{$words{$i % 97}}, 'x' x ($i * 13 % 700) }
my $text = join ',', map { @{$words{$_}} } sort keys %words; $text =~ s/x{5,9}/y/g;
delete @words{1..60}; my @parts = map { [split /,/] } ($text) x 3; print length $text"""
BASH = """declare -A words; for i in {1..400}; do words[$((i % 83))]+="$i "
    list+=("${words[$((i % 83))]}"); done
text=${list[*]}; text=${text//1/one}
for i in {1..200}; do unset "words[$i]"; part=${text:i:i * 9}; done
[[ $text =~ (2+).*(3+) ]] && echo "${#BASH_REMATCH[*]} ${part@Q}" """
PYTHON = """import collections, json, re
words = collections.defaultdict(list)
for i in range(900): words[i % 89].append('x' * (i * 17 % 900))
text = json.dumps(words); again = json.loads(text)
for i in range(60): del again[str(i)]
print(len(re.sub('x+', 'y', text)), sorted(again)[:3], sum(range(10 ** 3)))"""

# Name -> (command, what it reads, what its environment has in addition); the first ones that are
# there, as long as there is room for their files.
PROGRAMS = {
    "bash": (["bash", "-c", BASH], "", {}),
    "git": (["git", "-c", "safe.directory=*", "-C", str(HERE.parent), "log", "--stat", "-n", "20"],
            "", {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_PAGER": "cat"}),
    "perl": (["perl", "-e", PERL], "", {}),
    "python3": (["/usr/bin/python3", "-S", "-c", PYTHON], "", {"PYTHONMALLOC": "malloc"}),
    "sqlite3": (["sqlite3", ":memory:"], SQL, {}),
    "cc": (["cc", "-O1", "-S", "-o", "out.s", str(HERE / "trace.c")], "", {}),
    "sort": (["sort", "-S", "64K", "-k", "2"], "".join(
        f"{i * 7919 % 10007} {'x' * (i * 31 % 211)}\n" for i in range(3000)), {}),
}


def build_logger(folder):
    logger = folder / "trace.so"
    subprocess.run([os.environ.get("CC", "cc"), "-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror",
                    "-fno-builtin", "-fPIC", "-shared", "-o", logger, HERE / "trace.c"],
                   check=True, timeout=SECONDS)
    return logger


def run_traced(logger, command, text, more):
    """Returns the lines of the trace."""
    folder = logger.parent
    with open(folder / "lines", "wb") as lines:
        os.dup2(lines.fileno(), DESCRIPTOR)
        try:
            environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LC_ALL": "C",
                           "LD_PRELOAD": str(logger),
                           "SPANGUARD_TRACE_DESCRIPTOR": str(DESCRIPTOR), **more}
            subprocess.run(command, input=text, text=True, env=environment, cwd=folder, check=True,
                           pass_fds=[DESCRIPTOR], stdout=subprocess.DEVNULL, timeout=SECONDS)
        finally:
            os.close(DESCRIPTOR)
    return (folder / "lines").read_text(encoding="ascii").splitlines()


def write_windows(folder, name, lines, known_sizes):
    """Returns how many were written."""
    traces = read_trace(lines)
    if not traces or len(traces[0]) < CALLS_FEWEST:
        raise ValueError(f"{name} made fewer than {CALLS_FEWEST} calls")
    for old in folder.glob(f"trace-{name}-*"):
        old.unlink()
    starts = window_starts(traces[0], WINDOWS)
    for i, first in enumerate(starts):
        start = header(seed=first + 1)[1:]
        profile = bytes([(sum(name.encode()) + i) % PROFILES])
        data = window_input(traces[0], first, profile + start, known_sizes)
        (folder / f"trace-{name}-{i}").write_bytes(data)
    print(f"{name}: {len(traces[0])} calls, {len(starts)} windows")
    return len(starts)


def trace_programs(folder):
    known_sizes = Sizes()
    count = 0
    with tempfile.TemporaryDirectory() as temporary:
        logger = build_logger(pathlib.Path(temporary))
        for name, (command, text, more) in PROGRAMS.items():
            if shutil.which(command[0]) and count + WINDOWS <= FILES_MAX:
                lines = run_traced(logger, command, text, more)
                count += write_windows(folder, name, lines, known_sizes)
    return count


def main():
    if len(sys.argv) not in (2, 4):
        print(__doc__, file=sys.stderr)
        return 2
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    if len(sys.argv) == 4:
        lines = pathlib.Path(sys.argv[3]).read_text(encoding="ascii").splitlines()
        return 0 if write_windows(folder, sys.argv[2], lines, Sizes()) else 1
    return 0 if trace_programs(folder) else 1


if __name__ == "__main__":
    sys.exit(main())
