"""The layers, lowest first, and where each one lives: the only list in ci/."""
import pathlib
import re

LAYERS = {
    "base": "lib/base",
    "os": "lib/os",
    "unwind": "lib/unwind",
    "hardening": "hardening",
    "options": "lib/options",
    "span": "lib/span",
    "page_cache": "lib/page_cache",
    "central_cache": "lib/central_cache",
    "thread_cache": "lib/thread_cache",
    "pool": "lib/pool",
    "api": "lib/api",
}
PUBLIC = "lib/include"  # every layer sees it
SUFFIXES = {".c", ".h", ".inc", ".def"}

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_COMMENT_OR_STRING = re.compile(
    r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])+'", re.DOTALL)


def below(layer):
    """The layers that `layer` may use, itself last."""
    names = list(LAYERS)
    return names[:names.index(layer) + 1]


def sources(root, layer, suffixes=frozenset(SUFFIXES)):
    folder = pathlib.Path(root) / LAYERS[layer]
    return sorted(path for path in folder.rglob("*") if path.suffix in suffixes)


def folders(root, layer):
    """The include folders of one layer: its own folder and those inside it that hold headers."""
    own = pathlib.Path(root) / LAYERS[layer]
    return sorted({own} | {path.parent for path in sources(root, layer)})


def _blank(match):
    return re.sub(r"[^\n]", " ", match[0])


def without_comments(text):
    """The text with its lines and columns, comments blank. A quote in a comment is no string,
    and what looks like a comment in a string is none: strings are matched first and kept."""
    keep = _COMMENT_OR_STRING.sub(
        lambda m: _blank(m) if _COMMENT.fullmatch(m[0]) else m[0], text)
    return keep


def without_comments_and_strings(text):
    return _COMMENT_OR_STRING.sub(_blank, text)
