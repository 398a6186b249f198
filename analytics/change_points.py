"""Change points: every moment in a series at which its level changed for good, not only the one that explains it best.

Binary segmentation (Scott & Knott 1974; Vostrikova 1981): where the whole is a lasting step by the test of `trend`,
which knows about memory in noise, it is cut there and both parts are looked at again. A random walk and a slope have
none. At most MOST are found, so the cost is bounded by twice as many looks.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Final

from msgspec import Struct

from .robust import Times, Values, median
from .trend import direction

MOST: Final = 6
LEAST: Final = 48  # samples of a part worth a look


class ChangePoint(Struct, frozen=True):
    """The first moment of a new level. `before`, `after`: medians up to the next change on either side."""

    at_ms: int
    before: float
    after: float
    p_value: float


def change_points(times: Times, values: Values) -> tuple[ChangePoint, ...]:
    """In order of time, of samples at rising times (ms), finite values."""
    found: dict[int, float] = {}
    parts = [(0, len(values))]
    while parts and len(found) < MOST:
        begin, end = parts.pop(0)
        if end - begin < LEAST:
            continue
        trend = direction(times[begin:end], values[begin:end])
        if trend.shape != "step" or trend.changed_at_ms is None:
            continue
        at = int(times.searchsorted(trend.changed_at_ms))
        if not begin < at < end:
            continue
        found[at] = trend.p_value
        parts += [(begin, at), (at, end)]
    edges = [0, *sorted(found), len(values)]
    levels = [median(values[first:last]) for first, last in pairwise(edges)]
    return tuple(
        ChangePoint(int(times[at]), levels[place], levels[place + 1], found[at])
        for place, at in enumerate(sorted(found))
    )
