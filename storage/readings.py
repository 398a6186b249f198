"""Readings of counters: what a counter showed at the end of each bucket, and when.

The mean of a bucket says of a counter what it showed somewhere within: where a bucket is partly filled (the newest, one
beside a gap) nobody knows where, and a rate made of two such means is wrong. So the last reading of each bucket is
taken at its own time. Where a counter has too many samples to read them all, the greatest of a bucket stands for the
last one, at the bucket's end; buckets that may have ended early are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from msgspec import Struct

from .history import History
from .models import Buckets, Times, Values, Window
from .quarantine import Range, outside

MOST: Final = 200_000  # samples of one metric that are read
MOST_IN_ALL: Final = 1_000_000  # in one answer


class Readings(Struct, frozen=True):
    """Rising times (ms) and values by metric. `read`: the samples they were taken from. `reason`: as the history's."""

    series: Mapping[str, tuple[Times, Values]]
    read: Mapping[str, Window]
    reason: str | None


async def last_readings(
    history: History, buckets: Mapping[str, Buckets], start_ms: int, end_ms: int, *, most: int = MOST
) -> Readings:
    """Of the counters whose plausible samples in [start, end) are in `buckets`, all of one step."""
    series: dict[str, tuple[Times, Values]] = {}
    windows: dict[str, Window] = {}
    reason: str | None = None
    left = MOST_IN_ALL
    for name, some in buckets.items():
        count = int(some.count.sum())
        if count > min(most, left):
            series[name] = at_ends(some)
            continue
        left -= count
        found = await history.window([name], start_ms, end_ms)
        reason = reason or found.reason
        for window in found.windows.values():
            windows[name] = window
            times, values = last_of_each(window, some.step_ms, history.plausible(name))
            if len(times):
                series[name] = times, values
    return Readings(series, windows, reason)


def last_of_each(window: Window, step_ms: int, plausible: Range) -> tuple[Times, Values]:
    """The last plausible sample of each bucket of the grid. One that came less than half a step after the one before is
    left out: what was counted in so short a time says little of how fast."""
    sound = ~outside(window.values, window.values, plausible)
    times, values = window.times[sound], window.values[sound]
    if not len(times):
        return times, values
    last = np.append(np.diff(times // step_ms) > 0, True)
    times, values = times[last], values[last]
    keep = np.diff(times, prepend=times[0] - step_ms) * 2 >= step_ms
    return times[keep], values[keep]


def at_ends(buckets: Buckets) -> tuple[Times, Values]:
    """The greatest sample of each bucket at its end, but for those buckets that hold fewer samples than is usual and
    have no successor: they may have ended early."""
    if not len(buckets):
        return buckets.starts, buckets.maximum
    followed = np.append(np.diff(buckets.starts) == buckets.step_ms, False)
    keep = followed | (buckets.count >= np.median(buckets.count))
    return buckets.starts[keep] + buckets.step_ms, buckets.maximum[keep]
