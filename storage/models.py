"""What is stored: samples by series, as arrays; and what the tiers say about themselves.

Times are int64 unix milliseconds, values float64 and finite. Arrays handed out are read-only: whoever needs to
change one copies it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

Times = NDArray[np.int64]
Values = NDArray[np.float64]


class SeriesPart(Struct, frozen=True):
    """Samples of one metric, in any order of time. `metadata` is compact JSON text of an object, or None."""

    name: str
    times: Times  # shape (n,), ms
    values: Values  # shape (n,)
    metadata: str | None = None

    def __len__(self) -> int:
        return len(self.times)


class Window(Struct, frozen=True):
    """Samples of one metric in one span: times strictly rising."""

    times: Times
    values: Values

    def __len__(self) -> int:
        return len(self.times)


def _empty_window() -> Window:
    window = Window(np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float64))
    window.times.flags.writeable = window.values.flags.writeable = False
    return window


EMPTY_WINDOW: Final = _empty_window()


def joined_window(times: Sequence[Times], values: Sequence[Values]) -> Window:
    """Runs one after the other as one window, whose arrays are read-only."""
    if not times:
        return EMPTY_WINDOW
    whole = Window(times[0], values[0]) if len(times) == 1 else Window(np.concatenate(times), np.concatenate(values))
    whole.times.flags.writeable = whole.values.flags.writeable = False
    return whole


class Buckets(Struct, frozen=True):
    """Samples of one metric summed up on a grid of `step_ms`: only buckets with samples, starts strictly rising."""

    step_ms: int
    starts: Times  # multiples of step_ms
    count: NDArray[np.int64]
    total: Values
    minimum: Values
    maximum: Values

    def __len__(self) -> int:
        return len(self.starts)


class Latest(Struct, frozen=True):
    """The newest sample of a metric by time; if that lies in the future (a clock was set back), the last to arrive."""

    time_ms: int
    value: float
    seq: int


class Appended(Struct, frozen=True):
    """What became of one SeriesPart. accepted + duplicates + rejected == len(part)."""

    accepted: int
    duplicates: int  # same time as a kept sample: the new value won
    rejected: tuple[tuple[int, str], ...] = ()  # (index in the part, reason)
    full: bool = False  # refused because the number of metrics is at its cap


class SeriesInfo(Struct, frozen=True):
    """What the memory tier knows of one metric."""

    name: str
    samples: int
    bytes: int
    first_ms: int | None
    last_ms: int | None
    latest: Latest | None
    metadata: str | None  # the latest that came with a sample
    received: int  # samples ever accepted, evicted ones included
    first_received_ms: int  # wall clock of the first sample


class MemoryStatus(Struct, frozen=True):
    series: int
    samples: int
    bytes: int
    budget_bytes: int
    evicted: int  # samples dropped for age or budget
    lost_unpersisted: int  # of these, how many no archive had taken while one was switched on


PersistenceState = Literal["off", "starting", "on", "degraded"]


class ArchiveStatus(Struct, frozen=True):
    """What the cold tier says of itself."""

    size_bytes: int
    samples: int | None  # None: not counted
    last_commit_ms: int | None
    budget_bytes: int | None = None  # None: not bounded by size
    raw_from_ms: int | None = None  # from here on every sample is there as it came; None: nothing is packed yet
    damaged: int = 0  # rows that were found damaged since it was opened, and left out
