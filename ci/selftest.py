#!/usr/bin/python3 -B
"""Plants one violation at a time and sees the gate that should find it find it.

usage: selftest.py [WORD]      only the plants whose name contains WORD

Each plant is made in a small tree (or library, or log) of its own that passes, and has to turn
exactly the expected test of the gate from "ok" to "not ok".
"""
import sys
import tempfile

import plants_binary
import plants_count
import plants_tree
from tap import Tap


def main():
    wanted = sys.argv[1] if len(sys.argv) > 1 else ""
    tap = Tap()
    for module in (plants_tree, plants_binary, plants_count):
        with tempfile.TemporaryDirectory() as scratch:
            for name, problems in module.trials(scratch, wanted):
                tap.check(name, problems)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
