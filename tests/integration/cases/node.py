"""A node script: JSON, Buffers, zlib and crypto on the C++ heap, and worker threads."""

from harness.case import Case


def run_node(session):
    finished = session.run(["node", session.copy_input("node/workload.js")])
    session.require("end of workload" in finished.stdout, "the script did not reach its end")


CASES = [
    Case("node", "JSON, Buffers, streams, zlib, crypto, four worker threads", run_node, ("node",)),
]
