"""Builds targets and runs them on one input, under one oracle."""
import os
import pathlib
import re
import shutil
import signal
import subprocess
from dataclasses import dataclass

HERE = pathlib.Path(__file__).resolve().parent
PLAIN = ("-O1", "-g", "-fno-builtin-malloc", "-fno-builtin-free", "-Wall", "-Wextra", "-Werror")
SECONDS = 30
OURS = re.compile(r"^spanguard\[\d+\]: (P\d\d\d) ", re.MULTILINE)
# A report of AddressSanitizer names the kind behind its own name.
ASAN = re.compile(r"ERROR: (?:Address|Leak)Sanitizer: (?:requested )?(.*)")
# Symbols cost more than AFL++ waits for a target.
OPTIONS = "symbols=0:seed=1"


@dataclass(frozen=True)
class Oracle:
    name: str
    preload: str = ""
    options: str = ""  # SPANGUARD_OPTIONS
    is_asan: bool = False


@dataclass(frozen=True)
class Outcome:
    status: int
    text: str

    @property
    def code(self):
        found = OURS.search(self.text)
        return found[1] if found else ""

    @property
    def asan_word(self):
        found = ASAN.search(self.text)
        return found[1] if found else ""

    @property
    def signal(self):
        return signal.Signals(-self.status).name if self.status < 0 else ""

    def notes(self):
        return [f"status {self.status}", *self.text.splitlines()[:6]]


def oracles(library, dislocator):
    """Those that can be had here."""
    found = [Oracle("glibc"), Oracle("debug", str(library), f"profile=debug:{OPTIONS}"),
             Oracle("debug, no stacks", str(library), f"profile=debug:stack_depth=0:{OPTIONS}"),
             Oracle("guard", str(library), f"profile=guard:{OPTIONS}")]
    if pathlib.Path(dislocator).exists():
        found.append(Oracle("libdislocator", str(dislocator)))
    return [*found, Oracle("ASan", is_asan=True)]


def build(target, folder, compiler="cc", flags=(), environment=None, driver="driver.c"):
    """One program. What is C++ in it is a file of its own; that compiler's name follows."""
    name = "-".join([pathlib.Path(compiler).name, target, *(re.sub(r"\W", "", f) for f in flags)])
    program = pathlib.Path(folder) / name
    sources = [f"{target}.c"] + ([driver] if driver else [])
    plus_plus = {"cc": "c++"}.get(compiler, compiler.replace("clang", "clang++", 1))
    if target != "decode":
        plus_plus = compiler
    else:
        sources.append("owner.cc")
    env = {**os.environ, **(environment or {})}
    objects = []
    for source in sources:
        objects.append(f"{program}-{source}.o")
        run([plus_plus if source.endswith(".cc") else compiler, *PLAIN, *flags, "-c",
             HERE / source, "-o", objects[-1]], env)
    run([plus_plus, *flags, *objects, "-o", program], env)
    return program


def run(command, environment):
    done = subprocess.run([str(word) for word in command], env=environment, capture_output=True,
                          text=True, check=False, timeout=120)
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]}: {done.stderr[:800]}")


def environment_of(oracle, options="", asan_options=""):
    """Without what the caller's has of ours."""
    environment = {name: value for name, value in os.environ.items()
                   if not re.match("SPANGUARD_|ASAN_|LSAN_|LD_PRELOAD|AFL_", name)}
    environment["NO_COLOR"] = "1"
    if oracle.options:
        environment["SPANGUARD_OPTIONS"] = ":".join(filter(None, (oracle.options, options)))
    if oracle.is_asan:
        base = "abort_on_error=1:symbolize=0:detect_leaks=0:allocator_may_return_null=0"
        environment["ASAN_OPTIONS"] = ":".join(filter(None, (base, asan_options)))
    return environment


def feed(program, data, oracle, options="", asan_options="", prefix=()):
    environment = environment_of(oracle, options, asan_options)
    if oracle.preload:
        environment["LD_PRELOAD"] = oracle.preload
    done = subprocess.run([*prefix, str(program)], input=data, env=environment, check=False,
                          capture_output=True, timeout=SECONDS)
    return Outcome(done.returncode, done.stderr.decode(errors="replace"))


def feed_bug(program, bug, oracle):
    return feed(program, bug.trigger, oracle, bug.options, bug.asan_options)


def has(*programs):
    return all(shutil.which(program) for program in programs)
