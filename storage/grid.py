"""The grid: samples summed up into buckets, and buckets of one metric put together.

Pure functions over arrays. A bucket covers [start, start + step_ms), starts are multiples of `step_ms` since 1970.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .models import Buckets, Times, Values, Window

HOUR_MS: Final = 3_600_000
STEPS_MS: Final = (1, 10, 100, 1_000, 10_000, 60_000, 300_000, 900_000, HOUR_MS)  # each a multiple of those before it

_MOST = np.finfo(np.float64).max
_PER_EDGE = 8  # samples a bucket from which on a search for its edge is quicker than a division for each sample


def step_for(span_ms: int, points: int) -> int:
    """The finest step with which `span_ms` takes at most so many buckets; never more than an hour, so that a bucket
    lies in one day and one hour."""
    return next((step for step in STEPS_MS if span_ms / step <= points), HOUR_MS)


def sum_up(window: Window, step_ms: int) -> Buckets:
    """The samples of one metric on the grid."""
    times, size = window.times, len(window.times)
    first, starts = np.empty(0, np.intp), np.empty(0, np.int64)
    if size:
        begin, end = int(times[0]) // step_ms, int(times[-1]) // step_ms + 1
        if (end - begin) * _PER_EDGE < size:  # looking up the grid's lines in the times beats dividing the times
            lines = np.arange(begin, end, dtype=np.int64) * step_ms
            first = times.searchsorted(lines)
            filled = _lengths(first, size) > 0
            first, starts = first[filled], lines[filled]
        else:
            cells = times // step_ms * step_ms
            first = np.flatnonzero(np.diff(cells, prepend=cells[:1] - 1))
            starts = cells[first]
    count = _lengths(first, size)
    return _reduced(step_ms, starts, first, count, window.values, window.values, window.values)


def _lengths(first: NDArray[np.intp], size: int) -> NDArray[np.int64]:
    """How long each run is that begins at an index in `first`; np.diff with its `append` takes three times as long."""
    lengths = np.empty(len(first), np.int64)
    if len(first):
        lengths[-1] = size
        lengths[:-1] = first[1:]
        lengths -= first
    return lengths


def combined(parts: Sequence[Buckets], step_ms: int) -> Buckets:
    """Buckets over samples that no two of the parts share, as one; a bucket cut in two becomes whole again."""
    if len(parts) == 1:
        return parts[0]
    starts = np.concatenate([part.starts for part in parts] or [np.empty(0, np.int64)])
    order = starts.argsort(kind="stable")
    return _regrouped(
        step_ms,
        starts[order],
        *(
            np.concatenate([getattr(part, name) for part in parts] or [np.empty(0, np.int64)])[order]
            for name in ("count", "total", "minimum", "maximum")
        ),
    )


def coarser(buckets: Buckets, step_ms: int) -> Buckets:
    """The same on another grid. Where `step_ms` is no multiple of the buckets' own, a bucket counts for the one its
    start lies in."""
    if step_ms == buckets.step_ms:
        return buckets
    starts = buckets.starts // step_ms * step_ms
    return _regrouped(step_ms, starts, buckets.count, buckets.total, buckets.minimum, buckets.maximum)


def merged_windows(stored: Window | None, recent: Window) -> Window:
    """Both as one; of two samples with one time, the recent one."""
    if stored is None or not len(stored):
        return recent
    if not len(recent):
        return stored
    times, values = np.concatenate((stored.times, recent.times)), np.concatenate((stored.values, recent.values))
    if stored.times[-1] >= recent.times[0]:
        order = times.argsort(kind="stable")
        times = times[order]
        keep = np.append(times[1:] != times[:-1], True)
        times = times[keep]
        values = values[order[keep]]
    times.flags.writeable = values.flags.writeable = False
    return Window(times, values)


def _regrouped(
    step_ms: int,
    starts: NDArray[np.int64],
    count: NDArray[np.int64],
    total: Values,
    low: Values,
    high: Values,
) -> Buckets:
    """Neighbours with one start become one."""
    first = np.flatnonzero(np.diff(starts, prepend=starts[:1] - 1)) if len(starts) else np.empty(0, np.intp)
    counts = np.add.reduceat(count, first) if len(first) else np.empty(0, np.int64)
    return _reduced(step_ms, starts[first], first, counts, total, low, high)


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
    starts: NDArray[np.int64],
    first: NDArray[np.intp],
    count: NDArray[np.int64],
    total: Values,
    low: Values,
    high: Values,
) -> Buckets:
    """One bucket for each run that begins at an index in `first`."""
    if not len(first):
        empty = np.empty(0, np.float64)
        return Buckets(step_ms, np.empty(0, np.int64), np.empty(0, np.int64), empty, empty, empty)
    with np.errstate(over="ignore", invalid="ignore"):
        sums = np.add.reduceat(total, first)
    if not np.isfinite(sums).all():
        # A sum of huge values is held at the largest number, so that it stays JSON; where it is past both ends, at 0.
        sums = np.nan_to_num(sums, posinf=_MOST, neginf=-_MOST)
    return Buckets(step_ms, starts, count, sums, np.minimum.reduceat(low, first), np.maximum.reduceat(high, first))
