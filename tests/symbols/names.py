"""What is known of frames: programs built in every way that changes where that stands."""
import pathlib
import shutil

from workbench import FOLDER, line_of

CALLS = (("innermost", "INNERMOST", True), ("middle", "MIDDLE", True), ("outer", "OUTER", False),
         ("main", "MAIN", False))
BUILDS = (
    ("position independent", ["-g"], None),
    ("at a fixed address", ["-g", "-no-pie"], None),
    ("with the lines of DWARF 4", ["-g", "-gdwarf-4"], None),
    ("with compressed sections", ["-g", "-gz"], None),
    ("with lines only", ["-g1"], None),
    ("with no table of addresses", ["-g"], "clang"),
)


def is_complete(answer):
    """All inlined frames, with the lines where they call one another and their text."""
    if not answer.found or len(answer.frames) < len(CALLS):
        return False
    path = str(FOLDER / "names.c")
    return all((frame.function, frame.is_inlined, frame.file, frame.line) ==
               (function, inlined, path, line_of("names.c", marker))
               and frame.source.endswith(f"/* {marker} */") and not frame.source.startswith(" ")
               for frame, (function, marker, inlined) in zip(answer.frames, CALLS))


def is_named(answer):
    return answer.found and answer.functions()[:4] == [function for function, *_ in CALLS]


def check_builds(report, bench):
    for title, flags, compiler in BUILDS:
        program = bench.build("names.c", "names", flags, compiler)
        answer = bench.ask(program)
        report.result(f"inlined functions, {title}", is_complete(answer), answer.notes())
        first = answer.frames[0] if answer.frames else None
        report.result(f"they have the module, its build-id and column, {title}",
                      first is not None and first.module == str(program) and first.column > 0
                      and first.build_id in bench.tool("readelf", "-n", program)
                      and len(first.build_id) == 40, answer.notes())


def check_relative(report, bench):
    """A file below the current folder is named from there."""
    source = bench.folder / "src" / "names.c"
    source.parent.mkdir()
    shutil.copy(FOLDER / "names.c", source)
    program = bench.build(str(source), "src/names", ["-g"])
    answer = bench.ask(program)
    report.result("a path below the current folder is relative",
                  answer.found and answer.frames[0].file == "src/names.c", answer.notes())
    source.write_text("\n" * (line_of("names.c", "INNERMOST") - 1)
                      + "\tone \x1b[31m\u202ered\xe4 two  \n", encoding="utf-8")
    answer = bench.ask(program)
    report.result("a source line is cleaned of what a terminal would obey",
                  answer.found and answer.frames[0].source == "one ?[31m?red\xe4 two",
                  answer.notes())
    check_odd_sources(report, bench, program, source)


def check_odd_sources(report, bench, program, source):
    source.unlink()
    answer = bench.ask(program)
    report.result("without its source a frame still has its line",
                  answer.found and answer.frames[0].line == line_of("names.c", "INNERMOST")
                  and answer.frames[0].source == "-", answer.notes())
    for title, *command in (("a pipe", "mkfifo", source),
                            ("a device", "ln", "-sf", "/dev/zero", source),
                            ("a folder", "ln", "-sfn", "/tmp", source)):
        bench.tool(*command)
        answer = bench.ask(program)
        report.result(f"a source that is {title} is not read",
                      is_named(answer) and answer.milliseconds < 4000, answer.notes())


def check_cxx(report, bench):
    expected = ["shop::Basket<int>::fill(int, char const*)", "buy(std::pair<int, long>)", "main"]
    for title, flags in (("with debug information", ["-g"]), ("with symbols only", ["-rdynamic"])):
        answer = bench.ask(bench.build("names.cc", "names_cc", flags))
        report.result(f"names of C++ are readable, {title}",
                      answer.found and answer.functions()[:3] == expected, answer.notes())


