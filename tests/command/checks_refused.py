"""Each call of libc that may fail, failing: the command does without, or says so and ends with a
status of its own. It never ends by a signal, and never hides a report."""
import re
from concurrent.futures import ThreadPoolExecutor

from checks_ci import fake_symbolizer
from checks_doctor import lines_problems
from checks_explain import bug
from harness import HERE

CALLS = tuple(re.findall(r"^REFUSABLE\([^,]+, (\w+),", (HERE / "refuse.c").read_text(),
                         re.MULTILINE))
TIMES = (1, 2)
TOGETHER = 6  # most of their time they wait
REPORT = "double free"


def explained(outcome):
    """A report, with names or without; or nothing, and why."""
    yield outcome.status not in (0, 1, 125) and f"status {outcome.status}"
    yield outcome.status == 0 and REPORT not in outcome.stdout and "status 0 without a report"
    yield outcome.status != 0 and not outcome.stderr and "no report, and no reason"


def collected(outcome):
    yield outcome.status not in (86, 125) and f"status {outcome.status}"
    yield outcome.status == 125 and "spanguard: " not in outcome.stderr and "nothing is said"
    yield (outcome.status == 86 and "1 report of 1 mistake" not in outcome.stderr
           and "status 86 and no count")


def diagnosed(outcome):
    yield outcome.status not in (0, 1, 125) and f"status {outcome.status}"
    if outcome.status != 125 and "cannot write to stdout" not in outcome.stderr:
        yield from lines_problems(outcome)


def checked(outcome):
    yield outcome.status not in (1, 125) and f"status {outcome.status}"
    yield not outcome.stdout + outcome.stderr and "nothing is said"


def answered(outcome):
    """Of spanguard-symbolize: whoever asks takes an answer that is not there for none."""
    yield outcome.status not in (0, 1) and f"status {outcome.status}"
    yield outcome.status == 0 and not outcome.stdout.endswith("end\n") and "no end"


def refused(tap, shop, name):
    library = shop.compile("refuse.so", "-shared", "-fPIC", source="refuse.c")
    mistakes = shop.script("work/mistakes.conf", "canary = 7\n", 0o644)
    helper = fake_symbolizer(shop, "frame\t7\t3\tinner\tsrc/a.c\tfree(p);\n")
    # what it runs, and how each outcome of that is judged
    cases = {
        "explain": (lambda env: shop("explain", "-", text=bug(shop), env=env), explained),
        "run --ci": (lambda env: shop.run(f"--ci=refused/{env['REFUSE']}", shop.probe, "twice",
                                          env=env), collected),
        "doctor": (lambda env: shop("doctor", "--", shop.probe, env=env), diagnosed),
        "config check": (lambda env: shop("config", "check", mistakes, env=env), checked),
    }
    if shop.symbolize is not None:
        request = f"module - {shop.probe}\ncode 0 11d0\ndata 0 4010\nend\n"
        cases["spanguard-symbolize"] = (
            lambda env: shop(command=shop.symbolize, text=request, env=env), answered)
    wishes = [f"{call}:{time}" for call in CALLS for time in TIMES]
    with ThreadPoolExecutor(TOGETHER) as pool:
        for what, (run, judge) in cases.items():
            outcomes = pool.map(run, [{"LD_PRELOAD": library, "REFUSE": wish} for wish in wishes])
            tap.check(f"{name}: {what}", [
                not wishes and "no call is known",
                *(f"{wish}: {problem} {outcome}" for wish, outcome in zip(wishes, outcomes)
                  for problem in judge(outcome) if problem)])
    helper.unlink()


CHECKS = {"whatever the system refuses": refused}
