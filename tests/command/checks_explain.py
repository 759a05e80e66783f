"""spanguard explain: codes, lines, records, files, streams, names of modules."""
import json

from checks_ci import fake_symbolizer

LINE = ("spanguard[4711]: P203 double free: free: a block of 120 bytes that is already free "
        "(profile=hardened class=8 at=app+0x11b5 id=3af44cc4)")
SAMPLED = ("spanguard[9]: P201 use after free: fault: READ at +3 of a freed block of 64 bytes "
           "(profile=hardened class=large at=app+0x12be id=a5387e15 "
           "allocated=app+0x12b2<libc.so.6+0x2724a freed=app+0x12bd)")


def codes(tap, shop, name):
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
        "a report cut short": ([LINE[:60]], "no complete report"),
        "a log without reports": ([shop.script("nothing", "words\n")], "has no report in it"),
    }
    for what, (arguments, expected) in bad.items():
        tap.check(f"{name}: {what} ends with 1", shop("explain", *arguments).expect(1, expected))


def hostile(tap, shop, name):
    line = LINE.replace("double free:", "dou\x1b[2Jble:").replace("class=8", "class=\x07")
    outcome = shop("explain", line)
    tap.check(f"{name} lines reach no terminal", [
        *outcome.expect(0, stdout="spanguard: dou?[2Jble:"), "\x1b" in outcome.stdout and "an escape sequence came through"])
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
        0, stdout="  at       inner  src/a.c:7    free(p); /* 100% */\n           outer?  src/a.c:20"))
    found = shop("explain", "--program", shop.probe, LINE.replace("app+", "probe+"))
    tap.check(f"{name}: of --program", found.expect(0, stdout="inner  src/a.c:7"))
    found = shop("explain", LINE.replace("app+", "probe+"),
                 env={"PATH": f"{shop.folder}:/usr/bin:/bin"})
    tap.check(f"{name}: of a program in PATH", found.expect(0, stdout="inner  src/a.c:7"))
    found = shop("explain", LINE.replace("app+", "libc.so.6+"))
    tap.check(f"{name}: of a library of the system", found.expect(0, stdout="inner  src/a.c:7"))
    unknown = shop("explain", LINE)
    tap.check(f"{name}: none where the module is not found",
              unknown.expect(0, stdout="  at       app+0x11b5\n"))
    for what, text in {"one that fails": "#!/bin/sh\nexit 1\n",
                       "one that answers rubbish": "#!/bin/sh\necho frame; echo .; echo .\n",
                       "one that stops half-way": "#!/bin/sh\nprintf 'frame\\t7\\t3\\tinner'\n"}.items():
        helper = shop.script("bin/spanguard-symbolize", text)
        tap.check(f"{name}: offsets from {what}",
                  shop("explain", *module, LINE).expect(0, stdout="  at       app+0x11b5\n"))
    helper.unlink()


CHECKS = {"codes": codes, "reports in": sources, "hostile": hostile, "names": symbols}
