#!/usr/bin/python3 -B
"""What the objects of lib/bug import, which codes the manual page has, and what a reader of JSON
makes of its lines. Prints TAP.

usage: bug_forms.py --objects LIBSG_BUG.A --say PROGRAM --pages FOLDER --headers ROOT
"""
import argparse
import json
import pathlib
import re
import subprocess
import sys

# All that may be called besides itself: bounded text, and what touches bytes and nothing else.
OWN = re.compile(r"sg_text_\w+|sg_mem(cpy|move|set)|_GLOBAL_OFFSET_TABLE_")
BYTES = {"memcpy", "memmove", "memset", "memcmp", "strlen", "strcmp", "strncmp", "__popcountdi2"}
# Without these a list of imports is no list of imports.
SURE = {"sg_text_string", "sg_text_decimal"}
CODE = re.compile(r'"(P\d{3})"')
PAGE_CODE = re.compile(r"^\*(P\d{3})\*", re.MULTILINE)


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, timeout=30).stdout


def symbols(library, which):
    listing = run("nm", which, "--format=posix", library).decode()
    rows = (line.split() for line in listing.splitlines())
    return {row[0] for row in rows if len(row) > 1}


def import_problems(library):
    found = symbols(library, "--undefined-only") - symbols(library, "--defined-only")
    yield from (f"{name} should be among the imports" for name in sorted(SURE - found))
    for name in sorted(found - BYTES):
        if not OWN.fullmatch(name):
            yield f"{name} is called by lib/bug"


def read(*parts):
    return pathlib.Path(*parts).read_text(encoding="utf-8")


def code_problems(headers, pages):
    codes = set(CODE.findall(read(headers, "lib/bug/bug.h")))
    codes |= set(CODE.findall(read(headers, "hardening/report.h")))
    page = set(PAGE_CODE.findall(read(pages, "spanguard-reports.7.scd")))
    if len(codes) < 20:
        yield f"only {len(codes)} codes in the headers"
    yield from (f"{code} is not in the page" for code in sorted(codes - page))
    yield from (f"{code} is in the page and nowhere else" for code in sorted(page - codes))


def line_problems(line):
    report = json.loads(line)
    if report["spanguard_report"] != 1 or not re.fullmatch(r"P\d{3}", report["code"]):
        yield f"no schema or code: {line!r}"
    if not report["headline"].startswith(report["title"]):
        yield f"headline {report['headline']!r} of title {report['title']!r}"
    if not re.fullmatch(r"[0-9a-f]{8}", report["id"]) or report["process"] != 4711:
        yield f"id or process: {line!r}"
    frame = report["at"][0]
    if not report["modules"][frame["module"]]["path"] or int(frame["offset"], 16) < 0x1000:
        yield f"a frame: {frame!r}"


def json_problems(program):
    lines = run(program, "json").decode("utf-8").splitlines()
    if len(lines) != 6:
        yield f"{len(lines)} lines"
    for line in lines:
        yield from line_problems(line)


def byte_problems(program):
    """Every byte but 0 in a name comes back, those that are no UTF-8 as the character of the same
    number: that is what \\u00XX says."""
    name = json.loads(run(program, "json").decode("utf-8").splitlines()[1])["program"]
    if [ord(character) for character in name] != list(range(1, 256)):
        yield f"the name came back as {name!r}"


def terminal_problems(program, form):
    for number, line in enumerate(run(program, form).split(b"\n")):
        obeyed = sorted({byte for byte in line if byte < 0x20 or byte == 0x7f})
        if obeyed:
            yield f"line {number} has {obeyed}"
        line.decode("utf-8")


def main():
    parser = argparse.ArgumentParser(allow_abbrev=False)
    for option in ("objects", "say", "pages", "headers"):
        parser.add_argument(f"--{option}", required=True)
    options = parser.parse_args()
    checks = [
        ("lib/bug calls nothing that allocates, locks or prints", import_problems(options.objects)),
        ("spanguard-reports(7) has every code", code_problems(options.headers, options.pages)),
        ("its lines are JSON", json_problems(options.say)),
        ("every byte of a name comes back", byte_problems(options.say)),
    ]
    checks += [(f"no byte that a terminal obeys: {form}", terminal_problems(options.say, form))
               for form in ("text", "json", "asan", "core")]
    failed = 0
    for number, (name, problems) in enumerate(checks, 1):
        problems = list(problems)
        failed += bool(problems)
        print(f"{'not ' if problems else ''}ok {number} - {name}")
        for problem in problems:
            print(f"#   {problem}")
    print(f"1..{len(checks)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
