"""Violations planted in a small source tree: layers, headers, format, sizes, scripts."""
import functools
import json
import pathlib
import shutil
import subprocess
import tempfile

import layer_objects
import layers
from planting import HERE, flipped, only, run_gate, write

HEADER = """\
#ifndef SG_{FOLDER}_{NAME}_H
#define SG_{FOLDER}_{NAME}_H

int sg_{name}_value(int a, int b);

#endif
"""
SOURCE = """\
#include "{name}.h"

int sg_{name}_value(int a, int b)
{{
    return a + b;
}}
"""
PUBLIC = """\
#ifndef SPANGUARD_SPANGUARD_H
#define SPANGUARD_SPANGUARD_H

int spanguard_version(void);

#endif
"""


def grow(root):
    """A tree with one module in each layer, which passes every gate."""
    for layer, folder in (layers.LAYERS | layers.ASIDE).items():
        name = f"{layer}_module"
        names = {"name": name, "NAME": name.upper(), "FOLDER": layer.upper()}
        write(root / folder / f"{name}.h", HEADER.format(**names))
        write(root / folder / f"{name}.c", SOURCE.format(**names))
    write(root / "lib/debug/debug_hooks.c", "".join(map(hook, layer_objects.hooks())))
    write(root / "ci/planted", '#!/bin/sh\nrm "$1"\n')
    write(root / "lib/include/spanguard/spanguard.h", PUBLIC)
    for name in (".clang-format", ".clang-tidy"):
        shutil.copy(HERE.parent / name, root)


def hook(name):
    return f"int {name}(void)\n{{\n    return 0;\n}}\n"


def sources_of(root, part):
    """The C files of an archive: those of its layer, or one for what the debug library adds."""
    if part.layer in layer_objects.DEBUG_PARTS_OF and part.name != part.layer:
        write(root / f"{part.name}.c", hook(f"sg_{part.name}_value"))
        return [root / f"{part.name}.c"]
    return sorted((root / layers.LAYERS[part.layer]).glob("*.c"))


@functools.lru_cache(maxsize=None)
def compiled(_text, source):
    """The object of a source of that text; a header of its layer is never what is planted here."""
    with tempfile.NamedTemporaryFile(suffix=".o") as output:
        subprocess.run(["cc", "-w", "-c", "-fPIC", "-ffreestanding", source, "-o", output.name],
                       check=True)
        return pathlib.Path(output.name).read_bytes()


def build(root):
    """Archives of the layers and the release library, as meson leaves them."""
    for part in layer_objects.release_parts() + layer_objects.debug_parts():
        objects = []
        for source in sources_of(root, part):
            objects.append(f"{source}.o")
            code = compiled(source.read_text(encoding="utf-8"), source)
            pathlib.Path(objects[-1]).write_bytes(code)
        subprocess.run(["ar", "cr", str(root / part.file), *objects], check=True)
    archives = [str(root / part.file) for part in layer_objects.release_parts()]
    subprocess.run(["cc", "-shared", "-nostdlib", "-Wl,--whole-archive", *archives, "-o",
                    str(root / "libspanguard.so")], check=True)


def list_commands(root):
    """compile_commands.json, as meson writes it."""
    sources = [path for layer in layers.LAYERS | layers.ASIDE for path in layers.sources(root, layer, {".c"})]
    write(root / "compile_commands.json", json.dumps(
        [{"directory": str(root), "file": str(path), "command": f"cc -std=gnu11 -c {path}"}
         for path in sources]))


def module(layer, text):
    folder = (layers.LAYERS | layers.ASIDE)[layer]
    return f"{folder}/{layer}_module.c", text + SOURCE.format(name=f"{layer}_module")


def span(text):
    return module("span", text)


def call(layer):
    return (f"int sg_{layer}_module_value(int, int);\n"
            f"int f(void) {{ return sg_{layer}_module_value(1, 2); }}\n")


def function(parameters="void", body_lines=1):
    return f"\nint sg_planted({parameters})\n{{\n" + "    ;\n" * body_lines + "    return 0;\n}\n"


INCLUDES = "span includes only itself and the layers below"
HEADERS = "span includes no system header that it may not"
CALLS = "span calls neither the system nor what may allocate"
LINKS = "span links with the layers below and libc alone"
IMPORTS = "span imports nothing else"
RELEASE = "the release library has nothing of the debug library"
SIZES = "lib/span keeps its functions and files small"
HEADER_TEST = "lib/span/span_module.h compiles alone and guards itself"

