"""A PostgreSQL cluster of its own, on a unix socket only, as a user that is not root."""

import glob
import os
import pwd
import re
import signal

from harness.case import Case

BINARIES = "/usr/lib/postgresql/*/bin"
# mmap: shared memory stays in the run's own folder instead of /dev/shm.
CONFIGURATION = """\
listen_addresses = ''
unix_socket_directories = '{folder}'
dynamic_shared_memory_type = mmap
fsync = off
synchronous_commit = off
full_page_writes = off
shared_buffers = 24MB
work_mem = 1MB
max_connections = 20
max_parallel_workers_per_gather = 2
parallel_setup_cost = 0
parallel_tuple_cost = 0
min_parallel_table_scan_size = 0
autovacuum_naptime = 1
"""
TRANSACTIONS, CLIENTS = 250, 4
PGBENCH = ["-n", "-c", str(CLIENTS), "-j", "2", "-t", str(TRANSACTIONS)]


def newest_binaries():
    return max(glob.glob(BINARIES), key=lambda path: int(path.split("/")[-2]))


def give_up_root(session):
    """The server refuses to run as root."""
    if os.geteuid() != 0:
        return
    names = {entry.pw_name for entry in pwd.getpwall()}
    session.become_user("postgres" if "postgres" in names else "nobody")


def only_counts(text):
    """pgbench prints latencies and rates; what it did is in these lines."""
    return "\n".join(re.findall(r"^number of .*$", text, re.MULTILINE))


def without_durations(text):
    """Filling a table is reported with the seconds it took."""
    return re.sub(r"\(elapsed .*?\)|\d+\.\d+ s", "", text)


def run_postgresql(session):
    programs, folder = newest_binaries(), session.folder
    give_up_root(session)
    session.environment |= {"PGHOST": str(folder), "PGUSER": "tester", "PGDATABASE": "postgres"}
    session.run([f"{programs}/initdb", "-D", "data", "-U", "tester", "-A", "trust", "--no-sync",
                 "--locale=C.UTF-8"])
    with open(folder / "data" / "postgresql.conf", "a", encoding="ascii") as file:
        file.write(CONFIGURATION.format(folder=folder))
    socket = folder / ".s.PGSQL.5432"
    for file in ("balances.sql", "queries.sql"):
        session.copy_input(f"postgresql/{file}")

    def ready():
        status = folder / "data" / "postmaster.pid"
        return socket.exists() and "ready" in status.read_text()

    with session.server([f"{programs}/postgres", "-D", "data"], ready) as server:
        use_server(session, programs)
        server.stop_signal = signal.SIGINT  # "fast": closes what is still connected


def use_server(session, programs):
    session.run([f"{programs}/pgbench", "-i", "-q", "-s", "1"], clean=without_durations)
    for protocol in ("simple", "prepared"):
        finished = session.run([f"{programs}/pgbench", *PGBENCH, "-M", protocol],
                               clean=only_counts)
        wanted = CLIENTS * TRANSACTIONS
        session.require(f"processed: {wanted}/{wanted}" in finished.stdout,
                        "pgbench did not finish every transaction")
    ask = [f"{programs}/psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f"]
    balanced = session.run([*ask, "balances.sql"])
    session.require(f"{CLIENTS * TRANSACTIONS * 2} | t" in balanced.stdout, "balances do not agree")
    finished = session.run([*ask, "queries.sql"])
    session.require("end of workload" in finished.stdout, "the queries did not reach their end")
    session.witness.check_program("psql")


CASES = [
    Case("postgresql", "initdb, pgbench, then parallel, JSON, JIT and hash-join queries",
         run_postgresql, files=(f"{BINARIES}/postgres", f"{BINARIES}/pgbench")),
]
