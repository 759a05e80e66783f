"""run --ci: the reports of all descendants, and files that tools read."""
import json
import os
import pathlib
import shutil
import signal
import time
import xml.etree.ElementTree

REPORT = "P203 double free: free: a block of 120 bytes that is already free"


def results(folder):
    """Records, SARIF's only run, JUnit's only suite."""
    records = [json.loads(line) for line in (folder / "report.jsonl").read_text().splitlines()]
    sarif = json.loads((folder / "report.sarif").read_text())
    suite = xml.etree.ElementTree.parse(folder / "junit.xml").getroot().find("testsuite")
    return records, sarif, suite


def text_problems(where, holder):
    if not isinstance(holder, dict) or not isinstance(holder.get("text"), str):
        yield f"{where}: no text in {holder}"


def location_problems(location):
    physical = location.get("physicalLocation")
    if physical is not None:
        uri = physical["artifactLocation"]["uri"]
        yield (" " in uri or not uri) and f"uri {uri!r}"
        region = physical.get("region", {"startLine": 1})
        yield not (isinstance(region["startLine"], int) and region["startLine"] > 0) and region
    for logical in location.get("logicalLocations", []):
        yield not logical["fullyQualifiedName"] and "an empty name"


def sarif_problems(sarif, ids):
    """What the schema of SARIF 2.1.0 demands of what we write, and what we promise."""
    yield sarif.get("version") != "2.1.0" and sarif.get("version")
    yield "sarif-2.1.0" not in sarif.get("$schema", "") and sarif.get("$schema")
    yield len(sarif.get("runs", [])) != 1 and "not one run"
    run = sarif["runs"][0]
    driver = run["tool"]["driver"]
    yield driver["name"] != "spanguard" and driver["name"]
    yield not isinstance(run["invocations"][0]["executionSuccessful"], bool) and "no bool"
    rules = [rule["id"] for rule in driver["rules"]]
    yield len(rules) != len(set(rules)) and f"rules twice: {rules}"
    for rule in driver["rules"]:
        yield from text_problems(rule["id"], rule["shortDescription"])
        yield from text_problems(rule["id"], rule["help"])
    found = []
    for result in run["results"]:
        yield rules[result["ruleIndex"]] != result["ruleId"] and f"rule of {result['ruleId']}"
        yield result["level"] != "error" and result["level"]
        yield from text_problems("message", result["message"])
        for location in result.get("locations", []):
            yield from location_problems(location)
        found += result["partialFingerprints"].values()
    yield sorted(found) != sorted(ids) and f"results {found}, expected {ids}"


def junit_problems(suite, ids):
    cases = suite.findall("testcase")
    failed = [case for case in cases if case.find("failure") is not None]
    yield suite.get("tests") != str(len(cases)) and f"tests={suite.get('tests')}"
    yield suite.get("failures") != str(len(ids)) and f"failures={suite.get('failures')}"
    yield len(failed) != len(ids) and f"{len(failed)} failed cases"
    for case, identity in zip(failed, ids):
        yield identity not in case.get("name") and case.get("name")
        yield not case.find("failure").text and "no text"


def problems_of(folder, count):
    """`count` different mistakes are in all three files."""
    records, sarif, suite = results(folder)
    ids = list(dict.fromkeys(record["id"] for record in records))
    yield len(ids) != count and f"{len(ids)} ids, expected {count}: {records}"
    yield from sarif_problems(sarif, ids)
    yield from junit_problems(suite, ids)


def descendants(tap, shop, name):
    out = shop.work / "reports"
    cases = {
        "a child": ["child", "twice"],
        "a grandchild": ["child", "child", "twice"],
        "a grandchild that outlives all": ["orphan", "orphan", "sleep", "300", "twice"],
    }
    for what, actions in cases.items():
        shutil.rmtree(out, ignore_errors=True)
        outcome = shop.run("--ci", shop.probe, *actions)
        tap.check(f"{name}: {what} that reports makes 86, though the program ends with 0", [
            *outcome.expect(86, REPORT), *problems_of(out, 1),
            "1 report of 1 mistake, in reports" not in outcome.stderr and outcome.stderr])
    record = results(out)[0][0]
    tap.check(f"{name}: the record says what the line says", [
        record["spanguard_line"] != 1 and "no version",
        (record["code"], record["title"], record["function"], record["profile"]) !=
        ("P203", "double free", "free", "hardened") and str(record),
        not record["at"].startswith("probe+0x") and record["at"],
        REPORT not in record["line"] and record["line"]])


