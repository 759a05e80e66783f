"""spanguard explain: codes, lines, records, files, streams, names of modules."""
import json
import shutil

from checks_ci import fake_symbolizer
from harness import HERE

LINE = ("spanguard[4711]: P203 double free: free: a block of 120 bytes that is already free "
        "(profile=hardened class=8 at=app+0x11b5 id=3af44cc4)")
SAMPLED = ("spanguard[9]: P201 use after free: fault: READ at +3 of a freed block of 64 bytes "
           "(profile=hardened class=large at=app+0x12be id=a5387e15 "
           "allocated=app+0x12b2<libc.so.6+0x2724a freed=app+0x12bd)")


def bug(shop, **more):
    """A record of the debug library, without names; not as it writes it, but as it may be read."""
    frame = {"pc": "0x555555555100", "offset": "0x1100", "module": 0}
    facts = {
        "spanguard_report": 1, "code": "P203", "process": 4711, "id": "0badcafe",
        "program": "probe", "profile": "debug", "function": "free", "found": "", "thread": 1,
        "at": [frame],
        "block": {"known": True, "freed": True, "bytes": 120,
                  "allocated_by": {"function": "malloc", "stack": [{**frame, "offset": "0x1200"}]}},
        "modules": [{"path": str(shop.probe)}], **more}
    return json.dumps(facts, separators=(",", ":")) + "\n"


def codes(tap, shop, name):
    for code in ("P203", "p801"):
        tap.check(f"{name}: {code}", shop("explain", code).expect(0, stdout=f"{code.upper()}  "))
    for code in ("P999", "p999"):
        tap.check(f"{name}: {code} is none", shop("explain", code).expect(
            1, "no report has the code 'P999'"))


def sources(tap, shop, name):
    record = json.dumps({"spanguard_line": 1, "id": "3af44cc4", "line": LINE},
                        separators=(",", ":")) + "\n"
    log = shop.work / "log"
    log.write_text(f"some words\nNov 21 10:00:00 host app: {LINE}\nspanguard[1]: a notice\n"
                   "{\"not\": \"ours\"}\n" + SAMPLED)
    headline = "spanguard: double free: free: a block of 120 bytes that is already free   [P203]"
    cases = {
        "an argument": shop("explain", LINE),
        "standard input": shop("explain", "-", text=LINE),
        "a record": shop("explain", "-", text=record),
        "a log": shop("explain", log),
    }
    for what, outcome in cases.items():
        tap.check(f"{name}: {what}", [
            *outcome.expect(0, stdout=headline), *outcome.expect(0, stdout="  at       app+0x11b5"),
            *outcome.expect(0, stdout="report   3af44cc4 of process 4711, profile hardened")])
    both = cases["a log"]
    tap.check(f"{name}: all that a log has", both.expect(0, stdout="  freed by app+0x12bd\n"))
    bad = {
        "a file that is absent": (["/nonexistent/log"], "No such file"),
        "a folder": ([shop.work], "cannot be read"),
        "four letters that are no code": (["abcd"], "'abcd': No such file"),
        "a record that is none": (["{}"], "no complete report"),
        "a report cut short": ([LINE[:60]], "no complete report"),
        "a log without reports": ([shop.script("nothing", "words\n")], "has no report in it"),
    }
    for what, (arguments, expected) in bad.items():
        tap.check(f"{name}: {what} ends with 1", shop("explain", *arguments).expect(1, expected))


def hostile(tap, shop, name):
    line = LINE.replace("double free:", "dou\x1b[2Jble:").replace("class=8", "class=\x07")
    outcome = shop("explain", line)
    tap.check(f"{name} lines reach no terminal", [
        *outcome.expect(0, stdout="spanguard: dou?[2Jble:"),
        "\x1b" in outcome.stdout and "an escape sequence came through"])
    for cut in range(len(SAMPLED)):
        if shop("explain", SAMPLED[:cut] + "(" * 3000).status not in (0, 1):
            tap.check(f"{name} lines cut at {cut}", ["neither 0 nor 1"])
            return
    tap.check(f"{name} lines are answered wherever they are cut", [])


