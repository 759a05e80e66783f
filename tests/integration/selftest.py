#!/usr/bin/python3
"""Shows that the suite can fail: it is given allocators that are wrong, and must say so."""

import contextlib
import io
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.dont_write_bytecode = True

import run
from harness import compare, processes, tap
from harness.allocator import Allocator
from harness.case import SEARCH_PATH, Case
from harness.tools import Tools

HERE = Path(__file__).resolve().parent
SECONDS = 120


def compile_library(folder, name, source, *flags):
    target = folder / f"{name}.so"
    command = ["cc", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-pthread",
               "-fno-builtin", *flags, "-o", str(target), str(HERE / "broken" / source)]
    subprocess.run(command, check=True, timeout=SECONDS, env={"PATH": SEARCH_PATH})
    return target


def wrong_allocator(folder, mistake):
    return compile_library(folder, mistake, "broken.c", f"-DWRONG={mistake}")


def suite(*arguments):
    """The suite as a user runs it."""
    return subprocess.run([sys.executable, str(HERE / "run.py"), *map(str, arguments)],
                          capture_output=True, text=True, timeout=SECONDS)


def expect(done, code, *texts):
    """An empty string when the run went as expected."""
    said = done.stdout + done.stderr
    lacking = [text for text in texts if text not in said]
    if done.returncode == code and not lacking:
        return ""
    return f"exit status {done.returncode}, wanted {code}; lacking {lacking}; it said:\n{said}"


def refused(mistake, text, case="perl", limit=60):
    def check(folder):
        done = suite("--lib", wrong_allocator(folder, mistake), "--only", case, "--limit", limit)
        return expect(done, 1, f"not ok 1 - {case}", "under preload" if text else "", text)
    return check


def faithful_passes(folder):
    library = wrong_allocator(folder, "NOTHING")
    done = suite("--lib", library, "--only", "perl", "short-threads", "fork-storm", "--no-skip")
    return expect(done, 0, "1..3", "ok 1 - perl", "ok 2 - short-threads", "ok 3 - fork-storm")


def talker_refused(folder):
    done = suite("--lib", wrong_allocator(folder, "TALKS"), "--only", "perl")
    return expect(done, 1, "not ok 1 - perl", "the output differs",
                  "# +a line of the allocator's own")


def bystander_refused(folder):
    library = compile_library(folder, "bystander", "bystander.c")
    done = suite("--lib", library, "--only", "perl")
    return expect(done, 1, "not ok 1 - perl", "malloc and its family come from")


