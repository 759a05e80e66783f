"""Our own reports: JSON lines of the debug library, and the one line of the release library."""
import json
import re

from peers import Finding, Tool

KINDS = {"P101": "overflow", "P102": "overflow", "P105": "overflow", "P106": "overflow",
         "P103": "underflow", "P104": "underflow", "P201": "uaf", "P202": "uaf", "P203": "double free",
         "P204": "double free", "P301": "bad free", "P302": "bad free", "P303": "bad free",
         "P401": "mismatch", "P402": "size", "P403": "size", "P501": "leak", "P601": "uninitialised",
         "P701": "uaf", "P702": "uaf", "P901": "limit"}
RELEASE_LINE = re.compile(r"^spanguard\[\d+\]: (P\d+) ", re.M)


def records(text):
    """The reports of a report file; a line that is no JSON is an error of ours and raises."""
    return [json.loads(line) for line in text.splitlines() if line.strip()]


def frames_text(stack):
    """The frames of a stack as lines `function file:line`, the file by its base name."""
    frames = stack.get("frames", []) if isinstance(stack, dict) else stack or []
    lines = []
    for frame in frames:
        file = (frame.get("file") or "").rpartition("/")[2]
        lines.append(f"{frame.get('function') or ''} {file}:{frame.get('line') or 0}")
    return "\n".join(lines)


def event_text(event):
    return frames_text((event or {}).get("stack"))


def stacks_of(record):
    """The stacks by the marker that each should show."""
    block = record.get("block") or {}
    leaks = [frames_text(leak.get("stack")) for leak in record.get("leaks") or []]
    freed = [event_text(block.get("ended")), event_text(record.get("moved"))]
    return {"BUG": frames_text(record.get("at")),
            "ALLOC": "\n".join([event_text(block.get("made"))] + leaks),
            "FREE": "\n".join(freed)}


def parse_reports(text):
    found = records(text)
    if not found:
        return None
    return Finding(KINDS.get(found[0]["code"]), stacks_of(found[0]))


def parse_release(text):
    found = RELEASE_LINE.search(text)
    return found and Finding(KINDS.get(found.group(1)))


def debug_tool(profile, path):
    return Tool(f"our {profile}", parse_reports, str(path),
                (("SPANGUARD_OPTIONS", f"profile={profile}"),))


def release_tool(profile, path):
    return Tool(f"our {profile}", parse_release, str(path),
                (("SPANGUARD_OPTIONS", f"profile={profile}"),))
