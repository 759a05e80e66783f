#!/usr/bin/python3 -B
"""Plants one defect at a time in a copy of the tree and measures how long the harness needs.

Each plant of plants/*.patch is applied, the targets that it names are built, and each of a few
seeds looks for it until a limit of processor time. The median counts. The input that found it is
run again, twenty times for a threaded defect: it must fail each time; and it must pass without the
plant. Status 1 if a plant survives, is seen by another oracle than it says, does not fit the tree
any more, or does not replay; or if the tree without plants fails.
"""
import argparse
import json
import os
import pathlib
import statistics
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import plant as plants
import table
import trial
from tree import BuildError, Tree

SMOKE = ("calloc-dirty-run", "cache-drain-class", "central-unlisted", "class-edge-small",
         "map-inner-unset", "map-stale-merge", "realloc-last-byte", "sweep-crossing")
SMOKE_SECONDS, SMOKE_SEEDS = 8, 1
CLEAN_INPUTS = "200"
CLEAN_SECONDS = 60
REPLAYS, REPLAYS_THREADED = 1, 20
NEVER = float("inf")


class Campaign:
    def __init__(self, options, folder):
        self.options = options
        self.folder = folder
        self.tree = Tree(folder, options.engine)
        self.kept = []  # (result, target, failing input)

    def search(self, plant, target, seed):
        saved = self.folder / f"{plant.name}.{target}.{seed}"
        corpus = self.tree.source / "fuzz" / "corpus" / target
        if not self.tree.takes_seeds(target):
            log = self.folder / f"{saved.name}.log"
            return seed, None, trial.run(self.tree.command(target), self.options.seconds, log)
        search = trial.Search(self.tree.program(target), self.options.engine, corpus, saved)
        return seed, saved, search.run(seed, self.options.seconds)

    def search_all(self, plant, target):
        """(seed, failing input, outcome) of each seed; of fewer once the median is known: never."""
        runs = []
        seeds = list(range(1, self.options.seeds + 1))
        with ThreadPoolExecutor(self.options.jobs) as pool:
            while seeds and 2 * sum(not run[2].failed for run in runs) <= self.options.seeds:
                batch = [seeds.pop(0) for _ in range(min(self.options.jobs, len(seeds)))]
                runs += pool.map(lambda seed: self.search(plant, target, seed), batch)
        return runs

    def try_target(self, plant, target):
        """A result, with `seconds` NEVER if the target did not find it."""
        runs = self.search_all(plant, target)
        found = [run for run in runs if run[2].failed]
        times = [run[2].seconds for run in found]
        times = sorted(times) + [NEVER] * (self.options.seeds - len(times))
        result = {"target": target, "seconds": statistics.median_low(times), "times": times,
                  "inputs": None, "oracle": "", "is_expected": False, "replays": None}
        if result["seconds"] == NEVER:
            return result
        inputs = [run[2].inputs for run in found if run[2].inputs is not None]
        result["inputs"] = statistics.median_low(inputs) if inputs else None
        lines = [run[2].oracle for run in found]
        result["oracle"] = next(filter(plant.is_expected, lines), lines[0])
        result["is_expected"] = any(map(plant.is_expected, lines))
        self.replay(plant, result, found[0][1])
        return result

    def replay(self, plant, result, saved):
        times = REPLAYS_THREADED if plant.is_threaded else REPLAYS
        if saved is None:  # a program without inputs
            return
        outcomes = trial.replay(self.tree.program(result["target"]), saved, times)
        result["replays"] = [sum(outcome.failed for outcome in outcomes), times]
        self.kept.append((result, result["target"], saved))

    def try_targets(self, plant):
        """The first target that finds it; else what the last one says."""
        result = {"problem": "no target of it is here"}
        for target in plant.targets:
            if self.tree.name_of(target) is None:
                continue
            self.tree.make([target])
            result = self.try_target(plant, target)
            if result["seconds"] < NEVER:
                break
        return result

    def try_plant(self, plant):
        try:
            self.tree.apply(plant)
        except BuildError as error:
            return {"problem": f"does not fit: {error}"}
        try:
            return self.try_targets(plant)
        except BuildError as error:
            return {"problem": f"does not build: {error}"}
        finally:
            self.tree.revert(plant)

    def try_clean(self, targets):
        """What is wrong with the targets of the tree as it is."""
        wrong = []
        self.tree.make(targets)
        for target in targets:
            command = [self.tree.program(target), "--random", "1", CLEAN_INPUTS]
            if not self.tree.takes_seeds(target):
                command = self.tree.command(target)
            elif self.options.engine == "libfuzzer":
                command = [self.tree.program(target), "-seed=1", f"-runs={CLEAN_INPUTS}"]
            outcome = trial.run(command, CLEAN_SECONDS, self.folder / f"clean.{target}")
            if outcome.status != 0:
                wrong.append(f"{target} fails without a plant: {outcome.oracle}")
        return wrong

    def acquit(self):
        """Inputs that fail without their plant found something else."""
        self.tree.make(sorted({target for _, target, _ in self.kept}))
        for result, target, saved in self.kept:
            [outcome] = trial.replay(self.tree.program(target), saved, 1)
            if outcome.status != 0:
                result["problem"] = f"its input fails without it too: {outcome.oracle}"


