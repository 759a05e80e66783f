"""How the helper is started, waited for and ended, and that the program never notices."""
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import time

from workbench import FOLDER, is_alive

UNNOTICED = "signalled=0 descriptors=0 mask=0 child=-1"
SLEEPER = 'echo $$ > "${0%/*}/sleeper"; exec /bin/sleep 60'
REPORT_MS = 300


def sleeper(bench):
    """The process of the last helper that would sleep, or None if it never began."""
    path = bench.folder / "sleeper"
    return int(path.read_text(encoding="utf-8")) if path.exists() else None


def ends_soon(process, seconds=3):
    """A killed orphan is gone as soon as its new parent looks."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        state = pathlib.Path(f"/proc/{process}/stat")
        if not is_alive(process) or ") Z " in state.read_text(encoding="utf-8"):
            return True
        time.sleep(0.02)
    return False


def is_unnoticed(answer, found):
    return (answer.outcome.passed() and answer.outcome.stderr == ""
            and answer.outcome.stdout.splitlines() == [f"found={found:d} errno=77", UNNOTICED])


def check_unnoticed(report, bench):
    target = bench.target()
    for title, found, *words in (
            ("with a handler of SIGCHLD", True, "handler"),
            ("with SIGCHLD ignored", True, "ignored"),
            ("that may start no process", False, "processes"),
            ("that may open no descriptor", False, "descriptors"),
            ("that is forbidden to clone", False, "refused", "clone"),
            ("that is forbidden to execute", False, "refused", "execute"),
            ("that is forbidden to make a pipe", False, "refused", "pipes"),
            ("that is forbidden to kill and to limit", True, "refused", "ends")):
        answer = bench.ask(target, *words)
        report.result(f"a program {title} notices nothing", is_unnoticed(answer, found),
                      answer.notes())


def check_company(report, bench):
    target = bench.target()
    for title, expected, *words in (
            ("while another thread waits for any child", ["found=1 errno=77"] * 5, "waiter"),
            ("with no standard descriptors", ["found=1"], "closed"),
            ("while others hold its pipes", ["found=1 late=0"], "forked")):
        answer = bench.ask(target, *words, timeout=30)
        report.result(f"symbols are found {title}",
                      answer.outcome.passed() and answer.outcome.stdout.splitlines() == expected,
                      answer.notes())


def milliseconds_of(answer):
    """The mean of `times`; a large number if anything went wrong."""
    words = answer.outcome.stdout.replace("=", " ").split()
    return int(words[3]) if words[:2] == ["found", "1"] else 10**6


def best_of(bench, tries, *words):
    """The shortest time, of as many tries as a busy machine needs."""
    best = 10**6
    for _ in range(tries):
        best = min(best, milliseconds_of(bench.ask(bench.target(), *words)))
        if best < REPORT_MS:
            break
    return best


def check_speed(report, bench):
    for title, *words in (("a report has its symbols", "times", 1),
                          ("so it has with 256 MiB of memory in use", "large")):
        best = best_of(bench, 20, *words)
        report.result(f"{title} within {REPORT_MS} ms", best < REPORT_MS, [f"{best} ms"])


def check_hanging(report, bench):
    target = bench.target()
    bench.use_script(SLEEPER)
    answer = bench.ask(target, environment={"PROBE_MS": "400"})
    process = sleeper(bench)
    report.result("a helper that hangs is killed in time, and gone",
                  not answer.found and 300 <= answer.milliseconds < 1500 and process is not None
                  and not is_alive(process), answer.notes())
    report.result("the frames are as they were",
                  len(answer.frames) >= 1 and answer.frames[0].function == "-"
                  and answer.frames[0].module == str(target), answer.notes())
    answer = bench.ask(target, "handler", timeout=20)
    report.result("a program with a helper that hangs notices nothing",
                  is_unnoticed(answer, False), answer.notes())


def check_orphan(report, bench):
    """The program is killed while it waits."""
    bench.use_script(SLEEPER)
    (bench.folder / "sleeper").unlink(missing_ok=True)
    with subprocess.Popen([bench.target()], stdout=subprocess.DEVNULL,
                          env={"PROBE_MS": "60000"}) as program:
        end = time.monotonic() + 10
        while time.monotonic() < end and not (bench.folder / "sleeper").exists():
            time.sleep(0.02)
        time.sleep(0.2)
        process = sleeper(bench)
        was_alive = process is not None and is_alive(process)
        os.kill(program.pid, signal.SIGKILL)
        program.wait(10)
    report.result("with the program goes its helper", was_alive and ends_soon(process), [process])


REPLIES = (
    ("noise", "head -c 100000 /dev/urandom", False),
    ("no end of lines", "exec /bin/yes", False),
    ("no end of frames", "while :; do echo 'frame\t1\t1\tf\tf\ts'; done", False),
    ("one line without end", "head -c 2000000 /dev/zero", False),
    ("nothing", "exit 0", False),
    ("its own death", "kill -SEGV $$", False),
    ("too many fields", "printf 'frame\\t1\\t1\\ta\\tb\\tc\\td\\n.\\nend\\n'", False),
    ("an answer to another question", "printf 'name\\tx\\n.\\nend\\n'", False),
    ("an answer that is cut off", "printf 'frame\\t1\\t1\\ta\\tb'", False),
    ("an answer and no end", "printf 'frame\\t1\\t1\\tf\\tb\\tc\\n.\\n'; exec /bin/sleep 60", True),
)


def check_replies(report, bench):
    for title, script, found in REPLIES:
        bench.use_script(f"PATH=/usr/bin:/bin\n{script}")
        answer = bench.ask(bench.target(), environment={"PROBE_MS": "700"})
        expected = "f" if found else "-"
        report.result(f"a helper that answers {title} does no harm",
                      answer.outcome.passed() and answer.found == found
                      and answer.functions()[:1] == [expected]
                      and answer.milliseconds < 3000, answer.notes())


def check_end(report, bench):
    bench.use_script("printf 'frame\\t1\\t1\\tf\\tb\\tc\\n.\\nend\\n'; exec /bin/sleep 60")
    answer = bench.ask(bench.target())
    report.result("a helper that has said its last word is not waited for",
                  answer.found and answer.milliseconds < 2500, answer.notes())


def check_request(report, bench):
    bench.use_script('while read -r line; do echo "$line"; [ "$line" != end ] || exit; done'
                     ' >"${0%/*}/request"')
    answer = bench.ask(bench.target(), "many")
    lines = (bench.folder / "request").read_text(encoding="utf-8").splitlines()
    places = {(frame.module, frame.build_id, frame.offset) for frame in answer.frames}
    modules = list(dict.fromkeys((frame.build_id, frame.module) for frame in answer.frames))
    expected = [f"module {build_id} {path}" for build_id, path in modules]
    expected += [f"code {modules.index((build_id, path))} {int(offset, 16):016x}"
                 for path, build_id, offset in sorted(places)]
    report.result("each module is named once, and each place asked for once",
                  sorted(lines) == sorted(expected + ["end"]) and lines[-1] == "end",
                  lines + expected)


def check_hostile(report, bench):
    bench.use_script("printf 'frame\\t4294967296\\t-7\\tev%%1bil%%0a\\342\\200\\256x\\300\\257\\t"
                     "%%zz%%\\tj\\303\\274rg\\302\\205%%25%%09y\\n.\\nend\\n'")
    answer = bench.ask(bench.target())
    first = answer.frames[0]
    report.result("what a terminal would obey does not get through",
                  (first.function, first.file, first.source, first.line, first.column) ==
                  ("ev?il??x??", "%zz%", "j\xfcrg?% y", 0, 0), answer.notes())
    long = "x" * 5000
    bench.use_script(f"printf 'frame\\t1\\t1\\t{long}\\t{long}\\t{long}\\n.\\nend\\n'")
    answer = bench.ask(bench.target())
    report.result("a name without end is cut",
                  answer.found and 100 < len(answer.frames[0].function) < 300, answer.notes())
    bench.use_script("for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do\n"
                     "printf 'frame\\t1\\t1\\tf%s\\tb\\tc\\n' $i; done; printf '.\\nend\\n'")
    answer = bench.ask(bench.target())
    report.result("no more frames are inserted than a stack has room for",
                  answer.functions() == [f"f{i}" for i in range(1, 17)], answer.notes())


def check_absent(report, bench):
    target = bench.target()
    libexec = pathlib.Path(bench.arguments.libexec)
    bench.remove_helper()
    answer = bench.ask(target)
    report.result("without a helper nothing is known, and at once",
                  answer.outcome.passed() and not answer.found and answer.milliseconds < 300
                  and answer.frames[0].function == "-", answer.notes())
    libexec.mkdir(exist_ok=True)
    try:
        shutil.copy(bench.arguments.helper, libexec)
        answer = bench.ask(target)
    finally:
        shutil.rmtree(libexec)
    report.result("the helper is found where it is installed",
                  answer.found and answer.functions()[:1] == ["main"], answer.notes())
    for title, contents in (("is no program", b"\x7fELF nonsense"), ("is empty", b"")):
        bench.helper().write_bytes(contents)
        bench.helper().chmod(0o755)
        answer = bench.ask(target)
        report.result(f"a helper that {title} is none",
                      answer.outcome.passed() and not answer.found, answer.notes())


def allow_cores():
    _soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


def check_state(report, bench):
    """What the helper inherits."""
    spy = bench.folder / "spy"
    bench.tool("cc", "-O1", FOLDER / "spy.c", "-o", spy)
    bench.use_helper(spy)
    answer = bench.ask(bench.target(), "ignored",
                       environment={"SPANGUARD_OPTIONS": "profile=debug", "LANG": "C"},
                       preexec_fn=allow_cores)
    seen = (bench.folder / "spanguard-symbolize.seen").read_text(encoding="utf-8").splitlines()
    report.result("the helper has an empty environment and one word",
                  "words 1" in seen and not any(line.startswith("environ") for line in seen), seen)
    report.result("it has the three standard descriptors, and may not write to the third",
                  sorted(line for line in seen if line.startswith("descr")) ==
                  [f"descriptor {i}" for i in range(3)] and "stderr -1" in seen, seen)
    signals = dict(line.split(":\t") for line in seen if line.startswith("Sig"))
    report.result("no signal is blocked, ignored or handled, and it leaves no core",
                  {int(signals[name], 16) for name in ("SigBlk", "SigIgn", "SigCgt")} == {0}
                  and "core 0" in seen, seen + answer.notes())


def check_secure(report, bench):
    """Started by one user with the rights of another."""
    name = "a program with more rights than its caller starts nothing"
    if os.getuid() != 0:
        report.skip(name, "only root can make such a program")
        return
    bench.use_helper()
    program = shutil.copy(bench.target(), bench.folder / "secure")
    plain = bench.ask(program, user=65534)
    os.chmod(program, 0o4755)
    answer = bench.ask(program, user=65534)
    report.result(name, plain.found and answer.outcome.passed() and not answer.found
                  and answer.frames[0].function == "-", plain.notes() + answer.notes())
    report.result("nor does it tell where its files are",
                  plain.frames[0].module == str(program)
                  and answer.frames[0].module == "secure"
                  and not any("/" in frame.module for frame in answer.frames),
                  plain.notes() + answer.notes())


REQUESTS = (b"", b"end", b"code 0 0\nend\n", b"module -\nend\n", b"\0\0\n", b"what\n",
            b"module - /\ncode 0 zz\nend\n", b"module - x\ncode 99999999999999999999 0\nend\n",
            b"module - x\n" * 100, b"module - x\ncode -1 0\nend\n", b"x" * 100000)
NOTHING = (b"module - /no/such/file\n", b"module - /\n", b"module - /dev/zero\n",
           b"module - /etc/passwd\n", b"module - %\n", b"module ../../x /dev/null\n")


def check_requests(report, bench):
    wrong = [request for request in REQUESTS if bench.converse(request).returncode != 1]
    report.result("the helper gives up at what is no request", not wrong, wrong)
    wrong = [module for module in NOTHING
             if bench.converse(module + b"code 0 10\ndata 0 10\nend\n").stdout
             != b".\n.\nend\n"]
    report.result("the helper says nothing of files that are no modules", not wrong, wrong)
    program = bench.target()
    for cut in range(64, program.stat().st_size, program.stat().st_size // 40):
        (bench.folder / "cut").write_bytes(program.read_bytes()[:cut])
        done = bench.converse(b"module - cut\ncode 0 1200\ndata 0 4000\nend\n")
        if done.returncode != 0:
            wrong.append((cut, done))
    report.result("the helper survives files that are cut off", not wrong, wrong)


CHECKS = (check_unnoticed, check_company, check_speed, check_hanging, check_orphan, check_replies,
          check_end, check_request, check_hostile, check_absent, check_state, check_secure, check_requests)
