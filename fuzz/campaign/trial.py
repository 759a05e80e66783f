"""Runs of a target: what a run said, how long it took, how it ended."""
import dataclasses
import os
import pathlib
import re
import resource
import signal
import subprocess
import time

WALL_FACTOR = 12  # a machine that is busy with other things as well
LOOK_SECONDS = 0.01
ENDLESS = "1000000000"
TOLD = re.compile(r"^.*(?:fuzz: |spanguard\[\d+\]: |SUMMARY: \w+Sanitizer|runtime error: ).*$",
                  re.MULTILINE)


@dataclasses.dataclass
class Outcome:
    status: int  # as of subprocess: negative for a signal
    seconds: float
    output: str
    timed_out: bool

    @property
    def failed(self):
        return self.status != 0 and not self.timed_out

    @property
    def oracle(self):
        """The line that tells what was broken, without what differs between runs."""
        line = TOLD.search(self.output)
        if line is None:
            return self.ending()
        text = re.sub(r"^.*?(?=fuzz: |spanguard\[|SUMMARY|runtime error)", "", line[0])
        text = re.sub(r"spanguard\[\d+\]", "spanguard", text)
        text = re.sub(r"(?:\.\./)*tree/", "", text)
        text = re.sub(r"\(profile=.*|0x[0-9a-f]+|: call \d+.*|\(\w+, record \d+\)|\(/.*", "", text)
        return " ".join(text.split())

    def ending(self):
        if self.status == -signal.SIGALRM:
            return "hangs"
        if self.status < 0:
            return signal.Signals(-self.status).name
        return f"status {self.status}"

    @property
    def inputs(self):
        """How many it took, the failing one included; None if that is not told."""
        died = re.search(r"died of random input (\d+) ", self.output)
        if died is not None:
            return int(died[1]) + 1
        ran = re.findall(r"^#(\d+)\s", self.output, re.MULTILINE)
        return int(ran[-1]) if ran else None


def limit(seconds):
    def before_exec():
        resource.setrlimit(resource.RLIMIT_CPU, (seconds + 1, seconds + 6))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    return before_exec


def wait(process, seconds):
    """Returns (status, seconds of processor time or, for one that slept itself to death, of the
    clock; whether it ran out of time)."""
    start = time.monotonic()
    timed_out = False
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid != 0:
            break
        if time.monotonic() - start > seconds * WALL_FACTOR and not timed_out:
            timed_out = True
            process.kill()
        time.sleep(LOOK_SECONDS)
    process.returncode = os.waitstatus_to_exitcode(status)
    spent = usage.ru_utime + usage.ru_stime
    if process.returncode == -signal.SIGALRM:
        spent = max(spent, time.monotonic() - start)
    timed_out = timed_out or process.returncode == -signal.SIGXCPU or spent > seconds
    return process.returncode, spent, timed_out


def run(command, seconds, log):
    with open(log, "wb") as file:
        with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=file,
                              stderr=subprocess.STDOUT, preexec_fn=limit(seconds),
                              cwd=log.parent) as process:
            status, spent, timed_out = wait(process, seconds)
    output = log.read_text(encoding="utf-8", errors="replace")
    return Outcome(status, spent, output, timed_out)


@dataclasses.dataclass
class Search:
    """One look for a failing input; it is kept in `saved`."""
    program: pathlib.Path
    engine: str
    corpus: pathlib.Path
    saved: pathlib.Path

    def command(self, seed, seconds):
        if self.engine == "replay":
            return [self.program, "--save", self.saved, "--random", str(seed), ENDLESS]
        folder = self.saved.parent / f"{self.saved.name}.corpus"
        folder.mkdir(exist_ok=True)
        seeds = [self.corpus] if self.corpus.is_dir() else []
        return [self.program, f"-seed={seed}", f"-max_total_time={seconds}", "-len_control=0",
                "-max_len=4104", "-timeout=20", "-rss_limit_mb=2048",
                f"-exact_artifact_path={self.saved}", folder, *seeds]

    def run(self, seed, seconds):
        log = self.saved.parent / f"{self.saved.name}.log"
        outcome = run(self.command(seed, seconds), seconds, log)
        # A program that ended for another reason, such as an option that it does not know, found
        # nothing.
        if outcome.failed and not self.saved.exists():
            outcome.timed_out = True
            outcome.output += "\nended without a failing input"
        return outcome


def replay(program, path, times, seconds=30):
    """The outcomes of running one input again and again."""
    log = path.parent / f"{path.name}.replay"
    return [run([program, path], seconds, log) for _ in range(times)]
