"""Runs a gate and tells which of its tests failed; shared by the plants."""
import pathlib
import re
import subprocess

HERE = pathlib.Path(__file__).resolve().parent


def run_gate(script, *arguments):
    """(names of the tests that passed, names of those that failed, whole output)"""
    command = [str(HERE / script), *map(str, arguments)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    passed = set(re.findall(r"^ok \d+ - (.*)$", result.stdout, re.MULTILINE))
    failed = set(re.findall(r"^not ok \d+ - (.*)$", result.stdout, re.MULTILINE))
    return passed, failed, result


def only(result, test):
    """A run in which one failed test stands for all that the same violation brings down."""
    passed, failed, process = result
    return passed, failed & {test}, process


def flipped(clean, planted, test, words):
    """What is wrong with a trial: (clean run, planted run) of a gate, the test that should fail
    in the second alone, and words that its report should hold. Nothing, if all is well."""
    passed_before, failed_before, before = clean
    _, failed_after, after = planted
    if test not in passed_before:
        yield f"fails, or is missing, without the violation: {test}"
        yield before.stdout + before.stderr
    if test not in failed_after:
        yield f"does not fail with the violation: {test}"
    elif words not in after.stdout:
        yield f"fails without saying: {words}"
    if after.returncode == 0:
        yield "the gate's status is 0 all the same"
    for other in sorted(failed_after - failed_before - {test}):
        yield f"fails as well: {other}"
    if after.stderr:
        yield after.stderr


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