def own_status(tap, shop, name):
    folder = shop.work / "own" / "deep"
    cases = {"an exit": (["exit", "3"], 3), "a success": ([], 0), "a signal": (["kill", "9"], 137)}
    for what, (actions, status) in cases.items():
        outcome = shop.run(f"--ci={folder}", shop.probe, "sleep", "1", *actions)
        records, sarif, _suite = results(folder)
        tap.check(f"{name}: without reports {what} is passed on, in silence", [
            *outcome.expect(status), *problems_of(folder, 0), records and "records",
            sarif["runs"][0]["invocations"][0]["exitCode"] != status and "SARIF's exitCode"])
    ignored = shop.start("run", f"--ci={folder}", shop.probe, "exit", "3",
                         preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
    tap.check(f"{name}: also if SIGCHLD came ignored", shop.finish(ignored).expect(3))
    told = shop.start("run", f"--ci={folder}", "grep", "SigIgn", "/proc/self/status",
                      preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
    kept = int(shop.finish(told).stdout.split()[1], 16) >> (signal.SIGCHLD - 1) & 1
    tap.check(f"{name}: which the program finds as it was", [not kept and "it is not ignored"])
    shop.run(f"--ci={folder}", shop.probe, "twice")
    after = shop.run(f"--ci={folder}", shop.probe)
    tap.check(f"{name}: what an earlier run left does not count",
              [*after.expect(0), *problems_of(folder, 0)])


def together(tap, shop, name):
    folder = shop.work / "together"
    script = shop.script("together.sh", "#!/bin/sh\n"
                         f"{shop.probe} twice; {shop.probe} twice; {shop.probe} inside; exit 0\n")
    outcome = shop.run(f"--ci={folder}", script)
    records, sarif, _suite = results(folder)
    counts = sorted(result["occurrenceCount"] for result in sarif["runs"][0]["results"])
    tap.check(f"{name}: each report is a record, each mistake a result", [
        *outcome.expect(86, "3 reports of 2 mistakes"), *problems_of(folder, 2),
        len(records) != 3 and f"{len(records)} records", counts != [1, 2] and str(counts)])


def surroundings(tap, shop, name):
    folder = shop.work / "surroundings"
    outcome = shop.run("--ci=surroundings", shop.probe, "tell")
    tap.check(f"{name}: the file for records has an absolute path",
              outcome.expect(0, stdout=f"file={folder}/report.jsonl"))
    outcome = shop.run("--ci=surroundings", "-o", "report=journal", shop.probe, "twice")
    tap.check(f"{name}: reports come in whatever the options say of them",
              outcome.expect(86, REPORT))
    low = shop("-c", f"ulimit -n 32; exec {shop.command} run --ci=surroundings {shop.probe} twice",
               command="/bin/sh")
    tap.check(f"{name}: with few descriptors", low.expect(86, REPORT))
    low = shop.run("--ci=surroundings", shop.probe, "close", "3", "twice")
    tap.check(f"{name}: a program that closes all descriptors still reports",
              low.expect(134, REPORT))
    (shop.work / "file").write_text("")
    for path in ("file", "file/below", "/proc/none"):
        outcome = shop.run(f"--ci={path}", shop.probe, "tell")
        tap.check(f"{name}: the folder {path} is refused", [
            *outcome.expect(125, "; --ci=FOLDER names another"), outcome.stdout and "it did run"])
    garbage = shop.script("garbage.sh", "#!/bin/sh\necho '{\"no\": 1' >> $SPANGUARD_REPORT_FILE\n")
    outcome = shop.run("--ci=surroundings", garbage)
    tap.check(f"{name}: a record that is none is named", outcome.expect(0, "cannot be read"))


def stragglers(tap, shop, name):
    start = time.monotonic()
    outcome = shop.run("--ci", "--timeout", "1", shop.probe, "orphan", "quiet", "sleep", "8000")
    seconds = time.monotonic() - start
    tap.check(f"{name}: they are waited for as long as was said, and named", [
        *outcome.expect(0, "still run: their reports are not counted"),
        not 0.9 < seconds < 6 and f"{seconds:.1f} s"])
    start = time.monotonic()
    outcome = shop.run("--ci", "--timeout", "20", shop.probe, "orphan", "quiet", "sleep", "500")
    seconds = time.monotonic() - start
    tap.check(f"{name}: and no longer than they run", [
        *outcome.expect(0), not 0.4 < seconds < 10 and f"{seconds:.1f} s"])


def signals(tap, shop, name):
    for number in (signal.SIGTERM, signal.SIGUSR1):
        process = shop.start("run", "--ci", shop.probe, "wait", "20000")
        process.stdout.readline()
        os.kill(process.pid, number)
        outcome = shop.finish(process)
        tap.check(f"{name}: {number.name} reaches the program, its status is passed on",
                  outcome.expect(40 + number % 16))
    process = shop.start("run", "--ci", "--timeout", "60", "/bin/sh", "-c",
                         f"{shop.probe} quiet sleep 8000 & echo ready")
    process.stdout.readline()
    time.sleep(0.3)  # the shell has ended by then; if not, the signal ends it
    os.kill(process.pid, signal.SIGTERM)
    start = time.monotonic()
    outcome = shop.finish(process)
    tap.check(f"{name}: SIGTERM ends the wait for what outlives the program", [
        outcome.status not in (0, 143) and f"status {outcome.status}",
        time.monotonic() - start > 7 and "it went on waiting"])


def fake_symbolizer(shop, reply):
    """Stands in for the program: answers every question with the same frames."""
    return shop.script("bin/spanguard-symbolize", f"""#!/usr/bin/python3
import sys
lines = sys.stdin.read().splitlines()
assert lines[-1] == "end" and lines[0].startswith("module - /"), lines
for line in lines:
    if line.startswith("code "):
        sys.stdout.write({reply!r} + ".\\n")
print("end")
""")


def annotations(tap, shop, name):
    github = {"GITHUB_ACTIONS": "true"}
    plain = shop.run("--ci=github", shop.probe, "twice")
    tap.check(f"{name}: none elsewhere", ["::error" in plain.stderr and plain.stderr])
    outcome = shop.run("--ci=github", shop.probe, "twice", env=github)
    tap.check(f"{name}: a mistake whose line is not known", [
        *outcome.expect(86, "::error title=P203 double free::double free: free: a block of 120"),
        "::error" in outcome.stdout and "on stdout"])
    helper = fake_symbolizer(shop, "frame\t7\t3\tfree,twice\ta dir/b:c.c\tfree(p);\n")
    outcome = shop.run("--ci=github", shop.probe, "twice", env=github)
    helper.unlink()
    tap.check(f"{name}: with file, line and column", outcome.expect(
        86, "::error file=a dir/b%3Ac.c,line=7,col=3,title=P203 double free::double free: free"))
    sarif = results(pathlib.Path(shop.work / "github"))[1]
    place = sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
    tap.check(f"{name}: SARIF has the same place", [
        place["artifactLocation"]["uri"] != "a%20dir/b%3Ac.c" and str(place),
        place["region"] != {"startLine": 7, "startColumn": 3} and str(place)])


def of_debug(tap, shop, name):
    """Records as the debug library appends them, here by a script in its place."""
    at = [{"pc": "0x1", "offset": "0x1", "function": "f", "line": 9, "column": 2,
           "file": str(shop.work / "src" / "x.c")}]
    first = {"spanguard_report": 1, "code": "P101", "process": 11, "id": "00000001",
             "program": "a<b", "profile": "debug", "function": "free", "at": at}
    folder = shop.work / "records"
    lines = [first, {**first, "process": 12},
             {**first, "code": "P501", "id": "00000002", "at": [], "leak_bytes": 10,
              "leak_blocks": 1, "leak_places": 1}]
    path = shop.work / "lines"
    path.write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))
    script = shop.script("append.sh", f"#!/bin/sh\ncat {path} >> $SPANGUARD_REPORT_FILE\n")
    outcome = shop.run(f"--ci={folder}", script, env={"GITHUB_ACTIONS": "true"})
    _records, sarif, suite = results(folder)
    result = sarif["runs"][0]["results"][0]
    physical = result["locations"][0]["physicalLocation"]
    tap.check(f"{name}: counted by id, with their place relative to the current folder", [
        *outcome.expect(86, "3 reports of 2 mistakes"), *problems_of(folder, 2),
        *outcome.expect(86, "::error file=src/x.c,line=9,col=2,title=P101 heap overflow::heap"),
        result["occurrenceCount"] != 2 and str(result["occurrenceCount"]),
        physical["artifactLocation"]["uri"] != "src/x.c" and str(physical),
        "[P101]" in result["message"]["text"] and "the code is in the message",
        "heap overflow" not in result["message"]["text"] and str(result["message"]),
        "Why:" not in sarif["runs"][0]["tool"]["driver"]["rules"][0]["help"]["text"] and "no help",
        suite.find("testcase").get("classname") != "a<b" and "another class",
        "[P101]" not in suite.find("testcase/failure").text and "not the whole report"])