def check_symbols_only(report, bench):
    program = bench.build("names.c", "symbols", [])
    answer = bench.ask(program)
    report.result("without debug information functions have their symbols",
                  answer.functions()[:2] == ["outer", "main"]
                  and answer.frames[0].file == "-" and answer.frames[0].line == 0, answer.notes())
    minimal = bench.folder / "minimal"
    bench.tool("objcopy", "-S", "--keep-symbol=outer", program, minimal)
    bench.tool("xz", "-k", minimal)
    bench.tool("strip", "-o", bench.folder / "mini", program)
    bench.tool("objcopy", "--add-section", ".gnu_debugdata=minimal.xz", "mini")
    answer = bench.ask(bench.folder / "mini")
    report.result("the symbols of .gnu_debugdata are read",
                  answer.functions()[:2] == ["outer", "-"], answer.notes())


def check_stripped(report, bench):
    whole = bench.ask(bench.build("names.c", "whole", ["-g"]))
    bench.tool("strip", "-o", bench.folder / "bare", bench.folder / "whole")
    answer = bench.ask(bench.folder / "bare")
    offsets = list(dict.fromkeys(frame.offset for frame in whole.frames))
    report.result("a stripped program has modules and offsets, and no wrong name",
                  [frame.offset for frame in answer.frames] == offsets
                  and answer.functions()[:2] == ["-", "-"], answer.notes())
    bench.tool("objcopy", "--only-keep-debug", "whole", "split.debug")
    (bench.folder / ".debug").mkdir()
    shutil.move(bench.folder / "split.debug", bench.folder / ".debug" / "split.debug")
    for title, target in (("by its name", "split"), ("at a fixed address", "split_fixed")):
        if target == "split_fixed":
            bench.build("names.c", "whole", ["-g", "-no-pie"])
            bench.tool("objcopy", "--only-keep-debug", "whole", ".debug/split.debug")
        bench.tool("objcopy", "--strip-all", "--add-gnu-debuglink=.debug/split.debug", "whole",
                   target)
        answer = bench.ask(bench.folder / target)
        report.result(f"debug information in a file of its own is found, {title}",
                      is_complete(answer), answer.notes())


def check_plugin(report, bench):
    plugin = bench.build("plugin.c", "plugin.so", ["-g", "-shared", "-fPIC"])
    target = bench.target()
    for title, path in (("by its path", plugin), ("by a relative path", "./plugin.so")):
        answer = bench.ask(target, "plugin", path)
        first = answer.frames[0] if answer.frames else None
        report.result(f"a plugin that was opened {title} is known",
                      answer.functions()[:2] == ["plugin_inner", "plugin_enter"]
                      and first.line == line_of("plugin.c", "PLUGIN")
                      and pathlib.Path(first.module) == plugin, answer.notes())
        report.result(f"data have their names, of a plugin opened {title}",
                      answer.places == ["plugin_hidden", "plugin_state", "global_buffer"],
                      answer.notes())
    bench.tool("strip", plugin)
    answer = bench.ask(target, "plugin", plugin)
    report.result("a stripped plugin has the names that it exports, and no other",
                  answer.functions()[:2] == ["-", "plugin_enter"]
                  and "plugin_state" in answer.places and "plugin_hidden" not in answer.places,
                  answer.notes())


def check_fault(report, bench):
    answer = bench.ask(bench.target(), "fault")
    report.result("a fault is told at its own line, from its handler",
                  answer.found and answer.functions()[:1] == ["write_to"]
                  and answer.frames[0].line == line_of("target.c", "FAULT"), answer.notes())


def check_many(report, bench):
    answer = bench.ask(bench.target(), "many")
    mains = [frame for frame in answer.frames if frame.function == "main"]
    report.result("each of ten stacks is named, and each string is kept once",
                  answer.found and len(mains) == 10 and 0 < answer.string_bytes < 500,
                  answer.notes())


def check_replaced(report, bench):
    """The file at a module's path may be another one by now."""
    program = bench.build("names.c", "replaced", ["-g"])
    wrong = bench.converse(f"module {'ab' * 20} {program}\ncode 0 1160\nend\n".encode())
    right = bench.converse(f"module - {program}\ncode 0 1160\nend\n".encode())
    report.result("a file with another build-id says nothing",
                  wrong.stdout == b".\nend\n" and right.stdout.startswith(b"frame\t"),
                  [wrong, right])


CHECKS = (check_builds, check_relative, check_cxx, check_symbols_only, check_stripped,
          check_plugin, check_fault, check_many, check_replaced)
