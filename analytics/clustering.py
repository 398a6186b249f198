"""An order for the rows of a correlation matrix in which what moves together stands together.

Average linkage (UPGMA: Sokal and Michener 1958) on the distance 1 - |r|; two clusters are joined end to end, turned so
that their nearest ends touch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray


def clustered_order(names: Sequence[str], strength: Mapping[tuple[str, str], float]) -> list[str]:
    """`names` in clustered order. `strength`: |r| in 0..1 of the pairs that are known; all others count as 0.

    Names without any known pair keep their order, behind all others. Deterministic; O(n^3) for n names with a pair.
    """
    related = {name for pair in strength for name in pair}
    linked = [name for name in names if name in related]
    place = {name: at for at, name in enumerate(linked)}
    distance: NDArray[np.float64] = np.ones((len(linked), len(linked)))
    for (a, b), r in strength.items():
        if a in place and b in place and a != b:
            distance[place[a], place[b]] = distance[place[b], place[a]] = 1.0 - min(1.0, abs(r))
    ordered = [linked[at] for at in _joined(distance)]
    return ordered + [name for name in names if name not in related]


def _joined(distance: NDArray[np.float64]) -> list[int]:
    clusters = [[at] for at in range(len(distance))]
    between = distance.copy()
    np.fill_diagonal(between, np.inf)
    while len(clusters) > 1:
        first, second = divmod(int(between.argmin()), len(clusters))
        first, second = min(first, second), max(first, second)
        a, b = clusters[first], clusters[second]
        merged = (len(a) * between[first] + len(b) * between[second]) / (len(a) + len(b))
        between[first], between[:, first] = merged, merged
        between[first, first] = np.inf
        between = np.delete(np.delete(between, second, 0), second, 1)
        clusters[first] = _end_to_end(a, b, distance)
        del clusters[second]
    return clusters[0] if clusters else []


def _end_to_end(a: list[int], b: list[int], distance: NDArray[np.float64]) -> list[int]:
    ways = [(left, right) for left in (a, a[::-1]) for right in (b, b[::-1])]
    left, right = min(ways, key=lambda way: distance[way[0][-1], way[1][0]])
    return left + right