def of_late(tap, shop, name):
    """What was found late is shown where its block comes from, not where it was looked at."""
    def stack(line):
        return [{"pc": "0x1", "offset": "0x1", "function": "f", "line": line, "file": "/x.c"}]
    made = {"function": "malloc", "stack": stack(20)}
    freed = {"function": "free", "stack": stack(30)}
    base = {"spanguard_report": 1, "process": 1, "program": "p", "profile": "debug",
            "function": "free", "at": stack(10)}
    live = {"known": True, "freed": False, "start": "0x10", "allocated_by": made}
    dead = {**live, "freed": True, "freed_by": freed}
    cases = [({"code": "P101", "late": True, "block": live}, 20),
             ({"code": "P202", "late": True, "block": dead}, 30),
             ({"code": "P202", "late": True}, 10),
             ({"code": "P201", "late": False, "block": dead}, 10)]
    path = shop.work / "late-lines"
    records = [{**base, **facts, "id": f"0000001{i}"} for i, (facts, _line) in enumerate(cases)]
    path.write_text("".join(json.dumps(record, separators=(",", ":")) + "\n"
                            for record in records))
    script = shop.script("late.sh", f"#!/bin/sh\ncat {path} >> $SPANGUARD_REPORT_FILE\n")
    outcome = shop.run("--ci=late", script)
    _records, sarif, suite = results(shop.work / "late")
    lines = [result["locations"][0]["physicalLocation"]["region"]["startLine"]
             for result in sarif["runs"][0]["results"]]
    cased = [int(case.get("line")) for case in suite.iter("testcase")]
    expected = [line for _facts, line in cases]
    tap.check(f"{name}: by who freed it, else by who made it, else where it was found", [
        *outcome.expect(86, "4 reports of 4 mistakes"),
        lines != expected and f"SARIF {lines}, not {expected}",
        cased != expected and f"JUnit {cased}, not {expected}"])


def odd_names(tap, shop, name):
    """XML has no place for some characters that UTF-8 can say."""
    folder = shop.work / "odd"
    program = shop.work / "p\x01\ufffe\uffff\x9b<&"
    shutil.copy(shop.probe, program)
    for actions, status, said, count in (["twice"], 86, (REPORT,), 1), ([], 0, (), 0):
        outcome = shop.run(f"--ci={folder}", program, *actions)
        tap.check(f"{name}: all files can be read, status {status}",
                  [*outcome.expect(status, *said), *problems_of(folder, count)])


CHECKS = {"records": of_debug, "late records": of_late, "odd names": odd_names,
          "descendants": descendants, "own status": own_status, "several": together,
          "surroundings": surroundings, "stragglers": stragglers, "signals": signals,
          "annotations": annotations}
