"""What nobody writes on purpose: bytes that are no text, records that lie, files that are no
programs, full disks."""
import json
import os
import pty
import shutil
import struct
import subprocess
import xml.etree.ElementTree

from checks_ci import fake_symbolizer, junit_problems, problems_of, sarif_problems
from checks_explain import LINE, bug
from checks_system import elsewhere

# Bytes of a name, and what a reader of UTF-8 sees of them: a mark for each byte that is no text.
MARK = "\ufffd"
NAMES = (
    (b"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x90\x9b", "caf\u00e9 \u20ac \U0001f41b"),
    (b"\xc0\xaf", 2 * MARK), (b"\xe0\x80\x80", 3 * MARK), (b"\xf0\x80\x80\x80", 4 * MARK),
    (b"\xed\xa0\x80", 3 * MARK), (b"\xf4\x90\x80\x80", 4 * MARK), (b"\xf5\x80\x80\x80", 4 * MARK),
    (b"\xff\x80", 2 * MARK), (b"\xc3", MARK), (b"\xf0\x9f\x90x", 3 * MARK + "x"),
    (b"\\\"\\\\\\u007f\\n\\u0001", "\"\\\x7f\n\x01"),
)


def collect(shop, folder, lines, **env):
    """`lines` as if descendants of the program had appended them."""
    path = shop.work / "odd-lines"
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    script = shop.script("append-odd.sh", f"#!/bin/sh\ncat {path} >> $SPANGUARD_REPORT_FILE\n")
    return shop.run(f"--ci={shop.work / folder}", script, env=env)


def record(**members):
    facts = {"spanguard_report": 1, "code": "P203", "process": 11, "profile": "debug",
             "function": "free", **members}
    return json.dumps(facts, separators=(",", ":")).encode()


def byte_strings(tap, shop, name):
    lines = [record(id=f"{number:08x}", program="app", at=[{"function": "@", "line": 3}])
             .replace(b'"@"', b'"' + text + b'"') for number, (text, _seen) in enumerate(NAMES)]
    outcome = collect(shop, "bytes", lines)
    ids = [f"{number:08x}" for number in range(len(NAMES))]
    sarif = json.loads((shop.work / "bytes" / "report.sarif").read_text())
    suite = xml.etree.ElementTree.parse(shop.work / "bytes" / "junit.xml").getroot()[0]
    found = [result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"]
             for result in sarif["runs"][0]["results"]]
    tap.check(f"{name}: all files can be read, and say what is text", [
        *outcome.expect(86, f"{len(NAMES)} reports of {len(NAMES)} mistakes"),
        *sarif_problems(sarif, ids), *junit_problems(suite, ids),
        found != [seen for _text, seen in NAMES] and str(found)])
    at = [{"function": "f", "file": "a,b:c%d\x01<&.c", "line": 3}]
    outcome = collect(shop, "bytes", [record(id="00000001", at=at)], GITHUB_ACTIONS="true")
    tap.check(f"{name}: a file in an annotation", outcome.expect(
        86, "::error file=a%2Cb%3Ac%25d%01<&.c,line=3,title=P203 double free::double free"))


def places(tap, shop, name):
    module = {"path": "/usr/lib/libx.so"}
    frame = {"offset": "0x10", "module": 0}
    cases = {
        "of a leak": ({"code": "P501", "leaks": [{"bytes": 5, "blocks": 1, "stack": [
            {"function": "grow", "file": "g.c", "line": 7}]}]}, "file=g.c,line=7,title=P501"),
        "by who made the block": ({"block": {"known": True, "allocated_by": {"function": "malloc",
            "stack": [{"function": "make", "file": "m.c"}]}}}, "file=m.c,title=P203"),
        "by the first frame with a file": ({"at": [frame, {"file": "x.c", "line": 9, "column": 4}],
            "modules": [module]}, "file=x.c,line=9,col=4,title=P203"),
        "by a module": ({"at": [frame], "modules": [module]}, " at libx.so+0x10\n"),
        "by a module without a folder": ({"at": [frame], "modules": [{"path": "app"}]},
                                         " at app+0x10\n"),
        "by a module that is not there": ({"at": [{**frame, "module": 9}], "modules": [module]},
                                          "::error title=P203 double free::double free"),
        "by nothing": ({}, "::error title=P203 double free::double free"),
    }
    for what, (members, expected) in cases.items():
        outcome = collect(shop, "places", [record(id="00000001", **members)],
                          GITHUB_ACTIONS="true")
        tap.check(f"{name}: {what}", [
            *outcome.expect(86, expected), *problems_of(shop.work / "places", 1)])