def symbols(tap, shop, name):
    module = ["--module", f"app={shop.probe}"]
    helper = fake_symbolizer(shop, "frame\t7\t3\tinner\tsrc/a.c\tfree(p); /* 100%25 */\n"
                             "frame\t20\t0\touter\x01\tsrc/a.c\t\n")
    outcome = shop("explain", *module, LINE)
    tap.check(f"{name}: functions, files, lines, source", outcome.expect(
        0, stdout="  at       inner  src/a.c:7    free(p); /* 100% */\n"
        "           outer?  src/a.c:20"))
    found = shop("explain", "--program", shop.probe, LINE.replace("app+", "probe+"))
    tap.check(f"{name}: of --program", found.expect(0, stdout="inner  src/a.c:7"))
    found = shop("explain", LINE.replace("app+", "probe+"),
                 env={"PATH": f"{shop.folder}:/usr/bin:/bin"})
    tap.check(f"{name}: of a program in PATH", found.expect(0, stdout="inner  src/a.c:7"))
    found = shop("explain", LINE.replace("app+", "libc.so.6+"))
    tap.check(f"{name}: of a library of the system", found.expect(0, stdout="inner  src/a.c:7"))
    fake_symbolizer(shop, "frame\t0\t0\t\tsrc/a.c\t\nframe\t0\t0\touter\t\t\n" * 9)
    few = shop("explain", *module, LINE)
    tap.check(f"{name}: as far as they are known, and no more than there is room for", [
        *few.expect(0, stdout="  at       (unknown)  src/a.c\n           outer\n"),
        few.stdout.count("outer") > 8 and few.stdout])
    odd = shutil.copy(shop.probe, shop.folder / "p%\x01\x7f")
    told = shop.folder / "told"
    shop.script("bin/spanguard-symbolize", f"#!/bin/sh\nexec cat > {told}\n")
    shop("explain", "-m", f"app={odd}", LINE)
    tap.check(f"{name}: of a module whose path has odd characters",
              ["/p%25%01%7F\n" not in told.read_text() and told.read_text()])
    fake_symbolizer(shop, "frame\t7\t3\tinner\tsrc/a.c\tfree(p);\n")
    unknown = shop("explain", LINE)
    tap.check(f"{name}: none where the module is not found",
              unknown.expect(0, stdout="  at       app+0x11b5\n"))
    broken = {
        "one that fails": "exit 1",
        "one that answers rubbish": "echo frame; echo .; echo .",
        "one that says too much": "head -c 6000000 /dev/zero",
        "one that answers more than was asked": "printf 'frame\\t7\\t3\\tf\\n.\\n.\\nend\\n'",
        "one that stops half-way": "printf 'frame\\t7\\t3\\tinner'",
    }
    for what, text in broken.items():
        helper = shop.script("bin/spanguard-symbolize", f"#!/bin/sh\n{text}\n")
        tap.check(f"{name}: offsets from {what}",
                  shop("explain", *module, LINE).expect(0, stdout="  at       app+0x11b5\n"))
    helper.unlink()


def records(tap, shop, name):
    plain = shop("explain", "-", text=bug(shop))
    tap.check(f"{name} without names", [
        *plain.expect(0, stdout="double free"), *plain.expect(0, stdout="[P203]"),
        *plain.expect(0, stdout="0badcafe"), *plain.expect(0, stdout="probe+0x1100"),
        *plain.expect(0, stdout="probe+0x1200"), "\x1b" in plain.stdout and "colour in a pipe"])
    helper = fake_symbolizer(shop, "frame\t7\t3\tinner\tsrc/a.c\tfree(p);\n"
                             "frame\t20\t0\touter\tsrc/b.c\t\n")
    named = shop("explain", "-", text=bug(shop) + bug(shop, process=4712))
    helper.unlink()
    tap.check(f"{name} get names, of inlined functions as well", [
        *named.expect(0, stdout="inner"), *named.expect(0, stdout="src/a.c:7"),
        *named.expect(0, stdout="src/b.c:20"), *named.expect(0, stdout="free(p);"),
        "probe+0x1" in named.stdout and named.stdout,
        named.stdout.count("[P203]") != 2 and "not both"])
    for what, text in {"cut": bug(shop)[:-20], "of another time": bug(shop, spanguard_report=9),
                       "of no code": bug(shop, code="P999")}.items():
        tap.check(f"{name} {what}",
                  shop("explain", "-", text=text).expect(1, "standard input has no report in it"))


def real_names(tap, shop, name):
    if shop.symbolize is None:
        tap.skip(name, "spanguard-symbolize is not built: libdw-dev is missing")
        return
    link = shop.folder / "bin" / "spanguard-symbolize"
    link.symlink_to(shop.symbolize)
    made = shop.run(shop.probe, "twice")
    explained = shop("explain", "-", "--program", shop.probe, text=made.stderr)
    collected = shop.run("--ci=real", shop.probe, "twice", env={"GITHUB_ACTIONS": "true"})
    link.unlink()
    source = (HERE / "probe.c").read_text().splitlines()
    line = source.index("    free(block);", source.index("    free(block);") + 1) + 1
    tap.check(f"{name}: of a double free", [
        *explained.expect(0, stdout="free_twice  "),
        *explained.expect(0, stdout=f"probe.c:{line}    free(block);")])
    tap.check(f"{name}: in an annotation", [
        *collected.expect(86, f"probe.c,line={line},")])


CHECKS = {"codes": codes, "reports in": sources, "hostile": hostile, "names": symbols,
          "records": records, "names by spanguard-symbolize": real_names}
