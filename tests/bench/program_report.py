"""Tables of programs.py: ratios to glibc, program by program, and their geometric means."""

import summary

LIMIT = 1.10
COLUMNS = ("cpu_s", "peak_kib")
TITLES = {
    "cpu_s": "CPU time (user and system, every process), ratio to glibc",
    "peak_kib": "peak resident set of the largest process, ratio to glibc",
}
UNITS = {"cpu_s": ("glibc s", 1), "peak_kib": ("glibc MiB", 1024)}


def ratios(rounds, name, column):
    both = [costs for costs in rounds if name in costs]
    return summary.paired([getattr(costs[name], column) for costs in both],
                          [getattr(costs["glibc"], column) for costs in both])


def names_in(rounds):
    """Every allocator that was ever measured, in the order of the first program's first round."""
    found = dict.fromkeys(name for costs in rounds.values() for row in costs for name in row)
    return sorted((name for name in found if name != "glibc"), key=lambda n: (n != "spanguard", n))


def means(table, workloads, name):
    """Geometric means of the medians over the counted programs and over the eleven."""
    groups = {"all": [w.name for w in workloads if w.counted],
              "eleven": [w.name for w in workloads if w.eleven]}
    result = {}
    for group, members in groups.items():
        medians = [table[member][name].median for member in members
                   if member in table and name in table[member]]
        if medians:
            result[group] = (summary.geometric_mean(medians), len(medians))
    return result


def analyse(rounds, workloads):
    """{column: {"glibc": ..., "ratios": {program: {allocator: Spread}}, "means": ...}}"""
    names, result = names_in(rounds), {}
    for column in COLUMNS:
        table = {program: {name: ratios(costs, name, column) for name in names
                           if any(name in row for row in costs)}
                 for program, costs in rounds.items()}
        glibc = {program: summary.spread([getattr(row["glibc"], column) for row in costs])
                 for program, costs in rounds.items()}
        result[column] = {"glibc": glibc, "ratios": table,
                          "means": {name: means(table, workloads, name) for name in names}}
    result["programs"] = {w.name: "eleven" if w.eleven else "" if w.counted else "left out"
                          for w in workloads}
    result["rounds"] = {program: len(costs) for program, costs in rounds.items()}
    return result


def marked(value, text):
    return text + (" !" if value > LIMIT else "  ")


def cell(row, name):
    return marked(row[name].median, row[name].ratio()) if name in row else "failed  "


def show_column(result, column):
    unit, divisor = UNITS[column]
    table, averages = result[column]["ratios"], result[column]["means"]
    names = list(averages)
    signs = {"eleven": " *", "left out": " -", "": ""}
    rows = [[program + signs[result["programs"][program]],
             f"{result[column]['glibc'][program].median / divisor:.2f}",
             *[cell(row, name) for name in names]] for program, row in table.items()]
    for group, label in (("all", "geometric mean"), ("eleven", "mean of those with *")):
        found = [averages[name].get(group) for name in names]
        if any(found):
            rows.append([label, "", *[marked(mean[0], f"{mean[0]:.3f} of {mean[1]}")
                                      if mean else "-" for mean in found]])
    print(f"{TITLES[column]}\n\n{summary.table(['program', unit, *names], rows)}\n")


def show(result):
    fewest, most = min(result["rounds"].values()), max(result["rounds"].values())
    rounds = str(most) if fewest == most else f"{fewest} to {most}"
    print(f"median (quartiles) of {rounds} rounds; ! is above {LIMIT:.2f}; * is in the second "
          "mean; - is in no mean, since its work is not fixed\n")
    for column in COLUMNS:
        show_column(result, column)
