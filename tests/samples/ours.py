"""Our own reports: JSON lines of the debug library, and the one line of the release library."""
import json
import re

from peers import Finding, Tool

KIND_CODES = {"overflow": "P101 P102 P105 P106", "underflow": "P103 P104",
              "uaf": "P201 P202 P205 P701 P702", "double free": "P203 P204",
              "bad free": "P301 P302 P303", "mismatch": "P401", "size": "P402 P403",
              "leak": "P501", "uninitialised": "P601", "limit": "P901"}
KINDS = {code: kind for kind, codes in KIND_CODES.items() for code in codes.split()}
RELEASE_LINE = re.compile(r"^spanguard\[\d+\]: (P\d+) ", re.M)


def records(text):
    """The reports of a report file; a line that is no JSON is an error of ours and raises."""
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def frames_text(frames):
    """The frames of a stack as lines `function file:line`, the file by its base name."""
    lines = []
    for frame in frames or ():
        file = frame.get("file", "").rpartition("/")[2]
        lines.append(f"{frame.get('function', '')} {file}:{frame.get('line', 0)}")
    return "\n".join(lines)


def event_text(event):
    return frames_text((event or {}).get("stack"))


def stacks_of(record):
    """The stacks by the marker that each should show."""
    block = record.get("block") or {}
    made = [event_text(block.get("allocated_by"))]
    made += [frames_text(leak.get("stack")) for leak in record.get("leaks") or ()]
    return {"BUG": frames_text(record.get("at")), "ALLOC": "\n".join(made),
            "FREE": event_text(block.get("freed_by")) + "\n" + event_text(record.get("moved"))}


def parse_reports(text):
    found = records(text)
    if not found:
        return None
    return Finding(KINDS.get(found[0]["code"]), stacks_of(found[0]))


def parse_release(text):
    found = RELEASE_LINE.search(text)
    return found and Finding(KINDS.get(found.group(1)))


def debug_tool(profile, path, option=""):
    name = " ".join(filter(None, (f"our {profile}", option)))
    return Tool(name, parse_reports, str(path),
                (("SPANGUARD_OPTIONS", ":".join(filter(None, (f"profile={profile}", option)))),))


def release_tool(profile, path):
    return Tool(f"our {profile}", parse_release, str(path),
                (("SPANGUARD_OPTIONS", f"profile={profile}"),))
