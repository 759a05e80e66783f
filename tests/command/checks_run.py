"""spanguard run: the program runs under the library as if it ran alone, or does not run."""
import os
import shutil
import signal
import stat
import struct
import subprocess

from harness import NOBODY, told

CAPABILITY = struct.pack("<5I", 0x02000001, 1 << 10, 0, 0, 0)  # net_bind_service, effective


def elf_header(bits, machine):
    """The first bytes of a program that is for another kind of machine."""
    ident = b"\x7fELF" + bytes([1 if bits == 32 else 2, 1, 1]) + bytes(9)
    if bits == 32:
        return ident + struct.pack("<HHIIIIIHHHHHH", 2, machine, 1, 0, 52, 0, 0, 52, 32, 0, 0, 0, 0)
    return ident + struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, 0, 64, 0, 0, 64, 56, 0, 0, 0, 0)


def binary(shop, name, content):
    path = shop.folder / name
    path.write_bytes(content)
    path.chmod(0o755)
    return path


def transparent(tap, shop, name):
    outcome = shop.run(shop.probe, "tell", "exit", "7")
    facts = told(outcome)
    tap.check(f"{name}: the library is loaded, nothing is printed, the status is the program's", [
        *outcome.expect(7), facts.get("malloc") != "spanguard" and outcome.stdout,
        facts.get("preload") != str(shop.library) and facts.get("preload"),
        facts.get("options") != "(none)" and facts.get("options")])
    process = shop.start("run", "--", shop.probe, "wait", "20000")
    pid = process.stdout.readline().split()
    os.kill(process.pid, signal.SIGUSR1)
    ended = shop.finish(process)
    tap.check(f"{name}: the program has the process of the command", [
        pid != ["ready", str(process.pid)] and f"{pid}, not {process.pid}",
        ended.status != 40 + signal.SIGUSR1 % 16 and f"status {ended.status}"])
    tap.check(f"{name}: a signal that ends the program ends the command",
              shop.run(shop.probe, "kill", "9").expect(-9))
    double = shop.run(shop.probe, "twice")
    tap.check(f"{name}: a double free is reported",
              double.expect(-signal.SIGABRT, "P203 double free"))
    listed = shop.run("true", env={"PATH": "/nonexistent:/usr/bin:/bin"})
    tap.check(f"{name}: a program is found by PATH", listed.expect(0))
    dashes = shop.run("--", shop.probe, "exit", "5")
    tap.check(f"{name}: -- ends the options", dashes.expect(5))
    own = shop.run("/bin/sh", "-c", "exit $#", "sh", "--ci", "--help")
    tap.check(f"{name}: options behind the program are the program's", own.expect(2))


def surroundings(tap, shop, name):
    other = shop.compile("libother.so", "-shared", "-fPIC")
    env = {"LD_PRELOAD": f"{other} /old/libspanguard.so.1", "SPANGUARD_OPTIONS": "canary=0"}
    outcome = shop.run("-o", "zero_check=0", "-p", "strict", shop.probe, "tell", env=env)
    facts = told(outcome)
    tap.check(f"{name}: others stay in LD_PRELOAD behind ours, an older one of ours goes", [
        *outcome.expect(0, "/old/libspanguard.so.1' from LD_PRELOAD"),  # for the command itself
        facts.get("preload") != f"{shop.library}:{other}" and facts.get("preload")])
    tap.check(f"{name}: options are added to those that are there", [
        facts.get("options") != "canary=0:zero_check=0:profile=strict" and facts.get("options")])
    helped = shop.run("-o", "profile=fast", "-o", "help", "true")
    tap.check(f"{name}: -o help is the library's", [
        *helped.expect(0, "profile=fast  (from SPANGUARD_OPTIONS)")])
    last = shop.run("-p", "fast", "-o", "profile=strict", "-o", "help=1", "true")
    tap.check(f"{name}: the last profile counts", last.expect(0, "profile=strict  (from"))


def wrong_options(tap, shop, name):
    cases = {
        "an unknown one, with a suggestion": (["-o", "canaryy=1"], {}, "unknown option 'canaryy', "
                                              "did you mean 'canary'?"),
        "a value out of range": (["-o", "guard_pages=65"], {}, "'65' is not a number from 0 to 64"),
        "one of two": (["-o", "canary=1", "-o", "encode=2"], {}, "option 'encode': '2' is not"),
        "one of the environment": ([], {"SPANGUARD_OPTIONS": "cannary=1"}, "'cannary', did you"),
    }
    for what, (arguments, env, expected) in cases.items():
        outcome = shop.run(*arguments, shop.probe, "tell", env=env)
        tap.check(f"{name}: {what}, and the program does not run", [
            *outcome.expect(125, expected), outcome.stdout and "it did run",
            outcome.stderr.count("\n") != 1 and "more than one line"])


