"""How far the points of a window lie from the window's own baseline, and which stretches are anomalies.

A point is judged twice: against the whole window (median, spread of its own side) and against its surroundings
(running median, spread of what that leaves). The smaller of the two robust z scores counts. So a daily swing is no
anomaly (the window knows it), nor is a drift (the surroundings know it): only what is rare in both views stands out.

What is not judged, on purpose: fewer than MIN_POINTS points, states and on/off series (at most two distinct values),
and habits: what stands out must be few, and CLEAR times as far off as all the rest, so a heavy-tailed metric raises
its own bar.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from .catalogue import DEFAULT_SPEC, MetricSpec
from .robust import Values, finite, median, rolling_median, side_scales, tamed

MIN_POINTS: Final = 8
THRESHOLD: Final = 6.0  # robust sigmas; a normal passes it once in 10^9 points
MAX_RARE: Final = 0.1  # share of points that may be anomalies
CLEAR: Final = 2.0  # how many times farther off than the rest
MIN_EVENTS: Final = 2  # how many anomalies a short window may hold, ...
POINTS_PER_EVENT: Final = 60  # ... and one more for so many points
DOUBT: Final = 6.0  # a short window knows its own spread badly: with 24 points the bar is a quarter higher
SHOULDER: Final = 2  # points on either side that belong to an anomaly's rise and fall
SURROUNDINGS: Final = 25  # points in the running median
Z_LIMIT: Final = 1e9  # scores are cut here, so that they can be squared


class Stretch(Struct, frozen=True):
    """Neighbouring points that stand out to one side. `score`: the largest |z| in it, found at index `peak`."""

    first: int
    last: int
    peak: int
    score: float


def baseline_deviation(values: Values, spec: MetricSpec = DEFAULT_SPEC) -> Values:
    """Robust z of every point, signed, within +-Z_LIMIT. Shape (n,) in, shape (n,) out; zeros where nothing is judged.

    `spec` tells what a state is and the smallest deviation that counts. The direction of what is bad does not matter
    here: this is a measure, not a verdict.
    """
    values = np.asarray(values, dtype=np.float64)
    count = len(values)
    if count < MIN_POINTS or spec.kind == "state" or not _varied(values):
        return np.zeros(count)
    small, divisor = tamed(values)
    floor = 1e-9 * float(np.abs(small).max())  # rounding of the arithmetic is not a deviation
    if spec.min_deviation is not None:
        floor = max(floor, spec.min_deviation / divisor / THRESHOLD)
    whole = _z(small - median(small), floor)
    near = _z(small - rolling_median(small, SURROUNDINGS), floor)
    z = np.where(np.abs(whole) < np.abs(near), whole, near)
    z[np.sign(whole) * np.sign(near) < 0] = 0.0  # the two views disagree on the side: neither is believed
    result: Values = np.clip(z, -Z_LIMIT, Z_LIMIT)
    return result


def _z(deviations: Values, floor: float) -> Values:
    below, above = side_scales(deviations, 0.0)
    scale = np.where(deviations < 0, max(below, floor), max(above, floor))
    if not scale.all():  # a series of zeros but for rounding: nothing to divide by
        return np.zeros(len(deviations))
    return deviations / scale


def _varied(values: Values) -> bool:
    """Whether there are more than two distinct values."""
    low, high = float(values.min()), float(values.max())
    return low < high and bool(((values > low) & (values < high)).any())


def anomaly_score(deviations: Values) -> Values:
    """Baseline deviations as scores in 0..1: z^2 / (z^2 + THRESHOLD^2), one half where a point becomes an anomaly."""
    squares = np.asarray(deviations, dtype=np.float64) ** 2
    result: Values = squares / (squares + THRESHOLD * THRESHOLD)
    return result


def stretches(deviations: Values, spec: MetricSpec = DEFAULT_SPEC) -> list[Stretch]:
    """The anomalies in a series of baseline deviations, in order. Neighbours to one side make one stretch.

    Empty when the spec says that no deviation is bad, or when standing out is the habit.
    """
    if spec.kind != "gauge" or spec.bad_direction == "none":
        return []
    size = np.asarray(deviations, dtype=np.float64)
    bad = np.zeros(len(size), dtype=np.int8)
    bar = THRESHOLD * (1.0 + DOUBT / max(1, len(size)))
    bad[size >= bar] = 1
    bad[size <= -bar] = -1
    if not bad.any() or np.count_nonzero(bad) > max(2, MAX_RARE * len(bad)):
        return []
    found = [_stretch(size, first, end) for first, end in runs(bad)]
    clear = _clear_of_the_rest(np.abs(size), found)
    side = {"above": 1, "below": -1}.get(spec.bad_direction, 0)
    return [stretch for stretch in clear if side in (0, bad[stretch.peak])]


def _clear_of_the_rest(size: Values, found: list[Stretch]) -> list[Stretch]:
    """Those of `found` above a gap: the largest ones, as many as reach CLEAR times the largest of all the rest.

    A heavy tail has no such gap: its extremes follow one another closely, and none of them is news.
    """
    rest = size.copy()
    for stretch in found:  # with their shoulders: a peak is not to be hidden by its own flank
        rest[max(0, stretch.first - SHOULDER) : stretch.last + 1 + SHOULDER] = 0.0
    by_score = sorted(found, key=lambda stretch: stretch.score, reverse=True)
    for count in range(min(len(by_score), max(MIN_EVENTS, len(size) // POINTS_PER_EVENT)), 0, -1):
        following = by_score[count].score if count < len(by_score) else float(rest.max())
        if by_score[count - 1].score >= CLEAR * following:
            kept = by_score[:count]
            return sorted(kept, key=lambda stretch: stretch.first)
    return []


def _stretch(deviations: Values, first: int, end: int) -> Stretch:
    peak = first + int(np.abs(deviations[first:end]).argmax())
    return Stretch(first, end - 1, peak, finite(abs(float(deviations[peak]))))


def runs(marks: NDArray[np.int8]) -> Iterator[tuple[int, int]]:
    """Half-open spans of equal, non-zero marks."""
    if not len(marks):
        return
    edges = [0, *(np.flatnonzero(np.diff(marks)) + 1).tolist(), len(marks)]
    for first, end in pairwise(edges):
        if marks[first]:
            yield first, end


def anomaly_count(deviations: Values, spec: MetricSpec = DEFAULT_SPEC) -> int:
    """How many anomalies (stretches, not points) a series of baseline deviations holds."""
    return len(stretches(deviations, spec))


def expected_range(values: Values, at: int) -> tuple[float, float]:
    """The range in which the point at index `at` would have been ordinary: neither view calls it an anomaly there."""
    small, divisor = tamed(np.asarray(values, dtype=np.float64))
    middle, near = median(small), float(rolling_median(small, SURROUNDINGS)[at])
    below, above = side_scales(small - middle, 0.0)
    near_below, near_above = side_scales(small - rolling_median(small, SURROUNDINGS), 0.0)
    low = min(middle - THRESHOLD * below, near - THRESHOLD * near_below)
    high = max(middle + THRESHOLD * above, near + THRESHOLD * near_above)
    return finite(low * divisor), finite(high * divisor)


def expected_band(values: Values, spec: MetricSpec = DEFAULT_SPEC) -> tuple[Values, Values] | None:
    """`expected_range` of every point at once: low and high, shape (n,) each; None where nothing is judged."""
    values = np.asarray(values, dtype=np.float64)
    if len(values) < MIN_POINTS or spec.kind != "gauge" or not _varied(values):
        return None
    small, divisor = tamed(values)
    middle, near = median(small), rolling_median(small, SURROUNDINGS)
    below, above = side_scales(small - middle, 0.0)
    near_below, near_above = side_scales(small - near, 0.0)
    low = np.minimum(middle - THRESHOLD * below, near - THRESHOLD * near_below) * divisor
    high = np.maximum(middle + THRESHOLD * above, near + THRESHOLD * near_above) * divisor
    most = np.finfo(np.float64).max
    return np.clip(low, -most, most), np.clip(high, -most, most)
