"""A repository made, merged, packed, cloned and checked by one script with fixed dates."""

from harness.case import Case

FIXED_IDENTITY = {
    "GIT_AUTHOR_NAME": "Author", "GIT_AUTHOR_EMAIL": "author@example.invalid",
    "GIT_COMMITTER_NAME": "Committer", "GIT_COMMITTER_EMAIL": "committer@example.invalid",
    "GIT_AUTHOR_DATE": "2001-02-03T04:05:06Z", "GIT_COMMITTER_DATE": "2001-02-03T04:05:06Z",
    "GIT_CONFIG_NOSYSTEM": "1",
}


def run_git(session):
    session.environment |= FIXED_IDENTITY
    finished = session.run(["sh", session.copy_input("git/workload.sh")])
    session.require("end of workload" in finished.stdout, "the git script did not reach its end")
    session.witness.check_program("git")


CASES = [
    Case("git", "commit, merge, gc, clone, fsck, log, blame", run_git, ("git", "mawk")),
]
