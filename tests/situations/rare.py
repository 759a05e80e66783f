"""Mistakes that are rarely made, options and files that are rarely set."""
import os
import pty
import signal

from bench import differs

ABORTED = -signal.SIGABRT

# body, options, status, codes of the report file, what the program said
ROWS = (
    ("typed_and_deleted", "", ABORTED, ["P401"], "on\n"),
    ("typed_and_written", "", ABORTED, ["P101"], "zero\n"),
    ("of_another_alignment", "", ABORTED, ["P403"], ""),
    ("aligned_and_freed", "", 0, [], "on\n"),
    ("write_behind_freed", "", ABORTED, ["P202"], "on\n"),
    ("write_before_freed", "", ABORTED, ["P202"], "on\n"),
    ("write_in_freed", "", ABORTED, ["P202"], "on\n"),
    ("write_in_freed", "free_fill=256", 0, [], "on\n"),
    ("write_behind_freed", "free_fill=256", ABORTED, ["P202"], "on\n"),
    ("empty_twice", "", ABORTED, ["P203"], ""),
    ("empty_twice", "profile=guard", ABORTED, ["P203"], ""),
    ("empty_and_aligned", "profile=guard", 0, [], "on\n"),
    ("empty_and_aligned", "profile=guard:guard_side=below", 0, [], "on\n"),
    ("aligned_and_written", "profile=guard:guard_exact=1", ABORTED, ["P102"], ""),
    ("reallocate_freed", "on_report=continue", 0, ["P203"], "nothing\n"),
    ("reallocate_too_much", "", 0, [], "kept\n"),
    ("reallocate_too_much", "profile=guard", 0, [], "kept\n"),
    ("free_what_another_owns", "quarantine=0", ABORTED, ["P204"], ""),
    ("free_a_number", "", ABORTED, ["P302"], ""),
    ("free_beyond_the_heap", "", ABORTED, ["P302"], ""),
    ("free_the_stack_of_another", "", ABORTED, ["P302"], ""),
    ("fault_in_its_own_block", "", -signal.SIGSEGV, [], ""),
    ("read_through_freed_memory", "", ABORTED, ["P205"], ""),
    ("read_through_freed_memory", "free_fill=0", -signal.SIGSEGV, [], ""),
    ("read_through_freed_memory", "free_fill=256", -signal.SIGSEGV, [], ""),
    ("free_what_was_freed_memory", "", ABORTED, ["P205"], ""),
    ("ask_for_room", "", 0, [], "100 1 0 0 0 1\n"),
    ("ask_for_sizes", "on_report=continue", 0, ["P203"], "100\nnone\n"),
)


def check_rows(bench):
    for body, options, status, codes, stdout in ROWS:
        said = bench.run(body, options)
        bench.expect(f"{body} with {options or 'no option'}", said, [
            differs("status", said.outcome.status, status), differs("codes", said.codes, codes),
            differs("stdout", said.outcome.stdout, stdout)])


def check_inside(bench):
    said = bench.run("report_in_a_report", "on_report=continue")
    told = [code for code in ("P203", "P401", "P101")
            if f"{code}: found while another report is written: " in said.outcome.stderr]
    whole = [code for code in ("P203", "P401", "P101") if code in said.cores[1:]]
    bench.expect("mistakes while a report is written are told, in a line or a report", said, [
        differs("status", said.outcome.status, 0), differs("stdout", said.outcome.stdout, "handled\n"),
        differs("all", sorted(told + whole), ["P101", "P203", "P401"]),
        differs("the first report", said.codes[:1], ["P203"])])
    said = bench.run("report_in_a_report")
    bench.expect("and end the program as any report does", said, [
        differs("status", said.outcome.status, ABORTED)])


def check_places(bench):
    cases = {"free_a_number": "a number that is no address",
             "free_the_stack_of_another": "in the stack of another thread",
             "free_what_another_owns": "  owner    100 bytes"}
    for body, text in cases.items():
        said = bench.run(body, "quarantine=0")
        bench.expect(f"{body} is said to be that", said,
                     [text not in said.outcome.stderr and f"lacks {text!r}"])


def suppressed(bench, path):
    return bench.run("lose", "leaks=1", SPANGUARD_SUPPRESSIONS=str(path))


def check_suppressions(bench):
    path = bench.shop.folder / "suppressions"
    cases = {"its function": ("# known\nleak:^lose_here$\n", []), "its file": ("leak:rare.c", []),
             "its module": ("leak:situations$", []), "another": ("leak:lose_there\n", ["P501"]),
             "nothing": ("", ["P501"]), "another library": ("leak:libother.so\n", ["P501"])}
    for what, (text, codes) in cases.items():
        path.write_text(text)
        said = suppressed(bench, path)
        bench.expect(f"a file of suppressions that names {what}", said, [
            differs("codes", said.codes, codes),
            differs("status", said.outcome.status, ABORTED if codes else 0)])
    bad_ones = {"is not there": "/nonexistent/file", "is a folder": bench.shop.folder}
    for what, bad in bad_ones.items():
        said = suppressed(bench, bad)
        bench.expect(f"a file of suppressions that {what} is named, and silences nothing", said, [
            differs("codes", said.codes, ["P501"]),
            f"SPANGUARD_SUPPRESSIONS cannot be read: {bad}" not in said.outcome.stderr
            and "it is not named"])
    said = bench.run("lose", "leaks=1", SPANGUARD_SUPPRESSIONS="")
    bench.expect("no name for it is no file", said, [
        differs("codes", said.codes, ["P501"]),
        "SUPPRESSIONS cannot" in said.outcome.stderr and "it is complained of"])


def check_report_file(bench):
    for what, path in {"an empty name": "", "a name that is too long": "/" + "x" * 5000}.items():
        said = bench.run("empty_twice", SPANGUARD_REPORT_FILE=path)
        bench.expect(f"a report file with {what} is none", said, [
            differs("status", said.outcome.status, ABORTED),
            differs("first lines", said.cores, ["P203"]), said.records and "a record"])


def on_terminal(bench, options, **variables):
    ours, theirs = pty.openpty()
    pid = os.fork()
    if pid == 0:
        os.dup2(theirs, 2)
        environment = {"LD_PRELOAD": str(bench.library), "SPANGUARD_OPTIONS": options, **variables}
        os.execve(bench.program, [str(bench.program), "empty_twice"], environment)
    os.close(theirs)
    said = b""
    try:
        while True:
            said += os.read(ours, 65536)
    except OSError:  # the other end is closed
        pass
    os.waitpid(pid, 0)
    os.close(ours)
    return said.decode(errors="replace")


def check_colours(bench):
    cases = {"has colours": ("", {}, True), "has none with NO_COLOR": ("", {"NO_COLOR": "1"}, False),
             "has none in a report to a descriptor": ("report=fd:2", {}, False)}
    for what, (options, variables, has) in cases.items():
        said = on_terminal(bench, options, **variables)
        is_right = ("\x1b[" in said) == has and "P203" in said
        bench.report.result(f"a terminal {what}", is_right, [] if is_right else [repr(said)])


CHECKS = {"rare": check_rows, "rare inside": check_inside, "rare places": check_places, "suppressions": check_suppressions,
          "report file": check_report_file, "colours": check_colours}
