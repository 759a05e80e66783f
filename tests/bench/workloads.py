"""The programs that programs.py measures: the cases of tests/integration, and a fixed amount of
the same work where a case works for a fixed time or for too long."""

import os
import shutil
import signal
import socket
from dataclasses import dataclass, replace
from functools import partial

import metered  # noqa: F401  (finds the packages below)
from cases import CASES, compilers, databases, debian, network, stress
from harness.case import Case

HERE = os.path.dirname(os.path.abspath(__file__))

# The real programs that allocators are usually compared by.
ELEVEN = ("sqlite3", "redis", "g++", "clang++", "python-json", "git", "perl", "node", "nginx",
          "postgresql", "java")
# Threads that work until the forks are done: their time is the machine's, not the allocator's.
UNFIXED = ("fork-storm", "fork-storm-thread", "fork-storm-memory")

CONNECTIONS, REQUESTS = 120, 50
# Modules of python's own tests that start nothing, wait for nothing and use no chance.
PYTHON_MODULES = "test_json test_dict test_list test_set test_re test_struct test_collections"
UNITTEST = ["/usr/bin/python3", "-m", "unittest", "-q"]


@dataclass(frozen=True)
class Workload:
    case: Case
    eleven: bool
    counted: bool  # in the mean over all

    @property
    def name(self):
        return self.case.name


def run_json(session):
    session.environment |= {"PYTHONMALLOC": "malloc", "PYTHONHASHSEED": "0"}
    shutil.copyfile(os.path.join(HERE, "inputs", "json_work.py"), session.folder / "json_work.py")
    finished = session.run(["/usr/bin/python3", "json_work.py"])
    session.require("end of workload" in finished.stdout, "the script did not reach its end")


def run_python_tests(session):
    session.environment |= {"PYTHONMALLOC": "malloc", "PYTHONHASHSEED": "0",
                            "PYTHONDONTWRITEBYTECODE": "1"}
    modules = [f"test.{name}" for name in PYTHON_MODULES.split()]
    finished = session.run([*UNITTEST, *modules], clean=lambda text: "")
    session.require("\nOK" in finished.stderr, f"the tests failed: {finished.stderr[-500:]}")


def compile_once(compiler, session):
    source = session.copy_input("cpp/templates.cpp")
    session.run([compiler, "-std=c++17", "-O0", "-pthread", "-c", source, "-o", "templates.o"])
    compilers.digest(session, "templates.o")


def run_redis(session):
    """Without threads that spin for work: what they burn depends on the clock."""
    text = databases.REDIS_CONFIGURATION.format(folder=session.folder)
    (session.folder / "redis.conf").write_text(text.replace("io-threads 2\n", ""))
    socket_path = session.folder / "redis.sock"
    (session.folder / "commands.txt").write_text("\n".join(databases.redis_commands()) + "\n")
    client = ["redis-cli", "-s", str(socket_path)]
    with session.server(["redis-server", "redis.conf"], socket_path.exists):
        databases.load_redis(session, socket_path, client)
        databases.fill_redis(session, client)


def run_nginx(session):
    """A fixed number of requests from this process, whose own time is not counted."""
    port = network.free_port()
    network.write_site(session, port)
    command = ["nginx", "-e", str(session.folder / "error.log"), "-p", str(session.folder),
               "-c", str(session.folder / "nginx.conf")]
    with session.server(command, partial(network.answers, port)) as server:
        server.stop_signal = signal.SIGQUIT
        for path in ("small", "medium", "proxied/page"):
            for _ in range(CONNECTIONS):
                answers = ask(port, path)
                session.require(answers == REQUESTS, f"{path}: {answers} answers of {REQUESTS}")
        session.note("every request was answered")
    network.refuse_alerts(session)


def ask(port, path):
    """One connection, all its requests sent at once; how many were answered well."""
    common = f"GET /{path} HTTP/1.1\r\nHost: here\r\nAccept-Encoding: gzip\r\n"
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall((f"{common}\r\n" * (REQUESTS - 1) +
                            f"{common}Connection: close\r\n\r\n").encode())
        received = bytearray()
        while block := connection.recv(1 << 18):
            received += block
    return received.count(b"HTTP/1.1 200 OK")


def run_cmake(session):
    source = session.copy_input("cmake/project")
    session.run(["cmake", "-G", "Ninja", "-S", source, "-B", "made"], clean=lambda text: "")
    session.run(["ninja", "-C", "made", "-j", "2"], clean=lambda text: "")
    session.require((session.folder / "made" / "whole").exists(), "nothing was linked")


def run_stress(session):
    """A third of the case's operations."""
    finished = session.run(
        ["stress-ng", "--malloc", "2", "--malloc-ops", str(stress.OPERATIONS // 3), "--verify",
         "--malloc-bytes", "4M", "--malloc-max", "2000", "--malloc-pthreads", "3", "--timeout",
         "40", "--temp-path", str(session.folder)], clean=lambda text: "")
    session.require("successful run completed" in finished.stdout + finished.stderr,
                    "stress-ng does not say that it passed")


def run_dpkg(session):
    for _ in range(5):
        debian.run_dpkg(session)


def run_apt_cache(session):
    debian.run_apt_cache(session)
    for _ in range(8):
        session.run(["apt-cache", "rdepends", "--recurse", "--installed", "zlib1g"])
        session.run(["apt-cache", "search", "--names-only", "lib"])


REPLACED = {
    "dpkg": run_dpkg,
    "apt-cache": run_apt_cache,
    "stress-ng": run_stress,
    "cmake-ninja": run_cmake,
    "g++": partial(compile_once, "g++"),
    "clang++": partial(compile_once, "clang++"),
    "redis": run_redis,
    "nginx": run_nginx,
    "python-suite": run_python_tests,
}
ADDED = (
    Case("python-json", "documents parsed, changed, written; PYTHONMALLOC=malloc", run_json,
         ("python3",)),
)


def measured_case(case):
    if case.name not in REPLACED:
        return case
    programs = tuple(name for name in case.programs if name != "wrk")
    return replace(case, run=REPLACED[case.name], programs=programs)


WORKLOADS = tuple(Workload(measured_case(case), case.name in ELEVEN, case.name not in UNFIXED)
                  for case in (*CASES, *ADDED))
