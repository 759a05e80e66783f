"""C and C++ system tools that read the package database and change nothing."""

from harness.case import Case

# apt-cache keeps its cache beside the system's; here it must stay in the run's own folder.
APT_CONFIGURATION = """\
Dir::Cache "{folder}/cache";
Dir::State::lists "{folder}/lists";
Dir::State::status "/var/lib/dpkg/status";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "/dev/null";
"""


def run_dpkg(session):
    listed = session.run(["dpkg", "-l"])
    session.require(listed.stdout.count("\nii ") > 50, "dpkg -l lists too few packages")
    session.run(["dpkg-query", "-W", "-f", "${Package} ${Version} ${Depends} ${Conffiles}\n"])
    session.run(["dpkg", "-S", "/bin/sh", "/usr/bin/env"])
    session.witness.check_program("dpkg-query")


def run_apt_cache(session):
    (session.folder / "cache").mkdir()
    (session.folder / "lists" / "partial").mkdir(parents=True)
    configuration = session.folder / "apt.conf"
    configuration.write_text(APT_CONFIGURATION.format(folder=session.folder))
    session.environment["APT_CONFIG"] = str(configuration)
    shown = session.run(["apt-cache", "show", "dpkg", "bash", "libc6"])
    session.require(shown.stdout.count("Package: ") >= 3, "apt-cache does not show the packages")
    session.run(["apt-cache", "rdepends", "--recurse", "--installed", "zlib1g"])
    session.run(["apt-cache", "search", "--names-only", "lib"])
    session.run(["apt-cache", "stats"])


CASES = [
    Case("dpkg", "dpkg -l, -S, dpkg-query on the installed packages", run_dpkg,
         ("dpkg", "dpkg-query")),
    Case("apt-cache", "C++: show, search, rdepends over the installed packages", run_apt_cache,
         ("apt-cache",)),
]
