"""Violations planted in a small source tree: layers, headers, format, sizes, scripts."""
import json
import pathlib
import shutil
import subprocess

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
    for layer, folder in layers.LAYERS.items():
        name = f"{layer}_module"
        names = {"name": name, "NAME": name.upper(), "FOLDER": layer.upper()}
        write(root / folder / f"{name}.h", HEADER.format(**names))
        write(root / folder / f"{name}.c", SOURCE.format(**names))
    write(root / "ci/planted", '#!/bin/sh\nrm "$1"\n')
    write(root / "lib/include/spanguard/spanguard.h", PUBLIC)
    for name in (".clang-format", ".clang-tidy"):
        shutil.copy(HERE.parent / name, root)


def build(root):
    """Archives of the layers, as meson leaves them."""
    for layer, folder in layers.LAYERS.items():
        sources = sorted(map(str, (root / folder).glob("*.c")))
        objects = []
        for source in sources:
            objects.append(source + ".o")
            subprocess.run(["cc", "-w", "-c", "-fPIC", "-ffreestanding", "-I", str(root / folder),
                            source, "-o", objects[-1]], check=True)
        subprocess.run(["ar", "cr", str(root / f"libsg_{layer}.a"), *objects], check=True)


def list_commands(root):
    """compile_commands.json, as meson writes it."""
    sources = [path for layer in layers.LAYERS for path in layers.sources(root, layer, {".c"})]
    write(root / "compile_commands.json", json.dumps(
        [{"directory": str(root), "file": str(path), "command": f"cc -std=gnu11 -c {path}"}
         for path in sources]))


def span(text):
    return "lib/span/span_module.c", text + SOURCE.format(name="span_module")


def function(parameters="void", body_lines=1):
    return f"\nint sg_planted({parameters})\n{{\n" + "    ;\n" * body_lines + "    return 0;\n}\n"


INCLUDES = "span includes only itself and the layers below"
HEADERS = "span includes no system header that it may not"
CALLS = "span calls neither the system nor what may allocate"
LINKS = "span links with the layers below and libc alone"
IMPORTS = "span imports nothing else"
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
     span("int sg_api_module_value(int, int);\n"
          "int f(void) { return sg_api_module_value(1, 2); }\n"),
     LINKS, "undefined reference to `sg_api_module_value'"),
    ("objects", "a weak call of an upper layer",
     span("__attribute__((weak)) int sg_api_module_value(int, int);\n"
          "int f(void) { return sg_api_module_value(1, 2); }\n"),
     IMPORTS, "sg_api_module_value comes from no lower layer"),
    ("objects", "a libc call that is not listed",
     span("int getpid(void);\nint f(void) { return getpid(); }\n"), IMPORTS,
     "getpid comes from no lower layer"),
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