def unwritten(tap, shop, name):
    """A disk that is full after one file or two, and folders in the place of files."""
    folder = shop.work / "unwritten"
    for what in ("report.sarif", "junit.xml", "report.jsonl"):
        (folder / what).mkdir(parents=True)
        outcome = shop.run(f"--ci={folder}", shop.probe, "tell")
        shutil.rmtree(folder)
        tap.check(f"{name}: {what} is a folder", [
            *outcome.expect(125, "cannot be used"), outcome.stdout and "it did run"])
    folder.mkdir()
    for pages in (1, 2):
        mount = f"mount -t tmpfs -o size={pages * os.sysconf('SC_PAGE_SIZE')} none {folder}"
        probe = elsewhere(shop, mount, "--version")
        if probe.status:
            tap.skip(f"{name}: a full disk", "only root can mount, where it may")
            continue
        outcome = elsewhere(shop, mount, "run", f"--ci={folder}", shop.probe, "twice")
        tap.check(f"{name}: a disk of {pages} pages is full",
                  outcome.expect(125, "the results cannot be written"))


def records_that_lie(tap, shop, name):
    frame = {"pc": "0x5", "offset": "0x1100", "module": 0}
    named = {"function": "known", "file": "k.c", "line": 4, "module": 0}
    helper = fake_symbolizer(shop, "frame\t7\t3\tinner\tsrc/a.c\tfree(p);\n"
                             "frame\t20\t0\touter\tsrc/b.c\t\n")
    module = {"path": str(shop.probe)}
    outcome = shop("explain", "-", text=bug(
        shop, at=[{**frame, "module": 1}, {**frame, "module": 2}, named],
        modules=[module, {"path": "/nonexistent/x.so"}]))
    tap.check(f"{name}: frames of modules that are not there keep their addresses", [
        *outcome.expect(0, stdout=" x.so+0x1100\n"), *outcome.expect(0, stdout=" 0x5\n"),
        *outcome.expect(0, stdout="known  k.c:4"), *outcome.expect(0, stdout="inner src/a.c:7")])
    leak = {"bytes": 5, "blocks": 1, "stack": [frame]}
    outcome = shop("explain", "-", text=bug(shop, code="P501", leaks=[leak, leak], leak_places=2))
    tap.check(f"{name}: leaks get names", [
        outcome.stdout.count("inner src/a.c:7") != 2 and outcome.stdout, *outcome.expect(0, "")])
    outcome = shop("explain", "-", text=bug(shop, at=[frame] * 16))
    helper.unlink()
    tap.check(f"{name}: names push frames out, and nothing else",
              outcome.expect(0, stdout="inner  src/a.c:7"))
    line = ("spanguard[1]: P203 double \\\"free\\\": free: a block (profile=fast at=app+0x1 "
            "id=3af44cc4)")
    outcome = shop("explain", "-", text='{"spanguard_line":1,"line":"' + line + '"}\n')
    tap.check(f"{name}: a line with quotes in a record",
              outcome.expect(0, stdout='spanguard: double "free": free: a block'))
    others = {"a line of another kind": '{"spanguard_other":1,"line":"x"}',
              "a record without its line": '{"spanguard_line":1}',
              "a record that ends in an escape": '{"spanguard_line":1,"line":"x\\'}
    for what, text in others.items():
        tap.check(f"{name}: {what}", shop("explain", "-", text=text).expect(1, "no report in it"))


def lines_without_end(tap, shop, name):
    command = f"ulimit -v 100000; exec timeout 2 {shop.command} explain /dev/zero"
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False)
    tap.check(f"{name}: its memory stays bounded",
              [] if done.returncode == 124 else [f"status {done.returncode}: {done.stderr}"])
    log = shop.work / "long-line"
    log.write_text("x" * (3 << 20) + "\n" + LINE + "\n")
    tap.check(f"{name}: a report behind a line of 3 MiB", shop("explain", str(log)).expect(
        0, stdout="P203"))


