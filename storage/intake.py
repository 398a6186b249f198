"""The intake: what may enter the memory tier, column by column, and when it came.

Pure functions over arrays, and the log that tells when a sequence number arrived.
"""

from __future__ import annotations

from collections import deque
from typing import Final

import numpy as np

from .models import SeriesPart, Times, Values, Window

NOT_FINITE: Final = "value is not a finite number"
TOO_OLD: Final = "timestamp lies before 1970"
FUTURE_MS: Final = 300_000  # clocks of senders differ; further ahead of ours no sample is taken
ARRIVAL_STEP_MS: Final = 10_000  # how exactly arrival is remembered

Rejected = tuple[tuple[int, str], ...]


def in_order(part: SeriesPart, after_ms: int, limit_ms: int) -> bool:
    """Whether all of it may be kept, and rises strictly from after `after_ms` up to `limit_ms` at the latest."""
    times = part.times
    return bool(
        times[0] > after_ms
        and times[-1] <= limit_ms
        and np.count_nonzero(times[1:] > times[:-1]) == len(times) - 1  # quicker than all()
        and np.count_nonzero(np.isfinite(part.values)) == len(times)
    )


def sift(part: SeriesPart, limit_ms: int, future_ms: int) -> tuple[Times, Values, Rejected]:
    """The samples that may be kept, in the order they came, and why the others may not."""
    times, values = part.times, part.values
    finite = np.isfinite(values)
    not_old = times >= 0
    not_ahead = times <= limit_ms
    good = finite & not_old & not_ahead
    if good.all():
        return times, values, ()
    ahead = f"timestamp {lies_ahead(future_ms)}"
    rejected = tuple(
        (index, NOT_FINITE if not finite[index] else TOO_OLD if not not_old[index] else ahead)
        for index in np.flatnonzero(~good).tolist()
    )
    return times[good], values[good], rejected


def lies_ahead(future_ms: int) -> str:
    return f"lies more than {future_ms / 1000:g} s in the future"


def rounded(part: SeriesPart, resolution_ms: int) -> SeriesPart:
    """Times to the nearest multiple of `resolution_ms`: done once, before anybody stores or compares them, so that a
    sample has one time in memory, on disk, and when it is sent again."""
    if resolution_ms <= 1 or not len(part):
        return part
    times = (part.times + resolution_ms // 2) // resolution_ms * resolution_ms
    return SeriesPart(part.name, times, part.values, part.metadata)


def rising(times: Times, values: Values) -> tuple[Times, Values]:
    """The same in strictly rising order of time; of samples with one time, the last to come."""
    if len(times) < 2 or (times[1:] > times[:-1]).all():
        return times, values
    order = times.argsort(kind="stable")
    times = times[order]
    keep = np.append(times[1:] != times[:-1], True)
    return times[keep], values[order[keep]]


class ArrivalLog:
    """When sequence numbers arrived, by the wall clock, which may be set back and forth."""

    __slots__ = ("_entries", "_last_seq")

    def __init__(self) -> None:
        self._entries: deque[tuple[int, int]] = deque()  # (wall clock ms, first sequence number then), both rising
        self._last_seq = 0

    def note(self, now_ms: int, seq: int) -> None:
        """Once for each new sequence number."""
        entries = self._entries
        self._last_seq = seq
        if not entries or now_ms - entries[-1][0] >= ARRIVAL_STEP_MS:
            entries.append((now_ms, seq))
        elif now_ms < entries[-1][0]:
            # The clock was set back: what it once dated later than now has arrived by now, too.
            last = entries[-1][1]
            while entries and entries[-1][0] > now_ms:
                last = entries.pop()[1]
            entries.append((now_ms, last))

    def up_to(self, cutoff_ms: int) -> int:
        """A sequence number up to which all had arrived by `cutoff_ms`; 0 when none had. Forgets what lies before."""
        entries = self._entries
        while len(entries) > 1 and entries[1][0] <= cutoff_ms:
            entries.popleft()
        if not entries or entries[0][0] > cutoff_ms:
            return 0
        if len(entries) == 1 and entries[0][0] + ARRIVAL_STEP_MS <= cutoff_ms:
            return self._last_seq  # any later one would have made an entry of its own
        return entries[0][1]


def missing(window: Window, kept: Window) -> tuple[Times, Values]:
    """The samples of `window` at whose times `kept` has none."""
    new = ~np.isin(window.times, kept.times, assume_unique=True)
    return window.times[new], window.values[new]
