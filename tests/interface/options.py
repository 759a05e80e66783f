"""SPANGUARD_OPTIONS: every mistake has one clear line, and the program runs on."""
import re

from options_sources import CHECKS
from outside import build_say

KNOWN = ("thread_cache_bytes", "dirty_bytes")
LINE = re.compile(r"spanguard\[(\d+)\]: .+\n")


class Options:
    """Runs one program under many settings."""

    def __init__(self, report, shop):
        self.report = report
        self.shop = shop
        self.program = build_say(shop)

    def run(self, setting):
        return self.shop.run([self.program, "alive"], {"SPANGUARD_OPTIONS": setting})

    def expect(self, name, outcome, good):
        """The program itself must not notice; then `good` decides."""
        good = bool(good) and outcome.passed() and outcome.stdout == "alive\n"
        self.report.result(f"options: {name}", good, [] if good else outcome.notes())

    def expect_line(self, name, setting, *patterns):
        outcome = self.run(setting)
        match = LINE.fullmatch(outcome.stderr)
        self.expect(name, outcome, match and int(match[1]) == outcome.pid
                    and all(re.search(pattern, outcome.stderr) for pattern in patterns))

    def expect_silence(self, name, setting):
        outcome = self.run(setting)
        self.expect(name, outcome, outcome.stderr == "")


def check_unknown(options):
    options.expect_line("an unknown option is named in one line", "bogus=1",
                        r"unknown option '?bogus\b")
    outcome = options.run("bogus=1:nonsense=2")
    options.expect("each of two unknown options has its line", outcome,
                   [name in line for name, line in zip(("bogus", "nonsense"),
                                                       outcome.stderr.splitlines())]
                   == [True, True])
    for key in KNOWN:
        options.expect_line(f"a misspelling of {key} is answered with its name", f"{key[:-1]}=5",
                            rf"did you mean '?{key}\b")
    options.expect_line("a name like no other has no suggestion", "zzzzzzzzzz=5",
                        r"^(?!.*did you mean)")


def check_values(options):
    for key in KNOWN:
        for value in ("abc", "-1", "", "12x", "99999999999999999999", "0x", "1e3", " 5"):
            options.expect_line(f"{key}={value!r} is refused and the range told",
                                f"{key}={value}", rf"\b{key}\b", r"\b\d+ to \d+\b")
        refusal = re.search(r"\b(\d+) to (\d+)\b", options.run(f"{key}=abc").stderr)
        if refusal is None:
            options.report.result(f"options: {key} tells its range", False)
            continue
        low, high = int(refusal[1]), int(refusal[2])
        for value in (low, high):
            options.expect_silence(f"{key} takes the end {value} of its range", f"{key}={value}")
        options.expect_line(f"{key} refuses what is just above its range", f"{key}={high + 1}",
                            rf"\b{key}\b", rf"\b{low} to {high}\b")


def check_form(options):
    options.expect_silence("several valid options are silent",
                           "thread_cache_bytes=65536:dirty_bytes=1048576")
    for setting in ("", ":", "::dirty_bytes=0:"):
        options.expect_silence(f"empty parts are silent: {setting!r}", setting)
    options.expect_line("an option without a value is told", "dirty_bytes", r"\bdirty_bytes\b")
    options.expect_line("a value without an option is told", "=5", r"option")
    outcome = options.run("bogus\nspanguard[1] P203 forged=1")
    options.expect("a line feed in a name forges no second line", outcome,
                   LINE.fullmatch(outcome.stderr))
    outcome = options.run("bogus\x1b[31m=1")
    options.expect("control characters are not passed on to the terminal", outcome,
                   "\x1b" not in outcome.stderr and "bogus" in outcome.stderr)
    outcome = options.run("x" * 100000 + "=1")
    options.expect("a name of 100,000 bytes does no harm", outcome, len(outcome.stderr) < 4096)
    outcome = options.run(":".join(["bogus=1"] * 2000))
    options.expect("2,000 unknown options do no harm", outcome, "bogus" in outcome.stderr)


def line_of(outcome, key):
    """What help=1 says about one option, on whichever stream."""
    lines = (outcome.stdout + outcome.stderr).splitlines()
    return next((line for line in lines if key in line.split("=")[0]), "")


def check_help(options):
    default = options.run("help=1")
    changed = options.run("thread_cache_bytes=65536:help=1")
    options.expect("help=1 lists every known option", default,
                   all(line_of(default, key) for key in KNOWN))
    options.expect("help=1 shows a built-in value as built-in", default,
                   re.search(r"built-in|default", line_of(default, "thread_cache_bytes")))
    line = line_of(changed, "thread_cache_bytes")
    options.expect("help=1 shows a changed value and where it came from", changed,
                   re.search(r"\b65536\b", line)
                   and re.search(r"SPANGUARD_OPTIONS|environment", line))
    suffixed = options.run("thread_cache_bytes=64K:help=1")
    options.expect("64K is 65536", suffixed,
                   re.search(r"\b65536\b", line_of(suffixed, "thread_cache_bytes")))
    line = line_of(changed, "dirty_bytes")
    options.expect("help=1 shows the others as built-in still", changed,
                   re.search(r"built-in|default", line)
                   and not re.search(r"SPANGUARD_OPTIONS|environment", line))


def check_options(report, shop):
    if shop.library is None:
        report.skip("options: all", "glibc has no such options")
        return
    options = Options(report, shop)
    for check in (check_unknown, check_values, check_form, check_help, *CHECKS):
        check(options)
