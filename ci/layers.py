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
    "bug": "lib/bug",
    "debug": "lib/debug",
    "api": "lib/api",
}
DEBUG = {"bug", "debug"}  # layers that only the debug library has
USES = {"bug": ["base"]}  # layers that may use some of those below them, and not all
# Beside the layers, what is a library or a program of its own, and which layers it may use.
ASIDE = {"copy": "lib/copy", "command": "lib/command"}
ASIDE_USES = {"copy": ["base"], "command": ["base", "os", "unwind", "hardening", "options", "bug"]}
# The one file of api that may look at the debug heap: read before the others, in that library.
DEBUG_API = "debug_heap.h"
PUBLIC = "lib/include"  # every layer sees it
SUFFIXES = {".c", ".h", ".inc", ".def"}

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_COMMENT_OR_STRING = re.compile(
    r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])+'", re.DOTALL)


def below(layer, in_debug=False):
    """The layers that `layer` may use, itself last; `in_debug`: in the debug library."""
    names = list(LAYERS)
    under = USES.get(layer) or names[:names.index(layer)]
    return [name for name in under if in_debug or layer in DEBUG or name not in DEBUG] + [layer]


def may_see(path, layer):
    """The layers whose headers a file of `layer` may include."""
    return below(layer, in_debug=pathlib.Path(path).name == DEBUG_API)


def sources(root, layer, suffixes=frozenset(SUFFIXES)):
    folder = pathlib.Path(root) / (LAYERS | ASIDE)[layer]
    return sorted(path for path in folder.rglob("*") if path.suffix in suffixes)


def folders(root, layer):
    """The include folders of one layer: its own folder and those inside it that hold headers."""
    own = pathlib.Path(root) / (LAYERS | ASIDE)[layer]
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
