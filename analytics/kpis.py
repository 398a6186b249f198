"""Figures of one window of one metric: the numbers behind /trends and /aggregation."""

from __future__ import annotations

from typing import Any, Final, Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from .cadence import coverage
from .robust import Times, Values, finite, quantiles, tamed
from .trend import Direction, change_percent, direction

DataQuality = Literal["good", "limited", "no_data"]

GOOD_SAMPLES: Final = 12
GOOD_COVERAGE: Final = 0.5


class WindowSummary(Struct, frozen=True):
    """All in the metric's unit. `previous`: the mean of the window of the same length before, None when that held
    nothing; `change_percent`: of avg against previous. `sum` is cut at the largest double."""

    avg: float
    min: float
    max: float
    sum: float
    count: int
    p50: float
    p95: float
    previous: float | None
    change_percent: float | None
    trend_direction: Direction

    def as_json(self) -> dict[str, Any]:
        return {
            "avg": self.avg, "min": self.min, "max": self.max, "sum": self.sum, "count": self.count,
            "p50": self.p50, "p95": self.p95, "previous": self.previous, "change_percent": self.change_percent,
            "trend_direction": self.trend_direction,
        }  # fmt: skip


def summarise(times: Times, values: Values, start_ms: int, end_ms: int) -> WindowSummary | None:
    """The window [start_ms, end_ms) of samples at rising times, which may begin earlier: what lies in the window of
    the same length before becomes `previous`. None when the window is empty."""
    first, start, end = np.searchsorted(times, (2 * start_ms - end_ms, start_ms, end_ms)).tolist()
    if start == end:
        return None
    inside = np.asarray(values[start:end], dtype=np.float64)
    before = np.asarray(values[first:start], dtype=np.float64)
    p50, p95 = quantiles(inside, (0.5, 0.95)).tolist()
    return _summary(
        _mean(inside), float(inside.min()), float(inside.max()), len(inside), p50, p95,
        _mean(before) if len(before) else None, direction(times[start:end], inside).direction,
    )  # fmt: skip


def summarise_buckets(
    starts: Times, count: NDArray[np.int64], total: Values, minimum: Values, maximum: Values, start_ms: int, end_ms: int
) -> WindowSummary | None:
    """The same from buckets (arrays of storage's Buckets, each counted to the window its start lies in).

    Exact but for p50 and p95, which are weighted quantiles of the bucket means (Hyndman & Fan type 1).
    """
    first, start, end = np.searchsorted(starts, (2 * start_ms - end_ms, start_ms, end_ms)).tolist()
    if start == end:
        return None
    counts = np.asarray(count[start:end], dtype=np.float64)
    means = np.asarray(total[start:end], dtype=np.float64) / np.maximum(counts, 1.0)
    order = np.argsort(means)
    reached = np.cumsum(counts[order])
    places = np.searchsorted(reached, reached[-1] * np.array((0.5, 0.95)) * (1 - 1e-12))
    p50, p95 = means[order][places].tolist()
    before = np.asarray(count[first:start], dtype=np.float64)
    previous = None
    if before.sum() > 0:
        previous = _weighted(np.asarray(total[first:start]) / np.maximum(before, 1.0), before)
    return _summary(
        _weighted(means, counts), float(np.min(minimum[start:end])), float(np.max(maximum[start:end])),
        int(counts.sum()), p50, p95, previous, direction(starts[start:end], means).direction,
    )  # fmt: skip


def _summary(
    avg: float, low: float, high: float, count: int, p50: float, p95: float, previous: float | None, trend: Direction
) -> WindowSummary:
    avg = min(max(avg, low), high)  # rounding must not put a mean outside its own range
    return WindowSummary(
        avg=avg, min=low, max=high, sum=finite(float(avg) * count), count=count, p50=p50, p95=max(p50, p95),
        previous=previous,
        change_percent=None if previous is None else change_percent(previous, avg), trend_direction=trend,
    )  # fmt: skip


def _mean(values: Values) -> float:
    small, divisor = tamed(values)
    return finite(float(small.mean()) * divisor)


def _weighted(means: Values, counts: Values) -> float:
    small, divisor = tamed(means)
    return finite(float(small @ counts) / float(counts.sum()) * divisor)


def data_quality(times: Times, start_ms: int, end_ms: int) -> DataQuality:
    """Whether [start_ms, end_ms) holds enough for a trend: `no_data` without a sample; `good` with GOOD_SAMPLES
    samples (or buckets) or more that leave no more than half of the window in gaps (cadence.coverage); else `limited`.
    """
    seen = coverage(times, start_ms, end_ms)
    if not seen.samples:
        return "no_data"
    return "good" if seen.samples >= GOOD_SAMPLES and seen.covered >= GOOD_COVERAGE else "limited"