def problem_of(result):
    """Why this is no success, or None."""
    if "problem" in result:
        return result["problem"]
    if result["seconds"] == NEVER:
        return "survived"
    if not result["is_expected"]:
        return "seen by another oracle: " + result["oracle"]
    if result["replays"] is not None and result["replays"][0] != result["replays"][1]:
        return "replays {} of {} times".format(*result["replays"])
    return None


def parse():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME")
    parser.add_argument("--smoke", action="store_true", help="eight that are found at once")
    parser.add_argument("--seconds", type=int, default=60, help="of processor time for each seed")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--engine", choices=("replay", "libfuzzer"), default="replay")
    parser.add_argument("--jobs", type=int, default=1, help="seeds at a time")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE")
    parser.add_argument("--keep", type=pathlib.Path, metavar="FOLDER",
                        help="an empty or new one: where to work, and to leave what was found")
    parser.add_argument("--plants", type=pathlib.Path, default=plants.FOLDER, metavar="FOLDER")
    parser.add_argument("--tap", action="store_true", help="the results as TAP")
    options = parser.parse_args()
    if options.smoke:
        options.only = options.only or list(SMOKE)
        options.seconds, options.seeds = SMOKE_SECONDS, SMOKE_SEEDS
    return options


def run(options, folder):
    """Returns (rows, what is wrong with the tree itself)."""
    chosen = plants.read_all(options.plants, options.only)
    campaign = Campaign(options, folder)
    needed = {target for plant in chosen for target in plant.targets}
    wrong = campaign.try_clean(sorted(filter(campaign.tree.name_of, needed)))
    rows = []
    for plant in chosen if not wrong else []:
        rows.append((plant, campaign.try_plant(plant)))
        if not options.tap:
            table.print_progress(*rows[-1], problem_of(rows[-1][1]))
    campaign.acquit()
    return rows, wrong


def tell(options, rows, wrong):
    judged = [(plant, result, problem_of(result)) for plant, result in rows]
    if options.tap:
        table.print_tap(judged, wrong)
    else:
        table.print_markdown(judged, wrong)
    if options.json is not None:
        options.json.write_text(json.dumps(table.as_data(judged, wrong), indent=1) + "\n",
                                encoding="utf-8")
    return 1 if wrong or not rows or any(problem for _, _, problem in judged) else 0


def main():
    options = parse()
    try:
        if options.keep is not None:
            options.keep.mkdir(parents=True, exist_ok=True)
            return tell(options, *run(options, options.keep.resolve()))
        with tempfile.TemporaryDirectory(prefix="campaign-") as folder:
            return tell(options, *run(options, pathlib.Path(folder)))
    except (BuildError, plants.BadPlant) as error:
        print(f"campaign.py: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    os.nice(5)
    sys.exit(main())
