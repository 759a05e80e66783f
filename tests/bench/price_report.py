"""Tables of prices.py. A price is always `having` minus `lacking`, inside a round."""

import sys

import plot
import summary
from defences import BARE, GLIBC, HARDENED

MEMORY = {"filled-peak": "full, peak KiB", "filled-after": "full, after KiB",
          "small-peak": "small KiB"}


def mean_ns(figures):
    return summary.geometric_mean(list(figures.values()))


def complete(rounds, *names):
    return [figures for figures in rounds if all(name in figures for name in names)]


def price_time(rounds, price):
    """Differences of the shapes' geometric means, their ratio, and the difference of each shape."""
    both = complete(rounds, price.having, price.lacking)
    if not both:
        return None
    having = [figures[price.having] for figures in both]
    lacking = [figures[price.lacking] for figures in both]
    shapes = {shape: summary.spread([h[shape] - l[shape] for h, l in zip(having, lacking)])
              for shape in having[0]}
    return {"ns": summary.spread([mean_ns(h) - mean_ns(l) for h, l in zip(having, lacking)]),
            "ratio": summary.paired([mean_ns(h) for h in having], [mean_ns(l) for l in lacking]),
            "shapes": shapes}


def price_memory(rounds, price):
    both = complete(rounds, price.having, price.lacking)
    return {column: summary.spread([f[price.having][column] - f[price.lacking][column]
                                    for f in both]) for column in MEMORY} if both else {}


def whole(measured, name):
    """What a configuration costs as a whole, beside glibc."""
    time = complete(measured["time"], name, GLIBC)
    memory = complete(measured["memory"], name)
    if not time:
        return None
    return {"ns": summary.spread([mean_ns(f[name]) for f in time]),
            "ratio": summary.paired([mean_ns(f[name]) for f in time],
                                    [mean_ns(f[GLIBC]) for f in time]),
            "memory": {column: summary.spread([f[name][column] for f in memory])
                       for column in MEMORY} if memory else {}}


def analyse(plan, measured):
    names = [GLIBC, *[name for name in plan.options if " " not in name]]
    prices = {}
    for price in plan.prices:
        time = price_time(measured["time"], price)
        if time is None:
            sys.exit(f"{price.having}: never measured whole together with {price.lacking}")
        prices.setdefault(price.defence, {})[price.base] = {
            **time, "memory": price_memory(measured["memory"], price)}
    copies = [figures for figures in measured["copy"] if figures]
    copy = {row: {"plain": summary.spread([f["plain"][row] for f in copies]),
                  "more": summary.spread([f["checked"][row] - f["plain"][row] for f in copies])}
            for row in (copies[0]["plain"] if copies else ())}
    return {"rounds": len(measured["time"]), "copy": copy, "prices": prices,
            "wholes": {name: whole(measured, name) for name in names}}


def signed(spread, digits):
    return (f"{spread.median:+.{digits}f} "
            f"({spread.low:+.{digits}f}..{spread.high:+.{digits}f})")


def show_wholes(wholes):
    header = ["", "ns per pair", "ratio to glibc", *MEMORY.values()]
    rows = [[name, f"{figures['ns'].median:.1f}", figures["ratio"].ratio(),
             *[f"{spread.median:.0f}" for spread in figures["memory"].values()]]
            for name, figures in wholes.items() if figures]
    print(f"as wholes\n\n{summary.table(header, rows)}\n")


def show_prices(prices, base, title):
    header = ["defence", "ns per pair", "ratio", *MEMORY.values()]
    rows = [[name, signed(both[base]["ns"], 2), both[base]["ratio"].ratio(),
             *[signed(spread, 0) for spread in both[base]["memory"].values()]]
            for name, both in prices.items() if base in both]
    if rows:
        print(f"{title}\n\n{summary.table(header, rows)}\n")


def show_shapes(prices, base, title):
    names = [name for name, both in prices.items() if base in both]
    if not names:
        return
    shapes = list(prices[names[0]][base]["shapes"])
    rows = [[shape, *[f"{prices[name][base]['shapes'][shape].median:+.1f}" for name in names]]
            for shape in shapes]
    print(f"{title}\n\n{summary.table(['shape', *names], rows)}\n")


def show_copies(copy):
    rows = [[row, f"{figures['plain'].median:.2f}", signed(figures["more"], 2)]
            for row, figures in copy.items()]
    if rows:
        print(f"checked copies, ns per call\n\n"
              f"{summary.table(['', 'unchecked', 'checked: more'], rows)}\n")


def show(result, notes):
    print(f"median (quartiles) of {result['rounds']} rounds; ns are geometric means over the "
          "shapes\n")
    show_wholes(result["wholes"])
    show_prices(result["prices"], HARDENED, "in hardened: what each adds to all the others")
    show_prices(result["prices"], BARE, "alone: what each adds to a base without any")
    show_shapes(result["prices"], HARDENED, "in hardened, ns per pair, shape by shape (medians)")
    show_shapes(result["prices"], BARE, "alone, ns per pair, shape by shape (medians)")
    show_copies(result["copy"])
    for note in notes:
        print(f"note: {note}")


def draw(result, path):
    """Bars below nothing are noise, and drawn as nothing."""
    prices = result["prices"]
    if not prices:
        sys.exit("no plot: nothing was priced")
    heights = {title: [max(0, both[base]["ns"].median) if base in both else 0
                       for both in prices.values()]
               for base, title in ((HARDENED, "in hardened"), (BARE, "alone"))}
    plot.clusters(path, "Price of each defence, ns per malloc and free", list(prices), heights)