def refused(tap, shop, name):
    (shop.folder / "ld-musl-x86_64.so.1").write_bytes(b"")
    (shop.folder / "ld-other.so").write_bytes(b"")
    loader = f"-Wl,--dynamic-linker={shop.folder}/"
    whole = shop.probe.read_bytes()
    cases = {
        "a static program": (shop.compile("static", "-static"), 125, "is linked statically"),
        "a static program at random addresses":
            (shop.compile("static-pie", "-static-pie"), 125, "is linked statically"),
        "a 32-bit program": (binary(shop, "narrow", elf_header(32, 3)), 125,
                             "is a 32-bit program, the library is 64-bit"),
        "a program for another processor":
            (binary(shop, "foreign", elf_header(64, 0xF7)), 125, "is for another processor"),
        "a program of musl": (shop.compile("musl", loader + "ld-musl-x86_64.so.1"), 125,
                              "runs on musl"),
        "a program with another loader": (shop.compile("other", loader + "ld-other.so"), 125,
                                          "is not the loader of the library's libc"),
        "a program with a malloc of its own":
            (shop.compile("own", "-DOWN_MALLOC", "-rdynamic"), 125,
             "has a malloc of its own, which comes before any library's; if that is of libspang"),
        "a program without its loader": (shop.compile("orphan", loader + "ld-none.so"), 126,
                                         "not there"),
        "a program cut off": (binary(shop, "short", whole[:70]), 125, "no complete program"),
        "a file without rights": (shop.script("plain", "#!/bin/sh\n", 0o644), 126,
                                  "may not be executed"),
        "a text without #!": (shop.script("text", "exit 0\n"), 126, "neither an ELF program"),
        "an empty file": (shop.script("empty", ""), 126, "neither an ELF program"),
        "a folder": (shop.folder, 126, "is a folder"),
        "no such file": (shop.folder / "absent", 127, "no such program"),
        "no such name": ("no-such-program-here", 127, "no such program in PATH"),
        "an empty name": ("", 127, "no such program"),
    }
    for what, (path, status, expected) in cases.items():
        outcome = shop.run(path, "tell")
        tap.check(f"{name}: {what} ({status})", [
            *outcome.expect(status, expected), outcome.stdout and "it did run",
            outcome.stderr.count("\n") != 1 and "more than one line"])


def scripts(tap, shop, name):
    good = shop.script("good", f"#!{shop.probe} tell\n")
    outcome = shop.run(good)
    tap.check(f"{name}: its interpreter gets the library", [
        *outcome.expect(0), told(outcome).get("malloc") != "spanguard" and outcome.stdout])
    static = shop.compile("static-interpreter", "-static")
    cases = {
        "a static interpreter": (f"#! {static} tell\n", 125, "is linked statically"),
        "an absent interpreter": ("#!/nonexistent/interpreter\n", 126, "which cannot be run"),
        "no interpreter": ("#!\n", 126, "which cannot be run"),
        "itself": (f"#!{shop.folder}/script\n", 126, "more than the kernel follows"),
        "env and a static program": ("#!/usr/bin/env static-interpreter\n", 125, "statically"),
    }
    for what, (text, status, expected) in cases.items():
        outcome = shop.run(shop.script("script", text),
                           env={"PATH": f"{shop.folder}:/usr/bin:/bin"})
        tap.check(f"{name}: {what} ({status})", outcome.expect(status, expected))
    chain = shop.script("chain", f"#!{good}\n")
    outcome = shop.run(chain)
    tap.check(f"{name}: a script of a script", [
        *outcome.expect(0), "malloc=spanguard" not in outcome.stdout and outcome.stdout])
    plain = shop.run(shop.script("env-script", "#!/usr/bin/env sh\nexit 6\n"))
    tap.check(f"{name}: of env", plain.expect(6))


def as_nobody(shop, *arguments, flags=(), command=None):
    return shop(f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *flags,
                command or shop.command, *arguments, command=shutil.which("setpriv"))