# gate, name of the plant, (file, its text), the test that must fail, words of the report
PLANTS = [
    ("layers", "an include of an upper layer", span('#include "api_module.h"\n'),
     INCLUDES, "may not look up to api"),
    ("layers", "a path in an include", span('#include "../api/api_module.h"\n'),
     INCLUDES, "a path in an include"),
    ("layers", "an include of no known file", span('#include "nowhere.h"\n'),
     INCLUDES, "no layer has such a file"),
    ("layers", "an include by macro", span("#include PLANTED\n"), INCLUDES, "names no file"),
    ("layers", "<sys/mman.h> outside os", span("#include <sys/mman.h>\n"), HEADERS, "sys/mman.h"),
    ("layers", "<pthread.h> outside os", span("#include <pthread.h>\n"), HEADERS, "pthread.h"),
    ("layers", "a raw system call outside os", span("long f(void) { return syscall(39); }\n"),
     CALLS, "a system call outside lib/os"),
    ("layers", "malloc below api", span("void *f(void) { return malloc(8); }\n"),
     CALLS, "malloc() may allocate"),
    ("layers", "printf below api", span('void f(void) { printf("x"); }\n'),
     CALLS, "printf() may allocate"),
    ("layers", "one header name in two layers",
     ("lib/api/span_module.h", HEADER.format(name="x", NAME="X", FOLDER="API")),
     "no file name is used by two layers", "span_module.h"),
    ("objects", "a call of an upper layer",
     span(call("api")), LINKS, "undefined reference to `sg_api_module_value'"),
    ("objects", "a weak call of an upper layer",
     span("__attribute__((weak)) " + call("api")),
     IMPORTS, "sg_api_module_value comes from no lower layer"),
    ("objects", "a libc call that is not listed",
     span("int getpid(void);\nint f(void) { return getpid(); }\n"), IMPORTS,
     "getpid comes from no lower layer"),
    ("objects", "a call of the debug heap that is no hook",
     module("pool", "void sg_debug_start(void);\nvoid f(void) { sg_debug_start(); }\n"),
     "pool imports nothing else", "sg_debug_start is not weak"),
    ("objects", "a hook that nobody defines", ("lib/debug/debug_hooks.c", "int x;\n"),
     "the debug library defines all that the tiers leave to it", "sg_debug_fork"),
    ("objects", "a part of the debug library in the release library",
     ("lib/api/planted.c", "int sg_debug_os_value(void) { return 0; }\n"), RELEASE,
     "sg_debug_os_value is the debug library's"),
    ("objects", "what only the debug library has of os, called by the tiers",
     span("int sg_debug_os_value(void);\nint f(void) { return sg_debug_os_value(); }\n"), LINKS,
     "undefined reference to `sg_debug_os_value'"),
    ("objects", "a call of os by bug", module("bug", call("os")),
     "bug links with the layers below and libc alone", "sg_os_module_value"),
    ("objects", "an import of debug that allocates",
     module("debug", "char *strdup(char *);\nchar *f(void) { return strdup(0); }\n"),
     "debug imports nothing else", "strdup may allocate"),
    ("layers", "an include of os by bug", module("bug", '#include "os_module.h"\n'),
     "bug includes only itself and the layers below", "may not look up to os"),
    ("layers", "an include of debug by api", module("api", '#include "debug_module.h"\n'),
     "api includes only itself and the layers below", "may not look up to debug"),
    ("layers", "the debug build's header in a file of api",
     module("api", '#include "debug_heap.h"\n'),
     "api includes only itself and the layers below", "no layer has such a file"),
    ("layers", "malloc in debug", module("debug", "void *f(void) { return malloc(8); }\n"),
     "debug calls neither the system nor what may allocate", "malloc() may allocate"),
    ("size", "a function of 41 lines in the command", module("command", function(body_lines=39)),
     "lib/command keeps its functions and files small", "41 lines, limit 40"),
    ("headers", "a header of the command that needs another",
     ("lib/command/command_module.h", HEADER.format(name="a", NAME="COMMAND_MODULE",
                                                    FOLDER="COMMAND").replace("int a", "size_t a")),
     "lib/command/command_module.h compiles alone and guards itself", "size_t"),
    ("tidy", "a null pointer that the command follows",
     module("command", "int f(int *p)\n{\n    return p == 0 ? *p : 0;\n}\n"),
     "clang-tidy finds nothing in lib/command", "NullDereference"),
    ("headers", "a header that needs another",
     ("lib/span/span_module.h", HEADER.format(name="a", NAME="SPAN_MODULE", FOLDER="SPAN")
      .replace("int a", "size_t a")), HEADER_TEST, "size_t"),
    ("headers", "a header that looks up",
     ("lib/span/span_module.h", HEADER.format(name="a", NAME="SPAN_MODULE", FOLDER="SPAN")
      .replace("int sg", '#include "api_module.h"\nint sg')), HEADER_TEST, "api_module.h"),
    ("headers", "a guard of another place",
     ("lib/span/span_module.h", HEADER.format(name="a", NAME="SPAN_MODULE", FOLDER="API")),
     HEADER_TEST, "expected SG_SPAN_SPAN_MODULE_H"),
    ("headers", "a public header that is no C++",
     ("lib/include/spanguard/spanguard.h", PUBLIC.replace("(void)", "(int class)")),
     "<spanguard/spanguard.h> compiles alone as C++", "class"),
    ("format", "a brace on the wrong line", span("int f(void) {\n    return 0;\n}\n"),
     "the files in lib are set as .clang-format says", "span_module.c"),
    ("size", "a function of 41 lines", span(function(body_lines=39)), SIZES, "41 lines, limit 40"),
    ("size", "a function of 5 parameters",
     span(function("int a, int (*b)(int, int), int c, int d, int e")), SIZES,
     "5 parameters, limit 4"),
    ("size", "a file of 401 lines", span("\n" * 395), SIZES, "401 lines, limit 400"),
    ("scripts", "an unquoted variable", ("ci/planted", "#!/bin/sh\nrm $1\n"),
     "ci/planted passes shellcheck", "SC2086"),
    ("tidy", "a null pointer that is followed",
     span("int f(int *p)\n{\n    return p == 0 ? *p : 0;\n}\n"),
     "clang-tidy finds nothing in lib/span", "NullDereference"),
    ("size", "a line of 101 columns", span("/*" + "*" * 97 + "*/\n"), SIZES, "101 columns"),
]
# The other side of a limit must pass.
HARMLESS = [
    ("size", "a function of 40 lines", span(function(body_lines=38)), SIZES),
    ("size", "4 parameters, one a function",
     span(function("int a, int (*b)(int, int), int c, int d")), SIZES),
    ("layers", "an include of a lower layer", span('#include "os_module.h"\n'), INCLUDES),
    ("layers", "the debug heap in the debug build's header",
     ("lib/api/debug_heap.h", HEADER.format(name="heap", NAME="DEBUG_HEAP", FOLDER="API")
      .replace("int sg", '#include "debug_module.h"\nint sg')),
     "api includes only itself and the layers below"),
    ("layers", "an include of bug by debug", module("debug", '#include "bug_module.h"\n'),
     "debug includes only itself and the layers below"),
    ("layers", "malloc in a comment", span("/* never calls malloc() */\n"), CALLS),
]


