"""Samples summed up into ticks, so that a fast metric costs no more than a slow one.

A tick begins as one sample and grows: after RUNG ticks its length doubles, up to LONGEST_MS. So a metric at 1 Hz is
looked at every second in its first half hour and every five minutes from its fifth day on, and a metric that comes
every five minutes or less is never summed up. Ticks also keep WALL_MS apart by the clock of arrival: a burst of old
samples is summed up more coarsely, by the batch or by parts of it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from msgspec import Struct

from .robust import Times, Values

RUNG: Final = 1500
FAR: Final = 1 << 62
LONGEST_MS: Final = 300_000
WALL_MS: Final = 900
PARTS: Final = 8  # ticks of a batch that spans less than so many minutes
MOST: Final = 256  # of any batch


class Tick(Struct, frozen=True, gc=False):
    at_ms: int  # of the last sample
    mean: float
    low: float
    high: float
    samples: int


class Ticker:
    """`add` samples; when `due` says so, `close` the tick."""

    __slots__ = (
        "_closed", "_first_ms", "_high", "_last_ms", "_length_ms", "_low", "_samples", "_sum", "_wall_ms", "due_ms",
    )  # fmt: skip

    def __init__(self) -> None:
        self._length_ms = 0  # 0: every sample is a tick
        self._closed = 0  # ticks of this length so far
        self._first_ms = 0
        self._last_ms = 0
        self.due_ms = -FAR
        self._wall_ms = -FAR
        self._clear()

    def _clear(self) -> None:
        self._samples = 0
        self._sum = 0.0
        self._low = math.inf
        self._high = -math.inf

    def due(self, last_ms: int, now_ms: int) -> bool:
        """Whether it is time; also when a clock was set back, by more than any tick is long."""
        if not (last_ms >= self.due_ms or self.due_ms - last_ms > 2 * LONGEST_MS):
            return False
        return now_ms >= self._wall_ms or self._wall_ms - now_ms > LONGEST_MS

    def calm(self, last_ms: int) -> tuple[int, int]:
        """(a time of samples, a time of arrival): before either of them nothing after `last_ms` is due, as long as no
        clock is set back."""
        return (self.due_ms if self.due_ms - last_ms <= 2 * LONGEST_MS else -FAR), self._wall_ms

    def add(self, total: float, low: float, high: float, samples: int) -> None:
        self._sum += total
        self._samples += samples
        if low < self._low:
            self._low = low
        if high > self._high:
            self._high = high

    def close(self, at_ms: int, now_ms: int) -> Tick:
        """The tick that ends with the sample at `at_ms`."""
        samples = self._samples
        mean = self._sum / samples
        if not math.isfinite(mean):  # the sum of numbers at the edge of what doubles hold
            mean = self._low / 2 + self._high / 2
        tick = Tick(at_ms, mean, self._low, self._high, samples)
        self._clear()
        self._go_on(at_ms, now_ms)
        return tick

    def take(self, total: float, low: float, high: float, samples: int, last_ms: int, now_ms: int) -> Tick | None:
        """`add` samples, the last of them at `last_ms`, and `close` the tick when it is `due`."""
        if not self.due(last_ms, now_ms):
            self.add(total, low, high, samples)
            return None
        if samples > 1 or self._samples:
            self.add(total, low, high, samples)
            return self.close(last_ms, now_ms)
        self._go_on(last_ms, now_ms)
        return Tick(last_ms, total, low, high, 1)

    def cut(self, times: Times, values: Values, now_ms: int) -> Iterator[Tick]:
        """The ticks that a batch (rising, not empty) completes."""
        begin, span = int(times[0]), int(times[-1]) - int(times[0])
        if span <= self._length_ms or len(times) == 1:
            with np.errstate(over="ignore", invalid="ignore"):
                self.add(float(values.sum()), float(values.min()), float(values.max()), len(values))
            if self.due(begin + span, now_ms):
                yield self.close(begin + span, now_ms)
            return
        parts = (
            1 if 0 <= self._wall_ms - now_ms <= WALL_MS else PARTS
        )  # one batch upon the other: backfill, no live data
        length = max(self._length_ms, span // MOST, min(60_000, span // parts), 1)
        starts = np.concatenate(((0,), np.flatnonzero(np.diff((times - begin) // length)) + 1))
        ends = np.append(starts[1:], len(times))
        with np.errstate(over="ignore", invalid="ignore"):
            totals = np.add.reduceat(values, starts)
        for total, low, high, count, last_ms in zip(
            totals.tolist(), np.minimum.reduceat(values, starts).tolist(), np.maximum.reduceat(values, starts).tolist(),
            (ends - starts).tolist(), times[ends - 1].tolist(), strict=True,
        ):  # fmt: skip
            self.add(total, low, high, count)
            if last_ms >= self.due_ms:
                yield self.close(last_ms, now_ms)

    def _go_on(self, at_ms: int, now_ms: int) -> None:
        """A tick has ended with the sample at `at_ms`: when the next is due, and whether it is a longer one."""
        if self._length_ms < LONGEST_MS:
            if not self._closed:
                self._first_ms = at_ms
            self._closed += 1
            if self._closed >= RUNG:
                usual_ms = (at_ms - self._first_ms) // max(1, self._closed - 1)
                self._length_ms = min(LONGEST_MS, 2 * usual_ms)
                self._closed = 0
        self.due_ms = at_ms + self._length_ms
        self._wall_ms = now_ms + WALL_MS

    def pack(self) -> list[Any]:
        return [self._length_ms, self._closed, self._first_ms, self.due_ms]

    def unpack(self, state: list[Any]) -> None:
        self._length_ms, self._closed, self._first_ms, self.due_ms = state
