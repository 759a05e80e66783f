"""gcc and clang on templates: their output must not depend on where their memory lies."""

import hashlib
from functools import partial

from harness.case import Case


def digest(session, name):
    content = (session.folder / name).read_bytes()
    session.require(len(content) > 50_000, f"{name} is too small to have come from the templates")
    session.note(f"{name} {len(content)} {hashlib.sha256(content).hexdigest()}")


def compile_templates(compiler, parts, session):
    source = session.copy_input("cpp/templates.cpp")
    # One compilation gives the preprocessed source, the assembly and the object.
    session.run([compiler, "-std=c++17", "-Wall", "-Wextra", "-O1", "-g", "-pthread",
                 "-save-temps", "-c", source])
    session.run([compiler, "-pthread", "templates.o", "-o", "program"])
    for name in ("templates.ii", "templates.s", "templates.o"):
        digest(session, name)
    for part in parts:
        session.witness.check_program(part)
    finished = session.run([str(session.folder / "program")])
    session.require("end of workload" in finished.stdout, "the program did not reach its end")


CASES = [
    Case("g++", "templates to object and assembly, byte for byte; then the program",
         partial(compile_templates, "g++", ("cc1plus", "collect2")), ("g++",)),
    Case("clang++", "the same with clang",
         partial(compile_templates, "clang++", ("clang",)), ("clang++",)),
]