def lines_that_lie(tap, shop, name):
    facts = "(profile=fast at=app+0x1 id=3af44cc4)"
    for what, line in {
            "no bracket": f"spanguard[1: P203 t: f: o {facts}",
            "no code": f"spanguard[1]: X203 t: f: o {facts}",
            "a code of letters": f"spanguard[1]: P2x3 t: f: o {facts}",
            "a long code": f"spanguard[1]: P2033 t: f: o {facts}",
            "no function": f"spanguard[1]: P203 title {facts}",
            "no observation": f"spanguard[1]: P203 title: f {facts}",
            "facts in front": f"x {facts} spanguard[1]: P203 t: f: o",
            "no id": "spanguard[1]: P203 t: f: o (profile=fast at=app+0x1 class)"}.items():
        tap.check(f"{name}: {what}", shop("explain", line).expect(1, "no complete report"))
    frames = "<".join(f"app+0x{number:x}" for number in range(1, 20))
    outcome = shop("explain", "spanguard[1]: P999 t: f: o (profile=fast other=1 id=3af44cc4 "
                   f"at=app allocated={frames}<x)")
    tap.check(f"{name}: more frames than there may be, and none", [
        *outcome.expect(0, stdout="app+0x8\n"), "app+0x9" in outcome.stdout and outcome.stdout,
        "  at " in outcome.stdout and outcome.stdout])


def on_terminal(shop, text, **env):
    ours, theirs = pty.openpty()
    subprocess.run([shop.command, "explain", "-"], input=text.encode(), stdout=theirs, timeout=30,
                   check=False, env=shop.environment(env))
    os.close(theirs)
    said = os.read(ours, 65536).decode()
    os.close(ours)
    return said


def terminals(tap, shop, name):
    text = bug(shop)
    tap.check(f"{name} has colours", ["\x1b[" not in on_terminal(shop, text) and "none"])
    tap.check(f"{name} has them with an empty NO_COLOR",
              ["\x1b[" not in on_terminal(shop, text, NO_COLOR="") and "none"])
    tap.check(f"{name} has none with NO_COLOR",
              ["\x1b[" in on_terminal(shop, text, NO_COLOR="1") and "some"])


def elf(bits=64, count=0, segment=(), file_bytes=4096, **header):
    """A program file: its header, one segment, blanks."""
    wide = bits == 64
    fields = {"machine": 62 if wide else 3, "segments": 64 if wide else 52,
              "entry": 56 if wide else 32, **header}
    ident = b"\x7fELF" + bytes([2 if wide else 1, 1, 1]) + bytes(9)
    form = "<HHIQQQIHHHHHH" if wide else "<HHIIIIIHHHHHH"
    data = ident + struct.pack(form, 3, fields["machine"], 1, 0, fields["segments"], 0, 0,
                               64 if wide else 52, fields["entry"], count, 0, 0, 0)
    if segment:
        kind, offset, length = segment
        data += (struct.pack("<IIQQQQQQ", kind, 5, offset, 0, 0, length, length, 1) if wide else
                 struct.pack("<IIIIIIII", kind, offset, 0, 0, length, length, 5, 1))
    return (data + bytes(file_bytes))[:file_bytes]


def program_files(tap, shop, name):
    broken = "is no complete program file"
    cases = {
        "a header cut short": (elf(file_bytes=40), broken),
        "a narrow header cut short": (elf(32, file_bytes=40), broken),
        "segments behind its end": (elf(count=1, segments=8000), broken),
        "narrow segments behind its end": (elf(32, count=1, segments=8000), broken),
        "segments beyond all files": (elf(count=1, segments=2**64 - 8), broken),
        "more segments than any has": (elf(count=513), broken),
        "a loader without a name": (elf(count=1, segment=(3, 200, 0)), broken),
        "a loader with a name too long": (elf(count=1, segment=(3, 200, 2**40)), broken),
        "a loader behind its end": (elf(count=1, segment=(3, 9000, 20)), broken),
        "a loader with an empty name": (elf(count=1, segment=(3, 200, 8)), "needs the loader ''"),
        "32 bits": (elf(32, count=1, segment=(3, 200, 8)), "is a 32-bit program"),
        "32 bits, static": (elf(32), "is a 32-bit program"),
        "another processor": (elf(machine=243), "for another processor (ELF machine 243"),
    }
    for what, (data, expected) in cases.items():
        path = shop.folder / "odd-program"
        path.write_bytes(data)
        path.chmod(0o755)
        outcome = shop.run(path)
        tap.check(f"{name}: {what}", [
            outcome.status not in (125, 126) and f"status {outcome.status}",
            expected not in outcome.stderr and outcome.stderr])


