"""Short, bounded runs of AFL++ and libFuzzer over the targets."""
import os
import re
import shutil
import signal
import subprocess

from bugs import BUGS, SEEDS
from workshop import build, environment_of, feed

AFL_QUIET = {"AFL_NO_UI": "1", "AFL_SKIP_CPUFREQ": "1", "AFL_NO_AFFINITY": "1",
             "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES": "1", "AFL_QUIET": "1"}
# Without this the runtime of libFuzzer takes the signal of a guard before our handler.
FUZZER_QUIET = {"UBSAN_OPTIONS": "handle_segv=0"}
PERSISTENT = "-DPERSISTENT"
# Most seeds do not meet it, and it is not hard to find.
PLANTED = next(bug for bug in BUGS if bug.what == "write before a block")
PLANT = (f"-DBUG={PLANTED.number}",)


def bounded(command, environment, folder, seconds):
    """Its whole group ends: fuzzers leave fork servers."""
    with subprocess.Popen([str(word) for word in command], env=environment, cwd=folder,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, start_new_session=True) as process:
        try:
            text = process.communicate(timeout=seconds + 60)[0]
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
    return text.decode(errors="replace")


def write_seeds(target, folder):
    seeds = folder / f"seeds-{target}"
    seeds.mkdir(exist_ok=True)
    for number, data in enumerate(SEEDS[target]):
        if data:
            (seeds / str(number)).write_bytes(data)
    return seeds


def build_afl(target, folder, flags=(), is_asan=False):
    environment = {"AFL_QUIET": "1", **({"AFL_USE_ASAN": "1"} if is_asan else {})}
    where = folder / f"afl-asan-{is_asan}"
    where.mkdir(exist_ok=True)
    return build(target, where, "afl-clang-fast", flags, environment)


def run_afl(program, oracle, bug, folder, seconds):
    """Starts from the seeds that do not crash the target by themselves. The facts of fuzzer_stats, and the inputs that it kept as crashes."""
    out = folder / "afl-out"
    shutil.rmtree(out, ignore_errors=True)
    environment = {**environment_of(oracle, bug.options), **AFL_QUIET}
    if oracle.preload:
        environment["AFL_PRELOAD"] = oracle.preload
    text = bounded(["afl-fuzz", "-V", seconds, "-s", "1", "-i", write_seeds(bug.target, folder),
                    "-o", out, "--", program], environment, folder, seconds)
    stats = out / "default" / "fuzzer_stats"
    if not stats.exists():
        raise RuntimeError(f"afl-fuzz: {text[-800:]}")
    facts = dict(re.findall(r"^(\w+)\s*: (.*)$", stats.read_text(), re.MULTILINE))
    return facts, sorted((out / "default" / "crashes").glob("id*"))


def kept_problems(shop, profile, inputs):
    """Whether the inputs that an engine kept bring the report again."""
    program = build(PLANTED.target, shop.folder, flags=PLANT)
    if not inputs:
        yield "no crash was kept"
    for path in inputs[:3]:
        found = feed(program, path.read_bytes(), shop.oracles[profile], PLANTED.options)
        if found.code != getattr(PLANTED, profile):
            yield f"{path.name}: {found.code or 'no report'}"
            yield from found.notes()


def afl_problems(shop, profile):
    program = build_afl(PLANTED.target, shop.folder, (*PLANT, PERSISTENT))
    kept = run_afl(program, shop.oracles[profile], PLANTED, shop.folder, 4)[1]
    return list(kept_problems(shop, profile, kept))


def libfuzzer_problems(shop, profile):
    oracle = shop.oracles[profile]
    program = build(PLANTED.target, shop.folder, "clang-19", (*PLANT, "-fsanitize=fuzzer"),
                    driver="")
    environment = {**environment_of(oracle, PLANTED.options), **FUZZER_QUIET,
                   "LD_PRELOAD": oracle.preload}
    for old in shop.folder.glob("crash-*"):
        old.unlink()
    text = bounded([program, "-seed=1", "-max_total_time=10"], environment, shop.folder, 10)
    problems = list(kept_problems(shop, profile, sorted(shop.folder.glob("crash-*"))))
    if "spanguard[" not in text:
        problems += ["no report while it ran", *text.splitlines()[-8:]]
    return problems
