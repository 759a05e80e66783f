"""The test programs, and the library again from its sources, with a change where one is wanted."""
import pathlib

import tap

FOLDER = pathlib.Path(__file__).resolve().parent
LIBRARY_SOURCES = tap.REPOSITORY / "lib" / "copy"
INCLUDES = [f"-I{tap.REPOSITORY / 'lib' / name}" for name in ("base", "include")]
LIBRARY_FLAGS = ["-shared", "-fPIC", "-fvisibility=hidden", "-fno-plt", "-Wl,-z,now"]


def library_with(shop, name, file=None, old="", new=""):
    """The library with `old` replaced in one of its files; ValueError if it is not there."""
    folder = shop.folder / f"{name}.sources"
    folder.mkdir()
    for path in LIBRARY_SOURCES.iterdir():
        text = path.read_text(encoding="utf-8")
        if path.name == file:
            if old not in text:
                raise ValueError(f"{file} has no {old!r}")
            text = text.replace(old, new)
        (folder / path.name).write_text(text, encoding="utf-8")
    return shop.compile(sorted(folder.glob("*.c")), name, [*LIBRARY_FLAGS, *INCLUDES])


def program(shop, source, name=None, flags=()):
    return shop.compile([FOLDER / f"{source}.c"], name or source, [f"-I{FOLDER}", *flags])


def fortified(shop, source):
    return program(shop, source, f"{source}-fortified",
                   ["-fbuiltin", "-D_FORTIFY_SOURCE=2", "-Wno-stringop-overflow"])


def beside(shop, source):
    """A shared library and the program that is linked with it."""
    shared = program(shop, source, f"lib{source}.so", ["-shared", "-fPIC"])
    return program(shop, f"{source}_main", None, [str(shared), f"-Wl,-rpath,{shop.folder}"])
