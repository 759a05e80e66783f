"""Reports as they are compared: without what differs from run to run or from machine to machine."""
import difflib
import pathlib
import re

FOLDER = pathlib.Path(__file__).resolve().parent / "golden"
TIME = r"\d+(?:[.,]\d+)* ?(?:ns|us|µs|ms|s|min|h)\b"
LIBC_FRAME = r"(?:libc|ld-linux|libstdc\+\+|libgcc_s)[\w.-]*\+0x[0-9a-f]+"
LIBC_SOURCE = (r"(?:__libc_start\w*|start_thread|clone3?|_start|__\w*_(?:avx|sse|evex|erms)\w*)"
               r" +\S+\.(?:c|S|h):\d+")
RULES = (
    (r"\x1b\[[0-9;]*m", ""),
    (r"\[\d+\]", "[PID]"),
    # With libc's debug information its frames have names, and on another processor other ones.
    (rf"^ {{11}}(?:{LIBC_FRAME}|{LIBC_SOURCE})\n", ""),
    (rf" ?< ?(?:{LIBC_FRAME}|{LIBC_SOURCE})", ""),
    (rf"{LIBC_FRAME}|{LIBC_SOURCE}", "LIBRARY"),
    (r"(global variable: )/\S+", r"\1MODULE"),
    (r"\+0x[0-9a-f]{3,}\b", "+OFFSET"),
    (r"0x[0-9a-f]{6,}\b", "ADDRESS"),
    (r"(\bid[= ] *|same block as |catch )[0-9a-f]{8}\b", r"\1ID"),
    (r"(max_map_count *=|in use) *\d[\d,]*", r"\1 N"),
    (TIME, "TIME"),
    (r"\ballocation \d[\d,]*", "allocation N"),
    (r"\b\d[\d,]* frees? after", "N frees after"),
    (r"\b(allocation N),? (?:lived TIME,? ?|TIME old,? ?)?", r"\1 "),
    # How long times and names are decides where a line is broken, and how wide a column is.
    (r"\n {11}(?=TIME|lived|allocation)", "   "),
    (r"\n {15}(?=\S)", "  "),
    (r"(?<=\S) {2,}", "  "),
)
# Beside a name of libc's, how much of a source line has room is chance.
AFTER_PLACE = re.compile(r"^((?:  at {7}| {11})\S.*?\.(?:c|cc):\d+)  .*$", re.M)
MEMORY_ROW = re.compile(r"^.*[-+]0x[0-9a-f]+  (?:[ |<>\[\]]*[0-9a-f?]{2}[ |<>\[\]]*){4}")


def normalised(text, sample):
    lines = text.splitlines()
    if sample.is_volatile:
        lines = [line for line in lines if not MEMORY_ROW.match(line)]
    text = "\n".join(lines)
    for pattern, replacement in RULES:
        text = re.sub(pattern, replacement, text, flags=re.M)
    if "  at       LIBRARY" in text:
        text = AFTER_PLACE.sub(r"\1", text)
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
