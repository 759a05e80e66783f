"""Medians, quartiles and geometric means of paired ratios."""

import math
import statistics
from typing import NamedTuple


class Spread(NamedTuple):
    median: float
    low: float  # first and third quartile
    high: float

    def ratio(self):
        return f"{self.median:.2f} ({self.low:.2f}-{self.high:.2f})"


def spread(values):
    ordered = sorted(values)
    if len(ordered) < 4:
        return Spread(statistics.median(ordered), ordered[0], ordered[-1])
    low, middle, high = statistics.quantiles(ordered, n=4, method="inclusive")
    return Spread(middle, low, high)


def paired(values, reference):
    """The spread of value / reference, round by round."""
    return spread([value / base for value, base in zip(values, reference)])


def geometric_mean(values):
    return math.exp(statistics.fmean(math.log(value) for value in values))


def table(header, rows):
    """Columns as wide as their widest cell; the first to the left, the rest to the right."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]
    lines = []
    for row in [header, *rows]:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
