"""The evidence that goes with an insight: the metric's course, how much of it was there, and what else moved with it.

Pure and bounded: a series has at most POINTS points, at most NAMED other metrics are named.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

import numpy as np

from .cadence import coverage
from .robust import Times, Values, mad_sigma, median, rounded

POINTS: Final = 96
NAMED: Final = 5
LEAD: Final = 1.0  # a series begins so many of its own lengths before the span
MIN_LEAD_MS: Final = 600_000
BESIDE_MS: Final = 900_000  # what moved with it moved within a quarter of an hour
ENOUGH: Final = 5  # samples on each side
MOVED: Final = 6.0  # robust sigmas
FLOOR: Final = 0.01  # of a metric's own level: a still metric that trembles has not moved

Samples = Mapping[str, tuple[Times, Values]]


def evidence(times: Times, values: Values, metric: str, start_ms: int, now_ms: int) -> dict[str, Any]:
    """`series` and `coverage` of a metric for what has held since `start_ms`, of samples in rising order.

    No `coverage` where a single sample says all: how often the metric comes is not known yet.
    """
    first_ms = start_ms - max(MIN_LEAD_MS, round(LEAD * (now_ms - start_ms)))
    begin = int(times.searchsorted(first_ms))
    times, values = times[begin:], values[begin:]
    shown_times, shown = thinned(times, values)
    found: dict[str, Any] = {
        "series": [{
            "metric": metric,
            "timestamps": [time_ms / 1000 for time_ms in shown_times.tolist()],
            "values": [rounded(value, 5) for value in shown.tolist()],
        }]
    }  # fmt: skip
    if len(times) == 1:
        return found
    covered = coverage(times, max(first_ms, int(times[0])), now_ms + 1).covered if len(times) else 0.0
    return {**found, "coverage": round(covered, 3)}


def thinned(times: Times, values: Values) -> tuple[Times, Values]:
    """At most POINTS of the samples: of equal stretches the one farthest from its stretch's median, so peaks stay."""
    if len(times) <= POINTS:
        return times, values
    edges = np.linspace(0, len(times), POINTS + 1).astype(np.int64)
    kept = []
    for begin, end in pairwise(edges.tolist()):
        some = values[begin:end]
        kept.append(begin + int(np.argmax(np.abs(some - np.median(some)))))
    return times[kept], values[kept]


def co_moving(samples: Samples, metric: str, at_ms: int) -> list[dict[str, Any]]:
    """The metrics whose level shifted most around `at_ms`, but for `metric`: name, shift, robust sigmas."""
    found = []
    for name, (times, values) in samples.items():
        if name == metric:
            continue
        begin, middle, end = times.searchsorted((at_ms - BESIDE_MS, at_ms, at_ms + BESIDE_MS)).tolist()
        if middle - begin < ENOUGH or end - middle < ENOUGH:
            continue
        before, after = values[begin:middle], values[middle:end]
        level = median(before)
        shift = median(after) - level
        scale = max(mad_sigma(before, level), FLOOR * abs(level), 1e-9)
        if math.isfinite(shift) and abs(shift) >= MOVED * scale:
            found.append((min(abs(shift) / scale, 1000.0), name, shift))
    found.sort(reverse=True)
    return [
        {"metric": name, "shift": rounded(shift, 4), "sigmas": rounded(sigmas, 3)}
        for sigmas, name, shift in found[:NAMED]
    ]
