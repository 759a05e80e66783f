"""A Java program, compiled and run by one command: the JVM and the compiler in it are C++."""

from harness.case import Case

# Without UsePerfData the JVM does not write to the system's temporary folder.
FLAGS = ["-XX:-UsePerfData", "-Xmx256m", "-XX:ActiveProcessorCount=2"]


def run_java(session):
    finished = session.run(["java", *FLAGS, session.copy_input("java/Workload.java")])
    session.require("end of workload" in finished.stdout, "the program did not reach its end")


CASES = [
    Case("java", "threads, collections, direct buffers, deflate, files; compiled from source",
         run_java, ("java", "javac")),
]
