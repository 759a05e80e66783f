"""What happens during a check or a report is not taken for a mistake, and does not cut it short."""
import signal

from bench import differs

# body, options, status, codes of the report file, what the program said
ROWS = (
    ("free_while_a_check_reports", "on_report=continue", 0, ["P101"], "on\n"),
    ("ask_for_the_size_while_another_reports", "on_report=continue", 0, ["P101"], "on\n"),
    ("free_in_children_forked_while_sizes_are_asked", "", 0, [], "on\n"),
    ("check_after_many_were_left", "on_report=exit", 86, ["P101"], ""),
    ("free_what_a_report_was_left_with", "check_at_exit=0", -signal.SIGABRT, ["P101", "P101"], ""),
    ("free_in_children_forked_during_checks", "", 0, [], "on\n"),
    ("allocate_in_children_of_raw_forks", "", 0, [], "on\n"),
    ("allocate_in_children_of_raw_forks", "profile=guard", 0, [], "on\n"),
    ("signals_during_a_report", "on_report=exit:leak_signal=12", 86, ["P101"], ""),
    ("signals_during_a_report", "on_report=exit:check_signal=12", 86, ["P101"], ""),
)


def check_rows(bench):
    for body, options, status, codes, stdout in ROWS:
        said = bench.run(body, options)
        bench.expect(f"{body.replace('_', ' ')} with {options or 'no option'}", said, [
            differs("status", said.outcome.status, status), differs("codes", said.codes, codes),
            differs("stdout", said.outcome.stdout, stdout)])


def check_moved(bench):
    said = bench.run("write_where_realloc_moved_away_from_long_ago")
    record = said.records[0] if said.records else {}
    bench.expect("a later block with the record of the one that realloc made is not taken for it",
                 said, [differs("codes", said.codes, ["P702"]),
                        differs("moved_bytes", record.get("moved_bytes"), None),
                        "realloc of 24 bytes by" not in said.outcome.stderr and "no such text"])


CHECKS = {"meanwhile": check_rows, "moved": check_moved}