def run(gate, root):
    if gate == "objects":
        build(root)
        return run_gate("check_layers.py", "--root", root, "--objects", root)
    if gate == "tidy":
        list_commands(root)
        return run_gate("check_tidy.py", "--root", root, "--build", root)
    if gate in ("format", "scripts"):
        return run_gate(f"check_{gate}.sh", root)
    return run_gate(f"check_{gate}.py", "--root", root)


def run_planted(gate, scratch, file, text):
    root = pathlib.Path(scratch) / "planted"
    grow(root)
    write(root / file, text)
    result = run(gate, root)
    shutil.rmtree(root)
    return result


def trials(scratch, wanted):
    clean_root = pathlib.Path(scratch) / "clean"
    grow(clean_root)
    clean = {}
    for gate, name, (file, text), test, words in PLANTS:
        if wanted not in f"{gate}: {name}":
            continue
        clean[gate] = clean.get(gate) or run(gate, clean_root)
        planted = run_planted(gate, scratch, file, text)
        if gate == "objects":
            planted = only(planted, test)  # the prefixes above fail with it
        yield f"{gate}: finds {name}", list(flipped(clean[gate], planted, test, words))
    for gate, name, (file, text), test in HARMLESS:
        if wanted in f"{gate}: {name}":
            passed, _, result = run_planted(gate, scratch, file, text)
            yield f"{gate}: allows {name}", [] if test in passed else [result.stdout]
