"""spanguard options and spanguard config check."""
import json
import os
import re

from harness import ROOT


def rows():
    text = (ROOT / "lib" / "options" / "options.def").read_text()
    return re.findall(r"^OPTION\((\w+),", text, re.MULTILINE)


def options(tap, shop, name):
    names = rows()
    outcome = shop("options")
    printed = re.findall(r"^(\w+)=", outcome.stdout, re.MULTILINE)
    tap.check(f"{name}: all rows of options.def are listed in their order", [
        *outcome.expect(0), not names and "no rows were read", printed != names and str(printed)])
    one = shop("options", "guard_pages")
    tap.check(f"{name}: one of them", [
        *one.expect(0, stdout="guard_pages=1  (built-in)\n"),
        *one.expect(0, stdout="default 1 fast, 1 hardened, 4 strict; 0 to 64"),
        one.stdout.count("=") != 1 and "more than one"])
    env = {"SPANGUARD_OPTIONS": "profile=strict:guard_pages=2"}
    tap.check(f"{name}: the environment's value, and that it is from there",
              shop("options", "guard_pages", env=env).expect(
                  0, stdout="guard_pages=2  (SPANGUARD_OPTIONS)\n"))
    tap.check(f"{name}: a value by the profile", shop("options", "isolate_classes", env=env).expect(
        0, stdout="isolate_classes=1  (built-in)\n"))
    wrong = shop("options", "canary", env={"SPANGUARD_OPTIONS": "canery=1"})
    tap.check(f"{name}: a mistake in the environment is named",
              wrong.expect(0, "unknown option 'canery', did you mean 'canary'?", "canary=1"))


def as_json(tap, shop, name):
    table = json.loads(shop("options", "--json").stdout)
    fields = {"name", "type", "value", "origin", "range", "defaults", "help"}
    tap.check(f"{name}: all of them, with all fields", [
        [row["name"] for row in table] != rows() and "other names",
        *(set(row) != fields and f"{row['name']}: {sorted(row)}" for row in table)])
    one = json.loads(shop("options", "--json", "--json", "zero_bytes").stdout)
    tap.check(f"{name}: one of them, with its defaults", [
        len(one) != 1 and f"{len(one)} rows",
        one[0]["defaults"] != {"fast": "0", "hardened": "256", "strict": "1073741824"}
        and str(one[0]["defaults"])])


def check_of(shop, text, file_name="test.conf"):
    path = shop.work / file_name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path, shop("config", "check", path)


def config(tap, shop, name):
    _path, good = check_of(shop, "# all is well\nprofile = strict\nlock = yes\n"
                           "[exe:/usr/bin/x] # y\nguard_pages = 2K2\n".replace("2K2", "2"))
    tap.check(f"{name}: nothing is said of a good file", [*good.expect(0), good.stdout])
    path, bad = check_of(shop, "profile = strct\n\ncanaryy = 1 # x\n[exe:/other]\nencode = 7\n"
                         "[program:x]\nno equals sign\nhelp = 1\n")
    expected = [
        (1, "option 'profile': 'strct' is not one of fast|hardened|strict|debug|guard"),
        (3, "unknown option 'canaryy', did you mean 'canary'?"),
        (5, "option 'encode': '7' is not one of 0|1"),
        (6, "not a section [exe:PROGRAM]: '[program:x]'"),
        (7, "not 'name = value': 'no equals sign'"),
        (8, "option 'help' does not count in files"),
    ]
    lines = [f"{path}:{number}: {text}" for number, text in expected]
    tap.check(f"{name}: every mistake with its line, also in others' sections", [
        *bad.expect(1), bad.stdout.splitlines() != lines and bad.stdout])
    path, many = check_of(shop, "".join(f"x{number} = 1\n" for number in range(100)))
    tap.check(f"{name}: of a hundred mistakes all", [
        *many.expect(1), many.stdout.count("unknown option") != 100 and many.stdout[-200:]])
    path, large = check_of(shop, "# comment\n" * 7000)
    tap.check(f"{name}: a file that is too large", [
        *large.expect(1, stdout="more than 64 KiB")])
    _path, empty = check_of(shop, "")
    tap.check(f"{name}: an empty file", empty.expect(0))
    _path, binary = check_of(shop, bytes(range(256)) * 3)
    tap.check(f"{name}: rubbish", [*binary.expect(1), "\x07" in binary.stdout and "raw bytes"])
    tap.check(f"{name}: an absent file",
              shop("config", "check", "/nonexistent/file").expect(1, "cannot be read"))
    tap.check(f"{name}: a folder",
              shop("config", "check", shop.work).expect(1, stdout="is no regular file"))
    fifo = shop.work / "fifo"
    os.mkfifo(fifo)
    tap.check(f"{name}: a pipe is not waited for",
              shop("config", "check", fifo, seconds=5).expect(1, stdout="is no regular file"))


CHECKS = {"options": options, "options --json": as_json, "config check": config}
