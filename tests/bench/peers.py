"""The allocators we measure against: where Debian puts them, and how a program is run over one."""

import glob
import os
import shutil
import subprocess
import sys
from typing import NamedTuple


class Allocator(NamedTuple):
    name: str
    preload: str  # a path; empty for glibc, which is what runs when nothing is preloaded
    settings: tuple = ()  # (variable, value) pairs for the environment


GLIBC = Allocator("glibc", "")

# name, Debian package, end of the file's path
PEERS = (
    ("jemalloc", "libjemalloc2", "/libjemalloc.so.2"),
    ("tcmalloc", "libtcmalloc-minimal4", "/libtcmalloc_minimal.so.4"),
    ("mimalloc", "libmimalloc2.0", "/libmimalloc.so.2"),
    ("scudo", "libclang-rt-19-dev", "/libclang_rt.scudo_standalone-x86_64.so"),
)


def package_files(package):
    """What dpkg says the package installed; empty where there is no dpkg or no such package."""
    if shutil.which("dpkg") is None:
        return []
    listing = subprocess.run(["dpkg", "-L", package], capture_output=True, text=True, check=False)
    return listing.stdout.split()


def find_peer(package, ending):
    candidates = package_files(package)
    candidates += glob.glob("/usr/lib*" + ending) + glob.glob("/usr/lib*/*" + ending)
    for path in candidates:
        if path.endswith(ending) and os.path.exists(path):
            return path
    return None


def find_peers():
    """The peers found, and a line for each that is absent."""
    found, absent = [], []
    for name, package, ending in PEERS:
        path = find_peer(package, ending)
        if path is None:
            absent.append(f"{name} (install {package})")
        else:
            found.append(Allocator(name, path))
    return found, absent


def environment(allocator):
    """This process's environment without any allocator's settings, then those of `allocator`."""
    foreign = ("LD_PRELOAD", "MALLOC_", "GLIBC_TUNABLES", "MIMALLOC_", "TCMALLOC_", "SCUDO_")
    result = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
    if allocator.preload:
        result["LD_PRELOAD"] = allocator.preload
    result.update(allocator.settings)
    return result


def serves(allocator, reported_path):
    """Whether the path that a program reported for malloc is the one that was asked for."""
    if not allocator.preload:
        return os.path.basename(reported_path).startswith("libc.so")
    return os.path.realpath(reported_path) == os.path.realpath(allocator.preload)


def add_arguments(parser):
    parser.add_argument("--lib", help="the spanguard library; without it only the others run")
    parser.add_argument("--variant", action="append", default=[], metavar="NAME:VAR=VALUE",
                        help="also run --lib with this in its environment, as a column of its own")
    parser.add_argument("--extra", action="append", default=[], metavar="NAME=FILE",
                        help="also run this allocator")
    parser.add_argument("--no-peers", action="store_true", help="only glibc and what is named here")


def chosen(arguments):
    """The allocators a command line asks for: glibc first, then ours, then the others."""
    result = [GLIBC]
    if arguments.lib:
        library = existing(arguments.lib)
        result.append(Allocator("spanguard", library))
        for variant in arguments.variant:
            name, _, setting = variant.partition(":")
            result.append(Allocator(name, library, (tuple(setting.split("=", 1)),)))
    for extra in arguments.extra:
        name, _, path = extra.partition("=")
        result.append(Allocator(name, existing(path)))
    if not arguments.no_peers:
        found, absent = find_peers()
        result += found
        for line in absent:
            print(f"absent: {line}", file=sys.stderr)
    return result


def existing(path):
    if not os.path.exists(path):
        sys.exit(f"no such library: {path}")
    return os.path.abspath(path)
