"""Where settings come from, seen from outside: profiles, the program's own text, the manual."""
import pathlib
import re

from topics import SOURCES

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
ROW = re.compile(r"^OPTION\((\w+),\s*(\w+),\s*\w+,\s*(.*?),\s*\"(.*?)\",\s*\"(.*)\"\)$", re.MULTILINE)
MANUAL_ROW = re.compile(r"^\*(\w+)\* _([^_]+)_ \(([^()]+)\)$", re.MULTILINE)
UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}


def number(text):
    """A number as the manual or options.def writes it."""
    if "<<" in text:
        left, right = text.split("<<")
        return int(left.strip().removesuffix("ull")) << int(right)
    return int(text[:-1]) * UNITS[text[-1]] if text[-1] in UNITS else int(text)


def known_options():
    """name -> (choices, the values of the three profiles as numbers)"""
    text = (ROOT / "lib" / "options" / "options.def").read_text(encoding="utf-8")
    rows = ROW.findall(text)
    assert len(rows) == len(re.findall(r"^OPTION\(", text, re.MULTILINE)) > 0
    return {name: (choices, [number(value) for value in figures.split(",")[:3]])
            for name, _kind, figures, choices, _help in rows}


def described(choices, values):
    """Three values of the manual as numbers: an index, where the option has names."""
    names = choices.split("|")
    return [names.index(value) if value in names else number(value) for value in values]


def manual_problems():
    known = known_options()
    text = (ROOT / "docs" / "spanguard.conf.5.scd").read_text(encoding="utf-8")
    told = {name: values.split(", ") for name, _form, values in MANUAL_ROW.findall(text)}
    yield from (f"{name} is missing" for name in known.keys() - told.keys())
    yield from (f"{name} is no option" for name in told.keys() - known.keys())
    for name in known.keys() & told.keys():
        choices, values = known[name]
        found = told[name] * 3 if len(told[name]) == 1 else told[name]
        try:
            good = described(choices, found) == values
        except ValueError:
            good = False
        if not good:
            yield f"{name}: {', '.join(found)} should be {values}"


def check_manual(options):
    problems = list(manual_problems())
    options.report.result("options: the manual has every option with the values of each profile",
                          not problems, problems)


def help_lines(outcome):
    """option -> what help=1 says of it"""
    lines = outcome.stderr.splitlines()
    return {line.split("=")[0]: line for line in lines if re.match(r"\w+=", line)}


def check_profiles(options):
    for index, profile in enumerate(("fast", "hardened", "strict")):
        outcome = options.run(f"help=1:profile={profile}")
        lines = help_lines(outcome)
        wrong = [name for name, (choices, values) in known_options().items()
                 if choices in ("", "0|1")
                 and not lines.get(name, "").startswith(f"{name}={values[index]}  (")]
        options.expect(f"profile={profile} sets what the table says", outcome, lines and not wrong)
        options.expect(f"help=1 names the profile {profile} as an origin", outcome,
                       f"(profile {profile})" in lines.get("zero_bytes", ""))


def check_program(options):
    source = SOURCES / "options_program.c"
    program = options.shop.compile([source], "options_program", ["-rdynamic"])
    outcome = options.shop.run([program], {"SPANGUARD_OPTIONS": "help=1:dirty_bytes=8"})
    lines = help_lines(outcome)
    options.expect("the program's own text counts", outcome, re.match(
        r"thread_cache_bytes=65536  \(from spanguard_options of the program\)",
        lines.get("thread_cache_bytes", "")))
    options.expect("the environment beats the program's own text", outcome, re.match(
        r"dirty_bytes=8  \(from SPANGUARD_OPTIONS\)", lines.get("dirty_bytes", "")))
    options.expect("a mistake in the program's own text is told", outcome, re.match(
        r"spanguard\[\d+\]: spanguard_options of the program: unknown option 'canry', "
        r"did you mean 'canary'\?\n", outcome.stderr))


CHECKS = (check_manual, check_profiles, check_program)