def set_id(tap, shop, name):
    if os.geteuid() != 0:
        tap.skip(name, "only root can make such files")
        return
    if os.statvfs(shop.folder).f_flag & os.ST_NOSUID:
        tap.skip(name, f"{shop.folder} is mounted nosuid")
        return
    for what, mode in {"set-uid": 0o4755, "set-gid": 0o2755}.items():
        path = shutil.copy(shop.probe, shop.folder / what)
        os.chown(path, 0, 0)
        os.chmod(path, mode)
        outcome = as_nobody(shop, "run", path, "tell")
        tap.check(f"{name}: {what} is refused to another user", [
            *outcome.expect(125, f"is {what}: the loader ignores LD_PRELOAD"),
            outcome.stdout and "it did run"])
        tap.check(f"{name}: {what} runs unprotected without that refusal", [
            "malloc=libc" not in as_nobody(shop, "tell", command=path).stdout
            and "the kernel gave no rights: the check proves nothing"])
        outcome = shop.run(path, "tell")
        tap.check(f"{name}: {what} gives its owner nothing, and runs",
                  outcome.expect(0, stdout="malloc=spanguard"))
        outcome = as_nobody(shop, "run", path, "tell", flags=["--no-new-privs"])
        tap.check(f"{name}: {what} gives nothing under no_new_privs, and runs",
                  outcome.expect(0, stdout="malloc=spanguard"))
    capabilities(tap, shop, name)


def capabilities(tap, shop, name):
    path = shutil.copy(shop.probe, shop.folder / "capable")
    try:
        os.setxattr(path, "security.capability", CAPABILITY)
    except OSError as error:
        tap.skip(f"{name}: file capabilities", f"this file system takes none: {error}")
        return
    tap.check(f"{name}: file capabilities are refused to another user",
              as_nobody(shop, "run", path, "tell").expect(125, "has file capabilities"))
    tap.check(f"{name}: file capabilities give root nothing",
              shop.run(path, "tell").expect(0, stdout="malloc=spanguard"))


def unreadable(tap, shop, name):
    if os.geteuid() != 0:
        tap.skip(name, "only root can become another user")
        return
    path = shutil.copy(shop.probe, shop.folder / "unreadable")
    os.chmod(path, 0o711)
    tap.check(f"{name} program is refused",
              as_nobody(shop, "run", path).expect(125, "cannot be read"))
    mode = stat.S_IMODE(shop.library.stat().st_mode)
    shop.library.chmod(0o600)
    outcome = as_nobody(shop, "run", "true")
    shop.library.chmod(mode)
    tap.check(f"{name} library is refused", outcome.expect(125, "cannot be read"))


def libraries(tap, shop, name):
    kept = shop.folder / "kept.so"
    shop.library.rename(kept)
    try:
        missing = shop.run("true")
        shop.library.write_text("no library" * 1000)
        broken = shop.run("true")
        shop.library.unlink()
        (shop.folder / "bin" / "libspanguard.so").symlink_to(kept)
        beside = shop.run(shop.probe, "tell")
        (shop.folder / "bin" / "libspanguard.so").unlink()
    finally:
        kept.rename(shop.library)
    tap.check(f"{name}: none is there", missing.expect(125, "libspanguard.so is neither beside"))
    tap.check(f"{name}: the file is none",
              broken.expect(125, "does not load: invalid ELF header"))
    tap.check(f"{name}: the one beside the command is taken",
              beside.expect(0, stdout="malloc=spanguard"))
    spaced = shop.folder / "a folder"
    shutil.copytree(shop.folder / "bin", spaced / "bin")
    shutil.copytree(shop.folder / "lib", spaced / "lib")
    tap.check(f"{name}: a path that LD_PRELOAD cannot have",
              shop("run", "true", command=spaced / "bin" / "spanguard").expect(
                  125, "LD_PRELOAD is split at blanks"))
    debug = shop.run("-p", "debug", "true")
    tap.check(f"{name}: profile debug asks for another one",
              debug.expect(125, "libspanguard-debug.so is neither beside"))
    debug = shop.run("true", env={"SPANGUARD_OPTIONS": "canary=1:profile=guard"})
    tap.check(f"{name}: so does the environment's profile guard",
              debug.expect(125, "libspanguard-debug.so is neither beside"))
    over = shop.run("-p", "fast", "true", env={"SPANGUARD_OPTIONS": "profile=guard:profile=fast"})
    tap.check(f"{name}: the last profile decides", over.expect(0))


def limits(tap, shop, name):
    outcome = subprocess.run(["/bin/sh", "-c", f"ulimit -n 16; {shop.command} run true"],
                             capture_output=True, text=True, timeout=30, check=False,
                             env=shop.environment({}))
    tap.check(f"{name}: sixteen descriptors are enough", [
        outcome.returncode and f"status {outcome.returncode}: {outcome.stderr}"])
    closed = subprocess.run(["/bin/sh", "-c", f"{shop.command} run {shop.probe} exit 4 "
                             "<&- >&- 2>&-"], timeout=30, check=False, env=shop.environment({}))
    tap.check(f"{name}: closed streams do no harm", [
        closed.returncode != 4 and f"status {closed.returncode}"])


CHECKS = {"run": transparent, "run in surroundings": surroundings,
          "run with a wrong option": wrong_options, "refused": refused, "run a script": scripts,
          "more rights": set_id, "an unreadable": unreadable, "the library": libraries,
          "limits": limits}
