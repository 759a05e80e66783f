"""A copy of the source tree with a build folder, in which plants come and go."""
import os
import pathlib
import re
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
LEFT_OUT = ("build", "build-*", ".git", "__pycache__")
CLANGS = ("clang-19", "clang-14", "clang")


class BuildError(Exception):
    pass


def find_clang():
    for name in CLANGS:
        if shutil.which(name):
            return name
    raise BuildError("the engine libfuzzer needs " + " or ".join(CLANGS))


class Tree:
    def __init__(self, folder, engine):
        self.source = pathlib.Path(folder) / "tree"
        self.build = pathlib.Path(folder) / "build"
        self.engine = engine
        shutil.copytree(ROOT, self.source, symlinks=True,
                        ignore=shutil.ignore_patterns(*LEFT_OUT))
        environment = dict(os.environ)
        if engine == "libfuzzer":
            environment["CC"] = find_clang()
        self.run(["meson", "setup", "-Dtests=true", "-Dwerror=false", "-Ddebug=false",
                  "-Doptimization=1", self.build, self.source],
                 environment)
        self.programs = self.list_programs()

    @staticmethod
    def run(command, environment=None):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              errors="replace", env=environment, check=False)
        if done.returncode != 0:
            last = "\n".join(done.stdout.splitlines()[-20:])
            raise BuildError(f"{command[0]} has status {done.returncode}:\n{last}")
        return done.stdout

    def list_programs(self):
        lines = self.run(["ninja", "-C", self.build, "-t", "targets", "all"])
        return set(re.findall(r"^fuzz/(?:\w+/)?fuzz_\w+(?=: )", lines, re.MULTILINE))

    def path_of(self, name):
        return next((path for path in sorted(self.programs) if path.endswith("/" + name)), None)

    def takes_seeds(self, target):
        """Whether it is a fuzz target, and not a program that does the same each time."""
        return self.path_of(f"fuzz_{target}_replay") is not None

    def name_of(self, target):
        """The path of the program in the build folder, or None."""
        is_replay = self.takes_seeds(target) and self.engine == "replay"
        name = target.split(":")[0]
        return self.path_of(f"fuzz_{name}" + ("_replay" if is_replay else ""))

    def command(self, target):
        """Of a program that takes no seeds: NAME:ARGUMENT:ARGUMENT."""
        return [self.program(target), *target.split(":")[1:]]

    def program(self, target):
        return self.build / self.name_of(target)

    def make(self, targets):
        names = [self.name_of(target) for target in targets]
        self.run(["ninja", "-C", self.build, "-j2", *names])

    def apply(self, plant, *options):
        # Outside of every repository, so that the patch meets the copy and nothing else.
        environment = dict(os.environ, GIT_CEILING_DIRECTORIES=str(self.source.parent))
        self.run(["git", "-C", self.source, "apply", *options, plant.path], environment)

    def revert(self, plant):
        self.apply(plant, "--reverse")
