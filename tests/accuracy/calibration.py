"""Whether a stated confidence means something: of what was told at 0.8, how much was right.

Owns the table and the plot of (confidence, right) pairs, for whoever has them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise

EDGES = (0.0, 0.7, 0.8, 0.85, 0.9, 0.95, 1.0)
ROWS = 10  # of the plot: a tenth each
Verdicts = Sequence[tuple[float, bool]]
Bin = tuple[float, float, int, float, float, float]  # low, high, count, mean confidence, share right, its half-width


def bins(verdicts: Verdicts, edges: Sequence[float] = EDGES) -> list[Bin]:
    """The bins that are not empty. The half-width is that of a 95 % interval (Agresti & Coull 1998)."""
    found = []
    for low, high in pairwise(edges):
        some = [
            (confidence, right) for confidence, right in verdicts if low <= confidence < high or confidence == high == 1
        ]
        if some:
            count = len(some)
            right = sum(right for _, right in some) / count
            middle = (right * count + 2) / (count + 4)
            half = 1.96 * math.sqrt(middle * (1 - middle) / (count + 4))
            found.append((low, high, count, sum(confidence for confidence, _ in some) / count, right, half))
    return found


def table(verdicts: Verdicts) -> list[str]:
    lines = ["| confidence | insights | mean confidence | right | +- |", "|---|---|---|---|---|"]
    lines += [
        f"| {low:g} to {high:g} | {count} | {stated:.2f} | {right:.2f} | {half:.2f} |"
        for low, high, count, stated, right, half in bins(verdicts)
    ]
    return lines


def plot(verdicts: Verdicts) -> list[str]:
    """Confidence across, share right upwards: `o` what was, `/` what was stated, `@` both."""
    points = bins(verdicts)
    lines = []
    for row in range(ROWS, 0, -1):
        cells = []
        for _, _, _, stated, right, _ in points:
            is_right, is_stated = math.ceil(right * ROWS - 1e-9) == row, math.ceil(stated * ROWS - 1e-9) == row
            cells.append("@" if is_right and is_stated else "o" if is_right else "/" if is_stated else " ")
        lines.append(f"{row * 100 // ROWS:4d} % |" + "".join(f"   {cell}   " for cell in cells))
    lines.append("       +" + "-------" * len(points))
    lines.append("        " + "".join(f" {stated:5.2f} " for _, _, _, stated, _, _ in points))
    return lines
