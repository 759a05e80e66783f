"""A report of a program with more rights than its caller, who reads what it says."""
import os
import re
import shutil
import signal

NOBODY = 65534
SECRET = "open sesame"
SECONDS = 20


def linked_program(bench):
    """Names a copy of the library as needed: LD_PRELOAD would be ignored."""
    folder = bench.shop.folder / "set-uid"
    folder.mkdir()
    library = folder / bench.library.name
    shutil.copy(bench.library, library)
    library.chmod(0o755)
    for path in (bench.shop.folder, folder):
        path.chmod(0o755)
    return bench.compile("set-uid/holder", "-Wl,--no-as-needed", str(library),
                         f"-Wl,-rpath,{folder}")


def run_as_nobody(bench, program, mode, body="with_a_secret"):
    program.chmod(mode)
    return bench.shop.run([program, body], {"NO_COLOR": "1"}, SECONDS, preload=None,
                          user=NOBODY, group=NOBODY, extra_groups=[])


def is_whole(outcome):
    return (outcome.status == -signal.SIGABRT and outcome.stdout == ""
            and "\nspanguard: heap overflow: 1 byte written" in "\n" + outcome.stderr)


def check_secret(bench):
    name = "a set-uid program shows its caller no byte of its heap, and says so"
    if os.geteuid() != 0:
        return bench.report.skip(name, "only root can make a set-uid program of another user")
    if os.statvfs(bench.shop.folder).f_flag & os.ST_NOSUID:
        return bench.report.skip(name, "set-uid has no effect in this file system")
    program = linked_program(bench)
    plain = run_as_nobody(bench, program, 0o755)
    shown = is_whole(plain) and SECRET in plain.stderr
    bench.report.result("the same program without set-uid shows them", shown,
                        [] if shown else plain.notes())
    outcome = run_as_nobody(bench, program, 0o4755)
    held = (is_whole(outcome) and SECRET not in outcome.stderr
            and "\n  memory   not shown: set-uid program\n" in outcome.stderr
            and str(bench.shop.folder) not in outcome.stderr and "61 6d 65" not in outcome.stderr)
    bench.report.result(name, held, [] if held else outcome.notes())
    outcome = run_as_nobody(bench, program, 0o4755, "after_the_first_thread_ended")
    held = ("\n  address  not shown\n" in outcome.stderr
            and not re.search("0x[0-9a-f]{9}", outcome.stderr))
    return bench.report.result("nor where anything lies", held, [] if held else outcome.notes())


CHECKS = {"secure": check_secret}
