"""What happens during a check or a report is not taken for a mistake, and does not cut it short."""
from bench import differs

# body, options, status, codes of the report file, what the program said
ROWS = (
    ("free_while_a_check_reports", "on_report=continue", 0, ["P101"], "on\n"),
    ("free_in_children_forked_during_checks", "", 0, [], "on\n"),
)


def check_rows(bench):
    for body, options, status, codes, stdout in ROWS:
        said = bench.run(body, options)
        bench.expect(body.replace("_", " "), said, [
            differs("status", said.outcome.status, status), differs("codes", said.codes, codes),
            differs("stdout", said.outcome.stdout, stdout)])


CHECKS = {"meanwhile": check_rows}
