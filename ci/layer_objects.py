"""What the layers' objects call: each prefix of the list linked alone, imports, the debug library.

Used by check_layers.py. Meson leaves BUILD/libsg_LAYER.a; what only the debug library has ends with
"-debug": its parts of lib/os and lib/unwind, its two layers, and api once more on top of them.
"""
import collections
import functools
import pathlib
import subprocess
import tempfile

import layers

# Functions that any layer may call: of libc (the compiler invents calls of the first four), and
# of the compiler's own libgcc, which is linked in statically.
C_FUNCTIONS = set("memcpy memmove memset memcmp memchr strlen strcmp strncmp strchr strcspn "
                  "__popcountdi2 __divti3 __udivti3 __stack_chk_fail _GLOBAL_OFFSET_TABLE_ "
                  "__tls_get_addr".split())

# Further imports of a layer's objects, and why; what is "weak: …" must be so. The os layer may
# import anything but ALLOCATES.
IMPORTS_ALLOWED = {
    ("unwind", "_dl_find_object"): "weak: the module around an address, without a lock",
    ("unwind", "dl_iterate_phdr"): "after a dlclose: which modules are left",
    ("hardening", "abort"): "ends the process after a report",
    ("options", "sg_options_of_debug"): "weak: the debug library's defaults, before the settings",
    ("pool", "sg_debug_start"): "weak: the debug heap starts before the first block",
    ("pool", "sg_debug_fork"): "weak: the debug heap's locks, around those of the tiers",
    ("pool", "sg_debug_fault"): "weak: the debug heap tells what a fault is about",
    ("debug", "abort"): "ends the process after a report",
    ("debug", "_Exit"): "the same, with on_report=exit",
    ("api", "abort"): "where operator new cannot throw",
    ("api", "__errno_location"): "errno is set here and nowhere else",
    ("api", "dlsym"): "the real dlopen behind ours, libstdc++'s new handler",
    ("api", "fprintf"): "malloc_info, to the program's FILE",
    ("api", "fwrite"): "malloc_info, to the program's FILE",
    ("api", "ferror"): "malloc_info, to the program's FILE",
    ("api", "_ZSt15get_new_handlerv"): "weak: of libstdc++, where the program has it",
    ("api", "_ZSt17__throw_bad_allocv"): "weak: of libstdc++, where the program has it",
}

ALLOCATES = set("malloc calloc realloc free reallocarray memalign aligned_alloc posix_memalign "
                "valloc pvalloc strdup strndup asprintf vasprintf getline getdelim "
                "printf fprintf sprintf snprintf dprintf vprintf vfprintf vsprintf vsnprintf "
                "puts fputs putchar putc fputc fopen fdopen fclose fread fwrite fflush fgets "
                "perror fscanf sscanf scanf opendir readdir getenv setenv dlopen dlsym".split())
MAY_ALLOCATE = {"api"}

# One archive: what it is called here, its file, the layer whose rules hold for it, and the names
# of those that it may use.
Part = collections.namedtuple("Part", "name file layer below")
DEBUG_PARTS_OF = ("os", "unwind")  # layers of which the debug library has more


def release_parts():
    return [Part(layer, f"libsg_{layer}.a", layer, layers.below(layer)[:-1])
            for layer in layers.LAYERS if layer not in layers.DEBUG]


def debug_parts():
    """What the debug library has besides, lowest first. Its api is no part of the release one."""
    parts = []
    for layer in layers.LAYERS:
        under = layers.below(layer, in_debug=True)[:-1]
        extra = [part.name for part in parts if part.layer in under]
        if layer in DEBUG_PARTS_OF:
            parts.append(Part(f"debug_{layer}", f"libsg_debug_{layer}-debug.a", layer,
                              under + [layer] + extra))
        elif layer in layers.DEBUG or layer == "api":
            below = list(dict.fromkeys(under + extra))
            name = layer if layer in layers.DEBUG else f"{layer} of the debug library"
            parts.append(Part(name, f"libsg_{layer}-debug.a", layer, below))
    return parts


