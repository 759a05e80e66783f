#!/usr/bin/python3
"""Writes options.dict, libFuzzer's and AFL++'s dictionary for the target `options`, from the
options' own table. With --check: fails if the file says something else."""
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
TABLE = HERE.parent.parent / "lib" / "options" / "options.def"
DICTIONARY = HERE / "options.dict"
ROW = re.compile(r'^OPTION\((\w+),.*?"([^"]*)",\s*"')
SYNTAX = ["=", ":", "\n", " = ", "#", "[exe:", "]", "[exe:fuzzed]\n", "[exe:/usr/bin/fuzzed]\n", "lock = yes\n",
          "lock = no\n", "help=1", "=fd:", "K", "M", "G", "18446744073709551615", "18446744073709551616", "\0"]


def words():
    found = list(SYNTAX)
    for line in TABLE.read_text().splitlines():
        row = ROW.match(line)
        if row:
            found += [row[1] + "=", *row[2].split("|")]
    return sorted({word for word in found if word})


def quoted(word):
    return "".join(c if " " <= c <= "~" and c not in '"\\' else f"\\x{ord(c):02x}" for c in word)


def main():
    text = "# Written by make_dictionary.py.\n" + "".join(f'"{quoted(word)}"\n' for word in words())
    if "--check" in sys.argv[1:]:
        is_good = DICTIONARY.read_text() == text
        print("ok" if is_good else "not ok", "1 - the dictionary is that of options.def\n1..1")
        return not is_good
    DICTIONARY.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
