"""Draws with gnuplot, which reads its commands and its data from one standard input."""

import shutil
import subprocess
import sys

COLOURS = ("#c0392b", "#2e6da4", "#3d9142", "#8e5ea2", "#d98c1f", "#555555", "#1fa3a3", "#a0522d")


def gnuplot(commands, blocks):
    """Runs `commands`; a block is a named list of lines that they refer to as $name."""
    if shutil.which("gnuplot") is None:
        sys.exit("no plot: gnuplot is absent (install gnuplot-nox)")
    data = "".join(f"${name} << END\n" + "\n".join(lines) + "\nEND\n"
                   for name, lines in blocks.items())
    subprocess.run(["gnuplot"], input=data + commands, text=True, check=True, timeout=60)


def quoted(text):
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def ratios(path, result, names):
    """One column per shape, one mark per allocator with its quartiles; glibc is the line at 1."""
    shapes = list(result["glibc_ns"])
    blocks, curves = {}, []
    for index, name in enumerate(names):
        offset = (index - (len(names) - 1) / 2) * 0.12
        rows = [result["ratios"][name][shape] for shape in shapes]
        blocks[f"d{index}"] = [f"{x + offset} {r.median} {r.low} {r.high}"
                               for x, r in enumerate(rows)]
        curves.append(f"$d{index} using 1:2:3:4 with yerrorbars pt 7 ps 0.5 "
                      f"lc rgb '{COLOURS[index % len(COLOURS)]}' title {quoted(name)}")
    tics = ", ".join(f"{quoted(shape)} {x}" for x, shape in enumerate(shapes))
    gnuplot(f"""
set terminal svg size 1200,560 noenhanced background rgb 'white'
set output {quoted(path)}
set title 'CPU time of a malloc+free pair, ratio to glibc (less is better)'
set logscale y 2
set grid ytics
set key outside top center horizontal
set xtics rotate by -45 ({tics})
set xrange [-0.7:{len(shapes) - 0.3}]
plot 1 with lines lc rgb 'black' dt 2 title 'glibc', {", ".join(curves)}
""", blocks)


def clusters(path, title, groups, values):
    """A group of bars per entry of `groups`, one bar per entry of `values` (name -> heights)."""
    names = list(values)
    rows = [" ".join([quoted(group), *[f"{values[name][i]:.3f}" for name in names]])
            for i, group in enumerate(groups)]
    bars = [f"$bars using {column}:xtic(1) lc rgb '{COLOURS[(column - 2) % len(COLOURS)]}' "
            f"title {quoted(name)}" for column, name in enumerate(names, start=2)]
    gnuplot(f"""
set terminal svg size 900,460 noenhanced background rgb 'white'
set output {quoted(path)}
set title {quoted(title)}
set style data histograms
set style histogram clustered gap 1
set style fill solid 0.9
set boxwidth 0.9
set grid ytics
set yrange [0:]
set key outside top center horizontal
plot {", ".join(bars)}
""", {"bars": rows})