def hooks():
    """What the tiers leave to the debug heap: weak, so that the release library does without."""
    return sorted({symbol for (_, symbol), why in IMPORTS_ALLOWED.items()
                   if symbol.startswith("sg_") and why.startswith("weak")})


@functools.lru_cache(maxsize=None)
def symbols(archive, *options):
    """name -> its letter in nm"""
    listing = subprocess.run(["nm", "--format=posix", *options, archive], check=True,
                             capture_output=True, text=True).stdout
    rows = (line.split() for line in listing.splitlines())
    return {row[0]: row[1] for row in rows if len(row) > 1}


class Objects:
    def __init__(self, build):
        self.build = pathlib.Path(build)
        self.parts = release_parts() + debug_parts()
        self.files = {part.name: self.build / part.file for part in self.parts}
        self.used = set()  # rows of IMPORTS_ALLOWED

    def missing(self):
        files = [*self.files.values(), self.build / "libspanguard.so"]
        return [str(path) for path in files if not path.exists()]

    def defined(self, names):
        return {symbol for name in names
                for symbol in symbols(self.files[name], "--defined-only", "--extern-only")}

    def import_problems(self, part):
        known = self.defined([*part.below, part.name])
        for symbol, kind in sorted(symbols(self.files[part.name], "--undefined-only").items()):
            if symbol not in known | C_FUNCTIONS:
                yield from self.import_problem(part.layer, symbol, kind)

    def import_problem(self, layer, symbol, kind):
        allowed = IMPORTS_ALLOWED.get((layer, symbol))
        if symbol in ALLOCATES and layer not in MAY_ALLOCATE:
            yield f"{symbol} may allocate"
        elif allowed:
            self.used.add((layer, symbol))
            if allowed.startswith("weak") and kind not in "wv":
                yield f"{symbol} is not weak: {allowed}"
        elif layer != "os":
            yield f"{symbol} comes from no lower layer, and is not among IMPORTS_ALLOWED"

    def upward_calls(self, part, output):
        prefix = [str(self.files[name]) for name in [*part.below, part.name]]
        command = ["cc", "-shared", "-nodefaultlibs", "-Wl,-z,defs", "-Wl,--whole-archive", *prefix,
                   "-Wl,--no-whole-archive", "-lc", "-lgcc", "-o", output]
        link = subprocess.run(command, capture_output=True, text=True, check=False)
        if link.returncode != 0:
            yield from link.stderr.splitlines()[-12:]

    def debug_only(self):
        names = [part.name for part in debug_parts() if part.layer != "api"]
        return self.defined(names)

    def unmet_hooks(self):
        return sorted(set(hooks()) - self.debug_only())

    def release_problems(self):
        library = symbols(self.build / "libspanguard.so", "--defined-only")
        if not set(library) & self.defined(["base"]):
            yield "libspanguard.so has no table of symbols to look into"
        for symbol in sorted(set(library) & self.debug_only()):
            yield f"{symbol} is the debug library's"


def check(tap, build):
    objects = Objects(build)
    missing = objects.missing()
    tap.check("every layer was built", missing)
    if missing:
        return
    with tempfile.TemporaryDirectory() as scratch:
        for part in objects.parts:
            tap.check(f"{part.name} links with the layers below and libc alone",
                      objects.upward_calls(part, f"{scratch}/prefix.so"))
            tap.check(f"{part.name} imports nothing else", objects.import_problems(part))
    tap.check("the release library has nothing of the debug library", objects.release_problems())
    tap.check("the debug library defines all that the tiers leave to it", objects.unmet_hooks())
    tap.check("every import allowed to a layer is used by it",
              [f"{layer}: {what}" for layer, what in IMPORTS_ALLOWED
               if (layer, what) not in objects.used])