def judged(folder, case, expected):
    """For what no case of the suite does: one made here, under a faithful allocator."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        allocator = Allocator("preload", wrong_allocator(folder, "NOTHING"))
        verdict = compare.judge(case, allocator, Tools(Path(place)), Path(place))
    if not verdict.passed and expected in verdict.text:
        return ""
    return f"passed: {verdict.passed}; it said: {verdict.text}"


def static_program_refused(folder):
    source, program = folder / "static.c", folder / "static"
    source.write_text("int main(void) { return 0; }\n")
    subprocess.run(["cc", "-static", "-o", str(program), str(source)], check=True, timeout=SECONDS)
    case = Case("static", "", lambda session: session.run([str(program)]))
    return judged(folder, case, "LD_PRELOAD was not honoured")


def unclean_server_refused(folder):
    def serve(session):
        with session.server(["sleep", "60"], lambda: True):
            session.note("ready")
    return judged(folder, Case("server", "", serve), "killed by SIGTERM")


def unprotected_worker_refused(folder):
    """The server itself has the preload; what it starts has not."""
    def serve(session):
        script = "trap 'kill $!; exit 0' TERM; LD_PRELOAD= sleep 60 & touch ready; wait"
        with session.server(["sh", "-c", script], (session.folder / "ready").exists):
            session.note("ready")
    return judged(folder, Case("worker", "", serve), "of the server does not map NOTHING.so")


def failing_reference_refused(folder):
    case = Case("reference", "", lambda session: session.run(["false"]))
    return judged(folder, case, "under glibc: false: exit status 1")


def silent_case_refused(folder):
    return judged(folder, Case("silent", "", lambda session: None), "nothing to compare")


def broken_case_refused(folder):
    return judged(folder, Case("broken", "", lambda session: 1 // 0), "ZeroDivisionError")


def run_with_cases(cases, *arguments):
    """run.py's main with other cases than the suite's."""
    usual, run.CASES = run.CASES, cases
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            code = run.main([str(argument) for argument in arguments])
    finally:
        run.CASES = usual
    return subprocess.CompletedProcess([], code, said.getvalue(), "")


def absent_program_skips(folder):
    library = wrong_allocator(folder, "NOTHING")
    absent = Case("absent", "", lambda session: None, ("no-such-program",))
    present = Case("present", "", lambda session: session.run(["true"]))
    skip = "ok 1 - absent # SKIP not installed: no-such-program"
    beside = run_with_cases([absent, present], "--lib", library)
    alone = run_with_cases([absent], "--lib", library)
    strict = run_with_cases([absent, present], "--lib", library, "--no-skip")
    return (expect(beside, 0, skip, "ok 2 - present") + expect(alone, 1, skip, "proves nothing")
            + expect(strict, 1, "not ok 1 - absent"))


def bad_arguments_refused(folder):
    library = wrong_allocator(folder, "NOTHING")
    return "".join((
        expect(suite(), 2, "--lib is required"),
        expect(suite("--lib", folder / "absent.so"), 2, "No such file"),
        expect(suite("--lib", HERE / "run.py"), 2, "not a shared object"),
        expect(suite("--lib", library, "--only", "no-such-case"), 2, "no such case: no-such-case"),
        expect(suite("--lib", library, "--env", "novalue"), 2, "not of the form NAME=VALUE"),
        expect(suite("--lib", library, "--env", "LD_PRELOAD=x"), 2, "belongs to this program"),
        expect(suite("--lib", library, "--limit", "0"), 2, "not a positive whole number"),
        expect(suite("--lib", library, "--unheard-of"), 2, "unrecognized arguments"),
    ))


def list_and_help_answer(folder):
    del folder
    names = [case.name for case in run.CASES]
    unique = "" if len(set(names)) == len(names) else f"a name is used twice: {names}"
    return unique + expect(suite("--list"), 0, *names) + expect(suite("--help"), 0, "--keep")


def environment_reaches_preload(folder):
    def show(session):
        session.run(["printenv", "CHOSEN"], exit_code=0 if session.allocator.library else 1)
    library = wrong_allocator(folder, "NOTHING")
    done = run_with_cases([Case("shows", "", show)], "--lib", library, "--env", "CHOSEN=yes")
    return expect(done, 1, "# +yes")


def stopped_suite_cleans_up(folder):
    """SIGTERM in the middle of a program that would run for ever."""
    command = [sys.executable, str(HERE / "run.py"), "--only", "perl",
               "--lib", str(wrong_allocator(folder, "NEVER_RETURNS"))]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 30
    while not list(Path(tempfile.gettempdir()).glob("*/perl/glibc")):
        if time.monotonic() > deadline:
            running.kill()
            return "the suite did not begin"
        time.sleep(0.05)
    time.sleep(0.5)  # the preloaded run is now in its endless call
    running.terminate()
    code = running.wait(30)
    left = processes.end_orphans()  # the suite's children would have become ours
    return "" if code == 143 and not left else f"exit status {code}, left running: {left}"


def nothing_is_left_behind(folder):
    """Folders of a suite are made in TMPDIR, which is this test's own folder."""
    del folder
    left = list(Path(tempfile.gettempdir()).glob("spanguard-integration-*"))
    return f"left behind: {left}" if left else ""


CHECKS = {
    "a faithful allocator passes": faithful_passes,
    "a report with abort is a failure": refused("STOPS", "the allocator reported: spanguard[1]"),
    "a report alone is a failure": refused("ONLY_REPORTS", "the allocator reported: spanguard[1]"),
    "another exit status is a failure": refused("ENDS_PROGRAM", "exit status 3"),
    "text added to the output is a failure": talker_refused,
    "a byte lost by realloc is a failure": refused("LOSES_BYTE", ""),
    "the same is seen among threads": refused("LOSES_BYTE", "a block has changed", "short-threads"),
    "a program that hangs is ended and a failure": refused("NEVER_RETURNS", "timed out", limit=5),
    "a process left running is a failure": refused("LEAVES_PROCESS", "left running: perl"),
    "a lock held across fork is a failure": refused("LOCKS_FORK", "timed out", "fork-storm", 8),
    "a library without malloc is a failure": bystander_refused,
    "a static program is a failure": static_program_refused,
    "a server that stops uncleanly is a failure": unclean_server_refused,
    "a worker without the preload is a failure": unprotected_worker_refused,
    "a case that fails under glibc is a failure": failing_reference_refused,
    "a case that records nothing is a failure": silent_case_refused,
    "a case that raises is a failure": broken_case_refused,
    "a program that is not installed is a skip": absent_program_skips,
    "bad arguments end with status 2": bad_arguments_refused,
    "--list and --help answer": list_and_help_answer,
    "--env reaches preloaded runs only": environment_reaches_preload,
    "a suite that is stopped cleans up": stopped_suite_cleans_up,
    "nothing is left behind": nothing_is_left_behind,
}


def perform(check, folder):
    try:
        return check(folder)
    except (OSError, subprocess.SubprocessError) as error:
        return str(error)


def main():
    processes.become_subreaper()
    tap.plan(len(CHECKS))
    failed = 0
    with tempfile.TemporaryDirectory(prefix="spanguard-selftest-") as place:
        tempfile.tempdir = place
        run.os.environ["TMPDIR"] = place
        for number, (name, check) in enumerate(CHECKS.items(), 1):
            complaint = perform(check, Path(place))
            tap.result(number, name, not complaint)
            tap.note(complaint)
            failed += bool(complaint)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
