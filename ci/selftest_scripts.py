#!/usr/bin/python3 -B
"""Tries ci/run.sh and ci/test.sh in a small project of their own: statuses, output, refusals.

usage: selftest_scripts.py

The library of that project does nothing. apt-get is played by a script that "installs" by
linking the real tool, so that no package is touched.
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from planting import HERE, write
from tap import Tap

MESON = """\
project('small', 'c')
shared_library('spanguard', 'small.c')
if get_option('tests')
  foreach name : ['good', 'bad', 'skipped']
    test(name, find_program('play.sh'), args: name, protocol: 'tap', suite: name)
  endforeach
endif
"""
LATE_MESON = """\
project('small', 'c')
shared_library('spanguard', 'small.c')
has_late = meson.get_compiler('c').has_header('late.h')
if get_option('tests') and has_late and get_option('buildtype') == 'minsize'
  test('good', find_program('play.sh'), args: 'good', protocol: 'tap', suite: 'late')
endif
"""
PLAY = """\
#!/bin/sh
echo 1..1
case $1 in
good) echo ok 1 - fine ;;
bad) echo not ok 1 - broken; echo "# because" ;;
skipped) echo "ok 1 - absent # SKIP no such thing" ;;
esac
"""
APT = """\
#!/bin/bash
echo "apt says: $*"
cat
case "$*" in
*" update") exit 0 ;;
*install*) for tool in {tools}; do ln -sf "$tool" "{folder}/"; done; exit {status} ;;
esac
"""
BUILD_TOOLS = ["gcc", "meson", "ninja"]
NOBODY = 65534


class Project:
    """A folder with the scripts, a library, and a PATH of its own."""

    def __init__(self, folder, library="int sg_small;\n"):
        self.folder = pathlib.Path(folder)
        self.folder.chmod(0o755)
        self.run_sh = self.folder / "ci" / "run.sh"
        self.test_sh = self.folder / "ci" / "test.sh"
        for name in ("run.sh", "test.sh", "lib.sh", "count_tap.py"):
            (self.folder / "ci").mkdir(exist_ok=True)
            shutil.copy(HERE / name, self.folder / "ci")
        write(self.folder / "ci" / "packages.txt", "bash  # always there\n")
        write(self.folder / "meson.build", MESON)
        write(self.folder / "meson_options.txt", "option('tests', type: 'boolean', value: false)\n")
        write(self.folder / "small.c", library)
        write(self.folder / "play.sh", PLAY)
        (self.folder / "play.sh").chmod(0o755)

    def run(self, *command, **options):
        options = {"stdin": subprocess.DEVNULL, **options}
        if "input" in options:
            del options["stdin"]
        return subprocess.run([str(word) for word in command], capture_output=True, text=True,
                              check=False, cwd=options.pop("cwd", "/"), **options)

    def program(self, name, text, mode=0o755):
        path = self.folder / name
        write(path, text)
        path.chmod(mode)
        return path

    def static_program(self):
        path = self.folder / "static"
        subprocess.run(["cc", "-static", "-x", "c", "-", "-o", path], input="int main() {}",
                       text=True, check=True)
        return path

    def without_tools(self, apt_status):
        """An environment whose PATH lacks the build tools, and whose apt-get is played."""
        path = self.folder / "path"
        path.mkdir()
        for folder in ("/usr/bin", "/bin"):
            for tool in os.listdir(folder):
                if tool not in BUILD_TOOLS + ["apt-get", "sudo"] and not (path / tool).exists():
                    (path / tool).symlink_to(f"{folder}/{tool}")
        tools = " ".join(shutil.which(tool, path="/usr/bin:/bin") for tool in BUILD_TOOLS)
        for name in ("apt-get", "sudo"):
            text = APT.format(tools=tools, folder=path, status=apt_status)
            if name == "sudo":
                text = '#!/bin/bash\nexec "$@"\n'
            self.program(f"path/{name}", text)
        return {"PATH": str(path)}


def expect(result, status, stdout=None, stderr=""):
    if result.returncode != status:
        yield f"status {result.returncode}, not {status}"
    if stdout is not None and result.stdout != stdout:
        yield f"stdout {result.stdout!r}, not {stdout!r}"
    if stderr not in result.stderr:
        yield f"stderr does not say: {stderr}"
    if status != 1 and result_logs(result):
        yield "a log is left behind"


def result_logs(result):
    return [word.rstrip(":.") for word in result.stderr.split() if "spanguard-log" in word]


def remove_logs(result):
    for path in result_logs(result):
        pathlib.Path(path).unlink(missing_ok=True)


def run_sh_trials(project):
    run, sh = project.run, project.run_sh
    yield "usage without a program", expect(run(sh), 2, "", "usage:")
    yield "--help", expect(run(sh, "--help"), 0)
    yield "arguments arrive as they are", expect(
        run(sh, "printf", "[%s]", "a  b", "", "*", "$x"), 0, "[a  b][][*][$x]")
    yield "standard input and the working directory are the program's", expect(
        run(sh, "sh", "-c", "pwd; cat", input="hello", cwd="/usr"), 0, "/usr\nhello")
    yield "the status is the program's", expect(run(sh, "sh", "-c", "exit 42"), 42, "")
    library = project.folder / "build" / "libspanguard.so"
    yield "the library is loaded", expect(
        run(sh, "sh", "-c", f"grep -q {library} /proc/self/maps"), 0, "")
    yield "LD_PRELOAD that is set stays in front", expect(
        run(sh, "sh", "-c", "echo $LD_PRELOAD", env={**os.environ, "LD_PRELOAD": "libm.so.6"}),
        0, f"libm.so.6:{library}\n")
    yield "a script without #! runs under the library", expect(
        run(sh, project.program("plain", "grep -q libspanguard.so /proc/$$/maps\n")), 0, "")
    yield "no descriptor is left open", expect(
        run(sh, "sh", "-c", "test ! -e /proc/self/fd/9 && test ! -e /proc/self/fd/8"), 0, "")


def refusal_trials(project):
    run, sh = project.run, project.run_sh
    static = project.static_program()
    yield "an unknown program", expect(run(sh, "nonsuch"), 127, "", "nonsuch: program not found")
    yield "a program that is not executable", expect(
        run(sh, project.program("data", "x", 0o644)), 126, "", "not an executable file")
    yield "a static program is refused", expect(run(sh, static), 125, "", "statically linked")
    yield "a script for a static interpreter is refused", expect(
        run(sh, project.program("script", f"#!{static} -x\n")), 125, "", "statically linked")
    if os.getuid() != 0:
        yield "a set-uid program is refused", None
        return
    set_uid = project.folder / "set-uid"
    shutil.copy("/bin/true", set_uid)
    set_uid.chmod(0o4755)
    nobody = ["setpriv", "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]
    yield "a set-uid program is refused", expect(run(*nobody, sh, set_uid), 125, "", "is set-uid")
    yield "another user runs a library that is built", expect(
        run(*nobody, sh, "echo", "x"), 0, "x\n", "belongs to another user")


def install_trials(scratch):
    for status, name in ((0, "missing tools are installed, and the program's output is its own"),
                         (100, "an apt that fails is reported with its log")):
        project = Project(tempfile.mkdtemp(dir=scratch))
        result = project.run(project.run_sh, "cat", input="hello",
                             env=project.without_tools(status))
        if status == 0:
            yield name, expect(result, 0, "hello", "installing: gcc meson ninja-build")
        else:
            yield name, expect(result, 1, "", "apt says: -q")
            remove_logs(result)
    project = Project(tempfile.mkdtemp(dir=scratch), library="this is no C\n")
    result = project.run(project.run_sh, "true")
    yield "a build that fails is reported with its log", expect(result, 1, "", "unknown type name")
    remove_logs(result)


def late_trials(scratch):
    """Packages that come after the build was set up, with an option of its own."""
    name = "test.sh asks again for what newly installed packages bring, and keeps options"
    project = Project(tempfile.mkdtemp(dir=scratch))
    write(project.folder / "meson.build", LATE_MESON)
    late = project.folder / "late"
    project.run("meson", "setup", project.folder / "build", project.folder, "-Dbuildtype=minsize",
                f"-Dc_args=-I{late}")
    write(late / "late.h", "")
    write(project.folder / "ci" / "packages.txt", "no-such-package\n")
    result = project.run(project.test_sh, "late", env=project.without_tools(0))
    problems = list(expect(result, 0, stderr="installing: no-such-package"))
    if not result.stdout.endswith("\n1 passed, 0 failed, 0 skipped\n"):
        problems.append(result.stdout)
    yield name, problems


def concurrency_trials(scratch):
    project = Project(tempfile.mkdtemp(dir=scratch))
    runs = [subprocess.Popen([project.run_sh, "sh", "-c", "exit 7"], stderr=subprocess.PIPE)
            for _ in range(3)]
    results = [(run.communicate()[1], run.returncode) for run in runs]
    yield "three first runs at once", [f"{code}: {text}" for text, code in results if code != 7]


def test_sh_trials(project):
    def last_line(*arguments):
        result = project.run(project.test_sh, *arguments)
        lines = result.stdout.splitlines()
        return f"{lines[-1] if lines else ''} ({result.returncode})", result

    for suites, line in ((["good"], "1 passed, 0 failed, 0 skipped (0)"),
                         (["good", "skipped"], "1 passed, 0 failed, 1 skipped (0)"),
                         ([], "1 passed, 1 failed, 1 skipped (1)"),
                         (["good", "nonsuch"], "1 passed, 1 failed, 0 skipped (1)")):
        found, result = last_line(*suites)
        problems = [] if found == line else [found, result.stdout, result.stderr]
        yield f"test.sh {' '.join(suites)}: {line}", problems
    _, result = last_line()
    missing = [text for text in ("absent: no such thing", "stdout | # because", "== build")
               if text not in result.stdout]
    yield "test.sh shows reasons, output of failures, and times", missing
    write(project.folder / "tests" / "lost" / "run.py", "")
    found, result = last_line()
    is_missed = "suite lost: has no test" in result.stdout and " 2 failed" in found
    yield "test.sh misses the suite of a folder of tests/", [] if is_missed else [result.stdout]
    yield "test.sh refuses an unknown option", expect(
        project.run(project.test_sh, "--nonsuch"), 2, "", "usage:")


def main():
    tap = Tap()
    with tempfile.TemporaryDirectory() as scratch:
        os.chmod(scratch, 0o755)
        project = Project(tempfile.mkdtemp(dir=scratch))
        for trials in (run_sh_trials(project), refusal_trials(project), install_trials(scratch),
                       late_trials(scratch), concurrency_trials(scratch), test_sh_trials(project)):
            for name, problems in trials:
                if problems is None:
                    tap.skip(name, "needs root")
                else:
                    tap.check(name, problems)
    return tap.finish()


if __name__ == "__main__":
    sys.exit(main())
