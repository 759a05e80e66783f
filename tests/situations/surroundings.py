"""A report comes, whole, whatever else goes on."""
import os
import signal
import time

from bench import differs

ABORTED = -signal.SIGABRT
RUNS = 5
MILLISECONDS = 300

# body, status, codes of the report file, first lines on stderr, what the program said
ONE = ["P101"]
ROWS = (
    ("in_a_signal_handler", ABORTED, ONE, ONE, ""),
    ("with_the_heap_destroyed", ABORTED, ONE, ONE, ""),
    ("in_a_child_of_a_threaded_program", 0, ONE, ONE, "child ended with 134\n"),
    ("in_a_child_of_vfork", ABORTED, ["P203", "P101"], ["P203", "P101"],
     "child ended with 134\nthe parent goes on\n"),
    ("in_a_thread_with_a_small_stack", ABORTED, ONE, ONE, ""),
    ("with_stderr_closed", ABORTED, ONE, [], ""),
    ("with_all_descriptors_closed", ABORTED, ONE, [], ""),
    ("without_address_space", ABORTED, ONE, ONE, ""),
    ("in_a_destructor", ABORTED, ONE, ONE, ""),
    ("where_no_process_may_be_made", ABORTED, ONE, ONE, ""),
    # the line is out before anything is started
    ("where_making_a_process_kills", -signal.SIGSYS, [], ONE, ""),
)


def problems_of(said, row):
    _body, status, codes, cores, stdout = row
    yield differs("status", said.outcome.status, status)
    yield differs("report file", said.codes, codes)
    yield differs("first lines", said.cores, cores)
    yield differs("stdout", said.outcome.stdout, stdout)


def check_rows(bench):
    for row in ROWS:
        said = bench.run(row[0])
        bench.expect(f"a report {row[0].replace('_', ' ')}", said, problems_of(said, row))
    row = ("on_a_small_signal_stack", ABORTED, ["P102"], ["P102"], "")
    said = bench.run(row[0], "profile=guard")
    bench.expect("a report of a fault on a small signal stack", said, problems_of(said, row))


def check_both_at_once(bench):
    said = bench.run("in_two_threads_at_once", "on_report=continue")
    bench.expect("two threads that report at once, and go on: two whole reports", said, [
        differs("status", said.outcome.status, 0), differs("file", said.codes, ["P101", "P101"]),
        differs("first lines", said.cores, ["P101", "P101"])])
    said = bench.run("in_two_threads_at_once")
    bench.expect("two threads that report at once: at least one whole report, and the end", said, [
        differs("status", said.outcome.status, ABORTED),
        differs("codes", set(said.codes), {"P101"}), said.outcome.stderr.count("\nspanguard: ") + said.outcome.stderr.startswith("spanguard: ")
        < 1 and "no whole text"])


def names_of(record):
    return [frame.get("function") for frame in record.get("at", [])]


def check_busy(bench):
    """The best of some runs: others use the machine too, as much as its load says."""
    best = None
    for _ in range(RUNS):
        said = bench.run("beside_busy_threads")
        took = 1000 * (time.monotonic() - float(said.outcome.stdout or "0"))
        best = took if best is None else min(best, took)
        if said.codes != ["P101"]:
            break
    bound = MILLISECONDS * max(1, os.getloadavg()[0] / os.cpu_count())
    bench.expect("a report beside busy threads, with symbols, in time", said, [
        differs("status", said.outcome.status, ABORTED), differs("codes", said.codes, ["P101"]),
        said.records and "overflow_and_free" not in names_of(said.records[0])
        and f"not named: {names_of(said.records[0])}",
        best > bound and f"{best:.0f} ms, allowed {bound:.0f} ms"])
    print(f"# {best:.0f} ms from the bug to the program's end, at best of {RUNS} runs")


def check_place(bench):
    said = bench.run("after_the_first_thread_ended")
    record = said.records[0] if said.records else {}
    bench.expect("a report after the first thread ended, with place and names", said, [
        differs("codes", said.codes, ["P302"]), differs("place", record.get("place"), "global"),
        differs("program", record.get("program"), "situations"),
        "free_data" not in names_of(record) and f"not named: {names_of(record)}"])
    said = bench.run("with_no_descriptor_left")
    bench.expect("a pointer to a global variable, with no list of mappings", said, [
        differs("first lines", said.cores, ["P302"]),
        "the address of a global variable" not in said.outcome.stderr and "taken for another"])


def check_fifo(bench):
    path = bench.shop.folder / "fifo"
    os.mkfifo(path)
    outcome = bench.shop.run([bench.program, "in_a_destructor"],
                             {"SPANGUARD_REPORT_FILE": str(path), "NO_COLOR": "1"}, 20,
                             preload=bench.library)
    bench.report.result("a report file that nobody reads from stops no report",
                        outcome.status == ABORTED and "\nspanguard: " in outcome.stderr,
                        outcome.notes())


def check_unwritable(bench):
    outcome = bench.shop.run([bench.program, "in_a_destructor"],
                             {"SPANGUARD_REPORT_FILE": str(bench.shop.folder), "NO_COLOR": "1"},
                             20, preload=bench.library)
    bench.report.result("a report file that cannot be written is told",
                        outcome.status == ABORTED and "\nspanguard: " in outcome.stderr
                        and "SPANGUARD_REPORT_FILE cannot be written" in outcome.stderr,
                        outcome.notes())


def check_relative(bench):
    """Programs are started in the workshop's folder."""
    said = bench.run("in_another_folder", SPANGUARD_REPORT_FILE="reports.jsonl")
    bench.expect("a relative report file is in the folder where the program started", said, [
        differs("status", said.outcome.status, ABORTED), differs("codes", said.codes, ["P101"]),
        differs("elsewhere", os.listdir(bench.shop.folder / "elsewhere"), [])])
    longest = "./" * 2040 + "reports.jsonl"
    said = bench.run("in_a_destructor", SPANGUARD_REPORT_FILE=longest)
    bench.expect("a report file whose absolute path is too long is told", said, [
        differs("status", said.outcome.status, ABORTED), differs("codes", said.codes, []),
        "SPANGUARD_REPORT_FILE is not used" not in said.outcome.stderr and "no notice"])


def check_left(bench):
    """Once of the thread that left, then of another one, and of the first again."""
    four = ["P101"] * 4
    said = bench.run("left_by_a_jump")
    bench.expect("a handler of SIGABRT that leaves by a jump: each report comes, whole", said, [
        differs("status", said.outcome.status, 0), differs("codes", said.codes, four),
        differs("first lines", said.cores, four), differs("stdout", said.outcome.stdout, "on\n"),
        "found while another report" in said.outcome.stderr and "a report was in the way"])
    said = bench.run("left_for_checks", "check_signal=10:check_at_exit=0")
    bench.expect("and a signal that asks for a check is obeyed", said, [
        differs("status", said.outcome.status, 0), differs("codes", said.codes, ["P101"] * 2)])


CHECKS = {"busy": check_busy, "rows": check_rows, "together": check_both_at_once,
          "place": check_place, "fifo": check_fifo,
          "unwritable": check_unwritable, "relative": check_relative,
          "left": check_left}
