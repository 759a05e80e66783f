"""Test Anything Protocol, written line by line so that a killed run still shows how far it got."""


def plan(count):
    _say(f"1..{count}")


def result(number, name, passed):
    _say(f"{'ok' if passed else 'not ok'} {number} - {name}")


def skipped(number, name, reason):
    _say(f"ok {number} - {name} # SKIP {reason}")


def note(text):
    for line in text.splitlines():
        _say(f"# {line}")


def _say(line):
    print(line.encode("utf-8", "backslashreplace").decode(), flush=True)
