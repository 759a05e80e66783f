"""spanguard doctor: the truth about processes and programs."""
import os
import resource
import shutil
import signal

from checks_run import as_nobody


class Running:
    """A process that waits until the check is over."""

    def __init__(self, shop, *arguments, **more):
        self.shop = shop
        self.process = shop.start(*arguments, **more)

    def __enter__(self):
        words = self.process.stdout.readline().split()
        return words[1] if words[:1] == ["ready"] else "0"

    def __exit__(self, *exception):
        self.process.send_signal(signal.SIGKILL)
        self.shop.finish(self.process)


def wait(shop):
    return shop.probe, "wait", "60000"


def lines_problems(outcome):
    """Each line is a verdict or a fix, and no verdict but ok stands without its fix."""
    lines = outcome.stdout.splitlines()
    yield not lines and "nothing is said"
    for line, following in zip(lines, lines[1:] + [""]):
        yield not line.startswith(("ok    ", "warn  ", "no    ", "      fix: ")) and repr(line)
        is_bad = line.startswith(("warn", "no"))
        yield is_bad and not following.startswith("      fix: ") and f"no fix for {line!r}"
    worst = any(line.startswith("no ") for line in lines)
    yield outcome.status != int(worst) and f"status {outcome.status}, worst {worst}"


def verdict(tap, name, outcome, status, text):
    tap.check(name, [*outcome.expect(status, stdout=text), *lines_problems(outcome)])


def processes(tap, shop, name):
    with Running(shop, "run", *wait(shop)) as pid:
        verdict(tap, f"{name}: under run", shop("doctor", pid), 0, f"{shop.library} is loaded")
    with Running(shop, "run", "-o", "pool=system", *wait(shop)) as pid:
        verdict(tap, f"{name}: served by libc", shop("doctor", pid), 1, "pool=system: libc serves")
    with Running(shop, "wait", "60000", command=shop.probe) as pid:
        verdict(tap, f"{name}: on its own", shop("doctor", pid), 1, "LD_PRELOAD was not set")
    static = shop.compile("static-waiting", "-static")
    env = {"LD_PRELOAD": shop.library}
    with Running(shop, "wait", "60000", command=static, env=env) as pid:
        verdict(tap, f"{name}: static", shop("doctor", pid), 1, "is linked statically")
    env = {"LD_PRELOAD": "/nonexistent/libspanguard.so"}
    with Running(shop, "wait", "60000", command=shop.probe, env=env) as pid:
        verdict(tap, f"{name}: with a wrong path", shop("doctor", pid), 1,
                "LD_PRELOAD names the library, but it did not load")
    env = {"LD_PRELOAD": shop.library, "SPANGUARD_OPTIONS": "cannary=1"}
    with Running(shop, "wait", "60000", command=shop.probe, env=env) as pid:
        verdict(tap, f"{name}: with a wrong option", shop("doctor", pid), 0,
                "unknown option 'cannary', did you mean 'canary'?")
    own = shop.compile("own-waiting", "-DOWN_MALLOC", "-rdynamic")
    with Running(shop, "wait", "60000", command=own, env={"LD_PRELOAD": shop.library}) as pid:
        verdict(tap, f"{name}: with a malloc of its own", shop("doctor", pid), 1,
                "has a malloc of its own")
    with Running(shop, "wait", "60000", command=own) as pid:
        verdict(tap, f"{name}: the same without the library, which would not help",
                shop("doctor", pid), 1, "has a malloc of its own")
    other = shop.compile("libjemalloc.so.2", "-shared", "-fPIC")
    with Running(shop, "run", *wait(shop), env={"LD_PRELOAD": other}) as pid:
        verdict(tap, f"{name}: with another allocator besides", shop("doctor", pid), 0,
                "another allocator is loaded as well")


def replaced(tap, shop, name):
    old = shop.folder / "old" / "libspanguard.so"
    old.parent.mkdir()
    shutil.copy(shop.library, old)
    with Running(shop, "wait", "60000", command=shop.probe, env={"LD_PRELOAD": old}) as pid:
        old.unlink()
        verdict(tap, f"{name} library", shop("doctor", pid), 0, "an older libspanguard.so")


def limits(tap, shop, name):
    space = 3 << 30
    with Running(shop, "run", *wait(shop), preexec_fn=lambda: resource.setrlimit(
            resource.RLIMIT_AS, (space, space))) as pid:
        verdict(tap, f"{name}: of address space", shop("doctor", pid), 0,
                "warn  the address space is limited to 3072 MiB")


def others(tap, shop, name):
    gone = shop.start("true", command="/usr/bin/env")
    shop.finish(gone)
    outcome = shop("doctor", str(gone.pid))
    tap.check(f"{name}: a process that is gone ends with 2",
              outcome.expect(2, f"there is no process {gone.pid}"))
    if os.geteuid() != 0:
        tap.skip(f"{name}: another user's", "only root can become another user")
        return
    with Running(shop, "run", *wait(shop)) as pid:
        verdict(tap, f"{name}: another user's", as_nobody(shop, "doctor", pid), 1,
                f"the mappings of process {pid} cannot be read")
    path = shutil.copy(shop.probe, shop.folder / "set-uid-waiting")
    os.chmod(path, 0o4755)
    if os.statvfs(shop.folder).f_flag & os.ST_NOSUID:
        tap.skip(f"{name}: set-uid", f"{shop.folder} is mounted nosuid")
        return
    process = shop.start("--reuid=65534", "--clear-groups", path, "wait", "60000",
                         command=shutil.which("setpriv"), env={"LD_PRELOAD": shop.library})
    pid = process.stdout.readline().split()[1]
    verdict(tap, f"{name}: set-uid", shop("doctor", pid), 1, "LD_PRELOAD is ignored")
    process.send_signal(signal.SIGKILL)
    shop.finish(process)


def programs(tap, shop, name):
    verdict(tap, f"{name} that run would run", shop("doctor", "--", shop.probe, "tell"), 0,
            f"'{shop.probe}' takes a preloaded library")
    static = shop.compile("static-program", "-static")
    verdict(tap, f"{name}, static", shop("doctor", "--", static), 1, "is linked statically")
    verdict(tap, f"{name}, absent", shop("doctor", "--", "no-such-program"), 1, "no such program")
    outcome = shop("doctor", "--", shop.probe, "tell")
    tap.check(f"{name} is not run", ["malloc=" in outcome.stdout and outcome.stdout])
    # the loader complains in the command's own start, too
    outcome = shop("doctor", env={"LD_PRELOAD": "/nonexistent/libspanguard.so"})
    tap.check("this system: LD_PRELOAD names what is not there", [
        *outcome.expect(1, "ld.so", "LD_PRELOAD names '/nonexistent/libspanguard.so'"),
        *lines_problems(outcome)])
    kept = shop.folder / "kept.so"
    shop.library.rename(kept)
    outcome = shop("doctor")
    kept.rename(shop.library)
    verdict(tap, "this system: without the library", outcome, 1, "libspanguard.so is neither")
    verdict(tap, "this system: as it is", shop("doctor"), 0, f"ok    {shop.library} loads")


CHECKS = {"a process": processes, "a replaced": replaced, "limits of a process": limits,
          "processes": others, "a program": programs}
