"""nginx with two workers: load from wrk, then every file fetched and compared, across a reload."""

import gzip
import hashlib
import http.client
import os
import re
import signal
import socket
from functools import partial

from harness import processes
from harness.case import Case
from harness.session import INPUTS

FILES = {"empty": 0, "one": 1, "small": 120, "page": 4096, "medium": 70_000, "large": 1_500_000}
ROUNDS = 30


def content(name):
    """Compressible but not trivial, and known from the name alone."""
    lines, used, number = [], 0, 0
    while used < FILES[name]:
        noise = hashlib.md5(f"{name}{number}".encode()).hexdigest()
        lines.append(f"{name} line {number} {noise}\n")
        used += len(lines[-1])
        number += 1
    return "".join(lines).encode()[:FILES[name]]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def write_site(session, port):
    (session.folder / "www").mkdir()
    for name in FILES:
        (session.folder / "www" / name).write_bytes(content(name))
    # Started as root it lowers its workers to www-data, as a Debian system does.
    user = "user www-data;" if os.geteuid() == 0 else ""
    text = (INPUTS / "nginx" / "nginx.conf").read_text()
    for mark, value in (("USER", user), ("FOLDER", str(session.folder)), ("PORT", str(port))):
        text = text.replace(f"@{mark}@", value)
    (session.folder / "nginx.conf").write_text(text)


def answers(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def run_nginx(session):
    port = free_port()
    write_site(session, port)
    command = ["nginx", "-e", str(session.folder / "error.log"), "-p", str(session.folder),
               "-c", str(session.folder / "nginx.conf")]
    with session.server(command, partial(answers, port)) as server:
        server.stop_signal = signal.SIGQUIT  # lets the workers finish what they serve
        load(session, port)
        fetch_all(session, port)
        reload(server)
        fetch_all(session, port)
    refuse_alerts(session)


def load(session, port):
    for path in ("small", "medium", "proxied/page"):
        url = f"http://127.0.0.1:{port}/{path}"
        finished = session.run(
            ["wrk", "-t", "2", "-c", "16", "-d", "1s", "-H", "Accept-Encoding: gzip", url],
            clean=only_failures)
        served = re.search(r"(\d+) requests in", finished.stdout)
        session.require(served and int(served[1]) > 100, f"hardly served:\n{finished.stdout}")
        session.require(not only_failures(finished.stdout), finished.stdout)


def only_failures(text):
    """All else that wrk prints is a measurement."""
    return "\n".join(re.findall(r"^.*(?:Non-2xx|Socket errors).*$", text, re.MULTILINE))


def fetch_all(session, port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    for number in range(ROUNDS):
        for name in FILES:
            fetch(session, connection, name, number)
    connection.request("GET", "/missing")
    answer = connection.getresponse()
    session.note(f"missing {answer.status} {len(answer.read())}")
    connection.close()


def fetch(session, connection, name, number):
    """Headers of growing length make nginx enlarge its request's buffers."""
    headers = {"X-Padding": "p" * (number * 397)}
    if number % 3 == 0:
        headers["Accept-Encoding"] = "gzip"
    if number % 5 == 1 and FILES[name] > 10:
        headers["Range"] = f"bytes=3-{FILES[name] // 2}"
    path = f"/proxied/{name}" if number % 2 else f"/{name}"
    connection.request("GET", path, headers=headers)
    answer = connection.getresponse()
    body = answer.read()
    if answer.headers["Content-Encoding"] == "gzip":
        body = gzip.decompress(body)
    wanted = content(name)
    if answer.status == 206:
        wanted = wanted[3:FILES[name] // 2 + 1]
    session.require(answer.status in (200, 206), f"{path}: status {answer.status}")
    session.require(body == wanted, f"{path}: the content differs")
    session.note(f"{path} {answer.status} {hashlib.sha256(body).hexdigest()}")


def reload(server):
    """New workers take over; the old ones end on their own."""
    before = set(processes.descendants(server.pid))
    server.process.send_signal(signal.SIGHUP)

    def renewed():
        now = set(processes.descendants(server.pid))
        return len(now) == len(before) and not now & before

    server.wait_until(renewed, "reloaded")
    server.check_preload()


def refuse_alerts(session):
    """A worker that died is restarted; only the log tells."""
    log = (session.folder / "error.log").read_text()
    for line in log.splitlines():
        session.require(not re.search(r"\[(alert|crit|emerg)\]|exited on signal", line), line)
    session.require("exited with code 0" in log, "no worker is known to have ended cleanly")


CASES = [
    Case("nginx", "two workers under wrk, then files, ranges, gzip and a proxy, across a reload",
         run_nginx, ("nginx", "wrk")),
]
