"""Reports as they are compared: without what differs from run to run or from machine to machine."""
import difflib
import pathlib
import re

FOLDER = pathlib.Path(__file__).resolve().parent / "golden"
TIME = r"\d+(?:[.,]\d+)* ?(?:ns|us|µs|ms|s|min|h)\b"
RULES = (
    (r"\x1b\[[0-9;]*m", ""),
    (r"spanguard\[\d+\]", "spanguard[PID]"),
    (r"==\d+==", "==PID=="),
    (r"\b(process|pid) \d+", r"\1 PID"),
    # Where libc calls main() or a thread is known only with libc's own symbols.
    (r" < (?:__libc_start\w*|start_thread|clone3?|_start|__clone\w*) \S+(?: \([^)]*\))?", ""),
    (r" < (?:libc|ld-linux)[\w.-]*\+0x[0-9a-f]+", ""),
    (r"\+0x[0-9a-f]{3,}\b", "+OFFSET"),
    (r"0x[0-9a-f]{6,}\b", "ADDRESS"),
    (r"\b(id=|catch |report |run )[0-9a-f]{8}\b", r"\1ID"),
    (TIME, "TIME"),
)
MEMORY_ROW = re.compile(r"^.*[-+]0x[0-9a-f]+  (?:[ |<>\[\]]*[0-9a-f?]{2}[ |<>\[\]]*){4}")


def normalised(text, sample):
    lines = text.splitlines()
    if sample.is_volatile:
        lines = [line for line in lines if not MEMORY_ROW.match(line)]
    text = "\n".join(lines)
    for pattern, replacement in RULES:
        text = re.sub(pattern, replacement, text)
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def path_of(sample, profile):
    return FOLDER / f"{sample.name}.{profile}.txt"


def update(sample, profile, text):
    FOLDER.mkdir(exist_ok=True)
    path_of(sample, profile).write_text(normalised(text, sample))


def difference(sample, profile, text):
    """None if the report is the golden one, else the lines that tell why not."""
    path = path_of(sample, profile)
    if not path.is_file():
        return [f"there is no {path.parent.name}/{path.name}"]
    wanted, got = path.read_text(), normalised(text, sample)
    if wanted == got:
        return None
    return list(difflib.unified_diff(wanted.splitlines(), got.splitlines(), "golden", "now",
                                     lineterm="", n=1))
