"""The debug library under the command: chosen by profile, its records collected and explained."""
import os
import shutil
import signal

from checks_ci import problems_of, results
from harness import NOBODY, told


def debug(tap, shop, name):
    library = shop.folder / "lib" / "libspanguard-debug.so"
    shutil.copy(shop.debug_library, library)
    try:
        choose(tap, shop, name, library)
        collect(tap, shop, name)
        drop(tap, shop, name)
    finally:
        library.unlink()


def choose(tap, shop, name, library):
    for what, arguments in {"--profile": ["-p", "guard"], "-o": ["-o", "profile=debug"]}.items():
        outcome = shop.run(*arguments, shop.probe, "tell", "exit", "3")
        tap.check(f"{name}: chosen by {what}", [
            *outcome.expect(3), told(outcome).get("preload") != str(library) and outcome.stdout])
    for status, value in ((0, "redzone=32"), (125, "redzone=8")):
        outcome = shop.run("-p", "debug", "-o", value, "true")
        tap.check(f"{name}: {value} ends with {status}", outcome.expect(
            status, "" if status == 0 else "'8' is not a number from 16 to 4096"))
    for profile, status in (("debug", 0), ("guard", 0), ("strict", 125)):
        outcome = shop.run("-p", profile, "-o", "canary=1", "-o", "leaks=0", "true")
        refusal = "option 'leaks' has no effect without --profile debug or guard"
        tap.check(f"{name}: an option that only it obeys, with {profile}: {status}",
                  outcome.expect(status, refusal if status else ""))
    quiet = shop.run("true", env={"SPANGUARD_OPTIONS": "leaks=1"})
    tap.check(f"{name}: in the environment such options may stand for others", quiet.expect(0))
    inner = shop.run("-p", "debug", shop.command, "run", "-p", "fast", shop.probe, "tell")
    tap.check(f"{name}: gives way to the other one inside", [
        *inner.expect(0), told(inner).get("preload") != str(shop.library) and inner.stdout])


def collect(tap, shop, name):
    folder = shop.work / "debug"
    outcome = shop.run("-p", "debug", "--ci=debug", shop.probe, "child", "twice")
    records, _sarif, _suite = results(folder)
    tap.check(f"{name}: its records are collected", [
        *outcome.expect(86, "1 report of 1 mistake, in debug"), *problems_of(folder, 1),
        *(record.get("spanguard_report") != 1 and str(record)[:200] for record in records)])
    explained = shop("explain", folder / "report.jsonl")
    tap.check(f"{name}: its records are explained", explained.expect(
        0, stdout="spanguard: double free of a 120-byte block"))
    alone = shop.run("-p", "debug", shop.probe, "twice")
    line = shop("explain", "-", text=alone.stderr)
    tap.check(f"{name}: and so is the line it writes first", [
        *alone.expect(-signal.SIGABRT, "P203 double free"),
        *line.expect(0, stdout="spanguard: double free: free: a block of 120 bytes")])
    clean = shop.run("-p", "guard", "--ci=debug", shop.probe, "exit", "4")
    tap.check(f"{name}: without a mistake the status is the program's",
              [*clean.expect(4), *problems_of(folder, 0)])


def drop(tap, shop, name):
    """Nobody may open the file, nor look into its folder."""
    folder = shop.work / "dropped"
    title = f"{name}: a child that has dropped its rights still appends its record"
    if os.geteuid() != 0:
        return tap.skip(title, "only root has rights to drop")
    folder.mkdir(mode=0o700)
    dropped = ("child", "drop", NOBODY, "twice")
    outcome = shop.run("-p", "debug", f"--ci={folder}", shop.probe, *dropped)
    tap.check(title, [*outcome.expect(86, "1 report of 1 mistake"), *problems_of(folder, 1),
                      "cannot be written" in outcome.stderr and outcome.stderr])
    kept = (folder / "report.jsonl").stat()
    tap.check(f"{name}: and others have no more rights to the file", [
        kept.st_mode & 0o022 and f"mode {kept.st_mode:o}", kept.st_uid and f"owner {kept.st_uid}"])
    outcome = shop.run("-p", "debug", f"--ci={folder}", shop.probe, "take", 3, *dropped)
    tap.check(f"{name}: nothing is written to a file that has taken the descriptor's number", [
        *outcome.expect(0, "SPANGUARD_REPORT_FILE cannot be written"), *problems_of(folder, 0),
        *((shop.work / "taken").read_text().splitlines())])
    return None


CHECKS = {"the debug library": debug}
