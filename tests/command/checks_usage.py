"""Help, version, wrong usage and what was probably meant."""

COMMANDS = ("run", "explain", "doctor", "options", "config")

# arguments -> what stderr must say; the status is 2
WRONG = {
    "no command": ([], "no command given"),
    "an unknown command": (["dcotor"], "unknown command 'dcotor', did you mean 'doctor'?"),
    "swapped letters": (["rnu"], "did you mean 'run'?"),
    "nothing like it": (["xyzzy"], "unknown command 'xyzzy'\n"),
    "an unknown option before the command": (["--verison"], "did you mean '--version'?"),
    "an unknown long option": (["run", "--profil", "--prfile", "x"], "unknown profile '--prfile'"),
    "a misspelt long option": (["run", "--porfile=x", "true"],
                               "unknown option '--porfile', did you mean '--profile'?"),
    "an unknown letter": (["run", "-x", "true"], "unknown option '-x'"),
    "a letter among letters": (["doctor", "-x"], "unknown option '-x'"),
    "an option without its value": (["run", "-o"], "option '-o' needs a value"),
    "a long option without its value": (["run", "--timeout"], "option '--timeout' needs a value"),
    "a value where none belongs": (["options", "--json=1"], "option '--json' takes no value"),
    "run without a program": (["run", "--"], "no program given"),
    "an unknown profile": (["run", "--profile", "hardend", "true"],
                           "unknown profile 'hardend', did you mean 'hardened'?"),
    "a setting without a value": (["run", "-o", "canary", "true"],
                                  "-o 'canary' is not of the form NAME=VALUE"),
    "a timeout that is no number": (["run", "--timeout", "1s", "true"], "--timeout '1s'"),
    "a negative timeout": (["run", "--timeout", "-1", "true"], "--timeout '-1'"),
    "an empty timeout": (["run", "--timeout=", "true"], "--timeout ''"),
    "a timeout of more than a day": (["run", "--timeout", "86401", "true"], "--timeout '86401'"),
    "a timeout without --ci": (["run", "--timeout", "5", "true"], "--timeout is of --ci"),
    "an empty folder": (["run", "--ci=", "true"], "--ci= needs a folder"),
    "explain without anything": (["explain"], "nothing to explain"),
    "explain with two things": (["explain", "P101", "P102"], "one thing at a time"),
    "a module without a path": (["explain", "-m", "x", "P101"], "not of the form NAME=PATH"),
    "a module without a name": (["explain", "-m", "=x", "P101"], "not of the form NAME=PATH"),
    "a module with an empty path": (["explain", "-m", "x=", "P101"], "not of the form NAME=PATH"),
    "more modules than there may be": (["explain", *["-mx=/y"] * 200, "P101"], "more than "),
    "a very long word": (["x" * 200], "unknown command 'xxx"),
    "doctor with process 0": (["doctor", "0"], "'0' is no process"),
    "doctor with a number and more": (["doctor", "1x"], "'1x' is no process"),
    "doctor with blanks": (["doctor", " 1"], "' 1' is no process"),
    "doctor with nothing": (["doctor", ""], "'' is no process"),
    "doctor with an int too large": (["doctor", "4294967296"], "is no process"),
    "doctor with a word": (["doctor", "nginx"], "'nginx' is no process"),
    "doctor with a number too large": (["doctor", "99999999999"], "is no process"),
    "doctor with two processes": (["doctor", "1", "2"], "one process at a time"),
    "doctor without the program": (["doctor", "--"], "no program given"),
    "an unknown setting": (["options", "canari"],
                           "no option is called 'canari', did you mean 'canary'?"),
    "two settings": (["options", "canary", "encode"], "one option at a time"),
    "config without an action": (["config"], "what is to be done?"),
    "an unknown action": (["config", "chekc", "x"], "did you mean 'check'?"),
    "config check without a file": (["config", "check"], "check needs one file"),
}


def wrong_usage(tap, shop, name):
    for what, (arguments, expected) in WRONG.items():
        outcome = shop(*arguments)
        tap.check(f"{name}: {what} ends with 2", [
            *outcome.expect(2, expected),
            outcome.stdout and f"stdout is not empty: {outcome.stdout}",
            "help" not in outcome.stderr and "stderr does not say where help is"])


def helps(tap, shop, name):
    general = shop("--help")
    tap.check(f"{name}: the general one lists every command", [
        *general.expect(0),
        *(f"  {word} " not in general.stdout and f"lacks {word}" for word in COMMANDS)])
    for word in COMMANDS:
        outcome = shop(word, "--help")
        tap.check(f"{name}: {word} --help", [
            *outcome.expect(0, stdout=f"usage: spanguard {word} "),
            "--help" not in outcome.stdout and "lacks --help",
            any(len(line) > 90 for line in outcome.stdout.splitlines()) and "wider than 90"])
    version = shop("--version")
    tap.check(f"{name}: --version", version.expect(0, stdout="spanguard 0."))


def full_output(tap, shop, name):
    outcome = shop("-c", f"{shop.command} --help > /dev/full", command="/bin/sh")
    tap.check(f"{name} is said", outcome.expect(1, "cannot write to stdout"))


CHECKS = {"wrong usage": wrong_usage, "help": helps, "a full output": full_output}
