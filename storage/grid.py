"""The grid: samples summed up into buckets, and buckets of one metric put together.

Pure functions over arrays. A bucket covers [start, start + step_ms), starts are multiples of `step_ms` since 1970.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .models import Buckets, Times, Values, Window

_MOST = np.finfo(np.float64).max


def sum_up(window: Window, step_ms: int) -> Buckets:
    """The samples of one metric on the grid."""
    starts = window.times // step_ms * step_ms
    first = np.flatnonzero(np.diff(starts, prepend=starts[:1] - 1)) if len(starts) else np.empty(0, np.int64)
    return _reduced(step_ms, starts, first, np.ones(len(starts), np.int64), window.values, window.values, window.values)


def combined(parts: Sequence[Buckets], step_ms: int) -> Buckets:
    """Buckets over samples that no two of the parts share, as one; a bucket cut in two becomes whole again."""
    if len(parts) == 1:
        return parts[0]
    starts = np.concatenate([part.starts for part in parts] or [np.empty(0, np.int64)])
    if not len(starts):
        return sum_up(Window(np.empty(0, np.int64), np.empty(0, np.float64)), step_ms)
    order = starts.argsort(kind="stable")
    starts = starts[order]
    return _reduced(
        step_ms,
        starts,
        np.flatnonzero(np.diff(starts, prepend=starts[:1] - 1)),
        np.concatenate([part.count for part in parts])[order],
        np.concatenate([part.total for part in parts])[order],
        np.concatenate([part.minimum for part in parts])[order],
        np.concatenate([part.maximum for part in parts])[order],
    )


def coarser(buckets: Buckets, step_ms: int) -> Buckets:
    """The same on a coarser grid; `step_ms` is a multiple of the buckets' own."""
    starts = buckets.starts // step_ms * step_ms
    first = np.flatnonzero(np.diff(starts, prepend=starts[:1] - 1)) if len(starts) else np.empty(0, np.int64)
    return _reduced(step_ms, starts, first, buckets.count, buckets.total, buckets.minimum, buckets.maximum)


def means(buckets: Buckets) -> Values:
    """The mean of each bucket, shape (n,). Held within the bucket's own range: the sum of huge values is not exact."""
    middles = buckets.minimum / 2 + buckets.maximum / 2
    raw = buckets.total / buckets.count
    result: Values = np.clip(np.where(np.isfinite(raw), raw, middles), buckets.minimum, buckets.maximum)
    return result


def as_series(buckets: Buckets) -> tuple[Times, Values]:
    """The means of buckets at their middles: what analytics looks at."""
    return buckets.starts + buckets.step_ms // 2, means(buckets)


def _reduced(
    step_ms: int,
    starts: np.ndarray[tuple[int], np.dtype[np.int64]],
    first: np.ndarray[tuple[int], np.dtype[np.intp]],
    count: np.ndarray[tuple[int], np.dtype[np.int64]],
    total: np.ndarray[tuple[int], np.dtype[np.float64]],
    low: np.ndarray[tuple[int], np.dtype[np.float64]],
    high: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> Buckets:
    """One bucket for each run that begins at an index in `first`."""
    if not len(first):
        empty = np.empty(0, np.float64)
        return Buckets(step_ms, np.empty(0, np.int64), np.empty(0, np.int64), empty, empty, empty)
    with np.errstate(over="ignore"):  # a sum of huge values is held at the largest number, so that it stays JSON
        sums = np.add.reduceat(total, first).clip(-_MOST, _MOST)
    return Buckets(
        step_ms,
        starts[first],
        np.add.reduceat(count, first),
        sums,
        np.minimum.reduceat(low, first),
        np.maximum.reduceat(high, first),
    )