def damaged(data, at, form, value):
    return data[:at] + struct.pack(form, value) + data[at + struct.calcsize(form):]


def symbol_tables(tap, shop, name):
    """Whether a program has a malloc of its own is asked of tables that may be damaged: it has
    none then, and runs."""
    whole = shop.compile("own-table", "-DOWN_MALLOC", "-rdynamic").read_bytes()
    sections, = struct.unpack_from("<Q", whole, 40)
    count, = struct.unpack_from("<H", whole, 60)
    rows = [sections + 64 * number for number in range(count)]
    table = next(row for row in rows if struct.unpack_from("<I", whole, row + 4) == (11,))
    names = rows[struct.unpack_from("<I", whole, table + 40)[0]]
    cases = {
        "sections behind its end": damaged(whole, 40, "<Q", len(whole)),
        "sections beyond all files": damaged(whole, 40, "<Q", 2**64 - 64),
        "sections that are not aligned": damaged(whole, 40, "<Q", sections + 1),
        "sections of another size": damaged(whole, 58, "<H", 40),
        "no sections": damaged(whole, 60, "<H", 0),
        "a table behind its end": damaged(whole, table + 24, "<Q", len(whole) + 8),
        "a table that is too long": damaged(whole, table + 32, "<Q", 2**40),
        "a table without names": damaged(whole, table + 40, "<I", count),
        "names behind its end": damaged(whole, names + 24, "<Q", len(whole) + 8),
        "names at its end": damaged(whole, names + 24, "<Q", len(whole) - 1),
    }
    path = shop.folder / "odd-table"
    for what, data in {"whole": whole, **cases}.items():
        path.write_bytes(data)
        path.chmod(0o755)
        outcome = shop("doctor", "--", path)
        has_own = "has a malloc of its own" in outcome.stdout
        tap.check(f"{name}: {what}", [
            has_own != (what == "whole") and f"it says {outcome.stdout!r}",
            outcome.status != int(has_own) and f"status {outcome.status}"])


def paths(tap, shop, name):
    long = "x" * 5000
    tap.check(f"{name}: one that is too long", shop.run(f"/{long}").expect(127, "too long"))
    tap.check(f"{name}: an empty one", shop.run("").expect(127, "no such program"))
    hidden = shop.script("hidden-tool", "#!/bin/sh\n", mode=0o644)
    env = {"PATH": f"/nonexistent::{shop.folder}"}
    tap.check(f"{name}: of PATH, not executable",
              shop.run(hidden.name, env=env).expect(126, "may not be executed"))
    (shop.folder / "a-folder").mkdir()
    tap.check(f"{name}: of PATH, a folder",
              shop.run("a-folder", env=env).expect(127, "no such program in PATH"))
    tool = shop.script("work/here-tool", "#!/bin/sh\nexit 7\n")
    tap.check(f"{name}: of an empty entry of PATH, the current folder",
              shop.run(tool.name, env=env).expect(7))
    outcome = shop("-u", "PATH", shop.command, "run", "sh", "-c", "exit 5", command="/usr/bin/env")
    tap.check(f"{name}: without PATH, the usual folders", outcome.expect(5))
    lines = {"with -S": "-S sh", "with a variable": "X=1 sh", "with an option": "-i sh", "bare": ""}
    for what, line in lines.items():
        script = shop.script("env-odd", f"#!/usr/bin/env {line}\nexit 6\n")
        tap.check(f"{name}: env {what} is passed on", [
            shop("doctor", "--", script).status and "doctor says no"])


CHECKS = {"odd bytes": byte_strings, "places": places, "files that cannot be written": unwritten,
          "odd records": records_that_lie, "odd lines": lines_that_lie,
          "endless lines": lines_without_end, "a terminal": terminals,
          "odd program files": program_files, "odd tables of symbols": symbol_tables,
          "odd paths": paths}
