"""Parts of python's own test suite, every object from malloc; compared test by test."""

import xml.etree.ElementTree

from harness.case import Case

# The system's own interpreter: another python in PATH would be another allocator's client.
PYTHON = "/usr/bin/python3"
# The slow ones first: three jobs at a time then end together.
MODULES = (
    "test_subprocess test_weakref test_threading test_pickle test_unicode test_fork1 test_ast "
    "test_itertools test_gc test_array test_bytes test_collections test_ctypes test_decimal "
    "test_deque test_dict test_heapq test_json test_list test_memoryview test_re test_set "
    "test_struct test_thread test_xml_etree_c test_zlib"
).split()
# These make millions of blocks that live shortly: minutes each where a block costs microseconds.
HEAVY = "test_weakref test_pickle test_ast test_itertools test_gc test_decimal test_set".split()
HEAVY_MOST = 8  # the slowness with which they are still run
# These repeat all of test_subprocess with another way of waiting, for eight seconds.
IGNORED = "*ProcessTestCaseNoPoll*"
FEWEST_TESTS = 5000
FEWEST_LIGHT_TESTS = 2500


def outcomes(path):
    """One line per test: its name, and what became of it."""
    for test in xml.etree.ElementTree.parse(path).iter("testcase"):
        marks = sorted(child.tag for child in test if child.tag not in ("system-out", "system-err"))
        yield f"{test.get('name')} {test.get('result')} {' '.join(marks)}"


def only_result(text):
    """The rest of the summary is durations, the order of two jobs, and their process ids."""
    return "\n".join(line for line in text.splitlines() if line.startswith("Tests result"))


def run_suite(session):
    is_slow = session.allocator.slowness > HEAVY_MOST
    modules = [name for name in MODULES if not is_slow or name not in HEAVY]
    session.environment |= {"PYTHONMALLOC": "malloc", "PYTHONHASHSEED": "0",
                            "PYTHONDONTWRITEBYTECODE": "1"}
    finished = session.run([PYTHON, "-m", "test", "-j", "3", "-i", IGNORED, "--junit-xml",
                            "tests.xml", "--tempdir", str(session.folder), *modules],
                           clean=only_result)
    session.require("Tests result: SUCCESS" in finished.stdout, "the suite did not succeed")
    tests = sorted(outcomes(session.folder / "tests.xml"))
    fewest = FEWEST_LIGHT_TESTS if is_slow else FEWEST_TESTS
    session.require(len(tests) >= fewest, f"only {len(tests)} tests were run")
    session.note("\n".join(tests))


def run_script(session):
    session.environment |= {"PYTHONMALLOC": "malloc", "PYTHONHASHSEED": "0"}
    finished = session.run([PYTHON, session.copy_input("python/workload.py")])
    session.require("end of workload" in finished.stdout, "the script did not reach its end")


CASES = [
    Case("python", "sqlite3 module, threads, processes, ctypes, numbers; PYTHONMALLOC=malloc",
         run_script, (PYTHON,)),
    Case("python-suite", f"{len(MODULES)} modules of python's own tests; PYTHONMALLOC=malloc",
         run_suite, (PYTHON,), ("/usr/lib/python3*/test/test_dict.py",), limit_seconds=150),
]
