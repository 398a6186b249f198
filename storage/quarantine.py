"""Quarantine: samples outside what a metric can plausibly be are kept as they came, and left out of sums over them.

Pure functions over buckets and windows; the history applies them. A bucket whose least or greatest sample is outside
is suspect, and is made again from its own samples; nothing else is read twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from .grid import combined, sum_up
from .models import Buckets, Window, joined_window

Range = tuple[float | None, float | None]
ANYTHING: Final[Range] = (None, None)


def outside(low: NDArray[np.float64], high: NDArray[np.float64], plausible: Range) -> NDArray[np.bool_]:
    """Which of them reach below or above the plausible range, both ends of which are plausible."""
    least, most = plausible
    found = np.zeros(len(low), bool)
    if least is not None:
        found |= low < least
    if most is not None:
        found |= high > most
    return found


def suspect_spans(buckets: Buckets, plausible: Range) -> list[tuple[int, int]]:
    """The spans [start, end) of the buckets that hold an implausible sample, neighbours as one."""
    starts = buckets.starts[outside(buckets.minimum, buckets.maximum, plausible)]
    if not len(starts):
        return []
    breaks = np.flatnonzero(np.diff(starts) > buckets.step_ms) + 1
    groups = np.split(starts, breaks)
    return [(int(group[0]), int(group[-1]) + buckets.step_ms) for group in groups]


def implausible(window: Window, plausible: Range) -> Window:
    """The samples that are outside."""
    found = outside(window.values, window.values, plausible)
    return Window(window.times[found], window.values[found])


def joined(windows: Sequence[Window], limit: int) -> Window:
    """The newest `limit` samples of windows that follow upon each other."""
    whole = joined_window([each.times for each in windows], [each.values for each in windows])
    return Window(whole.times[-limit:], whole.values[-limit:])


def mended(bad: Window, around: Window, plausible: Range) -> Window:
    """The implausible samples `bad` on the straight line between their plausible neighbours in `around` (at an end: the
    nearest one); none where there is no plausible neighbour."""
    sound = ~outside(around.values, around.values, plausible)
    if not sound.any():
        return Window(bad.times[:0], bad.values[:0])
    return Window(bad.times, np.interp(bad.times, around.times[sound], around.values[sound]))


def scaled(bad: Window, factor: float, plausible: Range) -> Window:
    """Those of the implausible samples that are plausible times `factor` (a unit had changed), so multiplied."""
    with np.errstate(over="ignore"):
        values = bad.values * factor
    sound = ~outside(values, values, plausible) & np.isfinite(values)
    return Window(bad.times[sound], values[sound])


def without_implausible(buckets: Buckets, samples: Iterable[Window], plausible: Range) -> Buckets:
    """The buckets with the suspect ones made again. `samples`: those of the suspect spans."""
    sound = ~outside(buckets.minimum, buckets.maximum, plausible)
    parts = [
        Buckets(
            buckets.step_ms, buckets.starts[sound], buckets.count[sound], buckets.total[sound],
            buckets.minimum[sound], buckets.maximum[sound],
        )
    ]  # fmt: skip
    for window in samples:
        keep = ~outside(window.values, window.values, plausible)
        if keep.any():
            parts.append(sum_up(Window(window.times[keep], window.values[keep]), buckets.step_ms))
    return combined(parts, buckets.step_ms)
