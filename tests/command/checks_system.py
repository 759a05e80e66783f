"""Processes under seccomp and limits; systems that are set up otherwise, for the command alone."""
import os
import resource
import shutil
import subprocess

from checks_doctor import Running, lines_problems, verdict, wait
from harness import NOBODY


def elsewhere(shop, mount, *arguments):
    """The command where `mount`, lines of a shell, was done; nobody else sees that."""
    return shop("--mount", "/bin/sh", "-c", f'{mount} || exit 99\nexec "$@"', "sh", shop.command,
                *arguments, command=shutil.which("unshare"))


def confined(tap, shop, name):
    cases = {"filter": "system calls are filtered (seccomp)",
             "strict": "only four system calls are allowed",
             "no-rights": "no_new_privs is set", "lock": "KiB are locked"}
    for action, expected in cases.items():
        with Running(shop, "run", shop.probe, action, "wait", "60000") as pid:
            verdict(tap, f"{name}: {action}", shop("doctor", pid), 0, expected)


def systems(tap, shop, name):
    etc = shop.folder / "etc"
    etc.mkdir()
    (etc / "ld.so.preload").write_text("/nonexistent/libspanguard.so\n")
    conf = shop.folder / "etc-with-settings"
    conf.mkdir()
    (conf / "spanguard.conf").write_text("canary = 7\n")
    two = shop.script("two", "2\n", 0o644)
    few = shop.script("few", "1000\n", 0o644)
    cases = {
        "without overcommit": (two, "/proc/sys/vm/overcommit_memory", 0,
                               "warn  overcommit is off"),
        "with few mappings": (few, "/proc/sys/vm/max_map_count", 0,
                              "warn  vm.max_map_count = 1000"),
        "with a library for all that is not there": (
            etc, "/etc", 1, "/etc/ld.so.preload names '/nonexistent/libspanguard.so'"),
        "with a mistake in its settings": (
            conf, "/etc", 0, "/etc/spanguard.conf:1: option 'canary'"),
    }
    for what, (file, place, status, expected) in cases.items():
        mount = f"mount --bind {file} {place}"
        if elsewhere(shop, mount, "--version").status:
            tap.skip(f"{name} {what}", "only root can mount, where it may")
            continue
        outcome = elsewhere(shop, mount, "doctor")
        tap.check(f"{name} {what}", [
            *outcome.expect(status, outcome.stderr, expected), *lines_problems(outcome)])


def rights(tap, shop, name):
    """Whom the file of this system belongs to: the library does not read it otherwise."""
    etc = shop.folder / "etc-of-others"
    etc.mkdir()
    path = etc / "spanguard.conf"
    path.write_text("canary = 1\n")
    mount = f"mount --bind {etc} /etc"
    if elsewhere(shop, mount, "--version").status:
        tap.skip(name, "only root can mount, where it may")
        return
    cases = {"of root": (0, 0o644, 0, ""),
             "of another user": (NOBODY, 0o644, 1, "is not owned by root"),
             "for all to write": (0, 0o666, 1, "is writable by others than its owner"),
             "for a group to write": (0, 0o664, 1, "is writable by others than its owner")}
    for what, (owner, mode, status, expected) in cases.items():
        os.chown(path, owner, owner)
        path.chmod(mode)
        outcome = elsewhere(shop, mount, "config", "check", "/etc/spanguard.conf")
        tap.check(f"{name} {what}", [*outcome.expect(status, outcome.stderr, expected),
                                     status == 0 and outcome.stdout])


def preloads(tap, shop, name):
    for what, (preload, status, expected) in {
            "a library that is looked for": ("libnot-there.so", 0, None),
            "another's that is not there": ("/nonexistent/other.so", 0, "warn  LD_PRELOAD names"),
            "ours that is not there": (
                "/nonexistent/libspanguard.so.0", 1, "no    LD_PRELOAD names"),
            "several": (f"{shop.library}:/nonexistent/x.so", 0, "names '/nonexistent/x.so'"),
            }.items():
        outcome = shop("doctor", env={"LD_PRELOAD": preload})
        tap.check(f"{name}: {what}", [
            *outcome.expect(status, outcome.stderr, expected), *lines_problems(outcome),
            expected is None and "LD_PRELOAD names" in outcome.stdout and outcome.stdout])
    other = shop.compile("other-lib.so", "-shared", "-fPIC")
    with Running(shop, "wait", "60000", command=shop.probe, env={"LD_PRELOAD": other}) as pid:
        verdict(tap, f"{name}: of a process, without it", shop("doctor", pid), 1,
                "LD_PRELOAD lacks it")


def impostors(tap, shop, name):
    """Libraries that are not what their name says."""
    cases = {"does nothing": ([], "does not load: the loader does not say why"),
             "ends each program": (["-DENDS_AT_ONCE"], "a trial under")}
    kept = shop.folder / "kept.so"
    for what, (flags, expected) in cases.items():
        other = shop.compile("impostor.so", "-shared", "-fPIC", *flags)
        shop.library.rename(kept)
        try:
            shutil.copy(other, shop.library)
            outcome, refused = shop("doctor"), shop.run("true")
        finally:
            kept.rename(shop.library)
        verdict(tap, f"{name} that {what}", outcome, 1, expected)
        tap.check(f"{name} that {what}: run refuses it as well", refused.expect(125, expected))


def loaders(tap, shop, name):
    ours = os.path.realpath(shop.probe.parent / "loader-of-others")
    loader = next(line.split()[-1] for line in subprocess.run(
        ["readelf", "-p", ".interp", shop.probe], capture_output=True, text=True, timeout=30,
        check=True).stdout.splitlines() if "/ld" in line)
    os.symlink(loader, ours)
    linked = shop.compile("linked-loader", f"-Wl,--dynamic-linker={ours}")
    tap.check(f"{name}: another name of the same one", shop.run(linked, "tell").expect(
        0, stdout="malloc=spanguard"))
    os.unlink(ours)
    shutil.copy(loader, ours)
    tap.check(f"{name}: a copy of it", shop.run(linked, "tell").expect(
        125, "which is not the loader of the library's libc"))
    os.unlink(ours)
    tap.check(f"{name}: one that is not there", shop.run(linked, "tell").expect(
        126, "needs the loader"))


def roomy(tap, shop, name):
    space = 1 << 46
    with Running(shop, "run", *wait(shop), preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_AS, (space, space))) as pid:
        verdict(tap, name, shop("doctor", pid), 0,
                f"ok    the address space is limited to {space >> 20} MiB")


CHECKS = {"a process that is confined": confined, "another system": systems,
          "settings of this system": rights, "LD_PRELOAD names": preloads, "a library": impostors,
          "a loader": loaders, "a roomy limit": roomy}
