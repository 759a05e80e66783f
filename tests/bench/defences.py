"""What can be switched off and on, and the configurations that a price list compares.

A defence has two prices: what the `hardened` profile saves without it, and what it costs alone on a
base that has everything off. The value that switches it on is the profile's own, asked of the
library with help=1, so that this list need not follow every change of a default."""

import re
import subprocess
from typing import NamedTuple

import peers


class Defence(NamedTuple):
    name: str
    off: dict  # options that switch it off
    needs: str = ""  # the defence without which it does nothing; priced on top of that


# Where switching one off leaves another without work, both are off; so its price has both.
DEFENCES = (
    Defence("canary", {"canary": "0"}),
    Defence("zero_bytes", {"zero_bytes": "0", "zero_check": "0"}),
    Defence("zero_check", {"zero_check": "0"}, needs="zero_bytes"),
    Defence("quarantine_slots", {"quarantine_slots": "0", "quarantine_bytes": "0"}),
    Defence("span_quarantine", {"span_quarantine": "0"}),
    Defence("guard_interval", {"guard_interval": "0"}),
    Defence("guard_pages", {"guard_pages": "0"}),
    Defence("guard_large", {"guard_large": "0"}),
    Defence("guard_free", {"guard_free": "0"}),
    Defence("sample_bytes", {"sample_bytes": "0"}),
    Defence("encode", {"encode": "0"}),
    Defence("isolate_classes", {"isolate_classes": "0"}),
    Defence("seal", {"seal": "0"}),
    Defence("fault_reports", {"fault_reports": "0"}),
)
PROFILES = ("fast", "hardened", "strict")
GLIBC, HARDENED, BARE = "glibc", "hardened", "bare"


class Price(NamedTuple):
    """Two configurations that differ in one defence."""

    defence: str
    base: str  # HARDENED or BARE
    having: str
    lacking: str


class Plan(NamedTuple):
    options: dict  # configuration -> {option: value}; glibc is not among them
    prices: list
    notes: list  # what could not be priced, and why


def entries(options):
    return ":".join(f"{name}={value}" for name, value in options.items())


def ask(library, options):
    """Every option and its value as the library itself states them; None if it refuses any."""
    setting = entries({**options, "help": "1"})
    allocator = peers.Allocator("asked", library, (("SPANGUARD_OPTIONS", setting),))
    done = subprocess.run(["/bin/true"], env=peers.environment(allocator), capture_output=True,
                          text=True, timeout=20, check=False)
    said = done.stdout + done.stderr
    if done.returncode != 0 or re.search(r"^spanguard\[\d+\]", said, re.MULTILINE):
        return None
    return dict(re.findall(r"^(\w+)=(\S+)", said, re.MULTILINE))


def own_defence(text):
    """NAME:OPTION=OFF:OPTION=ON from a command line, as a defence and the value that turns it on"""
    fields = text.split(":")
    if len(fields) != 3 or not all("=" in field for field in fields[1:]):
        raise ValueError(text)
    (option, off), (same, turned_on) = (field.split("=", 1) for field in fields[1:])
    if option != same:
        raise ValueError(text)
    return Defence(fields[0], {option: off}), {option: turned_on}


def known_profiles(library):
    """{profile: its values}; without profiles the built-in values stand for `hardened`."""
    known = {}
    for profile in PROFILES:
        values = ask(library, {"profile": profile})
        if values is not None:
            known[profile] = ({"profile": profile}, values)
    if HARDENED not in known:
        known[HARDENED] = ({}, ask(library, {}) or {})
    return known


def value_on(defence, known):
    """The options that switch a defence on as the first profile that has it does, or None. What
    goes off with it and is a defence of its own (zero_check) stays off."""
    names = [d.name for d in DEFENCES if d.name != defence.name]
    for profile in (HARDENED, "strict"):
        values = known.get(profile, ({}, {}))[1]
        if values.get(defence.name, defence.off[defence.name]) != defence.off[defence.name]:
            return {option: values[option] for option in defence.off
                    if option in values and option not in names}
    return None


def add_on_bare(plan, defence, turned_on):
    """Where one needs another, that one is on in both configurations."""
    needed = f"{BARE} +{defence.needs}"
    lacking = needed if needed in plan.options else BARE
    having = f"{BARE} +{defence.name}"
    plan.options[having] = {**plan.options[lacking], **turned_on}
    plan.prices.append(Price(defence.name, BARE, having, lacking))


def add_on_hardened(plan, defence, values):
    off = defence.off
    if all(values.get(option) == value for option, value in off.items()):
        plan.notes.append(f"{defence.name}: off in hardened; priced on the bare base only")
        return
    without = f"{HARDENED} -{defence.name}"
    plan.options[without] = {**plan.options[HARDENED], **off}
    plan.prices.append(Price(defence.name, HARDENED, HARDENED, without))


def wanted(only):
    """The listed defences, with what those named need."""
    needed = {defence.needs for defence in DEFENCES if defence.name in only}
    return [d for d in DEFENCES if not only or d.name in only or d.name in needed]


def accepted(library, defence, values):
    """The defence with those options alone that the library has and lets be switched off."""
    off = {option: value for option, value in defence.off.items()
           if option in values and ask(library, {option: value}) is not None}
    return defence._replace(off=off)


def bare_options(known, found):
    off = {option: value for defence in found for option, value in defence.off.items()}
    return {**known.get("fast", ({}, {}))[0], **off}


def without_refused(plan, library):
    """An option may be known and a value be out of its range: better no price than a wrong one."""
    refused = [name for name, options in plan.options.items() if ask(library, options) is None]
    notes = plan.notes + [f"refused by the library: {name}" for name in refused]
    prices = [p for p in plan.prices if p.having not in refused and p.lacking not in refused]
    options = {name: value for name, value in plan.options.items() if name not in refused}
    return Plan(options, prices, notes)


def add_defence(plan, defence, known):
    values = known[HARDENED][1]
    if defence.name not in values:
        plan.notes.append(f"{defence.name}: no such option in this library")
    elif defence.name not in defence.off:
        plan.notes.append(f"{defence.name}: the library does not let it be switched off")
    elif (turned_on := value_on(defence, known)) is None:
        plan.notes.append(f"{defence.name}: off in every profile")
    else:
        add_on_bare(plan, defence, turned_on)
        add_on_hardened(plan, defence, values)


def make_plan(library, only=(), own=()):
    """`own`: pairs of a defence and the options that turn it on, beside those of the list above."""
    known = known_profiles(library)
    values = known[HARDENED][1]
    plan = Plan({name: options for name, (options, _) in known.items()}, [], [])
    found = {defence.name: accepted(library, defence, values) for defence in DEFENCES}
    plan.options[BARE] = bare_options(known, [*found.values(), *[defence for defence, _ in own]])
    for defence in wanted(only):
        add_defence(plan, found[defence.name], known)
    for defence, turned_on in own:
        add_on_bare(plan, defence, turned_on)
        add_on_hardened(plan, defence, values)
    return without_refused(plan, library)
