"""Runs the programs made of TEST()s (check.h) and passes their results on as TAP."""
import re

import tap

RESULT = re.compile(r"(ok|not ok) - (\w+)(?: # SKIP (.*))?$")
RUNNING = re.compile(r"# running (\w+)$")
PLAN = re.compile(r"1\.\.(\d+)$")
NOTICE = re.compile(r"spanguard\[\d+\]: RTLD_DEEPBIND [^\n]*\n?")
ATTEMPTS_MOST = 64
SOURCES = tap.pathlib.Path(__file__).resolve().parent

# Seconds, where a minute is not enough or would only delay the news of a deadlock.
TIMEOUTS = {"fork": 120, "fork_stdio": 180, "guarded_spans": 120, "switches": 180}
FLAGS = {
    "free_sized": ["-Wl,-z,dynamic-undefined-weak"],
    "replaced": ["-rdynamic"],
    "plugins": ["-L.", "-lopener", "-Wl,--enable-new-dtags,-rpath,$ORIGIN/near:$ORIGIN"],
}
# The same program under other options: name -> (program, SPANGUARD_OPTIONS).
VARIANTS = {
    "guarded": ("guarded", "pool=guarded"),
    "guarded_fast": ("guarded", "pool=guarded:profile=fast"),
    "guarded_mprotect": ("guarded", "pool=guarded:guard_madvise=0"),
    "system": ("system", "pool=system"),
    "system_fast": ("system", "pool=system:profile=fast"),
    "typed_strict": ("typed", "profile=strict"),
    "typed_guarded": ("typed", "pool=guarded"),
}
TOPICS = ("failure", "empty", "aligned", "content", "free_sized", "introspection", "symbols",
          "operators", "replaced", "fork", "fork_stdio", "spawn", "thread_exit", "seccomp", "plugins",
          "late_dlopen", "regressions", "faults", "small_faults", "fault_handlers", "sealed",
          "guarded_spans", "guarded_large", "guard_marks", "quarantine", "switches", "core_dump",
          "typed", *VARIANTS)


def source_of(name):
    name = VARIANTS.get(name, (name,))[0]
    return next(path for path in (SOURCES / f"{name}.c", SOURCES / f"{name}.cc") if path.exists())


def build_shared(shop, source, name, flags=()):
    return shop.compile([SOURCES / source], name, ["-shared", "-fPIC", *flags])


def build_plugins(shop):
    """What plugins.c expects to find around it."""
    for name in ("near/libnear.so", "near/libdeep.so", "far/libfar.so", "far/libfardeep.so"):
        build_shared(shop, "plugin.c", name)
    build_shared(shop, "opener.c", "libopener.so",
                 ["-Wl,--enable-new-dtags,-rpath,$ORIGIN/far"])


def build(shop, topic):
    if topic == "plugins":
        build_plugins(shop)
    flags = [flag.replace("-L.", f"-L{shop.folder}") for flag in FLAGS.get(topic, ())]
    return shop.compile([source_of(topic)], topic, flags)


class Run:
    """The results of one start of a topic's program."""

    def __init__(self, outcome):
        self.outcome = outcome
        self.planned = 0
        self.results = []  # (name, verdict, reason to skip, notes)
        self.unfinished = None
        self._read(outcome.stdout.splitlines())

    def _read(self, lines):
        notes = []
        for line in lines:
            if match := PLAN.match(line):
                self.planned = int(match[1])
            elif match := RUNNING.match(line):
                self.unfinished, notes = match[1], []
            elif match := RESULT.match(line):
                self.results.append((match[2], match[1], match[3], notes))
                self.unfinished = None
            else:
                notes.append(line.removeprefix("# "))
        self.unfinished_notes = notes


def tell(report, topic, run):
    for name, verdict, reason, notes in run.results:
        title = f"{topic}: {name.replace('_', ' ')}"
        if reason is not None and verdict == "ok":
            report.skip(title, reason)
        else:
            report.result(title, verdict == "ok", notes)


def stderr_is_quiet(topic, text):
    """One notice about RTLD_DEEPBIND is allowed, where there was a reason for it."""
    return (NOTICE.sub("", text, count=1) if topic == "plugins" else text) == ""


def run_topic(report, shop, topic):
    """Runs every test of the topic, again from behind each one that takes the program down."""
    environment = {"SPANGUARD_OPTIONS": VARIANTS[topic][1]} if topic in VARIANTS else {}
    preload = "library"
    if topic == "late_dlopen":
        if shop.library is None:
            return report.skip(f"{topic}: all", "there is no library to open")
        preload, environment = None, {"CHECK_LATE": str(shop.library)}
    if (topic in VARIANTS or topic == "typed") and shop.library is None:
        return report.skip(f"{topic}: all", "glibc has no options of ours")
    try:
        program = build(shop, topic)
    except tap.BuildError as error:
        return report.result(f"{topic}: compiles", False, [error])
    first, noise = 0, ""
    for _ in range(ATTEMPTS_MOST):
        outcome = shop.run([program, first], environment, TIMEOUTS.get(topic, 60) * shop.patience,
                           preload)
        run = Run(outcome)
        noise += outcome.stderr
        tell(report, topic, run)
        first += len(run.results)
        if run.unfinished is None:
            break
        report.result(f"{topic}: {run.unfinished.replace('_', ' ')}", False,
                      run.unfinished_notes + outcome.notes())
        first += 1
    complete = run.planned > 0 and first == run.planned and outcome.status in (0, 1)
    report.result(f"{topic}: every test ran and the program ended by itself", complete,
                  [] if complete else outcome.notes())
    return report.result(f"{topic}: nothing is on stderr", stderr_is_quiet(topic, noise),
                         noise.splitlines()[:5])
