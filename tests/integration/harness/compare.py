"""Runs a case on both sides and judges the difference."""

import difflib
import itertools
import os
import shutil
import time
import traceback
from dataclasses import dataclass

from harness import processes
from harness.allocator import GLIBC, Allocator
from harness.case import CaseFailed
from harness.session import Session

DIFF_LINES = 60


@dataclass(frozen=True)
class Verdict:
    passed: bool
    text: str  # what failed; empty when nothing did
    seconds: dict[str, float]


def judge(case, preloaded, tools, suite, limit_seconds=None):
    """The reference comes first: if that fails, the case itself is broken, not the allocator."""
    home, seconds, transcripts = suite / case.name, {}, []
    home.mkdir(mode=0o755)
    for allocator in (Allocator(GLIBC, slowness=preloaded.slowness), preloaded):
        started = time.monotonic()
        try:
            transcripts.append(
                _perform(case, allocator, tools, home, limit_seconds or case.limit_seconds))
        except CaseFailed as failure:
            return Verdict(False, f"under {allocator.label}: {failure}", seconds)
        except Exception:  # a case that breaks must not take the others with it
            return Verdict(False, f"under {allocator.label}:\n{traceback.format_exc()}", seconds)
        finally:
            seconds[allocator.label] = time.monotonic() - started
    text = _difference(*transcripts)
    return Verdict(not text, text, seconds)


def _perform(case, allocator, tools, home, limit_seconds):
    place = home / "run"
    try:
        session = Session(place, allocator, tools, limit_seconds)
        try:
            case.run(session)
        finally:
            leftovers = processes.end_orphans()
        session.require(not leftovers, f"left running: {', '.join(leftovers)}")
        return session.finish()
    finally:
        os.rename(place, home / allocator.label)


def _difference(reference, preloaded):
    if reference == preloaded:
        return ""
    lines = difflib.unified_diff(reference.splitlines(), preloaded.splitlines(),
                                 "glibc", "preload", lineterm="", n=2)
    return "\n".join(["the output differs", *itertools.islice(lines, DIFF_LINES)])


def discard(case, suite):
    shutil.rmtree(suite / case.name, ignore_errors=True)
