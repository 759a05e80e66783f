"""What bash offers behind `spanguard`."""
import os
import re
import subprocess

from checks_settings import rows
from harness import ROOT

FILE = ROOT / "lib" / "command" / "spanguard.bash"


def offered(shop, *words):
    """The completions of the last word, which may be empty. Words as bash splits them."""
    line = " ".join(("spanguard",) + words)
    script = ('source "$1"; shift; COMP_LINE=$1; shift; COMP_WORDS=("$@"); '
              'COMP_CWORD=$(($# - 1)); _spanguard 2>&1; printf "%s\\n" "${COMPREPLY[@]}"')
    done = subprocess.run(["bash", "-c", script, "bash", FILE, line, shop.command, *words],
                          capture_output=True, text=True, timeout=30, check=False,
                          cwd=shop.work, env=shop.environment({}))
    return done.stdout.split()


def same(found, expected):
    return [sorted(found) != sorted(expected) and f"{found}, expected {expected}"]


def fixed(tap, shop, name):
    cases = {
        "commands": ([""], ["run", "explain", "doctor", "options", "config", "--help",
                            "--version"]),
        "a command": (["do"], ["doctor"]),
        "options of run": (["run", "--"], ["--profile", "--option", "--ci", "--timeout", "--help"]),
        "profiles": (["run", "--profile", ""], ["hardened", "fast", "strict", "debug", "guard"]),
        "profiles behind =": (["run", "--profile", "=", "st"], ["strict"]),
        "profiles at =": (["run", "--profile", "="],
                          ["hardened", "fast", "strict", "debug", "guard"]),
        "settings": (["run", "-o", "guard_p"], ["guard_pages="]),
        "no values of settings": (["run", "-o", "canary", "=", ""], []),
        "no numbers": (["run", "--timeout", ""], []),
        "folders behind --ci": (["run", "--ci", "=", "fol"], ["folder"]),
        "files of the program": (["run", "-o", "canary", "=", "1", "--ci", "ls", "fi"], ["file"]),
        "the program's own options": (["run", "ls", "--"], []),
        "the program by path": (["run", "./fi"], ["./file"]),
        "doctor's program": (["doctor", "--", "./fi"], ["./file"]),
        "options of explain": (["explain", "--"], ["--module", "--program", "--help"]),
        "files to explain": (["explain", "fi"], ["file"]),
        "one setting": (["options", "canar"], ["canary"]),
        "config": (["config", ""], ["check", "--help"]),
        "files to check": (["config", "check", "fi"], ["file"]),
        "nothing behind nothing": (["nonsense", ""], []),
    }
    for entry in shop.work.iterdir():
        if entry.name.startswith(("fi", "fol")):
            entry.unlink()
    (shop.work / "file").write_text("")
    (shop.work / "folder").mkdir()
    for what, (words, expected) in cases.items():
        tap.check(f"{name}: {what}", same(offered(shop, *words), expected))
    (shop.work / "folder").rmdir()


def found(tap, shop, name):
    settings = offered(shop, "run", "-o", "")
    tap.check(f"{name}: every setting", same(settings, [f"{row}=" for row in rows()]))
    pids = offered(shop, "doctor", "")
    tap.check(f"{name}: processes", [str(os.getpid()) not in pids and f"lacks {os.getpid()}"])
    programs = offered(shop, "run", "pytho")
    tap.check(f"{name}: programs", ["python3" not in programs and str(programs)])
    for command in ("run", "explain", "doctor", "options", "config"):
        text = shop(command, "--help").stdout
        flags = re.findall(r"^ +(?:-\w, |    )(--[a-z]+)", text, re.MULTILINE)
        missing = [flag for flag in flags if flag not in FILE.read_text()]
        tap.check(f"{name}: the options that {command} --help has", [
            not flags and "no options were read", missing and f"lacks {missing}"])


CHECKS = {"completion of": fixed, "completion knows": found}
