#!/usr/bin/python3 -B
"""Fill a std::map, clear it: does the memory come back?

Runs map_clear.cc in four variants and prints TAP for the library, with the figures as comments.
With --peers the same is measured, not judged, over glibc and the other allocators; with --plot it
is drawn. The peers are slow to run at 10 million nodes: some minutes."""

import argparse
import os
import sys
import tempfile

sys.dont_write_bytecode = True

import harness  # noqa: E402
from harness import MIB, peers, summary  # noqa: E402

VARIANTS = {
    "all": "everything freed",
    "byte_on_top": "one byte on top",
    "one_in_thousand": "one node in 1,000 kept",
    "other_thread": "cleared by another thread",
}
ORDERS = ("ascending", "shuffled")


def measure(context, variant, order):
    """The program's figures; empty, with the failure reported as a note, if it failed."""
    program = context.program("map_clear.cc")
    timeout = context.timeout + context.nodes // 50000
    figures, outcome = harness.read_figures(context, [program, variant, order, context.nodes],
                                            timeout)
    if not figures:
        context.report.note(f"{context.allocator.name}: map_clear {variant} {order}",
                            *outcome.notes())
    return figures


def mib(size):
    return f"{size / MIB:.1f}"


def describe(name, figures):
    if not figures:
        return f"{name}: failed"
    steps = " -> ".join(mib(figures[key]) for key in ("before", "filled", "cleared", "settled"))
    text = f"{name}: {steps} MiB (before, filled, cleared, settled after "
    text += f"{figures['settled_after_ms']} ms); clear took {figures['clear_ms']} ms"
    if figures["survivors"]:
        text += (f"; {figures['survivors']} survivors on {mib(figures['survivor_os_page_bytes'])} "
                 f"MiB of OS pages, {mib(figures['survivor_8k_page_bytes'])} MiB of 8 KiB pages")
    return text


def check_everything_freed(context, title, figures):
    limit = figures["before"] * 11 // 10 + 2 * MIB
    context.report.result(
        figures["settled"] <= limit,
        f"{title}: within one second the resident set is within 10 % + 2 MiB of the start",
        f"{mib(figures['settled'])} MiB, allowed {mib(limit)} MiB")


def check_survivors(context, title, figures):
    growth = max(0, figures["settled"] - figures["before"])
    pages = figures["survivor_os_page_bytes"]
    context.report.result(
        growth <= 2 * pages,
        f"{title}: the resident set grew by at most twice the OS pages that hold survivors",
        f"grew by {mib(growth)} MiB; survivors are on {mib(pages)} MiB: {growth / pages:.2f} times")


def check_variant(context, variant, order):
    """Judges one variant; returns its figures."""
    title = f"map_clear: {VARIANTS[variant]}, {order} keys"
    figures = measure(context, variant, order)
    if not figures:
        context.report.result(False, f"{title}: the program ran to its end")
        return figures
    context.report.note(describe(context.allocator.name, figures))
    context.report.result(figures["filled"] - figures["before"] >= context.nodes * 40,
                          f"{title}: filling it makes the nodes resident")
    if variant == "one_in_thousand":
        check_survivors(context, title, figures)
    else:
        check_everything_freed(context, title, figures)
    return figures


def check(context, variants=tuple(VARIANTS), orders=ORDERS):
    """All variants; returns {(variant, order): figures}."""
    return {(variant, order): check_variant(context, variant, order)
            for order in orders for variant in variants}


def note_second_time(context):
    """Printed, not judged: what stays after filling and clearing a second time at once."""
    figures = measure(context, "twice", "ascending")
    context.report.note("filled and cleared twice: " + describe(context.allocator.name, figures))


def measure_peers(context, variants, orders):
    """{allocator name: {(variant, order): figures}} for glibc and every peer that is installed."""
    found, absent = peers.find_peers()
    context.report.note(*[f"absent: {line}" for line in absent])
    results = {}
    for peer in [peers.GLIBC, *found]:
        rows = {}
        for order in orders:
            for variant in variants:
                own = context.with_allocator(peer)
                rows[variant, order] = measure(own, variant, order)
                context.report.note(f"{VARIANTS[variant]}, {order}: "
                                    + describe(peer.name, rows[variant, order]))
        results[peer.name] = rows
    return results


def print_table(report, results, nodes):
    """The figures of every allocator side by side, as comments."""
    rows = []
    for variant, order in next(iter(results.values())):
        cells = []
        for figures in (rows_of[variant, order] for rows_of in results.values()):
            cells.append(" -> ".join(f"{figures[key] / MIB:.0f}" for key in ("filled", "settled"))
                         if figures else "failed")
        rows.append([f"{VARIANTS[variant]}, {order}", *cells])
    report.note(f"resident MiB, filled -> one second after clear, {nodes:,} nodes",
                summary.table(["", *results], rows))


def draw(path, results, variants, order, nodes):
    import plot  # gnuplot is wanted only here
    filled = max(rows[key].get("filled", 0) for rows in results.values() for key in rows)
    values = {name: [rows[variant, order].get("settled", 0) / MIB for variant in variants]
              for name, rows in results.items()}
    plot.clusters(path, f"Resident MiB one second after clearing a std::map of {nodes:,} nodes "
                  f"({order} keys; filled: up to {filled / MIB:.0f} MiB)",
                  [VARIANTS[variant] for variant in variants], values)


def command_line():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lib", default=harness.default_library(), metavar="FILE",
                        help="what to test: a library, or glibc (default: build/libspanguard.so)")
    parser.add_argument("--nodes", type=int, default=2000000, help="(default 2,000,000)")
    parser.add_argument("--order", choices=ORDERS, action="append",
                        help="of the keys; may be repeated (default: both)")
    parser.add_argument("--only", choices=VARIANTS, action="append", help="only this variant")
    parser.add_argument("--peers", action="store_true", help="measure the other allocators too")
    parser.add_argument("--plot", metavar="FILE.svg", help="draw the (first) order's figures there")
    return parser.parse_args()


def main():
    arguments = command_line()
    orders = arguments.order or list(ORDERS)
    variants = arguments.only or list(VARIANTS)
    report = harness.Report()
    harness.refuse_core_files()
    with tempfile.TemporaryDirectory() as folder:
        allocator = harness.allocator_named(arguments.lib)
        context = harness.Context(allocator, folder, report, nodes=arguments.nodes)
        results = {allocator.name: check(context, variants, orders)}
        note_second_time(context)
        if arguments.peers:
            results.update(measure_peers(context, variants, orders))
            print_table(report, results, arguments.nodes)
    if arguments.plot:
        draw(os.path.abspath(arguments.plot), results, variants, orders[0], arguments.nodes)
    sys.exit(report.finish())


if __name__ == "__main__":
    main()
