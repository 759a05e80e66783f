"""A campaign's results for people, for meson and for other programs."""

HEADER = ("plant", "found by", "seconds, median (all)", "inputs", "what was said", "replays")
ORACLE_LENGTH = 90


def seconds_of(value):
    return "–" if value == float("inf") else f"{value:.2g}" if value < 10 else f"{value:.0f}"


def cells(plant, result, problem):
    if "seconds" not in result:
        return (plant.name, "–", "–", "–", problem.replace("\n", " ")[:ORACLE_LENGTH], "–")
    times = " ".join(map(seconds_of, result["times"]))
    said = result["oracle"][:ORACLE_LENGTH]
    if problem is not None:
        said = f"**{problem}**"
    replays = "{}/{}".format(*result["replays"]) if result["replays"] else "–"
    return (plant.name, result["target"], f"{seconds_of(result['seconds'])} ({times})",
            str(result["inputs"] or "–"), said.replace("|", "/"), replays)


def print_progress(plant, result, problem):
    print("# " + " | ".join(cells(plant, result, problem)), flush=True)


def print_markdown(judged, wrong):
    print("| " + " | ".join(HEADER) + " |")
    print("|" + "---|" * len(HEADER))
    for row in judged:
        print("| " + " | ".join(cells(*row)) + " |")
    found = sum(problem is None for _, _, problem in judged)
    print(f"\n{found} of {len(judged)} found.")
    for plant, _, problem in judged:
        if problem is not None:
            print(f"{plant.name}: {problem}")
    for line in wrong:
        print(line)


def print_tap(judged, wrong):
    results = [(not wrong, "the tree without plants passes", "; ".join(wrong))]
    results += [(problem is None, f"{plant.name}: {plant.what}", problem or "")
                for plant, _, problem in judged]
    for number, (is_right, name, detail) in enumerate(results, 1):
        print(f"{'ok' if is_right else 'not ok'} {number} - {name}")
        for line in detail.splitlines():
            print(f"#   {line}")
    print(f"1..{len(results)}")


def as_data(judged, wrong):
    def plain(value):
        return None if value == float("inf") else value

    rows = []
    for plant, result, problem in judged:
        row = {key: plain(value) for key, value in result.items() if key != "times"}
        row["times"] = [plain(value) for value in result.get("times", [])]
        rows.append({"plant": plant.name, "what": plant.what, "problem": problem, **row})
    return {"rows": rows, "wrong": wrong}
