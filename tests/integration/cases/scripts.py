"""Interpreters and text tools, each driven by one script of inputs/."""

from harness.case import Case


def run_perl(session):
    finished = session.run(["perl", session.copy_input("perl/workload.pl")])
    session.require("end of workload" in finished.stdout, "the perl script did not reach its end")


def run_bash(session):
    finished = session.run(["bash", session.copy_input("bash/workload.sh")])
    session.require("end of workload" in finished.stdout, "the bash script did not reach its end")
    session.witness.check_program("bash")


def run_tools(session):
    session.copy_input("tools/make_tree.awk")
    finished = session.run(["sh", session.copy_input("tools/workload.sh")])
    session.require("end of workload" in finished.stdout, "the shell script did not reach its end")
    for program in ("tar", "gzip", "xz", "sort", "grep", "find"):
        session.witness.check_program(program)


CASES = [
    Case("perl", "hashes, regular expressions, sort, sprintf, closures", run_perl, ("perl",)),
    Case("bash", "arrays, strings, subshells, pipes, here-documents", run_bash, ("bash",)),
    Case("text-tools", "tar, gzip, xz, sort, grep, find, diff on a generated tree", run_tools,
         ("tar", "gzip", "xz", "sort", "grep", "find", "mawk", "diff")),
]
